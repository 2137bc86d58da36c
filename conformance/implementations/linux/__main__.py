# SPDX-License-Identifier: MIT
"""Serves the running kernel over stdin and stdout: `python -m conformance.implementations.linux`."""

from __future__ import annotations

import signal
import sys
from functools import reduce
from operator import or_
from types import FrameType

import msgspec

from conformance import protocol as p
from conformance.implementations.linux.implementation import Linux


def _stop(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main() -> int:
    """Answer one request a line until goodbye or the end of input."""
    signal.signal(signal.SIGTERM, _stop)
    decoder = msgspec.json.Decoder(reduce(or_, p.REQUESTS.values()))
    linux = Linux()
    try:
        for line in sys.stdin.buffer:
            try:
                request = decoder.decode(line)
            except msgspec.MsgspecError as e:
                answer = p.Answer(seq=_seq(line), status="broken", why=f"not a request: {e}"[:4000])
            else:
                answer = linux.handle(request)
            sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
            sys.stdout.buffer.flush()
            if answer.status == "ok" and isinstance(request, p.Goodbye):
                break
    except KeyboardInterrupt:
        return 130
    finally:
        linux.close()
    return 0


def _seq(line: bytes) -> int:
    """The number of a request that is wrong otherwise."""
    try:
        return int(msgspec.json.decode(line)["seq"])
    except (msgspec.MsgspecError, TypeError, KeyError, ValueError):
        return 0


if __name__ == "__main__":
    sys.exit(main())
