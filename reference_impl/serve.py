# SPDX-License-Identifier: MIT
"""Answers requests: each is a dictionary with `do` and `seq`, as conformance/protocol describes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import (
    driver_pages,
    ending,
    fault,
    files,
    fork,
    gup,
    interfaces,
    ksm,
    large_folios,
    lifetime,
    madvise,
    migrate,
    mmap,
    pins,
    procfs,
    profile,
    queries,
    refcount,
    state,
    statistics,
)  # fmt: skip
from .device import Device, Driver
from .folio import File
from .kernel import Kernel
from .mm import Mm
from .units import BadRequest, Bug, Errno, Order, Signal, Unsupported, Vpn

PROTOCOL = 1
VERSION = "1"
DEFAULT_PROFILE = "linux-7.3"

Request = dict[str, Any]
Handler = Callable[[Kernel, Request], Any]

CAPABILITIES = [
    "accessed-bit",
    "anon-exclusive", "average-page-mapcount", "collapse", "counter-nr-anon-mapped", "counter-nr-anon-thps",
    "counter-nr-file-mapped", "counter-nr-file-pmdmapped", "counter-nr-shmem-pmdmapped", "counter-split",
    "counter-split-deferred", "counter-split-failed", "counter-thp-split-pmd", "counters", "disk-file",
    "entire-mapcount", "entries",
    "folio-mapcount", "folio-order", "folio-split", "frames", "huge-zero-page", "hugetlb", "io_uring", "ksm",
    "mapped-exclusively", "maybe-mapped-shared", "memfd", "nr-pages-mapped", "owner-slots", "page-flags",
    "page-mapcount", "partially-mapped", "proc-mem-force", "proc_mem", "process_vm", "refcount", "smaps", "state",
    "swap", "thp", "tmpfs", "vmsplice",
    "copy-from-user", "clear-refs", "core-dump", "device-pages", "driver", "driver-access", "driver-bugs",
    "driver-calls", "entry-writable", "grow", "interfaces", "kernel-log", "mincore", "mlock", "kpage",
    "numa-maps", "pagemap", "pagemap-scan", "rss", "smaps-rollup", "soft-dirty", "statm", "status",
    "userfaultfd", "userfaultfd-wp", "vma",
    "add-references", "expected-refcount", "fuse-splice", "tee",
    "direct-io", "gup", "gup-test", "maybe-dma-pinned", "migrate", "pincount", "zone-movable",
]  # fmt: skip

QUERY_CAPABILITY = {
    "page_mapcount": "page-mapcount",
    "average_page_mapcount": "average-page-mapcount",
    "nr_pages_mapped": "nr-pages-mapped",
    "owner_slots": "owner-slots",
    "pagemap_scan": "pagemap-scan",
}


class Model:
    """A reference model that behaves like the kernel of one profile."""

    def __init__(self, profile_name: str = DEFAULT_PROFILE) -> None:
        self._behave_like(profile_name)

    def _behave_like(self, profile_name: str) -> None:
        self.profile = profile.load(profile_name)
        self.kernel = Kernel(self.profile)
        self.missing = _missing(self.profile)

    def handle(self, request: Request) -> dict[str, Any]:
        """Answer one request; never raises."""
        answer: dict[str, Any] = {"seq": request.get("seq", 0) if isinstance(request, dict) else 0, "status": "ok"}
        try:
            do = request["do"]
            if do == "reset":
                self.kernel = Kernel(self.profile)
            elif do == "hello":
                answer["value"] = self._hello(request)
            elif do != "goodbye":
                capability = QUERY_CAPABILITY.get(do)
                if capability in self.missing:
                    raise Unsupported(capability, self.missing[capability])
                value = HANDLERS[do](self.kernel, request)
                if value is not None:
                    answer["value"] = value
        except Errno as error:
            answer["status"] = "errno"
            answer["errno"] = error.args[0]
        except Signal as signal:
            answer["status"] = "signal"
            answer["signal"] = signal.args[0]
        except Unsupported as missing:
            answer["status"] = "unsupported"
            answer["capability"] = missing.capability
            answer["why"] = missing.why
        except Bug as bug:
            answer["status"] = "broken"
            answer["why"] = f"The kernel stops with BUG: {bug}"
        except BadRequest as bad:
            answer["status"] = "broken"
            answer["why"] = str(bad)
        except Exception as error:
            answer["status"] = "broken"
            answer["why"] = f"The model failed: {type(error).__name__}: {error}"[:4000]
        return answer

    def _hello(self, request: Request) -> dict[str, Any]:
        wanted = request.get("profile")
        if wanted is not None and wanted != self.profile.name:
            if wanted not in profile.names():
                raise BadRequest(f"There is no profile {wanted}.")
            self._behave_like(wanted)
        parameters = {
            name: value
            for name, value in self.profile.parameters.items()
            if isinstance(value, (int, str)) or (isinstance(value, list) and all(isinstance(v, int) for v in value))
        }
        return {
            "protocol": PROTOCOL,
            "name": "reference",
            "version": VERSION,
            "profile": self.profile.name,
            "capabilities": [c for c in CAPABILITIES if c not in self.missing],
            "missing": self.missing,
            "parameters": parameters,
            "environment": {"kernel": f"as Linux {self.profile.kernel}"},
        }


def _missing(chosen: profile.Profile) -> dict[str, str]:
    """The capabilities that kernels of this profile cannot have, each with the reason."""
    missing = _without_counters(chosen)
    if chosen["statistics.scan-written"] == "no-scan":
        missing["pagemap-scan"] = f"Linux {chosen.kernel} has no PAGEMAP_SCAN."
    if chosen["userfaultfd.wp-async"] == "no":
        missing["userfaultfd-wp"] = f"Linux {chosen.kernel} has no UFFD_FEATURE_WP_ASYNC."
    return missing


def _without_counters(chosen: profile.Profile) -> dict[str, str]:
    if chosen.orders == [0]:
        why = "This kernel has no huge pages of any kind."
        return {
            **dict.fromkeys(("thp", "huge-zero-page", "collapse", "hugetlb", "folio-split"), why),
            "average-page-mapcount": "/proc/kpagecount shows the mapcount of the page.",
            "owner-slots": "Without huge pages there is no CONFIG_MM_ID.",
        }
    match chosen["mapcount.counting"]:
        case "compound-mapcount":
            return {
                "average-page-mapcount": "Linux 6.1 has no folio_average_page_mapcount().",
                "nr-pages-mapped": "Linux 6.1 has no _nr_pages_mapped.",
                "owner-slots": "Linux 6.1 does not track the owners of a folio.",
            }
        case "nr-pages-mapped":
            return {
                "average-page-mapcount": "Linux 6.12 has no folio_average_page_mapcount().",
                "owner-slots": "Linux 6.12 does not track the owners of a folio.",
            }
        case "owner-slots-only":
            return {
                "page-mapcount": "CONFIG_NO_PAGE_MAPCOUNT: pages of large folios have no mapcount.",
                "nr-pages-mapped": "CONFIG_NO_PAGE_MAPCOUNT: _nr_pages_mapped is not maintained.",
            }
        case _:
            return {}


# --- what a request is about ---


def _pages(k: Kernel, r: Request) -> tuple[Mm, Vpn, Vpn]:
    mm = k.mm(r["process"])
    first, end = mmap.span(mm, r["region"], r.get("first", 0), r.get("count", 1))
    return mm, first, end


def _file(k: Kernel, r: Request) -> File:
    if r["file"] not in k.files:
        raise BadRequest(f"There is no file {r['file']}.")
    return k.files[r["file"]]


# --- operations ---


def _start(k: Kernel, r: Request) -> None:
    k.new_mm(r["process"])


def _create_file(k: Kernel, r: Request) -> None:
    files.create(k, r["file"], r["pages"], r["filesystem"], r.get("order", 0))


def _write_file(k: Kernel, r: Request) -> None:
    files.write(k, _file(k, r), r.get("first", 0), r.get("count", 1), r.get("value", ""))


def _map(k: Kernel, r: Request) -> None:
    mmap.mmap(
        k,
        k.mm(r["process"]),
        r["region"],
        r["pages"],
        sharing=r.get("sharing", "private"),
        file_name=r.get("file"),
        offset=r.get("offset", 0),
        order=r.get("order", 0),
        hugetlb=r.get("hugetlb", False),
        protection=r.get("protection", "read-write"),
        skew=r.get("skew", 0),
    )


def _unmap(k: Kernel, r: Request) -> None:
    mmap.munmap(k, *_pages(k, r))


def _read(k: Kernel, r: Request) -> list[str]:
    return fault.load(k, *_pages(k, r))


def _write(k: Kernel, r: Request) -> None:
    fault.store(k, *_pages(k, r), r["value"])


def _fork(k: Kernel, r: Request) -> None:
    fork.fork(k, k.mm(r["process"]), r["child"])


def _exit(k: Kernel, r: Request) -> None:
    mmap.exit_mm(k, k.mm(r["process"]))


def _madvise(k: Kernel, r: Request) -> None:
    if r["advice"] not in madvise.ADVICE and not r["advice"].startswith("populate_"):
        raise BadRequest(f"There is no advice {r['advice']}.")
    madvise.madvise(k, *_pages(k, r), r["advice"])


def _mprotect(k: Kernel, r: Request) -> None:
    mmap.mprotect(k, *_pages(k, r), r["protection"])


def _mremap(k: Kernel, r: Request) -> None:
    mmap.mremap(k, *_pages(k, r), r["to"], r.get("skew", 0), r.get("how", "move"))


def _grow(k: Kernel, r: Request) -> None:
    mmap.grow(k, k.mm(r["process"]), r["region"], r["pages"])


def _shrink(k: Kernel, r: Request) -> None:
    mmap.shrink(k, k.mm(r["process"]), r["region"], r["pages"])


def _mlock(k: Kernel, r: Request) -> None:
    mmap.mlock(k, *_pages(k, r))


def _uffd_register(k: Kernel, r: Request) -> None:
    mmap.uffd_register(k, *_pages(k, r), r["mode"])


def _copy_from_user(k: Kernel, r: Request) -> list[str]:
    return mmap.copy_from_user(k, *_pages(k, r))


def _core_dump(k: Kernel, r: Request) -> dict[str, int]:
    return mmap.core_dump(k, k.mm(r["process"]))


def _split_folio(k: Kernel, r: Request) -> None:
    large_folios.split_folios(k, *_pages(k, r), r.get("order", 0))


def _ksm_scan(k: Kernel, r: Request) -> None:
    ksm.scan(k)


def _vmsplice(k: Kernel, r: Request) -> None:
    gup.vmsplice(k, *_pages(k, r), r["pipe"])


def _read_pipe(k: Kernel, r: Request) -> list[str]:
    return gup.close_pipe(k, r["pipe"])


def _close_pipe(k: Kernel, r: Request) -> None:
    gup.close_pipe(k, r["pipe"])


def _tee(k: Kernel, r: Request) -> int:
    return gup.tee(k, r["pipe"], r["to"])


def _fuse_splice(k: Kernel, r: Request) -> None:
    gup.fuse_splice(k, r["pipe"])


def _add_references(k: Kernel, r: Request) -> None:
    mm, vpn, _ = _pages(k, r)
    refcount.add_references(k, mm, vpn, r["number"], r["hold"])


def _drop_references(k: Kernel, r: Request) -> None:
    refcount.drop_references(k, r["hold"])


def _register_buffer(k: Kernel, r: Request) -> None:
    gup.register_buffer(k, *_pages(k, r), r["buffer"])


def _read_buffer(k: Kernel, r: Request) -> list[str]:
    return gup.read_buffer(k, r["buffer"])


def _unregister_buffer(k: Kernel, r: Request) -> None:
    gup.unregister_buffer(k, r["buffer"])


def _process_vm_readv(k: Kernel, r: Request) -> list[str]:
    return gup.process_vm_readv(k, *_pages(k, r))


def _read_proc_mem(k: Kernel, r: Request) -> list[str]:
    return gup.read_proc_mem(k, *_pages(k, r))


def _write_proc_mem(k: Kernel, r: Request) -> None:
    gup.write_proc_mem(k, *_pages(k, r), r["value"])


# --- pins ---


def _get_pages(k: Kernel, r: Request) -> int:
    flags = {name: r.get(name, False) for name in ("write", "longterm", "force", "fast")}
    foll = gup.foll(k, pin=r.get("how", "get") == "pin", **flags)
    if r.get("gup_test"):
        return pins.gup_test(k, *_pages(k, r), r["hold"], foll)
    return pins.get_pages(k, *_pages(k, r), r["hold"], foll, r.get("times", 1))


def _put_pages(k: Kernel, r: Request) -> None:
    pins.put_pages(k, r["hold"])


def _read_held(k: Kernel, r: Request) -> list[str]:
    return pins.read(k, r["hold"])


def _write_held(k: Kernel, r: Request) -> None:
    pins.write(k, r["hold"], r["value"])


def _direct_write(k: Kernel, r: Request) -> None:
    pins.direct_write(k, *_pages(k, r), _file(k, r), r.get("at", 0))


def _direct_read(k: Kernel, r: Request) -> None:
    pins.direct_read(k, *_pages(k, r), _file(k, r), r.get("at", 0))


def _migrate(k: Kernel, r: Request) -> list[str]:
    return migrate.move_pages(k, *_pages(k, r), everybodys=r.get("everybodys", False))


# --- drivers ---


def _device(k: Kernel, r: Request) -> Device:
    if r["device"] not in k.devices:
        raise BadRequest(f"There is no device {r['device']}.")
    return k.devices[r["device"]]


def _create_device(k: Kernel, r: Request) -> None:
    driver_pages.create(k, r["device"], r["memory"], r["pages"], Order(r.get("order", 0)))


def _map_device(k: Kernel, r: Request) -> str:
    device = _device(k, r)
    driver_pages.map_device(
        k,
        k.mm(r["process"]),
        r["region"],
        Driver(device, r["function"]),
        r["pages"],
        offset=r.get("offset", 0),
        sharing=r.get("sharing", "shared"),
        protection=r.get("protection", "read-write"),
        flags=sum(driver_pages.FLAGS[flag] for flag in r.get("flags", [])),
        never_writable="VM_MAYWRITE" in r.get("without", []),
        part=r.get("part"),
        skew=r.get("skew", 0),
    )
    return "reference"


def _call_driver(k: Kernel, r: Request) -> dict[str, object]:
    mm = k.mm(r["process"])
    region = mm.regions[r["region"]]
    first, count = r.get("first", 0), r.get("count", 1)
    vpn = region.first + first
    page, in_mmap = r.get("device_first", 0), r.get("in_mmap", False)
    return driver_pages.call_driver(k, mm, vpn, count, _device(k, r), page, r["function"], in_mmap=in_mmap)


def _unmap_mapping_range(k: Kernel, r: Request) -> None:
    even_cows = r.get("even_cows", True)
    lifetime.unmap_mapping_range(k, _device(k, r), r.get("first", 0), r.get("count", 1), even_cows=even_cows)


def _zap_vma(k: Kernel, r: Request) -> None:
    mm, first, end = _pages(k, r)
    vma = mm.find(first)
    if vma is not None:
        lifetime.zap_vma(k, mm, vma, first, end)


def _free_device(k: Kernel, r: Request) -> None:
    lifetime.free(k, _device(k, r))


def _write_device(k: Kernel, r: Request) -> None:
    driver_pages.write(_device(k, r), r.get("first", 0), r.get("count", 1), r["value"])


def _read_device(k: Kernel, r: Request) -> list[str]:
    return driver_pages.read(_device(k, r), r.get("first", 0), r.get("count", 1))


def _map_interface(k: Kernel, r: Request) -> int:
    return interfaces.map_interface(
        k, k.mm(r["process"]), r["region"], r["interface"], r.get("pages"), r.get("sharing", "shared"), r.get("device")
    )


def _receive(k: Kernel, r: Request) -> int:
    mm = k.mm(r["process"])
    vma = mm.find(mm.regions[r["region"]].first)
    if vma is None:
        raise Errno("EINVAL")
    return interfaces.receive(k, mm, vma, r["pages"])


# --- queries ---


def _device_refcount(k: Kernel, r: Request) -> list[int]:
    return queries.device_refcounts(_device(k, r), r.get("first", 0), r.get("count", 1))


def _device_mapcount(k: Kernel, r: Request) -> list[int]:
    return queries.device_mapcounts(k, _device(k, r), r.get("first", 0), r.get("count", 1))


def _writable(k: Kernel, r: Request) -> list[bool | None]:
    return queries.writable(*_looked_at(k, r))


def _pagemap(k: Kernel, r: Request) -> list[list[str]]:
    return procfs.pagemap(k, *_looked_at(k, r))


def _mincore(k: Kernel, r: Request) -> list[bool]:
    return procfs.mincore(k, *_looked_at(k, r))


def _vma(k: Kernel, r: Request) -> dict[str, object]:
    mm = k.mm(r["process"])
    vma = mm.find(mm.regions[r["region"]].first) if r["region"] in mm.regions else None
    if vma is None:
        raise Errno("EFAULT")
    return {"flags": vma.kernel_flags, "offset": 0 if vma.anonymous else vma.offset}


def _rss(k: Kernel, r: Request) -> dict[str, int]:
    mm = k.mm(r["process"])
    if r["region"] not in mm.regions:
        raise Errno("EFAULT")
    region = mm.regions[r["region"]]
    return procfs.rss(mm, region.first, region.first + region.pages)


def _looked_at(k: Kernel, r: Request) -> tuple[Mm, Vpn, Vpn]:
    mm = k.mm(r["process"])
    region = mm.regions.get(r["region"])
    first, count = r.get("first", 0), r.get("count", 1)
    if region is None or first + count > region.pages:
        raise Errno("EFAULT")
    return mm, region.first + first, region.first + first + count


def _page_query(do: str) -> Handler:
    return lambda k, r: queries.ask_pages(k, *_looked_at(k, r), do)


def _folio_query(do: str) -> Handler:
    return lambda k, r: queries.ask_folios(k, *_looked_at(k, r), do)


def _entry(k: Kernel, r: Request) -> list[str]:
    return queries.entry_kinds(*_looked_at(k, r))


def _smaps(k: Kernel, r: Request) -> dict[str, int]:
    mm = k.mm(r["process"])
    if r["region"] not in mm.regions:
        raise Errno("EFAULT")
    region = mm.regions[r["region"]]
    return statistics.smaps(k, mm, mm.over(region.first, region.first + region.pages))


def _smaps_rollup(k: Kernel, r: Request) -> dict[str, int]:
    return statistics.smaps_rollup(k, k.mm(r["process"]))


def _smaps_sum(k: Kernel, r: Request) -> dict[str, int]:
    mm = k.mm(r["process"])
    return statistics.smaps(k, mm, mm.vmas)


def _status(k: Kernel, r: Request) -> dict[str, int]:
    return procfs.status(k, k.mm(r["process"]))


def _statm(k: Kernel, r: Request) -> dict[str, int]:
    return procfs.statm(k, k.mm(r["process"]))


def _numa_maps(k: Kernel, r: Request) -> dict[str, int]:
    mm = k.mm(r["process"])
    vma = mm.find(mm.regions[r["region"]].first) if r["region"] in mm.regions else None
    if vma is None:
        raise Errno("EFAULT")
    return procfs.numa_maps(k, mm, vma)


def _pagemap_scan(k: Kernel, r: Request) -> list[list[str]]:
    return procfs.pagemap_scan(k, *_looked_at(k, r))


def _kpage(k: Kernel, r: Request) -> dict[str, Any]:
    return procfs.kpage(k, int(r["frame"], 16))


def _clear_refs(k: Kernel, r: Request) -> None:
    if r.get("what", "referenced") == "soft-dirty":
        madvise.clear_soft_dirty(k.mm(r["process"]))
    else:
        madvise.make_old(k.mm(r["process"]), 0, 1 << 52)


def _uffd_writeprotect(k: Kernel, r: Request) -> None:
    mmap.uffd_writeprotect(*_pages(k, r))


def _pagemap_marks(k: Kernel, r: Request) -> list[list[str]]:
    return procfs.pagemap_marks(*_looked_at(k, r))


def _counters(k: Kernel, r: Request) -> dict[str, int]:
    return dict(k.counters)


def _kernel_log(k: Kernel, r: Request) -> list[dict[str, str]]:
    return [complaint._asdict() for complaint in k.log]


def _finish(k: Kernel, r: Request) -> list[dict[str, str]]:
    ending.finish(k)
    return _kernel_log(k, r)


def _state(k: Kernel, r: Request) -> dict[str, Any]:
    return state.state(k)


HANDLERS: dict[str, Handler] = {
    "start": _start,
    "create_file": _create_file,
    "write_file": _write_file,
    "map": _map,
    "unmap": _unmap,
    "read": _read,
    "write": _write,
    "fork": _fork,
    "exit": _exit,
    "madvise": _madvise,
    "mprotect": _mprotect,
    "mremap": _mremap,
    "split_folio": _split_folio,
    "ksm_scan": _ksm_scan,
    "vmsplice": _vmsplice,
    "read_pipe": _read_pipe,
    "close_pipe": _close_pipe,
    "tee": _tee,
    "fuse_splice": _fuse_splice,
    "add_references": _add_references,
    "drop_references": _drop_references,
    "register_buffer": _register_buffer,
    "read_buffer": _read_buffer,
    "unregister_buffer": _unregister_buffer,
    "process_vm_readv": _process_vm_readv,
    "get_pages": _get_pages,
    "put_pages": _put_pages,
    "read_held": _read_held,
    "write_held": _write_held,
    "direct_write": _direct_write,
    "direct_read": _direct_read,
    "migrate": _migrate,
    "grow": _grow,
    "shrink": _shrink,
    "mlock": _mlock,
    "uffd_register": _uffd_register,
    "copy_from_user": _copy_from_user,
    "core_dump": _core_dump,
    "create_device": _create_device,
    "map_device": _map_device,
    "call_driver": _call_driver,
    "unmap_mapping_range": _unmap_mapping_range,
    "zap_vma": _zap_vma,
    "free_device": _free_device,
    "write_device": _write_device,
    "read_device": _read_device,
    "map_interface": _map_interface,
    "receive": _receive,
    "device_refcount": _device_refcount,
    "device_mapcount": _device_mapcount,
    "writable": _writable,
    "pagemap": _pagemap,
    "mincore": _mincore,
    "vma": _vma,
    "rss": _rss,
    "read_proc_mem": _read_proc_mem,
    "write_proc_mem": _write_proc_mem,
    **{do: _page_query(do) for do in queries.PAGE_QUERIES},
    **{do: _folio_query(do) for do in queries.FOLIO_QUERIES},
    "entry": _entry,
    "smaps": _smaps,
    "smaps_rollup": _smaps_rollup,
    "smaps_sum": _smaps_sum,
    "status": _status,
    "statm": _statm,
    "numa_maps": _numa_maps,
    "pagemap_scan": _pagemap_scan,
    "kpage": _kpage,
    "clear_refs": _clear_refs,
    "uffd_writeprotect": _uffd_writeprotect,
    "pagemap_marks": _pagemap_marks,
    "counters": _counters,
    "kernel_log": _kernel_log,
    "finish": _finish,
    "state": _state,
}
