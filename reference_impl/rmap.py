# SPDX-License-Identifier: MIT
"""Between folios and page tables: map a new folio, find the mappings of one, know its references.

Source: mm/rmap.c (folio_add_new_anon_rmap, rmap_walk), mm/memory.c (map_anon_folio_pte_nopf), mm/huge_memory.c
(map_anon_folio_pmd_nopf), include/linux/mm.h (folio_expected_ref_count).
"""

from __future__ import annotations

from .folio import Folio
from .kernel import Kernel
from .mm import UNCOUNTED, Leaf, Mm, mk_pte
from .units import Vpn, align_down
from .vma import Vma


def map_new_anon(
    k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, folio: Folio, *, writable: bool, dirty: bool, soft_dirty: bool = False
) -> None:
    """Map all of a new anonymous folio at the aligned block around `vpn`: by a PMD if it is that large."""
    start = align_down(vpn, folio.pages)
    by_pmd = folio.order == k.profile.pmd_order

    # count: the folio was unmapped, so this is what folio_add_new_anon_rmap sets.
    # rule: cow.marker-new
    if by_pmd:
        change = k.counting.map_pmd(folio, mm)
        folio.set_exclusive(0)
    else:
        change = k.counting.map_ptes(folio, 0, folio.pages, mm)
        folio.set_exclusive(0, folio.pages)

    # map
    vma.anon_vma = True
    entry = mk_pte("pmd" if by_pmd else "pte", folio, 0, writable=writable, dirty=dirty)
    mm.table.put(start, start + folio.pages, entry._replace(soft_dirty=dirty or soft_dirty))

    # account: the reference of the allocation becomes that of the first entry.
    k.get(folio, 0 if by_pmd else folio.pages - 1)
    k.account_mapped(folio, change)
    mm.add_rss(folio, folio.pages)


def mappings(k: Kernel, folio: Folio) -> list[tuple[Mm, Vpn, Vpn, Leaf]]:
    """rmap_walk: every run of entries that maps pages of the folio, with the first page that it maps."""
    found = []
    for mm in k.mms.values():
        for first, end, entry in mm.table:
            if isinstance(entry, Leaf) and entry.folio is folio and entry.kind not in UNCOUNTED:
                found.append((mm, first, end, entry))
    return found


def expected_references(k: Kernel, folio: Folio) -> int:
    """folio_expected_ref_count: mappings and caches, nobody else."""
    cached = folio.file is not None or folio.swap is not None
    return k.counting.folio_mapcount(folio) + (folio.pages if cached else 0)
