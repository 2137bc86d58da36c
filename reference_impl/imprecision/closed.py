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
    "pss.under": "n/4 with two processes; else the largest over d of p less p/d, d the divisor, p its pages",
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
        "pss.under": _under(n, k),
        "pss.times-under": max(Fraction(3, 2), Fraction(((n - 1) * (k - 1) + 1 + n // 2) // n)),
        "pss-sum.over": Fraction(most + -most // k),
        "pss-sum.under": Fraction(n, 4),
        "uss.under": Fraction(n if k > 2 else n - 1),
        "kpagecount.over": Fraction((k * (n - 1) + n // 2) // n),
        "kpagecount.under": Fraction(k - max(1, (k + n // 2) // n)),
        "deferred.missed": Fraction(n + -n // k),
    }
    return values.get(name)


def _under(n: int, k: int) -> Fraction:
    """The most that one process is told too little: the largest over the divisor d, and p, the pages of the process.

    d needs (d - 1/2) n PTEs: p of the process, (k - 1)(n - p) of the others elsewhere, and the rest heaped on as few as
    possible of the p pages.  Without a rest p is at most ((k - 1) n - (d - 1/2) n) / (k - 2), and p (d - 1) / d is
    missing.  The largest value is near that p, at p = n, or where the rest fills whole pages: there p and the number of
    PTEs leave the same remainder by k - 1.
    """
    worst = Fraction(0)
    for d in range(2, k + 1):
        lowest = (2 * d - 1) * n // 2
        border = ((k - 1) * n - lowest) // (k - 2) if k > 2 else n
        fills = border + (lowest - border) % (k - 1)
        for p in {n, fills, n - (n - lowest) % (k - 1), *range(border - 2, border + 3)}:
            if not 1 <= p <= n:
                continue
            heaped = max(0, lowest - p - (k - 1) * (n - p))
            if heaped <= (k - 1) * p:
                full, rest = divmod(heaped, k - 1)
                true = p - full * Fraction(k - 1, k) - Fraction(rest, rest + 1)
                worst = max(worst, true - Fraction(p, d))
    return worst
