# SPDX-License-Identifier: MIT
"""Long work: commands with their output in a log, and lines that say how far it is."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

EVERY_TERMINAL, EVERY_ELSEWHERE = 0.5, 15.0
"""Seconds between two lines."""


class Failed(Exception):
    """A command failed; the text is a sentence with the end of what it said."""


class Work:
    """Says what is done for one kernel; `log` takes the output of commands."""

    def __init__(self, name: str, log: Path):
        self._name, self._log = name, log
        self._terminal = sys.stdout.isatty()

    def say(self, text: str) -> None:
        """One line."""
        if self._terminal:
            sys.stdout.write("\r\x1b[K")
        print(f"{self._name}: {text}", flush=True)

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say it before, and how long it took after."""
        started = time.monotonic()
        self.say(text)
        yield
        if (seconds := time.monotonic() - started) >= 1:
            self.say(f"  done in {seconds:.0f} s")

    def run(
        self, *argv: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None, of: int = 0,
        keep: str = "",
    ) -> list[str]:  # fmt: skip
        """Run a command.  `of`: about how many lines it will print, for the progress.  Raises Failed.

        Returns the lines of its output in which the regular expression `keep` is found.
        """
        kept: list[str] = []
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with open(self._log, "ab") as log:
            log.write(f"\n$ {' '.join(map(str, argv))}\n".encode())
            log.flush()
            try:
                process = subprocess.Popen(
                    [str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, cwd=cwd, env=environment,
                )  # fmt: skip
            except OSError as e:
                raise Failed(f"{argv[0]} cannot be run: {e.strerror}") from None
            assert process.stdout
            last: list[bytes] = []
            started = shown = time.monotonic()
            try:
                for number, line in enumerate(process.stdout, 1):
                    log.write(line)
                    last = [*last[-5:], line]
                    if keep and re.search(keep, text := line.decode(errors="replace").rstrip()):
                        kept.append(text)
                    now = time.monotonic()
                    if now - shown >= (EVERY_TERMINAL if self._terminal else EVERY_ELSEWHERE):
                        shown = now
                        self._progress(number, of, now - started)
            except BaseException:
                process.kill()
                raise
            finally:
                code = process.wait()
                process.stdout.close()
        if code:
            words = b" | ".join(line.strip() for line in last).decode(errors="replace")
            raise Failed(f"{argv[0]} failed with {code}: {words[-600:]} (all of it: {self._log})")
        return kept

    def _progress(self, lines: int, of: int, seconds: float) -> None:
        share = f"about {min(99, 100 * lines // of)} %, " if of else ""
        text = f"{self._name}:   {share}{lines} lines of output, {seconds:.0f} s"
        if self._terminal:
            sys.stdout.write("\r\x1b[K" + text[: shutil.get_terminal_size().columns - 1])
            sys.stdout.flush()
        else:
            print(text, flush=True)


def output(argv: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str:
    """What a short command prints.  Raises Failed."""
    try:
        done = subprocess.run(
            [str(word) for word in argv], capture_output=True, text=True, check=False, env=environment, errors="replace"
        )
    except OSError as e:
        raise Failed(f"{argv[0]} cannot be run: {e.strerror}") from None
    if done.returncode:
        raise Failed(f"{argv[0]} failed: {' '.join(done.stderr.split())[-400:]}")
    return done.stdout
