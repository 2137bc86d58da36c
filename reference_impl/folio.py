# SPDX-License-Identifier: MIT
"""A folio and its counters, and the page caches that hold folios.

All mapcounts here are logical: what the kernel stores is one less (raw -1 means none).
Source: include/linux/mm_types.h (struct page, struct folio), include/linux/page-flags.h;
include/linux/fs.h (struct address_space).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from .runs import Counts, Run, Runs
from .units import Order, PageCount, PageIndex, Pfn, SwapSlot

Kind = Literal["anon", "ksm", "file", "shmem", "hugetlb", "driver", "mmio", "zero", "huge-zero"]
"""driver: memory of a driver, without page->mapping. mmio: addresses of a device, not memory at all."""

GUP_PIN_COUNTING_BIAS = 1024
"""A pin of a small folio is this many references (include/linux/mm.h)."""


class Owner:
    """All that a folio knows of an mm that maps it (mm_id_t), and the name of its process."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


class Slot:
    """An owner slot: a process and how many of its mappings were counted for it.

    _mm_id and _mm_id_mapcount: 31 and 32 bits on 64-bit, 15 and 16 bits on 32-bit.
    """

    __slots__ = ("count", "mm")

    def __init__(self) -> None:
        self.mm: Owner | None = None
        self.count = 0


class Folio:
    """2**order pages of memory with one reference count.

    references       all that there are; refcount is what _refcount of the head shows of them
    mapcount         _mapcount of a small folio, 32 bits signed
    page_mapcounts   _mapcount of each page of a large folio, 32 bits signed
    entire_mapcount  _entire_mapcount (6.1: compound_mapcount), 32 bits signed
    large_mapcount   _large_mapcount, 32 bits signed; not in 6.1
    nr_pages_mapped  _nr_pages_mapped with ENTIRELY_MAPPED, 32 bits; not in 6.1, not without page mapcounts
    double_map       PG_double_map; 6.1 only
    slots, maybe_shared   _mm_id and so on; since owner tracking, large folios only
    pincount         _pincount of a large folio, 32 bits signed
    has_pincount     folio_has_pincount: there is room for one
    exclusive        PG_anon_exclusive, one bit per page, as the bits of a number
    """

    __slots__ = (
        "contents", "dirty", "double_map", "entire_mapcount", "exclusive", "file", "has_pincount", "hugetlb",
        "index", "kind", "large_mapcount", "mapcount", "maybe_shared", "nr_pages_mapped", "number", "order",
        "page_mapcounts", "pages", "partially_mapped", "pfn", "pincount", "refcount_bits", "references", "slots",
        "swap", "swapbacked",
    )  # fmt: skip

    def __init__(self, number: int, pfn: Pfn, order: Order, kind: Kind, refcount_bits: int = 32) -> None:
        self.number = number
        self.pfn = pfn
        self.order = order
        self.pages = 1 << order
        self.kind: Kind = kind
        self.hugetlb = kind == "hugetlb"
        # Where it is cached: a file and the index of its first page, or the swap slot of its first page.
        self.file: File | None = None
        self.index: PageIndex = 0
        self.swap: SwapSlot | None = None
        self.references = 1
        self.refcount_bits = refcount_bits
        self.pincount = 0
        self.has_pincount = order > 0
        self.mapcount = 0
        self.page_mapcounts = Counts()
        self.entire_mapcount = 0
        self.large_mapcount = 0
        self.nr_pages_mapped = 0
        self.double_map = False
        self.slots: tuple[Slot, ...] = (Slot(), Slot()) if order else ()
        self.maybe_shared = False
        self.exclusive = 0
        self.partially_mapped = False
        self.dirty = False
        self.swapbacked = kind in ("anon", "shmem")
        self.contents: Runs[str] = Runs()

    def __repr__(self) -> str:
        return f"F{self.number}"

    @property
    def large(self) -> bool:
        return self.order > 0

    @property
    def anon(self) -> bool:
        """folio_test_anon: KSM folios are anonymous too; hugetlb ones are if no file holds them."""
        return self.kind in ("anon", "ksm") or (self.kind == "hugetlb" and self.file is None)

    @property
    def refcount(self) -> int:
        """folio_ref_count: a signed counter of `refcount_bits` bits, without saturation."""
        # rule: refcount.limit, refcount.limit-wraps
        half = 1 << (self.refcount_bits - 1)
        return self.references if self.references < half else (self.references + half) % (2 * half) - half

    @property
    def maybe_dma_pinned(self) -> bool:
        """folio_maybe_dma_pinned: exact with a pincount; 1024 references of a small one look like a pin."""
        if self.has_pincount:
            return self.pincount > 0
        # rule: refcount.limit-looks-pinned
        return self.references % (1 << self.refcount_bits) >= GUP_PIN_COUNTING_BIAS

    def value(self, page: PageIndex) -> str:
        """What a page holds."""
        return self.contents.get(page) or ""

    def fill(self, first: PageIndex, end: PageIndex, value: str) -> None:
        """Store the same into each page of [first, end)."""
        if value:
            self.contents.put(first, end, value)
        else:
            self.contents.clear(first, end)

    def is_exclusive(self, page: PageIndex) -> bool:
        """PageAnonExclusive."""
        return bool(self.exclusive >> page & 1)

    def set_exclusive(self, first: PageIndex, count: int = 1) -> None:
        self.exclusive |= _mask(first, count)

    def clear_exclusive(self, first: PageIndex, count: int = 1) -> None:
        self.exclusive &= ~_mask(first, count)

    def by_marker(self, first: PageIndex, count: PageCount) -> list[Run[bool]]:
        """The pages as runs: each is exclusive, or not, throughout."""
        if count == 1 or not self.any_exclusive(first, count):
            return [Run(first, first + count, self.is_exclusive(first))]
        found = []
        end = first + count
        while first < end:
            marked = self.is_exclusive(first)
            # The next page whose bit differs: the lowest bit that is set once these bits are 0.
            rest = self.exclusive >> first
            change = ~rest & (rest + 1) if marked else rest & -rest
            stop = min(end, first + change.bit_length() - 1) if change else end
            found.append(Run(first, stop, marked))
            first = stop
        return found

    def any_exclusive(self, first: PageIndex, count: int) -> bool:
        return bool(self.exclusive & _mask(first, count))


def _mask(first: int, count: int) -> int:
    return ((1 << count) - 1) << first


class Place(NamedTuple):
    """A page of a folio."""

    folio: Folio
    page: PageIndex


class Places(Runs[Place]):
    """Page numbers to pages of folios: a page cache, or a swap cache."""

    __slots__ = ()

    def at(self, value: Place, distance: int) -> Place:
        return Place(value.folio, value.page + distance)


class File:
    """A file of `pages` pages; the page cache holds those that were read or written.

    backing      contents that are not in the page cache: on the disk, or swapped out of shmem
    unlinked     no name leads to it (memfd, shared anonymous memory): vma_is_anon_shmem
    """

    __slots__ = ("backing", "cache", "filesystem", "name", "order", "pages", "unlinked")

    def __init__(self, name: str | None, filesystem: str, pages: PageCount, order: int) -> None:
        self.name = name
        self.filesystem = filesystem
        self.pages = pages
        self.order = Order(order)
        self.unlinked = filesystem in ("memfd", "anonymous")
        self.cache = Places()
        self.backing: Runs[str] = Runs()

    @property
    def shmem(self) -> bool:
        return self.filesystem not in ("disk", "hugetlb")

    @property
    def tracks_dirty(self) -> bool:
        """Whether the file system has page_mkwrite: shmem and hugetlb do not want to know."""
        return self.filesystem == "disk"
