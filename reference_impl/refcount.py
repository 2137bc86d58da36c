# SPDX-License-Identifier: MIT
"""Chapter refcount: who checks the counter before taking a reference, who does not, and how many are expected.

Source: include/linux/page_ref.h (folio_ref_add, folio_put_refs), include/linux/mm.h (try_get_page, folio_get,
folio_expected_ref_count), mm/gup.c (try_get_folio, try_grab_folio; 6.1: try_grab_page).
"""

from __future__ import annotations

from .folio import Folio
from .kernel import Kernel
from .mm import Leaf, Mm
from .units import BadRequest, Errno, Vpn


def try_get(k: Kernel, folio: Folio, function: str = "try_grab_folio", file: str = "mm/gup.c") -> bool:
    """try_get_page, try_grab_folio: whether there may be one more reference.  It is not taken here.

    The check comes before the addition, so the one that crosses the limit succeeds.  function, file: where the kernel
    warns.
    """
    # rule: refcount.limit-gup, refcount.limit-crossing
    if folio.refcount <= 0:
        k.log.warn(function, file)
        return False
    return True


def add_references(k: Kernel, mm: Mm, vpn: Vpn, number: int, hold: str) -> None:
    """Somebody takes so many references with folio_ref_add, as nobody should."""
    # check: nothing can refuse, that is the point; but a raw entry may lead to a page that is free.
    if hold in k.added:
        raise BadRequest(f"There is a hold {hold} already.")
    entry = mm.table.get(vpn)
    if not isinstance(entry, Leaf) or not entry.folio.refcount:
        raise Errno("EFAULT")
    # count: nothing; a reference is not a mapping.
    # map: nothing.
    # account
    # rule: refcount.expected
    k.get(entry.folio, number)
    k.added[hold] = (entry.folio, number)


def drop_references(k: Kernel, hold: str) -> None:
    """folio_put_refs of all of them."""
    if hold not in k.added:
        raise BadRequest(f"There is no hold {hold}.")
    folio, number = k.added.pop(hold)
    k.put(folio, number)
