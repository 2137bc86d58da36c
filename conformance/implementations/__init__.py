# SPDX-License-Identifier: MIT
"""Implementations under test, behind one interface.

`reference` is the model, `linux` the running kernel; anything else is a command line that speaks the protocol.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Protocol

import msgspec

from conformance.protocol import Answer, Greeting, Hello, Request


class Reply(NamedTuple):
    """An answer with its value decoded and checked."""

    status: str
    value: Any = None
    errno: str | None = None
    signal: str | None = None
    capability: str | None = None
    why: str = ""

    def __str__(self) -> str:
        if self.status == "ok":
            return "ok" if self.value is None else f"ok {self.value!r}"
        return self.errno or self.signal or f"{self.status}: {self.why}"


class Trouble(Exception):
    """The implementation did not answer properly.  It has been stopped; the next request starts it again.

    `kind` is crash, hang, flood, garbage, wrong-seq, wrong-type, lie or broken; `detail` is one sentence that is
    safe to print.
    """

    def __init__(self, kind: str, detail: str):
        self.kind, self.detail = kind, detail
        super().__init__(f"{kind}: {detail}")


class Implementation(Protocol):
    """What the engine needs."""

    greeting: Greeting

    def request(self, request: Request) -> Reply:
        """Send one request.  Raises Trouble."""

    def close(self) -> None:
        """Stop it.  Nothing is left behind."""


def decode(answer: Answer, request: Request) -> Reply:
    """The reply in an answer.  Raises Trouble if the value has the wrong type."""
    value = None
    if answer.status == "ok" and request.answer is not None:
        try:
            value = msgspec.json.decode(answer.value, type=request.answer)
        except (msgspec.ValidationError, msgspec.DecodeError) as e:
            tag = request.__struct_config__.tag
            raise Trouble("wrong-type", f"the value of the answer to {tag} is wrong: {e}") from None
    return Reply(answer.status, value, answer.errno, answer.signal, answer.capability, answer.why)


class Model:
    """The reference model in this process: the same messages as over a pipe, without the pipe."""

    def __init__(self, profile: str | None = None, *, encode: bool = False):
        from reference_impl.serve import Model as Server

        self._server = Server()
        self._encode = encode
        self.greeting = self.request(Hello(profile=profile)).value

    def request(self, request: Request) -> Reply:
        answer = self._server.handle(msgspec.to_builtins(request))
        if self._encode:
            return decode(msgspec.json.decode(json.dumps(answer).encode(), type=Answer), request)
        value = answer.get("value")
        if request.answer is Greeting:
            value = msgspec.convert(value, Greeting)
        return Reply(
            answer["status"], value, answer.get("errno"), answer.get("signal"), answer.get("capability"),
            answer.get("why", ""),
        )  # fmt: skip

    def close(self) -> None:
        pass
