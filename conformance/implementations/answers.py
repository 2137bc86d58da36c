# SPDX-License-Identifier: MIT
"""What a program sent, line by line, held against the protocol."""

from __future__ import annotations

import difflib
from functools import cache

import msgspec

from conformance.implementations import Reply, Trouble, decode, printable
from conformance.protocol import PROTOCOL, Answer, Greeting, Request
from conformance.suite import ROOT, read_toml

_ANSWER = msgspec.json.Decoder(Answer)
_OF_STATUS: dict[str, tuple[str, ...]] = {
    "ok": (),
    "errno": ("errno",),
    "signal": ("signal",),
    "unsupported": ("capability", "why"),
    "broken": ("why",),
}
"""The fields, besides `value`, that may be filled in an answer of each status."""


def read(line: bytes, request: Request) -> Reply:
    """The reply that a line is.  Raises Trouble of the kinds garbage, wrong-type and wrong-seq."""
    what = request.__struct_config__.tag
    try:
        line.decode()
        answer = _ANSWER.decode(line)
    except UnicodeDecodeError as e:
        raise Trouble("garbage", f"the answer to {what} is not UTF-8 at byte {e.start}: {_shown(line)}") from None
    except msgspec.ValidationError as e:
        raise Trouble("wrong-type", f"the answer to {what} is wrong: {e}: {_shown(line)}") from None
    except (msgspec.DecodeError, RecursionError) as e:
        hint = "" if line.startswith(b"{") else " (stdout is for answers only, anything else belongs on stderr)"
        raise Trouble("garbage", f"the answer to {what} is not JSON: {e}: {_shown(line)}{hint}") from None
    if answer.seq != request.seq:
        raise Trouble("wrong-seq", f"the answer to {what} has seq {answer.seq}, not {request.seq}: {_shown(line)}")
    _check_fields(answer, request, line)
    decoded = decode(answer, request)
    count = getattr(request, "count", None)
    if isinstance(decoded.value, list) and count is not None and len(decoded.value) != count:
        raise Trouble("wrong-type", f"the answer to {what} has {len(decoded.value)} items for {count} pages")
    return decoded


def _shown(line: bytes) -> str:
    """The start of a line, safe to print."""
    return f"`{printable(line, 120)}`"


def _check_fields(answer: Answer, request: Request, line: bytes) -> None:
    """Raise Trouble unless exactly the fields of its status are filled."""
    status, wrong = answer.status, ""
    if status == "ok":
        if request.answer is None and bytes(answer.value) != b"null":
            wrong = "has a value, but there is none to give"
    elif bytes(answer.value) != b"null":
        wrong = f"has a value, but its status is {status}"
    elif status in ("errno", "signal") and getattr(answer, status) is None:
        wrong = f"has status {status}, but does not say which"
    elif status in ("unsupported", "broken") and not answer.why.strip():
        wrong = f"has status {status}, but no `why`"
    for field in ("errno", "signal", "capability", "why"):
        if getattr(answer, field) and field not in _OF_STATUS[status]:
            wrong = f"has status {status}, but also {field}"
    if wrong:
        raise Trouble("wrong-type", f"the answer to {request.__struct_config__.tag} {wrong}: {_shown(line)}")


def wrong_with(greeting: Greeting) -> str | None:
    """What is wrong with a greeting, in one sentence; None if nothing is."""
    if greeting.protocol != PROTOCOL:
        return f"it speaks version {greeting.protocol} of the protocol, and this suite version {PROTOCOL}"
    known = _capabilities()
    for name in [*greeting.capabilities, *greeting.missing]:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            mend = f"did you mean {near[0]!r}?" if near else "spec/capabilities.toml lists them"
            return f"its greeting names the capability {name!r}, which does not exist; {mend}"
        if name in greeting.missing and name in greeting.capabilities:
            return f"its greeting says of the capability {name!r} both that it is there and that it is missing"
    return None


@cache
def _capabilities() -> tuple[str, ...]:
    return tuple(read_toml(ROOT / "spec" / "capabilities.toml", "spec/capabilities.toml")["capability"])


def escaped(greeting: Greeting) -> Greeting:
    """The greeting with every text in it safe to print."""
    return Greeting(
        protocol=greeting.protocol,
        name=printable(greeting.name),
        version=printable(greeting.version),
        profile=printable(greeting.profile),
        capabilities=[printable(c) for c in greeting.capabilities],
        missing={printable(c): printable(why) for c, why in greeting.missing.items()},
        parameters={printable(k): printable(v) if isinstance(v, str) else v for k, v in greeting.parameters.items()},
        environment={printable(k): printable(v, 4000) for k, v in greeting.environment.items()},
    )
