# SPDX-License-Identifier: MIT
"""An implementation that costs nothing: it repeats what the model said to the same requests.

With it the engine does all of its work (every phrase, every request, every comparison) and the model does none.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import msgspec

from conformance.implementations import Implementation, Reply
from conformance.protocol import Greeting, Request, Reset

START = 0
Answers = dict[tuple[int, bytes], tuple[Reply, int]]
"""By node and request: the reply and the next node.  A node stands for all requests since the last reset."""


class Recorder:
    """Asks another implementation, and remembers."""

    def __init__(self, implementation: Implementation):
        self.greeting = implementation.greeting
        self._asked = implementation
        self._encode = msgspec.json.Encoder().encode
        self._answers: Answers = {}
        self._node = START

    def request(self, request: Request) -> Reply:
        reply = self._asked.request(request)
        if isinstance(request, Reset):
            self._node = START
        key = (self._node, self._encode(request))
        _, self._node = self._answers.setdefault(key, (reply, len(self._answers) + 1))
        return reply

    def close(self) -> None:
        self._asked.close()

    def write(self, path: Path) -> None:
        greeting = msgspec.json.encode(self.greeting)
        path.write_bytes(pickle.dumps((greeting, self._answers), pickle.HIGHEST_PROTOCOL))


class Recorded:
    """Repeats it.  A request that was not recorded is a KeyError: then two runs were not the same."""

    def __init__(self, path: Path):
        greeting: bytes
        self._answers: Answers
        greeting, self._answers = pickle.loads(path.read_bytes())
        self.greeting = msgspec.json.decode(greeting, type=Greeting)
        self._encode = msgspec.json.Encoder().encode
        self._node = START

    def request(self, request: Request) -> Reply:
        if isinstance(request, Reset):
            self._node = START
        reply, self._node = self._answers[self._node, self._encode(request)]
        return reply

    def close(self) -> None:
        pass
