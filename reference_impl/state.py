# SPDX-License-Identifier: MIT
"""The `state` query: everything, for pictures."""

from __future__ import annotations

from typing import Any

from . import queries
from .folio import Folio, Place
from .kernel import Kernel
from .mm import Mm, Swapped
from .runs import Run
from .units import Unsupported, Vpn
from .vma import FLAG_NAMES


def state(k: Kernel) -> dict[str, Any]:
    return {
        "processes": {mm.name: {"regions": _regions(mm)} for mm in k.mms.values()},
        "folios": [_folio(k, folio) for folio in sorted(_shown(k), key=lambda folio: folio.number)],
        "pipes": {name: [_place(place) for place in places] for name, places in k.pipes.items()},
        "buffers": {name: [_place(place) for place in buffer.pages] for name, buffer in k.buffers.items()},
        "holds": {name: [_place(place) for place in dict.fromkeys(hold.pages)] for name, hold in k.held.items()},
    }


def folio_id(folio: Folio) -> str:
    return folio.kind if folio.kind in ("zero", "huge-zero") else f"F{folio.number}"


def _place(place: Place) -> dict[str, Any]:
    return {"folio": folio_id(place.folio), "page": place.page}


def _shown(k: Kernel) -> list[Folio]:
    """All folios, and the zero folios where somebody maps them."""
    mapped = {entry.folio for mm in k.mms.values() for _, _, entry in mm.table if not isinstance(entry, Swapped)}
    return [*k.folios.values(), *(folio for folio in (k.zero, k.huge_zero) if folio in mapped)]


def _regions(mm: Mm) -> dict[str, Any]:
    regions = {}
    for name, (first, pages) in mm.regions.items():
        vmas = mm.over(first, first + pages)
        if vmas:
            regions[name] = {
                "pages": pages,
                "vmas": [
                    {
                        "first": vma.first - first,
                        "count": vma.end - vma.first,
                        "protection": vma.protection,
                        "sharing": "shared" if vma.shared else "private",
                        "file": vma.file.name if vma.file else None,
                        "driver": vma.driver.device.name if vma.driver else None,
                        "flags": [flag for bit, flag in FLAG_NAMES.items() if vma.flags & bit],
                    }
                    for vma in vmas
                ],
                "entries": [_entry(mm, first, *run) for run in mm.table.over(first, first + pages)],
            }
    return regions


def _entry(mm: Mm, base: Vpn, first: Vpn, end: Vpn, entry: Any) -> dict[str, Any]:
    run: dict[str, Any] = {"first": first - base, "count": end - first, "kind": queries.entry_kind(entry)}
    if isinstance(entry, Swapped):
        return run | {"folio": None, "page": 0, "writable": False, "exclusive": entry.exclusive}
    if entry.folio.kind == "mmio":
        vma = mm.find(first)
        device = vma.driver.device.name if vma is not None and vma.driver else None
        place = {"folio": None, "device": device, "page": entry.page}
        return run | place | {"writable": entry.writable, "exclusive": False}
    page = entry.page if entry.kind == "pte" else 0
    count = end - first if entry.kind == "pte" else 1
    exclusive = entry.folio.exclusive >> page & ((1 << count) - 1) == (1 << count) - 1
    return run | {
        "folio": folio_id(entry.folio),
        "page": entry.page,
        "writable": entry.writable,
        "exclusive": exclusive,
    }


def _folio(k: Kernel, folio: Folio) -> dict[str, Any]:
    def told(answer: Any) -> Any:
        try:
            return answer(folio)
        except Unsupported:
            return None

    def runs(found: list[Run[Any]]) -> list[dict[str, Any]]:
        return [{"first": first, "count": end - first, "value": value} for first, end, value in found]

    def page_mapcounts(folio: Folio) -> list[dict[str, Any]]:
        cuts = [Run(0, 1, 0)] if not folio.large else folio.page_mapcounts.over_all(0, folio.pages)
        return runs([Run(run.first, run.end, k.counting.page_mapcount(folio, run.first)) for run in cuts])

    def owners(folio: Folio) -> dict[str, Any] | None:
        answer = queries.folio_owners(k, folio)
        return answer if folio.large and not folio.hugetlb else None

    special = folio.kind in ("zero", "huge-zero")
    return {
        "id": folio_id(folio),
        "order": folio.order,
        "kind": folio.kind,
        "file": folio.file.name if folio.file else None,
        "index": folio.index,
        "refcount": folio.refcount,
        "pincount": folio.pincount,
        "mapcount": 0 if special else k.counting.folio_mapcount(folio),
        "entire_mapcount": folio.entire_mapcount,
        "nr_pages_mapped": None if special else told(k.counting.nr_pages_mapped),
        "owners": None if special else told(owners),
        "page_mapcounts": None if special else told(page_mapcounts),
        "contents": runs(list(folio.contents)),
        "partially_mapped": folio.partially_mapped,
        "swapcache": folio.swap is not None,
    }
