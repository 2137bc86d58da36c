# SPDX-License-Identifier: MIT
"""The worst PSS without the argument of convexity: all ways to spread entries over the pages of one process.

For m pages that are mapped s times in all, by at most k processes each, the least and the largest true PSS are found by
dynamic programming over the count of each page; then every number of entries on the other pages is tried.  So every
count of every page is covered, for small folios.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import NamedTuple

from .dial import Dial
from .ways import Way


class Proof(NamedTuple):
    """The largest over- and under-report of one process in pages, and how many sums were formed."""

    over: Fraction
    under: Fraction
    sums: int


def prove(way: Way, order: int, processes: int) -> Proof:
    """For a way of counting that divides all pages by one number."""
    n, k = 1 << order, processes
    dial = Dial(way, order, k)
    divisors = [1, *(dial.divisor(entries) for entries in range(1, n * k + 1))]
    if divisors != sorted(divisors):
        raise AssertionError(f"{way.name}: the divisor falls when an entry is added")
    unit = lcm(*range(1, k + 1))
    shares = [0, *(unit // count for count in range(1, k + 1))]
    over = under = Fraction(0)
    sums = 0
    least, most = {0: 0}, {0: 0}
    for m in range(1, n + 1):
        low: dict[int, int] = {}
        high: dict[int, int] = {}
        for entries, value in least.items():
            for count in range(1, k + 1):
                sums += 1
                now, total = entries + count, value + shares[count]
                if now not in low or total < low[now]:
                    low[now] = total
                total = most[entries] + shares[count]
                if now not in high or total > high[now]:
                    high[now] = total
        least, most = low, high
        for entries in least:
            first, last = divisors[entries], divisors[entries + (n - m) * (k - 1)]
            over = max(over, Fraction(m, first) - Fraction(least[entries], unit))
            under = max(under, Fraction(most[entries], unit) - Fraction(m, last))
    return Proof(over, under, sums)
