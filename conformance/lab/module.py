# SPDX-License-Identifier: MIT
"""Our kernel module, compiled for one kernel; again when its source has changed."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from conformance.lab import tools
from conformance.lab.prepared import BUILD, Prepared
from conformance.lab.registry import Kernel
from conformance.lab.work import Work

SOURCE = Path(__file__).parent.parent / "implementations" / "linux" / "module"
NAME = "mapspec.ko"
OVERRIDES = (
    "CONFIG_DEBUG_INFO_BTF_MODULES=",  # needs the kernel's vmlinux
    "CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=",  # gcc 12 has no such option
    "KBUILD_MODPOST_WARN=1",  # where there is no Module.symvers, loading tells what the kernel does not export
)


def build(kernel: Kernel, prepared: Prepared, work: Work) -> Path:
    """The compiled module.  Raises Unprepared, Failed."""
    files = sorted(path for path in SOURCE.iterdir() if path.suffix in (".c", ".h") or path.name == "Kbuild")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    place = prepared.directory / "module" / digest
    if not (place / NAME).exists():
        part = place.with_name(f"{digest}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for path in files:
            shutil.copy(path, part)
        architecture = f"ARCH={kernel.architecture}"
        with work.step("compiling our module"):
            work.run(
                "make", "-C", prepared.directory / BUILD, f"M={part}", architecture, *OVERRIDES, "modules",
                environment=tools.build_environment(work),
            )  # fmt: skip
        shutil.rmtree(place, ignore_errors=True)
        part.rename(place)
    return place / NAME
