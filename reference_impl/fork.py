# SPDX-License-Identifier: MIT
"""Chapter fork: which VMAs and which entries a child gets, and what that costs the parent.

Source: mm/mmap.c (dup_mmap), mm/memory.c (vma_needs_copy, copy_page_range, copy_present_ptes, copy_nonpresent_pte),
mm/huge_memory.c (copy_huge_pmd), mm/hugetlb.c (copy_hugetlb_page_range), include/linux/rmap.h
(__folio_try_dup_anon_rmap).
"""

from __future__ import annotations

from . import hugetlb, large_folios
from .folio import Folio
from .kernel import Kernel
from .mm import UNCOUNTED, Leaf, Mm, Swapped
from .rmap import map_new_anon
from .units import Errno, PageCount, Vpn
from .vma import DONTFORK, LOCKED, MIXEDMAP, PFNMAP, UFFD_WP, UFFD_WP_ASYNC, WIPEONFORK, Vma


def fork(k: Kernel, parent: Mm, child_name: str) -> Mm:
    """dup_mmap.  MMF_HAS_PINNED is not inherited.  Whatever goes wrong is ENOMEM."""
    if any(_cache_mode_unknown(k, parent, vma) for vma in parent.vmas):
        raise Errno("ENOMEM")
    child = k.new_mm(child_name)
    child.regions = dict(parent.regions)
    child.next_free = parent.next_free
    child.thp_disabled = parent.thp_disabled
    for vma in parent.vmas:
        # rule: fork.dontfork, driver_pages.dontcopy
        if vma.flags & DONTFORK:
            continue
        twin = vma.copy()
        twin.flags &= ~(LOCKED | UFFD_WP | UFFD_WP_ASYNC)
        child.insert(twin)
        # rule: fork.wipeonfork
        if vma.flags & WIPEONFORK:
            twin.anon_vma = False
        elif needs_copy(vma):
            _copy_page_range(k, parent, child, twin)
    return child


def _cache_mode_unknown(k: Kernel, parent: Mm, vma: Vma) -> bool:
    """track_pfn_copy: the cache mode of a tracked VMA is read from its first entry, which may be a copied page."""
    # rule: pfnmap.private-fork-first
    if not vma.tracked or vma.flags & DONTFORK or k.profile["pfnmap.fork-tracked"] == "kept":
        return False
    first = parent.table.get(vma.first)
    return not (isinstance(first, Leaf) and first.kind == "raw")


def needs_copy(vma: Vma) -> bool:
    """vma_needs_copy: without anonymous pages the child can fault everything in again; not so raw entries."""
    # rule: fork.with-anon-vma, fork.without-anon-vma, fork.shared-mapping, fork.empty
    # rule: pfnmap.fork, mixedmap.fork, driver_pages.fork-flags
    return vma.anon_vma or bool(vma.flags & (PFNMAP | MIXEDMAP))


def _copy_page_range(k: Kernel, parent: Mm, child: Mm, vma: Vma) -> None:
    """Copy the entries of one VMA."""
    child.empty_tables |= {block for block in parent.empty_tables if vma.first <= block < vma.end}
    for run in parent.table.over(vma.first, vma.end):
        vpn, end, entry = run
        if isinstance(entry, Swapped):
            _copy_swapped(k, parent, child, vpn, end, entry)
        elif entry.kind == "raw-pmd" and k.profile["pfnmap.pmd"] == "plain":
            pass  # The child faults it in again.
        elif entry.kind in UNCOUNTED:
            # rule: fork.zero-page, pfnmap.fork, pfnmap.private-fork
            # count: nothing, also here.
            child.table.put(vpn, end, entry)
        elif entry.kind == "hugetlb":
            hugetlb.copy_entry(k, parent, child, vma, vpn, entry)
        elif entry.kind == "pmd":
            _copy_pmd(k, parent, child, vma, vpn, entry)
        else:
            _copy_ptes(k, parent, child, vma, vpn, end - vpn, entry)


def _copy_ptes(k: Kernel, parent: Mm, child: Mm, vma: Vma, vpn: Vpn, count: PageCount, entry: Leaf) -> None:
    """copy_present_ptes: share the pages, except those that are exclusive and may be pinned."""
    folio, page = entry.folio, entry.page
    # check
    if folio.anon and folio.any_exclusive(page, count) and _maybe_pinned(k, parent, folio):
        for first, end, exclusive in folio.by_marker(page, count):
            # rule: fork.pinned, cow.pinned
            if exclusive:
                for i in range(first, end):
                    _copy_present_page(k, child, vma, vpn + i - page, entry._replace(page=i))
            else:
                _share_ptes(k, parent, child, vma, vpn + first - page, end - first, entry._replace(page=first))
    else:
        _share_ptes(k, parent, child, vma, vpn, count, entry)


def _maybe_pinned(k: Kernel, parent: Mm, folio: Folio) -> bool:
    """folio_try_dup_anon_rmap_pte is asked when fork has taken its reference, so that this one counts, too."""
    # rule: fork.references, pins.maybe-small
    k.get(folio)
    maybe_pinned = parent.needs_cow_for_dma(folio)
    k.put(folio)
    return maybe_pinned


def _share_ptes(k: Kernel, parent: Mm, child: Mm, vma: Vma, vpn: Vpn, count: PageCount, entry: Leaf) -> None:
    """Both sides map the pages, of a private mapping read-only, and neither owns them."""
    folio = entry.folio
    # count
    # rule: fork.shares, fork.counts, mapcount.fork
    k.counting.dup_ptes(folio, entry.page, count, child)
    if folio.anon:
        # rule: fork.marker-cleared
        folio.clear_exclusive(entry.page, count)
    # map
    # rule: fork.read-only
    shared = entry._replace(writable=entry.writable and not vma.cow)
    parent.table.put(vpn, vpn + count, shared)
    child.table.put(vpn, vpn + count, _for_child(shared, vma))
    # account: a second mapping changes no statistics of the system.
    # rule: fork.references
    k.get(folio, count)
    child.add_rss(folio, count)


def _for_child(entry: Leaf, vma: Vma) -> Leaf:
    """__copy_present_ptes: the child has not used it, and its userfaultfds are gone."""
    # rule: statistics.referenced, statistics.uffd-wp
    return entry._replace(dirty=entry.dirty and not vma.shared, young=False, uffd_wp=False)


def _copy_present_page(k: Kernel, child: Mm, vma: Vma, vpn: Vpn, entry: Leaf) -> None:
    """copy_present_page: the child gets its own page at once; the parent keeps entry, marker and pin."""
    copy = k.alloc(0, "anon")
    copy.fill(0, 1, entry.folio.value(entry.page))
    map_new_anon(k, child, vma, vpn, copy, writable=vma.may_write, dirty=True)


def _copy_pmd(k: Kernel, parent: Mm, child: Mm, vma: Vma, vpn: Vpn, entry: Leaf) -> None:
    """copy_huge_pmd."""
    folio = entry.folio
    # check
    if not folio.anon:
        # rule: fork.file-pmd
        return  # The child faults it in again.
    if parent.needs_cow_for_dma(folio) and folio.is_exclusive(0):
        # rule: fork.pinned-folio
        large_folios.split_pmd(k, parent, vpn)
        after = parent.table.get(vpn)
        assert isinstance(after, Leaf)
        _copy_ptes(k, parent, child, vma, vpn, folio.pages, after)
        return
    # count
    k.counting.dup_pmd(folio, child)
    folio.clear_exclusive(0)
    # map
    shared = entry._replace(writable=False)
    parent.table.put(vpn, vpn + folio.pages, shared)
    child.table.put(vpn, vpn + folio.pages, _for_child(shared, vma))
    # account
    k.get(folio)
    child.add_rss(folio, folio.pages)


def _copy_swapped(k: Kernel, parent: Mm, child: Mm, vpn: Vpn, end: Vpn, entry: Swapped) -> None:
    """copy_nonpresent_pte: the slot has one more user, and nobody has it exclusively."""
    # check: nothing can refuse.
    # count: a swap entry has no mapcount; the slot has a count of its own.
    # rule: fork.swap-entries
    k.swap_counts.add(entry.slot, entry.slot + end - vpn, 1)
    # map
    shared = entry._replace(exclusive=False)
    parent.table.put(vpn, end, shared)
    child.table.put(vpn, end, shared)
    # account
    child.swap_entries += end - vpn
