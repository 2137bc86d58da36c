# SPDX-License-Identifier: MIT
"""Files, their page cache, and faults on mappings of files.  Shared anonymous memory is a file of shmem.

Source: mm/filemap.c (filemap_fault, filemap_map_pages), mm/shmem.c, mm/memory.c (do_read_fault, do_cow_fault,
do_shared_fault, finish_fault, do_set_pmd).
"""

from __future__ import annotations

from . import hugetlb
from .folio import File, Folio, Place
from .kernel import Kernel
from .mm import Mm, mk_pte
from .rmap import map_new_anon
from .units import BadRequest, Order, PageCount, PageIndex, Signal, Unsupported, Vpn, align_down
from .vma import NOHUGEPAGE, Vma


def create(k: Kernel, name: str, pages: PageCount, filesystem: str, order: int) -> None:
    """A file of zeros, nothing of it in memory."""
    if name in k.files:
        raise BadRequest(f"There is a file {name} already.")
    if filesystem == "hugetlb":
        order = k.profile.hugetlb_order
    elif order not in k.profile.shmem_orders:
        raise Unsupported("shmem-huge", f"{k.profile.name} has no file folios of order {order}.")
    k.files[name] = File(name, filesystem, pages, order)


def anonymous_file(k: Kernel, pages: PageCount, order: int, *, huge: bool) -> File:
    """The file behind MAP_SHARED|MAP_ANONYMOUS (shmem_zero_setup, hugetlb_file_setup)."""
    if huge:
        order = k.profile.hugetlb_order
    return File(None, "hugetlb" if huge else "anonymous", pages, order)


def write(k: Kernel, file: File, first: PageIndex, count: PageCount, value: str) -> None:
    """write(2): the page cache changes, no entry does."""
    index, end = first, min(first + count, file.pages)
    while index < end:
        folio, page = find_or_fill(k, file, index)
        stop = min(end, index + folio.pages - page)
        folio.fill(page, page + stop - index, value)
        folio.dirty = True
        index = stop


def find_or_fill(k: Kernel, file: File, index: PageIndex) -> Place:
    """The page of the page cache for an index, read in if need be: one reference per page of the folio."""
    place = file.cache.get(index)
    if place is None and file.filesystem == "hugetlb":
        return hugetlb.add_page(k, file, index)
    if place is None:
        order = file.order
        while order and not _block_is_free(file, index, order):
            order = Order(order - 1 if order - 1 in k.profile.shmem_orders else 0)
        folio = k.alloc(order, "shmem" if file.shmem else "file")
        add_to_cache(k, file, align_down(index, folio.pages), folio)
        k.put(folio)
        place = Place(folio, index - folio.index)
    return place


def _block_is_free(file: File, index: PageIndex, order: int) -> bool:
    start = align_down(index, 1 << order)
    return start + (1 << order) <= file.pages and not file.cache.any(start, start + (1 << order))


def add_to_cache(k: Kernel, file: File, index: PageIndex, folio: Folio) -> None:
    """filemap_add_folio: one reference per page, and the contents come from the backing store."""
    folio.file, folio.index = file, index
    for start, end, value in file.backing.over(index, index + folio.pages):
        folio.fill(start - index, end - index, value)
    file.cache.put(index, index + folio.pages, Place(folio, 0))
    k.get(folio, folio.pages)


def remove_from_cache(k: Kernel, folio: Folio) -> None:
    """Write the folio back and drop it from the page cache (reclaim)."""
    file = folio.file
    assert file is not None
    end = folio.index + folio.pages
    file.backing.clear(folio.index, end)
    for start, stop, value in folio.contents:
        file.backing.put(folio.index + start, folio.index + stop, value)
    file.cache.clear(folio.index, end)
    k.put(folio, folio.pages)


def fault(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, *, write: bool) -> None:
    """A fault where nothing is mapped."""
    file = vma.file
    assert file is not None
    index = vma.file_page(vpn)
    if not write and _fault_around(k, mm, vma, vpn):
        return
    if index >= file.pages:
        raise Signal("SIGBUS")
    if not file.shmem and not file.cache.any(index, index + 1):
        # The fault waits for the disk and starts again, now with the page cache filled (VM_FAULT_RETRY).
        _read_ahead(k, file, index)
        if not write and _fault_around(k, mm, vma, vpn):
            return
    place = find_or_fill(k, file, index)
    if write and not vma.shared:
        cow_fault(k, mm, vma, vpn, place)
    else:
        _finish_fault(k, mm, vma, vpn, place, write=write)


def _read_ahead(k: Kernel, file: File, index: PageIndex) -> None:
    """do_sync_mmap_readahead: a window around the page comes into the page cache."""
    first = max(0, index - k.profile.read_ahead_pages // 2)
    for page in range(first, min(first + k.profile.read_ahead_pages, file.pages)):
        find_or_fill(k, file, page)


def cow_fault(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, place: Place) -> None:
    """do_cow_fault: a store into a private mapping gets its own copy at once; the file page is not mapped."""
    # check: nothing.
    # rule: cow.file-empty
    copy = k.alloc(0, "anon")
    copy.fill(0, 1, place.folio.value(place.page))
    # count, map, account
    map_new_anon(k, mm, vma, vpn, copy, writable=vma.may_write, dirty=True)


def _finish_fault(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, place: Place, *, write: bool) -> None:
    """finish_fault: a PMD if it fits, else PTEs: of the whole folio or of one page."""
    folio, page = place
    file = vma.file
    assert file is not None
    if write:
        folio.dirty = True  # fault_dirty_shared_page
    beyond = not file.shmem and file.pages < folio.index + folio.pages
    if not beyond and map_pmd(k, mm, vma, vpn, folio, write=write):
        return
    first, count = page, 1
    start = vpn - page
    whole = not beyond and _maps_whole_folio(k, vma) and _within(mm, vma, start, folio)
    if whole and not mm.table.any(start, start + folio.pages):
        first, count = 0, folio.pages
    map_pages(k, mm, vma, vpn - page + first, folio, first, count, write=write)


def _maps_whole_folio(k: Kernel, vma: Vma) -> bool:
    match k.profile["files.fault"]:
        case "whole-folio":
            return True
        case "whole-folio-of-unlinked-shmem":
            assert vma.file is not None
            return vma.file.shmem and vma.file.unlinked
        case _:
            return False


def _within(mm: Mm, vma: Vma, start: Vpn, folio: Folio) -> bool:
    """Whether all of a folio that begins at `start` lies in the VMA and in one page table."""
    end = start + folio.pages
    return vma.first <= start and end <= vma.end and end <= align_down(start, mm.pmd_pages) + mm.pmd_pages


def map_pmd(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, folio: Folio, *, write: bool) -> bool:
    """do_set_pmd: only where nothing is mapped, for a folio of exactly that size, in step with the VMA."""
    # check
    # rule: large_folios.file-pmd
    if folio.order != k.profile.pmd_order:
        return False
    if (vma.flags & NOHUGEPAGE or mm.thp_disabled) and k.profile["files.pmd-despite-nohugepage"] == "no":
        return False
    if not mm.pmd_none(vpn) or not vma.suits(vpn, folio.order):
        return False
    start = align_down(vpn, folio.pages)
    # count
    change = k.counting.map_pmd(folio, mm)
    # map
    writable = (write or _mapped_writable(vma)) and vma.may_write
    mm.table.put(start, start + folio.pages, mk_pte("pmd", folio, 0, writable=writable, dirty=write))
    # account
    k.get(folio)
    k.account_mapped(folio, change)
    mm.add_rss(folio, folio.pages)
    return True


def map_pages(
    k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, folio: Folio, first: PageIndex, count: PageCount, *, write: bool
) -> None:
    """set_pte_range: PTEs for `count` pages of a folio of a file."""
    # check: the entries are free, the caller has looked.
    # count
    change = k.counting.map_ptes(folio, first, count, mm)
    # map
    writable = vma.may_write and (write or _mapped_writable(vma))
    mm.table.put(vpn, vpn + count, mk_pte("pte", folio, first, writable=writable, dirty=write))
    # account
    k.get(folio, count)
    k.account_mapped(folio, change)
    mm.add_rss(folio, count)


def _mapped_writable(vma: Vma) -> bool:
    """Whether vm_page_prot is writable: then even a load maps so."""
    return vma.shared and vma.may_write and not vma.wants_writenotify


def _fault_around(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn) -> bool:
    """do_fault_around: a load maps what is in the page cache around it; True if that has the page itself."""
    file = vma.file
    assert file is not None
    window = k.profile.fault_around_pages
    first = max(align_down(vpn, window), vma.first)
    end = min(first + window, align_down(vpn, mm.pmd_pages) + mm.pmd_pages, vma.end)
    distance = first - vma.file_page(first)
    for number, run in enumerate(file.cache.over(first - distance, min(end - distance, file.pages))):
        folio, page = run.value
        start, stop = run.first + distance, run.end + distance
        fits_file = file.shmem or file.pages > folio.index + folio.pages
        if number == 0 and fits_file and map_pmd(k, mm, vma, vpn, folio, write=False):
            return True
        whole = folio.large and fits_file and k.profile["files.fault-around"] == "whole-folio"
        if whole and _within(mm, vma, start - page, folio):
            start, stop, page = start - page, start - page + folio.pages, 0
        _map_free(k, mm, vma, start, stop, folio, page)
    return mm.table.any(vpn, vpn + 1)


def _map_free(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn, folio: Folio, page: PageIndex) -> None:
    """Map those pages of [first, end) that have no entry."""
    mapped = mm.table.over(first, end)
    if not mapped:
        map_pages(k, mm, vma, first, folio, page, end - first, write=False)
        return
    vpn = first
    for run in [*mapped, None]:
        stop = run.first if run else end
        if vpn < stop:
            map_pages(k, mm, vma, vpn, folio, page + vpn - first, stop - vpn, write=False)
        if run:
            vpn = run.end
