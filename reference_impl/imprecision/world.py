# SPDX-License-Identifier: MIT
"""One folio and the processes that map it: every operation tells a real way of counting, and the truth is kept beside.

The page tables are bits here, one for each page of the folio and VMA, so that millions of states can be visited.
Counters, owner slots, the division of smaps and the sharing test are those of the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import cow, sharing
from ..folio import Folio, Kind
from ..mapcount import Change
from ..mm import Mm
from ..proposals import TableMapcount
from ..runs import Run
from ..statistics import shares
from ..units import Order
from .ways import Way, kpagecount


class Mapping(NamedTuple):
    """What one VMA maps: bit p is page p of the folio.  By a PMD: all pages, one entry."""

    pages: int = 0
    pmd: bool = False


Process = tuple[Mapping, ...]
"""The VMAs of a process that could map the folio.  One that maps nothing has exited, or never mapped."""


class State(NamedTuple):
    """Everything that a way of counting and the page tables hold.  Owners are numbers of processes, or -1."""

    maps: tuple[Process, ...]
    slots: tuple[tuple[int, int], ...]
    counters: tuple[int, int, int, int, bool, bool]
    flags: tuple[bool, int]
    pages: tuple[Run[int], ...]


class Told(NamedTuple):
    """What smaps makes of pages `first` up to `end`: by what it divides, and whether it calls them private."""

    first: int
    end: int
    divisor: int
    private: bool

    @property
    def bits(self) -> int:
        return (1 << self.end) - (1 << self.first)


class World:
    """A folio of a way of counting, and up to `processes` processes with `vmas` VMAs each."""

    def __init__(
        self, way: Way, order: int, processes: int, *, kind: Kind = "anon", vmas: int = 1, mms: list[Mm] | None = None
    ) -> None:
        self.way = way
        self.kernel = way.kernel(self._tables)
        self.vmas = vmas
        self.mms = mms or [Mm(f"P{number}", number, 1 << order) for number in range(processes)]
        self.index = {mm: number for number, mm in enumerate(self.mms)}
        self.kind: Kind = kind
        self.order = order
        self.pages = 1 << order
        self.all = (1 << self.pages) - 1
        # Whether to notice a mark for the deferred split that nothing was reason for; it costs a walk for each mark.
        self.watch = False
        self.false_partly = False
        self.clear()

    def clear(self) -> None:
        """A folio that nobody maps.  A file folio has one reference for each page from the page cache."""
        self.folio = self.kernel.new_folio(self.kernel.zero.pfn, Order(self.order), self.kind)
        self.kernel.folios.clear()
        self.folio.references = 0 if self.folio.anon else self.pages
        self.maps: list[Process] = [(Mapping(),) * self.vmas] * len(self.mms)

    def _tables(self, folio: Folio, mm: Mm) -> int:
        return sum(1 for mapping in self.maps[self.index[mm]] if mapping.pages)

    # --- operations ---

    def fault(self, process: int, *, pmd: bool = False) -> None:
        """The first fault of an anonymous folio maps all of it."""
        if pmd:
            self.map_pmd(process)
        else:
            self.map(process, self.all)
        self.folio.exclusive = 1 if pmd else self.all

    def map(self, process: int, pages: int, vma: int = 0) -> None:
        """PTEs for pages that this VMA does not map yet; each run of pages is one batch."""
        for first, count in runs(pages):
            self._set(process, vma, Mapping(self.maps[process][vma].pages | bits(first, count)))
            self.folio.references += count
            change = self.kernel.counting.map_ptes(self.folio, first, count, self.mms[process])
            self.kernel.account_mapped(self.folio, change)

    def map_pmd(self, process: int, vma: int = 0) -> None:
        self._set(process, vma, Mapping(self.all, pmd=True))
        self.folio.references += 1
        self.kernel.account_mapped(self.folio, self.kernel.counting.map_pmd(self.folio, self.mms[process]))

    def fork(self, parent: int, child: int) -> None:
        """The child gets every entry of the parent; nobody has a page exclusively afterwards."""
        counting, mm = self.kernel.counting, self.mms[child]
        for vma, mapping in enumerate(self.maps[parent]):
            if mapping.pmd:
                self._set(child, vma, mapping)
                self.folio.references += 1
                counting.dup_pmd(self.folio, mm)
                continue
            for first, count in runs(mapping.pages):
                self._set(child, vma, Mapping(self.maps[child][vma].pages | bits(first, count)))
                self.folio.references += count
                counting.dup_ptes(self.folio, first, count, mm)
        self.folio.exclusive = 0

    def split_pmd(self, process: int, vma: int = 0) -> None:
        """An anonymous folio: PTEs take over.  One of a file: nothing does."""
        if not self.folio.anon:
            self.unmap(process, self.all, vma)
            return
        self._set(process, vma, Mapping(self.all))
        change = self.kernel.counting.split_pmd(self.folio, self.mms[process])
        if self.folio.exclusive:
            self.folio.exclusive = self.all
        self.folio.references += self.pages - 1
        self._unmapped(change)

    def unmap(self, process: int, pages: int, vma: int = 0) -> None:
        """The entries for these pages go, where there are any; each run of pages is one batch."""
        mapping = self.maps[process][vma]
        pages &= mapping.pages
        if not pages:
            return
        if mapping.pmd and (pages == self.all or not self.folio.anon):
            self._set(process, vma, Mapping())
            self.folio.references -= 1
            self._unmapped(self.kernel.counting.unmap_pmd(self.folio, self.mms[process]))
            return
        if mapping.pmd:
            self.split_pmd(process, vma)
        for first, count in runs(pages):
            self._set(process, vma, Mapping(self.maps[process][vma].pages & ~bits(first, count)))
            self.folio.references -= count
            self._unmapped(self.kernel.counting.unmap_ptes(self.folio, first, count, self.mms[process]))

    def exit(self, process: int) -> None:
        for vma in range(self.vmas):
            self.unmap(process, self.all, vma)

    def write(self, process: int, page: int) -> bool:
        """A store to a private page: whether it was copied, so that the process has a page of its own now."""
        mapping = self.maps[process][0]
        if mapping.pmd:
            if self.folio.exclusive or self.folio.references == 1:
                self.folio.exclusive = 1
                return False
            self.split_pmd(process)
        if self.folio.is_exclusive(page) or self.may_take_over():
            self.folio.set_exclusive(page)
            return False
        self.unmap(process, 1 << page)
        return True

    def may_take_over(self) -> bool:
        """wp_can_reuse_anon_folio: whether a process that maps a page of the folio may keep it, without a marker.

        A proposal with one count takes over if the count is 1: it "is definitely only mapped by us".
        """
        if isinstance(self.kernel.counting, TableMapcount):
            return self.folio.large_mapcount == 1
        return cow.can_reuse(self.kernel, self.folio)

    def _set(self, process: int, vma: int, mapping: Mapping) -> None:
        vmas = self.maps[process]
        self.maps[process] = (*vmas[:vma], mapping, *vmas[vma + 1 :])

    def _unmapped(self, change: Change) -> None:
        self.kernel.account_unmapped(self.folio, change)
        if self.watch and change.partly and self.folio.anon and all(self.counts()):
            self.false_partly = True

    # --- the truth ---

    def mappings(self) -> Iterator[tuple[int, Mapping]]:
        for process, vmas in enumerate(self.maps):
            for mapping in vmas:
                if mapping.pages:
                    yield process, mapping

    def live(self) -> list[int]:
        """The processes that map something."""
        return [process for process, vmas in enumerate(self.maps) if any(mapping.pages for mapping in vmas)]

    def counts(self) -> list[int]:
        """How many entries map each page."""
        counts = [0] * self.pages
        for _, mapping in self.mappings():
            for page in ones(mapping.pages):
                counts[page] += 1
        return counts

    def entries(self) -> int:
        """How many leaf entries there are."""
        return sum(1 if mapping.pmd else mapping.pages.bit_count() for _, mapping in self.mappings())

    def alone(self, process: int) -> int:
        """The pages, as bits, that this process maps and no other."""
        mine, others = 0, 0
        for other, mapping in self.mappings():
            if other == process:
                mine |= mapping.pages
            else:
                others |= mapping.pages
        return mine & ~others

    # --- what is told ---

    def told(self) -> list[Told]:
        """By what smaps divides each page, and whether it calls it private."""
        return [Told(*run) for run in shares(self.kernel, self.folio, 0, self.pages)]

    def kpagecount(self, page: int) -> int:
        return kpagecount(self.kernel, self.folio, page)

    def told_shared(self) -> bool:
        """The sharing test where the whole folio is meant."""
        return sharing.estimated_shared(self.kernel, self.folio)

    # --- to come back to a state ---

    def save(self) -> State:
        f = self.folio
        return State(
            tuple(self.maps),
            tuple((-1 if slot.mm is None else int(slot.mm.name[1:]), slot.count) for slot in f.slots),
            (f.references, f.entire_mapcount, f.large_mapcount, f.nr_pages_mapped, f.double_map, f.maybe_shared),
            (f.partially_mapped, f.exclusive),
            tuple(f.page_mapcounts),
        )

    def load(self, state: State) -> None:
        f = self.folio
        self.maps = list(state.maps)
        for slot, (owner, count) in zip(f.slots, state.slots, strict=True):
            slot.mm = None if owner < 0 else self.mms[owner]
            slot.count = count
        f.references, f.entire_mapcount, f.large_mapcount, f.nr_pages_mapped, f.double_map, f.maybe_shared = (
            state.counters
        )
        f.partially_mapped, f.exclusive = state.flags
        f.page_mapcounts.clear(0, self.pages)
        for run in state.pages:
            f.page_mapcounts.put(*run)
        counting = self.kernel.counting
        if isinstance(counting, TableMapcount):
            counting.known = {(f, mm): self._tables(f, mm) for mm in self.mms}


def bits(first: int, count: int) -> int:
    """`count` pages from `first`."""
    return ((1 << count) - 1) << first


def ones(pages: int) -> Iterator[int]:
    """The pages whose bits are set."""
    while pages:
        low = pages & -pages
        yield low.bit_length() - 1
        pages ^= low


def runs(pages: int) -> Iterator[tuple[int, int]]:
    """First page and number of pages of each run of bits."""
    while pages:
        first = (pages & -pages).bit_length() - 1
        count = (~(pages >> first) & ((pages >> first) + 1)).bit_length() - 1
        yield first, count
        pages &= ~bits(first, count)
