# SPDX-License-Identifier: MIT
"""Phrases for counters: how many entries map a page, a folio, all of a folio at once."""

from __future__ import annotations

from typing import Any

from conformance import protocol
from conformance.engine import Context
from conformance.vocabulary import outcome
from conformance.vocabulary.memory import compare_number, span_of
from conformance.vocabulary.types import Area, Number, Pages


@outcome("{pages} of {area} has/have mapcount {number}")
def page_mapcount(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """The mapcount of each page: PTEs that map it plus entries that map its whole folio.

    A kernel shows it in /proc/kpagecount; one without per-page counts for small and hugetlb folios only, where the
    average is exact.
    """
    span = span_of(c, pages, area)
    if "page-mapcount" not in c.capabilities and _average_is_exact(c, span):
        compare_number(c, protocol.AveragePageMapcount(**span), number, "mapcount")
    else:
        compare_number(c, protocol.PageMapcount(**span), number, "mapcount")


def _average_is_exact(c: Context, span: dict[str, Any]) -> bool:
    """Whether each page is a small folio, in a hugetlb folio, or not mapped."""
    if not {"average-page-mapcount", "entries", "folio-order"} <= c.capabilities:
        return False
    kinds, orders = c.do(protocol.Entry(**span)), c.do(protocol.FolioOrder(**span))
    return all(kind not in ("pte", "pmd") or order == 0 for kind, order in zip(kinds, orders, strict=True))


@outcome("{pages} of {area} has/have average mapcount {number}")
def average_page_mapcount(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """folio_average_page_mapcount() of the folio of each page."""
    compare_number(c, protocol.AveragePageMapcount(**span_of(c, pages, area)), number, "average mapcount")


@outcome("the folio of {pages} of {area} has mapcount {number}")
def folio_mapcount(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """folio_mapcount(): leaf entries that map any part of the folio."""
    compare_number(c, protocol.FolioMapcount(**span_of(c, pages, area)), number, "folio mapcount")


@outcome("the folio of {pages} of {area} has entire mapcount {number}")
def entire_mapcount(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """folio_entire_mapcount(): entries that map all of the folio at once."""
    compare_number(c, protocol.EntireMapcount(**span_of(c, pages, area)), number, "entire mapcount")


@outcome("the folio of {pages} of {area} has {number} page(s) mapped by PTEs")
def nr_pages_mapped(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """The low part of _nr_pages_mapped: pages of the folio that at least one PTE maps."""
    compare_number(c, protocol.NrPagesMapped(**span_of(c, pages, area)), number, "pages mapped by PTEs")


@outcome("the folio of {pages} of {area} has {number} reference(s)")
def refcount(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """folio_ref_count(), per-CPU batches drained."""
    compare_number(c, protocol.Refcount(**span_of(c, pages, area)), number, "references")
