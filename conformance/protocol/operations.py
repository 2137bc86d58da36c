# SPDX-License-Identifier: MIT
"""Operations: what processes do with their memory."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from conformance.protocol.base import Operation, PagesOperation
from conformance.protocol.names import (
    Advice,
    Counter,
    Filesystem,
    Name,
    Order,
    PageCount,
    PageIndex,
    ProcessName,
    Protection,
    Token,
)


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
    """mremap(2) with MREMAP_MAYMOVE|MREMAP_FIXED: the pages become the whole of a new region `to`, or with `over` of
    one that is there."""

    to: Name
    skew: Annotated[int, Meta(ge=0, description="Pages by which the new region is off its alignment.")] = 0
    how: Annotated[
        Literal["move", "dontunmap", "duplicate", "over"],
        Meta(
            description="move: the old pages are a hole afterwards. dontunmap: MREMAP_DONTUNMAP, the old pages stay "
            "mapped and are empty. duplicate: an old length of 0, a second mapping of the same pages of the file. "
            "over: as move, to a region of as many pages, whose mapping goes."
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


class Shrink(Operation, kw_only=True, tag="shrink"):
    """mremap(2) of a whole region to a smaller number of pages, in place."""

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
