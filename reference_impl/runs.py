# SPDX-License-Identifier: MIT
"""Run-length maps from page numbers to values.

A page table that maps 512 pages of one folio is one run, not 512 objects.  A run may say something that moves
along with the page number (page 3 maps page 3 of the folio): such a map overrides `at` and `joins`.
"""

from __future__ import annotations

from bisect import bisect_right
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
            return self.at(self._values[i], page - self._firsts[i])
        return None

    def over(self, first: int, end: int) -> list[Run[V]]:
        """The runs inside [first, end), cut at its borders."""
        firsts, ends, values = self._firsts, self._ends, self._values
        found: list[Run[V]] = []
        i = max(bisect_right(firsts, first) - 1, 0)
        for j in range(i, len(firsts)):
            start, stop = firsts[j], ends[j]
            if start >= end:
                break
            if stop <= first:
                continue
            value = values[j]
            if start < first:
                value = self.at(value, first - start)
                start = first
            found.append(Run(start, min(stop, end), value))
        return found

    def any(self, first: int, end: int) -> bool:
        """Whether any page of [first, end) is there."""
        i = bisect_right(self._firsts, end - 1) - 1
        return i >= 0 and self._ends[i] > first

    def clear(self, first: int, end: int) -> None:
        """Remove [first, end)."""
        if first < end:
            self._splice(first, end, None)

    def put(self, first: int, end: int, value: V) -> None:
        """Set [first, end), whatever was there."""
        if first < end:
            self._splice(first, end, Run(first, end, value))

    def _splice(self, first: int, end: int, new: Run[V] | None) -> None:
        firsts, ends, values = self._firsts, self._ends, self._values
        low = bisect_right(firsts, first) - 1
        if low < 0 or ends[low] <= first:
            low += 1
        high = low
        while high < len(firsts) and firsts[high] < end:
            high += 1

        pieces: list[Run[V]] = []
        if low < high and firsts[low] < first:
            pieces.append(Run(firsts[low], first, values[low]))
        if new is not None:
            pieces.append(new)
        if low < high and ends[high - 1] > end:
            last = high - 1
            pieces.append(Run(end, ends[last], self.at(values[last], end - firsts[last])))

        # Take in the neighbours, so that equal neighbours become one run.
        if new is not None:
            if low > 0 and ends[low - 1] == pieces[0].first:
                low -= 1
                pieces.insert(0, Run(firsts[low], ends[low], values[low]))
            if high < len(firsts) and firsts[high] == pieces[-1].end:
                pieces.append(Run(firsts[high], ends[high], values[high]))
                high += 1
            pieces = self._merged(pieces)

        firsts[low:high] = [piece.first for piece in pieces]
        ends[low:high] = [piece.end for piece in pieces]
        values[low:high] = [piece.value for piece in pieces]

    def _merged(self, pieces: list[Run[V]]) -> list[Run[V]]:
        merged = [pieces[0]]
        for piece in pieces[1:]:
            last = merged[-1]
            if last.end == piece.first and self.joins(last.value, last.end - last.first, piece.value):
                merged[-1] = Run(last.first, piece.end, last.value)
            else:
                merged.append(piece)
        return merged


class Counts(Runs[int]):
    """A small number per page; a page that is absent has 0."""

    __slots__ = ()

    def add(self, first: int, end: int, delta: int) -> int:
        """Add to each page of [first, end); returns how many pages went from 0 or came to 0."""
        crossed = 0
        for run in self.over_all(first, end):
            after = run.value + delta
            if after == 0:
                crossed += run.end - run.first
                self.clear(run.first, run.end)
            else:
                if run.value == 0:
                    crossed += run.end - run.first
                self.put(run.first, run.end, after)
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
