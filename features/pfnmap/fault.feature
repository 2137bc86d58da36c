# SPDX-License-Identifier: MIT
Feature: Inserting page frame numbers at a fault

  @pfnmap.insert-lazy
  Rule: vmf_insert_pfn MUST map one page per fault and set no flag

    @pfnmap.insert-lazy.one
    Scenario: Only the page that was touched is there
      Given a driver maps 4 pages of RAM into A with vmf_insert_pfn
      When A reads page 1
      Then A has a raw PTE for page 1
      And A has nothing for page 0

    @pfnmap.insert-lazy.flags
    Scenario: The driver has set VM_PFNMAP, and there is nothing more
      Given a driver maps 4 pages of RAM into A with vmf_insert_pfn
      When A reads page 1
      Then A has VM_PFNMAP
      And A has none of VM_IO, VM_DONTEXPAND, VM_DONTDUMP and VM_MIXEDMAP

    @pfnmap.insert-lazy.again
    Scenario: A page that was revoked comes back at the next access
      Given a driver maps 4 pages of RAM into A with vmf_insert_pfn
      And A writes "new" to page 1
      When the driver calls unmap_mapping_range for its page 1
      Then A has nothing for page 1
      And A reads "new" in page 1

  @pfnmap.insert-occupied
  Rule: vmf_insert_pfn MUST return VM_FAULT_NOPAGE and keep the old entry where something is mapped

    @pfnmap.insert-occupied.other
    Scenario: The caller is told success, and another page is still mapped
      Given a driver maps 2 pages of RAM into A with vmf_insert_pfn
      And A writes "zero" to page 0
      And A writes "one" to page 1
      When the driver calls vmf_insert_pfn for page 0 of A with its page 1
      Then the call returns VM_FAULT_NOPAGE
      And A reads "zero" in page 0

  @pfnmap.insert-outside
  Rule: vmf_insert_pfn MUST return VM_FAULT_SIGBUS for an address outside of the VMA

    @pfnmap.insert-outside.behind
    Scenario: A page behind the end
      Given a driver has 4 pages of RAM
      And A maps the driver's pages 0 to 1 shared with vmf_insert_pfn as half
      And A unmaps page 1 of half
      When the driver calls vmf_insert_pfn for every page of A's half with its page 0
      Then the call returns VM_FAULT_SIGBUS

  @pfnmap.insert-contract @needs:driver-bugs
  Rule: A driver MUST NOT call vmf_insert_pfn with neither or both of VM_PFNMAP and VM_MIXEDMAP, in a private VM_PFNMAP mapping, or with VM_MIXEDMAP for a page that has a struct page: each is a BUG

    @pfnmap.insert-contract.no-flag
    Scenario: A mapping with neither flag
      Given a driver maps 1 page of RAM into A with a fault handler
      When the driver calls vmf_insert_pfn for page 0 of A with its page 0
      Then the call is a BUG

    @pfnmap.insert-contract.both
    Scenario: A mapping with both flags
      Given a driver maps 1 page of RAM into A with a fault handler, VM_PFNMAP and VM_MIXEDMAP
      When the driver calls vmf_insert_pfn for page 0 of A with its page 0
      Then the call is a BUG

    @pfnmap.insert-contract.private
    Scenario: A private mapping, which any program can make unless the mmap handler refuses it
      Given a driver has 1 page of RAM
      And A maps the driver's memory privately with a fault handler and VM_PFNMAP
      When the driver calls vmf_insert_pfn for page 0 of A with its page 0
      Then the call is a BUG

    @pfnmap.insert-contract.struct-page
    Scenario: A page of RAM in a VM_MIXEDMAP mapping
      Given a driver maps 1 page of RAM into A with vmf_insert_mixed
      When the driver calls vmf_insert_pfn for page 0 of A with its page 0
      Then the call is a BUG

    @pfnmap.insert-contract.huge @needs:thp
    Scenario: vmf_insert_pfn_pmd asks for one of the flags too
      Given a driver maps an order-9 folio into A with a fault handler
      When the driver calls vmf_insert_pfn_pmd for every page of A with its page 0
      Then the call is a BUG

  @pfnmap.insert-mixed-device
  Rule: vmf_insert_pfn MUST accept VM_MIXEDMAP instead of VM_PFNMAP for page frame numbers without a struct page

    @pfnmap.insert-mixed-device.mmio
    Scenario: Device memory in a VM_MIXEDMAP mapping
      Given a driver maps 2 pages of device memory into A with vmf_insert_pfn and VM_MIXEDMAP
      When A reads page 0
      Then A has a raw PTE for page 0
      And A has none of VM_PFNMAP

  @pfnmap.huge-aligned @needs:thp @since:6.12 @config:pmd_pfnmap
  Rule: vmf_insert_pfn_pmd MUST map a whole aligned block or nothing

    @pfnmap.huge-aligned.block
    Scenario: A block that is aligned in the address space and in the device is mapped by a PMD
      Given a driver maps 512 pages of device memory into A with vmf_insert_pfn_pmd
      When A reads page 0
      Then A has a raw PMD for every page

    @pfnmap.huge-aligned.skewed
    Scenario: One page off its alignment the handler falls back to PTEs
      Given a driver has 512 pages of device memory
      And A maps the driver's memory shared with vmf_insert_pfn_pmd, 1 page off its alignment
      When A reads page 0
      Then A has a raw PTE for page 0
      And A has nothing for page 1

  @pfnmap.huge-split @needs:thp @since:6.12 @config:pmd_pfnmap
  Rule: Unmapping a part of a raw PMD MUST drop the whole of it, and the rest MUST fault in again

    @pfnmap.huge-split.part
    Scenario: After munmap of one page the others are not there until they are touched
      Given a driver maps 512 pages of device memory into A with vmf_insert_pfn_pmd
      And A reads page 0
      When A unmaps page 511
      Then A has nothing for pages 0 to 510
      When A reads page 3
      Then A has a raw PTE for page 3
