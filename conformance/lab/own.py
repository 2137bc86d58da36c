# SPDX-License-Identifier: MIT
"""A kernel of our own: compiled from Debian's source of it, with a configuration that Debian does not ship."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from conformance.lab import places, source, tools
from conformance.lab.prepared import BUILD, CONFIG, IMAGE, Prepared
from conformance.lab.registry import Kernel
from conformance.lab.work import Work, output

CONFIGS = Path(__file__).with_name("configs")
PATCHES = Path(__file__).with_name("patches")
BOOTED_BY_PC = ("bzImage", "arch/x86/boot/bzImage")
TARGETS = {"x86_64": BOOTED_BY_PC, "i386": BOOTED_BY_PC, "um": ("linux", "linux")}
"""What make is asked for, and where it is then."""
LINES = {"x86_64": 2200, "i386": 2000, "um": 1600}
"""Of the output of make, about, for the progress."""
MINUTES = {"x86_64": 11, "i386": 8, "um": 6}
"""On two idle processors, about."""
NICE = 10
KEPT = ("scripts", "tools")
"""Directories of a build whose objects modules need."""


def prepare(kernel: Kernel, work: Work) -> Prepared:
    """Everything but what `prepared.save` does.  Raises Unprepared, Failed."""
    apt = source.apt(kernel)
    with work.step(f"lists of packages of {', '.join(kernel.suites)}"):
        apt.update(work)
    package = source.package(kernel, apt)
    with work.step(f"the source, {package.name} {package.version}"):
        tree = _patched(kernel, source.tree(package, apt, work, whole=True), work)
    with work.step(f"compiling it: about {MINUTES[kernel.architecture]} minutes on two idle processors"):
        release = _compile(kernel, tree, work)
    return Prepared(kernel.name, release, package.version, [], kernel.recipe)


def _compile(kernel: Kernel, tree: Path, work: Work) -> str:
    """Image, configuration and a build directory for modules; the release.

    The build directory has its own path inside, so it is where it stays.  What was compiled before is not again.
    """
    environment = tools.build_environment(work)
    directory = places.kernel(kernel.name)
    build = directory / BUILD
    build.mkdir(exist_ok=True)
    make = ["make", "-C", str(tree), f"O={build}", f"ARCH={kernel.architecture}"]
    work.run(*make, "tinyconfig", environment=environment)
    fragments = [CONFIGS / name for name in kernel.fragments]
    merge = tree / "scripts/kconfig/merge_config.sh"
    work.run(merge, "-m", "-O", build, build / ".config", *fragments, cwd=tree, environment=environment)
    work.run(*make, "olddefconfig", environment=environment)
    target, image = TARGETS[kernel.architecture]
    jobs, lines = f"-j{os.cpu_count() or 1}", LINES[kernel.architecture]
    work.run("nice", "-n", str(NICE), *make, jobs, target, "modules_prepare", environment=environment, of=lines)
    release = output([*make, "-s", "kernelrelease"], environment).strip()
    shutil.copy(build / image, directory / IMAGE)
    shutil.copyfile(build / ".config", directory / CONFIG)
    if (build / "vmlinux.symvers").exists():  # modules_prepare does not make the other one
        shutil.copyfile(build / "vmlinux.symvers", build / "Module.symvers")
    _thin_out(build)
    return release


def _patched(kernel: Kernel, tree: Path, work: Work) -> Path:
    """The source with the kernel's patches: a tree of its own that shares all other files."""
    if not kernel.patches:
        return tree
    patches = [PATCHES / name for name in kernel.patches]
    digest = hashlib.sha256(b"".join(patch.read_bytes() for patch in patches)).hexdigest()[:8]
    place = tree.with_name(f"{tree.name}-{digest}")
    if not place.exists():
        part = places.removed(place.with_name(f"{place.name}.part"))
        work.run("cp", "-al", tree, part)
        for patch in patches:  # it writes a new file and renames it: that of the other tree stays as it is
            work.run("patch", "-p1", "-s", "-i", patch, cwd=part, environment=tools.build_environment(work))
        part.rename(place)
    return place


def _thin_out(build: Path) -> None:
    """Remove what modules do not need: most of it."""
    for path in build.rglob("*"):
        if path.relative_to(build).parts[0] in KEPT or path.name == "vmlinux.symvers" or not path.is_file():
            continue
        if path.suffix in (".o", ".a", ".cmd", ".bin") or path.name.startswith(("vmlinux", ".tmp_vmlinux")):
            path.unlink()
