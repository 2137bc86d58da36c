# SPDX-License-Identifier: MIT
"""Modules that come with a kernel: which ones a guest needs, and in which order they are loaded."""

from __future__ import annotations

import lzma
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from conformance.lab.places import Unprepared

Find = Callable[[str], bytes | None]
"""The contents of a module by its name; None: there is no such file."""


def needed(data: bytes) -> list[str]:
    """The modules that a module wants to have loaded before it, from its section .modinfo."""
    names = b",".join(re.findall(rb"\0depends=([^\0]*)\0", data)).split(b",")
    for soft in re.findall(rb"\0softdep=([^\0]*)\0", data):
        words = soft.partition(b"pre:")[2].partition(b"post:")[0]
        names += words.split()
    return [name.decode() for name in names if name]


def order(names: Sequence[str], find: Find) -> dict[str, bytes]:
    """The contents of modules and of those they need, by name, those that are needed first."""
    loaded: dict[str, bytes] = {}
    seen: set[str] = set()

    def visit(name: str) -> None:
        name = name.replace("-", "_")
        if name in seen:
            return
        seen.add(name)
        if (data := find(name)) is not None:
            for other in needed(data):
                visit(other)
            loaded[name] = data

    for name in names:
        visit(name)
    return loaded


class Tree:
    """The directory lib/modules/RELEASE of a kernel."""

    def __init__(self, directory: Path):
        self._files = {_name(path): path for path in directory.rglob("*.ko*")}
        text = (directory / "modules.builtin").read_text() if (directory / "modules.builtin").exists() else ""
        self._builtin = {_name(Path(line)) for line in text.splitlines()}

    def find(self, name: str) -> bytes | None:
        """The contents of a module, unpacked; None: there is no such file."""
        if path := self._files.get(name):
            data = path.read_bytes()
            return lzma.decompress(data) if path.suffix == ".xz" else data
        return None

    def check(self, names: Sequence[str]) -> None:
        """Raises Unprepared if one is neither a file nor built in."""
        if lacking := [name for name in names if name not in self._files and name not in self._builtin]:
            raise Unprepared(f"this kernel has no module {', '.join(lacking)}, and it is not built in")


def _name(path: Path) -> str:
    return path.name.partition(".ko")[0].replace("-", "_")
