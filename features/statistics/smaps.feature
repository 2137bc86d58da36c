# SPDX-License-Identifier: MIT
Feature: smaps: what each line counts

  @statistics.rss
  Rule: Rss MUST be the size of the pages that present entries map, each page whole, whoever else maps it

    @statistics.rss.untouched
    Scenario: What nobody touched is not resident
      Given A maps 4 pages of private anonymous memory
      When A writes "new" to page 2
      Then smaps of A shows 16 kB Size
      And smaps of A shows 4 kB Rss

    @statistics.rss.shared
    Scenario: Both sides of a fork are told all of it
      Given A has 4 pages of private anonymous memory
      When A forks B
      Then smaps of A shows 16 kB Rss
      And smaps of B shows 16 kB Rss
      And A counts 4 pages in RssAnon, 0 in RssFile and 0 in RssShmem
      And B counts 4 pages in RssAnon, 0 in RssFile and 0 in RssShmem

    @statistics.rss.twice
    Scenario: A page that one process maps twice counts twice
      Given file f has 4 pages on memfd
      And A maps file f shared as once
      And A maps file f shared as again
      And A reads every page of once
      When A reads every page of again
      Then smaps of A's once shows 16 kB Rss
      And smaps of A's again shows 16 kB Rss

    @statistics.rss.partial
    Scenario: Pages of a folio that are not mapped are in no Rss, though their memory is not free
      Given A has an order-9 folio mapped by PTEs
      When A unmaps pages 256 to 511
      Then the folio of page 0 of A has order 9
      And smaps of A shows 1024 kB Rss
      And smaps of A shows 1024 kB Pss

    @statistics.rss.kinds
    Scenario: RssAnon, RssFile and RssShmem follow the page, not the mapping
      Given file f has 4 pages on tmpfs
      And A maps file f privately
      And A reads every page
      When A writes "new" to page 0
      Then A counts 1 page in RssAnon, 0 in RssFile and 3 in RssShmem
      And smaps of A shows 16 kB Rss
      And smaps of A shows 4 kB Anonymous

    @statistics.rss.disk
    Scenario: Pages of a disk file are in RssFile
      Given file f has 4 pages on a disk file system
      And A maps file f shared
      When A reads every page
      Then A counts 0 pages in RssAnon, 4 in RssFile and 0 in RssShmem

    @statistics.rss.shared-anonymous
    Scenario: Shared anonymous memory is shmem
      Given A maps 4 pages of shared anonymous memory
      When A writes "new" to every page
      Then A counts 0 pages in RssAnon, 0 in RssFile and 4 in RssShmem
      And smaps of A shows 0 kB Anonymous
      And smaps of A shows 16 kB Rss

  @statistics.zero-page
  Rule: The zero page and the huge zero page MUST be in no Rss and no Pss

    @statistics.zero-page.small
    Scenario: Four reads of untouched memory leave it at 0
      Given A maps 4 pages of private anonymous memory
      When A reads every page
      Then A has the zero page for every page
      And smaps of A shows 0 kB Rss
      And smaps of A shows 0 kB Pss
      And A counts in no RSS
      And pagemap shows present for every page of A

    @statistics.zero-page.huge @needs:huge-zero-page @pmd_order:9
    Scenario: A read of untouched huge memory leaves it at 0
      Given A maps 512 pages of private anonymous memory for order-9 folios
      When A reads page 0
      Then A has the huge zero page for every page
      And smaps of A shows 0 kB Rss
      And smaps of A shows 0 kB Pss
      And smaps of A shows 0 kB AnonHugePages
      And A counts in no RSS

  @statistics.hugetlb
  Rule: hugetlb memory MUST be in no Rss and no Pss: it MUST be in Private_Hugetlb or, if it is mapped more than once, in Shared_Hugetlb

    @statistics.hugetlb.private
    Scenario: One process has it in Private_Hugetlb
      Given A has a hugetlb page
      Then smaps of A shows 2048 kB Private_Hugetlb
      And smaps of A shows 0 kB Shared_Hugetlb
      And smaps of A shows 0 kB Rss
      And smaps of A shows 0 kB Pss
      And smaps of A shows 0 kB Private_Dirty
      And A counts in no RSS
      And status of A shows 2048 kB HugetlbPages

    @statistics.hugetlb.shared
    Scenario: After fork both have it in Shared_Hugetlb
      Given A has a hugetlb page
      When A forks B
      Then smaps of A shows 0 kB Private_Hugetlb
      And smaps of A shows 2048 kB Shared_Hugetlb
      And smaps of B shows 2048 kB Shared_Hugetlb
      And status of B shows 2048 kB HugetlbPages

  @statistics.private-shared @config:page_mapcount
  Rule: A page MUST be in Shared_Clean or Shared_Dirty exactly when its mapcount is above 1, also when one process maps it twice

    @statistics.private-shared.fork
    Scenario: fork makes all pages shared
      Given A has 2 pages of private anonymous memory
      When A forks B
      Then smaps of A shows 8 kB Shared_Dirty
      And smaps of A shows 0 kB Private_Dirty

    @statistics.private-shared.child-exits
    Scenario: The child's exit makes them private again
      Given A has 2 pages of private anonymous memory
      And A forks B
      When B exits
      Then smaps of A shows 0 kB Shared_Dirty
      And smaps of A shows 8 kB Private_Dirty

    @statistics.private-shared.twice
    Scenario Outline: <file>: a process that maps a file twice shares it with itself
      Given file f has 4 pages on <file>
      And A maps file f shared as once
      And A maps file f shared as again
      And A reads every page of once
      When A reads every page of again
      Then smaps of A's once shows 16 kB <line>
      And smaps of A's again shows 16 kB <line>

      Examples:
        | file  | line         |
        | memfd | Shared_Dirty |
        | tmpfs | Shared_Dirty |

    @statistics.private-shared.by-page
    Scenario: Page by page, whatever the folio
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages 8 to 15
      Then smaps of A shows 32 kB Shared_Dirty
      And smaps of A shows 32 kB Private_Dirty
      And smaps of B shows 32 kB Shared_Dirty
      And smaps of B shows 0 kB Private_Dirty

    @statistics.private-shared.file-alone
    Scenario: A page of a file that one process has touched is its private page
      Given file f has 4 pages on memfd
      And A maps file f shared
      And B maps file f shared
      When A reads every page
      Then smaps of A shows 16 kB Private_Dirty
      And smaps of B shows 0 kB Rss

  @statistics.private-folio @config:no_page_mapcount
  Rule: Without per-page counts a page of a large folio MUST be private exactly when the sharing test calls the folio exclusive

    @statistics.private-folio.kept
    Scenario: One page that B keeps makes all of A's pages shared
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B unmaps pages 1 to 511
      Then page 0 of A is maybe shared
      And smaps of A shows 2048 kB Shared_Dirty
      And smaps of A shows 0 kB Private_Dirty

    @statistics.private-folio.halves
    Scenario: Two processes that keep a different half each have no private page
      Given A has an order-4 folio
      And A forks B
      And A unmaps pages 8 to 15
      When B unmaps pages 0 to 7
      Then smaps of A shows 32 kB Shared_Dirty
      And smaps of A shows 0 kB Private_Dirty
      And smaps of B shows 32 kB Shared_Dirty
      And smaps of B shows 0 kB Private_Dirty

    @statistics.private-folio.twice
    Scenario: A large folio that one process maps twice is private
      Given file f has an order-4 folio on tmpfs
      And A maps file f shared as once
      And A maps file f shared as again
      And A reads every page of once
      When A reads every page of again
      Then smaps of A's once shows 64 kB Private_Dirty
      And smaps of A's once shows 0 kB Shared_Dirty

    @statistics.private-folio.sticky
    Scenario: A third process that is alone in the end is told that it shares
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      When B exits
      Then the folio of page 0 of C has mapcount 16
      And smaps of C shows 64 kB Shared_Dirty
      And smaps of C shows 0 kB Private_Dirty
      And smaps of C shows 64 kB Pss

  @statistics.dirty
  Rule: A page MUST be in a Dirty line when its entry or its folio is dirty, and in a Clean line otherwise

    @statistics.dirty.anonymous
    Scenario: Anonymous pages are dirty from the first write
      Given A has 2 pages of private anonymous memory
      Then smaps of A shows 8 kB Private_Dirty
      And smaps of A shows 0 kB Private_Clean
      And smaps of A shows 8 kB Pss_Dirty

    @statistics.dirty.disk
    Scenario: A page that was written through a shared mapping of a disk file is dirty for all who map it
      Given file f has 1 page on a disk file system
      And A maps file f shared
      And B maps file f shared
      And A writes "new" to page 0
      When B reads page 0
      Then smaps of B shows 4 kB Shared_Dirty
      And smaps of B shows 2 kB Pss_Dirty

    @statistics.dirty.pss
    Scenario: Pss_Dirty is the dirty part of Pss, divided alike
      Given A has 2 pages of private anonymous memory
      When A forks B
      Then smaps of A shows 4 kB Pss_Dirty
      And smaps of A shows 4 kB Pss

    @statistics.dirty.lazyfree
    Scenario: MADV_FREE makes anonymous pages clean
      Given A has 2 pages of private anonymous memory
      When A calls MADV_FREE on page 0
      Then smaps of A shows 4 kB Private_Clean
      And smaps of A shows 4 kB Private_Dirty
      And smaps of A shows 4 kB Pss_Dirty

  @statistics.anonymous
  Rule: Anonymous MUST be the size of the anonymous pages, private copies and KSM pages included, and MUST NOT depend on who else maps them

    @statistics.anonymous.copy
    Scenario: One page of a private file mapping is copied
      Given file f has 4 pages on memfd
      And A maps file f privately
      And A reads every page
      When A writes "new" to page 0
      Then smaps of A shows 4 kB Anonymous
      And smaps of A shows 16 kB Rss

    @statistics.anonymous.shared
    Scenario: Both sides of a fork have all of it in Anonymous
      Given A has 2 pages of private anonymous memory
      When A forks B
      Then smaps of A shows 8 kB Anonymous
      And smaps of B shows 8 kB Anonymous

  @statistics.referenced
  Rule: Referenced MUST lose all pages by clear_refs; after that it MAY miss a use, and at any time it MAY have pages that the process itself did not use

    @statistics.referenced.fault
    Scenario: What was touched is referenced
      Given A has 2 pages of private anonymous memory
      Then smaps of A shows 8 kB Referenced

    @statistics.referenced.child @until:6.18
    Scenario: Until 6.18 no page of a child is referenced before the child uses it
      Given A has 2 pages of private anonymous memory
      When A forks B
      Then smaps of B shows 0 kB Referenced
      And smaps of A shows 8 kB Referenced

    @statistics.referenced.child-folio @since:7.3
    Scenario: Since 7.3 all of them may be, for a fault may mark the folio itself
      Given A has 2 pages of private anonymous memory
      When A forks B
      Then smaps of B shows 0 or 8 kB Referenced

    @statistics.referenced.child-reads @needs:accessed-bit
    Scenario: A page that the child has read is referenced by the child
      Given A has 2 pages of private anonymous memory
      And A forks B
      When B reads page 1
      Then smaps of B shows between 4 and 8 kB Referenced
      And smaps of A shows 8 kB Referenced

    @statistics.referenced.clear-refs-child @needs:accessed-bit
    Scenario: clear_refs of the parent clears what the folio knows, not what the child's entries know
      Given A has 2 pages of private anonymous memory
      And A forks B
      And B reads page 1
      When A clears its referenced bits
      Then smaps of A shows 0 kB Referenced
      And smaps of B shows 4 kB Referenced

    @statistics.referenced.clear-refs
    Scenario: clear_refs makes all entries old, and takes no mapping away
      Given A has 2 pages of private anonymous memory
      When A clears its referenced bits
      Then smaps of A shows 0 kB Referenced
      And smaps of A shows 8 kB Rss

    @statistics.referenced.again
    Scenario: A page that is used again may be missed: the processor may still have the old entry in its TLB
      Given A has 2 pages of private anonymous memory
      And A clears its referenced bits
      When A reads page 0
      Then smaps of A shows 0 or 4 kB Referenced

    @statistics.referenced.thp @order:9
    Scenario: One read by the child references all that its PMD maps
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B reads page 7
      Then smaps of B shows 2048 kB Referenced

    @statistics.referenced.cold
    Scenario: MADV_COLD makes entries old
      Given A has 2 pages of private anonymous memory
      When A calls MADV_COLD on page 0
      Then smaps of A shows 4 kB Referenced

    @statistics.referenced.driver
    Scenario: A driver's pages are referenced although nobody has touched them
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      Then smaps of A shows 16 kB Referenced

  @statistics.lazyfree
  Rule: LazyFree MUST have the anonymous pages that MADV_FREE has marked and nobody has written to since

    @statistics.lazyfree.marked
    Scenario: Marked pages stay in Rss
      Given A has 4 pages of private anonymous memory
      When A calls MADV_FREE on pages 0 to 2
      Then smaps of A shows 12 kB LazyFree
      And smaps of A shows 16 kB Rss

    @statistics.lazyfree.written
    Scenario: A write takes a page back
      Given A has 4 pages of private anonymous memory
      And A calls MADV_FREE on pages 0 to 2
      When A writes "new" to page 0
      Then smaps of A shows 8 kB LazyFree

    @statistics.lazyfree.shared
    Scenario: Pages that a child maps too are marked for the caller, and stay dirty for the child
      Given A has 4 pages of private anonymous memory
      And A forks B
      When A calls MADV_FREE on pages 0 to 2
      Then smaps of A shows 12 kB LazyFree
      And smaps of B shows 0 kB LazyFree
      And smaps of B shows 16 kB Shared_Dirty

    @statistics.lazyfree.locked
    Scenario: Locked memory cannot be marked
      Given A has 4 pages of private anonymous memory
      And A locks every page
      When A tries MADV_FREE on page 0
      Then it fails with EINVAL

  @statistics.lazyfree-held @needs:swap
  Rule: When reclaim finds a marked page to which somebody has a reference, LazyFree MUST keep it since 6.18, and MUST lose it until 6.12

    @statistics.lazyfree-held.kept @since:6.18
    Scenario Outline: <page> that a driver <takes> stays marked, and is discarded when it is given back
      Given A has <page>
      And A calls MADV_FREE on every page
      And A <takes> every page for reading as hold h
      And A calls MADV_PAGEOUT on every page
      And every page of A is no longer swap-backed
      And hold h is given back
      When A calls MADV_PAGEOUT on every page
      Then A has nothing for every page

      Examples:
        | page                             | takes |
        | a base page                      | gets  |
        | an order-4 folio                 | pins  |
        | an order-9 folio mapped by a PMD | gets  |

    @statistics.lazyfree-held.lost @until:6.12
    Scenario Outline: <page> that a driver <takes> is like any other again
      Given A has <page>
      And A calls MADV_FREE on every page
      And A <takes> every page for reading as hold h
      When A calls MADV_PAGEOUT on every page
      Then every page of A is swap-backed
      And smaps of A shows 0 kB LazyFree

      Examples:
        | page                             | takes |
        | a base page                      | gets  |
        | an order-9 folio mapped by a PMD | pins  |

  @statistics.ksm @needs:ksm
  Rule: KSM MUST have every mapping of a KSM page, and Pss MUST divide the page by all of them

    @statistics.ksm.merged @since:6.12
    Scenario: Four equal pages of one process are one page of PSS
      Given A has 4 pages of private anonymous memory
      And A calls MADV_MERGEABLE on every page
      When KSM merges what it can
      Then smaps of A shows 16 kB KSM
      And smaps of A shows 16 kB Rss
      And smaps of A shows 4 kB Pss
      And smaps of A shows 16 kB Shared_Dirty
      And smaps of A shows 16 kB Anonymous
      And every page of A has mapcount 4

    @statistics.ksm.divided
    Scenario: 64 mappings of one page are 256 kB of Rss and 4 kB of Pss
      Given A has 64 pages of private anonymous memory
      And A calls MADV_MERGEABLE on every page
      When KSM merges what it can
      Then smaps of A shows 256 kB Rss
      And smaps of A shows 4 kB Pss
      And A counts 64 pages in RssAnon, 0 in RssFile and 0 in RssShmem

    @statistics.ksm.copied @since:6.12
    Scenario: A write takes its page out
      Given A has 4 pages of private anonymous memory
      And A calls MADV_MERGEABLE on every page
      And KSM merges what it can
      When A writes "new" to page 0
      Then smaps of A shows 12 kB KSM
      And smaps of A shows 7 kB Pss

  @statistics.pmd-fields
  Rule: AnonHugePages, ShmemPmdMapped and FilePmdMapped MUST be the size of what PMDs map, by the kind of the page

    @statistics.pmd-fields.anon @order:9
    Scenario: An anonymous huge page
      Given A has an order-9 folio mapped by a PMD
      Then smaps of A shows 2048 kB AnonHugePages
      And smaps of A shows 0 kB ShmemPmdMapped
      And smaps of A shows 0 kB FilePmdMapped

    @statistics.pmd-fields.shmem @pmd_order:9
    Scenario: A huge page of shmem
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      When A reads page 0
      Then smaps of A shows 2048 kB ShmemPmdMapped
      And smaps of A shows 0 kB AnonHugePages
      And smaps of A shows 2048 kB Rss
      And smaps of A shows 2048 kB Private_Dirty

    @statistics.pmd-fields.ptes
    Scenario Outline: An order-<order> folio that PTEs map is in none of them
      Given A has <folio>
      Then smaps of A shows 0 kB AnonHugePages
      And smaps of A shows <rss> kB Rss

      Examples:
        | order | folio                           | rss  |
        | 4     | an order-4 folio                | 64   |
        | 9     | an order-9 folio mapped by PTEs | 2048 |

  @statistics.swap @needs:swap
  Rule: Swap MUST be the size of the swap entries, and SwapPss the same divided by the entries that share each slot

    @statistics.swap.alone
    Scenario: The slots of one process are all its own
      Given A has 4 pages of private anonymous memory
      When every page of A is swapped out
      Then smaps of A shows 16 kB Swap
      And smaps of A shows 16 kB SwapPss
      And smaps of A shows 0 kB Rss
      And smaps of A shows 0 kB Pss
      And status of A shows 16 kB VmSwap

    @statistics.swap.fork
    Scenario: Two processes that share the slots
      Given A has 4 pages of private anonymous memory
      And every page of A is swapped out
      When A forks B
      Then smaps of A shows 16 kB Swap
      And smaps of A shows 8 kB SwapPss
      And smaps of B shows 16 kB Swap
      And smaps of B shows 8 kB SwapPss
      And status of B shows 16 kB VmSwap

    @statistics.swap.rounding
    Scenario: A third of 12 pages prints 15 kB here too
      Given A has 12 pages of private anonymous memory
      And every page of A is swapped out
      And A forks B
      When A forks C
      Then smaps of A shows 15 kB SwapPss

  @statistics.locked @needs:mlock
  Rule: Locked MUST be the Pss of a VMA that mlock has locked, and 0 in a child, which does not inherit the lock

    @statistics.locked.alone
    Scenario: All of it is locked
      Given A has 4 pages of private anonymous memory
      When A locks every page
      Then smaps of A shows 16 kB Locked
      And status of A shows 16 kB VmLck

    @statistics.locked.fork
    Scenario: Half of it after fork, though the lock is the same
      Given A has 4 pages of private anonymous memory
      And A locks every page
      When A forks B
      Then smaps of A shows 8 kB Locked
      And smaps of B shows 0 kB Locked
      And status of A shows 16 kB VmLck
      And status of B shows 0 kB VmLck

  @statistics.thp-eligible
  Rule: THPeligible MUST be 1 for anonymous memory in which a fault may allocate a large folio as things are set, and 0 after MADV_NOHUGEPAGE

    @statistics.thp-eligible.yes @order:9
    Scenario: Memory that has a huge page
      Given A has an order-9 folio mapped by a PMD
      Then smaps of A shows THPeligible 1

    @statistics.thp-eligible.no @order:9
    Scenario: The same after MADV_NOHUGEPAGE, although the huge page is still there
      Given A has an order-9 folio mapped by a PMD
      When A calls MADV_NOHUGEPAGE on every page
      Then smaps of A shows THPeligible 0
      And smaps of A shows 2048 kB AnonHugePages
