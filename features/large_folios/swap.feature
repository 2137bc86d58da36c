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
