# SPDX-License-Identifier: MIT
"""The ways of counting that are compared: those of kernels, by profile, and those that were proposed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .. import profile
from ..folio import Folio
from ..kernel import Kernel
from ..mapcount import Counting
from ..proposals import Look, TableMapcount, TotalMappedPages, ZeroOneTwoMany

Make = Callable[[int, Look], Counting]


class Way(NamedTuple):
    """A way of counting.

    profile    whose questions are asked: how smaps divides, who is told shared
    proposal   who proposed it, where and when; empty for a kernel
    make       the strategy of a proposal, from bits of a word and a look through page tables
    head_page  whether some answer depends on the first page of the folio
    """

    name: str
    title: str
    profile: str
    proposal: str = ""
    make: Make | None = None
    head_page: bool = False

    @property
    def averages(self) -> bool:
        """Whether smaps divides all pages of a folio by one number."""
        return profile.load(self.profile)["statistics.pss"] == "average"

    def kernel(self, look: Look) -> Kernel:
        """A system that counts in this way."""
        kernel = Kernel(profile.load(self.profile))
        if self.make is not None:
            kernel.counting = self.make(kernel.profile.word_bits, look)
        return kernel


WITHOUT = "linux-7.3-no-page-mapcount"

WAYS = {
    way.name: way
    for way in (
        Way("linux-6.1", "6.1: per page, PMDs apart", "linux-6.1", head_page=True),
        Way("linux-6.12", "6.12: per page, and sums", "linux-6.12", head_page=True),
        Way("linux-7.3", "6.18, 7.3: per page, and owner slots", "linux-7.3"),
        Way(WITHOUT, "7.3, no mapcount per page: owner slots", WITHOUT),
        Way(
            "proposal-total-mapped-pages",
            "Proposal: total mapped pages",
            WITHOUT,
            "David Hildenbrand, [PATCH RFC 00/13] mm/rmap: support arbitrary folio mappings, 12 April 2026",
            lambda bits, look: TotalMappedPages(bits),
        ),
        Way(
            "proposal-table-mapcount",
            "Proposal: (VMA, page table) pairs",
            WITHOUT,
            "Matthew Wilcox, linux-mm, 24 January 2023 and February 2023: one mapcount per folio",
            lambda bits, look: TableMapcount(look),
        ),
        Way(
            "proposal-zero-one-two-many",
            "Proposal: zero, one, two, many",
            WITHOUT,
            "Matthew Wilcox, linux-mm, 2021: cheaper folio_mapcount(), Zero, One, Two, Many",
            lambda bits, look: ZeroOneTwoMany(look),
        ),
    )
}


def kpagecount(k: Kernel, folio: Folio, page: int) -> int:
    """What /proc/kpagecount says of a page (fs/proc/page.c: get_kpage_count)."""
    if k.profile["statistics.pss"] == "average":
        return k.counting.average_page_mapcount(folio)
    return k.counting.page_mapcount(folio, page)
