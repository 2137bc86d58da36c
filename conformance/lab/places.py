# SPDX-License-Identifier: MIT
"""Where the lab keeps its things: all of it in the cache directory of the user."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from conformance.implementations.linux import build


class Unprepared(Exception):
    """Something that is needed is not there; the text is a sentence that says what to do."""


def lab() -> Path:
    """The directory of the lab.  It need not exist."""
    return build.user_cache() / "lab"


def kernel(name: str) -> Path:
    """The directory of one kernel."""
    return lab() / "kernels" / name


def made(path: Path) -> Path:
    """The directory, made if it was not there.  Raises Unprepared if another user could put things into it."""
    if not build.private_directory(path):
        raise Unprepared(f"{path} cannot be made, or another user could put things into it")
    return path


def removed(path: Path) -> Path:
    """The path, with nothing there: no directory and no link."""
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)
    return path


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Nobody else is in a block with the same directory meanwhile."""
    with open(made(directory) / ".lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def size(path: Path) -> int:
    """Bytes on the disk of all files below a directory; 0 if it is not there."""
    total, left = 0, [str(path)] if path.exists() else []
    while left:
        with os.scandir(left.pop()) as entries:
            for entry in entries:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
    return total
