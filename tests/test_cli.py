# SPDX-License-Identifier: MIT
"""The command line: what it prints, the files that it writes, its exit codes, and what it does with strangers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from mini import GOOD, WRONG, Mini

from conformance import cli, protocol, report, suite
from conformance.commands import run as run_command
from conformance.implementations import CannotStart, Model
from conformance.implementations.start import Impossible, start
from conformance.profiles import load as load_profiles
from conformance.schema import schema
from conformance.trace import trace

HERE = Path(__file__).parent
MAPSPEC = [sys.executable, "-m", "conformance"]


def program(mode: str) -> str:
    """A program that does one thing wrong."""
    return f"{sys.executable} {HERE / 'misbehaving.py'} {mode}"


# --- help -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *cli.COMMANDS])
def test_help_fits_a_screen_and_has_an_example(mini: Mini, name: str) -> None:
    assert mini.run(*filter(None, [name]), "--help") == 0
    lines = mini.out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "Example: mapspec" in mini.out


def test_exit_codes_are_documented(mini: Mini) -> None:
    mini.run("--help")
    assert all(f"\n  {code}  " in mini.out for code in range(5))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rnu"], "Did you mean run?"),
        (["run", "--profile", "linux-7.4"], "there is no profile 'linux-7.4'"),
        (["run", "cow.isolatoin"], "Did you mean cow.isolation"),
        (["run", "--report", "."], "is a directory"),
        (["run", "--profile", "all", "--report", "r"], "--reports DIR"),
        (["run", "--report", "r", "--reports", "d"], "Use one of them"),
        (["run", "--if-possible"], "Add --implementation linux"),
        (["run", "--report", "pyproject.toml/r"], "pyproject.toml is not a directory"),
        (["run", "--reports", "pyproject.toml"], "pyproject.toml is not a directory"),
        (["run", "--junit", "/proc/x"], "cannot be written"),
        (["run", "--report", "/dev/full"], "/dev/full: cannot be written: No space left on device"),
        (["run", "--html", "/dev/full"], "/dev/full: cannot be written: No space left on device"),
        (["run", "--junit", "x", "--ktap", "x"], "--junit writes x already"),
        (["run", "--timeout", "0"], "'0' is no number of seconds"),
        (["run", "--timeout", "x"], "'x' is no number of seconds"),
        (["run", "--profil", "x"], "Did you mean --profile? `mapspec run --help`"),
        (["run", ""], "a selector is empty"),
        (["run", "--implementation", " "], "it is empty"),
        (["show", "nobody.knows"], "nothing is called"),
        (["compare", "a"], "required"),
        (["lint", "nowhere.feature"], ""),
    ],
)
def test_bad_usage_is_2(mini: Mini, arguments: list[str], says: str) -> None:
    assert mini.run(*arguments) == 2
    assert says in mini.err
    assert "Traceback" not in mini.err


def test_no_command_is_2(mini: Mini) -> None:
    assert mini.run() == 2
    assert "usage:" in mini.err


def test_start_up_loads_no_more_than_needed() -> None:
    code = "import sys; from conformance import cli; cli.main(['--help']); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"msgspec", "gherkin", "cucumber_expressions", "rich"} & set(modules)


# --- run --------------------------------------------------------------------------------------------------


def test_run_passes(mini: Mini) -> None:
    assert mini.run("run") == 0
    assert "pass 2, fail 0, not-applicable 1" in mini.out
    assert "2 of 2 applicable scenarios pass (100 %). 2 of 3 apply (66.6 %)." in mini.out
    assert "@until:6.1 does not hold for linux-7.3" in mini.out, "nothing is skipped in silence"


def test_run_fails_in_full(mini: Mini) -> None:
    mini.feature(GOOD + WRONG)
    assert mini.run("run") == 1
    for words in (
        "FAIL cow.isolation.wrong",
        "After fork, a write by one process MUST NOT be seen by the other",
        "A page holds what nobody wrote (features/cow/writing.feature:25)",
        'A reads "odd" in page 0 (line 28)',
        "expected  'odd'",
        "seen      'new'",
        "    write A mem 0 value=new -> ok\n",
        "again     mapspec run --profile linux-7.3 cow.isolation.wrong\n",
    ):
        assert words in mini.out
    assert mini.run("run", "--profile", "linux-7.3", "cow.isolation.wrong") == 1


@pytest.mark.parametrize("selector", ["cow", "cow.isolation", "cow.isolation.child-writes", "{feature}", "{folder}"])
def test_selectors(mini: Mini, selector: str) -> None:
    path = mini.root / "features" / "cow" / "writing.feature"
    assert mini.run("run", selector.format(feature=path, folder=path.parent)) == 0
    assert "pass 2" in mini.out


def test_all_profiles(mini: Mini, tmp_path: Path) -> None:
    assert mini.run("run", "--profile", "all", "--reports", tmp_path / "r") == 0
    names = list(load_profiles()[1])
    assert sorted(p.name for p in (tmp_path / "r").iterdir()) == sorted(f"{n}.jsonl" for n in names)
    old, new = (report.read(tmp_path / "r" / f"{n}.jsonl") for n in ("linux-6.1", "linux-7.3"))
    assert (old.results["cow.isolation.old"].status, new.results["cow.isolation.old"].status) == (
        "pass", "not-applicable",
    )  # fmt: skip
    assert mini.run("compare", tmp_path / "r" / "linux-6.1.jsonl", tmp_path / "r" / "linux-7.3.jsonl") == 1
    assert "Rules of which scenarios differ (1)" in mini.out
    assert "    pass -> not-applicable: @until:6.1 does not hold for linux-7.3\n      cow.isolation.old\n" in mini.out
    assert "2 of 3 scenarios differ, in 1 of 1 rules." in mini.out


def test_files(mini: Mini, tmp_path: Path) -> None:
    names = ["report", "junit", "ktap", "html", "badge"]
    options = [word for name in names for word in (f"--{name}", str(tmp_path / "out" / name))]
    assert mini.run("run", *options) == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(names)
    again = tmp_path / "again.jsonl"
    assert mini.run("run", "--report", again) == 0
    assert mini.run("compare", tmp_path / "out" / "report", again) == 0
    assert "Nothing differs." in mini.out
    result = report.read(again).results["cow.isolation.child-writes[a-base-page]"]
    assert result.operations[-1] == "read A mem 0 -> ok 'old'"


def test_suite_with_problems_is_not_run(mini: Mini) -> None:
    mini.feature(GOOD.replace("Feature:", "Faeture:"))
    assert mini.run("run") == 2
    assert "features/cow/writing.feature:1:" in mini.err


def test_expectations(mini: Mini, tmp_path: Path) -> None:
    mini.feature(GOOD + WRONG)
    path = tmp_path / "expect.toml"
    entry = '[[expect]]\nid = "{}"\nstatus = "{}"\nreason = "known so far"\nlink = "#1"\n'
    path.write_text(entry.format("cow.isolation.wrong", "xfail"))
    assert mini.run("run", "--expectations", path) == 0
    assert "xfail 1" in mini.out and "known so far" in mini.out
    path.write_text(entry.format("cow.isolation.wrong", "skip"))
    assert mini.run("run", "--expectations", path) == 0
    assert "skipped 1" in mini.out
    path.write_text(entry.format("cow.isolation", "xfail"))
    assert mini.run("run", "--expectations", path) == 1
    assert "XPASS cow.isolation.child-writes[a-base-page]" in mini.out


def test_validate_counts_messages(mini: Mini) -> None:
    assert mini.run("run", "--validate") == 0
    words = mini.out.splitlines()[-1].split()
    assert int(words[0]) == int(words[3]) > 20


class Broken(Model):
    """The model, but its answer to `write` has an errno although it is ok."""

    def request(self, request: protocol.Request) -> object:  # type: ignore[override]
        reply = super().request(request)
        return reply._replace(errno="EIO") if isinstance(request, protocol.Write) else reply


def test_validate_finds_a_wrong_answer(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_command, "start", lambda name, profile, **_: Broken(profile))
    assert mini.run("run") == 0
    assert mini.run("run", "--validate") == 1
    assert "has status ok, and errno is EIO" in mini.out


def test_linux_where_there_is_none(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Impossible("there is no C compiler here")

    monkeypatch.setattr(run_command, "start", refuse)
    assert mini.run("run", "--implementation", "linux", "--if-possible") == 0
    assert mini.out == "linux: not run: there is no C compiler here.\n"
    assert mini.run("run", "--implementation", "linux") == 3
    assert "there is no C compiler here" in mini.err


def test_linux_needs_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    with pytest.raises(Impossible, match="this is plan9, not Linux"):
        start("linux", None)


# --- programs that misbehave ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["/nowhere/program", "/etc/passwd", "'", "true", "false"])
def test_program_that_does_not_start_is_3(mini: Mini, name: str) -> None:
    assert mini.run("run", "--implementation", name) == 3
    assert len(mini.err.splitlines()) <= 3, "one diagnosis"
    assert "Traceback" not in mini.err


def test_program_that_cannot_do_anything_is_3(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    class Useless(Model):
        def request(self, request: protocol.Request) -> object:  # type: ignore[override]
            reply = super().request(request)
            return reply._replace(status="errno", errno="ENOSYS") if isinstance(request, protocol.Operation) else reply

    monkeypatch.setattr(run_command, "start", lambda name, profile, **_: Useless(profile))
    assert mini.run("run") == 3
    assert "map A mem pages=1 sharing=private protection=read-write -> ENOSYS" in mini.err
    assert mini.out == ""


@pytest.mark.parametrize(
    ("mode", "status"),
    [("proper", "pass"), ("killed", "error"), ("silent", "timeout"), ("control-garbage", "error"), ("lie", "error")],
)
def test_each_trouble_has_its_verdict(mini: Mini, tmp_path: Path, mode: str, status: str) -> None:
    spoilt = WRONG.replace('"new"', '"spoil"').replace("odd", "spoil") + "      And page 0 of A was reused\n"
    mini.feature(GOOD + spoilt)
    path = tmp_path / "r.jsonl"
    code = mini.run("run", "--implementation", program(mode), "--timeout", 1, "--report", path)
    results = report.read(path).results
    assert results["cow.isolation.wrong"].status == status, results["cow.isolation.wrong"]
    if mode != "lie":
        assert results["cow.isolation.child-writes[an-order-4-folio]"].status == "pass", "the rest is unharmed"
    assert code == (0 if status == "pass" else 1)
    assert all(c.isprintable() or c == "\n" for c in mini.out), "nothing of it reaches the terminal"


def test_equal_errors_are_one_trouble(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(Model):
        def request(self, request: protocol.Request) -> object:  # type: ignore[override]
            reply = super().request(request)
            return reply._replace(status="broken", why="lost it") if isinstance(request, protocol.Write) else reply

    monkeypatch.setattr(run_command, "start", lambda name, profile, **_: Forgetful(profile))
    assert mini.run("run") == 1
    assert mini.out.count("  reason    broken: lost it\n") == 1
    assert "also      1 more: cow.isolation.child-writes[an-order-4-folio]" in mini.out
    assert "write A mem 0 value=smoke" in mini.err, "the smoke test has said so before"


def test_program_lost_in_the_middle_is_3(mini: Mini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Lost(Model):
        forks = 0

        def request(self, request: protocol.Request) -> object:  # type: ignore[override]
            self.forks += isinstance(request, protocol.Fork)
            if self.forks == 2:
                raise CannotStart("it failed to start 20 times")
            return super().request(request)

    monkeypatch.setattr(run_command, "start", lambda name, profile, **_: Lost(profile))
    path = tmp_path / "r.jsonl"
    assert mini.run("run", "--report", path) == 3
    got = report.read(path)
    assert not got.complete and got.footer.why == "it failed to start 20 times"
    assert [r.status for r in got.results.values()] == ["pass", "notrun", "notrun"]
    assert "NOT COMPLETE: it failed to start 20 times" in mini.out


def test_timeouts_one_after_the_other_end_the_run(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    from conformance import runner
    from conformance.implementations import Trouble

    class Slow(Model):
        def request(self, request: protocol.Request) -> object:  # type: ignore[override]
            if isinstance(request, protocol.Fork):
                raise Trouble("hang", "no answer to fork")
            return super().request(request)

    monkeypatch.setattr(run_command, "start", lambda name, profile, **_: Slow(profile))
    monkeypatch.setattr(runner, "PATIENCE", 2)
    assert mini.run("run") == 1
    assert "NOT COMPLETE: 2 timeouts one after the other. 1 scenarios were not run." in mini.out


SLOW = """
import json, sys, time
from reference_impl.serve import Model
model = Model()
for line in sys.stdin:
    time.sleep(0.03)
    print(json.dumps(model.handle(json.loads(line))), flush=True)
"""


@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGTERM, 1)])
def test_interrupted_run_is_4_and_says_so(tmp_path: Path, number: int, times: int) -> None:
    path, slow = tmp_path / "r.jsonl", tmp_path / "slow.py"
    slow.write_text(SLOW)
    program = f"{sys.executable} {slow}"
    command = [*MAPSPEC, "run", str(draft(tmp_path)), "--implementation", program, "--report", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(suite.ROOT)}
    process = subprocess.Popen(
        [*command, "--verbose"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stderr
    for line in process.stderr:  # the first verdict
        if line.startswith("pass"):
            break
    for _ in range(times):
        process.send_signal(number)
        time.sleep(0.1)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 4, err
    assert "NOT COMPLETE: interrupted." in out
    assert "Traceback" not in err
    got = report.read(path)
    assert not got.complete
    assert len(got.results) == got.header.scenarios == 40
    assert {r.status for r in got.results.values()} == {"pass", "notrun"}


def draft(tmp_path: Path) -> Path:
    """A feature file with many scenarios."""
    path = tmp_path / "cow" / "many.feature"
    path.parent.mkdir()
    rows = "".join(f"        | {n} |\n" for n in range(40))
    path.write_text(
        "Feature: Many\n\n  @cow.many\n  Rule: Much MAY be written\n\n    @cow.many.tokens\n"
        "    Scenario Outline: A page holds <token>\n      Given A has a base page\n"
        '      When A writes "<token>" to page 0\n      Then A reads "<token>" in page 0\n\n'
        f"      Examples:\n        | token |\n{rows}"
    )
    return path


# --- the others -------------------------------------------------------------------------------------------


def test_progress_is_a_plain_line_elsewhere_and_one_line_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from conformance import progress
    from conformance.report import Result

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(progress, "EVERY_TERMINAL", 0.0)
    monkeypatch.setattr(progress, "EVERY_ELSEWHERE", 0.0)
    for out, expected in (
        (Terminal(), "\r\x1b[K1 of 2, 1 failed  cow.a.b\r\x1b[K"),
        (io.StringIO(), "1 of 2, 1 failed\n"),
    ):
        shown = progress.Progress(2, out=out)
        shown.result(Result(id="cow.a.b", digest="", status="fail"))
        shown.clear()
        assert out.getvalue() == expected


def test_list(mini: Mini) -> None:
    assert mini.run("list", "--long") == 0
    assert "cow.isolation  (3 scenarios)" in mini.out
    assert "cow.isolation.old  @until:6.1" in mini.out


def test_steps_finds_words(mini: Mini) -> None:
    assert mini.run("steps", "forks") == 0
    assert "{process} forks {process}" in mini.out
    assert "{process}  A process." in mini.out
    assert mini.run("steps", "zebra") == 2


def test_show_rule_rows_and_scenario(mini: Mini) -> None:
    assert mini.run("show", "cow.isolation") == 0
    assert "all: mm/memory.c: do_wp_page" in mini.out
    assert mini.run("show", "cow.isolation.child-writes") == 0
    assert "mapspec show 'cow.isolation.child-writes[a-base-page]'" in mini.out
    assert mini.run("show", "cow.isolation.child-writes[an-order-4-folio]") == 0
    for words in ("And A forks B\n    > fork A child=B -> ok\n", "A mem 0-15", "order 4 anon", "\npass\n"):
        assert words in mini.out
    assert mini.run("show", "cow.isolation.old", "--profile", "linux-6.1") == 0
    assert mini.run("show", "cow.isolation.old") == 0
    assert "not-applicable: @until:6.1" in mini.out


def test_trace_has_a_state_for_every_step(mini: Mini) -> None:
    mini.feature(GOOD + WRONG)
    scenario = suite.load_or_raise(mini.root).scenarios["cow.isolation.wrong"]
    traced = trace(scenario, Model("linux-7.3"), load_profiles()[1]["linux-7.3"])
    assert [m.step for m in traced.moments] == list(scenario.steps)
    assert all(m.state and m.state["processes"] for m in traced.moments)
    assert [e.request for e in traced.moments[1].exchanges] == ["write A mem 0 value=new"]
    assert traced.verdict.status == "fail"


def test_schema_describes_every_message(mini: Mini, tmp_path: Path) -> None:
    assert mini.run("schema", "--out", tmp_path / "s.json") == 0
    made = json.loads((tmp_path / "s.json").read_text())
    assert made == schema()
    tags = {d["properties"]["do"]["enum"][0] for d in made["$defs"].values() if "do" in d.get("properties", {})}
    assert tags == set(protocol.REQUESTS)
    assert all("description" in made["$defs"][cls.__name__] for cls in protocol.REQUESTS.values())
    assert set(made["values"]) == {tag for tag, cls in protocol.REQUESTS.items() if cls.answer is not None}
    references = {word for word in json.dumps(made).split('"') if word.startswith("#/$defs/")}
    assert references <= {f"#/$defs/{name}" for name in made["$defs"]}


def test_requests_survive_the_wire() -> None:
    from conformance.schema import decoder

    for cls in protocol.REQUESTS.values():
        fields = {f.name: sample(f) for f in msgspec.structs.fields(cls) if f.required}
        request = cls(**fields)
        assert decoder().decode(msgspec.json.encode(request)) == request


def sample(field: msgspec.structs.FieldInfo) -> object:
    known = {
        "process": "A", "child": "B", "advice": "cold", "protection": "read", "filesystem": "tmpfs", "pages": 2,
        "memory": "pages", "function": "fault", "interface": "vvar", "mode": "missing", "frame": "1", "number": 1,
    }  # fmt: skip
    return known.get(field.name, "name")


def test_closed_stdout_is_no_error(mini: Mini) -> None:
    command = f"{sys.executable} -m conformance steps | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=suite.ROOT, check=True)
    assert done.stderr == ""
    mini.feature(GOOD + WRONG)
    code = "import sys, pathlib; from conformance import cli; sys.exit(cli.main(['run'], pathlib.Path(sys.argv[1])))"
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", code, str(mini.root)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=suite.ROOT, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, ""), "a failure is one, read or not"
