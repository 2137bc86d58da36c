# SPDX-License-Identifier: MIT
@pmd_order:9
Feature: Splitting a PMD

  @large_folios.pmd-split
  Rule: Splitting an anonymous PMD MUST replace it by a PTE for each page and MUST leave the folio whole and in place

    @large_folios.pmd-split.cause
    Scenario Outline: Acting on a part of the huge page splits its PMD, not its folio
      Given A has an order-9 folio mapped by a PMD
      When A <acts>
      Then A has a PTE for <rest>
      And <rest> of A are where they were
      And the folio of <rest> of A has order 9
      And A reads "old" in <rest>
      And counter thp_split_pmd has risen by 1
      And counter split is unchanged

      Examples:
        | acts                            | rest             |
        | makes page 5 read-only          | pages 0 to 511   |
        | unmaps pages 100 to 511         | pages 0 to 99    |
        | calls MADV_DONTNEED on page 511 | pages 0 to 510   |
        | calls MADV_DONTFORK on page 0   | pages 0 to 511   |
        | calls MADV_NOHUGEPAGE on page 7 | pages 0 to 511   |
        | moves pages 0 to 255 to other   | pages 256 to 511 |

    @large_folios.pmd-split.write-shared
    Scenario: A write to a page that is shared splits the writer's PMD and copies one base page
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 5
      Then A has a PTE for every page
      And page 5 of A was copied
      And the folio of page 5 of A has order 0
      And pages 6 to 511 of A are where they were
      And counter thp_split_pmd has risen by 1

    @large_folios.pmd-split.fork-pinned
    Scenario: A fork splits the PMD of a folio that is pinned
      Given A has an order-9 folio mapped by a PMD
      And A registers page 0 as io_uring buffer buf
      When A forks B
      Then A has a PTE for every page
      And every page of A is where it was
      And the folio of every page of A has order 9
      And counter thp_split_pmd has risen by 1

  @large_folios.pmd-split-boundary
  Rule: mprotect, munmap, MADV_DONTNEED, MADV_DONTFORK and MADV_COLD MUST NOT split a PMD if their range starts and ends at PMD boundaries

    @large_folios.pmd-split-boundary.whole
    Scenario Outline: A call on the whole huge page keeps its PMD
      Given A has an order-9 folio mapped by a PMD
      When A <acts>
      Then A has a PMD for every page
      And counter thp_split_pmd is unchanged

      Examples:
        | acts                              |
        | makes every page read-only        |
        | calls MADV_DONTFORK on every page |
        | calls MADV_COLD on every page     |

    @large_folios.pmd-split-boundary.neighbour
    Scenario Outline: A call on the next huge page keeps the PMD of this one
      Given A maps 1024 pages of private anonymous memory for order-9 folios
      And A writes "old" to every page
      When A <acts>
      Then A has a PMD for pages 0 to 511
      And A has <entry> for pages 512 to 1023
      And counter thp_split_pmd is unchanged

      Examples:
        | acts                                     | entry   |
        | makes pages 512 to 1023 read-only        | a PMD   |
        | unmaps pages 512 to 1023                 | nothing |
        | calls MADV_DONTNEED on pages 512 to 1023 | nothing |
        | calls MADV_DONTFORK on pages 512 to 1023 | a PMD   |

    @large_folios.pmd-split-boundary.small-folio
    Scenario Outline: A folio below the PMD order has no PMD to split
      Given A has an order-<order> folio
      When A makes page 1 read-only
      Then every page of A is where it was
      And the folio of every page of A has order <order>
      And counter thp_split_pmd is unchanged

      Examples:
        | order |
        | 4     |
        | 8     |

  @large_folios.pmd-split-per-mm
  Rule: Splitting the PMD of one process MUST NOT touch the PMD of another process that maps the same folio

    @large_folios.pmd-split-per-mm.parent
    Scenario: The child keeps its PMD when the parent's is split
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A makes page 5 read-only
      Then A has a PTE for every page
      And B has a PMD for every page
      And every page of A is the same memory as every page of B

    @large_folios.pmd-split-per-mm.child
    Scenario: The parent keeps its PMD when the child's is split
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B calls MADV_DONTNEED on pages 0 to 9
      Then B has a PTE for pages 10 to 511
      And A has a PMD for every page
      And A reads "old" in every page

    @large_folios.pmd-split-per-mm.fork-after
    Scenario: A child born after the split has PTEs
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A is mapped by PTEs
      When A forks C
      Then C has a PTE for every page
      And B has a PMD for every page
      And every page of C is the same memory as every page of B

  @large_folios.pmd-split-never-fails
  Rule: A PMD split MUST succeed whatever references, pins and other mappings the folio has

    @large_folios.pmd-split-never-fails.holder
    Scenario Outline: The PMD is split although <holder>
      Given A has an order-9 folio mapped by a PMD
      And <holder>
      When A makes page 5 read-only
      Then A has a PTE for every page
      And every page of A is where it was
      And counter thp_split_pmd has risen by 1

      Examples:
        | holder                                        |
        | A vmsplices page 0 into pipe p                |
        | A vmsplices page 100 into pipe p              |
        | A registers every page as io_uring buffer buf |
        | A forks B                                     |

    @large_folios.pmd-split-never-fails.pin-coherent
    Scenario: After the split the device still sees what the process writes
      Given A has an order-9 folio mapped by a PMD
      And A registers page 5 as io_uring buffer buf
      And A is mapped by PTEs
      When A writes "new" to page 5
      Then page 5 of A was reused
      And io_uring buffer buf holds "new"

    @large_folios.pmd-split-never-fails.zap-pinned
    Scenario: A pinned page can be unmapped; the device keeps the old page
      Given A has an order-9 folio mapped by a PMD
      And A registers page 5 as io_uring buffer buf
      When A drops page 5 and writes "new" again
      Then page 5 of A is other memory than before
      And io_uring buffer buf holds "old"

  @large_folios.pmd-split-counts
  Rule: Splitting a PMD of an anonymous folio MUST take one from the entire mapcount, add one mapping and one reference for each page less the one of the PMD, and change no page's mapcount

    @large_folios.pmd-split-counts.sole
    Scenario: One process splits its PMD
      Given A has an order-9 folio mapped by a PMD
      When A makes page 5 read-only
      Then the folio of page 0 of A has mapcount 512
      And the folio of page 0 of A has entire mapcount 0
      And the folio of page 0 of A has 512 references

    @large_folios.pmd-split-counts.shared
    Scenario: One of two processes splits its PMD
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A makes page 5 read-only
      Then the folio of page 0 of A has mapcount 513
      And the folio of page 0 of A has entire mapcount 1
      And the folio of page 0 of A has 513 references

    @large_folios.pmd-split-counts.pages-mapped @since:6.12 @config:page_mapcount
    Scenario: The pages that PTEs map go from 0 to 512
      Given A has an order-9 folio mapped by a PMD
      Then the folio of page 0 of A has 0 pages mapped by PTEs
      When A makes page 5 read-only
      Then the folio of page 0 of A has 512 pages mapped by PTEs

    @large_folios.pmd-split-counts.owner @since:6.18
    Scenario: The owner slot of the process counts each PTE
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A makes page 5 read-only
      Then an owner slot of page 0 of A counts 512 mappings of A
      And an owner slot of page 0 of A counts 1 mapping of B

    @large_folios.pmd-split-counts.per-page @config:page_mapcount
    Scenario: Each page keeps its mapcount
      Given A has an order-9 folio mapped by a PMD
      Then every page of A has mapcount 1
      When A makes page 5 read-only
      Then every page of A has mapcount 1

    @large_folios.pmd-split-counts.per-page-shared @config:page_mapcount
    Scenario: Each page that two processes map keeps mapcount 2
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      Then every page of A has mapcount 2
      When A makes page 5 read-only
      Then every page of A has mapcount 2
      And every page of B has mapcount 2

    @large_folios.pmd-split-counts.thps
    Scenario: The last PMD takes its 512 pages out of the count of huge pages
      Given A has an order-9 folio mapped by a PMD
      When A makes page 5 read-only
      Then counter nr_anon_thps has fallen by 512

    @large_folios.pmd-split-counts.thps-shared
    Scenario: While another process has a PMD, the count of huge pages stays
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A makes page 5 read-only
      Then counter nr_anon_thps is unchanged

    @large_folios.pmd-split-counts.thps-last
    Scenario: When that process exits too, the count of huge pages falls
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A is mapped by PTEs
      When B exits
      Then counter nr_anon_thps has fallen by 512

  @large_folios.both-kinds
  Rule: A folio MAY be mapped by a PMD in one process and by PTEs in another at the same time, and each page's mapcount MUST count both

    @large_folios.both-kinds.fork
    Scenario Outline: After a fork of <folio> each process has the same kind of entry
      Given A has <folio>
      When A forks B
      Then A has <entry> for every page
      And B has <entry> for every page
      And every page of A is the same memory as every page of B

      Examples:
        | folio                            | entry |
        | an order-4 folio                 | a PTE |
        | an order-9 folio mapped by PTEs  | a PTE |
        | an order-9 folio mapped by a PMD | a PMD |

    @large_folios.both-kinds.fork-counts
    Scenario Outline: A fork of <folio> adds what the child's entries count
      Given A has <folio>
      When A forks B
      Then the folio of page 0 of A has mapcount <mapcount>
      And the folio of page 0 of A has entire mapcount <entire>
      And the folio of page 0 of A has <mapcount> references

      Examples:
        | folio                            | mapcount | entire |
        | an order-4 folio                 | 32       | 0      |
        | an order-9 folio mapped by PTEs  | 1024     | 0      |
        | an order-9 folio mapped by a PMD | 2        | 2      |

    @large_folios.both-kinds.per-page @config:page_mapcount
    Scenario: The parent has PTEs and has copied one page, the child has a PMD
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 0
      Then page 0 of A has mapcount 1
      And page 0 of B has mapcount 1
      And pages 1 to 511 of A have mapcount 2
      And pages 1 to 511 of B have mapcount 2

    @large_folios.both-kinds.folio
    Scenario: The folio counts one PMD and 511 PTEs
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 0
      Then the folio of page 0 of B has mapcount 512
      And the folio of page 0 of B has entire mapcount 1
      And the folio of page 0 of B has 512 references

    @large_folios.both-kinds.pages-mapped @since:6.12 @config:page_mapcount
    Scenario: Of the folio, 511 pages are mapped by PTEs
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 0
      Then the folio of page 0 of B has 511 pages mapped by PTEs

    @large_folios.both-kinds.pmd-leaves @config:page_mapcount
    Scenario: When the PMD goes, the page without a PTE is mapped by nobody
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A writes "new" to page 0
      When B exits
      Then pages 1 to 511 of A have mapcount 1
      And the folio of pages 1 to 511 of A has order 9
      And pages 1 to 511 of A are mapped exclusively

    @large_folios.both-kinds.pmd-leaves-counts
    Scenario: When the PMD goes, the folio counts 511 PTEs
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A writes "new" to page 0
      When B exits
      Then the folio of page 1 of A has mapcount 511
      And the folio of page 1 of A has entire mapcount 0
      And the folio of page 1 of A has 511 references

  @large_folios.pmd-split-marker
  Rule: Splitting an anonymous PMD MUST give each of the pages the exclusive marker of the PMD

    @large_folios.pmd-split-marker.exclusive
    Scenario: A sole owner's pages are all marked
      Given A has an order-9 folio mapped by a PMD
      When A makes page 5 read-only
      Then every page of A is marked exclusive

    @large_folios.pmd-split-marker.reused
    Scenario: A marked page is written in place although somebody holds a reference
      Given A has an order-9 folio mapped by a PMD
      And A vmsplices page 5 into pipe p
      And A makes every page read-only
      And A makes pages 5 to 9 read-write
      When A writes "new" to pages 5 to 9
      Then pages 5 to 9 of A were reused

    @large_folios.pmd-split-marker.dontfork-half
    Scenario: The half that a fork did not copy keeps its marker, although the folio is shared
      Given A has an order-9 folio mapped by a PMD
      And A calls MADV_DONTFORK on pages 256 to 511
      And A forks B
      When A writes "new" to every page
      Then pages 0 to 255 of A were copied
      And pages 256 to 511 of A were reused
      And B reads "old" in pages 0 to 255

  @large_folios.pmd-not-restored
  Rule: Undoing what split an anonymous PMD MUST NOT bring the PMD back

    @large_folios.pmd-not-restored.mprotect
    Scenario: Equal protections again do not join the PTEs
      Given A has an order-9 folio mapped by a PMD
      When A makes page 5 read-only
      And A makes page 5 read-write
      And A writes "new" to every page
      Then A has a PTE for every page
      And every page of A is where it was

    @large_folios.pmd-not-restored.dofork
    Scenario: MADV_DOFORK does not join the PTEs
      Given A has an order-9 folio mapped by a PMD
      When A calls MADV_DONTFORK on page 0
      And A calls MADV_DOFORK on page 0
      And A reads every page
      Then A has a PTE for every page

    @large_folios.pmd-not-restored.refault
    Scenario: Filling the hole does not join the PTEs
      Given A has an order-9 folio mapped by a PMD
      When A drops page 5 and writes "new" again
      Then A has a PTE for every page

  @large_folios.anon-huge-pages
  Rule: AnonHugePages of smaps MUST be the size of what is mapped by PMDs of anonymous folios, whatever the order of folios that are mapped by PTEs

    @large_folios.anon-huge-pages.kind
    Scenario Outline: <folio> shows <huge> kB
      Given A has <folio>
      Then smaps of A shows <huge> kB AnonHugePages
      And smaps of A shows <rss> kB Rss

      Examples:
        | folio                            | huge | rss  |
        | a base page                      | 0    | 4    |
        | an order-4 folio                 | 0    | 64   |
        | an order-9 folio mapped by PTEs  | 0    | 2048 |
        | an order-9 folio mapped by a PMD | 2048 | 2048 |

    @large_folios.anon-huge-pages.zero @needs:huge-zero-page
    Scenario: The huge zero page shows nothing
      Given A maps huge anonymous memory privately and reads it
      Then smaps of A shows 0 kB AnonHugePages
      And smaps of A shows 0 kB Rss

    @large_folios.anon-huge-pages.one-page-less
    Scenario: Dropping one page of 512 makes all of it vanish from AnonHugePages and 4 kB from Rss
      Given A has an order-9 folio mapped by a PMD
      When A calls MADV_DONTNEED on page 5
      Then smaps of A shows 0 kB AnonHugePages
      And smaps of A shows 2044 kB Rss
      And counter nr_anon_thps has fallen by 512

    @large_folios.anon-huge-pages.each-its-own
    Scenario: Each process shows what it maps by PMDs itself
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A makes page 5 read-only
      Then smaps of A shows 0 kB AnonHugePages
      And smaps of B shows 2048 kB AnonHugePages

    @large_folios.anon-huge-pages.pss @config:page_mapcount
    Scenario: A PMD on one side and PTEs on the other share the proportional size evenly
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 0
      Then smaps of A shows 1026 kB Pss
      And smaps of B shows 1026 kB Pss
      And smaps of A shows 4 kB Private_Dirty
      And smaps of B shows 4 kB Private_Dirty
