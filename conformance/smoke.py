# SPDX-License-Identifier: MIT
"""The smoke test: what every scenario needs.  If it does not work there is one diagnosis, not a thousand failures."""

from __future__ import annotations

from conformance import protocol
from conformance.engine import describe
from conformance.implementations import Implementation, Trouble
from conformance.plain import brief

STEPS: tuple[protocol.Request, ...] = (
    protocol.Reset(),
    protocol.Start(process="A"),
    protocol.Map(process="A", region="mem", pages=1),
    protocol.Write(process="A", region="mem", value="smoke"),
    protocol.Read(process="A", region="mem"),
    protocol.Reset(),
)


def smoke(implementation: Implementation) -> tuple[list[str], bool]:
    """What went wrong, one line for each request that was not answered ok, and whether a run makes sense.

    It makes none if a reset fails, because then no scenario can begin; if all of the others fail; or if one is not
    answered in time, because then all of them would take their time.  What a page holds is left to the scenarios.
    """
    wrong: list[str] = []
    resets = worked = 0
    for request in STEPS:
        said, hung = _ask(implementation, request)
        if not said:
            resets += isinstance(request, protocol.Reset)
            worked += not isinstance(request, protocol.Reset)
            continue
        wrong.append(f"{describe(request)} -> {said}")
        if hung:
            return wrong, False
    return wrong, resets == 2 and worked > 0


def _ask(implementation: Implementation, request: protocol.Request) -> tuple[str, bool]:
    """What is wrong with the answer ("" if nothing), and whether it hangs."""
    try:
        reply = implementation.request(request)
    except Trouble as e:
        return str(e), e.kind == "hang"
    return ("" if reply.status == "ok" else brief(reply)), False
