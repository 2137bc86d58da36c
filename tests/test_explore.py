# SPDX-License-Identifier: MIT
"""`mapspec explore`: histories that part are found and shortened, and equals never part."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from mini import Mini

from conformance import protocol as p
from conformance.commands import FAILED, OK
from conformance.commands import explore as command
from conformance.explore.histories import History
from conformance.implementations import Model, Reply, Trouble

ALL = ("linux-6.1", "linux-7.3", "linux-7.3-no-pte-special")


class Forgetful(Model):
    """Knows of no pins."""

    def request(self, request: p.Request) -> Reply:
        reply = super().request(request)
        if isinstance(request, p.MaybeDmaPinned) and reply.status == "ok":
            return reply._replace(value=[False] * request.count)
        return reply


class Fragile(Model):
    """Dies of mlock."""

    def request(self, request: p.Request) -> Reply:
        if isinstance(request, p.Mlock):
            raise Trouble("crash", "it \x1b[1mdied")
        return super().request(request)


@pytest.fixture
def explore(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(implementation: Model, *more: str) -> int:
        monkeypatch.setattr(command, "start", lambda *_: implementation)
        return mini.run("explore", "--implementation", "it", "--histories", "12", *more)

    return run


@pytest.mark.parametrize("profile", ALL)
def test_equals_do_not_part(profile: str, explore: Any, mini: Mini) -> None:
    assert explore(Model(profile)) == OK
    assert "12 histories of 14 operations" in mini.out and "0 part" in mini.out


def test_where_two_part_is_shortened_and_can_be_played_again(explore: Any, mini: Mini) -> None:
    assert explore(Forgetful("linux-7.3")) == FAILED
    first = mini.out.split("\n\n")[0].splitlines()
    assert first[0].startswith("history ") and "parts in maybe_dma_pinned" in first[0]
    history = [line.split()[0] for line in first[1:-3]]
    assert len(history) <= 4 and history[-1] in ("get_pages", "register_buffer")
    assert "True" in first[-3] and "False" in first[-2] and first[-2].split()[0] == "it"
    seed = first[0].split()[1]
    assert explore(Forgetful("linux-7.3"), "--seed", seed, "--histories", "1") == FAILED
    assert mini.out.splitlines()[:-1] == [*first, ""]


def test_an_implementation_that_breaks_down_is_told(explore: Any, mini: Mini) -> None:
    assert explore(Fragile("linux-7.3")) == FAILED
    assert "it: crash: it \\x1b[1mdied" in mini.out and "\x1b" not in mini.out


def test_without_a_profile_there_is_nothing_to_compare_with(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Model("linux-7.3")
    silent.greeting = p.Greeting(protocol=p.PROTOCOL, name="it", profile="", capabilities=[])
    monkeypatch.setattr(command, "start", lambda *_: silent)
    assert mini.run("explore", "--implementation", "it") != OK
    assert "say --profile" in mini.err


def test_histories_use_what_can_be_asked_and_nothing_else() -> None:
    can = {"mlock", "gup", "swap"}
    made = [operation for seed in range(60) for operation in History(Random(seed), can, [4]).operations(20)]
    kinds = {type(operation) for operation in made}
    assert {p.Fork, p.Mlock, p.GetPages, p.PutPages, p.Mremap} <= kinds
    assert not kinds & {p.Vmsplice, p.Migrate, p.CreateFile, p.RegisterBuffer}
    assert {operation.order for operation in made if isinstance(operation, p.Map)} == {0, 4}
