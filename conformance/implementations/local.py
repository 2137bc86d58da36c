# SPDX-License-Identifier: MIT
"""A kernel driven from this process, behind the interface of an implementation."""

from __future__ import annotations

from conformance import protocol
from conformance.implementations import CannotStart, Reply, decode
from conformance.implementations.linux.implementation import Linux


class Kernel:
    """The running kernel, or the one at the other end of `linux`."""

    def __init__(self, linux: Linux | None = None) -> None:
        self._linux = linux or Linux()
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
