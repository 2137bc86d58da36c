# SPDX-License-Identifier: MIT
"""What a page table holds, from what /proc tells about it."""

from __future__ import annotations

from conformance.implementations.linux import kernel
from conformance.implementations.linux.kernel import Page
from conformance.protocol import EntryKind


def by_scan(scanned: bytes, at: int, count: int, page_size: int, hugetlb: bool) -> list[EntryKind]:
    """From the runs of PAGEMAP_SCAN over the `count` pages at address `at`."""
    kinds: list[EntryKind] = ["none"] * count
    for start, end, categories in kernel.scan(scanned):
        first, last = (start - at) // page_size, (end - at) // page_size
        kinds[first:last] = [_kind(categories, hugetlb)] * (last - first)
    return kinds


def _kind(categories: int, hugetlb: bool) -> EntryKind:
    huge = bool(categories & kernel.PAGE_IS_HUGE)
    if categories & kernel.PAGE_IS_PFNZERO:
        return "huge-zero" if huge else "zero"
    if categories & kernel.PAGE_IS_PRESENT:
        return "hugetlb" if hugetlb else "pmd" if huge else "pte"
    return "swap" if categories & kernel.PAGE_IS_SWAPPED else "none"


def mixed(kind: EntryKind, page: Page) -> EntryKind:
    """An entry of a VM_MIXEDMAP mapping: a page that is neither a file's nor anonymous is none to vm_normal_page()."""
    if kind not in ("pte", "pmd") or page.pagemap & kernel.PM_FILE or page.flags & kernel.KPF_ANON:
        return kind
    return "raw" if kind == "pte" else "raw-pmd"


class Undecided(Exception):
    """An older kernel does not tell."""


def by_smaps(smaps: str, pages: list[Page], at: int, page_size: int, order: int, hugetlb: bool) -> list[EntryKind]:
    """From pagemap, kpageflags and smaps: for kernels before 6.7, and only with frame numbers.

    `pages` start at address `at`, which is a multiple of a PMD's range, 2**order pages.  Raises Undecided if a VMA
    has both kinds of blocks that a PMD may map: smaps only says how many there are.
    """
    kinds: list[EntryKind] = []
    block = page_size << order
    for first in range(0, len(pages), 1 << order):
        start = at + first * page_size
        mapped, possible = kernel.pmd_mapped(smaps, start, start + block, block)
        head = pages[first]
        for offset, page in enumerate(pages[first : first + (1 << order)]):
            candidate = head.present and head.frame % (1 << order) == 0 and page.frame == head.frame + offset
            if not page.present:
                kinds.append("swap" if page.pagemap & kernel.PM_SWAP else "none")
            elif page.flags & kernel.KPF_ZERO_PAGE:
                kinds.append("huge-zero" if page.flags & kernel.KPF_THP else "zero")
            elif hugetlb:
                kinds.append("hugetlb")
            elif mapped and candidate and mapped != possible:
                raise Undecided("before 6.7 a kernel does not tell which of several huge pages are mapped by PMDs")
            else:
                kinds.append("pmd" if mapped and candidate else "pte")
    return kinds
