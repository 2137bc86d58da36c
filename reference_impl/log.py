# SPDX-License-Identifier: MIT
"""What the kernel complains of in its log.

Source: include/asm-generic/bug.h (WARN_ON_ONCE), kernel/fork.c (check_mm).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .mm import Mm


class Complaint(NamedTuple):
    """One of them: `kind` as the protocol names it, the first line, and where in the kernel."""

    kind: str
    text: str
    function: str = ""
    file: str = ""


class Log(list[Complaint]):
    """All complaints since the start, in order."""

    def warn(self, function: str, file: str = "mm/memory.c") -> None:
        """WARN_ON_ONCE, as if it were the first time."""
        self.append(Complaint("warning", f"WARNING: at {file} {function}", function, file))

    def check_mm(self, mm: Mm) -> None:
        """An mm has ended: all of its RSS counters must be 0."""
        counters = {
            "MM_FILEPAGES": mm.file_pages, "MM_ANONPAGES": mm.anon_pages, "MM_SWAPENTS": mm.swap_entries,
            "MM_SHMEMPAGES": mm.shmem_pages,
        }  # fmt: skip
        for name, pages in counters.items():
            if pages:
                self.append(Complaint("bad-rss", f"BUG: Bad rss-counter state type:{name} val:{pages}"))
