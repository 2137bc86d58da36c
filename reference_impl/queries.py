# SPDX-License-Identifier: MIT
"""Queries: look at pages, change nothing.  A page that is not there has counts of 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import pins, sharing
from .device import Device
from .folio import Folio, Place
from .kernel import Kernel
from .mm import UNCOUNTED, Entry, Leaf, Mm, Swapped
from .rmap import expected_references
from .units import PageIndex, Vpn

PageQuery = Callable[[Kernel, Leaf, PageIndex], Any]
FolioQuery = Callable[[Kernel, Leaf], Any]


def special(entry: Leaf) -> bool:
    """Zero pages and raw page frame numbers are mapped by special entries, which count nothing."""
    return entry.kind in UNCOUNTED


def page_mapcount(k: Kernel, entry: Leaf, page: PageIndex) -> int:
    return 0 if special(entry) else k.counting.page_mapcount(entry.folio, page)


def average_page_mapcount(k: Kernel, entry: Leaf) -> int:
    return 0 if special(entry) else k.counting.average_page_mapcount(entry.folio)


def folio_mapcount(k: Kernel, entry: Leaf) -> int:
    return 0 if special(entry) else k.counting.folio_mapcount(entry.folio)


def entire_mapcount(k: Kernel, entry: Leaf) -> int:
    return 0 if special(entry) else k.counting.entire_mapcount(entry.folio)


def nr_pages_mapped(k: Kernel, entry: Leaf) -> int:
    return 0 if special(entry) else k.counting.nr_pages_mapped(entry.folio)


def owners(k: Kernel, entry: Leaf) -> dict[str, Any]:
    """Small folios have no slots."""
    return folio_owners(k, entry.folio)


def folio_owners(k: Kernel, folio: Folio) -> dict[str, Any]:
    return {
        "slots": [
            {"process": slot.mm.name if slot.mm else None, "count": slot.count} for slot in k.counting.owners(folio)
        ],
        "maybe_shared": folio.maybe_shared,
    }


def maybe_mapped_shared(k: Kernel, entry: Leaf, page: PageIndex) -> bool:
    return not special(entry) and sharing.maybe_mapped_shared(k, entry.folio, page)


def mapped_exclusively(k: Kernel, entry: Leaf, page: PageIndex) -> bool:
    return not special(entry) and sharing.mapped_exclusively(k, entry.folio, page, pmd=entry.kind == "pmd")


def anon_exclusive(k: Kernel, entry: Leaf, page: PageIndex) -> bool:
    """The marker is on the page that a PTE maps, on the head for larger entries."""
    return entry.folio.is_exclusive(page if entry.kind == "pte" else 0)


def refcount(k: Kernel, entry: Leaf) -> int:
    return entry.folio.refcount if entry.folio.kind != "mmio" else 0


def expected_refcount(k: Kernel, entry: Leaf) -> int:
    # rule: refcount.expected
    return expected_references(k, entry.folio) if entry.folio.kind not in ("mmio", "zero", "huge-zero") else 0


def partially_mapped(k: Kernel, entry: Leaf) -> bool:
    return entry.folio.partially_mapped


def frame(k: Kernel, entry: Leaf, page: PageIndex) -> str:
    return f"{entry.folio.pfn + page:x}"


def folio_order(k: Kernel, entry: Leaf) -> int:
    return entry.folio.order


def page_flags(k: Kernel, entry: Leaf) -> list[str]:
    folio = entry.folio
    flags = []
    if folio.anon and folio.kind != "hugetlb":
        flags.append("anon")
    if folio.kind == "hugetlb" and folio.file is None:
        flags.append("anon")
    if folio.kind == "ksm":
        flags.append("ksm")
    if folio.kind in ("zero", "huge-zero"):
        flags.append("zero")
    if folio.hugetlb:
        flags.append("hugetlb")
    if folio.swapbacked:
        flags.append("swapbacked")
    if folio.swap is not None:
        flags.append("swapcache")
    return flags


def pincount(k: Kernel, entry: Leaf) -> int:
    return pins.pincount(entry)


def maybe_dma_pinned(k: Kernel, entry: Leaf) -> bool:
    return pins.maybe_dma_pinned(entry)


def entry_kind(entry: Entry) -> str:
    return "swap" if isinstance(entry, Swapped) else entry.kind


# Per query: how to answer for a present entry, and what holds where there is none.
# These answer for each page:
PAGE_QUERIES: dict[str, tuple[PageQuery, Any]] = {
    "page_mapcount": (page_mapcount, 0),
    "maybe_mapped_shared": (maybe_mapped_shared, False),
    "mapped_exclusively": (mapped_exclusively, False),
    "anon_exclusive": (anon_exclusive, False),
    "frame": (frame, None),
}

# These answer the same for all pages of a folio:
FOLIO_QUERIES: dict[str, tuple[FolioQuery, Any]] = {
    "average_page_mapcount": (average_page_mapcount, 0),
    "folio_mapcount": (folio_mapcount, 0),
    "entire_mapcount": (entire_mapcount, 0),
    "nr_pages_mapped": (nr_pages_mapped, 0),
    "owner_slots": (owners, {"slots": [], "maybe_shared": False}),
    "refcount": (refcount, 0),
    "expected_refcount": (expected_refcount, 0),
    "partially_mapped": (partially_mapped, False),
    "folio_order": (folio_order, 0),
    "page_flags": (page_flags, []),
    "pincount": (pincount, 0),
    "maybe_dma_pinned": (maybe_dma_pinned, False),
}


def ask_pages(k: Kernel, mm: Mm, first: Vpn, end: Vpn, query: str) -> list[Any]:
    """One answer per page."""
    ask, nothing = PAGE_QUERIES[query]
    answers = [nothing] * (end - first)
    for start, stop, entry in mm.table.over(first, end):
        if isinstance(entry, Leaf):
            pages = [0] * (stop - start) if entry.kind == "zero" else range(entry.page, entry.page + stop - start)
            answers[start - first : stop - first] = [ask(k, entry, page) for page in pages]
    return answers


def ask_folios(k: Kernel, mm: Mm, first: Vpn, end: Vpn, query: str) -> list[Any]:
    """One answer per page; what a run of entries maps is asked once."""
    ask, nothing = FOLIO_QUERIES[query]
    answers = [nothing] * (end - first)
    for start, stop, entry in mm.table.over(first, end):
        if isinstance(entry, Leaf):
            answers[start - first : stop - first] = [ask(k, entry)] * (stop - start)
    return answers


def entry_kinds(mm: Mm, first: Vpn, end: Vpn) -> list[str]:
    """For each page, what kind of entry maps it."""
    kinds = ["none"] * (end - first)
    for start, stop, entry in mm.table.over(first, end):
        kinds[start - first : stop - first] = [entry_kind(entry)] * (stop - start)
    return kinds


# --- what a process is shown of an entry, whatever it is ---


def writable(mm: Mm, first: Vpn, end: Vpn) -> list[bool | None]:
    """For each page, whether its entry allows writing; None where there is none."""
    found: list[bool | None] = [None] * (end - first)
    for start, stop, entry in mm.table.over(first, end):
        if isinstance(entry, Leaf):
            found[start - first : stop - first] = [entry.writable] * (stop - start)
    return found


# --- a driver's pages ---


def device_refcounts(device: Device, first: PageIndex, count: int) -> list[int]:
    return [folio.refcount if folio.kind != "mmio" else 0 for folio, _ in _device_pages(device, first, count)]


def device_mapcounts(k: Kernel, device: Device, first: PageIndex, count: int) -> list[int]:
    return [
        k.counting.page_mapcount(folio, page) if folio.kind != "mmio" else 0
        for folio, page in _device_pages(device, first, count)
    ]


def _device_pages(device: Device, first: PageIndex, count: int) -> list[Place]:
    places = [device.place(page) for page in range(first, first + count)]
    return [place for place in places if place is not None]
