# SPDX-License-Identifier: MIT
"""Starts the implementation that is named on the command line."""

from __future__ import annotations

import sys

from conformance.implementations import CannotStart, Implementation, Model, Trouble

TIMEOUT = 10.0
"""Seconds for one answer, unless said otherwise."""
GUEST = "kernel:"
"""Before the name of a kernel of the lab."""


class Impossible(CannotStart):
    """This machine cannot do it at all: no compiler, or not Linux.  Nobody's fault."""


def start(
    name: str, profile: str | None, *, timeout: float = TIMEOUT, encode: bool = False, bugs: bool = False
) -> Implementation:
    """The implementation called `reference`, `linux` or `kernel:NAME`, or any other command line.  Raises CannotStart.

    `profile` is asked for in the hello; `encode` puts the messages of the model through JSON, as over a pipe; `bugs`
    lets a kernel of the lab die of what a scenario says to be a BUG.
    """
    try:
        if name == "reference":
            return Model(profile, encode=encode)
        if name == "linux":
            return _linux()
        if name.startswith(GUEST):
            return _guest(name.removeprefix(GUEST), bugs=bugs)
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
    from conformance.implementations.local import Kernel

    return Kernel()


def _guest(name: str, *, bugs: bool) -> Implementation:
    if sys.platform != "linux":
        raise Impossible(f"this is {sys.platform}, not Linux")
    from conformance.lab.implementation import start

    return start(name, bugs=bugs)
