# SPDX-License-Identifier: MIT
Feature: Writing where a page of a file is mapped

  @cow.file-page
  Rule: A write to a page of a file in a private mapping MUST copy it, even for its only user

    @cow.file-page.only-user
    Scenario Outline: The only mapping of a page of a file cannot take the page over
      Given A maps <source> privately and reads it
      When A writes "new" to page 0
      Then page 0 of A was copied

      Examples:
        | source          |
        | a memfd         |
        | a tmpfs file    |
        | a disk file     |
        | a hugetlb memfd |

    @cow.file-page.exclusively
    Scenario Outline: Mapcount 1 and bit 56 of pagemap do not promise a write in place
      Given A maps <source> privately and reads it
      Then page 0 of A has mapcount 1
      And page 0 of A is mapped exclusively
      When A writes "new" to page 0
      Then page 0 of A was copied

      Examples:
        | source       |
        | a memfd      |
        | a tmpfs file |
        | a disk file  |

    @cow.file-page.anonymous
    Scenario Outline: The copy is an anonymous page, and the next write reuses it
      Given A maps <source> privately and reads it
      And A writes "new" to page 0
      When A writes "newer" to page 0
      Then page 0 of A was reused
      And page 0 of A is an anon page

      Examples:
        | source          |
        | a memfd         |
        | a tmpfs file    |
        | a disk file     |
        | a hugetlb memfd |

    @cow.file-page.large-folio
    Scenario Outline: Of a large folio of a file one base page is copied, the others stay mapped
      Given file f has an order-<order> folio on tmpfs
      And A maps file f privately
      And A calls MADV_POPULATE_READ on every page
      When A writes "new" to page 5
      Then page 5 of A was copied
      And the folio of page 5 of A has order 0
      And pages 0 to 4 of A are where they were
      And the folio of page 4 of A has order <order>

      Examples:
        | order |
        | 3     |
        | 4     |
        | 8     |

    @cow.file-page.forked
    Scenario: A copy that is then shared by fork is copied again like any anonymous page
      Given A maps a memfd privately and reads it
      And A writes "a" to page 0
      And A forks B
      When B writes "b" to page 0
      Then page 0 of B was copied
      And page 0 of A is where it was

  @cow.file-empty
  Rule: A write to an empty entry of a private file mapping MUST map the copy alone and leave the mapcount of the file's page as it was

    @cow.file-empty.uncounted
    Scenario Outline: The page of the file has no more mappings than before
      Given file f has 1 page on <place>
      And A maps file f shared
      And A reads page 0
      And B maps file f privately
      When B writes "new" to page 0
      Then page 0 of A has mapcount 1
      And page 0 of B has mapcount 1
      And page 0 of B is not the same memory as page 0 of A

      Examples:
        | place              |
        | memfd              |
        | tmpfs              |
        | a disk file system |

    @cow.file-empty.one-page
    Scenario: Only the page written appears, as a base page
      Given file f has an order-9 folio on tmpfs
      And A maps file f privately
      When A writes "new" to page 5
      Then A has nothing for pages 0 to 4
      And A has a PTE for page 5
      And A has nothing for pages 6 to 511
      And the folio of page 5 of A has order 0

  @cow.shmem-huge @pmd_order:9
  Rule: A write to a huge page of shmem that a private mapping maps by a PMD MUST remove the PMD and map nothing but the copy

    @cow.shmem-huge.entries
    Scenario: The neighbours of the page written are not present afterwards
      Given file f has an order-9 folio on tmpfs
      And A maps file f privately
      And A reads page 0
      Then A has a PMD for every page
      When A writes "new" to page 5
      Then A has nothing for pages 0 to 4
      And A has a PTE for page 5
      And A has nothing for pages 6 to 511
      And the folio of page 5 of A has order 0

    @cow.shmem-huge.counter
    Scenario: The PMD of the file is gone from the statistics
      Given file f has an order-9 folio on tmpfs
      And A maps file f privately
      And A reads page 0
      When A writes "new" to page 5
      Then counter nr_shmem_pmdmapped has fallen by 512

    @cow.shmem-huge.content
    Scenario: The neighbours are read from the file when they are touched again
      Given file f has an order-9 folio on tmpfs
      And A maps file f privately
      And A reads page 0
      When A writes "new" to page 5
      Then A reads "old" in pages 0 to 4
      And A reads "new" in page 5
      And A reads "old" in pages 6 to 511

    @cow.shmem-huge.others
    Scenario: A shared mapping of the same file keeps its PMD
      Given file f has an order-9 folio on tmpfs
      And A maps file f privately
      And A reads page 0
      And B maps file f shared
      And B reads page 0
      When A writes "new" to page 5
      Then B has a PMD for every page
      And B reads "old" in page 5

  @cow.shared-mapping
  Rule: A write through a shared mapping to a page of the page cache MUST NOT copy it

    @cow.shared-mapping.anonymous
    Scenario: Parent and child write one page of shared anonymous memory
      Given A maps 1 page of shared anonymous memory
      And A writes "old" to page 0
      And A forks B
      And B reads page 0
      When B writes "new" to page 0
      Then page 0 of B was reused
      And page 0 of B is the same memory as page 0 of A
      And A reads "new" in page 0

    @cow.shared-mapping.file
    Scenario Outline: A page of a file that was only read before is written in place
      Given file f has 1 page on <place>
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      And B reads page 0
      When A writes "new" to page 0
      Then page 0 of A was reused
      And B reads "new" in page 0

      Examples:
        | place              |
        | memfd              |
        | tmpfs              |
        | a disk file system |

    @cow.shared-mapping.hugetlb
    Scenario: A shared hugetlb page is written in place
      Given A maps a hugetlb memfd privately and reads it
      And A maps file f shared as view
      And A reads page 0 of view
      When A writes "new" to page 0 of view
      Then page 0 of A's view was reused
      And A reads "new" in page 0

    @cow.shared-mapping.huge
    Scenario: A huge page of shmem is written in place and stays mapped by its PMD
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And A reads page 0
      When A writes "new" to page 5
      Then every page of A was reused
      And A has a PMD for every page
