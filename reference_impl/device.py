# SPDX-License-Identifier: MIT
"""A driver's open device: the memory that it can map, and what its mmap handler does.

Source: include/linux/fs.h (struct file, f_mapping), include/linux/mm.h (struct vm_operations_struct).
"""

from __future__ import annotations

from typing import NamedTuple

from .folio import Folio, Place, Places
from .units import PageCount, PageIndex


class Device:
    """Memory of one kind.

    memory    what the driver got it from: pages, compound, vmalloc, mmio and so on, as the protocol names them
    pages     which page of memory each page of the device is
    held      the driver's own references: folio and number
    frozen    there is no reference that could be taken: slab memory, and since 6.18 all of kmalloc
    gone      the driver has freed its memory, and its fault handler says so
    lasting   the kernel itself has it, and others use it too: the end of a scenario is not its end
    """

    def __init__(self, name: str, memory: str, count: PageCount) -> None:
        self.name = name
        self.memory = memory
        self.count = count
        self.pages = Places()
        self.held: list[tuple[Folio, int]] = []
        self.frozen = False
        self.gone = False
        self.lasting = False

    def place(self, page: PageIndex) -> Place | None:
        return self.pages.get(page)


class Driver(NamedTuple):
    """What a VMA knows of the driver behind it: vm_ops, and vm_file.

    function        what maps its pages: in the mmap handler, or at a fault
    refuses_split   vm_ops->may_split says -EINVAL
    refuses_move    it cannot be moved: the address is the driver's to choose
    named           vm_ops->name: a core dump always has it
    access          vm_ops->access is generic_access_phys()
    fileless        it has no vm_file: what execve(2) maps
    no_gup          get_user_pages() is refused for its pages (secretmem)
    opened_to_read  its file is opened for reading only: a shared mapping has VM_MAYSHARE, not VM_SHARED
    cached          its pages are in a page cache of their own (aio, secretmem)
    notified        vm_ops->page_mkwrite or pfn_mkwrite: it is told of the first write to a shared page
    writable_pages  a store to pages from this one on is refused (pfn_mkwrite); None: to none
    unreadable      pages that a fault finds nothing for
    """

    device: Device
    function: str
    refuses_split: bool = False
    refuses_move: bool = False
    named: bool = False
    access: bool = False
    fileless: bool = False
    no_gup: bool = False
    opened_to_read: bool = False
    cached: bool = False
    notified: bool = False
    writable_pages: PageCount | None = None
    unreadable: tuple[PageIndex, ...] = ()

    @property
    def faults(self) -> bool:
        """Whether pages come by faults."""
        return self.function == "fault" or self.function.startswith("vmf_")
