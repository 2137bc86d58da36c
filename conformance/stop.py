# SPDX-License-Identifier: MIT
"""Ctrl-C and SIGTERM during a run."""

from __future__ import annotations

import contextlib
import signal
import sys
from types import FrameType


class Stop:
    """The first signal ends the run after the scenario that is under way, the second at once (KeyboardInterrupt).

    After `done` they are ignored, so that what is left to write is written; the program is about to end.
    """

    def __init__(self) -> None:
        self.asked = False
        self._done = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self.asked else handler)  # type: ignore[arg-type]

    def done(self) -> None:
        self._done = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._done:
            return
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        with contextlib.suppress(OSError):  # the terminal may be gone
            print("\nmapspec: stopping after this scenario; once more to stop at once", file=sys.stderr)
