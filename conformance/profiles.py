# SPDX-License-Identifier: MIT
"""Profiles: named sets of behaviours, read from `spec/profiles.toml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.suite import ROOT, Problem, SuiteError, read_toml

DEFAULT = "linux-7.3"


@dataclass(frozen=True)
class Behaviour:
    """Something that kernels do in different ways."""

    name: str
    says: str
    values: dict[str, str]
    source: str


@dataclass(frozen=True)
class Difference:
    """One behaviour that a profile changes, against the profile that it inherits."""

    behaviour: str
    value: str
    why: str
    source: str
    basis: str
    """source: read there; measured: seen on such a kernel; assumed: neither."""


@dataclass(frozen=True)
class Profile:
    """A kernel version and configuration, as far as the suite tells them apart."""

    name: str
    kernel: tuple[int, ...]
    says: str
    inherits: str | None
    config: frozenset[str]
    behaviours: dict[str, str]
    differs: list[Difference] = field(default_factory=list)

    def meets(self, condition: str, value: str) -> bool:
        """Whether a condition tag (since, until, config) holds.  Versions compare number by number."""
        if condition == "config":
            return value in self.config
        version = tuple(int(n) for n in value.split("."))
        return self.kernel >= version if condition == "since" else self.kernel <= version


def load(root: Path = ROOT) -> tuple[dict[str, Behaviour], dict[str, Profile]]:
    """Behaviours and profiles by name, in the order of the file."""
    data = read_toml(root / "spec" / "profiles.toml", "spec/profiles.toml")
    try:
        behaviours = {
            name: Behaviour(name, b["says"], dict(b["values"]), b.get("source", ""))
            for name, b in data["behaviour"].items()
        }
        profiles: dict[str, Profile] = {}
        for name, p in data["profile"].items():
            profiles[name] = _profile(name, p, profiles)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise SuiteError([Problem("spec/profiles.toml", 0, f"an entry lacks something or is wrong: {e}")]) from None
    return behaviours, profiles


def _profile(name: str, p: dict[str, Any], known: dict[str, Profile]) -> Profile:
    parent = known.get(p.get("inherits", ""))
    differs = [
        Difference(d["behaviour"], d["value"], d["why"], d.get("source", ""), d["basis"]) for d in p.get("differs", [])
    ]
    return Profile(
        name=name,
        kernel=tuple(int(n) for n in p["kernel"].split(".")),
        says=p["says"],
        inherits=p.get("inherits"),
        config=frozenset(p.get("config", [])),
        behaviours={**(parent.behaviours if parent else {}), **{d.behaviour: d.value for d in differs}},
        differs=differs,
    )
