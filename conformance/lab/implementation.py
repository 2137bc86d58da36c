# SPDX-License-Identifier: MIT
"""A kernel of the lab as an implementation."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from conformance.implementations import CannotStart, Reply
from conformance.implementations.linux import build
from conformance.implementations.linux.implementation import Linux
from conformance.implementations.local import Kernel
from conformance.lab import guest, machine, module, prepared, registry
from conformance.lab.console import LOOKED, LOST, UNLOADED, Bug, Console, bug
from conformance.lab.places import Unprepared
from conformance.lab.registry import RegistryError
from conformance.lab.work import Failed, Work
from conformance.protocol import CallDriver, Called, Finish, Request

LIMIT = 20.0
"""Seconds for one batch of primitives."""
STALE = 86400.0
"""Seconds after which a file is nobody's any more."""
BOOT = guest.ATTEMPTS * guest.BOOT_LIMIT + 10
"""Seconds until a guest has either booted or been given up."""


def start(name: str, *, bugs: bool = False) -> Guest:
    """The kernel of that name, booted.  `bugs`: it may die of what a scenario says to be a BUG.  Raises CannotStart."""
    try:
        kernel = registry.find(name)
        ready = prepared.load(name)
        ours = module.build(kernel, ready, Work(name, ready.directory / "module.log"))
        command = machine.command(kernel, ready, machine.initramfs(kernel, ready, ours))
    except (RegistryError, Unprepared, Failed, build.Unbuildable, OSError) as e:
        raise CannotStart(f"kernel:{name}: {e}") from None
    tidy(ready.directory)
    log = ready.directory / f"console-{os.getpid()}.log"
    log.unlink(missing_ok=True)
    made = Guest([sys.executable, "-IS", guest.__file__, str(log), *command], log, bugs=bugs)
    if made.greeting.profile != kernel.profile:
        made.notes.append(f"it claims the profile {made.greeting.profile}, and {kernel.profile} was expected")
    return made


def tidy(directory: Path) -> None:
    """Remove what runs of other code, or killed ones, have left: others may run here now."""
    for scratch in Path(tempfile.gettempdir()).glob(f"{guest.SCRATCH}*"):
        with contextlib.suppress(OSError):
            if scratch.stat().st_uid == os.geteuid() and time.time() - scratch.stat().st_mtime > BOOT:
                shutil.rmtree(scratch, ignore_errors=True)  # it is needed until a guest is ready
    for path in (*directory.glob("console-*.log"), *directory.glob("initramfs-*.cpio")):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - max(path.stat().st_mtime, path.stat().st_atime) > STALE:
                path.unlink()


class Guest(Kernel):
    """A kernel in a guest.  `notes` are sentences for the end of a run."""

    def __init__(self, command: list[str], log: Path, *, bugs: bool = False):
        self.notes: list[str] = []
        self._log = log
        self._bugs = bugs
        self._console = Console(log)
        self._news: list[str] = []
        self._heard: Counter[str] = Counter()
        self._lost = False
        self._ended = False
        super().__init__(Linux(command, LIMIT, BOOT, bugs=bugs))

    def request(self, request: Request) -> Reply:
        """As of any implementation; where the machine was lost, the answer has what its kernel said at last."""
        if isinstance(request, Finish) and not self._linux.running:
            return Reply("ok", [])  # it has died of a BUG as it should
        reply = super().request(request)
        if reply.status != "broken":
            return reply
        self._lost = self._lost or not self._linux.running
        self._listen()
        if self._bugs and self._lost and isinstance(request, CallDriver) and (found := bug(self._console.last)):
            return self._died(request, found) or self._with_news(reply)
        return self._with_news(reply)

    def _died(self, request: CallDriver, found: Bug) -> Reply | None:
        """The answer, if the kernel has stopped in the function that the driver called."""
        if not found.by_module or not found.file.startswith("mm/") or not found.inside(request.function):
            return None
        self._heard.subtract(self._news)
        self._lost, self._news = False, []
        return Reply("ok", Called(returned="BUG", where=str(found)))

    def _with_news(self, reply: Reply) -> Reply:
        if not self._news:
            return reply
        return reply._replace(why=f"{reply.why}; kernel log: {' | '.join(self._news)}"[:4000])

    def heard(self) -> tuple[list[str], bool]:
        """What the console of a machine that was lost has that a healthy one has not, and whether it was lost, since
        the last call."""
        self._listen()
        answer = self._news if self._lost else [], self._lost
        self._news, self._lost = [], False
        return answer

    def restart(self) -> None:
        """The next scenario is played in a new guest."""
        self._linux.abandon()

    def _listen(self) -> None:
        lines = self._console.news()
        self._heard.update(lines)
        self._news += lines

    def end(self) -> tuple[list[str], list[str]]:
        """Switch it off.  Notes, and what is wrong at the end: memory of the module that did not come back."""
        if self._ended:
            return [], []
        self._ended = True
        running, told = self._linux.running, self._linux.running and self._linux.leaked
        super().close()
        self._news = []
        self._listen()
        if not running:
            return ["the last guest was lost, so nobody has looked whether all memory came back"], []
        said = "\n".join(self._console.last)
        if lost := [line for line in self._console.last if LOST in line]:
            return [], [
                f"leak: nothing points to what was allocated, {len(lost)} times: {lost[0].partition(LOST)[2].strip()}"
            ]
        if UNLOADED not in said:
            return [], ["the module could not be unloaded at the end", *self._news]
        found = re.search(r"mapspec: (\d+) pages of closed devices", said)
        left = int(found[1]) if found else 0
        if left != told:
            return [], [f"leak: {left} pages of the module's memory never came back, and scenarios tell of {told}"]
        looked = "; kmemleak found nothing" if LOOKED in said else ""
        return [f"the module was unloaded; of its memory {left} pages are left, as scenarios tell{looked}"], []

    def close(self) -> None:
        """Switch it off.  The log stays, as console.log, until the next run."""
        self.end()
        if self._log.exists():
            self.notes += [f"kernel log, {count} times: {line}" for line, count in self._heard.items() if count > 0]
            self._log.replace(self._log.with_name("console.log"))
