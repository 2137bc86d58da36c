# SPDX-License-Identifier: MIT
"""Kernels of the lab: from the boot to the first verdict, scenarios a second, and four kernels at once."""

from __future__ import annotations

from functools import partial

from conformance.lab import prepared, registry
from conformance.lab.places import Unprepared
from tests.bench.measure import Ran, Series, Table, Unmeasured, alternate, child, run, said, times

KERNELS = ("6.1", "6.12", "7.3", "7.3-no-page-mapcount")
"""The matrix."""
HERE = "running kernel"
"""The peer: the same executor, with nothing between it and the processor."""
AT_ONCE = (1, 2, 4)
GOAL = 60
"""Seconds for the matrix, of kernels that are prepared."""
SECONDS, LONGEST = 600, 900
"""No further round is begun that would not fit; no process takes longer."""


def lab(rounds: int) -> Table:
    """Each kernel that is prepared, in turn with the running one; then the matrix."""
    table = Table("Kernels of the lab")
    ready = [name for name in registry.load() if _prepared(name)]
    implementations = {HERE: "linux", **{name: f"kernel:{name}" for name in ready}}
    things = {name: partial(child, "speed", what, longest=LONGEST) for name, what in implementations.items()}
    ran = alternate(things, table, rounds, SECONDS)
    rates = {name: Series([r.says["ran"] / r.says["taken"] for r in runs]) for name, runs in ran.items()}
    for name, runs in ran.items():
        says = runs[0].says
        table.row(f"{name}  boot to first verdict", "s", said(runs, "first"))
        ratio = times(rates[name], rates[HERE]) if HERE in rates and name != HERE else ""
        table.row(f"{name}  rate", "scenarios/s", rates[name], ratio, f"{says['passed']} of {says['ran']} pass")
        table.row(f"{name}  whole run", "s", said(runs, "run"))
        table.row(f"{name}  processors", "CPU s", Series([r.cpu for r in runs]), note="boot included")
    if lacking := [name for name in KERNELS if name not in ready]:
        table.unmeasured.append(f"the matrix: {', '.join(lacking)} is not prepared")
    else:
        _matrix(table)
    table.notes += [
        f"Ratio of a kernel: its rate to that of the {HERE}, on which fewer scenarios can be run.",
        "Ratio of the matrix: to one kernel at a time.",
    ]
    return table


def _matrix(table: Table) -> None:
    one: Series | None = None
    for number in AT_ONCE:
        try:
            ran = _at_once(number)
        except Unmeasured as e:
            table.unmeasured.append(f"{number} at once: {e}")
            continue
        seconds = Series([ran.seconds])
        one = one or seconds
        note = f"{ran.cpu:.0f} CPU s; figure to reach: under {GOAL}"
        table.row(f"{len(KERNELS)} kernels, {number} at once", "s", seconds, times(seconds, one), note)


def _at_once(number: int) -> Ran:
    command = ("-m", "conformance", "kernels", "run", *KERNELS, "--at-once", str(number))
    return run(*command, fine=(0, 1), longest=LONGEST)


def _prepared(name: str) -> bool:
    try:
        prepared.load(name)
    except Unprepared:
        return False
    return True
