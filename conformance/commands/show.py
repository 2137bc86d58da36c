# SPDX-License-Identifier: MIT
"""`mapspec show`: a rule, or a scenario step by step."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from conformance import profiles
from conformance.commands import OK, make_parser, suites
from conformance.implementations.start import start
from conformance.outputs.state import state_lines
from conformance.suite import Problem, Rule, Scenario, SuiteError
from conformance.trace import trace


def parser() -> argparse.ArgumentParser:
    made = make_parser(
        "show",
        "ID [--profile P] [--implementation I]",
        "A rule with its scenarios, or a scenario and what happens in each step.",
        "mapspec show cow.last-user.child-exits --profile linux-6.12",
    )
    made.add_argument("id", metavar="ID", help="a rule or a scenario")
    made.add_argument("--profile", metavar="P", help=f"the model behaves like it (default {profiles.DEFAULT})")
    made.add_argument("--implementation", metavar="I", default="reference", help="look into another one")
    return made


def main(args: argparse.Namespace, root: Path) -> int:
    loaded, scenarios = suites.load([args.id], root)
    if args.id in loaded.rules or len({s.rule.id for s in scenarios}) > 1:
        for rule in dict.fromkeys(s.rule for s in scenarios):
            _show_rule(rule)
        return OK
    if len(scenarios) > 1:
        _show_rows(scenarios)
        return OK
    _show_scenario(scenarios[0], args, root)
    return OK


def _show_rule(rule: Rule) -> None:
    print(f"{rule.id}" + ("  (proposal)" if rule.proposal else ""))
    print(_fill(rule.text, 2))
    print(f"  {rule.file}:{rule.line}")
    for version, source in rule.sources.items():
        print(_fill(f"{version}: {source}", 2))
    for outline in dict.fromkeys(s.outline for s in rule.scenarios):
        rows = [s for s in rule.scenarios if s.outline == outline]
        print(f"\n  {outline}  {_words(rows[0])}".rstrip())
        print(_fill(rows[0].name, 4))
        for row in rows if len(rows) > 1 else []:
            print(f"      {row.id}")
    print()


def _show_rows(scenarios: list[Scenario]) -> None:
    print(f"{scenarios[0].outline} has {len(scenarios)} rows:\n")
    for scenario in scenarios:
        print(f"  {scenario.id}  {_words(scenario)}".rstrip())
    print(f"\nOne of them, step by step: mapspec show '{scenarios[0].id}'")


def _show_scenario(scenario: Scenario, args: argparse.Namespace, root: Path) -> None:
    known = profiles.load(root)[1]
    name = args.profile or (profiles.DEFAULT if args.implementation == "reference" else None)
    if name is not None and name not in known:
        raise SuiteError([Problem("--profile", 0, f"there is no profile {name!r}", f"There is {', '.join(known)}.")])
    implementation = start(args.implementation, name)
    try:
        profile = known.get(name or implementation.greeting.profile, known[profiles.DEFAULT])
        traced = trace(scenario, implementation, profile)
    finally:
        implementation.close()
    print(f"{scenario.id}  {_words(scenario)}".rstrip())
    print(_fill(scenario.rule.text, 2))
    print(_fill(f"{scenario.name} ({scenario.file}:{scenario.line})", 2))
    print(f"  {implementation.greeting.name}, profile {profile.name}\n")
    for moment in traced.moments:
        print(f"{moment.step.keyword} {moment.step.text}")
        for exchange in moment.exchanges:
            print(f"    {'>' if exchange.operation else '?'} {exchange.request} -> {exchange.reply}")
        if moment.state is not None and any(exchange.operation for exchange in moment.exchanges):
            print("\n".join(f"        {line}" for line in state_lines(moment.state)))
    for step in scenario.steps[len(traced.moments) :]:
        print(f"{step.keyword} {step.text}\n    not reached")
    verdict = traced.verdict
    print(f"\n{verdict.status}" + (f": {verdict.reason}" if verdict.reason else ""))


def _words(scenario: Scenario) -> str:
    return " ".join(map(str, scenario.conditions))


def _fill(text: str, indent: int) -> str:
    return textwrap.fill(text, 96, initial_indent=" " * indent, subsequent_indent=" " * indent)
