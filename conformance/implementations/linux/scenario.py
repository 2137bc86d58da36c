# SPDX-License-Identifier: MIT
"""The names of a scenario and what they stand for on the machine: processes, regions, files, devices and so on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from conformance.protocol import DeviceMemory

FIRST_DESCRIPTOR = 512
"""Of the hub, for pipes: above all that it opens by itself."""


class NotHere(Exception):
    """A request cannot be done here: capability and reason."""

    def __init__(self, capability: str, why: str):
        self.capability, self.why = capability, why
        super().__init__(why)


class Mistake(Exception):
    """A request cannot be understood or done by us; no kernel would say so."""


@dataclass
class File:
    """A file that the hub holds open."""

    fd: int
    pages: int
    filesystem: str
    order: int
    filled: int = 0
    """Order > 0: how many folios from the start are in the page cache."""


class Object(NamedTuple):
    """Something that the hub holds open and that processes can map."""

    fd: int
    pages: int
    offset: int = 0
    """In bytes, for mmap(2)."""
    sender: int = -1
    """The other end of a connection."""


@dataclass
class Region:
    """Pages `0 … pages - 1` at `start`.  They need not be mapped any more."""

    start: int
    pages: int
    shared: bool = False
    file: str | None = None
    offset: int = 0
    order: int = 0
    hugetlb: bool = False
    refuses_huge: bool = False
    """It was given MADV_NOHUGEPAGE because memory that nobody advised would get huge pages here."""
    driver: str = ""
    """Memory of a driver: which interface of the kernel, or which memory of a device; "" for all other regions."""
    object: Object | None = None
    """What the hub holds open for it."""


@dataclass
class Process:
    slot: int
    pid: int
    regions: dict[str, Region] = field(default_factory=dict)
    userfaultfds: dict[int, int] = field(default_factory=dict)
    """By features: its own descriptors."""


@dataclass
class Pipe:
    to_read: int
    """The hub's descriptor; the next one is to write to."""
    pages: int

    @property
    def to_write(self) -> int:
        return self.to_read + 1


@dataclass
class Buffer:
    process: str
    ring: int


class Hold(NamedTuple):
    """Pages that the kernel module, or gup_test, holds for an open file of the hub."""

    fd: int
    pages: int
    gup_test: bool = False


@dataclass
class Device:
    """Memory that a driver was asked to have, and what stands in for that driver."""

    memory: DeviceMemory
    pages: int
    order: int
    twin: str = ""
    object: Object | None = None


class Scenario:
    """What exists now.  Addresses and slots are given out here.

    Every region starts at an address that is aligned to the largest folio, plus its skew, and at least one such
    alignment lies unmapped behind it.  So VMAs never merge and no two regions share a page table.
    """

    def __init__(self, word_bits: int, align: int, page_size: int, slots: int = 64):
        self._first = 1 << 36 if word_bits == 64 else 1 << 30
        self._align = align
        self._page_size = page_size
        self._slots = slots
        self.clear()

    def clear(self) -> None:
        self.processes: dict[str, Process] = {}
        self.files: dict[str, File] = {}
        self.pipes: dict[str, Pipe] = {}
        self.buffers: dict[str, Buffer] = {}
        self.held: dict[str, Hold] = {}
        self.devices: dict[str, Device] = {}
        self.added: dict[str, int] = {}
        """The hub's descriptor that holds the references."""
        self.objects: dict[tuple[str, str], Object] = {}
        """By the name and the kind of an interface."""
        self._descriptor = FIRST_DESCRIPTOR
        self._next = self._first
        self._free = list(range(self._slots - 1, 0, -1))

    @property
    def scratch(self) -> int:
        """The address of a page that is never part of a region."""
        return self._first - self._align

    def holds(self, at: int) -> bool:
        """An address in a region, or in what lies between them."""
        return self.scratch <= at < self._next

    def place(self, pages: int, skew: int) -> int:
        """The address of a new region."""
        start = self._next + skew * self._page_size
        end = start + pages * self._page_size
        self._next = (end + 2 * self._align - 1) & -self._align
        return start

    def take_descriptors(self) -> int:
        """The first of two descriptors of the hub that are not in use."""
        self._descriptor += 2
        return self._descriptor - 2

    def take_slot(self) -> int | None:
        return self._free.pop() if self._free else None

    def give_slot(self, slot: int) -> None:
        self._free.append(slot)

    def fork(self, parent: Process, slot: int, pid: int) -> Process:
        return Process(slot, pid, {name: replace(region) for name, region in parent.regions.items()})

    def forget(self, name: str) -> None:
        """A process is gone, its buffers with it."""
        self.give_slot(self.processes.pop(name).slot)
        self.buffers = {n: b for n, b in self.buffers.items() if b.process != name}
