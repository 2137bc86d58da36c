# SPDX-License-Identifier: MIT
Feature: How many references are expected, and what one more stops

  @refcount.expected
  Rule: The expected reference count MUST be the mapcount of the folio and, for each page that a page cache or the swap cache holds, one more

    @refcount.expected.anonymous
    Scenario Outline: Of <page> <count> are expected, and there are no others
      Given A has <page>
      Then the folio of page 0 of A is expected to have <count>
      And the folio of page 0 of A has as many references as expected

      Examples:
        | page                                  | count          |
        | a base page                           | 1 reference    |
        | an order-4 folio                      | 16 references  |
        | an order-4 folio with one page mapped | 1 reference    |
        | an order-9 folio mapped by a PMD      | 1 reference    |
        | an order-9 folio mapped by PTEs       | 512 references |

    @refcount.expected.forked
    Scenario Outline: After a fork twice as many are expected of <page>
      Given A has <page>
      When A forks B
      Then the folio of page 0 of A is expected to have <count>
      And the folio of page 0 of A has as many references as expected

      Examples:
        | page                             | count           |
        | a base page                      | 2 references    |
        | an order-4 folio                 | 32 references   |
        | an order-9 folio mapped by a PMD | 2 references    |
        | an order-9 folio mapped by PTEs  | 1024 references |

    @refcount.expected.small-file
    Scenario Outline: Of a page on <filesystem> that one process reads no others are there than expected
      Given file f has 1 page on <filesystem>
      And A maps file f shared
      When A reads page 0
      Then the folio of page 0 of A is expected to have <count>
      And the folio of page 0 of A has as many references as expected

      Examples:
        | filesystem         | count                |
        | memfd              | 2 references         |
        | tmpfs              | 2 references         |
        | a disk file system | at least 2 references |

    @refcount.expected.large-file
    Scenario: Two PMDs and 512 PTEs of a file's folio are expected to hold 514 references, and the page cache 512
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And B maps file f shared
      And A maps file f shared, 1 page off its alignment, as off
      When A reads every page
      And B reads every page
      And A reads every page of off
      Then the folio of page 0 of A is expected to have 1026 references
      And the folio of page 0 of A has as many references as expected

    @refcount.expected.hugetlb-file @since:6.12
    Scenario: A hugetlb folio of a file has as many references as expected
      Given A maps a hugetlb memfd shared and reads it
      Then the folio of page 0 of A is expected to have 513 references
      And the folio of page 0 of A has as many references as expected

    @refcount.expected.double-map
    Scenario: A PMD and 512 PTEs are expected to hold 513 references
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B's mem is mapped by PTEs
      Then the folio of page 0 of A is expected to have 513 references
      And the folio of page 0 of A has as many references as expected

  @refcount.unexpected
  Rule: A reference that neither an entry nor a cache holds MUST NOT be expected, so it is the difference of the two counts

    @refcount.unexpected.pipe
    Scenario Outline: A pipe is one reference more than expected of <page>
      Given A has <page>
      When A vmsplices page 0 into pipe p
      Then the folio of page 0 of A has 1 reference more than expected

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @refcount.unexpected.driver
    Scenario: 7 references that a driver has taken are 7 more than expected, until it drops them
      Given A has an order-4 folio
      When a driver takes 7 references to page 5 of A
      Then the folio of page 0 of A has 23 references
      And the folio of page 0 of A has 7 references more than expected
      When the driver drops its references
      Then the folio of page 0 of A has as many references as expected

    @refcount.unexpected.child
    Scenario: A fork is expected, and the pipe is still one more
      Given A has a base page
      And A vmsplices page 0 into pipe p
      When A forks B
      Then the folio of page 0 of A has 3 references
      And the folio of page 0 of A has 1 reference more than expected

  @refcount.pageout
  Rule: MADV_PAGEOUT MUST NOT free a page that somebody holds: it MAY take its entry away, and the next access MUST find the same page

    @refcount.pageout.held
    Scenario: A page in a pipe is read back with the reference of the pipe
      Given A has a base page
      And A vmsplices page 0 into pipe p
      When A calls MADV_PAGEOUT on page 0
      And A reads page 0
      Then the folio of page 0 of A has 1 reference more than expected

    @refcount.pageout.closed
    Scenario: When the pipe was closed before, it is read back without
      Given A has a base page
      And A vmsplices page 0 into pipe p
      And pipe p is closed
      When A calls MADV_PAGEOUT on page 0
      And A reads page 0
      Then the folio of page 0 of A has as many references as expected

    @refcount.pageout.write
    Scenario: A page that comes back to its only process is written in place, and who holds it sees that
      Given A has a base page
      And A vmsplices page 0 into pipe p
      And A calls MADV_PAGEOUT on page 0
      When A writes "new" to page 0
      Then pipe p holds "new"

  @refcount.ksm
  Rule: KSM MUST NOT merge a page that somebody holds

    @refcount.ksm.held
    Scenario: Of two equal pages one is in a pipe, and they stay two
      Given A has 2 pages of private anonymous memory
      And A writes "twinr1" to every page
      And A vmsplices page 0 into pipe p
      And A calls MADV_MERGEABLE on every page
      When KSM merges what it can
      Then page 0 of A is not the same memory as page 1 of A
      And page 0 of A is no KSM page

    @refcount.ksm.dropped
    Scenario: When the pipe is closed they are merged
      Given A has 2 pages of private anonymous memory
      And A writes "twinr2" to every page
      And A vmsplices page 0 into pipe p
      And A calls MADV_MERGEABLE on every page
      And KSM merges what it can
      And pipe p is closed
      When KSM merges what it can
      Then page 0 of A is the same memory as page 1 of A
