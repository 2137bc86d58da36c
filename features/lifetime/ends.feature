# SPDX-License-Identifier: MIT
Feature: Where mappings end by themselves

  @lifetime.ends
  Rule: When a mapping ends, every page MUST have the references and the mapcount that it had before the mapping was made

    @lifetime.ends.munmap
    Scenario Outline: After munmap of <mapping> the driver alone holds the pages
      Given a driver maps for A <mapping>
      And A reads every page
      When A unmaps every page
      Then every page of the driver has 1 reference and no mapping

      Examples:
        | mapping                                                 |
        | 4 pages of RAM with vm_insert_page                      |
        | 4 pages of RAM with a fault handler                     |
        | 4 pages of RAM with remap_pfn_range                     |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range |
        | an order-2 folio with vm_insert_page                    |

      @since:6.18 @needs:thp
      Examples: A folio mapped by a PMD
        | mapping                                    |
        | an order-9 folio with vmf_insert_folio_pmd |

    @lifetime.ends.exit
    Scenario Outline: After exit of the process that used <handler> the driver alone holds the pages
      Given a driver maps 4 pages of RAM into A with <handler>
      And A writes "new" to every page
      When A exits
      Then every page of the driver has 1 reference and no mapping
      And the driver reads "new" in its every page

      Examples:
        | handler         |
        | vm_insert_page  |
        | a fault handler |
        | remap_pfn_range |

    @lifetime.ends.moved
    Scenario Outline: A mapping made with <handler> that mremap has moved gives back what it held
      Given a driver maps 2 pages of RAM into A with <handler>
      And A reads every page
      And A moves every page to moved
      When A unmaps every page of moved
      Then every page of the driver has 1 reference and no mapping

      Examples:
        | handler         |
        | vm_insert_page  |
        | a fault handler |
        | remap_pfn_range |

    @lifetime.ends.private
    Scenario: Copies of a private mapping die with it, and the driver's pages are as before
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with vm_insert_page
      And A writes "new" to page 0
      When A unmaps every page
      Then every page of the driver has 1 reference and no mapping
      And the driver reads "" in its every page

  @lifetime.fork-exit
  Rule: Each process that fork gave the entries MUST hold references of its own, and MUST drop only those

    @lifetime.fork-exit.one-by-one
    Scenario: Parent, child and grandchild hold a page three times, and go one after the other
      Given a driver maps 1 page of RAM into A with vm_insert_page
      And A forks B
      When B forks C
      Then page 0 of the driver has 4 references
      And page 0 of the driver has mapcount 3
      When A exits
      And C exits
      Then page 0 of the driver has 2 references
      And page 0 of the driver has mapcount 1
      When B exits
      Then page 0 of the driver has 1 reference and no mapping
