# SPDX-License-Identifier: MIT
Feature: Writing where a zero page is mapped

  @cow.zero-page
  Rule: A write to the zero page MUST put a new page of zeros in its place, for the writer alone

    @cow.zero-page.entry
    Scenario: Only the page written is replaced
      Given A maps 3 pages of private anonymous memory
      And A reads every page
      When A writes "new" to page 1
      Then A has the zero page for page 0
      And A has a PTE for page 1
      And A has the zero page for page 2
      And page 1 of A has mapcount 1

    @cow.zero-page.fork
    Scenario: After fork each side replaces the zero page for itself
      Given A maps 2 pages of private anonymous memory
      And A writes "old" to page 1
      And A reads page 0
      And A forks B
      When A writes "a" to page 0
      Then B has the zero page for page 0
      And B reads "" in page 0

    @cow.zero-page.hugepage-size
    Scenario Outline: A write next to a zero page in memory for large folios gives a base page
      Given A maps <count> pages of private anonymous memory for order-<order> folios
      And A reads page 0
      When A writes "new" to page 0
      Then the folio of page 0 of A has order 0
      And A reads "" in page 1

      Examples:
        | order | count |
        | 2     | 4     |
        | 4     | 16    |
        | 8     | 256   |

  @cow.huge-zero-split @until:6.12 @pmd_order:9
  Rule: A write to the huge zero page MUST split its PMD and replace one page

    @cow.huge-zero-split.entries
    Scenario: The page written is new and the other 511 are the zero page
      Given A maps huge anonymous memory privately and reads it
      When A writes "new" to page 7
      Then A has a PTE for page 7
      And A has the zero page for pages 0 to 6
      And A has the zero page for pages 8 to 511
      And the folio of page 7 of A has order 0

  @cow.huge-zero-folio @since:6.18 @pmd_order:9
  Rule: A write to the huge zero page MUST be given a new huge page mapped by a PMD, if one can be allocated

    @cow.huge-zero-folio.entries
    Scenario: The whole range is a new huge page, and no PMD is split
      Given A maps huge anonymous memory privately and reads it
      When A writes "new" to page 7
      Then A has a PMD for every page
      And the folio of page 7 of A has order 9
      And counter thp_split_pmd has risen by 0

    @cow.huge-zero-folio.content
    Scenario: The other pages of the new huge page are zeros
      Given A maps huge anonymous memory privately and reads it
      When A writes "new" to page 7
      Then A reads "" in pages 0 to 6
      And A reads "" in pages 8 to 511

    @cow.huge-zero-folio.owned
    Scenario: The new huge page is mapped exclusively and written in place from then on
      Given A maps huge anonymous memory privately and reads it
      And A writes "new" to page 7
      When A writes "new" to every page
      Then every page of A was reused
      And every page of A is mapped exclusively
