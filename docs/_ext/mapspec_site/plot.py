# SPDX-License-Identifier: MIT
"""Line plots as SVG in the page: numbers of processes from left to right on a logarithmic scale.

Own code, because there is little of it, the build stays fast, and colours are those of the page in light and dark.
Lines differ by dashes and by a label at their end too, not only by colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, log10
from typing import NamedTuple

from .html import esc

WIDTH, HEIGHT = 360, 236
LEFT, RIGHT, TOP, BOTTOM = 44, 96, 26, 34


class Line(NamedTuple):
    """Points (x, y) from left to right, and what is written where the line ends."""

    label: str
    points: Sequence[tuple[float, float]]


def svg(lines: Sequence[Line], *, unit: str, alt: str) -> str:
    """The plot; `unit` stands above the scale, `alt` says the same in words."""
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    first, last = floor(log10(min(xs))), max(ceil(log10(max(xs))), floor(log10(min(xs))) + 1)
    ticks = _ticks(min(0.0, *ys), max(0.0, *ys))
    low, high = ticks[0], ticks[-1]

    def x_of(x: float) -> float:
        return LEFT + (log10(x) - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y_of(y: float) -> float:
        return HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg class="ms-plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{esc(alt)}">']
    for tick in ticks:
        y = y_of(tick)
        out.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        out.append(f'<text class="end" x="{LEFT - 5}" y="{y + 4:.1f}">{_number(tick)}</text>')
    for power in range(first, last + 1):
        x = x_of(10**power)
        out.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        out.append(f'<text class="mid" x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}">{10**power}</text>')
    out.append(f'<text class="mid" x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 4}">processes</text>')
    out.append(f'<text x="2" y="{TOP - 12}">{esc(unit)}</text>')
    ends = _apart([y_of(line.points[-1][1]) for line in lines])
    for number, (line, end) in enumerate(zip(lines, ends, strict=True)):
        points = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line.points)
        out.append(f'<polyline class="p{number}" points="{points}"/>')
        x, y = line.points[-1]
        out.append(f'<path class="lead p{number}" d="M{x_of(x) + 2:.1f} {y_of(y):.1f}L{WIDTH - RIGHT + 8} {end:.1f}"/>')
        out.append(f'<text x="{WIDTH - RIGHT + 11}" y="{end + 4:.1f}">{esc(line.label)}</text>')
    return "".join([*out, "</svg>"])


def _ticks(low: float, high: float) -> list[float]:
    """Four to seven round numbers that enclose everything."""
    if low == high:
        return [low, low + 1]
    rough = (high - low) / 4
    size = 10.0 ** floor(log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    return [step * number for number in range(floor(low / step + 1e-9), ceil(high / step - 1e-9) + 1)]


def _apart(places: list[float], distance: float = 13) -> list[float]:
    """Heights for labels that do not cover each other, near those they belong to."""
    order = sorted(range(len(places)), key=lambda number: places[number])
    placed = list(places)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + distance)
    for number, below in zip(reversed(order), reversed([*order[1:], None]), strict=True):
        most = HEIGHT - BOTTOM if below is None else placed[below] - distance
        placed[number] = min(placed[number], most)
    return placed


def _number(number: float) -> str:
    return f"{number:g}"
