# SPDX-License-Identifier: MIT
"""Random histories: operations that a program might do, whether they succeed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from string import ascii_uppercase
from typing import Any

from conformance import protocol as p
from conformance.protocol import Operation

MOST_PROCESSES, MOST_REGIONS, MOST_FILES = 4, 3, 2
FILE_PAGES = 4
SIZES = {0: 4, 2: 8, 4: 16, 9: 512}
"""Folio order: pages of a region of such folios."""


@dataclass
class _Process:
    regions: dict[str, int] = field(default_factory=dict)
    """Pages by name.  Of some nothing may be left."""


class History:
    """Makes one operation after the other.  It does not know which of them succeed.

    `can`: what may be asked (capabilities); `orders`: of the folios that may be asked for.
    """

    def __init__(self, random: Random, can: set[str], orders: list[int]):
        self._random = random
        self._can = can
        self._orders = [order for order in orders if order in SIZES and order]
        self._processes: dict[str, _Process] = {}
        self._ever = 0
        self._names = 0
        self._of_files: set[str] = set()
        self._files: list[str] = []
        self._holds: list[str] = []
        self._pipes: list[str] = []
        self._buffers: dict[str, str] = {}

    def operations(self, length: int) -> list[Operation]:
        return [self._next() for _ in range(length)]

    def _next(self) -> Operation:
        if not self._processes:
            return self._start()
        makers: list[Callable[[str], Operation]] = []
        process = self._random.choice(list(self._processes))
        for maker, weight, capability in self._possible(process):
            if not capability or capability in self._can:
                makers += [maker] * weight
        return self._random.choice(makers)(process)

    def _possible(self, process: str) -> Iterator[tuple[Callable[[str], Operation], int, str]]:
        """What can be made now, how often, and the capability that it needs."""
        regions = self._processes[process].regions
        if len(regions) < MOST_REGIONS:
            yield self._map, 3, ""
        if self._files and len(regions) < MOST_REGIONS:
            yield self._map_file, 2, ""
        if len(self._files) < MOST_FILES:
            yield self._create_file, 1, "memfd"
        if len(self._processes) < MOST_PROCESSES and self._ever < len(ascii_uppercase):
            yield self._fork, 3, ""
        if len(self._processes) > 1:
            yield self._exit, 1, ""
        if self._holds:
            yield self._put, 2, "gup"
        if self._pipes:
            yield self._end_pipe, 1, "vmsplice"
            yield self._tee, 1, "tee"
        if self._buffers:
            yield self._unregister, 1, "io_uring"
        if regions:
            yield from self._on_pages()

    def _on_pages(self) -> Iterator[tuple[Callable[[str], Operation], int, str]]:
        yield self._write, 6, ""
        yield self._making(p.Read), 3, ""
        yield self._making(p.Unmap), 1, ""
        yield self._mprotect, 2, ""
        yield self._mremap, 1, ""
        yield self._making(p.Mlock), 1, "mlock"
        yield self._making(p.SplitFolio), 1, "folio-split"
        yield self._clear_soft_dirty, 1, "soft-dirty"
        yield self._madvise("dontneed"), 2, ""
        yield self._madvise("free"), 1, ""
        yield self._madvise("cold"), 1, ""
        yield self._madvise("populate_read"), 1, ""
        yield self._madvise("populate_write"), 1, ""
        yield self._madvise("dontfork"), 1, ""
        yield self._madvise("wipeonfork"), 1, ""
        yield self._pageout, 2, "swap"
        yield self._get, 6, "gup"
        yield self._vmsplice, 1, "vmsplice"
        yield self._register, 1, "io_uring"
        yield self._making(p.ProcessVmReadv), 1, "process_vm"
        yield self._making(p.ReadProcMem), 1, "proc_mem"
        yield self._making(p.WriteProcMem, value="m"), 1, "proc-mem-force"
        yield self._migrate, 1, "migrate"

    # --- processes and mappings ---------------------------------------------------------------------------

    def _start(self) -> Operation:
        name = self._new_process()
        self._processes[name] = _Process()
        return p.Start(process=name)

    def _new_process(self) -> str:
        self._ever += 1
        return ascii_uppercase[self._ever - 1]

    def _fork(self, process: str) -> Operation:
        child = self._new_process()
        self._processes[child] = _Process(dict(self._processes[process].regions))
        return p.Fork(process=process, child=child)

    def _exit(self, process: str) -> Operation:
        del self._processes[process]
        self._buffers = {buffer: owner for buffer, owner in self._buffers.items() if owner != process}
        return p.Exit(process=process)

    def _map(self, process: str) -> Operation:
        order = self._random.choice([0, *self._orders])
        name, pages = self._name("r"), SIZES[order]
        self._processes[process].regions[name] = pages
        return p.Map(process=process, region=name, pages=pages, order=order)

    def _create_file(self, _: str) -> Operation:
        kinds = [kind for kind in ("memfd", "tmpfs") if kind in self._can]
        self._files.append(self._name("f"))
        return p.CreateFile(file=self._files[-1], pages=FILE_PAGES, filesystem=self._random.choice(kinds))

    def _map_file(self, process: str) -> Operation:
        name, file = self._name("r"), self._random.choice(self._files)
        self._processes[process].regions[name] = FILE_PAGES
        self._of_files.add(name)
        sharing = self._random.choice(["private", "shared"])
        return p.Map(process=process, region=name, pages=FILE_PAGES, file=file, sharing=sharing)  # type: ignore[arg-type]

    # --- what is done to pages ----------------------------------------------------------------------------

    def _pages(self, process: str, regions: list[str] | None = None) -> dict[str, Any]:
        """The fields that say which pages: of a region all, one, or some."""
        named = self._processes[process].regions
        region = self._random.choice(list(regions or named))
        pages, what = named[region], self._random.random()
        if what < 0.35:
            first, count = 0, pages
        elif what < 0.6:
            first, count = self._random.randrange(pages), 1
        else:
            first = self._random.randrange(pages)
            count = self._random.randint(1, pages - first)
        return {"process": process, "region": region, "first": first, "count": count}

    def _making(self, kind: type[p.PagesOperation], **fields: Any) -> Callable[[str], Operation]:
        return lambda process: kind(**self._pages(process), **fields)

    def _write(self, process: str) -> Operation:
        return p.Write(**self._pages(process), value=self._random.choice("xyz"))

    def _mprotect(self, process: str) -> Operation:
        protection = self._random.choice(["read", "read-write", "none", "read-write"])
        return p.Mprotect(**self._pages(process), protection=protection)  # type: ignore[arg-type]

    def _mremap(self, process: str) -> Operation:
        return p.Mremap(**self._pages(process), to=self._name("r"), skew=self._random.choice([0, 0, 1]))

    def _clear_soft_dirty(self, process: str) -> Operation:
        return p.ClearRefs(process=process, what="soft-dirty")

    def _madvise(self, advice: p.Advice) -> Callable[[str], Operation]:
        return lambda process: p.Madvise(**self._pages(process), advice=advice)

    def _pageout(self, process: str) -> Operation:
        """Of anonymous memory: the model has no swap for shmem."""
        anonymous = [region for region in self._processes[process].regions if region not in self._of_files]
        if not anonymous:
            return p.Read(**self._pages(process))
        return p.Madvise(**self._pages(process, anonymous), advice="pageout")

    def _migrate(self, process: str) -> Operation:
        return p.Migrate(**self._pages(process), everybodys=self._maybe(0.5))

    # --- references ---------------------------------------------------------------------------------------

    def _get(self, process: str) -> Operation:
        self._holds.append(self._name("h"))
        pin = self._maybe(0.5)
        return p.GetPages(
            **self._pages(process), hold=self._holds[-1], how="pin" if pin else "get", write=self._maybe(0.5),
            fast=self._maybe(0.5), force=self._maybe(0.2), longterm=pin and self._maybe(0.5),
        )  # fmt: skip

    def _put(self, _: str) -> Operation:
        return p.PutPages(hold=self._taken(self._holds))

    def _vmsplice(self, process: str) -> Operation:
        self._pipes.append(self._name("p"))
        return p.Vmsplice(**self._pages(process), pipe=self._pipes[-1])

    def _tee(self, _: str) -> Operation:
        pipe = self._random.choice(self._pipes)
        self._pipes.append(self._name("p"))
        return p.Tee(pipe=pipe, to=self._pipes[-1])

    def _end_pipe(self, _: str) -> Operation:
        return self._random.choice([p.ReadPipe, p.ClosePipe])(pipe=self._taken(self._pipes))

    def _register(self, process: str) -> Operation:
        name = self._name("b")
        self._buffers[name] = process
        return p.RegisterBuffer(**self._pages(process), buffer=name)

    def _unregister(self, _: str) -> Operation:
        name = self._random.choice(list(self._buffers))
        del self._buffers[name]
        return p.UnregisterBuffer(buffer=name)

    # --- names and luck -----------------------------------------------------------------------------------

    def _name(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"

    def _maybe(self, chance: float) -> bool:
        return self._random.random() < chance

    def _taken(self, names: list[str]) -> str:
        return names.pop(self._random.randrange(len(names)))
