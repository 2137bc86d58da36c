# SPDX-License-Identifier: MIT
"""Everything ends: no process, no pipe, no open file.  What is still referenced then never comes back.

Source: kernel/exit.c (do_exit), fs/file_table.c (__fput).
"""

from __future__ import annotations

from . import gup, lifetime, mmap, pins, refcount
from .kernel import Kernel
from .log import Complaint


def finish(k: Kernel) -> None:
    """End everything, and complain of pages of a driver that somebody still has a reference to."""
    for hold in list(k.added):
        refcount.drop_references(k, hold)
    for hold in list(k.held):
        pins.put_pages(k, hold)
    for pipe in list(k.pipes):
        gup.close_pipe(k, pipe)
    for buffer in list(k.buffers):
        gup.unregister_buffer(k, buffer)
    for mm in list(k.mms.values()):
        mmap.exit_mm(k, mm)
    lasting = {place.folio for device in k.devices.values() if device.lasting for _, _, place in device.pages}
    for device in k.devices.values():
        if not device.gone and not device.lasting:
            lifetime.free(k, device)
    # rule: mixedmap.folio-pmd-leak
    left = sum(folio.pages for folio in k.folios.values() if folio.kind == "driver" and folio not in lasting)
    if left:
        k.log.append(Complaint("leak", f"{left} pages of a driver are still referenced"))
