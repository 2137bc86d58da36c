# SPDX-License-Identifier: MIT
"""The system calls on VMAs: mmap, munmap, mprotect, mremap, exit.

Source: mm/mmap.c, mm/vma.c (split_vma, vma_merge), mm/mprotect.c, mm/mremap.c.
"""

from __future__ import annotations

from contextlib import suppress

from . import fault, files, gup, ksm, large_folios, unmap
from .kernel import Kernel
from .mm import UNCOUNTED, Leaf, Mm, Region, Swapped
from .units import BadRequest, Errno, Order, PageCount, PageIndex, Signal, Unsupported, Vpn, align_down, align_up
from .vma import DONTDUMP, DONTEXPAND, HUGEPAGE, IO, LOCKED, PFNMAP, SPECIAL, UFFD_WP, UFFD_WP_ASYNC, Protection, Vma


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
    first, _ = mm.place(name, pages, skew)
    flags = HUGEPAGE if file_name is None and order and not hugetlb else 0
    mmap_region(mm, Vma(name, first, first + pages, protection, shared, file, offset, Order(order), hugetlb, flags))
    # account: nothing.


def mmap_region(mm: Mm, vma: Vma) -> None:
    """Put a new VMA where nothing is mapped.  It has no entries."""
    mm.insert(vma)


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
    k.log.check_mm(mm)


def mprotect(k: Kernel, mm: Mm, first: Vpn, end: Vpn, protection: Protection) -> None:
    """Change VMAs up to the first hole; a hole is ENOMEM."""
    while first < end:
        # check
        vma = mm.find(first)
        if vma is None:
            raise Errno("ENOMEM")
        stop = min(end, vma.end)
        if protection == "read-write" and vma.never_writable:
            raise Errno("EACCES")
        if vma.protection != protection:
            (vma,) = carve(k, mm, first, stop)
            # count: entries stay, so nothing.
            # map
            was_writable, vma.protection = vma.may_write, protection
            change_protection(k, mm, vma)
            if vma.flags & LOCKED and not vma.shared and vma.may_write and not was_writable:
                with suppress(Errno):  # mprotect_fixup: copies now what is locked, if it can
                    _populate(k, mm, first, stop, write=True)
            merge(mm, vma)
        # account: nothing.
        first = stop


def change_protection(k: Kernel, mm: Mm, vma: Vma) -> None:
    """change_protection: make the entries fit the VMA; upgrade what a write fault would not look at anyway."""
    for start, stop, entry in mm.table.over(vma.first, vma.end):
        if isinstance(entry, Swapped) or entry.kind in ("zero", "huge-zero"):
            continue
        if _in_batch(k, entry, stop - start):
            # rule: statistics.soft-dirty-again
            entry = entry._replace(soft_dirty=True)
            mm.table.put(start, stop, entry)
        not_noted = not vma.soft_dirty and not entry.soft_dirty  # pte_needs_soft_dirty_wp
        if not vma.may_write:
            mm.table.put(start, stop, entry._replace(writable=False))
        elif entry.kind in UNCOUNTED:
            # rule: pfnmap.mprotect
            # vm_page_prot: what a store finds read-only in a shared mapping faults once and becomes writable.
            mm.table.put(start, stop, entry._replace(writable=vma.shared))
        elif vma.shared:
            if not vma.wants_writenotify or (entry.dirty and entry.kind == "pte"):
                mm.table.put(start, stop, entry._replace(writable=True))
        elif not_noted:
            continue
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


def _in_batch(k: Kernel, entry: Leaf, pages: PageCount) -> bool:
    """modify_prot_start_ptes: the bits of several PTEs of a folio are put together with pte_mkdirty()."""
    batched = k.profile["mprotect.batch"] == "folio" and entry.kind == "pte" and entry.folio.large
    return batched and pages > 1 and entry.dirty


def mremap(k: Kernel, mm: Mm, first: Vpn, end: Vpn, name: str, skew: PageCount, how: str) -> None:
    """Move [first, end) to a new region of its own; the old place becomes a hole, or stays and is empty.

    how: move; dontunmap (MREMAP_DONTUNMAP); duplicate (an old length of 0: only the VMA is there twice); over (the new
    region is there, and its mapping goes).
    """
    # check
    vmas = mm.over(first, end)
    if not vmas or vmas[0].first > first:
        raise Errno("EFAULT")
    _check_mremap(vmas[0], how)
    if how == "duplicate":
        _duplicate(mm, vmas[0], first, end, name, skew)
        return
    if k.profile["mremap.several-vmas"] == "refused" and (len(vmas) > 1 or vmas[0].end < end):
        raise Errno("EFAULT")
    if vmas[0].hugetlb:
        if first % vma_granule(k, vmas[0]):
            raise Errno("EINVAL")
        end = align_up(end, vma_granule(k, vmas[0]))
    ksm.break_range(k, mm, first, end)
    old = carve(k, mm, first, end)
    region = _replaced(k, mm, name, end - first) if how == "over" else mm.place(name, end - first, skew)
    distance = region.first - first

    # rule: pfnmap.mremap-move, mixedmap.move
    # count: entries move with their counts; only a PMD that cannot move as it is becomes PTEs.
    # map
    for vma in old:
        moved = vma.copy()
        moved.region = name
        moved.first, moved.end = vma.first + distance, vma.end + distance
        mm.insert(moved)
    move_entries(k, mm, first, end, distance)
    if how in ("move", "over"):
        for vma in old:
            mm.remove(vma)
        free_tables(k, mm, first, end)
    # account: nothing, the process has as many pages as before.


def _replaced(k: Kernel, mm: Mm, name: str, pages: PageCount) -> Region:
    """mremap_to: what is mapped at the new place is unmapped first."""
    region = mm.regions.get(name)
    if region is None or region.pages != pages:
        raise BadRequest(f"{mm.name} has no region {name} of {pages} pages.")
    munmap(k, mm, region.first, region.first + pages)
    return region


def _check_mremap(vma: Vma, how: str) -> None:
    """vma_to_resize, check_prep_vma: what special VMAs refuse."""
    if how == "dontunmap" and vma.flags & (DONTEXPAND | PFNMAP):
        # rule: pfnmap.mremap-dontunmap
        raise Errno("EINVAL")
    if how == "duplicate":
        if not vma.shared:
            raise Errno("EINVAL")
        # rule: pfnmap.mremap-duplicate, mixedmap.duplicate
        if vma.flags & (DONTEXPAND | PFNMAP):
            raise Errno("EFAULT")
    if vma.driver is not None and vma.driver.refuses_move:
        raise Errno("EINVAL")


def _duplicate(mm: Mm, vma: Vma, first: Vpn, end: Vpn, name: str, skew: PageCount) -> None:
    """A second VMA of the same pages of the file, with nothing in it."""
    region = mm.place(name, end - first, skew)
    twin = vma.copy()
    twin.region, twin.offset = name, vma.file_page(first)
    twin.first, twin.end = region.first, region.first + end - first
    mm.insert(twin)


def grow(k: Kernel, mm: Mm, name: str, pages: PageCount) -> None:
    """mremap(2) of a whole region to more pages.  There is no room behind it, so it moves."""
    # check
    old = mm.regions.get(name)
    vma = mm.find(old.first) if old else None
    if old is None or vma is None or (vma.first, vma.end) != (old.first, old.first + old.pages):
        raise Errno("EFAULT")
    if vma.driver is not None and vma.driver.refuses_move:
        raise Errno("EFAULT" if vma.flags & DONTEXPAND else "EINVAL")
    # rule: pfnmap.mremap-grow, mixedmap.grow, driver_pages.interface-mremap
    if vma.flags & (DONTEXPAND | PFNMAP):
        raise Errno("EFAULT")
    # count: nothing; entries move with their counts, and the new pages have none.
    # map
    del mm.regions[name]
    region = mm.place(name, pages, 0)
    distance = region.first - vma.first
    moved = vma.copy()
    moved.first, moved.end = region.first, region.first + pages
    mm.insert(moved)
    move_entries(k, mm, vma.first, vma.end, distance)
    mm.remove(vma)
    free_tables(k, mm, vma.first, vma.end)
    # account: nothing.


def shrink(k: Kernel, mm: Mm, name: str, pages: PageCount) -> None:
    """mremap(2) of a whole region to fewer pages: those at its end are unmapped (shrink_vma)."""
    # rule: pfnmap.mremap-shrink
    old = mm.regions.get(name)
    if old is None or pages >= old.pages:
        raise BadRequest(f"{mm.name} has no region {name} of more than {pages} pages.")
    munmap(k, mm, old.first + pages, old.first + old.pages)
    mm.regions[name] = old._replace(pages=pages)


def mlock(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> None:
    """mlock(2): special VMAs are not locked, and populated all the same unless they are VM_IO or VM_PFNMAP."""
    until = first
    for vma in mm.over(first, end):
        if vma.first > until:
            break
        until = vma.end
        # rule: pfnmap.mlock, mixedmap.mlock, pfnmap.dontexpand
        if not vma.flags & (SPECIAL | LOCKED) and not vma.hugetlb:
            (locked,) = carve(k, mm, max(first, vma.first), min(end, vma.end))
            locked.flags |= LOCKED
    if until < end:
        raise Errno("ENOMEM")
    for vma in mm.over(first, end):
        if not vma.flags & (IO | PFNMAP):
            write = vma.may_write and not vma.shared
            _populate(k, mm, max(first, vma.first), min(end, vma.end), write=write)


def _populate(k: Kernel, mm: Mm, first: Vpn, end: Vpn, *, write: bool) -> None:
    """populate_vma_page_range: a raw entry is no error for who wants no page (follow_pfn_pte)."""
    for vpn in range(first, end):
        try:
            gup.populate(k, mm, vpn, write=write)
        except Errno as error:
            if error.args[0] != "EEXIST":
                # __mlock_posix_error_return
                raise Errno("EAGAIN" if error.args[0] == "ENOMEM" else "ENOMEM") from None


def copy_from_user(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> list[str]:
    """write(2) from the pages: the processor reads them through the page table, whatever the entries are."""
    # rule: pfnmap.copy-from-user
    try:
        return fault.load(k, mm, first, end)
    except Signal:
        raise Errno("EFAULT") from None


def core_dump(k: Kernel, mm: Mm) -> dict[str, PageCount]:
    """vma_dump_size with every bit of coredump_filter set: pages of each region that a core dump has."""
    pages: dict[str, PageCount] = dict.fromkeys(mm.regions, 0)
    for vma in mm.vmas:
        if _is_dumped(vma):
            pages[vma.region] += vma.end - vma.first
    exit_mm(k, mm)
    return pages


def _is_dumped(vma: Vma) -> bool:
    # rule: pfnmap.core-dump, mixedmap.core-dump
    if vma.driver is not None and vma.driver.named:
        return True
    if vma.flags & (DONTDUMP | IO):
        return False
    return not vma.anonymous or vma.anon_vma


def move_entries(k: Kernel, mm: Mm, first: Vpn, end: Vpn, distance: int) -> None:
    """move_page_tables: a PMD moves whole if source and target are aligned, else it is split."""
    size = k.profile.pmd_pages
    for start, _, entry in mm.table.over(first, end):
        # rule: large_folios.move-pmd, large_folios.move-part
        if isinstance(entry, Leaf) and entry.kind in ("pmd", "huge-zero", "raw-pmd") and distance % size:
            large_folios.split_pmd(k, mm, start)
    for start, stop, entry in mm.table.over(first, end):
        if isinstance(entry, Swapped) or entry.kind != "hugetlb":
            # rule: statistics.soft-dirty-again
            entry = entry._replace(soft_dirty=True)  # move_soft_dirty_pte
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
            # rule: driver_pages.interface-split
            if split.driver is not None and split.driver.refuses_split:
                raise Errno("EINVAL")
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
        and not left.flags & SPECIAL
        and left.driver == right.driver
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


def uffd_register(k: Kernel, mm: Mm, first: Vpn, end: Vpn, mode: str) -> None:
    """UFFDIO_REGISTER: vma_can_userfault.  Registered memory behaves as before here: nobody writes to the fd."""
    # rule: pfnmap.userfaultfd, driver_pages.interface-uffd
    if mode == "wp_async" and k.profile["userfaultfd.wp-async"] == "no":
        raise Errno("EINVAL")
    for vma in mm.over(first, end):
        if vma.flags & SPECIAL or (vma.driver is not None and mode != "wp_async"):
            raise Errno("EINVAL")
        if vma.never_writable:
            raise Errno("EPERM")
    # rule: statistics.scan-written
    if mode != "missing":
        for vma in carve(k, mm, first, end):
            vma.flags |= UFFD_WP | (UFFD_WP_ASYNC if mode == "wp_async" else 0)


def uffd_writeprotect(mm: Mm, first: Vpn, end: Vpn) -> None:
    """UFFDIO_WRITEPROTECT of entries that are there; in asynchronous mode the next store resolves its fault itself."""
    # rule: statistics.uffd-wp
    if not all(vma.flags & UFFD_WP_ASYNC for vma in mm.over(first, end)) or not mm.covers(first, end):
        raise Errno("ENOENT")
    for start, stop, entry in mm.table.over(first, end):
        if isinstance(entry, Leaf):
            fault.mark(mm, start, stop, uffd_wp=True)
