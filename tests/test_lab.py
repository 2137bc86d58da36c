# SPDX-License-Identifier: MIT
"""The lab without a network and without booting: shell scripts stand in for guests."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mini import Mini

from conformance import expectations, profiles, report
from conformance.commands import BAD, NO_START, OK
from conformance.implementations import Guest, Reply
from conformance.implementations.linux import build, devices
from conformance.implementations.linux.implementation import Linux
from conformance.implementations.linux.machine import Lost, Machine
from conformance.implementations.local import Kernel
from conformance.lab import (
    apt,
    disks,
    guest,
    implementation,
    initramfs,
    kmod,
    kvm,
    matrix,
    packaged,
    places,
    registry,
    tools,
)  # fmt: skip
from conformance.lab.console import Console
from conformance.lab.implementation import Guest as LabGuest
from conformance.lab.machine import command
from conformance.lab.machine import initramfs as initramfs_of_kernel
from conformance.lab.places import Unprepared
from conformance.lab.prepared import Prepared, load, save
from conformance.lab.registry import RegistryError
from conformance.protocol import CallDriver, Finish, Fork
from conformance.runner import Run
from conformance.stop import Stop
from conformance.suite import load as load_suite

MIRRORS = apt.Mirrors("mirror/debian", "mirror/debian-security")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # a guest whose parent is killed leaves an empty directory
    return tmp_path


# --- the registry -----------------------------------------------------------------------------------------


def test_every_kernel_expects_a_profile_that_exists() -> None:
    known = profiles.load(registry.FILE.parents[2])[1]
    kernels = registry.load()
    assert {kernel.profile for kernel in kernels.values()} <= set(known)
    for kernel in kernels.values():
        for part in (
            *(f"configs/{name}" for name in kernel.fragments),
            *(f"patches/{name}" for name in kernel.patches),
        ):
            assert (registry.FILE.parent / part).exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[kernels.a", "kernels.toml: "),
        ('[kernels.a]\nwhat = "x"', "it lacks profile, suites"),
        ('[kernels.a]\nwhat = "x"\nprofile = "p"\nsuites = []\ncolour = 1', "there is no field colour"),
        ('[kernels.a]\nwhat = "x"\nprofile = "p"\nsuites = []', "an image, or a source and fragments"),
        ('[kernels.a]\nwhat = "x"\nprofile = "p"\nsuites = []\nimage = "i"', "headers or a source"),
    ],
)
def test_a_wrong_registry_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "kernels.toml"
    file.write_text(text)
    with pytest.raises(RegistryError, match=says):
        registry.load(file)


def test_an_unknown_kernel_gets_a_hint(mini: Mini) -> None:
    with pytest.raises(RegistryError, match=r"did you mean 7\.3-um"):
        registry.find("7.3-uml")
    assert mini.run("kernels", "prepare", "7.3-uml") == BAD
    assert "did you mean 7.3-um" in mini.err


def test_list_and_clean_work_on_an_empty_cache(mini: Mini, cache: Path) -> None:
    assert mini.run("kernels", "list") == OK
    assert all(name in mini.out for name in registry.load())
    (cache / "mapspec/lab/kernels/6.1").mkdir(parents=True)
    (cache / "mapspec/lab/kernels/6.1/image").write_bytes(b"x" * 5000)
    assert mini.run("kernels", "clean") == OK
    assert not (cache / "mapspec/lab").exists()


def test_names_may_come_after_options(mini: Mini) -> None:
    assert mini.run("kernels", "run", "--at-once", "2", "6.1", "6.12") == 3
    assert mini.out.count("is not prepared") == 2
    assert mini.run("kernels", "lsit") == BAD
    assert "There is list, prepare, run, boot, clean." in mini.err


def test_run_says_what_to_do_when_nothing_is_prepared(mini: Mini) -> None:
    assert mini.run("run", "--implementation", "kernel:6.1") == 3
    assert "mapspec kernels prepare --only 6.1" in mini.err


def test_what_was_prepared_is_remembered() -> None:
    made = Prepared("6.1", "6.1.0-56-cloud-amd64", "6.1.192-2", ["ext4.ko"])
    made.directory.mkdir(parents=True)
    save(made)
    assert load("6.1") == made
    assert made.short == "6.1.192"
    assert matrix.record_name(registry.find("6.1"), made.short) == "linux-6.1.192"
    with pytest.raises(Unprepared):
        load("6.12")


def test_a_kernel_that_was_prepared_by_another_recipe_is_outdated(mini: Mini) -> None:
    recipe = registry.find("6.1").recipe
    for was, shown in (recipe, "6.1.192"), ("another", "outdated"):
        made = Prepared("6.1", "6.1.0-56-cloud-amd64", "6.1.192-2", [], was)
        made.directory.mkdir(parents=True, exist_ok=True)
        save(made)
        assert mini.run("kernels", "list", "6.1") == OK
        assert shown in mini.out.splitlines()[1]


def test_a_matrix_has_a_line_for_each_kernel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The kernel here is prepared, but there is no emulator."""
    made = Prepared("6.1", "6.1.0-56-cloud-amd64", "6.1.192-2", [])
    made.directory.mkdir(parents=True)
    save(made)
    kernels = [registry.find("6.12"), registry.find("6.1")]
    assert matrix.run(kernels, tmp_path, record=False, at_once=2) == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("6.12: the kernel 6.12 is not prepared")
    assert lines[1].startswith("6.1: no report: ")


# --- Debian's packages ------------------------------------------------------------------------------------


def test_mirrors_are_those_of_this_machine() -> None:
    lines = [
        "other/nodistro x",
        "first/debian/ bookworm",
        "next/debian trixie",
        "first/debian-security/ bookworm-security",
    ]
    assert apt.mirrors("\n".join(lines)) == ("first/debian", "first/debian-security")


def test_without_a_mirror_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unprepared, match=apt.MIRROR):
        apt.mirrors("other/ubuntu noble\n")
    monkeypatch.setenv(apt.MIRROR, "mine/debian")
    assert apt.mirrors("") == ("mine/debian", "")


def test_security_updates_come_from_their_own_mirror() -> None:
    lines = apt.sources(["bookworm", "bookworm-security"], MIRRORS).splitlines()
    assert [line.split("] ")[1] for line in lines] == [
        "mirror/debian bookworm main",
        "mirror/debian-security bookworm-security main",
    ]
    assert all(apt.KEYRING in line for line in lines)
    assert apt.sources(["bookworm-security"], apt.Mirrors("mirror/debian", "")) == ""
    assert apt.sources(["trixie"], MIRRORS, source=True).count("deb-src ") == 1


def test_what_is_lacking_is_what_apt_would_install() -> None:
    lines = [
        "Inst a (1.0-1 Debian:12/stable [all])",
        "Inst b [1] (2 x [amd64]) []",
        "Inst libc6 [1] (2 x [amd64])",
        "Conf a",
    ]
    said = "\n".join(lines)
    assert apt.wanted(said, upgrades=False) == [("a", "1.0-1")]
    assert apt.wanted(said, upgrades=True) == [("a", "1.0-1"), ("b", "2")]


def test_headers_are_moved_to_where_they_are_unpacked() -> None:
    text = "override CC = $(if $(DEBIAN_KERNEL_NO_CC_VERSION_CHECK),,gcc-12)\ninclude /usr/src/linux-headers/Makefile\n"
    assert packaged.relocated(text, "/cache/") == "include /cache/linux-headers/Makefile\n"


def test_a_link_into_the_system_is_led_out(tmp_path: Path) -> None:
    installed = Path(sys.executable).resolve()
    inside = tmp_path / "root" / installed.parent.relative_to("/")
    inside.mkdir(parents=True)
    (inside / "libx.so").symlink_to(installed.name)
    tools.lead_out(tmp_path / "root")
    assert (inside / "libx.so").resolve() == installed


# --- modules of the kernel --------------------------------------------------------------------------------


def module(depends: str, soft: str = "") -> bytes:
    """A module, as far as it matters."""
    text = f"\0license=GPL\0depends={depends}\0" + (f"softdep={soft}\0" if soft else "")
    return b"\x7fELF" + text.encode() + b"name=x\0"


def test_modules_are_loaded_after_those_they_need() -> None:
    files = {
        "ext4": module("jbd2,mbcache", "pre: crc32c"),
        "jbd2": module(""),
        "mbcache": module(""),
        "crc32c": module("libcrc"),
        "virtio_blk": module("virtio"),
    }
    assert list(kmod.order(["virtio-blk", "ext4", "jbd2"], files.get)) == [
        "virtio_blk", "jbd2", "mbcache", "crc32c", "ext4",
    ]  # fmt: skip


def test_a_module_that_is_neither_there_nor_built_in_is_told(tmp_path: Path) -> None:
    (tmp_path / "modules.builtin").write_text("kernel/fs/ext4/ext4.ko\n")
    (tmp_path / "virtio_blk.ko").write_bytes(module(""))
    tree = kmod.Tree(tmp_path)
    tree.check(["ext4", "virtio_blk"])
    with pytest.raises(Unprepared, match="no module zram"):
        tree.check(["zram"])


# --- what a guest consists of ------------------------------------------------------------------------------


def members(archive: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Names, modes and contents in a cpio archive."""
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        name = archive[at + 110 : at + 110 + fields[11] - 1].decode()
        start = at + 110 + fields[11]
        start += -start % 4
        if name == "TRAILER!!!":
            return
        yield name, fields[1], archive[start : start + fields[6]]
        at = start + fields[6]
        at += -at % 4


def test_an_initramfs_has_files_directories_and_a_console() -> None:
    files = {"/init": initramfs.File(b"12345", True), "/lib/x.ko": initramfs.File(b"m")}
    found = {name: (mode, data) for name, mode, data in members(initramfs.archive(files, ("/var/tmp",)))}
    assert found["init"] == (0o100755, b"12345")
    assert found["lib/x.ko"] == (0o100644, b"m")
    assert found["dev/console"][0] == 0o020600
    assert {"lib", "dev", "var", "var/tmp"} <= set(found)
    assert list(found).index("lib") < list(found).index("lib/x.ko")


def test_an_area_to_swap_to_has_its_signature() -> None:
    head = disks.swap_header(1 << 20)
    assert len(head) == 4096
    assert head.endswith(b"SWAPSPACE2")
    assert int.from_bytes(head[1028:1032], "little") == 255


def test_user_mode_linux_needs_no_emulator() -> None:
    words = command(registry.find("7.3-um"), Prepared("7.3-um", "7.3.4", "7.3.4-1", []), Path("i.cpio"))
    assert words[0] == "relayed"
    assert "con1=fd:0,fd:1" in words


def test_a_kernel_boots_with_a_program_of_ones_own(mini: Mini, tmp_path: Path) -> None:
    made = Prepared("7.3-um", "7.3.4", "7.3.4-1", [])
    made.directory.mkdir(parents=True)
    save(made)
    image = made.directory / "image"
    said = tmp_path / "said"
    image.write_text(f'#!/bin/sh\nexec > {said}\nprintf "%s\\n" "$@"\ngrep -ao "hello from init" "${{2#initrd=}}"\n')
    image.chmod(0o755)
    program = tmp_path / "hello.c"
    program.write_text('#include <stdio.h>\nint main(void) { puts("hello from init"); }\n')
    assert mini.run("kernels", "boot", "7.3-um", str(program), "A=B", "--memory", "64") == OK
    lines = said.read_text().splitlines()
    assert "mem=64M" in lines and "A=B" in lines and "hello from init" in lines
    assert mini.run("kernels", "boot", "7.3-um", str(tmp_path / "none.c")) == NO_START
    program.write_text("int main(void) { return }")
    assert mini.run("kernels", "boot", "7.3-um", str(program)) == NO_START
    assert "hello.c cannot be compiled" in mini.out


def test_a_32_bit_kernel_gets_programs_of_its_own_and_a_processor_it_knows(tmp_path: Path) -> None:
    with pytest.raises(Unprepared, match="no i686-linux-gnu-gcc: mapspec kernels prepare"):
        tools.compiler("i386")
    program = places.lab() / "tools/cross-i386/usr/bin/i686-linux-gnu-gcc"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    found = tools.compiler("i386")
    assert found and (found.program, found.machine) == (str(program), "i686")
    assert tools.compiler("x86_64") is None
    emulator = places.lab() / "tools/emulator/usr/bin" / tools.EMULATOR
    emulator.parent.mkdir(parents=True)
    emulator.touch()
    for name, family in ("7.3-32bit", ",family="), ("7.3-debug", ""):
        words = command(registry.find(name), Prepared(name, "7.3.4", "7.3.4-1", []), Path("i.cpio"))
        assert words[words.index("-cpu") + 1].startswith(f"max{family}")


def test_types_of_a_kernel_that_publishes_none_are_in_the_guest(tmp_path: Path) -> None:
    made = Prepared("7.3-debug", "7.3.4", "7.3.4-1", [])
    made.directory.mkdir(parents=True)
    (made.directory / "config").write_bytes(b"")
    ours = tmp_path / "mapspec.ko"
    ours.write_bytes(b"module")
    without = initramfs_of_kernel(registry.find("7.3-debug"), made, ours).read_bytes()
    (tmp_path / "mapspec.btf").write_bytes(b"the types")
    inside = initramfs_of_kernel(registry.find("7.3-debug"), made, ours).read_bytes()
    assert b"boot/btf-7.3.4" in inside and b"the types" in inside and b"boot/btf" not in without


# --- the kernel log ---------------------------------------------------------------------------------------


def test_the_log_is_read_once_and_without_what_varies(tmp_path: Path) -> None:
    log = tmp_path / "log"
    console = Console(log)
    assert console.news() == []
    log.write_text(
        "[    1.0] fine\r\n[    2.5] WARNING: CPU: 1 PID: 33 at mm/memory.c:2166 insert_pfn+0x1/0x2\r\n[ 3.0] BUG: h"
    )
    assert console.news() == ["WARNING: at mm/memory.c:2166 insert_pfn"]
    with log.open("a") as more:
        more.write("alf\n")
    assert console.news() == ["BUG: half"]


# --- the parent of a guest ---------------------------------------------------------------------------------

READY = "echo '[ 1.0] mapspec: ready' >> {log}"


def machine(log: Path, script: str, how: str = "direct") -> Machine:
    return Machine([sys.executable, "-IS", guest.__file__, str(log), how, "sh", "-c", script], limit=10)


@pytest.mark.parametrize(
    "processor, guest_does, expected",
    [
        ("flags : fpu vmx", "echo 'mapspec: ready' > {log}; sleep 60", kvm.KVM),
        ("flags : fpu vmx", "exit 1", kvm.EMULATED),
        ("flags : fpu vmx", "sleep 60", kvm.EMULATED),
        ("flags : fpu", "echo 'mapspec: ready' > {log}; sleep 60", kvm.EMULATED),
    ],
)
def test_kvm_is_used_where_a_guest_boots_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processor: str, guest_does: str, expected: str
) -> None:
    for name, text in (("DEVICE", ""), ("PROCESSOR", processor), ("BOOT_ID", "this-boot")):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(kvm, name, tmp_path / name)
    monkeypatch.setattr(kvm, "TRIAL_LIMIT", 0.5)
    asked: list[str] = []

    def stand_in(accel: str) -> list[str]:
        asked.append(accel)
        return ["sh", "-c", guest_does]

    assert kvm.accelerator(stand_in) == expected
    assert kvm.accelerator(stand_in) == expected
    assert asked == ([kvm.KVM] if "vmx" in processor else [])  # one trial, and none where it makes no sense


@pytest.mark.parametrize("how", ["direct", "relayed"])
def test_a_guest_answers_and_goes(tmp_path: Path, how: str) -> None:
    log = tmp_path / "log"
    running = machine(log, f"{READY}; exec {build.executor()}", how)
    assert running.do("0 about")[0].data.startswith(b"4096\n")
    started = time.monotonic()
    running.close()
    assert time.monotonic() - started < guest.OFF_LIMIT


def test_a_guest_that_crashes_at_boot_is_booted_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    once = f"[ -e {tmp_path}/crashed ] || {{{{ touch {tmp_path}/crashed; echo Oops >&2; exit 1; }}}}; "
    running = machine(log, f"{once}{READY}; exec {build.executor()}")
    assert running.do("0 about")[0].kind == "ok"
    running.close()
    assert "Oops\nmapspec: guest: it ended before it was ready\n" in log.read_text()


def test_a_guest_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    running = machine(tmp_path / "log", "exit 1")
    with pytest.raises(Lost):
        running.do("0 about")
    assert (tmp_path / "log").read_text().count("it ended before it was ready") == guest.ATTEMPTS


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_guest_whose_parent_is_ended(tmp_path: Path, number: int) -> None:
    running = machine(tmp_path / "log", f"echo $$ > {tmp_path}/pid; {READY}; exec sleep 1000")
    deadline = time.monotonic() + 10
    while "ready" not in _text(tmp_path / "log") and time.monotonic() < deadline:
        time.sleep(0.01)
    pid = int((tmp_path / "pid").read_text())
    assert alive(pid)
    os.kill(running.pid, number)
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(pid)
    running.kill()


def test_a_guest_that_hangs_is_ended_when_its_runner_is_gone(tmp_path: Path) -> None:
    """Before it is ready that is at once."""
    stdin, ours = os.pipe()
    script = f"echo $$ > {tmp_path}/pid; exec sleep 1000"
    argv = [sys.executable, "-IS", guest.__file__, str(tmp_path / "log"), "direct", "sh", "-c", script]
    parent = subprocess.Popen(argv, stdin=stdin)
    os.close(stdin)
    while not _text(tmp_path / "pid"):
        time.sleep(0.01)
    os.close(ours)
    assert parent.wait(10) == 0
    assert not alive(int(_text(tmp_path / "pid")))


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


# --- a guest that dies during a scenario --------------------------------------------------------------------


class Fragile(Kernel):
    """This kernel, as a guest whose machine is lost at the first fork, or at each."""

    def __init__(self, *, always: bool):
        self.losses = 0
        self._always, self._lost = always, False
        super().__init__(Linux(["env", str(build.executor())]))

    def restart(self) -> None:
        self._linux.abandon()

    def end(self) -> tuple[list[str], list[str]]:
        return [], []

    def request(self, request: object) -> Reply:  # type: ignore[override]
        if isinstance(request, Fork) and (self._always or not self.losses):
            self.losses += 1
            self._lost = True
            return Reply("broken", why="fork: the executor has died")
        return super().request(request)  # type: ignore[arg-type]

    def heard(self) -> tuple[list[str], bool]:
        lost, self._lost = self._lost, False
        return (["Oops: int3"] if lost else []), lost


@pytest.mark.parametrize(("always", "status"), [(False, "pass"), (True, "error")])
def test_a_crash_counts_when_it_happens_again(
    mini: Mini, monkeypatch: pytest.MonkeyPatch, always: bool, status: str
) -> None:
    monkeypatch.setattr(devices, "WARN_AGAIN", "/nowhere")  # it is this kernel
    suite = load_suite(mini.root)
    scenario = next(s for s in suite.scenarios.values() if s.id.startswith("cow.isolation.child-writes"))
    fragile = Fragile(always=always)
    try:
        assert isinstance(fragile, Guest)
        profile = profiles.load(mini.root)[1]["linux-6.18"]
        run = Run([scenario], fragile, profile, expectations.Expectations())
        with Stop() as stop:
            head = report.header(suite, fragile.greeting, profile.name, [], [scenario])
            made, _ = run.play(head, stop)
    finally:
        fragile.close()
    result = made.results[scenario.id]
    assert result.status == status
    assert "kernel log: Oops: int3" in result.notes
    assert any(note.startswith("the machine was lost at the first try") for note in result.notes)
    assert fragile.losses == 1 + always


# --- how a guest ends -------------------------------------------------------------------------------------

LEFT = "mapspec: 3 pages of closed devices are still referenced"
LOST = "mapspec: leak: unreferenced object 0xffff in kmalloc take"


def a_guest(tmp_path: Path, last: str, *, bugs: bool = False) -> LabGuest:
    """This kernel as a guest, whose console says something at the end."""
    log = tmp_path / "log"
    script = f"{READY}; {build.executor()}; {last}"
    return LabGuest([sys.executable, "-IS", guest.__file__, str(log), "direct", "sh", "-c", script], log, bugs=bugs)


@pytest.mark.parametrize(
    ("last", "notes", "wrong"),
    [
        ("echo mapspec: unloaded", 1, ""),
        (f"echo {LEFT}; echo mapspec: unloaded", 0, "leak: 3 pages of the module's memory never came back"),
        (
            f"echo {LOST}; echo mapspec: unloaded",
            0,
            "1 times: unreferenced object",
        ),
        ("echo mapspec: init: cannot unload mapspec: busy", 0, "the module could not be unloaded"),
    ],
)
def test_the_module_tells_at_the_end_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str, notes: int, wrong: str
) -> None:
    monkeypatch.setattr(devices, "WARN_AGAIN", "/nowhere")
    ended = a_guest(tmp_path, f"{{{{ {last}; }}}} >> {{log}}")
    said, faults = ended.end()
    assert len(said) == notes
    assert bool(faults) == bool(wrong) and wrong in " ".join(faults)
    assert ended.end() == ([], []), "it ends once"
    ended.close()


def test_a_run_with_a_leak_has_failed(mini: Mini, monkeypatch: pytest.MonkeyPatch) -> None:
    from conformance.commands import FAILED
    from conformance.commands import run as command
    from conformance.implementations import Model

    class Leaking(Model):
        def heard(self) -> tuple[list[str], bool]:
            return [], False

        def restart(self) -> None:
            pass

        def end(self) -> tuple[list[str], list[str]]:
            return [], ["leak: 3 pages of the module's memory never came back, and scenarios tell of 0"]

    monkeypatch.setattr(command, "start", lambda *_, **__: Leaking())
    path = mini.root / "r.jsonl"
    assert mini.run("run", "--report", path) == FAILED
    assert "FAIL at the end: leak: 3 pages" in mini.out
    assert report.read(path).footer.wrong


@pytest.mark.parametrize(("inside", "status"), [("vm_insert_page", "ok"), ("do_wp_page", "broken")])
def test_a_kernel_that_dies_of_the_right_bug_has_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str, status: str
) -> None:
    monkeypatch.setattr(devices, "WARN_AGAIN", "/nowhere")
    dying = a_guest(tmp_path, "true", bugs=True)
    said = f"kernel BUG at mm/memory.c:2719!\nRIP: 0010:{inside}+0x1/0x2\n[ 1.0]  map+0x1/0x2 [mapspec]\n"

    def die(_: object, request: CallDriver) -> None:
        with (tmp_path / "log").open("a") as log:
            log.write(said)
        dying.restart()
        raise Lost("the executor has died")

    monkeypatch.setattr(Linux, "_call_driver", die)
    dying._linux.here.missing.pop("driver-calls", None)
    call = CallDriver(process="A", region="mem", device="dev", function="vm_insert_page")
    try:
        reply = dying.request(call)
        assert reply.status == status
        if status == "ok":
            assert (reply.value.returned, reply.value.where) == ("BUG", "BUG at mm/memory.c:2719, in vm_insert_page")
            assert dying.heard() == ([], False), "that is no crash"
            assert dying.request(Finish()).value == [], "and no new guest is booted to finish"
        else:
            assert dying.heard()[1], "another BUG than the one that was announced is a crash"
    finally:
        dying.close()


# --- long work --------------------------------------------------------------------------------------------


def test_what_a_compiler_warns_of_in_our_module_is_told(tmp_path: Path) -> None:
    from conformance.lab import module
    from conformance.lab.work import Work

    said = [
        "/cache/module/mapspec.c:12:3: warning: unused variable 'x' [-Wunused-variable]",
        "/kernel/include/linux/mm.h:1:2: warning: not ours",
        "WARNING: modpost: mapspec.ko: symbol 'x' undefined!",
    ]
    work = Work("x", tmp_path / "log")
    kept = work.run("printf", "%s\n", *said, keep=module.WARNS)
    assert kept == said[:1]


def test_a_download_that_begins_anew_says_so(tmp_path: Path) -> None:
    packages = [apt.Package("linux-source-7.3", "7.3.4-1")]
    assert apt.again(tmp_path, packages) == ""
    (tmp_path / "linux-source-7.3_7.3.4-1_all.deb").write_bytes(b"half of it")
    assert "from the start again" in apt.again(tmp_path, packages)


def test_what_a_killed_guest_has_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    old, new = tmp_path / "mapspec-guest-old", tmp_path / "mapspec-guest-new"
    for directory in (old, new):
        directory.mkdir()
    os.utime(old, (1, 1))
    implementation.tidy(tmp_path)
    assert new.exists() and not old.exists()
