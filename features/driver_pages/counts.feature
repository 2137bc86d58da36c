# SPDX-License-Identifier: MIT
Feature: How pages are counted that are neither anonymous nor of a file

  @driver_pages.file-bucket
  Rule: A driver's page MUST count as file memory although no file has it, and as shmem only if shmem allocated it

    @driver_pages.file-bucket.ram
    Scenario: Four pages of RAM are in RssFile, and in Rss of smaps
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      Then A counts 0 pages in RssAnon, 4 in RssFile and 0 in RssShmem
      And smaps of A shows 16 kB Rss
      And smaps of A shows 0 kB Anonymous
      And pagemap shows present, file and exclusive for every page of A
      And page 0 of A is no anon page

    @driver_pages.file-bucket.shmem
    Scenario: A page of a shmem file counts where the file's own mappings count it
      Given a driver maps 4 pages of page cache into A with vm_insert_page
      Then A counts 0 pages in RssAnon, 0 in RssFile and 4 in RssShmem

    @driver_pages.file-bucket.system
    Scenario Outline: NR_FILE_MAPPED rises by <pages> for 64 pages that <handler> maps
      Given a driver has 64 pages of RAM
      When A maps the driver's memory shared with <handler>
      Then counter nr_file_mapped has risen by <pages>

      Examples:
        | handler         | pages |
        | vm_insert_page  | 64    |
        | remap_pfn_range | 0     |

  @driver_pages.by-entry
  Rule: Whether a page is counted MUST depend on the entry that maps it, not on the memory

    @driver_pages.by-entry.both
    Scenario: The same page is mapped once as a page and once raw, and counts once
      Given a driver has 1 page of RAM
      And A maps the driver's memory shared with vm_insert_page as counted
      When A maps the driver's memory shared with remap_pfn_range as raw
      Then page 0 of the driver has 2 references
      And page 0 of the driver has mapcount 1
      And A's counted counts 1 page in RssFile
      And A's raw counts in no RSS
      And smaps of A's counted shows 4 kB Private_Clean

    @driver_pages.by-entry.same-memory
    Scenario: A store through the raw entry is seen through the counted one
      Given a driver has 1 page of RAM
      And A maps the driver's memory shared with vm_insert_page as counted
      And A maps the driver's memory shared with remap_pfn_range as raw
      When A writes "new" to page 0 of raw
      Then A reads "new" in page 0 of counted
      And the driver reads "new" in its page 0

  @driver_pages.folio
  Rule: Each PTE of a page of a folio MUST take one reference on the folio, and MUST count in the mapcount of its own page

    @driver_pages.folio.references
    Scenario: Two processes that map an order-2 folio by PTEs hold 8 references
      Given a driver maps an order-2 folio into A with vm_insert_page
      When B maps the driver's memory shared with vm_insert_page
      Then every page of the driver has 9 references

    @driver_pages.folio.part
    Scenario: References go one by one with the pages that are unmapped
      Given a driver maps an order-2 folio into A with vm_insert_page
      When A unmaps pages 1 to 3
      Then every page of the driver has 2 references

    @driver_pages.folio.mapcounts @config:page_mapcount
    Scenario: Each page of the folio has a mapcount of its own
      Given a driver maps an order-2 folio into A with vm_insert_page
      And B maps the driver's memory shared with vm_insert_page
      When A unmaps page 3
      Then pages 0 to 2 of the driver have mapcount 2
      And page 3 of the driver has mapcount 1

  @driver_pages.vmalloc
  Rule: Memory of vmalloc MUST be counted page by page: each page has a reference and a mapcount of its own

    @driver_pages.vmalloc.part
    Scenario: One page that is unmapped loses its counts, the others keep theirs
      Given a driver maps 4 pages of vmalloc_user memory into A with remap_vmalloc_range
      When A unmaps page 1
      Then page 1 of the driver has 1 reference and no mapping
      And page 0 of the driver has 2 references
      And pages 2 to 3 of the driver have 2 references

  @driver_pages.pss
  Rule: smaps MUST divide each page that has a mapcount of its own by its mappings, whoever has them, and round each page and the sum down

    @driver_pages.pss.fork
    Scenario Outline: <memory> in parent and child is <pss> of <rss> kB in each
      Given a driver maps for A <memory> with vm_insert_page
      When A forks B
      Then smaps of A shows <rss> kB Rss
      And smaps of A shows <pss> kB Pss
      And smaps of B shows <pss> kB Pss
      And smaps of B shows <rss> kB Shared_Clean

      Examples:
        | memory         | rss | pss |
        | 1 page of RAM  | 4   | 2   |
        | 8 pages of RAM | 32  | 16  |

      @config:page_mapcount
      Examples: Pages of a folio, where the kernel counts them one by one
        | memory           | rss | pss |
        | an order-2 folio | 16  | 8   |

    @driver_pages.pss.many
    Scenario Outline: <pages> of RAM in three processes are <pss> kB in each
      Given a driver maps for A <pages> of RAM with vm_insert_page
      And B maps the driver's memory shared with vm_insert_page
      When C maps the driver's memory shared with vm_insert_page
      Then smaps of A shows <pss> kB Pss
      And smaps of C shows <pss> kB Pss
      And every page of A has mapcount 3

      Examples:
        | pages    | pss |
        | 1 page   | 1   |
        | 4 pages  | 5   |
        | 12 pages | 15  |

    @driver_pages.pss.private
    Scenario: Three pages have two mappings each, and the written copy has one
      Given a driver has 4 pages of RAM
      And A maps the driver's memory privately with vm_insert_page as own
      And A maps the driver's memory shared with vm_insert_page as shared
      When A writes "new" to page 0 of own
      Then smaps of A's own shows 16 kB Rss
      And smaps of A's own shows 10 kB Pss
      And smaps of A's own shows 12 kB Shared_Clean
      And smaps of A's own shows 4 kB Private_Dirty
      And smaps of A's own shows 4 kB Anonymous

    @driver_pages.pss.private-fork
    Scenario: After fork three pages have four mappings each, and the copy has two
      Given a driver has 4 pages of RAM
      And A maps the driver's memory privately with vm_insert_page as own
      And A maps the driver's memory shared with vm_insert_page as shared
      And A writes "new" to page 0 of own
      When A forks B
      Then smaps of B's own shows 5 kB Pss
      And smaps of B's own shows 12 kB Shared_Clean
      And smaps of B's own shows 4 kB Shared_Dirty
      And page 1 of B's own has mapcount 4

  @driver_pages.mapped-twice
  Rule: A page that one process maps twice MUST have half its Pss in each mapping, count as shared, and not be called exclusive

    @driver_pages.mapped-twice.regions
    Scenario: Two mappings of one ring in one process look like two processes
      Given a driver has 4 pages of RAM
      And A maps the driver's memory shared with vm_insert_page as first
      When A maps the driver's memory shared with vm_insert_page as second
      Then smaps of A's first shows 8 kB Pss
      And smaps of A's first shows 16 kB Shared_Clean
      And smaps of A's first shows 0 kB Private_Clean
      And pagemap shows present and file for every page of A's first
      And every page of A's second has mapcount 2

    @driver_pages.mapped-twice.fork
    Scenario: Parent and child then have a quarter in each of four mappings
      Given a driver has 4 pages of RAM
      And A maps the driver's memory shared with vm_insert_page as first
      And A maps the driver's memory shared with vm_insert_page as second
      When A forks B
      Then smaps of A's first shows 4 kB Pss
      And smaps of B's second shows 4 kB Pss
      And every page of A's first has mapcount 4

    @driver_pages.mapped-twice.ring-buffer
    Scenario: A BPF ring buffer has its data twice in a row, so only its first page is exclusive
      Given A maps a BPF ring buffer
      When A reads every page
      Then smaps of A shows 20 kB Rss
      And smaps of A shows 12 kB Pss
      And pagemap shows present, file and exclusive for page 0 of A
      And pagemap shows present and file for pages 1 to 4 of A
      And pages 1 to 4 of A have mapcount 2

  @driver_pages.average @config:no_page_mapcount
  Rule: Without per-page counts Pss of a page of a folio MUST be divided by the average mapcount of the folio, and it counts as shared only if the folio is maybe shared

    @driver_pages.average.twice
    Scenario: One page of a folio that a process maps twice has its whole size in each mapping
      Given a driver has an order-2 folio
      And A maps the driver's page 0 shared with vm_insert_page as first
      When A maps the driver's page 0 shared with vm_insert_page as second
      Then page 0 of A's first has average mapcount 1
      And smaps of A's first shows 4 kB Pss
      And smaps of A's first shows 4 kB Private_Clean

    @driver_pages.average.two-processes
    Scenario: The same page in two processes is shared, and still has its whole size in each
      Given a driver has an order-2 folio
      And A maps the driver's page 0 shared with vm_insert_page as first
      When B maps the driver's page 0 shared with vm_insert_page as second
      Then smaps of A's first shows 4 kB Pss
      And smaps of A's first shows 4 kB Shared_Clean
      And smaps of B's second shows 4 kB Pss
