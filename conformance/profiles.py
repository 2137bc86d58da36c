# SPDX-License-Identifier: MIT
"""Profiles: named sets of behaviours, read from `spec/profiles.toml`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from conformance.suite import ROOT, Problem, SuiteError, read_toml

DEFAULT = "linux-7.3"
FILE = "spec/profiles.toml"
T = TypeVar("T")


@dataclass(frozen=True)
class Behaviour:
    """Something that kernels do in different ways."""

    name: str
    says: str
    values: dict[str, str]
    source: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One behaviour that a profile changes, against the profile that it inherits."""

    behaviour: str
    value: str
    why: str
    source: str = ""
    basis: Literal["source", "measured", "assumed"]
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
    parameters: dict[str, Any] = field(default_factory=dict)
    """Of such a machine; an implementation's greeting says what its own are."""
    own_parameters: dict[str, Any] = field(default_factory=dict)
    """Those that differ from what it inherits."""

    def meets(self, condition: str, value: str) -> bool:
        """Whether a condition tag (since, until, config) holds.  Versions compare number by number."""
        if condition == "config":
            return value in self.config
        version = tuple(int(n) for n in value.split("."))
        return self.kernel >= version if condition == "since" else self.kernel <= version


class _Entry(Struct, forbid_unknown_fields=True):
    """[profile.NAME] as it is written."""

    kernel: Annotated[str, Meta(pattern=r"^\d+(\.\d+)+$")]
    says: str
    inherits: str | None = None
    config: list[str] = []
    parameters: dict[str, Any] = {}
    differs: list[Difference] = []


class _Behaviour(Struct, forbid_unknown_fields=True):
    """[behaviour.NAME] as it is written."""

    says: str
    values: dict[str, str]
    source: str = ""


class _Parameter(Struct, forbid_unknown_fields=True):
    """[parameter.NAME] as it is written."""

    says: str
    default: int | list[int]


def load(root: Path = ROOT) -> tuple[dict[str, Behaviour], dict[str, Profile]]:
    """Behaviours and profiles by name, in the order of the file.  Raises SuiteError."""
    path = root / FILE
    data = read_toml(path, FILE)
    defaults = {name: p.default for name, p in _entries(data, "parameter", _Parameter, path).items()}
    behaviours = {
        name: Behaviour(name, b.says, b.values, b.source)
        for name, b in _entries(data, "behaviour", _Behaviour, path).items()
    }
    profiles: dict[str, Profile] = {}
    for name, entry in _entries(data, "profile", _Entry, path).items():
        if what := _wrong(entry, behaviours, profiles):
            raise _problem(path, "profile", name, *what)
        if unknown := entry.parameters.keys() - defaults.keys():
            missed = f"there is no parameter {', '.join(sorted(unknown))}"
            raise _problem(path, "profile", name, missed, "Each [parameter.NAME] is one.")
        profiles[name] = _profile(name, entry, profiles, defaults)
        if missing := behaviours.keys() - profiles[name].behaviours.keys():
            mend = "The first profile of a line gives a value to all."
            raise _problem(path, "profile", name, f"no value for {', '.join(sorted(missing))}", mend)
    return behaviours, profiles


def capabilities(root: Path = ROOT) -> set[str]:
    """The names in spec/capabilities.toml.  Raises SuiteError."""
    file = "spec/capabilities.toml"
    names = read_toml(root / file, file).get("capability")
    if not isinstance(names, dict):
        raise SuiteError([Problem(file, 1, "has no [capability]", "Name each capability and say what it is.")])
    return set(names)


def _entries(data: dict[str, Any], table: str, kind: type[T], path: Path) -> dict[str, T]:
    """The entries of a table, each of the right shape."""
    if not isinstance(data.get(table), dict):
        raise SuiteError([Problem(FILE, 1, f"has no [{table}.NAME]", "Its head says what belongs there.")])
    entries = {}
    for name, entry in data[table].items():
        try:
            entries[name] = msgspec.convert(entry, kind)
        except msgspec.ValidationError as e:
            raise _problem(path, table, name, str(e), "The head of the file says what belongs there.") from None
    return entries


def _wrong(entry: _Entry, behaviours: dict[str, Behaviour], known: dict[str, Profile]) -> tuple[str, str] | None:
    """What an entry names that is not there, and what is."""
    if entry.inherits is not None and entry.inherits not in known:
        return f"inherits {entry.inherits!r}, which is not above it", f"Above it: {', '.join(known) or 'none'}."
    for line in entry.differs:
        if line.behaviour not in behaviours:
            return f"there is no behaviour {line.behaviour!r}", "Each [behaviour.NAME] is one."
        if line.value not in (values := behaviours[line.behaviour].values):
            return f"{line.behaviour} cannot be {line.value!r}", f"It is one of {', '.join(values)}."
    return None


def _problem(path: Path, table: str, name: str, what: str, mend: str) -> SuiteError:
    """A problem of an entry, with the line where that begins."""
    head = re.compile(rf"\s*\[\s*{table}\s*\.\s*[\"']?{re.escape(name)}[\"']?\s*[\].]")
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next((n for n, line in enumerate(lines, 1) if head.match(line)), 1)
    return SuiteError([Problem(FILE, number, f"[{table}.{name}]: {what}", mend)])


def _profile(name: str, entry: _Entry, known: dict[str, Profile], defaults: dict[str, Any]) -> Profile:
    inherited = known[entry.inherits].behaviours if entry.inherits else {}
    parameters = known[entry.inherits].parameters if entry.inherits else defaults
    return Profile(
        name=name,
        kernel=tuple(int(n) for n in entry.kernel.split(".")),
        says=entry.says,
        inherits=entry.inherits,
        config=frozenset(entry.config),
        behaviours={**inherited, **{d.behaviour: d.value for d in entry.differs}},
        differs=entry.differs,
        parameters={**parameters, **entry.parameters},
        own_parameters={n: v for n, v in entry.parameters.items() if parameters[n] != v},
    )
