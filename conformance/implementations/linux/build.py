# SPDX-License-Identifier: MIT
"""Compiles the executor, once per state of its source."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

PARTS = ("executor", "process", "interfaces", "observe", "control", "pipes", "pins")
SOURCES = [Path(__file__).with_name(name) for name in ("executor.h", *(f"{part}.c" for part in PARTS))]
COMPILERS = ("cc", "gcc", "clang", "tcc")
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-D_FILE_OFFSET_BITS=64")
"""The last one for 32-bit, where addresses in /proc/PID/mem exceed 31 bits."""


class Compiler(NamedTuple):
    """A C compiler that is not the one of this machine."""

    program: str
    machine: str
    """What it compiles for, as uname -m says it."""
    environment: Mapping[str, str]


class Unbuildable(Exception):
    """The executor cannot be built here; the text is one sentence."""


def cache_directories() -> Iterator[Path]:
    """Where things of this user may be kept, the best first.  They need not exist."""
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").exists():
        yield checkout / "build"
    yield user_cache()


def user_cache() -> Path:
    """The cache directory of this user, or a private one for a user without a home."""
    named = os.environ.get("XDG_CACHE_HOME")
    base = Path(named) if named else Path(os.path.expanduser("~")) / ".cache"
    if os.access(base, os.W_OK) or os.access(base.parent, os.W_OK):
        return base / "mapspec"
    return Path(tempfile.gettempdir()) / f"mapspec-{os.geteuid()}"


def private_directory(path: Path) -> bool:
    """Make `path`.  False if it cannot be, or if another user could put things into it."""
    try:
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
        status = path.stat()
    except OSError:
        return False
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022 and os.access(path, os.W_OK)


def executor(other: Compiler | None = None) -> Path:
    """The path of the compiled executor; compiles it if that has not been done.  Raises Unbuildable.

    `other`: it is for another machine.
    """
    source = b"".join(path.read_bytes() for path in SOURCES)
    machine = other.machine if other else os.uname().machine
    name = f"executor-{machine}-{hashlib.sha256(source + ' '.join(FLAGS).encode()).hexdigest()[:16]}"
    directories = list(cache_directories())
    for directory in directories:
        path = directory / name
        if os.access(path, os.X_OK) and path.stat().st_uid in (0, os.geteuid()):
            return path
    for directory in filter(private_directory, directories):
        _compile(directory / name, other)
        if os.access(directory / name, os.X_OK):  # it may be mounted noexec
            return directory / name
    raise Unbuildable("there is no directory from which a compiled executor could be run")


def _compile(target: Path, other: Compiler | None) -> None:
    """Compile the executor, static if the C library can be linked so."""
    compiler = other.program if other else next((c for c in COMPILERS if shutil.which(c)), None)
    environment = other.environment if other else None
    if compiler is None:
        raise Unbuildable(f"there is no C compiler here ({', '.join(COMPILERS)})")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="executor-") as scratch:
        built = Path(scratch) / "executor"
        errors = ""
        for link in (["-static"], []):
            units = [str(path) for path in SOURCES if path.suffix == ".c"]
            command = [compiler, *FLAGS, *link, "-o", str(built), *units]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            if done.returncode == 0:
                built.chmod(0o755)
                built.rename(target)  # whole or not at all, if two do it at once
                return
            errors = done.stderr
    raise Unbuildable(f"{compiler} does not compile the executor: {' '.join(errors.split())[:300]}")
