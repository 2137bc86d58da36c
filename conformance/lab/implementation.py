# SPDX-License-Identifier: MIT
"""A kernel of the lab as an implementation."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from pathlib import Path

from conformance.implementations import CannotStart, Reply
from conformance.implementations.linux import build
from conformance.implementations.linux.implementation import Linux
from conformance.implementations.local import Kernel
from conformance.lab import guest, machine, module, prepared, registry
from conformance.lab.console import Console
from conformance.lab.places import Unprepared
from conformance.lab.registry import RegistryError
from conformance.lab.work import Failed, Work
from conformance.protocol import Request

LIMIT = 20.0
"""Seconds for one batch of primitives."""
STALE = 86400.0
"""Seconds after which a file is nobody's any more."""
BOOT = guest.ATTEMPTS * guest.BOOT_LIMIT + 10
"""Seconds until a guest has either booted or been given up."""


def start(name: str) -> Guest:
    """The kernel of that name, booted.  Raises CannotStart."""
    try:
        kernel = registry.find(name)
        ready = prepared.load(name)
        ours = module.build(kernel, ready, Work(name, ready.directory / "module.log"))
        command = machine.command(kernel, ready, machine.initramfs(kernel, ready, ours))
    except (RegistryError, Unprepared, Failed, build.Unbuildable, OSError) as e:
        raise CannotStart(f"kernel:{name}: {e}") from None
    _tidy(ready.directory)
    log = ready.directory / f"console-{os.getpid()}.log"
    log.unlink(missing_ok=True)
    made = Guest([sys.executable, "-IS", guest.__file__, str(log), *command], log)
    if made.greeting.profile != kernel.profile:
        made.notes.append(f"it claims the profile {made.greeting.profile}, and {kernel.profile} was expected")
    return made


def _tidy(directory: Path) -> None:
    """Remove what runs of other code, or killed ones, have left a day ago: others may run here now."""
    for path in (*directory.glob("console-*.log"), *directory.glob("initramfs-*.cpio")):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - max(path.stat().st_mtime, path.stat().st_atime) > STALE:
                path.unlink()


class Guest(Kernel):
    """A kernel in a guest.  `notes` are sentences for the end of a run."""

    def __init__(self, command: list[str], log: Path):
        self.notes: list[str] = []
        self._log = log
        self._console = Console(log)
        self._news: list[str] = []
        self._heard: Counter[str] = Counter()
        self._lost = False
        super().__init__(Linux(command, LIMIT, BOOT))

    def request(self, request: Request) -> Reply:
        """As of any implementation; where the machine was lost, the answer has what its kernel said at last."""
        reply = super().request(request)
        if reply.status == "broken":
            self._lost = self._lost or not self._linux.running
            self._listen()
            if self._news:
                reply = reply._replace(why=f"{reply.why}; kernel log: {' | '.join(self._news)}"[:4000])
        return reply

    def heard(self) -> tuple[list[str], bool]:
        """What the kernel log has that a healthy one has not, and whether the machine was lost, since the last call."""
        self._listen()
        answer = self._news, self._lost
        self._news, self._lost = [], False
        return answer

    def _listen(self) -> None:
        lines = self._console.news()
        self._heard.update(lines)
        self._news += lines

    def close(self) -> None:
        """Switch it off.  The log stays, as console.log, until the next run."""
        super().close()
        if self._log.exists():
            self._listen()
            self.notes += [f"kernel log, {count} times: {line}" for line, count in self._heard.items()]
            self._log.replace(self._log.with_name("console.log"))
