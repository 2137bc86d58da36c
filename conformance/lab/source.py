# SPDX-License-Identifier: MIT
"""Sources of kernels: for own builds, and to compile modules for kernels of Debian that come without headers."""

from __future__ import annotations

import shutil
from pathlib import Path

from conformance.lab import places, tools
from conformance.lab.apt import Apt, Package, unpack
from conformance.lab.places import Unprepared
from conformance.lab.prepared import BUILD, CONFIG
from conformance.lab.registry import Kernel
from conformance.lab.work import Work, output

SOURCE_PACKAGE = "linux"
"""As `source` in kernels.toml: the source package, else the binary package linux-source-X with a whole tree in it."""
NOT_FOR_MODULES = (
    *(f"{part}/*.[chS]" for part in ("arch/[!ux]*", "drivers", "fs", "net", "samples", "sound")),
    "arch/[!ux]*/boot/dts/*",
    "Documentation/*/*",
    "tools/perf/*",
    "tools/testing/*",
)
"""Most of a source.  All of Kconfig is needed."""


def apt(kernel: Kernel) -> Apt:
    """apt for the suites of a kernel, without lists so far."""
    directory = places.made(places.lab() / "apt" / "-".join(kernel.suites))
    return Apt(directory, kernel.suites, source=kernel.source == SOURCE_PACKAGE)


def package(kernel: Kernel, apt: Apt, version: str = "") -> Package:
    """Where the source is: `version` of the source package, or the newest linux-source-X."""
    return Package(SOURCE_PACKAGE, version) if kernel.source == SOURCE_PACKAGE else apt.newest(kernel.source)


def tree(package: Package, apt: Apt, work: Work, *, whole: bool) -> Path:
    """The unpacked source, or as much of it as modules need."""
    place = places.lab() / "sources" / f"{package.name}_{package.version}"
    if not whole and not place.exists():
        place = place.with_name(f"{place.name}-for-modules")
    if not place.exists():
        part = places.removed(place.with_name(f"{place.name}.part"))
        part.mkdir(parents=True)
        _unpack(package, apt, part, work, whole=whole)
        part.rename(place)
    return place


def _unpack(package: Package, apt: Apt, to: Path, work: Work, *, whole: bool) -> None:
    downloads = places.lab() / "downloads" / package.name
    if package.name == SOURCE_PACKAGE:  # as upstream has it
        archive = apt.original(package, downloads, work)
        top = f"linux-{package.version.partition('-')[0]}"
    else:  # with Debian's patches
        (deb,) = apt.download([package], downloads, work)
        unpack(deb, downloads, work)
        (archive,) = downloads.glob("usr/src/linux-source-*.tar.xz")
        top = package.name
    with work.step("unpacking it: 1.8 GB" if whole else "unpacking what modules need of it: 0.2 GB"):
        left_out = [] if whole else [f"--exclude={top}/{pattern}" for pattern in NOT_FOR_MODULES]
        work.run("tar", "-xf", archive, "--anchored", *left_out, "--strip-components=1", "-C", to)
    shutil.rmtree(downloads)


def prepare_modules(kernel: Kernel, apt: Apt, release: str, version: str, work: Work) -> None:
    """A build directory for modules of a kernel of Debian, with its own configuration."""
    environment = tools.build_environment(work)
    place = tree(package(kernel, apt, version), apt, work, whole=False)
    directory = places.kernel(kernel.name)
    build = places.removed(directory / BUILD)
    build.mkdir()
    shutil.copyfile(directory / CONFIG, build / ".config")
    number = output(["make", "-s", "-C", place, "kernelversion"]).strip()
    if not release.startswith(number):
        raise Unprepared(f"the source is of Linux {number}, the kernel is {release}")
    make = ["make", "-C", str(place), f"O={build}", "ARCH=x86_64", f"LOCALVERSION={release.removeprefix(number)}"]
    with work.step("compiling the tools of its source: about half a minute"):
        work.run(*make, "olddefconfig", environment=environment)
        work.run(*make, "-j2", "modules_prepare", environment=environment)
