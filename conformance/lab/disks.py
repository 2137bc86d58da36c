# SPDX-License-Identifier: MIT
"""The disks of guests: one with ext4, one to swap to.  Guests never write to these files, only to copies."""

from __future__ import annotations

import shutil
from pathlib import Path

from conformance.lab import places
from conformance.lab.places import Unprepared
from conformance.lab.work import Work

DISK_MIB, SWAP_MIB = 256, 256
PAGE = 4096
"""Bytes of a page of the guests."""


def prepare(work: Work) -> None:
    """Make what is not there.  Raises Unprepared, Failed."""
    directory = places.made(places.lab() / "disks")
    if not disk().exists():
        program = shutil.which("mke2fs") or shutil.which("mke2fs", path="/usr/sbin:/sbin")
        if program is None:
            raise Unprepared("there is no mke2fs here: apt install e2fsprogs")
        part = directory / "disk.part"
        _sparse(part, DISK_MIB)
        work.run(program, "-q", "-F", "-t", "ext4", "-b", str(PAGE), part)
        part.rename(disk())
    if not swap().exists():
        part = directory / "swap.part"
        _sparse(part, SWAP_MIB)
        with open(part, "r+b") as f:
            f.write(swap_header(SWAP_MIB << 20))
        part.rename(swap())


def disk() -> Path:
    return places.lab() / "disks" / "disk.img"


def swap() -> Path:
    return places.lab() / "disks" / "swap.img"


def swap_header(size: int) -> bytes:
    """The first page of an area to swap to, of `size` bytes.  include/linux/swap.h: union swap_header."""
    head = bytearray(PAGE)
    head[1024:1036] = b"".join(
        n.to_bytes(4, "little") for n in (1, size // PAGE - 1, 0)
    )  # version, last page, bad ones
    head[-10:] = b"SWAPSPACE2"
    return bytes(head)


def _sparse(path: Path, mib: int) -> None:
    with open(path, "wb") as f:
        f.truncate(mib << 20)
