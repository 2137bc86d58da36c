# SPDX-License-Identifier: MIT
"""Memory that parts of the kernel offer to user space: which driver each is like, in each profile.

Source: net/packet/af_packet.c, net/xdp/xsk.c, io_uring/memmap.c, kernel/events/core.c, kernel/bpf/arraymap.c,
ringbuf.c and arena.c, kernel/trace/ring_buffer.c, net/ipv4/tcp.c, virt/kvm/kvm_main.c, fs/aio.c, mm/secretmem.c,
lib/vdso/datastore.c, drivers/pci/mmap.c.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import driver_pages, mixedmap, unmap
from .device import Device, Driver
from .folio import Place
from .kernel import Kernel
from .mm import Mm
from .units import BadRequest, Errno, Order, PageCount, Unsupported
from .vma import DONTCOPY, DONTDUMP, DONTEXPAND, IO, LOCKED, MIXEDMAP, PFNMAP, Protection, Vma

REMAPPED = DONTEXPAND | DONTDUMP
OWN = ("vvar", "aio_ring")
"""What a process has of its own; the pages of the vdso are the same for all."""


@dataclass(frozen=True)
class Interface:
    """What it allocates, how its mmap handler maps that, and what it allows."""

    memory: str
    pages: PageCount
    function: str
    flags: int = 0
    order: int = 0
    protection: Protection = "read-write"
    never_writable: bool = False
    private: str = ""
    """The error of MAP_PRIVATE; empty if it is allowed."""
    only_private: bool = False
    driver: Mapping[str, object] = field(default_factory=dict)
    """Fields of Driver."""


def _perf(k: Kernel) -> Interface:
    refuses = {"refuses_split": True, "notified": True, "writable_pages": 1}
    if k.profile["driver_pages.perf-ring"] == "fault":
        return Interface("pages", 5, "fault", DONTCOPY | REMAPPED, private="EINVAL", driver=refuses)
    flags = DONTCOPY | REMAPPED | PFNMAP | IO
    return Interface("pages", 5, "remap_pfn_range", flags, private="EINVAL", driver=refuses)


def _vvar(k: Kernel) -> Interface:
    own = {"refuses_split": True, "named": True, "fileless": True}
    flags = REMAPPED | (PFNMAP | IO if k.profile["driver_pages.vvar"] == "pfnmap" else MIXEDMAP)
    function = "vmf_insert_pfn" if flags & PFNMAP else "fault"
    if flags & PFNMAP:
        own["unreadable"] = (1, 3)  # type: ignore[assignment]
    return Interface(
        "pages", 4, function, flags, protection="read", never_writable=True, only_private=True, driver={**own}
    )


def look_up(k: Kernel, name: str, pages: PageCount | None) -> Interface:
    """The interface as kernels of this profile have it.  Raises Unsupported."""
    p = k.profile
    vmalloc = ("vmalloc_user", "remap_vmalloc_range")
    match name:
        case "packet_ring":
            return Interface("pages", pages or 4, "vm_insert_page")
        case "xdp_ring":
            if p["driver_pages.xdp-ring"] == "remap_pfn_range":
                return Interface("pages", 2, "remap_pfn_range")
            return Interface(vmalloc[0], 2, vmalloc[1])
        case "io_uring_ring":
            return Interface("compound", 3, "vm_insert_pages", DONTEXPAND, order=2, driver={"refuses_move": True})
        case "perf_ring":
            return _perf(k)
        case "bpf_array":
            if p["driver_pages.bpf-array"] == "lazy":
                return Interface("vmalloc_user", pages or 4, "fault", REMAPPED | MIXEDMAP, private="EINVAL")
            return Interface(vmalloc[0], pages or 4, vmalloc[1], private="EINVAL")
        case "bpf_ringbuf":
            return Interface(vmalloc[0], 5, vmalloc[1], protection="read", never_writable=True)
        case "bpf_arena":
            if p["driver_pages.bpf-arena"] == "no":
                raise Unsupported("interface-bpf-arena", f"Linux {p.kernel} has no BPF arena.")
            traits = {"refuses_split": True, "refuses_move": True}
            return Interface("pages", 4, "fault", DONTEXPAND | DONTCOPY, private="EINVAL", driver={**traits})
        case "tracing_ring":
            if p["driver_pages.tracing-ring"] == "no":
                raise Unsupported("interface-tracing-ring", f"Linux {p.kernel} cannot map the tracing ring.")
            flags = DONTCOPY | REMAPPED
            return Interface(
                "pages", 3, "vm_insert_pages", flags, protection="read", never_writable=True, private="EPERM",
                driver={"refuses_split": True, "opened_to_read": True},
            )  # fmt: skip
        case "tcp_receive":
            return Interface("packets", 16, "none", MIXEDMAP, protection="read", never_writable=True)
        case "kvm_vcpu":
            return Interface("pages", 3, "fault")
        case "aio_ring":
            flags = DONTEXPAND | (DONTCOPY if p["driver_pages.aio-ring"] == "not-inherited" else 0)
            return Interface("pages", 3, "fault", flags, driver={"cached": True, "notified": True})
        case "secretmem":
            flags = DONTDUMP | (LOCKED if p["driver_pages.secretmem"] == "locked" else 0)
            return Interface(
                "pages", pages or 4, "fault", flags, private="EINVAL", driver={"no_gup": True, "cached": True}
            )
        case "vvar":
            return _vvar(k)
        case "vdso":
            own = {"refuses_split": True, "named": True, "fileless": True}
            return Interface("reserved", 2, "fault", DONTEXPAND, protection="read", only_private=True, driver={**own})
        case "pci_bar":
            return Interface("mmio", 4, "io_remap_pfn_range", driver={"access": True})
    raise BadRequest(f"There is no interface {name}.")


def map_interface(
    k: Kernel, mm: Mm, region: str, name: str, pages: PageCount | None, sharing: str, device_name: str | None
) -> PageCount:
    """mmap(2) of it.  What has the same device name is the same memory."""
    interface = look_up(k, name, pages)
    # check
    # rule: driver_pages.interface-private
    if sharing == "private" and interface.private:
        raise Errno(interface.private)
    if interface.only_private:
        sharing = "private"
    key = name if name == "vdso" else f"{mm.name if name in OWN or device_name is None else device_name} {name}"
    device = k.devices.get(key) or _make(k, key, name, interface)
    # count, map, account: as a driver does that maps so.
    driver = Driver(device, interface.function, **interface.driver)  # type: ignore[arg-type]
    vma = driver_pages.map_device(
        k, mm, region, driver, device.count, offset=0, sharing=sharing, protection=interface.protection,
        flags=interface.flags, never_writable=interface.never_writable, part=None, skew=0,
    )  # fmt: skip
    if name == "pci_bar":
        place = device.place(0)
        assert place is not None
        vma.offset = place.folio.pfn
    return device.count


def _make(k: Kernel, key: str, name: str, interface: Interface) -> Device:
    if name == "io_uring_ring":
        device = driver_pages.create(k, key, "compound", 1 << interface.order, Order(interface.order))
        device.pages.clear(interface.pages, device.count)
        device.count = interface.pages
    elif name == "bpf_ringbuf":
        # The producer's position, then the data pages twice in a row.
        device = driver_pages.create(k, key, interface.memory, 3, Order(0))
        for page in (1, 2):
            place = device.place(page)
            assert place is not None
            device.pages.put(page + 2, page + 3, Place(place.folio, place.page))
        device.count = 5
    else:
        device = driver_pages.create(k, key, interface.memory, interface.pages, Order(0))
    if name == "vdso":
        # Processes that are not in the scenario map it too.
        device.lasting = True
        for folio, _ in device.held:
            k.account_mapped(folio, k.counting.map_ptes(folio, 0, 1, Mm("init", 0, k.profile.pmd_pages)))
            k.get(folio)
    return device


def receive(k: Kernel, mm: Mm, vma: Vma, pages: PageCount) -> PageCount:
    """TCP_ZEROCOPY_RECEIVE: what was mapped before goes, pages of packets come in their place."""
    driver = vma.driver
    if driver is None or driver.function != "none":
        raise Errno("EINVAL")
    count = min(pages, vma.end - vma.first)
    packets = [k.alloc(0, "driver") for _ in range(count)]
    for page, folio in enumerate(packets):
        driver.device.pages.put(page, page + 1, Place(folio, 0))
    unmap.zap(k, mm, vma.first, vma.first + count)
    mixedmap.vm_insert_pages(k, mm, vma, vma.first, driver.device, 0, count, in_mmap=False)
    # The packets are consumed: only the mapping holds their pages.
    for folio in packets:
        k.put(folio)
    return count
