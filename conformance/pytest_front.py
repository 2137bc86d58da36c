# SPDX-License-Identifier: MIT
"""What the pytest front end (features/conftest.py) needs: the same engine, walked step by step by pytest-bdd."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import pytest

from conformance import engine, profiles, report, suite
from conformance.engine import Play, Verdict
from conformance.implementations.start import start
from conformance.suite import Scenario, Suite, SuiteError


@cache
def load(root: Path) -> Suite:
    """The suite, read once for collecting and for running.  Raises SuiteError."""
    return suite.load_or_raise(root)


def feature_files(root: Path) -> list[Path]:
    """The feature files, proposals left out."""
    return list(dict.fromkeys(root / scenario.file for scenario in load(root).select([])))


def dropped(root: Path, file: Path, bound: int) -> str:
    """What is wrong if pytest-bdd has bound that many scenarios of a file: it keeps one of those with one name."""
    there = sum(root / s.file == file for s in load(root).scenarios.values())
    if bound == there:
        return ""
    return (
        f"{file}: the suite has {there} scenarios in it, pytest-bdd {bound}. Of those with one name it keeps the last "
        "only; `mapspec lint` names them."
    )


class Session:
    """The implementation, the profile, and the verdicts so far."""

    def __init__(self, root: Path, name: str, asked: str | None):
        """Start the implementation.  Raises SuiteError or CannotStart."""
        asked = asked or (profiles.DEFAULT if name == "reference" else None)
        known = profiles.load(root)[1]
        if asked not in (None, *known):
            raise _no_profile(asked, known)
        self.suite = load(root)
        self.implementation = start(name, asked)
        judged = asked or self.implementation.greeting.profile
        if judged not in known:
            self.implementation.close()
            raise _no_profile(judged, known)
        self.profile = known[judged]
        self.outlines: dict[str, list[Scenario]] = {}
        for scenario in self.suite.scenarios.values():
            self.outlines.setdefault(scenario.outline, []).append(scenario)
        self.verdicts: list[Verdict] = []
        self.started = time.perf_counter()

    def find(self, tags: set[str], row: int, texts: list[str]) -> Scenario:
        """The scenario that pytest-bdd is about to run, in the suite."""
        (outline,) = tags & self.outlines.keys()
        scenario = self.outlines[outline][row]
        if [step.text for step in scenario.steps] != texts:
            pytest.fail(f"pytest-bdd and the suite do not read the same in {scenario.id}", pytrace=False)
        return scenario

    def write(self, path: Path) -> None:
        scenarios = [verdict.scenario for verdict in self.verdicts]
        greeting = self.implementation.greeting
        header = report.header(self.suite, greeting, self.profile.name, ["pytest"], scenarios)
        results = {verdict.scenario.id: report.result(verdict) for verdict in self.verdicts}
        footer = report.footer(results.values(), time.perf_counter() - self.started)
        report.write(path, report.Report(header, results, footer))


def _no_profile(name: str | None, known: dict[str, profiles.Profile]) -> SuiteError:
    what = f"there is no profile {name!r}"
    return SuiteError([suite.Problem("--mapspec-profile", 0, what, f"There is {', '.join(known)}.")])


class Walk:
    """One scenario on its way, step by step."""

    def __init__(self, session: Session, scenario: Scenario):
        self._session = session
        self._play: Play | None = None
        self._next = 0
        self.verdict = Verdict(scenario, "pass")
        session.verdicts.append(self.verdict)

    def step(self, text: str) -> None:
        """Do the next step; end the test unless it holds."""
        __tracebackhide__ = True
        try:
            play = self._play or self._begin()
            compiled = play.steps[self._next]
            assert compiled.step.text == text
            self._next += 1
            self.verdict.step = compiled.step
            play.run(compiled)
            self.verdict.step = None
        except Exception as e:
            engine.classify(e, self.verdict, self._play)
        over = self._play is not None and self._next == len(self._play.steps)
        if self._play is not None and (over or self.verdict.status != "pass"):
            engine.finish(self._play, self.verdict)
        if self.verdict.status != "pass":
            self._end()

    def _begin(self) -> Play:
        session, scenario = self._session, self.verdict.scenario
        if reason := engine.not_applicable(scenario, session.profile, session.implementation):
            raise engine.NotApplicable(reason)
        self._play = Play(scenario, session.implementation)
        self.verdict.log, self.verdict.notes = self._play.context.log, self._play.context.notes
        self._play.require_needs()
        return self._play

    def _end(self) -> None:
        __tracebackhide__ = True
        verdict = self.verdict
        if verdict.status in ("unsupported", "not-applicable"):
            pytest.skip(f"{verdict.status}: {verdict.reason}")
        step = verdict.step
        where = f"{verdict.scenario.file}:{step.line}: {step.text}\n" if step else ""
        record = report.result(verdict)
        said = "\n".join(f"    {line}" for line in record.operations)
        text = f"{verdict.status}: {record.reason}\n{where}{verdict.scenario.rule.text}\n{said}"
        pytest.fail(text, pytrace=False)
