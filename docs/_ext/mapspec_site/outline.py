# SPDX-License-Identifier: MIT
"""Scenario outlines as they are written: steps with <names>, and the rows.

The suite has an outline's rows as scenarios of their own, which is what one runs.  A page shows the outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gherkin.parser import Parser


@dataclass(frozen=True)
class Outline:
    """The text of a Scenario Outline."""

    steps: tuple[tuple[str, str], ...]
    """Keyword and text."""
    tables: tuple[tuple[tuple[str, ...], tuple[tuple[int, tuple[str, ...]], ...]], ...]
    """Per Examples: the header, and the rows as (line, cells)."""


def read(path: Path) -> dict[str, Outline]:
    """The outlines of a feature file, by id."""
    document: dict[str, Any] = dict(Parser().parse(path.read_text(encoding="utf-8")))
    found: dict[str, Outline] = {}
    for rule in document["feature"]["children"]:
        for child in rule.get("rule", {}).get("children", []):
            node = child.get("scenario")
            if node and node["examples"]:
                ids = [t["name"][1:] for t in node["tags"] if t["name"].count(".") == 2 and ":" not in t["name"]]
                found.update((i, _outline(node)) for i in ids)
    return found


def _outline(node: dict[str, Any]) -> Outline:
    return Outline(
        tuple((s["keyword"].strip(), s["text"]) for s in node["steps"]),
        tuple(
            (
                tuple(c["value"] for c in ex["tableHeader"]["cells"]),
                tuple((r["location"]["line"], tuple(c["value"] for c in r["cells"])) for r in ex["tableBody"]),
            )
            for ex in node["examples"]
            if ex.get("tableHeader")
        ),
    )
