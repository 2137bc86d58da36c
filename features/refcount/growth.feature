# SPDX-License-Identifier: MIT
Feature: What one more mapping costs

  @refcount.per-mapping
  Rule: Each mapping of all of a folio of 512 pages MUST hold 512 references by PTEs, and one by a PMD

    @refcount.per-mapping.ptes
    Scenario: Four mappings by PTEs add 2048 references to the 512 of the page cache
      Given file f has an order-9 folio on memfd
      When A maps file f shared 4 times by PTEs and reads it
      Then the folio of page 0 of A's v1 has 2560 references
      And the folio of page 0 of A's v1 has mapcount 2048

    @refcount.per-mapping.pmds @pmd_order:9
    Scenario: Four mappings by PMDs add 4 references to the 512 of the page cache
      Given file f has an order-9 folio on memfd
      When A maps file f shared 4 times by a PMD and reads it
      Then A's w4 has a PMD for every page
      And the folio of page 0 of A's w1 has 516 references
      And the folio of page 0 of A's w1 has mapcount 4

    @refcount.per-mapping.order-2
    Scenario: Four mappings of a folio of 4 pages add 16 references to the 4 of the page cache
      Given file f has an order-2 folio on memfd
      When A maps file f shared 4 times by PTEs and reads it
      Then the folio of page 0 of A's v1 has 20 references

    @refcount.per-mapping.small
    Scenario: A small page gets one reference from each mapping
      Given file f has 1 page on memfd
      When A maps file f shared 4 times by PTEs and reads it
      Then the folio of page 0 of A's v1 has 5 references

    @refcount.per-mapping.unmapped
    Scenario: Each mapping gives back what it held
      Given file f has an order-9 folio on memfd
      And A maps file f shared 4 times by PTEs and reads it
      When A unmaps every page of v4
      And A unmaps every page of v3
      Then the folio of page 0 of A's v1 has 1536 references

  @refcount.fault-around
  Rule: One read fault on a file's folio of 512 pages that PTEs map MUST add at least a reference for the page itself, and MADV_POPULATE_READ one for each page

    @refcount.fault-around.window @until:6.12
    Scenario: Up to 6.12 one load maps the 16 pages around it
      Given file f has an order-9 folio on memfd
      And A maps file f shared, 1 page off its alignment, as off
      When A reads page 0 of off
      Then the folio of page 0 of A's off has between 513 and 528 references

    @refcount.fault-around.whole @since:6.18
    Scenario: Since 6.18 one load maps as much of the folio as one page table has room for
      Given file f has an order-9 folio on memfd
      And A maps file f shared, 16 pages off its alignment, as off
      When A reads page 0 of off
      Then the folio of page 0 of A's off has between 513 and 1024 references

    @refcount.fault-around.populate
    Scenario: MADV_POPULATE_READ maps all 512 pages
      Given file f has an order-9 folio on memfd
      And A maps file f shared, 1 page off its alignment, as off
      When A calls MADV_POPULATE_READ on every page of off
      Then the folio of page 0 of A's off has 1024 references
