# SPDX-License-Identifier: MIT
"""Reach the limit of the reference count: 2^22 mappings of one folio of 512 pages, by PTEs.

Each is a VMA and one page fault of the model, in processes of 65530 VMAs (vm.max_map_count).  Nothing is computed
ahead: the counter is what the faults have added.  Then it is tried what works past the limit.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import fault, files, fork, gup, madvise, mmap, profile
from .folio import File, Folio
from .kernel import Kernel
from .mm import Mm
from .profile import Profile
from .units import Errno, Order, PageCount, Vpn
from .vma import Vma

PROFILE = "linux-7.3"
ORDER = 9
MAX_MAP_COUNT = 65530
"""Default of vm.max_map_count: VMAs of one process."""
PTE = 8
"""Bytes of a page table entry, on 64-bit."""
VMA, MAPLE_NODE = 192, 256
"""Bytes of struct vm_area_struct and of a maple node in Debian's 7.3.4 (/proc/slabinfo)."""
NODES_PER_VMA = 0.19
"""As measured there, with 2000 VMAs next to each other."""


@dataclass
class Point:
    """How far it was."""

    vmas: int
    count: int
    """What the counter shows."""
    seconds: float


@dataclass
class Outcome:
    """What came of one attempt, and what the counter then shows."""

    what: str
    result: str
    count: int


@dataclass
class Climb:
    """A whole run."""

    bits: int
    vmas: int = 0
    processes: int = 0
    seconds: float = 0.0
    processor: float = 0.0
    """Seconds of processor time: what the run takes where nobody else wants the processor."""
    memory: int = 0
    """Largest resident set of the program, in bytes."""
    before: int = 0
    """The counter before the mapping that crossed the limit, and after it."""
    after: int = 0
    crossed_at: int = 0
    """The number of that VMA, from 1."""
    points: list[Point] = field(default_factory=list)
    """At each power of two of the counter."""
    outcomes: list[Outcome] = field(default_factory=list)


class World:
    """A file of one large folio, and processes that map it again and again."""

    def __init__(self, bits: int, order: int = ORDER, per_process: int = MAX_MAP_COUNT) -> None:
        self.k = Kernel(_with_bits(bits))
        self.per_process = per_process
        self.pages: PageCount = 1 << order
        files.create(self.k, "f", self.pages, "memfd", order)
        self.file: File = self.k.files["f"]
        files.write(self.k, self.file, 0, self.pages, "old")
        self.folio: Folio = self.file.cache.get(0).folio  # type: ignore[union-attr]
        self.mm = self.new_process()

    def new_process(self) -> Mm:
        """One that has called prctl(PR_SET_THP_DISABLE): the folio is mapped by PTEs."""
        mm = self.k.new_mm(f"A{len(self.k.mms) + 1}")
        mm.thp_disabled = True
        self.mm = mm
        self.next: Vpn = mm.pmd_pages
        return mm

    def map_once_more(self) -> Vpn:
        """mmap(2) of the file behind the last mapping, and a load.  The fault maps all pages of the folio."""
        if len(self.mm.vmas) == self.per_process:
            self.new_process()
        first, self.next = self.next, self.next + self.pages
        vma = Vma("f", first, self.next, "read", True, self.file, 0, Order(0), False, 0)
        mmap.mmap_region(self.mm, vma)
        fault.handle(self.k, self.mm, vma, first, write=False)
        return first

    def unmap_last(self) -> None:
        vma = self.mm.vmas[-1]
        mmap.munmap(self.k, self.mm, vma.first, vma.end)


def _with_bits(bits: int) -> Profile:
    """The profile, with a counter of another width."""
    made = profile.load(PROFILE)
    return Profile(made.name, made.behaviours, {**made.parameters, "refcount_bits": bits}, made.kernel)


def climb(world: World, vmas: int, tell: Callable[[Point], None]) -> Climb:
    """Make so many VMAs.  `tell` hears of each power of two."""
    folio = world.folio
    run = Climb(folio.refcount_bits)
    limit = 1 << (folio.refcount_bits - 1)
    mark = 1 << folio.references.bit_length()
    started, used = time.perf_counter(), time.process_time()
    while run.vmas < vmas:
        before = folio.references
        world.map_once_more()
        run.vmas += 1
        if folio.references >= mark:
            mark *= 2
            point = Point(run.vmas, folio.refcount, time.perf_counter() - started)
            run.points.append(point)
            tell(point)
            if before < limit <= folio.references:
                run.before, run.after, run.crossed_at = before, folio.refcount, run.vmas
    run.seconds, run.processor = time.perf_counter() - started, time.process_time() - used
    run.processes = len(world.k.mms)
    run.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return run


def past_the_limit(world: World) -> Iterator[Outcome]:
    """What each of these then does, in this order."""
    k, folio, parent = world.k, world.folio, world.mm
    first = parent.vmas[-1].first

    def outcome(what: str, action: Callable[[], object]) -> Outcome:
        try:
            action()
        except Errno as refused:
            return Outcome(what, refused.args[0], folio.refcount)
        return Outcome(what, "succeeds", folio.refcount)

    yield outcome("vmsplice of a page", lambda: gup.vmsplice(k, parent, first, first + 1, "p"))
    yield outcome("MADV_POPULATE_READ of a page", lambda: madvise.populate(k, parent, first, first + 1, write=False))
    yield outcome("process_vm_readv of a page", lambda: gup.process_vm_readv(k, parent, first, first + 1))
    yield outcome("fork of a process with its VMAs", lambda: fork.fork(k, parent, "child"))
    child = k.mms["child"]
    yield outcome("a load in the child", lambda: fault.load(k, child, first, first + 1))
    yield outcome("exit of the child", lambda: mmap.exit_mm(k, child))
    yield outcome("one more mapping", world.map_once_more)
    unmapped = 0
    while folio.refcount < 0:
        world.unmap_last()
        unmapped += 1
    yield Outcome(f"munmap of {unmapped} mappings", "succeeds", folio.refcount)
    last = world.mm.vmas[-1].first
    yield outcome("vmsplice of a page", lambda: gup.vmsplice(k, world.mm, last, last + 1, "q"))


# --- what it would cost a kernel ------------------------------------------------------------------------------


@dataclass
class Route:
    """A way to the limit: what is measured on a few VMAs of the model, and what that makes for all of them."""

    name: str
    per_vma: int
    """References that one VMA adds."""
    vmas: int
    tables: int
    """Bytes of page tables of the last level, if VMAs lie next to each other."""
    structures: int
    """Bytes of struct vm_area_struct and its tree."""


def routes(bits: int = 32) -> list[Route]:
    """The same folio mapped in other ways, and other folios."""
    found = [
        _route("folio of 512 pages, by PTEs", bits, order=9),
        _route("folio of 512 pages, by a PMD", bits, order=9, by_pmd=True),
        _route("folio of 4 pages (16 KiB), by PTEs", bits, order=2),
        _route("one page", bits, order=0),
    ]
    return [*found, _larger_pages(bits)]


def _route(name: str, bits: int, *, order: int, by_pmd: bool = False) -> Route:
    world = World(bits, order)
    world.mm.thp_disabled = not by_pmd
    base = world.folio.references
    world.map_once_more()
    per_vma = world.folio.references - base
    vmas = -(-((1 << (bits - 1)) - base) // per_vma)
    tables = 0 if by_pmd else vmas * world.pages * PTE
    return Route(name, per_vma, vmas, tables, _structures(vmas))


def _larger_pages(bits: int) -> Route:
    """arm64 with pages of 64 KiB: a PMD maps 2^13 of them, and a page table has as many entries.  Not run: the model's
    profiles have pages of 4 KiB."""
    pages = 1 << 13
    vmas = -(-((1 << (bits - 1)) - pages) // pages)
    return Route("arm64, folio of 2^13 pages of 64 KiB, by PTEs (computed)", pages, vmas, vmas * pages * PTE,
                 _structures(vmas))  # fmt: skip


def _structures(vmas: int) -> int:
    return int(vmas * (VMA + NODES_PER_VMA * MAPLE_NODE))


# --- the program ----------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> None:
    args = _parser().parse_args(arguments)
    gc.disable()  # nothing of it is garbage
    limit = 1 << (args.bits - 1)
    world = World(args.bits)
    print(f"One folio of {world.pages} pages in the page cache, {world.folio.references} references; limit {limit}.")
    print(f"Each mapping: a VMA and one page fault that maps {world.pages} PTEs.\n\n{'VMAs':>10} {'the counter':>14}")

    def tell(point: Point) -> None:
        print(f"{point.vmas:>10} {point.count:>14}  {point.seconds:6.1f} s", flush=True)
        if args.step:
            input("           Enter: to the next power of two ")

    run = climb(world, args.vmas or limit // world.pages, tell)
    if run.crossed_at:
        print(f"\nThe VMA number {run.crossed_at} took the counter from {run.before} to {run.after}.")
        run.outcomes = list(past_the_limit(world))
        for outcome in run.outcomes:
            print(f"  {outcome.what:<32} {outcome.result:<10} then the counter says {outcome.count}")
    took = f"{run.seconds:.1f} s, {run.processor:.1f} s of them on the processor, {_size(run.memory)}"
    print(f"\n{run.vmas} VMAs, {run.processes} processes: {took}.")
    print(f"A kernel would need {_size(run.vmas * world.pages * PTE)} of page tables and "
          f"{_size(_structures(run.vmas))} for the VMAs.\n\nTo reach 2^{args.bits - 1} references:")  # fmt: skip
    ways = routes(args.bits)
    for way in ways:
        print(f"  {way.name:<58} {way.per_vma:>5} a VMA, {way.vmas:>10} VMAs, page tables {_size(way.tables)}, "
              f"VMAs {_size(way.structures)}")  # fmt: skip
    pins = -(-limit // 1024)
    print(f"  {'pins of a small page, which count 1024':<58} {1024:>5} a pin, {pins:>10} pins")
    if args.json:
        data = asdict(run) | {"routes": [asdict(way) for way in ways], "date": time.strftime("%Y-%m-%d"),
                              "python": sys.version.split()[0]}  # fmt: skip
        _write(args.json, data)


def _write(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _size(number: int) -> str:
    for unit, power in (("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if number >= 1 << power:
            return f"{number / (1 << power):.1f} {unit}"
    return f"{number} B"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reference_impl.limit", description=__doc__)
    parser.add_argument("--bits", type=int, default=32, metavar="N", help="width of the counter (default 32)")
    parser.add_argument("--vmas", type=int, metavar="N", help="how many VMAs (default: as many as the limit needs)")
    parser.add_argument("--step", action="store_true", help="stop at each power of two until Enter is pressed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what came of it")
    return parser


if __name__ == "__main__":
    main()
