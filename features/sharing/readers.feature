# SPDX-License-Identifier: MIT
Feature: Who asks whether a page is shared

  @sharing.advice-skips
  Rule: MADV_COLD, MADV_PAGEOUT and MADV_FREE on a part of a large folio that is called shared MUST return 0 and leave the folio whole

    @sharing.advice-skips.cold
    Scenario Outline: MADV_COLD on 2 pages of <folio> that a child shares does nothing
      Given A has <folio>
      And A forks B
      When A tries MADV_COLD on pages 0 to 1
      Then it succeeds
      And the folio of page 0 of A has order <order>

      Examples:
        | folio                            | order |
        | an order-4 folio                 | 4     |
        | an order-9 folio mapped by PTEs  | 9     |
        | an order-9 folio mapped by a PMD | 9     |

    @sharing.advice-skips.free
    Scenario Outline: MADV_FREE on 2 pages of <folio> that a child shares does nothing
      Given A has <folio>
      And A forks B
      When A tries MADV_FREE on pages 0 to 1
      Then it succeeds
      And the folio of page 0 of A has order <order>
      And page 0 of A is swap-backed

      Examples:
        | folio                            | order |
        | an order-4 folio                 | 4     |
        | an order-9 folio mapped by PTEs  | 9     |
        | an order-9 folio mapped by a PMD | 9     |

    @sharing.advice-skips.pageout
    Scenario: MADV_PAGEOUT of a page that a child shares does nothing
      Given A has a base page
      And A forks B
      When A tries MADV_PAGEOUT on page 0
      Then it succeeds
      And A has a PTE for page 0

    @sharing.advice-skips.free-pmd
    Scenario: MADV_FREE of a whole PMD that a child shares does nothing
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A tries MADV_FREE on every page
      Then it succeeds
      And every page of A is swap-backed

    @sharing.advice-skips.half-each @since:6.18
    Scenario: MADV_COLD leaves a folio whole whose other half another process maps
      Given A has an order-4 folio
      And A forks B
      And A unmaps pages 8 to 15
      And B unmaps pages 0 to 7
      When A calls MADV_COLD on pages 0 to 1
      Then the folio of page 0 of A has order 4

    @sharing.advice-skips.one-each @since:6.18
    Scenario: MADV_COLD leaves a folio whole of which another process maps one other page
      Given A has an order-4 folio
      And A forks B
      And A unmaps pages 1 to 15
      And B unmaps pages 0 to 14
      When A calls MADV_COLD on page 0
      Then the folio of page 0 of A has order 4

    @sharing.advice-skips.one-pte @since:6.12
    Scenario: MADV_COLD leaves a folio under a PMD whole of which another process maps one page
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B unmaps pages 0 to 510
      When A calls MADV_COLD on pages 0 to 1
      Then the folio of page 0 of A has order 9

    @sharing.advice-skips.dontfork @since:6.12
    Scenario: MADV_COLD leaves a folio whole whose other half a child was given
      Given A has an order-4 folio
      And A calls MADV_DONTFORK on pages 0 to 7
      And A forks B
      When A calls MADV_COLD on pages 0 to 1
      Then the folio of page 0 of A has order 4

    @sharing.advice-skips.untracked @since:6.18
    Scenario Outline: The last process does not get <folio> split if it was the third
      Given A has <folio>
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C calls MADV_COLD on pages 0 to 1
      Then the folio of page 0 of C has order <order>

      Examples:
        | folio                           | order |
        | an order-4 folio                | 4     |
        | an order-9 folio mapped by PTEs | 9     |

    @sharing.advice-skips.shmem
    Scenario: MADV_COLD on part of a shmem PMD that two processes map does nothing
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      And B reads page 0
      When A calls MADV_COLD on pages 0 to 1
      Then A has a PMD for every page
      And the folio of page 0 of A has order 9

    @sharing.advice-skips.shmem-two-vmas @until:6.12
    Scenario: Until 6.12 a shmem folio that one process maps by two PMDs is left whole
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared as two
      And A reads page 0 of one
      And A reads page 0 of two
      When A calls MADV_COLD on pages 0 to 1 of one
      Then the folio of page 0 of A's two has order 9

  @sharing.advice-acts
  Rule: MADV_COLD and MADV_FREE on a part of a large folio that is called exclusive MUST split it unless somebody holds a reference, and MUST NOT lose content outside their range

    @sharing.advice-acts.cold
    Scenario Outline: MADV_COLD on 2 pages of <folio> splits it when the child has exited
      Given A has <folio>
      And A forks B
      And B exits
      When A calls MADV_COLD on pages 0 to 1
      Then the folio of page 0 of A has order 0
      And the folio of page 2 of A has order 0
      And A reads "old" in every page

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @sharing.advice-acts.free
    Scenario Outline: MADV_FREE on 2 pages of <folio> splits it when the child has exited
      Given A has <folio>
      And A forks B
      And B exits
      When A calls MADV_FREE on pages 0 to 1
      Then the folio of page 2 of A has order 0
      And pages 2 to 3 of A are swap-backed

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @sharing.advice-acts.pageout
    Scenario: MADV_PAGEOUT swaps a page out when the child has exited
      Given A has a base page
      And A forks B
      And B exits
      When A calls MADV_PAGEOUT on page 0
      Then A has a swap entry for page 0

    @sharing.advice-acts.free-pmd
    Scenario: MADV_FREE of a whole PMD marks the folio when nobody shares it
      Given A has an order-9 folio mapped by a PMD
      When A calls MADV_FREE on every page
      Then A has a PMD for every page
      And every page of A is no longer swap-backed

    @sharing.advice-acts.untracked-pmd
    Scenario: Under a PMD the last process gets the folio split though it was the third
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C calls MADV_COLD on pages 0 to 1
      Then the folio of page 0 of C has order 0

    @sharing.advice-acts.one-left @since:6.12
    Scenario: A third process that maps one page only gets the folio split
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      And C unmaps pages 0 to 4
      And C unmaps pages 6 to 15
      When C calls MADV_COLD on page 5
      Then the folio of page 5 of C has order 0

    @sharing.advice-acts.half-each @since:6.12 @until:6.12
    Scenario: In 6.12 a folio is split though another process maps its other half
      Given A has an order-4 folio
      And A forks B
      And A unmaps pages 8 to 15
      And B unmaps pages 0 to 7
      When A calls MADV_COLD on pages 0 to 1
      Then the folio of page 0 of A has order 0
      And the folio of page 8 of B has order 0
      And B reads "old" in pages 8 to 15

    @sharing.advice-acts.untracked @since:6.12 @until:6.12
    Scenario: In 6.12 the last process gets the folio split, whichever it is
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C calls MADV_COLD on pages 0 to 1
      Then the folio of page 0 of C has order 0

    @sharing.advice-acts.one-page-asked @until:6.1
    Scenario: In 6.1 MADV_COLD splits a shared folio for a page that the other side has copied
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      And B writes "new" to page 5
      When A calls MADV_COLD on page 5
      Then the folio of page 5 of A has order 0
      And the folio of page 6 of B has order 0
      And B reads "old" in page 6

    @sharing.advice-acts.first-page-asked @until:6.1
    Scenario: In 6.1 MADV_FREE splits a shared folio when the other side has copied the first page
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      And B writes "new" to page 0
      When A calls MADV_FREE on page 5
      Then the folio of page 5 of A has order 0
      And B reads "old" in page 5

    @sharing.advice-acts.shmem-two-vmas @since:6.18
    Scenario: Since 6.18 a shmem folio that one process maps by two PMDs is split
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared as two
      And A reads page 0 of one
      And A reads page 0 of two
      When A calls MADV_COLD on pages 0 to 1 of one
      And A reads page 0 of two
      Then the folio of page 0 of A's two has order 0

  @sharing.free-clean
  Rule: MADV_FREE of whole folios that PTEs map MAY mark a shared folio that is not dirty; the other process MUST keep its content

    @sharing.free-clean.content
    Scenario Outline: The child keeps <page> when the parent frees it
      Given A has <page>
      And A forks B
      When A calls MADV_FREE on every page
      Then B reads "old" in every page
      And page 0 of B is where it was

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @sharing.free-clean.marked @since:6.12
    Scenario: A folio that was never dirty is marked although a child shares it
      Given A has an order-4 folio
      And A forks B
      When A calls MADV_FREE on every page
      Then every page of B is no longer swap-backed

    @sharing.free-clean.dirty
    Scenario: A folio that a PMD split has made dirty is not marked while a child shares it
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      When A calls MADV_FREE on every page
      Then every page of A is swap-backed

    @sharing.free-clean.dirty-alone @since:6.12
    Scenario: It is marked when nobody shares it
      Given A has an order-9 folio mapped by PTEs
      When A calls MADV_FREE on every page
      Then the folio of page 0 of A has order 9
      And every page of A is no longer swap-backed

  @sharing.move-pages @needs:migrate
  Rule: move_pages without MPOL_MF_MOVE_ALL MUST refuse with EACCES a page that the sharing test calls shared

    @sharing.move-pages.shared
    Scenario Outline: A page of <page> that a child maps is refused
      Given A has <page>
      And A forks B
      When A tries to move page 0 to the other node
      Then move_pages says EACCES of each page
      And page 0 of A is where it was

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @sharing.move-pages.all
    Scenario Outline: With MPOL_MF_MOVE_ALL <page> is moved for both
      Given A has <page>
      And A forks B
      When A tries to move page 0 to the other node with MPOL_MF_MOVE_ALL
      Then move_pages says moved of each page
      And page 0 of A is other memory than before
      And page 0 of B is the same memory as page 0 of A

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @sharing.move-pages.alone
    Scenario: A page whose child has exited is moved
      Given A has 1 page of private anonymous memory
      And A forks B
      And B exits
      When A tries to move page 0 to the other node
      Then move_pages says moved of each page

    @sharing.move-pages.untracked @since:6.18
    Scenario: A process that no owner slot names is refused, though it is alone
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C tries to move every page to the other node
      Then move_pages says EACCES of each page
