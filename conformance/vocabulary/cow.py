# SPDX-License-Identifier: MIT
"""Phrases for copy-on-write: was the page copied or reused, and is it marked exclusive."""

from __future__ import annotations

from typing import Any

from conformance import protocol
from conformance.engine import Context, Mismatch, Unsupported
from conformance.vocabulary import operation, outcome
from conformance.vocabulary.memory import compare, span_of
from conformance.vocabulary.types import Area, Pages


@outcome("{pages} of {area} was/were copied", since="frames")
def copied(c: Context, pages: Pages, area: Area) -> None:
    """Another page of memory is mapped there than before the last When."""
    for index, (old, new) in enumerate(_frames(c, pages, area)):
        if old == new:
            raise Mismatch("another page than before", f"the same page at page {pages.first + index}")


@outcome("{pages} of {area} was/were reused", "{pages} of {area} is/are where it/they was/were", since="frames")
def reused(c: Context, pages: Pages, area: Area) -> None:
    """The same page of memory is mapped there as before the last When."""
    for index, (old, new) in enumerate(_frames(c, pages, area)):
        if old != new:
            raise Mismatch("the same page as before", f"another page at page {pages.first + index}")


def _frames(c: Context, pages: Pages, area: Area) -> list[tuple[str, str]]:
    """Frames before the last When and now; a page that is not mapped at one of the times is a mismatch."""
    span = span_of(c, pages, area)
    now = c.do(protocol.Frame(**span))
    first = int(str(span["first"]))
    then = c.before.get((area.process, area.region), [])[first : first + len(now)]
    pairs = []
    for index, (old, new) in enumerate(zip(then, now, strict=True)):
        if old is None or new is None:
            when = "before the last When" if old is None else "now"
            raise Mismatch("a page that is mapped before and now", f"page {first + index} is not mapped {when}")
        pairs.append((old, new))
    return pairs


@outcome("{pages} of {area} is/are the same memory as {pages} of {area}")
def same_memory(c: Context, pages: Pages, area: Area, others: Pages, other: Area) -> None:
    """Both map the same pages of memory, one by one.  A page that is not mapped is not the same as any."""
    for index, (a, b) in enumerate(_pairs(c, pages, area, others, other)):
        if a is None or a != b:
            raise Mismatch("the same memory", f"different at page {pages.first + index}")


@outcome("{pages} of {area} is/are not the same memory as {pages} of {area}")
def other_memory(c: Context, pages: Pages, area: Area, others: Pages, other: Area) -> None:
    """No page of the one is the page of the other.  Both must be mapped."""
    for index, (a, b) in enumerate(_pairs(c, pages, area, others, other)):
        if a is None or b is None or a == b:
            raise Mismatch("different memory", f"the same, or nothing, at page {pages.first + index}")


def _pairs(c: Context, pages: Pages, area: Area, others: Pages, other: Area) -> list[tuple[str | None, str | None]]:
    one = c.do(protocol.Frame(**span_of(c, pages, area)))
    two = c.do(protocol.Frame(**span_of(c, others, other)))
    return list(zip(one, two, strict=True))


@outcome("{pages} of {area} is/are marked exclusive")
def marked(c: Context, pages: Pages, area: Area) -> None:
    """PageAnonExclusive is set for each page."""
    compare(c, protocol.AnonExclusive(**span_of(c, pages, area)), True, "marked exclusive")


@outcome("{pages} of {area} is/are not marked exclusive")
def not_marked(c: Context, pages: Pages, area: Area) -> None:
    """PageAnonExclusive is clear for each page."""
    compare(c, protocol.AnonExclusive(**span_of(c, pages, area)), False, "not marked exclusive")


@outcome("{pages} of {area} is/are mapped writable")
def mapped_writable(c: Context, pages: Pages, area: Area) -> None:
    """The entry of each page allows writing."""
    _writable(c, pages, area, True)


@outcome("{pages} of {area} is/are mapped read-only")
def mapped_read_only(c: Context, pages: Pages, area: Area) -> None:
    """The entry of each page is present and forbids writing, whatever the VMA allows."""
    _writable(c, pages, area, False)


def _writable(c: Context, pages: Pages, area: Area, wanted: bool) -> None:
    span = span_of(c, pages, area)
    first, count = int(span["first"]), int(span["count"])
    if "entry-writable" in c.capabilities:
        compare(c, protocol.Writable(**span), wanted, "mapped writable" if wanted else "mapped read-only")
        return
    try:
        entries: list[dict[str, Any]] = c.do(protocol.State())["processes"][area.process]["regions"][area.region][
            "entries"
        ]
        runs = [(int(e["first"]), int(e["count"]), e["kind"], e.get("writable")) for e in entries]
    except (KeyError, TypeError, ValueError) as e:
        raise Unsupported(f"state: it does not tell which entries are writable ({e!r} is missing)") from None
    words = "mapped writable" if wanted else "mapped read-only"
    for page in range(first, first + count):
        kind, writable = next(((k, w) for f, n, k, w in runs if f <= page < f + n), ("none", None))
        if kind in ("none", "swap") or bool(writable) is not wanted:
            how = {None: "", False: ", read-only", True: ", writable"}[writable]
            raise Mismatch(words, f"{kind}{how} at page {page}")


@operation("KSM merges what it can")
def ksm(c: Context) -> None:
    """KSM scans everything that is MADV_MERGEABLE until it merges nothing more."""
    c.do(protocol.KsmScan())


@outcome("{pages} of {area} is/are {flag} page(s)")
def page_flag(c: Context, pages: Pages, area: Area, flag: str) -> None:
    """Each page has the flag, as /proc/kpageflags shows it."""
    for index, flags in enumerate(c.do(protocol.PageFlags(**span_of(c, pages, area)))):
        if flag not in flags:
            raise Mismatch(f"flag {flag}", f"{flags} at page {pages.first + index}")


@outcome("{pages} of {area} is a/an {flag} page")
def page_is_a(c: Context, pages: Pages, area: Area, flag: str) -> None:
    """The page has the flag, as /proc/kpageflags shows it."""
    page_flag(c, pages, area, flag)


@outcome("{pages} of {area} is no {flag} page", "{pages} of {area} are no {flag} pages")
def page_is_no(c: Context, pages: Pages, area: Area, flag: str) -> None:
    """No page has the flag, as /proc/kpageflags shows it."""
    for index, flags in enumerate(c.do(protocol.PageFlags(**span_of(c, pages, area)))):
        if flag in flags:
            raise Mismatch(f"no flag {flag}", f"{flags} at page {pages.first + index}")


@outcome("pipe {name} holds {token} or {token}")
def pipe_holds_either(c: Context, pipe: str, one: str, other: str) -> None:
    """Read the whole pipe: each page holds one of the two, and which is noted.  The references are dropped."""
    values = c.do(protocol.ReadPipe(pipe=pipe))
    for index, seen in enumerate(values):
        if seen not in (one, other):
            raise Mismatch(f"{one!r} or {other!r}", f"{seen!r} at page {index}")
    c.note(f"pipe {pipe} holds {one!r} or {other!r}: seen {', '.join(repr(v) for v in sorted(set(values)))}")


@operation("{process} reads {pages} with process_vm_readv")
def process_vm_readv(c: Context, process: str, pages: Pages) -> None:
    """process_vm_readv(2) from the process's own pages: a short FOLL_PIN for reading."""
    c.do(protocol.ProcessVmReadv(**c.span(process, pages)))


@operation("{process} reads {pages} through its mem file")
def read_proc_mem(c: Context, process: str, pages: Pages) -> None:
    """Read the process's own pages through /proc/PID/mem: a short FOLL_GET."""
    c.do(protocol.ReadProcMem(**c.span(process, pages)))


@operation("{process} writes {token} to {pages} through its mem file")
def write_proc_mem(c: Context, process: str, value: str, pages: Pages) -> None:
    """Write the process's own pages through /proc/PID/mem: FOLL_FORCE|FOLL_WRITE, protection does not matter."""
    c.do(protocol.WriteProcMem(**c.span(process, pages), value=value))


@operation("{process} tries to write {token} to {pages} through its mem file")
def tries_write_proc_mem(c: Context, process: str, value: str, pages: Pages) -> None:
    """Write through /proc/PID/mem, which may fail; `it fails with …` or `it succeeds` tells."""
    c.attempt = c.send(protocol.WriteProcMem(**c.span(process, pages), value=value))
