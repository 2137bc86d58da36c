# SPDX-License-Identifier: MIT
"""Phrases for get_user_pages: who takes which pages how, what that counts, and what pins keep from moving."""

from __future__ import annotations

import re
from typing import Any

from conformance import protocol
from conformance.engine import Context, Mismatch
from conformance.vocabulary import operation, outcome
from conformance.vocabulary.memory import compare, compare_number, span_of
from conformance.vocabulary.types import Area, Number, Pages, define, plain

_MANNER = re.compile(r"for (reading|writing)(, long-term)?(, fast)?(, with FOLL_FORCE)?,?")
define("takes", "gets|pins", {"gets": "get", "pins": "pin"}.__getitem__, "FOLL_GET or FOLL_PIN.", "gets", "pins",
       kind=str)  # fmt: skip
define("take", "get|pin", str, "FOLL_GET or FOLL_PIN, after `tries to`.", "get", "pin", kind=str)
define(
    "manner", plain(_MANNER), lambda text: _manner(text),
    "The flags of get_user_pages: FOLL_WRITE, FOLL_LONGTERM, a function that ends in _fast, FOLL_FORCE.",
    "for reading", "for writing, fast,", "for reading, long-term, fast,", "for writing, with FOLL_FORCE,", kind=dict,
)  # fmt: skip
define(
    "migrated", "moved|kept|EACCES|ENOENT|EFAULT|EBUSY", str, "What move_pages(2) tells of a page.", "kept", kind=str
)


def _manner(text: str) -> dict[str, bool]:
    """The fields of a get_pages request."""
    found = _MANNER.fullmatch(text)
    assert found, text
    return {"write": found[1] == "writing", "longterm": bool(found[2]), "fast": bool(found[3]), "force": bool(found[4])}


# --- get and pin ------------------------------------------------------------------------------------------


@operation("{process} {takes} {pages} {manner} as hold {name}")
def takes(c: Context, process: str, how: str, pages: Pages, manner: dict[str, bool], hold: str) -> None:
    """A driver that the process has called takes the pages with get_user_pages or pin_user_pages, all of them, and
    holds them."""
    _take(c, process, how, pages, manner, hold, 1)


@operation("{process} {takes} {pages} {manner} {count} time(s) as hold {name}")
def takes_often(
    c: Context, process: str, how: str, pages: Pages, manner: dict[str, bool], times: int, hold: str
) -> None:
    """So often, one after the other; the hold has all of them."""
    _take(c, process, how, pages, manner, hold, times)


@operation("{process} pins {pages} {manner} through gup_test as hold {name}")
def pins_through_gup_test(c: Context, process: str, pages: Pages, manner: dict[str, bool], hold: str) -> None:
    """The kernel's own gup_test pins them, all of them, in place of a driver. It pins for long only."""
    _take(c, process, "pin", pages, {**manner, "gup_test": True}, hold, 1)


@operation("{process} tries to pin {pages} {manner} through gup_test as hold {name}")
def tries_to_pin_through_gup_test(c: Context, process: str, pages: Pages, manner: dict[str, bool], hold: str) -> None:
    """The same, and it may fail."""
    _try(c, process, "pin", pages, {**manner, "gup_test": True}, hold)


def _take(c: Context, process: str, how: str, pages: Pages, manner: dict[str, bool], hold: str, times: int) -> None:
    span = c.span(process, pages)
    got = c.do(protocol.GetPages(**span, how=how, hold=hold, times=times, **manner))  # type: ignore[arg-type]
    if got != span["count"] * times:
        raise Mismatch(f"{span['count'] * times} pages to be handed out", str(got))


@operation("{process} tries to {take} {pages} {manner} as hold {name}")
def tries_to_take(c: Context, process: str, how: str, pages: Pages, manner: dict[str, bool], hold: str) -> None:
    """As above, and it may fail or give fewer pages; `it fails with …` or `… are handed out` tells."""
    _try(c, process, how, pages, manner, hold)


def _try(c: Context, process: str, how: str, pages: Pages, manner: dict[str, bool], hold: str) -> None:
    c.attempt = c.send(protocol.GetPages(**c.span(process, pages), how=how, hold=hold, **manner))  # type: ignore[arg-type]


@outcome("{number} page(s) is/are handed out")
def handed_out(c: Context, number: Number) -> None:
    """How many pages the last `tries to get` or `tries to pin` gave."""
    if c.attempt is None or c.attempt.status != "ok" or not number.admits(c.attempt.value):
        raise Mismatch(f"{number} pages to be handed out", str(c.attempt))


@operation("hold {name} is given back")
def gives_back(c: Context, hold: str) -> None:
    """put_page or unpin_user_page for each page of the hold."""
    c.do(protocol.PutPages(hold=hold))


@operation("the driver writes {token} through hold {name}")
def writes_held(c: Context, value: str, hold: str) -> None:
    """The driver, or its device, writes to each page that it holds."""
    c.do(protocol.WriteHeld(hold=hold, value=value))


@outcome("the driver reads {token} through hold {name}")
def reads_held(c: Context, value: str, hold: str) -> None:
    """What each page holds that the driver has."""
    compare(c, protocol.ReadHeld(hold=hold), value, repr(value))


# --- what is counted --------------------------------------------------------------------------------------


@outcome("the folio of {pages} of {area} has {number} pin(s)")
def has_pins(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """_pincount of the folio of each page."""
    compare_number(c, protocol.Pincount(**span_of(c, pages, area)), number, "pins")


@outcome("{pages} of {area} is/are taken for pinned")
def maybe_pinned(c: Context, pages: Pages, area: Area) -> None:
    """folio_maybe_dma_pinned() says yes."""
    compare(c, protocol.MaybeDmaPinned(**span_of(c, pages, area)), True, "taken for pinned")


@outcome("{pages} of {area} is/are not taken for pinned")
def not_pinned(c: Context, pages: Pages, area: Area) -> None:
    """folio_maybe_dma_pinned() says no."""
    compare(c, protocol.MaybeDmaPinned(**span_of(c, pages, area)), False, "not taken for pinned")


@operation("{process} notes the references of {pages}")
def notes_references(c: Context, process: str, pages: Pages) -> None:
    """Remember the reference count of the folio of the first page, for `… more than noted`."""
    c.noted[process] = {"references": c.do(_first(c, process, pages))[0]}


@outcome("the folio of {pages} of {area} has {number} reference(s) more than noted")
def more_references(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """How many references the folio of the first page has gained since they were noted."""
    change = c.do(_first(c, area.process, pages))[0] - c.noted[area.process]["references"]
    if not number.admits(change):
        raise Mismatch(f"{number} references more", str(change))


def _first(c: Context, process: str, pages: Pages) -> protocol.Refcount:
    span: dict[str, Any] = c.span(process, pages)
    return protocol.Refcount(**{**span, "count": 1})


# --- direct I/O -------------------------------------------------------------------------------------------


@operation("{process} writes {pages} to file {name} with O_DIRECT")
def direct_write(c: Context, process: str, pages: Pages, file: str) -> None:
    """pwrite(2) with O_DIRECT from the pages to the start of the file."""
    c.do(protocol.DirectWrite(**c.span(process, pages), file=file))


@operation("{process} reads file {name} into {pages} with O_DIRECT")
def direct_read(c: Context, process: str, file: str, pages: Pages) -> None:
    """pread(2) with O_DIRECT from the start of the file into the pages."""
    c.do(protocol.DirectRead(**c.span(process, pages), file=file))


@operation("{process} tries to write {pages} to file {name} with O_DIRECT")
def tries_direct_write(c: Context, process: str, pages: Pages, file: str) -> None:
    """The same, and it may fail."""
    c.attempt = c.send(protocol.DirectWrite(**c.span(process, pages), file=file))


# --- migration --------------------------------------------------------------------------------------------


@operation("{process} moves {pages} to the other node")
def moves(c: Context, process: str, pages: Pages) -> None:
    """move_pages(2) with MPOL_MF_MOVE to the other of two NUMA nodes; each page must get there."""
    for index, came in enumerate(c.do(protocol.Migrate(**c.span(process, pages)))):
        if came != "moved":
            raise Mismatch("each page to be moved", f"{came} at page {pages.first + index}")


@operation("{process} tries to move {pages} to the other node")
def tries_to_move(c: Context, process: str, pages: Pages) -> None:
    """The same, and pages may stay; `move_pages says …` tells."""
    c.attempt = c.send(protocol.Migrate(**c.span(process, pages)))


@operation("{process} tries to move {pages} to the other node with MPOL_MF_MOVE_ALL")
def tries_to_move_all(c: Context, process: str, pages: Pages) -> None:
    """The same for pages that others map, too."""
    c.attempt = c.send(protocol.Migrate(**c.span(process, pages), everybodys=True))


@outcome("move_pages says {migrated} of each page")
def move_pages_says(c: Context, came: str) -> None:
    """moved: it is on the other node. kept: it was tried, and the page is where it was. Else why it was not tried."""
    if c.attempt is None or c.attempt.status != "ok" or set(c.attempt.value) != {came}:
        raise Mismatch(f"{came} of each page", str(c.attempt))
