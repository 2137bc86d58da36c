# SPDX-License-Identifier: MIT
"""Chapter large_folios: splitting a PMD, splitting a folio.  The way back is in collapse.py.

Source: mm/huge_memory.c (__split_huge_pmd_locked, __folio_split, split_huge_page_to_list), mm/migrate.c
(try_to_map_unused_to_zeropage).
"""

from __future__ import annotations

from .folio import Folio, Place
from .kernel import Kernel
from .mm import UNCOUNTED, Leaf, Mm
from .rmap import expected_references, mappings
from .units import Errno, Order, Pfn, SwapSlot, Vpn, align_down
from .vma import LOCKED


def split_pmd_around(k: Kernel, mm: Mm, border: Vpn) -> None:
    """Split the PMD that `border` is in the middle of, if any (vma_adjust_trans_huge, zap_pmd_range)."""
    if border % mm.pmd_pages == 0:
        return
    entry = mm.table.get(border)
    if isinstance(entry, Leaf) and entry.kind in ("pmd", "huge-zero", "raw-pmd"):
        split_pmd(k, mm, align_down(border, mm.pmd_pages))


def split_pmd(k: Kernel, mm: Mm, vpn: Vpn, *, freeze: bool = False) -> None:
    """__split_huge_pmd: the page table changes, the folio stays whole.  freeze: into migration entries."""
    # rule: large_folios.pmd-split, large_folios.pmd-split-never-fails, large_folios.pmd-split-per-mm
    # check: never fails; references and pins do not matter.
    entry = mm.table.get(vpn)
    assert isinstance(entry, Leaf) and entry.kind in ("pmd", "huge-zero", "raw-pmd")
    folio = entry.folio
    end = vpn + mm.pmd_pages
    k.counters["thp_split_pmd"] += 1

    vma = mm.find(vpn)
    if entry.kind == "raw-pmd" or (vma is not None and vma.special_huge):
        # rule: pfnmap.huge-split, mixedmap.folio-pmd-leak
        # count: nothing, also if it was a folio that had been counted.
        # map: nothing takes its place, the block faults in again.
        mm.table.clear(vpn, end)
    elif entry.kind == "huge-zero":
        # count: nothing.
        mm.table.put(vpn, end, Leaf("zero", k.zero, 0, False, False))
    elif folio.anon:
        # rule: large_folios.pmd-split-counts, large_folios.pmd-split-marker, mapcount.pmd-split
        # count: one entry less that maps all of it, one more for each page; every page inherits the marker.
        change = k.counting.split_pmd(folio, mm)
        if folio.is_exclusive(0):
            folio.set_exclusive(0, folio.pages)
        # map
        dirty = entry.dirty and k.profile["large_folios.split-dirty"] == "entries"
        # rule: statistics.soft-dirty-again
        soft_dirty = entry.soft_dirty or (dirty and not freeze)
        mm.table.put(vpn, end, entry._replace(kind="pte", dirty=dirty, soft_dirty=soft_dirty))
        # account: what the PMD knew about writes is the folio's now.
        folio.dirty |= entry.dirty
        k.get(folio, folio.pages - 1)
        k.account_unmapped(folio, change)
    else:
        # count
        change = k.counting.unmap_pmd(folio, mm)
        # rule: large_folios.file-pmd-split, mapcount.file-pmd-split
        # map: nothing takes its place, the pages fault in again.
        mm.table.clear(vpn, end)
        folio.dirty |= entry.dirty
        # account
        k.account_unmapped(folio, change)
        mm.add_rss(folio, -folio.pages)
        k.put(folio)


# --- splitting a folio ---


def split_folios(k: Kernel, mm: Mm, first: Vpn, end: Vpn, order: int) -> None:
    """split_huge_pages of debugfs: split what can be split, pass over what cannot."""
    for vpn in range(first, end):
        entry = mm.table.get(vpn)
        if not isinstance(entry, Leaf) or entry.folio.hugetlb or entry.kind in UNCOUNTED:
            continue
        folio = entry.folio
        if order < folio.order and folio.refcount == expected_references(k, folio):
            try:
                split_folio(k, folio, order)
            except Errno:
                continue


def check_splittable(k: Kernel, folio: Folio, order: int) -> None:
    """folio_check_splittable."""
    allowed = k.profile["large_folios.split-to"]
    if order >= folio.order or (order and allowed == "zero-only"):
        raise Errno("EINVAL")
    # rule: large_folios.no-order-1, large_folios.folio-split-order
    if folio.anon and order == 1:
        raise Errno("EINVAL")
    if order and folio.swap is not None:
        raise Errno("EINVAL")
    if order and folio.kind == "shmem" and allowed == "uniform-not-shmem":
        raise Errno("EINVAL")


def split_folio(k: Kernel, folio: Folio, order: int) -> list[Folio]:
    """__folio_split, uniform: the pieces that are not free.  The reference of the caller is not counted here."""
    # rule: large_folios.folio-split, large_folios.folio-split-references
    # check: one reference too many and it fails, whatever kind of reference.
    check_splittable(k, folio, order)
    if folio.refcount != expected_references(k, folio):
        k.counters["split_failed"] += 1
        raise Errno("EAGAIN")
    k.counters["split"] += 1

    for mm, vpn, _, entry in mappings(k, folio):
        if entry.kind == "pmd":
            split_pmd(k, mm, vpn, freeze=True)
    exclusive = folio.exclusive
    mapped = mappings(k, folio)

    # count: all mappings go, one page after the other (migration entries have no mapcount).
    for mm, first, end, entry in mapped:
        for page in range(entry.page, entry.page + end - first):
            k.account_unmapped(folio, k.counting.unmap_ptes(folio, page, 1, mm))
        mm.add_rss(folio, first - end)
    folio.exclusive = 0

    pieces = _cut(k, folio, order)

    # try_to_migrate: what one entry knows of the folio, all know then.
    folio.dirty |= any(entry.dirty for *_, entry in mapped)

    # map, count: anonymous pages come back where they were, with their markers; file pages fault in again.
    for mm, first, end, entry in mapped:
        # rule: large_folios.file-folio-split
        if not folio.anon:
            mm.clear_ptes(first, end)
            continue
        for vpn in range(first, end):
            page = entry.page + vpn - first
            _remap(k, mm, vpn, pieces[page >> order], page, exclusive, entry)

    # account: unmapped anonymous pages are free now.
    for piece in pieces:
        piece.dirty = folio.dirty
        k.put(piece)
    return [piece for piece in pieces if piece.references]


def _cut(k: Kernel, folio: Folio, order: int) -> list[Folio]:
    """The new folios, each with the references of its caches and one more; the first keeps the number."""
    pieces = []
    for page in range(0, folio.pages, 1 << order):
        if page:
            piece = k.new_folio(Pfn(folio.pfn + page), order, folio.kind)
        else:
            piece = Folio(folio.number, folio.pfn, Order(order), folio.kind, folio.refcount_bits)
            piece.has_pincount = k.has_pincount(order)
            k.folios[folio.number] = piece
        piece.swapbacked = folio.swapbacked
        for start, end, value in folio.contents.over(page, page + piece.pages):
            piece.fill(start - page, end - page, value)
        if folio.file is not None:
            piece.file, piece.index = folio.file, folio.index + page
            folio.file.cache.put(piece.index, piece.index + piece.pages, Place(piece, 0))
            k.get(piece, piece.pages)
        if folio.swap is not None:
            piece.swap = SwapSlot(folio.swap + page)
            k.swap_cache.put(piece.swap, piece.swap + piece.pages, Place(piece, 0))
            k.get(piece, piece.pages)
        pieces.append(piece)
    return pieces


def _remap(k: Kernel, mm: Mm, vpn: Vpn, piece: Folio, page: int, exclusive: int, entry: Leaf) -> None:
    """remove_migration_pte; an order-0 page of zeros may become the zero page (try_to_map_unused_to_zeropage)."""
    own = page & (piece.pages - 1)
    vma = mm.find(vpn)
    assert vma is not None
    zeros = not piece.large and not piece.value(0) and not vma.flags & LOCKED
    if zeros and k.profile["large_folios.zero-filled"] == "zero-page":
        mm.table.put(vpn, vpn + 1, Leaf("zero", k.zero, 0, False, False, soft_dirty=entry.soft_dirty))
        return
    k.account_mapped(piece, k.counting.map_ptes(piece, own, 1, mm))
    if exclusive >> page & 1:
        piece.set_exclusive(own)
    if entry.dirty and k.profile["statistics.soft-dirty-migration"] == "all":
        entry = entry.mkdirty(writable=entry.writable)
    mm.table.put(vpn, vpn + 1, entry._replace(folio=piece, page=own))
    k.get(piece)
    mm.add_rss(piece, 1)
