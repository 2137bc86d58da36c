# SPDX-License-Identifier: MIT
"""`mapspec list`: chapters, rules and scenarios."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from conformance.commands import OK, make_parser, suites


def parser() -> argparse.ArgumentParser:
    made = make_parser(
        "list",
        "[SELECTOR…] [--long]",
        "Chapters, rules and the number of their scenarios.",
        "mapspec list cow --long",
    )
    made.add_argument("selectors", nargs="*", metavar="SELECTOR", help="a chapter, rule, scenario or feature file")
    made.add_argument("--long", action="store_true", help="every scenario, too")
    return made


def main(args: argparse.Namespace, root: Path) -> int:
    loaded, scenarios = suites.load(args.selectors, root)
    rules = dict.fromkeys(s.rule for s in scenarios)
    for chapter, title in loaded.chapters.items():
        here = [rule for rule in rules if rule.chapter == chapter]
        if not here:
            continue
        chosen = [s for s in scenarios if s.rule in here]
        print(f"{chapter}  {title}  ({_many(len(here), 'rule')}, {_many(len(chosen), 'scenario')})")
        for rule in here:
            of = [s for s in chosen if s.rule is rule]
            print(f"  {rule.id}  ({_many(len(of), 'scenario')})" + ("  proposal" if rule.proposal else ""))
            print(textwrap.fill(rule.text, 96, initial_indent="    ", subsequent_indent="    "))
            if args.long:
                for s in of:
                    print(f"      {s.id}  {' '.join(map(str, s.conditions))}".rstrip())
    print(f"{_many(len(rules), 'rule')}, {_many(len(scenarios), 'scenario')}, suite {loaded.digest}")
    return OK


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
