# SPDX-License-Identifier: MIT
"""KSM: small anonymous pages with equal contents become one page that nobody may write to.

Source: mm/ksm.c (cmp_and_merge_page, try_to_merge_one_page, write_protect_page, replace_page, break_ksm).
"""

from __future__ import annotations

from . import cow, large_folios
from .folio import Folio
from .kernel import Kernel
from .mm import Leaf, Mm
from .rmap import mappings
from .units import Errno, Vpn
from .vma import MERGEABLE, Vma


def scan(k: Kernel) -> None:
    """Scan everything that is mergeable until nothing more merges.  use_zero_pages is off."""
    stable: dict[str, Folio] = {}
    unstable: dict[str, tuple[Mm, Vma, Vpn]] = {}
    for mm, _, vpn in _mergeable(k):
        leaf = _anon_leaf(mm, vpn)
        if leaf is not None and leaf.folio.kind == "ksm":
            stable[leaf.folio.value(0)] = leaf.folio
    for mm, vma, vpn in _mergeable(k):
        leaf = _anon_leaf(mm, vpn)
        if leaf is None or leaf.folio.kind == "ksm":
            continue
        value = leaf.folio.value(leaf.page)
        if value in stable:
            if stable[value].refcount:
                _merge(k, mm, vma, vpn, stable[value])
        elif value not in unstable:
            unstable[value] = (mm, vma, vpn)
        else:
            other_mm, other_vma, other_vpn = unstable[value]
            other = _anon_leaf(other_mm, other_vpn)
            if other is None or (other.folio is leaf.folio and other.page == leaf.page):
                continue  # the same page twice, by fork
            folio = _become_ksm(k, mm, vpn)
            if folio is not None:
                stable[value] = folio
                _merge(k, other_mm, other_vma, other_vpn, folio)
                # Others of the same contents that were skipped as the same page by now are in the stable tree.


def _mergeable(k: Kernel) -> list[tuple[Mm, Vma, Vpn]]:
    """Every page of every mergeable VMA, in the order of the scan."""
    found = []
    for mm in k.mms.values():
        for vma in mm.vmas:
            if vma.flags & MERGEABLE:
                for first, end, _ in mm.table.over(vma.first, vma.end):
                    found += [(mm, vma, vpn) for vpn in range(first, end)]
    return found


def _anon_leaf(mm: Mm, vpn: Vpn) -> Leaf | None:
    entry = mm.table.get(vpn)
    if isinstance(entry, Leaf) and entry.folio.anon and not entry.folio.hugetlb:
        return entry
    return None


def _prepare(k: Kernel, mm: Mm, vpn: Vpn) -> Leaf | None:
    """A large folio is split; then nobody but the mappings may have a reference (write_protect_page)."""
    leaf = _anon_leaf(mm, vpn)
    if leaf is not None and leaf.folio.large:
        try:
            large_folios.split_folio(k, leaf.folio, 0)
        except Errno:
            return None
        leaf = _anon_leaf(mm, vpn)
    if leaf is None:
        return None
    folio = leaf.folio
    if folio.refcount != folio.mapcount + (folio.swap is not None):
        return None
    return leaf


def _become_ksm(k: Kernel, mm: Mm, vpn: Vpn) -> Folio | None:
    """The page itself becomes the KSM page, in all its mappings."""
    # check
    leaf = _prepare(k, mm, vpn)
    if leaf is None:
        return None
    folio = leaf.folio
    # count: mappings stay; the marker goes, the page belongs to nobody now.
    folio.clear_exclusive(0)
    folio.kind = "ksm"
    folio.dirty = True
    # map
    for other, first, end, entry in mappings(k, folio):
        other.table.put(first, end, entry._replace(writable=False))
    # account: nothing.
    return folio


def _merge(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, folio: Folio) -> None:
    """replace_page: this entry maps the KSM page from now on."""
    # check
    leaf = _prepare(k, mm, vpn)
    if leaf is None or leaf.folio is folio:
        return
    old = leaf.folio
    # count
    change = k.counting.map_ptes(folio, 0, 1, mm)
    gone = k.counting.unmap_ptes(old, leaf.page, 1, mm)
    # map
    mm.table.put(vpn, vpn + 1, Leaf("pte", folio, 0, False, False))
    # account
    k.get(folio)
    k.account_mapped(folio, change)
    k.account_unmapped(old, gone)
    if not old.mapcount:
        old.clear_exclusive(0)
    k.put(old)


def break_range(k: Kernel, mm: Mm, first: Vpn, end: Vpn) -> None:
    """unmerge_ksm_pages: write faults give every page of a mergeable VMA its own copy back."""
    for vma in mm.over(first, end):
        if not vma.flags & MERGEABLE:
            continue
        for start, stop, entry in mm.table.over(max(first, vma.first), min(end, vma.end)):
            if isinstance(entry, Leaf) and entry.folio.kind == "ksm":
                for vpn in range(start, stop):
                    leaf = mm.table.get(vpn)
                    assert isinstance(leaf, Leaf)
                    cow.write_fault(k, mm, vma, vpn, leaf, unshare=True)
