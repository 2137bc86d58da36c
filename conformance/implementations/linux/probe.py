# SPDX-License-Identifier: MIT
"""What the running kernel and this user allow: capabilities, each missing one with its reason, and parameters."""

from __future__ import annotations

import gzip
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from conformance import protocol as p
from conformance.implementations.linux import counters, devices, internals, ioctls, kernel, observe, pins
from conformance.implementations.linux.hugepages import ROOT as THP
from conformance.implementations.linux.hugepages import HugePages
from conformance.implementations.linux.machine import Machine, word
from conformance.implementations.linux.scenario import FIRST_DESCRIPTOR, Mistake, NotHere, Process, Region, Scenario
from conformance.implementations.linux.settings import Settings

MEMORY_FILE_SYSTEMS = {0x01021994: "tmpfs", 0x858458F6: "ramfs"}
DEBUGFS, TMPFS, TMPFS_HUGE = "/sys/kernel/debug", "/dev/shm", "/dev/shm/huge"
SPLIT_HUGE_PAGES = f"{DEBUGFS}/split_huge_pages"
SECURITYFS = "/sys/kernel/security"
LOCKDOWN = f"{SECURITYFS}/lockdown"
OVERCOMMIT_HUGEPAGES = "/proc/sys/vm/nr_overcommit_hugepages"
HUGETLB_PAGES = 64
"""Huge pages that scenarios may have at a time, given back to the system when they are freed."""

PROFILES = (((7, 3), "linux-7.3"), ((6, 18), "linux-6.18"), ((6, 12), "linux-6.12"), ((6, 1), "linux-6.1"))

WITHOUT_PTE_SPECIAL = ("alpha", "csky", "hexagon", "m68k", "microblaze", "nios2", "openrisc", "xtensa")

PER_FRAME = ("frames", "page-mapcount", "average-page-mapcount", "page-flags", "folio-order")
SHOWN_CONFIG = (
    "PAGE_MAPCOUNT", "NO_PAGE_MAPCOUNT", "MM_ID", "TRANSPARENT_HUGEPAGE", "READ_ONLY_THP_FOR_FS", "KSM", "SWAP",
    "HUGETLB_PAGE", "DEBUG_VM", "IO_URING",
)  # fmt: skip


@dataclass
class Here:
    """The machine as seen at the start."""

    greeting: p.Greeting
    page_size: int
    word_bits: int
    missing: dict[str, str]
    huge: HugePages
    scan: bool
    """PAGEMAP_SCAN is there."""
    directories: dict[str, str]
    """Where files go: disk, tmpfs, and tmpfs-huge for large folios."""
    missing_files: dict[str, tuple[str, str]]
    """File systems that are not there: capability and reason."""
    version: tuple[int, int]
    counters: tuple[str, ...]
    may_set: bool
    """Settings of the machine may be changed."""
    false_ksm: bool
    """kpageflags shows every anonymous page as a KSM page."""


def read_only(machine: Machine) -> str:
    """Why settings cannot be written, as in a container; "" if they can."""
    for path in (f"{THP}/use_zero_page", OVERCOMMIT_HUGEPAGES):
        opened = machine.run(f"0 open {path} {os.O_WRONLY:x} 0 0")[0]
        if opened.kind != "ok" and opened.name != "ENOENT":
            return f"they cannot be written here: {opened.name}"
    return ""


def look(machine: Machine, settings: Settings | None, fixed: str, *, bugs: bool) -> Here:
    """Everything that has to be known before the first scenario.

    `fixed`: why settings of the machine cannot be changed, if there are no `settings` and this is not why; `bugs`: the
    machine may be lost, so calls that stop its kernel can be made.
    """
    page_size, word_bits, user = map(int, machine.do("0 about")[0].data.split())
    root = user == 0
    release = machine.text("/proc/sys/kernel/osrelease")
    version = kernel.version(release)
    config = _config(machine, release)
    huge = HugePages(machine, page_size, settings)
    may_change = ""
    if settings is None:
        may_change = f"this needs other settings of the machine, and {fixed or 'only root can change them'}"
    missing = {"state": "the whole state is not visible on a running kernel"}

    false_ksm = _look_at_pages(machine, page_size, word_bits, config, missing)
    scan = machine.run(f"0 scan 0 0 {page_size:x} {kernel.SCAN_MASK:x}")[0].kind == "ok"
    if not scan and "frames" in missing:
        missing["entries"] = "this kernel has no PAGEMAP_SCAN (it came in 6.7), and " + missing["frames"]
    why = missing.get("folio-order") or internals.unreadable(machine, version)
    missing.update(internals.missing(why, version, config))
    if false_ksm and why:
        missing.setdefault("page-flags", "/proc/kpageflags of this kernel shows KPF_KSM for every anonymous page")
    for capability, name in PER_PROCESS.items():
        if machine.read(f"/proc/self/{name}") is None:
            missing[capability] = f"this kernel has no /proc/PID/{name}"
    if not scan:
        missing["pagemap-scan"] = "this kernel has no PAGEMAP_SCAN (it came in 6.7)"
    if "folio-order" in missing:
        missing["kpage"] = missing["folio-order"]
    if not machine.read("/proc/self/smaps"):
        why = "this kernel has no /proc/PID/smaps"
        missing.update(dict.fromkeys(("smaps", "vma", "rss"), why))
    if "mapped-exclusively" in missing:
        missing["pagemap"] = missing["mapped-exclusively"]

    directories, missing_files = _look_for_directories(machine, root)
    missing.update(missing_files.values())
    _look_at_debugfs(machine, root, missing)
    _look_at_huge_pages(machine, huge, version, missing)
    _look_at_hugetlb(machine, huge, page_size, settings, may_change, missing)
    _look_at_ksm(machine, may_change, missing)
    if not machine.text("/proc/swaps").count("\n"):
        missing["swap"] = "this machine has no swap"
    _look_at_references(machine, page_size, word_bits, missing)
    machine.run("0 reset")
    _look_at_accessed_bit(machine, page_size, word_bits, missing)
    _look_at_rss(machine, page_size, word_bits, version, missing)
    _look_at_core_dumps(machine, settings, core_directory(directories), missing)
    _look_at_drivers(machine, page_size, settings, missing, bugs=bugs)
    _look_at_fuse(machine, settings, missing)
    machine.run("0 reset")
    missing.update(pins.missing(machine))
    _look_at_direct_io(machine, page_size, word_bits, directories.get("disk"), missing)
    _look_at_log(machine, settings, missing)
    machine.run("0 reset")
    if why := pins.no_gup_test(machine, page_size):
        missing["gup-test"] = why
    machine.run("0 reset")

    alone = settings is not None and not settings.shared and not missing.keys() & {"frames", "page-flags"}
    there = counters.there(machine, huge, page_size, alone=alone)
    if not there:
        missing["counters"] = "this kernel has none of the counters"
    missing.update(counters.missing(there))
    special = _pte_special(machine, config)
    profile, exact = _profile(version, config, word_bits, special=special)
    capabilities = sorted(KNOWN - set(missing))
    greeting = p.Greeting(
        protocol=p.PROTOCOL,
        name="linux",
        version=release[:200],
        profile=profile,
        capabilities=capabilities,
        missing=dict(sorted(missing.items())),
        parameters=_parameters(machine, page_size, word_bits, huge, missing)
        | {"pte_special": int(special), "debug_vm": int("DEBUG_VM" in config)},
        environment={
            "kernel": machine.text("/proc/version"),
            "machine": machine.text("/proc/sys/kernel/arch") or os.uname().machine,
            "user": "root" if root else "ordinary",
            "profile": exact,
            "settings": f"left as they are: {fixed or 'only root can change them'}"
            if settings is None
            else "changed for the run",
            "config": _shown(config),
            "counters": ", ".join(there),
            "folios": why or "their counters are read from struct page; the sharing test is computed from them",
        },
    )
    return Here(
        greeting,
        page_size,
        word_bits,
        missing,
        huge,
        scan,
        directories,
        missing_files,
        version,
        there,
        settings is not None,
        false_ksm,
    )


PER_PROCESS = {"smaps-rollup": "smaps_rollup", "status": "status", "statm": "statm", "numa-maps": "numa_maps"}
"""Capabilities that are one file of a process."""

KNOWN = {str(r.capability) for r in p.OPERATIONS + p.QUERIES if r.capability} | {
    "driver-bugs", "thp", "collapse", "hugetlb", "swap", "huge-zero-page", "memfd", "tmpfs", "disk-file",
    "proc-mem-force", "soft-dirty", "accessed-bit", "zone-movable", "gup-test", *counters.CAPABILITY.values(),
}  # fmt: skip


def _config(machine: Machine, release: str) -> dict[str, str]:
    """The kernel's configuration without CONFIG_; empty if it is not published."""
    packed = machine.read("/proc/config.gz")
    text = gzip.decompress(packed).decode() if packed else machine.text(f"/boot/config-{release}")
    pairs = (line[7:].split("=", 1) for line in text.splitlines() if line.startswith("CONFIG_"))
    return {name: value for name, value in pairs}


def _shown(config: dict[str, str]) -> str:
    if not config:
        return "not published"
    return " ".join(f"{name}={config.get(name, 'n')}" for name in SHOWN_CONFIG)


def _pte_special(machine: Machine, config: dict[str, str]) -> bool:
    """Whether this architecture marks entries that are no pages (CONFIG_ARCH_HAS_PTE_SPECIAL)."""
    if config:
        return "ARCH_HAS_PTE_SPECIAL" in config
    if "User Mode Linux" in machine.text("/proc/cpuinfo"):
        return False
    return (machine.text("/proc/sys/kernel/arch") or os.uname().machine) not in WITHOUT_PTE_SPECIAL


def _profile(version: tuple[int, int], config: dict[str, str], word_bits: int, *, special: bool) -> tuple[str, str]:
    """The highest profile that is not above this kernel, and a sentence on how well it fits."""
    name = next((name for since, name in PROFILES if version >= since), "linux-6.1")
    release = f"{version[0]}.{version[1]}"
    if name == "linux-7.3" and "NO_PAGE_MAPCOUNT" in config:
        name += "-no-page-mapcount"
    elif name == "linux-7.3" and not special:
        name += "-no-pte-special"
    elif name == "linux-7.3" and word_bits == 32:
        name += "-32bit"
    exact = f"exact: Linux {release}" if release in name else f"nearest: this is Linux {release}"
    if not config:
        exact += "; CONFIG_PAGE_MAPCOUNT is assumed"
    elif "NO_PAGE_MAPCOUNT" in config and "no-page-mapcount" not in name:
        exact += "; but it has CONFIG_NO_PAGE_MAPCOUNT, which that profile has not"
    if not special and "no-pte-special" not in name:
        exact += "; but its architecture has no pte_special, which that profile has"
    return name, exact


def _look_at_pages(
    machine: Machine, page_size: int, word_bits: int, config: dict[str, str], missing: dict[str, str]
) -> bool:
    """Page frame numbers and what is known per frame: looked at with one page of one process.

    Returns whether kpageflags shows this page as a KSM page.  Since 6.10 it did so for every anonymous page, until that
    was corrected (fs/proc/page.c: stable_page_flags).
    """
    at = 1 << 36 if word_bits == 64 else 1 << 30
    machine.do("0 spawn 1", f"1 mmap {at:x} {page_size:x} 3 22", f"1 store {at:x} 1 41")
    seen = machine.run(f"0 pages 1 {at:x} 1")[0]
    machine.do("0 reset")
    if seen.kind != "ok":
        why = f"/proc/PID/pagemap cannot be read: {seen.name}"
        missing.update(dict.fromkeys(("mapped-exclusively", "soft-dirty", *PER_FRAME), why))
        return False
    (page,) = kernel.pages(seen.data)
    if "soft-dirty" not in kernel.pagemap_marks(page):
        missing["soft-dirty"] = "this kernel keeps no soft-dirty bit (CONFIG_MEM_SOFT_DIRTY)"
    if not page.frame:
        missing.update(dict.fromkeys(PER_FRAME, "page frame numbers are hidden from ordinary users"))
    elif not page.flags & kernel.KPF_ANON:
        missing.update(dict.fromkeys(PER_FRAME[1:], "/proc/kpageflags and /proc/kpagecount cannot be read here"))
    elif "NO_PAGE_MAPCOUNT" in config:
        missing["page-mapcount"] = "this kernel keeps no mapcount per page (CONFIG_NO_PAGE_MAPCOUNT)"
    else:
        missing["average-page-mapcount"] = "/proc/kpagecount shows the mapcount of the page on this kernel"
    return bool(page.flags & kernel.KPF_KSM)


def _look_for_directories(machine: Machine, root: bool) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Where files of each kind can be created."""
    directories: dict[str, str] = {}
    missing: dict[str, tuple[str, str]] = {}
    for candidate in _disk_candidates():
        kind = machine.run(f"0 statfs {word(candidate)}")[0]
        if kind.kind == "ok" and kind.value not in MEMORY_FILE_SYSTEMS and _can_create(machine, candidate):
            directories["disk"] = candidate
            break
    else:
        missing["disk"] = ("disk-file", "no directory on a disk can be written to")
    if root and machine.run(f"0 mount tmpfs {TMPFS} {word('huge=never,mode=700')}")[0].kind == "ok":
        if machine.run(f"0 mount tmpfs {TMPFS_HUGE} {word('huge=within_size,mode=700')}")[0].kind == "ok":
            directories["tmpfs-huge"] = TMPFS_HUGE
    elif root:
        machine.run(f"-0 mount tmpfs {TMPFS} {word('mode=700')}")  # without CONFIG_TRANSPARENT_HUGEPAGE
    kind = machine.run(f"0 statfs {TMPFS}")[0]
    if kind.kind == "ok" and MEMORY_FILE_SYSTEMS.get(kind.value) == "tmpfs" and _can_create(machine, TMPFS):
        directories["tmpfs"] = TMPFS
    else:
        missing["tmpfs"] = ("tmpfs", f"{TMPFS} is not a tmpfs that can be written to")
    if machine.run("0 memfd 0")[0].kind != "ok":
        missing["memfd"] = ("memfd", "this kernel has no memfd_create")
    return directories, missing


def _look_at_debugfs(machine: Machine, root: bool, missing: dict[str, str]) -> None:
    """Mounts debugfs, for the executor alone, where nobody has mounted it."""
    if not root:
        missing["folio-split"] = "only root can mount debugfs and write to split_huge_pages"
        return
    if (level := _lockdown(machine)) not in ("", "none"):  # fs/debugfs/file.c: debugfs_locked_down
        missing["folio-split"] = f"the kernel is locked down ({level}): nobody can write to split_huge_pages in debugfs"
        return
    attempt = f"0 open {SPLIT_HUGE_PAGES} {os.O_WRONLY:x} 0 0"
    opened = machine.run(attempt)[0]
    if opened.kind != "ok" and opened.name == "ENOENT":
        machine.run(f"-0 mount debugfs {DEBUGFS}")
        opened = machine.run(attempt)[0]
    if opened.kind != "ok":
        missing["folio-split"] = f"split_huge_pages in debugfs cannot be opened: {opened.name}"


def _lockdown(machine: Machine) -> str:
    """none, integrity or confidentiality; "" if the kernel has no lockdown.  Mounts securityfs like debugfs."""
    if machine.read(LOCKDOWN) is None:
        machine.run(f"-0 mount securityfs {SECURITYFS}")
    return kernel.chosen(machine.text(LOCKDOWN))


def _disk_candidates() -> list[str]:
    checkout = Path(__file__).resolve().parents[3] / "build"
    return [str(checkout), "/var/tmp", str(Path.cwd()), tempfile.gettempdir()]


def _can_create(machine: Machine, directory: str) -> bool:
    path = f"{directory}/mapspec-{os.urandom(8).hex()}"
    return machine.run(f"0 open {word(path)} {os.O_RDWR | os.O_CREAT | os.O_EXCL:x} 0 1")[0].kind == "ok"


def _look_at_huge_pages(machine: Machine, huge: HugePages, version: tuple[int, int], missing: dict[str, str]) -> None:
    if not huge.pmd_order:
        why = "this kernel has no transparent huge pages"
        missing.update(dict.fromkeys(("thp", "collapse", "huge-zero-page"), why))
        return
    if huge.pmd_order not in huge.orders(huge.anon):
        missing["thp"] = f"{THP}/enabled is set to never"
        missing["huge-zero-page"] = missing["thp"]
    elif not huge.zero:
        missing["huge-zero-page"] = f"{THP}/use_zero_page is 0"
    if version < (6, 1):
        missing["collapse"] = "MADV_COLLAPSE came in 6.1"


def _look_at_hugetlb(
    machine: Machine,
    huge: HugePages,
    page_size: int,
    settings: Settings | None,
    may_change: str,
    missing: dict[str, str],
) -> None:
    """Surplus pages are allowed, not reserved: they go back to the system when they are freed."""
    overcommit = machine.text(OVERCOMMIT_HUGEPAGES)
    if not overcommit:
        missing["hugetlb"] = "this kernel has no hugetlb pages"
    elif _hugetlb_order(machine, page_size) > max(huge.pmd_order, 9):
        missing["hugetlb"] = "the default hugetlb page is larger than what a PMD maps"
    elif settings and int(overcommit) < HUGETLB_PAGES:
        machine.do(*settings.change(OVERCOMMIT_HUGEPAGES, str(HUGETLB_PAGES), overcommit))
    elif int(overcommit) + int(machine.text("/proc/sys/vm/nr_hugepages") or 0) < HUGETLB_PAGES:
        missing["hugetlb"] = may_change


def _hugetlb_order(machine: Machine, page_size: int) -> int:
    """The order of the default hugetlb page; 0: there is none."""
    for line in machine.text("/proc/meminfo").splitlines():
        if line.startswith("Hugepagesize:"):
            return (int(line.split()[1]) * 1024 // page_size).bit_length() - 1
    return 0


def _look_at_ksm(machine: Machine, may_change: str, missing: dict[str, str]) -> None:
    if not machine.text("/sys/kernel/mm/ksm/run"):
        missing["ksm"] = "this kernel has no KSM"
    elif may_change:
        missing["ksm"] = may_change


def _look_at_references(machine: Machine, size: int, word_bits: int, missing: dict[str, str]) -> None:
    """Calls that take references: done once, in a process of its own, so that what is forbidden is known."""
    at = 1 << 36 if word_bits == 64 else 1 << 30
    read_only = at + 16 * size
    machine.do("0 spawn 1", f"1 mmap {at:x} {size:x} 3 22", f"1 store {at:x} 1 41")
    machine.do(f"1 mmap {read_only:x} {size:x} 1 22")
    machine.run(f"0 pipe {size:x} {FIRST_DESCRIPTOR:x}")
    machine.run(f"0 pipe {size:x} {FIRST_DESCRIPTOR + 2:x}")
    trials = {
        "vmsplice": ("vmsplice", f"1 vmsplice {at:x} {size:x} {FIRST_DESCRIPTOR + 1:x}"),
        "tee": ("tee", f"0 tee {FIRST_DESCRIPTOR:x} {FIRST_DESCRIPTOR + 3:x} {size:x}"),
        "io_uring": ("io_uring", f"1 uring_register {at:x} {size:x}"),
        "process_vm": ("process_vm_readv", f"0 vm_read 1 {at:x} 1"),
        "proc_mem": ("/proc/PID/mem", f"0 mem_write 1 {at:x} 1 41"),
        "copy-from-user": ("write", f"1 copy_out {at:x} 1"),
        "mlock": ("mlock", f"1 mlock {at:x} {size:x}"),
        "userfaultfd": ("userfaultfd", "1 uffd 0"),
        "userfaultfd-wp": ("UFFD_FEATURE_WP_ASYNC", f"1 uffd {observe.UFFD_FEATURE_WP_ASYNC:x}"),
        "proc-mem-force": ("FOLL_FORCE through /proc/PID/mem", f"0 mem_write 1 {read_only:x} 1 41"),
    }
    for capability, (what, primitive) in trials.items():
        result = machine.run(primitive)[0]
        if result.kind != "ok":
            missing[capability] = f"{what} is refused here: {result.name}"


def _look_at_direct_io(
    machine: Machine, size: int, word_bits: int, directory: str | None, missing: dict[str, str]
) -> None:
    """Tried once, with a file where disk files go."""
    if directory is None:
        missing["direct-io"] = missing["disk-file"]
        return
    at = 1 << 36 if word_bits == 64 else 1 << 30
    path = word(f"{directory}/mapspec-{os.urandom(8).hex()}")
    file = machine.do(f"0 open {path} {os.O_RDWR | os.O_CREAT | os.O_EXCL:x} {size:x} 1")[0].value
    machine.do("0 spawn 1", f"1 mmap {at:x} {size:x} 3 22", f"1 store {at:x} 1 41")
    done = machine.run(f"1 direct {at:x} {size:x} {file:x} 0 1")[0]
    if done.kind != "ok":
        missing["direct-io"] = f"a write with O_DIRECT to a file in {directory} is refused: {done.name}"


def _look_at_accessed_bit(machine: Machine, size: int, word_bits: int, missing: dict[str, str]) -> None:
    """A child's entries are old: does a load make one young?"""
    at = 1 << 36 if word_bits == 64 else 1 << 30
    machine.do("0 spawn 1", f"1 mmap {at:x} {size:x} 3 22", f"1 store {at:x} 1 41")
    pid = machine.do("1 fork 2")[0].value
    machine.do(f"2 load {at:x} 1")
    seen = kernel.smaps(machine.text(f"/proc/{pid}/smaps"), at, at + size)
    machine.do("0 reset")
    if not seen.get("Referenced"):
        missing["accessed-bit"] = "a load does not set the accessed bit that smaps shows"


def _look_at_rss(
    machine: Machine, size: int, word_bits: int, version: tuple[int, int], missing: dict[str, str]
) -> None:
    """Three pages more must be three pages more: 6.2 and later kernels showed approximate counters until 6.16."""
    if "rss" in missing:
        return
    names = Scenario(word_bits, 1 << 21, size)
    region = Region(names.place(3, 0), 3)
    process = Process(1, machine.do("0 spawn 1")[0].value)
    machine.do(f"1 mmap {region.start:x} {3 * size:x} 3 22", f"1 store {region.start:x} 3 41")
    seen = observe.Observer(machine, names, size, version, "").rss(process, region)
    machine.do("0 reset")
    if seen != {"anon": 3, "file": 0, "shmem": 0}:
        missing["rss"] = "the RSS counters of this kernel are not exact"


def core_directory(directories: dict[str, str]) -> str:
    """Where a process may dump core."""
    return directories.get("tmpfs") or directories.get("disk") or tempfile.gettempdir()


def _look_at_core_dumps(machine: Machine, settings: Settings | None, directory: str, missing: dict[str, str]) -> None:
    """Tried once.  Where core dumps go is changed on a machine only that nobody else uses."""
    why = observe.core_pattern(machine)
    if why and settings and not settings.shared:
        machine.run(*settings.change(observe.CORE_PATTERN, "core", machine.text(observe.CORE_PATTERN)))
        why = observe.core_pattern(machine)
    if why:
        missing["core-dump"] = why
        return
    machine.do("0 spawn 1")
    try:
        observe.die(machine, 1, directory)
    except NotHere as e:
        missing["core-dump"] = e.why
    except Mistake as e:
        missing["core-dump"] = str(e)
    machine.run("0 reset")


def _look_at_drivers(
    machine: Machine, size: int, settings: Settings | None, missing: dict[str, str], *, bugs: bool
) -> None:
    """With the kernel module every driver, without it those for which a part of the kernel stands in."""
    guest = settings is not None and not settings.shared
    missing.update(devices.missing(machine, size, guest=guest, bugs=bugs))
    if ioctls.present(machine):
        missing.pop("refcount", None)
        missing.pop("anon-exclusive", None)
        if "frames" not in missing:
            missing.pop("maybe-dma-pinned", None)  # the module asks the kernel
            missing.pop("pincount", None)


def _look_at_fuse(machine: Machine, settings: Settings | None, missing: dict[str, str]) -> None:
    """A connection is tried once.  It is mounted, so not on a machine that others use."""
    if settings is None or settings.shared:
        missing["fuse-splice"] = "it mounts a FUSE file system: a guest of the lab does this, docs/lab.md"
        return
    tried = machine.run("0 fuse")[0]
    if tried.kind != "ok":
        missing["fuse-splice"] = f"this kernel has no FUSE: {tried.name}"


def _look_at_log(machine: Machine, settings: Settings | None, missing: dict[str, str]) -> None:
    """On a machine that others use, too, nobody can say whom a line is about."""
    read = machine.run("0 log")[0]
    if settings is None or settings.shared:
        missing["kernel-log"] = "the kernel log of this machine is about everybody who uses it"
    elif read.kind != "ok":
        missing["kernel-log"] = f"the kernel log cannot be read: {read.name}"


def _parameters(
    machine: Machine, page_size: int, word_bits: int, huge: HugePages, missing: dict[str, str]
) -> dict[str, int | str | list[int]]:
    parameters: dict[str, int | str | list[int]] = {
        "page_size": page_size, "word_bits": word_bits, "refcount_bits": 32,
    }  # fmt: skip
    if huge.pmd_order:
        parameters["pmd_order"] = huge.pmd_order
    parameters["orders"] = huge.orders(huge.anon)
    parameters["shmem_orders"] = huge.orders(huge.shmem)
    if "hugetlb" not in missing:
        parameters["hugetlb_order"] = _hugetlb_order(machine, page_size)
    return parameters
