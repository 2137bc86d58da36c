# SPDX-License-Identifier: MIT
"""`pytest features/` and `mapspec run` give the same verdicts, and what pytest-bdd does in silence is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mini import GOOD, WRONG, Mini
from pytest_bdd.feature import get_features

from conformance import engine, profiles, report, suite
from conformance.commands.compare import compare
from conformance.pytest_front import Session, Walk, dropped, feature_files
from conformance.suite import ROOT

OFF = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")


def front(mini: Mini, *options: object, prepare: bool = True) -> subprocess.CompletedProcess[str]:
    """`pytest features/` in the small suite."""
    if prepare:
        for name in ("conftest.py", "test_features.py"):
            shutil.copy(ROOT / "features" / name, mini.root / "features")
    config = mini.root / "pytest.ini"
    config.write_text("[pytest]\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest", "-q", "-rA", *OFF, "features", *map(str, options)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=mini.root, env=environment, capture_output=True, text=True, timeout=100)


def test_same_verdicts_for_the_whole_suite() -> None:
    """Both ways in this process: the engine alone, and pytest-bdd's reading of the files walked step by step."""
    session = Session(ROOT, "reference", None)
    assert session.profile.name == profiles.DEFAULT
    walked = {}
    for feature in get_features([str(file) for file in feature_files(ROOT)]):
        bound = sum(sum(len(rows.examples) for rows in s.examples) or 1 for s in feature.scenarios.values())
        assert dropped(ROOT, Path(feature.filename), bound) == ""
        for template in feature.scenarios.values():
            rows = [row for examples in template.examples for row in examples.as_contexts()] or [{}]
            for index, row in enumerate(rows):
                steps = [step.name for step in template.render(row).steps]
                walk = Walk(session, session.find(template.tags, index, steps))
                try:
                    for text in steps:
                        walk.step(text)
                except (pytest.skip.Exception, pytest.fail.Exception):
                    pass
                walked[walk.verdict.scenario.id] = walk.verdict
    chosen = session.suite.select([])
    assert walked.keys() == {s.id for s in chosen}
    alone = {v.scenario.id: v for v in engine.run(chosen, session.implementation, session.profile)}
    assert {k: said(v) for k, v in walked.items()} == {k: said(v) for k, v in alone.items()}


def said(verdict: engine.Verdict) -> tuple[object, ...]:
    record = report.result(verdict)
    return record.status, record.reason, record.step, record.expected, record.seen, record.notes, record.operations


def test_same_record_as_mapspec_run(mini: Mini, tmp_path: Path) -> None:
    mini.feature(
        GOOD.replace("        | an order-4", "\n      @since:6.12 @config:page_mapcount\n      Examples:\n"
                     "        | page  |\n        | an order-4")
        + WRONG + WRONG.replace(".wrong", ".none").replace("holds", "has").replace("a base page", "no page")
        + WRONG.replace(".wrong", ".end").replace("holds", "ends").replace("page 0", "page 9")
    )  # fmt: skip
    shutil.copy(ROOT / "features" / "conftest.py", mini.root / "features")
    done = front(mini, "--mapspec-report", tmp_path / "pytest.jsonl")
    assert "3 failed, 2 passed, 1 skipped" in done.stdout, done.stdout
    assert mini.run("run", "--report", tmp_path / "run.jsonl") == 1
    one, other = report.read(tmp_path / "pytest.jsonl"), report.read(tmp_path / "run.jsonl")
    assert compare(one, other).rules == ()
    assert one.counts == other.counts == {s: 0 for s in report.STATUSES} | {
        "pass": 2, "fail": 1, "error": 2, "not-applicable": 1,
    }  # fmt: skip
    for words in (
        "fail: expected 'odd', seen 'new'",
        'A reads "odd" in page 0',
        "After fork, a write by one process MUST NOT be seen by the other",
        "write A mem 0 value=new -> ok",
        "not-applicable: @until:6.1 does not hold for linux-7.3",
        "error: the feature file: no phrase fits 'A has no page'",
    ):
        assert words in done.stdout


def test_profile_and_implementation_can_be_chosen(mini: Mini) -> None:
    old = front(mini, "--mapspec-profile", "linux-6.1").stdout
    assert "2 passed, 1 skipped" in old and "order 4 is not among" in old
    wrong = front(mini, "--mapspec-profile", "linux-0.9")
    assert wrong.returncode == 4 and "there is no profile 'linux-0.9'" in wrong.stdout + wrong.stderr
    gone = front(mini, "--mapspec-implementation", "/nowhere/program")
    assert gone.returncode == 4 and "/nowhere/program" in gone.stdout + gone.stderr
    command = f"{sys.executable} -m reference_impl"
    assert "2 passed, 1 skipped" in front(mini, "--mapspec-implementation", command).stdout


def test_scenario_that_pytest_bdd_drops_is_refused(mini: Mini) -> None:
    second = "\n  @cow.other\n  Rule: Something else MAY be so\n" + WRONG.replace("isolation.wrong", "other.one")
    mini.feature(GOOD + WRONG + second)
    assert suite.load(mini.root).problems == []
    done = front(mini)
    assert done.returncode == 2
    assert "the suite has 5 scenarios in it, pytest-bdd 4" in done.stdout
    assert dropped(mini.root, mini.root / "features" / "cow" / "writing.feature", 5) == ""


def test_star_is_refused_with_a_message(mini: Mini) -> None:
    mini.feature(GOOD.replace("Given A has <page>", "* A has <page>"))
    done = front(mini)
    assert done.returncode == 2
    assert "features/cow/writing.feature:8: a step starts with `*`" in done.stdout
    assert "Say Given, When, Then, And or But." in done.stdout


def test_async_step_function_is_refused(mini: Mini) -> None:
    for name in ("conftest.py", "test_features.py"):
        text = (ROOT / "features" / name).read_text()
        (mini.root / "features" / name).write_text(text.replace("def _when(", "async def _when("))
    done = front(mini, prepare=False)
    assert "a step function is async" in done.stdout
    assert " passed" not in done.stdout


def test_phrase_with_a_function_that_does_nothing_is_refused() -> None:
    from conformance.vocabulary import VocabularyError, operation

    with pytest.raises(VocabularyError, match="does nothing when it is called"):

        @operation("never {name}")
        async def never(c: object, name: str) -> None:
            """Never awaited."""

    with pytest.raises(VocabularyError, match="does nothing when it is called"):

        @operation("never {name}")
        def lazily(c: object, name: str):  # type: ignore[no-untyped-def]
            """Never advanced."""
            yield
