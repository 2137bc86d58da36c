# SPDX-License-Identifier: MIT
Feature: Migration of large folios

  @large_folios.migrated @needs:migrate
  Rule: Migration of a large anonymous folio that is not marked partially mapped MUST move all of it, keep its order, its content and its markers, and map it as it was mapped

    @large_folios.migrated.whole
    Scenario Outline: One page that is moved takes all of <folio> with it
      Given A has <folio>
      When A moves page 3 to the other node
      Then every page of A is other memory than before
      And the folio of every page of A has order <order>
      And A has <entry> for every page
      And A reads "old" in every page
      And every page of A is marked exclusive

      Examples:
        | folio                            | order | entry |
        | an order-2 folio                 | 2     | a PTE |
        | an order-4 folio                 | 4     | a PTE |
        | an order-9 folio mapped by a PMD | 9     | a PMD |
        | an order-9 folio mapped by PTEs  | 9     | a PTE |

    @large_folios.migrated.twice
    Scenario: A folio that a PMD maps can be moved there and back
      Given A has an order-9 folio mapped by a PMD
      And A moves every page to the other node
      When A moves every page to the other node
      Then every page of A is other memory than before
      And A has a PMD for every page

    @large_folios.migrated.shared
    Scenario: A folio that two processes map is moved for both
      Given A has an order-4 folio
      And A forks B
      When A tries to move every page to the other node with MPOL_MF_MOVE_ALL
      Then move_pages says moved of each page
      And every page of B is the same memory as every page of A
      And page 0 of A has mapcount 2
      And B reads "old" in every page

    @large_folios.migrated.part @since:6.12
    Scenario: A folio that is marked because half of it is unmapped is split, and its pages are moved one by one
      Given A has an order-4 folio
      And A unmaps pages 8 to 15
      When A moves pages 0 to 7 to the other node
      Then pages 0 to 7 of A are other memory than before
      And the folio of pages 0 to 7 of A has order 0
      And A reads "old" in pages 0 to 7

  @large_folios.migrated-marked @needs:migrate
  Rule: Migration MAY leave a folio that PTEs map marked as partially mapped, all mapped as it is, and the next migration MUST split it then

    @large_folios.migrated-marked.marked @since:7.3
    Scenario Outline: After one migration <folio> is marked, though all of it is mapped
      Given A has <folio>
      When A moves every page to the other node
      Then the folio of page 0 of A is partially mapped

      Examples:
        | folio                           |
        | an order-2 folio                |
        | an order-4 folio                |
        | an order-9 folio mapped by PTEs |

    @large_folios.migrated-marked.marked-6-12 @since:6.12 @until:6.12
    Scenario: So it is in 6.12.117
      Given A has an order-4 folio
      When A moves every page to the other node
      Then the folio of page 0 of A is partially mapped

    @large_folios.migrated-marked.split @since:7.3
    Scenario Outline: A second migration makes base pages of <folio>
      Given A has <folio>
      And A moves every page to the other node
      When A moves every page to the other node
      Then the folio of every page of A has order 0
      And A reads "old" in every page

      Examples:
        | folio                           |
        | an order-2 folio                |
        | an order-4 folio                |
        | an order-9 folio mapped by PTEs |

    @large_folios.migrated-marked.failed @since:6.12
    Scenario: An attempt that fails because somebody has a reference marks it, too
      Given A has an order-4 folio
      And A gets page 0 for reading as hold h
      When A tries to move every page to the other node
      Then the folio of page 0 of A is partially mapped
      And every page of A is where it was

    @large_folios.migrated-marked.pinned @since:6.12
    Scenario: One that fails because the page is pinned ends before it does anything
      Given A has an order-4 folio
      And A pins page 0 for reading as hold h
      When A tries to move every page to the other node
      Then the folio of page 0 of A is not partially mapped

    @large_folios.migrated-marked.pmd @since:6.12
    Scenario: A folio that a PMD maps is not marked
      Given A has an order-9 folio mapped by a PMD
      When A moves every page to the other node
      Then the folio of page 0 of A is not partially mapped

    @large_folios.migrated-marked.unmarked @since:6.18 @until:6.18
    Scenario: In 6.18.15 the folio is not marked, and stays whole as often as it is moved
      Given A has an order-4 folio
      And A moves every page to the other node
      When A moves every page to the other node
      Then the folio of page 0 of A is not partially mapped
      And the folio of every page of A has order 4

    @large_folios.migrated-marked.unmarked-6-1 @until:6.1
    Scenario: In 6.1 it is not, either
      Given A has an order-9 folio mapped by PTEs
      And A moves every page to the other node
      When A moves every page to the other node
      Then the folio of page 0 of A is not partially mapped
      And the folio of every page of A has order 9
