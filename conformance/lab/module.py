# SPDX-License-Identifier: MIT
"""Our kernel module, compiled for one kernel; again when its source has changed.

Where a kernel does not publish its types (own builds do not, they would take half as long again), those that the module
knows are taken from its debugging information: the executor finds fields of struct page with them.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from conformance.lab import places, tools
from conformance.lab.prepared import BUILD, CONFIG, Prepared
from conformance.lab.registry import Kernel
from conformance.lab.work import Failed, Work

SOURCE = Path(__file__).parent.parent / "implementations" / "linux" / "module"
NAME = "mapspec.ko"
WARNS = r"mapspec\.[ch]:\d+(:\d+)?: (warning|error)"
"""What a compiler says of our own files: what it says of the kernel's headers is for others."""
TYPES = "mapspec.btf"
"""Beside the module, for kernels that do not publish their own."""
OVERRIDES = (
    "CONFIG_DEBUG_INFO_BTF_MODULES=",  # needs the kernel's vmlinux
    "CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=",  # gcc 12 has no such option
    "W=1",
    "KBUILD_MODPOST_WARN=1",  # where there is no Module.symvers, loading tells what the kernel does not export
)


WITH_TYPES = "KCFLAGS=-g -fno-eliminate-unused-debug-types"


def build(kernel: Kernel, prepared: Prepared, work: Work) -> Path:
    """The compiled module.  Raises Unprepared, Failed, also when the compiler warns of something in it."""
    files = sorted(path for path in SOURCE.iterdir() if path.suffix in (".c", ".h") or path.name == "Kbuild")
    how = " ".join((*OVERRIDES, WITH_TYPES)).encode()
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files) + how).hexdigest()[:16]
    place = prepared.directory / "module" / digest
    with places.locked(prepared.directory):
        if not (place / NAME).exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            for path in files:
                shutil.copy(path, place)
            with work.step("compiling our module"):
                _compile(kernel, prepared.directory / BUILD, place, work)
    return place / NAME


def _compile(kernel: Kernel, build: Path, place: Path, work: Work) -> None:
    environment = tools.build_environment(work)
    published = "CONFIG_DEBUG_INFO_BTF=y\n" in (build.parent / CONFIG).read_text()
    make = ["make", "-C", str(build), f"M={place}", f"ARCH={kernel.architecture}"]
    how = [] if published else [WITH_TYPES]
    warnings = work.run(*make, *OVERRIDES, *how, "modules", environment=environment, keep=WARNS)
    if warnings:
        (place / NAME).unlink(missing_ok=True)
        raise Failed(f"the compiler warns of our module: {' | '.join(warnings)[:600]}")
    if not (place / NAME).exists():
        raise Failed(f"make did not leave {NAME} in {place}")
    if not published:
        work.run("pahole", f"--btf_encode_detached={place / TYPES}", place / NAME, environment=environment)
        work.run("strip", "--strip-debug", place / NAME)
