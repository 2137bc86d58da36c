# SPDX-License-Identifier: MIT
Feature: Which pages can be mapped as pages

  @driver_pages.accept-kind
  Rule: A function that maps pages MUST accept a page that the driver holds and that is nothing else, and MUST refuse anonymous memory and slab memory with -EINVAL

    @driver_pages.accept-kind.accepted
    Scenario Outline: vm_insert_page maps <memory>
      Given a driver has <memory>
      When A maps the driver's memory shared with vm_insert_page
      Then A has a PTE for every page
      And every page of the driver has mapcount 1

      Examples:
        | memory                         |
        | 2 pages of RAM                 |
        | 2 pages of reserved RAM        |
        | 2 pages of vmalloc memory      |
        | 2 pages of vmalloc_user memory |
        | 2 pages of page cache          |

    @driver_pages.accept-kind.refused
    Scenario Outline: vm_insert_page refuses <memory>
      Given a driver has 1 page of <memory>
      When A tries to map the driver's memory shared with vm_insert_page
      Then it fails with EINVAL

      Examples:
        | memory           |
        | anonymous memory |
        | slab memory      |

    @driver_pages.accept-kind.functions
    Scenario Outline: <function> refuses anonymous memory as vm_insert_page does
      Given a driver has 1 page of anonymous memory
      When A tries to map the driver's memory shared with <function>
      Then it fails with EINVAL

      Examples:
        | function        |
        | vm_insert_pages |
        | vm_map_pages    |

      @since:7.3
      Examples: Through mmap_prepare
        | function                     |
        | mmap_action_map_kernel_pages |

    @driver_pages.accept-kind.fault
    Scenario Outline: A fault handler that calls <function> with anonymous memory gives SIGBUS
      Given a driver has 1 page of anonymous memory
      When A maps the driver's memory shared with <function>
      Then A cannot read page 0: SIGBUS

      Examples:
        | function        |
        | vmf_insert_page |

      @since:6.18
      Examples: Functions that 6.18 has
        | function                |
        | vmf_insert_page_mkwrite |

  @driver_pages.accept-reference
  Rule: A page that has no reference MUST be refused with -EINVAL

    @driver_pages.accept-reference.block
    Scenario: Of a block without __GFP_COMP only the first page can be mapped
      Given a driver has an order-2 block without __GFP_COMP
      And A maps the driver's page 0 shared with vm_insert_page as first
      When A tries to map the driver's page 1 shared with vm_insert_page
      Then it fails with EINVAL
      And page 0 of the driver has 2 references
      And page 1 of the driver has 0 references and no mapping

    @driver_pages.accept-reference.kmalloc @since:6.18
    Scenario: Since 6.18 no memory of kmalloc has a reference
      Given a driver has 4 pages of large kmalloc memory
      When A tries to map the driver's memory shared with vm_insert_page
      Then it fails with EINVAL
      And page 0 of the driver has 0 references

    @driver_pages.accept-reference.kmalloc-page @until:6.12
    Scenario: Up to 6.12 large kmalloc memory is an ordinary folio and can be mapped
      Given a driver has 4 pages of large kmalloc memory
      When A maps the driver's memory shared with vm_insert_page
      Then A has a PTE for every page
      And page 0 of the driver has 5 references

  @driver_pages.accept-tail
  Rule: Every page of a folio MUST be accepted, and its reference MUST be taken on the folio

    @driver_pages.accept-tail.last
    Scenario: The last page of an order-2 folio is mapped alone
      Given a driver has an order-2 folio
      When A maps the driver's page 3 shared with vm_insert_page as tail
      Then A's tail has a PTE for page 0 of tail
      And page 0 of the driver has 2 references
      And page 3 of the driver has 2 references

    @driver_pages.accept-tail.mapcount @config:page_mapcount
    Scenario: The mapping counts for that page and for no other
      Given a driver has an order-2 folio
      When A maps the driver's page 3 shared with vm_insert_page as tail
      Then page 3 of the driver has mapcount 1
      And pages 0 to 2 of the driver have mapcount 0

  @driver_pages.accept-undone
  Rule: An mmap that fails at one page MUST leave none of the others mapped, and take no reference

    @driver_pages.accept-undone.block
    Scenario Outline: The second page of a block is refused, and <function> has left nothing behind
      Given a driver has an order-2 block without __GFP_COMP
      When A tries to map the driver's memory shared with <function>
      Then it fails with EINVAL
      And page 0 of the driver has 1 reference and no mapping

      Examples:
        | function        |
        | vm_insert_page  |
        | vm_insert_pages |
        | vm_map_pages    |
