# SPDX-License-Identifier: MIT
"""Which folio orders a fault may allocate: the files of /sys/kernel/mm/transparent_hugepage.

Sizes are only ever set to `madvise` (shmem: `advise`) or `never`, so nothing changes for a program that does not ask.
The kernel takes the largest allowed size that fits.  So before a fault in a region whose folios shall have order k,
k is allowed and every other order that fits into the region is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.implementations.linux.kernel import chosen
from conformance.implementations.linux.machine import Machine, word
from conformance.implementations.linux.settings import Settings

ROOT = "/sys/kernel/mm/transparent_hugepage"
KHUGEPAGED_SLEEP = f"{ROOT}/khugepaged/scan_sleep_millisecs"


@dataclass
class Kind:
    """The settings for anonymous memory, or for shared anonymous memory."""

    whole: str
    """The file for all sizes."""
    advised: str
    """The word for: only where it was advised."""
    fallback: str
    """What `whole` says."""
    now: dict[int, str] = field(default_factory=dict)
    """Per order: what its file says.  Before 6.8 only the PMD order is here, with the file for all sizes."""
    paths: dict[int, str] = field(default_factory=dict)
    original: dict[int, str] = field(default_factory=dict)

    def effective(self, order: int) -> str:
        """The policy of an order, inheritance resolved."""
        return self.fallback if self.now[order] == "inherit" else self.now[order]

    @property
    def whole_now(self) -> str:
        """What `whole` says now."""
        return next((self.now[order] for order, path in self.paths.items() if path == self.whole), self.fallback)

    def allowed(self, order: int) -> bool:
        """Whether advised memory gets folios of this order."""
        return self.effective(order) in ("always", "within_size", "force", self.advised)


class HugePages:
    """Reads the settings and, with `settings`, changes them."""

    def __init__(self, machine: Machine, page_size: int, settings: Settings | None):
        self._settings = settings
        self.pmd_order = 0
        if size := machine.text(f"{ROOT}/hpage_pmd_size"):
            self.pmd_order = (int(size) // page_size).bit_length() - 1
        self.anon = self._kind(machine, page_size, "enabled", "madvise")
        self.shmem = self._kind(machine, page_size, "shmem_enabled", "advise")
        self.zero = machine.text(f"{ROOT}/use_zero_page") == "1"
        self._sleep = machine.text(KHUGEPAGED_SLEEP)
        self._quiet = False

    def _kind(self, machine: Machine, page_size: int, name: str, advised: str) -> Kind:
        kind = Kind(f"{ROOT}/{name}", advised, chosen(machine.text(f"{ROOT}/{name}")))
        for order in range(1, self.pmd_order + 1):
            path = f"{ROOT}/hugepages-{(page_size << order) >> 10}kB/{name}"
            if value := machine.text(path):
                kind.paths[order], kind.now[order] = path, chosen(value)
        if not kind.now and self.pmd_order and kind.fallback:
            kind.paths[self.pmd_order], kind.now[self.pmd_order] = kind.whole, kind.fallback
        kind.original = dict(kind.now)
        return kind

    @property
    def unasked(self) -> bool:
        """Whether memory that nobody advised may get huge pages."""
        return any(self.anon.effective(order) == "always" for order in self.anon.now)

    def orders(self, kind: Kind) -> list[int]:
        """The orders that can be had."""
        return [0, *(order for order in kind.now if self._settings or kind.allowed(order))]

    def prepare(self, kind: Kind, order: int, pages: int) -> list[str]:
        """The primitives to run before a fault in a region of `pages` pages whose folios shall have `order`."""
        if self._settings is None:
            return []
        primitives = []
        if not self._quiet and self._sleep:  # khugepaged would collapse what scenarios have just taken apart
            self._quiet = True
            primitives += self._settings.change(KHUGEPAGED_SLEEP, "3600000", self._sleep)
        for other in kind.now:
            if 1 << other <= pages and kind.allowed(other) != (other == order):
                kind.now[other] = kind.advised if other == order else "never"
                primitives += self._settings.change(kind.paths[other], kind.now[other], kind.original[other])
        return primitives

    def while_within_size(self, primitives: list[str]) -> list[str]:
        """The primitives, with huge folios for memfds of the right size as long as they run."""
        if self._settings is None:
            return primitives
        path, before = self.shmem.whole, self.shmem.whole_now
        change = self._settings.change(path, "within_size", self.shmem.fallback)
        return [*change, *primitives, f"0 write {word(path)} {word(before)}"]
