# SPDX-License-Identifier: MIT
"""The local search that knows nothing of averages finds nothing worse than the worst states of extremes.py."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from reference_impl.imprecision import climb, record
from reference_impl.imprecision.closed import closed
from reference_impl.imprecision.histories import errors
from reference_impl.imprecision.ways import WAYS, WITHOUT

FOLDER = Path(__file__).parent.parent / "docs" / "imprecision"


def rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    return found


def test_recorded_climbs_are_found_again() -> None:
    again = record.climbs(range(2, 4), (2, 3))["rows"]
    recorded = [row for row in rows("climbs") if row["order"] < 4 and row["processes"] < 4]
    # A climb of order 3 knows what was found for order 2, and one with 3 processes what was found with 2.
    assert again == recorded


def test_no_climb_gets_above_the_worst_case_and_nearly_all_get_there() -> None:
    worst = {
        (row["order"], row["processes"], row["error"]): Fraction(row["value"])
        for row in rows("worst")
        if row["way"] == WITHOUT
    }
    shares = [Fraction(row["value"]) / worst[row["order"], row["processes"], row["error"]] for row in rows("climbs")]
    assert len(shares) == 256
    assert max(shares) == 1
    assert shares.count(Fraction(1)) >= 240
    assert min(shares) > Fraction(97, 100)


def test_the_climb_counts_as_the_histories_do() -> None:
    shape = (climb.Group(1, 0, 6), climb.Group(3, 2, 5), climb.Group(2, 7, 1))
    world = climb.build(WAYS[WITHOUT], 3, shape)
    one, whole = climb.errors(world, shape), dict(errors(world))
    for error in ("pss-sum.over", "pss-sum.under", "kpagecount.over", "kpagecount.under"):
        assert max(one[error], Fraction(0)) == whole.get(error, Fraction(0))


def test_too_little_has_a_closed_form() -> None:
    held = [row for row in rows("worst") if row["way"] == WITHOUT and row["error"] == "pss.under"]
    assert len(held) == 58
    for row in held:
        assert closed("pss.under", 1 << row["order"], row["processes"]) == Fraction(row["value"]), row


def test_no_closed_form_is_recorded_as_wrong() -> None:
    assert not [row for row in rows("worst") if row.get("closed") is False]
