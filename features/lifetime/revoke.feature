# SPDX-License-Identifier: MIT
Feature: Taking mappings back with unmap_mapping_range

  @lifetime.revoke-all
  Rule: unmap_mapping_range MUST drop the entries of all mappings of the device in all processes, counted and raw

    @lifetime.revoke-all.processes
    Scenario Outline: Two processes lose what <handler> has mapped
      Given a driver has 2 pages of RAM
      And A maps the driver's memory shared with <handler>
      And B maps the driver's memory shared with <handler>
      And A reads every page
      And B reads every page
      When the driver calls unmap_mapping_range for its every page
      Then A has nothing for every page
      And B has nothing for every page
      And every page of the driver has 1 reference and no mapping

      Examples:
        | handler         |
        | vm_insert_page  |
        | remap_pfn_range |
        | vmf_insert_pfn  |
        | a fault handler |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | handler          |
        | vmf_insert_mixed |

    @lifetime.revoke-all.one-process
    Scenario: One process loses both of its mappings
      Given a driver has 2 pages of RAM
      And A maps the driver's memory shared with vm_insert_page as first
      And A maps the driver's memory shared with remap_pfn_range as second
      When the driver calls unmap_mapping_range for its every page
      Then A's first has nothing for every page of first
      And A's second has nothing for every page of second

    @lifetime.revoke-all.child
    Scenario: A child loses the entries that fork copied
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      And A forks B
      When the driver calls unmap_mapping_range for its every page
      Then A cannot read page 0: SIGBUS
      And B cannot read page 0: SIGBUS

    @lifetime.revoke-all.pmd @since:6.12 @config:pmd_pfnmap @needs:thp
    Scenario: A raw PMD goes as a whole
      Given a driver maps 512 pages of device memory into A with vmf_insert_pfn_pmd
      And A reads page 0
      When the driver calls unmap_mapping_range for its every page
      Then A has nothing for every page

  @lifetime.revoke-offset
  Rule: unmap_mapping_range MUST find entries by the offset of the page in the device, wherever they are mapped

    @lifetime.revoke-offset.one-page
    Scenario: One page goes, its neighbours stay
      Given a driver maps 4 pages of RAM into A with vm_insert_page
      When the driver calls unmap_mapping_range for its page 1
      Then A has nothing for page 1
      And A has a PTE for page 0
      And A has a PTE for pages 2 to 3
      And page 1 of the driver has 1 reference and no mapping

    @lifetime.revoke-offset.part
    Scenario: A mapping that starts at page 2 of the device loses its first page
      Given a driver has 4 pages of RAM
      And A maps the driver's pages 2 to 3 shared with remap_pfn_range as part
      When the driver calls unmap_mapping_range for its page 2
      Then A's part has nothing for page 0 of part
      And A's part has a raw PTE for page 1 of part

    @lifetime.revoke-offset.moved
    Scenario: A mapping that mremap has moved is found
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      And A moves every page to moved
      When the driver calls unmap_mapping_range for its page 0
      Then A's moved has nothing for page 0 of moved
      And A's moved has a raw PTE for page 1 of moved

  @lifetime.revoke-rewritten
  Rule: A private mapping that remap_pfn_range has made MUST NOT be found at its offset in the device, because vm_pgoff is then the page frame number

    @lifetime.revoke-rewritten.missed
    Scenario: The driver revokes all its pages, and the private mapping keeps its raw entries
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      When the driver calls unmap_mapping_range for its every page
      Then A has a raw PTE for every page
      And the maps file does not show for A the offset of page 0

    @lifetime.revoke-rewritten.never-writable
    Scenario: Without VM_MAYWRITE vm_pgoff stays, and the mapping is found
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately and read-only with remap_pfn_range without VM_MAYWRITE
      When the driver calls unmap_mapping_range for its every page
      Then A has nothing for every page

  @lifetime.revoke-copies
  Rule: unmap_mapping_range MUST drop private copies as well with even_cows, and MUST keep them without

    @lifetime.revoke-copies.dropped
    Scenario: With even_cows the copy and what was written to it are gone
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with vm_insert_page
      And A writes "new" to page 0
      When the driver calls unmap_mapping_range for its every page
      Then A cannot read page 0: SIGBUS
      And A counts in no RSS

    @lifetime.revoke-copies.kept
    Scenario: Without even_cows the copy stays, and the driver's page goes
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with vm_insert_page
      And A writes "new" to page 0
      When the driver calls unmap_mapping_range for its every page, without even_cows
      Then A reads "new" in page 0
      And A cannot read page 1: SIGBUS
      And A counts 1 page in RssAnon, 0 in RssFile and 0 in RssShmem

  @lifetime.revoke-refault
  Rule: unmap_mapping_range MUST NOT stop later faults: what happens at the next access is up to the driver's fault handler

    @lifetime.revoke-refault.back
    Scenario Outline: The next access maps the page again with <handler>
      Given a driver maps 1 page of RAM into A with <handler>
      And A writes "new" to page 0
      When the driver calls unmap_mapping_range for its page 0
      And A reads page 0
      Then A has <entry> for page 0
      And A reads "new" in page 0

      Examples:
        | handler         | entry     |
        | a fault handler | a PTE     |
        | vmf_insert_page | a PTE     |
        | vmf_insert_pfn  | a raw PTE |

    @lifetime.revoke-refault.gone
    Scenario Outline: A driver that is gone when the next access comes answers SIGBUS
      Given a driver maps 1 page of RAM into A with <handler>
      And A reads page 0
      And the driver calls unmap_mapping_range for its page 0
      When the driver frees its memory
      Then A cannot read page 0: SIGBUS

      Examples:
        | handler         |
        | a fault handler |
        | vmf_insert_pfn  |

    @lifetime.revoke-refault.eager
    Scenario: Without a fault handler the page is gone for good
      Given a driver maps 1 page of RAM into A with vm_insert_page
      When the driver calls unmap_mapping_range for its page 0
      Then A cannot read page 0: SIGBUS

  @lifetime.revoke-mapping
  Rule: unmap_mapping_range MUST reach mappings of the same address_space only

    @lifetime.revoke-mapping.other-device
    Scenario: Mappings of another device with an address_space of its own stay
      Given driver x has 2 pages of RAM
      And driver y has 2 pages of RAM
      And A maps driver x shared with remap_pfn_range as first
      And A maps driver y shared with remap_pfn_range as second
      When driver x calls unmap_mapping_range for its every page
      Then A's first has nothing for every page of first
      And A's second has a raw PTE for every page of second

  @lifetime.revoke-gup
  Rule: unmap_mapping_range MUST NOT take back a reference that get_user_pages gave

    @lifetime.revoke-gup.pipe
    Scenario: A page in a pipe is still the driver's page, and shows what the driver writes
      Given a driver maps 1 page of RAM into A with vm_insert_page
      And A vmsplices page 0 into pipe p
      When the driver calls unmap_mapping_range for its page 0
      And the driver writes "new" to its page 0
      Then page 0 of the driver has 2 references and no mapping
      And pipe p holds "new"
