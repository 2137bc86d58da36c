# SPDX-License-Identifier: MIT
"""Run-length maps from page numbers to values.

A page table that maps 512 pages of one folio is one run, not 512 objects.  A run may say something that moves
along with the page number (page 3 maps page 3 of the folio): such a map overrides `at` and `joins`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

V = TypeVar("V")


class Run(NamedTuple, Generic[V]):
    """Pages `first` up to, not including, `end`; `value` is what holds for the page `first`."""

    first: int
    end: int
    value: V


class Runs(Generic[V]):
    """A map from page numbers to values, kept as sorted runs without overlap.  Pages may be absent."""

    __slots__ = ("_ends", "_firsts", "_values")

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._ends: list[int] = []
        self._values: list[V] = []

    def at(self, value: V, distance: int) -> V:
        """The value that holds `distance` pages after a page that has `value`."""
        return value

    def joins(self, before: V, length: int, after: V) -> bool:
        """Whether a run of `length` pages with `before` and one with `after` next to it are one run."""
        return self.at(before, length) == after

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __len__(self) -> int:
        """How many runs there are."""
        return len(self._firsts)

    def __iter__(self) -> Iterator[Run[V]]:
        return iter([Run(*run) for run in zip(self._firsts, self._ends, self._values, strict=True)])

    def run(self, page: int) -> Run[V] | None:
        """The whole run that a page is in; its value is that of its first page."""
        i = bisect_right(self._firsts, page) - 1
        if i >= 0 and page < self._ends[i]:
            return Run(self._firsts[i], self._ends[i], self._values[i])
        return None

    def get(self, page: int) -> V | None:
        """The value of one page."""
        i = bisect_right(self._firsts, page) - 1
        if i >= 0 and page < self._ends[i]:
            distance = page - self._firsts[i]
            return self.at(self._values[i], distance) if distance else self._values[i]
        return None

    def over(self, first: int, end: int) -> list[Run[V]]:
        """The runs inside [first, end), cut at its borders."""
        firsts, ends, values = self._firsts, self._ends, self._values
        low, high = bisect_right(ends, first), bisect_left(firsts, end)
        if low >= high or first >= end:
            return []
        if high - low == 1:
            start, stop, value = firsts[low], ends[low], values[low]
            if start < first:
                value, start = self.at(value, first - start), first
            return [Run(start, min(stop, end), value)]
        found = [Run(firsts[i], ends[i], values[i]) for i in range(low, high)]
        start, stop, value = found[0]
        if start < first:
            found[0] = Run(first, stop, self.at(value, first - start))
        start, stop, value = found[-1]
        if stop > end:
            found[-1] = Run(start, end, value)
        return found

    def any(self, first: int, end: int) -> bool:
        """Whether any page of [first, end) is there."""
        i = bisect_right(self._firsts, end - 1) - 1
        return i >= 0 and self._ends[i] > first

    def clear(self, first: int, end: int) -> None:
        """Remove [first, end)."""
        if first >= end:
            return
        firsts, ends, values = self._firsts, self._ends, self._values
        # The runs from `low` up to, not including, `high` have pages in [first, end).
        low, high = bisect_right(ends, first), bisect_left(firsts, end)
        if low >= high:
            return
        new_firsts: list[int] = []
        new_ends: list[int] = []
        new_values: list[V] = []
        if firsts[low] < first:
            new_firsts.append(firsts[low])
            new_ends.append(first)
            new_values.append(values[low])
        if ends[high - 1] > end:
            new_firsts.append(end)
            new_ends.append(ends[high - 1])
            new_values.append(self.at(values[high - 1], end - firsts[high - 1]))
        firsts[low:high], ends[low:high], values[low:high] = new_firsts, new_ends, new_values

    def put(self, first: int, end: int, value: V) -> None:
        """Set [first, end), whatever was there.  Neighbours that are like it become one run with it."""
        if first >= end:
            return
        firsts, ends, values = self._firsts, self._ends, self._values
        if (
            not ends
            or ends[-1] < first
            or (ends[-1] == first and not self.joins(values[-1], first - firsts[-1], value))
        ):
            if values and values[-1] == value:
                value = values[-1]  # one object for all runs that are alike
            firsts.append(first)
            ends.append(end)
            values.append(value)
            return
        # The runs from `low` up to, not including, `high` have pages in [first, end) or lie next to it.
        low, high = bisect_left(ends, first), bisect_right(firsts, end)
        new_firsts, new_ends, new_values = [first], [end], [value]
        if low < high and ends[high - 1] > end:
            last = high - 1
            rest = self.at(values[last], end - firsts[last]) if firsts[last] < end else values[last]
            if self.joins(value, end - first, rest):
                new_ends[0] = ends[last]
            else:
                new_firsts.append(end)
                new_ends.append(ends[last])
                new_values.append(rest)
        if low < high and firsts[low] < first:
            if self.joins(values[low], first - firsts[low], value):
                new_firsts[0], new_values[0] = firsts[low], values[low]
            else:
                new_firsts.insert(0, firsts[low])
                new_ends.insert(0, first)
                new_values.insert(0, values[low])
        firsts[low:high], ends[low:high], values[low:high] = new_firsts, new_ends, new_values


class Counts(Runs[int]):
    """A small number per page; a page that is absent has 0."""

    __slots__ = ()

    def add(self, first: int, end: int, delta: int) -> int:
        """Add to each page of [first, end); returns how many pages went from 0 or came to 0."""
        if self._firsts == [first] and self._ends == [end] and self._values[0] + delta:
            self._values[0] += delta  # the usual case
            return 0
        crossed = 0
        for start, stop, before in self.over_all(first, end):
            after = before + delta
            if after:
                self.put(start, stop, after)
            else:
                self.clear(start, stop)
            if not before or not after:
                crossed += stop - start
        return crossed

    def over_all(self, first: int, end: int) -> list[Run[int]]:
        """As `over`, with the pages that have 0."""
        found: list[Run[int]] = []
        page = first
        for run in self.over(first, end):
            if page < run.first:
                found.append(Run(page, run.first, 0))
            found.append(run)
            page = run.end
        if page < end:
            found.append(Run(page, end, 0))
        return found

    def pages(self, first: int, end: int) -> int:
        """How many pages of [first, end) do not have 0."""
        return sum(run.end - run.first for run in self.over(first, end))

    def total(self) -> int:
        """The sum over all pages."""
        return sum((run.end - run.first) * run.value for run in self)
