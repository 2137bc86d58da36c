# SPDX-License-Identifier: MIT
"""Compile the example handlers of the driver guide as kernel modules.

`python -m tests.handlers` compiles docs/drivers/handlers/*.c against every build directory that it finds and says what
came of it; with --record it also writes compiled.toml beside them, which the pages show.

Build directories are /lib/modules/*/build, or those that the environment variable MAPSPEC_KERNELS lists, separated
by colons.  MAPSPEC_MAKEFLAGS has arguments of make for a version: `7.3:CC=gcc-12 NAME=;6.12:NAME=`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HANDLERS = ROOT / "docs" / "drivers" / "handlers"
RECORD = HANDLERS / "compiled.toml"
HEADER = """\
# SPDX-License-Identifier: MIT
# Which kernels each handler was compiled against, without a warning.  Written by `make handlers`.
# A file whose digest differs has changed since; the pages then say "not compiled".
"""


@dataclass(frozen=True)
class Kernel:
    """A directory in which modules can be built."""

    build: Path
    version: str
    """6.1.192"""


def sources() -> list[Path]:
    """The handlers."""
    return sorted(HANDLERS.glob("*.c"))


def digest(path: Path) -> str:
    """Changes when the file changes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def kernels() -> tuple[list[Kernel], str]:
    """What can be built against; if there is nothing: why."""
    listed = os.environ.get("MAPSPEC_KERNELS", "")
    paths = [Path(p) for p in listed.split(":") if p] or sorted(Path("/lib/modules").glob("*/build"))
    found = [Kernel(p.resolve(), v) for p in paths if (v := _version(p))]
    if listed and len(found) < len(paths):
        return [], f"MAPSPEC_KERNELS names a directory without prepared kernel headers: {listed}"
    if not found:
        return [], "no kernel headers: neither /lib/modules/*/build nor MAPSPEC_KERNELS"
    for tool in ("make", "gcc"):
        if shutil.which(tool) is None:
            return [], f"{tool} is not installed"
    return sorted(found, key=lambda k: [int(n) for n in k.version.split(".")]), ""


def _version(build: Path) -> str:
    """The version of prepared headers, or nothing."""
    try:
        text = (build / "include" / "generated" / "uapi" / "linux" / "version.h").read_text(encoding="utf-8")
    except OSError:
        return ""
    parts = [re.search(rf"LINUX_VERSION_{name} (\d+)", text) for name in ("MAJOR", "PATCHLEVEL", "SUBLEVEL")]
    return ".".join(p[1] for p in parts if p) if all(parts) else ""


def build(kernel: Kernel) -> dict[str, str]:
    """Compile all handlers: by name of the file, what the compiler said, or nothing if it is content."""
    with tempfile.TemporaryDirectory(prefix="mapspec-handlers-") as name:
        place = Path(name)
        for path in sources():
            shutil.copy(path, place)
        (place / "Makefile").write_text("".join(f"obj-m += {p.stem}.o\n" for p in sources()), encoding="utf-8")
        flags = ["KCFLAGS=-Wall -Werror", "W=1", *_arguments(kernel)]
        command = ["make", "-k", "-C", str(kernel.build), f"M={place}", *flags, "modules"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        made = {p.stem for p in place.glob("*.ko")}
        return {p.name: "" if p.stem in made else _complaint(done.stderr, p) for p in sources()}


def _complaint(stderr: str, path: Path) -> str:
    """The lines about one file; if there are none, the last ones."""
    lines = stderr.splitlines()
    return "\n".join([line for line in lines if f"{path.stem}." in line][:8] or lines[-8:])


def _arguments(kernel: Kernel) -> list[str]:
    """What make is told beside: from MAPSPEC_MAKEFLAGS, one entry per kernel version, such as `7.3:CC=gcc-12 X=`."""
    for entry in os.environ.get("MAPSPEC_MAKEFLAGS", "").split(";"):
        version, _, flags = entry.partition(":")
        if version and (kernel.version + ".").startswith(version + "."):
            return shlex.split(flags)
    return []


def record(results: dict[Kernel, dict[str, str]]) -> str:
    """The text of compiled.toml.  Kernels that were not built now are kept for files that have not changed."""
    old = tomllib.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    parts = [HEADER]
    for path in sources():
        before = old.get(path.stem, {})
        names = set(before.get("kernels", [])) if before.get("digest") == digest(path) else set()
        for kernel, said in results.items():
            names.discard(kernel.version)
            if not said[path.name]:
                names.add(kernel.version)
        ordered = sorted(names, key=lambda v: [int(n) for n in v.split(".")])
        listed = ", ".join(f'"{n}"' for n in ordered)
        parts.append(f'\n[{path.stem}]\ndigest = "{digest(path)}"\nkernels = [{listed}]\n')
    return "".join(parts)


def main(arguments: list[str]) -> int:
    found, why = kernels()
    if why:
        print(f"mapspec: {why}", file=sys.stderr)
        return 2
    results = {}
    for kernel in found:
        results[kernel] = said = build(kernel)
        bad = {name: text for name, text in said.items() if text}
        print(f"{kernel.version}: {len(said) - len(bad)} of {len(said)} compile")
        for name, text in bad.items():
            print(f"  {name}\n    " + text.replace("\n", "\n    "))
    if "--record" in arguments:
        RECORD.write_text(record(results), encoding="utf-8")
        print(f"written: {RECORD.relative_to(ROOT)}")
    return 1 if any(text for said in results.values() for text in said.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
