# SPDX-License-Identifier: MIT
Feature: What a child gets of a driver's mapping

  @driver_pages.fork-flags
  Rule: fork MUST decide by the flags of the VMA whether it copies entries, not by whether the driver has a fault handler

    @driver_pages.fork-flags.none
    Scenario: Without a flag the child starts empty and faults the pages in
      Given a driver maps 2 pages of RAM into A with a fault handler
      And A writes "new" to every page
      When A forks B
      Then B has nothing for every page
      And every page of the driver has 2 references
      And B reads "new" in every page
      And every page of the driver has 3 references

    @driver_pages.fork-flags.mixedmap
    Scenario: With VM_MIXEDMAP the child has the entries at once, although it could fault
      Given a driver maps 2 pages of RAM into A with a fault handler and VM_MIXEDMAP
      And A reads every page
      When A forks B
      Then B has a PTE for every page
      And every page of the driver has 3 references
      And B counts 0 pages in RssAnon, 2 in RssFile and 0 in RssShmem

    @driver_pages.fork-flags.private
    Scenario: A private mapping that has a copied page is copied with all its entries
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with a fault handler
      And A reads page 1
      And A writes "new" to page 0
      When A forks B
      Then B has a PTE for every page
      And B counts 1 page in RssAnon, 1 in RssFile and 0 in RssShmem

  @driver_pages.dontcopy
  Rule: fork MUST leave out a mapping with VM_DONTCOPY, whatever maps its pages, and MUST count nothing for it

    @driver_pages.dontcopy.absent
    Scenario Outline: The child of <function> with VM_DONTCOPY has no mapping
      Given a driver maps 2 pages of RAM into A with <function> and VM_DONTCOPY
      And A reads every page
      When A forks B
      Then B cannot read page 0: SIGSEGV
      And every page of the driver has <references>

      Examples:
        | function        | references   |
        | vm_insert_page  | 2 references |
        | a fault handler | 2 references |
        | remap_pfn_range | 1 reference  |

    @driver_pages.dontcopy.parent
    Scenario: The parent keeps what it has
      Given a driver maps 2 pages of RAM into A with vm_insert_page and VM_DONTCOPY
      And A writes "new" to every page
      When A forks B
      Then A reads "new" in every page
      And every page of A has mapcount 1
