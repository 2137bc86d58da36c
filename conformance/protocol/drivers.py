# SPDX-License-Identifier: MIT
"""Drivers: memory that a driver owns, what it does with it, and what its pages count."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from conformance.protocol.base import Operation, PagesOperation, Query
from conformance.protocol.names import (
    Counter,
    DeviceMemory,
    DriverFunction,
    Interface,
    Name,
    Order,
    PageCount,
    PageIndex,
    ProcessName,
    Protection,
    Token,
    VmaFlag,
)


class DevicePages(Operation):
    """An operation on consecutive pages of the memory of a device."""

    device: Name
    first: PageIndex = 0
    count: PageCount = 1


class CreateDevice(Operation, kw_only=True, tag="create_device"):
    """A driver allocates memory that it will map.  It holds one reference to each page, or to each folio, as the
    allocator gave it."""

    capability = "driver"
    device: Name
    memory: Annotated[
        DeviceMemory,
        Meta(
            description="pages: alloc_page() for each. compound: one folio of `order`, alloc_pages() with __GFP_COMP. "
            "block: alloc_pages() of `order` without __GFP_COMP. vmalloc, vmalloc_user: that function. slab: "
            "kmalloc() of one page. large_kmalloc: kmalloc() of 4 pages. coherent: dma_alloc_coherent(). reserved: "
            "pages with PG_reserved. zero: ZERO_PAGE. anonymous: an anonymous page of some process. page_cache: pages "
            "of a shmem file. mmio: addresses of a device, without struct page."
        ),
    ]
    pages: PageCount
    order: Order = 0


class MapDevice(Operation, kw_only=True, tag="map_device"):
    """mmap(2) of a device whose driver maps its memory with one function, from its mmap handler or, for the functions
    that belong there, from its fault handler.

    The driver sets `flags`, and what the function requires: VM_PFNMAP for vmf_insert_pfn*, VM_MIXEDMAP for
    vmf_insert_mixed*, nothing for the others.  The value says which driver it was.
    """

    capability = "driver"
    answer = Annotated[str, Meta(max_length=80)]
    process: ProcessName
    region: Name
    device: Name
    function: DriverFunction
    pages: PageCount
    offset: Annotated[int, Meta(ge=0, description="The page of the device at which the region starts.")] = 0
    sharing: Literal["private", "shared"] = "shared"
    protection: Protection = "read-write"
    flags: Annotated[list[VmaFlag], Meta(description="VMA flags that the mmap handler sets first.")] = []
    without: Annotated[list[VmaFlag], Meta(description="VMA flags that the mmap handler clears first.")] = []
    part: Annotated[
        PageCount | None,
        Meta(description="Pages that the mmap handler maps, from the start of the region; null: all of them."),
    ] = None
    skew: Annotated[int, Meta(ge=0, description="Pages by which the region is off its alignment.")] = 0


class Called(Struct, forbid_unknown_fields=True, repr_omit_defaults=True):
    """What a function of the kernel gave back."""

    returned: Annotated[
        str,
        Meta(
            pattern="^(0|-E[A-Z0-9]+|VM_FAULT_[A-Z]+|BUG)$",
            description="0, an errno with its sign, a fault code, or BUG: the kernel stopped there.",
        ),
    ]
    where: Annotated[str, Meta(max_length=200, description="BUG: file, line and function, if they are known.")] = ""
    warned: Annotated[
        bool,
        Meta(description="Nobody looks at it: what the kernel warns of is in the answers of kernel_log and finish."),
    ] = False
    left: Annotated[int, Meta(description="vm_insert_pages: how many pages were not mapped.")] = 0


class CallDriver(PagesOperation, kw_only=True, tag="call_driver"):
    """The driver calls a function for pages of a region that exists, with as many pages of a device.

    It holds mmap_lock for reading, as a fault handler does.
    """

    capability = "driver-calls"
    answer = Called
    device: Name
    device_first: PageIndex = 0
    function: DriverFunction
    in_mmap: Annotated[bool, Meta(description="It holds mmap_lock for writing instead, as an mmap handler does.")] = (
        False
    )


class UnmapMappingRange(DevicePages, kw_only=True, tag="unmap_mapping_range"):
    """The driver calls unmap_mapping_range() for pages of its device."""

    capability = "driver-calls"
    even_cows: Annotated[bool, Meta(description="Also unmap private copies.")] = True


class ZapVma(PagesOperation, kw_only=True, tag="zap_vma"):
    """The driver calls zap_vma_ptes(), since 7.x zap_special_vma_range(), for pages of a region."""

    capability = "driver-calls"


class FreeDevice(Operation, kw_only=True, tag="free_device"):
    """The driver drops its own references: it frees its memory.  The device stays open and can still be asked."""

    capability = "driver-calls"
    device: Name


class WriteDevice(DevicePages, kw_only=True, tag="write_device"):
    """The driver itself writes to its memory, through the kernel's mapping."""

    capability = "driver-access"
    value: Token


class ReadDevice(DevicePages, kw_only=True, tag="read_device"):
    """The driver itself reads its memory.  The value is what each page holds."""

    capability = "driver-access"
    answer = list[Token]


class MapInterface(Operation, kw_only=True, tag="map_interface"):
    """Map memory that a part of the kernel itself offers to user space.  The value is how many pages the region has.

    packet_ring: an AF_PACKET receive ring of `pages` blocks of one page, with PACKET_RX_RING. xdp_ring: the receive
    ring of an AF_XDP socket. io_uring_ring: the submission ring. perf_ring: a perf event's buffer of 1 + 4 pages.
    bpf_array: a BPF array with BPF_F_MMAPABLE of `pages` pages. bpf_ringbuf: the producer position and the data of a
    BPF ring buffer of 2 pages. bpf_arena: a BPF arena. tracing_ring: trace_pipe_raw of a CPU. tcp_receive: a TCP
    socket, for TCP_ZEROCOPY_RECEIVE. kvm_vcpu: struct kvm_run. aio_ring: that of io_setup(2). secretmem:
    memfd_secret(2). vvar, vdso: those that execve(2) maps. pci_bar: a memory BAR, through resourceN in sysfs.

    `vvar`, `vdso` and `aio_ring` are there once for each process, and are moved to where regions are.
    """

    capability = "interfaces"
    answer = PageCount
    process: ProcessName
    region: Name
    interface: Interface
    pages: Annotated[PageCount | None, Meta(description="How many pages, where one can choose.")] = None
    sharing: Literal["private", "shared"] = "shared"
    device: Annotated[
        Name | None,
        Meta(description="A name for what is mapped: a later request with the same name maps the same again."),
    ] = None


class Receive(Operation, kw_only=True, tag="receive"):
    """`pages` pages arrive at a tcp_receive region, and TCP_ZEROCOPY_RECEIVE maps what it can of them.

    The value is how many pages it mapped, from the start of the region.
    """

    capability = "interfaces"
    answer = PageCount
    process: ProcessName
    region: Name
    pages: PageCount


class DevicePagesQuery(Query):
    """A query about consecutive pages of the memory of a device; the value has one item per page."""

    device: Name
    first: PageIndex = 0
    count: PageCount = 1


class DeviceRefcount(DevicePagesQuery, kw_only=True, tag="device_refcount"):
    """The reference count of each page of a device: folio_ref_count() of its folio, page_ref_count() of a page that
    is in none.  A page that is free has 0."""

    capability = "device-pages"
    answer = list[Counter]


class DeviceMapcount(DevicePagesQuery, kw_only=True, tag="device_mapcount"):
    """The mapcount of each page of a device."""

    capability = "device-pages"
    answer = list[Counter]
