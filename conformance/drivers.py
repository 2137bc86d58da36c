# SPDX-License-Identifier: MIT
"""What a driver can map memory with: the registry spec/drivers.toml, and which rules cite its entries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.suite import ROOT, Problem, Rule, Suite, SuiteError, read_toml

FILE = "spec/drivers.toml"
KNOWN = ("says", "since", "until", "context", "flags", "page", "words", "smaps", "set_by")


@dataclass(frozen=True)
class Entry:
    """A function or a flag."""

    kind: str
    """function or flag"""
    name: str
    says: str
    line: int
    fields: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    """Other names under which rules cite it."""

    def get(self, key: str) -> str:
        """One of the optional fields, or nothing."""
        return self.fields.get(key, "")


@dataclass(frozen=True)
class Column:
    """A column of the decision table: a rule, and the Examples column whose cells are shown."""

    title: str
    rule: str
    cell: str
    says: str
    filter: bool = False
    """Whether the page offers to choose rows by it."""


@dataclass(frozen=True)
class Registry:
    """All of spec/drivers.toml."""

    chapters: tuple[str, ...]
    """The chapters whose rules cite the entries."""
    columns: tuple[Column, ...]
    entries: tuple[Entry, ...]

    def of(self, kind: str) -> list[Entry]:
        return [e for e in self.entries if e.kind == kind]


def load(root: Path = ROOT) -> Registry:
    """Read the registry.  Raises SuiteError with file and line."""
    path = root / "spec" / "drivers.toml"
    data = read_toml(path, FILE)
    lines = path.read_text(encoding="utf-8").splitlines()
    chapters = data.get("chapters")
    if not isinstance(chapters, list):
        raise SuiteError([Problem(FILE, 1, "has no list `chapters`", "Name the chapters that cite the entries.")])
    entries: list[Entry] = []
    for kind in ("function", "flag"):
        for name, table in data.get(kind, {}).items():
            entries.append(_entry(kind, name, table, lines))
    columns = tuple(map(_column, data.get("column", [])))
    return Registry(tuple(map(str, chapters)), columns, tuple(entries))


def _column(table: dict[str, Any]) -> Column:
    title, rule, cell, says = (str(table.get(key, "")) for key in ("title", "rule", "cell", "says"))
    return Column(title, rule, cell, says, bool(table.get("filter")))


def _entry(kind: str, name: str, table: Any, lines: list[str]) -> Entry:
    header = f"[{kind}.{name}]"
    line = next((n for n, text in enumerate(lines, 1) if text.strip() == header), 1)
    if not isinstance(table, dict) or not isinstance(table.get("says"), str):
        raise SuiteError([Problem(FILE, line, f"{header} has no `says`", "Say in one sentence what it is.")])
    if unknown := [key for key in table if key not in KNOWN]:
        mend = f"Fields are {', '.join(KNOWN)}."
        raise SuiteError([Problem(FILE, line, f"{header} has an unknown field {unknown[0]!r}", mend)])
    fields = {key: str(value) for key, value in table.items() if key not in ("says", "words")}
    return Entry(kind, name, table["says"], line, fields, tuple(table.get("words", ())))


def cited(registry: Registry, suite: Suite) -> dict[str, list[Rule]]:
    """By name of the entry, the rules of the chapters that cite it."""
    texts = [(rule, _text(rule)) for rule in suite.rules.values() if rule.chapter in registry.chapters]
    found: dict[str, list[Rule]] = {}
    for entry in registry.entries:
        names = [re.escape(name) for name in (entry.name, *entry.words) if name != "fault"]
        pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(names)})(?!\w)")
        found[entry.name] = [rule for rule, text in texts if not rule.proposal and pattern.search(text)]
    return found


def _text(rule: Rule) -> str:
    """All that a rule says: sentence, note, scenarios, and what the chapter says about it."""
    parts = [rule.text, rule.note, rule.body]
    for scenario in rule.scenarios:
        parts += [scenario.name, scenario.note, *(step.text for step in scenario.steps)]
    return "\n".join(parts)


def problems(suite: Suite, root: Path) -> Iterator[Problem]:
    """Entries that no rule cites, columns without a rule.  A suite without these chapters has nothing to cite."""
    registry = load(root)
    if not any(rule.chapter in registry.chapters and not rule.proposal for rule in suite.rules.values()):
        return
    where = cited(registry, suite)
    for entry in registry.entries:
        if not where[entry.name]:
            mend = f"Cite it in a rule of {', '.join(registry.chapters)}: sentence, note, scenario or chapter."
            yield Problem(FILE, entry.line, f"no rule cites the {entry.kind} {entry.name}", mend)
    for column in registry.columns:
        rule = suite.rules.get(column.rule)
        if rule is None:
            yield Problem(
                FILE, 0, f"the column {column.title!r} has no rule: {column.rule}", "Write it, or mend the id."
            )
        elif not any(column.cell in dict(s.row) for s in rule.scenarios):
            what = f"no Examples of {column.rule} have a column {column.cell!r}"
            yield Problem(rule.file, rule.line, what, "The decision table shows it.")
