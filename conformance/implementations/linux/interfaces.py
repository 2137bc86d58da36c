# SPDX-License-Identifier: MIT
"""Memory that parts of the kernel offer: how each is made and mapped, and which driver each is like."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from conformance import protocol as p
from conformance.implementations.linux.machine import Machine, Refused, Result, word
from conformance.implementations.linux.observe import vmas
from conformance.implementations.linux.scenario import Device, Mistake, NotHere, Object, Process, Region, Scenario

MAP_SHARED, MAP_PRIVATE = 0x01, 0x02
READ, READ_WRITE = 1, 3
PROTECTION = {"none": 0, "read": READ, "read-write": READ_WRITE}
MREMAP_MAYMOVE_FIXED = 3

BPF_ARRAY, BPF_RINGBUF, BPF_ARENA = 2, 27, 33
BPF_F_MMAPABLE = 1 << 10
URING_ENTRIES = 256
"""Three pages of 4 kB."""
XDP_ENTRIES = 256
"""Two pages of 4 kB."""
PERF_PAGES = 1 + 4
TRACING_PAGES = 3
"""The page that describes the ring, and two pages of the ring, which has never less."""
TCP_PAGES = 16
AIO_EVENTS = 128
SIZE = 4
"""Pages, where nobody says how many."""

TRACEFS = "/sys/kernel/tracing"
TRACE_PIPE = f"{TRACEFS}/per_cpu/cpu0/trace_pipe_raw"
PCI_DEVICES = "/proc/bus/pci/devices"

READ_ONLY = ("bpf_ringbuf", "tracing_ring", "tcp_receive")
OWN = {"vvar": "[vvar]", "vdso": "[vdso]", "aio_ring": "/[aio]"}
"""What a process has of its own, by the name in /proc/PID/maps."""
WORDS = {
    "packet_ring": "an AF_PACKET ring", "xdp_ring": "an AF_XDP ring", "io_uring_ring": "an io_uring",
    "perf_ring": "a perf event", "bpf_array": "a BPF array", "bpf_ringbuf": "a BPF ring buffer",
    "bpf_arena": "a BPF arena", "tracing_ring": "a tracing ring", "tcp_receive": "a TCP socket",
    "kvm_vcpu": "a KVM vcpu", "aio_ring": "an aio ring", "secretmem": "secret memory", "vvar": "a vvar",
    "vdso": "a vdso", "pci_bar": "a PCI BAR",
}  # fmt: skip
WHY = {
    ("kvm_vcpu", "ENOENT"): "there is no /dev/kvm",
    ("secretmem", "ENOSYS"): "there is no memfd_secret(2), or secretmem.enable is off, as it was by default before 6.5",
    ("bpf_arena", "EINVAL"): "this kernel has no such map, it came in 6.9",
    ("bpf_arena", "ENOMEM"): "ENOMEM; some kernels need a processor with cmpxchg16b for it (mm/slub.c: kmalloc_nolock)",
    ("tracing_ring", "ENOENT"): "tracefs is not mounted, or the kernel has no tracers",
}
NOT_ALLOWED = ("EPERM", "EACCES", "ENODEV", "ENOSYS")
"""When a shared mapping is refused so, this kernel does not offer it, or not to this user."""


class Interfaces:
    """Makes and maps them.

    `version` is the kernel's; `orders` tells the order of the folio that is mapped in a slot at an address; `ours`:
    nobody else uses this machine, so that also a device may be touched.
    """

    def __init__(
        self,
        machine: Machine,
        names: Scenario,
        page_size: int,
        version: tuple[int, int],
        orders: Callable[[int, int], int],
        *,
        ours: bool,
    ):
        self._machine = machine
        self._names = names
        self._page_size = page_size
        self._version = version
        self._order_of = orders
        self._ours = ours
        self._make: dict[str, Callable[[int], Object]] = {
            "packet_ring": self.packet_ring,
            "xdp_ring": lambda _: self.xdp_ring(XDP_ENTRIES),
            "io_uring_ring": lambda _: self._sized(f"uring_ring {URING_ENTRIES:x}"),
            "perf_ring": lambda _: self.perf_ring(PERF_PAGES),
            "bpf_array": self.bpf_array,
            "bpf_ringbuf": self._bpf_ringbuf,
            "bpf_arena": self._bpf_arena,
            "tracing_ring": self._tracing_ring,
            "tcp_receive": self._tcp_receive,
            "kvm_vcpu": lambda _: self.kvm_vcpu(),
            "secretmem": lambda pages: Object(self._do(f"secretmem {pages * page_size:x}").value, pages),
            "pci_bar": self._pci_bar,
        }

    def _do(self, primitive: str) -> Result:
        return self._machine.do(f"0 {primitive}")[-1]

    # --- requests -----------------------------------------------------------------------------------------

    def map(self, process: Process, request: p.MapInterface) -> Region:
        """The new region.  Raises NotHere, Refused."""
        if request.interface in OWN:
            return self._own(process, request.interface)
        made = self._names.objects.get((request.device, request.interface)) if request.device else None
        if made is None:
            made = self.make(request.interface, request.pages or SIZE)
        if request.device:
            self._names.objects[request.device, request.interface] = made
        protection = READ if request.interface in READ_ONLY else READ_WRITE
        try:
            return self.region(process, made, request.interface, request.sharing, protection)
        except Refused as e:
            if request.sharing == "shared" and e.result.name in NOT_ALLOWED:
                raise NotHere(
                    "interface", f"{WORDS[request.interface]} cannot be mapped here: {e.result.name}"
                ) from None
            raise

    def make(self, interface: str, pages: int) -> Object:
        """A new one.  Raises NotHere."""
        try:
            return self._make[interface](pages)
        except Refused as e:
            why = WHY.get((interface, e.result.name), e.result.name)
            raise NotHere("interface", f"{WORDS[interface]} cannot be made here: {why}") from None

    def region(
        self, process: Process, made: Object, driver: str, sharing: str, protection: int, skew: int = 0
    ) -> Region:
        """Map all of an object.  Raises Refused."""
        region = Region(
            self._names.place(made.pages, skew), made.pages, sharing == "shared", driver=driver, object=made
        )
        flags = MAP_SHARED if region.shared else MAP_PRIVATE
        length = made.pages * self._page_size
        where = f"{process.slot:x} map_fd {made.fd:x}"
        how = f"{length:x} {protection:x} {flags:x} {made.offset:x}"
        results = self._machine.run(f"{where} {region.start:x} {how}")
        if results[-1].name == "EINVAL" and driver == "io_uring_ring":  # the kernel alone says where
            results = self._machine.run(f"{where} 0 {how}")
        if results[-1].kind != "ok":
            raise Refused(results[-1])
        region.start = results[-1].value
        return region

    def receive(self, process: Process, region: Region, pages: int) -> int:
        """How many pages TCP_ZEROCOPY_RECEIVE mapped."""
        if region.object is None or region.object.sender < 0:
            raise Mistake("nothing can arrive there: that is no TCP socket")
        size = self._page_size
        length = f"{region.pages * size:x} {pages * size:x}"
        results = self._machine.do(
            f"0 tcp_send {region.object.sender:x} {pages * size:x}",
            f"{process.slot:x} tcp_receive {region.object.fd:x} {region.start:x} {length}",
        )
        return results[-1].value // size

    # --- what a process has of its own ---------------------------------------------------------------------

    def _own(self, process: Process, interface: str) -> Region:
        """Moved to where regions are; left where it is if it is sealed."""
        if any(region.driver == interface for region in process.regions.values()):
            raise NotHere("interface", f"a process has {WORDS[interface]} once, and it is mapped already")
        if interface == "aio_ring":
            try:
                self._machine.do(f"{process.slot:x} io_setup {AIO_EVENTS:x}")
            except Refused as e:
                raise NotHere("interface", f"io_setup is refused here: {e.result.name}") from None
        maps = self._do(f"read /proc/{process.pid}/maps").data.decode()
        found = next((vma for vma in vmas(maps) if vma.path.startswith(OWN[interface])), None)
        if found is None:
            raise NotHere("interface", f"a process has no {OWN[interface]} on this kernel")
        length = found.end - found.start
        region = Region(self._names.place(length // self._page_size, 0), length // self._page_size, driver=interface)
        where = f"{found.start:x} {length:x} {length:x} {MREMAP_MAYMOVE_FIXED:x} {region.start:x}"
        if self._machine.run(f"{process.slot:x} mremap {where}")[0].kind != "ok":
            region.start = found.start
        return region

    # --- how each is made: these raise Refused, NotHere ------------------------------------------------------

    def _sized(self, primitive: str) -> Object:
        """Made by a primitive that tells how many bytes there are."""
        result = self._do(primitive)
        return Object(result.value, -(-int(result.data) // self._page_size))

    def packet_ring(self, pages: int, order: int = 0) -> Object:
        """An AF_PACKET ring of blocks of 2**order pages."""
        return self._sized(f"packet_ring {self._page_size << order:x} {pages >> order:x}")

    def xdp_ring(self, entries: int) -> Object:
        return self._sized(f"xdp_ring {entries:x}")

    def perf_ring(self, pages: int) -> Object:
        return Object(self._do("perf_event").value, pages)

    def kvm_vcpu(self) -> Object:
        return self._sized("kvm_vcpu")

    def bpf_array(self, pages: int) -> Object:
        """One page for each element."""
        map_ = f"bpf_map {BPF_ARRAY:x} 4 {self._page_size:x} {pages:x} {BPF_F_MMAPABLE:x}"
        return Object(self._do(map_).value, pages)

    def _bpf_ringbuf(self, _: int) -> Object:
        """From the producer's page on: it and the data, which is there twice."""
        data = 2
        made = self._do(f"bpf_map {BPF_RINGBUF:x} 0 0 {data * self._page_size:x} 0")
        return Object(made.value, 1 + 2 * data, self._page_size)

    def _bpf_arena(self, pages: int) -> Object:
        return Object(self._do(f"bpf_map {BPF_ARENA:x} 0 0 {pages:x} {BPF_F_MMAPABLE:x}").value, pages)

    def _tracing_ring(self, _: int) -> Object:
        """trace_pipe_raw of the first CPU, which could not be mapped before 6.10."""
        if self._version < (6, 10):
            raise NotHere("interface", "a tracing ring can be mapped since 6.10")
        opened = f"open {TRACE_PIPE} {os.O_RDONLY | os.O_NONBLOCK:x} 0 0"
        if self._machine.read(f"{TRACEFS}/current_tracer") is None:  # mount it for the executor alone
            self._machine.run(f"-0 mount tracefs {TRACEFS}")
        return Object(self._do(opened).value, TRACING_PAGES)

    def _tcp_receive(self, _: int) -> Object:
        pair = self._do("tcp_pair")
        return Object(pair.value, TCP_PAGES, sender=int(pair.data))

    def _pci_bar(self, _: int) -> Object:
        """The first memory BAR of a device without driver."""
        if not self._ours:
            raise NotHere("interface", "a PCI device is touched only in a virtual machine that is ours alone")
        for line in (self._machine.read(PCI_DEVICES) or b"").decode().splitlines():
            for path, length in _bars(line):
                opened = self._machine.run(f"0 open {word(path)} {os.O_RDWR:x} 0 0")[0]
                if opened.kind == "ok":
                    return Object(opened.value, min(length // self._page_size, SIZE))
        raise NotHere("interface", "there is no PCI device without driver whose memory may be mapped")

    # --- drivers ------------------------------------------------------------------------------------------

    def map_device(self, process: Process, device: Device, request: p.MapDevice) -> tuple[Region, str]:
        """Map a part of the kernel that does exactly what the driver would do: the region, and its name.

        Raises NotHere, Refused.
        """
        twin = _twin(self._version, device, request)
        if twin is None or device.twin not in ("", twin.name):
            raise NotHere("driver-module", _no_twin(device, request))
        if device.object is None:
            try:
                made = twin.make(self, device)
            except Refused as e:
                raise NotHere("driver-module", f"there is no {twin.name} here: {e.result.name}") from None
            if made.pages != device.pages:
                raise NotHere("driver-module", f"the {twin.name} has {made.pages} pages here, not {device.pages}")
            device.object, device.twin = made, twin.name
        protection = PROTECTION[request.protection]
        region = self.region(process, device.object, device.memory, request.sharing, protection, request.skew)
        if twin.name == PACKET and device.order and self._order_of(process.slot, region.start) != device.order:
            self._machine.run(f"{process.slot:x} munmap {region.start:x} {region.pages * self._page_size:x}")
            raise NotHere("driver-module", f"the kernel had no free block of order {device.order} for the {twin.name}")
        return region, twin.name


def _bars(line: str) -> list[tuple[str, int]]:
    """From a line of /proc/bus/pci/devices: the files of the memory BARs, each with its length in bytes.

    None if the device has a driver.  The fields: bus and devfn, IDs, IRQ, seven bases, seven lengths, driver.
    """
    fields = line.split()
    if len(fields) != 17:
        return []
    bus, devfn = divmod(int(fields[0], 16), 256)
    name = f"/sys/bus/pci/devices/0000:{bus:02x}:{devfn >> 3:02x}.{devfn & 7}"
    bars = ((number, int(fields[3 + number], 16), int(fields[10 + number], 16)) for number in range(6))
    return [(f"{name}/resource{number}", length) for number, base, length in bars if length >= 4096 and not base & 1]


# --- which driver each is like -------------------------------------------------------------------------------

SETS: dict[str, frozenset[str]] = {
    "remap_pfn_range": frozenset({"VM_IO", "VM_PFNMAP", "VM_DONTEXPAND", "VM_DONTDUMP"}),
    "vm_insert_page": frozenset({"VM_MIXEDMAP"}),
    "remap_vmalloc_range": frozenset({"VM_MIXEDMAP", "VM_DONTEXPAND", "VM_DONTDUMP"}),
}
"""The flags that a function sets by itself: a driver that sets them too does the same."""
EVER = (0, 0)
NEVER = (999, 0)
BOTH = ("private", "shared")
ANY = ("none", "read", "read-write")


PACKET = "AF_PACKET ring"


class Twin(NamedTuple):
    """An interface, and the driver that does the same: same memory, same function, same flags, nothing else."""

    name: str
    function: p.DriverFunction
    memory: tuple[p.DeviceMemory, ...]
    make: Callable[[Interfaces, Device], Object]
    pages: Callable[[Device], bool]
    since: tuple[int, int] = EVER
    before: tuple[int, int] = NEVER
    flags: frozenset[str] = frozenset()
    sharing: Sequence[str] = BOTH
    protection: Sequence[str] = ANY


def _whole(device: Device) -> bool:
    """All pages are order 0, or all are one folio."""
    return device.memory == "pages" or device.pages == 1 << device.order


def _power_and_one(device: Device) -> bool:
    """1, 2, 3, 5, 9 and so on pages."""
    return device.pages == 1 or (device.pages - 1).bit_count() == 1


def _xdp_folio(device: Device) -> bool:
    return _whole(device) and (device.memory == "compound" or device.pages == 1)


TWINS = (
    # net/packet/af_packet.c: packet_mmap.  Blocks are alloc_pages() with __GFP_COMP, or vzalloc() if there are none.
    Twin(
        PACKET, "vm_insert_page", ("pages", "compound"),
        lambda i, d: i.packet_ring(d.pages, d.order), _whole,
    ),
    # net/xdp/xsk.c: xsk_mmap.  A ring has a power of two of descriptors of 16 bytes, behind a head.
    Twin(
        "AF_XDP ring", "remap_vmalloc_range", ("vmalloc_user",),
        lambda i, d: i.xdp_ring(256 * (d.pages - 1) or 128), _power_and_one, since=(6, 3),
    ),
    # kernel/bpf/arraymap.c: array_map_mmap.  In 7.3 a fault handler, see below.  A mapping that is not writable at
    # first may never become so, therefore PROT_WRITE only.
    Twin(
        "BPF array", "remap_vmalloc_range", ("vmalloc_user",),
        lambda i, d: i.bpf_array(d.pages), lambda d: True,
        before=(6, 19), sharing=("shared",), protection=("read-write",),
    ),
    # kernel/bpf/arraymap.c: array_map_mmap_fault.
    Twin(
        "BPF array", "fault", ("vmalloc_user",),
        lambda i, d: i.bpf_array(d.pages), lambda d: True,
        since=(7, 3), flags=frozenset({"VM_MIXEDMAP", "VM_DONTEXPAND", "VM_DONTDUMP"}),
        sharing=("shared",), protection=("read-write",),
    ),
    # net/xdp/xsk.c: xsk_mmap before 6.3: __get_free_pages() with __GFP_COMP of a power of two of pages.
    Twin(
        "AF_XDP ring", "remap_pfn_range", ("pages", "compound"),
        lambda i, d: i.xdp_ring(128 << max(d.order - 1, 0) << bool(d.order))._replace(pages=d.pages), _xdp_folio,
        before=(6, 3),
    ),
    # kernel/events/core.c: map_range.  A store to a page but the first is refused (pfn_mkwrite), therefore read-only.
    Twin(
        "perf ring", "remap_pfn_range", ("pages",),
        lambda i, d: i.perf_ring(d.pages), lambda d: d.pages > 1 and _power_and_one(d),
        since=(6, 18), flags=frozenset({"VM_DONTCOPY"}), sharing=("shared",), protection=("read",),
    ),
    # virt/kvm/kvm_main.c: kvm_vcpu_fault.  Three pages on x86: kvm_run, port I/O, coalesced MMIO.
    Twin("KVM vcpu", "fault", ("pages",), lambda i, d: i.kvm_vcpu(), lambda d: d.pages == 3),
)  # fmt: skip


def _twin(version: tuple[int, int], device: Device, request: p.MapDevice) -> Twin | None:
    """The interface that does what the driver would do."""
    if request.without or request.offset or request.part not in (None, device.pages) or request.pages != device.pages:
        return None
    flags = set(request.flags) - SETS.get(request.function, frozenset())
    for twin in TWINS:
        if (
            twin.since <= version < twin.before
            and twin.function == request.function
            and device.memory in twin.memory
            and twin.pages(device)
            and flags == twin.flags
            and request.sharing in twin.sharing
            and request.protection in twin.protection
        ):
            return twin
    return None


def _no_twin(device: Device, request: p.MapDevice) -> str:
    flags = "".join(f", {flag}" for flag in request.flags) + "".join(f" without {flag}" for flag in request.without)
    memory = {"pages": "RAM", "compound": f"an order-{device.order} folio"}.get(device.memory, device.memory)
    pages = "1 page" if request.pages == 1 else f"{request.pages} pages"
    return (
        f"no part of this kernel maps {pages} of {memory}, {request.sharing} and {request.protection}, with "
        f"{request.function}{flags}; the kernel module does, and is not loaded"
    )
