# SPDX-License-Identifier: MIT
"""Chapter mapcount: four ways of counting mappings, and the truth.

A way of counting is told of every leaf entry that appears and disappears, and answers how many pages became
mapped or unmapped; everything else (statistics, references) is somebody else's.  The truth walks the tables.

Sources: 6.1 mm/rmap.c (page_add_anon_rmap, page_add_file_rmap, page_remove_rmap), mm/huge_memory.c
(__split_huge_pmd_locked); 6.12, 7.3 mm/rmap.c (__folio_add_rmap, __folio_remove_rmap); 7.3 include/linux/rmap.h
(folio_add_return_large_mapcount, folio_sub_return_large_mapcount).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .folio import Folio, Slot
from .mm import UNCOUNTED, Leaf, Mm
from .profile import Profile
from .units import PageCount, PageIndex, Unsupported

ENTIRELY_MAPPED = 0x800000
"""Added to _nr_pages_mapped while at least one PMD maps the folio (mm/internal.h)."""

FOLIO_PAGES_MAPPED = ENTIRELY_MAPPED - 1
"""The bits of _nr_pages_mapped that hold the number of pages."""

SLOT_MOST = {32: 1 << 15}
"""By word_bits: the most that an owner slot counts.  On 32-bit _mm_id_mapcount is a short that starts at -1, and a
slot that turns negative is given up; on 64-bit it is an int, and nobody looks."""


def as_int(count: int) -> int:
    """What a 32-bit signed counter shows of a count."""
    return count if count < 1 << 31 else (count + (1 << 31)) % (1 << 32) - (1 << 31)


class Change(NamedTuple):
    """What a change of mappings means for the statistics.

    pages      that became mapped in any way, or are not any more: NR_ANON_MAPPED, NR_FILE_MAPPED
    pmd_pages  the size of the folio if its first PMD mapping came or its last one went: NR_ANON_THPS and so on
    partly     some page of the folio lost its last mapping while others did not
    """

    pages: PageCount = 0
    pmd_pages: PageCount = 0
    partly: bool = False


NOTHING = Change()


class Counting:
    """A way of counting.  Small folios and hugetlb are counted in the same way everywhere."""

    def map_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        """PTEs of `mm` map `count` pages of the folio, each once."""
        if folio.large:
            return self._map_ptes(folio, first, count, mm)
        # rule: mapcount.one-per-entry
        folio.mapcount += 1
        return Change(pages=int(folio.mapcount == 1))

    def unmap_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        """PTEs of `mm` do not map `count` pages of the folio any more."""
        if folio.large:
            return self._unmap_ptes(folio, first, count, mm)
        # rule: mapcount.unmap
        folio.mapcount -= 1
        return Change(pages=int(folio.mapcount == 0))

    def dup_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> None:
        """fork copies PTEs into `mm`: counters go up and nothing can be the first mapping."""
        self.map_ptes(folio, first, count, mm)

    def map_hugetlb(self, folio: Folio) -> None:
        """One hugetlb entry, whatever its size; no owner is recorded."""
        folio.entire_mapcount += 1
        folio.large_mapcount += 1

    def unmap_hugetlb(self, folio: Folio) -> None:
        folio.entire_mapcount -= 1
        folio.large_mapcount -= 1

    def _map_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        raise NotImplementedError

    def _unmap_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        raise NotImplementedError

    def map_pmd(self, folio: Folio, mm: Mm) -> Change:
        """A PMD of `mm` maps the whole folio."""
        raise NotImplementedError

    def unmap_pmd(self, folio: Folio, mm: Mm) -> Change:
        """A PMD of `mm` does not map the folio any more."""
        raise NotImplementedError

    def dup_pmd(self, folio: Folio, mm: Mm) -> None:
        """fork copies a PMD into `mm`."""
        self.map_pmd(folio, mm)

    def split_pmd(self, folio: Folio, mm: Mm) -> Change:
        """PTEs take over from a PMD.  What became unmapped is in the answer; of pages it is none."""
        self.map_ptes(folio, 0, folio.pages, mm)
        return self.unmap_pmd(folio, mm)

    def page_mapcount(self, folio: Folio, page: PageIndex) -> int:
        """How many entries map this page, those that map all of the folio included."""
        if not folio.large:
            return folio.mapcount
        return self._page_mapcount(folio, page)

    def _page_mapcount(self, folio: Folio, page: PageIndex) -> int:
        return (folio.page_mapcounts.get(page) or 0) + folio.entire_mapcount

    def folio_mapcount(self, folio: Folio) -> int:
        """folio_mapcount: how many leaf entries map any part of the folio."""
        # rule: mapcount.leaf-entries
        return as_int(folio.large_mapcount) if folio.large else folio.mapcount

    def entire_mapcount(self, folio: Folio) -> int:
        """folio_entire_mapcount: how many entries map all of it at once."""
        # rule: mapcount.entire
        return folio.entire_mapcount

    def nr_pages_mapped(self, folio: Folio) -> int:
        """folio_nr_pages_mapped: how many pages are mapped by PTEs.  A small folio: whether it is mapped."""
        if not folio.large:
            return int(folio.mapcount > 0)
        # rule: mapcount.pages-mapped
        return folio.nr_pages_mapped & FOLIO_PAGES_MAPPED

    def average_page_mapcount(self, folio: Folio) -> int:
        """folio_average_page_mapcount: rounded half up, and at least 1 if anything is mapped."""
        raise Unsupported("average-page-mapcount", "This kernel has no folio_average_page_mapcount().")

    def owners(self, folio: Folio) -> tuple[Slot, ...]:
        raise Unsupported("owner-slots", "This kernel does not track the owners of a folio.")


class CompoundMapcount(Counting):
    """6.1: one count for PMDs, one per page, and PG_double_map where both meet.

    An anonymous PMD leaves the pages alone; while PG_double_map is set each page carries one more.
    A file PMD counts in each page as well.
    """

    def _map_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        if not folio.anon:
            folio.double_map = True
        return Change(pages=folio.page_mapcounts.add(first, first + count, 1))

    def _unmap_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        gone = folio.page_mapcounts.add(first, first + count, -1)
        return Change(pages=gone, partly=gone > 0)

    def map_pmd(self, folio: Folio, mm: Mm) -> Change:
        folio.entire_mapcount += 1
        is_first = folio.entire_mapcount == 1
        if folio.anon:
            pages = folio.pages if is_first else 0
        else:
            pages = folio.page_mapcounts.add(0, folio.pages, 1)
            if is_first and pages == folio.pages:
                folio.double_map = False
        return Change(pages=pages, pmd_pages=folio.pages if is_first else 0)

    def unmap_pmd(self, folio: Folio, mm: Mm) -> Change:
        folio.entire_mapcount -= 1
        is_last = folio.entire_mapcount == 0
        pmd_pages = folio.pages if is_last else 0
        if not folio.anon:
            return Change(pages=folio.page_mapcounts.add(0, folio.pages, -1), pmd_pages=pmd_pages)
        if not is_last:
            return NOTHING
        if not folio.double_map:
            return Change(pages=folio.pages, pmd_pages=pmd_pages)
        folio.double_map = False
        gone = folio.page_mapcounts.add(0, folio.pages, -1)
        return Change(pages=gone, pmd_pages=pmd_pages, partly=0 < gone < folio.pages)

    def dup_pmd(self, folio: Folio, mm: Mm) -> None:
        folio.entire_mapcount += 1

    def split_pmd(self, folio: Folio, mm: Mm) -> Change:
        folio.page_mapcounts.add(0, folio.pages, 1)
        if folio.entire_mapcount > 1 and not folio.double_map:
            folio.double_map = True
            folio.page_mapcounts.add(0, folio.pages, 1)
        folio.entire_mapcount -= 1
        if folio.entire_mapcount:
            return NOTHING
        if folio.double_map:
            folio.double_map = False
            folio.page_mapcounts.add(0, folio.pages, -1)
        return Change(pmd_pages=folio.pages)

    def _page_mapcount(self, folio: Folio, page: PageIndex) -> int:
        pages = folio.page_mapcounts.get(page) or 0
        if folio.hugetlb or folio.anon:
            return pages + folio.entire_mapcount - int(folio.anon and folio.double_map)
        return pages

    def folio_mapcount(self, folio: Folio) -> int:
        if not folio.large:
            return folio.mapcount
        if folio.hugetlb:
            return folio.entire_mapcount
        total = folio.entire_mapcount + folio.page_mapcounts.total()
        if not folio.anon:
            return total - folio.entire_mapcount * folio.pages
        return total - (folio.pages if folio.double_map else 0)

    def nr_pages_mapped(self, folio: Folio) -> int:
        raise Unsupported("nr-pages-mapped", "Linux 6.1 has no _nr_pages_mapped.")


class NrPagesMapped(Counting):
    """6.12: entire, large and per-page counts, and how many pages are mapped by PTEs."""

    def _map_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        new = folio.page_mapcounts.add(first, first + count, 1)
        folio.nr_pages_mapped += new
        self._add_large(folio, count, mm)
        # rule: mapcount.anon-mapped, mapcount.file-mapped
        return Change(pages=new if folio.nr_pages_mapped < ENTIRELY_MAPPED else 0)

    def _unmap_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        gone = folio.page_mapcounts.add(first, first + count, -1)
        folio.nr_pages_mapped -= gone
        self._sub_large(folio, count, mm)
        if folio.nr_pages_mapped >= ENTIRELY_MAPPED:
            return NOTHING
        return Change(pages=gone, partly=gone > 0 and folio.nr_pages_mapped > 0)

    def map_pmd(self, folio: Folio, mm: Mm) -> Change:
        self._add_large(folio, 1, mm)
        folio.entire_mapcount += 1
        if folio.entire_mapcount > 1:
            return NOTHING
        by_ptes = folio.nr_pages_mapped
        folio.nr_pages_mapped += ENTIRELY_MAPPED
        return Change(pages=folio.pages - by_ptes, pmd_pages=folio.pages)

    def unmap_pmd(self, folio: Folio, mm: Mm) -> Change:
        self._sub_large(folio, 1, mm)
        folio.entire_mapcount -= 1
        if folio.entire_mapcount:
            return NOTHING
        folio.nr_pages_mapped -= ENTIRELY_MAPPED
        gone = folio.pages - folio.nr_pages_mapped
        return Change(pages=gone, pmd_pages=folio.pages, partly=0 < gone < folio.pages)

    def _add_large(self, folio: Folio, count: PageCount, mm: Mm) -> None:
        folio.large_mapcount += count

    def _sub_large(self, folio: Folio, count: PageCount, mm: Mm) -> None:
        folio.large_mapcount -= count


class OwnerSlots(NrPagesMapped):
    """6.18 and 7.3: as 6.12, and two slots that remember who maps the folio how often."""

    def __init__(self, word_bits: int) -> None:
        self.slot_most = SLOT_MOST.get(word_bits)

    def _add_large(self, folio: Folio, count: PageCount, mm: Mm) -> None:
        add_to_slots(folio, count, mm, self.slot_most)

    def _sub_large(self, folio: Folio, count: PageCount, mm: Mm) -> None:
        sub_from_slots(folio, count, mm)

    def average_page_mapcount(self, folio: Folio) -> int:
        return average_page_mapcount(folio)

    def owners(self, folio: Folio) -> tuple[Slot, ...]:
        return folio.slots


class OwnerSlotsOnly(Counting):
    """7.3 with CONFIG_NO_PAGE_MAPCOUNT: entire and large counts and the slots, nothing per page."""

    def __init__(self, word_bits: int) -> None:
        self.slot_most = SLOT_MOST.get(word_bits)

    def _map_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        add_to_slots(folio, count, mm, self.slot_most)
        # rule: mapcount.anon-mapped-whole
        return Change(pages=folio.pages if folio.large_mapcount == count else 0)

    def _unmap_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        sub_from_slots(folio, count, mm)
        if not folio.large_mapcount:
            return Change(pages=folio.pages)
        return Change(partly=folio.large_mapcount < folio.pages and not folio.entire_mapcount)

    def map_pmd(self, folio: Folio, mm: Mm) -> Change:
        add_to_slots(folio, 1, mm, self.slot_most)
        folio.entire_mapcount += 1
        return Change(
            pages=folio.pages if folio.large_mapcount == 1 else 0,
            pmd_pages=folio.pages if folio.entire_mapcount == 1 else 0,
        )

    def unmap_pmd(self, folio: Folio, mm: Mm) -> Change:
        sub_from_slots(folio, 1, mm)
        folio.entire_mapcount -= 1
        is_last = folio.entire_mapcount == 0
        return Change(
            pages=0 if folio.large_mapcount else folio.pages,
            pmd_pages=folio.pages if is_last else 0,
            partly=is_last and 0 < folio.large_mapcount < folio.pages,
        )

    def _page_mapcount(self, folio: Folio, page: PageIndex) -> int:
        raise Unsupported("page-mapcount", "CONFIG_NO_PAGE_MAPCOUNT: no mapcount per page of a large folio.")

    def nr_pages_mapped(self, folio: Folio) -> int:
        raise Unsupported("nr-pages-mapped", "CONFIG_NO_PAGE_MAPCOUNT: _nr_pages_mapped is not maintained.")

    def average_page_mapcount(self, folio: Folio) -> int:
        return average_page_mapcount(folio)

    def owners(self, folio: Folio) -> tuple[Slot, ...]:
        return folio.slots


def add_to_slots(folio: Folio, count: PageCount, mm: Mm, slot_most: int | None) -> None:
    """folio_add_return_large_mapcount: the total goes up, and the slot of `mm` if it has or gets one."""
    folio.large_mapcount += count
    slot0, slot1 = folio.slots
    for slot in (slot0, slot1):
        if slot.mm is mm:
            slot.count += count
            # rule: sharing.slot-overflow
            if slot_most is not None and slot.count > slot_most:
                slot.mm, slot.count = None, 0
                folio.maybe_shared = True
            return
    # rule: sharing.slot-first
    if slot0.mm is None:
        slot0.mm, slot0.count = mm, count
        if folio.large_mapcount != count:
            folio.maybe_shared = True
    # rule: sharing.slot-second
    elif slot1.mm is None:
        slot1.mm, slot1.count = mm, count
        folio.maybe_shared = True
    # rule: sharing.third-untracked
    # else: a third process, not recorded.  The folio is marked as shared already.


def sub_from_slots(folio: Folio, count: PageCount, mm: Mm) -> None:
    """folio_sub_return_large_mapcount: only freeing a slot, or having none, looks at `maybe_shared` again."""
    folio.large_mapcount -= count
    slot0, slot1 = folio.slots
    for slot in (slot0, slot1):
        if slot.mm is mm:
            slot.count -= count
            if slot.count > 0:
                return
            # rule: sharing.slot-freed
            slot.mm, slot.count = None, 0
            break
    # rule: sharing.shared-cleared, sharing.sticky
    if folio.large_mapcount in (slot0.count, slot1.count):
        folio.maybe_shared = False


def average_page_mapcount(folio: Folio) -> int:
    """folio_average_page_mapcount() of 7.3 (fs/proc/internal.h)."""
    if not folio.large:
        return folio.mapcount
    by_ptes = folio.large_mapcount - folio.entire_mapcount
    if by_ptes <= 0:
        return folio.entire_mapcount
    # rule: mapcount.average
    return max(1, folio.entire_mapcount + (by_ptes + folio.pages // 2) // folio.pages)


def strategy(profile: Profile) -> Counting:
    """The way of counting of a profile."""
    match profile["mapcount.counting"]:
        case "compound-mapcount":
            return CompoundMapcount()
        case "nr-pages-mapped":
            return NrPagesMapped()
        case "owner-slots":
            return OwnerSlots(profile.word_bits)
        case "owner-slots-only":
            return OwnerSlotsOnly(profile.word_bits)
        case other:
            raise ValueError(f"no way of counting is called {other}")


class Truth(NamedTuple):
    """How a folio is really mapped, by page: entries of PTE level, entries that map all of it, and by whom."""

    ptes: list[int]
    entire: int
    by_mm: dict[Mm, int]

    @property
    def mappings(self) -> int:
        return sum(self.ptes) + self.entire


def truth(mms: Iterable[Mm]) -> dict[Folio, Truth]:
    """Walk all page tables.  Folios that nobody maps are absent; special entries map nothing."""
    found: dict[Folio, Truth] = {}
    for mm in mms:
        for first, end, entry in mm.table:
            if not isinstance(entry, Leaf) or entry.kind in UNCOUNTED:
                continue
            folio = entry.folio
            seen = found.setdefault(folio, Truth([0] * folio.pages, 0, {}))
            if entry.kind == "pte":
                for page in range(entry.page, entry.page + end - first):
                    seen.ptes[page] += 1
                mappings = end - first
            else:
                found[folio] = seen = seen._replace(entire=seen.entire + 1)
                mappings = 1
            seen.by_mm[mm] = seen.by_mm.get(mm, 0) + mappings
    return found
