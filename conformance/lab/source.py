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


def apt(kernel: Kernel) -> Apt:
    """apt for the suites of a kernel, without lists so far."""
    directory = places.made(places.lab() / "apt" / "-".join(kernel.suites))
    return Apt(directory, kernel.suites, source=kernel.source == SOURCE_PACKAGE)


def tree(kernel: Kernel, apt: Apt, version: str, work: Work) -> Path:
    """The unpacked source.  `version` of the source package; the newest of linux-source-X."""
    if kernel.source == SOURCE_PACKAGE:
        package = Package(SOURCE_PACKAGE, version)
        take = _from_source_package
    else:
        package = apt.newest(kernel.source)
        take = _from_binary_package
    place = places.lab() / "sources" / f"{package.name}_{package.version}"
    if not place.exists():
        part = place.with_name(place.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        take(apt, package, part, work)
        part.rename(place)
    return place


def _from_binary_package(apt: Apt, package: Package, to: Path, work: Work) -> None:
    """The package has one archive in /usr/src, with Debian's patches applied."""
    (file,) = apt.download([package], places.lab() / "downloads", work)
    scratch = to.with_name(to.name + ".deb")
    unpack(file, scratch, work)
    file.unlink()
    (archive,) = scratch.glob("usr/src/linux-source-*.tar.xz")
    work.say("unpacking it: 1.7 GB")
    work.run("tar", "-xf", archive, "--strip-components=1", "-C", to)
    shutil.rmtree(scratch)


def _from_source_package(apt: Apt, package: Package, to: Path, work: Work) -> None:
    """The source as upstream has it: enough to compile modules."""
    downloads = places.lab() / "downloads" / package.name
    shutil.rmtree(downloads, ignore_errors=True)
    archive = apt.original(package, downloads, work)
    work.say("unpacking it: 1.7 GB")
    work.run("tar", "-xf", archive, "--strip-components=1", "-C", to)
    shutil.rmtree(downloads)


def prepare_modules(kernel: Kernel, apt: Apt, release: str, version: str, work: Work) -> None:
    """A build directory for modules of a kernel of Debian, with its own configuration."""
    environment = tools.build_environment(work)
    place = tree(kernel, apt, version, work)
    directory = places.kernel(kernel.name)
    build = directory / BUILD
    shutil.rmtree(build, ignore_errors=True)
    build.mkdir()
    shutil.copyfile(directory / CONFIG, build / ".config")
    number = output(["make", "-s", "-C", place, "kernelversion"]).strip()
    if not release.startswith(number):
        raise Unprepared(f"the source is of Linux {number}, the kernel is {release}")
    make = [
        "make",
        "-C",
        str(place),
        f"O={build}",
        "ARCH=x86_64",
        f"LOCALVERSION={release.removeprefix(number)}",
        "-j2",
    ]
    work.say("compiling the tools of its source, about half a minute")
    work.run(*make, "olddefconfig", environment=environment)
    work.run(*make, "modules_prepare", environment=environment)
