# SPDX-License-Identifier: MIT
"""Leaves out of a history what is not needed for two implementations to part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conformance.explore.comparison import Parting
from conformance.protocol import Operation

Play = Callable[[Sequence[Operation]], Parting | None]


def shorten(history: Sequence[Operation], found: Parting, play: Play) -> tuple[list[Operation], Parting]:
    """What is left when no operation can go, and where they part then: at its end, in the same thing."""
    kept = list(history[: found.number])
    again = True
    while again:
        again = False
        for left_out in reversed(range(len(kept) - 1)):
            shorter = kept[:left_out] + kept[left_out + 1 :]
            parting = play(shorter)
            if parting and parting.number == len(shorter) and parting.what.split()[0] == found.what.split()[0]:
                kept, found, again = shorter, parting, True
    return kept, found
