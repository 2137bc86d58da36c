# SPDX-License-Identifier: MIT
Feature: How wrong the numbers of a large folio may be

  @statistics.pss-sum @config:page_mapcount
  Rule: With a mapcount per page the Pss of all processes together MUST NOT be more than the pages that they map

    @statistics.pss-sum.halves
    Scenario: Half of an order-4 folio mapped by two, half by one, adds up to 64 kB
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages 8 to 15
      Then smaps of A shows 48 kB Pss
      And smaps of B shows 16 kB Pss

    @statistics.pss-sum.most-in-one
    Scenario: 23 mappings of 11 pages, 44 kB, add up to 43
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A unmaps pages 11 to 15
      And B unmaps pages 11 to 15
      When C unmaps pages 1 to 15
      Then smaps of A shows 21 kB Pss
      And smaps of B shows 21 kB Pss
      And smaps of C shows 1 kB Pss

    @statistics.pss-sum.one-page
    Scenario Outline: <processes> processes with one page of an order-<order> folio print 0 kB each
      Given A has an order-<order> folio
      And A forks <others>
      And A unmaps pages 1 to <last>
      When <others> unmap pages 1 to <last>
      Then page 0 of A has mapcount <processes>
      And smaps of A shows 0 kB Pss
      And smaps of <others> adds up to 0 kB Pss

      Examples: 4 kB divided by more than 4
        | order | processes | others    | last |
        | 2     | 5         | B1 to B4  | 3    |
        | 3     | 11        | B1 to B10 | 7    |
        | 4     | 23        | B1 to B22 | 15   |

    @statistics.pss-sum.own-pages
    Scenario: 14 pages that only A maps are 56 kB, whoever maps the other two
      Given A has an order-4 folio
      And A forks B1 to B22
      And A unmaps pages 14 to 15
      And B1 to B20 unmap pages 0 to 13
      When B21 to B22 unmap pages 0 to 14
      Then smaps of A shows 56 kB Pss

  @statistics.pss-wrong @config:no_page_mapcount
  Rule: Without per-page counts the Pss of a process, and that of all processes together, MAY be more and MAY be less than their share of a large folio

    @statistics.pss-wrong.one-page
    Scenario Outline: <processes> processes with the same page of an order-<order> folio are told a page each
      Given A has an order-<order> folio
      And A forks <others>
      And A unmaps pages 1 to <last>
      When <others> unmap pages 1 to <last>
      Then the folio of page 0 of A has mapcount <processes>
      And page 0 of A has average mapcount 1
      And smaps of A shows 4 kB Pss
      And smaps of <others> adds up to <sum> kB Pss

      Examples: 4 kB are mapped; one process more would round the average up
        | order | processes | others    | last | sum |
        | 2     | 5         | B1 to B4  | 3    | 16  |
        | 3     | 11        | B1 to B10 | 7    | 40  |
        | 4     | 23        | B1 to B22 | 15   | 88  |

    @statistics.pss-wrong.one-more
    Scenario Outline: <processes> processes with it are told half a page each
      Given A has an order-<order> folio
      And A forks <others>
      And A unmaps pages 1 to <last>
      When <others> unmap pages 1 to <last>
      Then page 0 of A has average mapcount 2
      And smaps of A shows 2 kB Pss

      Examples:
        | order | processes | others    | last |
        | 2     | 6         | B1 to B5  | 3    |
        | 3     | 12        | B1 to B11 | 7    |
        | 4     | 24        | B1 to B23 | 15   |

    @statistics.pss-wrong.too-much
    Scenario Outline: The most for one process of an order-<order> folio: <pss> kB instead of <share>
      Given A has an order-<order> folio
      And A forks B
      And A forks C
      And A unmaps pages <kept> to <last>
      And B unmaps pages <kept> to <last>
      When C unmaps pages 1 to <last>
      Then page 0 of A has average mapcount 1
      And smaps of A shows <pss> kB Pss
      And smaps of B shows <pss> kB Pss
      And smaps of C shows 4 kB Pss

      Examples: B has the same pages, C one of them
        | order | kept | last | pss  | share  |
        | 2     | 2    | 3    | 8    | 3.33   |
        | 3     | 5    | 7    | 20   | 9.33   |
        | 4     | 11   | 15   | 44   | 21.33  |
        | 9     | 383  | 511  | 1532 | 765.33 |

    @statistics.pss-wrong.sum-too-little
    Scenario Outline: The least in sum for an order-<order> folio: three quarters of it
      Given A has an order-<order> folio
      And A forks B
      When B unmaps pages <half> to <last>
      Then page 0 of A has average mapcount 2
      And smaps of A shows <a> kB Pss
      And smaps of B shows <b> kB Pss

      Examples: A maps all of it, B half
        | order | half | last | a    | b   |
        | 2     | 2    | 3    | 8    | 4   |
        | 4     | 8    | 15   | 32   | 16  |
        | 9     | 256  | 511  | 1024 | 512 |

    @statistics.pss-wrong.too-little
    Scenario: The least for one of 23 processes that map an order-4 folio: 14 kB of 56 that it has alone
      Given A has an order-4 folio
      And A forks B1 to B22
      And A unmaps pages 14 to 15
      And B1 to B20 unmap pages 0 to 13
      When B21 to B22 unmap pages 0 to 14
      Then the folio of page 0 of A has mapcount 56
      And page 0 of A has average mapcount 4
      And smaps of A shows 14 kB Pss

    @statistics.pss-wrong.exact
    Scenario: It is right when every process maps all of the folio
      Given A has an order-4 folio
      When A forks B1 to B7
      Then page 0 of A has average mapcount 8
      And smaps of A shows 8 kB Pss
      And smaps of B1 to B7 adds up to 56 kB Pss

  @statistics.uss-under @config:no_page_mapcount
  Rule: Without per-page counts the Private lines of a large folio MAY show less than the process maps alone, and MUST NOT show more

    @statistics.uss-under.alone
    Scenario Outline: The last of three processes with <folio> is told that it shares <size> kB with nobody
      Given A has <folio>
      And A forks B
      And A forks C
      And A exits
      When B exits
      Then smaps of C shows 0 kB Private_Dirty
      And smaps of C shows <size> kB Shared_Dirty
      And smaps of C shows <size> kB Pss

      Examples: All of the folio: more cannot be
        | folio                           | size |
        | an order-2 folio                | 16   |
        | an order-4 folio                | 64   |
        | an order-9 folio mapped by PTEs | 2048 |

    @statistics.uss-under.one-page
    Scenario Outline: One page of B's makes the other <pages> pages of A shared
      Given A has an order-<order> folio
      And A forks B
      When B unmaps pages 1 to <pages>
      Then smaps of A shows 0 kB Private_Dirty
      And smaps of B shows 0 kB Private_Dirty

      Examples: The most that two processes can do
        | order | pages |
        | 2     | 3     |
        | 4     | 15    |
        | 9     | 511   |

    @statistics.uss-under.one-left
    Scenario: The last process is told the truth when one page is left
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C unmaps pages 1 to 15
      Then smaps of C shows 4 kB Private_Dirty
      And smaps of C shows 0 kB Shared_Dirty

    @statistics.uss-under.pmd @order:9
    Scenario: And when a PMD is left
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A forks C
      And A exits
      When B exits
      Then smaps of C shows 2048 kB Private_Dirty
      And smaps of C shows 0 kB Shared_Dirty

    @statistics.uss-under.twice
    Scenario: Two mappings by one process are private in both, and nobody else has the pages
      Given file f has an order-4 folio on tmpfs
      And A maps file f shared as once
      And A maps file f shared as again
      And A reads every page of once
      When A reads every page of again
      Then smaps of A's once shows 64 kB Private_Dirty
      And smaps of A's again shows 64 kB Private_Dirty

    @statistics.uss-under.not-more
    Scenario: One page that B maps too, and none of A's is private
      Given file f has an order-4 folio on tmpfs
      And A maps file f shared as once
      And A maps file f shared as again
      And B maps file f shared
      And A reads every page of once
      And A reads every page of again
      And B reads every page
      When B unmaps pages 1 to 15
      Then smaps of A's once shows 0 kB Private_Dirty
      And smaps of A's again shows 0 kB Private_Dirty
      And smaps of B shows 0 kB Private_Dirty

  @statistics.kpagecount-never-0 @config:no_page_mapcount @needs:kpage
  Rule: Without per-page counts kpagecount MUST NOT be 0 for any page of a large folio of which a page is mapped

    @statistics.kpagecount-never-0.one-of-16
    Scenario: One page of 16 is mapped, and all show 1
      Given A has an order-4 folio
      When A unmaps pages 1 to 15
      Then kpagecount of the memory that was page 0 of A is 1
      And kpagecount of the memory that was page 1 of A is 1
      And kpagecount of the memory that was page 15 of A is 1

    @statistics.kpagecount-never-0.too-much
    Scenario: The most for an order-2 folio and 5 processes: page 0, which nobody maps, shows 4
      Given A has an order-2 folio
      And A forks B1 to B4
      And B1 to B4 unmap page 0
      When A unmaps page 0
      Then kpagecount of the memory that was page 0 of A is 4
      And kpagecount of the memory that was page 1 of A is 4

    @statistics.kpagecount-never-0.too-little
    Scenario: The least: page 0, which all 5 map, shows 1, and so do the others, which nobody maps
      Given A has an order-2 folio
      And A forks B1 to B4
      And B1 to B4 unmap pages 1 to 3
      When A unmaps pages 1 to 3
      Then kpagecount of the memory that was page 0 of A is 1
      And kpagecount of the memory that was page 3 of A is 1

    @statistics.kpagecount-never-0.nobody
    Scenario: When the last page is unmapped all show 0
      Given file f has an order-4 folio on tmpfs
      And A maps file f shared
      And A reads every page
      When A unmaps every page
      Then kpagecount of the memory that was page 0 of A is 0
      And kpagecount of the memory that was page 15 of A is 0

  @statistics.partly-missed @config:no_page_mapcount
  Rule: Without per-page counts a large folio of which all but one page have lost every mapping MAY stay unqueued for splitting

    @statistics.partly-missed.one-page
    Scenario Outline: <processes> processes keep page 0 of an order-<order> folio, and nobody notices the other <last>
      Given A has an order-<order> folio
      And A forks <others>
      And A unmaps pages 1 to <last>
      When <others> unmap pages 1 to <last>
      Then the folio of page 0 of A has mapcount <processes>
      And the folio of page 0 of A is not partially mapped
      And counter split_deferred is unchanged

      Examples: As many mappings as pages
        | order | processes | others    | last |
        | 2     | 4         | B1 to B3  | 3    |
        | 3     | 8         | B1 to B7  | 7    |
        | 4     | 16        | B1 to B15 | 15   |

    @statistics.partly-missed.late
    Scenario Outline: The exit of one of them is noticed
      Given A has an order-<order> folio
      And A forks <others>
      And A unmaps pages 1 to <last>
      And <others> unmap pages 1 to <last>
      When B1 exits
      Then the folio of page 0 of A is partially mapped

      Examples:
        | order | others    | last |
        | 2     | B1 to B3  | 3    |
        | 4     | B1 to B15 | 15   |
