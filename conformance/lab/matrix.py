# SPDX-License-Identifier: MIT
"""The suite on several kernels, each in a process of its own."""

from __future__ import annotations

import concurrent.futures
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from conformance import report
from conformance.engine import Status
from conformance.lab import places, prepared
from conformance.lab.places import Unprepared
from conformance.lab.registry import Kernel
from conformance.report import Report, ReportError

SHOWN: tuple[Status, ...] = (
    "pass",
    "fail",
    "error",
    "timeout",
    "xpass",
    "xfail",
    "unsupported",
    "not-applicable",
    "notrun",
)


def run(kernels: Sequence[Kernel], results: Path, *, record: bool, at_once: int = 1) -> int:
    """Run all of it on each and print a line for each.  The highest exit code of `mapspec run`.

    `results`: the directory of records, where also the expectations are; `record`: write them.
    """
    worst = 0
    with concurrent.futures.ThreadPoolExecutor(max(at_once, 1)) as pool:
        runs = {pool.submit(_one, kernel, results, record): kernel for kernel in kernels}
        try:
            for done in concurrent.futures.as_completed(runs):
                code, line = done.result()
                print(f"{runs[done].name}: {line}", flush=True)
                worst = max(worst, code)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return worst


def _one(kernel: Kernel, results: Path, record: bool) -> tuple[int, str]:
    """The exit code, and what to say."""
    try:
        stem = record_name(kernel, prepared.load(kernel.name).short)
    except Unprepared as e:
        return 3, str(e)
    file = results / f"{stem}.jsonl.gz" if record else places.kernel(kernel.name) / "report.jsonl.gz"
    command = [sys.executable, "-m", "conformance", "run", "--implementation", f"kernel:{kernel.name}"]
    command += ["--report", str(file)]
    if (expectations := results / f"{stem}.expectations.toml").exists():
        command += ["--expectations", str(expectations)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    try:
        line = summary(report.read(file))
    except ReportError:
        return done.returncode or 3, f"no report: {' '.join(done.stderr.split())[-400:]}"
    notes = [text for text in done.stderr.splitlines() if text.startswith("note: ")]
    return done.returncode, "\n  ".join([line + ("" if done.returncode == 0 else f" ({file})"), *notes])


def record_name(kernel: Kernel, release: str) -> str:
    """Of the record in conformance/results, without its ending."""
    return f"linux-{release}{kernel.suffix}"


def summary(made: Report) -> str:
    """One line: Linux 7.3.4: 2275 pass, 56 unsupported, 75 s."""
    counts = made.counts
    parts = [f"{counts[status]} {status}" for status in SHOWN if counts[status] or status in ("pass", "fail")]
    return f"{made.header.implementation.version}: {', '.join(parts)}, {made.footer.seconds:.0f} s"
