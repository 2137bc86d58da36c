# SPDX-License-Identifier: MIT
"""Loads, stores and page faults.

Source: mm/memory.c (handle_mm_fault, do_anonymous_page, alloc_anon_folio), mm/huge_memory.c
(do_huge_pmd_anonymous_page).
"""

from __future__ import annotations

from typing import Any

from . import cow, driver_pages, files, hugetlb, swap
from .kernel import Kernel
from .mm import Leaf, Mm, Swapped, contents
from .rmap import map_new_anon
from .units import Signal, Vpn, align_down
from .vma import HUGEPAGE, NOHUGEPAGE, Vma


def load(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> list[str]:
    """What each page holds, as the process reads it."""
    _, signal = fault_in(k, mm, first, end, write=False)
    if signal:
        raise signal
    touch(mm, first, end)
    values: list[str] = []
    for start, stop, entry in mm.table.over(first, end):
        assert isinstance(entry, Leaf)
        values += contents(entry, stop - start)
    return values


def store(k: Kernel, mm: Mm, first: Vpn, end: Vpn, value: str) -> None:
    """Store the same into each page, up to the first that cannot be written to."""
    reached, signal = fault_in(k, mm, first, end, write=True)
    touch(mm, first, reached)
    fill(mm, first, reached, value)
    if signal:
        raise signal


def fault_in(k: Kernel, mm: Mm, first: Vpn, end: Vpn, *, write: bool) -> tuple[Vpn, Signal | None]:
    """Fault until [first, end) can be accessed.  The first page that cannot be, or `end`; and why not.

    Entries that allow the access are passed over run by run.  Faults are one by one, as they are in the kernel: each
    decides by the counters that the one before has left.  No fault depends on what the access before has stored.
    """
    vpn = first
    while vpn < end:
        vma = mm.find(vpn)
        if vma is None or not (vma.may_write if write else vma.protection != "none"):
            return vpn, Signal("SIGSEGV")
        stop = min(end, vma.end)
        while vpn < stop:
            run = mm.table.run(vpn)
            if run is None or isinstance(run.value, Swapped) or (write and not run.value.writable):
                try:
                    handle(k, mm, vma, vpn, write=write)
                except Signal as signal:
                    return vpn, signal
            else:
                vpn = min(stop, run.end)
    return end, None


def touch(mm: Mm, first: Vpn, end: Vpn) -> None:
    """The processor sets the accessed bit of what it uses."""
    # rule: statistics.referenced
    for start, _, entry in mm.table.over(first, end):
        if isinstance(entry, Leaf) and not entry.young:
            mark(mm, start, end, young=True)


def mark(mm: Mm, vpn: Vpn, end: Vpn, **bits: Any) -> None:
    """Change bits of the entries from `vpn` to the end of their run, or to `end`; those of a PMD whole."""
    run = mm.table.run(vpn)
    assert run is not None and isinstance(run.value, Leaf)
    if run.value.kind in ("pte", "zero", "raw"):
        entry = mm.table.get(vpn)
        assert isinstance(entry, Leaf)
        mm.table.put(vpn, min(run.end, end), entry._replace(**bits))
    else:
        mm.table.put(run.first, run.end, run.value._replace(**bits))


def fill(mm: Mm, first: Vpn, end: Vpn, value: str) -> None:
    """The store itself: the memory changes and the entry becomes dirty."""
    for start, stop, entry in mm.table.over(first, end):
        assert isinstance(entry, Leaf)
        entry.folio.fill(entry.page, entry.page + stop - start, value)
        if not entry.dirty or not entry.soft_dirty or entry.uffd_wp:
            # rule: statistics.soft-dirty, statistics.uffd-wp
            mark(mm, start, stop, dirty=True, soft_dirty=True, uffd_wp=False)


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
        elif vma.driver is not None:
            driver_pages.fault(k, mm, vma, vpn, write=write)
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
    dirty = vma.may_write or order == pmd_order  # do_anonymous_page, map_anon_folio_pmd
    map_new_anon(k, mm, vma, vpn, k.alloc(order, "anon"), writable=vma.may_write, dirty=dirty)


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


def anonymous_orders(k: Kernel, vma: Vma) -> set[int]:
    """thp_vma_allowable_orders: the order asked for at mmap; after a bare MADV_HUGEPAGE that of a PMD."""
    if vma.flags & NOHUGEPAGE or not vma.flags & HUGEPAGE:
        return set()
    return {vma.order or k.profile.pmd_order}
