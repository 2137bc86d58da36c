# SPDX-License-Identifier: MIT
"""Swapping anonymous pages out and in.

Swap devices are slow ones without seeks: what is written out or read in stays in the swap cache until somebody wants
the slot back, or nobody has an entry for it.  Writeback is over at once, and memory is never short.

Source: mm/vmscan.c (shrink_folio_list), mm/rmap.c (try_to_unmap_one), mm/memory.c (do_swap_page,
should_try_to_free_swap), mm/swapfile.c (folio_free_swap), mm/swap_state.c.
"""

from __future__ import annotations

from . import large_folios
from .folio import Folio, Place
from .kernel import Kernel
from .mm import Leaf, Mm, Swapped, mk_pte
from .rmap import expected_references, mappings
from .units import Errno, PageCount, SwapSlot, Vpn, align_down
from .vma import LOCKED, Vma


def swap_out(k: Kernel, folio: Folio) -> None:
    """Reclaim one anonymous folio (shrink_folio_list): all mappings become swap entries, or go after MADV_FREE."""
    # check
    if not folio.swapbacked:
        if _can_discard(k, folio):
            _unmap(k, folio)
        return
    if folio.maybe_dma_pinned or folio.kind == "ksm":
        return
    if folio.swap is None:
        # rule: pins.swap-out-large
        if folio.large and folio.refcount != expected_references(k, folio):
            return
        if folio.large and (folio.partially_mapped or k.profile["swap.large"] == "split"):
            _split_first(k, folio)
            return
        add_to_swap(k, folio)
    _unmap(k, folio)
    if folio.refcount == folio.pages:
        _write(k, folio)


def _write(k: Kernel, folio: Folio) -> None:
    """pageout, of a folio to which nobody else has a reference.  What was written now stays until memory is short."""
    assert folio.swap is not None
    # rule: pins.dirty
    if not folio.dirty:  # swap has it already, so it is free
        remove_from_swap_cache(k, folio)
        return
    folio.dirty = False
    k.swap_contents.clear(folio.swap, folio.swap + folio.pages)
    for start, end, value in folio.contents:
        k.swap_contents.put(folio.swap + start, folio.swap + end, value)
    # rule: large_folios.swap-in-whole
    if not any(value for *_, value in folio.contents) and k.profile["swap.zeros"] == "noted":
        remove_from_swap_cache(k, folio)


def _unmap(k: Kernel, folio: Folio) -> None:
    """try_to_unmap with TTU_SPLIT_HUGE_PMD."""
    for mm, vpn, _, entry in mappings(k, folio):
        if entry.kind == "pmd":
            # rule: large_folios.swap-entries, large_folios.pmd-not-restored
            large_folios.split_pmd(k, mm, vpn)
    for mm, vpn, end, entry in mappings(k, folio):
        _unmap_ptes(k, mm, vpn, end, entry)


def _split_first(k: Kernel, folio: Folio) -> None:
    """What is partially mapped, or taken for it, is split: what nobody maps is free without a write.  So is all that
    cannot be swapped as a whole."""
    try:
        pieces = large_folios.split_folio(k, folio, 0)
    except Errno:
        return
    for piece in pieces:
        swap_out(k, piece)


def _can_discard(k: Kernel, folio: Folio) -> bool:
    """MADV_FREE pages can go if nobody wrote to them since and nobody else has a reference."""
    # rule: statistics.lazyfree
    if folio.dirty or any(entry.dirty for _, _, _, entry in mappings(k, folio)):
        folio.swapbacked = True
        return False
    # rule: statistics.lazyfree-held
    if folio.refcount != k.counting.folio_mapcount(folio):
        folio.swapbacked = k.profile["swap.lazyfree-held"] == "withdrawn"
        return False
    return True


def _unmap_ptes(k: Kernel, mm: Mm, vpn: Vpn, end: Vpn, entry: Leaf) -> None:
    """try_to_unmap_one: the marker goes into the swap entry."""
    folio, page, count = entry.folio, entry.page, end - vpn
    markers = folio.by_marker(page, count)
    folio.dirty |= entry.dirty
    # count
    change = k.counting.unmap_ptes(folio, page, count, mm)
    folio.clear_exclusive(page, count)
    # map
    mm.clear_ptes(vpn, end)
    if folio.swapbacked:
        assert folio.swap is not None
        for start, stop, exclusive in markers:
            slot = SwapSlot(folio.swap + start)
            mm.table.put(vpn + start - page, vpn + stop - page, Swapped(slot, exclusive, entry.soft_dirty))
        k.swap_counts.add(folio.swap + page, folio.swap + page + count, 1)
        mm.swap_entries += count
    # account
    k.account_unmapped(folio, change)
    mm.add_rss(folio, -count)
    k.put(folio, count)


def add_to_swap(k: Kernel, folio: Folio) -> None:
    """folio_alloc_swap: neighbouring slots for the whole folio, one reference per page."""
    slot = SwapSlot(k.next_slot + -k.next_slot % folio.pages)
    k.next_slot = slot + folio.pages
    _enter_swap_cache(k, folio, slot)
    folio.dirty = True


def _enter_swap_cache(k: Kernel, folio: Folio, slot: SwapSlot) -> None:
    folio.swap = slot
    k.swap_cache.put(slot, slot + folio.pages, Place(folio, 0))
    k.get(folio, folio.pages)


def remove_from_swap_cache(k: Kernel, folio: Folio) -> None:
    """Drop the folio from the swap cache; what was written stays in the slots that are in use."""
    assert folio.swap is not None
    slot = folio.swap
    for start, end, users in k.swap_counts.over_all(slot, slot + folio.pages):
        if not users:
            k.swap_contents.clear(start, end)
    k.swap_cache.clear(slot, slot + folio.pages)
    folio.swap = None
    k.put(folio, folio.pages)


def free_swap(k: Kernel, folio: Folio) -> bool:
    """folio_free_swap: leave the swap cache, if no swap entry needs the slots any more."""
    assert folio.swap is not None
    if k.swap_counts.any(folio.swap, folio.swap + folio.pages):
        return False
    remove_from_swap_cache(k, folio)
    folio.dirty = True  # what was in swap is nowhere else now
    return True


def free_if_unmapped(k: Kernel, folio: Folio) -> None:
    """free_swap_cache: the last mapping went, so the swap cache need not keep the folio."""
    if folio.swap is not None and not k.counting.folio_mapcount(folio):
        free_swap(k, folio)


def drop_entries(k: Kernel, slot: SwapSlot, count: PageCount) -> None:
    """free_swap_and_cache: swap entries go; a slot without entries is free, and so is what the cache has of it."""
    k.swap_counts.add(slot, slot + count, -1)
    for page in range(slot, slot + count):
        if not k.swap_counts.get(page):
            place = k.swap_cache.get(page)
            if place is None:
                k.swap_contents.clear(page, page + 1)
            else:
                free_if_unmapped(k, place.folio)


def swap_in(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, entry: Swapped, *, write: bool) -> None:
    """do_swap_page.  A store that finds the page read-only now faults again (the kernel goes to do_wp_page)."""
    place = k.swap_cache.get(entry.slot)
    if place is None:
        folio = k.alloc(0, "anon")
        folio.fill(0, 1, k.swap_contents.get(entry.slot) or "")
        _enter_swap_cache(k, folio, entry.slot)
        k.put(folio)
        place = Place(folio, 0)
    folio, page = place
    start, count = vpn, 1
    if folio.large and k.profile["swap.in-batch"] == "folio" and _whole_folio(mm, vma, vpn, entry, place):
        start, count, page = vpn - page, folio.pages, 0
    slot = SwapSlot(entry.slot - (vpn - start))

    # check: is the page exclusive?  The swap entry knows; 6.1 and 6.12 also look at the references.
    # rule: cow.swap-exclusive, cow.swap-shared
    exclusive = entry.exclusive
    if (
        k.profile["cow.swap-in"] == "bit-or-references"
        and write
        and folio.refcount == folio.pages == count
        and _last_entries(k, slot, count)
    ):
        # Only the swap cache holds the folio and this is its last entry: the slot is given up before mapping.
        exclusive = True
    # count
    change = k.counting.map_ptes(folio, page, count, mm)
    if exclusive:
        folio.set_exclusive(page, count)
    # map
    noted = vma.soft_dirty or entry.soft_dirty  # else pte_needs_soft_dirty_wp
    writable = exclusive and noted and vma.may_write and (write or k.profile["cow.swap-in-writable"] == "on-read")
    made = mk_pte("pte", folio, page, writable=writable, dirty=write and writable)
    made = made._replace(soft_dirty=made.soft_dirty or entry.soft_dirty)
    mm.table.put(start, start + count, made)
    k.swap_counts.add(slot, slot + count, -1)
    # account
    k.get(folio, count)
    k.account_mapped(folio, change)
    mm.add_rss(folio, count)
    mm.swap_entries -= count
    # should_try_to_free_swap
    alone = folio.refcount == folio.pages + count if k.profile["swap.slot-freed"] == "references" else exclusive
    if (write and alone) or vma.flags & LOCKED:
        free_swap(k, folio)


def _last_entries(k: Kernel, slot: SwapSlot, count: PageCount) -> bool:
    return all(run.value == 1 for run in k.swap_counts.over_all(slot, slot + count))


def _whole_folio(mm: Mm, vma: Vma, vpn: Vpn, entry: Swapped, place: Place) -> bool:
    """Whether the swap entries around `vpn` are those of the whole folio, all equally exclusive."""
    folio, page = place
    start = vpn - page
    block = align_down(vpn, mm.pmd_pages)
    if start < max(block, vma.first) or start + folio.pages > min(block + mm.pmd_pages, vma.end):
        return False
    run = mm.table.run(vpn)
    return run is not None and run.first <= start and start + folio.pages <= run.end
