# SPDX-License-Identifier: MIT
Feature: A fault handler that returns a page

  @driver_pages.fault-counts
  Rule: The page that a fault handler returns MUST be mapped and counted, and the handler's reference to it MUST become the reference of the entry

    @driver_pages.fault-counts.reference
    Scenario: The entry has the one reference that the handler took
      Given a driver maps 4 pages of RAM into A with a fault handler
      When A reads page 0
      Then page 0 of the driver has 2 references
      And page 0 of the driver has mapcount 1
      And A counts 0 pages in RssAnon, 1 in RssFile and 0 in RssShmem

    @driver_pages.fault-counts.untouched
    Scenario: A page that nobody has touched is not mapped
      Given a driver maps 4 pages of RAM into A with a fault handler
      When A writes "new" to page 0
      Then A has nothing for pages 1 to 3
      And pages 1 to 3 of the driver have 1 reference and no mapping

    @driver_pages.fault-counts.flags
    Scenario: The mapping needs neither VM_PFNMAP nor VM_MIXEDMAP
      Given a driver maps 4 pages of RAM into A with a fault handler
      When A reads every page
      Then A has none of VM_PFNMAP, VM_MIXEDMAP, VM_IO and VM_DONTEXPAND
      And every page of A is a normal page

    @driver_pages.fault-counts.back
    Scenario: munmap gives the reference back
      Given a driver maps 4 pages of RAM into A with a fault handler
      And A reads every page
      When A unmaps pages 0 to 1
      Then pages 0 to 1 of the driver have 1 reference and no mapping
      And pages 2 to 3 of the driver have 2 references

  @driver_pages.no-fault-handler
  Rule: An access where nothing is mapped MUST end in SIGBUS if the driver has no fault handler

    @driver_pages.no-fault-handler.rest
    Scenario: Pages that the mmap handler did not map
      Given a driver has 4 pages of RAM
      When A tries to map the driver's memory shared with vm_insert_page for its first 2 pages
      Then it succeeds
      And A cannot read page 2: SIGBUS
      And A cannot write page 3: SIGBUS

  @driver_pages.fault-private
  Rule: A write to a private mapping MUST copy the page that the handler returns, and MUST NOT map it first

    @driver_pages.fault-private.first
    Scenario: The first access is a write, and the driver's page is never mapped
      Given a driver has 1 page of RAM
      And the driver writes "old" to its page 0
      And A maps the driver's memory privately with a fault handler
      When A writes "new" to page 0
      Then A counts 1 page in RssAnon, 0 in RssFile and 0 in RssShmem
      And page 0 of the driver has 1 reference and no mapping
      And the driver reads "old" in its page 0

    @driver_pages.fault-private.read-first
    Scenario: After a read the copy takes the place of the driver's page
      Given a driver has 1 page of RAM
      And A maps the driver's memory privately with a fault handler
      And A reads page 0
      When A writes "new" to page 0
      Then A counts 1 page in RssAnon, 0 in RssFile and 0 in RssShmem
      And page 0 of the driver has 1 reference and no mapping

    @driver_pages.fault-private.discarded
    Scenario: When the copy is discarded the handler gives the driver's page again
      Given a driver has 1 page of RAM
      And the driver writes "old" to its page 0
      And A maps the driver's memory privately with a fault handler
      And A writes "new" to page 0
      When A calls MADV_DONTNEED on page 0
      Then A reads "old" in page 0
      And A counts 0 pages in RssAnon, 1 in RssFile and 0 in RssShmem

  @driver_pages.fault-pfnmap
  Rule: A fault handler MUST NOT return a page into a VM_PFNMAP mapping: it is counted, and without pte_special the counts are never taken back

    @driver_pages.fault-pfnmap.counted @pte_special:1
    Scenario: The process has the page, and pays for it with a reference and RssFile
      Given a driver maps 1 page of RAM into A with a fault handler and VM_PFNMAP
      When A reads page 0
      Then page 0 of the driver has 2 references
      And A counts 0 pages in RssAnon, 1 in RssFile and 0 in RssShmem

    @driver_pages.fault-pfnmap.smaps @since:6.12 @pte_special:1
    Scenario: Since 6.12 smaps shows it
      Given a driver maps 1 page of RAM into A with a fault handler and VM_PFNMAP
      When A reads page 0
      Then smaps of A shows 4 kB Rss

    @driver_pages.fault-pfnmap.smaps-skipped @until:6.1
    Scenario: In 6.1 it is in RssFile of the process, and in no field of smaps
      Given a driver maps 1 page of RAM into A with a fault handler and VM_PFNMAP
      When A reads page 0
      Then A counts 1 page in RssFile
      And smaps of A shows 0 kB Rss

    @driver_pages.fault-pfnmap.back @pte_special:1
    Scenario: munmap gives the reference back as elsewhere
      Given a driver maps 1 page of RAM into A with a fault handler and VM_PFNMAP
      And A reads page 0
      When A unmaps page 0
      Then page 0 of the driver has 1 reference and no mapping

    @driver_pages.fault-pfnmap.leaked @pte_special:0
    Scenario: Without pte_special munmap takes the entry for a raw one, and the reference is lost
      Given a driver maps 1 page of RAM into A with a fault handler and VM_PFNMAP
      And A reads page 0
      When A unmaps page 0
      Then page 0 of the driver has 2 references
      And page 0 of the driver has mapcount 1
      When A exits
      Then the kernel finds 1 page left in RssFile of the dead process
      And 1 page of the driver is never freed

  @driver_pages.fault-pmd @needs:thp
  Rule: A page of an order-9 folio that a fault handler returns MUST be mapped by one PTE since 6.12, and in 6.1 by a PMD where it fits

    @driver_pages.fault-pmd.pte @since:6.12
    Scenario: Since 6.12 a device has no size, and a folio must not reach past the end of the file
      Given a driver maps an order-9 folio into A with a fault handler
      When A reads page 5
      Then A has a PTE for page 5
      And A has nothing for page 4
      And page 0 of the driver has 2 references

    @driver_pages.fault-pmd.pmd @until:6.1
    Scenario: In 6.1 one fault maps all of it
      Given a driver maps an order-9 folio into A with a fault handler
      When A reads page 5
      Then A has a PMD for every page
      And A counts 512 pages in RssFile
      And page 0 of the driver has 2 references

    @driver_pages.fault-pmd.skewed
    Scenario: Off its alignment it is one PTE everywhere
      Given a driver has an order-9 folio
      And A maps the driver's memory shared with a fault handler, 1 page off its alignment
      When A reads page 5
      Then A has a PTE for page 5
      And A has nothing for page 4
