# SPDX-License-Identifier: MIT
"""The system calls on VMAs: mmap, munmap, mprotect, mremap, exit.

Source: mm/mmap.c, mm/vma.c (split_vma, vma_merge), mm/mprotect.c, mm/mremap.c.
"""

from __future__ import annotations

from . import files, ksm, large_folios, unmap
from .kernel import Kernel
from .mm import Leaf, Mm, Region, Swapped
from .units import BadRequest, Errno, Order, PageCount, PageIndex, Unsupported, Vpn, align_down, align_up
from .vma import HUGEPAGE, Protection, Vma


def mmap(
    k: Kernel,
    mm: Mm,
    name: str,
    pages: PageCount,
    *,
    sharing: str,
    file_name: str | None,
    offset: PageIndex,
    order: int,
    hugetlb: bool,
    protection: Protection,
    skew: PageCount,
) -> None:
    """A new region with one VMA and no entries."""
    # check
    shared = sharing == "shared"
    file = None
    if file_name is not None:
        if file_name not in k.files:
            raise BadRequest(f"There is no file {file_name}.")
        file = k.files[file_name]
        order = file.order
        hugetlb = hugetlb or file.filesystem == "hugetlb"
    if hugetlb:
        # rule: large_folios.hugetlb-whole
        if any(number % (1 << k.profile.hugetlb_order) for number in (pages, offset, skew)):
            raise Errno("EINVAL")
        order = 0
    orders = k.profile.shmem_orders if shared else k.profile.orders
    if file is None and order not in orders:
        raise Unsupported("orders", f"{k.profile.name} has no folios of order {order} in such memory.")
    if file is None and shared:
        file = files.anonymous_file(k, pages, order, huge=hugetlb)

    # count: nothing is mapped yet.
    # map
    region = mm.place(name, pages, skew)
    flags = HUGEPAGE if file_name is None and order and not hugetlb else 0
    end = region.first + pages
    mm.insert(Vma(name, region.first, end, protection, shared, file, offset, Order(order), hugetlb, flags))
    # account: nothing.


def munmap(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> None:
    """Pages that are not mapped are no error."""
    # check
    vmas = carve(k, mm, first, end)
    # count, account: one VMA after the other, so that a folio in two of them goes in two portions.
    for vma in vmas:
        unmap.zap(k, mm, vma.first, vma.end)
    # map
    for vma in vmas:
        mm.remove(vma)
    free_tables(k, mm, first, end)


def exit_mm(k: Kernel, mm: Mm) -> None:
    """The last user of an address space goes (exit_mmap).  Its pipes and buffers stay, they are not memory."""
    # check: nothing can refuse.
    # count, map, account
    for vma in list(mm.vmas):
        unmap.zap(k, mm, vma.first, vma.end)
    del k.mms[mm.name]


def mprotect(k: Kernel, mm: Mm, first: Vpn, end: Vpn, protection: Protection) -> None:
    """Change VMAs up to the first hole; a hole is ENOMEM."""
    while first < end:
        # check
        vma = mm.find(first)
        if vma is None:
            raise Errno("ENOMEM")
        stop = min(end, vma.end)
        if vma.protection != protection:
            (vma,) = carve(k, mm, first, stop)
            # count: entries stay, so nothing.
            # map
            vma.protection = protection
            change_protection(k, mm, vma)
            merge(mm, vma)
        # account: nothing.
        first = stop


def change_protection(k: Kernel, mm: Mm, vma: Vma) -> None:
    """change_protection: make the entries fit the VMA; upgrade what a write fault would not look at anyway."""
    for start, stop, entry in mm.table.over(vma.first, vma.end):
        if isinstance(entry, Swapped) or entry.kind in ("zero", "huge-zero"):
            continue
        if not vma.may_write:
            mm.table.put(start, stop, entry._replace(writable=False))
        elif vma.shared:
            if not vma.wants_writenotify or (entry.dirty and entry.kind == "pte"):
                mm.table.put(start, stop, entry._replace(writable=True))
        elif entry.kind == "pmd":
            if k.profile["mprotect.pmd-writable"] == "exclusive" and entry.folio.is_exclusive(0):
                mm.table.put(start, stop, entry._replace(writable=True))
        elif entry.kind == "pte" and entry.folio.kind == "anon":
            if not entry.dirty and k.profile["mprotect.clean-writable"] == "no":
                continue
            for first, end, exclusive in entry.folio.by_marker(entry.page, stop - start):
                if exclusive:
                    vpn = start + first - entry.page
                    mm.table.put(vpn, vpn + end - first, entry._replace(page=first, writable=True))


def mremap(k: Kernel, mm: Mm, first: Vpn, end: Vpn, name: str, skew: PageCount) -> None:
    """Move [first, end) to a new region of its own."""
    # check
    vmas = mm.over(first, end)
    if not vmas or vmas[0].first > first:
        raise Errno("EFAULT")
    if k.profile["mremap.several-vmas"] == "refused" and (len(vmas) > 1 or vmas[0].end < end):
        raise Errno("EFAULT")
    if vmas[0].hugetlb:
        if first % vma_granule(k, vmas[0]):
            raise Errno("EINVAL")
        end = align_up(end, vma_granule(k, vmas[0]))
    ksm.break_range(k, mm, first, end)
    old = carve(k, mm, first, end)
    region = mm.place(name, end - first, skew)
    distance = region.first - first

    # count: entries move with their counts; only a PMD that cannot move as it is becomes PTEs.
    # map
    for vma in old:
        moved = vma.copy()
        moved.region = name
        moved.first, moved.end = vma.first + distance, vma.end + distance
        mm.insert(moved)
    move_entries(k, mm, first, end, distance)
    for vma in old:
        mm.remove(vma)
    free_tables(k, mm, first, end)
    # account: nothing, the process has as many pages as before.


def move_entries(k: Kernel, mm: Mm, first: Vpn, end: Vpn, distance: int) -> None:
    """move_page_tables: a PMD moves whole if source and target are aligned, else it is split."""
    size = k.profile.pmd_pages
    for start, _, entry in mm.table.over(first, end):
        # rule: large_folios.move-pmd, large_folios.move-part
        if isinstance(entry, Leaf) and entry.kind in ("pmd", "huge-zero") and distance % size:
            large_folios.split_pmd(k, mm, start)
    for start, stop, entry in mm.table.over(first, end):
        mm.table.clear(start, stop)
        mm.table.put(start + distance, stop + distance, entry)
    moved_tables = {block for block in mm.empty_tables if first <= block and block + size <= end}
    if distance % size == 0:
        mm.empty_tables |= {block + distance for block in moved_tables}


def vma_granule(k: Kernel, vma: Vma) -> PageCount:
    """The smallest number of pages into which a VMA can be divided."""
    return 1 << k.profile.hugetlb_order if vma.hugetlb else 1


def carve(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> list[Vma]:
    """Split VMAs so that [first, end) is whole VMAs, and return these."""
    for vma in mm.over(first, end):
        if (max(first, vma.first) - vma.first) % vma_granule(k, vma):
            raise Errno("EINVAL")
        if (min(end, vma.end) - vma.first) % vma_granule(k, vma):
            raise Errno("EINVAL")
    for border in (first, end):
        split = mm.find(border)
        if split is not None and split.first < border:
            # rule: large_folios.pmd-split-boundary
            large_folios.split_pmd_around(k, mm, border)
            right = split.copy()
            right.first = border
            right.offset = split.file_page(border)
            split.end = border
            mm.insert(right)
    return mm.over(first, end)


def merge(mm: Mm, vma: Vma) -> None:
    """vma_merge: neighbours of the same region with the same attributes become one."""
    before = mm.find(vma.first - 1)
    if before is not None and _mergeable(before, vma):
        mm.remove(vma)
        before.end = vma.end
        before.anon_vma |= vma.anon_vma
        vma = before
    after = mm.find(vma.end)
    if after is not None and _mergeable(vma, after):
        mm.remove(after)
        vma.end = after.end
        vma.anon_vma |= after.anon_vma


def _mergeable(left: Vma, right: Vma) -> bool:
    return (
        left.region == right.region
        and left.protection == right.protection
        and left.shared == right.shared
        and left.file is right.file
        and left.offset + right.first - left.first == right.offset
        and left.order == right.order
        and left.hugetlb == right.hugetlb
        and left.flags == right.flags
    )


def free_tables(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> None:
    """free_pgtables: page tables go with the last VMA of their block."""
    size = k.profile.pmd_pages
    for block in range(align_down(first, size), align_up(end, size), size):
        if block in mm.empty_tables and not mm.over(block, block + size):
            mm.empty_tables.discard(block)


def span(mm: Mm, name: str, first: PageIndex, count: PageCount) -> tuple[Vpn, Vpn]:
    """The pages of a region that a request means.

    Behind the end of a region there is always an unmapped page: what reaches further is cut there, and meets it.
    """
    region = mm.regions.get(name, Region(0, 0))
    end = region.first + region.pages
    return min(region.first + first, end), min(region.first + first + count, end + 1)
