# SPDX-License-Identifier: MIT
"""Chapter lifetime: who holds a driver's page, and how a mapping is taken back.

Source: mm/memory.c (unmap_mapping_range, should_zap_folio, zap_vma_ptes, zap_special_vma_range).
"""

from __future__ import annotations

from . import unmap
from .device import Device
from .kernel import Kernel
from .mm import Leaf, Mm, Swapped
from .units import PageCount, PageIndex, Vpn
from .vma import MIXEDMAP, PFNMAP, Vma


def free(k: Kernel, device: Device) -> None:
    """The driver drops its references.  What raw entries reach is then somebody else's memory."""
    # check: nothing looks for mappings.
    # count
    # rule: lifetime.free-counted, lifetime.free-raw, lifetime.hold-folio, lifetime.hold-gup
    device.gone = True
    held, device.held = device.held, []
    for folio, references in held:
        if device.memory == "page_cache" and folio.file is not None:
            folio.file.cache.clear(folio.index, folio.index + folio.pages)
            folio.file = None
            references += folio.pages
        k.put(folio, references)
    for _, _, (folio, _) in device.pages:
        # Pages that had no reference of their own go with the others.
        if folio.refcount == 0:
            k.folios.pop(folio.number, None)
    # map: nothing, mappings stay as they are.
    # account: nothing.


def unmap_mapping_range(k: Kernel, device: Device, first: PageIndex, count: PageCount, *, even_cows: bool) -> None:
    """Zap what maps these pages of the device in any process, found by vm_pgoff through f_mapping."""
    for mm in k.mms.values():
        for vma in list(mm.vmas):
            if vma.driver is None or vma.driver.device is not device or vma.driver.fileless:
                continue
            # rule: lifetime.revoke-offset, lifetime.revoke-rewritten, lifetime.revoke-mapping
            start = max(vma.first, vma.first + first - vma.offset)
            end = min(vma.end, vma.first + first + count - vma.offset)
            if start < end:
                _zap(k, mm, start, end, even_cows=even_cows)


def _zap(k: Kernel, mm: Mm, start: Vpn, end: Vpn, *, even_cows: bool) -> None:
    # rule: lifetime.revoke-all, lifetime.revoke-copies, lifetime.revoke-gup
    if even_cows:
        unmap.zap(k, mm, start, end)
        return
    for first, stop, entry in mm.table.over(start, end):
        if isinstance(entry, Swapped) or (isinstance(entry, Leaf) and entry.kind == "pte" and entry.folio.anon):
            continue
        unmap.zap(k, mm, first, stop)


def zap_vma(k: Kernel, mm: Mm, vma: Vma, first: Vpn, end: Vpn) -> None:
    """zap_vma_ptes, or zap_special_vma_range: silent where it does nothing."""
    # check
    # rule: lifetime.zap-silent, lifetime.zap-one, lifetime.zap-range
    flags = PFNMAP if k.profile["lifetime.zap"] == "pfnmap" else PFNMAP | MIXEDMAP
    if not vma.flags & flags or first < vma.first or end > vma.end:
        return
    # count, map, account
    unmap.zap(k, mm, first, end)
