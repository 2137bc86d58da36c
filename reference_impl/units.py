# SPDX-License-Identifier: MIT
"""Numbers that must not be mixed up, and the refusals that an operation can end in."""

from __future__ import annotations

from typing import NewType, TypeAlias

Pfn = NewType("Pfn", int)
"""Page frame number: which page of memory."""

Order = NewType("Order", int)
"""A folio of this order has 2**order pages."""

SwapSlot = NewType("SwapSlot", int)
"""A page-sized place in the swap area."""

Vpn: TypeAlias = int
"""Virtual page number: an address divided by the page size."""

PageIndex: TypeAlias = int
"""A page counted from the start of its folio, file or region."""

PageCount: TypeAlias = int
"""A number of base pages."""


class Errno(Exception):
    """A system call fails: the argument is the name of the error."""


class Signal(Exception):
    """An access faults: the argument is the name of the signal."""


class Unsupported(Exception):
    """The profile has no such thing: capability and one sentence."""

    def __init__(self, capability: str, why: str) -> None:
        super().__init__(capability, why)
        self.capability = capability
        self.why = why


class Bug(Exception):
    """The kernel stops with BUG(): one sentence says what a driver must not do."""


class BadRequest(Exception):
    """The request makes no sense: one sentence."""


def align_down(number: int, size: int) -> int:
    return number - number % size


def align_up(number: int, size: int) -> int:
    return -(-number // size) * size
