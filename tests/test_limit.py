# SPDX-License-Identifier: MIT
"""The limit of the reference count, with counters of a few bits."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impl import gup, limit, mmap, refcount
from reference_impl.folio import Folio
from reference_impl.units import Bug, Errno, Order, Pfn


@given(bits=st.integers(4, 40), count=st.integers(0, 1 << 42))
def test_the_counter_shows_the_references_modulo_its_width(bits: int, count: int) -> None:
    folio = Folio(1, Pfn(1), Order(0), "anon", bits)
    folio.references = count
    half = 1 << (bits - 1)
    assert -half <= folio.refcount < half and (folio.refcount - count) % (2 * half) == 0


@given(bits=st.integers(12, 20), references=st.lists(st.integers(1, 1 << 10), max_size=8))
def test_one_more_reference_is_given_exactly_while_the_counter_is_positive(bits: int, references: list[int]) -> None:
    world = limit.World(bits, order=2)
    for number, more in enumerate(references):
        world.k.get(world.folio, more << 8)
        assert refcount.try_get(world.k, world.folio) == (world.folio.refcount > 0), number


def test_the_vma_that_crosses_and_what_works_then() -> None:
    world = limit.World(bits=16, per_process=20)
    seen: list[limit.Point] = []
    run = limit.climb(world, 64, seen.append)
    assert (run.crossed_at, run.before, run.after) == (63, 32256, -32768)
    assert run.processes == 4 and world.folio.references == 512 + 64 * 512
    assert [point.count for point in seen] == [1024, 2048, 4096, 8192, 16384, -32768]
    results = {outcome.what: outcome.result for outcome in limit.past_the_limit(world)}
    assert results["fork of a process with its VMAs"] == results["a load in the child"] == "succeeds"
    assert results["vmsplice of a page"] == "succeeds", "the last time, when the counter is positive again"
    assert world.folio.refcount == world.folio.references == 1 + 512 + 62 * 512


def test_get_user_pages_gives_what_it_has_got() -> None:
    world = limit.World(bits=16)
    first = world.map_once_more()
    world.k.get(world.folio, (1 << 15) - 2 - world.folio.references)
    assert len(gup.get_pages(world.k, world.mm, first, first + 4, gup.GET)) == 2, "the second crosses the limit"
    with pytest.raises(Errno, match="ENOMEM"):
        gup.get_pages(world.k, world.mm, first, first + 4, gup.GET)


def test_a_counter_that_has_wrapped_frees_the_folio_in_use() -> None:
    world = limit.World(bits=16)
    world.map_once_more()
    world.map_once_more()
    world.k.get(world.folio, (1 << 16) - 1024)
    assert world.folio.refcount == 512
    with pytest.raises(Bug, match="while 65536 references to it are held"):
        mmap.exit_mm(world.k, world.mm)


def test_the_program_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limit.main(["--bits", "18", "--json", str(tmp_path / "limit.json")])
    said, recorded = capsys.readouterr().out, json.loads((tmp_path / "limit.json").read_text())
    assert "The VMA number 255 took the counter from 130560 to -131072." in said
    assert recorded["vmas"] == 256 and recorded["routes"][0]["per_vma"] == 512
    assert recorded["routes"][1]["per_vma"] == 1, "a PMD"


def test_the_recorded_run_is_what_this_program_would_say() -> None:
    path = Path(__file__).parents[1] / "docs" / "refcount-overflow" / "limit.json"
    recorded = json.loads(path.read_text())
    assert (recorded["vmas"], recorded["crossed_at"], recorded["after"]) == (1 << 22, (1 << 22) - 1, -(1 << 31))
    assert recorded["memory"] < 2 << 30
    assert recorded["routes"] == [asdict(way) for way in limit.routes()]
    small = limit.climb(limit.World(18), 1 << 8, lambda point: None)
    assert recorded["crossed_at"] - small.crossed_at == (1 << 22) - (1 << 8)
    assert recorded["after"] - recorded["before"] + (1 << 32) == small.after - small.before + (1 << 18) == 512
