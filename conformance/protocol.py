# SPDX-License-Identifier: MIT
"""The messages between the runner and an implementation under test.

One JSON object per line, each way.  The runner sends a request, the
implementation answers it, and only then the next request comes.  Processes,
regions, files, pipes and buffers have names; pages have numbers that start
at 0 at the start of their region; nothing here is an address.  Expected
values never travel: an implementation cannot know what would be right.

This module is the only place where the messages are defined.  The published
JSON Schema, the protocol reference of the site and the checks of live traffic
are all made from it.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct, field

PROTOCOL = 1
"""Version of this protocol.  A new number means that old programs cannot follow."""

MAX_LINE = 1 << 20
"""Longest line in bytes, either way.  A longer answer is a flood."""

ProcessName = Annotated[
    str, Meta(pattern="^[A-Z][0-9]{0,3}$", description="A process: a capital letter, then digits or none.")
]
Name = Annotated[
    str,
    Meta(
        pattern="^[a-z][a-z0-9_]{0,31}$",
        description="A region, file, pipe or buffer. Regions belong to a process, the others to the scenario.",
    ),
]
PageIndex = Annotated[int, Meta(ge=0, le=1 << 40, description="A page of the region, counted from 0.")]
PageCount = Annotated[int, Meta(ge=1, le=1 << 40, description="A number of base pages.")]
Order = Annotated[int, Meta(ge=0, le=30, description="The order of a folio: it has 2 to the power of this many pages.")]
Token = Annotated[
    str,
    Meta(
        pattern="^[ -~]{0,7}$",
        description="What a page holds: up to 7 printable ASCII characters at its start. Empty is a page of zeros.",
    ),
]
Counter = Annotated[int, Meta(ge=-(1 << 62), le=1 << 62)]
Protection = Literal["none", "read", "read-write"]
Filesystem = Literal["disk", "tmpfs", "memfd", "hugetlb"]
Advice = Literal[
    "dontneed", "free", "cold", "pageout", "hugepage", "nohugepage", "collapse", "populate_read",
    "populate_write", "dontfork", "dofork", "wipeonfork", "keeponfork", "mergeable", "unmergeable",
    "dontdump", "dodump", "normal", "random", "sequential", "willneed", "remove", "guard_install",
    "guard_remove",
]  # fmt: skip
Errno = Literal[
    "E2BIG", "EACCES", "EAGAIN", "EBADF", "EBUSY", "EEXIST", "EFAULT", "EINTR", "EINVAL", "EIO", "EMLINK",
    "ENODEV", "ENOENT", "ENOMEM", "ENOSPC", "ENOSYS", "ENXIO", "EOPNOTSUPP", "EOVERFLOW", "EPERM",
    "EREMOTEIO", "ESRCH", "ETXTBSY",
]  # fmt: skip
Signal = Literal["SIGBUS", "SIGKILL", "SIGSEGV"]
DeviceMemory = Literal[
    "pages", "compound", "block", "vmalloc", "vmalloc_user", "slab", "large_kmalloc", "coherent", "reserved",
    "zero", "anonymous", "page_cache", "mmio",
]  # fmt: skip
DriverFunction = Literal[
    "remap_pfn_range", "io_remap_pfn_range", "vm_iomap_memory", "vm_insert_page", "vm_insert_pages", "vm_map_pages",
    "vm_map_pages_zero", "remap_vmalloc_range", "dma_mmap_coherent", "mmap_action_remap",
    "mmap_action_map_kernel_pages", "fault", "vmf_insert_page", "vmf_insert_page_mkwrite", "vmf_insert_pfn",
    "vmf_insert_pfn_prot", "vmf_insert_mixed", "vmf_insert_mixed_mkwrite", "vmf_insert_pfn_pmd",
    "vmf_insert_folio_pmd",
]  # fmt: skip
VmaFlag = Literal[
    "VM_READ", "VM_WRITE", "VM_SHARED", "VM_MAYREAD", "VM_MAYWRITE", "VM_MAYSHARE", "VM_PFNMAP", "VM_MIXEDMAP",
    "VM_IO", "VM_DONTEXPAND", "VM_DONTDUMP", "VM_DONTCOPY", "VM_LOCKED", "VM_WIPEONFORK", "VM_MERGEABLE",
    "VM_HUGEPAGE", "VM_NOHUGEPAGE", "VM_SEALED",
]  # fmt: skip
Interface = Literal[
    "packet_ring", "xdp_ring", "io_uring_ring", "perf_ring", "bpf_array", "bpf_ringbuf", "bpf_arena", "tracing_ring",
    "tcp_receive", "kvm_vcpu", "aio_ring", "secretmem", "vvar", "vdso", "pci_bar",
]  # fmt: skip


# --- requests ---------------------------------------------------------------------------------------------


class Request(Struct, tag_field="do", kw_only=True, forbid_unknown_fields=True):
    """What the runner sends.  `do` says which request it is."""

    seq: Annotated[int, Meta(ge=0, description="An opaque number. The answer repeats it.")] = 0

    capability: ClassVar[str | None] = None
    """What an implementation must have declared to be asked this; None: everybody answers."""
    answer: ClassVar[Any] = None
    """The type of the value in an `ok` answer; None: no value."""


class Hello(Request, kw_only=True, tag="hello"):
    """The first request.  The answer's value is a Greeting."""

    protocol: Annotated[int, Meta(description="The version of this protocol that the runner speaks.")] = PROTOCOL
    suite: Annotated[str, Meta(description="The version of the suite, for the record.")] = ""
    profile: Annotated[
        str | None,
        Meta(description="The profile asked for. An implementation that has no choice may ignore it."),
    ] = None


class Reset(Request, kw_only=True, tag="reset"):
    """Forget everything: all processes are gone, all files deleted, all references dropped."""


class Goodbye(Request, kw_only=True, tag="goodbye"):
    """The last request.  Answer it and exit."""


class Operation(Request):
    """A request that changes something.  It is answered ok, or with the errno or signal a kernel would give."""


class Query(Request):
    """A request that looks and changes nothing."""


class PagesOperation(Operation, kw_only=True):
    """An operation on consecutive pages of one region of one process."""

    process: ProcessName
    region: Name
    first: PageIndex = 0
    count: PageCount = 1


class PagesQuery(Query, kw_only=True):
    """A query about consecutive pages of one region of one process; the value has one item per page."""

    process: ProcessName
    region: Name
    first: PageIndex = 0
    count: PageCount = 1


class Start(Operation, kw_only=True, tag="start"):
    """Start a process that shares nothing with any other."""

    process: ProcessName


class CreateFile(Operation, kw_only=True, tag="create_file"):
    """Create a file whose pages are all zeros and not yet in the page cache."""

    file: Name
    pages: PageCount
    filesystem: Annotated[
        Filesystem,
        Meta(
            description="disk: a file system on a disk; tmpfs: a file on tmpfs; memfd: memfd_create(2); "
            "hugetlb: memfd_create(2) with MFD_HUGETLB."
        ),
    ]
    order: Annotated[
        Order, Meta(description="The order of the folios that its page cache shall use when it is filled.")
    ] = 0


class WriteFile(Operation, kw_only=True, tag="write_file"):
    """write(2) to pages of a file: fills its page cache without mapping it."""

    file: Name
    first: PageIndex = 0
    count: PageCount = 1
    value: Token = ""


class Map(Operation, kw_only=True, tag="map"):
    """mmap(2) a new region.  Nothing is populated.

    The region starts at an address aligned to its largest folio, plus `skew` pages.  Two regions are never
    neighbours.
    """

    process: ProcessName
    region: Name
    pages: PageCount
    sharing: Annotated[Literal["private", "shared"], Meta(description="MAP_PRIVATE or MAP_SHARED.")] = "private"
    file: Annotated[Name | None, Meta(description="The file to map; null maps anonymous memory.")] = None
    offset: Annotated[int, Meta(ge=0, description="The page of the file at which the region starts.")] = 0
    order: Annotated[
        Order,
        Meta(
            description="Anonymous memory: the order of the folios that faults shall allocate; 0 means base pages, "
            "and a huge page is not wanted. Files: ignored, see create_file."
        ),
    ] = 0
    hugetlb: Annotated[bool, Meta(description="MAP_HUGETLB with the default huge page size.")] = False
    protection: Protection = "read-write"
    skew: Annotated[int, Meta(ge=0, description="Pages by which the region is off its alignment.")] = 0


class Unmap(PagesOperation, kw_only=True, tag="unmap"):
    """munmap(2) pages."""


class Read(PagesOperation, kw_only=True, tag="read"):
    """Load from each page.  The value is what each page holds; a fault that fails is a signal."""

    answer = list[Token]


class Write(PagesOperation, kw_only=True, tag="write"):
    """Store to each page; a fault that fails is a signal."""

    value: Token


class Fork(Operation, kw_only=True, tag="fork"):
    """fork(2): `child` is born with copies of the regions of `process`, under the same names."""

    process: ProcessName
    child: ProcessName


class Exit(Operation, kw_only=True, tag="exit"):
    """The process exits.  When this is answered its memory is gone."""

    process: ProcessName


class Madvise(PagesOperation, kw_only=True, tag="madvise"):
    """madvise(2) on pages."""

    advice: Advice


class Mprotect(PagesOperation, kw_only=True, tag="mprotect"):
    """mprotect(2) on pages."""

    protection: Protection


class Mremap(PagesOperation, kw_only=True, tag="mremap"):
    """mremap(2) with MREMAP_MAYMOVE|MREMAP_FIXED: the pages become the whole of a new region `to`."""

    to: Name
    skew: Annotated[int, Meta(ge=0, description="Pages by which the new region is off its alignment.")] = 0
    how: Annotated[
        Literal["move", "dontunmap", "duplicate"],
        Meta(
            description="move: the old pages are a hole afterwards. dontunmap: MREMAP_DONTUNMAP, the old pages stay "
            "mapped and are empty. duplicate: an old length of 0, a second mapping of the same pages of the file."
        ),
    ] = "move"


class Grow(Operation, kw_only=True, tag="grow"):
    """mremap(2) of a whole region, which must be one VMA, to a larger number of pages.

    It is moved: in place, a kernel extends no VMA that it never merges, and says ENOMEM.
    """

    capability = "grow"
    process: ProcessName
    region: Name
    pages: Annotated[PageCount, Meta(description="How many pages the region shall have.")]


class Mlock(PagesOperation, kw_only=True, tag="mlock"):
    """mlock(2) on pages."""

    capability = "mlock"


class UffdRegister(PagesOperation, kw_only=True, tag="uffd_register"):
    """UFFDIO_REGISTER of pages with a userfaultfd of the process, which stays registered."""

    capability = "userfaultfd"
    mode: Annotated[
        Literal["missing", "wp", "wp_async"],
        Meta(
            description="missing, wp: that mode of UFFDIO_REGISTER. wp_async: wp, on a userfaultfd with "
            "UFFD_FEATURE_WP_ASYNC."
        ),
    ]


class CopyFromUser(PagesOperation, kw_only=True, tag="copy_from_user"):
    """write(2) from each page to a pipe: the kernel reads through the mapping.  The value is what the pages hold."""

    capability = "copy-from-user"
    answer = list[Token]


class UffdWriteprotect(PagesOperation, kw_only=True, tag="uffd_writeprotect"):
    """UFFDIO_WRITEPROTECT of pages that are registered in mode wp_async.  The next store to a page succeeds, and takes
    the protection away."""

    capability = "userfaultfd-wp"


class ClearRefs(Operation, kw_only=True, tag="clear_refs"):
    """Write to /proc/PID/clear_refs."""

    capability = "clear-refs"
    process: ProcessName
    what: Annotated[
        Literal["referenced", "soft-dirty"],
        Meta(
            description="referenced: 1, no page of the process counts as referenced any more. soft-dirty: 4, none as "
            "written since."
        ),
    ] = "referenced"


class CoreDump(Operation, kw_only=True, tag="core_dump"):
    """The process dies of a signal that dumps core.  The value is, by region, how many pages the dump holds.

    Its coredump_filter asks for every kind of memory, shared mappings of files too.
    """

    capability = "core-dump"
    answer = dict[Name, Counter]
    process: ProcessName


class SplitFolio(PagesOperation, kw_only=True, tag="split_folio"):
    """Split each folio that the pages belong to into folios of `order`."""

    capability = "folio-split"
    order: Order = 0


class KsmScan(Operation, kw_only=True, tag="ksm_scan"):
    """Let KSM scan everything that is MADV_MERGEABLE until it merges nothing more."""

    capability = "ksm"


class Vmsplice(PagesOperation, kw_only=True, tag="vmsplice"):
    """vmsplice(2) pages into a new pipe: one FOLL_GET reference per page until the pipe is read or closed."""

    capability = "vmsplice"
    pipe: Name


class ReadPipe(Operation, kw_only=True, tag="read_pipe"):
    """Read a whole pipe: the value is what each page holds now.  The references are dropped."""

    capability = "vmsplice"
    answer = list[Token]
    pipe: Name


class ClosePipe(Operation, kw_only=True, tag="close_pipe"):
    """Close a pipe unread.  The references are dropped."""

    capability = "vmsplice"
    pipe: Name


class RegisterBuffer(PagesOperation, kw_only=True, tag="register_buffer"):
    """Register pages as an io_uring fixed buffer: FOLL_PIN|FOLL_LONGTERM|FOLL_WRITE until it is unregistered."""

    capability = "io_uring"
    buffer: Name


class ReadBuffer(Operation, kw_only=True, tag="read_buffer"):
    """What a device would read through a fixed buffer now: the value is what each pinned page holds."""

    capability = "io_uring"
    answer = list[Token]
    buffer: Name


class UnregisterBuffer(Operation, kw_only=True, tag="unregister_buffer"):
    """Unpin a fixed buffer."""

    capability = "io_uring"
    buffer: Name


class ProcessVmReadv(PagesOperation, kw_only=True, tag="process_vm_readv"):
    """process_vm_readv(2) from pages of `process`: a short FOLL_PIN for reading.  The value is what they hold."""

    capability = "process_vm"
    answer = list[Token]


class ReadProcMem(PagesOperation, kw_only=True, tag="read_proc_mem"):
    """Read pages of `process` through /proc/PID/mem: a short FOLL_GET for reading."""

    capability = "proc_mem"
    answer = list[Token]


class WriteProcMem(PagesOperation, kw_only=True, tag="write_proc_mem"):
    """Write pages of `process` through /proc/PID/mem: FOLL_FORCE|FOLL_WRITE, protection does not matter."""

    capability = "proc_mem"
    value: Token


# --- drivers: memory that a driver owns, and what it does with it -------------------------------------------


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


class Called(Struct, forbid_unknown_fields=True):
    """What a function of the kernel gave back."""

    returned: Annotated[
        str,
        Meta(
            pattern="^(0|-E[A-Z0-9]+|VM_FAULT_[A-Z]+|BUG)$",
            description="0, an errno with its sign, a fault code, or BUG: the kernel stopped there.",
        ),
    ]
    warned: Annotated[bool, Meta(description="Whether the kernel logged a warning.")] = False
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


class PageMapcount(PagesQuery, kw_only=True, tag="page_mapcount"):
    """How many page table entries map each page, entries that map its whole folio included."""

    capability = "page-mapcount"
    answer = list[Counter]


class AveragePageMapcount(PagesQuery, kw_only=True, tag="average_page_mapcount"):
    """folio_average_page_mapcount() of each page's folio."""

    capability = "average-page-mapcount"
    answer = list[Counter]


class FolioMapcount(PagesQuery, kw_only=True, tag="folio_mapcount"):
    """folio_mapcount() of each page's folio: how many leaf entries map any part of it."""

    capability = "folio-mapcount"
    answer = list[Counter]


class EntireMapcount(PagesQuery, kw_only=True, tag="entire_mapcount"):
    """folio_entire_mapcount() of each page's folio: how many entries map all of it at once."""

    capability = "entire-mapcount"
    answer = list[Counter]


class NrPagesMapped(PagesQuery, kw_only=True, tag="nr_pages_mapped"):
    """How many pages of each page's folio are mapped by at least one PTE: the low part of _nr_pages_mapped."""

    capability = "nr-pages-mapped"
    answer = list[Counter]


class Slot(Struct, forbid_unknown_fields=True):
    """One of the two owner slots of a large folio."""

    process: Annotated[ProcessName | None, Meta(description="The process whose mm holds the slot; null: free.")]
    count: Annotated[Counter, Meta(description="Mappings counted for it (the kernel stores one less).")]


class Owners(Struct, forbid_unknown_fields=True):
    """The owner tracking of a large folio."""

    slots: Annotated[list[Slot], Meta(max_length=2)]
    maybe_shared: Annotated[bool, Meta(description="The bit FOLIO_MM_IDS_SHARED.")]


class OwnerSlots(PagesQuery, kw_only=True, tag="owner_slots"):
    """The owner slots of each page's folio."""

    capability = "owner-slots"
    answer = list[Owners]


class MaybeMappedShared(PagesQuery, kw_only=True, tag="maybe_mapped_shared"):
    """What the kernel's sharing test says of each page: page_mapcount() > 1 or folio_estimated_sharers() in 6.1,
    folio_likely_mapped_shared() in 6.12, folio_maybe_mapped_shared() after that."""

    capability = "maybe-mapped-shared"
    answer = list[bool]


class MappedExclusively(PagesQuery, kw_only=True, tag="mapped_exclusively"):
    """Bit 56 of /proc/PID/pagemap for each page."""

    capability = "mapped-exclusively"
    answer = list[bool]


class AnonExclusive(PagesQuery, kw_only=True, tag="anon_exclusive"):
    """PageAnonExclusive of each page, as its entry sees it."""

    capability = "anon-exclusive"
    answer = list[bool]


class Refcount(PagesQuery, kw_only=True, tag="refcount"):
    """folio_ref_count() of each page's folio.  References of per-CPU batches are drained first."""

    capability = "refcount"
    answer = list[Counter]


class PartiallyMapped(PagesQuery, kw_only=True, tag="partially_mapped"):
    """PG_partially_mapped of each page's folio (6.1: it is on the deferred split queue)."""

    capability = "partially-mapped"
    answer = list[bool]


class Frame(PagesQuery, kw_only=True, tag="frame"):
    """Which page of memory is mapped: equal strings are the same page; null: no page is mapped.

    The strings mean nothing else.
    """

    capability = "frames"
    answer = list[Annotated[str, Meta(max_length=32)] | None]


EntryKind = Literal["none", "pte", "pmd", "hugetlb", "zero", "huge-zero", "raw", "raw-pmd", "swap"]


class Entry(PagesQuery, kw_only=True, tag="entry"):
    """What the page table holds for each page.

    none: nothing.  pte, pmd, hugetlb: a page, mapped at that level.  zero, huge-zero: the shared zero page by a
    PTE, the huge zero page by a PMD.  raw, raw-pmd: a PFN that is no page to the kernel (vm_normal_page() says NULL),
    mapped at that level.  swap: a swap entry.
    """

    capability = "entries"
    answer = list[EntryKind]


class FolioOrder(PagesQuery, kw_only=True, tag="folio_order"):
    """The order of each page's folio."""

    capability = "folio-order"
    answer = list[Order]


PageFlag = Literal["anon", "ksm", "zero", "hugetlb", "swapbacked", "swapcache"]


class PageFlags(PagesQuery, kw_only=True, tag="page_flags"):
    """Which of the flags each mapped page has."""

    capability = "page-flags"
    answer = list[list[PageFlag]]


class Writable(PagesQuery, kw_only=True, tag="writable"):
    """Whether the entry of each page allows writing; null: there is no entry."""

    capability = "entry-writable"
    answer = list[bool | None]


PagemapBit = Literal["present", "swapped", "file", "exclusive"]


class Pagemap(PagesQuery, kw_only=True, tag="pagemap"):
    """Bits 63, 62, 61 and 56 of /proc/PID/pagemap for each page, as names of those that are set."""

    capability = "pagemap"
    answer = list[list[PagemapBit]]


PagemapMark = Literal["soft-dirty", "uffd-wp"]


class PagemapMarks(PagesQuery, kw_only=True, tag="pagemap_marks"):
    """Bits 55 and 57 of /proc/PID/pagemap for each page, as names of those that are set."""

    capability = "pagemap"
    answer = list[list[PagemapMark]]


class Mincore(PagesQuery, kw_only=True, tag="mincore"):
    """mincore(2): whether each page is said to be resident."""

    capability = "mincore"
    answer = list[bool]


class Vma(Struct, forbid_unknown_fields=True):
    """What a process can see of a VMA."""

    flags: Annotated[list[VmaFlag], Meta(description="Those that VmFlags of /proc/PID/smaps shows.")]
    offset: Annotated[int, Meta(ge=0, description="vm_pgoff: the offset in /proc/PID/maps, in pages.")]


class VmaQuery(Query, kw_only=True, tag="vma"):
    """The VMA in which the first page of a region lies."""

    capability = "vma"
    answer = Vma
    process: ProcessName
    region: Name


class Rss(Query, kw_only=True, tag="rss"):
    """What a region adds to RssAnon, RssFile and RssShmem of its process, in pages."""

    capability = "rss"
    answer = dict[Literal["anon", "file", "shmem"], Counter]
    process: ProcessName
    region: Name


FieldName = Annotated[str, Meta(pattern="^[A-Za-z_]{1,40}$")]


class Smaps(Query, kw_only=True, tag="smaps"):
    """The fields of /proc/PID/smaps for a region in kB, summed if the region has become several VMAs.

    Per-CPU batches are drained first.  The fields are in the order of the file, beginning with Size; KernelPageSize and
    MMUPageSize are left out.  THPeligible, at the end, is no size: 1 if it is 1 for any of the VMAs.
    """

    capability = "smaps"
    answer = dict[FieldName, Counter]
    process: ProcessName
    region: Name


class SmapsRollup(Query, kw_only=True, tag="smaps_rollup"):
    """The fields of /proc/PID/smaps_rollup in kB, in the order of the file, for all that the process maps."""

    capability = "smaps-rollup"
    answer = dict[FieldName, Counter]
    process: ProcessName


class SmapsSum(Query, kw_only=True, tag="smaps_sum"):
    """The fields of /proc/PID/smaps in kB, added up over all VMAs of the process as they are printed."""

    capability = "smaps-rollup"
    answer = dict[FieldName, Counter]
    process: ProcessName


class Status(Query, kw_only=True, tag="status"):
    """VmLck, VmRSS, RssAnon, RssFile, RssShmem, VmSwap and HugetlbPages of /proc/PID/status, in kB."""

    capability = "status"
    answer = dict[FieldName, Counter]
    process: ProcessName


class Statm(Query, kw_only=True, tag="statm"):
    """The first three numbers of /proc/PID/statm, in pages."""

    capability = "statm"
    answer = dict[Literal["size", "resident", "shared"], Counter]
    process: ProcessName


class NumaMaps(Query, kw_only=True, tag="numa_maps"):
    """What the line of the first VMA of a region in /proc/PID/numa_maps prints of these; one that is not printed is
    left out."""

    capability = "numa-maps"
    answer = dict[Literal["anon", "dirty", "mapped", "mapmax"], Counter]
    process: ProcessName
    region: Name


ScanCategory = Literal["wpallowed", "written", "file", "present", "swapped", "pfnzero", "huge"]


class PagemapScan(PagesQuery, kw_only=True, tag="pagemap_scan"):
    """The categories that PAGEMAP_SCAN reports of each page, of these seven."""

    capability = "pagemap-scan"
    answer = list[list[ScanCategory]]


KpageFlag = Literal["mmap", "compound_head", "compound_tail", "thp"]


class KpageInfo(Struct, forbid_unknown_fields=True):
    """What two files tell of one page frame, whoever maps it."""

    count: Annotated[Counter, Meta(description="/proc/kpagecount.")]
    flags: Annotated[list[KpageFlag], Meta(description="Which of these /proc/kpageflags shows.")]


class Kpage(Query, kw_only=True, tag="kpage"):
    """/proc/kpagecount and /proc/kpageflags of a page frame, mapped or not."""

    capability = "kpage"
    answer = KpageInfo
    frame: Annotated[str, Meta(pattern="^[0-9a-f]{1,16}$", description="As `frame` answers.")]


CounterName = Literal[
    "nr_anon_mapped", "nr_file_mapped", "nr_anon_thps", "nr_file_pmdmapped", "nr_shmem_pmdmapped",
    "thp_split_pmd", "split", "split_failed", "split_deferred",
]  # fmt: skip


class Counters(Query, kw_only=True, tag="counters"):
    """Counters of the whole system, in pages or events; only differences mean anything.

    nr_*: NR_ANON_MAPPED and so on, in base pages.  thp_split_pmd: PMDs of huge pages split.  split,
    split_failed, split_deferred: folios split, not split, queued for splitting, all orders together.
    Counters that an implementation cannot tell are left out.
    """

    capability = "counters"
    answer = dict[CounterName, Counter]


class State(Query, kw_only=True, tag="state"):
    """Everything: processes, entries, folios and their counters, for pictures.  Free in form, see the model."""

    capability = "state"
    answer = dict[str, Any]


# --- answers ----------------------------------------------------------------------------------------------


class Greeting(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who answers, and what it can do."""

    protocol: Annotated[int, Meta(description="The version of this protocol that the implementation speaks.")]
    name: Annotated[str, Meta(min_length=1, max_length=80, description="The name to show in reports.")]
    version: Annotated[str, Meta(max_length=200, description="Its version, or the kernel release.")] = ""
    profile: Annotated[str, Meta(max_length=80, description="The profile whose behaviour it claims.")]
    capabilities: Annotated[list[str], Meta(max_length=200, description="What it can do, see capabilities.toml.")]
    missing: Annotated[
        dict[str, str], Meta(description="For a capability that is not there: the reason, one sentence.")
    ] = {}
    parameters: Annotated[
        dict[str, int | str | list[int]],
        Meta(description="Values such as page_size, word_bits, pmd_order, and orders: those it can allocate."),
    ] = {}
    environment: Annotated[
        dict[str, str],
        Meta(description="Anything that helps to repeat the run: kernel, configuration, machine."),
    ] = {}


class Answer(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the implementation sends back, one per request."""

    seq: Annotated[int, Meta(description="The number of the request.")]
    status: Annotated[
        Literal["ok", "errno", "signal", "unsupported", "broken"],
        Meta(
            description="ok: done. errno, signal: refused as a kernel would. unsupported: cannot be done or told "
            "here. broken: the implementation itself has failed."
        ),
    ]
    value: Annotated[msgspec.Raw, Meta(description="ok: the value that the request asks for, if any.")] = field(
        default_factory=lambda: msgspec.Raw(b"null")
    )
    errno: Annotated[Errno | None, Meta(description="errno: which.")] = None
    signal: Annotated[Signal | None, Meta(description="signal: which.")] = None
    capability: Annotated[
        Annotated[str, Meta(max_length=80)] | None,
        Meta(description="unsupported: the capability that is missing."),
    ] = None
    why: Annotated[str, Meta(max_length=4000, description="unsupported, broken: one sentence.")] = ""


def _concrete(base: type[Request]) -> tuple[type[Request], ...]:
    """The requests of a kind, in the order of this file."""
    return tuple(
        cls
        for cls in globals().values()
        if isinstance(cls, type) and issubclass(cls, base) and not cls.__subclasses__()
    )


OPERATIONS = _concrete(Operation)
QUERIES = _concrete(Query)
REQUESTS: dict[str, type[Request]] = {str(cls.__struct_config__.tag): cls for cls in _concrete(Request)}
Hello.answer = Greeting
