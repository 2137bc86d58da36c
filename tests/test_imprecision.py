# SPDX-License-Identifier: MIT
"""How wrong may it be: what is recorded is what a run gives, and the searches agree with each other."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reference_impl.imprecision import record
from reference_impl.imprecision.closed import closed
from reference_impl.imprecision.extremes import extremes
from reference_impl.imprecision.histories import Result, act, errors, explore
from reference_impl.imprecision.patterns import run
from reference_impl.imprecision.proof import prove
from reference_impl.imprecision.ways import WAYS, WITHOUT
from reference_impl.imprecision.world import World

ROOT = Path(__file__).parent.parent
TOTAL = "proposal-total-mapped-pages"


def recorded(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((ROOT / "docs" / "imprecision" / f"{name}.json").read_text(encoding="utf-8"))
    assert data["command"] == record.command(name)
    assert data["version"] == record.VERSION
    return data


def rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = recorded(name)["rows"]
    return found


# --- what is recorded ---


def test_recorded_worst_cases_are_found_again() -> None:
    small = [row for row in rows("worst") if row["order"] <= 4 and row["processes"] <= 10]
    cases = {(row["way"], row["order"], row["processes"]) for row in small}
    assert len(cases) > 15
    for way, order, processes in sorted(cases):
        again = record.worst_of(WAYS[way], order, processes)
        assert again == [
            row for row in small if (row["way"], row["order"], row["processes"]) == (way, order, processes)
        ]


def test_recorded_histories_are_found_again() -> None:
    small = [row for row in rows("histories") if row["order"] == 2 and row["processes"] == 2]
    assert {row["way"] for row in small} == set(WAYS)
    for row in small:
        if row["vmas"] > 1 and row["way"] != WITHOUT:
            continue
        again = record.history(row["way"], 2, 2, row["folio"] == "file", row["vmas"])
        assert json.loads(json.dumps(again)) == row


def test_recorded_costs_are_found_again() -> None:
    path = ROOT / "docs" / "imprecision" / "counting.json"
    assert record.text("counting", record.counting()) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("pattern", ["fork-server", "preforked", "jvm-heap", "libraries", "arenas"])
def test_recorded_patterns_are_found_again(pattern: str) -> None:
    small = [row["row"] for row in rows("patterns") if row["pattern"] == pattern and row["row"][1:3] == [9, 3]]
    assert [list(row) for row in run(pattern, 9, 3)] == small


def test_every_history_is_complete() -> None:
    assert all(row["complete"] for row in rows("histories"))


# --- what they say ---


def test_closed_forms_hold_for_every_recorded_worst_case() -> None:
    held = [row for row in rows("worst") if row["way"] == WITHOUT and row["error"] != "pss.under"]
    assert len(held) > 300
    for row in held:
        assert closed(row["error"], 1 << row["order"], row["processes"]) == Fraction(row["value"]), row


@pytest.mark.parametrize(("order", "processes"), [(2, 2), (2, 5), (2, 12), (3, 3), (3, 11), (4, 23)])
def test_convexity_agrees_with_all_counts_of_all_pages(order: int, processes: int) -> None:
    found, proof = extremes(WAYS[WITHOUT], order, processes), prove(WAYS[WITHOUT], order, processes)
    assert found["pss.over"][0].value == proof.over
    assert found["pss.under"][0].value == proof.under


@pytest.mark.parametrize("way", [WITHOUT, TOTAL, "proposal-table-mapcount", "proposal-zero-one-two-many"])
@pytest.mark.parametrize(("order", "processes"), [(2, 2), (2, 3), (3, 2)])
def test_the_search_finds_what_all_states_have(way: str, order: int, processes: int) -> None:
    found = {error: str(extreme.value) for error, (extreme, _) in extremes(WAYS[way], order, processes).items()}
    states: dict[str, Fraction] = {}
    for row in rows("histories"):
        if (row["way"], row["order"], row["processes"], row["vmas"]) == (way, order, processes, 1):
            for error, (value, _) in row["worst"].items():
                states[error] = max(states.get(error, Fraction(0)), Fraction(value))
    assert found == {error: str(value) for error, value in states.items()}


def test_one_process_with_a_page_is_told_all_of_it_until_the_average_is_two() -> None:
    for order in range(2, 7):
        most = (3 << order) // 2 - 1
        found = extremes(WAYS[WITHOUT], order, most + 1)["pss.times-over"][0]
        assert found.value == most
        assert sum(number for number, _ in found.groups) == most


@pytest.mark.parametrize("way", ["linux-6.1", "linux-6.12", "linux-7.3"])
def test_with_page_mapcounts_nothing_is_wrong_that_is_mapped_once(way: str) -> None:
    assert all(row["worst"] == {} for row in rows("histories") if row["way"] == way and row["vmas"] == 1)


@pytest.mark.parametrize("way", ["linux-7.3", WITHOUT, TOTAL])
def test_owner_slots_are_never_wrongly_exclusive_and_private_is_never_too_much(way: str) -> None:
    mine = [row for row in rows("histories") if row["way"] == way]
    assert len(mine) > 5
    for row in mine:
        assert "under" not in row["wrong"]["shared"]
        assert "uss.over" not in row["worst"]
        assert "under" not in row["wrong"]["copy"]


def test_total_mapped_pages_says_what_the_kernel_without_page_mapcounts_says() -> None:
    def about(result: Result) -> object:
        return {name: worst.value for name, worst in result.worst.items()}, result.wrong

    for file in (False, True):
        assert about(explore(WAYS[TOTAL], 2, 2, file=file)) == about(explore(WAYS[WITHOUT], 2, 2, file=file))
    for order, processes in ((4, 10), (9, 3)):
        one, other = (extremes(WAYS[way], order, processes) for way in (TOTAL, WITHOUT))
        assert {e: x.value for e, (x, _) in one.items()} == {e: x.value for e, (x, _) in other.items()}


@pytest.mark.parametrize("way", list(WAYS))
def test_a_pmd_is_told_as_ptes_for_all_pages_are(way: str) -> None:
    for others in ([], [0b0001], [0b0111], [0b1111, 0b0110]):
        told = []
        for pmd in (False, True):
            world = World(WAYS[way], 2, 4, kind="shmem")
            if pmd:
                world.map_pmd(0)
            else:
                world.map(0, 0b1111)
            for process, pages in enumerate(others, 1):
                world.map(process, pages)
            told.append([run.divisor for run in world.told() for _ in range(run.first, run.end)])
        assert told[0] == told[1]


def test_a_witness_can_be_done_again() -> None:
    result = explore(WAYS[WITHOUT], 2, 3)
    for error, worst in result.worst.items():
        world = World(WAYS[WITHOUT], 2, 3)
        for step in worst.steps:
            act(world, step)
        assert dict(errors(world))[error] == worst.value


def test_the_command_searches_and_proves() -> None:
    command = [
        sys.executable,
        "-m",
        "reference_impl.imprecision",
        "search",
        "--order",
        "2",
        "--processes",
        "5",
        "--prove",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pss.over           7/6" in done.stdout
    assert "every count of every page: pss.over 7/6, pss.under 3/2" in done.stdout
