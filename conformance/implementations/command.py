# SPDX-License-Identifier: MIT
"""Any program that speaks the protocol on its stdin and stdout.

One bad answer costs the scenario in which it is given: the program is stopped, and the next request starts it anew.
"""

from __future__ import annotations

import shlex
import time

import msgspec

from conformance.implementations import CannotStart, Reply, Trouble, answers
from conformance.implementations.program import Guard, Program
from conformance.protocol import Goodbye, Greeting, Hello, Request, Reset

FAILED_STARTS = 20
"""So many starts that fail one after the other end the run."""
FAILED_SECONDS = 60.0
"""And so does this much time spent on them."""
GOODBYE_WAIT = 2.0
"""Seconds to answer goodbye, and again to exit after it."""

_encode = msgspec.json.Encoder().encode


class Command:
    """An Implementation over a program.  `argv` may be a quoted command line; no shell is involved.

    Times are in seconds: `timeout` for one request, `start_timeout` for the first answer after a start,
    `scenario_timeout` from one reset to the next.  Raises CannotStart if the program does not greet properly.

    `notes` has a sentence for everything else that the runner should tell, such as a program that would not exit.
    """

    greeting: Greeting

    def __init__(
        self,
        argv: str | list[str],
        profile: str | None = None,
        *,
        timeout: float = 10.0,
        start_timeout: float = 10.0,
        scenario_timeout: float = 30.0,
        suite: str = "",
    ):
        self.argv = _split(argv)
        self.timeout, self.start_timeout, self.scenario_timeout = timeout, start_timeout, scenario_timeout
        self.notes: list[str] = []
        self._hello = Hello(profile=profile, suite=suite)
        self._seq = 0
        self._scenario_ends = float("inf")
        self._failed_starts = 0
        self._failed_seconds = 0.0
        self._program: Program | None = None
        self._guard = Guard()
        try:
            self.greeting = self._start()
            if wrong := answers.wrong_with(self.greeting):
                raise CannotStart(f"{self}: {wrong}")
        except BaseException as e:
            words = self._stop()
            self._guard.close()
            if isinstance(e, Trouble):
                raise CannotStart(f"{self} does not start: {e.detail}{words}{_hint(e)}") from None
            raise

    def __str__(self) -> str:
        return shlex.join(self.argv)

    def request(self, request: Request) -> Reply:
        """Send one request, starting the program again if it was stopped.  Raises Trouble or CannotStart."""
        try:
            if self._program is None:
                self._restart()
            if isinstance(request, Reset):
                self._scenario_ends = time.monotonic() + self.scenario_timeout
            reply = self._ask(request, self.timeout)
            self._check_promise(request, reply)
        except BaseException as e:
            words = self._stop()
            if isinstance(e, Trouble) and words:
                raise Trouble(e.kind, e.detail + words) from None
            raise
        if reply.status == "broken":
            self._stop()
        return reply

    def close(self) -> None:
        """Say goodbye and stop the program.  Nothing is left behind; what was not in order is in `notes`."""
        try:
            if self._program is not None:
                self._scenario_ends = float("inf")
                self._ask(Goodbye(), GOODBYE_WAIT)
                self._program.hang_up()
                if self._program.wait(GOODBYE_WAIT) is None:
                    self.notes.append(f"{self} answered goodbye, but did not exit within {GOODBYE_WAIT:g} s")
        except Trouble as e:
            self.notes.append(f"{self} at goodbye: {e}")
        finally:
            self._stop()
            self._guard.close()

    def _ask(self, request: Request, limit: float) -> Reply:
        """Send a request to the running program and hold the answer against the protocol."""
        assert self._program is not None
        request.seq = self._seq
        self._seq += 1
        what = str(request.__struct_config__.tag)
        now = time.monotonic()
        deadline = min(now + limit, self._scenario_ends)
        try:
            line = self._program.ask(_encode(request) + b"\n", what, deadline)
        except Trouble as e:
            if e.kind != "hang":
                raise
            short = now + limit > self._scenario_ends
            why = f"{self.scenario_timeout:g} s for a whole scenario" if short else f"{limit:g} s"
            raise Trouble("hang", f"{e.detail} (limit: {why})") from None
        return answers.read(line, request)

    def _check_promise(self, request: Request, reply: Reply) -> None:
        """Raise Trouble if what was declared is not there.  No capability in the answer means the request's own."""
        promised = request.capability
        if reply.status != "unsupported" or promised not in self.greeting.capabilities:
            return
        if reply.capability in (None, promised):
            raise Trouble("lie", f"capability {promised!r} was declared, but is unsupported: {reply.why}")

    def _start(self) -> Greeting:
        """Start the program and return its greeting."""
        self._scenario_ends = float("inf")
        self._program = Program(self.argv, self._guard)
        reply = self._ask(self._hello, self.start_timeout)
        if reply.status != "ok":
            raise Trouble("broken", f"hello was answered {reply}")
        return answers.escaped(reply.value)

    def _restart(self) -> None:
        """Start the program again.  Raises Trouble, and CannotStart when that happens again and again."""
        started = time.monotonic()
        try:
            greeting = self._start()
            for field in ("protocol", "name", "version", "profile", "capabilities", "missing", "parameters"):
                before, now = getattr(self.greeting, field), getattr(greeting, field)
                if before != now:
                    raise Trouble("lie", f"after a restart its {field} is {now!r}, before it was {before!r}")
        except Trouble as e:
            self._failed_starts += 1
            self._failed_seconds += time.monotonic() - started
            if self._failed_starts >= FAILED_STARTS or self._failed_seconds > FAILED_SECONDS:
                words = self._stop()
                times = "once" if self._failed_starts == 1 else f"{self._failed_starts} times one after the other"
                raise CannotStart(f"{self} failed to start {times}; at last: {e.detail}{words}") from None
            raise
        self._failed_starts, self._failed_seconds = 0, 0.0

    def _stop(self) -> str:
        """Stop the program if there is one; the end of its stderr as words for a sentence."""
        program, self._program = self._program, None
        return program.stop() if program else ""


def _split(argv: str | list[str]) -> list[str]:
    """The words of a command line.  Raises CannotStart."""
    try:
        words = shlex.split(argv) if isinstance(argv, str) else list(argv)
    except ValueError as e:
        raise CannotStart(f"the command line {argv!r} is not properly quoted: {e}") from None
    if not words:
        raise CannotStart("the command line is empty")
    return words


def _hint(trouble: Trouble) -> str:
    """What a newcomer's first program most often lacks."""
    return ". Does it flush its stdout after every answer?" if trouble.kind == "hang" else ""
