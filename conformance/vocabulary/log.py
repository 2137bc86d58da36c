# SPDX-License-Identifier: MIT
"""Phrases for what the kernel logs.  A scenario fails if its kernel logs a complaint that none of them asks for."""

from __future__ import annotations

import re

from conformance import protocol
from conformance.engine import Context, Promise
from conformance.vocabulary import outcome
from conformance.vocabulary.types import define

_COUNTERS = {"file": "MM_FILEPAGES", "anon": "MM_ANONPAGES", "shmem": "MM_SHMEMPAGES"}
define(
    "place", r"[a-z_][a-z0-9_]*(?:/[a-z0-9_-]+)*(?:\.[ch])?", str,
    "A function of the kernel, or a source file, in which it warns.", "vm_insert_pages", "mm/memory.c", kind=str,
)  # fmt: skip


@outcome("the kernel warns in {place}")
def warns(c: Context, place: str) -> None:
    """The kernel has logged a WARNING that names this function or this source file, which is the same however the
    compiler has inlined."""
    c.answer_for(_warning(place))


@outcome("the kernel warns in {place} if it has CONFIG_DEBUG_VM")
def warns_when_checked(c: Context, place: str) -> None:
    """VM_WARN_ON: with CONFIG_DEBUG_VM the kernel has logged it, and without it is not there.  The parameter debug_vm
    says which."""
    if c.greeting.parameters.get("debug_vm"):
        c.answer_for(_warning(place))


def _warning(place: str) -> Promise:
    return Promise(
        f"a warning in {place}",
        lambda logged: logged.kind == "warning" and place in (logged.function, logged.file),
    )


@outcome("the kernel finds {count} page(s) left in {rss} of the dead process")
def bad_rss(c: Context, pages: int, rss: str) -> None:
    """`BUG: Bad rss-counter state`: an mm has ended, and one of its RSS counters still has so many pages."""
    counter = f"type:{_COUNTERS[rss]} val:{pages}"
    c.answer_for(_line("bad-rss", rf"{counter}(?!\d)", f"BUG: Bad rss-counter state {counter}"))


@outcome("{count} page(s) of the driver is/are never freed")
def leaked(c: Context, pages: int) -> None:
    """When everything has ended and all files are closed, somebody still has a reference to so many pages."""
    c.require("kernel-log")
    c.promised.append(_line("leak", rf"(?<!\d){pages} pages? of a driver", f"{pages} pages that are never freed"))


def _line(kind: protocol.LogKind, pattern: str, what: str) -> Promise:
    return Promise(what, lambda logged: logged.kind == kind and re.search(pattern, logged.text) is not None)
