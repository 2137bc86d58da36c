# SPDX-License-Identifier: MIT
"""Settings of the machine that a run changes, and three ways in which they get back.

`restore` at the end; the executor, when its input ends because the runner is gone; and, if that was killed too, the
next run, which finds the state file.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path

from conformance.implementations.linux.machine import Machine, word

LOCK_WAIT = 5.0
"""Seconds to wait for another run to end."""

BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Busy(Exception):
    """Another run holds the settings of this machine."""


class Settings:
    """What has been changed.  `directory` keeps the lock and the state file."""

    def __init__(self, directory: Path):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._state = directory / "settings.json"
        self.lock = os.open(directory / "settings.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        """Locked as long as this run or its executor lives: give it to the Machine."""
        self._originals: dict[str, str] = {}
        self._boot = ""
        self._take_lock()

    def _take_lock(self) -> None:
        deadline = time.monotonic() + LOCK_WAIT
        while True:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(self.lock)
                    raise Busy("another run has changed the settings of this machine and is not done") from None
                time.sleep(0.05)

    def attach(self, machine: Machine) -> None:
        """Use a new executor.  Undo first what a killed run has left; tell it what it must write back."""
        self._boot = machine.text(BOOT_ID)
        if not self._originals:
            for path, value in self._left_behind().items():
                machine.run(f"0 write {word(path)} {word(value)}")
            self._state.unlink(missing_ok=True)
        machine.do(f"0 remember {word(str(self._state))}")
        for path, value in self._originals.items():
            machine.do(f"0 save {word(path)} {word(value)}")

    def _left_behind(self) -> dict[str, str]:
        """The state file of this boot."""
        try:
            state = json.loads(self._state.read_text())
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
        new = self._state.with_suffix(".new")
        new.write_text(json.dumps({"boot": self._boot, "originals": self._originals}))
        new.replace(self._state)

    def restore(self, machine: Machine) -> None:
        """Write everything back."""
        machine.run("-0 restore")
        self._originals.clear()

    def close(self) -> None:
        os.close(self.lock)
