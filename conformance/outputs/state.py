# SPDX-License-Identifier: MIT
"""The answer to `state` as compact text tables: entries first, folios below."""

from __future__ import annotations

import itertools
from typing import Any

from conformance.implementations import printable

LONGEST, MOST = 120, 40
"""Characters of a line, and lines."""


def state_lines(state: dict[str, Any]) -> list[str]:
    """Lines for a terminal.  What is not as the model answers it is shown as it is."""
    try:
        lines = [*_table(_entries(state)), *_table(_folios(state)), *_holders(state)]
    except (AttributeError, KeyError, TypeError, ValueError):
        lines = [repr(state)]
    more = [f"and {len(lines) - MOST} more lines"] if len(lines) > MOST else []
    return [printable(line, LONGEST) for line in lines[:MOST]] + more or ["nothing is there"]


def _entries(state: dict[str, Any]) -> list[list[str]]:
    """A row for each run of entries; small folios one after the other are one run."""
    rows = []
    for process, memory in state["processes"].items():
        for region, held in memory["regions"].items():
            runs: list[list[dict[str, Any]]] = []
            for entry in held["entries"]:
                if runs and _continues(runs[-1][-1], entry):
                    runs[-1].append(entry)
                else:
                    runs.append([entry])
            rows += [_entry_row(f"{process} {region}", run) for run in runs]
            if not runs:
                rows.append([f"{process} {region}", "no entries"])
    return rows


def _continues(last: dict[str, Any], entry: dict[str, Any]) -> bool:
    """Whether an entry is like its neighbour, with the whole of another small folio."""
    same = ("kind", "count", "page", "writable", "exclusive")
    return (
        entry["count"] == 1
        and entry.get("page") == 0
        and entry["first"] == last["first"] + 1
        and all(entry.get(name) == last.get(name) for name in same)
    )


def _entry_row(where: str, run: list[dict[str, Any]]) -> list[str]:
    first, last = run[0], run[-1]
    pages = _span(first["first"], last["first"] + last["count"] - first["first"])
    target = ""
    if folio := first.get("folio"):
        one = f"{folio} page {_span(first['page'], first['count'])}"
        target = f"-> {one}" if first is last else f"-> {folio}…{last['folio']}"
    flags = [name for name in ("writable", "exclusive") if first.get(name)]
    return [f"{where} {pages}", first["kind"], target, " ".join(flags)]


def _folios(state: dict[str, Any]) -> list[list[str]]:
    """A row for each folio."""
    rows = []
    for folio in state["folios"]:
        pins = f" pins {folio['pincount']}" if folio.get("pincount") else ""
        counts = [f"refs {folio['refcount']}{pins}", f"mapcount {folio['mapcount']}"]
        if folio["order"]:
            counts.append(f"entire {folio['entire_mapcount']}")
            if folio.get("nr_pages_mapped") is not None:
                counts.append(f"pages mapped {folio['nr_pages_mapped']}")
        held = ", ".join(f"{_span(c['first'], c['count'])}: {c['value']!r}" for c in folio["contents"])
        notes = [name for name in ("partially_mapped", "swapcache") if folio.get(name)]
        rows.append([folio["id"], f"order {folio['order']} {folio['kind']}", *counts[:2], " ".join(counts[2:]),
                     _owners(folio), held, " ".join(notes)])  # fmt: skip
    runs = [list(run) for _, run in itertools.groupby(rows, lambda row: row[1:])]
    return [[row[0] if len(run) == 1 else f"{row[0]}…{run[-1][0]}", *row[1:]] for run in runs for row in run[:1]]


def _owners(folio: dict[str, Any]) -> str:
    owners = folio.get("owners")
    if not owners:
        return ""
    slots = ", ".join(f"{s['process']} {s['count']}" for s in owners["slots"] if s["process"]) or "nobody"
    return f"owners {slots}" + (" maybe shared" if owners["maybe_shared"] else "")


def _holders(state: dict[str, Any]) -> list[str]:
    """Pipes, buffers and holds that have references."""
    lines = []
    for kind in ("pipe", "buffer", "hold"):
        for name, pages in state.get(f"{kind}s", {}).items():
            held = ", ".join(f"{page['folio']} page {page['page']}" for page in pages)
            lines.append(f"{kind} {name} holds {held}")
    return lines


def _span(first: int | None, count: int) -> str:
    if first is None:
        return "?"
    return str(first) if count == 1 else f"{first}-{first + count - 1}"


def _table(rows: list[list[str]]) -> list[str]:
    """Rows with their columns under each other."""
    width = max(map(len, rows), default=0)
    full = [row + [""] * (width - len(row)) for row in rows]
    widths = [max(len(row[column]) for row in full) for column in range(width)]
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True) if w).rstrip() for row in full]
