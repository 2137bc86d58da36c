# SPDX-License-Identifier: MIT
Feature: Statistics that follow the mapcounts

  @mapcount.anon-mapped
  Rule: Outside hugetlb NR_ANON_MAPPED MUST count each mapped anonymous page once and, with per-page counts, no page that nobody maps

    @mapcount.anon-mapped.fault
    Scenario Outline: The first write to memory for <kind> adds <pages>
      Given A maps <pages> pages of private anonymous memory for order-<order> folios
      When A writes "new" to page 0
      Then counter nr_anon_mapped has risen by <pages>

      Examples:
        | kind           | order | pages |
        | order-2 folios | 2     | 4     |
        | order-4 folios | 4     | 16    |
        | order-9 folios | 9     | 512   |

    @mapcount.anon-mapped.base-page
    Scenario: The first write to a base page adds 1
      Given A maps 1 page of private anonymous memory
      When A writes "new" to page 0
      Then counter nr_anon_mapped has risen by 1

    @mapcount.anon-mapped.zero-page
    Scenario: Reading the zero page adds nothing
      Given A maps 1 page of private anonymous memory
      When A reads page 0
      Then counter nr_anon_mapped has risen by 0

    @mapcount.anon-mapped.fork
    Scenario Outline: A second process that maps <folio> adds nothing
      Given A has <folio>
      When A forks B
      Then counter nr_anon_mapped has risen by 0

      Examples:
        | folio                            |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by PTEs  |
        | an order-9 folio mapped by a PMD |

    @mapcount.anon-mapped.split
    Scenario: A PMD split changes nothing
      Given A has an order-9 folio mapped by a PMD
      When A is mapped by PTEs
      Then counter nr_anon_mapped has risen by 0

    @mapcount.anon-mapped.first-exit
    Scenario: The exit of one of two processes changes nothing
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B exits
      Then counter nr_anon_mapped has fallen by 0

    @mapcount.anon-mapped.last-exit
    Scenario Outline: The exit of the last process that maps <folio> takes <pages>
      Given A has <folio>
      When A exits
      Then counter nr_anon_mapped has fallen by <pages>

      Examples:
        | folio                            | pages |
        | a base page                      | 1     |
        | an order-4 folio                 | 16    |
        | an order-9 folio mapped by PTEs  | 512   |
        | an order-9 folio mapped by a PMD | 512   |

    @mapcount.anon-mapped.part @config:page_mapcount
    Scenario: Unmapping 511 of 512 pages takes 511
      Given A has an order-9 folio mapped by PTEs
      When A unmaps pages 1 to 511
      Then counter nr_anon_mapped has fallen by 511

    @mapcount.anon-mapped.part-pmd @config:page_mapcount
    Scenario: Unmapping one page under a PMD takes 1
      Given A has an order-9 folio mapped by a PMD
      When A unmaps page 511
      Then counter nr_anon_mapped has fallen by 1

    @mapcount.anon-mapped.under-pmd
    Scenario: PTEs that go while a PMD maps the folio elsewhere take nothing
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A unmaps pages 1 to 511
      Then counter nr_anon_mapped has fallen by 0

    @mapcount.anon-mapped.last-pmd @config:page_mapcount
    Scenario: The last PMD takes the pages that no PTE maps
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A unmaps pages 1 to 511
      When B exits
      Then counter nr_anon_mapped has fallen by 511

    @mapcount.anon-mapped.hugetlb
    Scenario: A hugetlb page is not counted
      Given A maps 512 pages of hugetlb memory
      When A writes "new" to page 0
      Then counter nr_anon_mapped has risen by 0

  @mapcount.anon-mapped-whole @config:no_page_mapcount
  Rule: Without per-page counts NR_ANON_MAPPED MUST hold all pages of a folio until its last mapping is gone

    @mapcount.anon-mapped-whole.part
    Scenario: Unmapping 511 of 512 pages takes nothing
      Given A has an order-9 folio mapped by PTEs
      When A unmaps pages 1 to 511
      Then counter nr_anon_mapped has fallen by 0

    @mapcount.anon-mapped-whole.last
    Scenario: Unmapping the last page takes 512
      Given A has an order-9 folio mapped by PTEs
      And A unmaps pages 1 to 511
      When A unmaps page 0
      Then counter nr_anon_mapped has fallen by 512

    @mapcount.anon-mapped-whole.small-order
    Scenario: The last of 16 pages takes 16
      Given A has an order-4 folio with one page mapped
      When A unmaps page 0
      Then counter nr_anon_mapped has fallen by 16

    @mapcount.anon-mapped-whole.last-pmd
    Scenario: The last PMD takes nothing while a PTE still maps a page
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A unmaps pages 1 to 511
      When B exits
      Then counter nr_anon_mapped has fallen by 0

  @mapcount.file-mapped
  Rule: Outside hugetlb NR_FILE_MAPPED MUST count each mapped page of a file once and, with per-page counts, no page that nobody maps

    @mapcount.file-mapped.first
    Scenario Outline: The first process that reads a page of <file> adds 1
      Given file f has 1 page on <file>
      And A maps file f shared
      When A reads page 0
      Then counter nr_file_mapped has risen by 1

      Examples:
        | file               |
        | a disk file system |
        | tmpfs              |
        | memfd              |

    @mapcount.file-mapped.second
    Scenario: The second process that reads it adds nothing
      Given file f has 1 page on memfd
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      When B reads page 0
      Then counter nr_file_mapped has risen by 0

    @mapcount.file-mapped.private-write
    Scenario: A private write moves one page from file to anonymous
      Given file f has 1 page on memfd
      And A maps file f privately
      And A reads page 0
      When A writes "new" to page 0
      Then counter nr_file_mapped has fallen by 1
      And counter nr_anon_mapped has risen by 1

    @mapcount.file-mapped.pmd
    Scenario: A PMD of a shmem folio adds 512
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      When A reads page 0
      Then counter nr_file_mapped has risen by 512

    @mapcount.file-mapped.pmd-second
    Scenario: A second PMD of the folio adds nothing to NR_FILE_MAPPED
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      When B reads page 0
      Then counter nr_file_mapped has risen by 0

    @mapcount.file-mapped.part @config:page_mapcount
    Scenario: Unmapping 511 of 512 pages that PTEs map takes 511
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared, 1 page off its alignment, as log
      And A reads every page of log
      When A unmaps pages 1 to 511 of log
      Then counter nr_file_mapped has fallen by 511

    @mapcount.file-mapped.part-whole @config:no_page_mapcount
    Scenario: Without per-page counts unmapping 511 of 512 pages takes nothing
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared, 1 page off its alignment, as log
      And A reads every page of log
      When A unmaps pages 1 to 511 of log
      Then counter nr_file_mapped has fallen by 0

  @mapcount.anon-thps
  Rule: NR_ANON_THPS MUST count all pages of an anonymous folio while at least one PMD maps it, and never otherwise

    @mapcount.anon-thps.fault
    Scenario: The fault that maps a PMD adds 512
      Given A maps 512 pages of private anonymous memory for order-9 folios
      When A writes "new" to page 0
      Then counter nr_anon_thps has risen by 512

    @mapcount.anon-thps.smaller
    Scenario Outline: A folio of order <order> adds nothing
      Given A maps <pages> pages of private anonymous memory for order-<order> folios
      When A writes "new" to page 0
      Then counter nr_anon_thps has risen by 0

      Examples:
        | order | pages |
        | 2     | 4     |
        | 4     | 16    |
        | 8     | 256   |

    @mapcount.anon-thps.hugetlb
    Scenario: A hugetlb page adds nothing
      Given A maps 512 pages of hugetlb memory
      When A writes "new" to page 0
      Then counter nr_anon_thps has risen by 0

    @mapcount.anon-thps.fork
    Scenario: A second PMD of the same folio adds nothing
      Given A has an order-9 folio mapped by a PMD
      When A forks B
      Then counter nr_anon_thps has risen by 0

    @mapcount.anon-thps.split-alone
    Scenario: Splitting the only PMD takes 512
      Given A has an order-9 folio mapped by a PMD
      When A is mapped by PTEs
      Then counter nr_anon_thps has fallen by 512

    @mapcount.anon-thps.split-shared
    Scenario: Splitting one of two PMDs takes nothing
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A is mapped by PTEs
      Then counter nr_anon_thps has fallen by 0

    @mapcount.anon-thps.pmd-side-exits
    Scenario: The exit of the process with the last PMD takes 512 though PTEs still map the folio
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A is mapped by PTEs
      When B exits
      Then counter nr_anon_thps has fallen by 512
      And A has a PTE for every page

    @mapcount.anon-thps.part
    Scenario: Unmapping one page of a PMD-mapped folio takes 512
      Given A has an order-9 folio mapped by a PMD
      When A unmaps page 511
      Then counter nr_anon_thps has fallen by 512

    @mapcount.anon-thps.exit
    Scenario: The exit of the only process takes 512
      Given A has an order-9 folio mapped by a PMD
      When A exits
      Then counter nr_anon_thps has fallen by 512

    @mapcount.anon-thps.exit-ptes
    Scenario: The exit of a process with PTEs only takes nothing
      Given A has an order-9 folio mapped by PTEs
      When A exits
      Then counter nr_anon_thps has fallen by 0

  @mapcount.shmem-pmdmapped
  Rule: NR_SHMEM_PMDMAPPED MUST count all pages of a shmem folio while at least one PMD maps it, and never otherwise

    @mapcount.shmem-pmdmapped.first
    Scenario Outline: The first PMD of a folio on <file> adds 512
      Given file f has an order-9 folio on <file>
      And A maps file f shared
      When A reads page 0
      Then A has a PMD for every page
      And counter nr_shmem_pmdmapped has risen by 512

      Examples:
        | file  |
        | tmpfs |
        | memfd |

    @mapcount.shmem-pmdmapped.second
    Scenario: A second PMD of the folio adds nothing to NR_SHMEM_PMDMAPPED
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      When B reads page 0
      Then B has a PMD for every page
      And counter nr_shmem_pmdmapped has risen by 0

    @mapcount.shmem-pmdmapped.ptes
    Scenario: PTEs of the folio add nothing
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared, 1 page off its alignment, as log
      When A reads every page of log
      Then counter nr_shmem_pmdmapped has risen by 0

    @mapcount.shmem-pmdmapped.last
    Scenario: Only the exit of the last process with a PMD takes 512
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      And B reads page 0
      And A exits
      When B exits
      Then counter nr_shmem_pmdmapped has fallen by 512

    @mapcount.shmem-pmdmapped.not-last
    Scenario: The exit of one of two processes with a PMD takes nothing
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared
      And A reads page 0
      And B reads page 0
      When B exits
      Then counter nr_shmem_pmdmapped has fallen by 0

    @mapcount.shmem-pmdmapped.split
    Scenario: Splitting the PMD takes 512
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And A reads page 0
      When A is mapped by PTEs
      Then counter nr_shmem_pmdmapped has fallen by 512
