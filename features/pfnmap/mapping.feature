# SPDX-License-Identifier: MIT
Feature: Mapping page frame numbers in the mmap handler

  @pfnmap.remap-flags
  Rule: remap_pfn_range MUST set VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP, and MUST NOT set VM_MIXEDMAP

    @pfnmap.remap-flags.family
    Scenario Outline: <handler> sets the four flags, whatever the memory is
      Given a driver has 4 pages of <memory>
      When A maps the driver's memory shared with <handler>
      Then A has VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP
      And A has none of VM_MIXEDMAP and VM_DONTCOPY

      Examples:
        | handler            | memory              |
        | remap_pfn_range    | RAM                 |
        | io_remap_pfn_range | device memory       |
        | vm_iomap_memory    | device memory       |
        | dma_mmap_coherent  | coherent DMA memory |

      @since:7.3
      Examples: Through mmap_prepare
        | handler           | memory |
        | mmap_action_remap | RAM    |

  @pfnmap.eager
  Rule: remap_pfn_range MUST populate the mapping in mmap, and a page that is zapped afterwards MUST stay away

    @pfnmap.eager.populated
    Scenario: All entries are there before anybody touches the memory
      Given a driver has 4 pages of RAM
      When A maps the driver's memory shared with remap_pfn_range
      Then A has a raw PTE for every page
      And every page of A is mapped writable

    @pfnmap.eager.gone
    Scenario: After the driver has revoked a page, an access to it ends in SIGBUS
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      When the driver calls unmap_mapping_range for its page 2
      Then A cannot read page 2: SIGBUS
      And A has a raw PTE for pages 0 to 1

    @pfnmap.eager.rest
    Scenario: Pages of the VMA that the handler did not map end in SIGBUS
      Given a driver has 4 pages of RAM
      When A tries to map the driver's memory shared with remap_pfn_range for its first 2 pages
      Then it succeeds
      And A has a raw PTE for pages 0 to 1
      And A cannot read page 2: SIGBUS

  @pfnmap.remap-locked
  Rule: A driver MUST NOT call remap_pfn_range with mmap_lock held for reading, as a fault handler holds it: the flags of the VMA change all the same

    @pfnmap.remap-locked.silent @until:6.1
    Scenario: In 6.1 nobody notices
      Given a driver maps 1 page of RAM into A with a fault handler
      When the driver calls remap_pfn_range for page 0 of A with its page 0
      Then the call returns 0
      And A has VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP

    @pfnmap.remap-locked.warned @since:6.12 @until:6.18
    Scenario: In 6.12 and 6.18 the kernel warns
      Given a driver maps 1 page of RAM into A with a fault handler
      When the driver calls remap_pfn_range for page 0 of A with its page 0
      Then the call returns 0
      And the kernel warns in include/linux/rwsem.h
      And A has VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP

    @pfnmap.remap-locked.silent-again @since:7.3
    Scenario: Since 7.3 nobody notices any more
      Given a driver maps 1 page of RAM into A with a fault handler
      When the driver calls remap_pfn_range for page 0 of A with its page 0
      Then the call returns 0
      And A has VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP

  @pfnmap.remap-occupied @needs:driver-bugs
  Rule: A driver MUST NOT call remap_pfn_range where something is mapped: the kernel stops with BUG

    @pfnmap.remap-occupied.page
    Scenario: A second call for one page of a shared mapping is a BUG
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      When the driver calls remap_pfn_range for page 1 of A with its page 1
      Then the call is a BUG

  @pfnmap.remap-twice
  Rule: A second remap_pfn_range of a whole VMA MAY be refused with -EINVAL instead

    @pfnmap.remap-twice.refused @since:6.18 @pte_special:1
    Scenario: On x86 the range is tracked, and found to be mapped already
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      When the driver calls remap_pfn_range for every page of A with its page 0
      Then the call returns -EINVAL

    @pfnmap.remap-twice.bug @until:6.12 @needs:driver-bugs
    Scenario: Up to 6.12 it is a BUG like any other
      Given a driver maps 4 pages of RAM into A with remap_pfn_range
      When the driver calls remap_pfn_range for every page of A with its page 0
      Then the call is a BUG

  @pfnmap.private-whole
  Rule: In a private mapping that may become writable remap_pfn_range MUST refuse a range that is not the whole VMA

    @pfnmap.private-whole.half
    Scenario Outline: Half of the VMA with <handler> is refused
      Given a driver has 4 pages of RAM
      When A tries to map the driver's memory privately with <handler> for its first 2 pages
      Then it fails with EINVAL

      Examples:
        | handler            |
        | remap_pfn_range    |
        | io_remap_pfn_range |

      @since:7.3
      Examples: Through mmap_prepare
        | handler           |
        | mmap_action_remap |

    @pfnmap.private-whole.whole
    Scenario: The whole VMA is mapped
      Given a driver has 4 pages of RAM
      When A tries to map the driver's memory privately with remap_pfn_range
      Then it succeeds

    @pfnmap.private-whole.never-writable
    Scenario: Without VM_MAYWRITE half of the VMA is mapped
      Given a driver has 4 pages of RAM
      When A maps the driver's memory privately and read-only with remap_pfn_range without VM_MAYWRITE
      Then A has a raw PTE for every page

  @pfnmap.private-offset
  Rule: remap_pfn_range of a private mapping MUST replace vm_pgoff by the first page frame number

    @pfnmap.private-offset.private
    Scenario: The maps file shows a page frame number as the offset
      Given a driver has 4 pages of RAM
      When A maps the driver's memory privately with remap_pfn_range
      Then the maps file does not show for A the offset of page 0

    @pfnmap.private-offset.shared
    Scenario: A shared mapping keeps the offset in the file
      Given a driver has 4 pages of RAM
      When A maps the driver's memory shared with remap_pfn_range
      Then the maps file shows for A the offset of page 0

  @pfnmap.iomap-bounds
  Rule: vm_iomap_memory MUST refuse a mapping that reaches past the end of the area

    @pfnmap.iomap-bounds.longer
    Scenario: Two pages more than there are
      Given a driver has 4 pages of device memory
      When A tries to map the driver's pages 0 to 5 shared with vm_iomap_memory
      Then it fails with EINVAL

    @pfnmap.iomap-bounds.offset
    Scenario: An offset inside, and a length that leaves it
      Given a driver has 4 pages of device memory
      When A tries to map the driver's pages 2 to 5 shared with vm_iomap_memory
      Then it fails with EINVAL

    @pfnmap.iomap-bounds.part
    Scenario: The second half of the area is mapped with its own offset
      Given a driver has 4 pages of device memory
      When A maps the driver's pages 2 to 3 shared with vm_iomap_memory as half
      Then A's half has a raw PTE for every page of half

  @pfnmap.action-bounds @since:7.3
  Rule: An action of mmap_prepare MUST refuse a range that reaches past the end of the VMA, with EFAULT

    @pfnmap.action-bounds.longer
    Scenario: mmap_action_map_kernel_pages of six pages into a VMA of four
      Given a driver has 6 pages of RAM
      When A tries to map the driver's pages 0 to 3 shared with mmap_action_map_kernel_pages, which maps 6 pages
      Then it fails with EFAULT
      And every page of the driver has 1 reference and no mapping

    @pfnmap.action-bounds.warned
    Scenario: mmap_action_remap of six pages into a VMA of four warns of the driver as well
      Given a driver has 6 pages of RAM
      When A tries to map the driver's pages 0 to 3 shared with mmap_action_remap, which maps 6 pages
      Then it fails with EFAULT
      And the kernel warns in include/linux/mm.h
      And every page of the driver has 1 reference and no mapping

  @pfnmap.coherent
  Rule: dma_mmap_coherent MUST map coherent memory as page frame numbers, and refuse what reaches past its end

    @pfnmap.coherent.raw
    Scenario: Coherent memory of a device without an IOMMU is not counted
      Given a driver maps 4 pages of coherent DMA memory into A with dma_mmap_coherent
      When A writes "new" to page 0
      Then A has a raw PTE for every page
      And the driver reads "new" in its page 0
      And page 0 of the driver has 1 reference and no mapping

    @pfnmap.coherent.longer
    Scenario: A mapping longer than the buffer is refused
      Given a driver has 4 pages of coherent DMA memory
      When A tries to map the driver's pages 0 to 5 shared with dma_mmap_coherent
      Then it fails with ENXIO
