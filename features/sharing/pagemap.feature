# SPDX-License-Identifier: MIT
Feature: Bit 56 of pagemap, mapped exclusively

  @sharing.once
  Rule: A small or hugetlb page that exactly one entry of one process maps MUST be told mapped exclusively, whatever else refers to it

    @sharing.once.alone
    Scenario Outline: <page> of one process is mapped exclusively
      Given A has <page>
      Then page 0 of A is mapped exclusively

      Examples:
        | page           |
        | a base page    |
        | a hugetlb page |

    @sharing.once.file
    Scenario Outline: A page of <file> that only one process has touched is mapped exclusively
      Given file f has 1 page on <file>
      And A maps file f <sharing>
      When A reads page 0
      Then page 0 of A is mapped exclusively

      Examples:
        | case            | file               | sharing   |
        | disk, shared    | a disk file system | shared    |
        | disk, private   | a disk file system | privately |
        | memfd, shared   | memfd              | shared    |
        | memfd, private  | memfd              | privately |
        | tmpfs, shared   | tmpfs              | shared    |

    @sharing.once.file-not-touched
    Scenario: Another process that has mapped the file but not touched the page does not matter
      Given file f has 1 page on memfd
      And A maps file f shared
      And B maps file f shared
      When A reads page 0
      Then page 0 of A is mapped exclusively

    @sharing.once.child-exited
    Scenario Outline: <page> is mapped exclusively again as soon as the child has exited
      Given A has <page>
      And A forks B
      When B exits
      Then page 0 of A is mapped exclusively

      Examples:
        | page           |
        | a base page    |
        | a hugetlb page |

    @sharing.once.marker-still-clear
    Scenario: The bit comes back before the exclusive marker does
      Given A has a base page
      And A forks B
      When B exits
      Then page 0 of A is mapped exclusively
      And page 0 of A is not marked exclusive

    @sharing.once.reference
    Scenario: A reference held by a pipe does not matter
      Given A has a base page
      When A vmsplices page 0 into pipe p
      Then page 0 of A is mapped exclusively

    @sharing.once.child-swapped
    Scenario: A page that the parent has swapped in is mapped exclusively while the child holds a swap entry
      Given A has a base page, swapped out
      And A forks B
      When A reads page 0
      Then B has a swap entry for page 0
      And page 0 of A is mapped exclusively

    @sharing.once.ksm
    Scenario: A KSM page that one entry is left of is mapped exclusively
      Given A has 2 pages of private anonymous memory
      And A calls MADV_MERGEABLE on every page
      And KSM merges what it can
      When A unmaps page 1
      Then page 0 of A is a KSM page
      And page 0 of A is mapped exclusively

  @sharing.once-large @config:page_mapcount
  Rule: With per-page counts, a page of a large folio that nothing but one PTE maps MUST be told mapped exclusively

    @sharing.once-large.alone
    Scenario Outline: Every page of <folio> of one process is mapped exclusively
      Given A has <folio>
      Then every page of A is mapped exclusively

      Examples:
        | folio                                 |
        | an order-2 folio                      |
        | an order-4 folio                      |
        | an order-8 folio                      |
        | an order-9 folio mapped by PTEs       |
        | an order-9 folio mapped by a PMD      |
        | an order-4 folio half moved by mremap |
        | an order-4 folio partly shared before |

    @sharing.once-large.half-each
    Scenario Outline: Two processes that keep a different half of <folio> are both told exclusive
      Given A has <folio>
      And A forks B
      When A unmaps pages <middle> to <last>
      And B unmaps pages 0 to <left>
      Then pages 0 to <left> of A are mapped exclusively
      And pages <middle> to <last> of B are mapped exclusively

      Examples:
        | folio                           | left | middle | last |
        | an order-4 folio                | 7    | 8      | 15   |
        | an order-9 folio mapped by PTEs | 255  | 256    | 511  |

    @sharing.once-large.other-half
    Scenario: Pages that the child has unmapped are exclusive, the others are not
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages 8 to 15
      Then pages 0 to 7 of A are not mapped exclusively
      And pages 8 to 15 of A are mapped exclusively

    @sharing.once-large.copied
    Scenario: The page that the child has copied is exclusive on both sides
      Given A has an order-4 folio
      And A forks B
      When B writes "new" to page 3
      Then page 3 of A is mapped exclusively
      And page 3 of B is mapped exclusively
      And page 4 of A is not mapped exclusively

    @sharing.once-large.child-exited
    Scenario Outline: Every page of <folio> is mapped exclusively again when the child has exited
      Given A has <folio>
      And A forks B
      When B exits
      Then every page of A is mapped exclusively

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @sharing.once-large.untracked
    Scenario: The last of three processes is told exclusive whichever it is
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When A exits
      And B exits
      Then every page of C is mapped exclusively

  @sharing.twice
  Rule: A page that two PTEs map MUST NOT be told mapped exclusively, also when both belong to one process, unless it is of a large folio without per-page counts

    @sharing.twice.fork
    Scenario Outline: <page> is not mapped exclusively after fork
      Given A has <page>
      When A forks B
      Then every page of A is not mapped exclusively
      And every page of B is not mapped exclusively

      Examples:
        | page                             |
        | a base page                      |
        | a hugetlb page                   |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @sharing.twice.file
    Scenario Outline: A page of <file> that two processes have touched is not mapped exclusively
      Given file f has 1 page on <file>
      And A maps file f shared
      And B maps file f privately
      When A reads page 0
      And B reads page 0
      Then page 0 of A is not mapped exclusively
      And page 0 of B is not mapped exclusively

      Examples:
        | file               |
        | a disk file system |
        | memfd              |

    @sharing.twice.two-vmas
    Scenario: A small file page that one process maps at two places is not mapped exclusively
      Given file f has 1 page on memfd
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then page 0 of A's one is not mapped exclusively
      And page 0 of A's two is not mapped exclusively

    @sharing.twice.ksm
    Scenario: A KSM page that stands for two pages of one process is not mapped exclusively
      Given A has 2 pages of private anonymous memory
      And A calls MADV_MERGEABLE on every page
      When KSM merges what it can
      Then every page of A is not mapped exclusively

    @sharing.twice.large-two-vmas @config:page_mapcount
    Scenario: With per-page counts a large file folio mapped twice by one process is not exclusive either
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then every page of A's one is not mapped exclusively

    @sharing.twice.swapped-in
    Scenario: When the child has swapped in too neither is told exclusive
      Given A has a base page, swapped out
      And A forks B
      When A reads page 0
      And B reads page 0
      Then page 0 of A is not mapped exclusively
      And page 0 of B is not mapped exclusively

  @sharing.not-mapped
  Rule: Special entries, swap entries and empty entries MUST NOT be told mapped exclusively

    @sharing.not-mapped.nothing
    Scenario: A page that nobody has touched is not mapped exclusively
      Given A maps 1 page of private anonymous memory
      Then page 0 of A is not mapped exclusively

    @sharing.not-mapped.zero-page
    Scenario: The zero page is not mapped exclusively, though only one process has read it
      Given A maps anonymous memory privately and reads it
      Then A has the zero page for page 0
      And page 0 of A is not mapped exclusively

    @sharing.not-mapped.huge-zero-page @needs:huge-zero-page
    Scenario: The huge zero page is not mapped exclusively
      Given A maps huge anonymous memory privately and reads it
      Then A has the huge zero page for every page
      And every page of A is not mapped exclusively

    @sharing.not-mapped.swap
    Scenario: A page that is swapped out is not mapped exclusively, though it is nobody else's
      Given A has a base page, swapped out
      Then page 0 of A is not mapped exclusively

  @sharing.pmd-head @config:page_mapcount
  Rule: For pages under one PMD the bit MAY say of all of them what is true of the first page of the folio

    @sharing.pmd-head.later-page-copied
    Scenario Outline: In <release> page 5 of the parent <bit> told exclusive when the child has copied it
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B writes "new" to page 5
      Then A has a PMD for every page
      And page 5 of A has mapcount 1
      And page 5 of A <bit> mapped exclusively
      And page 6 of A is not mapped exclusively

      @until:6.1
      Examples: The first page decides
        | release | bit    |
        | 6.1     | is not |

      @since:6.12 @until:6.12
      Examples: Each page decides for itself
        | release | bit |
        | 6.12    | is  |

      @since:6.18
      Examples: The first page decides again
        | release | bit    |
        | 6.18    | is not |

    @sharing.pmd-head.first-page-copied
    Scenario Outline: In <release> the other 511 pages of the parent <bit> told exclusive when the child has copied the first
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B writes "new" to page 0
      Then A has a PMD for every page
      And pages 1 to 511 of A have mapcount 2
      And page 0 of A is mapped exclusively
      And pages 1 to 511 of A <bit> mapped exclusively

      @until:6.1
      Examples: The first page decides
        | release | bit |
        | 6.1     | are |

      @since:6.12 @until:6.12
      Examples: Each page decides for itself
        | release | bit     |
        | 6.12    | are not |

      @since:6.18
      Examples: The first page decides again
        | release | bit |
        | 6.18    | are |

    @sharing.pmd-head.pte-side
    Scenario: The side that maps by PTEs is told page by page
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B writes "new" to page 0
      Then page 0 of B is mapped exclusively
      And pages 1 to 511 of B are not mapped exclusively

  @sharing.not-a-promise
  Rule: A page that is told mapped exclusively MAY still be copied by the next write

    @sharing.not-a-promise.reference
    Scenario: A reference that a pipe took while the page was shared forces a copy
      Given A has a base page
      And A vmsplices page 0 into pipe p
      And A forks B
      And B exits
      And page 0 of A is mapped exclusively
      When A writes "new" to page 0
      Then page 0 of A was copied

    @sharing.not-a-promise.ksm
    Scenario: A KSM page is copied by its last user
      Given A has 2 pages of private anonymous memory
      And A calls MADV_MERGEABLE on every page
      And KSM merges what it can
      And A unmaps page 1
      And page 0 of A is mapped exclusively
      When A writes "new" to page 0
      Then page 0 of A was copied

    @sharing.not-a-promise.file
    Scenario: The only mapping of a file page in a private mapping is copied
      Given file f has 1 page on memfd
      And A maps file f privately
      And A reads page 0
      And page 0 of A is mapped exclusively
      When A writes "new" to page 0
      Then page 0 of A was copied

    @sharing.not-a-promise.swap
    Scenario: A swap entry of the child forces a copy
      Given A has a base page, swapped out
      And A forks B
      And A reads page 0
      And page 0 of A is mapped exclusively
      When A writes "new" to page 0
      Then page 0 of A was copied

    @sharing.not-a-promise.half-each @config:page_mapcount
    Scenario: A page whose folio another process maps elsewhere is copied
      Given A has an order-4 folio
      And A forks B
      And A unmaps pages 8 to 15
      And B unmaps pages 0 to 7
      And page 0 of A is mapped exclusively
      When A writes "new" to page 0
      Then page 0 of A was copied

    @sharing.not-a-promise.untracked @config:page_mapcount
    Scenario: The last of three processes copies if it was the third
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      And page 3 of C is mapped exclusively
      When C writes "new" to page 3
      Then page 3 of C was copied

  @sharing.without-page-counts @config:no_page_mapcount
  Rule: Without per-page counts the bit MUST be the negation of the sharing test, the same for all mapped pages of a folio

    @sharing.without-page-counts.alone
    Scenario Outline: <folio> of one process is mapped exclusively
      Given A has <folio>
      Then every page of A is mapped exclusively

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @sharing.without-page-counts.copied
    Scenario: A page that the child has copied is still not told exclusive for the parent
      Given A has an order-4 folio
      And A forks B
      When B writes "new" to page 3
      Then page 3 of B is mapped exclusively
      And every page of A is not mapped exclusively

    @sharing.without-page-counts.half-each
    Scenario: Two processes that keep a different half are both told not exclusive
      Given A has an order-4 folio
      And A forks B
      When A unmaps pages 8 to 15
      And B unmaps pages 0 to 7
      Then pages 0 to 7 of A are not mapped exclusively
      And pages 8 to 15 of B are not mapped exclusively

    @sharing.without-page-counts.two-vmas
    Scenario: A large file folio that one process maps twice is mapped exclusively
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then every page of A's one is mapped exclusively

    @sharing.without-page-counts.untracked
    Scenario: The last of three processes is not told exclusive if it was the third
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When A exits
      And B exits
      Then every page of C is not mapped exclusively

    @sharing.without-page-counts.one-left
    Scenario: A single mapping is told exclusive, also of the third process
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C unmaps pages 1 to 15
      Then page 0 of C is mapped exclusively
