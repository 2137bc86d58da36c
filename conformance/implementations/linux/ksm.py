# SPDX-License-Identifier: MIT
"""Lets KSM run for a moment: /sys/kernel/mm/ksm."""

from __future__ import annotations

import time
from collections.abc import Sequence

from conformance.implementations.linux.machine import Machine, word
from conformance.implementations.linux.scenario import NotHere
from conformance.implementations.linux.settings import Settings

ROOT = "/sys/kernel/mm/ksm"
WANTED = {"smart_scan": "0", "sleep_millisecs": "0", "pages_to_scan": "100000", "run": "1"}
"""What is set while it runs, in this order.  smart_scan is there since 6.7."""
TIME = 8.0
"""Seconds that it may take."""


def scan(machine: Machine, settings: Settings, pids: Sequence[int]) -> None:
    """Run KSM until these processes have nothing more to merge, then set it back.

    Raises NotHere if that takes too long: a full scan covers every program that has asked for KSM.
    """
    before = {name: machine.text(f"{ROOT}/{name}") for name in WANTED}
    changes: list[str] = []
    for name, value in WANTED.items():
        if before[name]:
            changes += settings.change(f"{ROOT}/{name}", value, before[name])
    back = [f"-0 write {ROOT}/{name} {word(before[name])}" for name in reversed(WANTED) if before[name]]
    machine.do("-0 drain", *changes)  # a page in an LRU batch has a reference too many
    try:
        _wait(machine, pids)
    finally:
        machine.do(*back)


def _wait(machine: Machine, pids: Sequence[int]) -> None:
    """The scan that was under way, one for the checksums, one to merge, and then until nothing changes."""
    files = [f"{ROOT}/full_scans", *(f"/proc/{pid}/ksm_merging_pages" for pid in pids)]
    reads = [f"-0 read {path}" for path in files]
    first = since = int(machine.text(files[0]))
    merging: list[bytes] = []
    deadline = time.monotonic() + TIME
    while time.monotonic() < deadline:
        scans, *now = (result.data for result in machine.do("0 sleep 1", *reads)[1:])
        if now != merging:
            merging, since = now, int(scans)
        if int(scans) >= max(first + 3, since + 1):
            return
    raise NotHere("ksm-time", f"KSM needs longer than {TIME:.0f} seconds: other programs have much for it to scan")
