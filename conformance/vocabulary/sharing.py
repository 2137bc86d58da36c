# SPDX-License-Identifier: MIT
"""Phrases for sharing: who is told exclusive, who is told shared."""

from __future__ import annotations

from conformance import protocol
from conformance.engine import Context, Mismatch
from conformance.vocabulary import operation, outcome
from conformance.vocabulary.memory import compare, maps_file_skewed, reads, span_of
from conformance.vocabulary.types import Area, Pages


@operation("{process} maps file {name} {sharing} {count} times by PTEs and reads it")
def maps_file_often(c: Context, process: str, file: str, sharing: str, times: int) -> None:
    """Map the whole file so often, at addresses that no huge page can be mapped at, as regions v1, v2 and so on; read
    every page of each."""
    for number in range(1, times + 1):
        maps_file_skewed(c, process, file, sharing, 1, f"v{number}")
        reads(c, process, Pages(0, None, f"v{number}"))


@outcome("{pages} of {area} is/are mapped exclusively")
def exclusively(c: Context, pages: Pages, area: Area) -> None:
    """Bit 56 of /proc/PID/pagemap is set for each page."""
    compare(c, protocol.MappedExclusively(**span_of(c, pages, area)), True, "mapped exclusively")


@outcome("{pages} of {area} is/are not mapped exclusively")
def not_exclusively(c: Context, pages: Pages, area: Area) -> None:
    """Bit 56 of /proc/PID/pagemap is clear for each page."""
    compare(c, protocol.MappedExclusively(**span_of(c, pages, area)), False, "not mapped exclusively")


@outcome("{pages} of {area} is/are maybe shared")
def maybe_shared(c: Context, pages: Pages, area: Area) -> None:
    """The kernel's own sharing test says shared for each page."""
    compare(c, protocol.MaybeMappedShared(**span_of(c, pages, area)), True, "maybe shared")


@outcome("{pages} of {area} is/are not shared")
def not_shared(c: Context, pages: Pages, area: Area) -> None:
    """The kernel's own sharing test says exclusive for each page."""
    compare(c, protocol.MaybeMappedShared(**span_of(c, pages, area)), False, "not shared")


@outcome("an owner slot of {pages} of {area} counts {count} mapping(s) of {process}")
def slot_counts(c: Context, pages: Pages, area: Area, count: int, process: str) -> None:
    """One of the two owner slots of the folio belongs to the process's mm and has this count."""
    for owners in c.do(protocol.OwnerSlots(**span_of(c, pages, area))):
        if not any(s.process == process and s.count == count for s in owners.slots):
            raise Mismatch(f"a slot with {count} mappings of {process}", _slots(owners))


@outcome("no owner slot of {pages} of {area} counts {process}")
def no_slot(c: Context, pages: Pages, area: Area, process: str) -> None:
    """Neither owner slot of the folio belongs to the process's mm: it is untracked."""
    for owners in c.do(protocol.OwnerSlots(**span_of(c, pages, area))):
        if any(s.process == process for s in owners.slots):
            raise Mismatch(f"no slot of {process}", _slots(owners))


@outcome("{count} owner slot(s) of {pages} of {area} is/are free")
def slots_free(c: Context, count: int, pages: Pages, area: Area) -> None:
    """So many of the two owner slots of the folio belong to nobody."""
    for owners in c.do(protocol.OwnerSlots(**span_of(c, pages, area))):
        if sum(s.process is None for s in owners.slots) != count:
            raise Mismatch(f"{count} free slots", _slots(owners))


def _slots(owners: protocol.Owners) -> str:
    return ", ".join("free" if s.process is None else f"{s.process}: {s.count}" for s in owners.slots)


@outcome("{pages} of {area} is/are swap-backed")
def swap_backed(c: Context, pages: Pages, area: Area) -> None:
    """Each page has PG_swapbacked: MADV_FREE has not marked it for lazy freeing."""
    for index, flags in enumerate(c.do(protocol.PageFlags(**span_of(c, pages, area)))):
        if "swapbacked" not in flags:
            raise Mismatch("swap-backed", f"{flags} at page {pages.first + index}")


@outcome("{pages} of {area} is/are no longer swap-backed")
def not_swap_backed(c: Context, pages: Pages, area: Area) -> None:
    """PG_swapbacked is clear for each page: MADV_FREE has marked it for lazy freeing."""
    for index, flags in enumerate(c.do(protocol.PageFlags(**span_of(c, pages, area)))):
        if "swapbacked" in flags:
            raise Mismatch("not swap-backed", f"{flags} at page {pages.first + index}")
