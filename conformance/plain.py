# SPDX-License-Identifier: MIT
"""Text that is safe and short enough to show: whatever an implementation sends is a stranger's."""

from __future__ import annotations

import itertools
from typing import Any

from conformance.implementations import Reply, printable

LONGEST = 300
"""Characters of one thing that an implementation said."""


def safe(text: str, longest: int = 4 * LONGEST) -> str:
    """Text with everything that a terminal, XML or an editor might act on written as an escape; lines stay lines."""
    return "\n".join(printable(line, longest) for line in text[: 4 * longest].split("\n"))


def brief(reply: Reply | None) -> str:
    """A reply in one short line; equal neighbours of a list are counted: `ok 'old' x16`."""
    if reply is None:
        return "no answer"
    if reply.status == "ok" and isinstance(reply.value, list):
        return printable(f"ok {_runs(reply.value)}", LONGEST)
    return printable(str(reply), LONGEST)


def _runs(values: list[Any]) -> str:
    parts = []
    for value, same in itertools.groupby(values):
        count = len(list(same))
        parts.append(f"{value!r} x{count}" if count > 1 else repr(value))
    return ", ".join(parts) or "nothing"
