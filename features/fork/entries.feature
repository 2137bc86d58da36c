# SPDX-License-Identifier: MIT
Feature: What fork does with page table entries

  @fork.shares
  Rule: fork MUST map in the child the anonymous pages that the parent maps, at the same level, and copy none unless its folio may be pinned

    @fork.shares.same-memory
    Scenario Outline: Parent and child map the same memory
      Given A has <page>
      When A forks B
      Then every page of B is the same memory as every page of A
      And every page of A is where it was

      Examples:
        | page                                  |
        | a base page                           |
        | an order-2 folio                      |
        | an order-3 folio                      |
        | an order-4 folio                      |
        | an order-5 folio                      |
        | an order-6 folio                      |
        | an order-7 folio                      |
        | an order-8 folio                      |
        | an order-9 folio mapped by a PMD      |
        | an order-9 folio mapped by PTEs       |
        | an order-4 folio with one page mapped |
        | an order-9 folio with one page mapped |
        | an order-4 folio half moved by mremap |
        | an order-9 folio half moved by mremap |
        | an order-4 folio partly shared before |
        | an order-9 folio partly shared before |
        | a hugetlb page                        |

    @fork.shares.at-once
    Scenario: The child maps the pages before it touches them
      Given A has 3 pages of private anonymous memory
      When A forks B
      Then B has a PTE for every page
      And every page of A has mapcount 2
      And every page of A is not mapped exclusively

    @fork.shares.generations
    Scenario: Four generations share one page
      Given A has 1 page of private anonymous memory
      And A forks B
      And B forks C
      When C forks D
      Then page 0 of D is the same memory as page 0 of A
      And page 0 of A has mapcount 4

    @fork.shares.read-only-vma
    Scenario: Pages that are read-only or not accessible are shared as well
      Given A has 3 pages of private anonymous memory
      And A makes page 0 read-only
      And A makes page 1 no access
      When A forks B
      Then every page of A has mapcount 2
      And B cannot write page 0: SIGSEGV
      And B cannot read page 1: SIGSEGV
      And B reads "old" in page 0

    @fork.shares.ksm
    Scenario: A KSM page is shared with the child
      Given A has 2 pages of private anonymous memory
      And A writes "twin7" to every page
      And A calls MADV_MERGEABLE on every page
      And KSM merges what it can
      When A forks B
      Then page 0 of B is the same memory as page 1 of A
      And page 0 of A has mapcount 4
      And page 0 of B is a KSM page

    @fork.shares.level
    Scenario Outline: The child has the same kind of entry
      Given A has <page>
      When A forks B
      Then A has <entry> for every page
      And B has <entry> for every page

      Examples:
        | page                             | entry           |
        | a base page                      | a PTE           |
        | an order-4 folio                 | a PTE           |
        | an order-9 folio mapped by a PMD | a PMD           |
        | an order-9 folio mapped by PTEs  | a PTE           |
        | a hugetlb page                   | a hugetlb entry |

    @fork.shares.no-split
    Scenario: Sharing a huge page splits nothing
      Given A has an order-9 folio mapped by a PMD
      When A forks B
      Then counter thp_split_pmd has risen by 0
      And counter split has risen by 0
      And the folio of page 0 of B has order 9

    @fork.shares.later-split
    Scenario: A PMD split in the parent leaves the child its PMD
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A is mapped by PTEs
      Then A has a PTE for every page
      And B has a PMD for every page

  @fork.counts
  Rule: Each entry of an anonymous page that fork copies MUST count as one more mapping and one more reference

    @fork.counts.folio
    Scenario Outline: Mapcount and reference count grow by the number of entries
      Given A has <page>
      When A forks B
      Then the folio of page 0 of A has mapcount <count>
      And the folio of page 0 of A has <count> references
      And the folio of page 0 of A has entire mapcount <entire>

      Examples:
        | page                                  | count | entire |
        | an order-2 folio                      | 8     | 0      |
        | an order-4 folio                      | 32    | 0      |
        | an order-9 folio mapped by a PMD      | 2     | 2      |
        | an order-9 folio mapped by PTEs       | 1024  | 0      |
        | an order-9 folio with one page mapped | 2     | 0      |
        | an order-4 folio half moved by mremap | 32    | 0      |
        | a hugetlb page                        | 2     | 2      |

    @fork.counts.base-page
    Scenario: A base page has two mappings and two references
      Given A has a base page
      When A forks B
      Then the folio of page 0 of A has mapcount 2
      And the folio of page 0 of A has 2 references

    @fork.counts.per-page @config:page_mapcount
    Scenario Outline: Each page has one more mapping
      Given A has <page>
      When A forks B
      Then every page of A has mapcount 2
      And every page of A is not mapped exclusively

      Examples:
        | page                             |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @fork.counts.exit
    Scenario Outline: The exit of the child takes its mappings and references back
      Given A has <page>
      And A forks B
      When B exits
      Then the folio of page 0 of A has mapcount <count>
      And the folio of page 0 of A has <count> references

      Examples:
        | page                             | count |
        | a base page                      | 1     |
        | an order-4 folio                 | 16    |
        | an order-9 folio mapped by a PMD | 1     |
        | an order-9 folio mapped by PTEs  | 512   |
        | a hugetlb page                   | 1     |

  @fork.read-only
  Rule: fork MUST leave every entry of an anonymous page that it shares read-only, in the parent as in the child

    @fork.read-only.both
    Scenario Outline: Both sides are read-only after fork
      Given A has <page>
      When A forks B
      Then every page of A is mapped read-only
      And every page of B is mapped read-only

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @fork.read-only.mprotect
    Scenario Outline: An mprotect round trip does not make the parent's entries writable
      Given A has <page>
      And A forks B
      When A makes every page read-only
      And A makes every page read-write
      Then every page of A is mapped read-only

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

  @fork.marker-cleared
  Rule: fork MUST clear the exclusive marker of every page that it shares

    @fork.marker-cleared.both
    Scenario Outline: Neither side finds the page marked
      Given A has <page>
      When A forks B
      Then every page of A is not marked exclusive
      And every page of B is not marked exclusive

      Examples:
        | page                                  |
        | a base page                           |
        | an order-2 folio                      |
        | an order-4 folio                      |
        | an order-9 folio mapped by a PMD      |
        | an order-9 folio mapped by PTEs       |
        | an order-9 folio with one page mapped |
        | an order-4 folio half moved by mremap |
        | an order-4 folio partly shared before |
        | a hugetlb page                        |

    @fork.marker-cleared.swap
    Scenario: The swap entry of the parent forgets that its page was exclusive
      Given A has a base page, swapped out
      And A forks B
      When A reads page 0
      Then page 0 of A is not marked exclusive

  @fork.zero-page
  Rule: fork MUST copy the entry of a zero page as it is and count nothing, where it copies entries at all

    @fork.zero-page.base
    Scenario: The child has the zero page where the parent has it
      Given A maps 3 pages of private anonymous memory
      And A writes "old" to page 0
      And A reads page 1
      When A forks B
      Then B has a PTE for page 0
      And B has the zero page for page 1
      And page 1 of B has mapcount 0

    @fork.zero-page.huge
    Scenario: The child has the huge zero page where the parent has it
      Given A maps huge anonymous memory privately and reads it
      When A forks B
      Then B has the huge zero page for every page
      And page 0 of B has mapcount 0

  @fork.empty
  Rule: fork MUST leave an entry empty in the child that is empty in the parent

    @fork.empty.hole
    Scenario: Pages that nobody has touched are not there in the child
      Given A maps 4 pages of private anonymous memory
      And A writes "old" to page 2
      When A forks B
      Then B has nothing for pages 0 to 1
      And B has a PTE for page 2
      And B has nothing for page 3

    @fork.empty.discarded
    Scenario: A page that the parent has discarded is not there in the child, and comes back as zeros
      Given A has 2 pages of private anonymous memory
      And A calls MADV_DONTNEED on page 1
      When A forks B
      Then B has nothing for page 1
      And B reads "" in page 1

    @fork.empty.part-of-folio
    Scenario: Of a folio that is partly unmapped the child gets the pages that the parent still maps
      Given A has an order-4 folio
      And A calls MADV_DONTNEED on pages 4 to 7
      When A forks B
      Then B has a PTE for pages 0 to 3
      And B has nothing for pages 4 to 7
      And B has a PTE for pages 8 to 15

  @fork.swap-entries
  Rule: fork MUST copy swap entries, so that both sides bring back one page

    @fork.swap-entries.copied
    Scenario: The child has a swap entry where the parent has one
      Given A has a base page, swapped out
      When A forks B
      Then A has a swap entry for page 0
      And B has a swap entry for page 0

    @fork.swap-entries.one-page
    Scenario: Parent and child bring back the same memory
      Given A has a base page, swapped out
      And A forks B
      When A reads page 0
      And B reads page 0
      Then page 0 of A is the same memory as page 0 of B
      And page 0 of A has mapcount 2

    @fork.swap-entries.content
    Scenario Outline: The child reads what was swapped out
      Given A has <page>
      When A forks B
      And A exits
      Then B reads "old" in every page

      Examples:
        | page                                          |
        | a base page, swapped out                      |
        | an order-4 folio mapped by PTEs, swapped out  |
        | an order-9 folio mapped by a PMD, swapped out |
        | an order-9 folio mapped by PTEs, swapped out  |
