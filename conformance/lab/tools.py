# SPDX-License-Identifier: MIT
"""Programs that the lab needs and this machine may lack: unpacked beside the kernels, never installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from conformance.implementations.linux.build import Compiler
from conformance.lab import places
from conformance.lab.apt import Apt, unpack
from conformance.lab.places import Unprepared
from conformance.lab.work import Work

EMULATOR = "qemu-system-x86_64"
EMULATOR_SUITES = {"bookworm": "bookworm-backports"}
"""Where a release of Debian has a better one than its own: that of bookworm crashes guests at random."""
BUILD_PACKAGES = ("flex", "bison", "bc", "libelf-dev", "libssl-dev", "pahole", "patch", "xz-utils", "perl", "cpio")
CROSS = {"i386": ("i686", ("gcc-i686-linux-gnu", "libc6-dev-i386-cross"))}
"""For programs of guests that cannot run, or should not run, those of this machine: uname -m there, and packages."""
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")


def prepare(name: str, packages: Sequence[str], suite: str, work: Work) -> Path:
    """A directory in which packages are unpacked, with what they need and this machine lacks."""
    root = places.lab() / "tools" / name
    if root.exists():
        return root
    release = codename()
    suites = [release, f"{release}-updates", f"{release}-security", *([suite] if suite else [])]
    apt = Apt(places.made(places.lab() / "apt" / f"tools-{name}"), suites, installed=True)
    with work.step(f"programs for it ({', '.join(packages)})"):
        apt.update(work)
        lacking = apt.lacking(packages, suite)
        part = places.removed(root.with_suffix(".part"))
        part.mkdir(parents=True)
        if lacking:
            downloads = places.lab() / "downloads"
            for package in apt.download(lacking, downloads, work):
                unpack(package, part, work)
                package.unlink()
        lead_out(part)
        part.rename(root)
    return root


def lead_out(root: Path) -> None:
    """Let links to libraries that are installed here, such as libelf.so, find them."""
    for link in root.rglob("*.so"):
        if link.is_symlink() and not link.exists():
            installed = Path("/") / link.parent.relative_to(root) / link.readlink()
            link.unlink()
            link.symlink_to(installed.resolve())


def codename() -> str:
    """The release of Debian that this machine runs.  Raises Unprepared."""
    if os.uname().machine != "x86_64":
        raise Unprepared("kernels are prepared on x86-64 machines only")
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        lines = []
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    if values.get("ID") != "debian" or "VERSION_CODENAME" not in values:
        raise Unprepared("kernels are prepared on Debian, or in a container of it; this is another system")
    return values["VERSION_CODENAME"].strip('"')


def environment(root: Path) -> dict[str, str]:
    """Environment variables with which programs, headers and libraries under `root` are found."""

    def first(name: str, *directories: str) -> str:
        before = os.environ.get(name)
        return ":".join([*(str(root / d) for d in directories), *([before] if before else [])])

    return {
        "PATH": first("PATH", "usr/bin", "usr/sbin"),
        "LD_LIBRARY_PATH": first("LD_LIBRARY_PATH", *LIBRARIES),
        "LIBRARY_PATH": first("LIBRARY_PATH", *LIBRARIES),
        "CPATH": first("CPATH", "usr/include", "usr/include/x86_64-linux-gnu"),
        "BISON_PKGDATADIR": str(root / "usr/share/bison"),
        "M4": shutil.which("m4") or str(root / "usr/bin/m4"),
    }


def prepare_compiler(architecture: str, work: Work) -> None:
    """The compiler for programs of guests of an architecture, where that of this machine does not do."""
    if architecture in CROSS:
        _, packages = CROSS[architecture]
        prepare(f"cross-{architecture}", packages, "", work)


def compiler(architecture: str) -> Compiler | None:
    """None: the one of this machine.  Raises Unprepared."""
    if architecture not in CROSS:
        return None
    machine, _ = CROSS[architecture]
    root = places.lab() / "tools" / f"cross-{architecture}"
    program = f"{machine}-linux-gnu-gcc"
    made = {**os.environ, **environment(root)}
    if found := shutil.which(program, path=made["PATH"]):
        return Compiler(found, machine, made)
    raise Unprepared(f"there is no {program}: mapspec kernels prepare")


def build_environment(work: Work) -> dict[str, str]:
    """The environment for compiling kernels.  Raises Unprepared."""
    for program, package in (("gcc", "gcc libc6-dev"), ("make", "make")):
        if not shutil.which(program):
            raise Unprepared(f"there is no {program} here: apt install {package}")
    root = prepare("build", BUILD_PACKAGES, "", work)
    made = {**os.environ, **environment(root), "LC_ALL": "C.UTF-8"}
    if not (root / "usr/share/bison").exists():
        del made["BISON_PKGDATADIR"]
    return made
