# SPDX-License-Identifier: MIT
"""Chapter large_folios: splitting a PMD, splitting a folio, collapsing.

Source: mm/huge_memory.c (__split_huge_pmd_locked, __folio_split, split_huge_page_to_list), mm/migrate.c
(try_to_map_unused_to_zeropage), mm/khugepaged.c (madvise_collapse, collapse_huge_page, collapse_file).
"""

from __future__ import annotations

from . import fault, files, swap, unmap
from .folio import Folio
from .kernel import Kernel, Place
from .mm import Leaf, Mm, Swapped
from .units import Errno, Order, Pfn, SwapSlot, Vpn, align_down, align_up
from .vma import NOHUGEPAGE, Vma


def split_pmd_around(k: Kernel, mm: Mm, border: Vpn) -> None:
    """Split the PMD that `border` is in the middle of, if any (vma_adjust_trans_huge, zap_pmd_range)."""
    if border % mm.pmd_pages == 0:
        return
    entry = mm.table.get(border)
    if isinstance(entry, Leaf) and entry.kind in ("pmd", "huge-zero"):
        split_pmd(k, mm, align_down(border, mm.pmd_pages))


def split_pmd(k: Kernel, mm: Mm, vpn: Vpn) -> None:
    """__split_huge_pmd: the page table changes, the folio stays whole."""
    # rule: large_folios.pmd-split, large_folios.pmd-split-never-fails, large_folios.pmd-split-per-mm
    # check: never fails; references and pins do not matter.
    entry = mm.table.get(vpn)
    assert isinstance(entry, Leaf) and entry.kind in ("pmd", "huge-zero")
    folio = entry.folio
    end = vpn + mm.pmd_pages
    k.counters["thp_split_pmd"] += 1

    if entry.kind == "huge-zero":
        # count: nothing.
        mm.table.put(vpn, end, Leaf("zero", k.zero, 0, False, False))
    elif folio.anon:
        # rule: large_folios.pmd-split-counts, large_folios.pmd-split-marker, mapcount.pmd-split
        # count: one entry less that maps all of it, one more for each page; every page inherits the marker.
        change = k.counting.split_pmd(folio, mm)
        if folio.is_exclusive(0):
            folio.set_exclusive(0, folio.pages)
        # map
        mm.table.put(vpn, end, entry._replace(kind="pte"))
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


def mappings(k: Kernel, folio: Folio) -> list[tuple[Mm, Vpn, Vpn, Leaf]]:
    """rmap_walk: every run of entries that maps pages of the folio, with the first page that it maps."""
    found = []
    for mm in k.mms.values():
        for first, end, entry in mm.table:
            if isinstance(entry, Leaf) and entry.folio is folio and entry.kind not in ("zero", "huge-zero"):
                found.append((mm, first, end, entry))
    return found


# --- splitting a folio ---


def split_folios(k: Kernel, mm: Mm, first: Vpn, end: Vpn, order: int) -> None:
    """split_huge_pages of debugfs: split what can be split, pass over what cannot."""
    for vpn in range(first, end):
        entry = mm.table.get(vpn)
        if not isinstance(entry, Leaf) or entry.folio.hugetlb or entry.kind in ("zero", "huge-zero"):
            continue
        folio = entry.folio
        if order < folio.order and folio.refcount == expected_references(k, folio):
            try:
                split_folio(k, folio, order)
            except Errno:
                continue


def expected_references(k: Kernel, folio: Folio) -> int:
    """folio_expected_ref_count: mappings and caches, nobody else."""
    cached = folio.file is not None or folio.swap is not None
    return k.counting.folio_mapcount(folio) + (folio.pages if cached else 0)


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


def split_folio(k: Kernel, folio: Folio, order: int) -> None:
    """__folio_split, uniform.  The reference of the caller is not counted here."""
    # rule: large_folios.folio-split, large_folios.folio-split-references
    # check: one reference too many and it fails, whatever kind of reference.
    check_splittable(k, folio, order)
    if folio.refcount != expected_references(k, folio):
        k.counters["split_failed"] += 1
        raise Errno("EAGAIN")
    k.counters["split"] += 1

    for mm, vpn, _, entry in mappings(k, folio):
        if entry.kind == "pmd":
            split_pmd(k, mm, vpn)
    exclusive = folio.exclusive
    mapped = mappings(k, folio)

    # count: all mappings go, one page after the other (migration entries have no mapcount).
    for mm, first, end, entry in mapped:
        for page in range(entry.page, entry.page + end - first):
            k.account_unmapped(folio, k.counting.unmap_ptes(folio, page, 1, mm))
        mm.add_rss(folio, first - end)
    folio.exclusive = 0

    pieces = _cut(k, folio, order)

    # map, count: anonymous pages come back where they were, with their markers; file pages fault in again.
    for mm, first, end, entry in mapped:
        # rule: large_folios.file-folio-split
        if not folio.anon:
            mm.clear_ptes(first, end)
            folio.dirty |= entry.dirty
            continue
        for vpn in range(first, end):
            page = entry.page + vpn - first
            _remap(k, mm, vpn, pieces[page >> order], page, exclusive, entry)

    # account: unmapped anonymous pages are free now.
    for piece in pieces:
        piece.dirty = folio.dirty
        k.put(piece)


def _cut(k: Kernel, folio: Folio, order: int) -> list[Folio]:
    """The new folios, each with the references of its caches and one more; the first keeps the number."""
    pieces = []
    for page in range(0, folio.pages, 1 << order):
        if page:
            piece = k.new_folio(Pfn(folio.pfn + page), order, folio.kind)
        else:
            piece = Folio(folio.number, folio.pfn, Order(order), folio.kind)
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
    if not piece.large and not piece.value(0) and k.profile["large_folios.zero-filled"] == "zero-page":
        mm.table.put(vpn, vpn + 1, Leaf("zero", k.zero, 0, False, False))
        return
    k.account_mapped(piece, k.counting.map_ptes(piece, own, 1, mm))
    if exclusive >> page & 1:
        piece.set_exclusive(own)
    mm.table.put(vpn, vpn + 1, Leaf("pte", piece, own, entry.writable, entry.dirty))
    k.get(piece)
    mm.add_rss(piece, 1)


# --- collapsing ---


def collapse(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    """madvise_collapse: each aligned block of the range becomes one huge page."""
    size = mm.pmd_pages
    first_block, end_block = align_up(vma.first, size), align_down(vma.end, size)
    if vma.hugetlb or vma.flags & NOHUGEPAGE or first_block >= end_block:
        raise Errno("EINVAL")
    if vma.anonymous and not vma.anon_vma:
        raise Errno("EINVAL")
    first_block, end_block = align_up(first, size), align_down(end, size)
    failure = None
    if first_block > end_block and k.profile["collapse.no-block"] == "refused":
        failure = Errno("EINVAL")
    for block in range(first_block, end_block, size):
        try:
            if vma.anonymous:
                _collapse_anon(k, mm, vma, block)
            else:
                _collapse_shmem(k, mm, vma, block)
        except Errno as error:
            failure = error
    if failure:
        raise failure


def _collapse_anon(k: Kernel, mm: Mm, vma: Vma, block: Vpn) -> None:
    """collapse_huge_page: always a new folio and a copy, never in place."""
    end = block + mm.pmd_pages
    entry = mm.table.get(block)
    if isinstance(entry, Leaf) and entry.kind in ("pmd", "huge-zero"):
        return
    # check
    if mm.pmd_none(block):
        raise Errno("EINVAL")
    for vpn in range(block, end):
        entry = mm.table.get(vpn)
        if isinstance(entry, Swapped):
            swap.swap_in(k, mm, vma, vpn, entry, write=False)
    leaves = [run for run in mm.table.over(block, end) if isinstance(run.value, Leaf) and run.value.kind == "pte"]
    writable = any(isinstance(leaf, Leaf) and leaf.writable for _, _, leaf in leaves)
    if not writable and k.profile["collapse.read-only"] == "refused":
        raise Errno("EINVAL")
    for _, _, leaf in leaves:
        assert isinstance(leaf, Leaf)
        if leaf.folio.refcount != expected_references(k, leaf.folio):
            # rule: large_folios.collapse-references
            raise Errno("EAGAIN")

    # rule: large_folios.collapse, large_folios.collapse-shared, cow.collapse
    new = k.alloc(k.profile.pmd_order, "anon")
    for start, stop, leaf in leaves:
        assert isinstance(leaf, Leaf)
        old = leaf.folio
        for i, value in enumerate(fault.contents(leaf, 0, stop - start)):
            new.fill(start + i - block, start + i - block + 1, value)
        # count: this mm does not map the old page any more; others may.
        change = k.counting.unmap_ptes(old, leaf.page, stop - start, mm)
        # account
        k.account_unmapped(old, change)
        mm.add_rss(old, start - stop)
        swap.free_if_unmapped(k, old)
        k.put(old, stop - start)
    # map
    mm.table.clear(block, end)
    mm.empty_tables.discard(block)
    fault.map_new_anon(k, mm, vma, block, new, writable=vma.may_write, dirty=True)


def _collapse_shmem(k: Kernel, mm: Mm, vma: Vma, block: Vpn) -> None:
    """collapse_file: new page cache for everybody; here it is mapped at once (collapse_pte_mapped_thp)."""
    file = vma.file
    assert file is not None
    size = mm.pmd_pages
    index = vma.file_page(block)
    # check
    if not file.shmem or not vma.suits(block, k.profile.pmd_order) or index + size > file.pages:
        raise Errno("EINVAL")
    places = file.cache.over(index, index + size)
    if not any(place.folio.order == k.profile.pmd_order for _, _, place in places):
        for _, _, place in places:
            if place.folio.refcount != expected_references(k, place.folio):
                raise Errno("EAGAIN")
        # rule: large_folios.collapse-file
        new = k.alloc(k.profile.pmd_order, "shmem")
        new.dirty = True
        for _, _, place in places:
            for other, first, end, _ in mappings(k, place.folio):
                unmap.zap(k, other, first, end)
            files.remove_from_cache(k, place.folio)
        files.add_to_cache(k, file, index, new)
        k.put(new)
    for _, _, entry in mm.table.over(block, block + size):
        if isinstance(entry, Swapped) or entry.folio.anon:
            raise Errno("EINVAL")
    mapped = mm.table.get(block)
    if not isinstance(mapped, Leaf) or mapped.kind != "pmd":
        unmap.zap(k, mm, block, block + size)
        mm.empty_tables.discard(block)
        files.fault(k, mm, vma, block, write=False)
