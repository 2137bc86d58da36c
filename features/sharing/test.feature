# SPDX-License-Identifier: MIT
Feature: The kernel's own sharing test

  @sharing.small
  Rule: A small folio or a hugetlb folio MUST be called shared exactly when its mapcount is above 1

    @sharing.small.alone
    Scenario Outline: <page> of one process is not shared
      Given A has <page>
      Then page 0 of A is not shared

      Examples:
        | page           |
        | a base page    |
        | a hugetlb page |

    @sharing.small.forked
    Scenario Outline: <page> is shared between parent and child
      Given A has <page>
      When A forks B
      Then page 0 of A is maybe shared
      And page 0 of B is maybe shared

      Examples:
        | page           |
        | a base page    |
        | a hugetlb page |

    @sharing.small.third
    Scenario Outline: The last of three processes with <page> is found exclusive, whichever it is
      Given A has <page>
      And A forks B
      And A forks C
      When A exits
      And B exits
      Then page 0 of C is not shared

      Examples:
        | page           |
        | a base page    |
        | a hugetlb page |

    @sharing.small.two-vmas
    Scenario: A small file page that one process maps twice is called shared
      Given file f has 1 page on memfd
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then page 0 of A's one is maybe shared

    @sharing.small.ksm
    Scenario: A KSM page that stands for two pages of one process is called shared
      Given A has 2 pages of private anonymous memory
      And A calls MADV_MERGEABLE on every page
      When KSM merges what it can
      Then every page of A is maybe shared

  @sharing.never-false-exclusive @since:6.18
  Rule: Outside hugetlb the sharing test MUST NOT call a large folio exclusive while two processes map any part of it

    @sharing.never-false-exclusive.fork
    Scenario Outline: <folio> is called shared after fork, on both sides
      Given A has <folio>
      When A forks B
      Then every page of A is maybe shared
      And every page of B is maybe shared

      Examples:
        | folio                            |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @sharing.never-false-exclusive.three
    Scenario: A third process is told shared though no slot counts it
      Given A has an order-4 folio
      And A forks B
      When A forks C
      Then every page of C is maybe shared

    @sharing.never-false-exclusive.half-each
    Scenario: Two processes that keep a different half are both told shared
      Given A has an order-4 folio
      And A forks B
      When A unmaps pages 8 to 15
      And B unmaps pages 0 to 7
      Then page 0 of A is maybe shared
      And page 8 of B is maybe shared

    @sharing.never-false-exclusive.one-each
    Scenario: Two processes that keep one different page each are both told shared
      Given A has an order-4 folio
      And A forks B
      When A unmaps pages 1 to 15
      And B unmaps pages 2 to 15
      And B unmaps page 0
      Then page 0 of A is maybe shared
      And page 1 of B is maybe shared

    @sharing.never-false-exclusive.pmd-and-pte
    Scenario: One PTE beside the PMD of another process makes it shared
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B unmaps pages 1 to 511
      Then page 511 of A is maybe shared
      And page 0 of B is maybe shared

    @sharing.never-false-exclusive.dontfork
    Scenario: A child that got half of the folio makes all of it shared
      Given A has an order-4 folio
      And A calls MADV_DONTFORK on pages 0 to 7
      When A forks B
      Then every page of A is maybe shared

    @sharing.never-false-exclusive.copied
    Scenario: A page that nobody else maps any more is shared as long as its folio is
      Given A has an order-4 folio
      And A forks B
      When B writes "new" to page 0
      Then page 0 of A is maybe shared
      And page 0 of B is not shared

    @sharing.never-false-exclusive.shmem
    Scenario: A shmem folio that two processes map is shared
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared, 1 page off its alignment, as log
      When A reads page 0
      And B reads page 511 of log
      Then page 0 of A is maybe shared
      And page 511 of B's log is maybe shared

    @sharing.never-false-exclusive.second-leaves-third
    Scenario: Two of three are left and both are told shared, whoever has a slot
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When B exits
      Then page 0 of A is maybe shared
      And page 0 of C is maybe shared

  @sharing.one-mapping @since:6.12
  Rule: A large folio with a single mapping MUST be called exclusive

    @sharing.one-mapping.pmd
    Scenario: A folio under the only PMD is not shared
      Given A has an order-9 folio mapped by a PMD
      Then every page of A is not shared

    @sharing.one-mapping.last-pmd
    Scenario: The last PMD of three is exclusive, whichever process has it
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A forks C
      When A exits
      And B exits
      Then every page of C is not shared

    @sharing.one-mapping.one-page
    Scenario Outline: <folio> is not shared
      Given A has <folio>
      Then page 0 of A is not shared

      Examples:
        | folio                                 |
        | an order-4 folio with one page mapped |
        | an order-9 folio with one page mapped |

    @sharing.one-mapping.third-one-page
    Scenario: The third process is found exclusive once it maps one page only
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C unmaps pages 0 to 4
      And C unmaps pages 6 to 15
      Then page 5 of C is not shared

  @sharing.one-process @since:6.18
  Rule: Outside hugetlb a large folio that only ever one process has mapped MUST be called exclusive, however often it maps it

    @sharing.one-process.alone
    Scenario Outline: <folio> of one process is not shared
      Given A has <folio>
      Then page 0 of A is not shared

      Examples:
        | folio                                 |
        | an order-2 folio                      |
        | an order-4 folio                      |
        | an order-8 folio                      |
        | an order-9 folio mapped by PTEs       |
        | an order-4 folio half moved by mremap |
        | an order-4 folio partly shared before |

    @sharing.one-process.two-vmas
    Scenario: A shmem folio that one process maps by two PMDs is not shared
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then every page of A's one is not shared

    @sharing.one-process.pmd-and-ptes
    Scenario: A PMD and PTEs of one process are one owner
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared, 1 page off its alignment, as two
      When A reads page 0 of one
      And A reads every page of two
      Then every page of A's one is not shared
      And every page of A's two is not shared

  @sharing.sticky @since:6.18
  Rule: A process whose mappings no slot counts completely MAY be called shared, though it is alone, until it has one mapping left

    @sharing.sticky.third
    Scenario: The third process is called shared after the two others have exited
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When A exits
      And B exits
      Then every page of C is maybe shared

    @sharing.sticky.copies
    Scenario: It copies each page that it writes
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C writes "new" to page 3
      Then page 3 of C was copied
      And page 4 of C is where it was

    @sharing.sticky.copies-again
    Scenario: It copies the next page too
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      And C writes "new" to page 3
      When C writes "new" to page 4
      Then page 4 of C was copied

    @sharing.sticky.double-fork
    Scenario: A daemon that was forked twice copies, if its grandparent was still there at the second fork
      Given A has an order-4 folio
      And A forks B
      And B forks C
      And A exits
      And B exits
      When C writes "new" to page 3
      Then page 3 of C was copied

    @sharing.sticky.order-9
    Scenario: It copies pages of an order-9 folio that PTEs map
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C writes "new" to page 3
      Then page 3 of C was copied

    @sharing.sticky.pmd
    Scenario: It does not copy under a PMD, where the slots are not asked
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C writes "new" to page 3
      Then every page of C was reused

    @sharing.sticky.pmd-split
    Scenario: Once its PMD is split it copies like with PTEs from the start
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A forks C
      And A exits
      And B exits
      And C is mapped by PTEs
      When C writes "new" to page 3
      Then page 3 of C was copied

    @sharing.sticky.new-child
    Scenario: A child that it forks gets the slot that it never had, and both are told shared
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C forks D
      Then page 0 of C is maybe shared
      And page 0 of D is maybe shared

    @sharing.sticky.new-child-exits
    Scenario: When that child exits it is still called shared
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      And C forks D
      When D exits
      Then page 0 of C is maybe shared

  @sharing.exit-order @since:6.18
  Rule: A process whose slot counts all its mappings MUST be called exclusive when all others have gone, in whichever order they go

    @sharing.exit-order.second-left
    Scenario: The third exits, then the first: the second is exclusive
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When C exits
      And A exits
      Then every page of B is not shared

    @sharing.exit-order.second-left-other
    Scenario: The first exits, then the third: the second is exclusive
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When A exits
      And C exits
      Then every page of B is not shared

    @sharing.exit-order.first-left
    Scenario: The second exits, then the third: the first is exclusive
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When B exits
      And C exits
      Then every page of A is not shared

    @sharing.exit-order.first-left-other
    Scenario: The third exits, then the second: the first is exclusive
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When C exits
      And B exits
      Then every page of A is not shared

    @sharing.exit-order.reuse
    Scenario Outline: When <case> have exited the process that is left writes in place
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And <one> exits
      And <other> exits
      When <left> writes "new" to page 3
      Then page 3 of <left> was reused

      Examples:
        | case               | one | other | left |
        | B and then C       | B   | C     | A    |
        | C and then B       | C   | B     | A    |
        | A and then C       | A   | C     | B    |
        | C and then A       | C   | A     | B    |

    @sharing.exit-order.slot-taken
    Scenario: A process forked later takes the free slot and the parent still ends up exclusive
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And B exits
      And A forks D
      And C exits
      And D exits
      When A writes "new" to page 3
      Then page 3 of A was reused

    @sharing.exit-order.double-fork
    Scenario: A daemon that was forked twice writes in place, if its grandparent had exited before the second fork
      Given A has an order-4 folio
      And A forks B
      And A exits
      And B forks C
      And B exits
      When C writes "new" to page 3
      Then page 3 of C was reused

    @sharing.exit-order.unmap
    Scenario: Unmapping the folio is as good as exiting
      Given A has an order-4 folio
      And A forks B
      When A unmaps every page
      And B writes "new" to page 3
      Then page 3 of B was reused

    @sharing.exit-order.dontneed
    Scenario: MADV_DONTNEED of the whole folio is as good as exiting
      Given A has an order-4 folio
      And A forks B
      And B calls MADV_DONTNEED on every page
      When A writes "new" to page 3
      Then page 3 of A was reused

  @sharing.estimate @until:6.1
  Rule: In 6.1 the test MAY call a shared large folio exclusive, or the folio of one process shared, because it asks one page

    @sharing.estimate.half-each
    Scenario: Two processes that keep a different half are both told exclusive
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      When A unmaps pages 256 to 511
      And B unmaps pages 0 to 255
      Then page 0 of A is not shared

    @sharing.estimate.fork
    Scenario Outline: <folio> is estimated shared after fork
      Given A has <folio>
      When A forks B
      Then page 0 of A is maybe shared

      Examples:
        | folio                            |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @sharing.estimate.copied
    Scenario: The copy of the first page makes the old folio look exclusive
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B writes "new" to page 0
      Then page 0 of A is not shared

    @sharing.estimate.two-vmas
    Scenario: A shmem folio that one process maps twice is called shared
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then page 0 of A's one is maybe shared

  @sharing.likely @since:6.12 @until:6.12
  Rule: In 6.12 more mappings than pages, or a second one beside an entire one, MUST mean shared; else the first page decides

    @sharing.likely.fork
    Scenario Outline: <folio> is guessed shared after fork
      Given A has <folio>
      When A forks B
      Then page 0 of A is maybe shared

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @sharing.likely.alone
    Scenario Outline: <folio> of one process is not guessed shared
      Given A has <folio>
      Then page 0 of A is not shared

      Examples:
        | folio                           |
        | an order-4 folio                |
        | an order-9 folio mapped by PTEs |

    @sharing.likely.one-page-more
    Scenario: One page of the child makes 17 mappings of 16 pages
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages 0 to 14
      Then page 0 of A is maybe shared

    @sharing.likely.first-page
    Scenario: With 16 mappings or fewer the first page decides for all
      Given A has an order-4 folio
      And A forks B
      When A unmaps pages 8 to 15
      And B unmaps pages 8 to 15
      Then pages 0 to 7 of B are maybe shared

    @sharing.likely.third
    Scenario: The last of three processes is found exclusive, whichever it is
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When A exits
      And B exits
      Then every page of C is not shared

  @sharing.likely-wrong @since:6.12 @until:6.12
  Rule: In 6.12 the test MAY err both ways

    @sharing.likely-wrong.half-each
    Scenario: Two processes that keep a different half are both called exclusive
      Given A has an order-4 folio
      And A forks B
      When A unmaps pages 8 to 15
      And B unmaps pages 0 to 7
      Then page 0 of A is not shared
      And page 8 of B is not shared

    @sharing.likely-wrong.first-page-unmapped
    Scenario: Two processes that share every page but the first are both called exclusive
      Given A has an order-4 folio
      And A forks B
      When A unmaps pages 0 to 8
      And B unmaps pages 0 to 8
      Then page 9 of A is not shared
      And page 9 of B is not shared

    @sharing.likely-wrong.two-vmas
    Scenario: A shmem folio that one process maps by two PMDs is called shared
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then page 0 of A's one is maybe shared
