# SPDX-License-Identifier: MIT
"""What the kernel's files say, decoded: pagemap, kpagecount, kpageflags, PAGEMAP_SCAN, smaps, vmstat."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conformance.protocol import PagemapMark

# /proc/PID/pagemap, fs/proc/task_mmu.c: PM_*
PM_FRAME = (1 << 55) - 1
PM_SOFT_DIRTY = 1 << 55
PM_MMAP_EXCLUSIVE = 1 << 56
PM_UFFD_WP = 1 << 57
PM_FILE = 1 << 61
PM_SWAP = 1 << 62
PM_PRESENT = 1 << 63

# /proc/kpageflags, include/uapi/linux/kernel-page-flags.h
KPF_WRITEBACK = 1 << 8
KPF_ANON = 1 << 12
KPF_SWAPCACHE = 1 << 13
KPF_SWAPBACKED = 1 << 14
KPF_COMPOUND_HEAD = 1 << 15
KPF_COMPOUND_TAIL = 1 << 16
KPF_HUGE = 1 << 17
KPF_KSM = 1 << 21
KPF_THP = 1 << 22
KPF_ZERO_PAGE = 1 << 24

FLAGS = {
    "anon": KPF_ANON,
    "ksm": KPF_KSM,
    "zero": KPF_ZERO_PAGE,
    "hugetlb": KPF_HUGE,
    "swapbacked": KPF_SWAPBACKED,
    "swapcache": KPF_SWAPCACHE,
}
OF_THE_FOLIO = KPF_SWAPCACHE | KPF_SWAPBACKED | KPF_HUGE | KPF_ZERO_PAGE | KPF_THP
"""Flags that older kernels show for the head page only."""

# PAGEMAP_SCAN, include/uapi/linux/fs.h
PAGE_IS_PRESENT = 1 << 3
PAGE_IS_SWAPPED = 1 << 4
PAGE_IS_PFNZERO = 1 << 5
PAGE_IS_HUGE = 1 << 6
SCAN_MASK = PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_PFNZERO | PAGE_IS_HUGE


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a process as /proc shows it."""

    pagemap: int
    count: int
    flags: int

    @property
    def present(self) -> bool:
        return bool(self.pagemap & PM_PRESENT)

    @property
    def frame(self) -> int:
        """Its page frame number; 0: none, or it is not shown to us."""
        return self.pagemap & PM_FRAME if self.present else 0

    @property
    def exclusive(self) -> bool:
        """Bit 56."""
        return bool(self.pagemap & PM_MMAP_EXCLUSIVE)


PAGEMAP_BITS = {"present": PM_PRESENT, "swapped": PM_SWAP, "file": PM_FILE, "exclusive": PM_MMAP_EXCLUSIVE}


def pagemap_bits(page: Page) -> list[str]:
    """The bits of an entry of pagemap by name."""
    return [name for name, bit in PAGEMAP_BITS.items() if page.pagemap & bit]


def pagemap_marks(page: Page) -> list[PagemapMark]:
    """Which of bits 55 and 57 are set."""
    marks: dict[int, PagemapMark] = {PM_SOFT_DIRTY: "soft-dirty", PM_UFFD_WP: "uffd-wp"}
    return [name for bit, name in marks.items() if page.pagemap & bit]


def pages(data: bytes) -> list[Page]:
    """The data of the executor's `pages`."""
    count = len(data) // 24
    words = struct.unpack(f"={3 * count}Q", data)
    return [Page(*w) for w in zip(words[:count], words[count : 2 * count], words[2 * count :], strict=True)]


def words(data: bytes) -> tuple[int, ...]:
    """64-bit words."""
    return struct.unpack(f"={len(data) // 8}Q", data)


@dataclass(frozen=True, slots=True)
class Folio:
    """A folio as far as kpageflags shows it."""

    head: int
    order: int
    flags: int


class Folios:
    """Finds the folios of frames by walking COMPOUND_HEAD and COMPOUND_TAIL.

    `flags(frame, count)` reads kpageflags; a folio has at most `largest` pages.  One object is for one query:
    the answers are remembered.
    """

    def __init__(self, flags: Callable[[int, int], tuple[int, ...]], largest: int):
        self._read = flags
        self._largest = largest
        self._known: dict[int, Folio] = {}

    def of(self, page: Page) -> Folio:
        """The folio of a present page."""
        frame = page.frame
        if not page.flags & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL):
            return Folio(frame, 0, page.flags)
        if frame not in self._known:
            self._find(frame)
        return self._known.get(frame) or Folio(frame, 0, page.flags)

    def _find(self, frame: int) -> None:
        """A folio is naturally aligned, so it lies in one aligned block of `largest` pages."""
        start = frame & -self._largest
        flags = self._read(start, self._largest)
        at = 0
        while at < len(flags):
            end = at + 1
            if flags[at] & KPF_COMPOUND_HEAD:
                while end < len(flags) and flags[end] & KPF_COMPOUND_TAIL:
                    end += 1
                folio = Folio(start + at, (end - at).bit_length() - 1, flags[at])
                self._known.update((start + i, folio) for i in range(at, end))
            at = end


def flag_names(page: Page, folio: Folio) -> list[str]:
    """The flags of a page by name; none if no page is there."""
    flags = page.flags | folio.flags & OF_THE_FOLIO if page.frame else 0
    return [name for name, bit in FLAGS.items() if flags & bit]


def scan(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The data of the executor's `scan`: start, end and categories of each run."""
    return struct.iter_unpack("=3Q", data)


_VMA = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) ")


def smaps(text: str, start: int, end: int) -> dict[str, int]:
    """The fields of /proc/PID/smaps in kB, summed over the VMAs inside [start, end), and the highest THPeligible."""
    total: dict[str, int] = {}
    eligible: int | None = None
    inside = False
    for line in text.splitlines():
        if vma := _VMA.match(line):
            inside = start <= int(vma[1], 16) and int(vma[2], 16) <= end
        elif line.endswith(" kB"):
            name, value = line[:-3].split(":")
            if not name.endswith("PageSize"):
                total[name] = total.get(name, 0) + (int(value) if inside else 0)
        elif line.startswith("THPeligible:"):
            eligible = max(eligible or 0, int(line[12:]) if inside else 0)
    return total if eligible is None else total | {"THPeligible": eligible}


def pmd_mapped(text: str, start: int, end: int, block: int) -> tuple[int, int]:
    """How many PMDs smaps counts in the VMA around [start, end), and how many aligned blocks fit into that VMA."""
    pmds = blocks = 0
    inside = False
    for line in text.splitlines():
        if vma := _VMA.match(line):
            low, high = int(vma[1], 16), int(vma[2], 16)
            inside = low <= start and end <= high
            if inside:
                blocks = (high & -block) // block - (low + block - 1) // block
        elif inside and line.startswith(("AnonHugePages:", "ShmemPmdMapped:", "FilePmdMapped:")):
            pmds += int(line.split()[1]) * 1024 // block
    return pmds, blocks


def vmstat(text: str) -> dict[str, int]:
    """The lines of /proc/vmstat."""
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}


def chosen(text: str) -> str:
    """The word in brackets of a setting such as `always [madvise] never`; all of it if there is none."""
    match = re.search(r"\[(\w+)\]", text)
    return match[1] if match else text.strip()


def version(release: str) -> tuple[int, int]:
    """Major and minor number of a kernel release."""
    match = re.match(r"(\d+)\.(\d+)", release)
    return (int(match[1]), int(match[2])) if match else (0, 0)
