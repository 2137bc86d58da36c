# SPDX-License-Identifier: MIT
"""What docs/imprecision/ holds: the answers of the searches as JSON, the same on every run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from . import climb, closed, operations
from .extremes import described, extremes
from .histories import Step, explore
from .patterns import patterns
from .proof import prove
from .ways import WAYS, WITHOUT, Way
from .world import ones

Rows = dict[str, Any]

ORDERS = (2, 3, 4, 5, 6, 7, 8, 9, 11, 13)
PROCESSES = (2, 3, 10, 100, 1000)
PROVED = ((2, 2), (2, 3), (2, 10), (3, 2), (3, 3), (3, 10), (4, 2), (4, 3), (4, 10), (4, 100), (5, 2), (5, 3), (5, 10))
HISTORIES = ((2, 2), (2, 3), (3, 2))
LONG = ((2, 4),)
"""Not for all ways: a minute and a half."""


CURVE = (2, 3, 4, 5, 7, 10, 20, 30, 50, 100, 200, 300, 500, 767, 1000)
"""Numbers of processes for a curve, at order 9."""


def worst() -> Rows:
    """The worst states by way, order and number of processes."""
    rows = []
    for order in ORDERS:
        for number in CURVE if order == 9 else PROCESSES:
            if order <= 9 or number <= 100:
                rows += worst_of(WAYS[WITHOUT], order, number)
    for name, orders in (
        ("proposal-total-mapped-pages", (2,)),
        ("proposal-table-mapcount", (2, 9)),
        ("proposal-zero-one-two-many", (2, 9)),
    ):
        for order in orders:
            for number in PROCESSES:
                rows += worst_of(WAYS[name], order, number)
    return {"rows": rows, "formulas": closed.FORMULAS}


def worst_of(way: Way, order: int, number: int) -> list[Rows]:
    """The rows of one way, order and number of processes."""
    proof = prove(way, order, number) if way.name == WITHOUT and (order, number) in PROVED else None
    rows: list[Rows] = []
    for error, (extreme, world) in extremes(way, order, number).items():
        row: Rows = {"way": way.name, "order": order, "processes": number, "error": error, "value": str(extreme.value)}
        if proof and error in ("pss.over", "pss.under"):
            row["proved"] = extreme.value == (proof.over if error == "pss.over" else proof.under)
        if way.averages and (way.name == WITHOUT or "total" in way.name):
            form = closed.closed(error, 1 << order, number)
            row["closed"] = None if form is None else form == extreme.value
        row["tried"] = extreme.tried
        if gone := len(world.mms) - sum(count for count, _ in extreme.groups):
            row["gone"] = gone
        row["state"] = described(extreme.groups)
        rows.append(row)
    return rows


def histories(pairs: Iterable[tuple[int, int]] = HISTORIES, more: Iterable[tuple[int, int]] = LONG) -> Rows:
    """All states of small folios."""
    rows = []
    for name in WAYS:
        for order, number in pairs:
            for file in (False, True):
                rows.append(history(name, order, number, file, 1))
        rows.append(history(name, 2, 2, True, 2))
    rows += [
        history(name, order, number, file, 1)
        for name in (WITHOUT, "proposal-table-mapcount", "proposal-zero-one-two-many")
        for order, number in more
        for file in (False, True)
    ]
    return {"rows": rows}


def history(name: str, order: int, number: int, file: bool, vmas: int) -> Rows:
    """One row: all states of one way of counting."""
    result = explore(WAYS[name], order, number, file=file, vmas=vmas)
    return {
        "way": name, "order": order, "processes": number, "folio": "file" if file else "anonymous", "vmas": vmas,
        "states": result.states, "operations": result.steps, "complete": result.complete,
        "worst": {error: [str(worst.value), told(worst.steps)] for error, worst in sorted(result.worst.items())},
        "wrong": {question: sorted(sides) for question, sides in result.wrong.items()},
    }  # fmt: skip


def told(steps: list[Step]) -> list[str]:
    """A witness as words: what each process does.  P0 is the first."""
    lines = []
    for name, process, what, _ in steps:
        pages = ",".join(map(str, ones(what)))
        lines.append(
            {
                "fault": f"P{process} faults {'a PMD' if what else 'all'}",
                "fork": f"P{process} forks P{what}",
                "exit": f"P{process} exits",
                "unmap": f"P{process} unmaps {pages}",
                "split": f"P{process} splits its PMD",
                "map": f"P{process} maps {pages}",
                "map-pmd": f"P{process} maps a PMD",
            }[name]
        )
    return lines


def counting() -> Rows:
    """Sizes and costs."""
    return {"orders": [0, 2, 4, 9], "order": 9, "ways": operations.table((0, 2, 4, 9), 9)}


CLIMBED = (2, 3, 10, 100)
"""Numbers of processes for the local search, at orders 2 to 9."""


def climbs(orders: Iterable[int] = range(2, 10), numbers: tuple[int, ...] = CLIMBED) -> Rows:
    """What the local search finds.  It begins at what it found for the order before and for less processes, too."""
    rows: list[Rows] = []
    best: dict[tuple[int, int, str], climb.Shape] = {}
    for order in orders:
        for at, number in enumerate(numbers):
            for error in climb.SEARCHED:
                known = [climb.twice(best[before])] if (before := (order - 1, number, error)) in best else []
                known += [best[order, numbers[at - 1], error]] if at else []
                found = climb.climb(WAYS[WITHOUT], order, number, error, known)
                best[order, number, error] = found.shape
                row = {"order": order, "processes": number, "error": error, "value": str(found.value)}
                rows.append({**row, "built": found.built, "state": [list(group) for group in found.shape]})
    return {"rows": rows}


FILES: dict[str, Callable[[], Rows]] = {
    "worst": worst,
    "climbs": climbs,
    "histories": histories,
    "counting": counting,
    "patterns": patterns,
}
"""Files of docs/imprecision and what makes them."""


def command(name: str) -> str:
    return f"python -m reference_impl.imprecision record {name}"


def text(name: str, rows: Rows) -> str:
    """A file: one line for each row, so that a difference can be read."""
    head = {"command": command(name), "version": VERSION}
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    for key, value in rows.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            inside = ",\n".join("  " + json.dumps(row, separators=(",", ":")) for row in value)
            lines.append(f" {json.dumps(key)}: [\n{inside}\n ]")
        elif isinstance(value, dict):
            inside = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in value.items())
            lines.append(f" {json.dumps(key)}: {{\n{inside}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


VERSION = 1
"""Raised when the meaning of a field changes."""


def write(folder: Path, names: Iterable[str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in names:
        path = folder / f"{name}.json"
        path.write_text(text(name, FILES[name]()), encoding="utf-8")
        written.append(path)
    return written
