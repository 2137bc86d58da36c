# SPDX-License-Identifier: MIT
"""Chapter sharing: who is told that a page is shared, and by which rule.

Sources: 6.1 include/linux/mm.h (folio_estimated_sharers); 6.12 include/linux/mm.h (folio_likely_mapped_shared);
7.3 include/linux/mm.h (folio_maybe_mapped_shared); fs/proc/task_mmu.c (__folio_page_mapped_exclusively,
smaps_account); mm/madvise.c (madvise_cold_or_pageout_pte_range, madvise_free_pte_range).
"""

from __future__ import annotations

from .folio import Folio
from .kernel import Kernel
from .units import PageIndex


def maybe_mapped_shared(k: Kernel, folio: Folio, page: PageIndex) -> bool:
    """The sharing test of the kernel, asked about one page.

    6.1 asks page_mapcount() of this page; 6.12 guesses from counts of the folio and of its first page; since there
    are owner slots, they answer.  Only the last never calls a shared folio exclusive.
    """
    match k.profile["sharing.test"]:
        # rule: sharing.estimate
        case "page-mapcount":
            return k.counting.page_mapcount(folio, page) > 1
        # rule: sharing.likely
        case "first-page":
            return _likely_mapped_shared(k, folio)
        case "large-always" if folio.large:
            return True
        case _:
            return _maybe_mapped_shared(k, folio)


def _likely_mapped_shared(k: Kernel, folio: Folio) -> bool:
    mapcount = k.counting.folio_mapcount(folio)
    if not folio.large or folio.hugetlb:
        return mapcount > 1
    if mapcount <= 1:
        return False
    if folio.entire_mapcount > 0 or mapcount > folio.pages:
        return True
    return (folio.page_mapcounts.get(0) or 0) > 1


def _maybe_mapped_shared(k: Kernel, folio: Folio) -> bool:
    mapcount = k.counting.folio_mapcount(folio)
    # rule: sharing.small, sharing.one-mapping, sharing.never-false-exclusive
    if not folio.large or folio.hugetlb:
        return mapcount > 1
    if mapcount <= 1:
        return False
    return folio.maybe_shared


def estimated_shared(k: Kernel, folio: Folio) -> bool:
    """The test where a whole folio is meant: in 6.1 folio_estimated_sharers() != 1, which asks its first page."""
    if k.profile["sharing.test"] == "page-mapcount":
        return k.counting.page_mapcount(folio, 0) != 1
    return maybe_mapped_shared(k, folio, 0)


def mapped_exclusively(k: Kernel, folio: Folio, page: PageIndex, *, pmd: bool) -> bool:
    """Bit 56 of /proc/PID/pagemap for an entry that maps this page, by a PMD or not."""
    if folio.hugetlb and k.profile["sharing.test"] != "page-mapcount":
        return not maybe_mapped_shared(k, folio, page)
    # rule: sharing.without-page-counts
    if k.profile["sharing.pagemap"] == "folio":
        return not maybe_mapped_shared(k, folio, page)
    if pmd and k.profile["sharing.pagemap"] == "first-page-under-pmd":
        page = 0  # rule: sharing.pmd-head
    # rule: sharing.once, sharing.twice, sharing.once-large
    return k.counting.page_mapcount(folio, page) == 1


def skips_pmd(k: Kernel, folio: Folio, *, cold: bool) -> bool:
    """MADV_COLD, MADV_PAGEOUT and MADV_FREE pass over a PMD that somebody else may map too."""
    if k.profile["sharing.test"] == "page-mapcount":
        mapcount = k.counting.page_mapcount(folio, 0) if cold else k.counting.folio_mapcount(folio)
        return mapcount != 1
    return maybe_mapped_shared(k, folio, 0)


def splits_always(k: Kernel, folio: Folio, kind: str) -> bool:
    """6.1 knows no batches: whatever part of a large folio PTEs map, it is split."""
    return folio.large and kind == "pte" and k.profile["sharing.test"] == "page-mapcount"


def skips_part(k: Kernel, folio: Folio, page: PageIndex, *, cold: bool) -> bool:
    """They do not split a folio that lies in the range in part, if somebody else may map it too."""
    if k.profile["sharing.test"] == "page-mapcount":
        return k.counting.page_mapcount(folio, page) != 1 if cold else estimated_shared(k, folio)
    return maybe_mapped_shared(k, folio, page)
