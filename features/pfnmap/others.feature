# SPDX-License-Identifier: MIT
Feature: What the rest of the kernel does with a VM_PFNMAP mapping

  @pfnmap.zap
  Rule: munmap and exit MUST remove raw entries without touching the pages behind them

    @pfnmap.zap.munmap
    Scenario: After munmap the driver's pages are as before
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      And A writes "new" to every page
      When A unmaps pages 0 to 1
      Then every page of the driver has 1 reference and no mapping
      And A reads "new" in page 2

    @pfnmap.zap.again
    Scenario: The page that was unmapped can be mapped again while its neighbour is still mapped
      Given a driver has 2 pages of RAM
      And A maps the driver's memory shared with remap_pfn_range
      And A writes "new" to every page
      And A unmaps page 0
      When A maps the driver's page 0 shared with remap_pfn_range as again
      Then A reads "new" in page 0 of again
      And A reads "new" in page 1
      And A cannot read page 0: SIGSEGV

    @pfnmap.zap.exit
    Scenario: After exit too
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      And A writes "new" to every page
      When A exits
      Then every page of the driver has 1 reference and no mapping
      And the driver reads "new" in its every page

  @pfnmap.fork
  Rule: fork MUST copy the page tables of a VM_PFNMAP mapping, shared or private

    @pfnmap.fork.shared
    Scenario: A child of a shared mapping has the entries without a fault, and they stay writable
      Given a driver maps 4 pages of RAM into A with vmf_insert_pfn
      And A writes "new" to pages 0 to 1
      When A forks B
      Then B has a raw PTE for pages 0 to 1
      And B has nothing for page 2
      And pages 0 to 1 of B are mapped writable

    @pfnmap.fork.dontcopy
    Scenario: With VM_DONTCOPY the child has no mapping at all
      Given a driver maps 4 pages of RAM into A with remap_pfn_range and VM_DONTCOPY
      When A forks B
      Then B cannot read page 0: SIGSEGV

  @pfnmap.gup
  Rule: get_user_pages MUST refuse a raw entry of a VM_PFNMAP mapping

    @pfnmap.gup.calls
    Scenario Outline: A mapping made with remap_pfn_range: <call> fails
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      And A writes "new" to page 0
      When A tries to <call>
      Then it fails with EFAULT

      Examples:
        | call                                 |
        | vmsplice page 0                      |
        | read page 0 with process_vm_readv    |
        | register page 0 as io_uring buffer b |

    @pfnmap.gup.inserted
    Scenario Outline: A mapping made with vmf_insert_pfn, without VM_IO: <call> fails
      Given a driver maps 2 pages of RAM into A with vmf_insert_pfn
      And A writes "new" to page 0
      When A tries to <call>
      Then it fails with EFAULT

      Examples:
        | call                                 |
        | vmsplice page 0                      |
        | read page 0 with process_vm_readv    |
        | register page 0 as io_uring buffer b |

  @pfnmap.gup-slow
  Rule: Where get_user_pages looks at the VMA, it MUST refuse VM_PFNMAP and VM_IO, also for a page

    @pfnmap.gup-slow.io
    Scenario: process_vm_readv of counted pages under VM_IO fails
      Given a driver maps 2 pages of RAM into A with vm_insert_page and VM_IO
      When A tries to read page 0 with process_vm_readv
      Then it fails with EFAULT

    @pfnmap.gup-slow.pfnmap @pte_special:1
    Scenario: So it does for a counted page in a VM_PFNMAP mapping
      Given a driver maps 1 page of RAM into A with a fault handler and VM_PFNMAP
      And A reads page 0
      When A tries to read page 0 with process_vm_readv
      Then it fails with EFAULT

    @pfnmap.gup-slow.longterm @since:6.12
    Scenario: A long-term pin for writing looks at the VMA
      Given a driver maps 2 pages of RAM into A with vm_insert_page and VM_IO
      When A tries to register page 0 as io_uring buffer b
      Then it fails with EFAULT

  @pfnmap.gup-fast @pte_special:1
  Rule: The fast path of get_user_pages MUST look at the entry alone, so that it MAY return a page in spite of VM_PFNMAP or VM_IO

    @pfnmap.gup-fast.copied
    Scenario: vmsplice gets the copied page of a private VM_PFNMAP mapping
      Given a driver has 1 page of RAM
      And A maps the driver's memory privately with remap_pfn_range
      And A writes "new" to page 0
      When A vmsplices page 0 into pipe p
      Then pipe p holds "new"

    @pfnmap.gup-fast.folio
    Scenario: vmsplice gets a page of a folio that a driver has inserted under VM_IO
      Given a driver maps an order-2 folio into A with vm_insert_page and VM_IO
      And A writes "new" to page 1
      When A vmsplices page 1 into pipe p
      Then pipe p holds "new"

    @pfnmap.gup-fast.small @until:6.1
    Scenario: In 6.1 it gets a single page as well
      Given a driver maps 2 pages of RAM into A with vm_insert_page and VM_IO
      And A writes "new" to page 0
      When A vmsplices page 0 into pipe p
      Then pipe p holds "new"

    @pfnmap.gup-fast.small-slow @since:6.12 @until:6.18
    Scenario: From 6.12 to 6.18 a single page without page->mapping goes the slow path, and is refused
      Given a driver maps 2 pages of RAM into A with vm_insert_page and VM_IO
      When A tries to vmsplice page 0
      Then it fails with EFAULT

    @pfnmap.gup-fast.small-again @since:7.3
    Scenario: Since 7.3 it gets a single page again
      Given a driver maps 2 pages of RAM into A with vm_insert_page and VM_IO
      And A writes "new" to page 0
      When A vmsplices page 0 into pipe p
      Then pipe p holds "new"

  @pfnmap.proc-mem
  Rule: /proc/PID/mem MUST fail for a VM_PFNMAP mapping, unless the driver has vm_ops->access

    @pfnmap.proc-mem.refused
    Scenario: Reading fails with EIO
      Given a driver maps 1 page of RAM into A with remap_pfn_range
      When A tries to read page 0 through its mem file
      Then it fails with EIO

  @pfnmap.copy-from-user
  Rule: A system call that copies from or to user memory MUST work on a VM_PFNMAP mapping

    @pfnmap.copy-from-user.write
    Scenario Outline: write from a mapping made with <handler> succeeds
      Given a driver maps 1 page of RAM into A with <handler>
      And A writes "new" to page 0
      When A tries to copy page 0 out with write
      Then it succeeds

      Examples:
        | handler         |
        | remap_pfn_range |
        | vmf_insert_pfn  |

  @pfnmap.pagemap
  Rule: pagemap MUST show nothing for a VM_PFNMAP mapping, so that what it does not show MAY be mapped

    @pfnmap.pagemap.raw
    Scenario: Four pages are mapped, and pagemap says that there is nothing
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      When A reads every page
      Then pagemap shows nothing for every page of A
      And A has a raw PTE for every page

    @pfnmap.pagemap.counted @pte_special:1
    Scenario: So it does for a counted page in such a mapping
      Given a driver maps 1 page of RAM into A with a fault handler and VM_PFNMAP
      When A reads page 0
      Then pagemap shows nothing for page 0 of A
      And A counts 0 pages in RssAnon, 1 in RssFile and 0 in RssShmem

  @pfnmap.mincore
  Rule: mincore MUST answer for a VM_PFNMAP mapping by its entries since 7.3, and by the page cache of its file before

    @pfnmap.mincore.entries @since:7.3
    Scenario: Entries are resident, empty slots are not
      Given a driver maps 2 pages of RAM into A with vmf_insert_pfn
      When A reads page 0
      Then mincore says of page 0 of A that it is resident
      And mincore says of page 1 of A that it is not resident

    @pfnmap.mincore.cache @until:6.18
    Scenario: Up to 6.18 the page cache of the device is empty, and so is the mapping
      Given a driver maps 2 pages of RAM into A with vmf_insert_pfn
      When A reads page 0
      Then mincore says of pages 0 to 1 of A that they are not resident

  @pfnmap.mlock
  Rule: mlock MUST succeed on a VM_PFNMAP mapping, lock nothing and populate nothing

    @pfnmap.mlock.nothing
    Scenario: The call succeeds and neither a flag nor an entry is there
      Given a driver maps 2 pages of RAM into A with vmf_insert_pfn
      When A tries to lock every page
      Then it succeeds
      And A has none of VM_LOCKED
      And A has nothing for every page

  @pfnmap.dontexpand
  Rule: VM_DONTEXPAND alone MUST keep a mapping from being locked and from MADV_DODUMP, as VM_IO, VM_PFNMAP and VM_MIXEDMAP do

    @pfnmap.dontexpand.mlock
    Scenario: mlock populates the mapping, and does not lock it
      Given a driver maps 2 pages of RAM into A with a fault handler and VM_DONTEXPAND
      When A locks every page
      Then A has a PTE for every page
      And A has none of VM_LOCKED

    @pfnmap.dontexpand.mlock-plain
    Scenario: Without any of the four flags it is locked
      Given a driver maps 2 pages of RAM into A with a fault handler
      When A locks every page
      Then A has a PTE for every page
      And A has VM_LOCKED

    @pfnmap.dontexpand.dodump
    Scenario: MADV_DODUMP cannot take VM_DONTDUMP away
      Given a driver maps 2 pages of RAM into A with a fault handler, VM_DONTEXPAND and VM_DONTDUMP
      When A tries MADV_DODUMP on every page
      Then it fails with EINVAL
      And A has VM_DONTDUMP

    @pfnmap.dontexpand.dodump-plain
    Scenario: Without any of the four flags a program can take away VM_DONTDUMP of the driver
      Given a driver maps 2 pages of RAM into A with a fault handler and VM_DONTDUMP
      When A tries MADV_DODUMP on every page
      Then it succeeds
      And A has none of VM_DONTDUMP

  @pfnmap.mremap-move
  Rule: mremap MUST move raw entries with their mapping

    @pfnmap.mremap-move.moved
    Scenario: The entries are at the new place
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      And A writes "new" to every page
      When A moves every page to moved
      Then A's moved has a raw PTE for every page of moved
      And A reads "new" in page 3 of moved
      And A cannot read page 0: SIGSEGV

    @pfnmap.mremap-move.over
    Scenario: They can be moved to where something else was mapped
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      And A writes "new" to every page
      And A has 4 pages of private anonymous memory as other
      When A moves every page over other
      Then A's other has a raw PTE for every page of other
      And A reads "new" in every page of other
      And A cannot read page 0: SIGSEGV

  @pfnmap.mremap-shrink
  Rule: mremap MUST shrink a VM_PFNMAP mapping as munmap of its end would

    @pfnmap.mremap-shrink.end
    Scenario: The last page is gone, the others are as they were
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      And A writes "new" to every page
      When A shrinks mem to 1 page
      Then A has a raw PTE for page 0
      And A reads "new" in page 0
      And every page of the driver has 1 reference and no mapping

  @pfnmap.mremap-grow
  Rule: mremap MUST refuse to grow a mapping with VM_PFNMAP or VM_DONTEXPAND, with EFAULT

    @pfnmap.mremap-grow.refused
    Scenario Outline: A mapping made with <handler> cannot grow
      Given a driver maps 4 pages of RAM into A with <handler>
      When A tries to grow mem to 8 pages
      Then it fails with EFAULT

      Examples:
        | handler                           |
        | remap_pfn_range                   |
        | vmf_insert_pfn                    |
        | vm_insert_page and VM_DONTEXPAND  |
        | a fault handler and VM_DONTEXPAND |

  @pfnmap.mremap-dontunmap
  Rule: MREMAP_DONTUNMAP MUST be refused for a mapping with VM_PFNMAP or VM_DONTEXPAND, with EINVAL

    @pfnmap.mremap-dontunmap.refused
    Scenario Outline: A mapping made with <handler> cannot be left behind empty
      Given a driver maps 4 pages of RAM into A with <handler>
      When A tries to move every page to moved with MREMAP_DONTUNMAP
      Then it fails with EINVAL

      Examples:
        | handler                          |
        | vmf_insert_pfn                   |
        | vm_insert_page and VM_DONTEXPAND |

  @pfnmap.mremap-duplicate
  Rule: mremap with an old length of 0 MUST be refused for a mapping with VM_PFNMAP or VM_DONTEXPAND, with EFAULT

    @pfnmap.mremap-duplicate.refused
    Scenario Outline: A mapping made with <handler> cannot be had twice
      Given a driver maps 4 pages of RAM into A with <handler>
      When A tries to map every page again as twin with mremap
      Then it fails with EFAULT

      Examples:
        | handler                          |
        | vmf_insert_pfn                   |
        | vm_insert_page and VM_DONTEXPAND |

  @pfnmap.mprotect
  Rule: mprotect MUST change raw entries, within what the VMA may become

    @pfnmap.mprotect.read-only
    Scenario: A mapping that was made read-only refuses stores, and takes them again afterwards
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      When A makes every page read-only
      Then A cannot write page 0: SIGSEGV
      And A has a raw PTE for every page
      When A makes every page read-write
      And A writes "new" to page 0
      Then the driver reads "new" in its page 0

    @pfnmap.mprotect.never-writable
    Scenario: What the driver made never writable cannot be made writable
      Given a driver has 2 pages of RAM
      And A maps the driver's memory shared and read-only with remap_pfn_range without VM_MAYWRITE
      When A tries to make every page read-write
      Then it fails with EACCES

  @pfnmap.madvise
  Rule: madvise MUST refuse to discard, age, populate or dump a VM_PFNMAP mapping, and MUST accept what only sets a flag

    @pfnmap.madvise.refused
    Scenario Outline: <advice> fails with EINVAL
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      When A tries <advice> on every page
      Then it fails with EINVAL
      And A has a raw PTE for every page

      Examples:
        | advice              |
        | MADV_DONTNEED       |
        | MADV_FREE           |
        | MADV_COLD           |
        | MADV_PAGEOUT        |
        | MADV_POPULATE_READ  |
        | MADV_POPULATE_WRITE |
        | MADV_DOFORK         |
        | MADV_DODUMP         |
        | MADV_WIPEONFORK     |
        | MADV_COLLAPSE       |
        | MADV_GUARD_INSTALL  |
        | MADV_GUARD_REMOVE   |

    @pfnmap.madvise.accepted
    Scenario Outline: <advice> succeeds and changes no entry
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      When A tries <advice> on every page
      Then it succeeds
      And A has a raw PTE for every page

      Examples:
        | advice           |
        | MADV_DONTFORK    |
        | MADV_KEEPONFORK  |
        | MADV_DONTDUMP    |
        | MADV_MERGEABLE   |
        | MADV_UNMERGEABLE |
        | MADV_NORMAL      |
        | MADV_RANDOM      |
        | MADV_SEQUENTIAL  |
        | MADV_WILLNEED    |

      @needs:thp
      Examples: With huge pages
        | advice          |
        | MADV_HUGEPAGE   |
        | MADV_NOHUGEPAGE |

    @pfnmap.madvise.remove
    Scenario: MADV_REMOVE finds that a device has no holes
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      When A tries MADV_REMOVE on every page
      Then it fails with ENODEV
      And A has a raw PTE for every page

    @pfnmap.madvise.insert
    Scenario Outline: In a mapping made with vmf_insert_pfn alone, without VM_IO, <advice> fails all the same
      Given a driver maps 2 pages of RAM into A with vmf_insert_pfn
      And A reads every page
      When A tries <advice> on every page
      Then it fails with EINVAL

      Examples:
        | advice             |
        | MADV_DONTNEED      |
        | MADV_COLD          |
        | MADV_POPULATE_READ |
        | MADV_DODUMP        |

    @pfnmap.madvise.dofork @until:6.18
    Scenario: Up to 6.18 MADV_DOFORK is refused for VM_IO only
      Given a driver maps 2 pages of RAM into A with vmf_insert_pfn
      When A tries MADV_DOFORK on every page
      Then it succeeds

    @pfnmap.madvise.dofork-special @since:7.3
    Scenario: Since 7.3 it is refused for every VM_SPECIAL mapping
      Given a driver maps 2 pages of RAM into A with vmf_insert_pfn
      When A tries MADV_DOFORK on every page
      Then it fails with EINVAL

  @pfnmap.userfaultfd
  Rule: userfaultfd MUST refuse to watch a mapping of a driver for missing pages or writes

    @pfnmap.userfaultfd.refused
    Scenario Outline: A mapping made with <handler> cannot be registered in missing mode
      Given a driver maps 2 pages of RAM into A with <handler>
      When A tries to register every page with userfaultfd in missing mode
      Then it fails with EINVAL

      Examples:
        | handler         |
        | remap_pfn_range |
        | vm_insert_page  |
        | a fault handler |

    @pfnmap.userfaultfd.write-protect
    Scenario Outline: A mapping made with <handler> cannot be registered in write-protect mode
      Given a driver maps 2 pages of RAM into A with <handler>
      When A tries to register every page with userfaultfd in write-protect mode
      Then it fails with EINVAL

      Examples:
        | handler         |
        | remap_pfn_range |
        | vm_insert_page  |
        | a fault handler |

  @pfnmap.core-dump
  Rule: A core dump MUST leave out a mapping with VM_IO or VM_DONTDUMP, and MAY have room for one with VM_PFNMAP alone

    @pfnmap.core-dump.remapped
    Scenario: remap_pfn_range sets both flags
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      Then a core dump of A holds 0 pages of it

    @pfnmap.core-dump.flags
    Scenario Outline: <flag> alone keeps counted pages out
      Given a driver maps 2 pages of RAM into A with vm_insert_page and <flag>
      Then a core dump of A holds 0 pages of it

      Examples:
        | flag        |
        | VM_IO       |
        | VM_DONTDUMP |

    @pfnmap.core-dump.pfnmap
    Scenario: With VM_PFNMAP alone the file has room for the pages, and nothing but zeros there
      Given a driver maps 2 pages of RAM into A with vmf_insert_pfn
      Then a core dump of A holds 2 pages of it
