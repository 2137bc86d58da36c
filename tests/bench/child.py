# SPDX-License-Identifier: MIT
"""What runs in the measured processes: `python -m tests.bench.child WHAT …` ends with a line of JSON, in seconds.

What is measured is imported after its clock has started.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.measure import CANNOT, Unmeasured

Says = dict[str, Any]


class Clock:
    """Seconds since it was last asked: `time.perf_counter` for those on the wall, `time.process_time` for CPU."""

    def __init__(self, now: Callable[[], float]):
        self._now = now
        self._last = now()

    def lap(self) -> float:
        last, self._last = self._last, self._now()
        return self._last - last

    def so_far(self) -> float:
        """The same, and it runs on."""
        return self._now() - self._last


def record(path: str) -> Says:
    """Run all scenarios on the model once and keep its answers."""
    from conformance import engine, profiles, suite
    from conformance.implementations import Model
    from tests.bench.recorded import Recorder

    loaded = suite.load()
    profile = profiles.load()[1][profiles.DEFAULT]
    recorder = Recorder(Model(profile.name))
    for _ in engine.run(loaded.select([]), recorder, profile):
        pass
    recorder.write(Path(path))
    return {}


def mapspec(path: str) -> Says:
    """Read, match and run the suite with recorded answers."""
    clock = Clock(time.process_time)
    from conformance import engine, profiles, report, suite, vocabulary
    from tests.bench.recorded import Recorded

    vocabulary.phrases()
    start = clock.lap()
    loaded = suite.load()
    chosen = loaded.select([])
    read = clock.lap()
    for text in {step.text for scenario in chosen for step in scenario.steps}:
        vocabulary.match(text)
    match = clock.lap()
    profile = profiles.load()[1][profiles.DEFAULT]
    implementation = Recorded(Path(path))
    gc.collect()
    gc.freeze()  # the recording is no part of mapspec: its collector need not look at it
    clock.lap()
    verdicts = list(engine.run(chosen, implementation, profile))
    run = clock.lap()
    for verdict in verdicts:
        report.result(verdict)
    results = clock.lap()
    ran = [v.scenario for v in verdicts if v.status in report.APPLICABLE]
    if lost := [v for v in verdicts if "KeyError" in v.reason]:
        raise Unmeasured(f"{len(lost)} scenarios did not ask what they asked before, such as {lost[0].scenario.id}")
    return {
        "start": start, "read": read, "match": match, "run": run, "report": results,
        "files": len({s.file for s in chosen}), "scenarios": len(chosen),
        "steps": sum(len(s.steps) for s in chosen), "ran": len(ran), "phrases": len(vocabulary.phrases()),
    }  # fmt: skip


def behave(folder: str) -> Says:
    """Read, match and run the same files with one step that takes every line and does nothing."""
    clock = Clock(time.process_time)
    from behave import runner  # type: ignore[import-untyped]
    from behave.configuration import Configuration  # type: ignore[import-untyped]

    quiet = ["--format=null", "--no-summary", "--no-snippets", "--no-capture", "--no-capture-stderr",
             "--no-logcapture", "--no-skipped"]  # fmt: skip
    config = Configuration([*quiet, folder])
    laps: list[float] = []
    parse = runner.parse_features

    def timed(*arguments: Any, **named: Any) -> Any:
        laps.append(clock.lap())  # steps are loaded by now
        features = parse(*arguments, **named)
        laps.append(clock.lap())
        return features

    runner.parse_features = timed
    made = runner.Runner(config)
    failed = made.run()
    run = clock.lap()
    every = [s for feature in made.features for s in feature.walk_scenarios()]
    passed = [s for s in every if s.status.name == "passed"]
    if failed or len(passed) != len(every):
        raise Unmeasured(f"behave passed {len(passed)} of {len(every)} scenarios")
    start, read = laps
    return {"start": start, "read": read, "run": run, "scenarios": len(every),
            "steps": sum(len(list(s.all_steps)) for s in every)}  # fmt: skip


def speed(name: str) -> Says:
    """Run all scenarios on an implementation."""
    clock = Clock(time.perf_counter)
    from conformance import engine, profiles, report, suite
    from conformance.implementations import CannotStart
    from conformance.implementations.start import start

    chosen = suite.load().select([])
    known = profiles.load()[1]
    clock.lap()
    try:
        implementation = start(name, profiles.DEFAULT if name == "reference" else None)
    except CannotStart as e:
        raise Unmeasured(str(e)) from None
    try:
        ready = clock.lap()
        profile = known[implementation.greeting.profile]
        verdicts = []
        first = 0.0
        for verdict in engine.run(chosen, implementation, profile):
            verdicts.append(verdict)
            first = first or (verdict.status in report.APPLICABLE) * clock.so_far()
        run = clock.lap()
    except CannotStart as e:
        raise Unmeasured(str(e)) from None
    finally:
        implementation.close()
    seconds = sorted(v.seconds for v in verdicts if v.status in report.APPLICABLE)
    passed = sum(v.status == "pass" for v in verdicts)
    return {"start": ready, "first": ready + first, "run": run, "scenarios": len(chosen), "ran": len(seconds),
            "passed": passed, "taken": sum(seconds), "median": seconds[len(seconds) // 2], "slowest": seconds[-1],
            "profile": profile.name, "version": implementation.greeting.version}  # fmt: skip


MEASUREMENTS = {f.__name__: f for f in (record, mapspec, behave, speed)}


def main() -> None:
    what, *arguments = sys.argv[1:]
    try:
        print(json.dumps(MEASUREMENTS[what](*arguments)))
    except Unmeasured as e:
        print(e)
        sys.exit(CANNOT)


if __name__ == "__main__":
    main()
