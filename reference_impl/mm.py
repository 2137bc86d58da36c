# SPDX-License-Identifier: MIT
"""A process: its VMAs and its page table."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal, NamedTuple, TypeAlias

from .folio import Folio, Owner
from .runs import Runs
from .units import BadRequest, PageCount, PageIndex, SwapSlot, Vpn, align_down, align_up
from .vma import Vma

LeafKind = Literal["pte", "pmd", "hugetlb", "zero", "huge-zero", "raw", "raw-pmd"]
UNCOUNTED = ("zero", "huge-zero", "raw", "raw-pmd")
"""Entries that vm_normal_page() finds no page in: nobody counts them."""


class Leaf(NamedTuple):
    """A present entry.  zero, huge-zero, raw and raw-pmd are special: they map a folio that nobody counts for.

    The folio of a raw entry is what is behind the page frame number; the kernel does not know it from the entry.
    young: the accessed bit.  Whoever makes an entry makes it young, so that the processor need not.
    soft_dirty: written since clear_refs, as far as the entry knows; its VMA may know better.  uffd_wp: write-protected
    by a userfaultfd.
    """

    kind: LeafKind
    folio: Folio
    page: PageIndex
    writable: bool
    dirty: bool
    young: bool = True
    soft_dirty: bool = False
    uffd_wp: bool = False

    def mkdirty(self, *, writable: bool) -> Leaf:
        """pte_mkdirty(): what the kernel makes dirty is soft-dirty, too."""
        # rule: statistics.soft-dirty
        return self._replace(writable=writable, dirty=True, soft_dirty=True)


def mk_pte(kind: LeafKind, folio: Folio, page: PageIndex, *, writable: bool, dirty: bool) -> Leaf:
    """mk_pte() and, if `dirty`, pte_mkdirty()."""
    return Leaf(kind, folio, page, writable, dirty, soft_dirty=dirty)


class Swapped(NamedTuple):
    """A swap entry with its bits: pte_swp_exclusive, pte_swp_soft_dirty."""

    slot: SwapSlot
    exclusive: bool
    soft_dirty: bool = False


Entry: TypeAlias = Leaf | Swapped


def contents(entry: Leaf, count: PageCount) -> list[str]:
    """What `count` pages hold, starting with the one that `entry` is for."""
    if entry.kind in ("zero", "huge-zero"):
        return [""] * count
    first = entry.page
    if count == 1:
        return [entry.folio.value(first)]
    values = [""] * count
    for start, end, value in entry.folio.contents.over(first, first + count):
        values[start - first : end - first] = [value] * (end - start)
    return values


class Table(Runs[Entry]):
    """The leaf entries of an mm.

    Entries of PTE level are runs.  One entry of a higher level (pmd, huge-zero, hugetlb) is one run of exactly its
    size: whoever changes a part of it splits it first.
    """

    __slots__ = ()

    def at(self, value: Entry, distance: int) -> Entry:
        if isinstance(value, Swapped):
            return value._replace(slot=SwapSlot(value.slot + distance))
        if value.kind == "zero":
            return value
        return value._replace(page=value.page + distance)

    def joins(self, before: Entry, length: int, after: Entry) -> bool:
        if isinstance(before, Swapped) or isinstance(after, Swapped):
            return type(before) is type(after) and self.at(before, length) == after
        if before.folio is not after.folio or before.kind not in ("pte", "zero", "raw"):
            return False
        if before.kind != "zero" and before.page + length != after.page:
            return False
        return self.at(before, length) == after


class Region(NamedTuple):
    """What a process calls by one name: `pages` pages from `first`.  Parts may have been unmapped or moved away."""

    first: Vpn
    pages: PageCount


class Mm(Owner):
    """An address space (struct mm_struct).

    anon_pages, file_pages, shmem_pages, swap_entries   MM_ANONPAGES and so on, in pages
    has_pinned     MMF_HAS_PINNED: never cleared
    thp_disabled   MMF_DISABLE_THP, set by prctl(PR_SET_THP_DISABLE): as if every VMA had MADV_NOHUGEPAGE
    empty_tables   blocks of PMD size that have a page table of PTEs in which nothing is left
    """

    __slots__ = (
        "anon_pages",
        "empty_tables",
        "file_pages",
        "has_pinned",
        "next_free",
        "number",
        "pmd_pages",
        "regions",
        "shmem_pages",
        "swap_entries",
        "table",
        "thp_disabled",
        "vma_firsts",
        "vmas",
    )  # fmt: skip

    def __init__(self, name: str, number: int, pmd_pages: PageCount) -> None:
        super().__init__(name)
        self.number = number
        self.pmd_pages = pmd_pages
        self.vmas: list[Vma] = []
        self.vma_firsts: list[Vpn] = []
        self.table = Table()
        self.empty_tables: set[Vpn] = set()
        self.regions: dict[str, Region] = {}
        self.next_free: Vpn = 0
        self.has_pinned = False
        self.thp_disabled = False
        self.anon_pages = 0
        self.file_pages = 0
        self.shmem_pages = 0
        self.swap_entries = 0

    def find(self, vpn: Vpn) -> Vma | None:
        """The VMA that a page is in."""
        i = bisect_right(self.vma_firsts, vpn) - 1
        if i >= 0 and vpn < self.vmas[i].end:
            return self.vmas[i]
        return None

    def over(self, first: Vpn, end: Vpn) -> list[Vma]:
        """The VMAs that have pages in [first, end), whole."""
        i = max(bisect_right(self.vma_firsts, first) - 1, 0)
        found = []
        for at in range(i, len(self.vmas)):
            vma = self.vmas[at]
            if vma.first >= end:
                break
            if vma.end > first:
                found.append(vma)
        return found

    def covers(self, first: Vpn, end: Vpn) -> bool:
        """Whether VMAs cover [first, end) without a hole."""
        for vma in self.over(first, end):
            if vma.first > first:
                return False
            first = vma.end
        return first >= end

    def insert(self, vma: Vma) -> None:
        i = bisect_right(self.vma_firsts, vma.first)
        self.vmas.insert(i, vma)
        self.vma_firsts.insert(i, vma.first)

    def remove(self, vma: Vma) -> None:
        i = bisect_right(self.vma_firsts, vma.first) - 1
        assert self.vmas[i] is vma
        del self.vmas[i], self.vma_firsts[i]

    def pmd_none(self, vpn: Vpn) -> bool:
        """Whether there is nothing at PMD level: no huge entry and no page table, not even an empty one."""
        block = align_down(vpn, self.pmd_pages)
        return block not in self.empty_tables and not self.table.any(block, block + self.pmd_pages)

    def clear_ptes(self, first: Vpn, end: Vpn) -> None:
        """Clear entries of PTE level.  Their page tables stay, even when they become empty."""
        self.table.clear(first, end)
        for block in range(align_down(first, self.pmd_pages), end, self.pmd_pages):
            if not self.table.any(block, block + self.pmd_pages):
                self.empty_tables.add(block)

    def place(self, name: str, pages: PageCount, skew: PageCount) -> Region:
        """Choose an address for a new region: aligned, off by `skew`, never next to another region."""
        if name in self.regions:
            raise BadRequest(f"{self.name} has a region {name} already.")
        base = align_up(self.next_free + 1, self.pmd_pages) + skew
        region = Region(base, pages)
        self.regions[name] = region
        self.next_free = base + pages
        return region

    def add_rss(self, folio: Folio, pages: int) -> None:
        """add_mm_counter: hugetlb is not counted."""
        if folio.hugetlb:
            return
        if folio.anon:
            self.anon_pages += pages
        elif folio.kind == "shmem":
            self.shmem_pages += pages
        else:
            self.file_pages += pages

    def needs_cow_for_dma(self, folio: Folio) -> bool:
        """folio_needs_cow_for_dma: something in this mm was pinned once, and this folio may be."""
        # rule: fork.unpinned
        return self.has_pinned and folio.maybe_dma_pinned
