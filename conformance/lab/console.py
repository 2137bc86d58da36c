# SPDX-License-Identifier: MIT
"""The console of a guest: what its kernel said to the end, also when it died."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from conformance.implementations.linux.log import plain

WORTH = re.compile(
    r"WARNING|BUG\b|UBSAN|Oops|Bad page|Bad rss|bad pmd|[Kk]ernel panic|double fault|protection fault|stack segment|"
    r"unable to handle|rcu.*stall|blocked for more than|lockup|Out of memory|segfault|"
    r"mapspec: ([0-9]+ pages|leak|not done|init|guest|the executor)"
)
"""Lines that a healthy guest does not have."""
UNLOADED = "mapspec: unloaded"
LOOKED = "mapspec: kmemleak has looked"
LOST = "mapspec: leak: "
"""init.c says so at the end."""
_BUG = re.compile(
    r"kernel BUG at (?P<file>[\w./-]+):(?P<line>\d+)!|"
    r"BUG: failure at (?P<file2>[\w./-]+):(?P<line2>\d+)/(?P<function>\w+)\(\)!"
)
"""On x86; in User-mode Linux."""
_RIP = re.compile(r"\b(?:RIP: [0-9a-f]+:|EIP: )(\w+)\+")
_FRAME = re.compile(r"\] +(?:\? )?(\w+)\+0x[0-9a-f]+/0x[0-9a-f]+( \[mapspec\])?")


class Bug(NamedTuple):
    """A BUG() that stopped the kernel."""

    file: str
    line: int
    function: str
    """The one that the processor was in: what the compiler has inlined belongs to it."""
    callers: list[str]
    """The functions that led there, the last one first, up to the module."""
    by_module: bool
    """The module is among them."""

    def inside(self, called: str) -> bool:
        """Whether that is in a function that a driver has called.  What is called last is often all that is left of
        it: vmf_insert_pfn() jumps to vmf_insert_pfn_prot(), and vmf_insert_mixed() to __vm_insert_mixed()."""
        stem = called.removeprefix("vmf_").removeprefix("vm_").removeprefix("io_")
        return any(stem in function for function in (self.function, *self.callers))

    def __str__(self) -> str:
        return f"BUG at {self.file}:{self.line}, in {self.function or 'an unknown function'}"


class Console:
    """The log, which grows, over several boots."""

    def __init__(self, log: Path):
        self._log = log
        self._read = 0
        self.last: list[str] = []
        """All lines of the last call of `news`."""

    def news(self) -> list[str]:
        """The lines worth telling since the last call, without what differs from run to run."""
        self.last = []
        try:
            with open(self._log, "rb") as log:
                log.seek(self._read)
                whole = log.read().rpartition(b"\n")
        except OSError:
            return []
        self._read += len(whole[0]) + len(whole[1])
        self.last = whole[0].decode(errors="replace").split("\n")
        return [plain(line) for line in self.last if WORTH.search(line)]


def bug(lines: list[str]) -> Bug | None:
    """The first BUG() in lines of a console."""
    for number, line in enumerate(lines):
        if found := _BUG.search(line):
            function, callers, by_module = found["function"] or "", [], False
            for later in lines[number + 1 :]:
                if not function and (rip := _RIP.search(later)):
                    function = rip[1]
                if frame := _FRAME.search(later):
                    if frame[2]:
                        by_module = True
                        break
                    callers.append(frame[1])
            file = re.sub(
                r"^.*/(?=(?:arch|block|drivers|fs|include|kernel|lib|mm|net)/)", "", found["file"] or found["file2"]
            )
            return Bug(file, int(found["line"] or found["line2"]), function, callers, by_module)
    return None
