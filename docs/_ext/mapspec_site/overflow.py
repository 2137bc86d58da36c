# SPDX-License-Identifier: MIT
"""The page about the limit of the reference count, from the recorded run in docs/refcount-overflow/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective, SphinxRole

from .html import esc, raw, table

FOLDER, NAME = "refcount-overflow", "limit.json"
COMMAND = "python -m reference_impl.limit --json docs/refcount-overflow/limit.json"
WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 62, 128, 18, 36


class Recorded(SphinxDirective):
    """A part of the page that is made from the record; it is made again when the record changes."""

    has_content = False

    def read(self) -> dict[str, Any]:
        path = Path(self.env.srcdir) / FOLDER / NAME
        self.env.note_dependency(str(path))
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return data

    def from_where(self, data: dict[str, Any]) -> str:
        link = f'<a href="{FOLDER}/{NAME}"><code>docs/{FOLDER}/{NAME}</code></a>'
        return f'<p class="ms-from">From {link}, {esc(data["date"])}: <code>{esc(COMMAND)}</code></p>'


class Climb(Recorded):
    """The counter by number of VMAs: recorded as far as the run went, and drawn on to where it wraps."""

    def run(self) -> list[nodes.Node]:
        data = self.read()
        return [raw(f"<figure class='ms-figure'>{_svg(data)}</figure>" + self.from_where(data))]


def _svg(data: dict[str, Any]) -> str:
    half = 1 << (data["bits"] - 1)
    per_vma = data["after"] + 2 * half - data["before"]
    crossed = data["crossed_at"]
    wrapped = crossed + -data["after"] // per_vma

    def x_of(vmas: float) -> float:
        return LEFT + vmas / wrapped * (WIDTH - LEFT - RIGHT)

    def y_of(count: float) -> float:
        return TOP + (half - count) / (2 * half) * (HEIGHT - TOP - BOTTOM)

    run = [(0.0, 0.0), *((point["vmas"], point["count"]) for point in data["points"] if point["count"] > 0)]
    run.append((crossed - 1, data["before"]))
    past = [(crossed, data["after"]), (data["vmas"], data["after"] + per_vma * (data["vmas"] - crossed))]
    alt = (
        f"The counter rises by {per_vma} with each VMA, from {data['before']} to {data['after']} at VMA {crossed}, and "
        f"would be 0 again at VMA {wrapped}."
    )
    out = [f'<svg class="ms-plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{esc(alt)}">']
    for count, label in ((half, "2³¹"), (0, "0"), (-half, "-2³¹")):
        y = y_of(count)
        out.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        out.append(f'<text class="end" x="{LEFT - 5}" y="{y + 4:.1f}">{label}</text>')
    for vmas, label in ((0, "0"), (wrapped / 2, "2²²"), (wrapped, "2²³")):
        x = x_of(vmas)
        out.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        out.append(f'<text class="mid" x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}">{label}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(f'<text class="mid" x="{middle:.0f}" y="{HEIGHT - 5}">VMAs, {per_vma} PTEs each</text>')
    out += [_line("p0", run, x_of, y_of), _line("p0", past, x_of, y_of)]
    out.append(_line("p1", [past[-1], (wrapped, 0)], x_of, y_of))
    beside = WIDTH - RIGHT + 8
    out.append(f'<text x="{beside}" y="{y_of(half / 2):.1f}">counts</text>')
    out.append(f'<text x="{beside}" y="{y_of(-half / 2):.1f}">alarm zone: who</text>')
    out.append(f'<text x="{beside}" y="{y_of(-half / 2) + 14:.1f}">looks is refused</text>')
    out.append(f'<text x="{beside}" y="{y_of(0) + 4:.1f}">wraps, not run</text>')
    return "".join([*out, "</svg>"])


def _line(style: str, points: list[tuple[float, float]], x_of: Any, y_of: Any) -> str:
    places = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in points)
    return f'<polyline class="{style}" points="{places}"/>'


class Steps(Recorded):
    """The counter at each power of two."""

    def run(self) -> list[nodes.Node]:
        data = self.read()
        rows = [[str(p["vmas"]), str(p["count"]), f"{p['seconds']:.1f}"] for p in data["points"]]
        shown = table(["VMAs", "the counter shows", "seconds"], rows, label="The counter by number of VMAs")
        summary = f"<summary>The counter at each power of two: {len(rows)} lines</summary>"
        return [raw(f'<details class="ms-numbers">{summary}{shown}</details>')]


class Past(Recorded):
    """What was tried past the limit."""

    def run(self) -> list[nodes.Node]:
        data = self.read()
        rows = [[esc(o["what"]), f"<code>{esc(o['result'])}</code>", str(o["count"])] for o in data["outcomes"]]
        head = ["Then, in this order", "it", "the counter shows"]
        return [raw(table(head, rows, label="What works past the limit") + self.from_where(data))]


class Routes(Recorded):
    """Ways to the limit, and what each costs a kernel."""

    def run(self) -> list[nodes.Node]:
        data = self.read()
        rows = [
            [esc(r["name"]), str(r["per_vma"]), f"{r['vmas']:,}", size(r["tables"]), size(r["structures"])]
            for r in data["routes"]
        ]
        head = ["Mapping", "references of one", "VMAs to 2<sup>31</sup>", "page tables", "VMAs in memory"]
        return [raw(table(head, rows, label="Ways to the limit") + self.from_where(data))]


def size(number: int) -> str:
    """Bytes with a unit."""
    for unit, power in (("TiB", 40), ("GiB", 30), ("MiB", 20)):
        if number >= 1 << power:
            return f"{number / (1 << power):.1f}&nbsp;{unit}"
    return f"{number}&nbsp;B"


class RunRole(SphinxRole):
    """A number of the recorded run: `{climb}vmas`, `{climb}memory` and so on."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        path = Path(self.env.srcdir) / FOLDER / NAME
        self.env.note_dependency(str(path))
        data = json.loads(path.read_text(encoding="utf-8"))
        value = data[self.text]
        if self.text == "memory":
            return [raw(size(value))], []
        return [nodes.Text(f"{value:.0f}" if isinstance(value, float) else f"{value}")], []


def copy(srcdir: Path, outdir: Path) -> None:
    """The file that the page links to."""
    if (srcdir / FOLDER / NAME).exists():
        (outdir / FOLDER).mkdir(exist_ok=True)
        (outdir / FOLDER / NAME).write_bytes((srcdir / FOLDER / NAME).read_bytes())


DIRECTIVES = {
    "overflow-climb": Climb, "overflow-steps": Steps, "overflow-past": Past, "overflow-routes": Routes,
}  # fmt: skip
