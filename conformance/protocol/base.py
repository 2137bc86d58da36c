# SPDX-License-Identifier: MIT
"""What all requests have in common, and the three that every program answers."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from conformance.protocol.answers import Greeting
from conformance.protocol.names import PROTOCOL, Name, PageCount, PageIndex, ProcessName


class Request(Struct, tag_field="do", kw_only=True, forbid_unknown_fields=True):
    """What the runner sends.  `do` says which request it is."""

    seq: Annotated[int, Meta(ge=0, description="An opaque number. The answer repeats it.")] = 0

    capability: ClassVar[str | None] = None
    """What an implementation must have declared to be asked this; None: everybody answers."""
    answer: ClassVar[Any] = None
    """The type of the value in an `ok` answer; None: no value."""


class Hello(Request, kw_only=True, tag="hello"):
    """The first request.  The answer's value is a Greeting."""

    answer = Greeting

    protocol: Annotated[int, Meta(description="The version of this protocol that the runner speaks.")] = PROTOCOL
    suite: Annotated[str, Meta(description="The version of the suite, for the record.")] = ""
    profile: Annotated[
        str | None,
        Meta(description="The profile asked for. An implementation that has no choice may ignore it."),
    ] = None


class Reset(Request, kw_only=True, tag="reset"):
    """Forget everything: all processes are gone, all files deleted, all references dropped."""


class Goodbye(Request, kw_only=True, tag="goodbye"):
    """The last request.  Answer it and exit."""


class Operation(Request):
    """A request that changes something.  It is answered ok, or with the errno or signal a kernel would give."""


class Query(Request):
    """A request that looks and changes nothing."""


class ProcessQuery(Query, kw_only=True):
    """A query about one process."""

    process: ProcessName


class RegionQuery(Query, kw_only=True):
    """A query about one region of one process."""

    process: ProcessName
    region: Name


class PagesOperation(Operation, kw_only=True):
    """An operation on consecutive pages of one region of one process."""

    process: ProcessName
    region: Name
    first: PageIndex = 0
    count: PageCount = 1


class PagesQuery(Query, kw_only=True):
    """A query about consecutive pages of one region of one process; the value has one item per page."""

    process: ProcessName
    region: Name
    first: PageIndex = 0
    count: PageCount = 1
