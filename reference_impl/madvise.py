# SPDX-License-Identifier: MIT
"""madvise: advice that changes VMAs, and advice that acts on pages, most of it only on pages that are not shared.

Source: mm/madvise.c (madvise_behavior_valid, madvise_vma_behavior, madvise_free_pte_range,
madvise_cold_or_pageout_pte_range, madvise_populate).
"""

from __future__ import annotations

from collections.abc import Callable

from . import collapse, fault, files, gup, ksm, large_folios, mmap, sharing, swap, unmap
from .folio import Folio
from .kernel import Kernel
from .mm import UNCOUNTED, Leaf, Mm, Swapped
from .rmap import mappings
from .units import Errno, PageCount, Unsupported, Vpn, align_down
from .vma import (
    DONTDUMP,
    DONTFORK,
    HUGEPAGE,
    IO,
    LOCKED,
    MERGEABLE,
    NOHUGEPAGE,
    PFNMAP,
    SPECIAL,
    WIPEONFORK,
    Vma,
)  # fmt: skip


def madvise(k: Kernel, mm: Mm, first: Vpn, end: Vpn, advice: str) -> None:
    """Act on every VMA of the range.  A hole is ENOMEM, after everything else was done."""
    if advice in ("populate_read", "populate_write"):
        populate(k, mm, first, end, write=advice == "populate_write")
        return
    act = ADVICE[advice]
    for vma in mm.over(first, end):
        act(k, mm, vma, max(first, vma.first), min(end, vma.end))
    if not mm.covers(first, end):
        raise Errno("ENOMEM")


def populate(k: Kernel, mm: Mm, first: Vpn, end: Vpn, *, write: bool) -> None:
    """Fault everything in, as loads or stores would, without changing contents."""
    if k.profile["madvise.populate-holes"] == "passed-over":
        for vma in mm.over(first, end):
            _populate_all(k, mm, max(first, vma.first), min(end, vma.end), write=write)
        if not mm.covers(first, end):
            raise Errno("ENOMEM")
    else:
        _populate_all(k, mm, first, end, write=write)


def _populate_all(k: Kernel, mm: Mm, first: Vpn, end: Vpn, *, write: bool) -> None:
    vpn = first
    while vpn < end:
        vma = mm.find(vpn)
        if vma is None:
            raise Errno("ENOMEM")
        if vma.protection == "none" or (write and not vma.may_write):
            raise Errno("EINVAL")
        # rule: pfnmap.madvise
        if vma.flags & (IO | PFNMAP):
            raise Errno("EINVAL")
        try:
            gup.populate(k, mm, vpn, write=write)
        except Errno as error:
            if error.args[0] != "EEXIST":
                raise
        run = mm.table.run(vpn)
        assert run is not None
        vpn = min(run.end, vma.end)  # The entries of one run are alike.


# --- advice that is kept in the VMA ---


def _change_flags(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn, flags: int) -> None:
    # check: what the VMA has already does not even split it.
    if vma.flags == flags:
        return
    (vma,) = mmap.carve(k, mm, first, end)
    # count: nothing.
    # map
    vma.flags = flags
    mmap.merge(mm, vma)
    # account: nothing.


def _dontfork(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    _change_flags(k, mm, vma, first, end, vma.flags | DONTFORK)


def _dofork(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    # rule: pfnmap.madvise, mixedmap.madvise
    if vma.flags & (SPECIAL if k.profile["madvise.dofork"] == "special" else IO):
        raise Errno("EINVAL")
    _change_flags(k, mm, vma, first, end, vma.flags & ~DONTFORK)


def _wipeonfork(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    fileless = vma.anonymous or (vma.driver is not None and vma.driver.fileless)
    if vma.shared or not fileless or vma.hugetlb:
        raise Errno("EINVAL")
    _change_flags(k, mm, vma, first, end, vma.flags | WIPEONFORK)


def _keeponfork(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    _change_flags(k, mm, vma, first, end, vma.flags & ~WIPEONFORK)


def _hugepage(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    _change_flags(k, mm, vma, first, end, (vma.flags | HUGEPAGE) & ~NOHUGEPAGE)


def _nohugepage(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    _change_flags(k, mm, vma, first, end, (vma.flags | NOHUGEPAGE) & ~HUGEPAGE)


def _mergeable(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    """Shared and hugetlb memory is passed over without an error (ksm_madvise)."""
    if not vma.shared and not vma.hugetlb and not vma.flags & SPECIAL:
        _change_flags(k, mm, vma, first, end, vma.flags | MERGEABLE)


def _dontdump(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    _change_flags(k, mm, vma, first, end, vma.flags | DONTDUMP)


def _dodump(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    if vma.flags & SPECIAL:
        raise Errno("EINVAL")
    _change_flags(k, mm, vma, first, end, vma.flags & ~DONTDUMP)


def _nothing(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    """Advice about read-ahead: nothing that could be seen here."""


def _remove(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    """MADV_REMOVE: a hole in the file, for shared writable mappings; devices have no fallocate."""
    if vma.flags & LOCKED or vma.anonymous or (vma.driver is not None and vma.driver.fileless):
        raise Errno("EINVAL")
    if not vma.shared or vma.never_writable:
        raise Errno("EACCES")
    if vma.driver is not None:
        raise Errno("ENODEV")
    raise Unsupported("madv-remove", "The model punches no holes into files.")


def _guard(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    if vma.flags & SPECIAL or k.profile.version < (6, 18):
        raise Errno("EINVAL")
    raise Unsupported("guard-regions", "The model has no guard regions.")


def _unmergeable(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    ksm.break_range(k, mm, first, end)
    _change_flags(k, mm, vma, first, end, vma.flags & ~MERGEABLE)


def _collapse(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    if vma.driver is not None:
        raise Errno("EINVAL")
    collapse.collapse(k, mm, vma, first, end)


# --- advice that acts on pages ---


def _dontneed(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    """Unmap; whoever else maps the pages, or holds them, keeps them."""
    if vma.hugetlb:
        size = mmap.vma_granule(k, vma)
        if (first - vma.first) % size:
            raise Errno("EINVAL")
        end = first + align_down(end - first, size)
    # rule: pfnmap.madvise, pfnmap.private-discard, mixedmap.dontneed, driver_pages.interface-discard
    if vma.flags & (PFNMAP | LOCKED):
        raise Errno("EINVAL")
    unmap.zap(k, mm, first, end)
    if k.profile["madvise.dontneed-tables"] == "freed":
        mm.empty_tables -= {b for b in mm.empty_tables if first <= b and b + mm.pmd_pages <= end}


def _free(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    """MADV_FREE: pages that are not shared may be discarded until somebody writes to them again."""
    if not vma.anonymous or vma.hugetlb or vma.flags & LOCKED:
        raise Errno("EINVAL")
    for vpn, stop, entry in mm.table.over(first, end):
        if isinstance(entry, Swapped):
            unmap.zap(k, mm, vpn, stop)
    for vpn, count, folio in _private_portions(k, mm, first, end, cold=False):
        # check
        if folio.swap is not None and not swap.free_swap(k, folio):
            continue
        # count: nothing.
        # map: the entries become clean.
        for start, stop, leaf in mm.table.over(vpn, vpn + count):
            assert isinstance(leaf, Leaf)
            mm.table.put(start, stop, leaf._replace(dirty=False, young=False))
        # account: nothing changes in RSS.
        folio.dirty = False
        # rule: sharing.free-clean, sharing.advice-acts
        folio.swapbacked = False


def _cold(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    """MADV_COLD: entries become old, and large folios are split which the range covers in part."""
    if vma.hugetlb or vma.flags & (PFNMAP | LOCKED):
        raise Errno("EINVAL")
    for vpn, count, _ in _private_portions(k, mm, first, end, cold=True):
        # rule: statistics.referenced
        make_old(mm, vpn, vpn + count)


def make_old(mm: Mm, first: Vpn, end: Vpn) -> None:
    """Clear the accessed bits."""
    for start, _, entry in mm.table.over(first, end):
        if isinstance(entry, Leaf) and entry.young:
            fault.mark(mm, start, end, young=False)


def clear_soft_dirty(mm: Mm) -> None:
    """clear_refs 4: nothing that the process maps counts as written, and the next stores fault."""
    # rule: statistics.soft-dirty
    for vma in mm.vmas:
        vma.soft_dirty = False
        for start, stop, entry in mm.table.over(vma.first, vma.end):
            if isinstance(entry, Swapped):
                mm.table.put(start, stop, entry._replace(soft_dirty=False))
            elif entry.kind != "hugetlb" and not _is_pinned(mm, vma, entry):
                fault.mark(mm, start, stop, soft_dirty=False, writable=False)


def _is_pinned(mm: Mm, vma: Vma, entry: Leaf) -> bool:
    """pte_is_pinned: a PTE that must stay writable, so that it must go on counting as written."""
    # rule: pins.soft-dirty
    return entry.kind == "pte" and entry.writable and vma.cow and mm.needs_cow_for_dma(entry.folio)


def _pageout(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    """MADV_PAGEOUT: reclaim what nobody else maps."""
    if vma.hugetlb or vma.flags & (PFNMAP | LOCKED):
        raise Errno("EINVAL")
    for _, _, folio in _private_portions(k, mm, first, end, cold=True):
        if folio.anon:
            swap.swap_out(k, folio)
        else:
            _reclaim_file(k, folio)


def _reclaim_file(k: Kernel, folio: Folio) -> None:
    """Unmap a folio of the page cache and drop it, if nobody else has a reference."""
    for mm, first, end, _ in mappings(k, folio):
        unmap.zap(k, mm, first, end)
    if folio.refcount == folio.pages:
        files.remove_from_cache(k, folio)


def _private_portions(k: Kernel, mm: Mm, first: Vpn, end: Vpn, *, cold: bool) -> list[tuple[Vpn, PageCount, Folio]]:
    """The folios of the range that this process alone maps, whole; one that lies in it in part is split first.

    `cold` is the walk of MADV_COLD and MADV_PAGEOUT, otherwise it is that of MADV_FREE.
    """
    found = []
    vpn = first
    while vpn < end:
        entry = mm.table.get(vpn)
        block_end = min(end, align_down(vpn, mm.pmd_pages) + mm.pmd_pages)
        if not isinstance(entry, Leaf) or entry.kind in UNCOUNTED or _of_driver(mm, vpn, entry):
            run = mm.table.run(vpn)
            vpn = min(run.end, block_end) if run else vpn + 1
            continue
        folio = entry.folio
        count = block_end - vpn if entry.kind == "pmd" else _batch(mm, vpn, block_end, entry)
        if entry.kind == "pmd" and sharing.skips_pmd(k, folio, cold=cold):
            vpn = block_end
        elif count < folio.pages or sharing.splits_always(k, folio, entry.kind):
            # rule: sharing.advice-skips, large_folios.advice-part
            if sharing.skips_part(k, folio, entry.page, cold=cold):
                # 6.1 gives up on the rest of the page table here.
                vpn = block_end if k.profile["sharing.test"] == "page-mapcount" else vpn + count
                continue
            try:
                large_folios.split_folio(k, folio, 0)
            except Errno:
                vpn = block_end if k.profile["sharing.test"] == "page-mapcount" else vpn + count
        else:
            if (
                entry.kind == "pmd"
                or k.counting.folio_mapcount(folio) == folio.pages
                or (not cold and folio.swap is None and not folio.dirty)
            ):
                found.append((vpn, count, folio))
            vpn += count
    return found


def _of_driver(mm: Mm, vpn: Vpn, entry: Leaf) -> bool:
    """Pages of drivers are on no LRU list, or rmap does not find their mappings; private copies are like others."""
    vma = mm.find(vpn)
    return vma is not None and vma.driver is not None and not entry.folio.anon


def _batch(mm: Mm, vpn: Vpn, end: Vpn, entry: Leaf) -> PageCount:
    """How many entries from `vpn` on map the following pages of the same folio."""
    count = 0
    for first, stop, leaf in mm.table.over(vpn, min(end, vpn + entry.folio.pages - entry.page)):
        if not isinstance(leaf, Leaf) or leaf.folio is not entry.folio:
            break
        if first != vpn + count or leaf.page != entry.page + count:
            break
        count += stop - first
    return count


ADVICE: dict[str, Callable[[Kernel, Mm, Vma, Vpn, Vpn], None]] = {
    "dontneed": _dontneed,
    "free": _free,
    "cold": _cold,
    "pageout": _pageout,
    "hugepage": _hugepage,
    "nohugepage": _nohugepage,
    "collapse": _collapse,
    "dontfork": _dontfork,
    "dofork": _dofork,
    "wipeonfork": _wipeonfork,
    "keeponfork": _keeponfork,
    "mergeable": _mergeable,
    "unmergeable": _unmergeable,
    "dontdump": _dontdump,
    "dodump": _dodump,
    "normal": _nothing,
    "random": _nothing,
    "sequential": _nothing,
    "willneed": _nothing,
    "remove": _remove,
    "guard_install": _guard,
    "guard_remove": _guard,
}
