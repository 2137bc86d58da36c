# SPDX-License-Identifier: MIT
"""Checks live traffic against the typed messages, both ways."""

from __future__ import annotations

from typing import Any

import msgspec

from conformance import protocol, schema
from conformance.engine import describe
from conformance.implementations import Implementation, Reply, Trouble
from conformance.suite import ROOT, read_toml


class Checked:
    """An implementation whose every message is checked.  A message that is wrong is Trouble."""

    def __init__(self, inner: Implementation):
        self._inner = inner
        self._decoder = schema.decoder()
        self.greeting = inner.greeting
        self.requests = self.answers = 1  # hello and greeting
        known = read_toml(ROOT / "spec" / "capabilities.toml", "spec/capabilities.toml")["capability"]
        _strictly(self.greeting, protocol.Greeting, "the greeting")
        for name in [*self.greeting.capabilities, *self.greeting.missing]:
            if name not in known:
                raise Trouble("wrong-type", f"the greeting names the capability {name!r}, which nobody knows")
        for name in self.greeting.missing:
            if name in self.greeting.capabilities:
                raise Trouble("lie", f"the greeting has the capability {name!r} both there and missing")

    def request(self, request: protocol.Request) -> Reply:
        line = msgspec.json.encode(request)
        if len(line) > protocol.MAX_LINE or self._decoder.decode(line) != request:
            raise Trouble("wrong-type", f"mapspec itself is about to send something wrong: {describe(request)}")
        self.requests += 1
        reply = self._inner.request(request)
        check(request, reply)
        self.answers += 1
        return reply

    def close(self) -> None:
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        """What else it can do: a guest stays one."""
        return getattr(self._inner, name)


def check(request: protocol.Request, reply: Reply) -> None:
    """Raise Trouble unless the reply is an answer that the request may have."""
    what = f"the answer to {describe(request)}"
    fields: dict[str, Any] = {k: v for k, v in reply._asdict().items() if k != "value" and v is not None}
    _strictly({"seq": request.seq, **fields}, protocol.Answer, what)
    for name in ("errno", "signal"):
        if (getattr(reply, name) is not None) != (reply.status == name):
            raise Trouble("wrong-type", f"{what} has status {reply.status}, and {name} is {getattr(reply, name)}")
    if reply.status in ("unsupported", "broken") and not reply.why:
        raise Trouble("wrong-type", f"{what} is {reply.status} and does not say why")
    if reply.status != "ok":
        return
    if request.answer is None and reply.value is not None:
        raise Trouble("wrong-type", f"{what} has a value, and there is none to give")
    if request.answer is not None:
        _strictly(reply.value, request.answer, what)
    count = getattr(request, "count", None)
    if isinstance(reply.value, list) and count is not None and len(reply.value) != count:
        raise Trouble("wrong-type", f"{what} has {len(reply.value)} items for {count} pages")


def _strictly(value: object, type_: Any, what: str) -> None:
    try:
        msgspec.convert(msgspec.to_builtins(value), type_)
    except msgspec.ValidationError as e:
        raise Trouble("wrong-type", f"{what} is wrong: {e}") from None
