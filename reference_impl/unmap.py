# SPDX-License-Identifier: MIT
"""Taking entries away: zap, for munmap, exit and MADV_DONTNEED.

Source: mm/memory.c (zap_pte_range, zap_present_folio_ptes, zap_nonpresent_ptes), mm/huge_memory.c (zap_huge_pmd),
mm/hugetlb.c (__unmap_hugepage_range).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from . import large_folios, swap
from .folio import Folio
from .kernel import Kernel
from .mapcount import NOTHING
from .mm import LeafKind, Mm, Swapped, Table
from .units import PageCount, PageIndex, Vpn, align_down


class Batch(NamedTuple):
    """Neighbouring entries that map neighbouring pages of one folio, whatever their bits; never across a PMD."""

    vpn: Vpn
    pages: PageCount
    kind: LeafKind
    folio: Folio
    page: PageIndex
    dirty: bool


def batches(
    table: Table, first: Vpn, end: Vpn, pmd_pages: PageCount
) -> Iterator[Batch | tuple[Vpn, PageCount, Swapped]]:
    """folio_pte_batch: the entries of [first, end) in the portions in which they are handled."""
    pending: Batch | None = None
    for start, stop, entry in table.over(first, end):
        if isinstance(entry, Swapped):
            if pending:
                yield pending
                pending = None
            yield start, stop - start, entry
            continue
        kind, folio, page, dirty = entry.kind, entry.folio, entry.page, entry.dirty
        if kind != "pte":
            if pending:
                yield pending
                pending = None
            yield Batch(start, stop - start, kind, folio, page, dirty)
            continue
        while start < stop:
            count = min(stop, align_down(start, pmd_pages) + pmd_pages) - start
            if (
                pending
                and pending.folio is folio
                and pending.vpn + pending.pages == start
                and pending.page + pending.pages == page
                and start % pmd_pages
            ):
                pending = pending._replace(pages=pending.pages + count, dirty=pending.dirty or dirty)
            else:
                if pending:
                    yield pending
                pending = Batch(start, count, kind, folio, page, dirty)
            start += count
            page += count
    if pending:
        yield pending


def zap(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> None:
    """Take away all entries of [first, end)."""
    # check: an entry that only partly lies in the range is split first.  Nothing can refuse.
    # rule: large_folios.partial-unmap
    large_folios.split_pmd_around(k, mm, first)
    large_folios.split_pmd_around(k, mm, end)

    for batch in list(batches(mm.table, first, end, k.profile.pmd_pages)):
        if isinstance(batch, Batch):
            _zap_present(k, mm, batch)
        else:
            vpn, count, entry = batch
            # count: a swap entry has no mapcount.
            # map
            mm.clear_ptes(vpn, vpn + count)
            # account
            mm.swap_entries -= count
            swap.drop_entries(k, entry.slot, count)


def _counts_lost(k: Kernel, mm: Mm, vpn: Vpn) -> bool:
    """zap_huge_pmd: whether the VMA says that this PMD is raw, whatever it maps."""
    # rule: mixedmap.folio-pmd-leak
    vma = mm.find(vpn)
    return vma is not None and vma.special_huge and k.profile["mixedmap.folio-pmd-zap"] == "lost"


def _zap_present(k: Kernel, mm: Mm, batch: Batch) -> None:
    vpn, count, kind, folio, page, dirty = batch

    # rule: pfnmap.zap, lifetime.ends
    # count: a zero page and a raw entry are special, nobody counts them.
    change = NOTHING
    references = 0
    match kind:
        case "pte":
            change = k.counting.unmap_ptes(folio, page, count, mm)
            references = count
        case "pmd" if _counts_lost(k, mm, vpn):
            pass
        case "pmd":
            change = k.counting.unmap_pmd(folio, mm)
            references = 1
        case "hugetlb":
            k.counting.unmap_hugetlb(folio)
            references = 1

    # map
    if kind in ("pte", "zero", "raw"):
        mm.clear_ptes(vpn, vpn + count)
    else:
        mm.table.clear(vpn, vpn + count)
    # rule: driver_pages.dirty-carry, driver_pages.dirty-others
    if references and dirty and not folio.anon:
        folio.dirty = True

    # account
    if references:
        if kind != "hugetlb":
            k.account_unmapped(folio, change)
        mm.add_rss(folio, -count)
        swap.free_if_unmapped(k, folio)
        k.put(folio, references)
