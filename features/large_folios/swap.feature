# SPDX-License-Identifier: MIT
Feature: Swapping large folios

  @large_folios.swap-entries
  Rule: Swapping out a large folio MUST leave one swap entry for each page that was mapped, and reading a page back MUST map it by a PTE

    @large_folios.swap-entries.out
    Scenario Outline: <folio> leaves swap entries
      Given A has <folio>
      When every page of A is swapped out
      Then A has a swap entry for every page

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @large_folios.swap-entries.in
    Scenario Outline: The content of an order-<order> folio comes back by PTEs
      Given A has an order-<order> folio, swapped out
      When A reads every page
      Then A has a PTE for every page
      And A reads "old" in every page
      And smaps of A shows 0 kB AnonHugePages

      Examples:
        | order |
        | 4     |
        | 9     |

    @large_folios.swap-entries.fork
    Scenario: A child gets swap entries and reads the same content
      Given A has an order-4 folio, swapped out
      When A forks B
      Then B has a swap entry for every page
      And B reads "old" in every page
      And A reads "old" in every page

    @large_folios.swap-entries.part-dropped
    Scenario: Pages that were dropped before have no swap entry
      Given A has an order-4 folio
      And A calls MADV_DONTNEED on pages 8 to 15
      When pages 0 to 7 of A are swapped out
      Then A has nothing for pages 8 to 15
      And A reads "old" in pages 0 to 7
      And A reads "" in pages 8 to 15

  @large_folios.swap-in-whole @since:6.12 @config:thp_swap
  Rule: A large folio that is still in the swap cache MUST be mapped whole when one page of it is touched

    @large_folios.swap-in-whole.read
    Scenario Outline: Reading one page of an order-<order> folio brings all of it
      Given A has an order-<order> folio, swapped out
      When A reads page 3
      Then A has a PTE for every page
      And the folio of page 3 of A has order <order>

      Examples:
        | order |
        | 2     |
        | 4     |

    @large_folios.swap-in-whole.part
    Scenario: Not if some of its pages have no swap entry any more
      Given A has an order-4 folio, swapped out
      And A calls MADV_DONTNEED on page 15
      When A reads page 3
      Then A has a PTE for page 3
      And A has a swap entry for pages 4 to 14

    @large_folios.swap-in-whole.zeros
    Scenario: A folio of zeros is not kept there, so a page comes back alone
      Given A has an order-4 folio
      And A writes "" to every page
      And every page of A is swapped out
      When A reads page 3
      Then A has a PTE for page 3
      And A has a swap entry for pages 4 to 15
      And the folio of page 3 of A has order 0

  @large_folios.swap-split @word_bits:32 @needs:swap
  Rule: On 32-bit a large folio MUST be split before it is swapped out

    @large_folios.swap-split.read
    Scenario: One page comes back alone
      Given A has an order-4 folio, swapped out
      When A reads page 3
      Then A has a PTE for page 3
      And A has a swap entry for pages 4 to 15
      And the folio of page 3 of A has order 0

    @large_folios.swap-split.zeros
    Scenario: Pages of zeros become the zero page
      Given A has an order-4 folio
      And A writes "" to every page
      When A calls MADV_PAGEOUT on every page
      Then A has the zero page for every page

  @large_folios.swap-in-page @until:6.1
  Rule: In 6.1 a page of a large folio MUST come back from swap alone

    @large_folios.swap-in-page.read
    Scenario: The others keep their swap entries
      Given A has an order-9 folio, swapped out
      When A reads page 3
      Then A has a PTE for page 3
      And A has a swap entry for pages 4 to 511
