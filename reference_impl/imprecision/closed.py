# SPDX-License-Identifier: MIT
"""Closed forms of the worst errors when smaps divides by the average.  They are held against the search, never shown
in its place.

n is the number of pages of the folio (4 or more), k of processes.  One divisor holds as long as there are less than
1.5 n PTEs.
"""

from __future__ import annotations

from fractions import Fraction

FORMULAS = {
    "pss.over": "3n/8 - 1/3, with two processes 3n/8 - 1/2",
    "pss.times-over": "the smaller of k and 1.5 n - 1",
    "pss.times-under": "((n-1)(k-1) + 1) / n, rounded half up; with two processes 1.5",
    "pss-sum.over": "1.5 n - 1 less 1/k of it, that rounded up",
    "pss-sum.under": "n/4",
    "uss.under": "n, with two processes n - 1",
    "kpagecount.over": "k (n-1) / n, rounded half up",
    "kpagecount.under": "k less k/n, that rounded half up and at least 1",
    "deferred.missed": "n less n/k, that rounded up",
}


def closed(name: str, n: int, k: int) -> Fraction | None:
    """The value that the closed form gives, in pages, or as a factor; None where there is none."""
    if k < 2:
        return None
    most = n + n // 2 - 1
    values = {
        "pss.over": Fraction(3 * n, 8) - (Fraction(1, 2) if k == 2 else Fraction(1, 3)),
        "pss.times-over": Fraction(min(k, most)),
        "pss.times-under": max(Fraction(3, 2), Fraction(((n - 1) * (k - 1) + 1 + n // 2) // n)),
        "pss-sum.over": Fraction(most + -most // k),
        "pss-sum.under": Fraction(n, 4),
        "uss.under": Fraction(n if k > 2 else n - 1),
        "kpagecount.over": Fraction((k * (n - 1) + n // 2) // n),
        "kpagecount.under": Fraction(k - max(1, (k + n // 2) // n)),
        "deferred.missed": Fraction(n + -n // k),
    }
    return values.get(name)
