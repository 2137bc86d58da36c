# SPDX-License-Identifier: MIT
Feature: Reuse or copy of a small anonymous page

  @cow.marked
  Rule: A write to a page that is marked exclusive MUST reuse it, whatever references it has

    @cow.marked.reference
    Scenario Outline: A FOLL_GET reference and an mprotect round trip do not make a marked page be copied
      Given A has <page>
      And A vmsplices page 0 into pipe p
      And A makes every page read-only
      And A makes every page read-write
      When A writes "new" to page 0
      Then page 0 of A was reused
      And pipe p holds "new"

      Examples:
        | page                                  |
        | a base page                           |
        | an order-2 folio                      |
        | an order-4 folio                      |
        | an order-4 folio with one page mapped |
        | an order-9 folio mapped by a PMD      |
        | an order-9 folio mapped by PTEs       |
        | an order-9 folio with one page mapped |
        | an order-9 folio half moved by mremap |
        | a hugetlb page                        |

    @cow.marked.own-copy
    Scenario: A copy belongs to its writer, so a reference to it does not make the next write copy again
      Given A has 1 page of private anonymous memory
      And A forks B
      And B writes "b" to page 0
      And B vmsplices page 0 into pipe p
      And B makes page 0 read-only
      And B makes page 0 read-write
      When B writes "b2" to page 0
      Then page 0 of B was reused
      And pipe p holds "b2"

    @cow.marked.read-only-entry
    Scenario Outline: A marked page whose entry a read pin has left read-only is reused in spite of a reference
      Given A has <page>
      And A forks B
      And A reads page 0 with process_vm_readv
      And A vmsplices page 0 into pipe p
      When A writes "new" to page 0
      Then page 0 of A was reused
      And pipe p holds "new"

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @cow.marked.read-only-folio
    Scenario Outline: A folio that its last user has only pinned for reading is reused in spite of a reference
      Given A has <page>
      And A forks B
      And B exits
      And A reads page 0 with process_vm_readv
      And A vmsplices page 0 into pipe p
      When A writes "new" to page 0
      Then every page of A was reused
      And pipe p holds "new"

      Examples:
        | page                             |
        | a base page                      |
        | an order-9 folio mapped by a PMD |
        | a hugetlb page                   |

    @cow.marked.forced @needs:proc-mem-force
    Scenario: A copy that FOLL_FORCE has made is written again in spite of a reference
      Given A has 1 page of private anonymous memory
      And A forks B
      And A makes page 0 read-only
      And A writes "a" to page 0 through its mem file
      And A vmsplices page 0 into pipe p
      When A writes "a2" to page 0 through its mem file
      Then page 0 of A was reused
      And pipe p holds "a2"

    @cow.marked.one-left
    Scenario Outline: The last mapped page of a folio is reused if it has never been shared
      Given A has <page>
      And A makes page 0 read-only
      And A makes page 0 read-write
      When A writes "new" to page 0
      Then page 0 of A was reused
      And the folio of page 0 of A has order <order>

      Examples:
        | page                                  | order |
        | an order-2 folio with one page mapped | 2     |
        | an order-4 folio with one page mapped | 4     |
        | an order-9 folio with one page mapped | 9     |

    @cow.marked.reused-once
    Scenario: A page that was reused once is reused again although a reference was taken since
      Given A has 1 page of private anonymous memory
      And A forks B
      And B exits
      And A writes "mine" to page 0
      And A vmsplices page 0 into pipe p
      And A makes page 0 read-only
      And A makes page 0 read-write
      When A writes "new" to page 0
      Then page 0 of A was reused

  @cow.last-user
  Rule: The last user of a small anonymous page MUST be allowed to write it in place, KSM pages excepted

    @cow.last-user.child-exits
    Scenario: The parent reuses the page after the child has exited
      Given A has 1 page of private anonymous memory
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was reused

    @cow.last-user.parent-exits
    Scenario: The child reuses the page after the parent has exited
      Given A has 1 page of private anonymous memory
      And A forks B
      And A exits
      When B writes "new" to page 0
      Then page 0 of B was reused

    @cow.last-user.child-copied
    Scenario: The parent reuses the page after the child has got its own copy
      Given A has 1 page of private anonymous memory
      And A forks B
      And B writes "b" to page 0
      When A writes "a" to page 0
      Then page 0 of A was reused

    @cow.last-user.child-unmaps
    Scenario: The parent reuses the page after the child has unmapped it
      Given A has 1 page of private anonymous memory
      And A forks B
      And B unmaps page 0
      When A writes "new" to page 0
      Then page 0 of A was reused

    @cow.last-user.child-discards
    Scenario: The parent reuses the page after the child has discarded it
      Given A has 1 page of private anonymous memory
      And A forks B
      And B calls MADV_DONTNEED on page 0
      When A writes "new" to page 0
      Then page 0 of A was reused

    @cow.last-user.last-of-three
    Scenario: Of three processes the last one reuses the page, whichever it is
      Given A has 1 page of private anonymous memory
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C writes "new" to page 0
      Then page 0 of C was reused

    @cow.last-user.grandchild
    Scenario: A grandchild reuses the page after its parent and grandparent have exited
      Given A has 1 page of private anonymous memory
      And A forks B
      And B forks C
      And B exits
      And A exits
      When C writes "new" to page 0
      Then page 0 of C was reused

    @cow.last-user.looked-at
    Scenario: A read through the mem file leaves no reference behind
      Given A has 1 page of private anonymous memory
      And A forks B
      And B exits
      And A reads page 0 through its mem file
      When A writes "new" to page 0
      Then page 0 of A was reused

  @cow.shared
  Rule: A write to an anonymous page that another process maps MUST copy it, and leave it to the others

    @cow.shared.child-writes
    Scenario: The child gets a copy and the parent keeps the page
      Given A has 1 page of private anonymous memory
      And A forks B
      When B writes "new" to page 0
      Then page 0 of B was copied
      And page 0 of A is where it was
      And page 0 of A has mapcount 1
      And page 0 of B has mapcount 1

    @cow.shared.parent-writes
    Scenario: The parent gets a copy and the child keeps the page
      Given A has 1 page of private anonymous memory
      And A forks B
      When A writes "new" to page 0
      Then page 0 of A was copied
      And page 0 of B is where it was

    @cow.shared.only-that-page
    Scenario: The neighbours of the page written stay shared
      Given A has 4 pages of private anonymous memory
      And A forks B
      When B writes "new" to page 1
      Then page 1 of B was copied
      And page 0 of B is the same memory as page 0 of A
      And pages 2 to 3 of B are the same memory as pages 2 to 3 of A
      And pages 2 to 3 of A have mapcount 2

    @cow.shared.three
    Scenario: Of three sharers two get copies and the last keeps the page
      Given A has 1 page of private anonymous memory
      And A forks B
      And A forks C
      When A writes "a" to page 0
      Then page 0 of A was copied
      And page 0 of B has mapcount 2
      When B writes "b" to page 0
      Then page 0 of B was copied
      When C writes "c" to page 0
      Then page 0 of C was reused

    @cow.shared.one-of-two-exits
    Scenario: The exit of one of two other sharers is not enough
      Given A has 1 page of private anonymous memory
      And A forks B
      And A forks C
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was copied
      And C reads "old" in page 0

  @cow.copy-owned
  Rule: The page that a copy makes MUST belong to its writer alone

    @cow.copy-owned.again
    Scenario: The next write finds the copy and reuses it
      Given A has 1 page of private anonymous memory
      And A forks B
      And B writes "b" to page 0
      When B writes "b2" to page 0
      Then page 0 of B was reused

    @cow.copy-owned.exclusively
    Scenario: The copy is mapped exclusively, and so is the page that the other kept
      Given A has 1 page of private anonymous memory
      And A forks B
      When B writes "b" to page 0
      Then page 0 of B is mapped exclusively
      And page 0 of A is mapped exclusively

    @cow.copy-owned.marked
    Scenario: The copy is marked exclusive, and the page that the other kept is not
      Given A has 1 page of private anonymous memory
      And A forks B
      When B writes "b" to page 0
      Then page 0 of B is marked exclusive
      And page 0 of A is not marked exclusive

    @cow.copy-owned.forked
    Scenario: A copy is shared by the next fork like any other page
      Given A has 1 page of private anonymous memory
      And A forks B
      And B writes "b" to page 0
      When B forks C
      Then page 0 of C is the same memory as page 0 of B
      And page 0 of B has mapcount 2

    @cow.copy-owned.writable
    Scenario: The copy is mapped writable, the page that the other kept stays read-only until written
      Given A has 1 page of private anonymous memory
      And A forks B
      When B writes "b" to page 0
      Then page 0 of B is mapped writable
      And page 0 of A is mapped read-only

  @cow.extra-reference
  Rule: A write to an unmarked small anonymous page MUST copy it while anybody besides its one mapping holds a reference

    @cow.extra-reference.own-pipe
    Scenario: A page that the writer itself has spliced into a pipe is copied
      Given A has 1 page of private anonymous memory
      And A forks B
      And A vmsplices page 0 into pipe p
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was copied
      And pipe p holds "old"

    @cow.extra-reference.child-pipe
    Scenario: A page that an exited child has spliced into a pipe is copied
      Given A has 1 page of private anonymous memory
      And A forks B
      And B vmsplices page 0 into pipe p
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was copied
      And pipe p holds "old"

    @cow.extra-reference.says-exclusive
    Scenario: Mapcount 1 and bit 56 of pagemap do not promise a write in place
      Given A has 1 page of private anonymous memory
      And A forks B
      And A vmsplices page 0 into pipe p
      When B exits
      Then page 0 of A has mapcount 1
      And page 0 of A is mapped exclusively
      When A writes "new" to page 0
      Then page 0 of A was copied

    @cow.extra-reference.dropped
    Scenario: When the reference has been dropped the page is reused
      Given A has 1 page of private anonymous memory
      And A forks B
      And A vmsplices page 0 into pipe p
      And B exits
      And pipe p is closed
      When A writes "new" to page 0
      Then page 0 of A was reused

    @cow.extra-reference.mprotect
    Scenario: An mprotect round trip does not make an unmarked page writable
      Given A has 1 page of private anonymous memory
      And A forks B
      And A vmsplices page 0 into pipe p
      And B exits
      And A makes page 0 read-only
      And A makes page 0 read-write
      When A writes "new" to page 0
      Then page 0 of A was copied
      And pipe p holds "old"

    @cow.extra-reference.before-fork
    Scenario: A reference taken before fork makes the last user copy after it
      Given A has 1 page of private anonymous memory
      And A vmsplices page 0 into pipe p
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was copied
      And pipe p holds "old"

  @cow.reading
  Rule: Reading a shared page, by a load or through a FOLL_GET reference, MUST NOT end the sharing

    @cow.reading.load
    Scenario Outline: Loads by both sides leave the page where it is
      Given A has <page>
      And A forks B
      When B reads every page
      And A reads every page
      Then every page of B is the same memory as every page of A
      And every page of A is where it was

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @cow.reading.mem-file
    Scenario Outline: A read through the mem file leaves the page where it is
      Given A has <page>
      And A forks B
      When A reads page 0 through its mem file
      Then every page of A is where it was
      And every page of A is the same memory as every page of B

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @cow.reading.vmsplice
    Scenario Outline: A vmsplice leaves the page where it is
      Given A has <page>
      And A forks B
      When A vmsplices page 0 into pipe p
      Then every page of A is where it was
      And every page of A is the same memory as every page of B

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @cow.reading.unmarked
    Scenario: A read through the mem file does not mark the page
      Given A has 1 page of private anonymous memory
      And A forks B
      And B exits
      When A reads page 0 through its mem file
      Then page 0 of A is not marked exclusive
