# SPDX-License-Identifier: MIT
"""What /proc says of the memory of a process: smaps_rollup, status, statm, numa_maps, PAGEMAP_SCAN, kpageflags."""

from __future__ import annotations

import re
import struct

from conformance import protocol as p
from conformance.implementations.linux import kernel
from conformance.implementations.linux.machine import Machine
from conformance.implementations.linux.scenario import Mistake, Process, Region

SCAN_BITS: dict[int, p.ScanCategory] = {
    1 << 0: "wpallowed", 1 << 1: "written", 1 << 2: "file", kernel.PAGE_IS_PRESENT: "present",
    kernel.PAGE_IS_SWAPPED: "swapped", kernel.PAGE_IS_PFNZERO: "pfnzero", kernel.PAGE_IS_HUGE: "huge",
}  # fmt: skip
"""include/uapi/linux/fs.h: PAGE_IS_*."""
KPF_MMAP = 1 << 11
KPAGE_FLAGS: dict[int, p.KpageFlag] = {
    KPF_MMAP: "mmap", kernel.KPF_COMPOUND_HEAD: "compound_head", kernel.KPF_COMPOUND_TAIL: "compound_tail",
    kernel.KPF_THP: "thp",
}  # fmt: skip
IN_STATUS = ("VmLck", "VmRSS", "RssAnon", "RssFile", "RssShmem", "VmSwap", "HugetlbPages")
IN_NUMA_MAPS = ("anon", "dirty", "mapped", "mapmax")


class Statistics:
    """Asks the machine about processes of a scenario."""

    def __init__(self, machine: Machine, page_size: int):
        self._machine = machine
        self._page_size = page_size

    def _read(self, process: Process, name: str) -> str:
        return self._machine.do(f"0 read /proc/{process.pid}/{name}")[-1].data.decode()

    def rollup(self, process: Process) -> dict[str, int]:
        """The lines of smaps_rollup, in kB."""
        return kernel.smaps(self._read(process, "smaps_rollup"), 0, 1 << 64)

    def smaps_sum(self, process: Process) -> dict[str, int]:
        """The lines of smaps, in kB, added up over all VMAs."""
        return kernel.smaps(self._read(process, "smaps"), 0, 1 << 64)

    def status(self, process: Process) -> dict[str, int]:
        """Some lines of status, in kB."""
        lines = dict(re.findall(r"^(\w+):\s+(\d+) kB$", self._read(process, "status"), re.MULTILINE))
        return {name: int(lines[name]) for name in IN_STATUS if name in lines}

    def statm(self, process: Process) -> dict[str, int]:
        """The first three numbers of statm, in pages."""
        numbers = map(int, self._read(process, "statm").split())
        return dict(zip(("size", "resident", "shared"), numbers, strict=False))

    def numa_maps(self, process: Process, region: Region) -> dict[str, int]:
        """The counts in the line of the VMA that starts where the region does."""
        for line in self._read(process, "numa_maps").splitlines():
            start, *words = line.split()
            if int(start, 16) == region.start:
                counts = dict(word.split("=", 1) for word in words if "=" in word)
                return {name: int(counts[name]) for name in IN_NUMA_MAPS if name in counts}
        raise Mistake("no VMA starts where the region does")

    def scan(self, process: Process, at: int, count: int) -> list[list[p.ScanCategory]]:
        """The categories of each page.  A page that PAGEMAP_SCAN does not report has none."""
        end = at + count * self._page_size
        found: list[list[p.ScanCategory]] = [[] for _ in range(count)]
        primitive = f"0 scan {process.slot:x} {at:x} {end:x} {sum(SCAN_BITS):x}"
        for low, high, categories in kernel.scan(self._machine.do(primitive)[-1].data):
            names = [name for bit, name in SCAN_BITS.items() if categories & bit]
            for page in range((low - at) // self._page_size, (high - at) // self._page_size):
                found[page] = names
        return found

    def kpage(self, frame: int) -> p.KpageInfo:
        """kpagecount and kpageflags of a page frame."""
        count = self._machine.do(f"0 read /proc/kpagecount 8 {frame * 8:x}")[-1].data
        (flags,) = kernel.words(self._machine.do(f"0 flags {frame:x} 1")[-1].data)
        names = [name for bit, name in KPAGE_FLAGS.items() if flags & bit]
        return p.KpageInfo(count=struct.unpack("=Q", count)[0], flags=names)
