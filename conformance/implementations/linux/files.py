# SPDX-License-Identifier: MIT
"""Files whose page cache uses folios of a wanted order."""

from __future__ import annotations

import os

from conformance.implementations.linux.lookup import Lookup
from conformance.implementations.linux.machine import Machine, Refused, word
from conformance.implementations.linux.probe import Here
from conformance.implementations.linux.scenario import File, Mistake, NotHere, Scenario

MEMFD = {"memfd": 0, "hugetlb": 4}
"""The file systems made by memfd_create(2), and the flags: MFD_HUGETLB."""
MAP_SHARED = 1
PRIMITIVES_AT_ONCE = 500


class Files:
    """Creates and fills files."""

    def __init__(self, machine: Machine, here: Here, names: Scenario, lookup: Lookup):
        self._machine = machine
        self._here = here
        self._names = names
        self._lookup = lookup
        self._refusals: dict[tuple[str, int], str] = {}

    def create(self, filesystem: str, pages: int, order: int) -> File:
        """A new file without a name.  Raises NotHere, Refused."""
        if filesystem in self._here.missing_files:
            raise NotHere(*self._here.missing_files[filesystem])
        if filesystem == "hugetlb":
            if "hugetlb" in self._here.missing:
                raise NotHere("hugetlb", self._here.missing["hugetlb"])
            order = 0
        if order and (why := self._order_refused(filesystem, order)):
            raise NotHere("file-orders", why)
        return self._open(filesystem, pages, order)

    def write(self, file: File, first: int, count: int, value: int) -> None:
        """write(2) to pages."""
        self.fill(file, first + count)
        at = first * self._here.page_size
        if file.filesystem == "hugetlb":  # where write(2) is not possible
            length = file.pages * self._here.page_size
            self._machine.do(f"0 fill {file.fd:x} {at:x} {length:x} {count:x} {value:x}")
        else:
            self._machine.do(f"0 pwrite {file.fd:x} {at:x} {count:x} 1 {value:x}")

    def _open(self, filesystem: str, pages: int, order: int) -> File:
        length = pages * self._here.page_size
        if filesystem in MEMFD:
            fd = self._machine.do(f"0 memfd {length:x} {MEMFD[filesystem]:x}")[-1].value
        else:
            huge = filesystem == "tmpfs" and order
            path = f"{self._here.directories['tmpfs-huge' if huge else filesystem]}/mapspec-{os.urandom(8).hex()}"
            fd = self._machine.do(f"0 open {word(path)} {os.O_RDWR | os.O_CREAT | os.O_EXCL:x} {length:x} 1")[-1].value
        return File(fd, pages, filesystem, order)

    def _order_refused(self, filesystem: str, order: int) -> str:
        """Why files cannot have folios of this order; "" if they can.  It is tried out once."""
        if (filesystem, order) not in self._refusals:
            self._refusals[filesystem, order] = self._try_order(filesystem, order)
        return self._refusals[filesystem, order]

    def _try_order(self, filesystem: str, order: int) -> str:
        why = f"this kernel does not fill a {filesystem} file with folios of order {order}"
        if order > self._here.huge.pmd_order:
            return why
        if filesystem == "tmpfs" and "tmpfs-huge" not in self._here.directories:
            return "only root can mount a tmpfs with large folios"
        if filesystem == "memfd" and not self._here.may_set:
            return "only root can allow large folios in memfds"
        if "folio-order" in self._here.missing:
            return "the order of a folio cannot be seen: " + self._here.missing["folio-order"]
        slot = self._names.take_slot()
        if slot is None:
            raise Mistake("there are too many processes")
        try:
            file = self._open(filesystem, 2 << order, order)
            self.fill(file, 2 << order)
            size = self._here.page_size << order
            at = self._names.place(2 << order, 0)
            self._machine.do(
                f"0 spawn {slot:x}",
                f"{slot:x} mmap {at:x} {2 * size:x} 3 {MAP_SHARED:x} {file.fd:x} 0 {os.O_RDWR:x}",
                f"{slot:x} load {at:x} 1",
                f"{slot:x} load {at + size:x} 1",
            )
            pages = self._lookup.pages(slot, at, 1) + self._lookup.pages(slot, at + size, 1)
            seen = {folio.order for folio in self._lookup.folios(pages)}
            self._machine.do(f"0 close {file.fd:x}")
        except Refused as e:
            return f"{why}: {e}"
        finally:
            self._machine.do(f"-0 kill {slot:x}")
            self._names.give_slot(slot)
        return "" if seen == {order} else why

    def fill(self, file: File, pages: int) -> None:
        """Put the folios of the first `pages` pages into the page cache, if the file shall have large ones.

        A kernel chooses the order by the size of the write, or by the size of the file (tmpfs with huge=within_size
        and memfd).  So the folios are written one after the other, and the file is never longer than they are.
        """
        if not file.order or file.filled << file.order >= pages:
            return
        while file.filled << file.order < pages:
            batch: list[str] = []
            while file.filled << file.order < pages and len(batch) < PRIMITIVES_AT_ONCE:
                batch += self._fill_next(file)
            if file.filesystem != "disk":
                batch.append(f"-0 resize {file.fd:x} {file.pages * self._here.page_size:x}")
            if file.filesystem == "memfd":
                batch = self._here.huge.while_within_size(batch)
            for result in self._machine.do(*batch):
                if result.kind != "ok":
                    raise Refused(result)

    def _fill_next(self, file: File) -> list[str]:
        """The primitives that write zeros to the next folio of a file; they may fail, so that the rest is done."""
        size, step = self._here.page_size, 1 << file.order
        at = file.filled << file.order
        end = min(at + step, file.pages)
        file.filled += 1
        write = f"-0 pwrite {file.fd:x} {at * size:x} {end - at:x} {step:x} 0"
        return [write] if file.filesystem == "disk" else [f"-0 resize {file.fd:x} {end * size:x}", write]
