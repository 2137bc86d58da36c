# SPDX-License-Identifier: MIT
"""Makes a kernel ready: everything that takes long, once."""

from __future__ import annotations

from conformance.lab import disks, module, own, packaged, places, prepared, tools
from conformance.lab.places import Unprepared
from conformance.lab.prepared import Prepared
from conformance.lab.registry import Kernel
from conformance.lab.work import Work


def prepare(kernel: Kernel) -> Prepared:
    """The kernel, ready to boot.  What is there already is left as it is.  Raises Unprepared, Failed."""
    work = Work(kernel.name, places.made(places.kernel(kernel.name)) / "prepare.log")
    with places.locked(places.lab()):
        return _prepare(kernel, work)


def _prepare(kernel: Kernel, work: Work) -> Prepared:
    if kernel.architecture != "um":
        emulator(work)
    tools.prepare_compiler(kernel.architecture, work)
    disks.prepare(work)
    found = _there(kernel, work)
    if found is None:
        found = own.prepare(kernel, work) if kernel.built else packaged.prepare(kernel, work)
        prepared.save(found)
    module.build(kernel, found, work)
    return found


def _there(kernel: Kernel, work: Work) -> Prepared | None:
    """What was prepared before, if it would be the same today but for its version."""
    try:
        found = prepared.load(kernel.name)
    except Unprepared:
        return None
    if found.recipe != kernel.recipe:
        work.say(f"Linux {found.release} is there, but more or other things are wanted of it now")
        return None
    work.say(f"Linux {found.release} is there")
    return found


def emulator(work: Work) -> None:
    """The emulator that `machine` uses."""
    suite = tools.EMULATOR_SUITES.get(tools.codename(), "")
    tools.prepare("emulator", ["qemu-system-x86", "seabios"], suite, work)
