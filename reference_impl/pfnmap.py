# SPDX-License-Identifier: MIT
"""Chapter pfnmap: entries that hold a page frame number and nothing else.

Source: mm/memory.c (remap_pfn_range_internal, remap_pte_range, vmf_insert_pfn_prot, insert_pfn, vm_iomap_memory),
mm/huge_memory.c (vmf_insert_pfn_pmd, insert_pmd).
"""

from __future__ import annotations

from .device import Device
from .folio import Place
from .kernel import Kernel
from .mm import Leaf, Mm
from .units import Bug, Errno, PageCount, PageIndex, Signal, Unsupported, Vpn, align_down
from .vma import DONTDUMP, DONTEXPAND, IO, MIXEDMAP, PFNMAP, Vma

REMAP_FLAGS = IO | PFNMAP | DONTEXPAND | DONTDUMP
"""What remap_pfn_range sets (7.3: VMA_REMAP_FLAGS)."""


def remap_pfn_range(
    k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, device: Device, first: PageIndex, count: PageCount, *, in_mmap: bool
) -> None:
    """Map `count` consecutive pages of a device, whatever is behind the numbers.  Raises Errno, Bug.

    in_mmap: mmap_lock is held for writing, as in an mmap handler.
    """
    # check
    end = vpn + count
    whole = (vpn, end) == (vma.first, vma.end)
    # rule: pfnmap.private-whole
    if vma.cow and not whole:
        raise Errno("EINVAL")
    # rule: pfnmap.remap-twice, pfnmap.remap-occupied
    if whole and vma.tracked and k.profile["pfnmap.remap-twice"] == "refused":
        raise Errno("EINVAL")
    if mm.table.any(vpn, end):
        raise Bug("remap_pfn_range() maps where something is mapped.")
    # rule: pfnmap.remap-flags
    if not in_mmap and k.profile["pfnmap.remap-locked"] == "warning":
        k.log.warn("vm_flags_set", "include/linux/rwsem.h")  # mmap_lock is not held for writing
    vma.flags |= REMAP_FLAGS
    vma.tracked |= whole and k.profile.pte_special  # as x86 has both
    # rule: pfnmap.private-offset
    if vma.cow:
        place = device.place(first)
        assert place is not None
        vma.offset = place.folio.pfn + place.page
    # rule: pfnmap.no-refcount, pfnmap.no-rss, pfnmap.any-pfn, pfnmap.eager
    # count: nothing.  No reference, no mapcount: that is what VM_PFNMAP means.
    # map
    for start, stop, place in device.pages.over(first, first + count):
        put_raw(mm, vma, vpn + start - first, stop - start, place)
    # account: nothing; raw entries are in no RSS.


def put_raw(mm: Mm, vma: Vma, vpn: Vpn, count: PageCount, place: Place) -> None:
    """Set special PTEs: of a private mapping they are read-only, so that the first write copies."""
    writable = vma.shared and vma.may_write and not vma.wants_writenotify
    mm.table.put(vpn, vpn + count, Leaf("raw", place.folio, place.page, writable, False))


def vmf_insert_pfn(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, place: Place) -> str:
    """One page frame number, at a fault.  The fault code; raises Bug."""
    check_insert_pfn(vma, place)
    # rule: pfnmap.insert-outside
    if not vma.first <= vpn < vma.end:
        return "VM_FAULT_SIGBUS"
    # rule: pfnmap.insert-occupied, pfnmap.insert-lazy
    if mm.table.any(vpn, vpn + 1):
        return "VM_FAULT_NOPAGE"
    # count: nothing.
    # map
    put_raw(mm, vma, vpn, 1, place)
    # account: nothing.
    return "VM_FAULT_NOPAGE"


def check_insert_pfn(vma: Vma, place: Place, *, pmd: bool = False) -> None:
    """The BUG_ONs of vmf_insert_pfn_prot and vmf_insert_pfn_pmd."""
    # rule: pfnmap.insert-contract, pfnmap.insert-mixed-device
    flags = vma.flags & (PFNMAP | MIXEDMAP)
    if flags not in (PFNMAP, MIXEDMAP):
        raise Bug("vmf_insert_pfn() needs exactly one of VM_PFNMAP and VM_MIXEDMAP.")
    if flags == PFNMAP and vma.cow:
        raise Bug("vmf_insert_pfn() cannot map into a private mapping.")
    if flags == MIXEDMAP and place.folio.kind != "mmio" and not pmd:
        raise Bug("vmf_insert_pfn() with VM_MIXEDMAP takes no page that has a struct page.")


def vmf_insert_pfn_pmd(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, place: Place) -> str:
    """A PMD of page frame numbers; `place` is for the page `vpn`.  The fault code; raises Bug."""
    size = k.profile.pmd_pages
    start = align_down(vpn, size)
    # check
    check_insert_pfn(vma, place, pmd=True)
    if k.profile["pfnmap.pmd"] == "unmarked":
        raise Unsupported("driver-functions", f"{k.profile.name} has no PMD that says that it is raw.")
    if start < vma.first:
        return "VM_FAULT_SIGBUS"
    if not mm.pmd_none(vpn):
        return "VM_FAULT_NOPAGE"
    # rule: pfnmap.huge-entry
    # count: nothing.
    # map
    writable = vma.shared and vma.may_write
    mm.table.put(start, start + size, Leaf("raw-pmd", place.folio, place.page - (vpn - start), writable, False))
    # account: nothing.
    return "VM_FAULT_NOPAGE"


def write_fault(mm: Mm, vma: Vma, vpn: Vpn, entry: Leaf) -> None:
    """wp_pfn_shared: a store through a read-only raw entry of a shared mapping asks vm_ops->pfn_mkwrite, if any."""
    check_store(vma, vpn)
    mm.table.put(vpn, vpn + 1, entry.mkdirty(writable=True))


def check_store(vma: Vma, vpn: Vpn) -> None:
    """vm_ops->page_mkwrite and pfn_mkwrite, which may refuse a store: SIGBUS."""
    limit = vma.driver.writable_pages if vma.driver is not None else None
    if limit is not None and vma.file_page(vpn) >= limit:
        raise Signal("SIGBUS")
