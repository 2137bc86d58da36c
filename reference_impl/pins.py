# SPDX-License-Identifier: MIT
"""Chapter pins: pages that a driver takes with get_user_pages and holds, and direct I/O.

How pages are found and counted is in gup.py, with the system calls that do nothing else.

Source: mm/gup.c (get_user_pages, pin_user_pages, unpin_user_pages), include/linux/mm.h (folio_maybe_dma_pinned),
fs/iomap/direct-io.c, block/bio.c (bio_iov_iter_get_pages).
"""

from __future__ import annotations

from . import files, gup, unmap
from .folio import File, Folio
from .gup import Foll
from .kernel import Hold, Kernel
from .mm import Leaf, Mm
from .rmap import mappings
from .units import BadRequest, Errno, PageIndex, Vpn


def get_pages(k: Kernel, mm: Mm, first: Vpn, end: Vpn, name: str, foll: Foll, times: int) -> int:
    """A driver takes pages and holds them.  How many it got, all times together."""
    # check
    _check(k, name, foll)
    # rule: pins.not-a-mapping
    # count: nothing; neither a reference nor a pin is a mapping.
    # map: nothing, but for the faults that it takes.
    # account
    hold = Hold([], foll.pin)
    for _ in range(times):
        try:
            hold.pages.extend(gup.get_pages(k, mm, first, end, foll))
        except Errno:
            gup.put_pages(k, hold.pages, pin=hold.pin)
            raise
    k.held[name] = hold
    return len(hold.pages)


def gup_test(k: Kernel, mm: Mm, first: Vpn, end: Vpn, name: str, foll: Foll) -> int:
    """PIN_LONGTERM_TEST_START of mm/gup_test.c: a driver that wants all pages or none.  How many they are."""
    # check
    _check(k, name, foll)
    if not foll.longterm or foll.force:
        raise BadRequest("gup_test pins for long, without FOLL_FORCE.")
    # rule: pins.gup-test
    # count: nothing; a pin is not a mapping.
    # map: nothing, but for the faults that it takes.
    # account
    k.held[name] = Hold(gup.get_all_pages(k, mm, first, end, foll), pin=True)
    return end - first


def _check(k: Kernel, name: str, foll: Foll) -> None:
    if name in k.held:
        raise BadRequest(f"There is a hold {name} already.")
    if foll.longterm and not foll.pin:
        raise BadRequest("FOLL_LONGTERM needs FOLL_PIN.")


def put_pages(k: Kernel, name: str) -> None:
    """put_page() or unpin_user_pages().  The mm stays one that has pinned."""
    hold = _hold(k, name)
    gup.put_pages(k, hold.pages, pin=hold.pin)
    del k.held[name]


def _hold(k: Kernel, name: str) -> Hold:
    if name not in k.held:
        raise BadRequest(f"There is no hold {name}.")
    return k.held[name]


def read(k: Kernel, name: str) -> list[str]:
    """What the pages hold now, whoever maps them."""
    return gup.read_places(_hold(k, name).pages)


def write(k: Kernel, name: str, value: str) -> None:
    """What a device does: the pages change, no entry does, and nobody calls set_page_dirty()."""
    # rule: pins.dirty
    for folio, page in _hold(k, name).pages:
        folio.fill(page, page + 1, value)


# --- folio_maybe_dma_pinned ---


def pincount(entry: Leaf) -> int:
    """_pincount; small folios have none."""
    return entry.folio.pincount


def maybe_dma_pinned(entry: Leaf) -> bool:
    """folio_maybe_dma_pinned."""
    # rule: pins.maybe-small, pins.maybe-large
    return entry.folio.maybe_dma_pinned


# --- direct I/O: a pin while it lasts, in 6.1 a reference ---


def direct_write(k: Kernel, mm: Mm, first: Vpn, end: Vpn, file: File, at: PageIndex) -> None:
    """pwrite(2) with O_DIRECT: the device reads the pages."""
    # rule: pins.direct-io, pins.direct-io-get
    pin = k.profile["gup.direct-io"] == "pin"
    places = gup.get_whole(k, mm, first, end, Foll(pin=pin, fast=True))
    values = gup.read_places(places)
    gup.put_pages(k, places, pin=pin)
    _drop_cache(k, file, at, at + len(values))
    for index, value in enumerate(values, at):
        file.backing.clear(index, index + 1)
        if value:
            file.backing.put(index, index + 1, value)


def direct_read(k: Kernel, mm: Mm, first: Vpn, end: Vpn, file: File, at: PageIndex) -> None:
    """pread(2) with O_DIRECT: the device writes to the pages."""
    # rule: pins.direct-io, pins.direct-io-get
    pin = k.profile["gup.direct-io"] == "pin"
    places = gup.get_whole(k, mm, first, end, Foll(pin=pin, write=True, fast=True))
    for index, (folio, page) in enumerate(places, at):
        cached = file.cache.get(index)
        value = cached.folio.value(cached.page) if cached else file.backing.get(index)
        folio.fill(page, page + 1, value or "")
        folio.dirty = True
    gup.put_pages(k, places, pin=pin)


def _drop_cache(k: Kernel, file: File, first: PageIndex, end: PageIndex) -> None:
    """invalidate_inode_pages2_range: what the page cache had is written back and unmapped; then it goes."""
    folios: dict[Folio, None] = {}
    for _, _, place in file.cache.over(first, end):
        folios[place.folio] = None
    for folio in folios:
        for mm, start, stop, _ in mappings(k, folio):
            unmap.zap(k, mm, start, stop)
        if folio.refcount == folio.pages:
            files.remove_from_cache(k, folio)
