# SPDX-License-Identifier: MIT
Feature: What the holder of a page sees of it later

  @pins.coherent
  Rule: Whoever has pinned anonymous memory MUST see what its process writes there next, and the process what the holder writes

    @pins.coherent.shared
    Scenario Outline: A page that a child still maps: the pin for reading sees the next write
      Given A has <page>
      And A forks B
      And A pins every page for reading, long-term, as hold h
      When A writes "new" to every page
      Then the driver reads "new" through hold h

      Examples: Base pages
        | page                     |
        | a base page              |
        | a base page, swapped out |

      Examples: Huge pages mapped by a PMD
        | page                                          |
        | an order-9 folio mapped by a PMD              |
        | an order-9 folio mapped by a PMD, swapped out |

      Examples: Folios mapped by PTEs
        | page                            |
        | an order-2 folio mapped by PTEs |
        | an order-3 folio mapped by PTEs |
        | an order-4 folio mapped by PTEs |
        | an order-5 folio mapped by PTEs |
        | an order-6 folio mapped by PTEs |
        | an order-7 folio mapped by PTEs |
        | an order-8 folio mapped by PTEs |
        | an order-9 folio mapped by PTEs |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         |
        | an order-2 folio mapped by PTEs, swapped out |
        | an order-3 folio mapped by PTEs, swapped out |
        | an order-4 folio mapped by PTEs, swapped out |
        | an order-5 folio mapped by PTEs, swapped out |
        | an order-6 folio mapped by PTEs, swapped out |
        | an order-7 folio mapped by PTEs, swapped out |
        | an order-8 folio mapped by PTEs, swapped out |
        | an order-9 folio mapped by PTEs, swapped out |

      Examples: Folios of which one page is still mapped
        | page                                  |
        | an order-2 folio with one page mapped |
        | an order-3 folio with one page mapped |
        | an order-4 folio with one page mapped |
        | an order-5 folio with one page mapped |
        | an order-6 folio with one page mapped |
        | an order-7 folio with one page mapped |
        | an order-8 folio with one page mapped |
        | an order-9 folio with one page mapped |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               |
        | an order-2 folio with one page mapped, swapped out |
        | an order-3 folio with one page mapped, swapped out |
        | an order-4 folio with one page mapped, swapped out |
        | an order-5 folio with one page mapped, swapped out |
        | an order-6 folio with one page mapped, swapped out |
        | an order-7 folio with one page mapped, swapped out |
        | an order-8 folio with one page mapped, swapped out |
        | an order-9 folio with one page mapped, swapped out |

      Examples: Folios of which one half has been moved away
        | page                                  |
        | an order-2 folio half moved by mremap |
        | an order-3 folio half moved by mremap |
        | an order-4 folio half moved by mremap |
        | an order-5 folio half moved by mremap |
        | an order-6 folio half moved by mremap |
        | an order-7 folio half moved by mremap |
        | an order-8 folio half moved by mremap |
        | an order-9 folio half moved by mremap |

      Examples: Folios of which one page was shared before
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-3 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-5 folio partly shared before |
        | an order-6 folio partly shared before |
        | an order-7 folio partly shared before |
        | an order-8 folio partly shared before |
        | an order-9 folio partly shared before |

      Examples: Pages of hugetlb
        | page           |
        | a hugetlb page |

    @pins.coherent.shared-fast
    Scenario Outline: A page that a child still maps: the fast pin for reading sees the next write
      Given A has <page>
      And A forks B
      And A pins every page for reading, long-term, fast, as hold h
      When A writes "new" to every page
      Then the driver reads "new" through hold h

      Examples: Base pages
        | page                     |
        | a base page              |
        | a base page, swapped out |

      Examples: Huge pages mapped by a PMD
        | page                                          |
        | an order-9 folio mapped by a PMD              |
        | an order-9 folio mapped by a PMD, swapped out |

      Examples: Folios mapped by PTEs
        | page                            |
        | an order-2 folio mapped by PTEs |
        | an order-3 folio mapped by PTEs |
        | an order-4 folio mapped by PTEs |
        | an order-5 folio mapped by PTEs |
        | an order-6 folio mapped by PTEs |
        | an order-7 folio mapped by PTEs |
        | an order-8 folio mapped by PTEs |
        | an order-9 folio mapped by PTEs |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         |
        | an order-2 folio mapped by PTEs, swapped out |
        | an order-3 folio mapped by PTEs, swapped out |
        | an order-4 folio mapped by PTEs, swapped out |
        | an order-5 folio mapped by PTEs, swapped out |
        | an order-6 folio mapped by PTEs, swapped out |
        | an order-7 folio mapped by PTEs, swapped out |
        | an order-8 folio mapped by PTEs, swapped out |
        | an order-9 folio mapped by PTEs, swapped out |

      Examples: Folios of which one page is still mapped
        | page                                  |
        | an order-2 folio with one page mapped |
        | an order-3 folio with one page mapped |
        | an order-4 folio with one page mapped |
        | an order-5 folio with one page mapped |
        | an order-6 folio with one page mapped |
        | an order-7 folio with one page mapped |
        | an order-8 folio with one page mapped |
        | an order-9 folio with one page mapped |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               |
        | an order-2 folio with one page mapped, swapped out |
        | an order-3 folio with one page mapped, swapped out |
        | an order-4 folio with one page mapped, swapped out |
        | an order-5 folio with one page mapped, swapped out |
        | an order-6 folio with one page mapped, swapped out |
        | an order-7 folio with one page mapped, swapped out |
        | an order-8 folio with one page mapped, swapped out |
        | an order-9 folio with one page mapped, swapped out |

      Examples: Folios of which one half has been moved away
        | page                                  |
        | an order-2 folio half moved by mremap |
        | an order-3 folio half moved by mremap |
        | an order-4 folio half moved by mremap |
        | an order-5 folio half moved by mremap |
        | an order-6 folio half moved by mremap |
        | an order-7 folio half moved by mremap |
        | an order-8 folio half moved by mremap |
        | an order-9 folio half moved by mremap |

      Examples: Folios of which one page was shared before
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-3 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-5 folio partly shared before |
        | an order-6 folio partly shared before |
        | an order-7 folio partly shared before |
        | an order-8 folio partly shared before |
        | an order-9 folio partly shared before |

      Examples: Pages of hugetlb
        | page           |
        | a hugetlb page |

    @pins.coherent.previously-shared
    Scenario Outline: A page that a child has mapped before: the pin for reading sees the next write
      Given A has <page>
      And A forks B
      And B exits
      And A pins every page for reading, long-term, as hold h
      When A writes "new" to every page
      Then the driver reads "new" through hold h

      Examples: Base pages
        | page                     |
        | a base page              |
        | a base page, swapped out |

      Examples: Huge pages mapped by a PMD
        | page                                          |
        | an order-9 folio mapped by a PMD              |
        | an order-9 folio mapped by a PMD, swapped out |

      Examples: Folios mapped by PTEs
        | page                            |
        | an order-2 folio mapped by PTEs |
        | an order-3 folio mapped by PTEs |
        | an order-4 folio mapped by PTEs |
        | an order-5 folio mapped by PTEs |
        | an order-6 folio mapped by PTEs |
        | an order-7 folio mapped by PTEs |
        | an order-8 folio mapped by PTEs |
        | an order-9 folio mapped by PTEs |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         |
        | an order-2 folio mapped by PTEs, swapped out |
        | an order-3 folio mapped by PTEs, swapped out |
        | an order-4 folio mapped by PTEs, swapped out |
        | an order-5 folio mapped by PTEs, swapped out |
        | an order-6 folio mapped by PTEs, swapped out |
        | an order-7 folio mapped by PTEs, swapped out |
        | an order-8 folio mapped by PTEs, swapped out |
        | an order-9 folio mapped by PTEs, swapped out |

      Examples: Folios of which one page is still mapped
        | page                                  |
        | an order-2 folio with one page mapped |
        | an order-3 folio with one page mapped |
        | an order-4 folio with one page mapped |
        | an order-5 folio with one page mapped |
        | an order-6 folio with one page mapped |
        | an order-7 folio with one page mapped |
        | an order-8 folio with one page mapped |
        | an order-9 folio with one page mapped |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               |
        | an order-2 folio with one page mapped, swapped out |
        | an order-3 folio with one page mapped, swapped out |
        | an order-4 folio with one page mapped, swapped out |
        | an order-5 folio with one page mapped, swapped out |
        | an order-6 folio with one page mapped, swapped out |
        | an order-7 folio with one page mapped, swapped out |
        | an order-8 folio with one page mapped, swapped out |
        | an order-9 folio with one page mapped, swapped out |

      Examples: Folios of which one half has been moved away
        | page                                  |
        | an order-2 folio half moved by mremap |
        | an order-3 folio half moved by mremap |
        | an order-4 folio half moved by mremap |
        | an order-5 folio half moved by mremap |
        | an order-6 folio half moved by mremap |
        | an order-7 folio half moved by mremap |
        | an order-8 folio half moved by mremap |
        | an order-9 folio half moved by mremap |

      Examples: Folios of which one page was shared before
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-3 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-5 folio partly shared before |
        | an order-6 folio partly shared before |
        | an order-7 folio partly shared before |
        | an order-8 folio partly shared before |
        | an order-9 folio partly shared before |

      Examples: Pages of hugetlb
        | page           |
        | a hugetlb page |

    @pins.coherent.previously-shared-fast
    Scenario Outline: A page that a child has mapped before: the fast pin for reading sees the next write
      Given A has <page>
      And A forks B
      And B exits
      And A pins every page for reading, long-term, fast, as hold h
      When A writes "new" to every page
      Then the driver reads "new" through hold h

      Examples: Base pages
        | page                     |
        | a base page              |
        | a base page, swapped out |

      Examples: Huge pages mapped by a PMD
        | page                                          |
        | an order-9 folio mapped by a PMD              |
        | an order-9 folio mapped by a PMD, swapped out |

      Examples: Folios mapped by PTEs
        | page                            |
        | an order-2 folio mapped by PTEs |
        | an order-3 folio mapped by PTEs |
        | an order-4 folio mapped by PTEs |
        | an order-5 folio mapped by PTEs |
        | an order-6 folio mapped by PTEs |
        | an order-7 folio mapped by PTEs |
        | an order-8 folio mapped by PTEs |
        | an order-9 folio mapped by PTEs |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         |
        | an order-2 folio mapped by PTEs, swapped out |
        | an order-3 folio mapped by PTEs, swapped out |
        | an order-4 folio mapped by PTEs, swapped out |
        | an order-5 folio mapped by PTEs, swapped out |
        | an order-6 folio mapped by PTEs, swapped out |
        | an order-7 folio mapped by PTEs, swapped out |
        | an order-8 folio mapped by PTEs, swapped out |
        | an order-9 folio mapped by PTEs, swapped out |

      Examples: Folios of which one page is still mapped
        | page                                  |
        | an order-2 folio with one page mapped |
        | an order-3 folio with one page mapped |
        | an order-4 folio with one page mapped |
        | an order-5 folio with one page mapped |
        | an order-6 folio with one page mapped |
        | an order-7 folio with one page mapped |
        | an order-8 folio with one page mapped |
        | an order-9 folio with one page mapped |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               |
        | an order-2 folio with one page mapped, swapped out |
        | an order-3 folio with one page mapped, swapped out |
        | an order-4 folio with one page mapped, swapped out |
        | an order-5 folio with one page mapped, swapped out |
        | an order-6 folio with one page mapped, swapped out |
        | an order-7 folio with one page mapped, swapped out |
        | an order-8 folio with one page mapped, swapped out |
        | an order-9 folio with one page mapped, swapped out |

      Examples: Folios of which one half has been moved away
        | page                                  |
        | an order-2 folio half moved by mremap |
        | an order-3 folio half moved by mremap |
        | an order-4 folio half moved by mremap |
        | an order-5 folio half moved by mremap |
        | an order-6 folio half moved by mremap |
        | an order-7 folio half moved by mremap |
        | an order-8 folio half moved by mremap |
        | an order-9 folio half moved by mremap |

      Examples: Folios of which one page was shared before
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-3 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-5 folio partly shared before |
        | an order-6 folio partly shared before |
        | an order-7 folio partly shared before |
        | an order-8 folio partly shared before |
        | an order-9 folio partly shared before |

      Examples: Pages of hugetlb
        | page           |
        | a hugetlb page |

    @pins.coherent.read-only
    Scenario Outline: A page that is exclusive and mapped read-only: the pin for reading sees the next write
      Given A has <page>
      And A makes every page read-only
      And A pins every page for reading, long-term, as hold h
      And A makes every page read-write
      When A writes "new" to every page
      Then the driver reads "new" through hold h

      Examples: Base pages
        | page                     |
        | a base page              |
        | a base page, swapped out |

      Examples: Huge pages mapped by a PMD
        | page                                          |
        | an order-9 folio mapped by a PMD              |
        | an order-9 folio mapped by a PMD, swapped out |

      Examples: Folios mapped by PTEs
        | page                            |
        | an order-2 folio mapped by PTEs |
        | an order-3 folio mapped by PTEs |
        | an order-4 folio mapped by PTEs |
        | an order-5 folio mapped by PTEs |
        | an order-6 folio mapped by PTEs |
        | an order-7 folio mapped by PTEs |
        | an order-8 folio mapped by PTEs |
        | an order-9 folio mapped by PTEs |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         |
        | an order-2 folio mapped by PTEs, swapped out |
        | an order-3 folio mapped by PTEs, swapped out |
        | an order-4 folio mapped by PTEs, swapped out |
        | an order-5 folio mapped by PTEs, swapped out |
        | an order-6 folio mapped by PTEs, swapped out |
        | an order-7 folio mapped by PTEs, swapped out |
        | an order-8 folio mapped by PTEs, swapped out |
        | an order-9 folio mapped by PTEs, swapped out |

      Examples: Folios of which one page is still mapped
        | page                                  |
        | an order-2 folio with one page mapped |
        | an order-3 folio with one page mapped |
        | an order-4 folio with one page mapped |
        | an order-5 folio with one page mapped |
        | an order-6 folio with one page mapped |
        | an order-7 folio with one page mapped |
        | an order-8 folio with one page mapped |
        | an order-9 folio with one page mapped |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               |
        | an order-2 folio with one page mapped, swapped out |
        | an order-3 folio with one page mapped, swapped out |
        | an order-4 folio with one page mapped, swapped out |
        | an order-5 folio with one page mapped, swapped out |
        | an order-6 folio with one page mapped, swapped out |
        | an order-7 folio with one page mapped, swapped out |
        | an order-8 folio with one page mapped, swapped out |
        | an order-9 folio with one page mapped, swapped out |

      Examples: Folios of which one half has been moved away
        | page                                  |
        | an order-2 folio half moved by mremap |
        | an order-3 folio half moved by mremap |
        | an order-4 folio half moved by mremap |
        | an order-5 folio half moved by mremap |
        | an order-6 folio half moved by mremap |
        | an order-7 folio half moved by mremap |
        | an order-8 folio half moved by mremap |
        | an order-9 folio half moved by mremap |

      Examples: Folios of which one page was shared before
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-3 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-5 folio partly shared before |
        | an order-6 folio partly shared before |
        | an order-7 folio partly shared before |
        | an order-8 folio partly shared before |
        | an order-9 folio partly shared before |

      Examples: Pages of hugetlb
        | page           |
        | a hugetlb page |

    @pins.coherent.read-only-fast
    Scenario Outline: A page that is exclusive and mapped read-only: the fast pin for reading sees the next write
      Given A has <page>
      And A makes every page read-only
      And A pins every page for reading, long-term, fast, as hold h
      And A makes every page read-write
      When A writes "new" to every page
      Then the driver reads "new" through hold h

      Examples: Base pages
        | page                     |
        | a base page              |
        | a base page, swapped out |

      Examples: Huge pages mapped by a PMD
        | page                                          |
        | an order-9 folio mapped by a PMD              |
        | an order-9 folio mapped by a PMD, swapped out |

      Examples: Folios mapped by PTEs
        | page                            |
        | an order-2 folio mapped by PTEs |
        | an order-3 folio mapped by PTEs |
        | an order-4 folio mapped by PTEs |
        | an order-5 folio mapped by PTEs |
        | an order-6 folio mapped by PTEs |
        | an order-7 folio mapped by PTEs |
        | an order-8 folio mapped by PTEs |
        | an order-9 folio mapped by PTEs |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         |
        | an order-2 folio mapped by PTEs, swapped out |
        | an order-3 folio mapped by PTEs, swapped out |
        | an order-4 folio mapped by PTEs, swapped out |
        | an order-5 folio mapped by PTEs, swapped out |
        | an order-6 folio mapped by PTEs, swapped out |
        | an order-7 folio mapped by PTEs, swapped out |
        | an order-8 folio mapped by PTEs, swapped out |
        | an order-9 folio mapped by PTEs, swapped out |

      Examples: Folios of which one page is still mapped
        | page                                  |
        | an order-2 folio with one page mapped |
        | an order-3 folio with one page mapped |
        | an order-4 folio with one page mapped |
        | an order-5 folio with one page mapped |
        | an order-6 folio with one page mapped |
        | an order-7 folio with one page mapped |
        | an order-8 folio with one page mapped |
        | an order-9 folio with one page mapped |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               |
        | an order-2 folio with one page mapped, swapped out |
        | an order-3 folio with one page mapped, swapped out |
        | an order-4 folio with one page mapped, swapped out |
        | an order-5 folio with one page mapped, swapped out |
        | an order-6 folio with one page mapped, swapped out |
        | an order-7 folio with one page mapped, swapped out |
        | an order-8 folio with one page mapped, swapped out |
        | an order-9 folio with one page mapped, swapped out |

      Examples: Folios of which one half has been moved away
        | page                                  |
        | an order-2 folio half moved by mremap |
        | an order-3 folio half moved by mremap |
        | an order-4 folio half moved by mremap |
        | an order-5 folio half moved by mremap |
        | an order-6 folio half moved by mremap |
        | an order-7 folio half moved by mremap |
        | an order-8 folio half moved by mremap |
        | an order-9 folio half moved by mremap |

      Examples: Folios of which one page was shared before
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-3 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-5 folio partly shared before |
        | an order-6 folio partly shared before |
        | an order-7 folio partly shared before |
        | an order-8 folio partly shared before |
        | an order-9 folio partly shared before |

      Examples: Pages of hugetlb
        | page           |
        | a hugetlb page |

    @pins.coherent.short
    Scenario Outline: So does a short pin of <page>
      Given A has <page>
      And A forks B
      And A pins every page for reading as hold h
      When A writes "new" to every page
      Then the driver reads "new" through hold h
      And B reads "old" in every page

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | a hugetlb page                   |

    @pins.coherent.device-writes
    Scenario Outline: After a fork the process reads what the device writes to <page>, and the child does not
      Given A has <page>
      And A pins every page for writing as hold h
      And A forks B
      And A writes "new" to every page
      When the driver writes "dev" through hold h
      Then A reads "dev" in every page
      And B reads "old" in every page

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | a hugetlb page                   |

  @pins.get-parts
  Rule: FOLL_GET MUST NOT keep a page with its process: while a child shares it, the process's next write MUST leave the page to the holder

    @pins.get-parts.reading
    Scenario Outline: The driver goes on reading the old content of <page>
      Given A has <page>
      And A forks B
      And A gets every page for reading as hold h
      When A writes "new" to every page
      Then the driver reads "old" through hold h

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | a hugetlb page                   |

    @pins.get-parts.device-writes
    Scenario Outline: What the device writes to <page> is lost, although it was taken for writing
      Given A has <page>
      And A gets every page for writing as hold h
      And A forks B
      And A writes "new" to every page
      When the driver writes "dev" through hold h
      Then A reads "new" in every page
      And B reads "dev" in every page

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | a hugetlb page                   |

    @pins.get-parts.no-fork
    Scenario: Without a fork the page is the process's own, and both see all writes
      Given A has 1 page of private anonymous memory
      And A gets page 0 for writing as hold h
      And A writes "new" to page 0
      When the driver writes "dev" through hold h
      Then A reads "dev" in page 0

  @pins.fork
  Rule: fork MUST copy a marked page of which there is a FOLL_PIN of any kind, and MUST share one that is held by FOLL_GET and does not look pinned

    @pins.fork.pinned
    Scenario Outline: A page that is pinned <manner> is copied for the child
      Given A has 1 page of private anonymous memory
      And A pins page 0 <manner> as hold h
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A
      And page 0 of A is where it was
      And page 0 of A is marked exclusive

      Examples:
        | manner                        |
        | for reading                   |
        | for reading, fast,            |
        | for reading, long-term,       |
        | for reading, long-term, fast, |
        | for writing                   |
        | for writing, fast,            |
        | for writing, long-term,       |
        | for writing, long-term, fast, |

    @pins.fork.got
    Scenario Outline: A page that is held by FOLL_GET <manner> is shared
      Given A has 1 page of private anonymous memory
      And A gets page 0 <manner> as hold h
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

      Examples:
        | manner             |
        | for reading        |
        | for reading, fast, |
        | for writing        |
        | for writing, fast, |

    @pins.fork.child-of-pinner
    Scenario: A page whose pin was taken in the child is shared by the parent, which never pinned
      Given A has 1 page of private anonymous memory
      And A forks B
      And B pins page 0 for reading as hold h
      When A forks C
      Then page 0 of C is the same memory as page 0 of A
      And page 0 of B is not the same memory as page 0 of A

  @pins.has-pinned
  Rule: A process of which a FOLL_PIN was asked for once, short or refused, MUST be taken for one that pins as long as it lives

    @pins.has-pinned.given-back
    Scenario: A pin that was given back leaves the note behind
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A pins page 0 of other for reading as hold p
      And hold p is given back
      And A gets page 0 for reading 1023 times as hold h
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A

    @pins.has-pinned.refused
    Scenario: So does a pin that was refused
      Given A has 1 page of private anonymous memory
      And A maps 1 page of private anonymous memory as other
      And A makes page 0 of other no access
      And A tries to pin page 0 of other for reading as hold p
      And A gets page 0 for reading 1023 times as hold h
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A

    @pins.has-pinned.process-vm-readv
    Scenario: So does process_vm_readv
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A reads page 0 of other with process_vm_readv
      And A gets page 0 for reading 1023 times as hold h
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A

    @pins.has-pinned.never
    Scenario: A process of which nobody ever asked a pin shares the page
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A gets page 0 of other for writing as hold p
      And A gets page 0 for reading 1023 times as hold h
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

    @pins.has-pinned.child
    Scenario: A child is born without the note
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A pins page 0 of other for reading as hold p
      And A forks B
      And B writes "b" to page 0
      And B gets page 0 for reading 1023 times as hold h
      When B forks C
      Then page 0 of C is the same memory as page 0 of B
