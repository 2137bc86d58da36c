# SPDX-License-Identifier: MIT
"""Struct page through /proc/kcore: a made-up kernel of two layouts, and the types of the running one."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from conformance import protocol as p
from conformance.implementations.linux import internals
from conformance.implementations.linux.btf import ENUM, INT, MAGIC, STRUCT, UNION, Btf
from conformance.implementations.linux.internals import Internals
from conformance.implementations.linux.kernel import KPF_ANON, KPF_COMPOUND_TAIL, KPF_KSM, PM_PRESENT, Folio, Page
from conformance.implementations.linux.machine import Machine, Result
from conformance.implementations.linux.scenario import Mistake, NotHere
from conformance.implementations.linux.struct_page import KCORE, SYMBOLS, Kcore, NotReadable, StructPages

PAGE = 64
"""Bytes of a struct page."""
VMEMMAP, DATA = 0xFFFFEA0000000000, 0xFFFFFFFF81000000
SHOWN = {"init_task": DATA + 0x100, "vmemmap_base": DATA}

COMMON = {"flags": 0, "mapping": 24, "_mapcount": 48, "_refcount": 52}
PAGE_6_1 = COMMON | {"compound_mapcount": 20, "deferred_list": 24}
FOLIO_6_1 = {"_pincount": PAGE + 28}
FOLIO_6_18 = {
    "_large_mapcount": PAGE + 16,
    "_nr_pages_mapped": PAGE + 20,
    "_entire_mapcount": PAGE + 24,
    "_pincount": PAGE + 28,
    "_mm_id_mapcount": PAGE + 32,
    "_mm_id": PAGE + 40,
}
TASK = {"tasks": 16, "pid": 32, "mm": 40}
ANON_EXCLUSIVE, SECOND = 17, 9
"""Numbers of flags."""


def btf(structs: Mapping[str, tuple[int, Mapping[str, int]]], flags: Mapping[str, int]) -> bytes:
    """A BTF with structures (size, offsets of fields), the fields inside an unnamed union, and an enum."""
    strings, types = bytearray(b"\0"), bytearray()

    def string(text: str) -> int:
        strings.extend(text.encode() + b"\0")
        return len(strings) - len(text) - 1

    def kind(number: int, members: int) -> int:
        return number << 24 | members

    types += struct.pack("<4I", string("int"), kind(INT, 0), 4, 32)
    for number, (name, (size, fields)) in enumerate(structs.items()):
        types += struct.pack("<3I", 0, kind(UNION, len(fields)), size)
        for field, offset in fields.items():
            types += struct.pack("<3I", string(field), 1, 8 * offset)
        types += struct.pack("<3I", string(name), kind(STRUCT, 1), size)
        types += struct.pack("<3I", 0, 2 + 2 * number, 0)
    types += struct.pack("<3I", string("pageflags"), kind(ENUM, len(flags)), 4)
    for name, value in flags.items():
        types += struct.pack("<Ii", string(name), value)
    return struct.pack("<HBBIIIII", MAGIC, 1, 0, 24, 0, len(types), len(types), len(strings)) + types + strings


def kcore(segments: Mapping[int, bytes]) -> bytes:
    """An ELF file with a note and the segments."""
    head = bytearray(64)
    head[:4] = b"\x7fELF"
    struct.pack_into("<Q", head, 32, 64)
    struct.pack_into("<2H", head, 54, 56, 1 + len(segments))
    table, data = bytearray(struct.pack("<2I6Q", 4, 0, 0, 0, 0, 0, 0, 0)), bytearray()
    start = 64 + 56 * (1 + len(segments))
    for address, content in segments.items():
        table += struct.pack("<2I6Q", 1, 7, start + len(data), address, 0, len(content), len(content), 4096)
        data += content
    return bytes(head + table + data)


class MadeUp:
    """The memory of a kernel that has some frames and two processes, for StructPages."""

    def __init__(self, page: Mapping[str, int], folio: Mapping[str, int], flags: Mapping[str, int]):
        self.frames = bytearray(64 * PAGE)
        self.data = bytearray(4096)
        self.at = {**page, **folio}
        structs = {"page": (PAGE, page), "folio": (4 * PAGE, folio), "task_struct": (128, TASK)}
        self.btf = btf(structs | {"mm_struct": (128, {"mm_id": 8})}, flags)
        struct.pack_into("<Q", self.data, 0, VMEMMAP)
        tasks = [0x100, 0x200, 0x300]
        for this, later, earlier in zip(tasks, [*tasks[1:], tasks[0]], [tasks[-1], *tasks], strict=False):
            struct.pack_into("<2Q", self.data, this + 16, DATA + later + 16, DATA + earlier + 16)
        for task, pid, mm in (0x200, 41, 0x800), (0x300, 42, 0x900):
            struct.pack_into("<i4xQ", self.data, task + 32, pid, DATA + mm)
            struct.pack_into("<I", self.data, mm + 8, pid + 100)

    def put(self, frame: int, field: str, value: int, form: str = "<i") -> None:
        struct.pack_into(form, self.frames, frame * PAGE + self.at[field], value)

    def read_at(self, path: str, offset: int, length: int) -> bytes | None:
        assert path == KCORE
        return kcore({VMEMMAP: bytes(self.frames), DATA: bytes(self.data)})[offset : offset + length]

    def structs(self) -> StructPages:
        return StructPages(self.read_at, SHOWN, self.btf)


def owners_kernel() -> MadeUp:
    """6.18: frames 16 to 31 are an anonymous folio of order 4."""
    made = MadeUp(COMMON, FOLIO_6_18, {"PG_anon_exclusive": ANON_EXCLUSIVE, "PG_partially_mapped": SECOND})
    values = {"_refcount": 19, "_mapcount": 1, "_large_mapcount": 17, "_nr_pages_mapped": 16, "_entire_mapcount": -1}
    for field, value in values.items():
        made.put(16, field, value)
    made.put(16, "_mm_id", 141 | 142 << 32 | 1 << 63, "<Q")
    made.put(16, "_mm_id_mapcount", 15 | 1 << 32, "<Q")
    made.put(17, "flags", 1 << SECOND, "<Q")
    made.put(20, "flags", 1 << ANON_EXCLUSIVE, "<Q")
    return made


class Narrow(MadeUp):
    """A 32-bit kernel with FLATMEM, as 7.3 is there: frames 4 to 7 are a folio of order 2, 8 and 9 one of order 1."""

    MAP, DATA = 0xC2000000, 0xC1000000
    PAGE = 32
    FOLIO: ClassVar = {"_large_mapcount": 40, "_nr_pages_mapped": 44, "_mm_id_mapcount": 48, "_mm_id": 52,
                       "_entire_mapcount": 80, "_pincount": 84}  # fmt: skip

    def __init__(self) -> None:
        self.at = {"flags": 0, "mapping": 12, "_mapcount": 24, "_refcount": 28, **self.FOLIO}
        page = {name: at for name, at in self.at.items() if name not in self.FOLIO}
        structs = {"page": (self.PAGE, page), "folio": (4 * self.PAGE, self.FOLIO)}
        structs |= {"task_struct": (64, {"tasks": 8, "pid": 16, "mm": 20}), "mm_struct": (64, {"mm_id": 6})}
        self.btf = btf(structs, {"PG_anon_exclusive": ANON_EXCLUSIVE, "PG_partially_mapped": SECOND})
        self.frames, self.data = bytearray(10 * self.PAGE), bytearray(4096)
        struct.pack_into("<I", self.data, 0, self.MAP)
        struct.pack_into("<2I", self.data, 0x100 + 8, self.DATA + 0x208, self.DATA + 0x208)
        struct.pack_into("<2IiI", self.data, 0x200 + 8, *[self.DATA + 0x108] * 2, 41, self.DATA + 0x300)
        struct.pack_into("<H", self.data, 0x306, 7)
        struct.pack_into("<H", self.data, 0x308, 0xFFFF)
        for head, mapcount in (4, 32770), (8, 3):
            struct.pack_into("<2i", self.frames, head * self.PAGE + 24, 0, 9)
            struct.pack_into("<2i", self.frames, head * self.PAGE + 40, mapcount - 1, 4)
            struct.pack_into("<2h", self.frames, head * self.PAGE + 48, 32767, 1)
            struct.pack_into("<2H", self.frames, head * self.PAGE + 52, 7, 8 | 1 << 15)
            if head == 4:
                struct.pack_into("<2i", self.frames, head * self.PAGE + 80, 5, 3)

    def read_at(self, path: str, offset: int, length: int) -> bytes | None:
        segments = {self.MAP: bytes(self.frames), self.DATA: bytes(self.data)}
        file = bytearray(52)
        file[:5] = b"\x7fELF\x01"
        struct.pack_into("<I", file, 28, 52)
        struct.pack_into("<2H", file, 42, 32, len(segments))
        start = 52 + 32 * len(segments)
        for address, content in segments.items():
            file += struct.pack("<8I", 1, start, address, 0, len(content), len(content), 7, 4096)
            start += len(content)
        return bytes(file + b"".join(segments.values()))[offset : offset + length]

    def structs(self) -> StructPages:
        return StructPages(self.read_at, {"init_task": self.DATA + 0x100, "mem_map": self.DATA}, self.btf)


def old_kernel() -> MadeUp:
    """6.1: frames 16 to 19 are an anonymous folio of order 2, mapped by two PMDs and, page 1 only, by a PTE."""
    made = MadeUp(PAGE_6_1, FOLIO_6_1, {"PG_anon_exclusive": ANON_EXCLUSIVE, "PG_double_map": SECOND})
    made.put(16, "_refcount", 3)
    made.put(16, "mapping", 1, "<Q")
    made.put(17, "compound_mapcount", 1)
    made.put(17, "flags", 1 << SECOND, "<Q")
    for frame, stored in zip(range(16, 20), (0, 1, 0, 0), strict=True):  # PG_double_map: one more each
        made.put(frame, "_mapcount", stored)
    queue = VMEMMAP + 18 * PAGE + 24
    made.put(18, "deferred_list", queue, "<Q")
    return made


# --- files ------------------------------------------------------------------------------------------------


def test_kcore_reads_by_address() -> None:
    content = kcore({0x1000: b"abcdefgh", 0xFFFF000000000000: b"12345678"})
    memory = Kcore(lambda path, at, length: content[at : at + length])
    assert memory.read(0x1002, 3) == b"cde"
    assert memory.word(0xFFFF000000000000) == int.from_bytes(b"12345678", "little")
    for address in (0xFFF, 0x1006, 0xFFFF000000000008):
        with pytest.raises(NotReadable, match=f"{address:#x}"):
            memory.read(address, 4)


@pytest.mark.parametrize("content", [None, b"", b"no ELF file" * 9, kcore({})[:56] + bytes(64)])
def test_what_is_no_kcore(content: bytes | None) -> None:
    with pytest.raises(NotReadable):
        Kcore(lambda path, at, length: content and content[at : at + length])


def test_btf_that_lacks_what_is_needed() -> None:
    made = owners_kernel()
    for data in (b"", b"\0" * 64, btf({"folio": (8, {})}, {}), btf({"page": (64, {})}, {"PG_anon_exclusive": 1})):
        with pytest.raises(NotReadable):
            StructPages(made.read_at, SHOWN, data)


def test_the_types_of_this_kernel() -> None:
    path = Path("/sys/kernel/btf/vmlinux")
    try:
        types = Btf(path.read_bytes())
    except OSError as e:
        pytest.skip(f"this kernel does not publish its types: {e.strerror}")
    size = types.size("page")
    assert size % 8 == 0 and 32 <= size <= 128
    assert types.offset("page", "flags") == 0
    offsets = [types.offset("page", field) for field in ("mapping", "_mapcount", "_refcount")]
    assert all(0 < offset < size and offset % 4 == 0 for offset in offsets)
    assert len(set(offsets)) == 3
    assert types.offset("folio", "_mapcount") == types.offset("page", "_mapcount")
    assert 0 <= types.enumerator("PG_anon_exclusive") < 32
    assert types.has("task_struct", "pid") and not types.has("task_struct", "no_such_field")
    assert not types.has_enumerator("PG_no_such_flag")
    for field in ("_large_mapcount", "_entire_mapcount", "_mm_id", "_mm_id_mapcount"):
        if types.has("folio", field):
            assert size <= types.offset("folio", field) < 3 * size


# --- counters ---------------------------------------------------------------------------------------------


def test_a_folio_with_owner_slots() -> None:
    structs = owners_kernel().structs()
    folio = structs.folio(16, 4, hugetlb=False)
    assert (folio.refcount, folio.mapcount, folio.entire_mapcount, folio.nr_pages_mapped) == (19, 18, 0, 16)
    assert (folio.slots, folio.shared_bit, folio.partially_mapped) == (((141, 16), (142, 2)), True, True)
    assert structs.anon_exclusive([16, 20, 21]) == {16: False, 20: True, 21: False}


def test_a_small_folio() -> None:
    made = owners_kernel()
    made.put(3, "_mapcount", 2)
    made.put(3, "_refcount", 4)
    made.put(4, "_mapcount", -1)
    assert made.structs().folio(3, 0, hugetlb=False).mapcount == 3
    unmapped = made.structs().folio(4, 0, hugetlb=False)
    assert (unmapped.mapcount, unmapped.nr_pages_mapped, unmapped.slots) == (0, 0, None)


def test_a_folio_of_6_1() -> None:
    made = old_kernel()
    folio = made.structs().folio(16, 2, hugetlb=False)
    assert (folio.refcount, folio.mapcount, folio.entire_mapcount) == (3, 3, 2)
    assert (folio.nr_pages_mapped, folio.slots, folio.partially_mapped) == (None, None, False)
    made.put(18, "deferred_list", VMEMMAP, "<Q")
    assert made.structs().folio(16, 2, hugetlb=False).partially_mapped
    assert made.structs().folio(16, 2, hugetlb=True).mapcount == 2


def test_a_32_bit_kernel() -> None:
    structs = Narrow().structs()
    folio = structs.folio(4, 2, hugetlb=False)
    assert (folio.refcount, folio.mapcount, folio.nr_pages_mapped, folio.entire_mapcount) == (9, 32770, 4, 6)
    assert (folio.slots, folio.shared_bit) == (((7, 32768), (8, 2)), True)
    pair = structs.folio(8, 1, hugetlb=False)
    assert (pair.entire_mapcount, pair.pincount) == (0, 0)  # they would be in the page behind the folio
    assert folio.pincount == 3
    assert structs.mm_ids([41]) == {41: 7}


def test_pins_of_a_large_folio_and_what_is_taken_for_one() -> None:
    made = owners_kernel()
    asked = Internals(Reader(made))
    small = Folio(3, 0, KPF_ANON)
    for references, pins, told in (1023, 0, [False, False]), (1024, 2, [True, True]):
        made.put(3, "_refcount", references)
        made.put(16, "_pincount", pins)
        assert made.structs().folio(16, 4, hugetlb=False).pincount == pins
        assert asked.maybe_dma_pinned(pages(18, 3), [FOLIO, small]) == told


def test_mm_ids_of_processes() -> None:
    structs = owners_kernel().structs()
    assert structs.mm_ids([42, 41]) == {41: 141, 42: 142}
    assert structs.mm_ids([42, 7]) == {42: 142}


# --- answers ----------------------------------------------------------------------------------------------


class Reader(Machine):
    """A machine that is a made-up kernel."""

    def __init__(self, made: MadeUp):
        self._made = made

    def read_at(self, path: str, offset: int, length: int) -> bytes | None:
        return self._made.btf[offset : offset + length] if "btf" in path else self._made.read_at(path, offset, length)

    def run(self, *primitives: str) -> list[Result]:
        if primitives == ("0 read /proc/sys/kernel/osrelease",):
            return [Result("ok", 0, b"7.3.4\n")]
        assert primitives == (f"0 symbols {' '.join(SYMBOLS)}",)
        return [Result("ok", 0, struct.pack(f"={len(SYMBOLS)}Q", *(SHOWN.get(name, 0) for name in SYMBOLS)))]


def pages(*frames: int, count: int = 1) -> list[Page]:
    return [Page(PM_PRESENT | frame if frame else 0, count, KPF_ANON) for frame in frames]


FOLIO = Folio(16, 4, KPF_ANON)


def test_owners_have_names_or_there_is_no_answer() -> None:
    asked = Internals(Reader(owners_kernel()))
    (counters,) = asked.folios(pages(18), [FOLIO])
    owners = asked.owners(counters, {41: "A", 42: "B"})
    assert owners == p.Owners(slots=[p.Slot(process="A", count=16), p.Slot(process="B", count=2)], maybe_shared=True)
    asked.forget()
    with pytest.raises(Mistake, match="none of the scenario's processes"):
        asked.owners(counters, {41: "A"})


def test_a_kernel_that_hides_its_symbols() -> None:
    class Hiding(Reader):
        def run(self, *primitives: str) -> list[Result]:
            return [Result("ok", 0, bytes(8 * len(SYMBOLS)))]

    with pytest.raises(NotHere, match="does not show init_task"):
        Internals(Hiding(owners_kernel())).folios(pages(18), [FOLIO])


def test_a_free_slot_has_no_process() -> None:
    made = owners_kernel()
    made.put(16, "_mm_id", 141, "<Q")
    made.put(16, "_mm_id_mapcount", 15 | 0xFFFFFFFF << 32, "<Q")
    asked = Internals(Reader(made))
    (counters,) = asked.folios(pages(18), [FOLIO])
    assert asked.owners(counters, {41: "A"}).slots[1] == p.Slot(process=None, count=0)


def test_exclusive_is_asked_of_the_page_or_the_head() -> None:
    asked = Internals(Reader(owners_kernel()))
    looked = pages(20, 20, 0)
    folios = [FOLIO, FOLIO, Folio(0, 0, 0)]
    assert asked.anon_exclusive(looked, folios, ["pte", "pmd", "none"]) == [True, False, False]


def test_the_sharing_test_of_each_kernel() -> None:
    made = owners_kernel()
    asked = Internals(Reader(made))
    small = Folio(3, 0, KPF_ANON)
    made.put(3, "_mapcount", 0)
    assert asked.maybe_shared(pages(18, 3, 0), [FOLIO, small, Folio(0, 0, 0)]) == [True, False, False]
    made.put(16, "_mm_id", 141, "<Q")
    assert asked.maybe_shared(pages(18), [FOLIO]) == [False]

    fields = {name: at for name, at in FOLIO_6_18.items() if not name.startswith("_mm_id")}
    guessing = MadeUp(COMMON, fields, {"PG_anon_exclusive": ANON_EXCLUSIVE, "PG_partially_mapped": SECOND})
    for field, value in {"_large_mapcount": 3, "_entire_mapcount": -1, "_mapcount": 0}.items():
        guessing.put(16, field, value)
    asked = Internals(Reader(guessing))
    assert asked.maybe_shared(pages(18), [FOLIO]) == [False]  # page 0 is mapped once
    guessing.put(16, "_mapcount", 1)
    assert asked.maybe_shared(pages(18), [FOLIO]) == [True]

    asked = Internals(Reader(old_kernel()))
    assert asked.maybe_shared(pages(17), [Folio(16, 2, KPF_ANON)]) == [False]
    assert asked.maybe_shared(pages(17, count=2), [Folio(16, 2, KPF_ANON)]) == [True]


def test_the_ksm_flag_of_a_kernel_that_shows_it_for_all() -> None:
    made = owners_kernel()
    for frame, mapping in (3, 1), (4, 3), (17, 3):  # 17: the second page of a large folio, where it means nothing
        made.put(frame, "mapping", mapping, "<Q")
    shown = [Page(PM_PRESENT | frame, 1, KPF_ANON | KPF_KSM) for frame in (3, 4)]
    shown.append(Page(PM_PRESENT | 17, 1, KPF_ANON | KPF_KSM | KPF_COMPOUND_TAIL))
    seen = Internals(Reader(made)).without_false_ksm(shown)
    assert [bool(page.flags & KPF_KSM) for page in seen] == [False, True, False]


def test_reasons_for_what_is_not_told() -> None:
    assert "no /proc/kcore" in internals.missing("this kernel has no /proc/kcore", (7, 3), {})["refcount"]
    assert set(internals.missing("", (6, 1), {})) == {"nr-pages-mapped", "owner-slots"}
    assert set(internals.missing("", (6, 12), {})) == {"owner-slots"}
    assert internals.missing("", (7, 3), {}) == {}
    assert (
        "NO_PAGE_MAPCOUNT" in internals.missing("", (7, 3), {"NO_PAGE_MAPCOUNT": "y", "MM_ID": "y"})["nr-pages-mapped"]
    )
