# SPDX-License-Identifier: MIT
"""References: who takes them without a mapping, what shares them, and how many are expected."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from conformance.protocol.base import Operation, PagesQuery
from conformance.protocol.names import Counter, Name, PageCount, PageIndex, ProcessName


class AddReferences(Operation, kw_only=True, tag="add_references"):
    """Somebody takes references to the folio of a page and holds them: folio_ref_add(), which checks nothing."""

    capability = "add-references"
    process: ProcessName
    region: Name
    first: PageIndex = 0
    number: Annotated[
        int, Meta(ge=1, le=(1 << 31) - 1, description="How many references. Enough of them make the counter negative.")
    ]
    hold: Annotated[Name, Meta(description="What the references are dropped by. One name holds one folio.")]


class DropReferences(Operation, kw_only=True, tag="drop_references"):
    """All references of a hold are dropped: folio_put_refs()."""

    capability = "add-references"
    hold: Name


class Tee(Operation, kw_only=True, tag="tee"):
    """tee(2) of a whole pipe into a new pipe, which then holds a reference of its own to each page.

    The value is how many pages the new pipe got, from the first on.  Without any it is an error, and there is no new
    pipe.
    """

    capability = "tee"
    answer = PageCount
    pipe: Name
    to: Annotated[Name, Meta(description="The new pipe.")]


class FuseSplice(Operation, kw_only=True, tag="fuse_splice"):
    """splice(2) of half a page from a pipe to /dev/fuse.  The pipe keeps the other half, so both need a reference.

    The pipe has one page.  ok: FUSE had a look at the data, whatever it says of them.  The pipe is closed afterwards.
    """

    capability = "fuse-splice"
    pipe: Name


class ExpectedRefcount(PagesQuery, kw_only=True, tag="expected_refcount"):
    """folio_expected_ref_count() of each page's folio: what mappings and caches hold."""

    capability = "expected-refcount"
    answer = list[Counter]
