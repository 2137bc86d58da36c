# SPDX-License-Identifier: MIT
"""`mapspec compare`: what differs between two reports."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance import report
from conformance.commands import FAILED, OK, make_parser, say
from conformance.outputs.ratio import ratios
from conformance.outputs.text import group, title
from conformance.report import Report


def parser() -> argparse.ArgumentParser:
    made = make_parser(
        "compare",
        "A B",
        "What differs between two reports, by verdict. Exit code 1 if anything does.",
        "mapspec compare build/reports/linux-7.3.jsonl new.jsonl",
    )
    made.add_argument("a", metavar="A", type=Path, help="a report, as `mapspec run --report` writes it")
    made.add_argument("b", metavar="B", type=Path, help="another")
    return made


def main(args: argparse.Namespace, root: Path) -> int:
    a, b = report.read(args.a), report.read(args.b)
    lines = differences(a, b)
    for name, one in (("A", a), ("B", b)):
        say(f"{name}  {title(one)}\n   {ratios(one)}")
        if not one.complete:
            say(f"   not complete: {one.footer.why}")
    say("\n".join(["", *lines]) if lines else "\nNothing differs.")
    return FAILED if lines else OK


def differences(a: Report, b: Report) -> list[str]:
    """Lines that say what differs, rule by rule; none if nothing does."""
    lines = []
    both = {**a.results, **b.results}
    changed = 0
    for rule, results in group(both.values(), lambda r: r.rule):
        here = [line for r in results if (line := _difference(a, b, r.id))]
        if here:
            sentence = a.header.rules.get(rule) or b.header.rules.get(rule, "")
            lines += [f"{rule}  {sentence}", *(f"  {line}" for line in here)]
            changed += len(here)
    if lines:
        lines.append(f"{changed} of {len(both)} scenarios differ.")
    return lines


def _difference(a: Report, b: Report, scenario: str) -> str:
    one, other = a.results.get(scenario), b.results.get(scenario)
    if one is None or other is None:
        present, where = (one, "A") if one else (other, "B")
        assert present
        return f"{scenario}  only in {where}: {present.status}"
    note = "" if one.digest == other.digest else "  (the scenario itself has changed)"
    if one.status == other.status:
        return f"{scenario}  {one.status} in both{note}" if note else ""
    why = other.reason or one.reason
    return f"{scenario}  {one.status} -> {other.status}{note}" + (f"\n      {why}" if why else "")
