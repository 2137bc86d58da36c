# SPDX-License-Identifier: MIT
Feature: What one page table entry adds

  @mapcount.one-per-entry
  Rule: A leaf entry that is not special MUST add exactly one to the mapcount of each page that it maps

    @mapcount.one-per-entry.small
    Scenario: A base page that one process has written has mapcount 1
      Given A has 1 page of private anonymous memory
      Then A has a PTE for page 0
      And page 0 of A has mapcount 1

    @mapcount.one-per-entry.file
    Scenario Outline: A page of <file> that one process has read has mapcount 1
      Given file f has 1 page on <file>
      And A maps file f <sharing>
      When A reads page 0
      Then page 0 of A has mapcount 1

      Examples:
        | case                | file               | sharing   |
        | disk, private       | a disk file system | privately |
        | disk, shared        | a disk file system | shared    |
        | tmpfs, private      | tmpfs              | privately |
        | tmpfs, shared       | tmpfs              | shared    |
        | memfd, private      | memfd              | privately |
        | memfd, shared       | memfd              | shared    |

    @mapcount.one-per-entry.shared-anonymous
    Scenario: A page of shared anonymous memory counts like a page of a file
      Given A maps 1 page of shared anonymous memory
      When A writes "new" to page 0
      Then page 0 of A has mapcount 1

    @mapcount.one-per-entry.large @config:page_mapcount
    Scenario Outline: Every page of <folio> has mapcount 1
      Given A has <folio>
      Then every page of A has mapcount 1

      Examples:
        | folio                            |
        | an order-2 folio                 |
        | an order-3 folio                 |
        | an order-4 folio                 |
        | an order-5 folio                 |
        | an order-6 folio                 |
        | an order-7 folio                 |
        | an order-8 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @mapcount.one-per-entry.hugetlb
    Scenario: Every page under one hugetlb entry has mapcount 1
      Given A has a hugetlb page
      Then A has a hugetlb entry for every page
      And every page of A has mapcount 1

    @mapcount.one-per-entry.shmem-pmd @config:page_mapcount
    Scenario Outline: Every page of a shmem folio mapped by one PMD has mapcount 1
      Given file f has an order-9 folio on <file>
      And A maps file f shared
      When A reads page 0
      Then A has a PMD for every page
      And every page of A has mapcount 1

      Examples:
        | file  |
        | tmpfs |
        | memfd |

    @mapcount.one-per-entry.shmem-ptes @config:page_mapcount
    Scenario: Every page of a shmem folio has mapcount 1 where no PMD fits
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared, 1 page off its alignment, as log
      When A reads every page of log
      Then A's log has a PTE for every page
      And every page of A's log has mapcount 1

  @mapcount.uncounted
  Rule: Special entries, swap entries and migration entries MUST NOT add to any mapcount

    @mapcount.uncounted.nothing
    Scenario: A page that nobody has touched has mapcount 0
      Given A maps 1 page of private anonymous memory
      Then A has nothing for page 0
      And page 0 of A has mapcount 0

    @mapcount.uncounted.zero-page
    Scenario: The shared zero page has mapcount 0 however many processes read it
      Given A maps 1 page of private anonymous memory
      And A reads page 0
      When A forks B
      And B reads page 0
      Then A has the zero page for page 0
      And B has the zero page for page 0
      And page 0 of A has mapcount 0

    @mapcount.uncounted.huge-zero-page @needs:huge-zero-page
    Scenario: The huge zero page has mapcount 0
      Given A maps huge anonymous memory privately and reads it
      Then A has the huge zero page for every page
      And every page of A has mapcount 0

    @mapcount.uncounted.huge-zero-thps @needs:huge-zero-page
    Scenario: A PMD of the huge zero page is not counted as an anonymous THP
      Given A maps 512 pages of private anonymous memory for order-9 folios
      When A reads page 0
      Then A has the huge zero page for every page
      And counter nr_anon_thps has risen by 0

    @mapcount.uncounted.swap-entry
    Scenario: A swap entry is not a mapping
      Given A has a base page, swapped out
      Then A has a swap entry for page 0
      And page 0 of A has mapcount 0

    @mapcount.uncounted.swap-entry-fork
    Scenario: Forking a swap entry maps nothing, and each side that swaps in adds one
      Given A has a base page, swapped out
      And A forks B
      When A reads page 0
      Then page 0 of A has mapcount 1
      And B has a swap entry for page 0

    @mapcount.uncounted.swap-in-both
    Scenario: Once both sides have swapped the page in it has mapcount 2
      Given A has a base page, swapped out
      And A forks B
      When A reads page 0
      And B reads page 0
      Then page 0 of A is the same memory as page 0 of B
      And page 0 of A has mapcount 2

  @mapcount.same-process-twice
  Rule: Two entries for one page MUST count twice, also when both belong to one process

    @mapcount.same-process-twice.file
    Scenario Outline: A small page of <file> that one process maps at two places has mapcount 2
      Given file f has 1 page on <file>
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then page 0 of A's one is the same memory as page 0 of A's two
      And page 0 of A's one has mapcount 2

      Examples:
        | file               |
        | a disk file system |
        | tmpfs              |
        | memfd              |

    @mapcount.same-process-twice.shmem-pmd @config:page_mapcount
    Scenario: A shmem folio that one process maps by two PMDs has mapcount 2 in every page
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then every page of A's one has mapcount 2

    @mapcount.same-process-twice.ksm
    Scenario: A KSM page that stands for two pages of one process has mapcount 2
      Given A has 2 pages of private anonymous memory
      And A calls MADV_MERGEABLE on every page
      When KSM merges what it can
      Then page 0 of A is the same memory as page 1 of A
      And every page of A has mapcount 2

    @mapcount.same-process-twice.ksm-processes
    Scenario: A KSM page counts every entry, whichever process it is in
      Given A has 2 pages of private anonymous memory
      And B has 1 page of private anonymous memory
      And A calls MADV_MERGEABLE on every page
      And B calls MADV_MERGEABLE on every page
      When KSM merges what it can
      Then page 0 of B is the same memory as page 0 of A
      And page 0 of B has mapcount 3

  @mapcount.whole-and-part
  Rule: The mapcount of a page MUST be the PTEs that map it plus the entries that map its whole folio

    @mapcount.whole-and-part.pmd-and-ptes @config:page_mapcount
    Scenario: A folio mapped by a PMD here and by PTEs there has mapcount 2 in every page
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A is mapped by PTEs
      Then A has a PTE for every page
      And B has a PMD for every page
      And every page of A has mapcount 2
      And every page of B has mapcount 2

    @mapcount.whole-and-part.cow @config:page_mapcount
    Scenario: The page that one side has copied loses one, the other pages keep both
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 0
      Then page 0 of A has mapcount 1
      And page 0 of B has mapcount 1
      And pages 1 to 511 of B have mapcount 2

    @mapcount.whole-and-part.pmd-gone @config:page_mapcount
    Scenario: When the side with the PMD exits every page loses one
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A writes "new" to page 0
      When B exits
      Then pages 1 to 511 of A have mapcount 1

    @mapcount.whole-and-part.ptes-gone @config:page_mapcount
    Scenario: When the side with the PTEs exits the PMD alone counts
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B is mapped by PTEs
      When B exits
      Then A has a PMD for every page
      And every page of A has mapcount 1

    @mapcount.whole-and-part.one-pte @config:page_mapcount
    Scenario: A single PTE beside a PMD counts for its page only
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A unmaps pages 1 to 511
      Then page 0 of B has mapcount 2
      And pages 1 to 511 of B have mapcount 1

    @mapcount.whole-and-part.two-split-sides @config:page_mapcount
    Scenario: When both sides are split no entry maps the whole folio and the counts stay 2
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A is mapped by PTEs
      And B is mapped by PTEs
      Then every page of A has mapcount 2

    @mapcount.whole-and-part.three @config:page_mapcount
    Scenario: Two PMDs and one set of PTEs make 3
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A forks C
      When B is mapped by PTEs
      Then every page of A has mapcount 3

    @mapcount.whole-and-part.shmem @config:page_mapcount
    Scenario: A shmem folio mapped by a PMD here and by PTEs there has mapcount 2
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared, 1 page off its alignment, as log
      When A reads page 0
      And B reads every page of log
      Then A has a PMD for every page
      And every page of A has mapcount 2
