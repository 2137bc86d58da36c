# SPDX-License-Identifier: MIT
"""Ways of counting that were proposed, behind the same interface as those of kernels.  No kernel counts like this.

David Hildenbrand, "[PATCH RFC 00/13] mm/rmap: support arbitrary folio mappings", 12 April 2026
    (20260412-mapcount-v1-0-05e8dfab52e0@kernel.org): TotalMappedPages.
Matthew Wilcox on linux-mm, 24 January 2023, on one mapcount per folio ("the number of (vma, page table) tuples which
    have a reference to any pages in this folio"), and his answer to it of February 2023 ("How many VMAs have
    one-or-more pages of this folio mapped"): TableMapcount.
Matthew Wilcox on linux-mm, 2021, on making folio_mapcount() cheaper ("Zero, One, Two, Many"): ZeroOneTwoMany.

What the letters leave open is filled in here, and said where it is done.
"""

from __future__ import annotations

from collections.abc import Callable

from .folio import Folio, Slot
from .mapcount import Change, Counting, add_to_slots, sub_from_slots
from .mm import UNCOUNTED, Leaf, Mm
from .units import PageCount, PageIndex, Unsupported, align_down

MANY = 3
"""What comes after two; the count knows nothing larger."""

Look = Callable[[Folio, Mm], int]
"""Looks through the page tables of a process: how many (VMA, page table) pairs have an entry for the folio."""


class TotalMappedPages(Counting):
    """Large mapcount and owner slots, and the number of mapped pages in place of the entire mapcount.

    A PTE adds 1, a PMD as many pages as it maps; the counter is in base pages and takes the place of
    _entire_mapcount.  The letter says that the average can "trivially" be calculated from it, not how it is rounded:
    rounded here as folio_average_page_mapcount() of 7.3 does.  Which PMD mapping is the first or the last one, it
    does not say; that is not modelled.
    """

    def __init__(self, word_bits: int) -> None:
        self.slot_max = 0x7FFF if word_bits == 32 else 0x7FFFFFFF

    def _map_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        return self._map(folio, 1, count, count, mm)

    def map_pmd(self, folio: Folio, mm: Mm) -> Change:
        return self._map(folio, folio.pages, folio.pages, 1, mm)

    def _unmap_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        return self._unmap(folio, count, count, mm)

    def unmap_pmd(self, folio: Folio, mm: Mm) -> Change:
        return self._unmap(folio, folio.pages, 1, mm)

    def _map(self, folio: Folio, each: PageCount, pages: PageCount, entries: int, mm: Mm) -> Change:
        add_to_slots(folio, entries, mm, self.slot_max)
        folio.entire_mapcount += pages
        return Change(pages=folio.pages if folio.large_mapcount == entries else 0)

    def _unmap(self, folio: Folio, pages: PageCount, entries: int, mm: Mm) -> Change:
        sub_from_slots(folio, entries, mm)
        folio.entire_mapcount -= pages
        if not folio.large_mapcount:
            return Change(pages=folio.pages)
        return Change(partly=folio.entire_mapcount < folio.pages)

    def _page_mapcount(self, folio: Folio, page: PageIndex) -> int:
        raise Unsupported("page-mapcount", "No mapcount per page of a large folio.")

    def entire_mapcount(self, folio: Folio) -> int:
        raise Unsupported("entire-mapcount", "The number of mapped pages is in its place.")

    def nr_pages_mapped(self, folio: Folio) -> int:
        raise Unsupported("nr-pages-mapped", "Not counted.")

    def average_page_mapcount(self, folio: Folio) -> int:
        if not folio.large or not folio.large_mapcount:
            return self.folio_mapcount(folio)
        return max(1, (folio.entire_mapcount + folio.pages // 2) // folio.pages)

    def owners(self, folio: Folio) -> tuple[Slot, ...]:
        return folio.slots


class TableMapcount(Counting):
    """One count for a folio: how many (VMA, page table) pairs have at least one entry for it.

    For a folio that lies in one page table of each VMA this is the number of VMAs, so both letters of 2023 count alike.
    Whoever maps or unmaps less than a whole folio has to look whether the page table has other entries for it.  The
    count is changed once the entry is: `known` is what the look before the change would have found.

    PSS is not in the letter.  Here a page is divided by this count, and private if the count is 1.
    """

    def __init__(self, look: Look | None = None) -> None:
        self.look = look or pairs
        self.known: dict[tuple[Folio, Mm], int] = {}

    def _map_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        return self._recount(folio, mm)

    def _unmap_ptes(self, folio: Folio, first: PageIndex, count: PageCount, mm: Mm) -> Change:
        return self._recount(folio, mm)

    def map_pmd(self, folio: Folio, mm: Mm) -> Change:
        return self._recount(folio, mm)

    def unmap_pmd(self, folio: Folio, mm: Mm) -> Change:
        return self._recount(folio, mm)

    def split_pmd(self, folio: Folio, mm: Mm) -> Change:
        """ "Splitting the PMD into PTEs would not change the mapcount." """
        return Change()

    def _recount(self, folio: Folio, mm: Mm) -> Change:
        before, found = folio.large_mapcount, self.look(folio, mm)
        self._add(folio, found - self.known.get((folio, mm), 0))
        self.known[folio, mm] = found
        folio.maybe_shared = folio.large_mapcount > 1
        return Change(pages=0 if bool(before) == bool(folio.large_mapcount) else folio.pages)

    def _add(self, folio: Folio, change: int) -> None:
        folio.large_mapcount += change

    def _page_mapcount(self, folio: Folio, page: PageIndex) -> int:
        raise Unsupported("page-mapcount", "No mapcount per page of a large folio.")

    def entire_mapcount(self, folio: Folio) -> int:
        raise Unsupported("entire-mapcount", "Not counted.")

    def nr_pages_mapped(self, folio: Folio) -> int:
        raise Unsupported("nr-pages-mapped", "Not counted.")

    def average_page_mapcount(self, folio: Folio) -> int:
        return self.folio_mapcount(folio)


class ZeroOneTwoMany(TableMapcount):
    """The number of VMAs that map the folio, up to two; then "many", which no unmap can leave.

    Only who walks all mappings may set it to a small number again (`walk`).  The letter leaves open what smaps says at
    many: here a page is divided by 3.
    """

    def _add(self, folio: Folio, change: int) -> None:
        if folio.large_mapcount < MANY:
            folio.large_mapcount = min(MANY, folio.large_mapcount + change)

    def walk(self, folio: Folio) -> None:
        """rmap_walk: what is found replaces the count, if it is less than many."""
        found = sum(number for (of, _), number in self.known.items() if of is folio)
        folio.large_mapcount = min(MANY, found)
        folio.maybe_shared = folio.large_mapcount > 1


def pairs(folio: Folio, mm: Mm) -> int:
    """How many page tables of a process have an entry for the folio; no two VMAs share one in the model."""
    return len(
        {
            align_down(first, mm.pmd_pages)
            for first, _, entry in mm.table
            if isinstance(entry, Leaf) and entry.folio is folio and entry.kind not in UNCOUNTED
        }
    )
