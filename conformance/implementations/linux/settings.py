# SPDX-License-Identifier: MIT
"""Settings of the machine that a run changes, and three ways in which they get back.

`restore` at the end; the executor, when its input ends because the runner is gone; and, if that was killed too, the
next run, which finds the state file.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from pathlib import Path

from conformance.implementations.linux.machine import Machine, word

LOCK_WAIT = 60.0
"""Seconds to wait for another run to end.  Without the settings a run would do less, and not say why."""

BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Busy(Exception):
    """Another run holds the settings of this machine."""


class Settings:
    """What has been changed.

    `directory` keeps the lock and the state file; it must be there and belong to us alone.  None: the machine is not
    shared and its settings need not get back.
    """

    def __init__(self, directory: Path | None):
        self._state = directory / "settings.json" if directory else None
        self._originals: dict[str, str] = {}
        self._boot = ""
        self.lock = _locked(directory / "settings.lock") if directory else None
        """Locked as long as this run or its executor lives: give it to the Machine."""

    @property
    def shared(self) -> bool:
        """Somebody else uses this machine too."""
        return self._state is not None

    def attach(self, machine: Machine) -> None:
        """Use a new executor.  Undo first what a killed run has left; tell it what it must write back."""
        if self._state is None:
            return
        self._boot = machine.text(BOOT_ID)
        if not self._originals:
            for path, value in self._left_behind(self._state).items():
                machine.run(f"0 write {word(path)} {word(value)}")
            self._state.unlink(missing_ok=True)
        else:
            self._write_state()  # an executor that ended in order has removed it
        machine.do(f"0 remember {word(str(self._state))}")
        for path, value in self._originals.items():
            machine.do(f"0 save {word(path)} {word(value)}")

    def _left_behind(self, file: Path) -> dict[str, str]:
        """The state file of this boot."""
        try:
            state = json.loads(file.read_text())
            return dict(state["originals"]) if state["boot"] == self._boot else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def change(self, path: str, value: str, original: str) -> list[str]:
        """The primitives that set `path` to `value`; `original` is what it holds before the first change."""
        primitives = []
        if path not in self._originals:
            self._originals[path] = original
            self._write_state()
            primitives.append(f"0 save {word(path)} {word(original)}")
        return [*primitives, f"0 write {word(path)} {word(value)}"]

    def _write_state(self) -> None:
        if self._state is None:
            return
        new = self._state.with_suffix(".new")
        new.write_text(json.dumps({"boot": self._boot, "originals": self._originals}))
        new.replace(self._state)

    def restore(self, machine: Machine) -> None:
        """Write everything back."""
        machine.run("-0 restore")
        self._originals.clear()

    def close(self) -> None:
        """Let another run have them."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None


def _locked(path: Path) -> int:
    """The descriptor of a file that is locked.  Raises Busy, OSError."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + LOCK_WAIT
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except OSError as e:
            if e.errno == errno.ENOSYS:  # CONFIG_FILE_LOCKING is not set: nobody can be kept out
                return lock
            if e.errno != errno.EWOULDBLOCK:
                os.close(lock)
                raise
            if time.monotonic() > deadline:
                os.close(lock)
                raise Busy("another mapspec run is using the settings of this machine") from None
            time.sleep(0.05)
