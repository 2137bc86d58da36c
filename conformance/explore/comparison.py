# SPDX-License-Identifier: MIT
"""Plays a history on two implementations, and looks after each operation at everything that both can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from conformance import protocol as p
from conformance.implementations import Implementation, Reply
from conformance.protocol import Operation

ASKED: tuple[type[p.PagesQuery], ...] = (
    p.Entry, p.FolioOrder, p.PageMapcount, p.FolioMapcount, p.EntireMapcount, p.NrPagesMapped, p.OwnerSlots,
    p.AnonExclusive, p.MaybeMappedShared, p.MappedExclusively, p.PartiallyMapped, p.PagemapMarks, p.Refcount,
    p.Pincount, p.MaybeDmaPinned,
)  # fmt: skip
SMAPS = (
    "Rss", "Pss", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty", "Anonymous", "AnonHugePages",
    "Swap", "SwapPss", "LazyFree", "Locked",
)  # fmt: skip
"""Without Referenced: a kernel may miss a use."""
SHOWN = 6
"""Pages in which two answers differ that are shown."""

Regions = dict[str, dict[str, int]]
"""Process: region: pages."""
Page = tuple[str, str, int]
"""Process, region, page."""
Looked = dict[tuple[str, ...], Any]


class Parting(NamedTuple):
    """After `number` operations the two are not the same: in `what`, where one says `left` and the other `right`."""

    number: int
    what: str
    left: str
    right: str


class Unusable(Exception):
    """An operation that one of the two cannot do, or an implementation that broke down."""


def asked(left: Implementation, right: Implementation) -> tuple[type[p.PagesQuery], ...]:
    """The queries that both can answer."""
    both = set(left.greeting.capabilities) & set(right.greeting.capabilities)
    needed = {query: {query.capability} for query in ASKED}
    needed[p.PagemapMarks].add("soft-dirty")
    return tuple(query for query in ASKED if needed[query] <= both)


def play(
    left: Implementation, right: Implementation, history: Sequence[Operation], queries: Sequence[type[p.PagesQuery]]
) -> Parting | None:
    """Where they part.  Raises Unusable, Trouble."""
    for implementation in (left, right):
        implementation.request(p.Reset())
    regions: Regions = {}
    before: tuple[dict[Page, str], dict[Page, str]] = {}, {}
    for number, operation in enumerate(history, 1):
        one, other = _do(left, operation), _do(right, operation)
        if one != other:
            return Parting(number, "the answer", *_differing(one, other))
        if one[0] == "ok":
            _note(regions, operation)
        here, there = _look(left, regions, queries), _look(right, regions, queries)
        for key in here:
            if here[key] != there[key]:
                return Parting(number, " ".join(key), *_differing(here[key], there[key]))
        now = _frames(left, regions), _frames(right, regions)
        if (a := _shared(now[0])) != (b := _shared(now[1])):
            return Parting(number, "which entries map one page", *_differing(a, b))
        moved = _moved(before[0], now[0]), _moved(before[1], now[1])
        if moved[0] != moved[1]:
            left_only, right_only = moved[0] - moved[1], moved[1] - moved[0]
            return Parting(number, "which entries map another page than before", _some(left_only), _some(right_only))
        before = now
    return None


def _do(implementation: Implementation, operation: Operation) -> tuple[str, Any]:
    """The status, with errno or signal, and the value."""
    reply = implementation.request(operation)
    if reply.status in ("unsupported", "broken"):
        raise Unusable(f"{operation.__struct_config__.tag}: {reply.why}")
    value = reply.value
    if isinstance(operation, p.Migrate) and value is not None:
        # Why a page stayed depends on which was tried before it.
        value = [came == "moved" for came in value]
    return reply.errno or reply.signal or reply.status, value


def _note(regions: Regions, operation: Operation) -> None:
    """What there is after an operation that has succeeded."""
    match operation:
        case p.Start(process=process):
            regions[process] = {}
        case p.Fork(process=process, child=child):
            regions[child] = dict(regions[process])
        case p.Exit(process=process):
            del regions[process]
        case p.Map(process=process, region=region, pages=pages):
            regions[process][region] = pages
        case p.Mremap(process=process, to=to, count=count):
            regions[process][to] = count


def _look(implementation: Implementation, regions: Regions, queries: Sequence[type[p.PagesQuery]]) -> Looked:
    """Every answer, by its name, process and region."""
    found: Looked = {}
    for process, region, pages in _all(regions):
        for query in queries:
            request = query(process=process, region=region, count=pages)
            found[str(query.__struct_config__.tag), process, region] = _told(request, implementation.request(request))
        smaps = p.Smaps(process=process, region=region)
        shown = _told(smaps, implementation.request(smaps))
        found["smaps", process, region] = (
            {name: shown.get(name, 0) for name in SMAPS} if isinstance(shown, dict) else shown
        )
    return found


def _told(query: p.Query, reply: Reply) -> Any:
    if reply.status != "ok":
        return reply.errno or reply.status
    value = msgspec.to_builtins(reply.value)
    if isinstance(query, p.OwnerSlots):  # which of the two is which depends on the order in which rmap finds VMAs
        for owners in value:
            owners["slots"].sort(key=str)
    return value


def _frames(implementation: Implementation, regions: Regions) -> dict[Page, str]:
    """The page frame of each page that is there."""
    frames: dict[Page, str] = {}
    for process, region, pages in _all(regions):
        reply = implementation.request(p.Frame(process=process, region=region, count=pages))
        for page, frame in enumerate(reply.value or []):
            if frame is not None:
                frames[process, region, page] = frame
    return frames


def _shared(frames: dict[Page, str]) -> dict[Page, Page]:
    """For each page the first that has the same frame: frames have other names in each implementation."""
    first: dict[str, Page] = {}
    return {page: first.setdefault(frame, page) for page, frame in frames.items()}


def _moved(before: dict[Page, str], now: dict[Page, str]) -> set[Page]:
    return {page for page, frame in now.items() if before.get(page, frame) != frame}


def _all(regions: Regions) -> list[tuple[str, str, int]]:
    return [(process, region, regions[process][region]) for process in sorted(regions) for region in regions[process]]


def _differing(one: Any, other: Any) -> tuple[str, str]:
    """Both in words, of two lists or dicts only where they differ."""
    if isinstance(one, tuple) and isinstance(other, tuple) and one[0] == other[0]:
        return _differing(one[1], other[1])
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [key for key in {**one, **other} if one.get(key) != other.get(key)][:SHOWN]
        return tuple(", ".join(f"{key}: {side.get(key)}" for key in keys) for side in (one, other))  # type: ignore[return-value]
    return str(one), str(other)


def _some(pages: set[Page]) -> str:
    return (
        ", ".join(f"page {page} of {process}'s {region}" for process, region, page in sorted(pages)[:SHOWN]) or "none"
    )
