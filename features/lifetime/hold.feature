# SPDX-License-Identifier: MIT
Feature: Who holds a driver's page

  @lifetime.free-counted
  Rule: A counted entry MUST hold its page, so that memory that the driver frees lives until the last such entry has gone

    @lifetime.free-counted.alive
    Scenario Outline: The driver frees memory that <mapping> maps, and the process keeps it
      Given a driver maps for A <mapping>
      And A writes "new" to every page
      When the driver frees its memory
      Then page 0 of the driver has <references>
      And A reads "new" in every page

      Examples:
        | mapping                                                 | references   |
        | 4 pages of RAM with vm_insert_page                      | 1 reference  |
        | 4 pages of RAM with a fault handler                     | 1 reference  |
        | 4 pages of vmalloc memory with vm_insert_page           | 1 reference  |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | 1 reference  |
        | an order-2 folio with vm_insert_page                    | 4 references |

    @lifetime.free-counted.two-processes
    Scenario: Each of two processes holds the page, and one that exits gives up its own
      Given a driver maps 1 page of RAM into A with vm_insert_page
      And B maps the driver's memory shared with vm_insert_page
      And A writes "new" to page 0
      And the driver frees its memory
      When A exits
      Then page 0 of the driver has 1 reference
      And B reads "new" in page 0

    @lifetime.free-counted.private-page
    Scenario: When only one entry is left, the page is private and has its whole size in Pss
      Given a driver maps 1 page of RAM into A with vm_insert_page
      When the driver frees its memory
      Then smaps of A shows 4 kB Pss
      And smaps of A shows 4 kB Private_Clean

  @lifetime.free-raw
  Rule: A raw entry MUST NOT hold its page: memory that the driver frees is free while user space still reaches it

    @lifetime.free-raw.dangling
    Scenario Outline: The folio has no reference, and the entry that <handler> made is still there
      Given a driver maps an order-4 folio into A with <handler>
      And A reads every page
      When the driver frees its memory
      Then page 0 of the driver has 0 references
      And A has a raw PTE for every page

      Examples:
        | handler         |
        | remap_pfn_range |
        | vmf_insert_pfn  |

      @pte_special:1
      Examples: VM_MIXEDMAP does not help
        | handler          |
        | vmf_insert_mixed |

    @lifetime.free-raw.revoked
    Scenario: A driver that revokes first leaves no entry behind
      Given a driver maps an order-4 folio into A with remap_pfn_range
      And the driver calls unmap_mapping_range for its every page
      When the driver frees its memory
      Then A has nothing for every page
      And A cannot read page 0: SIGBUS

  @lifetime.hold-folio
  Rule: One counted entry of one page MUST hold the whole folio

    @lifetime.hold-folio.one-page
    Scenario: A process that maps one of 16 pages keeps all 16
      Given a driver maps an order-4 folio into A with vm_insert_page
      And A writes "new" to page 0
      And A unmaps pages 1 to 15
      When the driver frees its memory
      Then every page of the driver has 1 reference
      And A reads "new" in page 0

  @lifetime.hold-gup
  Rule: A reference that get_user_pages gave MUST hold the page on its own, without the mapping and without the driver

    @lifetime.hold-gup.pipe
    Scenario Outline: A page that is in a pipe outlives the mapping that <handler> made, and the driver
      Given a driver maps 1 page of RAM into A with <handler>
      And A writes "new" to page 0
      And A vmsplices page 0 into pipe p
      And A unmaps page 0
      When the driver frees its memory
      Then page 0 of the driver has 1 reference and no mapping
      And pipe p holds "new"

      Examples:
        | handler         |
        | vm_insert_page  |
        | a fault handler |
