# SPDX-License-Identifier: MIT
"""What is booted: the initramfs of a kernel, and the command that starts a guest with it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from conformance.implementations.linux import build
from conformance.lab import disks, kvm, places, tools
from conformance.lab.initramfs import File, archive
from conformance.lab.module import TYPES
from conformance.lab.places import Unprepared
from conformance.lab.prepared import CONFIG, IMAGE, MODULES, Prepared
from conformance.lab.registry import Kernel

INIT = Path(__file__).with_name("init.c")
NO_K7 = "max,family=23,model=1"
"""What the emulator takes for its processor by default is one that 32-bit kernels warn of: an Athlon of the year 2000,
which was not made for two in a machine (arch/x86/kernel/cpu/amd.c: init_amd_k7).  This is a Zen."""
BAR_MIB = 4
"""The memory of the PCI device without driver."""
FAR_MIB, MOVABLE_MIB = 128, 128
"""The memory of a second NUMA node, which has no processor: that it has from the start, and a DIMM, which the kernel
takes as hotplugged.  So nothing is allocated there unless it is asked for, and no other scenario is disturbed."""
KERNEL_WORDS = ("panic=-1", "oops=panic", "loglevel=5")
"""After an Oops nothing is certain any more: end, and be started again.  Warnings are shown."""
DIRECTORIES = ("/boot", "/dev", "/proc", "/sys", "/tmp", "/var/tmp")


def initramfs(kernel: Kernel, prepared: Prepared, module: Path) -> Path:
    """The file with everything that the guest has, made if it is not there.  Raises Unprepared."""
    compiler = tools.compiler(kernel.architecture)
    files = {
        "/init": File(compiled(INIT, compiler).read_bytes(), True),
        "/executor": File(_static(build.executor(compiler)).read_bytes(), True),
        f"/boot/config-{prepared.release}": File((prepared.directory / CONFIG).read_bytes()),
    }
    if (types := module.with_name(TYPES)).exists():
        files[f"/boot/btf-{prepared.release}"] = File(types.read_bytes())
    modules = [prepared.directory / MODULES / name for name in prepared.modules]
    for path in (*modules, module):
        files[f"/lib/{path.name}"] = File(path.read_bytes())
    files["/modules"] = File("".join(f"/lib/{path.name}\n" for path in (*modules, module)).encode())
    data = archive(files, DIRECTORIES)
    place = prepared.directory / f"initramfs-{hashlib.sha256(data).hexdigest()[:16]}.cpio"
    if not place.exists():
        part = place.with_suffix(f".{os.getpid()}")
        part.write_bytes(data)
        part.replace(place)
    return place


def compiled(source: Path, compiler: build.Compiler | None) -> Path:
    """The first program of a guest, compiled.  Raises Unprepared."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    place = places.made(places.lab()) / "-".join([source.stem, *([compiler.machine] if compiler else []), digest])
    if not place.exists():
        part = place.with_suffix(f".{os.getpid()}")
        program, environment = (compiler.program, compiler.environment) if compiler else ("cc", None)
        command = [program, *build.FLAGS, "-static", "-o", str(part), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise Unprepared(f"{source.name} cannot be compiled: {' '.join(done.stderr.split())[-300:]}")
        part.replace(place)
    return place


def _static(executor: Path) -> Path:
    """Raises Unprepared if the executor needs libraries, which a guest does not have."""
    if b"/ld-linux" in executor.read_bytes()[:4096]:
        raise Unprepared(
            "the executor could not be linked statically: apt install libc6-dev, and remove build/executor-*"
        )
    return executor


def command(kernel: Kernel, prepared: Prepared, initramfs: Path) -> list[str]:
    """The arguments of `guest` after LOG.  Raises Unprepared."""
    image = prepared.directory / IMAGE
    if kernel.architecture == "um":
        return ["relayed", *_user_mode(kernel, image, initramfs)]
    accel = kvm.accelerator(lambda accel: _emulated(kernel, image, initramfs, accel))
    return ["direct", *_emulated(kernel, image, initramfs, accel)]


def _user_mode(kernel: Kernel, image: Path, initramfs: Path) -> list[str]:
    """Its second console is the port; the kernel log goes to stderr.  What is written to disks is kept apart."""
    disk, swap = f"{{scratch}}/disk,{disks.disk()}", f"{{scratch}}/swap,{disks.swap()}"
    words = [str(image), f"mem={kernel.memory}M", f"initrd={initramfs}", f"ubd0={disk}", f"ubd1={swap}"]
    words += ["uml_dir={scratch}/", "con0=null,fd:2", "con1=fd:0,fd:1", "con=null", "ssl=null", *KERNEL_WORDS]
    words += ["MAPSPEC_PORT=/dev/tty1", "MAPSPEC_DISK=/dev/ubda", "MAPSPEC_SWAP=/dev/ubdb"]
    return [*words, *kernel.command_line.split()]


def _emulated(kernel: Kernel, image: Path, initramfs: Path, accel: str) -> list[str]:
    """A q35 of QEMU."""
    words = ["console=ttyS0", *KERNEL_WORDS]
    words += ["MAPSPEC_PORT=/dev/vport0p1", "MAPSPEC_DISK=/dev/vda", "MAPSPEC_SWAP=/dev/vdb"]
    words += ["numa_balancing=disable", "memhp_default_state=online_movable"]
    words += kernel.command_line.split()
    options = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "q35"]
    options += ["-accel", accel, "-cpu", processor(kernel, accel), "-smp", str(kernel.processors), *_nodes(kernel)]
    options += ["-kernel", str(image), "-initrd", str(initramfs), "-append", " ".join(words)]
    options += ["-chardev", "file,id=log,path={log},append=on", "-serial", "chardev:log"]
    options += ["-chardev", "stdio,id=port,signal=off"]
    options += ["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=port,nr=1"]
    for path in (disks.disk(), disks.swap()):
        # nobody writes to it; and a User-mode Linux that has it open would be taken for somebody who does
        options += ["-drive", f"file={path},file.locking=off,format=raw,if=virtio,snapshot=on"]
    options += ["-object", f"memory-backend-ram,id=bar,size={BAR_MIB}M,share=on", "-device", "ivshmem-plain,memdev=bar"]
    return emulator(options)


def processor(kernel: Kernel, accel: str) -> str:
    """What -cpu says."""
    return NO_K7 if kernel.architecture == "i386" and accel.startswith("tcg") else "max"


def emulator(options: list[str]) -> list[str]:
    """The command that runs QEMU, unpacked or installed, with options.  Raises Unprepared."""
    program, root = _emulator()
    if root is None:
        return [program, *options]
    for directory in ("usr/share/qemu", "usr/share/seabios"):
        options += ["-L", str(root / directory)]
    return ["env", f"LD_LIBRARY_PATH={tools.environment(root)['LD_LIBRARY_PATH']}", program, *options]


def _nodes(kernel: Kernel) -> list[str]:
    """Its memory, in two NUMA nodes: all that there is to run with in the first, ZONE_MOVABLE in the second."""
    most = kernel.memory + FAR_MIB + MOVABLE_MIB
    options = ["-m", f"{kernel.memory + FAR_MIB},slots=1,maxmem={most}M"]
    for name, size in (("near", kernel.memory), ("far", FAR_MIB), ("movable", MOVABLE_MIB)):
        options += ["-object", f"memory-backend-ram,id={name},size={size}M"]
    options += ["-numa", f"node,nodeid=0,cpus=0-{kernel.processors - 1},memdev=near"]
    options += ["-numa", "node,nodeid=1,memdev=far"]
    return [*options, "-device", "pc-dimm,memdev=movable,node=1"]


def _emulator() -> tuple[str, Path | None]:
    """The program, and where it is unpacked; None: it is installed."""
    root = places.lab() / "tools" / "emulator"
    if (program := root / "usr/bin" / tools.EMULATOR).exists():
        return str(program), root
    if installed := shutil.which(tools.EMULATOR):
        return installed, None
    raise Unprepared("there is no emulator: mapspec kernels prepare")
