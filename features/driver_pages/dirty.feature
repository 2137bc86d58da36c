# SPDX-License-Identifier: MIT
Feature: Dirty pages that nobody writes back

  @driver_pages.dirty-carry
  Rule: A page that was written through a counted entry MUST stay dirty when the entry goes, so that its next mapping is dirty without a write

    @driver_pages.dirty-carry.again
    Scenario: The page is written, unmapped, mapped again, and Private_Dirty
      Given a driver maps 1 page of RAM into A with vm_insert_page
      And A writes "new" to page 0
      And A unmaps page 0
      When A maps the driver's memory shared with vm_insert_page as again
      Then smaps of A's again shows 4 kB Private_Dirty
      And smaps of A's again shows 0 kB Private_Clean

    @driver_pages.dirty-carry.other
    Scenario: Another process that maps the page finds it dirty as well
      Given a driver maps 1 page of RAM into A with vm_insert_page
      And A writes "new" to page 0
      And A exits
      When B maps the driver's memory shared with vm_insert_page
      Then smaps of B shows 4 kB Private_Dirty

    @driver_pages.dirty-carry.folio
    Scenario: One written page of a folio makes all its pages dirty
      Given a driver maps an order-2 folio into A with vm_insert_page
      And A writes "new" to page 0
      When A unmaps page 0
      Then smaps of A shows 12 kB Private_Dirty

    @driver_pages.dirty-carry.read
    Scenario: A page that was only read stays clean
      Given a driver maps 1 page of RAM into A with vm_insert_page
      And A reads page 0
      And A unmaps page 0
      When A maps the driver's memory shared with vm_insert_page as again
      Then smaps of A's again shows 4 kB Private_Clean

  @driver_pages.dirty-entry
  Rule: A store through an entry that mmap has made MUST make only this entry dirty, and a write fault MUST make the page itself dirty at once

    @driver_pages.dirty-entry.one-page
    Scenario: One of eight pages is written, and is the only one that is dirty
      Given a driver maps 8 pages of RAM into A with vm_insert_page
      When A writes "new" to page 0
      Then smaps of A shows 4 kB Private_Dirty
      And smaps of A shows 28 kB Private_Clean

    @driver_pages.dirty-entry.other
    Scenario: The other process that maps the page sees it clean until the writer unmaps it
      Given a driver maps 1 page of RAM into A with vm_insert_page
      And B maps the driver's memory shared with vm_insert_page
      When A writes "new" to page 0
      Then smaps of A shows 4 kB Shared_Dirty
      And smaps of B shows 4 kB Shared_Clean
      When A unmaps page 0
      Then smaps of B shows 4 kB Private_Dirty

    @driver_pages.dirty-entry.fork
    Scenario: The child's entry of a shared mapping is clean
      Given a driver maps 1 page of RAM into A with vm_insert_page
      And A writes "new" to page 0
      When A forks B
      Then smaps of A shows 4 kB Shared_Dirty
      And smaps of B shows 4 kB Shared_Clean

    @driver_pages.dirty-entry.write-fault
    Scenario: With a fault handler the write fault marks the page, and the other process sees it dirty
      Given a driver maps 1 page of RAM into A with a fault handler
      And B maps the driver's memory shared with a fault handler
      And B reads page 0
      When A writes "new" to page 0
      Then smaps of A shows 4 kB Shared_Dirty
      And smaps of B shows 4 kB Shared_Dirty

  @driver_pages.dirty-others
  Rule: A store through a raw entry, or by the driver itself, MUST NOT make the page dirty

    @driver_pages.dirty-others.raw
    Scenario: What was written through remap_pfn_range is clean when it is mapped as a page
      Given a driver maps 1 page of RAM into A with remap_pfn_range
      And A writes "new" to page 0
      And A unmaps page 0
      When A maps the driver's memory shared with vm_insert_page as again
      Then smaps of A's again shows 4 kB Private_Clean
      And A reads "new" in page 0 of again

    @driver_pages.dirty-others.driver
    Scenario: What the driver writes is clean in the mapping
      Given a driver maps 1 page of RAM into A with vm_insert_page
      When the driver writes "new" to its page 0
      Then A reads "new" in page 0
      And smaps of A shows 4 kB Private_Clean
