# SPDX-License-Identifier: MIT
Feature: Moving parts of large folios

  @large_folios.move-pmd @pmd_order:9
  Rule: mremap MUST move the PMD itself where both ranges cover the whole of it, and MUST split it otherwise

    @large_folios.move-pmd.whole
    Scenario: A whole huge page moved to an aligned address keeps its PMD
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A moves every page to other
      Then A's other has a PMD for every page
      And every page of A's other is the same memory as every page of B
      And counter thp_split_pmd is unchanged

    @large_folios.move-pmd.one-of-two
    Scenario: One of two huge pages moves with its PMD and the other keeps its own
      Given A maps 1024 pages of private anonymous memory for order-9 folios
      And A writes "old" to every page
      When A moves pages 512 to 1023 to other
      Then A has a PMD for pages 0 to 511
      And A's other has a PMD for every page
      And A reads "old" in every page of other
      And counter thp_split_pmd is unchanged

    @large_folios.move-pmd.misaligned
    Scenario: A whole huge page moved one page off its alignment is mapped by PTEs
      Given A has an order-9 folio mapped by a PMD
      When A moves every page to other, 1 page off its alignment
      Then A's other has a PTE for every page
      And the folio of every page of A's other has order 9
      And A reads "old" in every page of other
      And counter thp_split_pmd has risen by 1

    @large_folios.move-pmd.counts
    Scenario: Moving the PMD counts nothing
      Given A has an order-9 folio mapped by a PMD
      When A moves every page to other
      Then the folio of page 0 of A's other has mapcount 1
      And the folio of page 0 of A's other has entire mapcount 1
      And the folio of page 0 of A's other has 1 reference

  @large_folios.move-part
  Rule: Moving a part of a large folio MUST move its entries and MUST NOT change the pages, their markers, their mapcounts or the folio

    @large_folios.move-part.same-pages
    Scenario Outline: Both halves of an order-<order> folio keep their pages
      Given A has an order-<order> folio
      And A forks B
      When A moves pages 0 to <mid> to other
      Then every page of A's other is the same memory as pages 0 to <mid> of B
      And pages <next> to <last> of A are where they were
      And the folio of every page of A's other has order <order>
      And counter split_deferred is unchanged

      Examples:
        | order | mid | next | last |
        | 2     | 1   | 2    | 3    |
        | 4     | 7   | 8    | 15   |
        | 9     | 255 | 256  | 511  |

    @large_folios.move-part.still-exclusive
    Scenario Outline: The pages of <folio> stay exclusive and are written in place
      Given A has <folio>
      When A writes "new" to every page
      Then every page of A was reused
      And every page of A is mapped exclusively

      Examples:
        | folio                                 |
        | an order-4 folio half moved by mremap |
        | an order-9 folio half moved by mremap |

    @large_folios.move-part.marker
    Scenario: The pages of an order-9 folio half moved by mremap keep their marker
      Given A has an order-9 folio half moved by mremap
      Then every page of A is marked exclusive

    @large_folios.move-part.counts
    Scenario Outline: An order-<order> folio in two places has the mapcount that it had by PTEs
      Given A has an order-<order> folio half moved by mremap
      Then the folio of page 0 of A has mapcount <mapcount>
      And the folio of page 0 of A has entire mapcount 0
      And the folio of page 0 of A is not partially mapped

      Examples:
        | order | mapcount |
        | 4     | 16       |
        | 9     | 512      |

    @large_folios.move-part.then-unmap @config:page_mapcount @since:6.12
    Scenario Outline: Only when the moved half of an order-<order> folio is unmapped is the folio partially mapped
      Given A has an order-<order> folio half moved by mremap
      When A unmaps every page
      Then counter split_deferred has risen by 1
      And the folio of page <kept> of A's rest has order <order>

      Examples:
        | order | kept |
        | 4     | 8    |
        | 9     | 256  |
