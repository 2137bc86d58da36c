# SPDX-License-Identifier: MIT
"""The record of a run: JSON lines with a header, one result per scenario, and a footer.

Everything else that is said about a run (text, JUnit XML, KTAP, HTML, badge, comparison, the site) is made from it.
A file appears under its name only when its footer is written; until then it is called NAME.part.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import os
import platform
import tomllib
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast, get_args

import msgspec
from msgspec import Struct

from conformance.engine import Status, Verdict, describe
from conformance.implementations import printable
from conformance.plain import LONGEST, brief, safe
from conformance.protocol import Greeting
from conformance.suite import ROOT, Scenario, Suite

FORMAT = 1
GZIP = b"\x1f\x8b"
STATUSES: tuple[Status, ...] = get_args(Status)
APPLICABLE: tuple[Status, ...] = ("pass", "fail", "error", "timeout", "xfail", "xpass")
"""What was asked of the implementation and answered for."""
BAD: tuple[Status, ...] = ("fail", "error", "timeout", "xpass")


class ReportError(Exception):
    """A file that is not a report; the text names file, line and the way out."""


class SuiteRef(Struct, frozen=True):
    """Which suite was run."""

    version: str
    digest: str


class Header(Struct, tag_field="kind", tag="header", frozen=True, kw_only=True):
    """What was run, against what, and where."""

    format: int
    suite: SuiteRef
    implementation: Greeting
    profile: str
    host: dict[str, str]
    started: str
    """ISO 8601, UTC"""
    selection: list[str]
    scenarios: int
    """How many results there shall be."""
    rules: dict[str, str] = {}
    """The sentence of each rule that is touched."""
    command: str = ""
    """Options that repeat the run; a selector is put after them."""


class StepRef(Struct, frozen=True):
    """The step that decided."""

    text: str
    line: int


class Expectation(Struct, frozen=True):
    """What the implementer had said of the scenario."""

    reason: str
    link: str = ""


class Result(Struct, tag_field="kind", tag="result", frozen=True, kw_only=True):
    """What came of one scenario."""

    id: str
    digest: str
    status: Status
    reason: str = ""
    step: StepRef | None = None
    expected: str = ""
    seen: str = ""
    notes: list[str] = []
    seconds: float = 0.0
    operations: list[str] = []
    """`write A mem 0 value=new -> ok`, in order."""
    name: str = ""
    """The scenario's name."""
    file: str = ""
    line: int = 0
    expectation: Expectation | None = None

    @property
    def rule(self) -> str:
        """The rule's id."""
        return self.id.partition("[")[0].rpartition(".")[0]

    @property
    def chapter(self) -> str:
        return self.id.partition(".")[0]


class Footer(Struct, tag_field="kind", tag="footer", frozen=True, kw_only=True):
    """The end: without it, it is not a report."""

    complete: bool
    """False: the run was interrupted, or gave up; some results are `notrun`."""
    counts: dict[str, int]
    seconds: float
    why: str = ""
    """Why it is not complete."""
    notes: list[str] = []
    """What was seen when everything was over."""
    wrong: list[str] = []
    """What was wrong then, such as memory that did not come back.  Then the run has failed."""


@dataclass(frozen=True)
class Report:
    """A whole record."""

    header: Header
    results: dict[str, Result]
    """By scenario id, in the order of the run."""
    footer: Footer

    @property
    def complete(self) -> bool:
        return self.footer.complete

    @property
    def counts(self) -> dict[Status, int]:
        """Of every status, 0 included."""
        found = Counter(r.status for r in self.results.values())
        return {status: found[status] for status in STATUSES}

    @property
    def passed(self) -> tuple[int, int]:
        """Pass of applicable."""
        counts = self.counts
        return counts["pass"], sum(counts[s] for s in APPLICABLE)

    @property
    def applicable(self) -> tuple[int, int]:
        """Applicable of all."""
        return self.passed[1], len(self.results)

    @property
    def bad(self) -> list[Result]:
        """What makes a run fail."""
        return [r for r in self.results.values() if r.status in BAD]

    def sentence(self, result: Result) -> str:
        """The rule that the result is about."""
        return self.header.rules.get(result.rule, "")


# --- making one -------------------------------------------------------------------------------------------


def version() -> str:
    """Of the suite and its tools: they are one."""
    with open(ROOT / "pyproject.toml", "rb") as f:
        return str(tomllib.load(f)["project"]["version"])


def header(
    suite: Suite, greeting: Greeting, profile: str, selection: list[str], scenarios: list[Scenario], command: str = ""
) -> Header:
    """The header of a run that starts now."""
    machine = os.uname()
    return Header(
        format=FORMAT,
        suite=SuiteRef(version(), suite.digest),
        implementation=greeting,
        profile=profile,
        host={
            "system": machine.sysname,
            "kernel": machine.release,
            "machine": machine.machine,
            "python": platform.python_version(),
        },
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        selection=selection,
        scenarios=len(scenarios),
        rules={s.rule.id: s.rule.text for s in scenarios},
        command=command,
    )


def result(verdict: Verdict, expectation: Expectation | None = None) -> Result:
    """The record of a verdict."""
    scenario, step = verdict.scenario, verdict.step
    return Result(
        id=scenario.id,
        digest=scenario.digest,
        status=verdict.status,
        reason=safe(verdict.reason),
        step=StepRef(step.text, step.line) if step else None,
        expected=printable(verdict.expected, LONGEST),
        seen=printable(verdict.seen, LONGEST),
        notes=[printable(note, LONGEST) for note in verdict.notes],
        seconds=round(verdict.seconds, 6),
        operations=[f"{describe(request)} -> {brief(reply)}" for request, reply in verdict.log],
        name=scenario.name,
        file=scenario.file,
        line=scenario.line,
        expectation=expectation,
    )


def notrun(scenario: Scenario, why: str) -> Result:
    """The record of a scenario that was not reached."""
    return result(Verdict(scenario, "notrun", why))


def footer(
    results: Iterable[Result], seconds: float, why: str = "", *, notes: Iterable[str] = (), wrong: Iterable[str] = ()
) -> Footer:
    """The footer; `why` is given if the run did not reach its end."""
    found = Counter(r.status for r in results)
    counts: dict[str, int] = {s: found[s] for s in STATUSES if found[s]}
    return Footer(
        complete=not why,
        counts=counts,
        seconds=round(seconds, 3),
        why=why,
        notes=[safe(note) for note in notes],
        wrong=[safe(text) for text in wrong],
    )


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError of a write does not name the file: raise ReportError, which does."""
    try:
        yield
    except OSError as e:
        raise ReportError(f"{e.filename or path}: cannot be written: {e.strerror}") from None


class Writer:
    """Writes a record as it grows.  `with Writer(path) as write: write(header) … write(footer)`.

    The file gets its name when the footer has been written; otherwise NAME.part is left.  A name that ends in .gz
    makes it packed, as the records in conformance/results/ are.
    """

    def __init__(self, path: Path):
        self.path = path
        self._direct = path.exists() and not path.is_file()  # /dev/stdout, a pipe
        self._part = path if self._direct else path.with_name(path.name + ".part")
        self._out: BinaryIO | None = None
        self._encode = msgspec.json.Encoder().encode
        self._done = False

    def __enter__(self) -> Callable[[Header | Result | Footer], None]:
        with naming(self.path):
            if not self._direct:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            packed = self.path.suffix == ".gz"
            self._out = cast(BinaryIO, gzip.GzipFile(self._part, "wb", mtime=0)) if packed else open(self._part, "wb")
        return self._write

    def _write(self, record: Header | Result | Footer) -> None:
        assert self._out and not self._done
        with naming(self.path):
            self._out.write(self._encode(record) + b"\n")
            if not isinstance(record, Result):
                self._out.flush()
        self._done = isinstance(record, Footer)

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._out
        with naming(self.path):
            self._out.close()
            if self._done and not self._direct:
                self._part.replace(self.path)


def write(path: Path, report: Report) -> None:
    """Write a whole report: all of it or nothing."""
    with Writer(path) as put:
        put(report.header)
        for one in report.results.values():
            put(one)
        put(report.footer)


def merged(parts: Sequence[Report]) -> Report:
    """One report of the parts 1/N to N/N of a run, in this order, which ran at the same time."""
    first, *others = parts
    if not others:
        return first
    rows = itertools.zip_longest(*(part.results.values() for part in parts))
    results = {one.id: one for row in rows for one in row if one is not None}
    header = msgspec.structs.replace(
        first.header,
        started=min(part.header.started for part in parts),
        scenarios=sum(part.header.scenarios for part in parts),
        rules={name: text for part in parts for name, text in part.header.rules.items()},
    )
    lists = {name for name, value in msgspec.structs.asdict(first.footer).items() if isinstance(value, list)}
    foot = footer(results.values(), max(part.footer.seconds for part in parts))
    foot = msgspec.structs.replace(
        foot,
        complete=all(part.complete for part in parts),
        why="; ".join(part.footer.why for part in parts if part.footer.why),
        **{name: [one for part in parts for one in getattr(part.footer, name)] for name in lists},
    )
    return Report(header, results, foot)


# --- reading one ------------------------------------------------------------------------------------------


def read(path: Path) -> Report:
    """Read a report.  Raises ReportError, which names file, line and the way out."""
    try:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if data.startswith(GZIP) else data).rstrip().splitlines()
    except (gzip.BadGzipFile, EOFError, zlib.error) as e:
        raise ReportError(f"{path}: cannot be unpacked: {e}. Record the run again.") from None
    except OSError as e:
        raise ReportError(f"{path}: cannot be read: {e.strerror}") from None
    decode = msgspec.json.Decoder(Header | Result | Footer).decode
    head: Header | None = None
    foot: Footer | None = None
    results: dict[str, Result] = {}
    for number, line in enumerate(lines, 1):
        at = f"{path}:{number}"
        try:
            record = decode(line)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as e:
            raise ReportError(f"{at}: {_unreadable(line, number, len(lines), e)}") from None
        if foot is not None:
            raise ReportError(f"{at}: there is more after the footer. Two reports in one file? Keep one.")
        if (head is None) != isinstance(record, Header):
            what = "there is no header before this" if head is None else "this is a second header"
            raise ReportError(f"{at}: {what}. A report has one header, in its first line.")
        if isinstance(record, Header):
            head = record
            if head.format != FORMAT:
                raise ReportError(f"{at}: format {head.format} is not known. This mapspec reads format {FORMAT}.")
        elif isinstance(record, Footer):
            foot = record
        elif record.id in results:
            raise ReportError(f"{at}: {printable(record.id, 80)} has a result already. Record the run again.")
        else:
            results[record.id] = record
    if head is None:
        raise ReportError(f"{path}:1: the file is empty. `mapspec run --report FILE` writes one.")
    if foot is None:
        raise ReportError(
            f"{path}:{len(lines)}: there is no footer: the run was killed after {len(results)} of {head.scenarios} "
            "scenarios. Run it again."
        )
    report = Report(head, results, foot)
    _agree(path, len(lines), report)
    return report


def _unreadable(line: bytes, number: int, last: int, error: Exception) -> str:
    if number == last and number > 1 and not line.rstrip().endswith(b"}"):
        return "the line is cut off: the run was killed while it was written. Run it again."
    if number == 1 and not line.lstrip().startswith(b"{"):
        return "this is not a report. `mapspec run --report FILE` writes one."
    return f"the line is damaged ({printable(str(error), 200)}). Run it again."


def _agree(path: Path, line: int, report: Report) -> None:
    """The footer must say what the results say."""
    counts = {s: n for s, n in report.counts.items() if n}
    if report.footer.counts != counts or (report.complete and len(report.results) != report.header.scenarios):
        raise ReportError(
            f"{path}:{line}: the footer counts {sum(report.footer.counts.values())} results, the header "
            f"{report.header.scenarios}, and there are {len(report.results)}. Lines are missing: run it again."
        )
