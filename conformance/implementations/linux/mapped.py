# SPDX-License-Identifier: MIT
"""NR_ANON_MAPPED and NR_FILE_MAPPED on a machine on which no other programs run.

Our own processes map pages, too: programs, stacks, buffers.  Fork copies some of them, and faults map more.  So what is
told is the kernel's counter less the pages that our processes map outside the regions of the scenario.
"""

from __future__ import annotations

from collections.abc import Iterable

from conformance.implementations.linux import kernel
from conformance.implementations.linux.machine import Machine
from conformance.implementations.linux.observe import vmas
from conformance.implementations.linux.scenario import Mistake, Scenario

IN_VMSTAT = {"nr_anon_mapped": "nr_anon_pages", "nr_file_mapped": "nr_mapped"}
REFRESH = "/proc/sys/vm/stat_refresh"
"""Writing to it adds what each CPU has kept to itself (mm/vmstat.c: vmstat_refresh).  Without CONFIG_SMP it is not
there, and nothing is kept."""
AT_ONCE = 4096
"""Pages of one primitive."""
TRIES = 4

Own = dict[int, str]
"""Frames that our processes map for themselves, each with the counter that it is in."""


def read(machine: Machine, names: Scenario, page_size: int) -> dict[str, int]:
    """Both counters, in pages.  Raises Mistake if they do not come to rest, Lost, Refused."""
    for _ in range(TRIES):
        before = _own(machine, names, page_size)
        results = machine.do(f"-0 write {REFRESH} 1", "0 read /proc/vmstat")
        own = _own(machine, names, page_size)
        if own == before:  # looking has not made the hub map more
            vmstat = kernel.vmstat(results[1].data.decode())
            counted = list(own.values())
            return {name: vmstat[line] - counted.count(name) for name, line in IN_VMSTAT.items()}
    raise Mistake("our own processes go on mapping pages")


def _own(machine: Machine, names: Scenario, page_size: int) -> Own:
    processes = [(0, "self"), *((process.slot, str(process.pid)) for process in names.processes.values())]
    maps = machine.do(*(f"0 read /proc/{pid}/maps" for _, pid in processes))
    primitives = [
        f"-0 pages {slot:x} {at:x} {count:x}"
        for (slot, _), result in zip(processes, maps, strict=True)
        for vma in vmas(result.data.decode())
        if not names.holds(vma.start)
        for at, count in _portions(vma.start, vma.end, page_size)
    ]
    pages = (page for result in _in_batches(machine, primitives) for page in kernel.pages(result))
    return {page.frame: _counter(page) for page in pages if page.frame and page.count and not _uncounted(page)}


def _portions(start: int, end: int, page_size: int) -> Iterable[tuple[int, int]]:
    for at in range(start, end, AT_ONCE * page_size):
        yield at, min(AT_ONCE, (end - at) // page_size)


def _in_batches(machine: Machine, primitives: list[str]) -> Iterable[bytes]:
    """The data of each; an answer takes no more than some of them."""
    for first in range(0, len(primitives), 8):
        for result in machine.do(*primitives[first : first + 8]):
            yield result.data


def _counter(page: kernel.Page) -> str:
    return "nr_anon_mapped" if page.flags & kernel.KPF_ANON else "nr_file_mapped"


def _uncounted(page: kernel.Page) -> bool:
    return bool(page.flags & (kernel.KPF_ZERO_PAGE | kernel.KPF_HUGE))
