# SPDX-License-Identifier: MIT
"""`mapspec kernels boot`: a kernel of the lab with a C program of somebody's own as its first and only process.

Nothing of mapspec is in such a guest.  So whoever doubts a sentence writes twenty lines of C and sees for himself.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from conformance.lab import kvm, machine, places, prepared, tools
from conformance.lab.initramfs import File, archive
from conformance.lab.places import Unprepared
from conformance.lab.registry import Kernel

DIRECTORIES = ("/dev", "/proc", "/sys", "/tmp")
WORDS = ("panic=-1", "loglevel=5")


def boot(kernel: Kernel, program: Path, words: Sequence[str], memory: int) -> int:
    """Boot it, and show what it prints.  `memory` in MiB; `words` are for the kernel, and A=B for the program.

    Its exit code: 0 if it has switched itself off.  Raises Unprepared.
    """
    image = prepared.load(kernel.name).directory / prepared.IMAGE
    if not program.is_file():
        raise Unprepared(f"there is no file {program}")
    init = machine.compiled(program, tools.compiler(kernel.architecture))
    with tempfile.TemporaryDirectory(prefix="boot-", dir=places.made(places.lab())) as scratch:
        initramfs = Path(scratch) / "initramfs"
        initramfs.write_bytes(archive({"/init": File(init.read_bytes(), True)}, DIRECTORIES))
        command = _command(kernel, image, initramfs, [*WORDS, *words], memory, Path(scratch))
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode


def _command(
    kernel: Kernel, image: Path, initramfs: Path, words: Sequence[str], memory: int, scratch: Path
) -> list[str]:
    if kernel.architecture == "um":
        place = [
            f"mem={memory}M",
            f"initrd={initramfs}",
            f"uml_dir={scratch}/",
            "con0=null,fd:1",
            "con=null",
            "ssl=null",
        ]
        return [str(image), *place, *words]
    options = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    accel = kvm.tried()
    options += ["-accel", accel, "-cpu", machine.processor(kernel, accel), "-smp", str(kernel.processors)]
    options += ["-machine", "q35", "-m", str(memory), *_memory(memory, scratch)]
    options += ["-kernel", str(image), "-initrd", str(initramfs), "-append", " ".join(["console=ttyS0", *words])]
    return machine.emulator([*options, "-chardev", "stdio,id=out", "-serial", "chardev:out"])


def _memory(memory: int, scratch: Path) -> list[str]:
    """In a file where it is more than half of what this machine can spare: then it can be written to the disk."""
    if memory < _available() // 2:
        return []
    place = f"mem-path={scratch / 'memory'},share=on,discard-data=on"
    return ["-object", f"memory-backend-file,id=memory,size={memory}M,{place}", "-machine", "memory-backend=memory"]


def _available() -> int:
    """MiB."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) >> 10
