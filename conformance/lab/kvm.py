# SPDX-License-Identifier: MIT
"""KVM, where this machine has the ordinary one and a guest boots with it.

/dev/kvm alone says little: where the processor lends no vmx or svm, another hypervisor may stand in for it and run a
guest far slower than the emulator does, or crash it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from conformance.lab import places
from conformance.lab.guest import READY

EMULATED, KVM = "tcg,thread=multi", "kvm"
"""What `-accel` takes."""
VERDICT = "kvm"
"""The file that remembers."""
DEVICE, PROCESSOR, BOOT_ID = Path("/dev/kvm"), Path("/proc/cpuinfo"), Path("/proc/sys/kernel/random/boot_id")
TRIAL_LIMIT = 15.0
"""Seconds until the trial guest is ready.  With KVM it takes less than one."""
LOOK_EVERY = 0.05


def accelerator(command: Callable[[str], list[str]]) -> str:
    """KVM if a guest gets ready with it, else the emulator.  `command` gives that of the guest for either.

    The trial is made once for each boot of this machine.
    """
    if there() and not _said():
        said = KVM if _boots(command(KVM)) else EMULATED
        verdict = places.made(places.lab()) / VERDICT
        part = verdict.with_suffix(f".{os.getpid()}")
        part.write_text(f"{BOOT_ID.read_text().strip()} {said}")
        part.replace(verdict)
    return tried()


def tried() -> str:
    """The same without a trial: the emulator where none was made."""
    return _said() or EMULATED if there() else EMULATED


def _said() -> str:
    """What came of the trial since this machine was booted; else nothing."""
    verdict = places.lab() / VERDICT
    boot, _, said = (verdict.read_text() if verdict.exists() else "").partition(" ")
    return said if boot == BOOT_ID.read_text().strip() else ""


def there() -> bool:
    """Whether the processor can virtualize, and we may use it."""
    try:
        processor = PROCESSOR.read_text()
    except OSError:
        return False
    return bool(re.search(r"^flags\b.*\b(vmx|svm)\b", processor, re.M)) and os.access(DEVICE, os.R_OK | os.W_OK)


def _boots(command: list[str]) -> bool:
    """Whether the guest gets ready in time.  It is killed then."""
    with tempfile.TemporaryDirectory(prefix="mapspec-guest-") as scratch:
        log = Path(scratch) / "log"
        log.touch()
        words = [word.format(log=log, scratch=scratch) for word in command]
        try:
            guest = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
            )
        except OSError:
            return False
        with guest:
            try:
                return _gets_ready(guest, log)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(guest.pid, signal.SIGKILL)


def _gets_ready(guest: subprocess.Popen[bytes], log: Path) -> bool:
    deadline = time.monotonic() + TRIAL_LIMIT
    while READY not in log.read_bytes():
        if guest.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True
