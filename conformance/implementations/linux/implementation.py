# SPDX-License-Identifier: MIT
"""The running kernel as an implementation: what each request of the protocol means in primitives."""

from __future__ import annotations

import atexit
import os
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from conformance import protocol as p
from conformance.implementations.linux import build, counters, devices, entries, kernel, ksm, log, mapped, probe
from conformance.implementations.linux.devices import Devices
from conformance.implementations.linux.files import Files
from conformance.implementations.linux.hugepages import Kind
from conformance.implementations.linux.interfaces import Interfaces
from conformance.implementations.linux.internals import Internals
from conformance.implementations.linux.ioctls import Ioctls
from conformance.implementations.linux.log import Log
from conformance.implementations.linux.lookup import PAGES_AT_ONCE, Lookup
from conformance.implementations.linux.machine import Lost, Machine, Refused, Result, word
from conformance.implementations.linux.observe import Observer
from conformance.implementations.linux.pins import Pins
from conformance.implementations.linux.scenario import (
    Buffer,
    Mistake,
    NotHere,
    Pipe,
    Process,
    Region,
    Scenario,
)
from conformance.implementations.linux.settings import Busy, Settings
from conformance.implementations.linux.statistics import Statistics
from conformance.implementations.linux.struct_page import FolioCounters

LARGEST = 10
"""The order of the largest folio that a driver can have on most kernels: MAX_PAGE_ORDER."""
BEYOND = 256
"""Pages after a region that may be named: nothing is mapped there."""

ERRNOS = frozenset(p.Errno.__args__)  # type: ignore[attr-defined]
SIGNALS = frozenset(p.Signal.__args__)  # type: ignore[attr-defined]

PROTECTION = {"none": 0, "read": 1, "read-write": 3}
MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS, MAP_HUGETLB = 0x01, 0x02, 0x20, 0x40000
ADVICE = {
    "dontneed": 4, "free": 8, "dontfork": 10, "dofork": 11, "mergeable": 12, "unmergeable": 13, "hugepage": 14,
    "nohugepage": 15, "wipeonfork": 18, "keeponfork": 19, "cold": 20, "pageout": 21, "populate_read": 22,
    "populate_write": 23, "collapse": 25, "normal": 0, "random": 1, "sequential": 2, "willneed": 3, "remove": 9,
    "dontdump": 16, "dodump": 17, "guard_install": 102, "guard_remove": 103,
}  # fmt: skip
MREMAP = {"move": 3, "dontunmap": 7, "duplicate": 3, "over": 3}
"""MREMAP_MAYMOVE 1, MREMAP_FIXED 2, MREMAP_DONTUNMAP 4."""


class Linux:
    """Answers requests.  Expected conditions are answers, never exceptions.

    command: what starts the executor on another machine, such as a virtual one, and connects to it; None builds it and
    runs it here.  limit: seconds for one batch of primitives; boot: seconds that such a machine may need to start;
    bugs: calls that stop its kernel are made, and the machine is lost.
    """

    def __init__(
        self, command: Sequence[str] | None = None, limit: float | None = None, boot: float = 0.0, *, bugs: bool = False
    ) -> None:
        self._command = command
        self._limit = limit
        self._boot = boot
        self._bugs = bugs
        self._machine: Machine | None = None
        self._settings: Settings | None = None
        self._here: probe.Here | None = None
        self._names = Scenario(64, 1 << 21, 4096)
        self._owner = os.getpid()
        atexit.register(self.close)

    # --- the life of it -----------------------------------------------------------------------------------

    def handle(self, request: p.Request) -> p.Answer:
        """The answer to one request."""
        tag = str(request.__struct_config__.tag)
        try:
            if self._here is None or self._machine is None:
                self._launch()
            assert self._here
            if request.capability in self._here.missing:
                raise NotHere(request.capability, self._here.missing[request.capability])
            return self._answer(request, getattr(self, f"_{tag}")(request))
        except NotHere as e:
            return p.Answer(seq=request.seq, status="unsupported", capability=e.capability, why=e.why)
        except Refused as e:
            return self._refusal(request, e.result)
        except Lost as e:
            self._machine = None
            self._names.clear()
            return p.Answer(seq=request.seq, status="broken", why=f"{tag}: {e}")
        except Busy as e:
            return p.Answer(seq=request.seq, status="broken", why=str(e))
        except (build.Unbuildable, Mistake, OSError) as e:
            return p.Answer(seq=request.seq, status="broken", why=f"{tag}: {e}")

    def _answer(self, request: p.Request, value: Any) -> p.Answer:
        if value is None:
            return p.Answer(seq=request.seq, status="ok")
        return p.Answer(seq=request.seq, status="ok", value=msgspec.Raw(msgspec.json.encode(value)))

    def _refusal(self, request: p.Request, result: Result) -> p.Answer:
        """The answer for a primitive that failed as a kernel would."""
        if result.kind == "errno" and result.name in ERRNOS:
            return p.Answer(seq=request.seq, status="errno", errno=result.name)  # type: ignore[arg-type]
        if result.kind in ("signal", "died") and result.name in SIGNALS:
            if result.kind == "died" and (name := getattr(request, "process", None)) in self._names.processes:
                self._names.forget(name)
            return p.Answer(seq=request.seq, status="signal", signal=result.name)  # type: ignore[arg-type]
        tag = request.__struct_config__.tag
        return p.Answer(seq=request.seq, status="broken", why=f"{tag}: {result.kind} {result.name}")

    def _launch(self) -> None:
        """Start the executor and see what there is."""
        command = self._command or [str(build.executor())]
        fixed = ""
        if self._settings is None:
            self._settings, fixed = self._take_settings()
        lock = self._settings.lock if self._settings else None
        machine = self._machine = Machine(command, lock, self._limit, self._boot)
        if self._settings and (why := probe.read_only(machine)):
            fixed = why
            self._settings.close()
            self._settings = None
        if self._settings:
            self._settings.attach(machine)
        self._log = Log(machine)
        self._here = probe.look(machine, self._settings, fixed, bugs=self._bugs)
        align = self._here.page_size << max(self._here.huge.pmd_order, 9)
        self._names = Scenario(self._here.word_bits, align, self._here.page_size)
        self._lookup = Lookup(machine, self._here.page_size, max(self._here.huge.pmd_order, LARGEST))
        self._files = Files(machine, self._here, self._names, self._lookup)
        self._internals = Internals(machine)
        version, directory = self._here.version, probe.core_directory(self._here.directories)
        self._observer = Observer(machine, self._names, self._here.page_size, version, directory)
        self._statistics = Statistics(machine, self._here.page_size)
        self._interfaces = Interfaces(
            machine, self._names, self._here.page_size, version, self._order_at, ours=self._command is not None
        )
        self._ioctls = Ioctls(machine)
        self._devices = Devices(
            machine, self._ioctls, self._names, self._here.page_size, self._interfaces, bugs=self._bugs
        )
        self._pins = Pins(machine, self._ioctls, self._names, self._here.page_size)

    def _take_settings(self) -> tuple[Settings | None, str]:
        """The settings of the machine if we may change them, else why not.  Raises Busy."""
        if self._command:
            return Settings(None), ""  # nobody else uses that machine, and it does not outlive us
        if os.geteuid() != 0:
            return None, ""
        directory = build.user_cache()
        if not build.private_directory(directory):
            return None, f"what they were cannot be kept safe in {directory.name}"
        return Settings(directory), ""

    def close(self) -> None:
        """Write settings back and end everything.  Not in a copy of this process made by fork."""
        if os.getpid() != self._owner:
            return
        atexit.unregister(self.close)
        machine, self._machine = self._machine, None
        settings, self._settings = self._settings, None
        if machine:
            try:
                if settings and machine.alive:
                    settings.restore(machine)
                machine.close()
            except Lost:
                pass
        if settings:
            settings.close()

    @property
    def running(self) -> bool:
        """The executor has not been lost."""
        return self._machine is not None

    @property
    def leaked(self) -> int:
        """Pages of drivers that scenarios have been told to be leaked, since the machine was started."""
        return self._devices.leaked if hasattr(self, "_devices") else 0

    def abandon(self) -> None:
        """End the machine without a word: the next request starts another."""
        machine, self._machine = self._machine, None
        self._names.clear()
        if machine:
            machine.kill()

    @property
    def here(self) -> probe.Here:
        assert self._here
        return self._here

    def _do(self, *primitives: str) -> list[Result]:
        assert self._machine
        return self._machine.do(*primitives)

    def _hello(self, request: p.Hello) -> p.Greeting:
        return self.here.greeting

    def _goodbye(self, request: p.Goodbye) -> None:
        self.close()

    def _reset(self, request: p.Reset) -> None:
        if "kernel-log" in self.here.missing:
            self._end()
        else:  # WARN_ON_ONCE shall warn again
            self._log.forget(self._end(f"-0 write {word(devices.WARN_AGAIN)} 1", log.READ)[-1])

    def _finish(self, request: p.Finish) -> list[p.Logged]:
        _, left, said = self._end(f"-0 read {word(devices.LEAKED)}", log.READ)
        logged = self._log.read(said)
        if leaked := self._devices.newly_leaked(left):
            self._log.add(p.Logged("leak", f"{leaked} pages of a driver are still referenced"))
            logged = self._log.read()
        return logged

    def _end(self, *then: str) -> list[Result]:
        """Nothing is left of the scenario.  `then`: primitives in the same batch."""
        results = self._do("0 reset", *then)
        self._names.clear()
        self._internals.forget()
        self._ioctls.forget()
        return results

    def _kernel_log(self, request: p.KernelLog) -> list[p.Logged]:
        return self._log.read()

    # --- names --------------------------------------------------------------------------------------------

    def _process(self, name: str) -> Process:
        try:
            return self._names.processes[name]
        except KeyError:
            raise Mistake(f"there is no process {name}") from None

    def _region(
        self,
        request: p.PagesOperation
        | p.PagesQuery
        | p.RegionQuery
        | p.NumaMaps
        | p.Grow
        | p.Shrink
        | p.Receive
        | p.AddReferences,
    ) -> tuple[Process, Region]:
        process = self._process(request.process)
        try:
            return process, process.regions[request.region]
        except KeyError:
            raise Mistake(f"process {request.process} has no region {request.region}") from None

    def _new_region(self, request: p.Map | p.MapDevice | p.MapInterface) -> Process:
        """The process that shall have a new region."""
        process = self._process(request.process)
        if request.region in process.regions:
            raise Mistake(f"process {request.process} has a region {request.region} already")
        return process

    def _range(self, request: p.PagesOperation | p.PagesQuery) -> tuple[Process, Region, int, int]:
        """Process, region, address and length of the pages that a request is about."""
        process, region = self._region(request)
        if request.first + request.count > region.pages + BEYOND:
            raise Mistake(f"region {request.region} has {region.pages} pages")
        size = self.here.page_size
        return process, region, region.start + request.first * size, request.count * size

    @staticmethod
    def _named(things: dict[str, Any], what: str, name: str) -> Any:
        try:
            return things[name]
        except KeyError:
            raise Mistake(f"there is no {what} {name}") from None

    # --- processes ----------------------------------------------------------------------------------------

    def _new_slot(self, name: str) -> int:
        if name in self._names.processes:
            raise Mistake(f"there is a process {name} already")
        slot = self._names.take_slot()
        if slot is None:
            raise Mistake("there are too many processes")
        return slot

    def _start(self, request: p.Start) -> None:
        slot = self._new_slot(request.process)
        pid = self._do(f"0 spawn {slot:x}")[-1].value
        self._names.processes[request.process] = Process(slot, pid)

    def _fork(self, request: p.Fork) -> None:
        parent = self._process(request.process)
        slot = self._new_slot(request.child)
        try:
            pid = self._do(f"{parent.slot:x} fork {slot:x}")[-1].value
        except Refused:
            self._names.give_slot(slot)
            raise
        self._names.processes[request.child] = self._names.fork(parent, slot, pid)

    def _exit(self, request: p.Exit) -> None:
        self._do(f"{self._process(request.process).slot:x} exit")
        self._names.forget(request.process)

    # --- files --------------------------------------------------------------------------------------------

    def _create_file(self, request: p.CreateFile) -> None:
        if request.file in self._names.files:
            raise Mistake(f"there is a file {request.file} already")
        file = self._files.create(request.filesystem, request.pages, request.order)
        self._names.files[request.file] = file

    def _write_file(self, request: p.WriteFile) -> None:
        file = self._named(self._names.files, "file", request.file)
        if request.first + request.count > file.pages:
            raise Mistake(f"file {request.file} has {file.pages} pages")
        self._files.write(file, request.first, request.count, _token_word(request.value))

    # --- regions ------------------------------------------------------------------------------------------

    def _map(self, request: p.Map) -> None:
        process = self._new_region(request)
        region = Region(
            self._names.place(request.pages, request.skew), request.pages, request.sharing == "shared",
            request.file, request.offset, request.order, request.hugetlb,
        )  # fmt: skip
        length = request.pages * self.here.page_size
        flags = MAP_SHARED if region.shared else MAP_PRIVATE
        where = f"{process.slot:x} mmap {region.start:x} {length:x} {PROTECTION[request.protection]:x}"
        if request.file is not None:
            file = self._named(self._names.files, "file", request.file)
            offset = request.offset * self.here.page_size
            region.hugetlb = file.filesystem == "hugetlb"
            primitives = [f"{where} {flags:x} {file.fd:x} {offset:x} {os.O_RDWR:x}"]
        elif request.hugetlb:
            if "hugetlb" in self.here.missing:
                raise NotHere("hugetlb", self.here.missing["hugetlb"])
            primitives = [f"{where} {flags | MAP_ANONYMOUS | MAP_HUGETLB:x}"]
        else:
            primitives = [f"{where} {flags | MAP_ANONYMOUS:x}"]
            if request.order:
                if request.order not in self.here.huge.orders(self._kind(region)):
                    raise NotHere(
                        "shmem-orders" if region.shared else "orders",
                        f"this kernel, as it is set, does not allocate folios of order {request.order} here",
                    )
                primitives.append(f"{process.slot:x} madvise {region.start:x} {length:x} {ADVICE['hugepage']:x}")
            elif self.here.huge.unasked:
                region.refuses_huge = True
                primitives.append(f"{process.slot:x} madvise {region.start:x} {length:x} {ADVICE['nohugepage']:x}")
        self._do(*primitives)
        process.regions[request.region] = region

    def _kind(self, region: Region) -> Kind:
        return self.here.huge.shmem if region.shared else self.here.huge.anon

    def _before_fault(self, region: Region, request: p.PagesOperation) -> list[str]:
        """What must be done before the pages may be touched: the primitives that make the orders right."""
        if region.file is not None:
            file = self._names.files[region.file]
            self._files.fill(file, min(region.offset + request.first + request.count, file.pages))
        elif region.order:
            return self.here.huge.prepare(self._kind(region), region.order, region.pages)
        return []

    def _unmap(self, request: p.Unmap) -> None:
        process, _, at, length = self._range(request)
        self._do(f"{process.slot:x} munmap {at:x} {length:x}")

    def _mprotect(self, request: p.Mprotect) -> None:
        process, _, at, length = self._range(request)
        self._do(f"{process.slot:x} mprotect {at:x} {length:x} {PROTECTION[request.protection]:x}")

    def _mremap(self, request: p.Mremap) -> None:
        process, region, at, length = self._range(request)
        there = process.regions.get(request.to)
        if (there is not None) != (request.how == "over"):
            raise Mistake(f"process {request.process} has {'a' if there else 'no'} region {request.to}")
        start = there.start if there else self._names.place(request.count, request.skew)
        to = replace(region, start=start, pages=request.count, offset=region.offset + request.first)
        old = 0 if request.how == "duplicate" else length
        self._do(f"{process.slot:x} mremap {at:x} {old:x} {length:x} {MREMAP[request.how]:x} {start:x}")
        process.regions[request.to] = to

    def _grow(self, request: p.Grow) -> None:
        """At another place: with room behind it, the kernel extends a VMA by merging, and says ENOMEM for those
        that never merge (mm/vma.c: vma_merge_new_range, VM_SPECIAL)."""
        process, region = self._region(request)
        old, new = region.pages * self.here.page_size, request.pages * self.here.page_size
        start = self._names.place(request.pages, 0)
        self._do(f"{process.slot:x} mremap {region.start:x} {old:x} {new:x} {MREMAP['move']:x} {start:x}")
        region.start, region.pages = start, request.pages

    def _shrink(self, request: p.Shrink) -> None:
        process, region = self._region(request)
        old, new = region.pages * self.here.page_size, request.pages * self.here.page_size
        self._do(f"{process.slot:x} mremap {region.start:x} {old:x} {new:x} 0 0")
        region.pages = request.pages

    def _mlock(self, request: p.Mlock) -> None:
        process, region, at, length = self._range(request)
        self._do(*self._before_fault(region, request), f"{process.slot:x} mlock {at:x} {length:x}")

    def _uffd_register(self, request: p.UffdRegister) -> None:
        process, _, at, length = self._range(request)
        self._observer.register(process, at, length, request.mode)

    def _uffd_writeprotect(self, request: p.UffdWriteprotect) -> None:
        process, _, at, length = self._range(request)
        self._observer.write_protect(process, at, length)

    def _copy_from_user(self, request: p.CopyFromUser) -> list[str]:
        process, region, at, _ = self._range(request)
        before = self._before_fault(region, request)
        return self._tokens(before, f"{process.slot:x} copy_out", at, request.count)

    def _core_dump(self, request: p.CoreDump) -> dict[str, int]:
        process = self._process(request.process)
        try:
            return self._observer.core_dump(process)
        finally:
            self._do(f"-0 kill {process.slot:x}")
            self._names.forget(request.process)

    def _madvise(self, request: p.Madvise) -> None:
        process, region, at, length = self._range(request)
        primitives = []
        if request.advice.startswith("populate"):
            primitives += self._before_fault(region, request)
        if request.advice in ("collapse", "pageout", "cold", "free"):
            primitives.append("-0 drain")
        if request.advice == "collapse":
            if "collapse" in self.here.missing:
                raise NotHere("collapse", self.here.missing["collapse"])
            if region.refuses_huge:
                region.refuses_huge = False
                whole = region.pages * self.here.page_size
                primitives.append(f"-{process.slot:x} madvise {region.start:x} {whole:x} {ADVICE['hugepage']:x}")
        frames: list[int] = []
        if request.advice == "pageout" and not self.here.missing.keys() & {"frames", "page-flags"}:
            frames = [page.frame for page in self._lookup.pages(process.slot, at, request.count)]
        self._do(*primitives, f"{process.slot:x} madvise {at:x} {length:x} {ADVICE[request.advice]:x}")
        # MADV_PAGEOUT does not wait for the disk, and a page that is being written keeps its place in swap.
        self._lookup.wait_for_writeback(frames)

    def _read(self, request: p.Read) -> list[str]:
        process, region, at, _ = self._range(request)
        before = self._before_fault(region, request)
        return self._tokens(before, f"{process.slot:x} load", at, request.count)

    def _write(self, request: p.Write) -> None:
        process, region, at, _ = self._range(request)
        before = self._before_fault(region, request)
        self._do(*before, f"{process.slot:x} store {at:x} {request.count:x} {_token_word(request.value):x}")

    def _tokens(self, before: list[str], primitive: str, at: int, count: int) -> list[str]:
        """Runs a primitive that gives the first 8 bytes of pages."""
        tokens: list[str] = []
        for done in range(0, count, PAGES_AT_ONCE):
            now = min(count - done, PAGES_AT_ONCE)
            tokens += _decode(self._do(*before, f"{primitive} {at + done * self.here.page_size:x} {now:x}")[-1].data)
            before = []
        return tokens

    def _process_vm_readv(self, request: p.ProcessVmReadv) -> list[str]:
        process, region, at, _ = self._range(request)
        before = self._before_fault(region, request)
        return self._tokens(before, f"0 vm_read {process.slot:x}", at, request.count)

    def _read_proc_mem(self, request: p.ReadProcMem) -> list[str]:
        process, region, at, _ = self._range(request)
        before = self._before_fault(region, request)
        return self._tokens(before, f"0 mem_read {process.slot:x}", at, request.count)

    def _write_proc_mem(self, request: p.WriteProcMem) -> None:
        process, region, at, _ = self._range(request)
        before = self._before_fault(region, request)
        value = _token_word(request.value)
        self._do(*before, f"0 mem_write {process.slot:x} {at:x} {request.count:x} {value:x}")

    # --- drivers ------------------------------------------------------------------------------------------

    def _create_device(self, request: p.CreateDevice) -> None:
        self._devices.create(request)

    def _map_device(self, request: p.MapDevice) -> str:
        process = self._new_region(request)
        region, name = self._devices.map(process, request)
        process.regions[request.region] = region
        return name

    def _call_driver(self, request: p.CallDriver) -> p.Called:
        process, _, at, _ = self._range(request)
        return self._devices.call(process, at, request)

    def _unmap_mapping_range(self, request: p.UnmapMappingRange) -> None:
        self._devices.unmap_mapping_range(request)

    def _zap_vma(self, request: p.ZapVma) -> None:
        process, region, at, _ = self._range(request)
        self._devices.zap(process, region, at, request.count)

    def _free_device(self, request: p.FreeDevice) -> None:
        self._devices.free(request)

    def _write_device(self, request: p.WriteDevice) -> None:
        self._devices.write(request, _token_word(request.value))

    def _read_device(self, request: p.ReadDevice) -> list[str]:
        return _decode(self._devices.read(request))

    def _device_refcount(self, request: p.DeviceRefcount) -> list[int]:
        self._drain_all()
        return [page.references for page in self._devices.states(request)]

    def _device_mapcount(self, request: p.DeviceMapcount) -> list[int]:
        return [page.mapcount for page in self._devices.states(request)]

    def _map_interface(self, request: p.MapInterface) -> int:
        process = self._new_region(request)
        process.regions[request.region] = region = self._interfaces.map(process, request)
        return region.pages

    def _receive(self, request: p.Receive) -> int:
        process, region = self._region(request)
        return self._interfaces.receive(process, region, request.pages)

    def _order_at(self, slot: int, at: int) -> int:
        """The order of the folio that is mapped at an address."""
        return self._lookup.folios(self._lookup.pages(slot, at, 1))[0].order

    # --- folios -------------------------------------------------------------------------------------------

    def _split_folio(self, request: p.SplitFolio) -> None:
        if request.order and self.here.version < (6, 9):
            raise NotHere("folio-split-order", "before 6.9 a folio can be split into base pages only")
        process, _, at, length = self._range(request)
        command = f"{process.pid},0x{at:x},0x{at + length:x}" + (f",{request.order}" if request.order else "")
        self._do("-0 drain", f"0 write {word(probe.SPLIT_HUGE_PAGES)} {word(command)}")

    def _ksm_scan(self, request: p.KsmScan) -> None:
        assert self._machine and self._settings
        ksm.scan(self._machine, self._settings, [process.pid for process in self._names.processes.values()])

    def _file(self, path: str) -> str:
        assert self._machine
        return self._machine.text(path)

    # --- references ---------------------------------------------------------------------------------------

    def _vmsplice(self, request: p.Vmsplice) -> None:
        process, region, at, length = self._range(request)
        if request.pipe in self._names.pipes:
            raise Mistake(f"there is a pipe {request.pipe} already")
        pipe = Pipe(self._names.take_descriptors(), request.count)
        before = self._before_fault(region, request)
        try:
            self._do(
                f"0 pipe {length:x} {pipe.to_read:x}",
                *before,
                f"{process.slot:x} vmsplice {at:x} {length:x} {pipe.to_write:x}",
            )
        except Refused as e:
            self._do(f"-0 close {pipe.to_read:x}", f"-0 close {pipe.to_write:x}")
            if e.result.name in ("EMFILE", "ENFILE"):
                raise NotHere("pipes", "a process cannot have so many open files here") from None
            if e.result.name == "EPERM":  # F_SETPIPE_SZ
                raise NotHere("pipes", "a pipe cannot hold so many pages here (fs.pipe-max-size)") from None
            raise
        self._names.pipes[request.pipe] = pipe

    def _close(self, pipe: Pipe) -> None:
        self._do(f"0 close {pipe.to_read:x}", f"0 close {pipe.to_write:x}")

    def _read_pipe(self, request: p.ReadPipe) -> list[str]:
        pipe = self._named(self._names.pipes, "pipe", request.pipe)
        tokens = _decode(self._do(f"0 pipe_read {pipe.to_read:x} {pipe.pages:x}")[-1].data)
        self._close_pipe(p.ClosePipe(pipe=request.pipe))
        return tokens

    def _close_pipe(self, request: p.ClosePipe) -> None:
        self._close(self._named(self._names.pipes, "pipe", request.pipe))
        del self._names.pipes[request.pipe]

    def _tee(self, request: p.Tee) -> int:
        pipe = self._named(self._names.pipes, "pipe", request.pipe)
        if request.to in self._names.pipes:
            raise Mistake(f"there is a pipe {request.to} already")
        other = Pipe(self._names.take_descriptors(), pipe.pages)
        length = pipe.pages * self.here.page_size
        try:
            moved = self._do(
                f"0 pipe {length:x} {other.to_read:x}", f"0 tee {pipe.to_read:x} {other.to_write:x} {length:x}"
            )[-1].value
        except Refused:
            self._do(f"-0 close {other.to_read:x}", f"-0 close {other.to_write:x}")
            raise
        other.pages = moved // self.here.page_size
        self._names.pipes[request.to] = other
        return other.pages

    def _fuse_splice(self, request: p.FuseSplice) -> None:
        pipe = self._named(self._names.pipes, "pipe", request.pipe)
        try:
            self._do(f"0 fuse_splice {pipe.to_read:x} {self.here.page_size:x}")
        except Refused as e:
            if e.result.name != "ENOENT":  # FUSE has seen the data
                raise
        finally:
            self._close_pipe(p.ClosePipe(pipe=request.pipe))

    def _add_references(self, request: p.AddReferences) -> None:
        process, region = self._region(request)
        if request.hold in self._names.added:
            raise Mistake(f"there is a hold {request.hold} already")
        at = region.start + request.first * self.here.page_size
        self._drain_all()
        self._names.added[request.hold] = self._devices.hold(process, at, request.number)

    def _drop_references(self, request: p.DropReferences) -> None:
        self._do(f"0 close {self._named(self._names.added, 'hold', request.hold):x}")
        del self._names.added[request.hold]

    def _register_buffer(self, request: p.RegisterBuffer) -> None:
        process, region, at, length = self._range(request)
        if request.buffer in self._names.buffers:
            raise Mistake(f"there is a buffer {request.buffer} already")
        before = self._before_fault(region, request)
        try:
            ring = self._do(*before, f"{process.slot:x} uring_register {at:x} {length:x}")[-1].value
        except Refused as e:
            if e.result.name == "ENOMEM" and self.here.greeting.environment["user"] != "root":
                raise NotHere("io_uring-memlock", "this user may not lock so much memory (RLIMIT_MEMLOCK)") from None
            raise
        self._names.buffers[request.buffer] = Buffer(request.process, ring)

    def _buffer(self, name: str) -> tuple[Process, int]:
        buffer = self._named(self._names.buffers, "buffer", name)
        return self._process(buffer.process), buffer.ring

    def _read_buffer(self, request: p.ReadBuffer) -> list[str]:
        process, ring = self._buffer(request.buffer)
        return _decode(self._do(f"{process.slot:x} uring_read {ring:x}")[-1].data)

    def _unregister_buffer(self, request: p.UnregisterBuffer) -> None:
        process, ring = self._buffer(request.buffer)
        self._do(f"{process.slot:x} uring_unregister {ring:x}")
        del self._names.buffers[request.buffer]

    def _get_pages(self, request: p.GetPages) -> int:
        if request.gup_test and "gup-test" in self.here.missing:
            raise NotHere("gup-test", self.here.missing["gup-test"])
        process, region, at, _ = self._range(request)
        before = self._before_fault(region, request)
        if before:
            self._do(*before)
        return self._pins.get(process, at, request)

    def _put_pages(self, request: p.PutPages) -> None:
        self._pins.put(request.hold)

    def _read_held(self, request: p.ReadHeld) -> list[str]:
        return _decode(self._pins.read(request.hold))

    def _write_held(self, request: p.WriteHeld) -> None:
        self._pins.write(request.hold, _token_word(request.value))

    def _direct_write(self, request: p.DirectWrite) -> None:
        self._direct(request, write=True)

    def _direct_read(self, request: p.DirectRead) -> None:
        self._direct(request, write=False)

    def _direct(self, request: p.DirectWrite | p.DirectRead, *, write: bool) -> None:
        process, region, at, length = self._range(request)
        file = self._named(self._names.files, "file", request.file)
        if request.at + request.count > file.pages:
            raise Mistake(f"file {request.file} has {file.pages} pages")
        before = self._before_fault(region, request)
        offset = request.at * self.here.page_size
        self._do(*before, f"{process.slot:x} direct {at:x} {length:x} {file.fd:x} {offset:x} {int(write):x}")

    def _migrate(self, request: p.Migrate) -> list[str]:
        process, _, at, _ = self._range(request)
        return self._pins.migrate(process, at, request)

    # --- queries ------------------------------------------------------------------------------------------

    def _asked(self, request: p.PagesQuery) -> list[kernel.Page]:
        """The pages as pagemap, kpagecount and kpageflags show them.  Raises NotHere."""
        process, region, at, _ = self._range(request)
        if region.driver and self._devices.module:
            return self._devices.pages(process, at, request.count)
        if region.driver:
            self._refuse_hidden(process, at)
        return self._lookup.pages(process.slot, at, request.count)

    def _refuse_hidden(self, process: Process, at: int) -> list[p.VmaFlag]:
        """The flags of a VMA.  Raises NotHere if pagemap does not show what it maps."""
        flags = self._observer.flags_at(process, at)
        if "VM_PFNMAP" in flags:
            raise NotHere("entries-pfnmap", "pagemap shows nothing of a VM_PFNMAP mapping; the kernel module tells")
        return flags

    def _pagemap(self, request: p.Pagemap) -> list[list[str]]:
        process, _, at, _ = self._range(request)
        return [kernel.pagemap_bits(page) for page in self._lookup.pages(process.slot, at, request.count)]

    def _mincore(self, request: p.Mincore) -> list[bool]:
        process, _, at, length = self._range(request)
        return [bool(byte & 1) for byte in self._do(f"{process.slot:x} mincore {at:x} {length:x}")[-1].data]

    def _vma(self, request: p.VmaQuery) -> p.Vma:
        return self._observer.vma(*self._region(request))

    def _rss(self, request: p.Rss) -> dict[str, int]:
        return self._observer.rss(*self._region(request))

    def _page_mapcount(self, request: p.PageMapcount) -> list[int]:
        return [page.count if page.frame else 0 for page in self._asked(request)]

    def _average_page_mapcount(self, request: p.AveragePageMapcount) -> list[int]:
        return [page.count if page.frame else 0 for page in self._asked(request)]

    def _mapped_exclusively(self, request: p.MappedExclusively) -> list[bool]:
        process, _, at, _ = self._range(request)
        return [page.present and page.exclusive for page in self._lookup.pages(process.slot, at, request.count)]

    def _folio_counters(self, request: p.PagesQuery) -> list[FolioCounters]:
        pages = self._asked(request)
        return self._internals.folios(pages, self._lookup.folios(pages))

    def _folio_mapcount(self, request: p.FolioMapcount) -> list[int]:
        return [counters.mapcount for counters in self._folio_counters(request)]

    def _entire_mapcount(self, request: p.EntireMapcount) -> list[int]:
        return [counters.entire_mapcount or 0 for counters in self._folio_counters(request)]

    def _nr_pages_mapped(self, request: p.NrPagesMapped) -> list[int]:
        return [counters.nr_pages_mapped or 0 for counters in self._folio_counters(request)]

    def _partially_mapped(self, request: p.PartiallyMapped) -> list[bool]:
        return [bool(counters.partially_mapped) for counters in self._folio_counters(request)]

    def _drain_all(self) -> None:
        """Pages in the LRU batches of a CPU have a reference more."""
        self._do(f"0 drain_all {self.here.page_size << max(self.here.huge.pmd_order, 9):x}")

    def _refcount(self, request: p.Refcount) -> list[int]:
        self._drain_all()
        if "folio-mapcount" in self.here.missing:  # struct page cannot be read, so the module does it
            return [folio.there for folio in self._references(request)]
        return [counters.refcount for counters in self._folio_counters(request)]

    def _expected_refcount(self, request: p.ExpectedRefcount) -> list[int]:
        return [folio.expected for folio in self._references(request)]

    def _references(self, request: p.PagesQuery) -> list[devices.References]:
        process, _, at, _ = self._range(request)
        return self._devices.references(process, at, request.count)

    def _pincount(self, request: p.Pincount) -> list[int]:
        if "folio-mapcount" not in self.here.missing:
            return [counters.pincount for counters in self._folio_counters(request)]
        if any(folio.order for folio in self._lookup.folios(self._asked(request))):
            raise NotHere("pincount-large", self.here.missing["folio-mapcount"])
        return [0] * request.count  # small folios have none

    def _maybe_dma_pinned(self, request: p.MaybeDmaPinned) -> list[bool]:
        pages = self._asked(request)
        if self._devices.module:
            return self._pins.maybe_pinned([page.frame for page in pages])
        return self._internals.maybe_dma_pinned(pages, self._lookup.folios(pages))

    def _owner_slots(self, request: p.OwnerSlots) -> list[p.Owners]:
        names = {process.pid: name for name, process in self._names.processes.items()}
        return [self._internals.owners(counters, names) for counters in self._folio_counters(request)]

    def _maybe_mapped_shared(self, request: p.MaybeMappedShared) -> list[bool]:
        pages = self._asked(request)
        return self._internals.maybe_shared(pages, self._lookup.folios(pages))

    def _anon_exclusive(self, request: p.AnonExclusive) -> list[bool]:
        process, region, at, _ = self._range(request)
        if self._devices.module and (region.driver or "folio-mapcount" in self.here.missing):
            return [bool(e.flags & devices.EXCLUSIVE) for e in self._devices.entries(process, at, request.count)]
        pages = self._asked(request)
        kinds = self._kinds(request)
        return self._internals.anon_exclusive(pages, self._lookup.folios(pages), kinds)

    def _writable(self, request: p.Writable) -> list[bool | None]:
        process, _, at, _ = self._range(request)
        return [entry.writable for entry in self._devices.entries(process, at, request.count)]

    def _frame(self, request: p.Frame) -> list[str | None]:
        return [f"{page.frame:x}" if page.frame else None for page in self._asked(request)]

    def _folio_order(self, request: p.FolioOrder) -> list[int]:
        return [folio.order for folio in self._lookup.folios(self._asked(request))]

    def _page_flags(self, request: p.PageFlags) -> list[list[str]]:
        pages = self._asked(request)
        folios = self._lookup.folios(pages)
        if self.here.false_ksm:
            pages = self._internals.without_false_ksm(pages)
        return [kernel.flag_names(page, folio) for page, folio in zip(pages, folios, strict=True)]

    def _entry(self, request: p.Entry) -> list[p.EntryKind]:
        return self._kinds(request)

    def _kinds(self, request: p.PagesQuery) -> list[p.EntryKind]:
        """What the page table holds."""
        process, region, at, _ = self._range(request)
        if not region.driver:
            return self._kinds_of_pages(request)
        if self._devices.module:
            return [entry.kind for entry in self._devices.entries(process, at, request.count)]
        mixed = "VM_MIXEDMAP" in self._refuse_hidden(process, at)
        kinds = self._kinds_of_pages(request)
        if not mixed:
            return kinds
        pages = self._lookup.pages(process.slot, at, request.count)
        if "frames" in self.here.missing and any(page.present and not page.pagemap & kernel.PM_FILE for page in pages):
            raise NotHere("entries-mixedmap", "whether it is a page is not told: " + self.here.missing["frames"])
        return [entries.mixed(kind, page) for kind, page in zip(kinds, pages, strict=True)]

    def _kinds_of_pages(self, request: p.PagesQuery) -> list[p.EntryKind]:
        process, region, at, length = self._range(request)
        size = self.here.page_size
        if self.here.scan:
            scan = f"0 scan {process.slot:x} {at:x} {at + length:x} {kernel.SCAN_MASK:x}"
            return entries.by_scan(self._do(scan)[-1].data, at, request.count, size, region.hugetlb)
        order = self.here.huge.pmd_order
        start = at & -(size << order)
        before = (at - start) // size
        pages = self._lookup.pages(process.slot, start, before + request.count)
        smaps = self._file(f"/proc/{process.pid}/smaps")
        try:
            return entries.by_smaps(smaps, pages, start, size, order, region.hugetlb)[before:]
        except entries.Undecided as e:
            raise NotHere("entry", str(e)) from None

    def _smaps(self, request: p.Smaps) -> dict[str, int]:
        process, region = self._region(request)
        # MADV_FREE marks a page only when it leaves the batch of its CPU.
        result = self._do("-0 drain", f"0 read /proc/{process.pid}/smaps")[-1]
        end = region.start + region.pages * self.here.page_size
        return kernel.smaps(result.data.decode(), region.start, end)

    def _smaps_rollup(self, request: p.SmapsRollup) -> dict[str, int]:
        return self._statistics.rollup(self._process(request.process))

    def _smaps_sum(self, request: p.SmapsSum) -> dict[str, int]:
        return self._statistics.smaps_sum(self._process(request.process))

    def _status(self, request: p.Status) -> dict[str, int]:
        return self._statistics.status(self._process(request.process))

    def _statm(self, request: p.Statm) -> dict[str, int]:
        return self._statistics.statm(self._process(request.process))

    def _numa_maps(self, request: p.NumaMaps) -> dict[str, int]:
        return self._statistics.numa_maps(*self._region(request))

    def _pagemap_scan(self, request: p.PagemapScan) -> list[list[p.ScanCategory]]:
        process, _, at, _ = self._range(request)
        return self._statistics.scan(process, at, request.count)

    def _pagemap_marks(self, request: p.PagemapMarks) -> list[list[p.PagemapMark]]:
        process, _, at, _ = self._range(request)
        return [kernel.pagemap_marks(page) for page in self._lookup.pages(process.slot, at, request.count)]

    def _kpage(self, request: p.Kpage) -> p.KpageInfo:
        return self._statistics.kpage(int(request.frame, 16))

    def _clear_refs(self, request: p.ClearRefs) -> None:
        number = {"referenced": 1, "soft-dirty": 4}[request.what]
        self._do(f"0 write /proc/{self._process(request.process).pid}/clear_refs {number}")

    def _counters(self, request: p.Counters) -> dict[str, int]:
        assert self._machine
        answer: dict[str, int] = {}
        if set(self.here.counters) & set(mapped.IN_VMSTAT):
            answer = mapped.read(self._machine, self._names, self.here.page_size)
        names = [name for name in self.here.counters if name not in answer]
        return answer | counters.read(self._do, self.here.huge, self.here.page_size, names)


def _token_word(token: str) -> int:
    """The first 8 bytes of a page that holds a token."""
    return int(struct.unpack("=Q", token.encode("ascii").ljust(8, b"\0"))[0])


def _decode(data: bytes) -> list[str]:
    """The tokens in the first 8 bytes of pages; what is none is shown with question marks."""
    return [_token(data[i : i + 8]) for i in range(0, len(data), 8)]


def _token(data: bytes) -> str:
    text = data.split(b"\0", 1)[0][:7]
    return "".join(chr(c) if 32 <= c < 127 else "?" for c in text)
