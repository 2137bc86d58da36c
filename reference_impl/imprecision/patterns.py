# SPDX-License-Identifier: MIT
"""Typical use of memory instead of the worst case, with the ways of counting of the model and a seeded generator.

Every pattern has MEMORY of folios of one order.  What is assumed is in the docstring of each pattern, which the site
shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from ..mm import Mm
from .ways import WAYS, Way
from .world import World, bits, ones

MEMORY = 2048
"""Base pages, 8 MiB: 4 folios of order 9, 128 of order 4."""

ORDERS = (4, 9)
PROCESSES = (1, 2, 3, 10, 30, 100, 300, 1000)


class Fleet:
    """Folios that the same processes map, each a world of its own, and what is counted while they are used."""

    def __init__(self, way: Way, order: int, processes: int, seed: str, *, file: bool = False) -> None:
        self.random = Random(seed)
        self.processes = processes
        mms = [Mm(f"P{number}", number, 1 << order) for number in range(processes)]
        kind: Any = "file" if file else "anon"
        self.folios = [World(way, order, processes, kind=kind, mms=mms) for _ in range(MEMORY >> order)]
        self.pages = 1 << order
        self.counts = [0] * MEMORY
        self.copies = self.spared = 0

    def fault(self) -> None:
        """The first process faults all of it."""
        for world in self.folios:
            world.fault(0, pmd=self.pages == 512)
        self.counts = [1] * MEMORY

    def map(self, process: int, first: int, count: int) -> None:
        world, page = self.folios[first // self.pages], first % self.pages
        world.map(process, bits(page, count))
        self._count(first // self.pages, bits(page, count), 1)

    def fork(self, parent: int, child: int) -> None:
        for number, world in enumerate(self.folios):
            world.fork(parent, child)
            self._count(number, world.maps[child][0].pages, 1)

    def exit(self, process: int) -> None:
        for number, world in enumerate(self.folios):
            self._count(number, world.maps[process][0].pages, -1)
            world.exit(process)

    def write(self, process: int, page: int) -> None:
        """A store to a page of the memory; a page that was copied before is the process's own and costs nothing."""
        world, inside = self.folios[page // self.pages], page % self.pages
        if not world.maps[process][0].pages >> inside & 1:
            return
        if world.write(process, inside):
            self.copies += 1
            self.spared += self.counts[page] == 1
            self.counts[page] -= 1

    def unmap(self, process: int, first: int, count: int) -> None:
        for number, world in enumerate(self.folios):
            low, high = max(first, number * self.pages), min(first + count, (number + 1) * self.pages)
            if low < high:
                pages = bits(low - number * self.pages, high - low)
                self._count(number, world.maps[process][0].pages & pages, -1)
                world.unmap(process, pages)

    def _count(self, folio: int, pages: int, change: int) -> None:
        for page in ones(pages):
            self.counts[folio * self.pages + page] += change

    def sample(self, share: float) -> list[int]:
        """Pages at random: this share of the memory."""
        return self.random.sample(range(MEMORY), round(share * MEMORY))


# --- the patterns ---


def fork_server(fleet: Fleet) -> None:
    """A server faults its heap and forks a worker for each connection; the server stays. Each worker writes 2 % of
    the pages at random. Then every second worker exits, and the others write another 2 %."""
    workers = range(1, fleet.processes)
    fleet.fault()
    for worker in workers:
        fleet.fork(0, worker)
    for worker in workers:
        for page in fleet.sample(0.02):
            fleet.write(worker, page)
    for worker in workers[::2]:
        if len(workers) > 1:
            fleet.exit(worker)
    for worker in workers[1::2]:
        for page in fleet.sample(0.02):
            fleet.write(worker, page)


def preforked(fleet: Fleet) -> None:
    """A master faults its heap, forks all workers and exits. Each worker writes 30 % of the memory in runs of 8 pages
    at random places."""
    workers = range(1, fleet.processes)
    fleet.fault()
    for worker in workers:
        fleet.fork(0, worker)
    if workers:
        fleet.exit(0)
    for worker in workers:
        for _ in range(round(0.3 * MEMORY / 8)):
            first = fleet.random.randrange(0, MEMORY, 8)
            for page in range(first, first + 8):
                fleet.write(worker, page)


def jvm_heap(fleet: Fleet) -> None:
    """A virtual machine faults its heap, and forks a helper that execs at once. Its collector gives half of the heap
    back, in runs of 64 pages at random places. The machines do not share: there is one in this folio."""
    fleet.fault()
    if fleet.processes > 1:
        fleet.fork(0, 1)
        fleet.exit(1)
    for first in fleet.random.sample(range(0, MEMORY, 64), MEMORY // 128):
        fleet.unmap(0, first, 64)
    for page in fleet.sample(0.1):
        fleet.write(0, page)


def libraries(fleet: Fleet) -> None:
    """Libraries lie in the page cache in large folios. A process maps windows of 16 pages, as fault-around does: a
    fifth of the windows is hot and is used by 9 of 10 processes, the rest by 1 of 20."""
    windows = list(range(0, MEMORY, 16))
    hot = set(fleet.random.sample(windows, len(windows) // 5))
    for process in range(fleet.processes):
        for first in windows:
            if fleet.random.random() < (0.9 if first in hot else 0.05):
                fleet.map(process, first, 16)


def arenas(fleet: Fleet) -> None:
    """A parent faults its arenas, of 64 pages each, and forks; then every process, the parent too, trims each arena: it
    keeps the first quarter to the whole of it, drawn for each arena, give or take 4 pages for each process."""
    fleet.fault()
    for child in range(1, fleet.processes):
        fleet.fork(0, child)
    kept = {first: fleet.random.randrange(16, 65) for first in range(0, MEMORY, 64)}
    for process in range(fleet.processes):
        for first, keep in kept.items():
            cut = min(64, max(1, keep + fleet.random.randrange(-4, 5)))
            fleet.unmap(process, first + cut, 64 - cut)


PATTERNS: dict[str, Callable[[Fleet], None]] = {
    "fork-server": fork_server,
    "preforked": preforked,
    "jvm-heap": jvm_heap,
    "libraries": libraries,
    "arenas": arenas,
}


# --- what is measured ---


class Row(NamedTuple):
    """One run.  Errors of PSS are in percent of the true PSS; median, 90 % and max are of its absolute value.

    sum        told less true of all processes together, with its sign
    alone      pages that only one process maps, of all folios; shared: those of them that smaps calls shared
    copies     copies of a page; spared: those made though nobody else mapped the page
    partial    folios with a page that nobody maps; missed: those that are not marked for the deferred split,
               and how many pages they hold that nobody maps
    """

    way: str
    order: int
    processes: int
    median: float
    most: float
    max: float
    sum: float
    alone: int
    shared: int
    copies: int
    spared: int
    partial: int
    missed: int
    missed_pages: int


def run(name: str, order: int, processes: int) -> Iterator[Row]:
    """One pattern in every way of counting; all draw the same numbers."""
    for way in WAYS.values():
        fleet = Fleet(way, order, processes, f"{name} {order} {processes}", file=name == "libraries")
        PATTERNS[name](fleet)
        yield measured(fleet, way, order)


def measured(fleet: Fleet, way: Way, order: int) -> Row:
    told, true = [0.0] * fleet.processes, [0.0] * fleet.processes
    alone = shared = partial = missed = missed_pages = 0
    for number, world in enumerate(fleet.folios):
        counts = fleet.counts[number * world.pages : (number + 1) * world.pages]
        runs = world.told()
        once = sum(1 << page for page, count in enumerate(counts) if count == 1)
        public = sum(run.bits for run in runs if not run.private)
        exact = all(counts[page] in (0, run.divisor) for run in runs for page in range(run.first, run.end))
        shares = [1 / count if count else 0.0 for count in counts]
        for process, mapping in world.mappings():
            share = sum(shares[page] for page in ones(mapping.pages))
            true[process] += share
            told[process] += (
                share if exact else sum((mapping.pages & run.bits).bit_count() / run.divisor for run in runs)
            )
            alone += (mapping.pages & once).bit_count()
            shared += (mapping.pages & once & public).bit_count()
        unmapped = counts.count(0)
        if world.folio.anon and 0 < unmapped < world.pages:
            partial += 1
            if not world.folio.partially_mapped:
                missed += 1
                missed_pages += unmapped
    errors = sorted(100 * abs(a - b) / b for a, b in zip(told, true, strict=True) if b) or [0.0]
    return Row(
        way.name, order, fleet.processes,
        _round(errors[len(errors) // 2]), _round(errors[min(len(errors) - 1, len(errors) * 9 // 10)]),
        _round(errors[-1]), _round(100 * (sum(told) / sum(true) - 1)),
        alone, shared, fleet.copies, fleet.spared, partial, missed, missed_pages,
    )  # fmt: skip


def _round(number: float) -> float:
    return round(number, 2) + 0.0


def patterns(processes: tuple[int, ...] = PROCESSES) -> dict[str, Any]:
    """All patterns, for docs/imprecision."""
    return {
        "patterns": {name: " ".join((pattern.__doc__ or "").split()) for name, pattern in PATTERNS.items()},
        "memory_pages": MEMORY,
        "fields": list(Row._fields),
        "rows": [
            {"pattern": name, "row": list(row)}
            for name in PATTERNS
            for order in ORDERS
            for number in processes
            for row in run(name, order, number)
        ],
    }
