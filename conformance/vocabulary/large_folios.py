# SPDX-License-Identifier: MIT
"""Phrases for large folios: their order, splits, collapse and partial mappings."""

from __future__ import annotations

from conformance import protocol
from conformance.engine import Context, Mismatch
from conformance.vocabulary import operation, outcome
from conformance.vocabulary.cow import copied
from conformance.vocabulary.memory import compare, compare_number, map_region, span_of
from conformance.vocabulary.types import Area, Number, Pages


@operation(
    "{process} maps {count} page(s) of private anonymous memory for order-{order} folios, "
    "{count} page(s) off its alignment"
)
def maps_skewed(c: Context, process: str, pages: int, order: int, skew: int) -> None:
    """Map private anonymous memory at an address so many pages past a multiple of the folio's size.

    Faults may allocate folios of the order where a block of theirs lies inside.  Nothing is populated.
    """
    c.require_order(order)
    map_region(c, process, "mem", pages, order=order, skew=skew)


@operation("{process} moves {pages} to {name}, {count} page(s) off its alignment")
def moves_skewed(c: Context, process: str, pages: Pages, to: str, skew: int) -> None:
    """mremap(2) to an address so many pages past a multiple of the huge page size."""
    span = c.span(process, pages)
    c.do(protocol.Mremap(**span, to=to, skew=skew))
    c.regions[process][to] = span["count"]


@operation("{process} drops {pages} and writes {token} again")
def drops_and_writes(c: Context, process: str, pages: Pages, value: str) -> None:
    """MADV_DONTNEED on the pages, then a store to each of them."""
    span = c.span(process, pages)
    c.do(protocol.Madvise(**span, advice="dontneed"))
    c.do(protocol.Write(**span, value=value))


@operation("{process} splits the folio of {pages} to order {order}")
def split_folio(c: Context, process: str, pages: Pages, order: int) -> None:
    """Split the folio; it must succeed."""
    c.do(protocol.SplitFolio(**c.span(process, pages), order=order))


@operation("{process} tries to split the folio of {pages} to order {order}")
def tries_split_folio(c: Context, process: str, pages: Pages, order: int) -> None:
    """Split the folio, which may fail; `it fails with …` or `it succeeds` tells."""
    c.attempt = c.send(protocol.SplitFolio(**c.span(process, pages), order=order))


@outcome("the folio of {pages} of {area} has order {number}")
def folio_order(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """The order of the folio of each page."""
    compare_number(c, protocol.FolioOrder(**span_of(c, pages, area)), number, "order")


@outcome("the folio of {pages} of {area} is partially mapped")
def partially_mapped(c: Context, pages: Pages, area: Area) -> None:
    """PG_partially_mapped is set (6.1: it is on the deferred split queue)."""
    compare(c, protocol.PartiallyMapped(**span_of(c, pages, area)), True, "partially mapped")


@outcome("the folio of {pages} of {area} is not partially mapped")
def not_partially_mapped(c: Context, pages: Pages, area: Area) -> None:
    """PG_partially_mapped is clear (6.1: it is not on the deferred split queue)."""
    compare(c, protocol.PartiallyMapped(**span_of(c, pages, area)), False, "not partially mapped")


@outcome("{pages} of {area} is/are other memory than before", since="frames")
def moved(c: Context, pages: Pages, area: Area) -> None:
    """Other pages of memory are mapped there than before the last When."""
    copied(c, pages, area)


@outcome("counter {counter} is unchanged", since="counters")
def counter_unchanged(c: Context, counter: str) -> None:
    """The counter of the whole system is what it was before the first When."""
    _changed(c, counter, Number(0, 0), 1)


@outcome("counter {counter} has risen by {number}", since="counters")
def counter_risen(c: Context, counter: str, number: Number) -> None:
    """The counter of the whole system is higher by this than before the first When."""
    _changed(c, counter, number, 1)


@outcome("counter {counter} has fallen by {number}", since="counters")
def counter_fallen(c: Context, counter: str, number: Number) -> None:
    """The counter of the whole system is lower by this than before the first When."""
    _changed(c, counter, number, -1)


def _changed(c: Context, counter: str, number: Number, sign: int) -> None:
    now = c.do(protocol.Counters())
    if c.counters is None or counter not in now or counter not in c.counters:
        c.require(f"counter-{counter.replace('_', '-')}")
        raise Mismatch(f"counter {counter}", "it is not told")
    change = sign * (now[counter] - c.counters[counter])
    if not number.admits(change):
        raise Mismatch(f"{counter} to change by {sign * (number.least or 0)}", str(sign * change))
