# SPDX-License-Identifier: MIT
"""A program under test as a process: it is sent a line, and answers a line, or something is said about it.

Nothing here knows what the lines mean.  Nothing that the program does can make the runner wait longer than it was
told to, or fill its memory.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from conformance.implementations import CannotStart, Trouble, printable
from conformance.protocol import MAX_LINE

KEPT = 1 << 16
"""Bytes of stderr that are kept: the last ones."""
CHUNK = 1 << 16
KILL_WAIT = 5.0
"""Seconds that a killed program is waited for; one that hangs in the kernel is left to it."""
UNASKED_WAIT = 0.2
"""Seconds for which output that nobody asked for is followed, to see what it is."""
EXIT_WAIT = 0.5
"""Seconds that a program which has closed its stdout has to exit, so that its status can be told."""


class Guard:
    """A shell that kills the program when the runner has died without doing so, be it by SIGKILL.

    It reads process group ids from a pipe that only the runner can write to, and kills the last one when the pipe
    ends.  An empty line means that there is nothing to kill.
    """

    SCRIPT = 'while read -r g; do last=$g; done; if [ -n "$last" ]; then kill -s KILL -- "-$last"; fi'

    def __init__(self) -> None:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", self.SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )

    def watch(self, group: int | None) -> None:
        """This group is to be killed, or None is."""
        assert self._shell.stdin is not None
        with contextlib.suppress(OSError):
            self._shell.stdin.write(b"%d\n" % group if group else b"\n")

    def close(self) -> None:
        """Let it go.  It kills what it still watches."""
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.wait()


HINTS = {
    errno.ENOENT: "An implementation is reference, linux, or a command line: its first word is a program.",
    errno.EACCES: "Is it executable (chmod +x)?",
    errno.ENOEXEC: "Is a `#!` line missing?",
}


class Program:
    """A process with a process group of its own, and pipes for stdin, stdout and stderr.

    Raises CannotStart if there is no such program.
    """

    def __init__(self, argv: list[str], guard: Guard):
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as e:
            # ENOENT of a file that is there is about the interpreter in its first line.
            hint = "Is its `#!` line right?" if Path(argv[0]).is_file() and e.errno == errno.ENOENT else ""
            hint = hint or HINTS.get(e.errno or 0, "")
            raise CannotStart(f"{argv[0]!r} cannot be run: {e.strerror}. {hint}".strip()) from None
        except ValueError as e:
            raise CannotStart(f"{argv[0]!r} cannot be run: {e}") from None
        self._guard = guard
        guard.watch(self._process.pid)
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin and stdout and stderr
        self._in, self._out, self._err = stdin.fileno(), stdout.fileno(), stderr.fileno()
        self._pidfd = os.pidfd_open(self._process.pid) if hasattr(os, "pidfd_open") else -1
        self._poll = select.poll()
        for fd in (self._out, self._err, self._pidfd):
            if fd >= 0:
                os.set_blocking(fd, False)
                self._poll.register(fd, select.POLLIN)
        os.set_blocking(self._in, False)
        self._output = bytearray()
        self._words = bytearray()

    def ask(self, line: bytes, what: str, deadline: float) -> bytes:
        """Send a line, return the line that comes back, without its end.

        `what` names the request in sentences; `deadline` is a time of time.monotonic().  Raises Trouble of the
        kinds crash, hang, flood and garbage; the program must then be stopped.
        """
        self._refuse_unasked(what)
        try:
            self._send(line, what, deadline)
        except BrokenPipeError:
            raise Trouble("crash", f"it could not be asked {what}: it {self._fate('closed its stdin')}") from None
        searched = 0
        while True:
            end = self._output.find(b"\n", searched)
            searched = len(self._output)
            if (searched if end < 0 else end) > MAX_LINE:
                start = printable(bytes(self._output), 40)
                raise Trouble("flood", f"a line of more than {MAX_LINE} bytes came for {what}; it starts {start!r}")
            if end >= 0:
                answer = bytes(self._output[:end])
                del self._output[: end + 1]
                return answer
            if not self._receive(deadline, what):
                raise self._ended(what)

    def _send(self, line: bytes, what: str, deadline: float) -> None:
        rest = memoryview(line)
        while rest:
            try:
                rest = rest[os.write(self._in, rest) :]
            except BlockingIOError:
                poll = select.poll()
                poll.register(self._in, select.POLLOUT)
                if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                    raise Trouble("hang", f"it does not read {what} from its stdin") from None

    def _receive(self, deadline: float, what: str) -> bool:
        """Wait for output and take it; False when there will be none.  Raises Trouble when the time is up."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                start = printable(bytes(self._output), 60)
                began = f"; all that came is {start!r}, without a line end" if start else ""
                raise Trouble("hang", f"no answer to {what} in time{began}")
            ready = [fd for fd, _ in self._poll.poll(left * 1000)]
            if self._err in ready:
                self._listen()
            if self._out in ready:
                return self._take()
            if self._pidfd in ready:
                return False  # somebody else may hold its stdout open, but it will not answer

    def _take(self) -> bool:
        """Take output that is there; False at its end."""
        data = os.read(self._out, CHUNK)
        self._output += data
        return bool(data)

    def _listen(self) -> bool:
        """Take a piece of stderr; False if there is none now."""
        try:
            data = os.read(self._err, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            with contextlib.suppress(KeyError):
                self._poll.unregister(self._err)
            return False
        self._words += data
        del self._words[:-KEPT]
        return True

    def _refuse_unasked(self, what: str) -> None:
        """Raise Trouble if there is output before anything was asked, or if it has ended."""
        if not self._output and not self._poll.poll(0):
            return
        ended = False
        until = time.monotonic() + UNASKED_WAIT
        while not ended and len(self._output) <= MAX_LINE:
            # Where something came that should not have, see whether it is a line or a flood.
            wait = max(0.0, until - time.monotonic()) if self._output else 0
            ready = [fd for fd, _ in self._poll.poll(wait * 1000)]
            if self._err in ready:
                self._listen()
            if self._out in ready:
                ended = not self._take()
            elif self._pidfd in ready:
                ended = True
            elif not ready:
                break
        if len(self._output) > MAX_LINE:
            raise Trouble("flood", f"more than {MAX_LINE} bytes came before {what} was asked")
        if self._output:
            line = printable(bytes(self._output).partition(b"\n")[0], 60)
            raise Trouble("garbage", f"output came that nobody had asked for, before {what}: {line!r}")
        if ended:
            raise Trouble("crash", f"it had already ended before {what} was asked: it {self._fate()}")

    def _ended(self, what: str) -> Trouble:
        """What to say when the output has ended and there is no answer."""
        if self._output:
            start = printable(bytes(self._output), 60)
            return Trouble("garbage", f"the answer to {what} ends in the middle, {start!r}: it {self._fate()}")
        return Trouble("crash", f"instead of answering {what} it {self._fate()}")

    def _fate(self, otherwise: str = "closed its stdout") -> str:
        """How it has ended, or else what it did, as the rest of a sentence that starts with `it`."""
        status = self.wait(EXIT_WAIT)
        if status is None:
            return otherwise
        if status >= 0:
            return f"exited with status {status}"
        try:
            return f"was killed by {signal.Signals(-status).name}"
        except ValueError:
            return f"was killed by signal {-status}"

    def wait(self, seconds: float) -> int | None:
        """The exit status, negative for a signal; None if it still runs after so many seconds.

        It is not reaped: until `stop`, its process group id belongs to nobody else.
        """
        deadline = time.monotonic() + seconds
        while True:
            # si_status is the exit status, or the signal.
            done = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if done is not None:
                return done.si_status if done.si_code == os.CLD_EXITED else -done.si_status
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if self._pidfd >= 0:
                poll = select.poll()
                poll.register(self._pidfd, select.POLLIN)
                poll.poll(left * 1000)
            else:
                time.sleep(0.005)

    def hang_up(self) -> None:
        """Close its stdin: there is nothing more to ask."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def stop(self) -> str:
        """Kill it and everything in its process group; the end of its stderr as words for a sentence, or ""."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._guard.watch(None)
        for _ in range(16):  # a pipe holds 64 KiB; a process that has left the group may still write
            if not self._listen():
                break
        if self.wait(KILL_WAIT) is not None:
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
        return self._last_words()

    def _last_words(self) -> str:
        lines = [line for line in bytes(self._words[-4096:]).splitlines() if line.strip()][-4:]
        if not lines:
            return ""
        return "; its stderr ends: " + " | ".join(printable(line, 160) for line in lines)
