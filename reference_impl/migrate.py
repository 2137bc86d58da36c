# SPDX-License-Identifier: MIT
"""Migration: the same folio with all its mappings in another page frame.

There are two NUMA nodes; the second has memory of ZONE_MOVABLE only.

Source: mm/migrate.c (do_pages_move, add_folio_for_migration, folio_migrate_mapping, remove_migration_pte), mm/gup.c
(check_and_migrate_movable_pages), include/linux/mm.h (folio_is_longterm_pinnable).
"""

from __future__ import annotations

from collections.abc import Iterable

from . import large_folios, sharing
from .folio import Folio, Place
from .kernel import MOVABLE, Kernel
from .mm import UNCOUNTED, Leaf, Mm
from .rmap import expected_references, mappings
from .units import Errno, Vpn


def move_pages(k: Kernel, mm: Mm, first: Vpn, end: Vpn, *, everybodys: bool) -> list[str]:
    """move_pages(2) to the other node (do_pages_move): for each page `moved`, `kept`, or why it was not tried.

    Folios are collected and then moved together, up to a page that is not collected or whose folio goes the other way.
    When one of them stays, nothing behind is tried.
    """
    targets = [_target(mm, vpn) for vpn in range(first, end)]
    refusals: dict[Vpn, str] = {}
    batch: list[Folio] = []
    for vpn, target in zip(range(first, end), targets, strict=True):
        if batch and in_movable(batch[0]) == target and not _move_all(k, batch):
            break
        refusal = _collect(k, mm, vpn, target, batch, everybodys=everybodys)
        if refusal is None:
            continue
        refusals[vpn] = refusal or "kept"
        if not _move_all(k, batch):
            break
    else:
        _move_all(k, batch)
    return [
        "moved" if _is_at(mm, vpn, target) else refusals.get(vpn, "kept")
        for vpn, target in zip(range(first, end), targets, strict=True)
    ]


def _counted(mm: Mm, vpn: Vpn) -> Folio | None:
    entry = mm.table.get(vpn)
    return entry.folio if isinstance(entry, Leaf) and entry.kind not in UNCOUNTED else None


def _target(mm: Mm, vpn: Vpn) -> bool:
    """Whether it shall go to ZONE_MOVABLE: the other node, and there if nothing can be moved."""
    folio = _counted(mm, vpn)
    return folio is None or not in_movable(folio)


def _is_at(mm: Mm, vpn: Vpn, target: bool) -> bool:
    folio = _counted(mm, vpn)
    return folio is not None and in_movable(folio) == target


def _collect(k: Kernel, mm: Mm, vpn: Vpn, target: bool, batch: list[Folio], *, everybodys: bool) -> str | None:
    """add_folio_for_migration: None if the folio is in the batch now, else why not; "" if it is there already."""
    entry = mm.table.get(vpn)
    if mm.find(vpn) is None or (isinstance(entry, Leaf) and entry.kind in ("zero", "huge-zero")):
        return "EFAULT"
    if not isinstance(entry, Leaf) or entry.kind in UNCOUNTED:
        return "ENOENT"
    folio = entry.folio
    if in_movable(folio) == target:
        return ""
    # rule: sharing.move-pages
    if not everybodys and sharing.maybe_mapped_shared(k, folio, entry.page):
        return "EACCES"
    if folio in batch:
        return "EBUSY"
    batch.append(folio)
    return None


def _move_all(k: Kernel, batch: list[Folio]) -> bool:
    """migrate_pages: whether all could be moved to the other node; they are no batch any more."""
    moved = [migrate(k, folio, movable=not in_movable(folio)) for folio in batch]
    batch.clear()
    return all(moved)


def in_movable(folio: Folio) -> bool:
    """Whether the folio is in ZONE_MOVABLE."""
    return folio.pfn >= MOVABLE


def migrate(k: Kernel, folio: Folio, *, movable: bool) -> bool:
    """folio_migrate_mapping: whether the folio could be moved."""
    # rule: large_folios.migrated-marked
    if folio.partially_mapped and folio.large:
        return _migrate_pieces(k, folio, movable=movable)
    mapped = mappings(k, folio)
    free = folio.refcount == expected_references(k, folio)
    if not free and folio.maybe_dma_pinned and mapped and folio.is_exclusive(mapped[0][-1].page):
        return False  # folio_try_share_anon_rmap_pte
    # rule: large_folios.migrated
    one_by_one = folio.anon and folio.order > 1 and any(entry.kind == "pte" for *_, entry in mapped)
    k.counters["split_deferred"] += one_by_one  # the folio is queued while its PTEs go
    exclusive = folio.exclusive
    # count: all mappings go (migration entries have none), and come back to a folio that nobody maps.
    for mm, first, end, entry in mapped:
        _unmap(k, folio, mm, entry, end - first)
    for mm, first, end, entry in mapped:
        _map(k, folio, mm, entry, end - first)
    # map: the entries are what they were, markers and all; what one knows of the folio, all know then.
    folio.exclusive = exclusive
    folio.dirty |= any(entry.dirty for *_, entry in mapped)
    for mm, first, end, entry in mapped:
        # rule: statistics.soft-dirty-again
        if entry.dirty and (entry.kind == "pmd" or k.profile["statistics.soft-dirty-migration"] == "all"):
            mm.table.put(first, end, entry.mkdirty(writable=entry.writable))
    # rule: pins.migration
    # one reference too many and it is where it was, whatever kind of reference.
    if not free:
        folio.partially_mapped |= one_by_one
        return False
    # account: another page frame, and a folio that is not queued for splitting, but for one thing:
    folio.pfn = k.new_pfn(folio.order, movable=movable)
    folio.partially_mapped = one_by_one and k.profile["large_folios.migrated"] == "marked"
    k.counters["split_deferred"] += folio.partially_mapped
    return True


def _migrate_pieces(k: Kernel, folio: Folio, *, movable: bool) -> bool:
    """migrate_pages_batch: a folio that is marked partially mapped is split first."""
    try:
        pieces = large_folios.split_folio(k, folio, 0)
    except Errno:
        return False
    return all([migrate(k, piece, movable=movable) for piece in pieces])


def _unmap(k: Kernel, folio: Folio, mm: Mm, entry: Leaf, count: int) -> None:
    match entry.kind:
        case "pmd":
            k.counting.unmap_pmd(folio, mm)
        case "hugetlb":
            k.counting.unmap_hugetlb(folio)
        case _:
            k.counting.unmap_ptes(folio, entry.page, count, mm)


def _map(k: Kernel, folio: Folio, mm: Mm, entry: Leaf, count: int) -> None:
    match entry.kind:
        case "pmd":
            k.counting.map_pmd(folio, mm)
        case "hugetlb":
            k.counting.map_hugetlb(folio)
        case _:
            k.counting.map_ptes(folio, entry.page, count, mm)


def longterm_unpinnable(places: Iterable[Place]) -> list[Folio]:
    """collect_longterm_unpinnable_folios: the folios that must be moved before they are pinned for long."""
    return list(dict.fromkeys(folio for folio, _ in places if in_movable(folio)))


def out_of_movable(k: Kernel, folios: Iterable[Folio]) -> None:
    """migrate_longterm_unpinnable_folios: they are other pages then, to be looked up again.  Raises Errno ENOMEM."""
    for folio in folios:
        # rule: pins.movable-stuck
        if not migrate(k, folio, movable=False):
            raise Errno("ENOMEM")
