# SPDX-License-Identifier: MIT
"""Scenarios a second on the model and on the running kernel."""

from __future__ import annotations

from functools import partial

from tests.bench.measure import Row, Series, Table, alternate, child, said, short

SECONDS = 50
"""No further round is begun that would not fit into this."""
COW_C = 13
"""Scenarios a second of the kernel's own selftest, tools/testing/selftests/mm/cow.c.  Measured elsewhere, not here."""


def speed(rounds: int, names: list[str]) -> Table:
    """Scenarios a second on the model, on the running kernel, or both in turn."""
    table = Table("Scenarios a second: " + " and ".join(names))
    what = {"model": "reference", "kernel": "linux"}
    things = {name: partial(child, "speed", what[name]) for name in names}
    ran = alternate(things, table, rounds, SECONDS)
    rates = {n: Series([r.says["ran"] / r.says["taken"] for r in runs]) for n, runs in ran.items()}
    for name, runs in ran.items():
        says = runs[0].says
        of = f"{says['ran']} of {says['scenarios']} have a verdict, {says['passed']} pass"
        table.row(f"{name}", "scenarios/s", rates[name], note=f"{says['profile']}: {of}")
        table.row(f"{name}  median scenario", "ms", said(runs, "median").scaled(1000))
        table.row(f"{name}  slowest scenario", "ms", said(runs, "slowest").scaled(1000))
        table.row(f"{name}  whole run", "s", said(runs, "run"), note="also those that do not apply or are unsupported")
        table.row(f"{name}  start", "s", said(runs, "start"), note="not in the rate")
    if "model" in rates and "kernel" in rates:
        ratio = f"{short(rates['model'].median / rates['kernel'].median)} : 1"
        table.rows.append(Row("model : kernel", "", None, ratio))
    if "kernel" in rates:
        note = f"cow.c does about {COW_C} a second (stated, not measured here); figure to reach: 200"
        table.rows.append(Row("kernel : cow.c", "", None, f"{short(rates['kernel'].median / COW_C)} : 1", note))
    if ran:
        table.notes.append(
            "Rate: scenarios that pass or fail, by the time that they took.  Wall clock; no record is written."
        )
    return table
