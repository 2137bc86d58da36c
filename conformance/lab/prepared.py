# SPDX-License-Identifier: MIT
"""What is known of a kernel that has been prepared: kernel.json in its directory."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from conformance.lab import places
from conformance.lab.places import Unprepared

IMAGE, CONFIG, MODULES, BUILD = "image", "config", "modules", "build"
"""In the directory of a kernel: its image, its configuration, modules of its own, and where modules are compiled."""
RECORD = "kernel.json"


@dataclass(frozen=True)
class Prepared:
    """A kernel that can be booted."""

    name: str
    release: str
    """What uname -r shows."""
    version: str
    """Of the Debian package that it comes from."""
    modules: list[str]
    """Files in MODULES, in the order in which they are loaded."""
    recipe: str = ""
    """What it was made by, see registry.py."""

    @property
    def directory(self) -> Path:
        return places.kernel(self.name)

    @property
    def short(self) -> str:
        """The number of the version: 6.12.117."""
        return self.version.partition("-")[0]


def save(prepared: Prepared) -> None:
    """The last thing that is written: without it, a kernel is not prepared."""
    text = json.dumps(asdict(prepared), indent=1)
    (prepared.directory / RECORD).write_text(text + "\n", encoding="utf-8")


def load(name: str) -> Prepared:
    """Raises Unprepared."""
    try:
        return Prepared(**json.loads((places.kernel(name) / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise Unprepared(f"the kernel {name} is not prepared: mapspec kernels prepare --only {name}") from None
