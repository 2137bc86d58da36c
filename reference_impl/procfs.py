# SPDX-License-Identifier: MIT
"""What the other files of /proc say of mapped pages: pagemap, PAGEMAP_SCAN, mincore, kpagecount, kpageflags, numa_maps,
status and statm.

Source: fs/proc/task_mmu.c (pte_to_pagemap_entry, pagemap_page_category, gather_stats, task_mem, task_statm);
fs/proc/page.c (kpagecount_read, stable_page_flags); mm/mincore.c.
"""

from __future__ import annotations

from typing import Any

from . import queries
from .folio import Folio
from .kernel import Kernel
from .mm import UNCOUNTED, Entry, Leaf, Mm, Swapped
from .queries import special
from .units import Errno, PageCount, Pfn, Vpn
from .vma import LOCKED, PFNMAP, UFFD_WP, UFFD_WP_ASYNC, Vma


def pagemap(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> list[list[str]]:
    """Bits 63, 62, 61 and 56 of /proc/PID/pagemap."""
    bits: list[list[str]] = [[] for _ in range(first, end)]
    for start, stop, entry in mm.table.over(first, end):
        for vpn in range(start, stop):
            vma = mm.find(vpn)
            # rule: pfnmap.pagemap, pfnmap.private-hidden, mixedmap.both-flags
            if vma is not None and not vma.flags & PFNMAP:
                bits[vpn - first] = _pagemap(k, mm.table.at(entry, vpn - start))
    return bits


def _pagemap(k: Kernel, entry: Entry) -> list[str]:
    """pte_to_pagemap_entry."""
    if isinstance(entry, Swapped):
        return ["swapped"]
    found = ["present"]
    if entry.kind == "huge-zero" and k.profile["pagemap.huge-zero"] == "file":
        found.append("file")
    # rule: mixedmap.counted, mixedmap.mixed-raw
    if not special(entry):
        if not entry.folio.anon:
            found.append("file")
        if queries.mapped_exclusively(k, entry, entry.page):
            found.append("exclusive")
    return found


def pagemap_marks(mm: Mm, first: Vpn, end: Vpn) -> list[list[str]]:
    """Bits 55 and 57 of /proc/PID/pagemap."""
    marks: list[list[str]] = []
    for vpn in range(first, end):
        vma, entry = mm.find(vpn), mm.table.get(vpn)
        found = []
        if vma is not None and (vma.soft_dirty or (entry is not None and entry.soft_dirty)):
            found.append("soft-dirty")
        if isinstance(entry, Leaf) and entry.uffd_wp:
            found.append("uffd-wp")
        marks.append(found)
    return marks


def mincore(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> list[bool]:
    """mincore(2): entries, and the page cache where there are none."""
    return [_mincore(k, mm, vpn) for vpn in range(first, end)]


def _mincore(k: Kernel, mm: Mm, vpn: Vpn) -> bool:
    vma = mm.find(vpn)
    if vma is None:
        raise Errno("ENOMEM")
    # rule: pfnmap.mincore, mixedmap.mincore
    if vma.driver is not None and vma.driver.fileless:
        return True  # can_do_mincore: the caller is not to know.
    if mm.table.any(vpn, vpn + 1) and not (vma.flags & PFNMAP and k.profile["pfnmap.mincore"] == "page-cache"):
        entry = mm.table.get(vpn)
        return not isinstance(entry, Swapped) or k.swap_cache.get(entry.slot) is not None
    return vma.file is not None and vma.file.cache.any(vma.file_page(vpn), vma.file_page(vpn) + 1)


def rss(mm: Mm, first: Vpn, end: Vpn) -> dict[str, int]:
    """What is in RssAnon, RssFile and RssShmem of a process, in pages, less the entries outside of [first, end).

    The counters are asked, not the entries: they can be wrong, see mixedmap.folio-pmd-leak.
    """
    pages = {"anon": mm.anon_pages, "file": mm.file_pages, "shmem": mm.shmem_pages}
    for start, stop, entry in mm.table:
        outside = stop <= first or start >= end
        if outside and isinstance(entry, Leaf) and not special(entry) and not entry.folio.hugetlb:
            kind = "anon" if entry.folio.anon else "shmem" if entry.folio.kind == "shmem" else "file"
            pages[kind] -= stop - start
    return pages


def pagemap_scan(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> list[list[str]]:
    """PAGEMAP_SCAN: the categories of each page, without soft-dirty.  VM_PFNMAP mappings are passed over."""
    found: list[list[str]] = []
    for vpn in range(first, end):
        vma = mm.find(vpn)
        if vma is None or vma.flags & PFNMAP:
            found.append([])
        else:
            found.append(_categories(k, mm, vma, vpn))
    return found


def _categories(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn) -> list[str]:
    """pagemap_page_category, pagemap_thp_category, pagemap_hugetlb_category."""
    entry = mm.table.get(vpn)
    found = ["wpallowed"] if vma.flags & UFFD_WP_ASYNC else []
    # rule: statistics.scan-written
    if isinstance(entry, Leaf) and entry.uffd_wp:
        written = False
    elif k.profile["statistics.scan-written"] == "registered":
        written = bool(vma.flags & UFFD_WP) and not (entry is None and vma.hugetlb)
    else:
        written = entry is not None or (
            k.profile["statistics.scan-written"] == "empty-too" and not mm.pmd_none(vpn) and not vma.hugetlb
        )
    if written:
        found.append("written")
    if entry is None:
        return found
    if isinstance(entry, Swapped):
        return [*found, "swapped"]
    if not special(entry) and not entry.folio.anon:
        found.append("file")
    found.append("present")
    if entry.folio.kind in ("zero", "huge-zero"):
        found.append("pfnzero")
    if entry.kind in ("pmd", "huge-zero", "hugetlb", "raw-pmd"):
        found.append("huge")
    return found


def kpage(k: Kernel, pfn: int) -> dict[str, Any]:
    """kpagecount and kpageflags of one page frame, whoever maps it."""
    folio = _folio_at(k, Pfn(pfn))
    if folio is None:
        return {"count": 0, "flags": []}
    zero = folio.kind in ("zero", "huge-zero")
    # rule: statistics.kpageflags
    flags = [] if zero or not k.counting.folio_mapcount(folio) else ["mmap"]
    if folio.large:
        flags.append("compound_head" if pfn == folio.pfn else "compound_tail")
        if not folio.hugetlb and folio.kind != "driver":
            flags.append("thp")
    return {"count": 0 if zero else _kpagecount(k, folio, pfn - folio.pfn), "flags": flags}


def _kpagecount(k: Kernel, folio: Folio, page: int) -> int:
    # rule: statistics.kpagecount
    if k.profile["statistics.pss"] == "average":
        return k.counting.average_page_mapcount(folio)
    return k.counting.page_mapcount(folio, page)


def _folio_at(k: Kernel, pfn: Pfn) -> Folio | None:
    every = (k.zero, k.huge_zero, *k.folios.values())
    return next((folio for folio in every if folio.pfn <= pfn < folio.pfn + folio.pages), None)


def numa_maps(k: Kernel, mm: Mm, vma: Vma) -> dict[str, PageCount]:
    """The counts of a line of numa_maps, as they are printed: one that is not printed is not here."""
    total = {"anon": 0, "dirty": 0, "mapped": 0, "mapmax": 0}
    if not (vma.flags & PFNMAP and k.profile["pfnmap.smaps"] == "skipped"):
        for first, end, entry in mm.table.over(vma.first, vma.end):
            if isinstance(entry, Leaf) and entry.kind not in UNCOUNTED:
                _gather(k, total, entry, 1 if entry.kind == "hugetlb" else end - first)
    # rule: statistics.numa-maps
    if total["mapped"] in (total["anon"], total["dirty"]):
        total["mapped"] = 0
    if total["mapmax"] <= 1:
        total["mapmax"] = 0
    return {name: count for name, count in total.items() if count}


def _gather(k: Kernel, total: dict[str, PageCount], entry: Leaf, count: PageCount) -> None:
    """gather_stats."""
    folio = entry.folio
    total["mapped"] += count
    if entry.dirty or folio.dirty:
        total["dirty"] += count
    if folio.anon:
        total["anon"] += count
    pages = range(entry.page, entry.page + count) if entry.kind == "pte" else [0]
    total["mapmax"] = max(total["mapmax"], *(_kpagecount(k, folio, page) for page in pages))


def status(k: Kernel, mm: Mm) -> dict[str, int]:
    """Lines of /proc/PID/status, in kB."""
    hugetlb = sum(end - first for first, end, entry in mm.table if isinstance(entry, Leaf) and entry.kind == "hugetlb")
    pages = {
        "VmLck": sum(vma.end - vma.first for vma in mm.vmas if vma.flags & LOCKED),
        "VmRSS": mm.anon_pages + mm.file_pages + mm.shmem_pages,
        "RssAnon": mm.anon_pages,
        "RssFile": mm.file_pages,
        "RssShmem": mm.shmem_pages,
        "VmSwap": mm.swap_entries,
        "HugetlbPages": hugetlb,
    }
    # rule: statistics.status
    return {name: count * k.profile.page_kb for name, count in pages.items()}


def statm(k: Kernel, mm: Mm) -> dict[str, PageCount]:
    """The first three numbers of /proc/PID/statm, in pages."""
    # rule: statistics.statm
    return {
        "size": sum(vma.end - vma.first for vma in mm.vmas),
        "resident": mm.anon_pages + mm.file_pages + mm.shmem_pages,
        "shared": mm.file_pages + mm.shmem_pages,
    }
