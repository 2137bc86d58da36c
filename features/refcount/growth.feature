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

    @refcount.per-mapping.nohugepage @since:6.12
    Scenario: After MADV_NOHUGEPAGE a mapping that is aligned has 512 PTEs too
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A calls MADV_NOHUGEPAGE on every page
      When A reads every page
      Then A has a PTE for every page
      And the folio of page 0 of A has 1024 references

  @refcount.fault-around
  Rule: A load of a page of shmem that PTEs map MUST add a reference for each page that it maps: up to 6.12 those of the aligned 16 around it, since 6.18 all of the folio if one page table has room for it

    @refcount.fault-around.window @until:6.12
    Scenario: Up to 6.12 one load maps 16 pages
      Given file f has an order-9 folio on memfd
      And A maps file f shared, 16 pages off its alignment, as off
      When A reads page 0 of off
      Then A's off has a PTE for pages 0 to 15
      And A's off has nothing for pages 16 to 511
      And the folio of page 0 of A's off has 528 references

    @refcount.fault-around.whole @since:6.18
    Scenario: Since 6.18 one load maps all 512 pages
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A calls MADV_NOHUGEPAGE on every page
      When A reads page 7
      Then A has a PTE for every page
      And the folio of page 0 of A has 1024 references

    @refcount.fault-around.populate
    Scenario: MADV_POPULATE_READ maps all 512 pages, wherever they are mapped
      Given file f has an order-9 folio on memfd
      And A maps file f shared, 1 page off its alignment, as off
      When A calls MADV_POPULATE_READ on every page of off
      Then the folio of page 0 of A's off has 1024 references
