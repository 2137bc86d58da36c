# SPDX-License-Identifier: MIT
Feature: The exclusive marker, PageAnonExclusive

  @cow.marker-new
  Rule: A new anonymous page MUST be marked exclusive

    @cow.marker-new.fault
    Scenario Outline: Pages that a write fault has allocated are marked
      When A has <page>
      Then every page of A is marked exclusive

      Examples:
        | page                                  |
        | a base page                           |
        | an order-2 folio                      |
        | an order-4 folio                      |
        | an order-9 folio mapped by a PMD      |
        | an order-9 folio mapped by PTEs       |
        | an order-9 folio with one page mapped |
        | an order-9 folio half moved by mremap |
        | a hugetlb page                        |

    @cow.marker-new.zero-page
    Scenario: The page that replaces the zero page is marked
      Given A maps anonymous memory privately and reads it
      When A writes "new" to page 0
      Then page 0 of A is marked exclusive

    @cow.marker-new.file-copy
    Scenario Outline: The copy of a page of a file is marked
      Given A maps <source> privately and reads it
      When A writes "new" to page 0
      Then page 0 of A is marked exclusive

      Examples:
        | source          |
        | a memfd         |
        | a disk file     |
        | a hugetlb memfd |

    @cow.marker-new.refault
    Scenario: The page that refills a discarded one is marked
      Given A has 1 page of private anonymous memory
      And A forks B
      And A calls MADV_DONTNEED on page 0
      When A writes "new" to page 0
      Then page 0 of A is marked exclusive
      And page 0 of B is not marked exclusive

  @cow.marker-return
  Rule: When other users go away the marker MUST NOT come back before the next fault decides

    @cow.marker-return.exit
    Scenario Outline: The exit of the child does not mark the page again
      Given A has <page>
      And A forks B
      When B exits
      Then every page of A is not marked exclusive

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @cow.marker-return.pagemap
    Scenario: Bit 56 of pagemap does come back at once
      Given A has 1 page of private anonymous memory
      When A forks B
      Then page 0 of A is not mapped exclusively
      When B exits
      Then page 0 of A is mapped exclusively

    @cow.marker-return.write
    Scenario: The write fault that reuses the page marks it
      Given A has 1 page of private anonymous memory
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then page 0 of A is marked exclusive
      And page 0 of A is mapped writable

    @cow.marker-return.only-written @since:6.18
    Scenario Outline: Of a folio mapped by PTEs only the page written is marked
      Given A has <page>
      And A forks B
      And B exits
      When A writes "new" to page 1
      Then page 0 of A is not marked exclusive
      And page 1 of A is marked exclusive
      And pages 2 to 3 of A are not marked exclusive

      Examples:
        | page                            |
        | an order-2 folio                |
        | an order-4 folio                |
        | an order-9 folio mapped by PTEs |

    @cow.marker-return.pmd
    Scenario: Of a folio mapped by a PMD a write to any page marks all
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B exits
      When A writes "new" to page 7
      Then every page of A is marked exclusive

    @cow.marker-return.hugetlb
    Scenario: A hugetlb page is marked again by the write that reuses it
      Given A has a hugetlb page
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then page 0 of A is marked exclusive

    @cow.marker-return.unshare
    Scenario: The unshare fault of a read pin marks the page too, and leaves its entry read-only
      Given A has 1 page of private anonymous memory
      And A forks B
      And B exits
      When A reads page 0 with process_vm_readv
      Then page 0 of A is marked exclusive
      And page 0 of A is mapped read-only

  @cow.marker-kept
  Rule: Whatever moves, protects or splits an entry without sharing its page MUST keep the marker

    @cow.marker-kept.mprotect
    Scenario Outline: An mprotect round trip keeps the marker
      Given A has <page>
      When A makes every page read-only
      And A makes every page read-write
      Then every page of A is marked exclusive

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @cow.marker-kept.mremap
    Scenario Outline: A page that mremap moves keeps its marker
      Given A has <page>
      When A moves every page to there
      Then every page of A's there is marked exclusive

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @cow.marker-kept.moved-write
    Scenario Outline: A page that mremap has moved is written in place
      Given A has <page>
      And A makes every page read-only
      And A makes every page read-write
      When A writes "new" to page 0
      Then page 0 of A was reused

      Examples:
        | page                                  |
        | an order-2 folio half moved by mremap |
        | an order-4 folio half moved by mremap |
        | an order-9 folio half moved by mremap |

    @cow.marker-kept.pmd-split
    Scenario: A PMD split gives the marker of the PMD to all 512 pages
      Given A has an order-9 folio mapped by a PMD
      When A is mapped by PTEs
      Then every page of A is marked exclusive

    @cow.marker-kept.pmd-split-shared
    Scenario: A PMD split marks nothing that was not marked
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A is mapped by PTEs
      Then every page of A is not marked exclusive

    @cow.marker-kept.folio-split
    Scenario Outline: A split of the folio keeps the marker of each page
      Given A has <page>
      When A splits the folio of page 0 to order 0
      Then every page of A is marked exclusive
      And every page of A is where it was

      Examples:
        | page                             |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @cow.marker-kept.partial-unmap
    Scenario: Unmapping its neighbours keeps the marker of a page
      Given A has an order-4 folio
      When A unmaps pages 1 to 14
      Then page 0 of A is marked exclusive
      And page 15 of A is marked exclusive

    @cow.marker-kept.partly-shared
    Scenario Outline: Marked and unmarked pages live side by side in one folio
      When A has <page>
      Then page 0 of A is not marked exclusive
      And page 1 of A is marked exclusive
      And pages 2 to 3 of A are marked exclusive

      Examples:
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-9 folio partly shared before |

    @cow.marker-kept.swap
    Scenario: A swap entry remembers that its page was exclusive
      Given A has a base page, swapped out
      When A reads page 0
      Then page 0 of A is marked exclusive

  @cow.marker-never
  Rule: Pages of files, KSM pages and zero pages MUST NOT be marked exclusive

    @cow.marker-never.source
    Scenario Outline: A page that a private mapping only shows is not marked
      When A maps <source> privately and reads it
      Then page 0 of A is not marked exclusive

      Examples:
        | source                |
        | anonymous memory      |
        | huge anonymous memory |
        | a memfd               |
        | a tmpfs file          |
        | a disk file           |
        | a hugetlb memfd       |

    @cow.marker-never.ksm
    Scenario: Merging by KSM takes the marker away
      Given A has 2 pages of private anonymous memory
      And A writes "twin5" to every page
      And A calls MADV_MERGEABLE on every page
      When KSM merges what it can
      Then pages 0 to 1 of A are not marked exclusive
