# SPDX-License-Identifier: MIT
"""The fields of /proc/PID/smaps that mapcounts decide.

The kernel adds up PSS in bytes with 12 more bits (PSS_SHIFT), truncated for each page, and truncates the sum to kB.
`exact_pss` is the same sum without any loss.
Source: fs/proc/task_mmu.c (smaps_account, smaps_pte_entry, smaps_pmd_entry, smaps_hugetlb_range).
"""

from __future__ import annotations

from fractions import Fraction

from . import sharing
from .folio import Folio
from .kernel import Kernel
from .mm import UNCOUNTED, Leaf, Mm, Swapped
from .units import PageIndex
from .vma import PFNMAP, Vma

PSS_SHIFT = 12
FIELDS = (
    "Rss", "Pss", "Private_Clean", "Private_Dirty", "Shared_Clean", "Shared_Dirty", "Anonymous",
    "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Private_Hugetlb", "Shared_Hugetlb", "Swap",
)  # fmt: skip


def smaps(k: Kernel, mm: Mm, vmas: list[Vma]) -> dict[str, int]:
    """The sums over some VMAs, in kB."""
    total = dict.fromkeys(FIELDS, 0)
    for vma in vmas:
        # rule: pfnmap.private-smaps
        if vma.flags & PFNMAP and k.profile["pfnmap.smaps"] == "skipped":
            continue
        for name, size in _vma_bytes(k, mm, vma).items():
            total[name] = total.get(name, 0) + (size >> (PSS_SHIFT + 10 if name == "Pss" else 10))
    return total


def exact_pss(k: Kernel, mm: Mm) -> Fraction:
    """The PSS of a process in pages, without hugetlb."""
    pages = Fraction(0)
    for first, end, entry in mm.table:
        if isinstance(entry, Leaf) and entry.kind in ("pte", "pmd"):
            for start, stop, mapcount, _ in mapped_by(k, entry.folio, entry.page, entry.page + end - first):
                pages += Fraction(stop - start, mapcount)
    return pages


def _vma_bytes(k: Kernel, mm: Mm, vma: Vma) -> dict[str, int]:
    """The fields of one VMA in bytes; Pss in bytes with PSS_SHIFT more bits."""
    page_size = k.profile.page_kb << 10
    fields = dict.fromkeys(FIELDS, 0)
    for first, end, entry in mm.table.over(vma.first, vma.end):
        size = (end - first) * page_size
        if isinstance(entry, Swapped):
            fields["Swap"] += size
        elif entry.kind in UNCOUNTED:
            pass  # rule: pfnmap.no-rss.  vm_normal_page says that there is no page.
        elif entry.kind == "hugetlb":
            shared = sharing.maybe_mapped_shared(k, entry.folio, 0)
            fields["Shared_Hugetlb" if shared else "Private_Hugetlb"] += size
        else:
            _account(k, fields, entry, end - first, page_size)
    return fields


def _account(k: Kernel, fields: dict[str, int], entry: Leaf, count: int, page_size: int) -> None:
    """smaps_account."""
    folio = entry.folio
    size = count * page_size
    fields["Rss"] += size
    if folio.anon:
        fields["Anonymous"] += size
    # rule: large_folios.anon-huge-pages
    if entry.kind == "pmd":
        name = "AnonHugePages" if folio.anon else "ShmemPmdMapped" if folio.kind == "shmem" else "FilePmdMapped"
        fields[name] += size
    dirty = "Dirty" if entry.dirty or folio.dirty else "Clean"
    for first, end, mapcount, private in mapped_by(k, folio, entry.page, entry.page + count):
        fields["Pss"] += (end - first) * ((page_size << PSS_SHIFT) // mapcount)
        fields[f"{'Private' if private else 'Shared'}_{dirty}"] += (end - first) * page_size


def mapped_by(
    k: Kernel, folio: Folio, first: PageIndex, end: PageIndex
) -> list[tuple[PageIndex, PageIndex, int, bool]]:
    """For runs of pages: by how much each is divided, and whether it counts as private."""
    if folio.refcount == 1:
        return [(first, end, 1, True)]
    if k.profile["statistics.pss"] == "average":
        mapcount = max(1, k.counting.average_page_mapcount(folio))
        return [(first, end, mapcount, not sharing.maybe_mapped_shared(k, folio, first))]
    if not folio.large:
        return [(first, end, folio.mapcount, folio.mapcount == 1)]
    found = []
    for run in folio.page_mapcounts.over_all(first, end):
        mapcount = max(1, k.counting.page_mapcount(folio, run.first))
        found.append((run.first, run.end, mapcount, mapcount == 1))
    return found
