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
from dataclasses import dataclass
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
    """`mapspec run` on one kernel."""

    kernel: Kernel
    process: subprocess.Popen[bytes]
    report: Path
    said: Path
    record: Path | None
    """Where the report is kept, if it is complete."""


def run(kernels: Sequence[Kernel], results: Path, *, record: bool, bugs: bool = False, at_once: int = 1) -> int:
    """Run all of it on each and print a line for each.  The highest exit code of `mapspec run`.

    `results`: the directory of records, where also the expectations are; `record`: write them; `bugs`: let each die of
    what scenarios say to be a BUG.
    """
    worst = 0
    waiting, running = list(kernels), dict[int, _Running]()
    poll = select.poll()
    while waiting or running:
        while waiting and len(running) < max(at_once, 1):
            kernel = waiting.pop(0)
            try:
                started = _start(kernel, results, record=record, bugs=bugs)
            except Unprepared as e:
                print(f"{kernel.name}: {e}", flush=True)
                worst = NO_START
                continue
            pidfd = os.pidfd_open(started.process.pid)
            running[pidfd] = started
            poll.register(pidfd, select.POLLIN)
        for pidfd, _ in poll.poll() if running else []:
            poll.unregister(pidfd)
            os.close(pidfd)
            done = running.pop(pidfd)
            worst = max(worst, done.process.wait())
            print(f"{done.kernel.name}: {_line(done)}", flush=True)
    return worst


def _start(kernel: Kernel, results: Path, *, record: bool, bugs: bool) -> _Running:
    """It ends when this process does.  Raises Unprepared."""
    stem = record_name(kernel, prepared.load(kernel.name).short)
    directory = places.kernel(kernel.name)
    file = directory / "report.jsonl.gz"
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "conformance", "run", "--implementation", f"kernel:{kernel.name}"]
    command += ["--report", str(file), *(["--bugs"] if bugs else [])]
    if (expectations := results / f"{stem}.expectations.toml").exists():
        command += ["--expectations", str(expectations)]
    said = directory / "run.log"
    libc = ctypes.CDLL(None)
    with open(said, "wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=out,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
        )
    return _Running(kernel, process, file, said, results / f"{stem}.jsonl.gz" if record else None)


def _line(done: _Running) -> str:
    """What to say of a run that has ended."""
    said = done.said.read_text(errors="replace")
    try:
        made = report.read(done.report)
    except ReportError:
        return f"no report: {' '.join(said.split())[-400:]}"
    if done.record and made.complete:
        shutil.copyfile(done.report, done.record)
    line = summary(made)
    if done.process.returncode:
        line += f" ({done.report})"
    ends = [f"FAIL at the end: {text}" for text in made.footer.wrong]
    return "\n  ".join([line, *ends, *(text for text in said.splitlines() if text.startswith("note: "))])


def record_name(kernel: Kernel, release: str) -> str:
    """Of the record in conformance/results, without its ending."""
    return f"linux-{release}{kernel.suffix}"


def summary(made: Report) -> str:
    """One line: 7.3.4: 2275 pass, 0 fail, 56 unsupported, 75 s."""
    counts = made.counts
    parts = [f"{counts[status]} {status}" for status in SHOWN if counts[status] or status in ("pass", "fail")]
    return f"{made.header.implementation.version}: {', '.join(parts)}, {made.footer.seconds:.0f} s"
