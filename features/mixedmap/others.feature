# SPDX-License-Identifier: MIT
Feature: What the rest of the kernel does with a VM_MIXEDMAP mapping

  @mixedmap.fork
  Rule: fork MUST copy the page tables of a VM_MIXEDMAP mapping, and count what it copies

    @mixedmap.fork.pages
    Scenario: The child has the pages without a fault, and each has a reference and a mapping more
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      When A forks B
      Then B has a PTE for every page
      And every page of the driver has 3 references
      And every page of the driver has mapcount 2
      And B counts 0 pages in RssAnon, 4 in RssFile and 0 in RssShmem

    @mixedmap.fork.writable
    Scenario: Of a shared mapping both sides stay writable
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      When A forks B
      Then every page of A is mapped writable
      And every page of B is mapped writable
      When B writes "child" to page 0
      Then A reads "child" in page 0
      And the driver reads "child" in its page 0

    @mixedmap.fork.raw @pte_special:1
    Scenario: Raw entries are copied and count nothing
      Given a driver maps 2 pages of RAM into A with vmf_insert_mixed
      And A reads page 0
      When A forks B
      Then B has a raw PTE for page 0
      And every page of the driver has 1 reference and no mapping

  @mixedmap.gup
  Rule: get_user_pages MUST give the pages of a VM_MIXEDMAP mapping

    @mixedmap.gup.calls
    Scenario Outline: Of inserted pages: <call> succeeds
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      And A writes "new" to page 0
      When A tries to <call>
      Then it succeeds

      Examples:
        | call                              |
        | vmsplice page 0                   |
        | read page 0 with process_vm_readv |
        | read page 0 through its mem file  |
        | copy page 0 out with write        |

    @mixedmap.gup.pin @since:6.12
    Scenario: A long-term pin for writing reaches the driver's page
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      And A registers page 0 as io_uring buffer b
      When the driver writes "device" to its page 0
      Then io_uring buffer b holds "device"
      And page 0 of the driver has 1026 references

    @mixedmap.gup.pin-refused @until:6.1
    Scenario: io_uring of 6.1 takes no memory of a file that is not shmem or hugetlb
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      When A tries to register page 0 as io_uring buffer b
      Then it fails with EOPNOTSUPP

  @mixedmap.gup-raw @pte_special:1
  Rule: get_user_pages MUST refuse a raw entry of a VM_MIXEDMAP mapping, with EEXIST

    @mixedmap.gup-raw.vmsplice
    Scenario: vmsplice hands the error out
      Given a driver maps 1 page of RAM into A with vmf_insert_mixed
      And A reads page 0
      When A tries to vmsplice page 0
      Then it fails with EEXIST

    @mixedmap.gup-raw.process-vm
    Scenario: process_vm_readv makes EFAULT of it
      Given a driver maps 1 page of RAM into A with vmf_insert_mixed
      And A reads page 0
      When A tries to read page 0 with process_vm_readv
      Then it fails with EFAULT

    @mixedmap.gup-raw.mem
    Scenario: /proc/PID/mem makes EIO of it
      Given a driver maps 1 page of RAM into A with vmf_insert_mixed
      And A reads page 0
      When A tries to read page 0 through its mem file
      Then it fails with EIO

  @mixedmap.dontneed
  Rule: MADV_DONTNEED MUST unmap the pages of a VM_MIXEDMAP mapping, and only a fault handler can bring them back

    @mixedmap.dontneed.eager
    Scenario: What the mmap handler had mapped is gone for good
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      When A calls MADV_DONTNEED on page 1
      Then A cannot read page 1: SIGBUS
      And page 1 of the driver has 1 reference and no mapping
      And page 0 of the driver has 2 references

    @mixedmap.dontneed.lazy
    Scenario: What a fault handler inserts comes back
      Given a driver maps 4 pages of RAM into A with vmf_insert_page
      And A writes "new" to page 1
      When A calls MADV_DONTNEED on page 1
      Then A reads "new" in page 1

    @mixedmap.dontneed.raw @pte_special:1
    Scenario: Raw entries go too
      Given a driver maps 2 pages of RAM into A with vmf_insert_mixed
      And A reads page 0
      When A calls MADV_DONTNEED on page 0
      Then A has nothing for page 0

  @mixedmap.grow
  Rule: mremap MAY grow a mapping without VM_DONTEXPAND and VM_PFNMAP, and an access to the new pages MUST end in SIGBUS if no fault handler knows them

    @mixedmap.grow.tail
    Scenario: The new pages have nothing behind them
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      And A writes "new" to page 3
      When A grows mem to 6 pages
      Then A reads "new" in page 3
      And A cannot read page 4: SIGBUS

  @mixedmap.duplicate
  Rule: mremap MAY map a shared mapping a second time, and the second one MUST be empty

    @mixedmap.duplicate.empty
    Scenario: The twin of an eager mapping has no page
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      When A tries to map every page again as twin with mremap
      Then it succeeds
      And A cannot read page 0 of twin: SIGBUS
      And every page of the driver has 2 references

    @mixedmap.duplicate.private
    Scenario: Of a private mapping it is refused
      Given a driver has 4 pages of RAM
      And A maps the driver's memory privately with vm_insert_page
      When A tries to map every page again as twin with mremap
      Then it fails with EINVAL

  @mixedmap.move
  Rule: mremap MUST move the pages with their mapping, and MUST NOT count them anew

    @mixedmap.move.counts
    Scenario: References and mappings are as before
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      And A writes "new" to every page
      When A moves every page to moved
      Then A reads "new" in page 3 of moved
      And every page of the driver has 2 references
      And every page of the driver has mapcount 1

    @mixedmap.move.dontunmap
    Scenario: With MREMAP_DONTUNMAP the old place stays mapped and is empty
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      When A tries to move every page to moved with MREMAP_DONTUNMAP
      Then it succeeds
      And A cannot read page 0: SIGBUS
      And every page of the driver has 2 references

  @mixedmap.mlock
  Rule: mlock MUST populate a VM_MIXEDMAP mapping and lock nothing, and MUST fail with ENOMEM if a page cannot be had

    @mixedmap.mlock.populates
    Scenario: The fault handler is called for every page
      Given a driver maps 4 pages of RAM into A with vmf_insert_page
      When A locks every page
      Then A has a PTE for every page
      And A has none of VM_LOCKED

    @mixedmap.mlock.sigbus
    Scenario: A page that is gone makes it fail
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      And A calls MADV_DONTNEED on page 1
      When A tries to lock every page
      Then it fails with ENOMEM

  @mixedmap.madvise
  Rule: madvise MUST treat a VM_MIXEDMAP mapping as a file without a page cache, and MUST refuse what a VM_SPECIAL mapping cannot have

    @mixedmap.madvise.refused
    Scenario Outline: <advice> fails with EINVAL
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      When A tries <advice> on every page
      Then it fails with EINVAL
      And every page of the driver has 2 references

      Examples:
        | advice             |
        | MADV_FREE          |
        | MADV_DODUMP        |
        | MADV_WIPEONFORK    |
        | MADV_COLLAPSE      |
        | MADV_GUARD_INSTALL |
        | MADV_GUARD_REMOVE  |

    @mixedmap.madvise.accepted
    Scenario Outline: <advice> succeeds and changes no entry
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      When A tries <advice> on every page
      Then it succeeds
      And every page of the driver has 2 references

      Examples:
        | advice              |
        | MADV_COLD           |
        | MADV_PAGEOUT        |
        | MADV_POPULATE_READ  |
        | MADV_POPULATE_WRITE |
        | MADV_DONTFORK       |
        | MADV_KEEPONFORK     |
        | MADV_DONTDUMP       |
        | MADV_MERGEABLE      |
        | MADV_UNMERGEABLE    |
        | MADV_NORMAL         |
        | MADV_WILLNEED       |

    @mixedmap.madvise.dofork @until:6.18
    Scenario: Up to 6.18 MADV_DOFORK succeeds
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      When A tries MADV_DOFORK on every page
      Then it succeeds

    @mixedmap.madvise.dofork-special @since:7.3
    Scenario: Since 7.3 MADV_DOFORK is refused
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      When A tries MADV_DOFORK on every page
      Then it fails with EINVAL

    @mixedmap.madvise.remove
    Scenario: MADV_REMOVE finds that a device has no holes
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      When A tries MADV_REMOVE on every page
      Then it fails with ENODEV

  @mixedmap.mincore
  Rule: mincore MUST say of the entries of a VM_MIXEDMAP mapping that they are resident, and of empty slots that they are not

    @mixedmap.mincore.entries
    Scenario Outline: One entry of two, made with <function>
      Given a driver maps 2 pages of RAM into A with <function>
      When A reads page 0
      Then mincore says of page 0 of A that it is resident
      And mincore says of page 1 of A that it is not resident

      Examples:
        | function         |
        | vmf_insert_page  |
        | vmf_insert_mixed |

  @mixedmap.core-dump
  Rule: A core dump MAY hold the pages of a VM_MIXEDMAP mapping, unless VM_DONTDUMP or VM_IO is set, and only room for its raw entries

    @mixedmap.core-dump.held
    Scenario: vm_insert_page sets neither, so the pages are in the file
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      Then a core dump of A holds 2 pages of it

    @mixedmap.core-dump.raw @pte_special:1
    Scenario: For raw entries the file has room, and nothing but zeros there
      Given a driver maps 2 pages of RAM into A with vmf_insert_mixed
      And A reads every page
      Then a core dump of A holds 2 pages of it

    @mixedmap.core-dump.vmalloc
    Scenario: remap_vmalloc_range sets VM_DONTDUMP
      Given a driver maps 2 pages of vmalloc_user memory into A with remap_vmalloc_range
      Then a core dump of A holds 0 pages of it
