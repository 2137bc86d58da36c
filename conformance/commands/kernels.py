# SPDX-License-Identifier: MIT
"""`mapspec kernels`: real kernels in virtual machines, prepared once, then run like any other implementation."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from conformance.commands import FAILED, NO_START, OK, make_parser, say
from conformance.lab import places, prepared, registry
from conformance.lab.places import Unprepared
from conformance.lab.registry import Kernel, RegistryError
from conformance.suite import Problem, SuiteError

ACTIONS = ("list", "prepare", "run", "boot", "clean")
MEMORY = 1024
"""MiB."""
BOOT = "mapspec kernels boot 7.3 conformance/lab/programs/overflow.c VMAS=1000 PROCESSES=1 EACH=500 nokaslr no5lvl"


def parser() -> argparse.ArgumentParser:
    made = make_parser(
        "kernels",
        "list|prepare|run|boot|clean [NAME…] [OPTION…]",
        "Real kernels in virtual machines. list shows them; prepare fetches and builds\n"
        "what they need, from Debian's packages, into your cache directory; run runs the\n"
        "suite on each; clean removes what was prepared. `mapspec run` takes them as\n"
        "--implementation kernel:NAME. Without NAME: all kernels, run: those prepared.\n"
        "boot NAME PROGRAM.c [WORD…] boots one with a C program of your own as the only\n"
        "process, and shows what it prints; WORDs are for the kernel's command line.",
        "mapspec kernels prepare 6.12 7.3",
    )
    add = made.add_argument
    add("words", nargs="+", metavar="ACTION NAME", help="an action, and names as `list` shows them")
    add("--only", action="append", default=[], metavar="NAME", help="the same as NAME")
    add("--record", action="store_true", help="run: write the records in conformance/results; with --bugs")
    add("--bugs", action="store_true", help="run: let a kernel die of each BUG that a scenario tells of")
    add("--at-once", type=int, default=1, metavar="N", help="run: so many virtual machines at a time (1)")
    add("--memory", type=int, default=MEMORY, metavar="MIB", help=f"boot: the memory of the machine ({MEMORY})")
    add("--split", type=int, default=1, metavar="N", help="run: share the scenarios of a kernel among N machines (1)")
    return made


def main(args: argparse.Namespace, root: Path) -> int:
    action, names = args.words[0], [*args.words[1:], *args.only]
    if action not in ACTIONS:
        raise SuiteError([Problem("kernels", 0, f"there is no action {action!r}", f"There is {', '.join(ACTIONS)}.")])
    words: list[str] = []
    if action == "boot":
        names, words = names[:1], names[1:]
        if not words:
            raise SuiteError([Problem("kernels", 0, "boot needs the name of a kernel and a program", BOOT)])
    try:
        kernels = [registry.find(name) for name in names] if names else list(registry.load().values())
    except RegistryError as e:
        raise SuiteError([Problem("kernels", 0, str(e), "`mapspec kernels list` shows them.")]) from None
    if action == "list":
        return _list(kernels)
    if action == "prepare":
        return _prepare(kernels)
    if action == "boot":
        return _boot(kernels[0], words[0], words[1:], args.memory)
    if action == "clean":
        return _clean(kernels, everything=not names)
    from conformance.lab import matrix

    ready = kernels if names else [kernel for kernel in kernels if _version(kernel)]
    if not ready:
        say("No kernel is prepared: mapspec kernels prepare")
        return NO_START
    results, bugs, parts = root / "conformance" / "results", args.bugs or args.record, max(args.split, 1)
    return matrix.run(ready, results, record=args.record, bugs=bugs, at_once=args.at_once, parts=parts)


def _boot(kernel: Kernel, program: str, words: list[str], memory: int) -> int:
    from conformance.lab.boot import boot

    try:
        return OK if boot(kernel, Path(program), words, memory) == 0 else FAILED
    except Unprepared as e:
        say(f"{kernel.name}: {e}")
        return NO_START


def _version(kernel: Kernel) -> str:
    """Of a kernel that is prepared, else ""."""
    try:
        return prepared.load(kernel.name).short
    except Unprepared:
        return ""


def _state(kernel: Kernel) -> str:
    """`6.1.192`, `no`, or `outdated`: `prepare` would make something else of it today."""
    try:
        found = prepared.load(kernel.name)
    except Unprepared:
        return "no"
    return found.short if found.recipe == kernel.recipe else "outdated"


def _list(kernels: list[Kernel]) -> int:
    width = max(len(kernel.name) for kernel in kernels)
    say(f"{'NAME':<{width}}  {'PREPARED':<9} {'SIZE':>8}  WHAT")
    for kernel in kernels:
        size = _mb(places.size(places.kernel(kernel.name)))
        say(f"{kernel.name:<{width}}  {_state(kernel):<9} {size:>8}  {kernel.what}, {kernel.profile}")
    say(f"{_mb(places.size(places.lab()))} in all, with sources and programs, in {places.lab()}")
    return OK


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size else "-"


def _prepare(kernels: list[Kernel]) -> int:
    from conformance.lab.prepare import prepare
    from conformance.lab.work import Failed

    code = OK
    for kernel in kernels:
        try:
            prepare(kernel)
        except (Unprepared, Failed) as e:
            say(f"{kernel.name}: not prepared: {e}")
            code = FAILED
    return code


def _clean(kernels: list[Kernel], *, everything: bool) -> int:
    """Without names also sources, programs and lists of packages."""
    for directory in [places.lab()] if everything else [places.kernel(kernel.name) for kernel in kernels]:
        if size := places.size(directory):
            shutil.rmtree(directory)
            say(f"removed {directory}: {_mb(size)}")
    return OK
