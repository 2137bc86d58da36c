# SPDX-License-Identifier: MIT
Feature: What the counters of a folio hold

  @mapcount.leaf-entries
  Rule: The mapcount of a folio MUST be the number of leaf entries that map any part of it, not the number of pages

    @mapcount.leaf-entries.ptes
    Scenario Outline: <folio> mapped by one process has mapcount <entries>
      Given A has <folio>
      Then the folio of page 0 of A has mapcount <entries>

      Examples:
        | folio                                  | entries |
        | a base page                            | 1       |
        | an order-2 folio                       | 4       |
        | an order-3 folio                       | 8       |
        | an order-4 folio                       | 16      |
        | an order-5 folio                       | 32      |
        | an order-6 folio                       | 64      |
        | an order-7 folio                       | 128     |
        | an order-8 folio                       | 256     |
        | an order-9 folio mapped by PTEs        | 512     |
        | an order-9 folio mapped by a PMD       | 1       |
        | a hugetlb page                         | 1       |
        | an order-4 folio with one page mapped  | 1       |
        | an order-9 folio with one page mapped  | 1       |
        | an order-4 folio half moved by mremap  | 16      |
        | an order-9 folio half moved by mremap  | 512     |
        | an order-4 folio partly shared before  | 16      |

    @mapcount.leaf-entries.fork
    Scenario Outline: Fork doubles the mapcount of <folio> to <entries>
      Given A has <folio>
      When A forks B
      Then the folio of page 0 of A has mapcount <entries>

      Examples:
        | folio                            | entries |
        | a base page                      | 2       |
        | an order-2 folio                 | 8       |
        | an order-4 folio                 | 32      |
        | an order-9 folio mapped by PTEs  | 1024    |
        | an order-9 folio mapped by a PMD | 2       |
        | a hugetlb page                   | 2       |

    @mapcount.leaf-entries.pmd-and-ptes
    Scenario: One PMD and 512 PTEs make 513
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A is mapped by PTEs
      Then the folio of page 0 of A has mapcount 513

    @mapcount.leaf-entries.copied
    Scenario: The entry that a copy has replaced is one less
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 0
      Then the folio of page 0 of B has mapcount 512

    @mapcount.leaf-entries.child-exits
    Scenario: Then the side with the PMD exits and the 511 PTEs are left
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A writes "new" to page 0
      When B exits
      Then the folio of page 1 of A has mapcount 511

    @mapcount.leaf-entries.shmem
    Scenario: A shmem folio with two PMDs and one set of PTEs has mapcount 514
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared
      And C maps file f shared, 1 page off its alignment, as log
      When A reads page 0
      And B reads page 0
      And C reads every page of log
      Then the folio of page 0 of A has mapcount 514

    @mapcount.leaf-entries.shmem-twice
    Scenario: A shmem folio that one process maps by two PMDs has mapcount 2
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then the folio of page 0 of A's one has mapcount 2

  @mapcount.entire
  Rule: The entire mapcount MUST count the entries that map the whole folio at once, and no PTE

    @mapcount.entire.kinds
    Scenario Outline: <folio> has entire mapcount <entire>
      Given A has <folio>
      Then the folio of page 0 of A has entire mapcount <entire>

      Examples:
        | folio                                 | entire |
        | an order-2 folio                      | 0      |
        | an order-4 folio                      | 0      |
        | an order-8 folio                      | 0      |
        | an order-9 folio mapped by PTEs       | 0      |
        | an order-9 folio mapped by a PMD      | 1      |
        | an order-9 folio with one page mapped | 0      |
        | a hugetlb page                        | 1      |

    @mapcount.entire.fork
    Scenario Outline: A fork makes the entire mapcount of <folio> <entire>
      Given A has <folio>
      When A forks B
      Then the folio of page 0 of A has entire mapcount <entire>

      Examples:
        | folio                            | entire |
        | an order-4 folio                 | 0      |
        | an order-9 folio mapped by PTEs  | 0      |
        | an order-9 folio mapped by a PMD | 2      |
        | a hugetlb page                   | 2      |

    @mapcount.entire.one-split
    Scenario: Splitting one of two PMDs leaves entire mapcount 1
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A is mapped by PTEs
      Then the folio of page 0 of A has entire mapcount 1

    @mapcount.entire.pmd-side-exits
    Scenario: The exit of the side with the PMD leaves entire mapcount 0
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A is mapped by PTEs
      When B exits
      Then the folio of page 0 of A has entire mapcount 0

    @mapcount.entire.shmem
    Scenario: A PMD of a shmem folio counts as one entire mapping
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared, 1 page off its alignment, as log
      When A reads page 0
      And B reads every page of log
      Then the folio of page 0 of A has entire mapcount 1
      And the folio of page 0 of A has mapcount 513

  @mapcount.pages-mapped @since:6.12 @config:page_mapcount
  Rule: The number of pages mapped by PTEs MUST count each page of a folio once, however many PTEs map it

    @mapcount.pages-mapped.kinds
    Scenario Outline: <folio> has <pages> pages mapped by PTEs
      Given A has <folio>
      Then the folio of page 0 of A has <pages> pages mapped by PTEs

      Examples:
        | folio                                 | pages |
        | an order-2 folio                      | 4     |
        | an order-4 folio                      | 16    |
        | an order-8 folio                      | 256   |
        | an order-9 folio mapped by PTEs       | 512   |
        | an order-9 folio mapped by a PMD      | 0     |
        | an order-9 folio with one page mapped | 1     |
        | an order-4 folio half moved by mremap | 16    |

    @mapcount.pages-mapped.fork
    Scenario Outline: A fork of <folio> leaves <pages> pages mapped by PTEs
      Given A has <folio>
      When A forks B
      Then the folio of page 0 of A has <pages> pages mapped by PTEs

      Examples:
        | folio                            | pages |
        | an order-4 folio                 | 16    |
        | an order-9 folio mapped by PTEs  | 512   |
        | an order-9 folio mapped by a PMD | 0     |

    @mapcount.pages-mapped.one-split
    Scenario: Splitting one of two PMDs maps all 512 pages by PTEs
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A is mapped by PTEs
      Then the folio of page 0 of A has 512 pages mapped by PTEs

    @mapcount.pages-mapped.copied
    Scenario: A page that the split side has copied is mapped by the PMD alone
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 0
      Then the folio of page 0 of B has 511 pages mapped by PTEs

    @mapcount.pages-mapped.half-each
    Scenario: Two processes with a different half each map all 16 pages
      Given A has an order-4 folio
      And A forks B
      When A unmaps pages 8 to 15
      And B unmaps pages 0 to 7
      Then the folio of page 0 of A has 16 pages mapped by PTEs

    @mapcount.pages-mapped.same-half
    Scenario: Two processes with the same half map 8 pages by 16 PTEs
      Given A has an order-4 folio
      And A forks B
      When A unmaps pages 8 to 15
      And B unmaps pages 8 to 15
      Then the folio of page 0 of A has 8 pages mapped by PTEs
      And the folio of page 0 of A has mapcount 16

  @mapcount.average @config:no_page_mapcount
  Rule: Without per-page counts the average of a mapped folio MUST be its entire mapcount plus its PTEs per page, rounded half up, and at least 1

    @mapcount.average.small
    Scenario Outline: For <page> the average is exact
      Given A has <page>
      When A forks B
      Then page 0 of A has average mapcount 2

      Examples:
        | page           |
        | a base page    |
        | a hugetlb page |

    @mapcount.average.alone
    Scenario Outline: For <folio> of one process the average is 1
      Given A has <folio>
      Then page 0 of A has average mapcount 1

      Examples:
        | folio                                 |
        | an order-2 folio                      |
        | an order-4 folio                      |
        | an order-9 folio mapped by PTEs       |
        | an order-9 folio mapped by a PMD      |
        | an order-4 folio with one page mapped |
        | an order-9 folio with one page mapped |

    @mapcount.average.round
    Scenario Outline: 16 PTEs here and <there> PTEs there make an average of <average>
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages <first> to 15
      Then page 0 of A has average mapcount <average>

      Examples:
        | there | first | average |
        | 1     | 1     | 1       |
        | 7     | 7     | 1       |
        | 8     | 8     | 2       |
        | 15    | 15    | 2       |

    @mapcount.average.pmds
    Scenario: Two PMDs make an average of 2
      Given A has an order-9 folio mapped by a PMD
      When A forks B
      Then page 0 of A has average mapcount 2

    @mapcount.average.pmd-and-ptes
    Scenario Outline: A PMD here and <there> PTEs there make an average of <average>
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B unmaps pages <first> to 511
      Then page 0 of A has average mapcount <average>

      Examples:
        | there | first | average |
        | 1     | 1     | 1       |
        | 255   | 255   | 1       |
        | 256   | 256   | 2       |
        | 511   | 511   | 2       |

    @mapcount.average.same-for-all
    Scenario: All pages of a folio have the same average, mapped twice or once
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages 8 to 15
      Then every page of A has average mapcount 2

  @mapcount.references
  Rule: A folio MUST have at least as many references as its mapcount says

    @mapcount.references.kinds
    Scenario Outline: <folio> has at least <entries> references
      Given A has <folio>
      Then the folio of page 0 of A has at least <entries> references

      Examples:
        | folio                            | entries |
        | a base page                      | 1       |
        | an order-4 folio                 | 16      |
        | an order-9 folio mapped by PTEs  | 512     |
        | an order-9 folio mapped by a PMD | 1       |
        | a hugetlb page                   | 1       |

    @mapcount.references.pmd-and-ptes
    Scenario: One PMD and 512 PTEs hold at least 513 references
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A is mapped by PTEs
      Then the folio of page 0 of A has at least 513 references
