# SPDX-License-Identifier: MIT
Feature: Reuse or copy of a page of a large folio that PTEs map

  @cow.large-owner @since:6.18
  Rule: A process that the owner slots show to be alone MUST be allowed to write pages of a large folio in place, if two or more are mapped, by PTEs, and nothing else holds a reference

    @cow.large-owner.child-exits
    Scenario Outline: The parent keeps its folio whole after the child has exited
      Given A has <page>
      And A forks B
      And B exits
      When A writes "new" to every page
      Then every page of A was reused
      And the folio of every page of A has order <order>

      Examples:
        | page                            | order |
        | an order-2 folio                | 2     |
        | an order-3 folio                | 3     |
        | an order-4 folio                | 4     |
        | an order-5 folio                | 5     |
        | an order-6 folio                | 6     |
        | an order-7 folio                | 7     |
        | an order-8 folio                | 8     |
        | an order-9 folio mapped by PTEs | 9     |

    @cow.large-owner.parent-exits
    Scenario Outline: The child keeps the folio whole after the parent has exited
      Given A has <page>
      And A forks B
      And A exits
      When B writes "new" to every page
      Then every page of B was reused

      Examples:
        | page                            |
        | an order-2 folio                |
        | an order-4 folio                |
        | an order-9 folio mapped by PTEs |

    @cow.large-owner.all-but-one
    Scenario Outline: A folio that has lost one page to a copy is still reused
      Given A has <page>
      And A forks B
      And A writes "new" to page 0
      And B exits
      When A writes "new" to page 1
      Then page 1 of A was reused
      And the folio of page 0 of A has order 0
      And the folio of page 1 of A has order <order>

      Examples:
        | page                            | order |
        | an order-2 folio                | 2     |
        | an order-4 folio                | 4     |
        | an order-9 folio mapped by PTEs | 9     |

    @cow.large-owner.two-left
    Scenario Outline: A folio of which two pages are left is still reused
      Given A has <page>
      And A forks B
      And A unmaps <rest>
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was reused
      And the folio of page 0 of A has order <order>

      Examples:
        | page                            | rest           | order |
        | an order-2 folio                | pages 2 to 3   | 2     |
        | an order-4 folio                | pages 2 to 15  | 4     |
        | an order-9 folio mapped by PTEs | pages 2 to 511 | 9     |

    @cow.large-owner.moved
    Scenario Outline: A folio that lies in two regions of one process is still reused
      Given A has <page>
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was reused

      Examples:
        | page                                  |
        | an order-2 folio half moved by mremap |
        | an order-4 folio half moved by mremap |
        | an order-9 folio half moved by mremap |

    @cow.large-owner.child-copied-all
    Scenario: The parent reuses its folio after the child has copied every page
      Given A has an order-4 folio
      And A forks B
      And B writes "b" to every page
      When A writes "a" to every page
      Then every page of A was reused

  @cow.large-one-left @since:6.18
  Rule: A write to an unmarked page that is the only one still mapped of its large anonymous folio MUST copy it

    @cow.large-one-left.child-exits
    Scenario Outline: The last mapped page of a folio is copied, so that the folio can be freed
      Given A has <page>
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was copied
      And the folio of page 0 of A has order 0

      Examples:
        | page                                  |
        | an order-2 folio with one page mapped |
        | an order-3 folio with one page mapped |
        | an order-4 folio with one page mapped |
        | an order-5 folio with one page mapped |
        | an order-6 folio with one page mapped |
        | an order-7 folio with one page mapped |
        | an order-8 folio with one page mapped |
        | an order-9 folio with one page mapped |

    @cow.large-one-left.by-copies
    Scenario: Copies by the owner itself leave one page, and that one is copied too
      Given A has an order-2 folio
      And A forks B
      And A writes "a" to pages 0 to 2
      And B exits
      When A writes "a" to page 3
      Then page 3 of A was copied

  @cow.large-always-copied @since:6.12 @until:6.12
  Rule: A write to an unmarked page of a large anonymous folio mapped by PTEs MUST copy it, also for the last user

    @cow.large-always-copied.child-exits
    Scenario Outline: After the exit of the child each page that the parent writes is copied
      Given A has <page>
      And A forks B
      And B exits
      When A writes "new" to every page
      Then every page of A was copied
      And the folio of every page of A has order 0

      Examples:
        | page                            |
        | an order-2 folio                |
        | an order-4 folio                |
        | an order-9 folio mapped by PTEs |

    @cow.large-always-copied.one-left
    Scenario Outline: The last mapped page of a folio is copied
      Given A has <page>
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was copied

      Examples:
        | page                                  |
        | an order-2 folio with one page mapped |
        | an order-9 folio with one page mapped |

  @cow.large-last-entry @until:6.1
  Rule: A write to an unmarked page of a large anonymous folio mapped by PTEs MUST copy it unless its entry holds the folio's last reference

    @cow.large-last-entry.child-exits
    Scenario: While its neighbours are mapped a page is copied, also for the last user
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was copied

    @cow.large-last-entry.one-left
    Scenario: The last mapped page of a folio is reused, and the folio stays
      Given A has an order-9 folio with one page mapped
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was reused
      And the folio of page 0 of A has order 9

  @cow.large-shared
  Rule: A write to an unmarked page of a large anonymous folio MUST copy it while another process maps any page of the folio

    @cow.large-shared.same-page
    Scenario Outline: A write to a page that both map copies that page alone
      Given A has <page>
      And A forks B
      When A writes "new" to page 1
      Then page 1 of A was copied
      And the folio of page 1 of A has order 0
      And page 0 of A is the same memory as page 0 of B
      And pages 2 to 3 of A are the same memory as pages 2 to 3 of B

      Examples:
        | page                            |
        | an order-2 folio                |
        | an order-3 folio                |
        | an order-4 folio                |
        | an order-5 folio                |
        | an order-6 folio                |
        | an order-7 folio                |
        | an order-8 folio                |
        | an order-9 folio mapped by PTEs |

    @cow.large-shared.own-half
    Scenario Outline: Two processes that keep different halves both copy what they write
      Given A has <page>
      And A forks B
      And A unmaps <upper>
      And B unmaps <lower>
      When A writes "new" to page 0
      Then page 0 of A was copied
      When B writes "new" to page <middle>
      Then page <middle> of B was copied

      Examples:
        | page                            | lower          | upper            | middle |
        | an order-2 folio                | pages 0 to 1   | pages 2 to 3     | 2      |
        | an order-4 folio                | pages 0 to 7   | pages 8 to 15    | 8      |
        | an order-9 folio mapped by PTEs | pages 0 to 255 | pages 256 to 511 | 256    |

    @cow.large-shared.own-half-exclusively @config:page_mapcount
    Scenario: Mapcount 1 and bit 56 of pagemap do not promise a write in place
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      And A unmaps pages 256 to 511
      When B unmaps pages 0 to 255
      Then page 0 of A has mapcount 1
      And page 0 of A is mapped exclusively
      When A writes "new" to page 0
      Then page 0 of A was copied

    @cow.large-shared.already-copied
    Scenario: A page that the other has copied is still copied, for the other maps its neighbours
      Given A has an order-4 folio
      And A forks B
      And B writes "b" to page 0
      When A writes "a" to page 0
      Then page 0 of A was copied

    @cow.large-shared.dontfork-half
    Scenario Outline: Pages that were kept from the child are reused, pages that it got are copied
      Given A has <page>
      And A calls MADV_DONTFORK on <upper>
      And A forks B
      When A writes "new" to every page
      Then <lower> of A were copied
      And <upper> of A were reused

      Examples:
        | page                             | lower          | upper            |
        | an order-2 folio                 | pages 0 to 1   | pages 2 to 3     |
        | an order-4 folio                 | pages 0 to 7   | pages 8 to 15    |
        | an order-9 folio mapped by a PMD | pages 0 to 255 | pages 256 to 511 |

  @cow.large-reference
  Rule: A reference to any page of a large anonymous folio MUST make a write copy every unmarked page of it, hugetlb excepted

    @cow.large-reference.other-page
    Scenario Outline: A reference to page 3 makes a write to page 0 copy
      Given A has <page>
      And A forks B
      And A vmsplices page 3 into pipe p
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was copied

      Examples:
        | page                             |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @cow.large-reference.content
    Scenario Outline: The page in the pipe keeps its content
      Given A has <page>
      And A forks B
      And A vmsplices page 3 into pipe p
      And B exits
      When A writes "new" to every page
      Then page 3 of A was copied
      And pipe p holds "old"

      Examples:
        | page                             |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @cow.large-reference.dropped @since:6.18
    Scenario Outline: When the reference has been dropped the pages are reused
      Given A has <page>
      And A forks B
      And A vmsplices page 3 into pipe p
      And B exits
      And A writes "new" to page 0
      And pipe p is closed
      When A writes "new" to page 1
      Then page 1 of A was reused

      Examples:
        | page                             |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @cow.large-reference.marked
    Scenario Outline: A page that is marked is reused in spite of a reference to its neighbour
      Given A has <page>
      And A vmsplices page 0 into pipe p
      And A makes every page read-only
      And A makes every page read-write
      When A writes "new" to page 1
      Then page 1 of A was reused

      Examples:
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-9 folio partly shared before |

  @cow.large-untracked @since:6.18
  Rule: A process that no owner slot names MUST NOT reuse an unmarked page of a large folio mapped by PTEs, even alone

    @cow.large-untracked.third
    Scenario Outline: The third process to map a folio copies every page, even when it is the last
      Given A has <page>
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C writes "new" to page 0
      Then page 0 of C was copied
      When C writes "new" to page 1
      Then page 1 of C was copied

      Examples:
        | page                            |
        | an order-2 folio                |
        | an order-4 folio                |
        | an order-9 folio mapped by PTEs |

    @cow.large-untracked.exclusively @config:page_mapcount
    Scenario: The third process copies although bit 56 of pagemap says that it is alone
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      When B exits
      Then every page of C is mapped exclusively
      When C writes "new" to page 0
      Then page 0 of C was copied

    @cow.large-untracked.second
    Scenario: The second process to map a folio is tracked and reuses it when it is the last
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And C exits
      When B writes "new" to every page
      Then every page of B was reused

    @cow.large-untracked.first
    Scenario Outline: The first process to map a folio reuses it, whichever child exits first
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And <first> exits
      And <second> exits
      When A writes "new" to every page
      Then every page of A was reused

      Examples:
        | first | second |
        | B     | C      |
        | C     | B      |

    @cow.large-untracked.slot-taken-again
    Scenario: A later child takes the slot of an earlier one, and the parent still reuses in the end
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And B exits
      And A forks D
      And C exits
      And D exits
      When A writes "new" to every page
      Then every page of A was reused

    @cow.large-untracked.one-left
    Scenario: With one page left the third process copies, as everybody does
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      And C unmaps pages 0 to 4
      And C unmaps pages 6 to 15
      When C writes "new" to page 5
      Then page 5 of C was copied

    @cow.large-untracked.unmapped
    Scenario: An untracked child that discards the folio does not disturb the owner
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And C calls MADV_DONTNEED on every page
      And B exits
      When A writes "new" to every page
      Then every page of A was reused
