# SPDX-License-Identifier: MIT
Feature: Taking back one mapping

  @lifetime.zap-one
  Rule: zap_vma_ptes MUST drop the entries of one VM_PFNMAP mapping, private copies included, and MUST leave other mappings alone

    @lifetime.zap-one.other-process
    Scenario: Only the process whose VMA it is loses the page
      Given a driver has 2 pages of RAM
      And A maps the driver's memory shared with remap_pfn_range
      And B maps the driver's memory shared with remap_pfn_range
      When the driver zaps page 0 of A
      Then A has nothing for page 0
      And A has a raw PTE for page 1
      And B has a raw PTE for every page

    @lifetime.zap-one.copy
    Scenario: The private copy goes with its contents
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      And A writes "new" to page 0
      When the driver zaps every page of A
      Then A has nothing for every page
      And A counts in no RSS

  @lifetime.zap-silent
  Rule: It MUST do nothing and say nothing for a mapping of the wrong kind: up to 6.18 any without VM_PFNMAP, in 7.3 one without VM_PFNMAP and VM_MIXEDMAP

    @lifetime.zap-silent.mixedmap @until:6.18
    Scenario: Up to 6.18 zap_vma_ptes leaves a VM_MIXEDMAP mapping as it is
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      When the driver zaps every page of A
      Then A has a PTE for every page
      And every page of the driver has 2 references

    @lifetime.zap-silent.mixedmap-zapped @since:7.3
    Scenario: In 7.3 zap_special_vma_range drops it
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      When the driver zaps every page of A
      Then A has nothing for every page
      And every page of the driver has 1 reference and no mapping

    @lifetime.zap-silent.neither
    Scenario: A mapping with neither flag is left alone everywhere
      Given a driver maps 2 pages of RAM into A with a fault handler
      And A reads every page
      When the driver zaps every page of A
      Then A has a PTE for every page

  @lifetime.zap-range
  Rule: It MUST do nothing if the range is not wholly inside the VMA

    @lifetime.zap-range.past-end
    Scenario: A range that ends one page behind the VMA drops nothing
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      And A unmaps page 3
      When the driver zaps pages 2 to 3 of A
      Then A has a raw PTE for pages 0 to 2
