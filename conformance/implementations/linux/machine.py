# SPDX-License-Identifier: MIT
"""The machine under test, reached through the executor only: batches of primitives over one byte stream."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

TIME_LIMIT = 10.0
"""Seconds for one batch."""


class Result(NamedTuple):
    """What one primitive gave back."""

    kind: str
    """ok, errno, signal or died"""
    value: int
    """ok: a number; else: the errno or signal"""
    data: bytes = b""

    @property
    def name(self) -> str:
        """The errno or signal by name."""
        if self.kind == "errno":
            name = errno.errorcode.get(self.value, str(self.value))
            return "EOPNOTSUPP" if name == "ENOTSUP" else name  # two names for one number on Linux
        return signal.Signals(self.value).name if self.value in set(signal.Signals) else str(self.value)


class Refused(Exception):
    """A primitive was answered with an errno or a signal."""

    def __init__(self, result: Result):
        self.result = result
        super().__init__(f"{result.kind} {result.name}")


class Lost(Exception):
    """The executor has died, hangs or talks nonsense.  It has been killed."""


def word(text: str) -> str:
    """Text as one word of a primitive."""
    return quote(text, safe="/,=:.-_[]+")


class Machine:
    """A running executor.

    argv: the command, which has the executor at the other end of its stdin and stdout; keep: a file descriptor that
    it shall keep open as long as it lives; limit: seconds for one batch; boot: more of them for the first, before which
    a machine may have to start.
    """

    def __init__(self, argv: Sequence[str], keep: int | None = None, limit: float | None = None, boot: float = 0.0):
        self._limit = limit or TIME_LIMIT
        self._boot = boot
        self._process = subprocess.Popen(
            [*argv, *([] if keep is None else [str(keep)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=() if keep is None else (keep,),
            start_new_session=True,  # Ctrl-C is for the runner
        )
        assert self._process.stdin and self._process.stdout
        self._to = self._process.stdin.fileno()
        self._from = self._process.stdout.fileno()
        os.set_blocking(self._from, False)
        self._poll = select.poll()
        self._poll.register(self._from, select.POLLIN)
        self._buffer = bytearray()

    def run(self, *primitives: str) -> list[Result]:
        """Run a batch.  It ends at the first failure of a primitive without '-' in front.  Raises Lost."""
        deadline = time.monotonic() + self._limit + self._boot
        line = (";".join(primitives) + "\n").encode()
        try:
            while line:
                line = line[os.write(self._to, line) :]
        except OSError:
            self.kill()
            raise Lost("the executor has died") from None
        answer = self._answer(deadline)
        self._boot = 0.0
        return _results(answer)

    def do(self, *primitives: str) -> list[Result]:
        """Like run, but a failure of a primitive without '-' in front raises Refused."""
        results = self.run(*primitives)
        last = len(results) - 1
        if last < 0 or (results[last].kind == "ok" and last + 1 < len(primitives)):
            raise Lost("the answer of the executor to one batch became too long")
        if results[last].kind != "ok" and not primitives[last].startswith("-"):
            raise Refused(results[last])
        return results

    def read(self, path: str) -> bytes | None:
        """A whole small file, or None if it cannot be read."""
        result = self.run(f"0 read {word(path)}")[0]
        return result.data if result.kind == "ok" else None

    def read_at(self, path: str, offset: int, length: int) -> bytes | None:
        """Up to `length` bytes of a file from `offset`, or None if it cannot be read there."""
        result = self.run(f"0 read {word(path)} {length:x} {offset:x}")[0]
        return result.data if result.kind == "ok" else None

    def text(self, path: str) -> str:
        """A whole small file as text without white space around; "" if it cannot be read."""
        return (self.read(path) or b"").decode(errors="replace").strip()

    def _answer(self, deadline: float) -> bytes:
        """The bytes of one answer."""
        needed = -1
        while True:
            if needed < 0 and (end := self._buffer.find(b"\n")) >= 0:
                needed = int(self._buffer[:end])
                del self._buffer[: end + 1]
            if 0 <= needed <= len(self._buffer):
                answer = bytes(self._buffer[:needed])
                del self._buffer[:needed]
                return answer
            wait = deadline - time.monotonic()
            if wait <= 0 or not self._poll.poll(wait * 1000):
                self.kill()
                raise Lost(f"the executor did not answer within {self._limit + self._boot:g} seconds")
            try:
                got = os.read(self._from, 1 << 20)
            except BlockingIOError:
                continue
            if not got:
                self.kill()
                raise Lost("the executor has died")
            self._buffer += got

    def kill(self) -> None:
        """End it, hanging or not.  Its processes die with it, and if it can it still writes settings back."""
        self._process.terminate()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    def close(self) -> None:
        """Let it end: it kills its processes, writes settings back and exits."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(3 * self._limit)  # a guest looks for lost memory before it ends
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reap()

    def _reap(self) -> None:
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream and not stream.closed:
                stream.close()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid


def _results(answer: bytes) -> list[Result]:
    """Take an answer apart."""
    results = []
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        kind, value, rest = answer[at:end].split()
        at = end + 1
        length = int(rest) if kind == b"ok" else 0
        results.append(Result(kind.decode(), int(value), answer[at : at + length]))
        at += length
    return results
