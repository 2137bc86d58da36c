# SPDX-License-Identifier: MIT
"""A kernel of Debian: taken from its packages, with what is needed to compile modules for it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from conformance.lab import kmod, places, source
from conformance.lab.apt import Apt, Package, unpack
from conformance.lab.places import Unprepared
from conformance.lab.prepared import BUILD, CONFIG, IMAGE, MODULES, Prepared
from conformance.lab.registry import Kernel
from conformance.lab.work import Work

IMAGES = ("boot/vmlinuz-{}", "usr/lib/modules/{}/vmlinuz", "lib/modules/{}/vmlinuz")
CONFIGS = ("boot/config-{}", "usr/lib/modules/{}/config", "lib/modules/{}/config")
TREES = ("lib/modules/{}", "usr/lib/modules/{}")


def prepare(kernel: Kernel, work: Work) -> Prepared:
    """Everything but what `prepared.save` does.  Raises Unprepared, Failed."""
    apt = source.apt(kernel)
    with work.step(f"lists of packages of {', '.join(kernel.suites)}"):
        apt.update(work)
    image = apt.newest(kernel.image)
    release = re.sub(r"^linux-(image|binary)-|-unsigned$", "", image.name)
    base = release.removesuffix("-cloud-amd64")
    named = {"release": release, "base": base}
    with work.step(f"Linux {release}, package version {image.version}"):
        packages = [image, *(apt.newest(pattern.format_map(named)) for pattern in kernel.packages)]
        root = _unpacked(apt, packages, places.kernel(kernel.name) / "root.part", work)
        modules = _take(kernel, root, release)
        shutil.rmtree(root)
    with work.step("what is needed to compile modules for it"):
        if kernel.headers:
            headers = [apt.newest(pattern.format_map(named)) for pattern in kernel.headers]
            _headers(kernel, apt, headers, release, work)
        else:
            source.prepare_modules(kernel, apt, release, image.version, work)
    return Prepared(kernel.name, release, image.version, modules, kernel.recipe)


def _unpacked(apt: Apt, packages: list[Package], to: Path, work: Work) -> Path:
    places.removed(to)
    for file in apt.download(packages, places.lab() / "downloads", work):
        unpack(file, to, work)
        file.unlink()
    return to


def _take(kernel: Kernel, root: Path, release: str) -> list[str]:
    """Image, configuration and the modules that guests load; the names of these."""
    directory = places.kernel(kernel.name)
    shutil.copyfile(_one(root, IMAGES, release), directory / IMAGE)
    shutil.copyfile(_one(root, CONFIGS, release), directory / CONFIG)
    tree = kmod.Tree(_one(root, TREES, release))
    tree.check(kernel.modules)
    (directory / MODULES).mkdir(exist_ok=True)
    ordered = kmod.order(kernel.modules, tree.find)
    for name, data in ordered.items():
        (directory / MODULES / f"{name}.ko").write_bytes(data)
    return [f"{name}.ko" for name in ordered]


def _one(root: Path, patterns: tuple[str, ...], release: str) -> Path:
    for pattern in patterns:
        if (path := root / pattern.format(release)).exists():
            return path
    raise Unprepared(f"the packages of {release} do not have {patterns[0].format(release)}")


def _headers(kernel: Kernel, apt: Apt, packages: list[Package], release: str, work: Work) -> None:
    """Unpack header packages where they are, and let them find each other there."""
    directory = places.kernel(kernel.name)
    root = _unpacked(apt, packages, directory / "headers.part", work)
    place = root.rename(places.removed(directory / "headers")) / "usr/src"
    build = place / f"linux-headers-{release}"
    for name in ("Makefile", ".kernelvariables"):
        file = build / name
        if file.exists():
            file.write_text(relocated(file.read_text(), f"{place}/"))
    places.removed(directory / BUILD).symlink_to(build)


def relocated(text: str, place: str) -> str:
    """A Makefile of a headers package for another place than /usr/src/, and for the compiler that is here."""
    text = re.sub(r"^override (CC|HOSTCC) *=.*\n", "", text, flags=re.M)
    return text.replace("/usr/src/", place)
