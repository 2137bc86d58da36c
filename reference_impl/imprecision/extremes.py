# SPDX-License-Identifier: MIT
"""The worst states of a folio of any order, mapped by up to so many processes, each page once by each.

Where one divisor holds for all pages, what a process is told depends on the number of PTEs of the folio only, and what
is true on how often each of its own pages is mapped.  1/c is convex in c.  So, for a given number of PTEs,

* the true PSS of a process with m pages is least if its pages are mapped equally often: for the largest over-report
  only the m, and for each divisor the largest number of PTEs, have to be tried;
* it is largest if all of its pages but one are mapped either once or by everybody: for the largest under-report only
  the m, and for each divisor the smallest number of PTEs, have to be tried.

A PMD is told like PTEs for all pages (a test holds the two against each other), so it adds nothing.  Every worst state
that is found is reached by fork and unmap, and what is reported is what smaps says there.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from .dial import Step, steps
from .histories import errors
from .ways import Way
from .world import World, bits, runs

Groups = list[tuple[int, int]]
"""So many processes, and the pages (as bits) that each of them maps at the end."""


class Extreme(NamedTuple):
    """A worst value and a state that has it: processes of `groups` fork from one, and unmap what they do not keep."""

    value: Fraction
    groups: Groups
    tried: int = 1


def reach(way: Way, order: int, groups: Groups, *, gone: int = 0) -> World:
    """One process faults the folio and forks the others; then `gone` processes exit, and the rest unmap."""
    processes = gone + sum(number for number, _ in groups)
    world = World(way, order, processes)
    world.fault(0)
    for child in range(1, processes):
        world.fork(0, child)
    for process in range(gone):
        world.exit(process)
    process = gone
    for number, pages in groups:
        for _ in range(number):
            world.unmap(process, world.all & ~pages)
            process += 1
    return world


def extremes(way: Way, order: int, processes: int) -> dict[str, tuple[Extreme, World]]:
    """By name of the error (see histories.errors): the worst, and the world that was driven there."""
    found: dict[str, tuple[Extreme, World]] = {}
    for name, extreme, gone in _candidates(way, order, processes):
        world = reach(way, order, extreme.groups, gone=gone)
        value = dict(errors(world)).get(name, Fraction(0))
        if value != extreme.value:
            raise AssertionError(f"{way.name} order {order}, {processes}: {name} is {value}, not {extreme.value}")
        if value:
            found[name] = extreme, world
    return found


def _candidates(way: Way, order: int, processes: int) -> Iterable[tuple[str, Extreme, int]]:
    n, k = 1 << order, processes
    if not way.averages:
        return
    if k < 2:
        return
    missed, uss = _deferred(way, order, k), 2 if k > 2 else 0
    yield "deferred.missed", missed, 0
    alone: Groups = [(1, bits(0, n))] if uss else [(1, bits(0, n)), (1, 1)]
    if "table-mapcount" in way.name:
        alone, uss = [(1, bits(0, n)), (1, 1)], 0
    yield "uss.under", Extreme(Fraction(n if uss else n - 1), alone), uss
    if way.make is None or "total" in way.name:
        of = steps(way, order, k)
        yield from ((name, extreme, 0) for name, extreme in _average(n, k, of))
    elif "table-mapcount" in way.name:
        yield from ((name, extreme, 0) for name, extreme in _table(n, k))
    else:
        yield from _many(n, k)


# --- one divisor, by the number of PTEs ---


def _average(n: int, k: int, of: list[Step]) -> Iterable[tuple[str, Extreme]]:
    yield "pss.over", _over(n, k, of)
    yield "pss.times-over", _over(n, k, of, factor=True)
    yield "pss.under", _under(n, k, of)
    yield "pss.times-under", _under(n, k, of, factor=True)
    yield "pss-sum.over", _sum_over(k, of)
    yield "pss-sum.under", _sum_under(n, k, of)
    divisor = _divisor(of, k * (n - 1))
    yield "kpagecount.over", Extreme(Fraction(divisor), [(k, bits(1, n - 1))])
    best = max(range(1, k + 1), key=lambda number: number - _divisor(of, number))
    yield "kpagecount.under", Extreme(Fraction(best - _divisor(of, best)), [(best, 1)], k)


def _divisor(of: list[Step], entries: int) -> int:
    return next(step.divisor for step in of if step.lowest <= entries <= step.highest)


def _over(n: int, k: int, of: list[Step], *, factor: bool = False) -> Extreme:
    """The largest over-report of one process with m pages, mapped equally often."""
    best, tried = Extreme(Fraction(0), []), 0
    for step in of:
        for m in range(1, n + 1):
            entries = min(step.highest, m * k)
            # No process is told more than m / divisor, nor by a larger factor than its pages are mapped on average.
            if (Fraction(entries, m * step.divisor) if factor else Fraction(m, step.divisor)) <= best.value:
                continue
            if entries < max(step.lowest, m):
                continue
            tried += 1
            count, more = divmod(entries, m)
            true = Fraction(m - more, count) + Fraction(more, count + 1)
            told = Fraction(m, step.divisor)
            value = told / true if factor else told - true
            if value > best.value:
                best = Extreme(value, [(1, bits(0, m)), *_spread(entries - m, 0, m)])
    return best._replace(tried=tried)


def _under(n: int, k: int, of: list[Step], *, factor: bool = False) -> Extreme:
    """The largest under-report of one process with m pages, mapped once or by all."""
    best, tried, state = Extreme(Fraction(0), []), 0, (0, 0)
    for step in reversed(of):
        for m in range(n, 0, -1):
            if (step.divisor if factor else Fraction(m * (step.divisor - 1), step.divisor)) <= best.value:
                continue
            outside = (n - m) * (k - 1)
            more = max(0, step.lowest - outside - m)
            if more > m * (k - 1):
                continue
            tried += 1
            full, part = divmod(more, k - 1)
            true = m - full - bool(part) + Fraction(full, k) + (Fraction(1, 1 + part) if part else 0)
            told = Fraction(m, step.divisor)
            value = true / told if factor else true - told
            if value > best.value:
                best, state = Extreme(value, []), (m, step.lowest)
    m, lowest = state
    if not m:
        return best._replace(tried=tried)
    more = max(0, lowest - (n - m) * (k - 1) - m)
    full, part = divmod(more, k - 1)
    # The others map the last `full` pages of the process, `part` of them one more, and what they need beyond it.
    inside = [bits(m - full - (number < part), full + (number < part)) for number in range(k - 1)]
    beyond = [0] * (k - 1)
    left = lowest - m - more
    for number in range(k - 1):
        count = min(n - m, -(-left // (k - 1 - number)))
        beyond[number] = bits(n - count, count)
        left -= count
    groups: Groups = [(1, bits(0, m))]
    for pages in (a | b for a, b in zip(inside, beyond, strict=True)):
        if pages:
            groups = _add(groups, pages)
    return Extreme(best.value, groups, tried)


def _sum_over(k: int, of: list[Step]) -> Extreme:
    """All processes together: as many PTEs on as few pages as possible."""
    best = Extreme(Fraction(0), [])
    tried = 0
    for step in of:
        for entries in {step.highest, max(step.lowest, step.highest // k * k)}:
            tried += 1
            pages = -(-entries // k)
            value = Fraction(entries, step.divisor) - pages
            if value > best.value:
                best = Extreme(value, _spread(entries, 0, pages))
    return best._replace(tried=tried)


def _sum_under(n: int, k: int, of: list[Step]) -> Extreme:
    """All processes together: as few PTEs on as many pages as possible."""
    best, tried = Extreme(Fraction(0), []), 0
    for step in of:
        entries = max(step.lowest, min(n, step.highest))
        tried += 1
        value = min(n, entries) - Fraction(entries, step.divisor)
        if value > best.value:
            best = Extreme(value, _spread(entries, 0, min(n, entries)))
    return best._replace(tried=tried)


def _spread(entries: int, first: int, pages: int) -> Groups:
    """Processes that map `entries` pages of [first, first + pages), each page equally often, as few as possible."""
    groups: Groups = []
    full, rest = divmod(entries, pages)
    if full:
        groups.append((full, bits(first, pages)))
    if rest:
        groups.append((1, bits(first, rest)))
    return groups


def _add(groups: Groups, pages: int) -> Groups:
    if groups[1:] and groups[-1][1] == pages:
        return [*groups[:-1], (groups[-1][0] + 1, pages)]
    return [*groups, (1, pages)]


def _deferred(way: Way, order: int, k: int) -> Extreme:
    """As few pages as possible, all mapped by all, so that no unmap noticed; found by trying."""
    n = 1 << order

    def missed(pages: int) -> bool:
        return not reach(way, order, [(k, bits(0, pages))]).folio.partially_mapped

    low, high, tried = 0, n, 0
    while high - low > 1:
        middle = (low + high) // 2
        tried += 1
        if missed(middle):
            high = middle
        else:
            low = middle
    return Extreme(Fraction(n - high), [(k, bits(0, high))], tried)


# --- proposals with one count of VMAs ---


def _table(n: int, k: int) -> Iterable[tuple[str, Extreme]]:
    """Divided by the number of VMAs: never too much."""
    apart: Groups = [(1, bits(0, n - 1)), (k - 1, bits(n - 1, 1))]
    yield "pss.under", Extreme(Fraction((n - 1) * (k - 1), k), apart)
    yield "pss.times-under", Extreme(Fraction(k), apart)
    parts = min(n, k)
    groups = [(1, bits(0, n - parts + 1)), *((1, bits(page, 1)) for page in range(n - parts + 1, n))]
    if k > n:
        groups[-1] = (k - n + 1, groups[-1][1])
    says = Fraction(n - parts + 1 + sum(number for number, _ in groups[1:]), k)
    yield "pss-sum.under", Extreme(n - says, groups)
    yield "kpagecount.over", Extreme(Fraction(k), [(k, bits(1, n - 1))])


def _many(n: int, k: int) -> Iterable[tuple[str, Extreme, int]]:
    """Divided by at most 3, and by 3 for ever."""
    if k < 3:
        yield from ((name, extreme, 0) for name, extreme in _table(n, k))
        return
    yield "pss.under", Extreme(Fraction(2 * n, 3), [(1, bits(0, n))]), 2
    yield "pss.times-under", Extreme(Fraction(3), [(1, bits(0, n))]), 2
    yield "pss-sum.under", Extreme(Fraction(2 * n, 3), [(1, bits(0, n))]), 2
    everybody: Groups = [(k, bits(0, n))]
    yield "pss.over", Extreme(Fraction(n, 3) - Fraction(n, k), everybody), 0
    yield "pss.times-over", Extreme(Fraction(k, 3) if k > 3 else Fraction(0), everybody), 0
    yield "pss-sum.over", Extreme(Fraction(n * k, 3) - n, everybody), 0
    yield "kpagecount.over", Extreme(Fraction(3), [(1, bits(0, n - 1))]), 2
    yield "kpagecount.under", Extreme(Fraction(k - 3), everybody), 0


def described(groups: Groups) -> list[dict[str, object]]:
    """Groups as they are recorded: how many processes, and ranges of pages, first and last."""
    return [
        {"processes": number, "pages": [[first, first + count - 1] for first, count in runs(pages)]}
        for number, pages in groups
    ]
