# SPDX-License-Identifier: MIT
"""A search that knows nothing about averages or convexity: hill climbing over states, from several starts.

A state is three groups of processes, each of which maps one range of pages.  The first group is one process, the one
that is looked at.  A step changes one number of one group, or a few that belong together, by a power of two.  What it
finds can only be less than the worst; that it finds the same as extremes.py is evidence, not proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import NamedTuple

from .ways import Way
from .world import World, bits

SEARCHED = (
    "pss.over", "pss.times-over", "pss.under", "pss.times-under", "pss-sum.over", "pss-sum.under", "kpagecount.over",
    "kpagecount.under",
)  # fmt: skip
"""What does not depend on the order of operations."""

BUDGET = 250
"""States that are built from one start, at most."""


class Group(NamedTuple):
    """So many processes that map the pages [first, first + pages) by PTEs."""

    processes: int
    first: int
    pages: int


Shape = tuple[Group, Group, Group]


class Found(NamedTuple):
    """The largest value, where it is, and how many states were built to find it."""

    value: Fraction
    shape: Shape
    built: int


def build(way: Way, order: int, shape: Shape) -> World:
    """A folio of a file that these groups map, counted by the strategy."""
    world = World(way, order, sum(group.processes for group in shape), kind="shmem")
    kept = [bits(group.first, group.pages) for group in shape for _ in range(group.processes)]
    for process, pages in enumerate(kept):
        world.map(process, pages)
    return world


def errors(world: World, shape: Shape) -> dict[str, Fraction]:
    """As histories.errors: of the first process, of the sum, and of the worst page.  One process stands for a group."""
    told, segments = world.told(), list(_segments(world.pages, shape))
    says = [
        sum((Fraction((bits(g.first, g.pages) & run.bits).bit_count(), run.divisor) for run in told), Fraction(0))
        for g in shape
    ]
    own = bits(shape[0].first, shape[0].pages)
    true = sum((Fraction(end - first, count) for first, end, count in segments if own >> first & 1), Fraction(0))
    together = sum((group.processes * one for group, one in zip(shape, says, strict=True)), Fraction(0))
    mapped = sum(end - first for first, end, count in segments if count)
    return {
        "pss.over": says[0] - true,
        "pss.under": true - says[0],
        "pss.times-over": says[0] / true,
        "pss.times-under": true / says[0],
        "pss-sum.over": together - mapped,
        "pss-sum.under": mapped - together,
        "kpagecount.over": max(Fraction(world.kpagecount(first) - count) for first, _, count in segments),
        "kpagecount.under": max(Fraction(count - world.kpagecount(first)) for first, _, count in segments),
    }


def _segments(pages: int, shape: Shape) -> Iterator[tuple[int, int, int]]:
    """Runs of pages with the same number of mappings: first page, end, number."""
    cuts = sorted({0, pages} | {border for g in shape for border in (g.first, g.first + g.pages)})
    for first, end in pairwise(cuts):
        yield first, end, sum(g.processes for g in shape if g.first <= first < g.first + g.pages)


def climb(way: Way, order: int, processes: int, name: str, known: Iterable[Shape] = ()) -> Found:
    """The worst that is found for this error, from the three best starts and from shapes that are `known`."""
    seen: dict[Shape, Fraction] = {}

    def value(shape: Shape) -> Fraction:
        if shape not in seen:
            seen[shape] = errors(build(way, order, shape), shape)[name]
        return seen[shape]

    ranked = sorted(starts(order, processes), key=lambda shape: -value(shape))
    best, where = Fraction(0), ranked[0]
    for at in [*ranked[:3], *known]:
        score, before, better = value(at), len(seen), True
        while better:
            better = False
            for shape in _neighbours(at, 1 << order, processes):
                if len(seen) - before >= BUDGET:
                    break
                if value(shape) > score:
                    at, score, better = shape, seen[shape], True
                    break
        if score > best:
            best, where = score, at
    return Found(best, where, len(seen))


def _neighbours(shape: Shape, pages: int, processes: int) -> Iterator[Shape]:
    steps = [sign << power for power in range(max(pages, processes).bit_length()) for sign in (1, -1)]
    moves = [{index: step} for index in range(1, 9) for step in steps]
    moves += [{i: step, i - 1: -step} for i in (5, 8) for step in steps]  # the lower border of a range
    moves += [{2: step, 4: step, 5: -step} for step in steps]  # the border between the first group and the second
    moves += [{2: step, 5: step, 6: -step} for step in steps]
    moves += [{2: s, 5: s, 8: t} for s in steps[:4] for t in steps]
    moves += [
        {i: s, j: t} for i in range(1, 9) for j in range(i + 1, 9) for s in steps[:6] for t in (s, -s, 1, -1)
    ]  # fmt: skip
    numbers = [number for group in shape for number in group]
    for move in moves:
        new = [number + move.get(index, 0) for index, number in enumerate(numbers)]
        groups = (Group(*new[0:3]), Group(*new[3:6]), Group(*new[6:9]))
        if sum(group.processes for group in groups) <= processes and all(
            g.processes >= 0 and g.first >= 0 and g.pages >= 1 and g.first + g.pages <= pages for g in groups
        ):
            yield groups


def starts(order: int, processes: int) -> list[Shape]:
    """Everybody maps the same; one process here and the rest there; two at random, the same on every run."""
    n, random = 1 << order, Random(order * 1009 + processes)
    nobody = Group(0, 0, 1)
    found: list[Shape] = []
    for others in sorted({1, min(2, processes - 1), processes - 1}):
        for p in sorted({1, 2, n // 4, n // 2, 3 * n // 4, n - 1, n}):
            found.append((Group(1, 0, p), Group(others, 0, p), nobody))
            if p < n:
                found.append((Group(1, 0, p), Group(others, p, n - p), nobody))
            if p > 1:
                found.append((Group(1, 0, n), Group(others, 0, p), nobody))
                found.append((Group(1, 0, p - 1), Group(others - 1, 0, p - 1), Group(1, 0, p)))
    for _ in range(2):
        left = random.randint(0, processes - 1)
        sizes = [random.randint(1, n) for _ in range(3)]
        a, b, c = ((random.randint(0, n - size), size) for size in sizes)
        found.append((Group(1, *a), Group(left, *b), Group(processes - 1 - left, *c)))
    return found


def twice(shape: Shape) -> Shape:
    """The same on a folio of the next order."""
    a, b, c = (Group(group.processes, 2 * group.first, 2 * group.pages) for group in shape)
    return a, b, c
