# SPDX-License-Identifier: MIT
"""Counters of the whole system: /proc/vmstat and the statistics of each size of huge page.

The rest of the system moves nr_anon_mapped and nr_file_mapped all the time.  They are told on machines only that nobody
else uses (conformance/implementations/linux/mapped.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from conformance.implementations.linux import kernel, mapped
from conformance.implementations.linux.hugepages import ROOT, HugePages
from conformance.implementations.linux.machine import Machine, Result
from conformance.protocol import CounterName

IN_VMSTAT = {
    "nr_anon_thps": "nr_anon_transparent_hugepages",
    "nr_file_pmdmapped": "nr_file_pmdmapped",
    "nr_shmem_pmdmapped": "nr_shmem_pmdmapped",
    "thp_split_pmd": "thp_split_pmd",
}
IN_STATS = ("split", "split_failed", "split_deferred")
BEFORE_STATS = {
    "split": "thp_split_page",
    "split_failed": "thp_split_page_failed",
    "split_deferred": "thp_deferred_split_page",
}
"""Lines of vmstat.  They count the PMD order only, which was the only one of anonymous memory before 6.8."""
RESTLESS = "the programs of the whole system move it all the time"
CAPABILITY = {name: f"counter-{name.replace('_', '-')}" for name in CounterName.__args__}  # type: ignore[attr-defined]


def there(machine: Machine, huge: HugePages, page_size: int, *, alone: bool) -> tuple[str, ...]:
    """The counters that this kernel has.  `alone`: nobody else uses the machine, and we see frames."""
    vmstat = kernel.vmstat(machine.text("/proc/vmstat"))
    names = [name for name, line in (IN_VMSTAT | BEFORE_STATS).items() if line in vmstat]
    for name in IN_STATS:
        if name not in names and any(machine.read(path) is not None for path in _files(name, huge, page_size)):
            names.append(name)
    if alone and all(line in vmstat for line in mapped.IN_VMSTAT.values()):
        names += mapped.IN_VMSTAT
    return tuple(names)


def missing(names: Iterable[str]) -> dict[str, str]:
    """The capabilities of the counters that are not among `names`, each with the reason."""
    whys = {name: f"this kernel does not show {name}" for name in CAPABILITY}
    whys |= {"nr_anon_mapped": f"NR_ANON_MAPPED: {RESTLESS}", "nr_file_mapped": f"NR_FILE_MAPPED: {RESTLESS}"}
    return {capability: whys[name] for name, capability in CAPABILITY.items() if name not in names}


def _files(name: str, huge: HugePages, page_size: int) -> list[str]:
    """The files that sum up to a counter of splits."""
    sizes = [(page_size << order) >> 10 for order in range(1, huge.pmd_order + 1)]
    return [f"{ROOT}/hugepages-{size}kB/stats/{name}" for size in sizes]


def read(do: Callable[..., list[Result]], huge: HugePages, page_size: int, names: Iterable[str]) -> dict[str, int]:
    """The counters now, in base pages or events.

    Nothing needs to be folded for these: events are summed over all CPUs by reading, and a change by a huge page is
    more than a CPU keeps to itself (mm/vmstat.c: mod_node_state).
    """
    answer = dict.fromkeys(names, 0)
    files = [(name, path) for name in IN_STATS if name in answer for path in _files(name, huge, page_size)]
    results = do("0 read /proc/vmstat", *(f"-0 read {path}" for _, path in files))
    vmstat = kernel.vmstat(results[0].data.decode())
    for name in answer.keys() & IN_VMSTAT.keys():  # vmstat shows the first three in huge pages
        answer[name] = vmstat[IN_VMSTAT[name]] << (huge.pmd_order if name.startswith("nr_") else 0)
    stats = [(name, int(result.data)) for (name, _), result in zip(files, results[1:], strict=True) if result.data]
    for name, value in stats or [(name, vmstat[BEFORE_STATS[name]]) for name in IN_STATS if name in answer]:
        answer[name] += value
    return answer
