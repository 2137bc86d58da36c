# SPDX-License-Identifier: MIT
"""Chapter mixedmap: pages that a driver inserts, counted like any mapped page, beside raw page frame numbers.

Source: mm/memory.c (validate_page_before_insert, insert_page_into_pte_locked, vm_insert_page, insert_pages,
__vm_map_pages, __vm_insert_mixed, vm_mixed_ok, vmf_insert_page_mkwrite), mm/vmalloc.c (remap_vmalloc_range_partial),
mm/huge_memory.c (vmf_insert_folio_pmd).
"""

from __future__ import annotations

from . import pfnmap
from .device import Device
from .folio import Folio, Place
from .kernel import Kernel
from .mm import Leaf, Mm, mk_pte
from .units import Bug, Errno, PageCount, PageIndex, Vpn, align_down
from .vma import DONTDUMP, DONTEXPAND, MIXEDMAP, PFNMAP, Vma


class NotAll(Errno):
    """vm_insert_pages() has stopped: so many pages are not mapped."""

    def __init__(self, name: str, left: PageCount) -> None:
        super().__init__(name)
        self.left = left


def insert_page(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, device: Device, page: PageIndex, *, write: bool = False) -> None:
    """insert_page: one entry for one page, with everything that an entry counts.  Raises Errno.

    write: vmf_insert_page_mkwrite for a store; an entry for the same page is made writable.
    """
    place = device.place(page)
    assert place is not None
    folio = place.folio
    # check
    special_zero = _check_page(k, vma, device, folio)
    entry = mm.table.get(vpn)
    if entry is not None:
        # rule: mixedmap.occupied, mixedmap.mkwrite-occupied
        if not write or not isinstance(entry, Leaf):
            raise Errno("EBUSY")
        if entry.folio is not folio or entry.page != place.page:
            if entry.kind != "zero":
                k.log.warn("insert_page_into_pte_locked")
            raise Errno("EFAULT")
        mm.table.put(vpn, vpn + 1, entry._replace(writable=vma.may_write))
        return
    writable = vma.shared and vma.may_write
    if special_zero:
        # rule: mixedmap.zero-page
        # count: nothing; a special entry.
        mm.table.put(vpn, vpn + 1, Leaf("zero", k.zero, 0, False, False))
        return
    # count
    # rule: mixedmap.counted, driver_pages.by-entry, driver_pages.folio, driver_pages.file-bucket
    change = k.counting.map_ptes(folio, place.page, 1, mm)
    # map
    mm.table.put(vpn, vpn + 1, mk_pte("pte", folio, place.page, writable=writable, dirty=write))
    # account
    k.get(folio)
    k.account_mapped(folio, change)
    mm.add_rss(folio, 1)


def _check_page(k: Kernel, vma: Vma, device: Device, folio: Folio) -> bool:
    """validate_page_before_insert: Errno, or whether a special entry for the zero page is to be made."""
    # rule: driver_pages.accept-reference, driver_pages.accept-kind
    if folio.refcount == 0 or device.frozen or device.memory == "slab":
        raise Errno("EINVAL")
    if folio.kind == "zero":
        if k.profile["mixedmap.zero-page"] == "counted":
            return False
        if not zero_allowed(k, vma):
            raise Errno("EINVAL")
        return True
    if folio.anon:
        raise Errno("EINVAL")
    return False


def zero_allowed(k: Kernel, vma: Vma) -> bool:
    """vm_mixed_zeropage_allowed: nobody can ever write to the zero page through the mapping."""
    # rule: mixedmap.zero-page-where
    return k.profile["mixedmap.zero-page"] == "counted" or vma.cow or (vma.never_writable and not vma.may_write)


def set_mixedmap(k: Kernel, vma: Vma, *, in_mmap: bool, pages: bool) -> None:
    """vm_insert_page and vm_insert_pages set VM_MIXEDMAP, which is allowed in the mmap handler only."""
    # rule: mixedmap.insert-contract
    if vma.flags & MIXEDMAP:
        return
    lenient = pages and k.profile["mixedmap.insert-pages-pfnmap"] == "warning"
    if not in_mmap and not lenient:
        raise Bug("vm_insert_page() outside of the mmap handler needs VM_MIXEDMAP.")
    if vma.flags & PFNMAP and not lenient:
        raise Bug("vm_insert_page() does not go together with VM_PFNMAP.")
    if not in_mmap:
        k.log.warn("vm_flags_set", "include/linux/rwsem.h")  # mmap_lock is not held for writing
    # rule: mixedmap.insert-flags
    vma.flags |= MIXEDMAP


def vm_insert_page(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, device: Device, page: PageIndex, *, in_mmap: bool) -> None:
    """One page.  Raises Errno, Bug."""
    # rule: mixedmap.outside
    if not vma.first <= vpn < vma.end:
        raise Errno("EFAULT")
    place = device.place(page)
    assert place is not None
    if place.folio.refcount == 0 and k.profile["mixedmap.reference-check"] == "first":
        raise Errno("EINVAL")
    set_mixedmap(k, vma, in_mmap=in_mmap, pages=False)
    insert_page(k, mm, vma, vpn, device, page)


def vm_insert_pages(
    k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, device: Device, page: PageIndex, count: PageCount, *, in_mmap: bool
) -> None:
    """Several pages; what was mapped before an error stays.  Raises NotAll, Bug."""
    # rule: mixedmap.outside
    if vpn < vma.first or vpn + count > vma.end:
        raise NotAll("EFAULT", count)
    set_mixedmap(k, vma, in_mmap=in_mmap, pages=True)
    for i in range(count):
        try:
            insert_page(k, mm, vma, vpn + i, device, page + i)
        except Errno as error:
            # rule: mixedmap.insert-pages-left, driver_pages.accept-undone
            raise NotAll(str(error.args[0]), count - i) from None


def vm_map_pages(k: Kernel, mm: Mm, vma: Vma, device: Device, offset: PageIndex) -> None:
    """The whole VMA from an array of pages: it may be longer than the VMA, never shorter."""
    # rule: mixedmap.map-pages-bounds
    count = vma.end - vma.first
    if offset >= device.count or count > device.count - offset:
        raise Errno("ENXIO")
    vm_insert_pages(k, mm, vma, vma.first, device, offset, count, in_mmap=True)


def remap_vmalloc_range(k: Kernel, mm: Mm, vma: Vma, device: Device, page: PageIndex, count: PageCount) -> None:
    """vmalloc_user() memory, page by page."""
    # rule: mixedmap.vmalloc-user
    if device.memory != "vmalloc_user" or page + count > device.count:
        raise Errno("EINVAL")
    for i in range(count):
        vm_insert_page(k, mm, vma, vma.first + i, device, page + i, in_mmap=True)
    # rule: mixedmap.vmalloc-flags
    vma.flags |= DONTEXPAND | DONTDUMP


def vmf_insert_mixed(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, device: Device, page: PageIndex, *, write: bool) -> str:
    """A page frame number: raw where the architecture has pte_special, else counted if there is a struct page."""
    place = device.place(page)
    assert place is not None
    # rule: mixedmap.mixed-contract
    zero = place.folio.kind == "zero"
    if not vma.flags & MIXEDMAP and not zero:
        if k.profile["mixedmap.without-flag"] == "bug":
            raise Bug("vmf_insert_mixed() needs VM_MIXEDMAP.")
        return "VM_FAULT_SIGBUS"
    if not vma.first <= vpn < vma.end:
        return "VM_FAULT_SIGBUS"
    if zero and (not zero_allowed(k, vma) or (write and k.profile["mixedmap.zero-page"] == "special")):
        return "VM_FAULT_SIGBUS"
    # rule: mixedmap.mixed-not-special
    if not k.profile.pte_special and place.folio.kind != "mmio":
        try:
            insert_page(k, mm, vma, vpn, device, page, write=write)
        except Errno as error:
            return "VM_FAULT_NOPAGE" if error.args[0] == "EBUSY" else "VM_FAULT_SIGBUS"
        return "VM_FAULT_NOPAGE"
    entry = mm.table.get(vpn)
    if entry is not None:
        # rule: mixedmap.mixed-occupied
        same = isinstance(entry, Leaf) and entry.folio is place.folio and entry.page == place.page
        if write and same and isinstance(entry, Leaf):
            mm.table.put(vpn, vpn + 1, entry.mkdirty(writable=vma.may_write))
        elif write and isinstance(entry, Leaf) and entry.kind != "zero":
            k.log.warn("insert_pfn")
        return "VM_FAULT_NOPAGE"
    # rule: mixedmap.mixed-raw
    # count: nothing, also where there is a struct page.
    # map
    if zero:
        mm.table.put(vpn, vpn + 1, Leaf("zero", k.zero, 0, False, False))
    else:
        pfnmap.put_raw(mm, vma, vpn, 1, place)
        if write:
            made = mm.table.get(vpn)
            assert isinstance(made, Leaf)
            mm.table.put(vpn, vpn + 1, made.mkdirty(writable=vma.may_write))
    # account: nothing.
    return "VM_FAULT_NOPAGE"


def vmf_insert_page(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, device: Device, page: PageIndex) -> str:
    """The wrapper of vm_insert_page for fault handlers: an occupied slot is a success."""
    try:
        vm_insert_page(k, mm, vma, vpn, device, page, in_mmap=False)
    except Errno as error:
        return fault_code(error)
    return "VM_FAULT_NOPAGE"


def vmf_insert_page_mkwrite(
    k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, device: Device, page: PageIndex, *, write: bool
) -> str:
    """As vmf_insert_page, in any VMA; for a store the entry is writable at once."""
    if not vma.first <= vpn < vma.end:
        return "VM_FAULT_SIGBUS"
    try:
        insert_page(k, mm, vma, vpn, device, page, write=write)
    except Errno as error:
        return fault_code(error)
    return "VM_FAULT_NOPAGE"


def fault_code(error: Errno) -> str:
    """vmf_error and its kin: -EBUSY is VM_FAULT_NOPAGE, all else SIGBUS."""
    return "VM_FAULT_NOPAGE" if error.args[0] == "EBUSY" else "VM_FAULT_SIGBUS"


def vmf_insert_folio_pmd(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, place: Place) -> str:
    """A whole folio by one PMD: one reference, one entire mapping, RSS of all its pages."""
    size = k.profile.pmd_pages
    start = align_down(vpn, size)
    folio = place.folio
    # check
    # rule: mixedmap.folio-pmd-fits
    if folio.order != k.profile.pmd_order:
        k.log.warn("vmf_insert_folio_pmd", "mm/huge_memory.c")
        return "VM_FAULT_SIGBUS"
    if start < vma.first:
        return "VM_FAULT_SIGBUS"
    if not mm.pmd_none(vpn):
        return "VM_FAULT_NOPAGE"
    # count
    # rule: mixedmap.folio-pmd
    change = k.counting.map_pmd(folio, mm)
    # map
    mm.table.put(start, start + size, Leaf("pmd", folio, 0, vma.shared and vma.may_write, False))
    # account
    k.get(folio)
    k.account_mapped(folio, change)
    mm.add_rss(folio, folio.pages)
    return "VM_FAULT_NOPAGE"
