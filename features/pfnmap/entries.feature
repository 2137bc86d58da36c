# SPDX-License-Identifier: MIT
Feature: What a raw entry is, and what it does not count

  @pfnmap.no-refcount
  Rule: A raw entry MUST NOT change the reference count or the mapcount of the page behind it

    @pfnmap.no-refcount.map
    Scenario Outline: Pages of RAM that <handler> maps have the driver's reference and no other
      Given a driver maps 4 pages of RAM into A with <handler>
      When A writes "new" to every page
      Then every page of the driver has 1 reference and no mapping
      And A has a raw PTE for every page
      And the driver reads "new" in its every page

      Examples:
        | handler             |
        | remap_pfn_range     |
        | io_remap_pfn_range  |
        | vm_iomap_memory     |
        | vmf_insert_pfn      |
        | vmf_insert_pfn_prot |

    @pfnmap.no-refcount.fork
    Scenario: Forking copies the entries and counts nothing
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      And A writes "new" to every page
      When A forks B
      Then B has a raw PTE for every page
      And B reads "new" in every page
      And every page of the driver has 1 reference and no mapping

    @pfnmap.no-refcount.twice
    Scenario: Two mappings of the same page count nothing twice
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      When B maps the driver's memory shared with remap_pfn_range
      And B writes "new" to page 0
      Then A reads "new" in page 0
      And every page of the driver has 1 reference and no mapping

    @pfnmap.no-refcount.folio
    Scenario: All pages of a folio are mapped and the folio counts none of them
      Given a driver maps an order-2 folio into A with remap_pfn_range
      When A reads every page
      Then page 0 of the driver has 1 reference and no mapping

  @pfnmap.no-rss
  Rule: A raw entry MUST NOT count in RSS, PSS or any other field of smaps

    @pfnmap.no-rss.map
    Scenario Outline: A mapping of 4 pages with <handler> has no resident page
      Given a driver maps 4 pages of <memory> into A with <handler>
      When A reads every page
      Then A counts in no RSS
      And smaps of A shows 0 kB Rss
      And smaps of A shows 0 kB Pss

      Examples:
        | handler             | memory        |
        | remap_pfn_range     | RAM           |
        | vmf_insert_pfn      | RAM           |
        | io_remap_pfn_range  | device memory |
        | vmf_insert_pfn_prot | device memory |

  @pfnmap.special-bit @pte_special:1
  Rule: With pte_special the entry MUST decide whether it is a page, not the flag of its VMA

    @pfnmap.special-bit.mixed
    Scenario: A raw entry in a VM_MIXEDMAP mapping is no page, although there is a struct page
      Given a driver maps 1 page of RAM into A with vmf_insert_mixed
      When A reads page 0
      Then page 0 of A is mapped, and no normal page
      And page 0 of the driver has 1 reference and no mapping

    @pfnmap.special-bit.fault
    Scenario: A page that a fault handler returns into a VM_PFNMAP mapping is a page
      Given a driver maps 1 page of RAM into A with a fault handler and VM_PFNMAP
      When A reads page 0
      Then page 0 of A is a normal page
      And page 0 of the driver has 2 references
      And page 0 of the driver has mapcount 1

    @pfnmap.special-bit.copied
    Scenario: The copy that a write made in a private VM_PFNMAP mapping is a page
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      When A writes "new" to page 0
      Then page 0 of A is a normal page
      And page 1 of A is mapped, and no normal page

  @pfnmap.linear @pte_special:0
  Rule: Without pte_special an entry of a VM_PFNMAP mapping MUST be raw, unless the mapping is private and its PFN is not the one that vm_pgoff gives

    @pfnmap.linear.shared
    Scenario: In a shared mapping every entry is raw
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      When A writes "new" to page 0
      Then A has a raw PTE for every page

    @pfnmap.linear.private
    Scenario: In a private mapping the copied page is told by its PFN
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      When A writes "new" to page 0
      Then page 0 of A is a normal page
      And page 1 of A is mapped, and no normal page

  @pfnmap.any-pfn
  Rule: remap_pfn_range MUST map any page frame number, with a struct page or without one

    @pfnmap.any-pfn.kinds
    Scenario Outline: <memory> is mapped, and nobody asks whether that is wise
      Given a driver has <count> of <memory>
      When A tries to map the driver's memory shared with remap_pfn_range
      Then it succeeds
      And A has a raw PTE for page 0

      Examples:
        | memory               | count   |
        | RAM                  | 1 page  |
        | reserved RAM         | 1 page  |
        | slab memory          | 1 page  |
        | large kmalloc memory | 4 pages |
        | anonymous memory     | 1 page  |
        | page cache           | 1 page  |
        | device memory        | 1 page  |

    @pfnmap.any-pfn.tail
    Scenario: Pages behind the first of a block without __GFP_COMP are mapped, although they have no reference
      Given a driver has an order-2 block without __GFP_COMP
      When A maps the driver's memory shared with remap_pfn_range
      Then A has a raw PTE for every page
      And page 0 of the driver has 1 reference and no mapping
      And pages 1 to 3 of the driver have 0 references and no mapping

  @pfnmap.huge-entry @since:6.12 @config:pmd_pfnmap @needs:thp
  Rule: A raw PMD MUST map all pages of its block and count none of them

    @pfnmap.huge-entry.map
    Scenario: One fault maps 512 pages of device memory
      Given a driver maps 512 pages of device memory into A with vmf_insert_pfn_pmd
      When A reads page 5
      Then A has a raw PMD for every page
      And A counts in no RSS

    @pfnmap.huge-entry.fork
    Scenario: The child has the raw PMD without a fault
      Given a driver maps 512 pages of device memory into A with vmf_insert_pfn_pmd
      And A reads page 0
      When A forks B
      Then B has a raw PMD for every page

    @pfnmap.huge-entry.mixed
    Scenario: In a VM_MIXEDMAP mapping it is raw as well, although there is a folio
      Given a driver maps an order-9 folio into A with vmf_insert_pfn_pmd and VM_MIXEDMAP
      When A reads page 5
      Then A has a raw PMD for every page
      And page 0 of the driver has 1 reference and no mapping
      And A counts in no RSS
