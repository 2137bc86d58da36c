# SPDX-License-Identifier: MIT
"""The parent of a guest: boots it with our stdin and stdout at its other end, and leaves nothing of it behind.

    python guest.py LOG INPUT COMMAND…

COMMAND is an emulator, or User-mode Linux.  It inherits stdout.  INPUT is `direct` if it inherits stdin too, and
`relayed` if it must not see a request before it is ready: a terminal would echo it.  LOG takes its stderr.  {log} in
COMMAND is LOG, {scratch} a directory that is there until it is ready.

A guest that crashes or hangs before it is ready is booted again: no request has been read until then.  When stdin ends
it switches itself off, or is killed.

This file needs nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
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
SCRATCH = "mapspec-guest-"
"""How the directories begin that are there until a guest is ready."""
ATTEMPTS = 3
BOOT_LIMIT = 90.0
"""Seconds until a guest is ready.  It takes 3 on an idle machine."""
OFF_LIMIT = 40.0
"""Seconds for the guest to switch itself off when stdin has ended.  One with kmemleak takes 10."""
LOOK_EVERY = 0.05
"""Seconds between two looks into the log."""
RELAYED_AT_ONCE = 1 << 16
PR_SET_PDEATHSIG = 1
ENDED = select.POLLHUP | select.POLLERR | select.POLLNVAL


class Unwanted(Exception):
    """stdin has ended: nobody waits for the guest any more."""


class Guest:
    """One boot, in a process group of its own."""

    def __init__(self, command: Sequence[str], log: Path, *, relayed: bool):
        self._log = log
        self._relay: int | None = None
        stdin: int | None = None
        if relayed:
            stdin, self._relay = os.pipe()
        libc = ctypes.CDLL(None)
        with open(log, "ab") as out:
            self._start = out.tell()
            self._process = subprocess.Popen(
                command,
                stdin=stdin,
                stderr=out,
                process_group=0,
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
            )
        if stdin is not None:
            os.close(stdin)
        self._pidfd = os.pidfd_open(self._process.pid)
        self._poll = select.poll()
        self._poll.register(self._pidfd, select.POLLIN)
        self._poll.register(0, 0)  # only its end

    def boot(self) -> bool:
        """Whether it got ready.  Raises Unwanted."""
        deadline = time.monotonic() + BOOT_LIMIT
        while time.monotonic() < deadline:
            events = dict(self._poll.poll(LOOK_EVERY * 1000))
            if READY in self._logged():
                return True
            if 0 in events:
                raise Unwanted
            if self._pidfd in events:
                self._say("it ended before it was ready")
                return False
        self._say(f"it was not ready after {BOOT_LIMIT:g} s")
        return False

    def stay(self) -> None:
        """Wait until it ends, or until stdin ends and it should do so."""
        if self._relay is not None:
            self._poll.register(0, select.POLLIN)
        while True:
            events = dict(self._poll.poll())
            if self._pidfd in events:
                return
            if self._relay is not None and events[0] & select.POLLIN:
                with contextlib.suppress(BrokenPipeError):
                    os.splice(0, self._relay, RELAYED_AT_ONCE)
            elif events[0] & ENDED:
                break
        self._hang_up()
        self._poll.unregister(0)
        self._poll.poll(OFF_LIMIT * 1000)

    def _hang_up(self) -> None:
        if self._relay is not None:
            os.close(self._relay)
            self._relay = None

    def _logged(self) -> bytes:
        with open(self._log, "rb") as log:
            log.seek(self._start)
            return log.read()

    def _say(self, text: str) -> None:
        with open(self._log, "a") as log:
            log.write(f"mapspec: guest: {text}\n")

    def kill(self) -> None:
        """End it, if it has not ended, and all that belongs to it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._hang_up()
        os.close(self._pidfd)


def run(command: Sequence[str], log: Path, *, relayed: bool) -> int:
    """Boot until it is ready, then stay with it.  The exit code."""
    for _ in range(ATTEMPTS):
        scratch = tempfile.mkdtemp(prefix=SCRATCH)
        try:
            guest = Guest([word.format(log=log, scratch=scratch) for word in command], log, relayed=relayed)
            try:
                ready = guest.boot()
            except BaseException:
                guest.kill()
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)  # what the guest has opened it keeps
        try:
            if ready:
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
    log, relayed, *command = sys.argv[1:]
    try:
        return run(command, Path(log), relayed=relayed == "relayed")
    except Unwanted:
        return 0


if __name__ == "__main__":
    sys.exit(main())
