# SPDX-License-Identifier: MIT
"""Runs scenarios against an implementation and says what came of it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from conformance import protocol, vocabulary
from conformance.implementations import CannotStart, Implementation, Reply, Trouble
from conformance.profiles import Profile
from conformance.suite import Scenario, Step
from conformance.vocabulary.types import Pages

Status = Literal[
    "pass", "fail", "error", "timeout", "unsupported", "not-applicable", "xfail", "xpass", "skipped", "notrun"
]


class Mismatch(Exception):
    """What was seen is not what the step says."""

    def __init__(self, expected: str, seen: str):
        self.expected, self.seen = expected, seen
        super().__init__(f"expected {expected}, seen {seen}")


class Unsupported(Exception):
    """The implementation cannot do or tell what the step needs."""


class NotApplicable(Exception):
    """The step is about something that this profile or machine does not have."""


@dataclass
class Verdict:
    """What came of one scenario."""

    scenario: Scenario
    status: Status
    reason: str = ""
    step: Step | None = None
    expected: str = ""
    seen: str = ""
    notes: list[str] = field(default_factory=list)
    """What was seen where a rule allows more than one value, what the kernel logged, a second try."""
    complaints: list[str] = field(default_factory=list)
    """What the kernel logged and no step has asked for."""
    log: list[tuple[protocol.Request, Reply | None]] = field(default_factory=list)
    """The requests and their replies, reset excluded."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Promise:
    """A line of the kernel log that a scenario announces."""

    what: str
    fits: Callable[[protocol.Logged], bool]


class Context:
    """What a phrase may use: the implementation, and what the scenario has set up so far."""

    def __init__(self, implementation: Implementation):
        self.implementation = implementation
        self.greeting = implementation.greeting
        self.capabilities = frozenset(self.greeting.capabilities)
        self.log: list[tuple[protocol.Request, Reply | None]] = []
        self.notes: list[str] = []
        self.regions: dict[str, dict[str, int]] = {}
        """Process, region: pages."""
        self.files: dict[str, int] = {}
        """File: pages."""
        self.before: dict[tuple[str, str], list[str | None]] = {}
        """Process, region: the frames before the last When."""
        self.counters: dict[str, int] | None = None
        """The system's counters before the first When."""
        self.noted: dict[str, dict[str, int]] = {}
        """Process: its smaps_rollup at the last `notes its smaps_rollup`."""
        self.devices: dict[str, int] = {}
        """Device: pages of its driver's memory."""
        self.interface: protocol.Interface | None = None
        """What the last `maps …` of an interface of the kernel was."""
        self.attempt: Reply | None = None
        """What came of the last `tries to`."""
        self.called: protocol.Called | None = None
        """What came of the last function that a driver called."""
        self.answered_for: set[int] = set()
        """Which lines of the kernel log a step has asked for, by their place in it."""
        self.promised: list[Promise] = []
        """Lines that are still to come, when everything has ended."""

    # --- talking to the implementation ---

    def send(self, request: protocol.Request) -> Reply:
        """Send a request and return the reply, whatever it is; raise Unsupported if it cannot be done."""
        self.require(request.capability)
        self.log.append((request, None))
        reply = self.implementation.request(request)
        self.log[-1] = (request, reply)
        if reply.status == "unsupported":
            if request.capability is not None and reply.capability in (None, request.capability):
                raise Trouble("lie", f"capability {request.capability!r} was declared, but is unsupported: {reply.why}")
            raise Unsupported(f"{reply.capability or 'the request'}: {reply.why}")
        if reply.status == "broken":
            raise Trouble("broken", reply.why)
        return reply

    def do(self, request: protocol.Request) -> Any:
        """Send a request that must succeed, and return its value."""
        reply = self.send(request)
        if reply.status != "ok":
            raise Mismatch(f"{describe(request)} to succeed", str(reply))
        value = reply.value
        count = getattr(request, "count", None)
        if isinstance(value, list) and count is not None and len(value) != count:
            raise Trouble("wrong-type", f"{describe(request)} was answered with {len(value)} items")
        return value

    def require(self, capability: str | None) -> None:
        """Raise Unsupported unless the implementation has the capability."""
        if capability is not None and capability not in self.capabilities:
            why = self.greeting.missing.get(capability, "the implementation does not have it")
            raise Unsupported(f"{capability}: {why}")

    def require_order(self, order: int, parameter: str = "orders") -> None:
        """Raise NotApplicable unless folios of the order can be allocated (`parameter`: orders or shmem_orders)."""
        orders = self.greeting.parameters.get(parameter, [0])
        if not isinstance(orders, list) or order not in orders:
            raise NotApplicable(f"order {order} is not among the {parameter} {orders}")

    # --- what the scenario has set up ---

    def process(self, name: str) -> str:
        """The process; it is started when it is named for the first time."""
        if name not in self.regions:
            self.do(protocol.Start(process=name))
            self.regions[name] = {}
        return name

    def span(self, process: str, pages: Pages) -> dict[str, Any]:
        """The fields process, region, first and count of a request for pages."""
        total = self.regions.get(process, {}).get(pages.region)
        if total is None:
            raise vocabulary.VocabularyError(f"process {process} has no region {pages.region!r} here")
        count = total - pages.first if pages.count is None else pages.count
        if pages.first + count > total:
            raise vocabulary.VocabularyError(f"{pages} is past the end of {process}'s {pages.region} ({total} pages)")
        return {"process": process, "region": pages.region, "first": pages.first, "count": count}

    def answer_for(self, promise: Promise) -> None:
        """What the kernel has logged so far has such lines, and they are not held against it.  Raises Mismatch."""
        logged: list[protocol.Logged] = self.do(protocol.KernelLog())
        if not self._claim(promise, logged):
            others = [one.text for n, one in enumerate(logged) if n not in self.answered_for]
            raise Mismatch(promise.what, " | ".join(others) or "nothing in the kernel log")

    def unanswered(self, logged: list[protocol.Logged]) -> list[str]:
        """What nobody has asked for, of the whole log.  Raises Mismatch if something promised has not come."""
        missing = [promise.what for promise in self.promised if not self._claim(promise, logged)]
        left = [one.text for n, one in enumerate(logged) if n not in self.answered_for]
        if missing:
            raise Mismatch(" and ".join(missing), " | ".join(left) or "nothing in the kernel log")
        return left

    def _claim(self, promise: Promise, logged: list[protocol.Logged]) -> bool:
        found = {n for n, one in enumerate(logged) if n not in self.answered_for and promise.fits(one)}
        self.answered_for |= found
        return bool(found)

    def note(self, text: str) -> None:
        """Record what was seen where more than one value is allowed."""
        self.notes.append(text)

    def note_frames(self) -> None:
        """Note which frame each page has, for phrases that compare with it."""
        for process, regions in self.regions.items():
            for region, pages in regions.items():
                query = protocol.Frame(process=process, region=region, first=0, count=pages)
                self.before[process, region] = self.do(query)


def describe(request: protocol.Request) -> str:
    """A request in one line: `write A mem 0+1 'new'`."""
    fields = msgspec.to_builtins(request)
    name = fields.pop("do")
    fields.pop("seq", None)
    process, region = fields.pop("process", ""), fields.pop("region", "")
    first, count = fields.pop("first", None), fields.pop("count", 1)
    where = [] if first is None else [f"{first}" if count == 1 else f"{first}-{first + count - 1}"]
    rest = [f"{k}={v}" for k, v in fields.items() if v not in (None, False)]
    return " ".join([str(name), *filter(None, [process, region]), *where, *rest])


@dataclass(frozen=True)
class Compiled:
    """A step with its phrase and parameters."""

    step: Step
    phrase: vocabulary.Phrase
    arguments: tuple[Any, ...]


def compile_steps(scenario: Scenario) -> list[Compiled]:
    """Find the phrase of each step.  Raises VocabularyError."""
    return [Compiled(step, *vocabulary.match(step.text)) for step in scenario.steps]


class Play:
    """One scenario on its way through an implementation, step by step."""

    def __init__(self, scenario: Scenario, implementation: Implementation):
        self.scenario = scenario
        self.context = Context(implementation)
        self.steps = compile_steps(scenario)
        self.frames = any(c.phrase.since == "frames" for c in self.steps)
        self.counting = any(c.phrase.since == "counters" for c in self.steps)
        self.about_log = any(c.phrase.module == "log" for c in self.steps)
        reply = implementation.request(protocol.Reset())
        if reply.status != "ok":
            raise Trouble("broken", f"reset was answered {reply}")

    def require_needs(self) -> None:
        """Raise Unsupported unless the implementation has what the scenario's @needs tags name."""
        for condition in self.scenario.conditions:
            if condition.name == "needs":
                self.context.require(condition.value)

    def run(self, compiled: Compiled) -> None:
        """Run one step.  Raises Mismatch, Unsupported, NotApplicable, Trouble or VocabularyError."""
        if compiled.step.kind == "when" and compiled.phrase.kind == "operation":
            if self.frames:
                self.context.note_frames()
            if self.counting and self.context.counters is None:
                self.context.counters = self.context.do(protocol.Counters())
        compiled.phrase.function(self.context, *compiled.arguments)


def not_applicable(scenario: Scenario, profile: Profile, implementation: Implementation) -> str | None:
    """Why the scenario does not apply to the profile and parameters, or None."""
    parameters = implementation.greeting.parameters
    for condition in scenario.conditions:
        if condition.name in ("since", "until", "config"):
            if not profile.meets(condition.name, condition.value):
                return f"{condition} does not hold for {profile.name}"
        elif condition.name == "order":
            if int(condition.value) not in (parameters.get("orders") or [0]):  # type: ignore[operator]
                return f"folios of order {condition.value} cannot be allocated here"
        elif condition.name != "needs" and str(parameters.get(condition.name)) != condition.value:
            return f"{condition.name} is {parameters.get(condition.name)}, not {condition.value}"
    return None


QUIET_TRIES = 5
"""How often a scenario about counters of the whole system is run before it has failed."""

Watch = Callable[[Play, Compiled], None]


def run_scenario(
    scenario: Scenario, implementation: Implementation, profile: Profile, watch: Watch | None = None
) -> Verdict:
    """Run one scenario.  Whatever the implementation does is a verdict; only CannotStart is raised.

    `watch` is called after every step that was begun, also after one that failed.
    """
    started = time.perf_counter()
    verdict = _run(scenario, implementation, profile, watch)
    for again in range(2, QUIET_TRIES + 1):
        # Counters of the whole system also move for others; what is wrong stays wrong.
        if (
            verdict.complaints
            or verdict.status != "fail"
            or not any(isinstance(request, protocol.Counters) for request, _ in verdict.log)
        ):
            break
        verdict = _run(scenario, implementation, profile, watch)
        verdict.notes.append(f"try {again}: the counters are the whole system's, and others move them too")
    verdict.seconds = time.perf_counter() - started
    return verdict


def _run(scenario: Scenario, implementation: Implementation, profile: Profile, watch: Watch | None) -> Verdict:
    verdict = Verdict(scenario, "pass")
    if reason := not_applicable(scenario, profile, implementation):
        verdict.status, verdict.reason = "not-applicable", reason
        return verdict
    play = None
    try:
        play = Play(scenario, implementation)
        play.require_needs()
        for compiled in play.steps:
            verdict.step = compiled.step
            try:
                play.run(compiled)
            finally:
                if watch is not None:
                    watch(play, compiled)
        verdict.step = None
    except Exception as e:
        classify(e, verdict, play)
    if play is not None:
        verdict.log, verdict.notes = play.context.log, play.context.notes
        finish(play, verdict)
    return verdict


def finish(play: Play, verdict: Verdict) -> None:
    """End the scenario: what the kernel has logged belongs to the verdict.

    Of one that stopped before its end nobody knows what its other steps would have asked for: then it is a note, unless
    no step is about the log.
    """
    context = play.context
    if "kernel-log" not in context.capabilities or verdict.status in ("error", "timeout"):
        return
    try:
        reply = context.implementation.request(protocol.Finish())
        if reply.status != "ok":
            raise Trouble("broken", f"finish was answered {reply}")
        if verdict.status == "pass":
            verdict.complaints = context.unanswered(reply.value)
        else:
            left = [one.text for n, one in enumerate(reply.value) if n not in context.answered_for]
            verdict.complaints = left if verdict.status == "unsupported" and not play.about_log else []
            verdict.notes += [f"kernel log: {line}" for line in left]
    except Exception as e:
        classify(e, verdict, play)
    if verdict.complaints:
        seen = " | ".join(verdict.complaints)
        verdict.status, verdict.reason = "fail", f"the kernel logged what no step has asked for: {seen}"
        verdict.expected, verdict.seen = "nothing in the kernel log but what the steps ask for", seen


def classify(error: Exception, verdict: Verdict, play: Play | None) -> None:
    """Turn an exception of a step into a verdict."""
    during = ""
    if play is not None and play.context.log and play.context.log[-1][1] is None:
        during = f"during {describe(play.context.log[-1][0])}: "
    match error:
        case CannotStart():
            raise error
        case Mismatch():
            verdict.status, verdict.reason = "fail", str(error)
            verdict.expected, verdict.seen = error.expected, error.seen
        case Unsupported():
            verdict.status, verdict.reason = "unsupported", str(error)
        case NotApplicable():
            verdict.status, verdict.reason = "not-applicable", str(error)
        case Trouble(kind="hang"):
            verdict.status, verdict.reason = "timeout", during + error.detail
        case Trouble():
            verdict.status, verdict.reason = "error", f"{during}{error}"
        case vocabulary.VocabularyError():
            verdict.status, verdict.reason = "error", f"the feature file: {error}"
        case _:
            verdict.status, verdict.reason = "error", f"a defect of mapspec: {_where(error)}"


def _where(error: Exception) -> str:
    """An exception and where it was raised, in one line.  A greeting without a parameter ends here, too."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"


def run(scenarios: Iterable[Scenario], implementation: Implementation, profile: Profile) -> Iterator[Verdict]:
    """Run scenarios one after the other."""
    for scenario in scenarios:
        yield run_scenario(scenario, implementation, profile)
