# SPDX-License-Identifier: MIT
"""`mapspec run`: run scenarios on an implementation."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import shlex
import sys
from pathlib import Path

from conformance import expectations, profiles, report, smoke
from conformance.commands import FAILED, INTERRUPTED, NO_START, OK, make_parser, say, suites
from conformance.expectations import Expectations
from conformance.implementations import CannotStart, Implementation, Trouble
from conformance.implementations.start import GUEST, TIMEOUT, Impossible, start
from conformance.profiles import Profile
from conformance.progress import Progress
from conformance.report import Footer, Header, Report, Result
from conformance.runner import Outcome, Run
from conformance.stop import Stop
from conformance.suite import Problem, Scenario, Suite, SuiteError

SHAPES = ("junit", "ktap", "html", "badge")


def parser() -> argparse.ArgumentParser:
    made = make_parser(
        "run",
        "[SELECTOR…] [OPTION…]",
        "Run all scenarios, or those of a chapter, rule, id or feature file:\n"
        "cow, cow.last-user, features/cow/reuse.feature, …",
        'mapspec run cow fork --implementation "./my-mm --protocol"',
    )
    add = made.add_argument
    add("selectors", nargs="*", metavar="SELECTOR", help=argparse.SUPPRESS)
    add("--implementation", metavar="I", default="reference", help='reference, linux, kernel:NAME or "COMMAND …"')
    add("--profile", metavar="P", help="judge by this profile; all: by each in turn")
    add("--report", metavar="FILE", type=Path, help="write the record (JSON lines)")
    add("--reports", metavar="DIR", type=Path, help="write a record per profile: DIR/PROFILE.jsonl")
    add("--junit", metavar="FILE", type=Path, help="write JUnit XML")
    add("--ktap", metavar="FILE", type=Path, help="write KTAP")
    add("--html", metavar="FILE", type=Path, help="write one HTML page")
    add("--badge", metavar="FILE", type=Path, help="write an SVG badge")
    add("--expectations", metavar="FILE", type=Path, help="known failures (TOML), held strictly")
    add("--part", metavar="K/N", type=_part, default=(1, 1), help="every N-th scenario only, from the K-th")
    add("--validate", action="store_true", help="check each message against its type, both ways")
    add("--bugs", action="store_true", help="kernel:NAME: let it die of each BUG, one boot each")
    add("--if-possible", action="store_true", help="where linux cannot be run, say so and exit with 0")
    add("--timeout", metavar="S", type=_seconds, default=TIMEOUT, help="seconds for one answer (default 10)")
    add("--verbose", action="store_true", help="a line per scenario")
    return made


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (value := float(text)) <= 86400:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds between 0 and 86400")


def _part(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    with contextlib.suppress(ValueError):
        if 1 <= (k := int(part)) <= (n := int(parts)):
            return k, n
    raise argparse.ArgumentTypeError(f"{text!r} is no part such as 1/4")


def main(args: argparse.Namespace, root: Path) -> int:
    suite, scenarios = suites.load(args.selectors, root)
    part, parts = args.part
    scenarios = scenarios[part - 1 :: parts]
    known = profiles.load(root)[1]
    if problems := _usage(args, known):
        raise SuiteError(problems)
    expected = expectations.load(args.expectations, suite) if args.expectations else Expectations()
    names: list[str | None] = [args.profile]
    if args.profile == "all":
        names = list(known)
    elif args.profile is None and args.implementation == "reference":
        names = [profiles.DEFAULT]
    worst = OK
    with Stop() as stop:
        for name in names:
            code = _Session(args, suite, scenarios, known, expected, stop).run(name)
            worst = max(worst, code)
            if code == INTERRUPTED:
                break
    return worst


def _usage(args: argparse.Namespace, known: dict[str, Profile]) -> list[Problem]:
    """What is wrong with the options before anything is started."""
    problems = []
    if args.profile not in (None, "all", *known):
        near = difflib.get_close_matches(args.profile, known, n=2) or list(known)
        problems.append(_wrong("--profile", f"there is no profile {args.profile!r}", f"There is {', '.join(near)}."))
    if not args.implementation.strip():
        problems.append(_wrong("--implementation", "it is empty", "It is reference, linux, kernel:NAME or a command."))
    taken: dict[Path, str] = {}
    for name in ("report", *SHAPES):
        path: Path | None = getattr(args, name)
        if path and args.profile == "all":
            mend = "With --profile all, --reports DIR keeps the records apart."
            problems.append(_wrong(f"--{name}", "one file cannot hold the runs of all profiles", mend))
        elif path and (other := taken.setdefault(path.absolute(), name)) != name and not _device(path):
            problems.append(_wrong(f"--{name}", f"--{other} writes {path} already", "Name another file."))
        elif path and (what := _unwritable(path)):
            problems.append(_wrong(f"--{name}", what, "Name a file that can be written."))
    if args.reports and (what := _unwritable(args.reports / "any.jsonl")):
        problems.append(_wrong("--reports", what, "Name a directory that can be written."))
    if args.report and args.reports:
        problems.append(_wrong("--reports", "--report is there already", "Use one of them."))
    if args.bugs and not args.implementation.startswith(GUEST):
        problems.append(
            _wrong("--bugs", "only a kernel in a virtual machine may die", "Add --implementation kernel:NAME.")
        )
    if args.if_possible and args.implementation != "linux":
        problems.append(_wrong("--if-possible", "it is about linux only", "Add --implementation linux."))
    return problems


def _unwritable(path: Path) -> str:
    """Why a file cannot be made, as far as that can be told beforehand: after a long run it is too late."""
    if path.is_dir():
        return f"{path} is a directory"
    if path.exists() and not os.access(path, os.W_OK):
        return f"{path} cannot be written"
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        return f"{folder} is not a directory"
    if not path.exists() and not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} cannot be written"
    return ""


def _device(path: Path) -> bool:
    """/dev/stdout, a pipe: what two outputs may share."""
    return path.exists() and not path.is_file()


def _wrong(option: str, what: str, mend: str) -> Problem:
    return Problem(option, 0, what, mend)


class _Session:
    """One run on one implementation by one profile."""

    def __init__(
        self, args: argparse.Namespace, suite: Suite, scenarios: list[Scenario], known: dict[str, Profile],
        expected: Expectations, stop: Stop,
    ):  # fmt: skip
        self.args, self.suite, self.scenarios, self.known = args, suite, scenarios, known
        self.expected, self.stop = expected, stop

    def run(self, asked: str | None) -> int:
        """Start, try, run, record, say.  Returns the exit code."""
        args = self.args
        try:
            implementation = start(
                args.implementation, asked, timeout=args.timeout, encode=args.validate, bugs=args.bugs
            )
        except CannotStart as e:
            if args.if_possible and isinstance(e, Impossible):
                print(f"{args.implementation}: not run: {e}.")
                return OK
            return _no_start(str(e))
        except KeyboardInterrupt:
            print("mapspec: interrupted", file=sys.stderr)
            return INTERRUPTED
        try:
            return self._judge(implementation, asked)
        except CannotStart as e:
            return _no_start(str(e))
        finally:
            implementation.close()
            for note in getattr(implementation, "notes", []):
                print(f"note: {note}", file=sys.stderr)

    def _judge(self, implementation: Implementation, asked: str | None) -> int:
        greeting = implementation.greeting
        name = asked or greeting.profile
        if name not in self.known:
            mend = f"Say --profile with one of {', '.join(self.known)}."
            return _no_start(f"{greeting.name} claims the profile {greeting.profile!r}, which does not exist. {mend}")
        if greeting.profile != name:
            if self.args.profile == "all":
                print(f"{name}: not run: {greeting.name} claims the profile {greeting.profile}.")
                return OK
            print(f"note: it claims the profile {greeting.profile}; it is judged by {name}, as asked", file=sys.stderr)
        checked = None
        if self.args.validate:
            from conformance.checked import Checked

            try:
                implementation = checked = Checked(implementation)
            except Trouble as e:
                return _no_start(str(e))
        if not _smoke(implementation):
            return NO_START
        result, outcome = self._record(implementation, name, asked)
        self._say(result)
        if checked:
            print(f"{checked.requests} requests and {checked.answers} answers were checked against the messages.")
        return _code(result, outcome)

    def _record(self, implementation: Implementation, name: str, asked: str | None) -> tuple[Report, Outcome]:
        args = self.args
        head = report.header(
            self.suite, implementation.greeting, name, args.selectors, self.scenarios, _again(args, asked)
        )
        progress = Progress(len(self.scenarios), verbose=args.verbose)
        path = args.reports / f"{name}.jsonl" if args.reports else args.report
        with contextlib.ExitStack() as stack:
            write = stack.enter_context(report.Writer(path)) if path else None

            def tell(record: Header | Result | Footer) -> None:
                if write:
                    write(record)
                if isinstance(record, Result):
                    progress.result(record)

            profile = self.known[name]
            played = Run(self.scenarios, implementation, profile, self.expected, tell).play(head, self.stop)
        progress.clear()
        return played

    def _say(self, result: Report) -> None:
        """The summary, and the files that were asked for."""
        from conformance.outputs.text import summary

        say(summary(result) + "\n" * (self.args.profile == "all"))
        for shape in SHAPES:
            path: Path | None = getattr(self.args, shape)
            if path:
                with report.naming(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(_shaped(shape, result), encoding="utf-8")


def _shaped(shape: str, result: Report) -> str:
    if shape == "junit":
        from conformance.outputs.junit import junit

        return junit(result)
    if shape == "ktap":
        from conformance.outputs.ktap import ktap

        return ktap(result)
    if shape == "html":
        from conformance.outputs.page import html

        return html(result)
    from conformance.outputs.badge import badge

    return badge(result)


def _smoke(implementation: Implementation) -> bool:
    """Whether a run makes sense; say what is wrong."""
    wrong, sensible = smoke.smoke(implementation)
    if not wrong:
        return True
    name = implementation.greeting.name
    if sensible:
        print(f"mapspec: {name} does not do all that every scenario needs:", file=sys.stderr)
    else:
        print(f"mapspec: {name} greets, but nothing can be run on it:", file=sys.stderr)
    for line in wrong:
        print(f"  {line}", file=sys.stderr)
    return sensible


def _no_start(why: str) -> int:
    print(f"mapspec: {why}", file=sys.stderr)
    return NO_START


def _again(args: argparse.Namespace, asked: str | None) -> str:
    """The command that repeats the run, without selectors."""
    words = ["mapspec", "run"]
    if args.implementation != "reference":
        words += ["--implementation", args.implementation]
    if asked:
        words += ["--profile", asked]
    if args.timeout != TIMEOUT:
        words += ["--timeout", f"{args.timeout:g}"]
    if args.validate:
        words.append("--validate")
    if args.bugs:
        words.append("--bugs")
    return shlex.join(words)


def _code(result: Report, outcome: Outcome) -> int:
    if outcome.interrupted:
        return INTERRUPTED
    if outcome.lost:
        return NO_START
    return FAILED if result.bad or result.footer.wrong or not result.complete else OK
