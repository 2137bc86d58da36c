# SPDX-License-Identifier: MIT
"""The kernel's log: which of its lines are complaints, and what they say in every run."""

from __future__ import annotations

import re

from conformance.implementations.linux.machine import Machine, Result
from conformance.protocol import Logged, LogKind

RECORD = re.compile(r"\d+,\d+,\d+,[^;]*;(.*)")
"""Of /dev/kmsg: level, number, time and flags, then the line (Documentation/ABI/testing/dev-kmsg)."""
TIME = re.compile(
    r"soft lockup|hard LOCKUP|rcu.*(stall|starved)|blocked for more than|clocksource|hrtimer: interrupt took|watchdog"
)
"""What a slow machine alone can cause.  An emulator is one."""
KINDS: tuple[tuple[re.Pattern[str], LogKind], ...] = (
    (re.compile(r"BUG: (KASAN|KCSAN|KFENCE|KMSAN)|^UBSAN:|^kmemleak:|^page_owner:.*BUG"), "checker"),
    (re.compile(r"BUG: Bad rss-counter"), "bad-rss"),
    (re.compile(r"BUG: Bad page"), "bad-page"),
    (
        re.compile(r"(INFO|WARNING): (possible|inconsistent|suspicious|bad unlock|held lock|lock held|Nested lock)"),
        "locking",
    ),
    (re.compile(r"DEBUG_LOCKS_WARN_ON|BUG: (MAX_LOCK|key |lock held)"), "locking"),
    (re.compile(r"WARNING: "), "warning"),
    (re.compile(r"\bBUG\b|^Oops|bad (pgd|p4d|pud|pmd|pte) |Bad swap|(list_add|list_del) corruption"), "bug"),
    (re.compile(r"mapspec: leak"), "leak"),
)
_PLACE = re.compile(
    r"\bat (?P<file>[\w./-]+):\d+ (?P<function>\w+)|WARNING: (?P<file2>[\w./-]+):\d+ at (?P<function2>\w+)"
)
"""Of a WARN(): until 6.18 and since."""
_STAMP = re.compile(r"^\[ *\d+\.\d+\](\[ *[TC]\d+\])?\s*|\r$")
_VARYING = (
    (re.compile(r"CPU: \d+ |,? CPU#\d+: \S+/\d+"), ""),
    (re.compile(r"\b[PU]ID: \d+ |\bT\d+ | Comm:\S+ Pid:\d+"), ""),
    (re.compile(r"/\S*/(?=(?:arch|block|drivers|fs|include|io_uring|kernel|lib|mm|net)/)"), ""),
    (re.compile(r"\+0x[0-9a-f]+/0x[0-9a-f]+"), ""),
    (re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b"), "…"),
)
"""What differs from run to run, and tells nothing."""


def plain(line: str) -> str:
    """A line of the log as it would be in another run."""
    line = _STAMP.sub("", line)
    for pattern, instead in _VARYING:
        line = pattern.sub(instead, line)
    return line.strip()


def complaint(line: str) -> Logged | None:
    """The complaint that a line of the log is, if it is one."""
    if TIME.search(line):
        return None
    kind = next((kind for pattern, kind in KINDS if pattern.search(line)), None)
    if kind is None:
        return None
    text = plain(line)
    found = _PLACE.search(text)
    function, file = (found["function"] or found["function2"], found["file"] or found["file2"]) if found else ("", "")
    return Logged(kind, text[:500], function[:80], file[-80:])


READ = "0 log"
"""The primitive that gives what has come since the last time."""


class Log:
    """What the kernel has complained of since the last reset."""

    def __init__(self, machine: Machine):
        self._machine = machine
        self._logged: list[Logged] = []

    def forget(self, result: Result | None = None) -> None:
        """Nothing that has come so far is told any more.  `result`: of READ, if that was in a batch just now."""
        self._take(result)
        self._logged = []

    def read(self, result: Result | None = None) -> list[Logged]:
        """All of it, in order.  `result`: as above."""
        self._take(result)
        return list(self._logged)

    def add(self, logged: Logged) -> None:
        """Something that is found out by other means."""
        self._logged.append(logged)

    def _take(self, result: Result | None) -> None:
        result = result or self._machine.do(READ)[-1]
        while True:
            for record in result.data.decode(errors="replace").split("\n"):
                if (found := RECORD.match(record)) and (logged := complaint(found[1])):
                    self._logged.append(logged)
            if not result.value:
                break
            result = self._machine.do(READ)[-1]
