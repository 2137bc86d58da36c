# SPDX-License-Identifier: MIT
Feature: Splitting a folio

  @large_folios.folio-split
  Rule: A split of an anonymous folio MUST leave every mapped page that is not all zeros where it was, with its content and its mapcount, mapped by PTEs

    @large_folios.folio-split.base-pages
    Scenario Outline: <folio> becomes base pages in place
      Given A has <folio>
      When A splits the folio of page 0 to order 0
      Then every page of A is where it was
      And the folio of every page of A has order 0
      And A has a PTE for every page
      And A reads "old" in every page
      And counter split has risen by 1

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @large_folios.folio-split.page-mapcount
    Scenario: Each of the base pages of an order-9 folio mapped by a PMD has mapcount 2
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A splits the folio of page 0 to order 0
      Then every page of A has mapcount 2
      And the folio of every page of A has mapcount 2
      And the folio of every page of A has 2 references

    @large_folios.folio-split.everybody
    Scenario Outline: The split of <folio> is a split for every process that maps it
      Given A has <folio>
      And A forks B
      When A splits the folio of page 0 to order 0
      Then B has a PTE for every page
      And the folio of every page of B has order 0
      And every page of B is where it was
      And every page of A is the same memory as every page of B

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @large_folios.folio-split.visible @config:page_mapcount
    Scenario Outline: A page of <folio> keeps the mapcount that it had
      Given A has <folio>
      And A forks B
      And A calls MADV_DONTNEED on page 1
      When A splits the folio of page 0 to order 0
      Then page 0 of A has mapcount 2
      And page 1 of B has mapcount 1

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @large_folios.folio-split.marker
    Scenario: The pages of an order-9 folio mapped by a PMD keep their exclusive markers
      Given A has an order-9 folio mapped by a PMD
      When A splits the folio of page 0 to order 0
      Then every page of A is marked exclusive

    @large_folios.folio-split.marker-mixed
    Scenario: Shared and exclusive pages of one folio stay what they were
      Given A has an order-4 folio
      And A calls MADV_DONTFORK on pages 8 to 15
      And A forks B
      When A splits the folio of page 0 to order 0
      Then pages 0 to 7 of A are not marked exclusive
      And pages 8 to 15 of A are marked exclusive

    @large_folios.folio-split.write-after
    Scenario Outline: After the split of <folio> the owner writes in place
      Given A has <folio>
      And A calls MADV_COLD on page 0
      When A writes "new" to every page
      Then every page of A was reused
      And the folio of every page of A has order 0

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @large_folios.folio-split.last-user
    Scenario: After the split each base page finds its last user on its own
      Given A has an order-4 folio
      And A forks B
      And A splits the folio of page 0 to order 0
      And B calls MADV_DONTNEED on page 3
      When A writes "new" to pages 3 to 4
      Then page 3 of A was reused
      And page 4 of A was copied

  @large_folios.folio-split-zeros @since:6.12
  Rule: A split into base pages MUST map the zero page in place of an anonymous page of zeros, and MUST NOT in locked memory

    @large_folios.folio-split-zeros.freed
    Scenario Outline: Pages of zeros in <folio> are free
      Given A has <folio>
      And A writes "" to pages 4 to 7
      When A splits the folio of page 0 to order 0
      Then A has the zero page for pages 4 to 7
      And pages 0 to 3 of A are where they were
      And smaps of A shows <kB> kB Rss

      Examples:
        | folio                            | kB   |
        | an order-4 folio                 | 48   |
        | an order-9 folio mapped by a PMD | 2032 |

    @large_folios.folio-split-zeros.locked
    Scenario: Locked memory keeps them
      Given A has an order-4 folio
      And A writes "" to pages 4 to 7
      And A locks every page
      When A splits the folio of page 0 to order 0
      Then every page of A is where it was
      And smaps of A shows 64 kB Rss

    @large_folios.folio-split-zeros.larger
    Scenario: So do pieces that are larger than a page
      Given A has an order-9 folio mapped by PTEs
      And A writes "" to pages 4 to 7
      When A splits the folio of page 0 to order 2
      Then every page of A is where it was

  @large_folios.folio-split-order @since:6.12
  Rule: An anonymous folio MUST be splittable to every smaller order except 1, into folios of that order alone

    @large_folios.folio-split-order.anon
    Scenario Outline: An order-9 folio is split to order <new>
      Given A has an order-9 folio
      When A splits the folio of page 0 to order <new>
      Then the folio of every page of A has order <new>
      And every page of A is where it was
      And A has a PTE for every page

      Examples:
        | new |
        | 2   |
        | 4   |
        | 8   |

    @large_folios.folio-split-order.small
    Scenario: An order-4 folio is split to order 2
      Given A has an order-4 folio
      When A splits the folio of page 0 to order 2
      Then the folio of every page of A has order 2
      And every page of A is where it was

    @large_folios.folio-split-order.counts
    Scenario Outline: A piece of order <new> counts its own pages
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A splits the folio of page 0 to order <new>
      Then the folio of every page of A has mapcount <mapcount>
      And the folio of every page of A has entire mapcount 0
      And the folio of every page of A has <mapcount> references

      Examples:
        | new | mapcount |
        | 4   | 32       |
        | 8   | 512      |

    @large_folios.folio-split-order.owners @since:6.18
    Scenario: A piece gets owner slots of its own
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B calls MADV_DONTNEED on pages 0 to 255
      When A splits the folio of page 0 to order 4
      Then an owner slot of page 0 of A counts 16 mappings of A
      And no owner slot of page 0 of A counts B
      And page 0 of A is not shared
      And an owner slot of page 256 of A counts 16 mappings of A
      And an owner slot of page 256 of A counts 16 mappings of B
      And page 256 of A is maybe shared

    @large_folios.folio-split-order.reuse-piece @since:6.18
    Scenario: A piece that only one process maps is written in place
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B calls MADV_DONTNEED on pages 0 to 255
      And A splits the folio of page 0 to order 4
      When A writes "new" to every page
      Then pages 0 to 255 of A were reused
      And pages 256 to 511 of A were copied

    @large_folios.folio-split-order.shmem-6-12 @since:6.12 @until:6.12
    Scenario: In 6.12 a shmem folio can be split to order 0 only
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A reads every page
      When A tries to split the folio of page 0 to order 4
      Then the folio of every page of A has order 9
      And the kernel warns in mm/huge_memory.c if it has CONFIG_DEBUG_VM

    @large_folios.folio-split-order.shmem @since:7.3
    Scenario Outline: A shmem folio is split to order <new>
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A reads every page
      When A splits the folio of page 0 to order <new>
      Then A reads "old" in every page
      And the folio of every page of A has order <new>
      And every page of A is where it was

      Examples:
        | new |
        | 0   |
        | 1   |
        | 8   |

  @large_folios.folio-split-references
  Rule: A folio split MUST fail and change nothing while anybody but the caller holds a reference that is neither a mapping's nor the page cache's nor the swap cache's

    @large_folios.folio-split-references.get
    Scenario Outline: One FOLL_GET reference on any page keeps <folio> whole
      Given A has <folio>
      And A vmsplices page 3 into pipe p
      When A tries to split the folio of page 0 to order 0
      Then A has <entry> for every page
      And the folio of every page of A has order <order>
      And every page of A is where it was

      Examples:
        | folio                            | order | entry |
        | an order-4 folio                 | 4     | a PTE |
        | an order-9 folio mapped by PTEs  | 9     | a PTE |
        | an order-9 folio mapped by a PMD | 9     | a PMD |

    @large_folios.folio-split-references.pin
    Scenario Outline: A long-term pin on one page keeps <folio> whole
      Given A has <folio>
      And A registers page 3 as io_uring buffer buf
      When A tries to split the folio of page 0 to order 0
      Then A has <entry> for every page
      And the folio of every page of A has order <order>

      Examples:
        | folio                            | order | entry |
        | an order-4 folio                 | 4     | a PTE |
        | an order-9 folio mapped by a PMD | 9     | a PMD |

    @large_folios.folio-split-references.released
    Scenario: When the reference is dropped an order-9 folio mapped by a PMD can be split
      Given A has an order-9 folio mapped by a PMD
      And A vmsplices page 3 into pipe p
      And pipe p is closed
      When A splits the folio of page 0 to order 0
      Then the folio of every page of A has order 0

    @large_folios.folio-split-references.advice
    Scenario Outline: MADV_COLD on a part of <folio> returns 0 and cannot split it
      Given A has <folio>
      And A vmsplices page 3 into pipe p
      When A tries MADV_COLD on page 0
      Then it succeeds
      And the folio of every page of A has order <order>
      And A has <entry> for every page
      And counter split is unchanged
      And counter split_failed has risen by 1

      Examples:
        | folio                            | order | entry |
        | an order-4 folio                 | 4     | a PTE |
        | an order-9 folio mapped by PTEs  | 9     | a PTE |
        | an order-9 folio mapped by a PMD | 9     | a PMD |

  @large_folios.advice-part
  Rule: MADV_COLD and MADV_FREE on a part of a large folio MUST return 0, MUST NOT split it if the sharing test calls it shared, and MUST try to split it otherwise

    @large_folios.advice-part.alone
    Scenario Outline: MADV_COLD on page 0 of <folio> splits it into base pages in place
      Given A has <folio>
      When A calls MADV_COLD on page 0
      Then the folio of every page of A has order 0
      And A has a PTE for every page
      And every page of A is where it was
      And A reads "old" in every page
      And counter split has risen by 1

      Examples:
        | folio                            |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @large_folios.advice-part.free
    Scenario Outline: MADV_FREE on page 0 of <folio> splits it
      Given A has <folio>
      When A calls MADV_FREE on page 0
      Then the folio of every page of A has order 0
      And counter split has risen by 1

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @large_folios.advice-part.shared
    Scenario Outline: MADV_COLD on page 0 of <folio> that is shared does nothing
      Given A has <folio>
      And A forks B
      When A tries MADV_COLD on page 0
      Then it succeeds
      And the folio of every page of A has order <order>
      And A has <entry> for every page
      And counter split is unchanged
      And counter split_failed is unchanged

      Examples:
        | folio                            | order | entry |
        | an order-4 folio                 | 4     | a PTE |
        | an order-9 folio mapped by PTEs  | 9     | a PTE |
        | an order-9 folio mapped by a PMD | 9     | a PMD |

    @large_folios.advice-part.free-shared
    Scenario Outline: MADV_FREE on page 0 of <folio> that is shared does nothing
      Given A has <folio>
      And A forks B
      When A tries MADV_FREE on page 0
      Then it succeeds
      And the folio of every page of A has order <order>
      And counter split is unchanged

      Examples:
        | folio                            | order |
        | an order-4 folio                 | 4     |
        | an order-9 folio mapped by a PMD | 9     |

    @large_folios.advice-part.child-exits
    Scenario Outline: After the child has exited the same call splits <folio>
      Given A has <folio>
      And A forks B
      And A calls MADV_COLD on page 0
      And B exits
      When A calls MADV_COLD on page 0
      Then the folio of every page of A has order 0
      And counter split has risen by 1

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @large_folios.advice-part.whole @since:6.12
    Scenario Outline: MADV_COLD on all of <folio> keeps it whole
      Given A has <folio>
      When A calls MADV_COLD on every page
      Then the folio of every page of A has order <order>
      And counter split is unchanged

      Examples:
        | folio                            | order |
        | an order-4 folio                 | 4     |
        | an order-9 folio mapped by a PMD | 9     |

    @large_folios.advice-part.hole @since:6.12
    Scenario: MADV_COLD on all that is left of an order-4 folio splits it
      Given A has an order-4 folio
      And A calls MADV_DONTNEED on page 1
      When A calls MADV_COLD on every page
      Then the folio of page 0 of A has order 0
      And counter split has risen by 1
