# SPDX-License-Identifier: MIT
"""How far a run is: one line that is overwritten on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from typing import TextIO

from conformance.report import BAD, Result

EVERY_TERMINAL, EVERY_ELSEWHERE = 0.1, 10.0
"""Seconds between two lines."""


class Progress:
    """Told of every result; writes to stderr."""

    def __init__(self, total: int, *, verbose: bool = False, out: TextIO | None = None):
        self._total, self._verbose = total, verbose
        self._out = out or sys.stderr
        self._terminal = self._out.isatty()
        self._done = self._bad = 0
        self._shown = time.monotonic()

    def result(self, result: Result) -> None:
        self._done += 1
        self._bad += result.status in BAD
        if self._verbose:
            self.clear()
            why = f"  {result.reason.partition(chr(10))[0]}" if result.reason else ""
            self._put(f"{result.status:<14} {result.id}{why}\n")
        now = time.monotonic()
        if now - self._shown >= (EVERY_TERMINAL if self._terminal else EVERY_ELSEWHERE):
            self._shown = now
            self._show(result.id)

    def _show(self, scenario: str) -> None:
        line = f"{self._done} of {self._total}" + (f", {self._bad} failed" if self._bad else "")
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._put("\r\x1b[K" + f"{line}  {scenario}"[:width])
        else:
            self._put(f"{line}\n")

    def clear(self) -> None:
        """Remove the line from a terminal."""
        if self._terminal:
            self._put("\r\x1b[K")

    def _put(self, text: str) -> None:
        """Nobody may be there to read it any more: that is no reason to end the run."""
        with contextlib.suppress(OSError):
            self._out.write(text)
            self._out.flush()
