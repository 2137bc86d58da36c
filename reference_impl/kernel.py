# SPDX-License-Identifier: MIT
"""The whole system: memory, processes, files, counters.  What the chapters work on."""

from __future__ import annotations

from typing import NamedTuple

from . import mapcount
from .device import Device
from .folio import File, Folio, Kind, Place, Places
from .log import Log
from .mapcount import Change
from .mm import Mm
from .profile import Profile
from .runs import Counts, Runs
from .units import BadRequest, Bug, Errno, Order, PageCount, Pfn, align_up

MOVABLE = Pfn(1 << 40)
"""From here on page frames are in ZONE_MOVABLE, which is all that the second of two NUMA nodes has."""


class Buffer(NamedTuple):
    """A registered buffer: its pages, and how many pins each folio got for it."""

    pages: list[Place]
    pins: list[tuple[Folio, int]]


class Hold(NamedTuple):
    """Pages that a driver has from get_user_pages, and whether it has pinned them."""

    pages: list[Place]
    pin: bool


class Kernel:
    """A system with no process.

    folios      all that have a reference, by number; not the zero folios
    counters    NR_* in base pages, events as numbers, as the `counters` query names them
    log         what the kernel has complained of
    swap_*      the swap area by slot: how many swap entries, contents, folios in the swap cache
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.counting = mapcount.strategy(profile)
        self.folios: dict[int, Folio] = {}
        self.next_folio = 1
        self.next_pfn = 0x1000
        self.next_movable_pfn: int = MOVABLE
        self.zero = Folio(0, Pfn(1), Order(0), "zero", profile.refcount_bits)
        self.huge_zero = Folio(-1, Pfn(0x200), Order(profile.pmd_order), "huge-zero", profile.refcount_bits)
        self.mms: dict[str, Mm] = {}
        self.next_mm = 1
        self.files: dict[str, File] = {}
        self.devices: dict[str, Device] = {}
        self.log = Log()
        self.pipes: dict[str, list[Place]] = {}
        self.buffers: dict[str, Buffer] = {}
        self.held: dict[str, Hold] = {}
        self.added: dict[str, tuple[Folio, int]] = {}
        self.swap_counts = Counts()
        self.swap_contents: Runs[str] = Runs()
        self.swap_cache = Places()
        self.next_slot = 1
        self.counters: dict[str, int] = dict.fromkeys(
            (
                "nr_anon_mapped", "nr_file_mapped", "nr_anon_thps", "nr_file_pmdmapped", "nr_shmem_pmdmapped",
                "thp_split_pmd", "split", "split_failed", "split_deferred",
            ),
            0,
        )  # fmt: skip

    # --- processes ---

    def mm(self, name: str) -> Mm:
        try:
            return self.mms[name]
        except KeyError:
            raise Errno("ESRCH") from None

    def new_mm(self, name: str) -> Mm:
        if name in self.mms:
            raise BadRequest(f"There is a process {name} already.")
        mm = self.mms[name] = Mm(name, self.next_mm, self.profile.pmd_pages)
        self.next_mm += 1
        return mm

    # --- memory ---

    def alloc(self, order: int, kind: Kind) -> Folio:
        """A new folio of zeros with one reference, which its first mapping takes over."""
        return self.new_folio(self.new_pfn(order), order, kind)

    def new_pfn(self, order: int, *, movable: bool = False) -> Pfn:
        """The first page frame of free memory for a folio: in ZONE_MOVABLE only if that is asked for."""
        pfn = align_up(self.next_movable_pfn if movable else self.next_pfn, 1 << order)
        if movable:
            self.next_movable_pfn = pfn + (1 << order)
        else:
            self.next_pfn = pfn + (1 << order)
        return Pfn(pfn)

    def new_folio(self, pfn: Pfn, order: int, kind: Kind) -> Folio:
        folio = Folio(self.next_folio, pfn, Order(order), kind, self.profile.refcount_bits)
        folio.has_pincount = self.has_pincount(order)
        self.folios[folio.number] = folio
        self.next_folio += 1
        return folio

    def has_pincount(self, order: int) -> bool:
        """folio_has_pincount: it is in the second page, on 32 bit in the third."""
        # rule: pins.pin-small
        return order > (1 if self.profile.word_bits == 32 else 0)

    def get(self, folio: Folio, references: int = 1) -> None:
        """folio_ref_add: nothing is checked."""
        # rule: refcount.limit-unchecked
        folio.references += references

    def put(self, folio: Folio, references: int = 1) -> None:
        """folio_put_refs: without references it is free, and every counter must be back where it started."""
        # rule: refcount.limit-unmap
        folio.references -= references
        if folio.references > 0:
            if not folio.refcount:
                raise Bug(f"{folio} is freed while {folio.references} references to it are held.")
            return
        if folio.references < 0 or self.counting.folio_mapcount(folio) or folio.pincount or folio.entire_mapcount:
            raise AssertionError(f"bad page: {folio} is freed with counters that are not 0")
        if folio.page_mapcounts or folio.nr_pages_mapped or folio.maybe_shared:
            raise AssertionError(f"bad page: {folio} is freed with mappings of its pages")
        del self.folios[folio.number]

    # --- statistics ---

    def account_mapped(self, folio: Folio, change: Change) -> None:
        """__folio_mod_stat after pages became mapped."""
        self._account(folio, change.pages, change.pmd_pages)

    def account_unmapped(self, folio: Folio, change: Change) -> None:
        """__folio_mod_stat after pages became unmapped; queue for splitting what is left of a large folio."""
        self._account(folio, -change.pages, -change.pmd_pages)
        # rule: large_folios.partially-mapped, large_folios.deferred-anon-only
        if change.partly and folio.anon:
            self.defer_split(folio)

    def _account(self, folio: Folio, pages: PageCount, pmd_pages: PageCount) -> None:
        if folio.anon:
            self.counters["nr_anon_mapped"] += pages
            self.counters["nr_anon_thps"] += pmd_pages
        else:
            self.counters["nr_file_mapped"] += pages
            self.counters["nr_shmem_pmdmapped" if folio.kind == "shmem" else "nr_file_pmdmapped"] += pmd_pages

    def defer_split(self, folio: Folio) -> None:
        """deferred_split_folio: remember that a part of the folio is not mapped; until split or freed."""
        if folio.order <= 1 or folio.swap is not None or folio.partially_mapped:
            return
        # rule: large_folios.partially-mapped-sticky
        folio.partially_mapped = True
        self.counters["split_deferred"] += 1
