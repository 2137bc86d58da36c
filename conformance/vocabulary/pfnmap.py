# SPDX-License-Identifier: MIT
"""Phrases for VM_PFNMAP, and for what the rest of the kernel does with a mapping of a driver."""

from __future__ import annotations

import re
from typing import Any, get_args

from conformance import protocol
from conformance.engine import Context, Mismatch
from conformance.vocabulary import operation, outcome
from conformance.vocabulary.driver_pages import DEVICE, device_span
from conformance.vocabulary.memory import EVERY, compare, span_of
from conformance.vocabulary.types import Area, Pages, define

_BIT = "|".join(get_args(protocol.PagemapBit))
_BITS = rf"nothing|(?:{_BIT})(?:, (?:{_BIT}))*(?: and (?:{_BIT}))?"
_RESULT = r"0|-E[A-Z0-9]+|VM_FAULT_[A-Z]+"
define(
    "bits", _BITS, lambda text: frozenset(re.findall(_BIT, text)),
    "Bits of /proc/PID/pagemap: present (63), swapped (62), file (61), exclusive (56).",
    "nothing", "present", "present, file and exclusive", kind=frozenset,
)  # fmt: skip
define("result", _RESULT, str, "What a function of the kernel returns.", "0", "-EBUSY", "VM_FAULT_NOPAGE", kind=str)
define(
    "uffd", "missing mode|write-protect mode|asynchronous write-protect mode",
    {"missing mode": "missing", "write-protect mode": "wp", "asynchronous write-protect mode": "wp_async"}.__getitem__,
    "A mode of userfaultfd.", "missing mode", kind=str,
)  # fmt: skip


# --- flags ------------------------------------------------------------------------------------------------


@outcome("{area} has {flags}")
def has_flags(c: Context, area: Area, flags: tuple[str, ...]) -> None:
    """The VMA has each of the flags, as VmFlags of /proc/PID/smaps shows them."""
    seen = vma(c, area).flags
    if missing := [flag for flag in flags if flag not in seen]:
        raise Mismatch(" and ".join(missing), " ".join(seen))


@outcome("{area} has none of {flags}")
def has_no_flags(c: Context, area: Area, flags: tuple[str, ...]) -> None:
    """The VMA has none of the flags, as VmFlags of /proc/PID/smaps shows them."""
    seen = vma(c, area).flags
    if there := [flag for flag in flags if flag in seen]:
        raise Mismatch(f"no {' and no '.join(there)}", " ".join(seen))


@outcome("the maps file shows for {area} the offset of page {count}")
def offset_is(c: Context, area: Area, page: int) -> None:
    """vm_pgoff, which /proc/PID/maps shows in bytes, is this page of the device."""
    if (seen := vma(c, area).offset) != page:
        raise Mismatch(f"offset of page {page}", f"that of page {seen}")


@outcome("the maps file does not show for {area} the offset of page {count}")
def offset_is_not(c: Context, area: Area, page: int) -> None:
    """vm_pgoff, which /proc/PID/maps shows in bytes, is another number, such as a page frame number."""
    if vma(c, area).offset == page:
        raise Mismatch(f"an offset that is not that of page {page}", "that offset")


def vma(c: Context, area: Area) -> protocol.Vma:
    found: protocol.Vma = c.do(protocol.VmaQuery(process=area.process, region=area.region))
    return found


# --- what a driver calls ----------------------------------------------------------------------------------


@operation(
    "the driver calls {function} for {pages} of {area} with its {pages}",
    "driver {name} calls {function} for {pages} of {area} with its {pages}",
)
def driver_calls(c: Context, *words: Any) -> None:
    """The driver calls the function for pages of a mapping that exists, with mmap_lock held for reading; `the call …`
    tells what came of it."""
    _call(c, *words, in_mmap=False)


@operation("the driver calls {function} for {pages} of {area} with its {pages}, as in its mmap handler")
def driver_calls_in_mmap(c: Context, *words: Any) -> None:
    """The same with mmap_lock held for writing."""
    _call(c, *words, in_mmap=True)


def _call(c: Context, *words: Any, in_mmap: bool) -> None:
    *name, function, pages, area, own = words
    span = span_of(c, pages, area)
    device = device_span(c, Pages(own.first, span["count"]), name[0] if name else DEVICE)
    c.called = c.do(
        protocol.CallDriver(
            **span, device=device["device"], device_first=device["first"], function=function, in_mmap=in_mmap
        )
    )


@outcome("the call returns {result}")
def call_returns(c: Context, result: str) -> None:
    """The last function that a driver called came back with this."""
    _called(c, result)


@outcome("the call returns {result} and has left {count} page(s)")
def call_returns_left(c: Context, result: str, left: int) -> None:
    """As above; and so many pages are not mapped, which vm_insert_pages tells in *num."""
    if (seen := _called(c, result).left) != left:
        raise Mismatch(f"{left} pages left", str(seen))


@outcome("the call is a BUG")
def call_is_bug(c: Context) -> None:
    """The kernel stopped there with BUG(): the driver must not do this.  Where it stopped is noted."""
    if where := _called(c, "BUG").where:
        c.note(where)


def _called(c: Context, result: str) -> protocol.Called:
    if c.called is None or c.called.returned != result:
        raise Mismatch(result, c.called.returned if c.called else "no call")
    return c.called


# --- what the rest of the kernel does with such a mapping ---------------------------------------------------


@outcome("pagemap shows {bits} for {pages} of {area}")
def pagemap(c: Context, bits: frozenset[str], pages: Pages, area: Area) -> None:
    """Exactly these of the bits present, swapped, file and exclusive are set in /proc/PID/pagemap for each page."""
    for index, seen in enumerate(c.do(protocol.Pagemap(**span_of(c, pages, area)))):
        if set(seen) != bits:
            raise Mismatch(_bits(bits), f"{_bits(seen)} at page {pages.first + index}")


def _bits(names: Any) -> str:
    return " and ".join(b for b in get_args(protocol.PagemapBit) if b in names) or "nothing"


@outcome("mincore says of {pages} of {area} that it/they is/are resident")
def resident(c: Context, pages: Pages, area: Area) -> None:
    """mincore(2) says 1 for each page."""
    compare(c, protocol.Mincore(**span_of(c, pages, area)), True, "resident")


@outcome("mincore says of {pages} of {area} that it/they is/are not resident")
def not_resident(c: Context, pages: Pages, area: Area) -> None:
    """mincore(2) says 0 for each page."""
    compare(c, protocol.Mincore(**span_of(c, pages, area)), False, "not resident")


@operation("{process} copies {pages} out with write")
def copies_out(c: Context, process: str, pages: Pages) -> None:
    """write(2) of the pages to a pipe must succeed: the kernel reads them through the page table of the process."""
    c.do(protocol.CopyFromUser(**c.span(process, pages)))


@operation("{process} tries to copy {pages} out with write")
def tries_to_copy_out(c: Context, process: str, pages: Pages) -> None:
    """write(2) of the pages to a pipe, which may fail."""
    c.attempt = c.send(protocol.CopyFromUser(**c.span(process, pages)))


@operation("{process} tries to vmsplice {pages}")
def tries_to_vmsplice(c: Context, process: str, pages: Pages) -> None:
    """vmsplice(2), FOLL_GET for reading, which may fail."""
    c.attempt = c.send(protocol.Vmsplice(**c.span(process, pages), pipe="attempt"))


@operation("{process} tries to register {pages} as io_uring buffer {name}")
def tries_to_register(c: Context, process: str, pages: Pages, buffer: str) -> None:
    """An io_uring fixed buffer, FOLL_PIN|FOLL_LONGTERM|FOLL_WRITE, as RDMA takes it; it may fail."""
    c.attempt = c.send(protocol.RegisterBuffer(**c.span(process, pages), buffer=buffer))


@operation("{process} tries to read {pages} with process_vm_readv")
def tries_process_vm_readv(c: Context, process: str, pages: Pages) -> None:
    """process_vm_readv(2) from the process's own pages, FOLL_PIN for reading, which may fail."""
    c.attempt = c.send(protocol.ProcessVmReadv(**c.span(process, pages)))


@operation("{process} tries to read {pages} through its mem file")
def tries_read_proc_mem(c: Context, process: str, pages: Pages) -> None:
    """Read the process's own pages through /proc/PID/mem, which may fail."""
    c.attempt = c.send(protocol.ReadProcMem(**c.span(process, pages)))


@operation("{process} locks {pages}")
def locks(c: Context, process: str, pages: Pages) -> None:
    """mlock(2); it must succeed."""
    c.do(protocol.Mlock(**c.span(process, pages)))


@operation("{process} tries to lock {pages}")
def tries_to_lock(c: Context, process: str, pages: Pages) -> None:
    """mlock(2), which may fail."""
    c.attempt = c.send(protocol.Mlock(**c.span(process, pages)))


@operation("{process} registers {pages} with userfaultfd in {uffd}")
def registers(c: Context, process: str, pages: Pages, mode: str) -> None:
    """UFFDIO_REGISTER, which must succeed."""
    c.do(protocol.UffdRegister(**c.span(process, pages), mode=mode))  # type: ignore[arg-type]


@operation("{process} tries to register {pages} with userfaultfd in {uffd}")
def tries_uffd(c: Context, process: str, pages: Pages, mode: str) -> None:
    """UFFDIO_REGISTER, which may fail."""
    c.attempt = c.send(protocol.UffdRegister(**c.span(process, pages), mode=mode))  # type: ignore[arg-type]


@operation("{process} grows {name} to {count} pages")
def grows(c: Context, process: str, region: str, pages: int) -> None:
    """mremap(2) to a larger size, which must succeed."""
    c.do(protocol.Grow(process=process, region=region, pages=pages))
    c.regions[process][region] = pages


@operation("{process} tries to grow {name} to {count} pages")
def tries_to_grow(c: Context, process: str, region: str, pages: int) -> None:
    """mremap(2) to a larger size, which may fail."""
    c.span(process, Pages(0, 1, region))
    c.attempt = c.send(protocol.Grow(process=process, region=region, pages=pages))


@operation("{process} shrinks {name} to {count} page(s)")
def shrinks(c: Context, process: str, region: str, pages: int) -> None:
    """mremap(2) to a smaller size, which must succeed."""
    c.do(protocol.Shrink(process=process, region=region, pages=pages))
    c.regions[process][region] = pages


@operation("{process} moves {pages} over {name}")
def moves_over(c: Context, process: str, pages: Pages, to: str) -> None:
    """mremap(2) with MREMAP_FIXED to where another region of as many pages is, whose mapping goes."""
    c.do(protocol.Mremap(**c.span(process, pages), to=to, how="over"))


@operation("{process} tries to move {pages} to {name}")
def tries_to_move(c: Context, process: str, pages: Pages, to: str) -> None:
    """mremap(2) to another place, which may fail."""
    _tries_mremap(c, process, pages, to, "move")


@operation("{process} tries to move {pages} to {name} with MREMAP_DONTUNMAP")
def tries_to_move_dontunmap(c: Context, process: str, pages: Pages, to: str) -> None:
    """mremap(2) that leaves the old place mapped and empty; it may fail."""
    _tries_mremap(c, process, pages, to, "dontunmap")


@operation("{process} tries to map {pages} again as {name} with mremap")
def tries_to_duplicate(c: Context, process: str, pages: Pages, to: str) -> None:
    """mremap(2) with an old length of 0: a second mapping of the same pages of the file; it may fail."""
    _tries_mremap(c, process, pages, to, "duplicate")


def _tries_mremap(c: Context, process: str, pages: Pages, to: str, how: Any) -> None:
    span = c.span(process, pages)
    c.attempt = c.send(protocol.Mremap(**span, to=to, how=how))
    c.regions[process][to] = span["count"]


@operation("{process} tries to unmap {pages}")
def tries_to_unmap(c: Context, process: str, pages: Pages) -> None:
    """munmap(2), which may fail."""
    c.attempt = c.send(protocol.Unmap(**c.span(process, pages)))


@operation("{process} tries to fork {process}")
def tries_to_fork(c: Context, process: str, child: str) -> None:
    """fork(2), which may fail."""
    c.attempt = c.send(protocol.Fork(process=c.process(process), child=child))
    if c.attempt.status == "ok":
        c.regions[child] = dict(c.regions[process])


@operation("{process} tries to make {pages} {protection}")
def tries_to_make(c: Context, process: str, pages: Pages, protection: str) -> None:
    """mprotect(2), which may fail."""
    c.attempt = c.send(protocol.Mprotect(**c.span(process, pages), protection=protection))  # type: ignore[arg-type]


@outcome("a core dump of {area} holds {count} page(s) of it")
def core_dump(c: Context, area: Area, pages: int) -> None:
    """The process dies of a signal that dumps core; so many pages of the region are in the file."""
    c.span(area.process, Pages(EVERY.first, EVERY.count, area.region))
    seen = c.do(protocol.CoreDump(process=area.process)).get(area.region, 0)
    if seen != pages:
        raise Mismatch(f"{pages} pages in the core dump", str(seen))
