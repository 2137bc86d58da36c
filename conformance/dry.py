# SPDX-License-Identifier: MIT
"""An implementation that agrees to everything: it finds out which pages and regions a scenario names in vain."""

from __future__ import annotations

from typing import Any

from conformance import profiles, protocol
from conformance.engine import Mismatch, NotApplicable, Play, Unsupported
from conformance.implementations import Reply
from conformance.suite import ROOT, Problem, Scenario, read_toml
from conformance.vocabulary import VocabularyError

VALUES: dict[type[protocol.Request], Any] = {
    protocol.Frame: "1",
    protocol.Entry: "pte",
    protocol.OwnerSlots: protocol.Owners([], False),
    protocol.MaybeMappedShared: False,
    protocol.MappedExclusively: False,
    protocol.AnonExclusive: False,
    protocol.PartiallyMapped: False,
    protocol.PageFlags: [],
    protocol.Pagemap: [],
    protocol.PagemapScan: [],
    protocol.PagemapMarks: [],
    protocol.Mincore: False,
    protocol.Writable: None,
    protocol.Migrate: "moved",
    protocol.MaybeDmaPinned: False,
}
"""What is said of a page; a number is 0, a content is empty."""
WHOLE: dict[type[protocol.Request], Any] = {
    protocol.MapDevice: "dry",
    protocol.MapInterface: 64,
    protocol.Receive: 1,
    protocol.Tee: 1,
    protocol.GetPages: 1,
    protocol.CallDriver: protocol.Called("0"),
    protocol.CoreDump: {},
    protocol.VmaQuery: protocol.Vma([], 0),
    protocol.Kpage: protocol.KpageInfo(0, []),
    protocol.KernelLog: [],
    protocol.Finish: [],
}
"""What is said of everything else."""


class Dry:
    """Says ok, with a value of the right shape."""

    def __init__(self) -> None:
        parameters = read_toml(ROOT / "spec" / "profiles.toml", "spec/profiles.toml").get("parameter", {})
        capabilities = profiles.capabilities(ROOT)
        every = list(range(31))  # no folio is too large to talk about
        self.greeting = protocol.Greeting(
            protocol=protocol.PROTOCOL, name="dry", profile="", capabilities=sorted(capabilities),
            parameters={**{k: v["default"] for k, v in parameters.items()}, "orders": every, "shmem_orders": every},
        )  # fmt: skip

    def request(self, request: protocol.Request) -> Reply:
        return Reply("ok", _value(request))

    def close(self) -> None:
        pass


def _value(request: protocol.Request) -> Any:
    if request.answer is None:
        return None
    if type(request) in WHOLE:
        return WHOLE[type(request)]
    if not hasattr(request, "count"):
        return {} if isinstance(request, protocol.Query) else [""]
    content = request.answer == list[protocol.Token]
    return [VALUES.get(type(request), "" if content else 0)] * request.count


def problems(scenario: Scenario, implementation: Dry) -> list[Problem]:
    """What is wrong with the words of a scenario whatever it is run on: a page past the end, an unknown region."""
    play = Play(scenario, implementation)
    for compiled in play.steps:
        try:
            play.run(compiled)
        except VocabularyError as e:
            return [Problem(scenario.file, compiled.step.line, f"{scenario.id}: {e}", "Name pages that are there.")]
        except KeyError as e:
            what = f"{scenario.id}: nothing is called {e} here"
            return [Problem(scenario.file, compiled.step.line, what, "Name what an earlier step has made.")]
        except (Mismatch, Unsupported, NotApplicable):
            continue  # it agrees to everything, but knows nothing
    return []
