# SPDX-License-Identifier: MIT
"""Looks at pages of a process: pagemap, kpagecount and kpageflags, and the folios that kpageflags shows."""

from __future__ import annotations

from itertools import pairwise

from conformance.implementations.linux import kernel
from conformance.implementations.linux.machine import Machine

PAGES_AT_ONCE = 4096
WRITEBACK_MS = 5000


class Lookup:
    """Reads through a machine; a folio has at most 2**order pages."""

    def __init__(self, machine: Machine, page_size: int, order: int):
        self._machine = machine
        self._page_size = page_size
        self._largest = 1 << order

    def pages(self, slot: int, at: int, count: int) -> list[kernel.Page]:
        """The pages at an address of a process."""
        pages: list[kernel.Page] = []
        for done in range(0, count, PAGES_AT_ONCE):
            now = min(count - done, PAGES_AT_ONCE)
            primitive = f"0 pages {slot:x} {at + done * self._page_size:x} {now:x}"
            pages += kernel.pages(self._machine.do(primitive)[-1].data)
        return pages

    def folios(self, pages: list[kernel.Page]) -> list[kernel.Folio]:
        """The folio of each page; of a page that is not there, an order-0 one without flags."""
        folios = kernel.Folios(self._flags, self._largest)
        nothing = kernel.Folio(0, 0, 0)
        return [folios.of(page) if page.frame else nothing for page in pages]

    def wait_for_writeback(self, frames: list[int]) -> None:
        """Until none of these page frames is being written to a disk, or for five seconds."""
        frames = sorted(set(frames) - {0})
        starts = [i for i, frame in enumerate(frames) if i == 0 or frame != frames[i - 1] + 1]
        runs = [(frames[i], end - i) for i, end in pairwise([*starts, len(frames)])]
        for _ in range(WRITEBACK_MS):
            runs = [run for run in runs if any(flags & kernel.KPF_WRITEBACK for flags in self._flags(*run))]
            if not runs:
                return
            self._machine.run("0 sleep 1")

    def _flags(self, frame: int, count: int) -> tuple[int, ...]:
        return kernel.words(self._machine.do(f"0 flags {frame:x} {count:x}")[-1].data)
