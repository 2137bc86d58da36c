# SPDX-License-Identifier: MIT
"""Debian packages, fetched with a state of our own: nothing is installed, and apt's own configuration is not touched.

Mirrors and proxies are those that this machine's apt uses.  apt checks Debian's signatures and all checksums.
"""

from __future__ import annotations

import fnmatch
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from conformance.lab.places import Unprepared
from conformance.lab.work import Failed, Work, output

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = "MAPSPEC_MIRROR"
"""The environment variable that names the main mirror, where apt's configuration does not."""
_SECURITY = re.compile(r"debian-security/?$|/security\.|-security/?$")


class Package(NamedTuple):
    """One version of a package."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}={self.version}"


class Mirrors(NamedTuple):
    """Where Debian's archive is: the main one, and the one for security updates, which may be unknown."""

    main: str
    security: str


def mirrors(targets: str) -> Mirrors:
    """From lines of a URI and a suite as this machine uses them.  Raises Unprepared."""
    main, security = os.environ.get(MIRROR, ""), ""
    for line in targets.splitlines():
        uri, _, suite = line.partition(" ")
        uri = uri.rstrip("/")
        if _SECURITY.search(uri) or suite.endswith("-security"):
            security = security or uri
        elif uri.endswith("/debian"):
            main = main or uri
    if not main:
        raise Unprepared(f"apt's configuration names no mirror of Debian; say which in {MIRROR}")
    return Mirrors(main, security)


def sources(suites: Iterable[str], where: Mirrors, *, source: bool = False) -> str:
    """A sources.list for the suites; `source`: source packages, too."""
    lines = []
    for suite in suites:
        uri = where.security if suite.endswith("-security") else where.main
        for kind in ("deb", "deb-src") if source else ("deb",):
            if uri:
                lines.append(f"{kind} [arch=amd64 signed-by={KEYRING}] {uri} {suite} main\n")
    return "".join(lines)


class Apt:
    """apt with lists of its own, for some suites.

    `installed`: it shall know what is installed here, so that it can tell what a package lacks.  Raises Unprepared
    where there is no apt, Failed where apt fails.
    """

    def __init__(self, directory: Path, suites: Sequence[str], *, installed: bool = False, source: bool = False):
        if not shutil.which("apt-get"):
            raise Unprepared("this needs apt-get: kernels are prepared on Debian, or in a container of it")
        if not Path(KEYRING).exists():
            raise Unprepared("Debian's keys are not here: apt install debian-archive-keyring")
        self._directory = directory
        for part in ("lists/partial", "cache/archives/partial"):
            (directory / part).mkdir(parents=True, exist_ok=True)
        status = directory / "status"
        status.write_bytes(Path("/var/lib/dpkg/status").read_bytes() if installed else b"")
        shown = ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI) $(RELEASE)"]
        (directory / "sources.list").write_text(sources(suites, mirrors(output(shown)), source=source))
        (directory / "apt.conf").write_text(_configuration(directory))
        self._environment = {**os.environ, "APT_CONFIG": str(directory / "apt.conf"), "LC_ALL": "C.UTF-8"}

    def update(self, work: Work) -> None:
        """Fetch the lists of packages."""
        work.run("apt-get", "-q", "update", "--error-on=any", environment=self._environment)

    def newest(self, pattern: str) -> Package:
        """The newest version of the newest package whose name matches.  Raises Unprepared."""
        names = fnmatch.filter(self._output("apt-cache", "pkgnames").split(), pattern)
        found = self._versions(names)
        if not found:
            raise Unprepared(f"Debian's mirror has no package {pattern}")
        return max(found, key=lambda package: _in_order(package.version))

    def _versions(self, names: list[str]) -> list[Package]:
        """All versions of packages.  A line of madison: name | version | where."""
        if not names:
            return []
        lines = (line.split("|") for line in self._output("apt-cache", "madison", *names).splitlines())
        return [Package(name.strip(), version.strip()) for name, version, where in lines if "Packages" in where]

    def size(self, packages: Sequence[Package]) -> int:
        """Bytes to download."""
        shown = self._output("apt-cache", "show", *map(str, packages))
        return sum(int(size) for size in re.findall(r"^Size: (\d+)$", shown, re.M))

    def download(self, packages: Sequence[Package], to: Path, work: Work) -> list[Path]:
        """The .deb files, which are in the directory `to`, in the same order."""
        to.mkdir(parents=True, exist_ok=True)
        said = f"downloading {', '.join(p.name for p in packages)}: {self.size(packages) / 1e6:.1f} MB"
        work.say(said + again(to, packages))
        work.run("apt-get", "-q", "download", *map(str, packages), cwd=to, environment=self._environment)
        return [_file(to, package) for package in packages]

    def original(self, package: Package, to: Path, work: Work) -> Path:
        """The original source of a source package, without Debian's patches, which old versions may have no more."""
        to.mkdir(parents=True, exist_ok=True)
        work.say(f"downloading the source of {package.name} {package.version}: 160 MB{again(to, [package])}")
        fetch = ["apt-get", "-q", "source", "--tar-only", "--only-source", str(package)]
        work.run(*fetch, cwd=to, environment=self._environment)
        return next(to.glob(f"{package.name}_*.orig.tar.xz"))

    def lacking(self, names: Sequence[str], suite: str = "") -> list[Package]:
        """What would have to be installed here so that the packages work.

        `suite` is where to prefer them from; then also what is here in an older version, but for the C library, which
        fits to its loader only.
        """
        prefer = ["-t", suite] if suite else []
        simulated = self._output("apt-get", "-s", "install", "--no-install-recommends", *prefer, *names)
        return wanted(simulated, upgrades=bool(suite))

    def _output(self, *argv: str) -> str:
        return output(argv, self._environment)


def wanted(simulated: str, *, upgrades: bool) -> list[Package]:
    """From what `apt-get -s install` says: lines such as `Inst NAME [INSTALLED] (NEW Debian:12/stable [amd64])`."""
    found = re.findall(r"^Inst (\S+) (\[\S+\] )?\((\S+) ", simulated, re.M)
    return [
        Package(name.partition(":")[0], new)
        for name, installed, new in found
        if not installed or (upgrades and not name.startswith("libc6"))
    ]


def again(directory: Path, packages: Sequence[Package]) -> str:
    """To be said where an interrupted download has left something: apt does not go on from it."""
    if any(path.is_file() for package in packages for path in directory.glob(f"{package.name}_*")):
        return ", from the start again: the last download was interrupted"
    return ""


def _configuration(directory: Path) -> str:
    """An apt.conf that moves everything that apt writes."""
    return (
        f'Dir::State "{directory}"; Dir::State::lists "lists"; Dir::State::status "{directory}/status";\n'
        f'Dir::Cache "{directory}/cache"; Dir::Log "{directory}";\n'
        f'Dir::Etc::SourceList "{directory}/sources.list"; Dir::Etc::SourceParts "/dev/null";\n'
        'Dir::Etc::Preferences "/dev/null"; Dir::Etc::PreferencesParts "/dev/null";\n'
        'Acquire::Languages "none"; APT::Sandbox::User ""; APT::Architectures "amd64";\n'
    )


def _file(directory: Path, package: Package) -> Path:
    version = package.version.replace(":", "%3a")
    try:
        return next(directory.glob(f"{package.name}_{version}_*.deb"))
    except StopIteration:
        raise Failed(f"apt-get did not leave {package.name} {package.version} in {directory}") from None


@functools.cmp_to_key
def _in_order(a: str, b: str) -> int:
    return compare(a, b)


def compare(a: str, b: str) -> int:
    """The order of two versions, as dpkg sees it."""
    if a == b:
        return 0
    return -1 if subprocess.run(["dpkg", "--compare-versions", a, "lt", b], check=False).returncode == 0 else 1


def unpack(package: Path, to: Path, work: Work) -> None:
    """What is in a .deb, under a directory."""
    to.mkdir(parents=True, exist_ok=True)
    work.run("dpkg-deb", "-x", package, to)
