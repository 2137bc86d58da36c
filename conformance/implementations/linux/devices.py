# SPDX-License-Identifier: MIT
"""Devices: what a driver does, done by mapspec's kernel module where that is loaded, else by a part of the kernel that
does the same.

This is the place that decides which of the two it is.  The module is in module/, and its numbers and structures are
those of module/mapspec.h.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

from conformance import protocol as p
from conformance.implementations.linux import kernel
from conformance.implementations.linux.interfaces import Interfaces
from conformance.implementations.linux.ioctls import Ioctls, present
from conformance.implementations.linux.machine import Machine, Refused, Result, word
from conformance.implementations.linux.scenario import Device, Mistake, NotHere, Object, Process, Region, Scenario

NAME = "mapspec module"
ABSENT = "this needs mapspec's kernel module, which is for a virtual machine of your own: docs/kernel.md"
CAPABILITIES = ("driver-calls", "driver-access", "device-pages", "entry-writable", "expected-refcount", "gup")
"""What the module alone can do; it also makes a `driver` of every kind."""
GUESTS_ONLY = "so many references can free memory that is in use: a guest of the lab does this, docs/lab.md"
BUGS = "/sys/module/mapspec/parameters/bugs"
LEAKED = "/sys/module/mapspec/parameters/leaked"
PATIENCE_MS, STEP_MS = 1000, 50
"""How long what ends later, such as an io_uring or a page in a batch of a CPU, may hold pages of a closed device."""
WARN_AGAIN = "/sys/kernel/debug/clear_warn_once"
KPAGECOUNT = "/proc/kpagecount"

READ, READ_WRITE = 1, 3
PROTECTION = {"none": 0, "read": READ, "read-write": READ_WRITE}
MAP_SHARED, MAP_PRIVATE = 1, 2

# --- module/mapspec.h -------------------------------------------------------------------------------------

MEMORY = {name: number for number, name in enumerate(get_args(p.DeviceMemory))}
FUNCTIONS = {name: number for number, name in enumerate(get_args(p.DriverFunction))}
FLAGS = {name: 1 << number for number, name in enumerate(get_args(p.VmaFlag))}
AT_ONCE = 64

READS, WRITES = 2, 1


def _ioctl(direction: int, number: int, size: int) -> tuple[int, int]:
    """The number of an ioctl, include/uapi/asm-generic/ioctl.h, and the size of its structure in bytes."""
    return direction << 30 | size << 16 | ord("m") << 8 | number, size


ALLOCATE = _ioctl(WRITES, 1, 3 * 8)
HANDLER = _ioctl(WRITES, 2, 4 * 8)
CALL = _ioctl(READS | WRITES, 3, 7 * 8)
UNMAP = _ioctl(WRITES, 4, 3 * 8)
ZAP = _ioctl(WRITES, 5, 2 * 8)
FREE = _ioctl(0, 6, 0)
WRITE = _ioctl(WRITES, 7, 3 * 8)
READ_WORDS = _ioctl(READS | WRITES, 8, (2 + AT_ONCE) * 8)
PAGES = _ioctl(READS | WRITES, 9, (2 + 6 * AT_ONCE) * 8)
ENTRIES = _ioctl(READS | WRITES, 10, (3 + 2 * AT_ONCE) * 8)
CALL_LOCKED = _ioctl(READS | WRITES, 11, 7 * 8)
HOLD = _ioctl(WRITES, 20, 3 * 8)
FOLIOS = _ioctl(READS | WRITES, 21, (3 + 2 * AT_ONCE) * 8)
GET = _ioctl(READS | WRITES, 30, 5 * 8)
PUT = _ioctl(0, 31, 0)
READ_HELD = _ioctl(READS | WRITES, 32, (2 + AT_ONCE) * 8)
WRITE_HELD = _ioctl(WRITES, 33, 3 * 8)
PINNED = _ioctl(READS | WRITES, 34, (1 + AT_ONCE) * 8)
GET_PIN, GET_FAST, GET_WRITE, GET_FORCE, GET_LONGTERM = (1 << n for n in range(5))
"""MAPSPEC_GET_*"""

BUG, UNSUITABLE = "ENOTRECOVERABLE", "ENOPKG"
"""The errnos by which the module says that the kernel would stop there, and that it does not do that."""

REQUIRED: dict[str, p.VmaFlag] = {
    "vmf_insert_page": "VM_MIXEDMAP", "vmf_insert_mixed": "VM_MIXEDMAP", "vmf_insert_mixed_mkwrite": "VM_MIXEDMAP",
    "vmf_insert_pfn": "VM_PFNMAP", "vmf_insert_pfn_prot": "VM_PFNMAP", "vmf_insert_pfn_pmd": "VM_PFNMAP",
}  # fmt: skip
"""What a function needs to be set, unless the driver sets VM_PFNMAP or VM_MIXEDMAP by itself."""

FAULTS = {
    0x1: "OOM", 0x2: "SIGBUS", 0x4: "MAJOR", 0x10: "HWPOISON", 0x40: "SIGSEGV", 0x100: "NOPAGE", 0x200: "LOCKED",
    0x400: "RETRY", 0x800: "FALLBACK",
}  # fmt: skip
"""include/linux/mm_types.h: enum vm_fault_reason."""

PRESENT, OTHER, PMD, PUD, SPECIAL, WRITABLE, YOUNG, DIRTY, NORMAL, ZERO, EXCLUSIVE, ANON = (1 << n for n in range(12))
"""MAPSPEC_ENTRY_*"""


class Entry(NamedTuple):
    """What a page table holds for one page."""

    flags: int
    pfn: int

    @property
    def kind(self) -> p.EntryKind:
        if self.flags & PRESENT:
            pmd = bool(self.flags & PMD)
            if self.flags & NORMAL:
                return "pmd" if pmd else "pte"
            if self.flags & ZERO:
                return "huge-zero" if pmd else "zero"
            return "raw-pmd" if pmd else "raw"
        return "swap" if self.flags & OTHER else "none"

    @property
    def writable(self) -> bool | None:
        return bool(self.flags & WRITABLE) if self.flags & PRESENT else None


class References(NamedTuple):
    """Of one folio: its reference count, and what mappings and caches hold."""

    there: int
    expected: int


@dataclass
class PageState:
    """What struct page holds for one page of a device."""

    pfn: int
    references: int
    mapcount: int
    folio_mapcount: int
    raw: int
    flags: int


def missing(machine: Machine, page_size: int, *, guest: bool, bugs: bool) -> dict[str, str]:
    """What cannot be done with drivers here, each with the reason.

    `guest`: the machine is thrown away afterwards; `bugs`: and its kernel may be stopped.
    """
    found = {} if bugs else {"driver-bugs": "it stops the kernel with BUG; `--bugs` lets a virtual machine die of it"}
    if not guest:
        found["add-references"] = GUESTS_ONLY
    if present(machine):
        return found
    found.update(dict.fromkeys((*CAPABILITIES, "driver-bugs", "add-references"), ABSENT))
    ring = machine.run(f"0 packet_ring {page_size:x} 1")[0]
    if ring.kind != "ok":
        found["driver"] = f"{ABSENT}; and an AF_PACKET ring cannot stand in for a driver here: {ring.name}"
    return found


class Devices:
    """The devices of a scenario.  Everything raises NotHere, Refused and Mistake."""

    def __init__(
        self, machine: Machine, ioctls: Ioctls, names: Scenario, page_size: int, interfaces: Interfaces, *, bugs: bool
    ):
        self._machine = machine
        self._ioctls = ioctls
        self._names = names
        self._page_size = page_size
        self._interfaces = interfaces
        self._bugs = bugs
        self.module = present(machine)
        """The module is loaded."""
        self.leaked = 0
        """Pages of devices that were closed, and that are still referenced, as far as somebody was told."""
        machine.run("0 reset")

    def _named(self, name: str) -> Device:
        try:
            return self._names.devices[name]
        except KeyError:
            raise Mistake(f"there is no device {name}") from None

    def _fd(self, device: Device) -> int:
        """The hub's descriptor of a device that the module has made."""
        if device.object is None:
            raise NotHere("driver-calls", ABSENT)
        return device.object.fd

    def _control(self, slot: int, fd: int, request: tuple[int, int], *values: int, what: str = "") -> Result:
        """An ioctl about `what`, which is said where the module does not do it."""
        try:
            return self._ioctls.control(slot, fd, request, *values)
        except Refused as e:
            raise self._reason(e, what) or e from None

    def _reason(self, refused: Refused, what: str) -> NotHere | None:
        """What an errno of the module itself means."""
        if refused.result.name == BUG:
            return NotHere("driver-bugs", f"the kernel would stop with BUG: {what}")
        if refused.result.name == UNSUITABLE:
            return NotHere("driver-function", f"the module, or this kernel, does not do this: {what}")
        return None

    # --- operations ---------------------------------------------------------------------------------------

    def create(self, request: p.CreateDevice) -> None:
        if request.device in self._names.devices:
            raise Mistake(f"there is a device {request.device} already")
        device = Device(request.memory, request.pages, request.order)
        if self.module:
            fd = self._ioctls.open()
            try:
                what = f"{request.memory} memory"
                self._control(0, fd, ALLOCATE, MEMORY[request.memory], request.pages, request.order, what=what)
            except Refused as e:
                if e.result.name != "ENOMEM":
                    raise
                raise NotHere("driver-memory", f"the kernel had no {request.memory} memory for a driver") from None
            device.object = Object(fd, request.pages)
        self._names.devices[request.device] = device

    def map(self, process: Process, request: p.MapDevice) -> tuple[Region, str]:
        """The new region, and which driver it was."""
        device = self._named(request.device)
        if not self.module:
            return self._interfaces.map_device(process, device, request)
        flags = set(request.flags)
        required = REQUIRED.get(request.function)
        if required and not flags & {"VM_PFNMAP", "VM_MIXEDMAP"}:
            flags.add(required)
        what = f"{request.function} for {device.memory} memory"
        fd = self._fd(device)
        part = request.part or 0
        self._control(
            0, fd, HANDLER, FUNCTIONS[request.function], _mask(flags), _mask(request.without), part, what=what
        )
        region = Region(
            self._names.place(request.pages, request.skew), request.pages, request.sharing == "shared",
            offset=request.offset, driver=device.memory, object=device.object,
        )  # fmt: skip
        length, offset = request.pages * self._page_size, request.offset * self._page_size
        sharing = MAP_SHARED if region.shared else MAP_PRIVATE
        how = f"{length:x} {PROTECTION[request.protection]:x} {sharing:x} {offset:x}"
        primitive = f"{process.slot:x} map_fd {fd:x} {region.start:x} {how}"
        try:
            self._machine.do(primitive)
        except Refused as e:
            if e.result.name != BUG or not self._bugs or not request.function.startswith("vmf_"):
                raise self._reason(e, what) or e from None
            with self._daring():  # it is the fault that would be the BUG
                self._machine.do(primitive)
        return region, NAME

    def call(self, process: Process, at: int, request: p.CallDriver) -> p.Called:
        """`at`: the address of the first page."""
        device = self._named(request.device)
        function = FUNCTIONS[request.function]
        self._machine.run(f"0 write {word(WARN_AGAIN)} 1")  # else WARN_ON_ONCE warns once
        what = f"{request.function} for {device.memory} memory"
        words = (function, at, request.count, request.device_first)
        how = CALL_LOCKED if request.in_mmap else CALL
        try:
            done = self._control(process.slot, self._fd(device), how, *words, what=what)
        except NotHere as e:
            if e.capability != "driver-bugs" or not self._bugs:
                raise
            done = self._dare(process.slot, self._fd(device), how, words, what)
        _, _, _, _, returned, is_fault, left = struct.unpack("=4Qq2Q", done.data)
        return p.Called(returned=_fault(returned) if is_fault else _errno(returned), left=left)

    def _dare(self, slot: int, fd: int, how: tuple[int, int], words: tuple[int, ...], what: str) -> Result:
        """A call of which the module says that it stops the kernel.  If it does, the machine is lost: raises Lost."""
        with self._daring():
            return self._control(slot, fd, how, *words, what=what)

    @contextlib.contextmanager
    def _daring(self) -> Iterator[None]:
        """The module does meanwhile what it takes for a BUG."""
        self._machine.do(f"0 write {word(BUGS)} 1")
        yield
        self._machine.do(f"0 write {word(BUGS)} 0")

    def newly_leaked(self, left: Result) -> int:
        """Pages of closed devices that are still referenced, and of which nobody was told so far.

        left: what LEAKED said when everything was closed.
        """
        found = int(left.data or 0) if left.kind == "ok" else 0
        for _ in range(PATIENCE_MS // STEP_MS):
            if found == self.leaked:
                return 0
            self._machine.run("-0 drain", f"0 sleep {STEP_MS:x}")
            found = int(self._machine.text(LEAKED) or 0)
        before, self.leaked = self.leaked, found
        return max(found - before, 0)

    def unmap_mapping_range(self, request: p.UnmapMappingRange) -> None:
        fd = self._fd(self._named(request.device))
        self._control(0, fd, UNMAP, request.first, request.count, int(request.even_cows))

    def zap(self, process: Process, region: Region, at: int, count: int) -> None:
        if region.object is None:
            raise Mistake("no device is mapped there")
        self._control(process.slot, region.object.fd, ZAP, at, count)

    def free(self, request: p.FreeDevice) -> None:
        self._control(0, self._fd(self._named(request.device)), FREE)

    def write(self, request: p.WriteDevice, value: int) -> None:
        device = self._named(request.device)
        what = f"write to its {device.memory} memory"
        self._control(0, self._fd(device), WRITE, request.first, request.count, value, what=what)

    def read(self, request: p.ReadDevice) -> bytes:
        """The first 8 bytes of each page."""
        device = self._named(request.device)
        data = b""
        for first, count in _portions(request.first, request.count):
            what = f"read its {device.memory} memory"
            data += self._control(0, self._fd(device), READ_WORDS, first, count, what=what).data[16 : 16 + 8 * count]
        return data

    # --- queries ------------------------------------------------------------------------------------------

    def states(self, request: p.DeviceRefcount | p.DeviceMapcount) -> list[PageState]:
        """What struct page holds for each page of a device."""
        fd = self._fd(self._named(request.device))
        found = []
        for first, count in _portions(request.first, request.count):
            data = self._control(0, fd, PAGES, first, count).data[16 : 16 + 48 * count]
            found += [PageState(*values) for values in struct.iter_unpack("=6Q", data)]
        return found

    def entries(self, process: Process, at: int, count: int) -> list[Entry]:
        """What the page table of a process holds."""
        return [Entry(*values) for values in self._mapped(ENTRIES, "=2Q", process, at, count)]

    def references(self, process: Process, at: int, count: int) -> list[References]:
        """Of the folio that each entry of a process maps."""
        return [References(*values) for values in self._mapped(FOLIOS, "=2q", process, at, count)]

    def _mapped(self, request: tuple[int, int], form: str, process: Process, at: int, count: int) -> Iterator[Any]:
        """What the module says of each page that a process maps."""
        for first, now in _portions(0, count):
            data = self._ioctls.ask(request, process.pid, at + first * self._page_size, now)
            yield from struct.iter_unpack(form, data[24 : 24 + struct.calcsize(form) * now])

    def hold(self, process: Process, at: int, number: int) -> int:
        """Take references to the folio that is mapped at an address.  The hub's descriptor that holds them."""
        fd = self._ioctls.open()
        self._ioctls.control(0, fd, HOLD, process.pid, at, number)
        return fd

    def pages(self, process: Process, at: int, count: int) -> list[kernel.Page]:
        """As pagemap, kpagecount and kpageflags would show pages if pagemap showed all that is mapped."""
        found = []
        for entry in self.entries(process, at, count):
            if not entry.flags & PRESENT or not entry.pfn:
                found.append(kernel.Page(0, 0, 0))
                continue
            count_now = self._machine.read_at(KPAGECOUNT, entry.pfn * 8, 8) or bytes(8)
            flags = self._machine.do(f"0 flags {entry.pfn:x} 1")[-1].data or bytes(8)
            words = (*kernel.words(count_now), *kernel.words(flags))
            found.append(kernel.Page(kernel.PM_PRESENT | entry.pfn, *words))
        return found


def _mask(flags: Any) -> int:
    return sum(FLAGS[flag] for flag in set(flags))


def _portions(first: int, count: int) -> Iterator[tuple[int, int]]:
    """As many pages as one request takes."""
    for done in range(0, count, AT_ONCE):
        yield first + done, min(count - done, AT_ONCE)


def _fault(code: int) -> str:
    """A fault code by name."""
    return f"VM_FAULT_{FAULTS[code]}" if code in FAULTS else str(code)


def _errno(returned: int) -> str:
    """0, or an errno by name with its sign."""
    return f"-{Result('errno', -returned).name}" if returned else "0"
