# SPDX-License-Identifier: MIT
"""The kernel log of a guest: what in it is worth telling."""

from __future__ import annotations

import re
from pathlib import Path

WORTH = re.compile(
    r"WARNING|BUG\b|Oops|Bad page|Bad rss|bad pmd|[Kk]ernel panic|double fault|protection fault|stack segment|"
    r"unable to handle|rcu.*stall|blocked for more than|lockup|Out of memory|segfault|"
    r"mapspec: (init|guest|the executor)"
)
"""Lines that a healthy guest does not have."""
_STAMP = re.compile(r"^\[ *\d+\.\d+\]\s*|\r$")
_VARYING = (
    (re.compile(r"CPU: \d+ |,? CPU#\d+: \S+/\d+"), ""),
    (re.compile(r"\bPID: \d+ |\bT\d+ | Comm:\S+ Pid:\d+"), ""),
    (re.compile(r"/\S*/(?=(?:arch|block|drivers|fs|include|io_uring|kernel|lib|mm|net)/)"), ""),
    (re.compile(r"\+0x[0-9a-f]+/0x[0-9a-f]+"), ""),
    (re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b"), "…"),
)
"""What differs from run to run, and tells nothing."""


class Console:
    """The log, which grows, over several boots."""

    def __init__(self, log: Path):
        self._log = log
        self._read = 0

    def news(self) -> list[str]:
        """The lines worth telling since the last call, without what differs from run to run."""
        try:
            with open(self._log, "rb") as log:
                log.seek(self._read)
                whole = log.read().rpartition(b"\n")
        except OSError:
            return []
        self._read += len(whole[0]) + len(whole[1])
        lines = whole[0].decode(errors="replace").split("\n")
        return [plain(line) for line in lines if WORTH.search(line)]


def plain(line: str) -> str:
    """A line of the log as it would be in another run."""
    line = _STAMP.sub("", line)
    for pattern, instead in _VARYING:
        line = pattern.sub(instead, line)
    return line.strip()
