# SPDX-License-Identifier: MIT
Feature: Large folios of files and hugetlb

  @large_folios.file-pmd @pmd_order:9
  Rule: A fault that maps a file folio of the PMD order MUST map all of it by a PMD where alignment, VMA and an empty PMD allow, and by PTEs otherwise

    @large_folios.file-pmd.aligned
    Scenario Outline: <access> one page of a folio on <filesystem> maps all of it by a PMD
      Given file f has an order-9 folio on <filesystem>
      And A maps file f shared
      When A <access> page 5
      Then A has a PMD for every page
      And smaps of A shows 2048 kB ShmemPmdMapped
      And smaps of A shows 2048 kB Rss
      And counter nr_shmem_pmdmapped has risen by 512

      Examples:
        | filesystem | access |
        | memfd      | reads  |
        | tmpfs      | reads  |

    @large_folios.file-pmd.write
    Scenario: A write fault on a shared mapping maps a PMD too
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      When A writes "new" to page 5
      Then A has a PMD for every page
      And A reads "old" in page 6

    @large_folios.file-pmd.misaligned
    Scenario: A mapping that is one page off gets PTEs
      Given file f has an order-9 folio on memfd
      And A maps file f shared, 1 page off its alignment, as off
      When A reads every page of off
      Then A's off has a PTE for every page
      And the folio of every page of A's off has order 9
      And smaps of A's off shows 0 kB ShmemPmdMapped
      And counter nr_shmem_pmdmapped is unchanged

    @large_folios.file-pmd.both @config:page_mapcount
    Scenario: One process maps a folio by a PMD and by PTEs at once
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A maps file f shared, 1 page off its alignment, as off
      When A reads every page
      And A reads every page of off
      Then A has a PMD for every page
      And A's off has a PTE for every page
      And every page of A has mapcount 2
      And every page of A is the same memory as every page of A's off

    @large_folios.file-pmd.counts @since:6.12
    Scenario: The page cache holds 512 references and a PMD holds one
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      When A reads page 5
      Then the folio of page 0 of A has mapcount 1
      And the folio of page 0 of A has entire mapcount 1
      And the folio of page 0 of A has 513 references

    @large_folios.file-pmd.counts-both
    Scenario: Two PMDs and 512 PTEs on one folio make 514 mappings and 1026 references
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And B maps file f shared
      And A maps file f shared, 1 page off its alignment, as off
      When A reads every page
      And B reads every page
      And A reads every page of off
      Then the folio of page 0 of A has mapcount 514
      And the folio of page 0 of A has entire mapcount 2
      And the folio of page 0 of A has 1026 references

  @large_folios.file-pmd-split @pmd_order:9
  Rule: Splitting the PMD of a file folio MUST remove it and install nothing, and the pages MUST be found again by the next faults

    @large_folios.file-pmd-split.mprotect
    Scenario: One page of a folio on memfd is made read-only and all 512 are unmapped
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A reads page 0
      When A makes page 5 read-only
      Then A has nothing for every page
      And counter thp_split_pmd has risen by 1
      And counter nr_shmem_pmdmapped has fallen by 512
      And A reads "old" in every page

    @large_folios.file-pmd-split.back
    Scenario: When protections are equal again the next fault maps a PMD
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A reads page 0
      And A makes page 5 read-only
      And A makes page 5 read-write
      When A reads page 0
      Then A has a PMD for every page

    @large_folios.file-pmd-split.zap
    Scenario: Zapping one page of the mapping unmaps all 512
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A reads page 0
      When A calls MADV_DONTNEED on page 5
      Then A has nothing for every page
      And A reads "old" in every page

    @large_folios.file-pmd-split.counts
    Scenario: The folio loses one mapping and one reference
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      And B reads page 0
      When A calls MADV_DONTNEED on page 5
      Then the folio of page 0 of B has mapcount 1
      And the folio of page 0 of B has entire mapcount 1
      And the folio of page 0 of B has 513 references

    @large_folios.file-pmd-split.other-process
    Scenario: The other process keeps its PMD
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      And B reads page 0
      When A calls MADV_DONTNEED on page 5
      Then B has a PMD for every page

  @large_folios.file-folio-split @pmd_order:9
  Rule: A split of a file folio MUST unmap it, and MUST leave its pages in the page cache

    @large_folios.file-folio-split.unmapped
    Scenario Outline: A memfd folio that is split to order <new> is unmapped everywhere
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      And B reads page 0
      When A splits the folio of page 0 to order <new>
      Then A has nothing for every page
      And B has nothing for every page
      And A reads "old" in every page
      And every page of A is where it was

      Examples: in every version
        | new |
        | 0   |

      @since:7.3
      Examples: where a shmem folio can be split to other orders
        | new |
        | 4   |

    @large_folios.file-folio-split.write-visible
    Scenario: After the split both processes still share the pages
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      When A splits the folio of page 0 to order 0
      And A writes "new" to page 7
      Then B reads "new" in page 7

    @large_folios.file-folio-split.reference
    Scenario: One FOLL_GET reference keeps the folio whole
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A reads page 0
      And A vmsplices page 3 into pipe p
      When A tries to split the folio of page 0 to order 0
      Then A has a PMD for every page
      And the folio of every page of A has order 9

  @large_folios.hugetlb-whole @needs:hugetlb @pmd_order:9
  Rule: A hugetlb folio MUST be mapped by one entry that counts once, and MUST NOT be unmapped in part

    @large_folios.hugetlb-whole.entry
    Scenario: One entry maps all pages
      Given A has a hugetlb page
      Then A has a hugetlb entry for every page
      And smaps of A shows 0 kB AnonHugePages
      And smaps of A shows 0 kB Rss
      And smaps of A shows 2048 kB Private_Hugetlb

    @large_folios.hugetlb-whole.counts
    Scenario: The entry counts once
      Given A has a hugetlb page
      Then the folio of page 0 of A has mapcount 1
      And the folio of page 0 of A has entire mapcount 1
      And the folio of page 0 of A has 1 reference

    @large_folios.hugetlb-whole.part
    Scenario: MADV_DONTNEED from the middle of it is refused
      Given A has a hugetlb page
      When A tries MADV_DONTNEED on pages 1 to 511
      Then it fails with EINVAL
      And A has a hugetlb entry for every page
      And A reads "old" in every page

    @large_folios.hugetlb-whole.part-rounded
    Scenario: MADV_DONTNEED of its first pages is rounded down to nothing
      Given A has a hugetlb page
      When A tries MADV_DONTNEED on pages 0 to 99
      Then it succeeds
      And A has a hugetlb entry for every page
      And A reads "old" in every page
