# SPDX-License-Identifier: MIT
"""get_user_pages: which pages it finds, what it counts for them, and the system calls that use it.

What a driver does with it, and direct I/O, is in pins.py.

Source: mm/gup.c (check_vma_flags, follow_page_pte, faultin_page, try_grab_folio, writable_file_mapping_allowed,
__gup_longterm_locked), mm/internal.h (gup_must_unshare), fs/splice.c, io_uring/rsrc.c, mm/process_vm_access.c,
fs/proc/base.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

from . import fault, migrate, refcount
from .folio import GUP_PIN_COUNTING_BIAS, Folio, Place
from .kernel import Buffer, Kernel
from .mm import UNCOUNTED, Leaf, Mm
from .units import BadRequest, Errno, Signal, Vpn
from .vma import IO, PFNMAP, Vma


class Foll(NamedTuple):
    """The flags FOLL_*; without `pin` it is FOLL_GET.  fast: a function that ends in _fast, which asks the page table
    first, and the VMA only if that does not help.  touch: all have it but pin_user_pages()."""

    pin: bool = False
    write: bool = False
    longterm: bool = False
    force: bool = False
    fast: bool = False
    touch: bool = True


def foll(k: Kernel, *, pin: bool, write: bool, longterm: bool = False, force: bool = False, fast: bool) -> Foll:
    """The flags of a driver's call.  pin_user_pages() has no FOLL_TOUCH, nor in 6.1 pin_user_pages_fast() for long."""
    # rule: pins.dirty
    touch = not pin or (fast and not (longterm and k.profile["gup.longterm-fast"] == "no-touch"))
    return Foll(pin, write, longterm, force, fast, touch)


GET = Foll()
GET_FAST = Foll(fast=True)
GET_WRITE = Foll(write=True)
PIPE = ("generic_pipe_buf_get", "include/linux/mm.h")
"""Where a pipe takes a reference, with try_get_page()."""


def get_pages(k: Kernel, mm: Mm, first: Vpn, end: Vpn, foll: Foll) -> list[Place]:
    """get_user_pages: fault in what is needed and hand out the pages, each with its reference or pin.

    It stops before the first page that cannot be had, or whose folio may have no more references; raises Errno if that
    is `first`.
    """
    if foll.pin:
        # rule: pins.has-pinned
        mm.has_pinned = True
    found = _fast_pages(k, mm, first, end, foll) if foll.fast else []
    if first + len(found) < end:
        try:
            found += _slow_pages(k, mm, first + len(found), end, foll)
        except Errno:
            # rule: pins.partial
            if not found:
                raise
    return found


def _fast_pages(k: Kernel, mm: Mm, first: Vpn, end: Vpn, foll: Foll) -> list[Place]:
    """gup_fast: up to the first page whose entry alone is not enough."""
    found: list[Place] = []
    for vpn in range(first, end):
        vma, entry = mm.find(vpn), mm.table.get(vpn)
        # rule: pfnmap.gup-fast
        if vma is None or not isinstance(entry, Leaf) or not _fast(k, vma, entry, foll) or entry.folio.refcount <= 0:
            break
        grab(k, entry.folio, pin=foll.pin)
        found.append(Place(entry.folio, entry.page))
    return found


def _slow_pages(k: Kernel, mm: Mm, first: Vpn, end: Vpn, foll: Foll) -> list[Place]:
    """__gup_longterm_locked: up to the first page that cannot be had.  Raises Errno if that is `first`."""
    while True:
        found: list[Place] = []
        for vpn in range(first, end):
            try:
                place = _page(k, mm, vpn, foll)
                # rule: pins.in-turn
                grab(k, place.folio, pin=foll.pin)
                found.append(place)
            except Errno:
                if not found:
                    raise
                break
        # rule: pins.movable
        movable = migrate.longterm_unpinnable(found) if foll.longterm else []
        if not movable:
            return found
        put_pages(k, found, pin=True)
        migrate.out_of_movable(k, movable)


def get_all_pages(k: Kernel, mm: Mm, first: Vpn, end: Vpn, foll: Foll) -> list[Place]:
    """As a caller does that goes on where it stopped, until all pages are there or an error is its own."""
    found: list[Place] = []
    while first + len(found) < end:
        try:
            found += get_pages(k, mm, first + len(found), end, foll)
        except Errno:
            put_pages(k, found, pin=foll.pin)
            raise
    return found


def get_whole(k: Kernel, mm: Mm, first: Vpn, end: Vpn, foll: Foll) -> list[Place]:
    """As a caller does that wants all of them at once.  Raises Errno EFAULT if they are fewer."""
    places = get_pages(k, mm, first, end, foll)
    if len(places) < end - first:
        put_pages(k, places, pin=foll.pin)
        raise Errno("EFAULT")
    return places


def put_pages(k: Kernel, places: list[Place], *, pin: bool) -> None:
    """put_page() or unpin_user_page() of each.  The mm stays one that has pinned."""
    for folio, _ in places:
        release(k, folio, pin=pin)


def populate(k: Kernel, mm: Mm, vpn: Vpn, *, write: bool) -> None:
    """faultin_page_range: fault it in as if to hand it out.  try_grab_folio asks, and takes nothing."""
    # rule: refcount.limit-gup
    _check_count(k, _page(k, mm, vpn, GET_WRITE if write else GET).folio)


def _check_count(k: Kernel, folio: Folio) -> None:
    """try_grab_folio asks before it adds."""
    # rule: refcount.limit-gup
    if not refcount.try_get(k, folio):
        raise Errno("ENOMEM")


def _page(k: Kernel, mm: Mm, vpn: Vpn, foll: Foll) -> Place:
    vma = mm.find(vpn)
    if vma is None:
        # rule: pins.refused
        raise Errno("EFAULT")
    check_vma_flags(k, vma, foll)
    return _follow(k, mm, vma, vpn, foll)


def _fast(k: Kernel, vma: Vma, entry: Leaf, foll: Foll) -> bool:
    """gup_fast_pte_range, gup_fast_folio_allowed: whether the entry alone is enough.  It does not touch the page."""
    if not k.profile.pte_special or (vma.driver is not None and vma.driver.no_gup):
        return False
    if entry.kind not in ("pte", "pmd", "hugetlb") or vma.protection == "none" or (foll.write and not entry.writable):
        return False
    if not entry.writable and _must_unshare(k, vma, entry, foll):
        return False
    folio = entry.folio
    if foll.longterm and migrate.in_movable(folio):
        return False
    if folio.anon or folio.kind in ("shmem", "hugetlb"):
        return True
    without_mapping = vma.driver is not None and not vma.driver.cached
    if without_mapping and k.profile["gup.fast-without-mapping"] == "large" and not folio.large:
        return False
    return not (foll.pin and foll.longterm and foll.write)


def check_vma_flags(k: Kernel, vma: Vma, foll: Foll) -> None:
    """Whether this kind of access is allowed in the VMA at all."""
    # rule: pfnmap.gup, pfnmap.gup-slow, pfnmap.private-hidden, driver_pages.interface-gup
    if vma.flags & (IO | PFNMAP) or (vma.driver is not None and vma.driver.no_gup):
        raise Errno("EFAULT")
    if foll.write:
        # rule: pins.longterm-file, pins.longterm-file-old, driver_pages.interface-pin
        if vma.needs_dirty_tracking and foll.longterm and k.profile["gup.longterm-write-file"] == "refused":
            raise Errno("EFAULT")
        # rule: pins.refused, pins.forced, cow.force
        if not vma.may_write:
            if not foll.force or not vma.cow:
                raise Errno("EFAULT")
            if vma.hugetlb and k.profile["gup.force-hugetlb"] == "refused":
                raise Errno("EFAULT")
    elif vma.protection == "none" and not foll.force:
        raise Errno("EFAULT")


def _follow(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, foll: Foll) -> Place:
    """follow_page_mask and faultin_page in turns, until the page is there as wanted."""
    while True:
        entry = mm.table.get(vpn)
        unshare = False
        if isinstance(entry, Leaf):
            if foll.write and not _may_write(vma, entry, foll.force):
                pass
            elif not entry.writable and _must_unshare(k, vma, entry, foll):
                unshare = True
            elif entry.kind in ("raw", "raw-pmd"):
                # rule: mixedmap.gup-raw
                raise Errno("EEXIST")
            else:
                if foll.write and foll.touch:
                    _touch(mm, vpn, entry)
                return Place(entry.folio, entry.page)
        try:
            # rule: pins.faults
            fault.handle(k, mm, vma, vpn, write=foll.write, unshare=unshare)
        except Signal:
            raise Errno("EFAULT") from None


def _touch(mm: Mm, vpn: Vpn, entry: Leaf) -> None:
    """FOLL_TOUCH in follow_page_pte, touch_pmd: who asks for a page to write to it is taken to have done so."""
    # rule: pins.dirty
    if entry.kind == "pmd":
        fault.mark(mm, vpn, vpn + 1, dirty=True, soft_dirty=True, young=True)
    elif entry.kind == "pte" and not entry.dirty:
        entry.folio.dirty = True


def _may_write(vma: Vma, entry: Leaf, force: bool) -> bool:
    """can_follow_write_pte: a writable entry, or with FOLL_FORCE an exclusive page in a private mapping."""
    if entry.writable:
        return True
    # rule: cow.force
    if not force or vma.shared or vma.may_write or entry.kind in UNCOUNTED:
        return False
    if not vma.soft_dirty and not entry.soft_dirty:  # pte_needs_soft_dirty_wp
        return False
    folio = entry.folio
    return folio.anon and folio.is_exclusive(entry.page if entry.kind == "pte" else 0)


def _must_unshare(k: Kernel, vma: Vma, entry: Leaf, foll: Foll) -> bool:
    """gup_must_unshare: a pin for reading needs an exclusive page, so that it stays coherent."""
    # rule: cow.get-isolation
    if not foll.pin or foll.write:
        return False
    folio = entry.folio
    # rule: cow.pin-others, pins.longterm-private
    if not folio.anon:
        return foll.longterm and vma.cow and k.profile["gup.unshare-file-pages"] == "yes"
    # rule: cow.pin-unshares
    return not folio.is_exclusive(entry.page if entry.kind == "pte" else 0)


def read_places(places: list[Place]) -> list[str]:
    return ["" if folio.kind in ("zero", "huge-zero") else folio.value(page) for folio, page in places]


# --- counting ---


def grab(k: Kernel, folio: Folio, *, pin: bool) -> None:
    """try_grab_folio: a reference, or a pin, which a folio without pincount counts by references.  Raises Errno."""
    _check_count(k, folio)
    # rule: pins.get
    if not pin:
        k.get(folio)
    # rule: pins.zero-page
    elif folio.kind == "zero":
        return
    # rule: pins.pin-large, pins.huge-zero
    elif folio.has_pincount:
        folio.pincount += 1
        k.get(folio)
    # rule: pins.pin-small
    else:
        k.get(folio, GUP_PIN_COUNTING_BIAS)


def release(k: Kernel, folio: Folio, pages: int = 1, *, pin: bool) -> None:
    """gup_put_folio: what `pages` times `grab` took, and no more."""
    # rule: pins.unpin
    if not pin:
        k.put(folio, pages)
    elif folio.kind == "zero":
        return
    elif folio.has_pincount:
        folio.pincount -= pages
        k.put(folio, pages)
    else:
        k.put(folio, pages * GUP_PIN_COUNTING_BIAS)


# --- FOLL_GET: vmsplice ---


def vmsplice(k: Kernel, mm: Mm, first: Vpn, end: Vpn, pipe: str) -> None:
    """One reference per page; that is all, the mapping does not care."""
    # rule: pins.sources-get
    # check
    if pipe in k.pipes:
        raise BadRequest(f"There is a pipe {pipe} already.")
    # count: nothing; a reference is not a mapping.
    # map: nothing.
    # account
    k.pipes[pipe] = get_all_pages(k, mm, first, end, GET_FAST)


def close_pipe(k: Kernel, pipe: str) -> list[str]:
    """What the pages hold now; the references are dropped."""
    if pipe not in k.pipes:
        raise BadRequest(f"There is no pipe {pipe}.")
    places = k.pipes.pop(pipe)
    values = read_places(places)
    put_pages(k, places, pin=False)
    return values


def tee(k: Kernel, pipe: str, to: str) -> int:
    """link_pipe: a second pipe has the same pages, and a reference of its own to each.  How many it got."""
    # check
    if pipe not in k.pipes:
        raise BadRequest(f"There is no pipe {pipe}.")
    if to in k.pipes:
        raise BadRequest(f"There is a pipe {to} already.")
    places: list[Place] = []
    for place in k.pipes[pipe]:
        # rule: refcount.limit-tee
        if not refcount.try_get(k, place.folio, *PIPE):
            break
        # count: nothing; a reference is not a mapping.
        # map: nothing.
        # account
        # rule: refcount.tee
        k.get(place.folio)
        places.append(place)
    if not places:
        raise Errno("EFAULT")
    k.pipes[to] = places
    return len(places)


def fuse_splice(k: Kernel, pipe: str) -> None:
    """fuse_dev_splice_write: half a page for FUSE, half for the pipe, a reference for each.  Then both are done."""
    if pipe not in k.pipes:
        raise BadRequest(f"There is no pipe {pipe}.")
    # rule: refcount.limit-fuse
    refused = not refcount.try_get(k, k.pipes[pipe][0].folio, *PIPE)
    close_pipe(k, pipe)
    if refused:
        raise Errno("EINVAL")


# --- FOLL_PIN ---


def register_buffer(k: Kernel, mm: Mm, first: Vpn, end: Vpn, buffer: str) -> None:
    """An io_uring fixed buffer: FOLL_PIN|FOLL_LONGTERM|FOLL_WRITE."""
    # check
    if buffer in k.buffers:
        raise BadRequest(f"There is a buffer {buffer} already.")
    # rule: cow.pin-write
    fast = k.profile["io_uring.files"] == "allowed"  # 6.1 wants to see the VMAs.
    places = get_whole(k, mm, first, end, foll(k, pin=True, write=True, longterm=True, fast=fast))
    for vma in mm.over(first, end):
        of_disk = vma.file is not None and vma.file.filesystem == "disk"
        # rule: mixedmap.gup, driver_pages.interface-pin
        if (of_disk or vma.driver is not None) and k.profile["io_uring.files"] == "refused":
            put_pages(k, places, pin=True)
            raise Errno("EOPNOTSUPP")
    # count: nothing; a pin is not a mapping.
    # map: nothing.
    # account
    pins = _by_folio(places)
    if k.profile["io_uring.pins"] == "per-folio" and _coalesces(places, pins):
        for folio, number in pins:
            release(k, folio, number - 1, pin=True)
        pins = [(folio, 1) for folio, _ in pins]
    k.buffers[buffer] = Buffer(places, pins)


def _by_folio(places: list[Place]) -> list[tuple[Folio, int]]:
    """How many pages of each folio follow one another."""
    folios: list[tuple[Folio, int]] = []
    for folio, _ in places:
        if folios and folios[-1][0] is folio:
            folios[-1] = (folio, folios[-1][1] + 1)
        else:
            folios.append((folio, 1))
    return folios


def _coalesces(places: list[Place], folios: list[tuple[Folio, int]]) -> bool:
    """io_check_coalesce_buffer: pages in order, folios of one size, whole except for the first and the last."""
    size = folios[0][0].pages
    if size == 1 and len(folios) > 1:
        return False
    for before, after in pairwise(places):
        if before.folio is after.folio:
            if after.page != before.page + 1:
                return False
        elif before.page != before.folio.pages - 1 or after.page or after.folio.pages != size:
            return False
    return True


def read_buffer(k: Kernel, buffer: str) -> list[str]:
    if buffer not in k.buffers:
        raise BadRequest(f"There is no buffer {buffer}.")
    return read_places(k.buffers[buffer].pages)


def unregister_buffer(k: Kernel, buffer: str) -> None:
    """unpin_user_pages.  The mm stays one that has pinned."""
    if buffer not in k.buffers:
        raise BadRequest(f"There is no buffer {buffer}.")
    for folio, number in k.buffers.pop(buffer).pins:
        release(k, folio, number, pin=True)


def process_vm_readv(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> list[str]:
    """A short FOLL_PIN for reading, of each page in turn: shared pages are unshared first, then pins come and go."""
    # rule: pins.sources-pin
    return _read_each(k, mm, first, end, Foll(pin=True), "EFAULT")


def read_proc_mem(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> list[str]:
    """A short FOLL_GET with FOLL_FORCE, of each page in turn: nothing is unshared."""
    vma = mm.find(first)
    if vma is not None and vma.driver is not None and vma.driver.access and vma.flags & (IO | PFNMAP):
        # rule: pfnmap.proc-mem, driver_pages.interface-mem
        return fault.load(k, mm, first, end)  # generic_access_phys()
    return _read_each(k, mm, first, end, Foll(force=True), "EIO")


def write_proc_mem(k: Kernel, mm: Mm, first: Vpn, end: Vpn, value: str) -> None:
    """A short FOLL_GET with FOLL_FORCE|FOLL_WRITE, of each page in turn: it becomes exclusive, not writable."""
    for vpn in range(first, end):
        with _held(k, mm, vpn, Foll(write=True, force=True), "EIO") as (folio, page):
            folio.fill(page, page + 1, value)
            folio.dirty = True


def _read_each(k: Kernel, mm: Mm, first: Vpn, end: Vpn, foll: Foll, error: str) -> list[str]:
    values = []
    for vpn in range(first, end):
        with _held(k, mm, vpn, foll, error) as place:
            values += read_places([place])
    return values


@contextmanager
def _held(k: Kernel, mm: Mm, vpn: Vpn, foll: Foll, error: str) -> Iterator[Place]:
    """One page, held meanwhile.  error: what the system call says if it cannot be had."""
    try:
        places = get_pages(k, mm, vpn, vpn + 1, foll)
    except Errno:
        raise Errno(error) from None
    yield places[0]
    put_pages(k, places, pin=foll.pin)
