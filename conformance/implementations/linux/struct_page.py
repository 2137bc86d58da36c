# SPDX-License-Identifier: MIT
"""Counters of struct page and struct folio, read from a running kernel through /proc/kcore.

Only root can read that file, many kernels are built without it, and a locked-down kernel refuses.  Nothing is
changed by reading.  Fields are found by the kernel's own BTF, so that no layout is assumed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from conformance.implementations.linux.btf import Btf

ReadAt = Callable[[str, int, int], bytes | None]
"""path, offset, length: the bytes, or None if the file cannot be read there."""

KCORE = "/proc/kcore"
FIELDS = {
    "page": ("_refcount", "_mapcount", "flags", "mapping", "compound_mapcount", "deferred_list"),
    "folio": ("_entire_mapcount", "_large_mapcount", "_nr_pages_mapped", "_mm_id", "_mm_id_mapcount", "_pincount"),
    "task_struct": ("tasks", "pid", "mm"),
    "mm_struct": ("mm_id",),
}
"""The fields that we read; which of them a kernel has tells what it counts."""
BITS = ("PG_double_map", "PG_partially_mapped")
TASKS = "init_task"
MAPS = ("vmemmap_base", "mem_map")
"""Variables with the address of the first struct page: with SPARSEMEM_VMEMMAP, and with FLATMEM."""
VMEMMAP = 0xFFFFEA0000000000
"""Where it is on 64-bit without such a variable: pgtable_64_types.h: __VMEMMAP_BASE_L4."""
SYMBOLS = (TASKS, *MAPS)
"""Variables of the kernel whose addresses we need."""
PT_LOAD, ELFCLASS32, HEADER = 1, 1, 64
"""include/uapi/linux/elf.h, and how many bytes a header has at most."""
TASKS_MAX = 1 << 16
FOLIO_PAGES_MAPPED = 0x7FFFFF
"""mm/internal.h: the bits of _nr_pages_mapped that count pages."""


FORMATS = {64: ("Q", "I", "i"), 32: ("I", "H", "h")}
"""include/linux/mm_types.h: a word, mm_id_t and mm_id_mapcount_t, by the width of a word."""


class NotReadable(Exception):
    """Memory of the kernel cannot be read here; the text says why."""


def segments(head: bytes) -> tuple[int, int, int]:
    """Where in an ELF file the table of its segments is, the size of one entry, and how many there are."""
    if head[4] == ELFCLASS32:
        return (*struct.unpack_from("<I", head, 28), *struct.unpack_from("<2H", head, 42))
    return (*struct.unpack_from("<Q", head, 32), *struct.unpack_from("<2H", head, 54))


class Kcore:
    """Kernel memory by virtual address."""

    def __init__(self, read_at: ReadAt):
        self._read_at = read_at
        head = read_at(KCORE, 0, HEADER)
        if head is None or head[:4] != b"\x7fELF":
            raise NotReadable("/proc/kcore is not there, or this user may not read it")
        self.bits = 32 if head[4] == ELFCLASS32 else 64
        """The width of a word of the kernel."""
        table, size, count = segments(head)
        if not count:
            raise NotReadable("/proc/kcore shows no memory")
        entries = read_at(KCORE, table, size * count) or b""
        self._segments = []
        for at in range(0, len(entries), size):
            if self.bits == 64:
                kind, _flags, offset, address, _phys, length = struct.unpack_from("<2I4Q", entries, at)
            else:
                kind, offset, address, _phys, length = struct.unpack_from("<5I", entries, at)
            if kind == PT_LOAD:
                self._segments.append((address, address + length, offset))

    def read(self, address: int, length: int) -> bytes:
        """Bytes at an address.  Raises NotReadable."""
        for start, end, offset in self._segments:
            if start <= address and address + length <= end:
                data = self._read_at(KCORE, offset + address - start, length)
                if data is not None and len(data) == length:
                    return data
        raise NotReadable(f"/proc/kcore does not show {length} bytes at {address:#x}")

    def word(self, address: int) -> int:
        """A word of the kernel."""
        return int.from_bytes(self.read(address, self.bits // 8), "little")


@dataclass(frozen=True)
class FolioCounters:
    """The counters of one folio, logical values (the kernel stores mapcounts less one).

    None: this kernel has no such counter, or none for this kind of folio.
    """

    refcount: int
    mapcount: int
    first_page: int | None = None
    """How many PTEs map the first page; 6.12 guesses from it."""
    entire_mapcount: int | None = None
    nr_pages_mapped: int | None = None
    slots: tuple[tuple[int, int], ...] | None = None
    """mm id (0: free) and count of the two owner slots."""
    shared_bit: bool | None = None
    partially_mapped: bool | None = None
    pincount: int = 0
    """Of a large folio; a small one has none."""


class StructPages:
    """struct page of any frame.

    x86 only: other architectures keep the base of the memory map elsewhere.  `symbols` has the addresses of SYMBOLS, of
    those that there are.  Raises NotReadable, also when the kernel's layout is not one that we know.
    """

    def __init__(self, read_at: ReadAt, symbols: Mapping[str, int], btf: bytes):
        self._kcore = Kcore(read_at)
        try:
            types = Btf(btf)
            self._size = types.size("page")
            self._exclusive = types.enumerator("PG_anon_exclusive")
        except (ValueError, KeyError) as e:
            raise NotReadable(f"the kernel's BTF does not tell what is needed: {e}") from None
        self._at = {
            field: types.offset(name, field)
            for name, fields in FIELDS.items()
            for field in fields
            if types.has(name, field)
        }
        self._bits = {name: types.enumerator(name) for name in BITS if types.has_enumerator(name)}
        if missing := {"_refcount", "_mapcount", "flags", "mapping"} - self._at.keys():
            raise NotReadable(f"struct page of this kernel has no {missing.pop()}")
        self.owners_tracked = "_mm_id" in self._at
        """Large folios have owner slots."""
        self.large_mapcount = "_large_mapcount" in self._at
        """Large folios have a mapcount of their own."""
        maps = [symbols[name] for name in MAPS if name in symbols]
        if TASKS not in symbols or (not maps and self._kcore.bits == 32):
            raise NotReadable(f"/proc/kallsyms does not show {' or '.join(MAPS) if TASKS in symbols else TASKS}")
        self._tasks = symbols[TASKS]
        self._base = self._kcore.word(maps[0]) if maps else VMEMMAP
        self._word_form, self._id_form, self._count_form = FORMATS[self._kcore.bits]

    def page(self, frame: int, count: int = 1) -> bytes:
        """struct page of consecutive frames."""
        return self._kcore.read(self._base + frame * self._size, count * self._size)

    def anon_exclusive(self, frames: Collection[int]) -> dict[int, bool]:
        """PageAnonExclusive of frames of anonymous folios: for a PMD or hugetlb mapping give the head's."""
        found = {}
        for first, count in _runs(frames):
            pages = self.page(first, count)
            for i in range(count):
                flags = self._word(pages, i * self._size + self._at["flags"])
                found[first + i] = bool(flags >> self._exclusive & 1)
        return found

    def folio(self, head: int, order: int, *, hugetlb: bool) -> FolioCounters:
        """The counters of the folio whose first frame is `head`."""
        pages = self.page(head, 4 if order > 1 else 1 << order)
        refcount = self._int(pages, self._at["_refcount"])
        first = max(self._int(pages, self._at["_mapcount"]) + 1, 0)
        if order == 0:
            mapped = None if "_nr_pages_mapped" not in self._at else int(first > 0)
            return FolioCounters(refcount, first, first, nr_pages_mapped=mapped)
        if not self.large_mapcount:
            return self._folio_6_1(head, order, pages, refcount, hugetlb)
        pins = self._pins(pages)
        entire = 0  # include/linux/mm.h: folio_entire_mapcount
        if self._kcore.bits == 64 or order > 1:
            entire = self._int(pages, self._at["_entire_mapcount"]) + 1
        mapcount = self._int(pages, self._at["_large_mapcount"]) + 1
        mapped = self._int(pages, self._at["_nr_pages_mapped"]) & FOLIO_PAGES_MAPPED
        slots = shared = None
        if self.owners_tracked:
            ids = struct.unpack_from(f"<2{self._id_form}", pages, self._at["_mm_id"])
            counts = struct.unpack_from(f"<2{self._count_form}", pages, self._at["_mm_id_mapcount"])
            top = 1 << self._kcore.bits // 2 - 1
            slots = tuple((i & top - 1, c + 1) for i, c in zip(ids, counts, strict=True))
            shared = bool(ids[1] & top)
        if hugetlb:
            return FolioCounters(refcount, mapcount, first, entire, None, slots, shared, pincount=pins)
        partially = self._second_flag(pages, "PG_partially_mapped")
        return FolioCounters(refcount, mapcount, first, entire, mapped, slots, shared, partially, pins)

    def _folio_6_1(self, head: int, order: int, pages: bytes, refcount: int, hugetlb: bool) -> FolioCounters:
        """mm/util.c: folio_mapcount of 6.1: the total is computed, and PG_double_map offsets every page by one."""
        entire = self._int(pages, self._size + self._at["compound_mapcount"]) + 1
        pins = self._pins(pages)
        if hugetlb:
            return FolioCounters(refcount, entire, entire_mapcount=entire, pincount=pins)
        all_pages = self.page(head, 1 << order)
        counts = [self._int(all_pages, p * self._size + self._at["_mapcount"]) + 1 for p in range(1 << order)]
        total = entire + sum(counts)
        if not self._anon(pages):
            total -= entire << order
        elif self._second_flag(pages, "PG_double_map"):
            total -= 1 << order
        at = 2 * self._size + self._at["deferred_list"]
        # The huge zero page has a list that nobody has made (prep_transhuge_page).
        is_in_list = self._word(pages, at) != self._base + head * self._size + at
        queued = order > 1 and self._anon(pages) and is_in_list
        return FolioCounters(refcount, total, counts[0], entire, partially_mapped=queued, pincount=pins)

    def _pins(self, pages: bytes) -> int:
        """_pincount.  On 32 bit it is in the third page, so that a folio of two has none (folio_has_pincount)."""
        at = self._at["_pincount"]
        return self._int(pages, at) if at < len(pages) else 0

    def ksm(self, frames: Collection[int]) -> set[int]:
        """Which of the frames, all of small folios, are KSM pages: both low bits of the mapping are set."""
        pages = ((first + i, self.page(first + i)) for first, count in _runs(frames) for i in range(count))
        return {frame for frame, page in pages if self._word(page, self._at["mapping"]) & 3 == 3}

    def _anon(self, pages: bytes) -> bool:
        """PageAnon: the low bit of the mapping."""
        return bool(self._word(pages, self._at["mapping"]) & 1)

    def mm_ids(self, pids: Iterable[int]) -> dict[int, int]:
        """Process id to mm id, of those of the processes that have an mm.

        The newest processes are the last in the list of tasks, so we go backwards.  Raises NotReadable, also when the
        list changes under us.
        """
        tasks, pid, mm, mm_id = (self._at[field] for field in ("tasks", "pid", "mm", "mm_id"))
        first = at = self._tasks
        wanted, found = set(pids), {}
        for _ in range(TASKS_MAX):
            if not wanted:
                break
            at = self._kcore.word(at + tasks + self._kcore.bits // 8) - tasks  # list_head: next, prev
            if at == first:
                break
            number = self._int(self._kcore.read(at + pid, 4), 0)
            if number in wanted and (owner := self._kcore.word(at + mm)):
                wanted.remove(number)
                (found[number],) = struct.unpack_from(f"<{self._id_form}", self._kcore.read(owner + mm_id, 4))
        return found

    def _second_flag(self, pages: bytes, name: str) -> bool:
        """A flag of the folio that the second page holds."""
        return bool(self._word(pages, self._size + self._at["flags"]) >> self._bits[name] & 1)

    @staticmethod
    def _int(data: bytes, at: int) -> int:
        return int(struct.unpack_from("<i", data, at)[0])

    def _word(self, data: bytes, at: int) -> int:
        return int(struct.unpack_from(f"<{self._word_form}", data, at)[0])


def _runs(frames: Collection[int]) -> Iterator[tuple[int, int]]:
    """First and length of each run of consecutive frames."""
    first = last = -1
    for frame in sorted(set(frames)):
        if frame != last + 1 and first >= 0:
            yield first, last - first + 1
            first = -1
        first = frame if first < 0 else first
        last = frame
    if first >= 0:
        yield first, last - first + 1
