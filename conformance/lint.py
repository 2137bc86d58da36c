# SPDX-License-Identifier: MIT
"""What is wrong with the suite, beyond what loading it finds out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from conformance import drivers, dry, profiles, suite, vocabulary
from conformance.profiles import Profile
from conformance.suite import Condition, Problem, Scenario, Suite

NUMBERS = ("debug_vm", "order", "page_size", "pmd_order", "pte_special", "refcount_bits", "word_bits")


def lint(root: Path, files: list[Path]) -> tuple[list[Problem], Suite]:
    """All problems, of the files or of everything, in the order of files and lines; and what was read."""
    tree = (root / "features").resolve()
    files = [f.resolve() for f in files]
    inside = all(f.is_relative_to(tree) and f.exists() for f in files)
    loaded = suite.load(root) if inside else suite.load(root, [*tree.rglob("*.feature"), *files])
    found = [*loaded.problems, *_problems(loaded, root)]
    if files:
        names = {
            f.relative_to(root.resolve()).as_posix() if f.is_relative_to(root.resolve()) else str(f) for f in files
        }
        rules = {r.id for r in loaded.rules.values() if r.file in names}
        found = [p for p in found if p.file in names or any(_names(p.what, rule) for rule in rules)]
    found = list(dict.fromkeys(found))
    return sorted(found, key=lambda p: (p.file, p.line)), loaded


def _names(text: str, rule: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(rule)}(?![\w-])", text) is not None


def _problems(loaded: Suite, root: Path) -> Iterator[Problem]:
    known = profiles.load(root)[1]
    capabilities = profiles.capabilities(root)
    agreeable = dry.Dry()
    yield from _same_names(loaded)
    for scenario in loaded.scenarios.values():
        yield from _conditions(scenario, known, capabilities)
        wrong = list(_steps(scenario))
        yield from wrong
        if not wrong:
            yield from dry.problems(scenario, agreeable)
    yield from drivers.problems(loaded, root)


def _same_names(loaded: Suite) -> Iterator[Problem]:
    """Two scenarios with one name in one file: pytest-bdd would drop the first without a word."""
    seen: dict[tuple[str, str], Scenario] = {}
    told: set[str] = set()
    for scenario in loaded.scenarios.values():
        other = seen.setdefault((scenario.file, scenario.written), scenario)
        if other.outline != scenario.outline and scenario.outline not in told:
            told.add(scenario.outline)
            what = f"two scenarios of the file are called {scenario.written!r}"
            yield Problem(scenario.file, scenario.line, what, f"The other is in line {other.line}. Rename one.")


def _steps(scenario: Scenario) -> Iterator[Problem]:
    """Each step is one phrase, of the right kind."""
    for step in scenario.steps:
        try:
            phrase, _ = vocabulary.match(step.text)
        except vocabulary.VocabularyError as e:
            yield Problem(scenario.file, step.line, str(e), "`mapspec steps WORD` finds phrases.")
            continue
        if phrase.kind == "outcome" and (step.kind == "when" or (step.kind == "given" and phrase.since)):
            what = f"{step.text!r} only looks, and stands in {step.kind.title()}"
            yield Problem(scenario.file, step.line, what, "Put it into Then.")
        elif phrase.kind == "operation" and step.kind == "then":
            what = f"{step.text!r} changes something, and stands in Then"
            yield Problem(scenario.file, step.line, what, "Put it into Given or When.")
    if not any(step.kind == "then" for step in scenario.steps):
        yield Problem(scenario.file, scenario.line, f"{scenario.id} has no Then", "Say what is to be seen.")


def _conditions(scenario: Scenario, known: dict[str, Profile], capabilities: set[str]) -> Iterator[Problem]:
    """Conditions say something that exists, and together something that can hold."""
    wrong = [
        Problem(scenario.file, scenario.line, f"{scenario.id}: {what}", mend)
        for condition in scenario.conditions
        for what, mend in _condition(condition, known, capabilities)
    ]
    yield from wrong
    versioned = [c for c in scenario.conditions if c.name in ("since", "until", "config")]
    if not wrong and not any(all(p.meets(c.name, c.value) for c in versioned) for p in known.values()):
        what = f"{scenario.id}: no profile meets {' '.join(map(str, versioned))}"
        yield Problem(scenario.file, scenario.line, what, "It would never be run. Profiles: spec/profiles.toml.")


def _condition(condition: Condition, known: dict[str, Profile], capabilities: set[str]) -> Iterator[tuple[str, str]]:
    name, value = condition.name, condition.value
    if name == "needs" and value not in capabilities:
        yield f"there is no capability {value!r}", "spec/capabilities.toml lists them."
    elif name in ("since", "until") and not re.fullmatch(r"\d+\.\d+", value):
        yield f"{condition} has no kernel version", "Write it as @since:6.12."
    elif name == "config":
        configs = sorted({c for p in known.values() for c in p.config})
        if value not in configs:
            yield f"no profile has the configuration {value!r}", f"There is {', '.join(configs)}."
    elif name in NUMBERS and not value.isdecimal():
        yield f"{condition} has no number", f"Write it as @{name}:4."
