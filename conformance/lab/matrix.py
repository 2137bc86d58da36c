# SPDX-License-Identifier: MIT
"""The suite on several kernels, each in a process of its own."""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conformance import report
from conformance.engine import Status
from conformance.lab import places, prepared
from conformance.lab.places import Unprepared
from conformance.lab.registry import Kernel
from conformance.report import Report, ReportError

SHOWN: tuple[Status, ...] = (
    "pass", "fail", "error", "timeout", "xpass", "xfail", "unsupported", "not-applicable", "notrun",
)  # fmt: skip
NO_START = 3
PR_SET_PDEATHSIG = 1


@dataclass
class _Running:
    """`mapspec run` on one kernel, of a part of the suite."""

    part: int
    process: subprocess.Popen[bytes]
    report: Path
    said: Path


@dataclass
class _Kernel:
    """A kernel, and the runs on it, which have parts of the suite each."""

    kernel: Kernel
    record: Path | None
    """Where the report is kept, if it is complete."""
    expectations: Path
    ended: list[_Running] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        return places.kernel(self.kernel.name)


def run(
    kernels: Sequence[Kernel], results: Path, *, record: bool, bugs: bool = False, at_once: int = 1, parts: int = 1
) -> int:
    """Run all of it on each and print a line for each.  The highest exit code of `mapspec run`.

    `results`: the directory of records, where also the expectations are; `record`: write them; `bugs`: let each die of
    what scenarios say to be a BUG; `at_once`: how many guests there are at a time; `parts`: how many guests share the
    scenarios of one kernel.
    """
    worst = 0
    waiting: list[tuple[_Kernel, int]] = []
    for kernel in kernels:
        try:
            stem = record_name(kernel, prepared.load(kernel.name).short)
        except Unprepared as e:
            print(f"{kernel.name}: {e}", flush=True)
            worst = NO_START
            continue
        kept = results / f"{stem}.jsonl.gz" if record else None
        one = _Kernel(kernel, kept, results / f"{stem}.expectations.toml")
        waiting += [(one, part) for part in range(1, parts + 1)]
    running: dict[int, tuple[_Kernel, _Running]] = {}
    poll = select.poll()
    while waiting or running:
        while waiting and len(running) < max(at_once, 1):
            one, part = waiting.pop(0)
            started = _start(one, part, parts, bugs=bugs)
            pidfd = os.pidfd_open(started.process.pid)
            running[pidfd] = one, started
            poll.register(pidfd, select.POLLIN)
        for pidfd, _ in poll.poll():
            poll.unregister(pidfd)
            os.close(pidfd)
            one, done = running.pop(pidfd)
            worst = max(worst, done.process.wait())
            one.ended.append(done)
            if len(one.ended) == parts:
                print(f"{one.kernel.name}: {_line(one)}", flush=True)
    return worst


def _start(one: _Kernel, part: int, parts: int, *, bugs: bool) -> _Running:
    """It ends when this process does."""
    number = f"-{part}" if parts > 1 else ""
    file, said = one.directory / f"report{number}.jsonl.gz", one.directory / f"run{number}.log"
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "conformance", "run", "--implementation", f"kernel:{one.kernel.name}"]
    command += ["--report", str(file), *(["--part", f"{part}/{parts}"] if parts > 1 else [])]
    command += ["--bugs"] if bugs else []
    if one.expectations.exists():
        command += ["--expectations", str(one.expectations)]
    libc = ctypes.CDLL(None)
    with open(said, "wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=out,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
        )
    return _Running(part, process, file, said)


def _line(one: _Kernel) -> str:
    """What to say of the runs on a kernel, which have ended."""
    runs = sorted(one.ended, key=lambda done: done.part)
    said = [line for done in runs for line in done.said.read_text(errors="replace").splitlines()]
    try:
        made = report.merged([report.read(done.report) for done in runs])
    except ReportError:
        return f"no report: {' '.join(' '.join(said).split())[-400:]}"
    whole = one.directory / "report.jsonl.gz"
    if len(runs) > 1:
        report.write(whole, made)
    if one.record and made.complete:
        shutil.copyfile(whole, one.record)
    line = summary(made)
    if any(done.process.returncode for done in runs):
        line += f" ({whole})"
    ends = [f"FAIL at the end: {text}" for text in made.footer.wrong]
    return "\n  ".join([line, *ends, *(text for text in said if text.startswith("note: "))])


def record_name(kernel: Kernel, release: str) -> str:
    """Of the record in conformance/results, without its ending."""
    return f"linux-{release}{kernel.suffix}"


def summary(made: Report) -> str:
    """One line: 7.3.4: 2275 pass, 0 fail, 56 unsupported, 75 s."""
    counts = made.counts
    parts = [f"{counts[status]} {status}" for status in SHOWN if counts[status] or status in ("pass", "fail")]
    return f"{made.header.implementation.version}: {', '.join(parts)}, {made.footer.seconds:.0f} s"
