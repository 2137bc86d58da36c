# SPDX-License-Identifier: MIT
Feature: Inserting pages into a mapping

  @mixedmap.insert-flags
  Rule: vm_insert_page and its kin MUST set VM_MIXEDMAP and no other flag

    @mixedmap.insert-flags.functions
    Scenario Outline: <handler> leaves VM_DONTEXPAND, VM_DONTDUMP, VM_DONTCOPY and VM_IO to the driver
      Given a driver has 4 pages of RAM
      When A maps the driver's memory shared with <handler>
      Then A has VM_MIXEDMAP
      And A has none of VM_IO, VM_PFNMAP, VM_DONTEXPAND, VM_DONTDUMP and VM_DONTCOPY

      Examples:
        | handler           |
        | vm_insert_page    |
        | vm_insert_pages   |
        | vm_map_pages      |
        | vm_map_pages_zero |

      @since:7.3
      Examples: Through mmap_prepare
        | handler                      |
        | mmap_action_map_kernel_pages |

  @mixedmap.vmalloc-flags
  Rule: remap_vmalloc_range MUST set VM_MIXEDMAP, VM_DONTEXPAND and VM_DONTDUMP

    @mixedmap.vmalloc-flags.three
    Scenario: Three flags, and neither VM_PFNMAP nor VM_IO
      Given a driver has 4 pages of vmalloc_user memory
      When A maps the driver's memory shared with remap_vmalloc_range
      Then A has VM_MIXEDMAP, VM_DONTEXPAND and VM_DONTDUMP
      And A has none of VM_IO and VM_PFNMAP

  @mixedmap.vmalloc-user
  Rule: remap_vmalloc_range MUST refuse memory that was not allocated for user space, and what reaches past its end

    @mixedmap.vmalloc-user.kinds
    Scenario Outline: <memory> is refused
      Given a driver has 4 pages of <memory>
      When A tries to map the driver's memory shared with remap_vmalloc_range
      Then it fails with EINVAL

      Examples:
        | memory         |
        | vmalloc memory |

    @mixedmap.vmalloc-user.longer
    Scenario: Two pages more than the area has are refused
      Given a driver has 4 pages of vmalloc_user memory
      When A tries to map the driver's pages 0 to 5 shared with remap_vmalloc_range
      Then it fails with EINVAL

    @mixedmap.vmalloc-user.page-by-page
    Scenario: vm_insert_page takes the pages of plain vmalloc memory
      Given a driver has 4 pages of vmalloc memory
      When A tries to map the driver's memory shared with vm_insert_page
      Then it succeeds
      And every page of the driver has 2 references

  @mixedmap.occupied
  Rule: vm_insert_page MUST return -EBUSY where something is mapped, and keep it

    @mixedmap.occupied.other
    Scenario: Another page is refused
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      And A writes "zero" to page 0
      When the driver calls vm_insert_page for page 0 of A with its page 1
      Then the call returns -EBUSY
      And A reads "zero" in page 0
      And page 1 of the driver has 2 references

    @mixedmap.occupied.wrapper
    Scenario: vmf_insert_page makes a success of it
      Given a driver maps 2 pages of RAM into A with vm_insert_page
      And A writes "zero" to page 0
      When the driver calls vmf_insert_page for page 0 of A with its page 1
      Then the call returns VM_FAULT_NOPAGE
      And A reads "zero" in page 0

  @mixedmap.mixed-occupied
  Rule: vmf_insert_mixed MUST return VM_FAULT_NOPAGE and keep the old entry where something is mapped

    @mixedmap.mixed-occupied.other
    Scenario: The caller is told success, and another page is still mapped
      Given a driver maps 2 pages of RAM into A with vmf_insert_mixed
      And A writes "zero" to page 0
      When the driver calls vmf_insert_mixed for page 0 of A with its page 1
      Then the call returns VM_FAULT_NOPAGE
      And A reads "zero" in page 0

    @mixedmap.mixed-occupied.store @pte_special:1
    Scenario: For a store the kernel also warns
      Given a driver maps 2 pages of RAM into A with vmf_insert_mixed_mkwrite
      And A writes "zero" to page 0
      When the driver calls vmf_insert_mixed_mkwrite for page 0 of A with its page 1
      Then the call returns VM_FAULT_NOPAGE
      And the kernel warns in insert_pfn
      And A reads "zero" in page 0

  @mixedmap.mkwrite-occupied @since:6.18
  Rule: vmf_insert_page_mkwrite for a store MUST accept a slot that maps the same page, and MUST return VM_FAULT_SIGBUS where another page is mapped

    @mixedmap.mkwrite-occupied.same
    Scenario: The same page again is a success and counts nothing
      Given a driver maps 2 pages of RAM into A with vmf_insert_page_mkwrite
      And A writes "zero" to page 0
      When the driver calls vmf_insert_page_mkwrite for page 0 of A with its page 0
      Then the call returns VM_FAULT_NOPAGE
      And page 0 of the driver has 2 references

    @mixedmap.mkwrite-occupied.other
    Scenario: Another page is an error, of which the kernel warns
      Given a driver maps 2 pages of RAM into A with vmf_insert_page_mkwrite
      And A writes "zero" to page 0
      When the driver calls vmf_insert_page_mkwrite for page 0 of A with its page 1
      Then the call returns VM_FAULT_SIGBUS
      And the kernel warns in insert_page_into_pte_locked
      And A reads "zero" in page 0
      And page 1 of the driver has 1 reference and no mapping

  @mixedmap.outside
  Rule: vm_insert_page MUST return -EFAULT for an address outside of the VMA

    @mixedmap.outside.pages
    Scenario: vm_insert_pages maps nothing if a part of the range lies behind the end
      Given a driver has 4 pages of RAM
      And A maps the driver's pages 0 to 1 shared with vmf_insert_page as half
      And A unmaps page 1 of half
      When the driver calls vm_insert_pages for every page of A's half with its page 0
      Then the call returns -EFAULT and has left 2 pages
      And A's half has nothing for page 0 of half

    @mixedmap.outside.fault
    Scenario Outline: To a fault handler <function> says VM_FAULT_SIGBUS
      Given a driver has 4 pages of RAM
      And A maps the driver's pages 0 to 1 shared with <function> as half
      And A unmaps page 1 of half
      When the driver calls <function> for every page of A's half with its page 0
      Then the call returns VM_FAULT_SIGBUS

      Examples:
        | function         |
        | vmf_insert_page  |
        | vmf_insert_mixed |

  @mixedmap.insert-pages-left
  Rule: vm_insert_pages MUST keep what it has mapped before an error, and tell how many pages it has not mapped

    @mixedmap.insert-pages-left.occupied
    Scenario: The third of four slots is occupied
      Given a driver maps 4 pages of RAM into A with vmf_insert_page
      And A reads page 2
      When the driver calls vm_insert_pages for pages 0 to 3 of A with its page 0
      Then the call returns -EBUSY and has left 2 pages
      And A has a PTE for pages 0 to 2
      And A has nothing for page 3

  @mixedmap.map-pages-bounds
  Rule: vm_map_pages MUST refuse a mapping longer than the array behind its offset, and accept a shorter one

    @mixedmap.map-pages-bounds.longer
    Scenario: Six pages of an array of four
      Given a driver has 4 pages of RAM
      When A tries to map the driver's pages 0 to 5 shared with vm_map_pages
      Then it fails with ENXIO

    @mixedmap.map-pages-bounds.offset
    Scenario: Three pages from the third one on
      Given a driver has 4 pages of RAM
      When A tries to map the driver's pages 2 to 4 shared with vm_map_pages
      Then it fails with ENXIO

    @mixedmap.map-pages-bounds.shorter
    Scenario: The last two pages
      Given a driver has 4 pages of RAM
      And the driver writes "three" to its page 3
      When A maps the driver's pages 2 to 3 shared with vm_map_pages as tail
      Then A reads "three" in page 1 of tail

    @mixedmap.map-pages-bounds.zero
    Scenario: vm_map_pages_zero passes over the offset and begins with the first page
      Given a driver has 4 pages of RAM
      And the driver writes "one" to its page 1
      When A maps the driver's pages 2 to 3 shared with vm_map_pages_zero as tail
      Then A reads "one" in page 1 of tail

  @mixedmap.insert-contract @needs:driver-bugs
  Rule: A driver MUST NOT call vm_insert_page outside of the mmap handler without VM_MIXEDMAP, nor in a VM_PFNMAP mapping: both are a BUG

    @mixedmap.insert-contract.late
    Scenario Outline: <function> from a fault handler, in a mapping without the flag
      Given a driver maps 2 pages of RAM into A with a fault handler
      When the driver calls <function> for every page of A with its page 0
      Then the call is a BUG

      Examples:
        | function       |
        | vm_insert_page |

      @until:6.18
      Examples: Up to 6.18 the batch too
        | function        |
        | vm_insert_pages |

    @mixedmap.insert-contract.pfnmap
    Scenario Outline: <function> in the mmap handler, in a mapping that has VM_PFNMAP
      Given a driver maps 2 pages of RAM into A with vmf_insert_pfn
      When the driver calls <function> for every page of A with its page 0, as in its mmap handler
      Then the call is a BUG

      Examples:
        | function       |
        | vm_insert_page |

      @until:6.18
      Examples: Up to 6.18 the batch too
        | function        |
        | vm_insert_pages |

  @mixedmap.insert-late @since:7.3 @debug_vm:0
  Rule: A driver MUST NOT call vm_insert_pages outside of the mmap handler without VM_MIXEDMAP: it maps the pages and sets the flag without the lock for it

    @mixedmap.insert-late.pages
    Scenario: It succeeds, and the kernel warns
      Given a driver maps 2 pages of RAM into A with a fault handler
      When the driver calls vm_insert_pages for every page of A with its page 0
      Then the call returns 0
      And the kernel warns in include/linux/rwsem.h
      And A has VM_MIXEDMAP
      And every page of the driver has 2 references

  @mixedmap.mixed-contract
  Rule: vmf_insert_mixed without VM_MIXEDMAP MUST NOT map anything: it returns VM_FAULT_SIGBUS since 6.12, and is a BUG in 6.1

    @mixedmap.mixed-contract.sigbus @since:6.12
    Scenario: Since 6.12 the access ends in SIGBUS
      Given a driver maps 1 page of RAM into A with a fault handler
      When the driver calls vmf_insert_mixed for page 0 of A with its page 0
      Then the call returns VM_FAULT_SIGBUS
      And A has nothing for page 0

    @mixedmap.mixed-contract.bug @until:6.1 @needs:driver-bugs
    Scenario: In 6.1 it is a BUG
      Given a driver maps 1 page of RAM into A with a fault handler
      When the driver calls vmf_insert_mixed for page 0 of A with its page 0
      Then the call is a BUG

  @mixedmap.folio-pmd-fits @since:6.18 @needs:thp
  Rule: vmf_insert_folio_pmd MUST map nothing where the block does not fit

    @mixedmap.folio-pmd-fits.skewed
    Scenario: One page off its alignment the handler falls back to PTEs of the folio
      Given a driver has an order-9 folio
      And A maps the driver's memory shared with vmf_insert_folio_pmd, 1 page off its alignment
      When A reads page 0
      Then A has a PTE for page 0
      And page 0 of the driver has 2 references

    @mixedmap.folio-pmd-fits.small
    Scenario: A folio of another order is SIGBUS, and the kernel warns
      Given a driver maps an order-4 folio into A with vmf_insert_page
      And A reads page 0
      When the driver calls vmf_insert_folio_pmd for page 0 of A with its page 0
      Then the call returns VM_FAULT_SIGBUS
      And the kernel warns in vmf_insert_folio_pmd
      And page 0 of the driver has 2 references
