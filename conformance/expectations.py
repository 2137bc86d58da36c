# SPDX-License-Identifier: MIT
"""What an implementer knows to fail: a TOML file of their own, held strictly.

    [[expect]]
    id = "cow.isolation.child-writes[*]"     # a rule, a scenario, or rows with *
    status = "xfail"                          # or "skip": it is not run
    reason = "fork copies nothing yet"
    link = "https://example.org/issues/7"
    until = 2027-03-31                        # optional: an error after that day

A scenario that is expected to fail and passes is a failure: `xpass`.
"""

from __future__ import annotations

import datetime
import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.engine import Verdict
from conformance.report import Expectation
from conformance.suite import Problem, Suite, SuiteError, read_toml

KEYS = ("id", "status", "reason", "link", "until")


@dataclass(frozen=True)
class Entry:
    """One [[expect]]."""

    id: str
    skip: bool
    says: Expectation
    line: int


class Expectations:
    """By scenario id."""

    def __init__(self, entries: dict[str, Entry] | None = None):
        self._entries = entries or {}

    def skip(self, scenario: str) -> Expectation | None:
        """Why the scenario is not to be run."""
        entry = self._entries.get(scenario)
        return entry.says if entry and entry.skip else None

    def apply(self, verdict: Verdict) -> Expectation | None:
        """Turn a failure that was expected into xfail, and a pass that was not into xpass."""
        entry = self._entries.get(verdict.scenario.id)
        if entry is None:
            return None
        if verdict.status in ("fail", "error", "timeout"):
            verdict.status = "xfail"
        elif verdict.status == "pass":
            verdict.status = "xpass"
            verdict.reason = f"it passes, and was expected to fail: {entry.says.reason}"
        return entry.says


def load(path: Path, suite: Suite, today: datetime.date | None = None) -> Expectations:
    """Read the file.  Raises SuiteError, whose problems name file, line and the way out."""
    data = read_toml(path, str(path))
    lines = path.read_text(encoding="utf-8").splitlines()
    starts = [n for n, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*expect\s*\]\]", line)]
    problems = [
        Problem(str(path), _key_line(lines, 1, key), f"nothing is known about {key!r}", "There is only [[expect]].")
        for key in data
        if key != "expect"
    ]
    tables = data.get("expect", [])
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        tables = []
        problems.append(Problem(str(path), 1, "`expect` is not a list of tables", "Write [[expect]], not [expect]."))
    entries: dict[str, Entry] = {}
    for index, table in enumerate(tables):
        start = starts[index] if index < len(starts) else 1
        found = _wrong(table, path, lines, start, today or datetime.date.today())
        problems += found
        if not found:
            problems += _cover(table, path, start, suite, entries)
    if problems:
        raise SuiteError(problems)
    return Expectations(entries)


def _wrong(table: dict[str, Any], path: Path, lines: list[str], start: int, today: datetime.date) -> list[Problem]:
    """What is wrong with an entry in itself."""
    problems = []

    def problem(key: str, what: str, mend: str) -> None:
        problems.append(Problem(str(path), _key_line(lines, start, key), what, mend))

    for key in table:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            meant = f"Did you mean {near[0]}? " if near else ""
            problem(key, f"nothing is known about {key!r}", f"{meant}Known are {', '.join(KEYS)}.")
    for key in ("id", "status", "reason", "link"):
        if not isinstance(table.get(key), str) or not table[key].strip():
            problem(key, f"the entry has no {key}", f'Add {key} = "…" below [[expect]].')
    if table.get("status") not in ("xfail", "skip", None):
        problem("status", f"the status is {table['status']!r}", "It is xfail or skip.")
    until = table.get("until")
    if until is not None and (not isinstance(until, datetime.date) or isinstance(until, datetime.datetime)):
        problem("until", "`until` is not a date", "Write it without quotes: until = 2027-03-31.")
    elif until is not None and until < today:
        problem("until", f"the entry has expired on {until}", "Mend the implementation, or set a new date.")
    return problems


def _cover(table: dict[str, Any], path: Path, start: int, suite: Suite, entries: dict[str, Entry]) -> list[Problem]:
    """Note the entry for each scenario that it is about."""
    pattern = re.compile(re.escape(table["id"]).replace(r"\*", ".*"))
    scenarios = [
        s.id
        for s in suite.scenarios.values()
        if pattern.fullmatch(s.id) or pattern.fullmatch(s.outline) or pattern.fullmatch(s.rule.id)
    ]
    if not scenarios:
        known = [*suite.rules, *(s.outline for s in suite.scenarios.values()), *suite.scenarios]
        near = difflib.get_close_matches(table["id"], dict.fromkeys(known), n=3)
        mend = f"Did you mean {', '.join(near)}?" if near else "`mapspec list --long` shows all ids."
        return [Problem(str(path), start, f"there is no rule or scenario {table['id']!r}", mend)]
    says = Expectation(table["reason"], table["link"])
    entry = Entry(table["id"], table["status"] == "skip", says, start)
    for scenario in scenarios:
        if scenario in entries:
            other = entries[scenario].line
            mend = f"The other is in line {other}. Keep one."
            return [Problem(str(path), start, f"{scenario} is expected twice", mend)]
        entries[scenario] = entry
    return []


def _key_line(lines: list[str], start: int, key: str) -> int:
    """The line of a key in the entry that starts at a line; the entry's if it is not there."""
    for number in range(start, len(lines) + 1):
        line = lines[number - 1]
        if re.match(rf"\s*\[{{0,2}}\s*[\"']?{re.escape(key)}[\"']?\s*[\]=.]", line):
            return number
        if number > start and re.match(r"\s*\[\[", line):
            break
    return start
