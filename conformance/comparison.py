# SPDX-License-Identifier: MIT
"""What differs between two runs of the suite, rule by rule.  Pure: the command `compare` and the site say the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from conformance.report import APPLICABLE, Result

Kind = Literal["only in A", "only in B", "in both", "orders"]
"""orders: in both, and all that differs is which folio orders there are."""
KINDS: tuple[Kind, ...] = ("only in A", "only in B", "in both", "orders")
_ORDER = re.compile(r"(?:order|folios of order) \d+ ")
"""How a scenario is refused for an order that there is not."""


@dataclass(frozen=True)
class Change:
    """One scenario of which the two say different things."""

    id: str
    a: str
    """Its status in A, or "" if it is not there."""
    b: str
    reason: str
    """Why, as the side says that does not apply, fails or cannot tell."""
    changed: bool = False
    """The scenario itself is another one now."""

    @property
    def what(self) -> str:
        """`pass -> not-applicable`"""
        if not self.a or not self.b:
            return f"only in {'A' if self.a else 'B'}: {self.a or self.b}"
        verdict = f"{self.a} in both" if self.a == self.b else f"{self.a} -> {self.b}"
        return f"{verdict}  (the scenario itself has changed)" if self.changed else verdict

    @property
    def outline(self) -> str:
        """The id without the row."""
        return self.id.partition("[")[0]


@dataclass(frozen=True)
class RuleChange:
    """One rule of which the two say different things."""

    id: str
    sentence: str
    kind: Kind
    """Where it applies: `only in A` if no scenario of it applies in B."""
    changes: tuple[Change, ...]
    same: int
    """Scenarios of the rule that apply in both and have the same verdict."""

    @property
    def chapter(self) -> str:
        return self.id.partition(".")[0]

    @property
    def groups(self) -> list[tuple[str, str, list[tuple[str, int]]]]:
        """What, why, and the scenarios that share both: an outline, and how many of its rows."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        for change in self.changes:
            rows = found.setdefault((change.what, change.reason), {})
            rows[change.outline] = rows.get(change.outline, 0) + 1
        return [(what, why, list(rows.items())) for (what, why), rows in found.items()]


@dataclass(frozen=True)
class Comparison:
    """All rules that differ, in the order of the suite."""

    rules: tuple[RuleChange, ...]
    scenarios: int
    """How many there are in either."""
    of: int
    """How many rules there are in either."""

    @property
    def changed(self) -> int:
        return sum(len(rule.changes) for rule in self.rules)

    def kind(self, kind: Kind) -> list[RuleChange]:
        return [rule for rule in self.rules if rule.kind == kind]

    @property
    def words(self) -> str:
        """The last line: how much differs."""
        if not self.rules:
            return "Nothing differs."
        parts = [f"{len(self.kind(kind))} apply {kind}" for kind in KINDS[:2] if self.kind(kind)]
        return (
            f"{self.changed} of {self.scenarios} scenarios differ, in {len(self.rules)} of {self.of} rules"
            + (f"; {', '.join(parts)}" if parts else "") + "."
        )  # fmt: skip


def compare(a: Mapping[str, Result], b: Mapping[str, Result], sentences: Mapping[str, str]) -> Comparison:
    """Compare results by scenario id; `sentences`: the text of each rule."""
    by_rule: dict[str, list[str]] = {}
    for scenario in {**a, **b}:
        by_rule.setdefault((a.get(scenario) or b[scenario]).rule, []).append(scenario)
    rules = []
    for rule, scenarios in by_rule.items():
        changes = tuple(change for s in scenarios if (change := _change(s, a.get(s), b.get(s))))
        if changes:
            in_a, in_b = _applies(a, scenarios), _applies(b, scenarios)
            kind: Kind = "only in A" if in_a and not in_b else "only in B" if in_b and not in_a else "in both"
            if kind == "in both" and all(_ORDER.match(change.reason) for change in changes):
                kind = "orders"
            differ = {change.id for change in changes}
            same = sum(a[s].status in APPLICABLE for s in scenarios if s in a and s not in differ)
            rules.append(RuleChange(rule, sentences.get(rule, ""), kind, changes, same))
    return Comparison(tuple(rules), sum(map(len, by_rule.values())), len(by_rule))


def _applies(results: Mapping[str, Result], scenarios: Iterable[str]) -> bool:
    return any(results[s].status in APPLICABLE for s in scenarios if s in results)


def _change(scenario: str, a: Result | None, b: Result | None) -> Change | None:
    if a is None or b is None:
        return Change(scenario, a.status if a else "", b.status if b else "", "")
    changed = a.digest != b.digest
    if a.status == b.status and not changed:
        return None
    other = b if b.status not in APPLICABLE or a.status == "pass" else a
    return Change(scenario, a.status, b.status, other.reason or a.reason or b.reason, changed)
