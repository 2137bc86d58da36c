# SPDX-License-Identifier: MIT
"""A scenario step by step, with everything that there is after each step: for pictures and `mapspec show`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance import protocol
from conformance.engine import Compiled, Play, Verdict, describe, run_scenario
from conformance.implementations import Implementation, Reply, Trouble
from conformance.plain import brief
from conformance.profiles import Profile
from conformance.suite import Scenario, Step


@dataclass(frozen=True)
class Exchange:
    """A request and its reply, each in one line that is safe to show."""

    request: str
    reply: str
    operation: bool
    """False: a query, which changes nothing."""


@dataclass(frozen=True)
class Moment:
    """One step and what was there after it."""

    step: Step
    exchanges: tuple[Exchange, ...]
    state: dict[str, Any] | None
    """The answer to `state`; None if the implementation has no such capability or could not answer."""


@dataclass(frozen=True)
class Trace:
    """What happened in a scenario.  Its steps end with the first that did not hold."""

    scenario: Scenario
    profile: Profile
    moments: tuple[Moment, ...]
    verdict: Verdict


def trace(scenario: Scenario, implementation: Implementation, profile: Profile) -> Trace:
    """Run a scenario and look at everything after each step.  Never raises for what the implementation does."""
    moments: list[Moment] = []
    told = 0

    def watch(play: Play, compiled: Compiled) -> None:
        nonlocal told
        log = play.context.log
        moments.append(Moment(compiled.step, tuple(_exchange(*entry) for entry in log[told:]), _state(play)))
        told = len(log)

    verdict = run_scenario(scenario, implementation, profile, watch)
    return Trace(scenario, profile, tuple(moments), verdict)


def _exchange(request: protocol.Request, reply: Reply | None) -> Exchange:
    return Exchange(describe(request), brief(reply), isinstance(request, protocol.Operation))


def _state(play: Play) -> dict[str, Any] | None:
    log = play.context.log
    if "state" not in play.context.capabilities or (log and log[-1][1] is None):
        return None  # or it has just been stopped, and would be started for nothing
    try:
        reply = play.context.implementation.request(protocol.State())
    except Trouble:
        return None
    return reply.value if reply.status == "ok" else None
