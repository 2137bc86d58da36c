# SPDX-License-Identifier: MIT
Feature: Partial mappings and the deferred split

  @large_folios.partial-unmap
  Rule: Unmapping some pages of a large folio MUST take away their entries and references only: the folio keeps its order and all its memory

    @large_folios.partial-unmap.rest-stays
    Scenario Outline: After half of an order-<order> folio is dropped the other half is where it was
      Given A has an order-<order> folio
      When A calls MADV_DONTNEED on pages <half> to <last>
      Then A has nothing for pages <half> to <last>
      And pages 0 to <mid> of A are where they were
      And the folio of pages 0 to <mid> of A has order <order>
      And A reads "old" in pages 0 to <mid>
      And A reads "" in pages <half> to <last>

      Examples:
        | order | mid | half | last |
        | 2     | 1   | 2    | 3    |
        | 4     | 7   | 8    | 15   |
        | 6     | 31  | 32   | 63   |
        | 9     | 255 | 256  | 511  |

    @large_folios.partial-unmap.counts
    Scenario Outline: <folio>: <left> pages left count <left> mappings and references
      Given A has <folio>
      When A unmaps pages <left> to <last>
      Then the folio of page 0 of A has mapcount <left>
      And the folio of page 0 of A has <left> references
      And the folio of page 0 of A has entire mapcount 0

      Examples:
        | folio                            | left | last |
        | an order-4 folio                 | 5    | 15   |
        | an order-9 folio mapped by PTEs  | 511  | 511  |
        | an order-9 folio mapped by a PMD | 300  | 511  |

    @large_folios.partial-unmap.one-left
    Scenario Outline: One page that is mapped keeps all of an order-<order> folio
      Given A has an order-<order> folio
      When A unmaps pages 1 to <last>
      Then the folio of page 0 of A has order <order>
      And page 0 of A is where it was
      And A reads "old" in page 0

      Examples:
        | order | last |
        | 2     | 3    |
        | 4     | 15   |
        | 9     | 511  |

    @large_folios.partial-unmap.one-left-counts
    Scenario: Of an order-9 folio with one page mapped one reference is left
      Given A has an order-9 folio with one page mapped
      Then the folio of page 0 of A has mapcount 1
      And the folio of page 0 of A has entire mapcount 0
      And the folio of page 0 of A has 1 reference

    @large_folios.partial-unmap.other-process
    Scenario: What one process drops of an order-9 folio the other keeps
      Given A has an order-9 folio
      And A forks B
      When A calls MADV_DONTNEED on pages 1 to 511
      Then B reads "old" in every page
      And every page of B is where it was

  @large_folios.hole-refault
  Rule: A fault in a hole of a partially mapped folio MUST get another page, not the page that was there

    @large_folios.hole-refault.write
    Scenario Outline: Page 1 of an order-<order> folio is dropped and written again
      Given A has an order-<order> folio
      When A drops page 1 and writes "new" again
      Then page 1 of A is other memory than before
      And the folio of page 1 of A has order 0
      And page 0 of A is where it was
      And the folio of page 0 of A has order <order>

      Examples:
        | order |
        | 2     |
        | 4     |
        | 9     |

    @large_folios.hole-refault.read
    Scenario: A read in the hole of an order-4 folio maps the zero page
      Given A has an order-4 folio
      And A calls MADV_DONTNEED on page 1
      When A reads page 1
      Then A has the zero page for page 1
      And A reads "" in page 1

    @large_folios.hole-refault.still-shared
    Scenario: The page that one process dropped of an order-4 folio is still the other's
      Given A has an order-4 folio
      And A forks B
      When A drops page 1 and writes "new" again
      Then page 1 of A is not the same memory as page 1 of B
      And page 0 of A is the same memory as page 0 of B
      And B reads "old" in page 1

  @large_folios.partially-mapped @config:page_mapcount
  Rule: An anonymous folio MUST be queued as partially mapped when it loses the last mapping of some of its pages, others are still mapped, and it is not in the swap cache

    @large_folios.partially-mapped.how
    Scenario Outline: An order-4 folio is queued when its owner <acts>
      Given A has an order-4 folio
      When A <acts>
      Then counter split_deferred has risen by 1

      Examples:
        | acts                                |
        | unmaps page 15                      |
        | unmaps pages 1 to 15                |
        | calls MADV_DONTNEED on page 0       |
        | drops page 7 and writes "new" again |

    @large_folios.partially-mapped.orders
    Scenario Outline: One page less of <folio> queues it
      Given A has <folio>
      When A calls MADV_DONTNEED on page 1
      Then counter split_deferred has risen by 1

      Examples:
        | folio                            |
        | an order-2 folio                 |
        | an order-8 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @large_folios.partially-mapped.flag
    Scenario Outline: One page less of <folio> marks it
      Given A has <folio>
      Then the folio of page 0 of A is not partially mapped
      When A calls MADV_DONTNEED on page 1
      Then the folio of page 0 of A is partially mapped

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @large_folios.partially-mapped.copy
    Scenario: A write that copies a page out of an order-4 folio unmaps a page of it
      Given A has an order-4 folio
      And A forks B
      And B exits
      And A vmsplices page 0 into pipe p
      When A writes "new" to page 1
      Then page 1 of A was copied
      And counter split_deferred has risen by 1

    @large_folios.partially-mapped.pmd-goes
    Scenario: The last PMD goes and leaves the page that has no PTE
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A writes "new" to page 0
      When B exits
      Then counter split_deferred has risen by 1

  @large_folios.partially-mapped-not
  Rule: A folio MUST NOT be queued as partially mapped while every page of it is mapped by some process, unless it was migrated

    @large_folios.partially-mapped-not.sharer
    Scenario Outline: One of two sharers drops half of <folio>
      Given A has <folio>
      And A forks B
      When A unmaps pages 1 to <last>
      Then counter split_deferred is unchanged

      Examples:
        | folio                            | last |
        | an order-4 folio                 | 15   |
        | an order-9 folio mapped by a PMD | 511  |

    @large_folios.partially-mapped-not.sharer-exits
    Scenario Outline: When the other sharer of <folio> exits it is queued
      Given A has <folio>
      And A forks B
      And A unmaps pages 1 to <last>
      When B exits
      Then counter split_deferred has risen by 1

      Examples:
        | folio                            | last |
        | an order-4 folio                 | 15   |
        | an order-9 folio mapped by a PMD | 511  |

    @large_folios.partially-mapped-not.halves
    Scenario: Two sharers of an order-4 folio keep a different half each
      Given A has an order-4 folio
      And A forks B
      When A unmaps pages 8 to 15
      And B unmaps pages 0 to 7
      Then counter split_deferred is unchanged
      And A reads "old" in pages 0 to 7
      And B reads "old" in pages 8 to 15

    @large_folios.partially-mapped-not.pmd-split
    Scenario: A PMD split alone queues nothing
      Given A has an order-9 folio mapped by a PMD
      When A makes page 5 read-only
      Then counter split_deferred is unchanged

  @large_folios.partially-mapped-whole
  Rule: A folio MAY be queued as partially mapped while all of it is unmapped piece by piece, but MUST NOT be when one batch takes all of it

    @large_folios.partially-mapped-whole.batch @since:6.12
    Scenario Outline: Nobody queues <folio> that goes all at once
      Given A has <folio>
      When A unmaps every page
      Then counter split_deferred is unchanged

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @large_folios.partially-mapped-whole.exit @since:6.12
    Scenario Outline: Nobody queues <folio> at exit
      Given A has <folio>
      When A exits
      Then counter split_deferred is unchanged

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @large_folios.partially-mapped-whole.two-vmas @since:6.12
    Scenario: A folio in two VMAs is queued between the one and the other
      Given A has an order-4 folio
      And A makes pages 0 to 7 read-only
      When A unmaps every page
      Then counter split_deferred has risen by 1

    @large_folios.partially-mapped-whole.page-by-page @until:6.1
    Scenario: Until 6.1 the first PTE that goes queues it
      Given A has an order-9 folio mapped by PTEs
      When A unmaps every page
      Then counter split_deferred has risen by 1

  @large_folios.partially-mapped-sticky @since:6.12
  Rule: A folio that is marked partially mapped MUST stay so until it is split, migrated or freed, and MUST be counted once

    @large_folios.partially-mapped-sticky.counted-once
    Scenario: Dropping more of an order-4 folio counts nothing more
      Given A has an order-4 folio
      When A calls MADV_DONTNEED on page 1
      And A calls MADV_DONTNEED on page 2
      And A unmaps page 3
      Then counter split_deferred has risen by 1

    @large_folios.partially-mapped-sticky.refilled
    Scenario Outline: Filling the hole of an order-<order> folio does not mend it
      Given A has an order-<order> folio
      When A drops page 1 and writes "new" again
      Then the folio of page 0 of A is partially mapped
      And the folio of page 1 of A has order 0

      Examples:
        | order |
        | 4     |
        | 9     |

    @large_folios.partially-mapped-sticky.fork
    Scenario: A child that maps the rest changes nothing
      Given A has an order-4 folio
      And A calls MADV_DONTNEED on page 1
      When A forks B
      Then the folio of page 0 of A is partially mapped

    @large_folios.partially-mapped-sticky.split
    Scenario Outline: A split to order <new> ends it
      Given A has an order-4 folio
      And A calls MADV_DONTNEED on pages 8 to 15
      When A splits the folio of page 0 to order <new>
      Then the folio of pages 0 to 7 of A has order <new>
      And the folio of pages 0 to 7 of A is not partially mapped

      Examples:
        | new |
        | 0   |
        | 2   |

  @large_folios.partially-mapped-average @config:no_page_mapcount
  Rule: Without per-page mapcounts an anonymous folio MUST be queued as partially mapped when an unmap leaves its mapcount above 0 but below its number of pages and no PMD, and MAY stay unqueued otherwise

    @large_folios.partially-mapped-average.sole
    Scenario Outline: One process drops a page of <folio>
      Given A has <folio>
      When A calls MADV_DONTNEED on page 1
      Then the folio of page 0 of A is partially mapped
      And counter split_deferred has risen by 1

      Examples:
        | folio                            |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @large_folios.partially-mapped-average.blind
    Scenario: Nobody notices that two sharers of an order-4 folio dropped the same half
      Given A has an order-4 folio
      And A forks B
      When A calls MADV_DONTNEED on pages 8 to 15
      And B calls MADV_DONTNEED on pages 8 to 15
      Then the folio of page 0 of A has mapcount 16
      And the folio of page 0 of A is not partially mapped
      And counter split_deferred is unchanged

    @large_folios.partially-mapped-average.noticed-late
    Scenario: When one of the two exits it is noticed
      Given A has an order-4 folio
      And A forks B
      And A calls MADV_DONTNEED on pages 8 to 15
      And B calls MADV_DONTNEED on pages 8 to 15
      When B exits
      Then the folio of page 0 of A is partially mapped

    @large_folios.partially-mapped-average.pmd-hides
    Scenario: While one process has a PMD nothing is queued
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A unmaps pages 1 to 511
      Then the folio of page 0 of A is not partially mapped

  @large_folios.deferred-anon-only
  Rule: Folios of files, hugetlb folios and base pages MUST NOT be queued for splitting

    @large_folios.deferred-anon-only.file
    Scenario Outline: A file folio on <filesystem> of which a process drops a part is not queued
      Given file f has an order-9 folio on <filesystem>
      And A maps file f shared
      And A reads every page
      When A unmaps pages 0 to 99
      Then counter split_deferred is unchanged

      Examples:
        | filesystem |
        | memfd      |
        | tmpfs      |

    @large_folios.deferred-anon-only.hugetlb
    Scenario: A hugetlb page is not queued
      Given A has a hugetlb page
      When A unmaps every page
      Then counter split_deferred is unchanged

    @large_folios.deferred-anon-only.base
    Scenario: Base pages are not queued
      Given A has 16 pages of private anonymous memory
      When A unmaps pages 0 to 7
      Then counter split_deferred is unchanged
