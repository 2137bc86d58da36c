# SPDX-License-Identifier: MIT
"""What a driver takes with get_user_pages and holds, direct I/O, and pages that are moved to another NUMA node.

The kernel module holds the pages, or the kernel's own gup_test does: each hold is an open file of theirs in the hub, so
that nothing outlives a reset.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from conformance import protocol as p
from conformance.implementations.linux import devices
from conformance.implementations.linux.ioctls import Ioctls
from conformance.implementations.linux.machine import Machine, Refused, Result
from conformance.implementations.linux.scenario import Hold, Mistake, Process, Scenario

NODES = "/sys/devices/system/node/has_memory"
ZONES = "/proc/zoneinfo"
GUP_TEST = "/sys/kernel/debug/gup_test"
OPEN_GUP_TEST = f"open {GUP_TEST} {os.O_RDWR:x} 0 0"
GUP_TEST_WRITE, GUP_TEST_FAST = 1, 2
"""mm/gup_test.h: PIN_LONGTERM_TEST_FLAG_USE_WRITE, PIN_LONGTERM_TEST_FLAG_USE_FAST"""
MOVED_AT_ONCE = 1024
NO_STATUS = -(1 << 31)
"""The kernel has written no status for a page."""


class Pins:
    """The holds of a scenario.  Everything raises Refused and Mistake."""

    def __init__(self, machine: Machine, ioctls: Ioctls, names: Scenario, page_size: int):
        self._machine = machine
        self._ioctls = ioctls
        self._names = names
        self._page_size = page_size

    def _hold(self, name: str) -> Hold:
        try:
            return self._names.held[name]
        except KeyError:
            raise Mistake(f"there is no hold {name}") from None

    # --- what a driver holds ------------------------------------------------------------------------------

    def get(self, process: Process, at: int, request: p.GetPages) -> int:
        """How many pages the driver got.  `at`: the address of the first."""
        if request.hold in self._names.held:
            raise Mistake(f"there is a hold {request.hold} already")
        if request.longterm and request.how != "pin":
            raise Mistake("FOLL_LONGTERM needs FOLL_PIN")
        if request.gup_test:
            return self._get_by_gup_test(process, at, request)
        flags = devices.GET_PIN if request.how == "pin" else 0
        flags |= devices.GET_FAST if request.fast else 0
        flags |= devices.GET_WRITE if request.write else 0
        flags |= devices.GET_FORCE if request.force else 0
        flags |= devices.GET_LONGTERM if request.longterm else 0
        fd = self._ioctls.open()
        with self._closed_if_refused(fd):
            done = self._ioctls.control(process.slot, fd, devices.GET, at, request.count, request.times, flags)
        got = int(struct.unpack_from("=q", done.data, 4 * 8)[0])
        self._names.held[request.hold] = Hold(fd, got)
        return got

    def _get_by_gup_test(self, process: Process, at: int, request: p.GetPages) -> int:
        if not request.longterm or request.force or request.times > 1:
            raise Mistake("gup_test pins for long, without FOLL_FORCE, and once")
        flags = GUP_TEST_WRITE * request.write | GUP_TEST_FAST * request.fast
        fd = self._machine.do(f"0 {OPEN_GUP_TEST}")[-1].value
        with self._closed_if_refused(fd):
            length = request.count * self._page_size
            self._machine.do(f"{process.slot:x} gup_test_pin {fd:x} {at:x} {length:x} {flags:x}")
        self._names.held[request.hold] = Hold(fd, request.count, gup_test=True)
        return request.count

    @contextmanager
    def _closed_if_refused(self, fd: int) -> Iterator[None]:
        try:
            yield
        except Refused:
            self._machine.do(f"0 close {fd:x}")
            raise

    def put(self, name: str) -> None:
        hold = self._hold(name)
        if not hold.gup_test:
            self._ioctls.control(0, hold.fd, devices.PUT)
        self._machine.do(f"0 close {hold.fd:x}")
        del self._names.held[name]

    def read(self, name: str) -> bytes:
        """The first 8 bytes of each page."""
        hold = self._hold(name)
        if hold.gup_test:
            return self._machine.do(f"0 gup_test_read {hold.fd:x} {hold.pages:x}")[-1].data
        data = b""
        for first in range(0, hold.pages, devices.AT_ONCE):
            count = min(hold.pages - first, devices.AT_ONCE)
            data += self._ioctls.control(0, hold.fd, devices.READ_HELD, first, count).data[16 : 16 + 8 * count]
        return data

    def write(self, name: str, value: int) -> None:
        hold = self._hold(name)
        if hold.gup_test:
            raise Mistake("gup_test does not write")
        self._ioctls.control(0, hold.fd, devices.WRITE_HELD, 0, hold.pages, value)

    def maybe_pinned(self, frames: list[int]) -> list[bool]:
        """folio_maybe_dma_pinned() of the folio of each frame, by the kernel itself; of frame 0 False."""
        found: list[bool] = []
        for first in range(0, len(frames), devices.AT_ONCE):
            now = frames[first : first + devices.AT_ONCE]
            data = self._ioctls.ask(devices.PINNED, len(now), *now)
            told = struct.unpack_from(f"={len(now)}Q", data, 8)
            found += [bool(pinned) and bool(frame) for pinned, frame in zip(told, now, strict=True)]
        return found

    # --- move_pages(2) ------------------------------------------------------------------------------------

    def migrate(self, process: Process, at: int, request: p.Migrate) -> list[str]:
        """What came of each page."""
        if request.count > MOVED_AT_ONCE:
            raise Mistake(f"{MOVED_AT_ONCE} pages can be moved at a time")
        primitive = f"{process.slot:x} move_pages {at:x} {request.count:x} {int(request.everybodys):x}"
        return [_came_of(*told) for told in struct.iter_unpack("=2i", self._machine.do("-0 drain", primitive)[-1].data)]


def _came_of(status: int, moved: int) -> str:
    if moved:
        return "moved"
    return Result("errno", -status).name if NO_STATUS < status < 0 else "kept"


def no_gup_test(machine: Machine, page_size: int) -> str:
    """Why gup_test cannot pin here; "" if it can.  A process asks for a page where nothing is mapped."""
    opened = machine.run(f"0 {OPEN_GUP_TEST}")[0]
    if opened.kind != "ok":
        return f"this kernel has no gup_test in debugfs (CONFIG_GUP_TEST): {opened.name}"
    tried = machine.run("0 spawn 1", f"1 gup_test_pin {opened.value:x} {page_size:x} {page_size:x} 0")[-1]
    return (
        "" if tried.name == "EFAULT" else f"gup_test of this kernel cannot pin and wait (6.2 and later): {tried.name}"
    )


def missing(machine: Machine) -> dict[str, str]:
    """What cannot be done here with NUMA nodes, each with the reason."""
    if machine.text(NODES) != "0-1":
        why = "this needs two NUMA nodes with memory"
        return {"migrate": why, "zone-movable": why}
    _, _, second = machine.text(ZONES).partition("Node 1, zone  Movable")
    present = next((line.split()[1] for line in second.splitlines() if line.strip().startswith("present")), "0")
    return {} if int(present) else {"zone-movable": "the second NUMA node has no ZONE_MOVABLE"}
