# SPDX-License-Identifier: MIT
"""pytest runs the same scenarios as `mapspec run`, with the same verdicts.

    pytest features/ --mapspec-profile linux-6.12 --mapspec-implementation linux -k isolation

pytest-bdd reads the files and walks the steps; the engine does them.  What pytest-bdd 9.0 would do without a word
(drop a scenario whose name repeats, pass a step function that is never awaited) is refused here.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from conformance.implementations import CannotStart
from conformance.pytest_front import Session, Walk
from conformance.suite import CONDITIONS, SuiteError

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mapspec")
    group.addoption("--mapspec-profile", metavar="P", help="judge by this profile")
    group.addoption("--mapspec-implementation", metavar="I", default="reference", help='reference, linux, "COMMAND …"')
    group.addoption("--mapspec-report", metavar="FILE", type=Path, help="write the record, as `mapspec run` does")


def pytest_configure(config: pytest.Config) -> None:
    # Tags of examples become marks before anybody can prevent it.
    names = "|".join(CONDITIONS)
    config.addinivalue_line(
        "filterwarnings", rf"ignore:Unknown pytest\.mark\.({names}):pytest.PytestUnknownMarkWarning"
    )


def pytest_bdd_apply_tag(tag: str, function: object) -> bool:
    """Tags are ids and conditions: the engine reads them, they are no marks."""
    return True


def pytest_bdd_before_step(step_func: object) -> None:
    if inspect.iscoroutinefunction(step_func) or inspect.isasyncgenfunction(step_func):
        pytest.fail("a step function is async: pytest-bdd would not await it, and it would pass", pytrace=False)


WALK = pytest.StashKey[Walk]()


@pytest.fixture(scope="session")
def mapspec_session(request: pytest.FixtureRequest):
    """What `mapspec run` would have, too."""
    option = request.config.getoption
    try:
        session = Session(ROOT, option("--mapspec-implementation"), option("--mapspec-profile"))
    except (CannotStart, SuiteError) as e:
        pytest.exit(f"mapspec: {e}", returncode=pytest.ExitCode.USAGE_ERROR)
    yield session
    session.implementation.close()
    if path := request.config.getoption("--mapspec-report"):
        session.write(path)


@pytest.fixture
def walk(request: pytest.FixtureRequest) -> Walk:
    """The scenario of this test."""
    return request.node.stash[WALK]


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, scenario: object) -> None:
    session: Session = request.getfixturevalue("mapspec_session")
    callspec = getattr(request.node, "callspec", None)
    row = callspec.indices.get("_pytest_bdd_example", 0) if callspec else 0
    found = session.find(scenario.tags, row, [step.name for step in scenario.steps])  # type: ignore[attr-defined]
    request.node.stash[WALK] = Walk(session, found)
