# SPDX-License-Identifier: MIT
"""The parent of a guest: boots it with our stdin and stdout at its other end, and leaves nothing of it behind.

    python guest.py LOG COMMAND…

COMMAND is an emulator, or User-mode Linux.  It inherits stdin and stdout, and carries them to the executor; LOG takes its
stderr, and the kernel log if it does not go there by itself.  {log} in COMMAND is LOG, {scratch} a directory that goes
away.  A guest that crashes or hangs before it is ready is booted again: nothing has been read from stdin until then.

This file needs nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

READY = b"mapspec: ready"
"""init.c writes it into the kernel log."""
ATTEMPTS = 3
BOOT_LIMIT = 90.0
"""Seconds until a guest is ready.  It takes 3 on an idle machine."""
OFF_LIMIT = 5.0
"""Seconds for the guest to switch itself off when stdin has ended."""
LOOK_EVERY = 0.05
"""Seconds between two looks into the log."""
PR_SET_PDEATHSIG = 1


class Guest:
    """One boot."""

    def __init__(self, command: Sequence[str], log: Path):
        libc = ctypes.CDLL(None)
        self._log = log
        with open(log, "ab") as out:
            self._start = out.tell()
            self._process = subprocess.Popen(
                command, stderr=out, preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            )
        self._poll = select.poll()
        self._pidfd = os.pidfd_open(self._process.pid)
        self._poll.register(self._pidfd, select.POLLIN)
        self._poll.register(0, 0)  # only the end of stdin

    def boot(self) -> bool:
        """Whether it got ready.  If stdin has ended it does not matter any more."""
        deadline = time.monotonic() + BOOT_LIMIT
        while time.monotonic() < deadline:
            ended = {fd for fd, _ in self._poll.poll(LOOK_EVERY * 1000)}
            if READY in self._logged():
                return True
            if ended:
                return 0 in ended
        self._say(f"it was not ready after {BOOT_LIMIT:g} s")
        return False

    def stay(self) -> None:
        """Wait until it ends, or until stdin ends and it should do so."""
        if 0 in {fd for fd, _ in self._poll.poll()}:
            self._poll.unregister(0)
            self._poll.poll(OFF_LIMIT * 1000)

    def _logged(self) -> bytes:
        with open(self._log, "rb") as log:
            log.seek(self._start)
            return log.read()

    def _say(self, text: str) -> None:
        with open(self._log, "a") as log:
            log.write(f"mapspec: guest: {text}\n")

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._pidfd)


def run(command: Sequence[str], log: Path) -> int:
    """Boot until it is ready, then stay with it.  The exit code."""
    for _ in range(ATTEMPTS):
        with tempfile.TemporaryDirectory(prefix="mapspec-guest-") as scratch:
            guest = Guest([word.format(log=log, scratch=scratch) for word in command], log)
            try:
                if guest.boot():
                    guest.stay()
                    return 0
            finally:
                guest.kill()
    return 1


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    return run(sys.argv[2:], Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
