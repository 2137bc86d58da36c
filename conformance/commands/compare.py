# SPDX-License-Identifier: MIT
"""`mapspec compare`: what differs between two reports."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from conformance import comparison, report
from conformance.commands import FAILED, OK, make_parser, say
from conformance.comparison import Comparison, RuleChange
from conformance.outputs.ratio import ratios
from conformance.outputs.text import WIDTH, title
from conformance.report import Report

HEADINGS = {
    "only in A": "Rules that apply in A only",
    "only in B": "Rules that apply in B only",
    "in both": "Rules of which scenarios differ",
    "orders": "Rules that differ in nothing but folio orders that one of them does not have",
}


def parser() -> argparse.ArgumentParser:
    made = make_parser(
        "compare",
        "A B",
        "What differs between two reports, rule by rule: of two profiles, two kernels,\n"
        "two runs. Exit code 1 if anything does. `mapspec run --profile all --reports\n"
        "DIR` writes a report of the model for each profile.",
        "mapspec compare DIR/linux-6.12.jsonl DIR/linux-7.3.jsonl",
    )
    made.add_argument("a", metavar="A", type=Path, help="a report, as `mapspec run --report` writes it")
    made.add_argument("b", metavar="B", type=Path, help="another")
    return made


def main(args: argparse.Namespace, root: Path) -> int:
    a, b = report.read(args.a), report.read(args.b)
    for name, one in (("A", a), ("B", b)):
        say(f"{name}  {title(one)}\n   {ratios(one)}")
        if not one.complete:
            say(f"   not complete: {one.footer.why}")
    if a.header.suite.digest != b.header.suite.digest:
        say("   The suites are not the same: what is in one report only may be new or gone.")
    found = compare(a, b)
    say("\n" + "\n".join(lines(found)))
    return FAILED if found.rules else OK


def compare(a: Report, b: Report) -> Comparison:
    """The comparison of two reports."""
    return comparison.compare(a.results, b.results, {**b.header.rules, **a.header.rules})


def lines(found: Comparison) -> list[str]:
    """All of it as text."""
    made = []
    for kind in comparison.KINDS:
        if rules := found.kind(kind):
            made += [f"{HEADINGS[kind]} ({len(rules)})", ""]
            if kind == "orders":
                made += [*(f"  {rule.id}  {len(rule.changes)} scenarios" for rule in rules), ""]
                continue
            for rule in rules:
                made += [*_rule(rule), ""]
    return [*made, found.words]


def _rule(rule: RuleChange) -> list[str]:
    """A rule, and its scenarios by what became of them and why."""
    made = [f"  {rule.id}", _fill(rule.sentence, 4)] if rule.sentence else [f"  {rule.id}"]
    for what, why, scenarios in rule.groups:
        made.append(f"    {what}" + (f": {why.splitlines()[0]}" if why else ""))
        named = [f"{name} ({rows} rows)" if rows > 1 else name for name, rows in scenarios]
        made += [f"      {name}" for name in named]
    if rule.kind == "in both" and rule.same:
        made.append(f"    {rule.same} more of its scenarios apply in both and have the same verdict")
    return made


def _fill(text: str, indent: int) -> str:
    pad = " " * indent
    return textwrap.fill(
        text, WIDTH, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False, break_long_words=False
    )
