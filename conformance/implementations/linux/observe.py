# SPDX-License-Identifier: MIT
"""How the kernel sees and treats memory: VMAs, RSS counters, userfaultfd, core dumps."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from conformance import protocol as p
from conformance.implementations.linux.machine import Machine, Refused, word
from conformance.implementations.linux.scenario import Mistake, NotHere, Process, Region, Scenario

TMPFS_MAGIC = 0x01021994
CORE_PATTERN = "/proc/sys/kernel/core_pattern"
SIGQUIT = 3
PT_LOAD = 1

FLAGS: dict[str, p.VmaFlag] = {
    "rd": "VM_READ", "wr": "VM_WRITE", "sh": "VM_SHARED", "mr": "VM_MAYREAD", "mw": "VM_MAYWRITE",
    "ms": "VM_MAYSHARE", "pf": "VM_PFNMAP", "mm": "VM_MIXEDMAP", "io": "VM_IO", "de": "VM_DONTEXPAND",
    "dd": "VM_DONTDUMP", "dc": "VM_DONTCOPY", "lo": "VM_LOCKED", "wf": "VM_WIPEONFORK", "mg": "VM_MERGEABLE",
    "hg": "VM_HUGEPAGE", "nh": "VM_NOHUGEPAGE", "sl": "VM_SEALED",
}  # fmt: skip
"""VmFlags of smaps, fs/proc/task_mmu.c: show_smap_vma_flags."""

UFFD_MODES = {"missing": 1, "wp": 2, "wp_async": 2}
UFFD_FEATURE_WP_ASYNC = 1 << 15


@dataclass
class Vma:
    """One VMA in /proc/PID/smaps, or in /proc/PID/maps, which shows no flags and no sizes."""

    start: int
    end: int
    offset: int
    """In bytes."""
    path: str
    flags: list[p.VmaFlag] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    """In kB."""


_HEAD = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \d+ *(.*)$")


def vmas(text: str) -> Iterator[Vma]:
    """The VMAs that smaps or maps shows."""
    vma: Vma | None = None
    for line in text.splitlines():
        if head := _HEAD.match(line):
            if vma:
                yield vma
            vma = Vma(int(head[1], 16), int(head[2], 16), int(head[3], 16), head[4])
        elif vma and line.startswith("VmFlags:"):
            vma.flags = [FLAGS[code] for code in line[8:].split() if code in FLAGS]
        elif vma and line.endswith(" kB"):
            name, value = line[:-3].split(":")
            vma.sizes[name] = int(value)
    if vma:
        yield vma


def dumped(core: bytes) -> list[tuple[int, int]]:
    """From the head of a core dump: the address and the length of each part of memory that is in it."""
    if core[:4] != b"\x7fELF":
        raise Mistake("the core dump is no ELF file")
    if core[4] == 2:
        table, size, count, layout = (
            *struct.unpack_from("=Q", core, 32),
            *struct.unpack_from("=2H", core, 54),
            "=2I4Q",
        )
    else:
        table, size, count, layout = (*struct.unpack_from("=I", core, 28), *struct.unpack_from("=2H", core, 42), "=6I")
    found = []
    for at in range(table, table + size * count, size):
        fields = struct.unpack_from(layout, core, at)
        address, length = (fields[3], fields[5]) if core[4] == 2 else (fields[2], fields[4])
        if fields[0] == PT_LOAD and length:
            found.append((address, length))
    return found


class Observer:
    """Asks the machine.  `version` is the kernel's, `directory` where core dumps may be written."""

    def __init__(self, machine: Machine, names: Scenario, page_size: int, version: tuple[int, int], directory: str):
        self._machine = machine
        self._names = names
        self._page_size = page_size
        self._version = version
        self._directory = directory
        self._on_tmpfs: dict[str, bool] = {}

    def _read(self, process: Process, name: str) -> str:
        return self._machine.do(f"0 read /proc/{process.pid}/{name}")[-1].data.decode()

    def vma_at(self, process: Process, at: int) -> Vma | None:
        """The VMA around an address."""
        return next((vma for vma in vmas(self._read(process, "smaps")) if vma.start <= at < vma.end), None)

    def flags_at(self, process: Process, at: int) -> list[p.VmaFlag]:
        """The flags of the VMA around an address; none if there is no VMA."""
        vma = self.vma_at(process, at)
        return vma.flags if vma else []

    def vma(self, process: Process, region: Region) -> p.Vma:
        """What can be seen of the first VMA of a region."""
        vma = self.vma_at(process, region.start)
        if vma is None:
            raise Mistake("nothing is mapped at the start of the region")
        return p.Vma(flags=vma.flags, offset=vma.offset // self._page_size)

    # --- RSS ----------------------------------------------------------------------------------------------

    def rss(self, process: Process, region: Region) -> dict[str, int]:
        """What a region adds to RssAnon, RssFile and RssShmem, in pages: all that the counters hold less what smaps
        shows of the other VMAs.

        Before 6.2 a task counts in a cache of its own, which zap_pte_range() empties (mm/memory.c: sync_mm_rss).
        Raises NotHere.
        """
        slot, at, size = process.slot, self._names.scratch, self._page_size
        results = self._machine.do(
            f"{slot:x} mmap {at:x} {size:x} 3 22", f"{slot:x} store {at:x} 1 1", f"{slot:x} munmap {at:x} {size:x}",
            f"0 read /proc/{process.pid}/status", f"0 read /proc/{process.pid}/smaps",
        )  # fmt: skip
        status = dict(re.findall(r"^Rss(\w+):\s+(\d+) kB$", results[3].data.decode(), re.MULTILINE))
        counted = {kind: int(status[kind.title()]) for kind in ("anon", "file", "shmem")}
        end = region.start + region.pages * size
        for vma in vmas(results[4].data.decode()):
            if region.start <= vma.start and vma.end <= end:
                continue
            if self._version < (6, 2) and _may_hide(vma):
                raise NotHere("rss-pfnmap", "smaps of this kernel does not tell what private VM_PFNMAP memory adds")
            counted["anon"] -= vma.sizes["Anonymous"]
            kind = "shmem" if self._is_shmem(process, vma) else "file"
            counted[kind] -= vma.sizes["Rss"] - vma.sizes["Anonymous"]
        return {kind: kilobytes * 1024 // size for kind, kilobytes in counted.items()}

    def _is_shmem(self, process: Process, vma: Vma) -> bool:
        """Whether the pages of a VMA that are not anonymous are counted as shmem."""
        if vma.sizes["Rss"] == vma.sizes["Anonymous"]:
            return False
        for region in process.regions.values():
            if region.start <= vma.start < region.start + region.pages * self._page_size:
                if region.file is not None:
                    return self._names.files[region.file].filesystem in ("tmpfs", "memfd")
                return region.driver == "page_cache" or (region.shared and not region.driver)
        if not vma.path.startswith("/"):
            return False
        if vma.path not in self._on_tmpfs:  # our own program and its libraries
            seen = self._machine.run(f"0 statfs {word(vma.path)}")[0]
            if seen.kind != "ok":
                seen = self._machine.run(f"0 statfs /proc/{process.pid}/exe")[0]
            self._on_tmpfs[vma.path] = seen.kind == "ok" and seen.value == TMPFS_MAGIC
        return self._on_tmpfs[vma.path]

    # --- userfaultfd --------------------------------------------------------------------------------------

    def register(self, process: Process, at: int, length: int, mode: str) -> None:
        """UFFDIO_REGISTER.  Raises Refused, NotHere."""
        features = UFFD_FEATURE_WP_ASYNC if mode == "wp_async" else 0
        if features not in process.userfaultfds:
            try:
                process.userfaultfds[features] = self._machine.do(f"{process.slot:x} uffd {features:x}")[-1].value
            except Refused as e:
                if not features:
                    raise
                why = f"this kernel has no UFFD_FEATURE_WP_ASYNC: {e.result.name}"
                raise NotHere("userfaultfd-wp-async", why) from None
        fd = process.userfaultfds[features]
        self._machine.do(f"{process.slot:x} uffd_register {fd:x} {at:x} {length:x} {UFFD_MODES[mode]:x}")

    def write_protect(self, process: Process, at: int, length: int) -> None:
        """UFFDIO_WRITEPROTECT with the userfaultfd that has UFFD_FEATURE_WP_ASYNC.  Raises Refused, Mistake."""
        if UFFD_FEATURE_WP_ASYNC not in process.userfaultfds:
            raise Mistake("nothing is registered in asynchronous write-protect mode")
        fd = process.userfaultfds[UFFD_FEATURE_WP_ASYNC]
        self._machine.do(f"{process.slot:x} uffd_writeprotect {fd:x} {at:x} {length:x}")

    # --- core dumps ---------------------------------------------------------------------------------------

    def core_dump(self, process: Process) -> dict[str, int]:
        """Let the process die and dump core: how many pages of each of its regions are in it.  Raises NotHere."""
        parts = dumped(die(self._machine, process.slot, self._directory))
        size = self._page_size
        return {
            name: sum(
                _overlap(at, at + length, region.start, region.start + region.pages * size) for at, length in parts
            )
            // size
            for name, region in process.regions.items()
        }


def _may_hide(vma: Vma) -> bool:
    """Before 6.2 smaps skipped VM_PFNMAP (mm/pagewalk.c: walk_page_test), also private copies there."""
    return "VM_PFNMAP" in vma.flags and "VM_MAYWRITE" in vma.flags and "VM_SHARED" not in vma.flags


def _overlap(start: int, end: int, low: int, high: int) -> int:
    return max(min(end, high) - max(start, low), 0)


def die(machine: Machine, slot: int, directory: str) -> bytes:
    """Let a process dump core in a new directory below `directory`: the head of the dump.  Raises NotHere."""
    place = word(f"{directory}/mapspec-core-{os.urandom(8).hex()}")
    died = machine.run(f"{slot:x} dump {place}")[0]
    core = machine.run(f"0 take_dump {place}")[0]
    if died.kind != "died" or died.value != SIGQUIT:
        raise Mistake(f"a process that shall dump core does not die of it: {died.kind} {died.name}")
    if core.kind != "ok":
        raise NotHere("core-dump-file", "a process that dies of SIGQUIT leaves no core dump here")
    return core.data


def core_pattern(machine: Machine) -> str:
    """Why core dumps are not files in the directory of the process that dies; "" if they are."""
    pattern = machine.text(CORE_PATTERN)
    if not pattern:
        return f"{CORE_PATTERN} is empty or cannot be read"
    if pattern[0] in "|@" or "/" in pattern:
        return f"{CORE_PATTERN} sends core dumps elsewhere: {pattern[:60]}"
    return ""
