# SPDX-License-Identifier: MIT
"""Profiles: which kernel the model behaves like.  They are written down in spec/profiles.toml, and only there."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parent.parent / "spec" / "profiles.toml"


class Profile:
    """A named set of behaviours.  `profile["cow.large-reuse"]` is the value of one of them."""

    def __init__(self, name: str, behaviours: dict[str, str], parameters: dict[str, Any], kernel: str) -> None:
        self.name = name
        self.kernel = kernel
        self.behaviours = behaviours
        self.parameters = parameters
        self.page_kb: int = parameters["page_size"] // 1024
        self.word_bits: int = parameters["word_bits"]
        self.refcount_bits: int = parameters["refcount_bits"]
        self.pte_special: bool = bool(parameters["pte_special"])
        self.version = tuple(int(number) for number in kernel.split("."))
        self.pmd_order: int = parameters["pmd_order"]
        self.orders: list[int] = parameters["orders"]
        self.shmem_orders: list[int] = parameters["shmem_orders"]
        self.hugetlb_order: int = parameters["hugetlb_order"]
        self.fault_around_pages: int = parameters["fault_around_pages"]
        self.read_ahead_pages: int = parameters["read_ahead_pages"]

    def __getitem__(self, behaviour: str) -> str:
        return self.behaviours[behaviour]

    @property
    def pmd_pages(self) -> int:
        return 1 << self.pmd_order


@cache
def registry() -> dict[str, Any]:
    """spec/profiles.toml as it is."""
    with PATH.open("rb") as file:
        return tomllib.load(file)


def names() -> list[str]:
    return list(registry()["profile"])


@cache
def load(name: str) -> Profile:
    """The profile of this name, with everything that it inherits."""
    spec = registry()
    chain = []
    at: str | None = name
    while at is not None:
        if at not in spec["profile"]:
            raise KeyError(f"no profile is called {at}")
        chain.append(spec["profile"][at])
        at = chain[-1].get("inherits")

    behaviours: dict[str, str] = {}
    parameters: dict[str, Any] = {name: p["default"] for name, p in spec["parameter"].items()}
    for profile in reversed(chain):
        parameters.update(profile.get("parameters", {}))
        for line in profile.get("differs", []):
            allowed = spec["behaviour"][line["behaviour"]]["values"]
            if line["value"] not in allowed:
                raise ValueError(f"{name}: {line['behaviour']} cannot be {line['value']}")
            behaviours[line["behaviour"]] = line["value"]
    if missing := set(spec["behaviour"]) - set(behaviours):
        raise ValueError(f"{name}: no value for {', '.join(sorted(missing))}")
    return Profile(name, behaviours, parameters, chain[0]["kernel"])
