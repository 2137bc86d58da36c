# SPDX-License-Identifier: MIT
@pmd_order:9
Feature: Collapsing into a huge page

  @large_folios.collapse
  Rule: MADV_COLLAPSE of anonymous memory that PTEs map MUST NOT succeed without a new folio of the PMD order that holds a copy of the pages and is mapped by a PMD

    @large_folios.collapse.same-folio
    Scenario: Even a huge page that is merely mapped by PTEs is copied into a new one
      Given A has an order-9 folio mapped by PTEs
      When A calls MADV_COLLAPSE on every page
      Then A has a PMD for every page
      And every page of A is other memory than before
      And the folio of every page of A has order 9
      And A reads "old" in every page

    @large_folios.collapse.base-pages
    Scenario: Base pages are copied
      Given A maps 512 pages of private anonymous memory for order-9 folios
      And A calls MADV_NOHUGEPAGE on every page
      And A writes "old" to every page
      And A calls MADV_HUGEPAGE on every page
      When A calls MADV_COLLAPSE on every page
      Then A has a PMD for every page
      And every page of A is other memory than before
      And A reads "old" in every page

    @large_folios.collapse.holes
    Scenario: Holes become zeros of the new folio
      Given A has an order-9 folio mapped by PTEs
      And A calls MADV_DONTNEED on pages 100 to 511
      When A calls MADV_COLLAPSE on every page
      Then A has a PMD for every page
      And A reads "old" in pages 0 to 99
      And A reads "" in pages 100 to 511

    @large_folios.collapse.split-pages
    Scenario: Pages of a folio that was split are collapsed again
      Given A has an order-9 folio mapped by a PMD
      And A calls MADV_COLD on page 0
      When A calls MADV_COLLAPSE on every page
      Then A has a PMD for every page
      And the folio of every page of A has order 9
      And A reads "old" in every page

    @large_folios.collapse.exclusive
    Scenario: The new folio is exclusive and counts one PMD
      Given A has an order-9 folio mapped by PTEs
      When A calls MADV_COLLAPSE on every page
      Then every page of A is marked exclusive
      And the folio of page 0 of A has mapcount 1
      And the folio of page 0 of A has entire mapcount 1
      And the folio of page 0 of A has 1 reference

    @large_folios.collapse.already
    Scenario: A PMD that is there already stays
      Given A has an order-9 folio mapped by a PMD
      When A tries MADV_COLLAPSE on every page
      Then it succeeds
      And every page of A is where it was
      And A has a PMD for every page

    @large_folios.collapse.part
    Scenario: A range that covers no whole huge page is left alone
      Given A has an order-9 folio mapped by PTEs
      When A tries MADV_COLLAPSE on pages 0 to 510
      Then it succeeds
      And every page of A is where it was
      And A has a PTE for every page

  @large_folios.collapse-shared
  Rule: MADV_COLLAPSE MUST leave the pages, entries and content of every other process as they were

    @large_folios.collapse-shared.writer
    Scenario: After a write to one page the folio that two processes share is copied for the one that collapses
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      And A writes "new" to page 0
      When A calls MADV_COLLAPSE on every page
      Then A has a PMD for every page
      And every page of A is not the same memory as every page of B
      And every page of B is where it was
      And B reads "old" in every page

    @large_folios.collapse-shared.read-only @until:6.12
    Scenario: Until 6.12 memory in which no entry is writable is refused
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      When A tries MADV_COLLAPSE on every page
      Then it fails with EINVAL
      And every page of A is where it was
      And A has a PTE for every page

    @large_folios.collapse-shared.whole @since:6.18
    Scenario: A folio that two processes share is copied for the one that collapses
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      When A calls MADV_COLLAPSE on every page
      Then A has a PMD for every page
      And every page of A is other memory than before
      And every page of B is where it was
      And B has a PTE for every page
      And B reads "old" in every page

    @large_folios.collapse-shared.mapcount @config:page_mapcount @since:6.18
    Scenario: The other process is left alone with the old folio
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      When A calls MADV_COLLAPSE on every page
      Then every page of A has mapcount 1
      And every page of B has mapcount 1
      And every page of B is mapped exclusively

    @large_folios.collapse-shared.child @since:6.18
    Scenario: The child collapses and the parent keeps its PMD
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B is mapped by PTEs
      When B calls MADV_COLLAPSE on every page
      Then B has a PMD for every page
      And every page of B is not the same memory as every page of A
      And A has a PMD for every page

    @large_folios.collapse-shared.isolation
    Scenario Outline: Collapsing <when> the fork keeps parent and child apart
      Given A has an order-9 folio mapped by PTEs
      And A <first>
      And A <second>
      When A writes "new" to every page
      Then A reads "new" in every page
      And B reads "old" in every page

      Examples: in every version
        | when   | first                             | second  |
        | before | calls MADV_COLLAPSE on every page | forks B |

      @since:6.18
      Examples: where read-only memory can be collapsed
        | when  | first   | second                            |
        | after | forks B | calls MADV_COLLAPSE on every page |

    @large_folios.collapse-shared.half
    Scenario Outline: Collapsing when only the <shared> half is shared keeps parent and child apart
      Given A has an order-9 folio mapped by PTEs
      And A calls MADV_DONTFORK on pages <own>
      And A forks B
      And A calls MADV_DOFORK on every page
      And A calls MADV_COLLAPSE on every page
      When A writes "new" to every page
      Then A has a PMD for every page
      And A reads "new" in every page
      And B reads "old" in pages <others>

      Examples:
        | shared | own        | others     |
        | lower  | 256 to 511 | 0 to 255   |
        | upper  | 0 to 255   | 256 to 511 |

  @large_folios.collapse-references
  Rule: MADV_COLLAPSE MUST fail with EAGAIN and change nothing while anybody holds a reference on one of the pages that it would copy

    @large_folios.collapse-references.get
    Scenario: One FOLL_GET reference is enough
      Given A has an order-9 folio mapped by PTEs
      And A vmsplices page 5 into pipe p
      When A tries MADV_COLLAPSE on every page
      Then it fails with EAGAIN
      And every page of A is where it was
      And A has a PTE for every page

    @large_folios.collapse-references.pin
    Scenario: One long-term pin is enough
      Given A has an order-9 folio mapped by PTEs
      And A registers page 5 as io_uring buffer buf
      When A tries MADV_COLLAPSE on every page
      Then it fails with EAGAIN
      And every page of A is where it was

    @large_folios.collapse-references.base-page
    Scenario: A reference on one of 512 base pages is enough
      Given A has an order-9 folio mapped by a PMD
      And A calls MADV_COLD on page 0
      And A vmsplices page 5 into pipe p
      When A tries MADV_COLLAPSE on every page
      Then it fails with EAGAIN
      And every page of A is where it was

    @large_folios.collapse-references.released
    Scenario: When the reference is dropped the call succeeds
      Given A has an order-9 folio mapped by PTEs
      And A vmsplices page 5 into pipe p
      And pipe p is closed
      When A tries MADV_COLLAPSE on every page
      Then it succeeds
      And A has a PMD for every page

  @large_folios.collapse-file
  Rule: MADV_COLLAPSE of a range of a file whose page cache holds one aligned folio of the PMD order MUST map that folio by a PMD in place, unless the range has private copies

    @large_folios.collapse-file.in-place
    Scenario: A memfd folio that is mapped by PTEs gets its PMD back without a copy
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A makes page 5 read-only
      And A reads every page
      And A makes page 5 read-write
      When A calls MADV_COLLAPSE on every page
      Then A has a PMD for every page
      And every page of A is where it was
      And A reads "old" in every page

    @large_folios.collapse-file.ptes-before
    Scenario: Before that, equal protections again leave its PTEs alone
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A makes page 5 read-only
      And A reads every page
      When A makes page 5 read-write
      Then A has a PTE for every page
      And every page of A is where it was

    @large_folios.collapse-file.other-process
    Scenario: The PTEs of another process stay
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And B maps file f shared
      And A makes page 5 read-only
      And A reads every page
      And A makes page 5 read-write
      And B makes page 7 read-only
      And B reads every page
      When A calls MADV_COLLAPSE on every page
      Then A has a PMD for every page
      And B has a PTE for every page
      And every page of A is the same memory as every page of B

    @large_folios.collapse-file.counts @since:6.12
    Scenario: 512 mappings and references become one
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A makes page 5 read-only
      And A reads every page
      And A makes page 5 read-write
      When A calls MADV_COLLAPSE on every page
      Then the folio of page 0 of A has mapcount 1
      And the folio of page 0 of A has entire mapcount 1
      And the folio of page 0 of A has 513 references

    @large_folios.collapse-file.own-copy
    Scenario: A private copy in the range is in the way
      Given file f has an order-9 folio on memfd
      And A maps file f privately
      And A writes "new" to page 5
      When A tries MADV_COLLAPSE on every page
      Then it fails with EINVAL
      And A reads "new" in page 5
      And A reads "old" in page 6

    @large_folios.collapse-file.reference
    Scenario: A FOLL_GET reference is no obstacle
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A makes page 5 read-only
      And A reads every page
      And A makes page 5 read-write
      And A vmsplices page 3 into pipe p
      When A tries MADV_COLLAPSE on every page
      Then it succeeds
      And A has a PMD for every page
      And every page of A is where it was
