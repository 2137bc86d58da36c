# SPDX-License-Identifier: MIT
"""A VMA: a range of pages with one set of attributes.  Source: include/linux/mm_types.h, struct vm_area_struct."""

from __future__ import annotations

from typing import Literal

from .device import Driver
from .folio import File
from .units import Order, PageIndex, Vpn, align_down

Protection = Literal["none", "read", "read-write"]

DONTFORK, WIPEONFORK, HUGEPAGE, NOHUGEPAGE, MERGEABLE = 1, 2, 4, 8, 16
PFNMAP, MIXEDMAP, IO, DONTEXPAND, DONTDUMP, LOCKED = 32, 64, 128, 256, 512, 1024
UFFD_WP, UFFD_WP_ASYNC = 2048, 4096
DONTCOPY = DONTFORK
SPECIAL = IO | DONTEXPAND | PFNMAP | MIXEDMAP
"""VM_SPECIAL: not mlocked, not merged, no KSM, no huge pages."""
FLAG_NAMES = {
    DONTFORK: "dontfork", WIPEONFORK: "wipeonfork", HUGEPAGE: "hugepage", NOHUGEPAGE: "nohugepage",
    MERGEABLE: "mergeable", PFNMAP: "pfnmap", MIXEDMAP: "mixedmap", IO: "io", DONTEXPAND: "dontexpand",
    DONTDUMP: "dontdump", LOCKED: "locked",
}  # fmt: skip
KERNEL_NAMES = {
    PFNMAP: "VM_PFNMAP", MIXEDMAP: "VM_MIXEDMAP", IO: "VM_IO", DONTEXPAND: "VM_DONTEXPAND",
    DONTDUMP: "VM_DONTDUMP", DONTCOPY: "VM_DONTCOPY", LOCKED: "VM_LOCKED", WIPEONFORK: "VM_WIPEONFORK",
    MERGEABLE: "VM_MERGEABLE", HUGEPAGE: "VM_HUGEPAGE", NOHUGEPAGE: "VM_NOHUGEPAGE",
}  # fmt: skip


class Vma:
    """Pages [first, end) of one mm.

    offset     vm_pgoff: the page of the file that `first` maps
    order      anonymous memory: the order that faults shall allocate while HUGEPAGE is set
    anon_vma   whether it has an anon_vma, that is, whether it has (had) anonymous pages
    driver     the driver behind it, None for files and anonymous memory
    never_writable   VM_MAYWRITE is clear: mprotect cannot make it writable
    soft_dirty VM_SOFTDIRTY: made since the last clear_refs
    tracked    the cache mode of its PFNs is tracked as a whole (x86, PAT)
    """

    __slots__ = (
        "anon_vma", "driver", "end", "file", "first", "flags", "hugetlb", "never_writable", "offset", "order",
        "protection", "region", "shared", "soft_dirty", "tracked",
    )  # fmt: skip

    def __init__(
        self,
        region: str,
        first: Vpn,
        end: Vpn,
        protection: Protection,
        shared: bool,
        file: File | None,
        offset: PageIndex,
        order: Order,
        hugetlb: bool,
        flags: int,
    ) -> None:
        self.region = region
        self.first = first
        self.end = end
        self.protection = protection
        self.shared = shared
        self.file = file
        self.offset = offset
        self.order = order
        self.hugetlb = hugetlb
        self.flags = flags
        self.anon_vma = False
        self.driver: Driver | None = None
        self.never_writable = False
        self.soft_dirty = True
        self.tracked = False

    def copy(self) -> Vma:
        twin = Vma(
            self.region, self.first, self.end, self.protection, self.shared, self.file, self.offset, self.order,
            self.hugetlb, self.flags,
        )  # fmt: skip
        twin.anon_vma = self.anon_vma
        twin.driver = self.driver
        twin.never_writable = self.never_writable
        twin.soft_dirty = self.soft_dirty
        twin.tracked = self.tracked
        return twin

    @property
    def anonymous(self) -> bool:
        """vma_is_anonymous: private and without a file.  Shared anonymous memory is a shmem file."""
        return self.file is None and self.driver is None

    @property
    def may_write(self) -> bool:
        return self.protection == "read-write"

    @property
    def cow(self) -> bool:
        """is_cow_mapping: private and may become writable."""
        return not self.shared and not self.never_writable

    @property
    def kernel_flags(self) -> list[str]:
        """As VmFlags of /proc/PID/smaps shows them, by their names in the kernel."""
        names = [name for bit, name in KERNEL_NAMES.items() if self.flags & bit]
        opened_to_read = self.driver is not None and self.driver.opened_to_read
        plain = {
            "VM_READ": self.protection != "none", "VM_WRITE": self.may_write,
            "VM_SHARED": self.shared and not opened_to_read, "VM_MAYREAD": True,
            "VM_MAYWRITE": not self.never_writable, "VM_MAYSHARE": self.shared,
        }  # fmt: skip
        return [*(name for name, there in plain.items() if there), *names]

    @property
    def needs_dirty_tracking(self) -> bool:
        """vma_needs_dirty_tracking: a shared file or a driver that wants to hear of the first write."""
        if self.driver is not None:
            return self.shared and self.driver.notified
        return self.shared and self.file is not None and self.file.tracks_dirty

    @property
    def wants_writenotify(self) -> bool:
        """vma_wants_writenotify: that, or soft-dirty bits are tracked."""
        return self.needs_dirty_tracking or (self.shared and not self.soft_dirty and not self.hugetlb)

    @property
    def special_huge(self) -> bool:
        """vma_is_special_huge: a huge entry here is taken for a raw one."""
        return self.driver is not None and bool(self.flags & (PFNMAP | MIXEDMAP)) and not self.driver.fileless

    def file_page(self, vpn: Vpn) -> PageIndex:
        return self.offset + vpn - self.first

    def suits(self, vpn: Vpn, order: int) -> bool:
        """thp_vma_suitable_order: the aligned block around `vpn` lies in the VMA, and for a file in step with it."""
        size = 1 << order
        start = align_down(vpn, size)
        if not self.anonymous and (self.first - self.offset) % size:
            return False
        return self.first <= start and start + size <= self.end
