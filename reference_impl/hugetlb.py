# SPDX-License-Identifier: MIT
"""hugetlb: huge pages with rules of their own.  One entry, one mapping, no owner slots, no statistics.

Private pages are anonymous; shared ones are in the page cache of a hugetlbfs file.  The pool is never empty.
Source: mm/hugetlb.c (hugetlb_fault, hugetlb_no_page, hugetlb_wp, copy_hugetlb_page_range).
"""

from __future__ import annotations

from .folio import File, Place
from .kernel import Kernel
from .mm import Entry, Leaf, Mm, mk_pte
from .units import PageIndex, Signal, Vpn, align_down
from .vma import Vma


def fault(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, entry: Entry | None, *, write: bool, unshare: bool) -> None:
    """hugetlb_fault."""
    size = 1 << k.profile.hugetlb_order
    start = vma.first + align_down(vpn - vma.first, size)
    if isinstance(entry, Leaf):
        _write(k, mm, vma, start, unshare=unshare)
    elif vma.shared or (vma.file is not None and vma.file.cache.any(vma.file_page(start), vma.file_page(start) + 1)):
        _map_cached(k, mm, vma, start, write=write)
    else:
        _map_new(k, mm, vma, start, write=write)


def _map_new(k: Kernel, mm: Mm, vma: Vma, start: Vpn, *, write: bool) -> None:
    """hugetlb_no_page, private: even a load gets a page of its own."""
    # check: the pool is never empty.
    folio = k.alloc(k.profile.hugetlb_order, "hugetlb")
    # count
    k.counting.map_hugetlb(folio)
    folio.set_exclusive(0)
    # map
    vma.anon_vma = True
    writable = write and vma.may_write
    mm.table.put(start, start + folio.pages, mk_pte("hugetlb", folio, 0, writable=writable, dirty=write))
    # account: the allocation's reference becomes that of the entry; hugetlb is in no statistics.


def _map_cached(k: Kernel, mm: Mm, vma: Vma, start: Vpn, *, write: bool) -> None:
    """hugetlb_no_page: the page of the page cache; a private mapping gets it read-only, if it is there."""
    file = vma.file
    assert file is not None
    index = vma.file_page(start)
    # check
    if index >= file.pages:
        raise Signal("SIGBUS")
    folio = add_page(k, file, index).folio
    # count
    k.counting.map_hugetlb(folio)
    # map
    writable = vma.shared and vma.may_write
    mm.table.put(start, start + folio.pages, mk_pte("hugetlb", folio, 0, writable=writable, dirty=writable and write))
    # account
    k.get(folio)


def add_page(k: Kernel, file: File, index: PageIndex) -> Place:
    """hugetlb_add_to_page_cache: the page of the page cache for an index, allocated if need be."""
    place = file.cache.get(index)
    if place is None:
        folio = k.alloc(k.profile.hugetlb_order, "hugetlb")
        folio.file, folio.index = file, align_down(index, folio.pages)
        file.cache.put(folio.index, folio.index + folio.pages, Place(folio, 0))
        k.get(folio, cache_references(k, folio.pages))
        k.put(folio)
        place = Place(folio, index - folio.index)
    return place


def cache_references(k: Kernel, pages: int) -> int:
    """How many references the page cache has of a hugetlb folio."""
    return 1 if k.profile["hugetlb.cache-references"] == "one" else pages


def _write(k: Kernel, mm: Mm, vma: Vma, start: Vpn, *, unshare: bool) -> None:
    """hugetlb_wp: the mapcount decides, whatever references there are."""
    entry = mm.table.get(start)
    assert isinstance(entry, Leaf)
    old = entry.folio
    end = start + old.pages
    # check
    # rule: cow.hugetlb-reuse, cow.hugetlb-leak
    if vma.shared or (old.anon and k.counting.folio_mapcount(old) == 1):
        # count: nothing.
        if old.anon:
            old.set_exclusive(0)
        # map
        if not unshare:
            mm.table.put(start, end, entry.mkdirty(writable=vma.may_write))
        # account: nothing.
        return
    # rule: cow.hugetlb-copy
    new = k.alloc(old.order, "hugetlb")
    for first, stop, value in old.contents:
        new.fill(first, stop, value)
    # count
    k.counting.unmap_hugetlb(old)
    k.counting.map_hugetlb(new)
    new.set_exclusive(0)
    # map
    vma.anon_vma = True
    mm.table.put(start, end, mk_pte("hugetlb", new, 0, writable=vma.may_write and not unshare, dirty=not unshare))
    # account
    k.put(old)


def copy_entry(k: Kernel, parent: Mm, child: Mm, vma: Vma, vpn: Vpn, entry: Leaf) -> None:
    """copy_hugetlb_page_range, one entry."""
    folio = entry.folio
    end = vpn + folio.pages
    # check
    if folio.anon and folio.is_exclusive(0) and parent.needs_cow_for_dma(folio):
        copy = k.alloc(folio.order, "hugetlb")
        for first, stop, value in folio.contents:
            copy.fill(first, stop, value)
        k.counting.map_hugetlb(copy)
        copy.set_exclusive(0)
        child.table.put(vpn, end, mk_pte("hugetlb", copy, 0, writable=vma.may_write, dirty=True))
        return
    # count
    k.counting.map_hugetlb(folio)
    if folio.anon:
        folio.clear_exclusive(0)
    # map
    shared = entry._replace(writable=False)
    parent.table.put(vpn, end, shared)
    child.table.put(vpn, end, shared)
    # account
    k.get(folio)
