# SPDX-License-Identifier: MIT
"""Processes that are measured, and tables of what they took."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 150.0
"""Seconds after which a process is stopped."""
CANNOT = 3
"""Exit code of a child that cannot measure; its last line says why."""


class Unmeasured(Exception):
    """Something cannot be measured here; the text is one sentence."""


@dataclass(frozen=True)
class Ran:
    """What a process said and used."""

    says: Any
    """The JSON in the last line of its output; None if it is not JSON."""
    seconds: float
    """Wall clock, start and end of the process included."""
    memory: int
    """Largest resident set in bytes, of the process or of one that it waited for."""
    cpu: float = 0.0
    """Seconds of processors, of the process and of all that were waited for."""


def run(
    *arguments: str,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    fine: tuple[int, ...] = (0,),
    longest: float = LONGEST,
) -> Ran:
    """Run this Python with arguments.  Raises Unmeasured with the end of what it said unless its exit code is fine."""
    env = {**os.environ, "PYTHONPATH": str(cwd), "PYTHONHASHSEED": "0", **(environment or {})}
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        process = subprocess.Popen([sys.executable, *arguments], cwd=cwd, env=env, stdout=out, stderr=out)
        limit = threading.Timer(longest, process.terminate)
        limit.start()
        try:
            # Not process.wait(): only this says what this one process used.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()  # and give it time to put settings of the machine back
            process.wait()
            raise
        finally:
            limit.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        out.seek(0)
        lines = out.read().decode(errors="replace").split("\n")
    said = [line for line in lines if line.strip()]
    if process.returncode == CANNOT:
        raise Unmeasured(said[-1])
    if process.returncode not in fine:
        why = f"stopped after {longest:.0f} s" if seconds >= longest else f"exit code {process.returncode}"
        raise Unmeasured("; ".join([why, *(line.strip() for line in said[-3:])]))
    cpu = usage.ru_utime + usage.ru_stime
    return Ran(_json(said[-1]) if said else None, seconds, usage.ru_maxrss * 1024, cpu)


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def child(what: str, *arguments: str, longest: float = LONGEST) -> Ran:
    """Run one of the measurements in `child`."""
    return run("-m", "tests.bench.child", what, *arguments, longest=longest)


@dataclass
class Series:
    """The same thing measured several times."""

    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def scaled(self, factor: float) -> Series:
        return Series([value * factor for value in self.values])

    def __str__(self) -> str:
        spread = f"{short(min(self.values))} - {short(max(self.values))}" if len(self.values) > 1 else "once"
        return f"{short(self.median):>8}  {spread:<19}"


def short(value: float) -> str:
    """Three digits that matter."""
    for least, form in ((100, ".0f"), (10, ".1f"), (1, ".2f")):
        if abs(value) >= least:
            return f"{value:{form}}"
    return f"{value:.3f}"


@dataclass
class Row:
    """One line of a table."""

    name: str
    unit: str
    series: Series | None
    """None: a figure from elsewhere, said in `note`."""
    ratio: str = ""
    note: str = ""

    def line(self, width: int) -> str:
        measured = str(self.series) if self.series else " " * 29
        return f"  {self.name:<{width}}  {measured} {self.unit:<12} {self.ratio:<11} {self.note}".rstrip()


@dataclass
class Table:
    """What one part has measured."""

    title: str
    rounds: int = 0
    notes: list[str] = field(default_factory=list)
    """What is in each figure."""
    rows: list[Row] = field(default_factory=list)
    memory: dict[str, int] = field(default_factory=dict)
    """Largest resident set in bytes by process."""
    unmeasured: list[str] = field(default_factory=list)

    def row(self, name: str, unit: str, series: Series | None, ratio: str = "", note: str = "") -> None:
        self.rows.append(Row(name, unit, series, ratio, note))

    def __str__(self) -> str:
        rounds = f"; {self.rounds} round{'s' * (self.rounds != 1)}" if self.rounds else ""
        width = max((len(row.name) for row in self.rows), default=0)
        lines = [f"{self.title}{rounds}"]
        if self.rows:
            head = f"  {'':<{width}}  {'median':>8}  {'min - max':<19} {'':<12} ratio"
            lines += [head, *(row.line(width) for row in self.rows)]
        if self.memory:
            sizes = ", ".join(f"{name} {size / 2**20:.0f} MiB" for name, size in self.memory.items())
            lines.append(f"  peak memory: {sizes}")
        lines += [f"  not measured: {why}" for why in self.unmeasured]
        lines += [textwrap.fill(note, 116, initial_indent="  ", subsequent_indent="      ") for note in self.notes]
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """The same for --json."""
        rows = [
            {"name": r.name, "unit": r.unit, "median": r.series.median, "values": r.series.values, "ratio": r.ratio}
            if r.series
            else {"name": r.name, "unit": r.unit, "ratio": r.ratio, "note": r.note}
            for r in self.rows
        ]
        return {"title": self.title, "rounds": self.rounds, "rows": rows, "memory": self.memory,
                "unmeasured": self.unmeasured, "notes": self.notes}  # fmt: skip


def times(other: Series, ours: Series) -> str:
    """The ratio of two medians."""
    return f"{short(other.median / ours.median)} : 1"


def alternate(
    things: Mapping[str, Callable[[], Ran]], table: Table, rounds: int, seconds: float
) -> dict[str, list[Ran]]:
    """Run things in turn, again and again: up to `rounds`, and only while another one fits into `seconds`.

    A thing that cannot be measured is named in the table and left out.
    """
    ran: dict[str, list[Ran]] = {name: [] for name in things}
    started = time.perf_counter()
    for done in range(rounds):
        spent = time.perf_counter() - started
        if done and spent + spent / done > seconds:
            break
        for name in list(ran):
            try:
                ran[name].append(things[name]())
            except Unmeasured as e:
                table.unmeasured.append(f"{name}: {e}")
                del ran[name]
        if not ran:
            break
        table.rounds = done + 1
    for name, runs in ran.items():
        table.memory[name] = max(r.memory for r in runs)
    return ran


def said(runs: list[Ran], name: str) -> Series:
    """One number that the processes said."""
    return Series([run.says[name] for run in runs])
