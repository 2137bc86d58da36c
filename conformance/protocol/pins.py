# SPDX-License-Identifier: MIT
"""Pins: what get_user_pages hands out to a driver, direct I/O, and what pins keep from moving."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from conformance.protocol.base import Operation, PagesOperation, PagesQuery
from conformance.protocol.names import Counter, Name, PageIndex, Token


class GetPages(PagesOperation, kw_only=True, tag="get_pages"):
    """A driver that the process has called takes pages of it with get_user_pages() or one of its kin, and holds them
    under a name until `put_pages`.  The value is how many it got, all `times` together; an error if it got none.

    get_user_pages() with how `get`, pin_user_pages() with `pin`, the functions that end in _fast() with `fast`.
    What is held belongs to the driver: it stays when the process unmaps or exits.
    """

    capability = "gup"
    answer = Counter
    hold: Name
    how: Annotated[Literal["get", "pin"], Meta(description="FOLL_GET or FOLL_PIN.")] = "get"
    write: Annotated[bool, Meta(description="FOLL_WRITE.")] = False
    longterm: Annotated[bool, Meta(description="FOLL_LONGTERM, which needs FOLL_PIN.")] = False
    force: Annotated[bool, Meta(description="FOLL_FORCE.")] = False
    fast: Annotated[bool, Meta(description="The fast way, which looks at the page table alone if that is enough.")] = (
        False
    )
    times: Annotated[int, Meta(ge=1, le=1 << 16, description="How often, one after the other.")] = 1
    gup_test: Annotated[
        bool,
        Meta(
            description="The kernel's own gup_test takes them, in place of a driver: FOLL_PIN with FOLL_LONGTERM, "
            "once. Needs the capability `gup-test`."
        ),
    ] = False


class PutPages(Operation, kw_only=True, tag="put_pages"):
    """The driver gives back all that it holds under a name: put_page() or unpin_user_page() for each page."""

    capability = "gup"
    hold: Name


class ReadHeld(Operation, kw_only=True, tag="read_held"):
    """What the driver reads now in each page that it holds under a name."""

    capability = "gup"
    answer = list[Token]
    hold: Name


class WriteHeld(Operation, kw_only=True, tag="write_held"):
    """The driver writes to each page that it holds under a name, as a device would."""

    capability = "gup"
    hold: Name
    value: Token


class _DirectIo(PagesOperation):
    """pread(2) or pwrite(2) with O_DIRECT."""

    file: Name
    at: Annotated[PageIndex, Meta(description="The page of the file at which it starts.")] = 0


class DirectWrite(_DirectIo, kw_only=True, tag="direct_write"):
    """pwrite(2) with O_DIRECT from the pages to a file on a disk: the device reads the pages."""

    capability = "direct-io"


class DirectRead(_DirectIo, kw_only=True, tag="direct_read"):
    """pread(2) with O_DIRECT from a file on a disk into the pages: the device writes to them."""

    capability = "direct-io"


class Migrate(PagesOperation, kw_only=True, tag="migrate"):
    """move_pages(2) of each page to the other of two NUMA nodes.  The value says what came of each page.

    moved: it is there.  kept: the kernel tried and the page is where it was.  Else the status of the page, which says
    why it was not tried.  The second node has memory of ZONE_MOVABLE, if there is the capability `zone-movable`.
    """

    capability = "migrate"
    answer = list[Literal["moved", "kept", "EACCES", "EAGAIN", "EBUSY", "EFAULT", "EINVAL", "EIO", "ENOENT", "ENOMEM"]]
    everybodys: Annotated[bool, Meta(description="MPOL_MF_MOVE_ALL: also pages that others map, too.")] = False


class Pincount(PagesQuery, kw_only=True, tag="pincount"):
    """_pincount of each page's folio; 0 for a small folio, which has none."""

    capability = "pincount"
    answer = list[Counter]


class MaybeDmaPinned(PagesQuery, kw_only=True, tag="maybe_dma_pinned"):
    """folio_maybe_dma_pinned() of each page's folio."""

    capability = "maybe-dma-pinned"
    answer = list[bool]
