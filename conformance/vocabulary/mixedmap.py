# SPDX-License-Identifier: MIT
"""Phrases for VM_MIXEDMAP: entries of one mapping that are pages, beside entries that are not."""

from __future__ import annotations

from conformance import protocol
from conformance.engine import Context, Mismatch
from conformance.vocabulary import outcome
from conformance.vocabulary.memory import span_of
from conformance.vocabulary.types import Area, Pages

PAGES = ("pte", "pmd", "hugetlb")
RAW = ("raw", "raw-pmd", "zero", "huge-zero")


@outcome("{pages} of {area} is/are (a )normal page(s)")
def normal(c: Context, pages: Pages, area: Area) -> None:
    """vm_normal_page() finds a page in the entry: it is counted, and the rest of the kernel may use it."""
    _classified(c, pages, area, PAGES, "a normal page")


@outcome("{pages} of {area} is/are mapped, and no normal page(s)")
def not_normal(c: Context, pages: Pages, area: Area) -> None:
    """There is an entry, and vm_normal_page() says NULL: a raw PFN or a zero page, which nobody counts."""
    _classified(c, pages, area, RAW, "mapped, and no normal page")


def _classified(c: Context, pages: Pages, area: Area, kinds: tuple[str, ...], words: str) -> None:
    for index, kind in enumerate(c.do(protocol.Entry(**span_of(c, pages, area)))):
        if kind not in kinds:
            raise Mismatch(words, f"{kind} at page {pages.first + index}")
