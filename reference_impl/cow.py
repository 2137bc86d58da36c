# SPDX-License-Identifier: MIT
"""Chapter cow: a write to a page that is mapped read-only.  Copy it, or take it over?

Source: mm/memory.c (do_wp_page, wp_can_reuse_anon_folio, __wp_can_reuse_large_anon_folio, wp_page_copy,
wp_page_shared), mm/huge_memory.c (do_huge_pmd_wp_page, do_huge_zero_wp_pmd).
"""

from __future__ import annotations

from . import large_folios, pfnmap, swap
from .folio import Folio
from .kernel import Kernel
from .mm import Leaf, Mm, contents
from .rmap import map_new_anon
from .units import PageIndex, Vpn, align_down
from .vma import Vma


def write_fault(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, entry: Leaf, *, unshare: bool) -> None:
    """A present entry does not allow the write, or an unshare fault wants the page exclusive."""
    if entry.kind == "huge-zero":
        _write_huge_zero(k, mm, vma, vpn, unshare=unshare)
    elif vma.shared and entry.kind in ("raw", "raw-pmd"):
        pfnmap.write_fault(mm, vma, vpn, entry)
    elif entry.kind == "pmd":
        _write_pmd(k, mm, vma, vpn, entry, unshare=unshare)
    elif vma.shared:
        pfnmap.check_store(vma, vpn)
        entry.folio.dirty = True  # fault_dirty_shared_page
        _make_writable(mm, vma, vpn, vpn + 1)
    else:
        _write_private(k, mm, vma, vpn, entry, unshare=unshare)


def _write_private(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, entry: Leaf, *, unshare: bool) -> None:
    """do_wp_page in a private mapping."""
    folio = entry.folio
    if unshare and not folio.anon and k.profile["gup.unshare-file-pages"] == "no":
        return
    if folio.anon and entry.kind == "pte" and (folio.is_exclusive(entry.page) or can_reuse(k, folio)):
        # rule: cow.marked, cow.last-user
        _reuse(mm, vma, vpn, vpn + 1, folio, entry.page, unshare=unshare)
        return
    # rule: cow.shared, cow.file-page, cow.zero-page, cow.isolation
    _copy(k, mm, vma, vpn, entry, unshare=unshare)


def can_reuse(k: Kernel, folio: Folio) -> bool:
    """wp_can_reuse_anon_folio: the page has no marker; may this process have it all the same?

    Decided by references, never by the mapcount alone.
    """
    if not folio.large:
        return _can_reuse_small(k, folio)
    match k.profile["cow.large-reuse"]:
        # rule: cow.large-last-entry
        case "one-reference":
            return folio.swap is None and folio.refcount == 1
        # rule: cow.large-always-copied
        case "never":
            return False
        case _:
            return _can_reuse_large(k, folio)


def _can_reuse_small(k: Kernel, folio: Folio) -> bool:
    # rule: cow.ksm
    if folio.kind == "ksm":
        return False
    # rule: cow.extra-reference
    if folio.refcount > 1 + (folio.swap is not None):
        return False
    if folio.swap is not None:
        swap.free_swap(k, folio)
    return folio.refcount == 1


def _can_reuse_large(k: Kernel, folio: Folio) -> bool:
    """__wp_can_reuse_large_anon_folio.  With a single mapping it copies, so that the large folio gets free."""
    # rule: cow.large-one-left, cow.large-shared, cow.large-untracked
    if folio.large_mapcount <= 1 or folio.maybe_shared:
        return False
    if folio.swap is not None and not swap.free_swap(k, folio):
        return False
    # rule: cow.large-owner, cow.large-reference
    return folio.large_mapcount == folio.refcount


def _reuse(mm: Mm, vma: Vma, first: Vpn, end: Vpn, folio: Folio, page: PageIndex, *, unshare: bool) -> None:
    """wp_page_reuse: the page is marked as exclusive, and becomes writable unless this is an unshare fault."""
    # check: done.
    # count: nothing; the mappings stay as they are.
    # rule: cow.marker-return
    folio.set_exclusive(page)
    # map
    if not unshare:
        _make_writable(mm, vma, first, end)
    # account: nothing.


def _make_writable(mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    """maybe_mkwrite(pte_mkdirty()): in a shared mapping that is all there is, the page stays the same."""
    # rule: cow.shared-mapping
    for start, stop, entry in mm.table.over(first, end):
        assert isinstance(entry, Leaf)
        mm.table.put(start, stop, entry.mkdirty(writable=vma.may_write))


def _copy(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, entry: Leaf, *, unshare: bool) -> None:
    """wp_page_copy: a new page of order 0, whatever the old one was."""
    old = entry.folio
    new = k.alloc(0, "anon")
    new.fill(0, 1, contents(entry, 1)[0])

    # count, map, account: first the new page goes in, then the old one loses its mapping.
    writable = vma.may_write and not unshare
    map_new_anon(k, mm, vma, vpn, new, writable=writable, dirty=not unshare, soft_dirty=entry.soft_dirty)
    if entry.kind in ("zero", "raw"):
        # rule: cow.zero-page, pfnmap.private-write, mixedmap.private-write
        return  # count: nobody counted the zero page, or the raw entry.
    change = k.counting.unmap_ptes(old, entry.page, 1, mm)
    k.account_unmapped(old, change)
    mm.add_rss(old, -1)
    swap.free_if_unmapped(k, old)
    k.put(old)


def _write_pmd(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, entry: Leaf, *, unshare: bool) -> None:
    """do_huge_pmd_wp_page: take over the whole folio, or split the PMD.  Never copy 2 MiB."""
    folio = entry.folio
    start = align_down(vpn, folio.pages)
    # rule: cow.pmd-reuse
    if folio.anon and (folio.is_exclusive(0) or folio.refcount == 1):
        _reuse(mm, vma, start, start + folio.pages, folio, 0, unshare=unshare)
        return
    # The PTEs of an anonymous folio come here again; those of a file are gone and fault as if nothing was there.
    # rule: cow.pmd-copy, cow.shmem-huge
    large_folios.split_pmd(k, mm, start)
    after = mm.table.get(vpn)
    if isinstance(after, Leaf):
        write_fault(k, mm, vma, vpn, after, unshare=unshare)


def _write_huge_zero(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, *, unshare: bool) -> None:
    """A store where the huge zero page is mapped."""
    start = align_down(vpn, k.profile.pmd_pages)
    # rule: cow.huge-zero-folio, cow.huge-zero-split, large_folios.huge-zero-write
    if k.profile["cow.huge-zero"] == "new-huge-page":
        # count: nobody counted the huge zero page.
        folio = k.alloc(k.profile.pmd_order, "anon")
        map_new_anon(k, mm, vma, vpn, folio, writable=vma.may_write, dirty=True)
        return
    large_folios.split_pmd(k, mm, start)
    after = mm.table.get(vpn)
    assert isinstance(after, Leaf)
    write_fault(k, mm, vma, vpn, after, unshare=unshare)
