# SPDX-License-Identifier: MIT
"""What only struct page tells: references, mapcounts of folios, owners, PageAnonExclusive.

Read through /proc/kcore and as little as possible: at the start only whether that will work, the rest (some megabytes
of BTF, all symbols) when the first such question comes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from conformance import protocol as p
from conformance.implementations.linux import kernel
from conformance.implementations.linux.kernel import Folio, Page
from conformance.implementations.linux.machine import Machine
from conformance.implementations.linux.scenario import Mistake, NotHere
from conformance.implementations.linux.struct_page import (
    HEADER,
    SYMBOLS,
    FolioCounters,
    NotReadable,
    StructPages,
    segments,
)

BTF = ("/sys/kernel/btf/vmlinux", "/boot/btf-{}")
"""Where a kernel publishes its types, and where a guest has those of a kernel that does not; {}: its release."""
ARCHITECTURES = ("x86_64", "i386", "i686")
BYTES_AT_ONCE = 1 << 19
NOTHING = FolioCounters(0, 0)
"""For a page that is not there."""
GUP_PIN_COUNTING_BIAS = 1024
"""include/linux/mm.h: what one pin adds to the references of a small folio."""
TRIES = 3
"""The list of processes may change while it is read."""


@contextmanager
def _readable() -> Iterator[None]:
    """Turns what cannot be read into what cannot be told."""
    try:
        yield
    except NotReadable as e:
        raise NotHere("kcore", str(e)) from None


class Internals:
    """Answers for pages and their folios.  Raises NotHere if it turns out that the kernel's memory cannot be read."""

    def __init__(self, machine: Machine):
        self._machine = machine
        self._structs: StructPages | None = None
        self._ids: dict[int, int] = {}

    def forget(self) -> None:
        """The processes are gone."""
        self._ids.clear()

    @property
    def structs(self) -> StructPages:
        """Opened by the first question."""
        if self._structs is None:
            with _readable():
                types = _whole(self._machine, _types(self._machine))
                self._structs = StructPages(self._machine.read_at, _symbols(self._machine), types)
        return self._structs

    def folios(self, pages: Sequence[Page], folios: Sequence[Folio]) -> list[FolioCounters]:
        """The counters of the folio of each page."""
        known: dict[int, FolioCounters] = {}
        for page, folio in zip(pages, folios, strict=True):
            if page.frame and folio.head not in known:
                hugetlb = bool(folio.flags & kernel.KPF_HUGE)
                with _readable():
                    known[folio.head] = self.structs.folio(folio.head, folio.order, hugetlb=hugetlb)
        return [known[folio.head] if page.frame else NOTHING for page, folio in zip(pages, folios, strict=True)]

    def maybe_shared(self, pages: Sequence[Page], folios: Sequence[Folio]) -> list[bool]:
        """The kernel's sharing test, computed from the folio's own counters as the kernel does.

        It is an inline function, include/linux/mm.h: page_mapcount() > 1 before 6.10, then folio_likely_mapped_shared,
        and folio_maybe_mapped_shared where there are owner slots.
        """
        if not self.structs.large_mapcount:
            return [bool(page.frame) and page.count > 1 for page in pages]
        return [
            _maybe_shared(counters, folio.order, hugetlb=bool(folio.flags & kernel.KPF_HUGE))
            for counters, folio in zip(self.folios(pages, folios), folios, strict=True)
        ]

    def maybe_dma_pinned(self, pages: Sequence[Page], folios: Sequence[Folio]) -> list[bool]:
        """include/linux/mm.h: folio_maybe_dma_pinned, which is inline, too."""
        return [
            counters.pincount > 0 if folio.order else counters.refcount >= GUP_PIN_COUNTING_BIAS
            for counters, folio in zip(self.folios(pages, folios), folios, strict=True)
        ]

    def anon_exclusive(
        self, pages: Sequence[Page], folios: Sequence[Folio], kinds: Sequence[p.EntryKind]
    ) -> list[bool]:
        """PageAnonExclusive: a PTE has it in the page that it maps, a larger entry in the head."""
        at = [
            (page.frame if kind == "pte" else folio.head) if page.flags & kernel.KPF_ANON else 0
            for page, folio, kind in zip(pages, folios, kinds, strict=True)
        ]
        with _readable():
            seen = self.structs.anon_exclusive({frame for frame in at if frame})
        return [seen.get(frame, False) for frame in at]

    def without_false_ksm(self, pages: Sequence[Page]) -> list[Page]:
        """The pages as a kernel would show them that sets KPF_KSM for KSM pages only, which are small folios."""
        large = kernel.KPF_COMPOUND_HEAD | kernel.KPF_COMPOUND_TAIL
        with _readable():
            true = self.structs.ksm({page.frame for page in pages if page.frame and not page.flags & large})
        return [page if page.frame in true else replace(page, flags=page.flags & ~kernel.KPF_KSM) for page in pages]

    def owners(self, counters: FolioCounters, processes: Mapping[int, str]) -> p.Owners:
        """The owner slots of a folio; `processes`: the names of all processes by pid.

        Raises Mistake if a slot is of an mm that is none of theirs: that cannot be said, and should not be.
        """
        slots = []
        for mm_id, count in counters.slots or ():
            name = self._name(mm_id, processes) if mm_id else None
            slots.append(p.Slot(process=name, count=count))
        return p.Owners(slots=slots, maybe_shared=bool(counters.shared_bit))

    def _name(self, mm_id: int, processes: Mapping[int, str]) -> str:
        unknown = processes.keys() - self._ids.keys()
        for left in reversed(range(TRIES)):
            with suppress(NotReadable) if left else _readable():
                self._ids.update(self.structs.mm_ids(unknown))
                break
        for pid, name in processes.items():
            if self._ids.get(pid) == mm_id:
                return name
        raise Mistake("an owner slot belongs to an mm that is of none of the scenario's processes")


def _maybe_shared(counters: FolioCounters, order: int, *, hugetlb: bool) -> bool:
    """include/linux/mm.h: folio_maybe_mapped_shared; before 6.15 folio_likely_mapped_shared."""
    if not order or hugetlb:
        return counters.mapcount > 1
    if counters.mapcount <= 1:
        return False
    if counters.shared_bit is not None:
        return counters.shared_bit
    if counters.entire_mapcount or counters.mapcount > 1 << order:
        return True
    return (counters.first_page or 0) > 1


def missing(why: str, version: tuple[int, int], config: Mapping[str, str]) -> dict[str, str]:
    """What cannot be told, each with the reason.  `why` struct page cannot be read; "" if it can."""
    told = ("refcount", "folio-mapcount", "entire-mapcount", "nr-pages-mapped", "owner-slots", "anon-exclusive",
            "partially-mapped", "maybe-mapped-shared", "pincount", "maybe-dma-pinned")  # fmt: skip
    if why:
        return dict.fromkeys(told, f"this is seen in struct page only: {why}")
    found = {}
    release = f"{version[0]}.{version[1]}"
    if version < (6, 12):
        found["nr-pages-mapped"] = f"Linux {release} has no _nr_pages_mapped"
    elif "NO_PAGE_MAPCOUNT" in config:
        found["nr-pages-mapped"] = "this kernel does not maintain _nr_pages_mapped (CONFIG_NO_PAGE_MAPCOUNT)"
    if version < (6, 15):
        found["owner-slots"] = f"Linux {release} does not track owners: that came in 6.15"
    elif config and "MM_ID" not in config:
        found["owner-slots"] = "this kernel does not track owners (no CONFIG_MM_ID)"
    return found


def unreadable(machine: Machine, version: tuple[int, int]) -> str:
    """Why struct page cannot be read; "" if it most probably can."""
    if (machine.text("/proc/sys/kernel/arch") or os.uname().machine) not in ARCHITECTURES:
        return "mapspec knows where it is on x86 only"
    if "User Mode Linux" in machine.text("/proc/cpuinfo"):
        return "mapspec does not know where it is in User-mode Linux"
    if version != (6, 1) and version < (6, 12):
        return f"mapspec does not know the layout of {version[0]}.{version[1]}"
    head = machine.run(f"0 read /proc/kcore {HEADER:x}")[0]  # fs/proc/kcore.c: open_kcore
    if head.kind != "ok":
        return {
            "ENOENT": "this kernel has no /proc/kcore (CONFIG_PROC_KCORE)",
            "EACCES": "only root may read /proc/kcore",
            "EPERM": "/proc/kcore cannot be opened: not root, or the kernel is locked down",
        }.get(head.name, f"/proc/kcore cannot be read: {head.name}")
    if not segments(head.data)[2]:
        return "/proc/kcore of this kernel shows no memory"
    if not _types(machine):
        return "the kernel does not publish its types (CONFIG_DEBUG_INFO_BTF)"
    lines = (machine.read_at("/proc/kallsyms", 0, 4096) or b"").splitlines()
    if not any(line.partition(b" ")[0].strip(b"0") for line in lines):
        return "the kernel hides its addresses in /proc/kallsyms"
    return ""


def _types(machine: Machine) -> str:
    """The file with the types of the kernel; "" if there is none."""
    published, ours = BTF
    if machine.read_at(published, 0, 4) is not None:
        return published
    ours = ours.format(machine.text("/proc/sys/kernel/osrelease"))
    return ours if machine.read_at(ours, 0, 4) is not None else ""


def _symbols(machine: Machine) -> dict[str, int]:
    """Addresses of variables, of those that there are.  Raises NotReadable."""
    result = machine.run(f"0 symbols {' '.join(SYMBOLS)}")[0]
    return {name: at for name, at in zip(SYMBOLS, kernel.words(result.data), strict=False) if at}


def _whole(machine: Machine, path: str) -> bytes:
    """A whole large file."""

    def parts() -> Iterator[bytes]:
        at = 0
        while part := machine.read_at(path, at, BYTES_AT_ONCE):
            at += len(part)
            yield part

    return b"".join(parts())
