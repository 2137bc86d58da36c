# SPDX-License-Identifier: MIT
"""Chapter driver_pages: memory that is neither anonymous nor of a file, and the drivers that map it.

Source: mm/memory.c (finish_fault, do_cow_fault), include/linux/mm.h (mm_counter_file), kernel/dma/direct.c
(dma_direct_mmap), mm/slub.c (___kmalloc_large_node), mm/util.c (mmap_action_complete).
"""

from __future__ import annotations

from . import files, mixedmap, pfnmap, unmap
from .device import Device, Driver
from .folio import File, Folio, Kind, Place
from .kernel import Kernel
from .mm import Leaf, Mm
from .units import BadRequest, Bug, Errno, Order, PageCount, PageIndex, Pfn, Signal, Unsupported, Vpn, align_down
from .vma import DONTCOPY, DONTDUMP, DONTEXPAND, IO, LOCKED, MIXEDMAP, PFNMAP, SPECIAL, Protection, Vma

FLAGS = {
    "VM_PFNMAP": PFNMAP, "VM_MIXEDMAP": MIXEDMAP, "VM_IO": IO, "VM_DONTEXPAND": DONTEXPAND,
    "VM_DONTDUMP": DONTDUMP, "VM_DONTCOPY": DONTCOPY, "VM_LOCKED": LOCKED,
}  # fmt: skip
NEEDS = {
    "vmf_insert_pfn": PFNMAP, "vmf_insert_pfn_prot": PFNMAP, "vmf_insert_pfn_pmd": PFNMAP,
    "vmf_insert_mixed": MIXEDMAP, "vmf_insert_mixed_mkwrite": MIXEDMAP, "vmf_insert_page": MIXEDMAP,
}  # fmt: skip
"""The flag that a function wants, which a driver sets in its mmap handler."""
SINCE = {
    "vmf_insert_page_mkwrite": (6, 18), "vmf_insert_folio_pmd": (6, 18), "mmap_action_remap": (7, 3),
    "mmap_action_map_kernel_pages": (7, 3),
}  # fmt: skip
HUGE = {"vmf_insert_pfn_pmd": "vmf_insert_pfn", "vmf_insert_folio_pmd": "fault"}
"""What maps a PMD, and what the driver does for one page when no PMD can be used."""
RAW = ("remap_pfn_range", "io_remap_pfn_range", "vm_iomap_memory", "dma_mmap_coherent", "mmap_action_remap")


# --- memory -----------------------------------------------------------------------------------------------


def create(k: Kernel, name: str, memory: str, count: PageCount, order: Order) -> Device:
    """A driver allocates.  Nothing is mapped."""
    if name in k.devices:
        raise BadRequest(f"There is a device {name} already.")
    device = k.devices[name] = Device(name, memory, count)
    match memory:
        case "compound":
            for first in range(0, count, 1 << order):
                _add(k, device, first, order, "driver")
        case "large_kmalloc":
            _add(k, device, 0, Order((max(count, 4) - 1).bit_length()), "driver")
            _freeze(device, k.profile["driver_pages.large-kmalloc"])
        case "slab":
            for page in range(count):
                _add(k, device, page, Order(0), "driver")
            _freeze(device, k.profile["driver_pages.slab"])
        case "packets":
            pass  # They come and go, see interfaces.receive.
        case "mmio":
            # Nobody allocates it, and there is nothing to count with.
            number = Order((count - 1).bit_length())
            size = 1 << max(number, k.profile.pmd_order)
            pfn = align_down(k.next_pfn + 2 * size, size)
            k.next_pfn = pfn + size
            device.pages.put(0, count, Place(Folio(0, Pfn(pfn), number, "mmio"), 0))
        case "zero":
            for page in range(count):
                device.pages.put(page, page + 1, Place(k.zero, 0))
        case "page_cache":
            file = File(None, "memfd", count, 0)
            for page in range(count):
                place = files.find_or_fill(k, file, page)
                place.folio.dirty = True
                k.get(place.folio)
                device.held.append((place.folio, 1))
                device.pages.put(page, page + 1, place)
        case _:
            for page in range(count):
                folio = _add(k, device, page, Order(0), "anon" if memory == "anonymous" else "driver")
                if page and memory in ("block", "coherent"):
                    # rule: driver_pages.accept-reference
                    # Pages behind the first one of a block without __GFP_COMP have no reference.
                    folio.references = 0
                    device.held.pop()
    return device


def _freeze(device: Device, references: str) -> None:
    """Frozen pages are allocated without a reference."""
    # rule: driver_pages.accept-reference
    if references == "frozen":
        device.frozen = True
        for folio, _ in device.held:
            folio.references = 0
        device.held = []


def _add(k: Kernel, device: Device, first: PageIndex, order: Order, kind: Kind) -> Folio:
    folio = k.alloc(order, kind)
    device.pages.put(first, min(first + folio.pages, device.count), Place(folio, 0))
    device.held.append((folio, 1))
    return folio


def write(device: Device, first: PageIndex, count: PageCount, value: str) -> None:
    """The driver stores to its memory, through the kernel's mapping."""
    for start, stop, (folio, page) in device.pages.over(first, first + count):
        folio.fill(page, page + stop - start, value)


def read(device: Device, first: PageIndex, count: PageCount) -> list[str]:
    """What the driver sees in its memory."""
    places = [device.pages.get(page) for page in range(first, first + count)]
    return ["" if place is None else place.folio.value(place.page) for place in places]


# --- mmap -------------------------------------------------------------------------------------------------


def map_device(
    k: Kernel, mm: Mm, name: str, driver: Driver, pages: PageCount, *, offset: PageIndex, sharing: str,
    protection: Protection, flags: int, never_writable: bool, part: PageCount | None, skew: PageCount,
) -> Vma:  # fmt: skip
    """mmap(2): a new VMA, and what the mmap handler does with it.  If that fails, the VMA is gone again."""
    # check
    function = driver.function
    _check_suits(k, driver.device, function)
    # count: whatever the handler does.
    # map
    region = mm.place(name, pages, skew)
    vma = Vma(
        name, region.first, region.first + pages, protection, sharing == "shared", None, offset, Order(0), False, flags
    )
    vma.driver, vma.never_writable = driver, never_writable
    if not vma.flags & (PFNMAP | MIXEDMAP):
        vma.flags |= NEEDS.get(function, 0)
    mm.insert(vma)
    try:
        _mmap_handler(k, mm, vma, part or pages)
    except (Errno, Bug):
        unmap.zap(k, mm, vma.first, vma.end)
        mm.remove(vma)
        del mm.regions[name]
        raise
    # account: as the entries do.
    return vma


def _check_suits(k: Kernel, device: Device, function: str) -> None:
    """Whether the kernel has the function, and whether a driver can call it at all for such memory."""
    if SINCE.get(function, (0,)) > k.profile.version:
        raise Unsupported("driver-functions", f"Linux {k.profile.kernel} has no {function}.")
    raw = function in RAW or function.startswith(("vmf_insert_pfn", "vmf_insert_mixed"))
    if device.memory == "mmio" and not raw:
        raise Unsupported("driver-functions", f"{function} takes a struct page, which device memory has not.")


def _mmap_handler(k: Kernel, mm: Mm, vma: Vma, count: PageCount) -> None:
    driver = vma.driver
    assert driver is not None
    device, first = driver.device, vma.offset
    if driver.function.startswith("mmap_action") and count > vma.end - vma.first:
        # rule: pfnmap.action-bounds
        if driver.function == "mmap_action_remap":
            k.log.warn("mmap_action_remap", "include/linux/mm.h")
        raise Errno("EFAULT")
    match driver.function:
        case "vm_insert_page":
            for i in range(count):
                _check_has(device, first + i)
                mixedmap.vm_insert_page(k, mm, vma, vma.first + i, device, first + i, in_mmap=True)
        case "vm_insert_pages" | "mmap_action_map_kernel_pages":
            _check_has(device, first + count - 1)
            mixedmap.vm_insert_pages(k, mm, vma, vma.first, device, first, count, in_mmap=True)
        case "vm_map_pages":
            mixedmap.vm_map_pages(k, mm, vma, device, first)
        case "vm_map_pages_zero":
            mixedmap.vm_map_pages(k, mm, vma, device, 0)
        case "remap_vmalloc_range":
            mixedmap.remap_vmalloc_range(k, mm, vma, device, first, count)
        case function if function in RAW:
            # rule: pfnmap.coherent
            if function == "dma_mmap_coherent" and (device.memory != "coherent" or first + count > device.count):
                raise Errno("ENXIO" if device.memory == "coherent" else "EINVAL")
            # rule: pfnmap.iomap-bounds
            if function == "vm_iomap_memory" and first + count > device.count:
                raise Errno("EINVAL")
            _check_has(device, first + count - 1)
            pfnmap.remap_pfn_range(k, mm, vma, vma.first, device, first, count, in_mmap=True)


def _check_has(device: Device, page: PageIndex) -> None:
    """What a driver that is asked for more than it has says."""
    if page >= device.count:
        raise Errno("EINVAL")


# --- faults -----------------------------------------------------------------------------------------------


def fault(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, *, write: bool) -> None:
    """A fault where nothing is mapped: vm_ops->huge_fault, vm_ops->fault, or SIGBUS if the driver has neither."""
    driver = vma.driver
    assert driver is not None
    page = vma.file_page(vpn)
    # rule: driver_pages.no-fault-handler, mixedmap.private-discard, lifetime.revoke-refault
    if not driver.faults or driver.device.gone or driver.device.place(page) is None or page in driver.unreadable:
        raise Signal("SIGBUS")
    function = driver.function
    if function in HUGE and not _asks_for_pmd(k, mm, vma, vpn, driver.device):
        # rule: pfnmap.huge-aligned, mixedmap.folio-pmd-fits
        function = HUGE[function]
    if write:
        pfnmap.check_store(vma, vpn)
    code = call(k, mm, vma, vpn, driver.device, page, function, write=write)
    if code == "VM_FAULT_SIGBUS":
        raise Signal("SIGBUS")


def _asks_for_pmd(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, device: Device) -> bool:
    """Whether the core calls vm_ops->huge_fault, and the driver has an aligned block for it."""
    size = k.profile.pmd_pages
    start = align_down(vpn, size)
    if vma.flags & SPECIAL and k.profile["pfnmap.pmd"] == "plain":
        return False  # hugepage_vma_check()
    if not mm.pmd_none(vpn) or start < vma.first or start + size > vma.end:
        return False
    place = device.place(vma.file_page(start))
    if place is None or (place.folio.pfn + place.page) % size:
        return False
    return place.folio.pages - place.page >= size


def call(
    k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, device: Device, page: PageIndex, function: str, *, write: bool = False
) -> str:
    """One of the functions that belong into fault handlers, for one page.  The fault code; raises Bug."""
    place = device.place(page)
    if place is None:
        return "VM_FAULT_SIGBUS"
    match function:
        case "fault":
            _finish_fault(k, mm, vma, vpn, place, write=write)
            return "VM_FAULT_NOPAGE"
        case "vmf_insert_pfn" | "vmf_insert_pfn_prot":
            return pfnmap.vmf_insert_pfn(k, mm, vma, vpn, place)
        case "vmf_insert_pfn_pmd":
            return pfnmap.vmf_insert_pfn_pmd(k, mm, vma, vpn, place)
        case "vmf_insert_mixed" | "vmf_insert_mixed_mkwrite":
            mkwrite = function.endswith("mkwrite")
            return mixedmap.vmf_insert_mixed(k, mm, vma, vpn, device, page, write=mkwrite)
        case "vmf_insert_page":
            return mixedmap.vmf_insert_page(k, mm, vma, vpn, device, page)
        case "vmf_insert_page_mkwrite":
            return mixedmap.vmf_insert_page_mkwrite(k, mm, vma, vpn, device, page, write=write and vma.shared)
        case "vmf_insert_folio_pmd":
            return mixedmap.vmf_insert_folio_pmd(k, mm, vma, vpn, place)
    raise BadRequest(f"{function} does not belong into a fault handler.")


def _finish_fault(k: Kernel, mm: Mm, vma: Vma, vpn: Vpn, place: Place, *, write: bool) -> None:
    """The handler has returned a page and a reference to it; the core maps it, or copies it."""
    if write and not vma.shared:
        # rule: driver_pages.fault-private
        files.cow_fault(k, mm, vma, vpn, place)
        return
    # rule: driver_pages.fault-pmd
    if k.profile["driver_pages.fault-huge"] == "pmd" and files.map_pmd(k, mm, vma, vpn, place.folio, write=write):
        return
    # rule: driver_pages.fault-counts
    # rule: driver_pages.dirty-entry
    if write:
        place.folio.dirty = True  # fault_dirty_shared_page
    files.map_pages(k, mm, vma, vpn, place.folio, place.page, 1, write=write)
    # rule: driver_pages.fault-pfnmap
    if vma.flags & PFNMAP and not vma.cow and not k.profile.pte_special:
        # It has been counted, and from now on vm_normal_page() takes it for a raw entry.
        made = mm.table.get(vpn)
        assert isinstance(made, Leaf)
        mm.table.put(vpn, vpn + 1, made._replace(kind="raw"))


def call_driver(
    k: Kernel, mm: Mm, first: Vpn, count: PageCount, device: Device, page: PageIndex, function: str, *, in_mmap: bool
) -> dict[str, object]:
    """A driver calls a function for a mapping that exists.  in_mmap: mmap_lock is held for writing."""
    vma = mm.find(first) or mm.find(first - 1)
    if vma is None:
        raise Errno("EFAULT")
    _check_suits(k, device, function)
    left = 0
    try:
        returned = _call(k, mm, vma, first, count, device, page, function, in_mmap=in_mmap)
    except mixedmap.NotAll as error:
        returned, left = f"-{error.args[0]}", error.left
    except Errno as error:
        returned = f"-{error.args[0]}"
    except Bug:
        returned = "BUG"
    return {"returned": returned, "left": left}


def _call(
    k: Kernel, mm: Mm, vma: Vma, first: Vpn, count: PageCount, device: Device, page: PageIndex, function: str,
    *, in_mmap: bool,
) -> str:  # fmt: skip
    match function:
        case "vm_insert_page":
            for i in range(count):
                mixedmap.vm_insert_page(k, mm, vma, first + i, device, page + i, in_mmap=in_mmap)
            return "0"
        case "vm_insert_pages":
            mixedmap.vm_insert_pages(k, mm, vma, first, device, page, count, in_mmap=in_mmap)
            return "0"
        case "remap_pfn_range" | "io_remap_pfn_range":
            pfnmap.remap_pfn_range(k, mm, vma, first, device, page, count, in_mmap=in_mmap)
            return "0"
        case _:
            code = ""
            store = function == "vmf_insert_page_mkwrite"
            for i in range(count):
                code = call(k, mm, vma, first + i, device, page + i, function, write=store)
                if code != "VM_FAULT_NOPAGE" or function in HUGE:
                    break
            return code
