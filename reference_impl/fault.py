# SPDX-License-Identifier: MIT
"""Loads, stores and page faults.

Source: mm/memory.c (handle_mm_fault, do_anonymous_page, alloc_anon_folio), mm/huge_memory.c
(do_huge_pmd_anonymous_page).
"""

from __future__ import annotations

from . import cow, files, hugetlb, swap
from .folio import Folio
from .kernel import Kernel
from .mm import Leaf, Mm, Swapped
from .units import Signal, Vpn, align_down
from .vma import HUGEPAGE, NOHUGEPAGE, Vma


def load(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> list[str]:
    """What each page holds, as the process reads it."""
    values: list[str] = []
    vpn = first
    while vpn < end:
        vma = mm.find(vpn)
        if vma is None or vma.protection == "none":
            raise Signal("SIGSEGV")
        run = mm.table.run(vpn)
        if run is None or isinstance(run.value, Swapped):
            handle(k, mm, vma, vpn, write=False)
            continue
        stop = min(end, run.end, vma.end)
        values += contents(run.value, vpn - run.first, stop - vpn)
        vpn = stop
    return values


def contents(entry: Leaf, distance: int, count: int) -> list[str]:
    """What `count` pages hold, starting `distance` pages behind the one that `entry` is for."""
    if entry.kind in ("zero", "huge-zero"):
        return [""] * count
    first = entry.page + distance
    if count == 1:
        return [entry.folio.value(first)]
    values = [""] * count
    for start, end, value in entry.folio.contents.over(first, first + count):
        values[start - first : end - first] = [value] * (end - start)
    return values


def store(k: Kernel, mm: Mm, first: Vpn, end: Vpn, value: str) -> None:
    """Store the same into each page."""
    vpn = first
    while vpn < end:
        vma = mm.find(vpn)
        if vma is None or not vma.may_write:
            raise Signal("SIGSEGV")
        run = mm.table.run(vpn)
        if run is None or isinstance(run.value, Swapped) or not run.value.writable:
            handle(k, mm, vma, vpn, write=True)
            continue
        stop = min(end, run.end, vma.end)
        fill(mm, vpn, stop, value)
        vpn = stop


def fill(mm: Mm, first: Vpn, end: Vpn, value: str) -> None:
    """The store itself: the memory changes and the entry becomes dirty."""
    for start, stop, entry in mm.table.over(first, end):
        assert isinstance(entry, Leaf)
        entry.folio.fill(entry.page, entry.page + stop - start, value)
        if not entry.dirty:
            if entry.kind == "pte":
                mm.table.put(start, stop, entry._replace(dirty=True))
            else:
                whole = mm.table.run(start)
                assert whole is not None and isinstance(whole.value, Leaf)
                mm.table.put(whole.first, whole.end, whole.value._replace(dirty=True))


def handle(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, *, write: bool, unshare: bool = False) -> None:
    """handle_mm_fault: do one thing that brings the access nearer; the access then tries again.

    `unshare` is the fault that a FOLL_PIN for reading causes: make the page exclusive, not writable.
    """
    entry = mm.table.get(vpn)
    if vma.hugetlb:
        hugetlb.fault(k, mm, vma, vpn, entry, write=write, unshare=unshare)
    elif entry is None:
        if vma.anonymous:
            anonymous_fault(k, mm, vma, vpn, write=write)
        else:
            files.fault(k, mm, vma, vpn, write=write)
    elif isinstance(entry, Swapped):
        swap.swap_in(k, mm, vma, vpn, entry, write=write)
    else:
        cow.write_fault(k, mm, vma, vpn, entry, unshare=unshare)


def anonymous_fault(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, *, write: bool) -> None:
    """The first touch of a page of private anonymous memory."""
    # check: a PMD if nothing is there at all, else the zero page for a load, else the largest order that fits.
    order = 0
    orders = anonymous_orders(k, vma)
    pmd_order = k.profile.pmd_order
    # rule: large_folios.block-must-fit, large_folios.whole-block
    if pmd_order in orders and vma.suits(vpn, pmd_order) and mm.pmd_none(vpn):
        order = pmd_order
    if not write:
        # rule: large_folios.read-fault
        _map_zero(k, mm, vma, vpn, huge=order == pmd_order)
        return
    if not order:
        for candidate in sorted(orders, reverse=True):
            start = align_down(vpn, 1 << candidate)
            if (
                candidate < pmd_order
                and vma.suits(vpn, candidate)
                and not mm.table.any(start, start + (1 << candidate))
            ):
                order = candidate
                break

    # count, map, account
    map_new_anon(k, mm, vma, vpn, k.alloc(order, "anon"), writable=vma.may_write, dirty=True)


def _map_zero(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, *, huge: bool) -> None:
    """A load maps the shared page of zeros."""
    # rule: mapcount.uncounted
    # count: nothing; a special entry has no mapcount and no reference.
    # map
    if huge:
        start = align_down(vpn, k.profile.pmd_pages)
        vma.anon_vma = True
        mm.table.put(start, start + k.profile.pmd_pages, Leaf("huge-zero", k.huge_zero, 0, False, False))
    else:
        mm.table.put(vpn, vpn + 1, Leaf("zero", k.zero, 0, False, False))
    # account: nothing; the zero page is in no RSS.


def map_new_anon(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, folio: Folio, *, writable: bool, dirty: bool) -> None:
    """Map all of a new anonymous folio at the aligned block around `vpn`: by a PMD if it is that large."""
    start = align_down(vpn, folio.pages)
    by_pmd = folio.order == k.profile.pmd_order

    # count: the folio was unmapped, so this is what folio_add_new_anon_rmap sets.
    # rule: cow.marker-new
    if by_pmd:
        change = k.counting.map_pmd(folio, mm)
        folio.set_exclusive(0)
    else:
        change = k.counting.map_ptes(folio, 0, folio.pages, mm)
        folio.set_exclusive(0, folio.pages)

    # map
    vma.anon_vma = True
    mm.table.put(start, start + folio.pages, Leaf("pmd" if by_pmd else "pte", folio, 0, writable, dirty))

    # account: the reference of the allocation becomes that of the first entry.
    k.get(folio, 0 if by_pmd else folio.pages - 1)
    k.account_mapped(folio, change)
    mm.add_rss(folio, folio.pages)


def anonymous_orders(k: Kernel, vma: Vma) -> set[int]:
    """thp_vma_allowable_orders: the order asked for at mmap; after a bare MADV_HUGEPAGE that of a PMD."""
    if vma.flags & NOHUGEPAGE or not vma.flags & HUGEPAGE:
        return set()
    return {vma.order or k.profile.pmd_order}
