# SPDX-License-Identifier: MIT
Feature: Fork while pages are pinned

  @fork.pinned
  Rule: fork MUST give the child a copy of a page that is marked exclusive and may be pinned, and leave the page to the parent

    @fork.pinned.coherent
    Scenario Outline: What the parent writes after fork is seen through its pin, and not by the child
      Given A has <page>
      And A registers every page as io_uring buffer b
      And A forks B
      When A writes "new" to every page
      Then io_uring buffer b holds "new"
      And B reads "old" in every page

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

    @fork.pinned.copied
    Scenario Outline: The child has pages of its own as soon as it is born
      Given A has <page>
      And A registers every page as io_uring buffer b
      When A forks B
      Then every page of B is not the same memory as every page of A
      And every page of A is where it was

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @fork.pinned.mapcount
    Scenario: Neither the pinned page nor the child's copy is shared
      Given A has 1 page of private anonymous memory
      And A registers page 0 as io_uring buffer b
      When A forks B
      Then page 0 of A has mapcount 1
      And page 0 of B has mapcount 1
      And page 0 of A is mapped exclusively
      And page 0 of B is mapped exclusively

    @fork.pinned.parent-in-place
    Scenario: The parent writes its pinned page in place
      Given A has 1 page of private anonymous memory
      And A registers page 0 as io_uring buffer b
      And A forks B
      When A writes "new" to page 0
      Then page 0 of A was reused

    @fork.pinned.child-in-place
    Scenario Outline: The child writes its copy in place
      Given A has <page>
      And A registers every page as io_uring buffer b
      And A forks B
      When B writes "b" to every page
      Then every page of B was reused
      And io_uring buffer b holds "old"

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @fork.pinned.marker
    Scenario Outline: Parent and child both find their page marked
      Given A has <page>
      And A registers every page as io_uring buffer b
      When A forks B
      Then every page of A is marked exclusive
      And every page of B is marked exclusive

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @fork.pinned.writable
    Scenario: Both entries are writable
      Given A has 1 page of private anonymous memory
      And A registers page 0 as io_uring buffer b
      When A forks B
      Then page 0 of A is mapped writable
      And page 0 of B is mapped writable

    @fork.pinned.others-shared
    Scenario: Small pages that are not pinned are shared as always
      Given A has 3 pages of private anonymous memory
      And A registers page 1 as io_uring buffer b
      When A forks B
      Then page 0 of B is the same memory as page 0 of A
      And page 1 of B is not the same memory as page 1 of A
      And page 2 of B is the same memory as page 2 of A

    @fork.pinned.small-copies
    Scenario Outline: Copies of pages of a large folio are base pages
      Given A has <page>
      And A registers page 0 as io_uring buffer b
      When A forks B
      Then the folio of every page of B has order 0

      Examples:
        | page                             |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

  @fork.pinned-folio
  Rule: A pin of one page of a large folio MUST make fork copy every page of that folio that is marked exclusive

    @fork.pinned-folio.all-copied
    Scenario Outline: All pages are copied, not only the one that is pinned
      Given A has <page>
      And A registers page 0 as io_uring buffer b
      When A forks B
      Then every page of B is not the same memory as every page of A
      And every page of A is where it was
      And B reads "old" in every page

      Examples:
        | page                             |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @fork.pinned-folio.pmd
    Scenario: A PMD is split in the parent, and the child has PTEs
      Given A has an order-9 folio mapped by a PMD
      And A registers page 0 as io_uring buffer b
      When A forks B
      Then A has a PTE for every page
      And B has a PTE for every page
      And counter thp_split_pmd has risen by 1
      And the folio of page 9 of A has order 9

    @fork.pinned-folio.unmarked
    Scenario Outline: Pages of the folio that were shared before are shared again
      Given A has <page>
      And A registers page 1 as io_uring buffer b
      When A forks B
      Then page 0 of B is the same memory as page 0 of A
      And page 1 of B is not the same memory as page 1 of A
      And page 2 of B is not the same memory as page 2 of A

      Examples:
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-9 folio partly shared before |

    @fork.pinned-folio.unmarked-read-only
    Scenario Outline: Marked and unmarked pages are told apart also where all entries are read-only
      Given A has <page>
      And A registers page 1 as io_uring buffer b
      And A makes every page read-only
      When A forks B
      Then page 0 of B is the same memory as page 0 of A
      And page 1 of B is not the same memory as page 1 of A
      And page 2 of B is not the same memory as page 2 of A

      Examples:
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-9 folio partly shared before |

    @fork.pinned-folio.repinned @since:6.18
    Scenario Outline: After an earlier fork only the page marked by the pin itself is copied
      Given A has <page>
      And A forks B
      And B exits
      And A registers page 0 as io_uring buffer b
      When A forks C
      Then page 0 of C is not the same memory as page 0 of A
      And pages 1 to 3 of C are the same memory as pages 1 to 3 of A

      Examples:
        | page                            |
        | an order-2 folio                |
        | an order-4 folio                |
        | an order-9 folio mapped by PTEs |

    @fork.pinned-folio.neighbours
    Scenario: Other folios of the same process are shared as always
      Given A has an order-4 folio
      And A has 1 page of private anonymous memory as other
      And A registers page 0 as io_uring buffer b
      When A forks B
      Then page 0 of B's other is the same memory as page 0 of A's other

  @fork.unpinned
  Rule: When the last pin is gone fork MUST share the page again, unless so many references are left that it looks pinned

    @fork.unpinned.unregistered
    Scenario Outline: A page that was pinned once is shared
      Given A has <page>
      And A registers page 0 as io_uring buffer b
      And io_uring buffer b is unregistered
      When A forks B
      Then every page of B is the same memory as every page of A

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @fork.unpinned.second-fork
    Scenario: The first fork copies, the second after the pin is gone shares
      Given A has 1 page of private anonymous memory
      And A registers page 0 as io_uring buffer b
      And A forks B
      And io_uring buffer b is unregistered
      When A forks C
      Then page 0 of C is the same memory as page 0 of A
      And page 0 of B is not the same memory as page 0 of A

    @fork.unpinned.short-pin
    Scenario: A read with process_vm_readv leaves no pin behind
      Given A has 1 page of private anonymous memory
      And A reads page 0 with process_vm_readv
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

  @fork.references
  Rule: References MUST NOT make fork copy, except 1024 or more, its own included, to a small page of a process that has ever pinned one

    @fork.references.vmsplice
    Scenario Outline: A page in a pipe is shared with the child
      Given A has <page>
      And A vmsplices page 0 into pipe p
      When A forks B
      Then every page of B is the same memory as every page of A

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @fork.references.after-pin
    Scenario: A page in a pipe is shared also by a process that has pinned another page
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A registers page 0 of other as io_uring buffer b
      And A vmsplices page 0 into pipe p
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

    @fork.references.look-pinned
    Scenario: 1030 references of FOLL_GET look like a pin
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A registers page 0 of other as io_uring buffer b
      And A vmsplices page 0 into 1030 pipes
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A
      And page 0 of A is where it was
      And B reads "old" in page 0

    @fork.references.sticky
    Scenario: 1030 references look like a pin also after the last pin of the process has gone
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A registers page 0 of other as io_uring buffer b
      And io_uring buffer b is unregistered
      And A vmsplices page 0 into 1030 pipes
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A

    @fork.references.fewer
    Scenario: 1000 references do not look like a pin
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A registers page 0 of other as io_uring buffer b
      And A vmsplices page 0 into 1000 pipes
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

    @fork.references.never-pinned
    Scenario: In a process that never pinned anything no number of references looks like a pin
      Given A has 1 page of private anonymous memory
      And A vmsplices page 0 into 1030 pipes
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

    @fork.references.not-inherited
    Scenario: A child is not taken for one that has pinned because its parent has
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A registers page 0 of other as io_uring buffer b
      And A forks B
      And B writes "b" to page 0
      And B vmsplices page 0 into 1030 pipes
      When B forks C
      Then page 0 of C is the same memory as page 0 of B

    @fork.references.large
    Scenario: A large folio counts its pins apart, so references do not look like one
      Given A has an order-4 folio
      And A has 1 page of private anonymous memory as other
      And A registers page 0 of other as io_uring buffer b
      And A vmsplices page 0 into 1030 pipes
      When A forks B
      Then every page of B is the same memory as every page of A
