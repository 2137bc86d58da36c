# SPDX-License-Identifier: MIT
"""Implementations under test, behind one interface.

`reference` is the model, `linux` the running kernel; anything else is a command line that speaks the protocol.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple, Protocol, runtime_checkable

import msgspec

from conformance.protocol import Answer, Called, Greeting, Hello, KpageInfo, Logged, Owners, Request, Vma

STRUCTURES = (Greeting, list[Owners], Called, Vma, KpageInfo, list[Logged])
"""Values of answers that are more than numbers, words and lists of them."""


def printable(text: str | bytes, limit: int = 500) -> str:
    """The text with everything escaped that a terminal could obey, cut after `limit` characters.

    Bytes that are not UTF-8 become \\xNN; control characters, line ends and invisible characters become escapes.
    """
    start = text[: limit * 4]
    start = start.decode("utf-8", "backslashreplace") if isinstance(start, bytes) else start
    if not start.isprintable():
        start = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in start)
    return start if len(start) <= limit and len(text) <= limit * 4 else start[:limit] + "…"


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
        self.kind, self.detail = kind, printable(detail, 2000)
        super().__init__(f"{kind}: {self.detail}")


class CannotStart(Exception):
    """The implementation cannot be started, or not any more: no scenario can run, and one sentence says why.

    The sentence is safe to print.
    """

    def __init__(self, sentence: str):
        super().__init__(printable(sentence, 2000))


class Implementation(Protocol):
    """What the engine needs."""

    greeting: Greeting

    def request(self, request: Request) -> Reply:
        """Send one request.  Raises Trouble, or CannotStart if nothing more can be asked."""

    def close(self) -> None:
        """Stop it.  Nothing is left behind."""


@runtime_checkable
class Guest(Protocol):
    """An implementation on a machine of its own, which may crash as a whole and is started again then."""

    def heard(self) -> tuple[list[str], bool]:
        """Whether it was lost since the last call, and what its console then had that a healthy one has not."""

    def restart(self) -> None:
        """The next request starts another machine."""

    def end(self) -> tuple[list[str], list[str]]:
        """Switch it off: notes for the record, and what is wrong at the end.  Only `close` may follow."""


def decode(answer: Answer, request: Request) -> Reply:
    """The reply in an answer.  Raises Trouble if the value has the wrong type."""
    value = None
    if answer.status == "ok" and request.answer is not None:
        try:
            value = _value_decoder(type(request)).decode(answer.value)
        except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as e:
            tag = request.__struct_config__.tag
            raise Trouble("wrong-type", f"the value of the answer to {tag} is wrong: {e}") from None
    capability = answer.capability and printable(answer.capability)
    return Reply(answer.status, value, answer.errno, answer.signal, capability, printable(answer.why, 4000))


@cache
def _value_decoder(request: type[Request]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(request.answer)


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
        if answer["status"] == "ok" and request.answer in STRUCTURES:
            value = msgspec.convert(value, request.answer)
        return Reply(
            answer["status"], value, answer.get("errno"), answer.get("signal"), answer.get("capability"),
            answer.get("why", ""),
        )  # fmt: skip

    def close(self) -> None:
        pass
