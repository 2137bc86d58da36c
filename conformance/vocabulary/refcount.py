# SPDX-License-Identifier: MIT
"""Phrases about references: who takes them without a mapping, how many are expected, and the limit."""

from __future__ import annotations

from conformance import protocol
from conformance.engine import Context, Mismatch
from conformance.vocabulary import operation, outcome
from conformance.vocabulary.memory import OLD, compare_number, create_file, file_holds, map_region, span_of
from conformance.vocabulary.types import DEFAULT_REGION, Area, Number, Pages, define

MOST_REFERENCES = (1 << 31) - 1
"""Of one hold: the kernel adds an int."""


def _references(text: str) -> int:
    if not 0 < int(text) <= MOST_REFERENCES:
        raise ValueError(f"{text} references cannot be taken at once: between 1 and {MOST_REFERENCES} can be")
    return int(text)


define("references", r"\d+", _references, "A number of references that somebody takes at once.", "7", "2147483646",
       kind=int)  # fmt: skip
define("negative", r"-\d+", int, "What a counter shows that has passed its limit.", "-2147483648", kind=int)


@operation("a driver takes {references} reference(s) to {pages} of {area}")
def takes(c: Context, number: int, pages: Pages, area: Area) -> None:
    """folio_ref_add(), which checks nothing: a driver holds so many references to the folio of the page."""
    _take(c, number, pages, area, "driver")


@operation("another driver takes {references} reference(s) to {pages} of {area}")
def another_takes(c: Context, number: int, pages: Pages, area: Area) -> None:
    """As `a driver takes …`, held and dropped apart from those."""
    _take(c, number, pages, area, "another")


def _take(c: Context, number: int, pages: Pages, area: Area, hold: str) -> None:
    span = span_of(c, pages, area)
    del span["count"]
    c.do(protocol.AddReferences(**span, number=number, hold=hold))


@operation("the driver drops its references")
def drops(c: Context) -> None:
    """folio_put_refs() of all that `a driver takes …` took."""
    c.do(protocol.DropReferences(hold="driver"))


@operation("pipe {name} is teed into pipe {name}")
def tees(c: Context, pipe: str, to: str) -> None:
    """tee(2) into a new pipe, of all pages; it must succeed."""
    c.do(protocol.Tee(pipe=pipe, to=to))


@operation("somebody tries to tee pipe {name} into pipe {name}")
def tries_to_tee(c: Context, pipe: str, to: str) -> None:
    """tee(2) into a new pipe, which may fail."""
    c.attempt = c.send(protocol.Tee(pipe=pipe, to=to))


@operation("somebody tries to splice half a page of pipe {name} to FUSE")
def tries_fuse(c: Context, pipe: str) -> None:
    """splice(2) to /dev/fuse, which may fail.  The other half stays in the pipe, so both need a reference."""
    c.attempt = c.send(protocol.FuseSplice(pipe=pipe))


@operation("{process} maps a hugetlb memfd shared and reads it")
def maps_hugetlb_file(c: Context, process: str) -> None:
    """Map one huge page of a hugetlb memfd shared, and load from its first page."""
    pages = 1 << int(c.greeting.parameters.get("hugetlb_order", 0))  # type: ignore[arg-type]
    create_file(c, "huge", pages, "hugetlb")
    file_holds(c, "huge", OLD, Pages(0, None))
    map_region(c, process, DEFAULT_REGION, pages, file="huge", sharing="shared")
    c.do(protocol.Read(**c.span(process, Pages(0, 1))))


@operation("{process} maps file {name} {sharing} {count} times by a PMD and reads it")
def maps_by_pmds(c: Context, process: str, file: str, sharing: str, times: int) -> None:
    """Map the whole file so often, at addresses that a huge page can be mapped at, as regions w1, w2 and so on; read
    page 0 of each."""
    for number in range(1, times + 1):
        map_region(c, process, f"w{number}", c.files[file], file=file, sharing=sharing)
        c.do(protocol.Read(**c.span(process, Pages(0, 1, f"w{number}"))))


@outcome("the folio of {pages} of {area} has {negative} references")
def negative_refcount(c: Context, pages: Pages, area: Area, number: int) -> None:
    """folio_ref_count() is negative: more references than a signed counter can count."""
    compare_number(c, protocol.Refcount(**span_of(c, pages, area)), Number(number, number), "references")


@outcome("the folio of {pages} of {area} is expected to have {number} reference(s)")
def expected(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """folio_expected_ref_count()."""
    compare_number(c, protocol.ExpectedRefcount(**span_of(c, pages, area)), number, "expected references")


@outcome("the folio of {pages} of {area} has as many references as expected")
def as_expected(c: Context, pages: Pages, area: Area) -> None:
    """folio_ref_count() is folio_expected_ref_count(): mappings and caches hold all references that there are."""
    _difference(c, pages, area, Number(0, 0))


@outcome("the folio of {pages} of {area} has {number} reference(s) more than expected")
def more_than_expected(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """folio_ref_count() less folio_expected_ref_count(): what neither mappings nor caches hold."""
    _difference(c, pages, area, number)


def _difference(c: Context, pages: Pages, area: Area, number: Number) -> None:
    span = span_of(c, pages, area)
    counts, expected = c.do(protocol.Refcount(**span)), c.do(protocol.ExpectedRefcount(**span))
    for count, wanted in zip(counts, expected, strict=True):
        if not number.admits(count - wanted):
            raise Mismatch(f"{number} references more than expected", f"{count} references, {wanted} expected")


@outcome("pipe {name} has got {number} page(s)")
def pipe_got(c: Context, pipe: str, number: Number) -> None:
    """How many pages the last tee(2) has shared."""
    if c.attempt is None or c.attempt.status != "ok" or not number.admits(c.attempt.value):
        raise Mismatch(f"{number} pages in pipe {pipe}", str(c.attempt))
