# SPDX-License-Identifier: MIT
"""Runs scenarios and records what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from conformance import engine, report
from conformance.expectations import Expectations
from conformance.implementations import CannotStart, Guest, Implementation
from conformance.profiles import Profile
from conformance.report import Footer, Header, Result
from conformance.stop import Stop
from conformance.suite import Scenario

PATIENCE = 20
"""So many timeouts one after the other end a run: the rest would take its time, too."""


@dataclass
class Outcome:
    """What came of a run."""

    results: dict[str, Result] = field(default_factory=dict)
    why: str = ""
    """Why it did not reach its end."""
    interrupted: bool = False
    lost: bool = False
    """The implementation cannot be started any more."""


@dataclass
class Run:
    """Scenarios, what they run on, and who wants to know."""

    scenarios: list[Scenario]
    implementation: Implementation
    profile: Profile
    expectations: Expectations = field(default_factory=Expectations)
    tell: Callable[[Header | Result | Footer], None] = lambda record: None

    def play(self, header: Header, stop: Stop) -> tuple[report.Report, Outcome]:
        """Run everything; also what was not reached gets a result.  The record is complete in itself."""
        started = time.perf_counter()
        outcome = Outcome()
        self.tell(header)
        try:
            for result in self._results(outcome, stop):
                outcome.results[result.id] = result
                self.tell(result)
        except KeyboardInterrupt:
            outcome.why, outcome.interrupted = "interrupted", True
        except CannotStart as e:
            outcome.why, outcome.lost = str(e), True
        notes, wrong = self.implementation.end() if isinstance(self.implementation, Guest) else ([], [])
        stop.done()
        for scenario in self.scenarios:
            if scenario.id not in outcome.results:
                outcome.results[scenario.id] = report.notrun(scenario, outcome.why)
                self.tell(outcome.results[scenario.id])
        seconds = time.perf_counter() - started
        footer = report.footer(outcome.results.values(), seconds, outcome.why, notes=notes, wrong=wrong)
        self.tell(footer)
        return report.Report(header, outcome.results, footer), outcome

    def _results(self, outcome: Outcome, stop: Stop) -> Iterator[Result]:
        timeouts = 0
        for scenario in self.scenarios:
            if stop.asked:
                outcome.why, outcome.interrupted = "interrupted", True
                return
            if timeouts >= PATIENCE:
                outcome.why = f"{timeouts} timeouts one after the other"
                return
            result = self._one(scenario)
            if result.status in ("timeout", "pass", "fail", "error"):
                timeouts = timeouts + 1 if result.status == "timeout" else 0
            yield result

    def _one(self, scenario: Scenario) -> Result:
        if says := self.expectations.skip(scenario.id):
            verdict = engine.Verdict(scenario, "skipped", says.reason)
            return report.result(verdict, says)
        verdict = self._verdict(scenario)
        return report.result(verdict, self.expectations.apply(verdict))

    def _verdict(self, scenario: Scenario) -> engine.Verdict:
        """Emulators do wrong at random now and then: only what happens again, in a new machine, is the kernel's."""
        verdict = engine.run_scenario(scenario, self.implementation, self.profile)
        if not isinstance(self.implementation, Guest):
            return verdict
        heard, lost = self.implementation.heard()
        if not lost and not verdict.complaints:
            return verdict
        first = verdict
        if not lost:
            self.implementation.restart()
        verdict = engine.run_scenario(scenario, self.implementation, self.profile)
        what = "the machine was lost" if lost else "the kernel complained"
        verdict.notes.append(f"{what} at the first try, {first.status}: {first.reason}")
        heard += self.implementation.heard()[0]
        verdict.notes += [f"kernel log: {line}" for line in dict.fromkeys(heard)]
        return verdict
