# SPDX-License-Identifier: MIT
"""Queries: what the kernel, /proc and the page tables tell."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from conformance.protocol.base import PagesQuery, ProcessQuery, Query, RegionQuery
from conformance.protocol.names import Counter, Name, Order, ProcessName, VmaFlag


class PageMapcount(PagesQuery, kw_only=True, tag="page_mapcount"):
    """How many page table entries map each page, entries that map its whole folio included."""

    capability = "page-mapcount"
    answer = list[Counter]


class AveragePageMapcount(PagesQuery, kw_only=True, tag="average_page_mapcount"):
    """folio_average_page_mapcount() of each page's folio."""

    capability = "average-page-mapcount"
    answer = list[Counter]


class FolioMapcount(PagesQuery, kw_only=True, tag="folio_mapcount"):
    """folio_mapcount() of each page's folio: how many leaf entries map any part of it."""

    capability = "folio-mapcount"
    answer = list[Counter]


class EntireMapcount(PagesQuery, kw_only=True, tag="entire_mapcount"):
    """folio_entire_mapcount() of each page's folio: how many entries map all of it at once."""

    capability = "entire-mapcount"
    answer = list[Counter]


class NrPagesMapped(PagesQuery, kw_only=True, tag="nr_pages_mapped"):
    """How many pages of each page's folio are mapped by at least one PTE: the low part of _nr_pages_mapped."""

    capability = "nr-pages-mapped"
    answer = list[Counter]


class Slot(Struct, forbid_unknown_fields=True):
    """One of the two owner slots of a large folio."""

    process: Annotated[ProcessName | None, Meta(description="The process whose mm holds the slot; null: free.")]
    count: Annotated[Counter, Meta(description="Mappings counted for it (the kernel stores one less).")]


class Owners(Struct, forbid_unknown_fields=True):
    """The owner tracking of a large folio."""

    slots: Annotated[list[Slot], Meta(max_length=2)]
    maybe_shared: Annotated[bool, Meta(description="The bit FOLIO_MM_IDS_SHARED.")]


class OwnerSlots(PagesQuery, kw_only=True, tag="owner_slots"):
    """The owner slots of each page's folio."""

    capability = "owner-slots"
    answer = list[Owners]


class MaybeMappedShared(PagesQuery, kw_only=True, tag="maybe_mapped_shared"):
    """What the kernel's sharing test says of each page: page_mapcount() > 1 or folio_estimated_sharers() in 6.1,
    folio_likely_mapped_shared() in 6.12, folio_maybe_mapped_shared() after that."""

    capability = "maybe-mapped-shared"
    answer = list[bool]


class MappedExclusively(PagesQuery, kw_only=True, tag="mapped_exclusively"):
    """Bit 56 of /proc/PID/pagemap for each page."""

    capability = "mapped-exclusively"
    answer = list[bool]


class AnonExclusive(PagesQuery, kw_only=True, tag="anon_exclusive"):
    """PageAnonExclusive of each page, as its entry sees it."""

    capability = "anon-exclusive"
    answer = list[bool]


class Refcount(PagesQuery, kw_only=True, tag="refcount"):
    """folio_ref_count() of each page's folio.  References of per-CPU batches are drained first."""

    capability = "refcount"
    answer = list[Counter]


class PartiallyMapped(PagesQuery, kw_only=True, tag="partially_mapped"):
    """PG_partially_mapped of each page's folio (6.1: it is on the deferred split queue)."""

    capability = "partially-mapped"
    answer = list[bool]


class Frame(PagesQuery, kw_only=True, tag="frame"):
    """Which page of memory is mapped: equal strings are the same page; null: no page is mapped.

    The strings mean nothing else.
    """

    capability = "frames"
    answer = list[Annotated[str, Meta(max_length=32)] | None]


EntryKind = Literal["none", "pte", "pmd", "hugetlb", "zero", "huge-zero", "raw", "raw-pmd", "swap"]


class Entry(PagesQuery, kw_only=True, tag="entry"):
    """What the page table holds for each page.

    none: nothing.  pte, pmd, hugetlb: a page, mapped at that level.  zero, huge-zero: the shared zero page by a
    PTE, the huge zero page by a PMD.  raw, raw-pmd: a PFN that is no page to the kernel (vm_normal_page() says NULL),
    mapped at that level.  swap: a swap entry.
    """

    capability = "entries"
    answer = list[EntryKind]


class FolioOrder(PagesQuery, kw_only=True, tag="folio_order"):
    """The order of each page's folio."""

    capability = "folio-order"
    answer = list[Order]


PageFlag = Literal["anon", "ksm", "zero", "hugetlb", "swapbacked", "swapcache"]


class PageFlags(PagesQuery, kw_only=True, tag="page_flags"):
    """Which of the flags each mapped page has."""

    capability = "page-flags"
    answer = list[list[PageFlag]]


class Writable(PagesQuery, kw_only=True, tag="writable"):
    """Whether the entry of each page allows writing; null: there is no entry."""

    capability = "entry-writable"
    answer = list[bool | None]


PagemapBit = Literal["present", "swapped", "file", "exclusive"]


class Pagemap(PagesQuery, kw_only=True, tag="pagemap"):
    """Bits 63, 62, 61 and 56 of /proc/PID/pagemap for each page, as names of those that are set."""

    capability = "pagemap"
    answer = list[list[PagemapBit]]


PagemapMark = Literal["soft-dirty", "uffd-wp"]


class PagemapMarks(PagesQuery, kw_only=True, tag="pagemap_marks"):
    """Bits 55 and 57 of /proc/PID/pagemap for each page, as names of those that are set."""

    capability = "pagemap"
    answer = list[list[PagemapMark]]


class Mincore(PagesQuery, kw_only=True, tag="mincore"):
    """mincore(2): whether each page is said to be resident."""

    capability = "mincore"
    answer = list[bool]


class Vma(Struct, forbid_unknown_fields=True):
    """What a process can see of a VMA."""

    flags: Annotated[list[VmaFlag], Meta(description="Those that VmFlags of /proc/PID/smaps shows.")]
    offset: Annotated[int, Meta(ge=0, description="vm_pgoff: the offset in /proc/PID/maps, in pages.")]


class VmaQuery(RegionQuery, kw_only=True, tag="vma"):
    """The VMA in which the first page of a region lies."""

    capability = "vma"
    answer = Vma


class Rss(RegionQuery, kw_only=True, tag="rss"):
    """What a region adds to RssAnon, RssFile and RssShmem of its process, in pages."""

    capability = "rss"
    answer = dict[Literal["anon", "file", "shmem"], Counter]


FieldName = Annotated[str, Meta(pattern="^[A-Za-z_]{1,40}$")]


class Smaps(RegionQuery, kw_only=True, tag="smaps"):
    """The fields of /proc/PID/smaps for a region in kB, summed if the region has become several VMAs.

    Per-CPU batches are drained first.  The fields are in the order of the file, beginning with Size; KernelPageSize and
    MMUPageSize are left out.  THPeligible, at the end, is no size: 1 if it is 1 for any of the VMAs.
    """

    capability = "smaps"
    answer = dict[FieldName, Counter]


class SmapsRollup(ProcessQuery, kw_only=True, tag="smaps_rollup"):
    """The fields of /proc/PID/smaps_rollup in kB, in the order of the file, for all that the process maps."""

    capability = "smaps-rollup"
    answer = dict[FieldName, Counter]


class SmapsSum(ProcessQuery, kw_only=True, tag="smaps_sum"):
    """The fields of /proc/PID/smaps in kB, added up over all VMAs of the process as they are printed."""

    capability = "smaps-rollup"
    answer = dict[FieldName, Counter]


class Status(ProcessQuery, kw_only=True, tag="status"):
    """VmLck, VmRSS, RssAnon, RssFile, RssShmem, VmSwap and HugetlbPages of /proc/PID/status, in kB."""

    capability = "status"
    answer = dict[FieldName, Counter]


class Statm(ProcessQuery, kw_only=True, tag="statm"):
    """The first three numbers of /proc/PID/statm, in pages."""

    capability = "statm"
    answer = dict[Literal["size", "resident", "shared"], Counter]


class NumaMaps(ProcessQuery, kw_only=True, tag="numa_maps"):
    """What the line of the first VMA of a region in /proc/PID/numa_maps prints of these; one that is not printed is
    left out."""

    capability = "numa-maps"
    answer = dict[Literal["anon", "dirty", "mapped", "mapmax"], Counter]
    region: Name


ScanCategory = Literal["wpallowed", "written", "file", "present", "swapped", "pfnzero", "huge"]


class PagemapScan(PagesQuery, kw_only=True, tag="pagemap_scan"):
    """The categories that PAGEMAP_SCAN reports of each page, of these seven."""

    capability = "pagemap-scan"
    answer = list[list[ScanCategory]]


KpageFlag = Literal["mmap", "compound_head", "compound_tail", "thp"]


class KpageInfo(Struct, forbid_unknown_fields=True):
    """What two files tell of one page frame, whoever maps it."""

    count: Annotated[Counter, Meta(description="/proc/kpagecount.")]
    flags: Annotated[list[KpageFlag], Meta(description="Which of these /proc/kpageflags shows.")]


class Kpage(Query, kw_only=True, tag="kpage"):
    """/proc/kpagecount and /proc/kpageflags of a page frame, mapped or not."""

    capability = "kpage"
    answer = KpageInfo
    frame: Annotated[str, Meta(pattern="^[0-9a-f]{1,16}$", description="As `frame` answers.")]


CounterName = Literal[
    "nr_anon_mapped", "nr_file_mapped", "nr_anon_thps", "nr_file_pmdmapped", "nr_shmem_pmdmapped",
    "thp_split_pmd", "split", "split_failed", "split_deferred",
]  # fmt: skip


class Counters(Query, kw_only=True, tag="counters"):
    """Counters of the whole system, in pages or events; only differences mean anything.

    nr_*: NR_ANON_MAPPED and so on, in base pages.  thp_split_pmd: PMDs of huge pages split.  split,
    split_failed, split_deferred: folios split, not split, queued for splitting, all orders together.
    Counters that an implementation cannot tell are left out.
    """

    capability = "counters"
    answer = dict[CounterName, Counter]


class State(Query, kw_only=True, tag="state"):
    """Everything: processes, entries, folios and their counters, for pictures.  Free in form, see the model."""

    capability = "state"
    answer = dict[str, Any]
