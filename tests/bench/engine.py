# SPDX-License-Identifier: MIT
"""What the engine costs, against behave and pytest-bdd on the same feature files."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path

from tests.bench.measure import ROOT, Ran, Series, Table, Unmeasured, alternate, child, run, said, times

SECONDS = 60
"""No further round is begun that would not fit into this."""
STEPS = """\
from behave import step, use_step_matcher

use_step_matcher("re")


@step(".*")
def anything(context):
    pass
"""
"""A step file for behave that takes every line and does nothing."""


def engine(rounds: int) -> Table:
    """mapspec, behave and pytest-bdd on the same feature files."""
    table = Table("Engine: the same feature files in mapspec, behave and pytest-bdd")
    with tempfile.TemporaryDirectory(prefix="mapspec-bench-") as scratch:
        recording, folder = Path(scratch) / "recording", Path(scratch) / "behave"
        try:
            child("record", str(recording))
        except Unmeasured as e:
            table.unmeasured.append(f"nothing: the model could not be recorded: {e}")
            return table
        _behave_folder(folder)
        ran = alternate(
            {
                "mapspec": lambda: child("mapspec", str(recording)),
                "behave": lambda: child("behave", str(folder)),
                "pytest-bdd": lambda: _pytest(recording, Path(scratch) / "note"),
            },
            table, rounds, SECONDS,
        )  # fmt: skip
    if "mapspec" in ran:
        _engine_rows(table, ran)
    return table


def _behave_folder(folder: Path) -> None:
    """The suite's feature files, proposals left out, with the step file."""
    for path in sorted((ROOT / "features").rglob("*.feature")):
        if path.parent.name != "proposals":
            copy = folder / path.relative_to(ROOT / "features")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    (folder / "steps").mkdir()
    (folder / "steps" / "anything.py").write_text(STEPS)


def _pytest(recording: Path, note: Path) -> Ran:
    note.unlink(missing_ok=True)
    done = run(
        "-m", "pytest", "features", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "tests.bench.pytest_recorded",
        environment={"MAPSPEC_BENCH": f"{recording}{os.pathsep}{note}"}, fine=(0, 1),
    )  # fmt: skip
    if not note.exists():
        raise Unmeasured("pytest did not get as far as running a test")
    return dataclasses.replace(done, says=json.loads(note.read_text()))


def _engine_rows(table: Table, ran: dict[str, list[Ran]]) -> None:
    """Milliseconds for each scenario: of those in the files where they are read, of those run where they are run."""
    ours = ran["mapspec"]
    says = ours[0].says
    table.title += f": {says['files']} files, {says['scenarios']} scenarios, {says['steps']} steps"

    def each(name: str, what: str, per: str = "scenarios") -> Series:
        return said(ran[name], what).scaled(1000 / ran[name][0].says[per])

    def add(*series: Series) -> Series:
        return Series([sum(values) for values in zip(*(s.values for s in series), strict=True)])

    read, match, work = each("mapspec", "read"), each("mapspec", "match"), each("mapspec", "run", "ran")
    whole = add(read, match, work)
    unit = "ms/scenario"
    table.row("mapspec    read", unit, read)
    table.row("mapspec    match", unit, match)
    table.row("mapspec    run", unit, work, note="figure to reach: under 0.3")
    table.row("mapspec    read + match + run", unit, whole)
    for name in ("behave", "pytest-bdd"):
        if name not in ran:
            continue
        theirs, their_work = each(name, "read"), each(name, "run")
        table.row(f"{name:<10} read", unit, theirs, times(theirs, read))
        table.row(f"{name:<10} run", unit, their_work, times(their_work, add(match, work)))
        table.row(f"{name:<10} read + run", unit, add(theirs, their_work), times(add(theirs, their_work), whole))
    table.row("mapspec    result for the record", unit, each("mapspec", "report"), note="not in the sums")
    for name in ran:
        table.row(
            f"{name:<10} start", "s", said(ran[name], "start"), note="imports, phrases" if name == "mapspec" else ""
        )
    if "pytest-bdd" in ran:
        thousand = Series([r.seconds * 1000 / r.says["scenarios"] for r in ran["pytest-bdd"]])
        table.row("1000 scenarios through pytest", "s (wall)", thousand, note="whole process; figure to reach: under 4")
    table.notes += [
        "Peak memory of mapspec and pytest-bdd includes the recorded answers.",
        "CPU time, all in one process each.  Ratio: the other's to mapspec's for the same stage; run to match + run.",
        "mapspec read: parse, expand the rows, check ids and tags, read spec/.",
        f"mapspec match: each distinct step once against all {says['phrases']} phrases, and its parameters made.",
        f"mapspec run: the {says['ran']} scenarios that apply to the default profile.  Each phrase makes its requests "
        "and compares the answers.  These are the model's, recorded before and looked up: the model is not in it.",
        "behave read: parse, expand the rows.",
        "behave run: each step against one pattern that takes every line, and a call of a function that does nothing; "
        "no capture, no formatter, no summary.",
        "pytest-bdd read: mapspec's read (features/ is held against it), pytest-bdd's own parse, collection.",
        "pytest-bdd run: fixtures, hooks, terminal, mapspec's read once more, match and run with the recorded answers; "
        "over all scenarios, those that do not apply included.",
    ]
