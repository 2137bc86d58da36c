# SPDX-License-Identifier: MIT
"""Chapter statistics: the fields of /proc/PID/smaps and smaps_rollup, as mapcounts decide them.

The kernel adds up PSS in bytes with 12 more bits (PSS_SHIFT), truncated for each page, and truncates the sum to kB.
`exact_pss` is the same sum without any loss.
Source: fs/proc/task_mmu.c (smap_gather_stats, smaps_pte_entry, smaps_pmd_entry, smaps_hugetlb_range, smaps_account,
smaps_page_accumulate, __show_smap).
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from . import fault, sharing
from .folio import Folio
from .kernel import Kernel
from .mm import UNCOUNTED, Leaf, Mm, Swapped
from .units import PageIndex, align_down
from .vma import LOCKED, PFNMAP, Vma

PSS_SHIFT = 12
FIELDS = (
    "Rss", "Pss", "Pss_Dirty", "Pss_Anon", "Pss_File", "Pss_Shmem", "Shared_Clean", "Shared_Dirty", "Private_Clean",
    "Private_Dirty", "Referenced", "Anonymous", "KSM", "LazyFree", "AnonHugePages", "ShmemPmdMapped",
    "FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb", "Swap", "SwapPss", "Locked",
)  # fmt: skip
"""In the order of __show_smap."""
SHARES = ("Pss", "Pss_Dirty", "Pss_Anon", "Pss_File", "Pss_Shmem", "SwapPss", "Locked")
"""Kept with PSS_SHIFT more bits than bytes, because a page may be divided."""
OF_ROLLUP = ("Pss_Anon", "Pss_File", "Pss_Shmem")


def smaps(k: Kernel, mm: Mm, vmas: list[Vma]) -> dict[str, int]:
    """What smaps prints of some VMAs, in kB, added up."""
    # rule: statistics.fields
    names = [name for name in _lines(k) if name not in OF_ROLLUP]
    total = dict.fromkeys(["Size", *names], 0)
    for vma in vmas:
        total["Size"] += (vma.end - vma.first) * k.profile.page_kb
        # rule: statistics.pss-rounding.  Each VMA is printed, and cut, for itself.
        for name, kilobytes in _printed(_gather(k, mm, vma)).items():
            if name in total:
                total[name] += kilobytes
    total["THPeligible"] = int(any(_thp_eligible(k, vma) for vma in vmas))
    return total


def _thp_eligible(k: Kernel, vma: Vma) -> bool:
    """thp_vma_allowable_orders: whether a fault in anonymous memory could allocate a large folio somewhere."""
    # rule: statistics.thp-eligible
    orders = fault.anonymous_orders(k, vma) if vma.anonymous and not vma.hugetlb else set()
    return any(vma.suits(align_down(vma.end - (1 << order), 1 << order), order) for order in orders)


def smaps_rollup(k: Kernel, mm: Mm) -> dict[str, int]:
    """What smaps_rollup prints, in kB."""
    total = dict.fromkeys(FIELDS, 0)
    for vma in mm.vmas:
        for name, size in _gather(k, mm, vma).items():
            total[name] += size
    # rule: statistics.rollup.  One cut for the whole process.
    printed = _printed(total)
    return {name: printed[name] for name in _lines(k)}


def _lines(k: Kernel) -> list[str]:
    return [name for name in FIELDS if name != "KSM" or k.profile["statistics.ksm-line"] == "yes"]


def _printed(sums: dict[str, int]) -> dict[str, int]:
    """Sums as they are printed, in kB: what is left over is dropped."""
    return {name: size >> (PSS_SHIFT + 10 if name in SHARES else 10) for name, size in sums.items()}


def exact_pss(k: Kernel, mm: Mm) -> Fraction:
    """The PSS of a process in pages, without hugetlb."""
    pages = Fraction(0)
    for first, end, entry in mm.table:
        if isinstance(entry, Leaf) and entry.kind in ("pte", "pmd"):
            for share in shares(k, entry.folio, entry.page, entry.page + end - first):
                pages += Fraction(share.end - share.first, share.mapcount)
    return pages


def _gather(k: Kernel, mm: Mm, vma: Vma) -> dict[str, int]:
    """smap_gather_stats: one VMA in bytes, SHARES in bytes with PSS_SHIFT more bits."""
    page_size = k.profile.page_kb << 10
    fields = dict.fromkeys(FIELDS, 0)
    # rule: pfnmap.private-smaps
    if vma.flags & PFNMAP and k.profile["pfnmap.smaps"] == "skipped":
        return fields
    for first, end, entry in mm.table.over(vma.first, vma.end):
        size = (end - first) * page_size
        if isinstance(entry, Swapped):
            # rule: statistics.swap
            fields["Swap"] += size
            for run in k.swap_counts.over_all(entry.slot, entry.slot + end - first):
                fields["SwapPss"] += (run.end - run.first) * ((page_size << PSS_SHIFT) // max(1, run.value))
        elif entry.kind in UNCOUNTED:
            pass  # rule: pfnmap.no-rss, statistics.zero-page.  vm_normal_page says that there is no page.
        elif entry.kind == "hugetlb":
            # rule: statistics.hugetlb
            shared = sharing.maybe_mapped_shared(k, entry.folio, 0)
            fields["Shared_Hugetlb" if shared else "Private_Hugetlb"] += size
        else:
            _account(k, fields, vma, entry, end - first, page_size)
    return fields


def _account(k: Kernel, fields: dict[str, int], vma: Vma, entry: Leaf, count: int, page_size: int) -> None:
    """smaps_account."""
    folio = entry.folio
    size = count * page_size
    dirty = entry.dirty or folio.dirty
    # rule: statistics.rss
    fields["Rss"] += size
    if entry.young:
        # rule: statistics.referenced
        fields["Referenced"] += size
    if folio.anon:
        # rule: statistics.anonymous
        fields["Anonymous"] += size
        if not folio.swapbacked and not dirty:
            # rule: statistics.lazyfree
            fields["LazyFree"] += size
    if folio.kind == "ksm":
        # rule: statistics.ksm
        fields["KSM"] += size
    if entry.kind == "pmd":
        # rule: large_folios.anon-huge-pages, statistics.pmd-fields
        name = "AnonHugePages" if folio.anon else "ShmemPmdMapped" if folio.kind == "shmem" else "FilePmdMapped"
        fields[name] += size
    bucket = "Pss_Anon" if folio.anon else "Pss_Shmem" if folio.kind == "shmem" else "Pss_File"
    for share in shares(k, folio, entry.page, entry.page + count):
        pages = share.end - share.first
        # rule: statistics.pss, statistics.pss-rounding
        pss = pages * ((page_size << PSS_SHIFT) // share.mapcount)
        if folio.refcount == 1:
            # rule: statistics.pmd-overflow.  All pages of the entry are shifted at once, in an unsigned long.
            pss %= 1 << k.profile.word_bits
        fields["Pss"] += pss
        # rule: statistics.pss-kinds
        fields[bucket] += pss
        if vma.flags & LOCKED:
            # rule: statistics.locked
            fields["Locked"] += pss
        if dirty:
            fields["Pss_Dirty"] += pss
        # rule: statistics.dirty, statistics.private-shared
        fields[f"{'Private' if share.private else 'Shared'}_{'Dirty' if dirty else 'Clean'}"] += pages * page_size


class Share(NamedTuple):
    """Pages [first, end) of a folio: by how much each is divided, and whether it counts as private."""

    first: PageIndex
    end: PageIndex
    mapcount: int
    private: bool


def shares(k: Kernel, folio: Folio, first: PageIndex, end: PageIndex) -> list[Share]:
    """How smaps counts some pages that are mapped."""
    # rule: statistics.one-reference
    if folio.refcount == 1:
        return [Share(first, end, 1, True)]
    # rule: statistics.pss-average, statistics.private-folio
    if k.profile["statistics.pss"] == "average":
        mapcount = max(1, k.counting.average_page_mapcount(folio))
        return [Share(first, end, mapcount, not sharing.maybe_mapped_shared(k, folio, first))]
    if not folio.large:
        return [Share(first, end, folio.mapcount, folio.mapcount == 1)]
    found = []
    for run in folio.page_mapcounts.over_all(first, end):
        mapcount = max(1, k.counting.page_mapcount(folio, run.first))
        found.append(Share(run.first, run.end, mapcount, mapcount == 1))
    return found
