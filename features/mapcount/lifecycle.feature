# SPDX-License-Identifier: MIT
Feature: When a mapcount rises and falls

  @mapcount.fork
  Rule: An entry that fork copies into the child MUST add to the mapcounts what the parent's entry had added

    @mapcount.fork.small
    Scenario Outline: <page> has mapcount 2 after one fork and 3 after two
      Given A has <page>
      And A forks B
      When A forks C
      Then page 0 of A has mapcount 3
      And page 0 of C is the same memory as page 0 of A

      Examples:
        | page           |
        | a base page    |
        | a hugetlb page |

    @mapcount.fork.large @config:page_mapcount
    Scenario Outline: Every page of <folio> has mapcount 2 after a fork
      Given A has <folio>
      When A forks B
      Then every page of A has mapcount 2
      And every page of B has mapcount 2

      Examples:
        | folio                            |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-8 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @mapcount.fork.shared-mapping
    Scenario Outline: A shared mapping of <file> is not copied, and counts when the child touches it
      Given file f has 1 page on <file>
      And A maps file f shared
      And A reads page 0
      When A forks B
      Then B has nothing for page 0
      And page 0 of A has mapcount 1

      Examples:
        | file               |
        | a disk file system |
        | tmpfs              |
        | memfd              |

    @mapcount.fork.shared-mapping-touched
    Scenario: The child's first touch of a shared page adds its one
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      And A forks B
      When B reads page 0
      Then page 0 of A has mapcount 2

    @mapcount.fork.private-mapping
    Scenario: File pages of a private mapping without anonymous pages are not copied
      Given file f has 2 pages on memfd
      And A maps file f privately
      And A reads page 0
      When A forks B
      Then B has nothing for page 0
      And page 0 of A has mapcount 1

    @mapcount.fork.private-mapping-written
    Scenario: One written page makes fork copy the entries of the file pages too
      Given file f has 2 pages on memfd
      And A maps file f privately
      And A reads page 0
      And A writes "new" to page 1
      When A forks B
      Then B has a PTE for page 0
      And page 0 of A has mapcount 2

    @mapcount.fork.shmem-pmd @config:page_mapcount
    Scenario: The PMD of a shared file folio is skipped by fork
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And A reads page 0
      When A forks B
      Then B has nothing for every page
      And every page of A has mapcount 1

    @mapcount.fork.dontfork
    Scenario: Pages with MADV_DONTFORK are not counted for the child
      Given A has 2 pages of private anonymous memory
      And A calls MADV_DONTFORK on page 1
      When A forks B
      Then page 0 of A has mapcount 2
      And page 1 of A has mapcount 1

  @mapcount.unmap
  Rule: Removing an entry MUST subtract what it had added, whichever way it goes

    @mapcount.unmap.exit
    Scenario Outline: <page> is back at mapcount 1 when the child has exited
      Given A has <page>
      And A forks B
      When B exits
      Then page 0 of A has mapcount 1

      Examples:
        | page           |
        | a base page    |
        | a hugetlb page |

    @mapcount.unmap.exit-large @config:page_mapcount
    Scenario Outline: Every page of <folio> is back at mapcount 1 when the child has exited
      Given A has <folio>
      And A forks B
      When B exits
      Then every page of A has mapcount 1

      Examples:
        | folio                            |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @mapcount.unmap.munmap
    Scenario: munmap in the child subtracts one from each page of the range
      Given A has 4 pages of private anonymous memory
      And A forks B
      When B unmaps pages 0 to 1
      Then pages 0 to 1 of A have mapcount 1
      And pages 2 to 3 of A have mapcount 2

    @mapcount.unmap.dontneed
    Scenario: MADV_DONTNEED in the child subtracts one
      Given A has 1 page of private anonymous memory
      And A forks B
      When B calls MADV_DONTNEED on page 0
      Then B has nothing for page 0
      And page 0 of A has mapcount 1

    @mapcount.unmap.dontneed-file
    Scenario: MADV_DONTNEED of a file page leaves the page cache and the other mapping
      Given file f has 1 page on memfd
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      And B reads page 0
      When B calls MADV_DONTNEED on page 0
      Then page 0 of A has mapcount 1

    @mapcount.unmap.copy
    Scenario: A write that copies gives the writer a page of its own and takes one from the old page
      Given A has 1 page of private anonymous memory
      And A forks B
      When B writes "new" to page 0
      Then page 0 of B was copied
      And page 0 of B has mapcount 1
      And page 0 of A has mapcount 1

    @mapcount.unmap.copy-file
    Scenario: A private write to a file page takes one from the page of the file
      Given file f has 1 page on memfd
      And A maps file f shared
      And B maps file f privately
      And A reads page 0
      And B reads page 0
      When B writes "new" to page 0
      Then page 0 of B has mapcount 1
      And page 0 of A has mapcount 1

    @mapcount.unmap.part-of-folio @config:page_mapcount
    Scenario Outline: Unmapping part of <folio> in the child lowers the counts of that part only
      Given A has <folio>
      And A forks B
      When B unmaps pages <last> to <end>
      Then page 0 of A has mapcount 2
      And pages <last> to <end> of A have mapcount 1

      Examples:
        | folio                            | last | end |
        | an order-2 folio                 | 2    | 3   |
        | an order-4 folio                 | 1    | 15  |
        | an order-9 folio mapped by PTEs  | 256  | 511 |
        | an order-9 folio mapped by a PMD | 511  | 511 |

    @mapcount.unmap.mremap
    Scenario: Moving a page does not change its mapcount
      Given A has 2 pages of private anonymous memory
      And A forks B
      When A moves page 0 to new
      Then page 0 of A's new is the same memory as page 0 of B
      And page 0 of A's new has mapcount 2

    @mapcount.unmap.mremap-folio @config:page_mapcount
    Scenario Outline: Moving half of <folio> leaves every page at mapcount 1
      Given A has <folio>
      When A moves pages <middle> to <last> to new
      Then every page of A's new has mapcount 1
      And page 0 of A has mapcount 1

      Examples:
        | folio                            | middle | last |
        | an order-4 folio                 | 8      | 15   |
        | an order-9 folio mapped by a PMD | 256    | 511  |

  @mapcount.pmd-split
  Rule: Splitting an anonymous PMD MUST NOT change the mapcount of any page

    @mapcount.pmd-split.alone @config:page_mapcount
    Scenario: A split PMD leaves 512 PTEs and every page at mapcount 1
      Given A has an order-9 folio mapped by a PMD
      When A is mapped by PTEs
      Then A has a PTE for every page
      And counter thp_split_pmd has risen by 1
      And every page of A has mapcount 1
      And every page of A is where it was

    @mapcount.pmd-split.other-side @config:page_mapcount
    Scenario: Splitting the PMD of one process leaves the PMD of the other and every page at mapcount 2
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B is mapped by PTEs
      Then A has a PMD for every page
      And B has a PTE for every page
      And every page of A has mapcount 2

    @mapcount.pmd-split.counts
    Scenario: The split replaces one mapping of the whole by 512 mappings of pages
      Given A has an order-9 folio mapped by a PMD
      When A is mapped by PTEs
      Then the folio of page 0 of A has mapcount 512
      And the folio of page 0 of A has entire mapcount 0

    @mapcount.pmd-split.huge-zero @needs:huge-zero-page
    Scenario: A split huge zero page becomes zero pages that nobody counts
      Given A maps huge anonymous memory privately and reads it
      When A is mapped by PTEs
      Then A has the zero page for every page
      And every page of A has mapcount 0

  @mapcount.file-pmd-split
  Rule: Splitting a PMD of a file mapping MUST remove it and MUST map nothing in its place

    @mapcount.file-pmd-split.gone
    Scenario: mprotect of one page of a shmem PMD leaves all 512 entries empty
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And A reads page 0
      When A is mapped by PTEs
      Then A has nothing for every page

    @mapcount.file-pmd-split.other-process @config:page_mapcount
    Scenario: The other process's PMD stays and counts alone
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      And B reads page 0
      When A is mapped by PTEs
      Then B has a PMD for every page
      And every page of B has mapcount 1
