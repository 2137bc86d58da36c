# SPDX-License-Identifier: MIT
"""What a driver holds, direct I/O and migration: what is asked of the kernel, and what its answers mean."""

from __future__ import annotations

import errno
import os
import struct

import pytest

from conformance import protocol as p
from conformance.implementations import Model
from conformance.implementations.linux import devices, pins
from conformance.implementations.linux.ioctls import Ioctls
from conformance.implementations.linux.machine import Machine, Result
from conformance.implementations.linux.pins import Pins
from conformance.implementations.linux.scenario import Mistake, Process, Scenario

PAGE = os.sysconf("SC_PAGE_SIZE")
AT = 0x10000


class Played(Machine):
    """A machine whose module hands out three pages and whose second NUMA node takes some pages."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.refused: dict[str, int] = {}
        self.files = {pins.NODES: "0-1", pins.ZONES: "Node 1, zone  Movable\n        present  0\n"}

    def text(self, path: str) -> str:
        return self.files.get(path, "")

    def run(self, *primitives: str) -> list[Result]:
        self.told += primitives
        return [self._answer(primitive.split(" ")) for primitive in primitives]

    def _answer(self, words: list[str]) -> Result:
        if words[1] in self.refused:
            return Result("errno", self.refused[words[1]])
        if words[1] == "move_pages":
            statuses = (1, 1), (pins.NO_STATUS, 0), (-13, 0), (0, 0)
            return Result("ok", 1, b"".join(struct.pack("=2i", *told) for told in statuses))
        if words[1] == "ioctl" and int(words[3], 16) == devices.GET[0]:
            sent = struct.unpack("=4Q", bytes.fromhex(words[5]))
            return Result("ok", 0, struct.pack("=4Qq", *sent, 3))
        return Result("ok", 7, bytes(8 * 600))


@pytest.fixture
def played() -> Played:
    return Played()


@pytest.fixture
def made(played: Played) -> Pins:
    return Pins(played, Ioctls(played), Scenario(64, 1 << 21, PAGE), PAGE)


def get(**fields: object) -> p.GetPages:
    return p.GetPages(process="A", region="mem", count=2, hold="h", **fields)  # type: ignore[arg-type]


def test_the_flags_and_the_number_of_pages_travel(made: Pins, played: Played) -> None:
    request = get(how="pin", write=True, longterm=True, fast=True, times=5)
    assert made.get(Process(1, 100), AT, request) == 3
    (sent,) = (line.split(" ")[5] for line in played.told if " ioctl " in line)
    flags = devices.GET_PIN | devices.GET_WRITE | devices.GET_LONGTERM | devices.GET_FAST
    assert struct.unpack("=4Q", bytes.fromhex(sent)) == (AT, 2, 5, flags)


def test_what_a_kernel_would_warn_of_is_not_asked(made: Pins, played: Played) -> None:
    with pytest.raises(Mistake, match="FOLL_LONGTERM needs FOLL_PIN"):
        made.get(Process(1, 100), AT, get(longterm=True))
    assert played.told == []


def test_a_hold_is_read_while_it_lasts(made: Pins, played: Played) -> None:
    made.get(Process(1, 100), AT, get())
    assert len(made.read("h")) == 3 * 8
    made.put("h")
    assert played.told[-1] == "0 close 7"
    with pytest.raises(Mistake, match="no hold h"):
        made.read("h")


def test_gup_test_holds_as_the_module_does_and_does_not_write(made: Pins, played: Played) -> None:
    assert made.get(Process(1, 100), AT, get(how="pin", longterm=True, fast=True, gup_test=True)) == 2
    assert played.told[-1] == f"1 gup_test_pin 7 {AT:x} {2 * PAGE:x} 2"
    made.read("h")
    assert played.told[-1] == "0 gup_test_read 7 2"
    with pytest.raises(Mistake, match="does not write"):
        made.write("h", 1)
    made.put("h")
    assert played.told[-1] == "0 close 7"


@pytest.mark.parametrize(
    "more", [{"longterm": False}, {"longterm": True, "times": 2}, {"longterm": True, "force": True}]
)
def test_gup_test_is_asked_for_nothing_that_it_cannot_do(more: dict[str, object], made: Pins, played: Played) -> None:
    with pytest.raises(Mistake, match="gup_test pins for long"):
        made.get(Process(1, 100), AT, get(how="pin", gup_test=True, **more))
    assert played.told == []


def test_a_machine_says_why_gup_test_cannot_be_asked(played: Played) -> None:
    played.refused["gup_test_pin"] = errno.EFAULT
    assert pins.no_gup_test(played, PAGE) == ""
    played.refused["gup_test_pin"] = errno.EINVAL
    assert pins.no_gup_test(played, PAGE) == "gup_test of this kernel cannot pin and wait (6.2 and later): EINVAL"
    played.refused["open"] = errno.ENOENT
    assert pins.no_gup_test(played, PAGE) == "this kernel has no gup_test in debugfs (CONFIG_GUP_TEST): ENOENT"


def test_what_came_of_each_page(made: Pins) -> None:
    request = p.Migrate(process="A", region="mem", count=4)
    assert made.migrate(Process(1, 100), AT, request) == ["moved", "kept", "EACCES", "kept"]


def test_a_machine_says_what_it_has_no_nodes_for(played: Played) -> None:
    assert pins.missing(played) == {"zone-movable": "the second NUMA node has no ZONE_MOVABLE"}
    played.files[pins.ZONES] = "Node 1, zone  Movable\n        present  32768\n"
    assert pins.missing(played) == {}
    played.files[pins.NODES] = "0"
    assert set(pins.missing(played)) == {"migrate", "zone-movable"}


def test_a_hold_that_was_refused_holds_nothing() -> None:
    model = Model("linux-7.3")
    where = {"process": "A", "region": "mem"}
    for request in (p.Start(process="A"), p.Map(**where, pages=1), p.Write(**where, value="old")):
        assert model.request(request).status == "ok"
    assert model.request(p.GetPages(**where, first=1, hold="h")).errno == "EFAULT"
    assert model.request(p.ReadHeld(hold="h")).status == "broken"
    assert model.request(p.GetPages(**where, hold="h", times=2)).value == 2
    assert model.request(p.Refcount(**where)).value == [3]
