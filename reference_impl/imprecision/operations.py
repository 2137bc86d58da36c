# SPDX-License-Identifier: MIT
"""What an operation costs in counter updates, counted while the strategies run, and how large the counters are.

A counter that changes is one atomic operation for each batch, with exceptions that are read in the source: under owner
slots the large mapcount, the slots and the shared mark are written under one bit lock (include/linux/rmap.h:
folio_lock_large_mapcount), so all of them together are one locked section; the first fault stores, for nobody else can
see the folio yet (mm/rmap.c: folio_add_new_anon_rmap).  The reference count is left out: it is the same in all kernels,
one addition for each batch.

A cache line is 64 bytes, and so is a struct page on 64-bit: the counters of page p are in line p, those of the folio in
line 1 (the first tail page).  Source: include/linux/mm_types.h (struct page, struct folio).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from ..folio import Folio
from ..runs import Counts
from .ways import WAYS, Way
from .world import World, bits

LOCKED = ("large_mapcount", "maybe_shared")
"""Fields that are written under the lock of the owner slots, where there are any."""

FIELDS = ("entire_mapcount", "large_mapcount", "nr_pages_mapped", "maybe_shared", "double_map", "mapcount")


class Cost(NamedTuple):
    """What one operation writes.

    counters   counters that change, outside such a section
    locked     sections under the bit lock of the owner slots
    lines      cache lines written
    looks      page tables that are searched for other entries of the folio
    """

    counters: int
    locked: int
    lines: int
    looks: int


class _Watched(Folio):
    """A folio that notes which of its counters change."""

    __slots__ = ()
    changed: ClassVar[set[str]] = set()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIELDS and getattr(self, name) != value:
            self.changed.add(name)
        super().__setattr__(name, value)


class _WatchedCounts(Counts):
    """Mapcounts per page that note how many of them are written, and which."""

    __slots__ = ("pages_written", "updates")

    def __init__(self) -> None:
        super().__init__()
        self.pages_written: set[int] = set()
        self.updates = 0

    def add(self, first: int, end: int, delta: int) -> int:
        self.pages_written.update(range(first, end))
        self.updates += end - first
        return super().add(first, end, delta)


class _Meter:
    """Counts what the strategy writes between `start` and `stop`: each call of the strategy is one batch."""

    def __init__(self, way: Way, order: int) -> None:
        self.world = World(way, order, 3)
        folio = self.world.folio
        folio.__class__ = _Watched
        self.counts = _WatchedCounts()
        folio.page_mapcounts = self.counts
        self.slots = "owner" in way.title or "total" in way.title
        self.counters_changed = self.locked = self.looks = self.batches = 0
        self.lines: set[int] = set()
        counting = self.world.kernel.counting
        for name in ("map_ptes", "unmap_ptes", "map_pmd", "unmap_pmd", "dup_pmd", "split_pmd"):
            setattr(counting, name, self._counted(getattr(counting, name), name))
        if hasattr(counting, "look"):
            look = counting.look

            def looks(*args: Any) -> int:
                self.looks += 1
                return int(look(*args))

            counting.look = looks

    def _counted(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def counted(folio: Folio, *args: Any) -> Any:
            _Watched.changed.clear()
            self.counts.updates = 0
            self.counts.pages_written.clear()
            looked, batches = self.looks, self.batches
            result = call(folio, *args)
            if self.batches > batches:  # made of other calls, which have been counted
                return result
            self.batches += 1
            # A whole folio comes or goes: nobody has to look for other entries of it.
            if name.endswith("pmd") or args[1] == folio.pages:
                self.looks = looked
            changed = {field for field in _Watched.changed if not (self.slots and field in LOCKED)}
            changed.discard("maybe_shared")
            self.locked += self.slots
            self.counters_changed += len(changed) + self.counts.updates
            self.lines |= self.counts.pages_written
            if changed or self.slots:
                self.lines.add(1)
            return result

        return counted

    def measure(self, act: Callable[[World], object]) -> Cost:
        self.counters_changed = self.locked = self.looks = 0
        self.lines.clear()
        act(self.world)
        return Cost(self.counters_changed, self.locked, len(self.lines), self.looks)


def operations(way: Way, order: int) -> dict[str, Cost]:
    """The costs of operations on a folio of this order; by name."""
    found: dict[str, Cost] = {}

    meter = _Meter(way, order)
    found["first fault of the whole folio by PTEs"] = meter.measure(lambda w: w.fault(0))
    found["fork of all PTEs"] = meter.measure(lambda w: w.fork(0, 1))
    found["unmap one PTE"] = meter.measure(lambda w: w.unmap(1, 1))
    found["map one PTE"] = meter.measure(lambda w: w.map(1, 1))
    found["exit with all PTEs"] = meter.measure(lambda w: w.exit(1))
    found["unmap one PTE after the other"] = meter.measure(_one_by_one)
    meter = _Meter(way, order)
    found["first fault by a PMD"] = meter.measure(lambda w: w.fault(0, pmd=True))
    found["fork of a PMD"] = meter.measure(lambda w: w.fork(0, 1))
    found["PMD split"] = meter.measure(lambda w: w.split_pmd(1))
    found["exit with a PMD, when another has PTEs"] = meter.measure(lambda w: w.exit(0))
    return found


def _one_by_one(world: World) -> None:
    for page in range(world.pages):
        world.unmap(0, bits(page, 1))


class Size(NamedTuple):
    """Bytes of mapping counters of a folio: for each page, and for the folio; PG_ bits are not counted."""

    page: int
    folio: int


SIZES = {
    "linux-6.1": {64: Size(4, 4), 32: Size(4, 4)},
    "linux-6.12": {64: Size(4, 12), 32: Size(4, 12)},
    "linux-7.3": {64: Size(4, 28), 32: Size(4, 20)},
    "linux-7.3-no-page-mapcount": {64: Size(0, 24), 32: Size(0, 16)},
    "proposal-total-mapped-pages": {64: Size(0, 24), 32: Size(0, 16)},
    "proposal-table-mapcount": {64: Size(0, 4), 32: Size(0, 4)},
    "proposal-zero-one-two-many": {64: Size(0, 1), 32: Size(0, 1)},
}
"""From include/linux/mm_types.h of 6.1, 6.12 and 7.3 (struct folio): compound_mapcount; _large_mapcount,
_entire_mapcount, _nr_pages_mapped; _mm_id_mapcount and _mm_id, 16 bytes, on 32-bit 8.  Without page mapcounts _mapcount
of struct page and _nr_pages_mapped are still there, and nobody writes them.  The total of mapped pages is taken to be
as wide as the entire mapcount that it replaces; two bits, one byte here, suffice for many."""


def counter_bytes(way: Way, order: int, word_bits: int) -> int:
    """Bytes of mapping counters that are written for a folio of this order; a small folio has _mapcount."""
    if order == 0:
        return 4
    size = SIZES[way.name][word_bits]
    return (size.page << order) + size.folio


def table(orders: tuple[int, ...], order: int) -> dict[str, Any]:
    """All ways: sizes by order, and costs for one order."""
    return {
        name: {
            "title": way.title,
            "proposal": way.proposal,
            "bytes": {str(bits_): {str(o): counter_bytes(way, o, bits_) for o in orders} for bits_ in (64, 32)},
            "operations": {operation: list(cost) for operation, cost in operations(way, order).items()},
        }
        for name, way in WAYS.items()
    }
