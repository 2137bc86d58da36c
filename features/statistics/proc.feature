# SPDX-License-Identifier: MIT
Feature: status, statm, numa_maps, PAGEMAP_SCAN, kpagecount and kpageflags

  @statistics.status
  Rule: VmRSS of status MUST be the sum of RssAnon, RssFile and RssShmem, which MUST NOT depend on any mapcount

    @statistics.status.sum
    Scenario: The three add up
      Given file f has 4 pages on memfd
      And A has 4 pages of private anonymous memory as own
      And A maps file f shared
      When A reads every page
      Then status of A adds RssAnon, RssFile and RssShmem up to VmRSS

    @statistics.status.fork
    Scenario: A child that shares everything has as much as its parent
      Given A has 4 pages of private anonymous memory
      When A forks B1 to B7
      Then A counts 4 pages in RssAnon, 0 in RssFile and 0 in RssShmem
      And B7 counts 4 pages in RssAnon, 0 in RssFile and 0 in RssShmem

    @statistics.status.thp @order:9
    Scenario: A PMD is 512 pages of RssAnon
      Given A has an order-9 folio mapped by a PMD
      Then A counts 512 pages in RssAnon, 0 in RssFile and 0 in RssShmem

  @statistics.statm
  Rule: The second number of statm MUST be VmRSS, and the third RssFile and RssShmem, in pages

    @statistics.statm.agrees
    Scenario: statm and status say the same
      Given file f has 4 pages on memfd
      And A has 4 pages of private anonymous memory as own
      And A maps file f shared
      When A reads every page
      Then statm of A shows the RSS of its status

  @statistics.numa-maps @needs:numa-maps
  Rule: mapmax of numa_maps MUST be the largest mapcount in the VMA, and MUST be absent if that is 1

    @statistics.numa-maps.alone
    Scenario: Pages of one process have no mapmax
      Given A has 4 pages of private anonymous memory
      Then numa_maps of A shows anon=4 dirty=4

    @statistics.numa-maps.fork
    Scenario: Three processes
      Given A has 4 pages of private anonymous memory
      And A forks B
      When A forks C
      Then numa_maps of A shows anon=4 dirty=4 mapmax=3

    @statistics.numa-maps.largest @config:page_mapcount
    Scenario: One page that is still shared decides
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages 1 to 15
      Then numa_maps of A shows anon=16 dirty=16 mapmax=2

    @statistics.numa-maps.average @config:no_page_mapcount
    Scenario: Without per-page counts it is the average, and one page of 16 does not show
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages 1 to 15
      Then numa_maps of A shows anon=16 dirty=16

    @statistics.numa-maps.driver
    Scenario: Clean pages of a driver are mapped
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      Then numa_maps of A shows mapped=4

    @statistics.numa-maps.file
    Scenario: Where all pages are dirty, how many are mapped is left out
      Given file f has 4 pages on memfd
      And A maps file f privately
      And A reads every page
      When A writes "new" to page 0
      Then numa_maps of A shows anon=1 dirty=4

    @statistics.numa-maps.zero
    Scenario: The zero page is nothing
      Given A maps 4 pages of private anonymous memory
      When A reads every page
      Then numa_maps of A shows none of the four

  @statistics.pagemap
  Rule: pagemap MUST show for each entry whether it is present or a swap entry, and whether its page is of a file or shmem, whoever else maps it

    @statistics.pagemap.anonymous
    Scenario: Anonymous pages are present, before and after fork
      Given A has 2 pages of private anonymous memory
      When A forks B
      Then pagemap shows present for every page of A
      And pagemap shows present for every page of B

    @statistics.pagemap.alone
    Scenario: Of one process they are exclusive too
      Given A has 2 pages of private anonymous memory
      Then pagemap shows present and exclusive for every page of A

    @statistics.pagemap.file
    Scenario Outline: A page on <file> is a file page
      Given file f has 2 pages on <file>
      And A maps file f shared
      When A reads every page
      Then pagemap shows present, file and exclusive for every page of A

      Examples:
        | file               |
        | a disk file system |
        | tmpfs              |
        | memfd              |

    @statistics.pagemap.copy
    Scenario: A private copy is none
      Given file f has 2 pages on memfd
      And A maps file f privately
      And A reads every page
      When A writes "new" to page 0
      Then pagemap shows present and exclusive for page 0 of A
      And pagemap shows present, file and exclusive for page 1 of A

    @statistics.pagemap.hugetlb
    Scenario: Private hugetlb memory is present, page by page
      Given A has a hugetlb page
      Then pagemap shows present and exclusive for every page of A

    @statistics.pagemap.ksm @needs:ksm
    Scenario: A KSM page is an anonymous page that is not exclusive
      Given A has 2 pages of private anonymous memory
      And A calls MADV_MERGEABLE on every page
      When KSM merges what it can
      Then pagemap shows present for every page of A

    @statistics.pagemap.swapped @needs:swap
    Scenario: A swap entry is not present
      Given A has 2 pages of private anonymous memory
      When every page of A is swapped out
      Then pagemap shows swapped for every page of A

    @statistics.pagemap.empty
    Scenario: An empty entry shows nothing
      Given A maps 2 pages of private anonymous memory
      Then pagemap shows nothing for every page of A

  @statistics.soft-dirty @needs:soft-dirty
  Rule: Bit 55 MUST be clear for a page that was not written since clear_refs 4, and MUST be set once it is, and for all of a mapping that was made since

    @statistics.soft-dirty.new
    Scenario: A new mapping is soft-dirty, touched or not
      Given A maps 2 pages of private anonymous memory
      When A writes "new" to page 0
      Then pagemap marks every page of A as soft-dirty

    @statistics.soft-dirty.cleared
    Scenario: Nothing is after clear_refs, and Rss is what it was
      Given A has 2 pages of private anonymous memory
      When A clears its soft-dirty bits
      Then pagemap does not mark every page of A as soft-dirty
      And smaps of A shows 8 kB Rss

    @statistics.soft-dirty.written
    Scenario: The page that is written is, its neighbour is not
      Given A has 2 pages of private anonymous memory
      And A clears its soft-dirty bits
      When A writes "new" to page 0
      Then pagemap marks page 0 of A as soft-dirty
      And pagemap does not mark page 1 of A as soft-dirty

    @statistics.soft-dirty.read
    Scenario: A read changes nothing
      Given A has 2 pages of private anonymous memory
      And A clears its soft-dirty bits
      When A reads every page
      Then pagemap does not mark every page of A as soft-dirty

    @statistics.soft-dirty.child
    Scenario: A child inherits the bits
      Given A has 2 pages of private anonymous memory
      And A clears its soft-dirty bits
      And A writes "new" to page 0
      When A forks B
      Then pagemap marks page 0 of B as soft-dirty
      And pagemap does not mark page 1 of B as soft-dirty

    @statistics.soft-dirty.other
    Scenario: The bits of other processes stay
      Given A has 2 pages of private anonymous memory
      And A forks B
      When A clears its soft-dirty bits
      Then pagemap marks every page of B as soft-dirty

  @statistics.soft-dirty-again @needs:soft-dirty
  Rule: Bit 55 MAY come back without a write: for what mremap moves, for a dirty PMD that is split or migrated, and for dirty PTEs of a large folio under mprotect

    @statistics.soft-dirty-again.split @since:6.12
    Scenario: One page less, and all the others count as written
      Given A has an order-9 folio mapped by a PMD
      And A clears its soft-dirty bits
      When A unmaps page 511
      Then pagemap marks pages 0 to 510 of A as soft-dirty

    @statistics.soft-dirty-again.split-6-1 @until:6.1
    Scenario: In 6.1 a split loses the dirty bits, so nothing comes back
      Given A has an order-9 folio mapped by a PMD
      And A clears its soft-dirty bits
      When A unmaps page 511
      Then pagemap does not mark pages 0 to 510 of A as soft-dirty

    @statistics.soft-dirty-again.migration @needs:migrate
    Scenario: So does migration
      Given A has an order-9 folio mapped by a PMD
      And A clears its soft-dirty bits
      When A moves every page to the other node
      Then pagemap marks every page of A as soft-dirty

    @statistics.soft-dirty-again.mremap
    Scenario Outline: What mremap moves counts as written: <page>
      Given A has <page>
      And A clears its soft-dirty bits
      When A moves every page to elsewhere
      Then pagemap marks every page of elsewhere of A as soft-dirty

      Examples:
        | page                             |
        | a base page                      |
        | a base page, swapped out         |
        | an order-9 folio mapped by a PMD |

    @statistics.soft-dirty-again.mprotect @since:6.18
    Scenario: So does mprotect of several pages of a large folio that PTEs map
      Given A has an order-4 folio
      And A clears its soft-dirty bits
      When A makes every page read-only
      Then pagemap marks every page of A as soft-dirty

    @statistics.soft-dirty-again.mprotect-one @since:6.18
    Scenario: Of one page it does not
      Given A has an order-4 folio
      And A clears its soft-dirty bits
      When A makes page 3 read-only
      Then pagemap does not mark page 3 of A as soft-dirty

    @statistics.soft-dirty-again.mprotect-before @since:6.12 @until:6.12
    Scenario: In 6.12 mprotect leaves the bits alone
      Given A has an order-4 folio
      And A clears its soft-dirty bits
      When A makes every page read-only
      Then pagemap does not mark every page of A as soft-dirty

    @statistics.soft-dirty-again.small @since:6.12 @needs:migrate
    Scenario Outline: What PTEs map keeps its bits: <page>
      Given A has <page>
      And A clears its soft-dirty bits
      When A moves every page to the other node
      Then pagemap does not mark every page of A as soft-dirty

      Examples:
        | page             |
        | a base page      |
        | an order-4 folio |

    @statistics.soft-dirty-again.small-6-1 @until:6.1 @needs:migrate
    Scenario: In 6.1 a page that a PTE maps does not keep them
      Given A has a base page
      And A clears its soft-dirty bits
      When A moves every page to the other node
      Then pagemap marks every page of A as soft-dirty

  @statistics.uffd-wp @needs:userfaultfd-wp @since:6.12
  Rule: Bit 57 MUST be set for a page that a userfaultfd has write-protected, until it is written

    @statistics.uffd-wp.protected
    Scenario: All pages are marked, and none is written
      Given A has 2 pages of private anonymous memory
      And A registers every page with userfaultfd in asynchronous write-protect mode
      When A write-protects every page with userfaultfd
      Then pagemap marks every page of A as write-protected
      And PAGEMAP_SCAN shows wpallowed and present for every page of A

    @statistics.uffd-wp.written
    Scenario: A store goes through and is told, page by page
      Given A has 2 pages of private anonymous memory
      And A registers every page with userfaultfd in asynchronous write-protect mode
      And A write-protects every page with userfaultfd
      When A writes "new" to page 0
      Then A reads "new" in page 0
      And pagemap does not mark page 0 of A as write-protected
      And pagemap marks page 1 of A as write-protected
      And PAGEMAP_SCAN shows wpallowed, written and present for page 0 of A
      And PAGEMAP_SCAN shows wpallowed and present for page 1 of A

    @statistics.uffd-wp.counts
    Scenario: No number of smaps changes by it
      Given A has 2 pages of private anonymous memory
      And A registers every page with userfaultfd in asynchronous write-protect mode
      When A write-protects every page with userfaultfd
      Then smaps of A shows 8 kB Rss
      And smaps of A shows 8 kB Private_Dirty

    @statistics.uffd-wp.child
    Scenario: A child is not protected
      Given A has 2 pages of private anonymous memory
      And A registers every page with userfaultfd in asynchronous write-protect mode
      And A write-protects every page with userfaultfd
      When A forks B
      Then pagemap does not mark every page of B as write-protected
      And pagemap marks every page of A as write-protected

  @statistics.scan @needs:pagemap-scan @since:6.12
  Rule: PAGEMAP_SCAN MUST tell present, swapped, file, zero and huge entries apart

    @statistics.scan.anonymous
    Scenario: An anonymous page is present and no file
      Given A maps 2 pages of private anonymous memory
      When A writes "new" to page 0
      Then PAGEMAP_SCAN shows present, and may show written, for page 0 of A
      And PAGEMAP_SCAN shows nothing, and may show written, for page 1 of A

    @statistics.scan.file
    Scenario: A page of a file
      Given file f has 2 pages on memfd
      And A maps file f shared
      When A reads every page
      Then PAGEMAP_SCAN shows file and present, and may show written, for every page of A

    @statistics.scan.zero
    Scenario: The zero page
      Given A maps 1 page of private anonymous memory
      When A reads page 0
      Then PAGEMAP_SCAN shows present and pfnzero, and may show written, for page 0 of A

    @statistics.scan.huge-zero @needs:huge-zero-page @pmd_order:9
    Scenario: The huge zero page
      Given A maps 512 pages of private anonymous memory for order-9 folios
      When A reads page 0
      Then PAGEMAP_SCAN shows present, pfnzero and huge, and may show written, for every page of A

    @statistics.scan.pmd @order:9
    Scenario: What a PMD maps is huge, what PTEs map of the same folio is not
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A is mapped by PTEs
      Then PAGEMAP_SCAN shows present, and may show written, for every page of A
      And PAGEMAP_SCAN shows present and huge, and may show written, for every page of B

    @statistics.scan.hugetlb
    Scenario: hugetlb is huge
      Given A has a hugetlb page
      Then PAGEMAP_SCAN shows present and huge, and may show written, for every page of A

    @statistics.scan.swapped @needs:swap
    Scenario: A swap entry
      Given A has 2 pages of private anonymous memory
      When every page of A is swapped out
      Then PAGEMAP_SCAN shows swapped, and may show written, for every page of A

    @statistics.scan.pfnmap
    Scenario: A VM_PFNMAP mapping is passed over
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      Then PAGEMAP_SCAN shows nothing for every page of A

    @statistics.scan.driver
    Scenario: A driver's counted pages are pages of a file
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      Then PAGEMAP_SCAN shows file and present, and may show written, for every page of A

  @statistics.scan-written @needs:pagemap-scan @since:6.12
  Rule: Where no userfaultfd is registered, PAGE_IS_WRITTEN MUST be reported of present pages until 6.18 and MUST NOT since 7.3

    @statistics.scan-written.older @until:6.18
    Scenario: Until 6.18 a page that was only read is called written
      Given file f has 2 pages on memfd
      And A maps file f shared
      When A reads every page
      Then PAGEMAP_SCAN shows written, file and present for every page of A

    @statistics.scan-written.newer @since:7.3
    Scenario: Since 7.3 not even a page that was written is
      Given A maps 2 pages of private anonymous memory
      When A writes "new" to page 0
      Then PAGEMAP_SCAN shows present for page 0 of A
      And PAGEMAP_SCAN shows nothing for page 1 of A

    @statistics.scan-written.registered @needs:userfaultfd-wp
    Scenario: Memory that is registered for write protection is told written on every kernel
      Given A has 2 pages of private anonymous memory
      When A tries to register every page with userfaultfd in write-protect mode
      Then it succeeds
      And PAGEMAP_SCAN shows written and present for every page of A

  @statistics.kpagecount @needs:kpage
  Rule: kpagecount MUST be the mapcount of the page, or without per-page counts the average of its folio, and 0 for what nobody maps

    @statistics.kpagecount.free-tail @config:page_mapcount
    Scenario: A page of a folio that lost its last mapping has 0, and is not free
      Given A has an order-4 folio
      When A unmaps page 3
      Then kpagecount of the memory that was page 3 of A is 0
      And kpagecount of the memory that was page 2 of A is 1
      And the folio of page 2 of A has order 4

    @statistics.kpagecount.average-tail @config:no_page_mapcount
    Scenario: Without per-page counts it has what its folio has
      Given A has an order-4 folio
      When A unmaps page 3
      Then kpagecount of the memory that was page 3 of A is 1

    @statistics.kpagecount.raw @needs:driver-calls
    Scenario: A page that is mapped raw only has 0
      Given a driver has 1 page of RAM
      And A maps the driver's memory shared with vm_insert_page as counted
      And A maps the driver's memory shared with remap_pfn_range as raw
      When A unmaps page 0 of counted
      Then kpagecount of the memory that was page 0 of A's counted is 0

    @statistics.kpagecount.zero
    Scenario: The zero page has 0, whoever maps it
      Given A maps 1 page of private anonymous memory
      And A reads page 0
      When A forks B
      Then kpagecount of the memory that was page 0 of A is 0

  @statistics.kpageflags @needs:kpage
  Rule: KPF_MMAP MUST be set on all pages of a folio while any of them is mapped

    @statistics.kpageflags.tail
    Scenario: Also on a page that lost its last mapping
      Given A has an order-4 folio
      When A unmaps page 3
      Then kpageflags of the memory that was page 3 of A shows MMAP
      And kpageflags of the memory that was page 3 of A shows COMPOUND_TAIL

  @statistics.mincore
  Rule: mincore MUST NOT depend on any mapcount: a page MUST be resident if an entry maps it or the page cache holds it

    @statistics.mincore.anonymous
    Scenario: Entries are resident, the zero page too
      Given A maps 3 pages of private anonymous memory
      And A writes "new" to page 0
      When A reads page 1
      Then mincore says of pages 0 to 1 of A that they are resident
      And mincore says of page 2 of A that it is not resident

    @statistics.mincore.file
    Scenario: A page of the page cache is resident although nobody maps it
      Given file f has 4 pages on memfd
      When A maps file f shared
      Then smaps of A shows 0 kB Rss
      And mincore says of every page of A that they are resident

    @statistics.mincore.child
    Scenario: Another process's entries do not make it so
      Given A maps 2 pages of private anonymous memory
      And A forks B
      When A writes "new" to page 0
      Then mincore says of page 0 of A that it is resident
      And mincore says of page 0 of B that it is not resident
