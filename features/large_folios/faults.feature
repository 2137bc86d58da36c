# SPDX-License-Identifier: MIT
Feature: Which folio a fault in anonymous memory gets

  @large_folios.whole-block
  Rule: A write fault that allocates a large anonymous folio MUST map the naturally aligned block of that size around the address, all of it and nothing else

    @large_folios.whole-block.second
    Scenario Outline: A write in the second block maps that block and leaves the first one empty
      Given A maps <pages> pages of private anonymous memory for order-<order> folios
      When A writes "new" to page <touched>
      Then A has <entry> for pages <first> to <last>
      And the folio of pages <first> to <last> of A has order <order>
      And A has nothing for pages 0 to <before>

      @since:6.12
      Examples: orders below the PMD order
        | order | pages | touched | first | last | before | entry |
        | 2     | 8     | 5       | 4     | 7    | 3      | a PTE |
        | 3     | 16    | 11      | 8     | 15   | 7      | a PTE |
        | 4     | 32    | 17      | 16    | 31   | 15     | a PTE |
        | 5     | 64    | 63      | 32    | 63   | 31     | a PTE |
        | 6     | 128   | 64      | 64    | 127  | 63     | a PTE |
        | 7     | 256   | 200     | 128   | 255  | 127    | a PTE |
        | 8     | 512   | 300     | 256   | 511  | 255    | a PTE |

      @pmd_order:9
      Examples: the PMD order
        | order | pages | touched | first | last | before | entry |
        | 9     | 1024  | 700     | 512   | 1023 | 511    | a PMD |

    @large_folios.whole-block.zeros
    Scenario Outline: The pages of the folio that were not written hold zeros
      Given A maps <pages> pages of private anonymous memory for order-<order> folios
      When A writes "new" to page 1
      Then A reads "new" in page 1
      And A reads "" in pages 2 to <last>
      And the folio of page <last> of A has order <order>

      Examples:
        | order | pages | last |
        | 4     | 16    | 15   |
        | 9     | 512   | 511  |

    @large_folios.whole-block.one-folio-each
    Scenario Outline: Each block of a region gets a folio of its own
      Given A maps <pages> pages of private anonymous memory for order-<order> folios
      When A writes "new" to every page
      Then the folio of every page of A has order <order>
      And the folio of every page of A has mapcount <mapcount>

      Examples:
        | order | pages | mapcount |
        | 4     | 64    | 16       |
        | 9     | 1024  | 1        |

  @large_folios.block-must-fit
  Rule: A fault on an empty entry MUST NOT allocate an anonymous folio for a block that is not all inside the VMA or of which any PTE is already set

    @large_folios.block-must-fit.past-the-end
    Scenario Outline: A block that the end of the VMA cuts off gets smaller folios
      Given A maps <pages> pages of private anonymous memory for order-<order> folios
      When A writes "new" to page <touched>
      Then the folio of page <touched> of A has order at most <most>

      Examples:
        | order | pages | touched | most |
        | 2     | 6     | 5       | 1    |
        | 4     | 24    | 20      | 3    |
        | 9     | 768   | 600     | 8    |

    @large_folios.block-must-fit.misaligned
    Scenario Outline: A VMA of the folio's size that starts one page too late gets smaller folios
      Given A maps <pages> pages of private anonymous memory for order-<order> folios, 1 page off its alignment
      When A writes "new" to every page
      Then the folio of every page of A has order at most <most>
      And A has a PTE for every page

      Examples:
        | order | pages | most |
        | 4     | 16    | 3    |
        | 9     | 512   | 8    |

    @large_folios.block-must-fit.occupied
    Scenario Outline: A block with one base page in it gets smaller folios
      Given A maps <pages> pages of private anonymous memory for order-<order> folios
      And A calls MADV_NOHUGEPAGE on every page
      And A writes "old" to page 0
      And A calls MADV_HUGEPAGE on every page
      When A writes "new" to page <touched>
      Then the folio of page <touched> of A has order at most <most>
      And the folio of page 0 of A has order 0

      Examples:
        | order | pages | touched | most |
        | 4     | 16    | 8       | 3    |
        | 9     | 512   | 256     | 8    |

    @large_folios.block-must-fit.zero-page
    Scenario: A zero page in the block is an entry too
      Given A maps 16 pages of private anonymous memory for order-4 folios
      And A reads page 0
      When A writes "new" to page 8
      Then the folio of page 8 of A has order at most 3
      And A has the zero page for page 0

    @large_folios.block-must-fit.over-zero-page
    Scenario: A write to a zero page that is mapped gets one base page
      Given A maps 16 pages of private anonymous memory for order-4 folios
      And A reads page 0
      When A writes "new" to page 0
      Then the folio of page 0 of A has order 0
      And A has nothing for pages 1 to 15

  @large_folios.pmd-or-ptes
  Rule: An anonymous folio of the PMD order that a fault allocates MUST be mapped by one PMD, a smaller one MUST be mapped by one PTE for each page

    @large_folios.pmd-or-ptes.counts
    Scenario Outline: What one write adds to the counters of the new folio
      Given A maps <pages> pages of private anonymous memory for order-<order> folios
      When A writes "new" to page 0
      Then the folio of page 0 of A has mapcount <mapcount>
      And the folio of page 0 of A has entire mapcount <entire>
      And the folio of page 0 of A has <references> references

      @since:6.12
      Examples: orders below the PMD order
        | order | pages | mapcount | entire | references |
        | 2     | 4     | 4        | 0      | 4          |
        | 4     | 16    | 16       | 0      | 16         |
        | 8     | 256   | 256      | 0      | 256        |

      @pmd_order:9
      Examples: the PMD order
        | order | pages | mapcount | entire | references |
        | 9     | 512   | 1        | 1      | 1          |

    @large_folios.pmd-or-ptes.per-page @config:page_mapcount
    Scenario Outline: Each page of a folio that one process maps has mapcount 1, whatever maps it
      Given A has an order-<order> folio
      Then every page of A has mapcount 1

      Examples:
        | order |
        | 2     |
        | 4     |
        | 8     |
        | 9     |

  @large_folios.no-order-1
  Rule: Anonymous memory MUST NOT have folios of order 1

    @large_folios.no-order-1.two-pages @since:6.12
    Scenario: A VMA of two aligned pages gets two base pages
      Given A maps 2 pages of private anonymous memory for order-2 folios
      When A writes "new" to every page
      Then the folio of every page of A has order 0

    @large_folios.no-order-1.split @since:6.12
    Scenario Outline: An anonymous folio cannot be split to order 1
      Given A has an order-<order> folio
      When A tries to split the folio of page 0 to order 1
      Then the folio of every page of A has order <order>
      And the kernel warns in mm/huge_memory.c if it has CONFIG_DEBUG_VM

      Examples:
        | order |
        | 4     |
        | 9     |

  @large_folios.read-fault
  Rule: A read fault in empty anonymous memory MUST map the zero page or, where a PMD fits and use_zero_page is 1, the huge zero page

    @large_folios.read-fault.small
    Scenario: A read where folios are smaller than a PMD maps the zero page once
      Given A maps 16 pages of private anonymous memory for order-4 folios
      When A reads page 1
      Then A has the zero page for page 1
      And A has nothing for pages 2 to 15
      And A reads "" in page 1

    @large_folios.read-fault.huge @needs:huge-zero-page @pmd_order:9
    Scenario: A read where a PMD fits maps the huge zero page
      Given A maps 512 pages of private anonymous memory for order-9 folios
      When A reads page 5
      Then A has the huge zero page for every page
      And A reads "" in every page

    @large_folios.read-fault.no-fit
    Scenario: A read where no PMD fits maps the zero page
      Given A maps 512 pages of private anonymous memory for order-9 folios, 1 page off its alignment
      When A reads page 5
      Then A has the zero page for page 5
      And A has nothing for page 6

  @large_folios.huge-zero-write @needs:huge-zero-page @pmd_order:9
  Rule: A write to the huge zero page MUST map either a folio of the PMD order by a PMD or one base page between zero pages, and every other page MUST still read as zeros

    @large_folios.huge-zero-write.content
    Scenario: Only the page that was written changes
      Given A maps huge anonymous memory privately and reads it
      When A writes "new" to page 5
      Then A reads "new" in page 5
      And A reads "" in pages 0 to 4
      And A reads "" in pages 6 to 511

    @large_folios.huge-zero-write.split @until:6.12
    Scenario: Until 6.12 the PMD is split into zero pages
      Given A maps huge anonymous memory privately and reads it
      When A writes "new" to page 5
      Then A has the zero page for pages 0 to 4
      And A has a PTE for page 5
      And the folio of page 5 of A has order 0
      And counter thp_split_pmd has risen by 1

    @large_folios.huge-zero-write.whole @since:6.18
    Scenario: Later a whole folio takes its place
      Given A maps huge anonymous memory privately and reads it
      When A writes "new" to page 5
      Then A has a PMD for every page
      And the folio of every page of A has order 9
      And counter thp_split_pmd is unchanged

    @large_folios.huge-zero-write.zap-part
    Scenario: Zapping one page of the huge zero page leaves zero pages
      Given A maps huge anonymous memory privately and reads it
      When A calls MADV_DONTNEED on page 5
      Then A has nothing for page 5
      And A has the zero page for pages 6 to 511
      And counter thp_split_pmd has risen by 1
