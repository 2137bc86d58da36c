# SPDX-License-Identifier: MIT
"""All states of a small folio that a sequence of operations reaches, up to renaming processes and pages.

Owner slots, the shared mark, PG_double_map and the mark for a deferred split depend on how a state was reached, so
states are found by operations, breadth first: the first witness of a value is one of the shortest.

Pages are mapped and unmapped one by one.  More of them in one batch lead to the same states: what decides about the
deferred split after a batch is what is left, and if one part of a batch is reason for it, so is the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from ..runs import Run
from .ways import Way
from .world import Mapping, State, World, ones

Step = tuple[str, int, int, int]
"""An operation: its name, the process, and what else it needs (child, pages as bits, VMA)."""

QUESTIONS = ("mapped", "shared", "processes", "copy", "pss", "uss", "kpagecount", "partly", "entries")
"""What is asked in every state.  Each is compared with the truth: see _ask."""


class Worst(NamedTuple):
    """The largest value that was seen, and the operations that lead there."""

    value: Fraction
    steps: list[Step]


class Came(NamedTuple):
    """How a state was reached first: from where, by what, and the names there of its processes and pages, in order."""

    before: State | None
    step: Step | None
    processes: list[int]
    pages: list[int]


Seen = dict[State, Came]


class Result(NamedTuple):
    """What was found in all states.

    states     how many were visited, steps how many operations were tried
    worst      by name, see errors
    wrong      by question: towards which side some answer was wrong ("over", "under")
    """

    states: int
    steps: int
    worst: dict[str, Worst]
    wrong: dict[str, set[str]]
    complete: bool


def explore(
    way: Way, order: int, processes: int, *, file: bool = False, pmd: bool = True, vmas: int = 1, limit: int = 10**7
) -> Result:
    """Visit every state that at most `processes` processes at a time reach.

    anonymous   the first fault maps all, by PTEs and if `pmd` also by a PMD; then fork, unmap, split, exit
    file        every process maps and unmaps as it likes; `vmas` VMAs for the first process
    """
    world = World(way, order, processes, kind="shmem" if file else "anon", vmas=vmas)
    world.watch = True
    seen: Seen = {}
    frontier: list[State] = []
    result = Result(0, 0, {}, {question: set() for question in QUESTIONS}, True)
    tried = 0

    def reach(before: State | None, step: Step | None) -> None:
        state, processes, pages = canonical(world, way)
        if state not in seen:
            seen[state] = Came(before, step, processes, pages)
            frontier.append(state)

    for by_pmd in (False, True)[: 1 + pmd] if not file else (False,):
        world.clear()
        if not file:
            world.fault(0, pmd=by_pmd)
            reach(None, ("fault", 0, int(by_pmd), 0))
        else:
            reach(None, None)
    while frontier and len(seen) <= limit:
        states, frontier = frontier, []
        for state in states:
            world.load(state)
            world.false_partly = False
            _judge(world, state, seen, result)
            for step in list(_operations(world, file=file, pmd=pmd)):
                world.load(state)
                world.false_partly = False
                act(world, step)
                tried += 1
                if world.false_partly and "deferred.false" not in result.worst:
                    result.worst["deferred.false"] = Worst(Fraction(1), _path(state, seen))
                reach(state, step)
    return result._replace(states=len(seen), steps=tried, complete=not frontier)


def _operations(world: World, *, file: bool, pmd: bool) -> Iterator[Step]:
    live = world.live()
    free = [process for process in range(len(world.mms)) if process not in live]
    for process in live:
        if not file and free:
            yield "fork", process, free[0], 0
        yield "exit", process, 0, 0
        for vma, mapping in enumerate(world.maps[process]):
            for page in _kinds(world, mapping.pages):
                yield "unmap", process, 1 << page, vma
            if mapping.pmd and not file:
                yield "split", process, 0, vma
    if file:
        for process in [*live, *free[:1]]:
            for vma in range(world.vmas if process == 0 else 1):
                mapping = world.maps[process][vma]
                for page in _kinds(world, world.all & ~mapping.pages):
                    yield "map", process, 1 << page, vma
                if pmd and not mapping.pages:
                    yield "map-pmd", process, 0, vma


def _kinds(world: World, pages: int) -> list[int]:
    """One page of each kind: two that the same VMAs map lead to the same states."""
    kinds = {}
    for page in ones(pages):
        mapped = tuple(mapping.pages >> page & 1 for vmas in world.maps for mapping in vmas)
        kinds[world.way.head_page and not page, mapped] = page
    return list(kinds.values())


def act(world: World, step: Step) -> None:
    """Do an operation."""
    name, process, what, vma = step
    match name:
        case "fault":
            world.fault(process, pmd=bool(what))
        case "fork":
            world.fork(process, what)
        case "exit":
            world.exit(process)
        case "unmap":
            world.unmap(process, what, vma)
        case "split":
            world.split_pmd(process, vma)
        case "map":
            world.map(process, what, vma)
        case "map-pmd":
            world.map_pmd(process, vma)
        case _:
            raise ValueError(name)


def _judge(world: World, state: State, seen: Seen, result: Result) -> None:
    def path() -> list[Step]:
        return _path(state, seen)

    if not world.folio.references:
        return  # freed
    for name, value in errors(world):
        _note(result.worst, name, value, path)
    for question, told, true in _ask(world):
        if told != true:
            result.wrong[question].add("over" if told > true else "under")


def _note(worst: dict[str, Worst], name: str, value: Fraction, path: Callable[[], list[Step]]) -> None:
    if value > 0 and (name not in worst or value > worst[name].value):
        worst[name] = Worst(value, path())


def _path(state: State, seen: Seen) -> list[Step]:
    """The operations that lead to a state, with names that stay the same all the way."""
    way = [seen[state]]
    while way[-1].before is not None:
        way.append(seen[way[-1].before])
    steps: list[Step] = []
    processes, pages = list(range(len(way[0].processes))), list(range(len(way[0].pages)))
    for came in reversed(way):
        if came.step is not None:
            steps.append(_named(came.step, processes, pages))
        processes, pages = [processes[p] for p in came.processes], [pages[p] for p in came.pages]
    return steps


def _named(step: Step, processes: list[int], pages: list[int]) -> Step:
    name, process, what, vma = step
    if name == "fork":
        what = processes[what]
    elif name in ("map", "unmap"):
        what = sum(1 << pages[page] for page in ones(what))
    return name, processes[process], what, vma


def errors(world: World) -> list[tuple[str, Fraction]]:
    """How wrong each number is in this state, in pages; factors as they are.

    pss.over, pss.under      of one process; pss.times-over, pss.times-under the same as a factor
    pss-sum.over, .under     of all processes together
    uss.under, uss.over      pages that only this process maps and that are not told private, and the reverse
    kpagecount.over, .under  of one page
    deferred.missed          pages that nobody maps in a folio that is not marked as partially mapped
    """
    counts, told = world.counts(), world.told()
    unit = lcm(*{count for count in counts if count}, *{run.divisor for run in told})
    over: dict[str, Fraction] = {}
    sums = [0, 0]

    def note(name: str, value: Fraction) -> None:
        if value > over.get(name, 0):
            over[name] = value

    for process in world.live():
        says = true = private = 0
        for mapping in world.maps[process]:
            says += sum((mapping.pages & run.bits).bit_count() * unit // run.divisor for run in told)
            true += sum(unit // counts[page] for page in ones(mapping.pages))
            private += sum((mapping.pages & run.bits).bit_count() for run in told if run.private)
        note("pss.over", Fraction(says - true, unit))
        note("pss.under", Fraction(true - says, unit))
        note("pss.times-over", Fraction(says, true) if says > true else Fraction(0))
        note("pss.times-under", Fraction(true, says) if says < true else Fraction(0))
        alone = world.alone(process)
        has = sum((mapping.pages & alone).bit_count() for mapping in world.maps[process])
        note("uss.under", Fraction(has - private))
        note("uss.over", Fraction(private - has))
        sums[0] += says
        sums[1] += true
    note("pss-sum.over", Fraction(sums[0] - sums[1], unit))
    note("pss-sum.under", Fraction(sums[1] - sums[0], unit))
    for page, count in enumerate(counts):
        note("kpagecount.over", Fraction(world.kpagecount(page) - count))
        note("kpagecount.under", Fraction(count - world.kpagecount(page)))
    if world.folio.anon and not world.folio.partially_mapped:
        note("deferred.missed", Fraction(counts.count(0)))
    return list(over.items())


def _ask(world: World) -> Iterator[tuple[str, int | Fraction, int | Fraction]]:
    """Questions, what the way of counting answers, and the truth."""
    live, counts, told = world.live(), world.counts(), world.told()
    counting, folio = world.kernel.counting, world.folio
    mapcount = counting.folio_mapcount(folio)
    yield "mapped", int(mapcount > 0), int(bool(live))
    yield "shared", int(world.told_shared()), int(len(live) > 1)
    yield "processes", mapcount, len(live)
    yield "entries", mapcount, world.entries()
    if world.folio.anon:
        for process in live:
            for page in ones(world.maps[process][0].pages):
                if not world.maps[process][0].pmd:
                    yield "copy", int(not world.may_take_over()), int(counts[page] > 1)
        yield "partly", int(folio.partially_mapped), int(folio.partially_mapped if all(counts) else 1)
    for page, count in enumerate(counts):
        yield "kpagecount", world.kpagecount(page), count
    for process in live:
        alone = world.alone(process)
        says, true, private, has = Fraction(0), Fraction(0), 0, 0
        for mapping in world.maps[process]:
            for run in told:
                inside = (mapping.pages & run.bits).bit_count()
                says += Fraction(inside, run.divisor)
                private += inside if run.private else 0
            true += sum(Fraction(1, counts[page]) for page in ones(mapping.pages))
            has += (mapping.pages & alone).bit_count()
        yield "pss", says, true
        yield "uss", private, has


# --- symmetry ---


def canonical(world: World, way: Way) -> tuple[State, list[int], list[int]]:
    """The state with processes and pages in an order that depends on how they are used, not on their names.

    Renaming never changes an answer: page 0 stays where it is for a way that asks it.  The order is found by sorting to
    and fro, so two states that are the same up to names may keep two forms: more is visited then, nothing is missed.
    """
    state = world.save()
    slots = [
        tuple(count for owner, count in state.slots if owner == process) or (0,) for process in range(len(world.mms))
    ]
    where = [tuple(owner == process for owner, _ in state.slots) for process in range(len(world.mms))]
    processes = list(range(len(world.mms)))
    pages = list(range(world.pages))
    fixed = 1 if way.head_page else 0
    of = state.maps
    for _ in range(3):
        rank = {page: position for position, page in enumerate(pages)}
        shape = [tuple((-_moved(mapping.pages, rank), mapping.pmd) for mapping in of[process]) for process in processes]
        key = {
            process: (
                tuple(-mapping.pages.bit_count() for mapping in of[process]),
                slots[process], where[process], shape[position],
            )
            for position, process in enumerate(processes)
        }  # fmt: skip
        first = [0] if world.vmas > 1 else []  # only process 0 has two VMAs
        processes = first + sorted((p for p in processes if p not in first), key=lambda p: key[p])
        columns = {
            page: tuple(-(mapping.pages >> page & 1) for process in processes for mapping in of[process])
            for page in pages
        }
        pages = pages[:fixed] + sorted(pages[fixed:], key=lambda page: columns[page])
    rank = {page: position for position, page in enumerate(pages)}
    number = {process: position for position, process in enumerate(processes)}
    counts = {run.first + i: run.value for run in state.pages for i in range(run.end - run.first)}
    renamed = State(
        tuple(
            tuple(Mapping(_moved(mapping.pages, rank), mapping.pmd) for mapping in of[process]) for process in processes
        ),
        tuple((number[owner] if owner >= 0 else -1, count) for owner, count in state.slots),
        state.counters,
        (state.flags[0], 0),  # no answer of these depends on who has a page exclusively
        _by_runs({rank[page]: count for page, count in counts.items()}),
    )
    return renamed, processes, pages


def _moved(pages: int, rank: dict[int, int]) -> int:
    return sum(1 << rank[page] for page in ones(pages))


def _by_runs(counts: dict[int, int]) -> tuple[Run[int], ...]:
    found: list[Run[int]] = []
    for page, count in sorted(counts.items()):
        if found and found[-1].end == page and found[-1].value == count:
            found[-1] = found[-1]._replace(end=page + 1)
        else:
            found.append(Run(page, page + 1, count))
    return tuple(found)
