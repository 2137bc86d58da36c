# SPDX-License-Identifier: MIT
"""Devices: what goes to the kernel module and what comes back, with a machine that plays the module; and what a
machine without the module answers."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from conformance import protocol as p
from conformance.implementations.linux import build, devices, ioctls
from conformance.implementations.linux.devices import Devices, Entry
from conformance.implementations.linux.implementation import Linux
from conformance.implementations.linux.ioctls import Ioctls
from conformance.implementations.linux.machine import Refused, Result
from conformance.implementations.linux.scenario import Mistake, NotHere, Process, Scenario

HEADER = Path(devices.__file__).with_name("module") / "mapspec.h"
ERRNOS = {"ENOMEM": 12, "EINVAL": 22, "EBUSY": 16, "ENOPKG": 65, "ENOTRECOVERABLE": 131}


class Played:
    """A machine whose kernel has the module: it keeps what it is told, and answers an ioctl as a test wants."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.answers: dict[int, Callable[[list[int]], list[int] | str]] = {}
        self.alive = True
        self.leaked = 0
        self._descriptor = 40

    def run(self, *primitives: str) -> list[Result]:
        return [self._answer(primitive) for primitive in primitives]

    def do(self, *primitives: str) -> list[Result]:
        results = self.run(*primitives)
        if results[-1].kind != "ok":
            raise Refused(results[-1])
        return results

    def read_at(self, path: str, offset: int, length: int) -> bytes:
        return struct.pack("=Q", offset // 8 - 100)

    def text(self, path: str) -> str:
        return str(self.leaked)

    def _answer(self, primitive: str) -> Result:
        self.told.append(primitive)
        _slot, verb, *words = primitive.split(" ")
        if verb == "open":
            self._descriptor += 1
            return Result("ok", self._descriptor)
        if verb == "flags":
            return Result("ok", 0, struct.pack("=Q", 5))
        if verb != "ioctl":
            return Result("ok", 0)
        _, request, size, sent = words if len(words) == 4 else (*words, "")
        given = list(struct.unpack(f"={len(sent) // 16}Q", bytes.fromhex(sent)))
        answer = self.answers.get(int(request, 16) & 0xFF, lambda values: values)(given)
        if isinstance(answer, str):
            return Result("died", 9) if answer == "died" else Result("errno", ERRNOS[answer])
        packed = b"".join(struct.pack("=q" if value < 0 else "=Q", value) for value in answer)
        return Result("ok", 0, packed.ljust(int(size, 16), b"\0"))


@pytest.fixture
def played() -> Played:
    return Played()


@pytest.fixture
def made(played: Played) -> Devices:
    """With a process A in slot 1 and a device of 4 pages of RAM."""
    names = Scenario(64, 1 << 21, 4096)
    names.processes["A"] = Process(1, 99)
    found = Devices(played, Ioctls(played), names, 4096, None, bugs=False)  # type: ignore[arg-type]
    found.create(p.CreateDevice(device="dev", memory="pages", pages=4))
    played.told.clear()
    return found


@pytest.fixture
def process() -> Process:
    return Process(1, 99)


def map_device(**fields: Any) -> p.MapDevice:
    return p.MapDevice(
        **{"process": "A", "region": "mem", "device": "dev", "function": "vm_insert_page", "pages": 4, **fields}
    )


def call(**fields: Any) -> p.CallDriver:
    return p.CallDriver(**{"process": "A", "region": "mem", "device": "dev", "function": "vm_insert_page", **fields})


def sent(played: Played, number: int) -> list[int]:
    """The words of the last ioctl with this number."""
    for primitive in reversed(played.told):
        words = primitive.split(" ")
        if words[1] == "ioctl" and int(words[3], 16) & 0xFF == number:
            return list(struct.unpack(f"={len(words[5]) // 16}Q", bytes.fromhex(words[5])))
    raise AssertionError(played.told)


# --- the numbers are those of mapspec.h ---------------------------------------------------------------------


def enumeration(name: str) -> list[str]:
    body = re.search(rf"enum mapspec_{name} \{{(.*?)\}};", HEADER.read_text(), re.DOTALL)
    assert body
    return re.findall(r"MAPSPEC_(\w+)", body[1])[:-1]


def test_kinds_of_memory_have_the_numbers_of_the_module() -> None:
    assert [name.lower() for name in enumeration("memory")] == list(devices.MEMORY)


def test_functions_are_as_many_as_the_module_has() -> None:
    assert len(enumeration("function")) == len(devices.FUNCTIONS) == len(get_args(p.DriverFunction))
    assert enumeration("function").index("FAULT") == devices.FUNCTIONS["fault"]
    assert enumeration("function").index("REMAP_VMALLOC_RANGE") == devices.FUNCTIONS["remap_vmalloc_range"]


def test_flags_of_entries_have_the_numbers_of_the_module() -> None:
    numbers = {name: int(n) for name, n in re.findall(r"MAPSPEC_ENTRY_(\w+)\s+\(1 << (\d+)\)", HEADER.read_text())}
    ours = {"OTHER": devices.OTHER, "PMD": devices.PMD, "SPECIAL": devices.SPECIAL, "WRITE": devices.WRITABLE,
            "NORMAL": devices.NORMAL, "ZERO": devices.ZERO, "EXCLUSIVE": devices.EXCLUSIVE}  # fmt: skip
    assert {name: 1 << numbers[name] for name in ours} == ours


def test_flags_of_get_user_pages_have_the_numbers_of_the_module() -> None:
    numbers = {name: int(n) for name, n in re.findall(r"MAPSPEC_GET_(\w+)\s+\(1 << (\d+)\)", HEADER.read_text())}
    ours = {"PIN": devices.GET_PIN, "FAST": devices.GET_FAST, "WRITE": devices.GET_WRITE, "FORCE": devices.GET_FORCE,
            "LONGTERM": devices.GET_LONGTERM}  # fmt: skip
    assert {name: 1 << number for name, number in numbers.items()} == ours


def test_ioctls_have_the_numbers_that_a_compiler_gives_them(tmp_path: Path) -> None:
    ours = {"ALLOCATE": devices.ALLOCATE, "HANDLER": devices.HANDLER, "CALL": devices.CALL, "UNMAP": devices.UNMAP,
            "ZAP": devices.ZAP, "FREE": devices.FREE, "WRITE": devices.WRITE, "READ": devices.READ_WORDS,
            "PAGES": devices.PAGES, "ENTRIES": devices.ENTRIES, "HOLD": devices.HOLD, "FOLIOS": devices.FOLIOS,
            "GET": devices.GET, "PUT": devices.PUT, "READ_HELD": devices.READ_HELD,
            "WRITE_HELD": devices.WRITE_HELD, "PINNED": devices.PINNED, "CALL_LOCKED": devices.CALL_LOCKED}  # fmt: skip
    compiler = next((c for c in build.COMPILERS if shutil.which(c)), None)
    if compiler is None:
        pytest.skip("there is no C compiler here")
    lines = "".join(f'printf("%lx\\n", (unsigned long)MAPSPEC_IOC_{name});' for name in ours)
    source = tmp_path / "numbers.c"
    source.write_text(f'#include <stdio.h>\n#include "{HEADER}"\nint main(void) {{ {lines} return 0; }}\n')
    subprocess.run([compiler, "-o", str(tmp_path / "numbers"), str(source)], check=True)
    told = subprocess.run([str(tmp_path / "numbers")], check=True, capture_output=True, text=True).stdout.split()
    assert [int(line, 16) for line in told] == [number for number, _ in ours.values()]


# --- what is asked for, and what it means -------------------------------------------------------------------


def test_the_driver_sets_what_its_function_requires(made: Devices, played: Played, process: Process) -> None:
    region, name = made.map(process, map_device(function="vmf_insert_pfn", without=["VM_MAYWRITE"]))
    function, flags, cleared, part = sent(played, 2)
    assert name == "mapspec module" and region.driver == "pages"
    assert (flags, cleared) == (devices.FLAGS["VM_PFNMAP"], devices.FLAGS["VM_MAYWRITE"])
    assert (function, part) == (devices.FUNCTIONS["vmf_insert_pfn"], 0)
    assert played.told[-1] == f"1 map_fd 2a {region.start:x} 4000 3 1 0"


def test_a_driver_that_sets_vm_mixedmap_does_not_get_vm_pfnmap(made: Devices, played: Played, process: Process) -> None:
    made.map(process, map_device(function="vmf_insert_pfn", flags=["VM_MIXEDMAP", "VM_IO"]))
    assert sent(played, 2)[1] == devices.FLAGS["VM_MIXEDMAP"] | devices.FLAGS["VM_IO"]


def test_part_offset_and_protection(made: Devices, played: Played, process: Process) -> None:
    request = map_device(pages=2, offset=1, part=1, sharing="private", protection="read", skew=3)
    region, _ = made.map(process, request)
    assert sent(played, 2)[3] == 1
    assert region.start % (1 << 21) == 3 * 4096
    assert played.told[-1] == f"1 map_fd 2a {region.start:x} 2000 1 2 1000"


@pytest.mark.parametrize(("errno", "capability"), [("ENOTRECOVERABLE", "driver-bugs"), ("ENOPKG", "driver-function")])
def test_what_the_module_refuses_is_unsupported(
    made: Devices, played: Played, process: Process, errno: str, capability: str
) -> None:
    played.answers[3] = lambda _: errno
    with pytest.raises(NotHere, match="vm_insert_page for pages memory") as refused:
        made.call(process, 0x1000, call())
    assert refused.value.capability == capability


def test_what_the_kernel_refuses_is_an_errno(made: Devices, played: Played, process: Process) -> None:
    played.answers[2] = lambda _: "EINVAL"
    with pytest.raises(Refused, match="EINVAL"):
        made.map(process, map_device())


def test_memory_that_there_is_not_is_unsupported(made: Devices, played: Played) -> None:
    played.answers[1] = lambda _: "ENOMEM"
    with pytest.raises(NotHere, match="no compound memory"):
        made.create(p.CreateDevice(device="big", memory="compound", pages=1024, order=10))


@pytest.mark.parametrize(
    ("returned", "is_fault", "words"),
    [(0, 0, "0"), (-16, 0, "-EBUSY"), (-14, 0, "-EFAULT"), (0x100, 1, "VM_FAULT_NOPAGE"), (2, 1, "VM_FAULT_SIGBUS")],
)
def test_what_a_call_returns(
    made: Devices, played: Played, process: Process, returned: int, is_fault: int, words: str
) -> None:
    played.answers[3] = lambda values: [*values, returned, is_fault, 3]
    called = made.call(process, 0x1000, call(count=4, device_first=2))
    assert called == p.Called(returned=words, left=3)
    assert sent(played, 3) == [devices.FUNCTIONS["vm_insert_page"], 0x1000, 4, 2]


def test_a_bug_is_made_only_where_the_kernel_may_die(played: Played, process: Process) -> None:
    """And if the kernel survives what the module takes for a BUG, that is what is told."""
    names = Scenario(64, 1 << 21, 4096)
    names.processes["A"] = process
    daring = Devices(played, Ioctls(played), names, 4096, None, bugs=True)  # type: ignore[arg-type]
    daring.create(p.CreateDevice(device="dev", memory="pages", pages=4))
    played.told.clear()

    def module(values: list[int]) -> list[int] | str:
        dares = f"0 write {devices.BUGS} 1" in played.told
        return [*values, 0, 0, 0] if dares else "ENOTRECOVERABLE"

    played.answers[3] = module
    assert daring.call(process, 0x1000, call()) == p.Called(returned="0")
    assert f"0 write {devices.BUGS} 0" in played.told


def test_a_function_can_be_called_as_in_the_mmap_handler(made: Devices, played: Played, process: Process) -> None:
    played.answers[11] = lambda values: [*values, 0, 0, 0]
    assert made.call(process, 0x1000, call(in_mmap=True)).returned == "0"
    assert sent(played, 11)[:2] == [devices.FUNCTIONS["vm_insert_page"], 0x1000]


def test_a_leak_is_told_once(made: Devices, played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "PATIENCE_MS", 2 * devices.STEP_MS)

    def leaked(pages: int, later: int | None = None) -> int:
        played.leaked = pages if later is None else later
        return made.newly_leaked(Result("ok", 0, b"%d\n" % pages))

    assert leaked(0) == 0
    assert leaked(7, later=0) == 0, "what comes back a little later is no leak"
    assert leaked(3) == 3
    assert leaked(3) == 0
    assert leaked(515) == 512
    assert made.leaked == 515


def test_states_and_words_come_in_portions(made: Devices, played: Played) -> None:
    made.create(p.CreateDevice(device="large", memory="compound", pages=128, order=7))
    played.answers[9] = lambda v: v + [n for i in range(v[1]) for n in (1000 + v[0] + i, 2, 1, 1, 0, 1)]
    states = made.states(p.DeviceRefcount(device="large", first=10, count=100))
    assert [state.pfn for state in states] == list(range(1010, 1110))
    assert {(state.references, state.mapcount) for state in states} == {(2, 1)}
    played.answers[8] = lambda v: v + list(range(v[0], v[0] + v[1]))
    words = made.read(p.ReadDevice(device="large", first=10, count=100))
    assert struct.unpack("=100Q", words) == tuple(range(10, 110))


@pytest.mark.parametrize(
    ("flags", "kind", "writable"),
    [
        (0, "none", None),
        (devices.OTHER, "swap", None),
        (devices.PRESENT | devices.NORMAL | devices.WRITABLE, "pte", True),
        (devices.PRESENT | devices.NORMAL | devices.PMD, "pmd", False),
        (devices.PRESENT | devices.SPECIAL, "raw", False),
        (devices.PRESENT | devices.SPECIAL | devices.PMD | devices.WRITABLE, "raw-pmd", True),
        (devices.PRESENT | devices.SPECIAL | devices.ZERO, "zero", False),
        (devices.PRESENT | devices.NORMAL | devices.ZERO, "pte", False),
    ],
)
def test_entries(flags: int, kind: str, writable: bool | None) -> None:
    assert (Entry(flags, 5).kind, Entry(flags, 5).writable) == (kind, writable)


def test_pages_that_pagemap_does_not_show(made: Devices, played: Played, process: Process) -> None:
    played.answers[10] = lambda v: [*v, devices.PRESENT | devices.SPECIAL, 107, 0, 0]
    mapped, hole = made.pages(process, 0x1000, 2)
    assert sent(played, 10) == [99, 0x1000, 2]
    assert (mapped.frame, mapped.count, mapped.flags) == (107, 7, 5)
    assert not hole.present


def test_references_may_be_negative(made: Devices, played: Played, process: Process) -> None:
    played.answers[21] = lambda v: [*v, -(1 << 31), 1, 0, 0]
    crossed, hole = made.references(process, 0x1000, 2)
    assert sent(played, 21) == [99, 0x1000, 2]
    assert (crossed.there, crossed.expected) == (-(1 << 31), 1)
    assert (hole.there, hole.expected) == (0, 0)


def test_each_hold_is_a_file_of_its_own(made: Devices, played: Played, process: Process) -> None:
    first, second = made.hold(process, 0x1000, 7), made.hold(process, 0x2000, (1 << 31) - 1)
    assert first != second
    assert sent(played, 20) == [99, 0x2000, (1 << 31) - 1]


def test_a_counter_is_wrapped_in_a_guest_only(played: Played) -> None:
    machine: Any = played
    assert "add-references" not in devices.missing(machine, 4096, guest=True, bugs=False)
    assert "docs/lab.md" in devices.missing(machine, 4096, guest=False, bugs=False)["add-references"]


def test_names_that_do_not_exist(made: Devices) -> None:
    with pytest.raises(Mistake, match="no device"):
        made.free(p.FreeDevice(device="other"))
    with pytest.raises(Mistake, match="already"):
        made.create(p.CreateDevice(device="dev", memory="pages", pages=4))


# --- without the module -----------------------------------------------------------------------------------


def test_without_the_module_the_greeting_says_what_it_is_needed_for() -> None:
    if Path(ioctls.DEVICE).exists():
        pytest.skip("the module is loaded here")
    try:
        build.executor()
    except build.Unbuildable as e:
        pytest.skip(str(e))
    try:
        linux = Linux()
        answer = linux.handle(p.Hello())
    finally:
        linux.close()
    assert answer.status == "ok"
    greeting = msgspec.json.decode(answer.value, type=p.Greeting)
    for capability in devices.CAPABILITIES:
        assert capability not in greeting.capabilities
        assert greeting.missing[capability] == devices.ABSENT
    assert "docs/kernel.md" in greeting.missing["driver-bugs"]
    assert ("driver" in greeting.capabilities) != ("driver" in greeting.missing)
