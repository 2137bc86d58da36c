# SPDX-License-Identifier: MIT
"""Chapter large_folios, the way back: MADV_COLLAPSE makes huge pages of small ones.

Source: mm/khugepaged.c (madvise_collapse, collapse_huge_page, collapse_file).
"""

from __future__ import annotations

from . import files, swap, unmap
from .kernel import Kernel
from .mm import Leaf, Mm, Swapped, contents
from .rmap import expected_references, map_new_anon, mappings
from .units import Errno, Vpn, align_down, align_up
from .vma import NOHUGEPAGE, Vma


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
        for i, value in enumerate(contents(leaf, stop - start)):
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
    map_new_anon(k, mm, vma, block, new, writable=vma.may_write, dirty=True)


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
