# SPDX-License-Identifier: MIT
"""Programs that misbehave: each costs the scenario in which it does so, and that one is told what happened."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance import engine, profiles, suite
from conformance.implementations import CannotStart, Trouble
from conformance.implementations.command import FAILED_STARTS, Command
from conformance.protocol import Read, Reset, Start

HERE = Path(__file__).resolve().parent
MISBEHAVING = [sys.executable, "-S", str(HERE / "misbehaving.py")]
FEATURE = """
Feature: One program, four scenarios
  @cow.spoiling
  Rule: A page MUST hold what was written to it
    @cow.spoiling.before
    Scenario: Before anything goes wrong
      Given A has 2 pages of private anonymous memory
      When A writes "fine" to every page
      Then A reads "fine" in page 1
    @cow.spoiling.spoilt
    Scenario: Where something goes wrong
      Given A has 1 page of private anonymous memory
      When A writes "spoil" to page 0
      Then A reads "spoil" in page 0
      And page 0 of A has mapcount 1
      And page 0 of A was reused
    @cow.spoiling.after
    Scenario: After something has gone wrong
      Given A has 2 pages of private anonymous memory
      And A forks B
      When B writes "fine" to every page
      Then A reads "old" in page 0
      And B reads "fine" in page 1
    @cow.spoiling.last
    Scenario: Long after something has gone wrong
      Given A has 1 page of private anonymous memory
      Then A reads "old" in page 0
"""
PASS = ["pass"] * 4


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> list[suite.Scenario]:
    path = tmp_path_factory.mktemp("features") / "cow" / "spoiling.feature"
    path.parent.mkdir()
    path.write_text(FEATURE)
    loaded = suite.load(files=[path])
    assert not loaded.problems
    return list(loaded.scenarios.values())


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the many starts of one program find it compiled."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch, compiled: Path) -> Iterator[Callable[[], list[int]]]:
    """Everything that the test starts carries a mark in its environment; none of it may be left."""
    value = uuid.uuid4().hex
    monkeypatch.setenv("MAPSPEC_TEST_MARK", value)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(compiled))
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)

    def left() -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            try:
                # A process that is dead but not reaped has no environment any more.
                if entry.name.isdecimal() and value.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return [pid for pid in found if pid != os.getpid()]

    yield left
    assert until(lambda: not left()), f"processes are left: {left()}"


def until(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def play(command: Command, scenarios: list[suite.Scenario]) -> list[engine.Verdict]:
    profile = profiles.load()[1][command.greeting.profile]
    try:
        return list(engine.run(scenarios, command, profile))
    finally:
        command.close()


# Mode, status of the scenario that it spoils, what the reason must contain.
CASES = {
    "silent": ("timeout", "during write A mem 0 value=spoil: no answer to write in time (limit: 1 s)"),
    "slow": ("timeout", "no answer to write in time (limit: 1 s)"),
    "flood-on-stderr": ("timeout", "no answer to write in time (limit: 1 s); its stderr ends: xxx"),
    "dribbling": ("timeout", "all that came is '"),
    "half-line-and-silence": ("timeout", "all that came is '{\"seq\":', without a line end"),
    "killed": ("error", "crash: instead of answering write it was killed by SIGKILL"),
    "exits": ("error", r"it exited with status 3; its stderr ends: \x1b]0;owned\x07 and \xff then | the last words"),
    "leaves-a-child": ("error", "crash: instead of answering write it exited with status 5"),
    "closes-stdout": ("error", "crash: instead of answering write it closed its stdout"),
    "closes-stdin": ("error", "crash: it could not be asked read: it closed its stdin"),
    "half-line": ("error", "garbage: the answer to write ends in the middle, '{\"seq\":': it exited with status 0"),
    "flood": ("error", "flood: a line of more than 1048576 bytes came for write; it starts 'xxx"),
    "long-line": ("error", "flood: a line of more than 1048576 bytes"),
    "flood-of-lines": ("error", "before read"),  # a flood, or on a busy machine garbage at first
    "one-answer-too-many": ("error", "garbage: output came that nobody had asked for, before read: '{"),
    "chatty": ("error", "(stdout is for answers only, anything else belongs on stderr)"),
    "empty-line": ("error", "garbage: the answer to write is not JSON"),
    "not-utf-8": ("error", r"garbage: the answer to write is not UTF-8 at byte"),
    "deep": ("error", "garbage: the answer to write is not JSON"),
    "array": ("error", "wrong-type: the answer to write is wrong: Expected `object`, got `array`"),
    "wrong-seq": ("error", "wrong-seq: the answer to write has seq "),
    "huge-seq": ("error", "wrong-seq: the answer to write has seq 1000000000000000000000000000000, not "),
    "seq-is-text": ("error", "wrong-type: the answer to write is wrong: Expected `int`, got `str` - at `$.seq`"),
    "no-status": ("error", "wrong-type: the answer to write is wrong: Object missing required field `status`"),
    "unknown-status": ("error", r"wrong-type: the answer to write is wrong: Invalid enum value 'fine\x1b[2J'"),
    "unknown-field": ("error", r"wrong-type: the answer to write is wrong: Object contains unknown field `\x1b[2J`"),
    "unknown-errno": ("error", "wrong-type: the answer to write is wrong: Invalid enum value 'ENOFUN'"),
    "errno-without-a-name": ("error", "wrong-type: the answer to write has status errno, but does not say which"),
    "unsupported-without-why": ("error", "wrong-type: the answer to write has status unsupported, but no `why`"),
    "value-of-a-write": ("error", "wrong-type: the answer to write has a value, but there is none to give"),
    "numbers-for-texts": ("error", "wrong-type: the value of the answer to read is wrong: Expected `str`, got `int`"),
    "too-few": ("error", "wrong-type: the answer to read has 0 items for 1 pages"),
    "huge-number": ("error", "wrong-type: the value of the answer to page_mapcount is wrong: "),
    "fraction": ("error", "wrong-type: the value of the answer to page_mapcount is wrong: Expected `int`, got `float`"),
    "control-characters": ("error", r"broken: \x1b[2J\x07\r\u202egone"),
    "control-garbage": ("error", r"garbage: the answer to write is not JSON"),
    "lie": ("error", "lie: capability 'frames' was declared, but is unsupported: oh"),
    "lie-without-a-name": ("error", "lie: capability 'frames' was declared, but is unsupported: oh"),
}


@pytest.mark.parametrize("mode", CASES)
@pytest.mark.timeout(30)
def test_trouble_costs_one_scenario(mode: str, scenarios: list[suite.Scenario], mark: object) -> None:
    status, words = CASES[mode]
    started = time.monotonic()
    command = Command([*MISBEHAVING, mode], timeout=1.0)
    verdicts = play(command, scenarios)
    assert [v.status for v in verdicts] == ["pass", status, "pass", "pass"], [v.reason for v in verdicts]
    assert words in verdicts[1].reason
    assert verdicts[1].reason.isprintable()
    assert command.notes == []
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("mode", ["proper", "talks-to-stderr"])
def test_what_is_allowed_costs_nothing(mode: str, scenarios: list[suite.Scenario], mark: object) -> None:
    command = Command([*MISBEHAVING, mode])
    assert [v.status for v in play(command, scenarios)] == PASS
    assert command.notes == []


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("never-exits", "answered goodbye, but did not exit within 2 s"),
        ("silent-at-goodbye", "no answer to goodbye in time"),
    ],
)
def test_a_program_that_stays_is_killed(
    mode: str, words: str, scenarios: list[suite.Scenario], mark: Callable[[], list[int]]
) -> None:
    command = Command([*MISBEHAVING, mode])
    assert [v.status for v in play(command, scenarios)] == PASS
    assert until(lambda: not mark())
    assert len(command.notes) == 1 and words in command.notes[0]


def test_a_scenario_has_a_limit_of_its_own(scenarios: list[suite.Scenario], mark: object) -> None:
    command = Command([*MISBEHAVING, "dawdling"], timeout=5.0, scenario_timeout=1.0)
    verdicts = play(command, scenarios)
    assert [v.status for v in verdicts] == ["pass", "timeout", "pass", "pass"]
    assert "(limit: 1 s for a whole scenario)" in verdicts[1].reason
    assert verdicts[1].seconds < 2


# --- starting ---------------------------------------------------------------------------------------------


def test_a_bad_start_costs_one_more_scenario(scenarios: list[suite.Scenario], tmp_path: Path, mark: object) -> None:
    command = Command([*MISBEHAVING, "one-bad-start", str(tmp_path / "state")])
    verdicts = play(command, scenarios)
    assert [v.status for v in verdicts] == ["pass", "error", "error", "pass"]
    assert "instead of answering hello it exited with status 4; its stderr ends: no such luck" in verdicts[2].reason


def test_a_greeting_that_changes_is_a_lie(scenarios: list[suite.Scenario], tmp_path: Path, mark: object) -> None:
    command = Command([*MISBEHAVING, "changes-its-greeting", str(tmp_path / "state")])
    verdicts = play(command, scenarios)
    assert [v.status for v in verdicts] == ["pass", "error", "error", "pass"]
    assert verdicts[2].reason.startswith("lie: after a restart its name is 'somebody else', before it was ")


def test_bad_starts_without_end_are_one_diagnosis(
    scenarios: list[suite.Scenario], tmp_path: Path, mark: object
) -> None:
    command = Command([*MISBEHAVING, "bad-starts", str(tmp_path / "state")])
    with pytest.raises(CannotStart, match=rf"failed to start {FAILED_STARTS} times one after the other; .* no such"):
        play(command, scenarios * 20)


def test_bad_starts_that_take_long_are_one_diagnosis(
    scenarios: list[suite.Scenario], tmp_path: Path, mark: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.implementations.command.FAILED_SECONDS", 0.0)
    command = Command([*MISBEHAVING, "bad-starts", str(tmp_path / "state")])
    with pytest.raises(CannotStart, match="failed to start once; at last: instead of answering hello it exited"):
        play(command, scenarios)


GREETING = '{"seq":0,"status":"ok","value":{"protocol":%d,"name":"x","profile":"linux-7.3","capabilities":[%s]}}'


def says(line: str) -> list[str]:
    """A program that answers the first request with this line."""
    return ["sh", "-c", 'read x; printf "%s\\n" "$1"', "sh", line]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("", "the command line is empty"),
        ("'unclosed", "is not properly quoted"),
        ("/nonexistent/program", "cannot be run: No such file or directory"),
        ("/", "cannot be run: Permission denied"),
        (["sh", "-c", "echo oh dear >&2; exit 127"], "it exited with status 127; its stderr ends: oh dear"),
        (["sh", "-c", "kill -SEGV $$"], "it was killed by SIGSEGV"),
        (["sh", "-c", "echo Welcome; read x"], "Welcome"),
        (says("Welcome"), "`Welcome` (stdout is for answers only, anything else belongs on stderr)"),
        (["sleep", "1000"], "no answer to hello in time (limit: 0.5 s). Does it flush its stdout after every answer?"),
        (says('{"seq":0,"status":"broken","why":"no\\u001b"}'), r"hello was answered broken: no\x1b"),
        (says(GREETING % (2, "")), "it speaks version 2 of the protocol, and this suite version 1"),
        (says(GREETING % (1, '"frame"')), "capability 'frame', which does not exist; did you mean 'frames'"),
    ],
)  # fmt: skip
def test_no_start_is_one_sentence(argv: str | list[str], words: str, mark: object) -> None:
    with pytest.raises(CannotStart) as caught:
        Command(argv, start_timeout=0.5)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


# --- interrupted ------------------------------------------------------------------------------------------

RUNNER = """
import sys
from conformance.implementations.command import Command
from conformance.protocol import *
command = Command(sys.argv[1:], timeout=60)
for request in Reset(), Start(process="A"), Map(process="A", region="mem", pages=1):
    command.request(request)
print("ready", flush=True)
command.request(Write(process="A", region="mem", value="spoil"))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_runner_dies(how: signal.Signals, mark: Callable[[], list[int]]) -> None:
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER, *MISBEHAVING, "silent"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=HERE.parent,
    )  # fmt: skip
    with runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == b"ready\n"
        assert len(mark()) == 3  # the runner, the program, its guard
        runner.send_signal(how)
    assert until(lambda: not mark())


# --- the skeletons ----------------------------------------------------------------------------------------


@pytest.fixture(params=["skeleton.py", "skeleton.c"])
def skeleton(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Command]:
    source = HERE.parent / "examples" / request.param
    argv = [sys.executable, str(source)]
    if source.suffix == ".c":
        compiler = shutil.which("cc")
        if not compiler:
            pytest.skip("there is no C compiler here")
        argv = [str(tmp_path / "skeleton")]
        subprocess.run(
            [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-o", *argv, str(source)], check=True
        )
    command = Command(argv)
    yield command
    command.close()
    assert command.notes == []


def test_a_skeleton_keeps_contents_apart(skeleton: Command, scenarios: list[suite.Scenario]) -> None:
    verdicts = play(skeleton, scenarios)
    assert [v.status for v in verdicts] == ["pass", "unsupported", "pass", "pass"]
    assert len((HERE.parent / "examples" / skeleton.greeting.name).read_text().splitlines()) < 150


def test_a_skeleton_passes_all_that_it_can_do(skeleton: Command) -> None:
    verdicts = play(skeleton, suite.load().select([]))
    bad = {v.scenario.id: v.reason for v in verdicts if v.status not in ("pass", "unsupported", "not-applicable")}
    assert not bad
    assert sum(v.status == "pass" for v in verdicts) >= 1
    assert all(v.reason for v in verdicts if v.status == "unsupported")


def test_a_skeleton_refuses_as_a_kernel_does(skeleton: Command) -> None:
    from conformance.protocol import Exit, Map, Unmap, Write

    ask = skeleton.request
    ask(Reset())
    assert ask(Exit(process="A")).errno == "ESRCH"
    assert ask(Start(process="A")).status == "ok"
    assert ask(Start(process="A")).errno == "EEXIST"
    assert ask(Map(process="A", region="mem", pages=4)).status == "ok"
    assert ask(Map(process="A", region="mem", pages=4)).errno == "EEXIST"
    assert ask(Map(process="A", region="big", pages=1 << 40)).errno == "ENOMEM"
    assert ask(Map(process="A", region="f", pages=1, sharing="shared")).status == "unsupported"
    assert ask(Write(process="A", region="mem", value='a"\\"b')).status == "ok"
    assert ask(Unmap(process="A", region="mem", first=3)).status == "ok"
    assert ask(Read(process="A", region="mem", count=3)).value == ['a"\\"b', "", ""]
    for first, count in (3, 1), (0, 4), (4, 1), (0, 1 << 40), (1 << 40, 1):
        assert ask(Read(process="A", region="mem", first=first, count=count)).signal == "SIGSEGV"
    assert ask(Read(process="A", region="other")).signal == "SIGSEGV"


def test_trouble_is_safe_to_print() -> None:
    trouble = Trouble("crash", "\x1b[2J\n" + "x" * 10_000)
    assert str(trouble).isprintable() and len(str(trouble)) < 2100


# --- the tutorial -----------------------------------------------------------------------------------------


def test_the_tutorial_is_true(tmp_path: Path, mark: object) -> None:
    text = (HERE.parent / "docs" / "implement.md").read_text(encoding="utf-8")
    first = re.search(r"```python\n(import json.*?)```", text, re.DOTALL)
    assert first
    program = tmp_path / "mine.py"
    program.write_text(first[1])
    command = Command([sys.executable, str(program)])
    assert command.greeting.name == "mine"
    assert command.request(Reset()).status == "unsupported"
    command.close()
    known = suite.load()
    commands = re.findall(r"^\$ mapspec (?:run|show) .*", text, re.MULTILINE)
    for line in commands:
        selectors = [word for word in shlex.split(line) if re.fullmatch(r"cow\.[a-z.-]+", word)]
        assert known.select(selectors), line
    assert len(commands) > 10
    changed = re.search(r"^ +self\.processes\[child\] = .*$", text, re.MULTILINE)
    assert changed
    skeleton = (HERE.parent / "examples" / "skeleton.py").read_text(encoding="utf-8")
    assert changed[0].partition("=")[0] in skeleton
