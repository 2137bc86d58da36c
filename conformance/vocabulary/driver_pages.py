# SPDX-License-Identifier: MIT
"""Phrases for memory that a driver owns: what it is, who maps it, what is counted for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, get_args

from conformance import protocol
from conformance.engine import Context, Mismatch
from conformance.vocabulary import VocabularyError, operation, outcome
from conformance.vocabulary.memory import compare, compare_number
from conformance.vocabulary.types import DEFAULT_REGION, Area, Number, Pages, define

DEVICE = "dev"
"""The device of a scenario that has only one and does not name it."""

MEMORY: dict[str, protocol.DeviceMemory] = {
    "RAM": "pages", "reserved RAM": "reserved", "vmalloc memory": "vmalloc", "vmalloc_user memory": "vmalloc_user",
    "slab memory": "slab", "large kmalloc memory": "large_kmalloc", "coherent DMA memory": "coherent",
    "ZERO_PAGE": "zero", "anonymous memory": "anonymous", "page cache": "page_cache", "device memory": "mmio",
}  # fmt: skip
INTERFACES: dict[str, protocol.Interface] = {
    "a packet ring": "packet_ring", "an AF_XDP ring": "xdp_ring", "an io_uring ring": "io_uring_ring",
    "a perf ring": "perf_ring", "a BPF array": "bpf_array", "a BPF ring buffer": "bpf_ringbuf",
    "a BPF arena": "bpf_arena", "a tracing ring": "tracing_ring", "a TCP socket": "tcp_receive",
    "a KVM vcpu": "kvm_vcpu", "an aio ring": "aio_ring", "secret memory": "secretmem", "its vvar": "vvar",
    "its vdso": "vdso", "a PCI BAR": "pci_bar",
}  # fmt: skip
SIZED = ("packet_ring", "bpf_array", "secretmem")
"""Interfaces of which a scenario chooses the size: this many pages unless it says."""
SIZE = 4

_FLAG = "|".join(sorted(get_args(protocol.VmaFlag), key=len, reverse=True))
_FUNCTION = "|".join(
    [*sorted((f for f in get_args(protocol.DriverFunction) if f != "fault"), key=len, reverse=True), "a fault handler"]
)
_FLAGS = rf"(?:{_FLAG})(?:, (?:{_FLAG}))*(?: and (?:{_FLAG}))?"
_HANDLER = re.compile(rf"({_FUNCTION})(?:(?:,| and) ({_FLAGS}))?(?: without ({_FLAGS}))?")


@dataclass(frozen=True)
class Handler:
    """What a driver does to map: a function, flags that it sets and flags that it clears."""

    function: protocol.DriverFunction
    flags: tuple[protocol.VmaFlag, ...] = ()
    without: tuple[protocol.VmaFlag, ...] = ()


def _handler(text: str) -> Handler:
    found = _HANDLER.fullmatch(text)
    assert found, text
    function = "fault" if found[1] == "a fault handler" else found[1]
    return Handler(function, flags(found[2] or ""), flags(found[3] or ""))  # type: ignore[arg-type]


def flags(text: str) -> tuple[protocol.VmaFlag, ...]:
    """The flags that a text lists."""
    return tuple(re.findall(_FLAG, text))


define(
    "memory", "|".join(sorted(MEMORY, key=len, reverse=True)), MEMORY.__getitem__,
    "A kind of memory that a driver can have.", "RAM", "vmalloc_user memory", "device memory", kind=str,
)  # fmt: skip
define(
    "function", _FUNCTION, lambda text: _handler(text).function,
    "A function that maps driver memory.", "remap_pfn_range", "a fault handler", kind=str,
)  # fmt: skip
define(
    "handler", rf"(?:{_FUNCTION})(?:(?:,| and) {_FLAGS})?(?: without {_FLAGS})?", _handler,
    "What a driver does to map: the function that it calls, the VMA flags that it sets before and those that it clears "
    "before. `a fault handler` returns a page in vmf->page.",
    "vm_insert_page", "vmf_insert_pfn, VM_IO and VM_DONTEXPAND", "remap_pfn_range without VM_MAYWRITE", kind=Handler,
)  # fmt: skip
define(
    "flags", _FLAGS, flags,
    "VMA flags, as /proc/PID/smaps shows them.", "VM_PFNMAP", "VM_IO, VM_PFNMAP and VM_DONTDUMP", kind=tuple,
)  # fmt: skip
define(
    "how", "shared and read-only|privately and read-only|shared|privately",
    lambda text: ("shared" if text.startswith("shared") else "private",
                  "read" if text.endswith("read-only") else "read-write"),
    "MAP_SHARED or MAP_PRIVATE, and PROT_WRITE or not.", "shared", "privately and read-only", kind=tuple,
)  # fmt: skip
define(
    "rss", "RssAnon|RssFile|RssShmem", lambda text: text[3:].lower(),
    "A counter of /proc/PID/status.", "RssFile", kind=str,
)  # fmt: skip
define(
    "interface", "|".join(sorted(INTERFACES, key=len, reverse=True)), INTERFACES.__getitem__,
    "Memory that a part of the kernel offers to user space.", "a packet ring", "its vvar", kind=str,
)  # fmt: skip


# --- a driver and its memory ------------------------------------------------------------------------------


@operation("a driver has {count} page(s) of {memory}", "driver {name} has {count} page(s) of {memory}")
def driver_has(c: Context, *words: object) -> None:
    """A driver allocates memory.  It holds the reference that the allocator gave it; nothing is mapped."""
    *name, pages, memory = words
    create(c, str(name[0]) if name else DEVICE, memory, int(str(pages)))  # type: ignore[arg-type]


@operation("a driver has an order-{order} folio", "driver {name} has an order-{order} folio")
def driver_has_folio(c: Context, *words: object) -> None:
    """A driver allocates one folio, alloc_pages() with __GFP_COMP: all its pages share one reference count."""
    *name, order = words
    create(c, str(name[0]) if name else DEVICE, "compound", 1 << int(str(order)), int(str(order)))


@operation("a driver has an order-{order} block without __GFP_COMP")
def driver_has_block(c: Context, order: int) -> None:
    """A driver allocates pages in one block that is no folio: only the first has a reference."""
    create(c, DEVICE, "block", 1 << order, order)


def create(c: Context, device: str, memory: protocol.DeviceMemory, pages: int, order: int = 0) -> None:
    """Create a device and remember its size."""
    c.do(protocol.CreateDevice(device=device, memory=memory, pages=pages, order=order))
    c.devices[device] = pages


def device_span(c: Context, pages: Pages, device: str = DEVICE) -> dict[str, Any]:
    """The fields device, first and count of a request for pages of a device."""
    total = c.devices.get(device)
    if total is None:
        raise VocabularyError(f"there is no driver {device!r} here")
    count = total - pages.first if pages.count is None else pages.count
    if pages.first + count > total:
        raise VocabularyError(f"{pages} is past the end of the memory of driver {device} ({total} pages)")
    return {"device": device, "first": pages.first, "count": count}


@operation("a driver maps {count} page(s) of {memory} into {process} with {handler}")
def driver_maps(c: Context, pages: int, memory: protocol.DeviceMemory, process: str, handler: Handler) -> None:
    """A driver allocates memory, and the process maps all of it, shared and for reading and writing."""
    create(c, DEVICE, memory, pages)
    map_device(c, process, DEVICE, handler)


@operation("a driver maps an order-{order} folio into {process} with {handler}")
def driver_maps_folio(c: Context, order: int, process: str, handler: Handler) -> None:
    """A driver allocates one folio, and the process maps all of it, shared and for reading and writing."""
    create(c, DEVICE, "compound", 1 << order, order)
    map_device(c, process, DEVICE, handler)


@operation("a driver maps for {process} {count} page(s) of {memory} with {handler}")
def driver_maps_for(c: Context, process: str, pages: int, memory: protocol.DeviceMemory, handler: Handler) -> None:
    """A driver allocates memory, and the process maps all of it, shared and for reading and writing.  What is mapped,
    and how, stands together at the end, so that a row of a table can say both."""
    create(c, DEVICE, memory, pages)
    map_device(c, process, DEVICE, handler)


@operation("a driver maps for {process} an order-{order} folio with {handler}")
def driver_maps_folio_for(c: Context, process: str, order: int, handler: Handler) -> None:
    """As above, for one folio."""
    create(c, DEVICE, "compound", 1 << order, order)
    map_device(c, process, DEVICE, handler)


@operation("a driver maps privately for {process} {count} page(s) of {memory} with {handler}")
def driver_maps_privately(
    c: Context, process: str, pages: int, memory: protocol.DeviceMemory, handler: Handler
) -> None:
    """A driver allocates memory, and the process maps all of it with MAP_PRIVATE, for reading and writing."""
    create(c, DEVICE, memory, pages)
    map_device(c, process, DEVICE, handler, ("private", "read-write"))


@operation("a driver maps privately for {process} an order-{order} folio with {handler}")
def driver_maps_folio_privately(c: Context, process: str, order: int, handler: Handler) -> None:
    """As above, for one folio."""
    create(c, DEVICE, "compound", 1 << order, order)
    map_device(c, process, DEVICE, handler, ("private", "read-write"))


@operation(
    "{process} maps the driver's memory {how} with {handler}",
    "{process} maps the driver's memory {how} with {handler} as {name}",
)
def maps_driver(c: Context, process: str, how: tuple[str, str], handler: Handler, region: str = DEFAULT_REGION) -> None:
    """mmap(2) of all memory of the driver.  A handler for faults populates nothing yet, the others populate all."""
    map_device(c, process, DEVICE, handler, how, region)


@operation(
    "{process} maps driver {name} {how} with {handler}", "{process} maps driver {name} {how} with {handler} as {name}"
)
def maps_named_driver(
    c: Context, process: str, device: str, how: tuple[str, str], handler: Handler, region: str = DEFAULT_REGION
) -> None:
    """mmap(2) of all memory of one of several drivers."""
    map_device(c, process, device, handler, how, region)


@operation("{process} maps the driver's {pages} {how} with {handler} as {name}")
def maps_part(c: Context, process: str, pages: Pages, how: tuple[str, str], handler: Handler, region: str) -> None:
    """mmap(2) of some pages of the driver's memory, at their offset in the device."""
    span = device_span(c, pages)
    fields = {"offset": span["first"], "pages": span["count"]}
    send(c, process, DEVICE, handler, how, region, must=True, **fields)


@operation("{process} maps the driver's memory {how} with {handler}, {count} page(s) off its alignment")
def maps_skewed(c: Context, process: str, how: tuple[str, str], handler: Handler, skew: int) -> None:
    """mmap(2) of all memory of the driver at an address so many pages past a multiple of the huge page size."""
    send(c, process, DEVICE, handler, how, DEFAULT_REGION, must=True, skew=skew)


@operation("{process} tries to map the driver's memory {how} with {handler}")
def tries_to_map(c: Context, process: str, how: tuple[str, str], handler: Handler) -> None:
    """mmap(2) that may fail; `it fails with …` or `it succeeds` tells."""
    send(c, process, DEVICE, handler, how, DEFAULT_REGION, must=False)


@operation("{process} tries to map the driver's memory {how} with {handler} for its first {count} page(s)")
def tries_to_map_part(c: Context, process: str, how: tuple[str, str], handler: Handler, part: int) -> None:
    """mmap(2) of all memory, of which the mmap handler maps only the first pages; it may fail."""
    send(c, process, DEVICE, handler, how, DEFAULT_REGION, must=False, part=part)


@operation("{process} tries to map the driver's {pages} {how} with {handler}")
def tries_to_map_pages(c: Context, process: str, pages: Pages, how: tuple[str, str], handler: Handler) -> None:
    """mmap(2) of pages of the device, which need not exist: the mmap handler is asked for as many; it may fail."""
    fields = {"offset": pages.first, "pages": pages.count or c.devices[DEVICE] - pages.first}
    send(c, process, DEVICE, handler, how, DEFAULT_REGION, must=False, **fields)


@operation("{process} tries to map the driver's {pages} {how} with {handler}, which maps {count} pages")
def tries_to_map_more(
    c: Context, process: str, pages: Pages, how: tuple[str, str], handler: Handler, part: int
) -> None:
    """mmap(2) of some pages of the device, where the mmap handler maps another number of pages than the mapping has;
    it may fail.  For functions of mmap_prepare only: remap_pfn_range would map behind the end."""
    if not handler.function.startswith("mmap_action"):
        raise VocabularyError(f"{handler.function} does not look at the end of the mapping")
    span = device_span(c, pages)
    fields = {"offset": span["first"], "pages": span["count"], "part": part}
    send(c, process, DEVICE, handler, how, DEFAULT_REGION, must=False, **fields)


def map_device(
    c: Context,
    process: str,
    device: str,
    handler: Handler,
    how: tuple[str, str] = ("shared", "read-write"),
    region: str = DEFAULT_REGION,
) -> None:
    """Map all memory of a device."""
    send(c, process, device, handler, how, region, must=True)


def send(
    c: Context, process: str, device: str, handler: Handler, how: tuple[str, str], region: str, *, must: bool,
    **fields: object,
) -> None:  # fmt: skip
    """Send a MapDevice and remember the region."""
    if device not in c.devices:
        raise VocabularyError(f"there is no driver {device!r} here")
    c.process(process)
    fields.setdefault("pages", c.devices[device])
    request = protocol.MapDevice(
        process=process, region=region, device=device, function=handler.function, flags=list(handler.flags),
        without=list(handler.without), sharing=how[0], protection=how[1], **fields,  # type: ignore[arg-type]
    )  # fmt: skip
    c.attempt = c.send(request)
    if must and c.attempt.status != "ok":
        raise Mismatch("the mapping to succeed", str(c.attempt))
    if c.attempt.status == "ok":
        c.note(f"mapped by {c.attempt.value}")
    # The pages may be named whether they are there or not: a scenario says what to expect.
    c.regions[process][region] = request.pages


@operation("the driver writes {token} to its {pages}")
def driver_writes(c: Context, value: str, pages: Pages) -> None:
    """The driver stores to its own memory, through the kernel's mapping."""
    c.do(protocol.WriteDevice(**device_span(c, pages), value=value))


@outcome("the driver reads {token} in its {pages}")
def driver_reads(c: Context, value: str, pages: Pages) -> None:
    """What the driver itself sees in its memory, through the kernel's mapping."""
    compare(c, protocol.ReadDevice(**device_span(c, pages)), value, repr(value))


# --- what is counted --------------------------------------------------------------------------------------


@outcome(
    "{pages} of the driver has/have {number} reference(s)", "{pages} of driver {name} has/have {number} reference(s)"
)
def device_references(c: Context, pages: Pages, *words: object) -> None:
    """The reference count of the driver's pages, mapped or not.  Pages of one folio share one; a free page has 0."""
    *name, number = words
    _references(c, pages, str(name[0]) if name else DEVICE, number)  # type: ignore[arg-type]


@outcome("{pages} of the driver has/have mapcount {number}", "{pages} of driver {name} has/have mapcount {number}")
def device_mapcount(c: Context, pages: Pages, *words: object) -> None:
    """The mapcount of the driver's pages, mapped or not."""
    *name, number = words
    device = str(name[0]) if name else DEVICE
    request = protocol.DeviceMapcount(**device_span(c, pages, device))
    compare_number(c, request, number, "mapcount")  # type: ignore[arg-type]


@outcome("{pages} of the driver has/have {number} reference(s) and no mapping")
def device_unmapped(c: Context, pages: Pages, number: Number) -> None:
    """The reference count of the driver's pages, and that their mapcount is 0."""
    _references(c, pages, DEVICE, number)
    request = protocol.DeviceMapcount(**device_span(c, pages))
    compare_number(c, request, Number(0, 0), "mapcount")


def _references(c: Context, pages: Pages, device: str, number: Number) -> None:
    request = protocol.DeviceRefcount(**device_span(c, pages, device))
    compare_number(c, request, number, "references")


@outcome("{area} counts {number} page(s) in RssAnon, {number} in RssFile and {number} in RssShmem")
def rss(c: Context, area: Area, anon: Number, file: Number, shmem: Number) -> None:
    """What the region adds to the three counters of its process that /proc/PID/status shows in kB."""
    seen = c.do(protocol.Rss(process=area.process, region=area.region))
    for kind, number in (("anon", anon), ("file", file), ("shmem", shmem)):
        if not number.admits(seen.get(kind, -1)):
            raise Mismatch(f"{number} pages in Rss{kind.title()}", str(seen.get(kind, "not told")))


@outcome("{area} counts in no RSS")
def no_rss(c: Context, area: Area) -> None:
    """The region adds nothing to RssAnon, RssFile and RssShmem of its process."""
    none = Number(0, 0)
    rss(c, area, none, none, none)


@outcome("{area} counts every page in {rss}")
def rss_every(c: Context, area: Area, kind: str) -> None:
    """The region adds all its pages to this one of the three counters of its process, and nothing to the others."""
    pages = Number(c.regions[area.process][area.region], c.regions[area.process][area.region])
    none = Number(0, 0)
    rss(c, area, *(pages if kind == name else none for name in ("anon", "file", "shmem")))


@outcome("{area} counts {number} page(s) in {rss}")
def rss_one(c: Context, area: Area, number: Number, kind: str) -> None:
    """What the region adds to this one of the three counters of its process."""
    seen = c.do(protocol.Rss(process=area.process, region=area.region))
    if not number.admits(seen.get(kind, -1)):
        raise Mismatch(f"{number} pages in Rss{kind.title()}", str(seen.get(kind, "not told")))


# --- memory that parts of the kernel offer -----------------------------------------------------------------


@operation("{process} maps {interface}", "{process} maps {interface} as {name}")
def maps_interface(c: Context, process: str, interface: protocol.Interface, region: str = DEFAULT_REGION) -> None:
    """mmap(2) what this part of the kernel offers, shared where it can be.  The kernel decides how many pages that is;
    a packet ring, a BPF array and secret memory have 4."""
    _map_interface(c, process, interface, region, "shared")


@operation("{process} maps {interface} privately", "{process} maps {interface} privately as {name}")
def maps_interface_privately(
    c: Context, process: str, interface: protocol.Interface, region: str = DEFAULT_REGION
) -> None:
    """mmap(2) with MAP_PRIVATE what this part of the kernel offers."""
    _map_interface(c, process, interface, region, "private")


@operation("{process} tries to map {interface} privately")
def tries_to_map_interface(c: Context, process: str, interface: protocol.Interface) -> None:
    """mmap(2) with MAP_PRIVATE that may fail; `it fails with …` or `it succeeds` tells."""
    c.process(process)
    c.attempt = c.send(_interface(process, interface, DEFAULT_REGION, "private"))
    c.regions[process][DEFAULT_REGION] = c.attempt.value or SIZE


@operation("{process} maps the same as {name}")
def maps_the_same(c: Context, process: str, region: str) -> None:
    """mmap(2) once more what the last `maps …` of an interface has mapped, shared."""
    if c.interface is None:
        raise VocabularyError("no interface has been mapped before")
    _map_interface(c, process, c.interface, region, "shared")


def _interface(process: str, interface: protocol.Interface, region: str, sharing: str) -> protocol.MapInterface:
    pages = SIZE if interface in SIZED else None
    return protocol.MapInterface(
        process=process, region=region, interface=interface, pages=pages, sharing=sharing, device=DEVICE,  # type: ignore[arg-type]
    )  # fmt: skip


def _map_interface(c: Context, process: str, interface: protocol.Interface, region: str, sharing: str) -> None:
    c.process(process)
    c.regions[process][region] = c.do(_interface(process, interface, region, sharing))
    c.interface = interface


@operation("{count} pages arrive at {area}")
def pages_arrive(c: Context, count: int, area: Area) -> None:
    """So many pages are sent to the TCP socket that is mapped there, and TCP_ZEROCOPY_RECEIVE maps at least one.

    How many it maps depends on how the sender's pages lie in the packets; what was seen is noted.
    """
    mapped = c.do(protocol.Receive(process=area.process, region=area.region, pages=count))
    if not mapped:
        raise Mismatch("at least one page to be mapped", "none")
    c.note(f"{mapped} of {count} pages were mapped")
