# SPDX-License-Identifier: MIT
"""The kernel log of a guest: what in it is worth telling."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

WORTH = re.compile(
    r"WARNING|BUG\b|Oops|Bad page|Bad rss|bad pmd|[Kk]ernel panic|double fault|protection fault|stack segment|"
    r"unable to handle|rcu.*stall|blocked for more than|lockup|Out of memory|segfault|mapspec: (init|guest|the executor)"
)
"""Lines that a healthy guest does not have."""
_STAMP = re.compile(r"^\[ *\d+\.\d+\] *|\r")
_NUMBERS = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b")


class Console:
    """The log, which grows, over several boots."""

    def __init__(self, log: Path):
        self._log = log
        self._read = 0
        self._counts: Counter[str] = Counter()

    def news(self) -> list[str]:
        """The lines worth telling since the last call."""
        try:
            with open(self._log, "rb") as log:
                log.seek(self._read)
                whole = log.read().rpartition(b"\n")
        except OSError:
            return []
        self._read += len(whole[0]) + len(whole[1])
        lines = [line for line in whole[0].decode(errors="replace").split("\n") if WORTH.search(line)]
        found = [_STAMP.sub("", line) for line in lines]
        self._counts.update(_NUMBERS.sub("…", line) for line in found)
        return found

    def summary(self) -> list[str]:
        """Every kind of line that was found, with how often."""
        self.news()
        return [f"kernel log, {count} times: {line}" for line, count in self._counts.items()]
