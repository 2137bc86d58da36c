# SPDX-License-Identifier: MIT
"""NR_ANON_MAPPED and NR_FILE_MAPPED less what our own processes map: with a machine that is made up."""

from __future__ import annotations

import struct

import pytest

from conformance.implementations.linux import kernel, mapped
from conformance.implementations.linux.machine import Result
from conformance.implementations.linux.scenario import Mistake, Process, Scenario

SIZE = 4096
TEXT = (0x400000, [(10, 2, 0), (11, 2, 0)])
"""Two pages of the program, which both processes map."""
ZERO = kernel.KPF_ZERO_PAGE | kernel.KPF_ANON


class FakeMachine:
    """Two processes: the hub, and A in slot 1.  Each has VMAs of pages: frame, mapcount, flags."""

    def __init__(self, restless: bool = False):
        self.vmas = {
            "self": [TEXT, (0x600000, [(20, 1, kernel.KPF_ANON)])],
            "7": [TEXT, (0x600000, [(30, 1, kernel.KPF_ANON), (31, 1, ZERO), (32, 0, 0)])],
        }
        self.restless = restless
        self.refreshed = False

    def do(self, *primitives: str) -> list[Result]:
        return [self._one(primitive) for primitive in primitives]

    def _one(self, primitive: str) -> Result:
        words = primitive.lstrip("-").split()
        if words[1] == "pages":
            pid = {"0": "self", "1": "7"}[words[2]]
            pages = next(pages for at, pages in self.vmas[pid] if at == int(words[3], 16))
            assert len(pages) == int(words[4], 16)
            columns = ([kernel.PM_PRESENT | frame for frame, _, _ in pages], *list(zip(*pages, strict=True))[1:])
            return Result("ok", 0, b"".join(struct.pack(f"={len(pages)}Q", *column) for column in columns))
        if words[2] == mapped.REFRESH:
            self.refreshed = True
            if self.restless:
                self.vmas["self"][1][1].append((40 + len(self.vmas["self"][1][1]), 1, kernel.KPF_ANON))
            return Result("ok", 0)
        if words[2] == "/proc/vmstat":
            return Result("ok", 0, b"nr_anon_pages 102\nnr_mapped 205\n")
        lines = [f"{at:x}-{at + len(p) * SIZE:x} rw-p 0 00:00 0" for at, p in self.vmas[words[2].split("/")[2]]]
        region = f"{1 << 36:x}-{(1 << 36) + SIZE:x} rw-p 0 00:00 0"
        return Result("ok", 0, "\n".join([*lines, region]).encode())


def scenario() -> Scenario:
    names = Scenario(64, 1 << 21, SIZE)
    names.place(1, 0)
    names.processes["A"] = Process(1, 7)
    return names


def test_what_our_processes_map_is_taken_off_once_and_regions_are_not() -> None:
    machine = FakeMachine()
    told = mapped.read(machine, scenario(), SIZE)  # type: ignore[arg-type]
    assert told == {"nr_anon_mapped": 100, "nr_file_mapped": 203}
    assert machine.refreshed


def test_counters_that_do_not_come_to_rest_are_not_told() -> None:
    with pytest.raises(Mistake):
        mapped.read(FakeMachine(restless=True), scenario(), SIZE)  # type: ignore[arg-type]
