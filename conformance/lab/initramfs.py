# SPDX-License-Identifier: MIT
"""Writes an initramfs: a cpio archive, Documentation/driver-api/early-userspace/buffer-format.rst."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

DIRECTORY, REGULAR, CHARACTER = 0o040000, 0o100000, 0o020000
CONSOLE = (5, 1)
"""Major and minor number of /dev/console, which the kernel opens for the first process."""


class File(NamedTuple):
    """A file to be."""

    data: bytes
    executable: bool = False


def archive(files: Mapping[str, File], directories: tuple[str, ...] = ()) -> bytes:
    """The archive with these files and directories, by absolute path, and /dev/console."""
    parents = {str(p) for path in [*files, *directories, "/dev/console"] for p in PurePosixPath(path).parents}
    entries = [_entry(path, DIRECTORY | 0o755) for path in sorted({*parents, *directories} - {"/"})]
    entries.append(_entry("/dev/console", CHARACTER | 0o600, device=CONSOLE))
    for path, file in files.items():
        entries.append(_entry(path, REGULAR | (0o755 if file.executable else 0o644), file.data))
    entries.append(_entry("TRAILER!!!", 0))
    return b"".join(entries)


def _entry(path: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    """A header of 13 numbers of 8 hexadecimal digits, the name and the data, each padded to 4 bytes."""
    name = path.lstrip("/").encode() + b"\0"
    numbers = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + name
    return _padded(head) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
