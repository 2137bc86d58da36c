# SPDX-License-Identifier: MIT
"""Starts the implementation that is named on the command line."""

from __future__ import annotations

import sys

from conformance import protocol
from conformance.implementations import CannotStart, Implementation, Model, Reply, Trouble, decode

TIMEOUT = 10.0
"""Seconds for one answer, unless said otherwise."""


class Impossible(CannotStart):
    """This machine cannot do it at all: no compiler, or not Linux.  Nobody's fault."""


def start(name: str, profile: str | None, *, timeout: float = TIMEOUT, encode: bool = False) -> Implementation:
    """The implementation called `reference` or `linux`, or any other command line.  Raises CannotStart.

    `profile` is asked for in the hello; `encode` puts the messages of the model through JSON, as over a pipe.
    """
    try:
        if name == "reference":
            return Model(profile, encode=encode)
        if name == "linux":
            return _linux()
        return _command(name, profile, timeout)
    except Trouble as e:
        raise CannotStart(f"{name} did not greet: {e}") from None


def _command(name: str, profile: str | None, timeout: float) -> Implementation:
    from conformance.implementations.command import Command

    return Command(name, profile, timeout=timeout)


def _linux() -> Implementation:
    if sys.platform != "linux":
        raise Impossible(f"this is {sys.platform}, not Linux")
    from conformance.implementations.linux import build

    try:
        build.executor()
    except (build.Unbuildable, OSError) as e:
        raise Impossible(str(e)) from None
    return Kernel()


class Kernel:
    """The running kernel in this process, behind the interface of an implementation."""

    def __init__(self) -> None:
        from conformance.implementations.linux.implementation import Linux

        self._linux = Linux()
        try:
            reply = self.request(protocol.Hello())
            if reply.status != "ok":
                raise CannotStart(f"the kernel cannot be driven: {reply.why or reply}")
        except BaseException:
            self._linux.close()
            raise
        self.greeting: protocol.Greeting = reply.value

    def request(self, request: protocol.Request) -> Reply:
        return decode(self._linux.handle(request), request)

    def close(self) -> None:
        self._linux.close()
