# SPDX-License-Identifier: MIT
"""Where smaps changes its divisor, for a way of counting that divides all pages of a folio by one number."""

from __future__ import annotations

from typing import NamedTuple

from .ways import Way
from .world import World, bits


class Step(NamedTuple):
    """From `lowest` to `highest` PTEs of a folio, smaps divides each page by `divisor`."""

    divisor: int
    lowest: int
    highest: int


class Dial:
    """A folio whose number of PTEs can be set: processes map it one after the other, each all that is left to map."""

    def __init__(self, way: Way, order: int, processes: int) -> None:
        self.world = World(way, order, processes, kind="shmem")
        self.entries = 0

    def divisor(self, entries: int) -> int:
        """By what smaps divides with this many PTEs; they are really mapped or unmapped."""
        pages = self.world.pages
        while self.entries < entries:
            process, first = divmod(self.entries, pages)
            count = min(pages - first, entries - self.entries)
            self.world.map(process, bits(first, count))
            self.entries += count
        while self.entries > entries:
            process, last = divmod(self.entries - 1, pages)
            count = min(last + 1, self.entries - entries)
            self.world.unmap(process, bits(last + 1 - count, count))
            self.entries -= count
        return self.world.told()[0].divisor


def steps(way: Way, order: int, processes: int) -> list[Step]:
    """All steps for 1 to processes x pages PTEs.  The divisor never falls when an entry is added (a test sweeps it)."""
    dial, pages = Dial(way, order, processes), 1 << order
    most, low = processes * pages, 1
    found = []
    while low <= most:
        divisor = dial.divisor(low)
        # dial.divisor(inside) is `divisor`, dial.divisor(above) is more, or there is no more.
        inside, above = low, min(most + 1, low + pages)
        while above <= most and dial.divisor(above) == divisor:
            inside, above = above, min(most + 1, above + pages)
        while above - inside > 1:
            middle = (inside + above) // 2
            if dial.divisor(middle) == divisor:
                inside = middle
            else:
                above = middle
        found.append(Step(divisor, low, inside))
        low = inside + 1
    return found
