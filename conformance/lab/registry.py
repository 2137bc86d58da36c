# SPDX-License-Identifier: MIT
"""The kernels of the lab, as kernels.toml describes them."""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("kernels.toml")
ARCHITECTURES = ("x86_64", "i386", "um")


class RegistryError(Exception):
    """kernels.toml is wrong, or has no such kernel; the text is a sentence."""


@dataclass(frozen=True)
class Kernel:
    """One kernel.  kernels.toml says what each field means."""

    name: str
    what: str
    profile: str
    suites: list[str]
    image: str = ""
    packages: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    source: str = ""
    fragments: list[str] = field(default_factory=list)
    patches: list[str] = field(default_factory=list)
    architecture: str = "x86_64"
    modules: list[str] = field(default_factory=list)
    memory: int = 1024
    processors: int = 2
    command_line: str = ""
    suffix: str = ""

    @property
    def built(self) -> bool:
        """We compile it; else it is one of Debian's packages."""
        return not self.image

    @property
    def recipe(self) -> str:
        """Changes when something else would be prepared: not with how it is booted."""
        parts = [self.image, *self.packages, *self.headers, self.source, self.architecture, *self.modules]
        files = [
            *(FILE.parent / "configs" / name for name in self.fragments),
            *(FILE.parent / "patches" / name for name in self.patches),
        ]
        text = "\n".join(parts).encode() + b"".join(path.read_bytes() for path in files)
        return hashlib.sha256(text).hexdigest()[:12]


def load(file: Path = FILE) -> dict[str, Kernel]:
    """All kernels by name, in the order of the file.  Raises RegistryError."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as e:
        raise RegistryError(f"{file.name}: {e}") from None
    return {name: _kernel(file.name, name, table) for name, table in tables.get("kernels", {}).items()}


def find(name: str) -> Kernel:
    """The kernel of that name.  Raises RegistryError."""
    known = load()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise RegistryError(f"there is no kernel {name!r} in the lab; {hint}")
    return known[name]


def _kernel(file: str, name: str, table: dict[str, Any]) -> Kernel:
    known = {f.name for f in fields(Kernel)} - {"name"}
    if wrong := set(table) - known:
        raise RegistryError(f"{file}: {name}: there is no field {', '.join(sorted(wrong))}")
    if lacking := {"what", "profile", "suites"} - set(table):
        raise RegistryError(f"{file}: {name}: it lacks {', '.join(sorted(lacking))}")
    kernel = Kernel(name=name, **table)
    if kernel.architecture not in ARCHITECTURES:
        raise RegistryError(f"{file}: {name}: the architecture is none of {', '.join(ARCHITECTURES)}")
    if kernel.built and not (kernel.source and kernel.fragments):
        raise RegistryError(f"{file}: {name}: it needs an image, or a source and fragments")
    if not (kernel.headers or kernel.source):
        raise RegistryError(f"{file}: {name}: modules need headers or a source")
    return kernel
