# SPDX-License-Identifier: MIT
Feature: Which entries of a VM_MIXEDMAP mapping are pages

  @mixedmap.counted
  Rule: A page that vm_insert_page maps MUST count as mapped: one reference, one mapping and one page of RSS for each entry

    @mixedmap.counted.functions
    Scenario Outline: <handler> takes a reference to each page and adds a mapping
      Given a driver maps 4 pages of RAM into A with <handler>
      When A reads every page
      Then every page of A are normal pages
      And every page of the driver has 2 references
      And every page of the driver has mapcount 1
      And A counts 0 pages in RssAnon, 4 in RssFile and 0 in RssShmem

      Examples:
        | handler           |
        | vm_insert_page    |
        | vm_insert_pages   |
        | vm_map_pages      |
        | vm_map_pages_zero |
        | vmf_insert_page   |

      @since:6.18
      Examples: A function that 6.18 has
        | handler                 |
        | vmf_insert_page_mkwrite |

      @since:7.3
      Examples: Through mmap_prepare
        | handler                      |
        | mmap_action_map_kernel_pages |

    @mixedmap.counted.vmalloc
    Scenario: remap_vmalloc_range counts page by page
      Given a driver maps 4 pages of vmalloc_user memory into A with remap_vmalloc_range
      When A writes "new" to page 3
      Then the driver reads "new" in its page 3
      And every page of the driver has 2 references
      And every page of the driver has mapcount 1

    @mixedmap.counted.pagemap
    Scenario: pagemap shows the pages, as pages of a file
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      When A reads every page
      Then pagemap shows present, file and exclusive for every page of A

  @mixedmap.mixed-raw @pte_special:1
  Rule: With pte_special vmf_insert_mixed MUST make raw entries, which count nothing, also for pages that have a struct page

    @mixedmap.mixed-raw.functions
    Scenario Outline: <handler> takes no reference
      Given a driver maps 2 pages of RAM into A with <handler>
      When A writes "new" to every page
      Then every page of the driver has 1 reference and no mapping
      And A has a raw PTE for every page
      And A counts in no RSS

      Examples:
        | handler                  |
        | vmf_insert_mixed         |
        | vmf_insert_mixed_mkwrite |

    @mixedmap.mixed-raw.pagemap
    Scenario: pagemap shows that something is present, and that it is no page
      Given a driver maps 2 pages of RAM into A with vmf_insert_mixed
      When A reads page 0
      Then pagemap shows present for page 0 of A
      And pagemap shows nothing for page 1 of A

  @mixedmap.mixed-not-special @pte_special:0
  Rule: Without pte_special vmf_insert_mixed MUST count a page that has a struct page

    @mixedmap.mixed-not-special.counted
    Scenario: The same call takes a reference there
      Given a driver maps 2 pages of RAM into A with vmf_insert_mixed
      When A reads every page
      Then every page of the driver has 2 references
      And every page of the driver has mapcount 1
      And A counts 0 pages in RssAnon, 2 in RssFile and 0 in RssShmem

  @mixedmap.each-entry @pte_special:1
  Rule: Entries of both kinds MAY stand side by side, and each MUST be taken for what it is

    @mixedmap.each-entry.both
    Scenario: A page and a raw entry in one mapping
      Given a driver has 2 pages of RAM
      And A maps the driver's memory shared with vmf_insert_mixed
      And A reads page 0
      When the driver calls vmf_insert_page for page 1 of A with its page 1
      Then the call returns VM_FAULT_NOPAGE
      And page 0 of A is mapped, and no normal page
      And page 1 of A is a normal page
      And A counts 0 pages in RssAnon, 1 in RssFile and 0 in RssShmem

  @mixedmap.both-flags @pte_special:1
  Rule: A mapping MAY have VM_MIXEDMAP and VM_PFNMAP, and MUST then be passed over and refused like any VM_PFNMAP mapping

    @mixedmap.both-flags.remapped
    Scenario: remap_pfn_range does not ask for VM_MIXEDMAP
      Given a driver maps 2 pages of RAM into A with remap_pfn_range and VM_MIXEDMAP
      Then A has VM_PFNMAP and VM_MIXEDMAP
      And pagemap shows nothing for every page of A
      When A tries MADV_DONTNEED on every page
      Then it fails with EINVAL

    @mixedmap.both-flags.inserted @since:7.3
    Scenario: Since 7.3 vm_insert_pages in a VM_PFNMAP mapping succeeds, and its pages are counted and not shown
      Given a driver maps 2 pages of RAM into A with vm_insert_pages and VM_PFNMAP
      Then A has VM_PFNMAP and VM_MIXEDMAP
      And the kernel warns in vm_insert_pages if it has CONFIG_DEBUG_VM
      And every page of the driver has 2 references
      And pagemap shows nothing for every page of A
      When A tries to read page 0 with process_vm_readv
      Then it fails with EFAULT

  @mixedmap.zero-page
  Rule: vm_insert_page of ZERO_PAGE MUST make an entry that counts nothing since 6.12, and a counted one in 6.1

    @mixedmap.zero-page.special @since:6.12
    Scenario: Since 6.12 the zero page is in no RSS
      Given a driver has 1 page of ZERO_PAGE
      When A maps the driver's memory privately with vm_insert_page
      Then A has the zero page for page 0
      And A counts in no RSS

    @mixedmap.zero-page.counted @until:6.1
    Scenario: In 6.1 it is in RssFile
      Given a driver has 1 page of ZERO_PAGE
      When A maps the driver's memory privately with vm_insert_page
      Then A counts 0 pages in RssAnon, 1 in RssFile and 0 in RssShmem

  @mixedmap.zero-page-where @since:6.12
  Rule: vm_insert_page MUST refuse ZERO_PAGE where the entry could become writable for all

    @mixedmap.zero-page-where.shared
    Scenario Outline: In a mapping that is <how> it is refused
      Given a driver has 1 page of ZERO_PAGE
      When A tries to map the driver's memory <how> with vm_insert_page
      Then it fails with EINVAL

      Examples:
        | how                  |
        | shared               |
        | shared and read-only |

    @mixedmap.zero-page-where.never-writable
    Scenario: In a shared mapping that can never be written it is accepted
      Given a driver has 1 page of ZERO_PAGE
      When A tries to map the driver's memory shared and read-only with vm_insert_page without VM_MAYWRITE
      Then it succeeds
      And A has the zero page for page 0

  @mixedmap.folio-pmd @since:6.18 @needs:thp
  Rule: vmf_insert_folio_pmd MUST map a whole folio by one PMD, with one reference

    @mixedmap.folio-pmd.counts
    Scenario: 512 pages, one reference and one mapping more
      Given a driver maps an order-9 folio into A with vmf_insert_folio_pmd
      When A reads page 7
      Then A has a PMD for every page
      And page 0 of the driver has 2 references
      And the folio of page 0 of A has mapcount 1
      And A counts 0 pages in RssAnon, 512 in RssFile and 0 in RssShmem

    @mixedmap.folio-pmd.unmap
    Scenario: Unmapping a part gives the reference back, and the rest faults in again
      Given a driver maps an order-9 folio into A with vmf_insert_folio_pmd
      And A reads page 0
      When A unmaps page 511
      Then page 0 of the driver has 1 reference and no mapping
      And A counts in no RSS

    @mixedmap.folio-pmd.no-flag
    Scenario: It needs no flag and sets none
      Given a driver maps an order-9 folio into A with vmf_insert_folio_pmd
      When A reads page 0
      Then A has none of VM_PFNMAP and VM_MIXEDMAP

  @mixedmap.folio-pmd-leak @since:6.18 @needs:thp
  Rule: A driver MUST NOT set VM_MIXEDMAP or VM_PFNMAP for vmf_insert_folio_pmd: unmapping a part loses the reference and the mapping for good

    @mixedmap.folio-pmd-leak.part
    Scenario: After munmap of one page nothing is mapped, and the folio is counted as if it were
      Given a driver maps an order-9 folio into A with vmf_insert_folio_pmd and VM_MIXEDMAP
      And A reads page 0
      When A unmaps page 511
      Then A has nothing for pages 0 to 510
      And page 0 of the driver has 2 references
      When A exits
      Then page 0 of the driver has 2 references
      And the kernel finds 512 pages left in RssFile of the dead process
      And 512 pages of the driver are never freed

    @mixedmap.folio-pmd-leak.whole @until:6.18
    Scenario: In 6.18 munmap of the whole mapping loses them as well
      Given a driver maps an order-9 folio into A with vmf_insert_folio_pmd and VM_MIXEDMAP
      And A reads page 0
      When A unmaps every page
      Then page 0 of the driver has 2 references
      When A exits
      Then the kernel finds 512 pages left in RssFile of the dead process
      And 512 pages of the driver are never freed

    @mixedmap.folio-pmd-leak.whole-back @since:7.3
    Scenario: Since 7.3 munmap of the whole mapping gives them back
      Given a driver maps an order-9 folio into A with vmf_insert_folio_pmd and VM_MIXEDMAP
      And A reads page 0
      When A unmaps every page
      Then page 0 of the driver has 1 reference and no mapping
