# SPDX-License-Identifier: MIT
"""The running kernel as an implementation: what it answers, what it survives, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import pickle
import signal
import struct
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from conformance import protocol as p
from conformance.implementations.linux import build, entries, kernel
from conformance.implementations.linux.implementation import Linux
from conformance.implementations.linux.lookup import Lookup
from conformance.implementations.linux.machine import Machine, Result
from conformance.implementations.linux.settings import Busy, Settings

ROOT = os.geteuid() == 0
THP = Path("/sys/kernel/mm/transparent_hugepage")
ORDER_4 = THP / "hugepages-64kB/enabled"

try:
    build.executor()
except build.Unbuildable as e:
    pytest.skip(str(e), allow_module_level=True)
if not sys.platform.startswith("linux"):
    pytest.skip("this is not Linux", allow_module_level=True)

needs_root = pytest.mark.skipif(not ROOT, reason="only root can change settings and see page frames")
Ask = Callable[..., Any]


class Asker:
    """Sends requests and gives back values; `refused` gives back what an answer that is not ok says."""

    def __init__(self, linux: Linux):
        self.linux = linux
        self.greeting = msgspec.json.decode(self.answer(p.Hello()).value, type=p.Greeting)
        self.capabilities = set(self.greeting.capabilities)

    def answer(self, request: p.Request) -> p.Answer:
        return self.linux.handle(request)

    def __call__(self, request: p.Request) -> Any:
        answer = self.answer(request)
        assert answer.status == "ok", (request, answer)
        return msgspec.json.decode(answer.value)

    def refused(self, request: p.Request) -> str:
        answer = self.answer(request)
        assert answer.status != "ok"
        return answer.errno or answer.signal or answer.status

    def needs(self, *capabilities: str) -> None:
        for capability in capabilities:
            if capability not in self.capabilities:
                pytest.skip(self.greeting.missing[capability])

    def start(self, pages: int = 4, **fields: Any) -> None:
        """Process A with a region."""
        self(p.Start(process="A"))
        self(p.Map(**mem(), pages=pages, **fields))


def mem(process: str = "A", region: str = "mem", **fields: Any) -> dict[str, Any]:
    return {"process": process, "region": region, **fields}


def _asked(query: type[p.Query]) -> p.Query:
    """About the usual region, or device."""
    if query in (p.State, p.Counters, p.KernelLog):
        return query()
    if query is p.Kpage:
        return query(frame="1")
    if "region" not in query.__struct_fields__:
        return query(device="dev") if issubclass(query, p.DevicePagesQuery) else query(process="A")
    return query(**mem())


class Shared:
    """One implementation for most tests, because a start takes longer than a test."""

    linux: Linux | None = None

    @classmethod
    def close(cls) -> None:
        if cls.linux:
            cls.linux.close()
        cls.linux = None


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    Shared.close()


@pytest.fixture
def ask() -> Asker:
    if Shared.linux is None:
        Shared.linux = Linux()
    ask = Asker(Shared.linux)
    ask(p.Reset())
    return ask


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """However slow the machine is: `seconds` only ends what would never come about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it has not come about"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """No process, or one that nobody has waited for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # it went while the file was open
        return True


# --- what it answers --------------------------------------------------------------------------------------


def test_a_forked_page_is_shared_until_it_is_written(ask: Asker) -> None:
    ask.start()
    ask(p.Write(**mem(count=2), value="old"))
    ask(p.Fork(process="A", child="B"))
    assert ask(p.MappedExclusively(**mem(count=2))) == [False, False]
    ask(p.Write(**mem("B"), value="new"))
    assert ask(p.Read(**mem(count=3))) == ["old", "old", ""]
    assert ask(p.Read(**mem("B", count=2))) == ["new", "old"]
    assert ask(p.MappedExclusively(**mem("B", count=2))) == [True, False]
    ask(p.Exit(process="B"))
    assert ask(p.MappedExclusively(**mem(count=2))) == [True, True]


@needs_root
def test_frames_and_mapcounts_follow_a_copy(ask: Asker) -> None:
    ask.needs("frames", "page-mapcount")
    ask.start()
    ask(p.Write(**mem(count=2), value="old"))
    before = ask(p.Frame(**mem(count=3)))
    assert before[2] is None
    ask(p.Fork(process="A", child="B"))
    assert ask(p.Frame(**mem("B", count=3))) == before
    assert ask(p.PageMapcount(**mem(count=3))) == [2, 2, 0]
    ask(p.Write(**mem("B"), value="new"))
    assert ask(p.Frame(**mem(count=2))) == before[:2]
    assert ask(p.Frame(**mem("B", count=2)))[0] not in before
    assert ask(p.PageMapcount(**mem("B", count=2))) == [1, 2]
    assert ask(p.PageFlags(**mem(count=3))) == [["anon", "swapbacked"]] * 2 + [[]]


def test_entries(ask: Asker) -> None:
    ask.needs("entries")
    ask.start()
    ask(p.Read(**mem()))
    ask(p.Write(**mem(first=1), value="x"))
    assert ask(p.Entry(**mem(count=3))) == ["zero", "pte", "none"]


def test_five_hundred_pages_are_one_request(ask: Asker) -> None:
    ask.start(10_000)
    ask(p.Write(**mem(count=10_000), value="1234567"))
    assert ask(p.Read(**mem(count=10_000))) == ["1234567"] * 10_000
    assert ask(p.MappedExclusively(**mem(count=10_000))) == [True] * 10_000


def test_smaps_are_of_the_region_only(ask: Asker) -> None:
    ask.start()
    ask(p.Map(**mem(region="other"), pages=8))
    ask(p.Write(**mem(region="other", count=8), value="x"))
    ask(p.Write(**mem(), value="x"))
    ask(p.Mprotect(**mem(first=2), protection="read"))  # three VMAs
    page = int(ask.greeting.parameters["page_size"]) // 1024
    seen = ask(p.Smaps(**mem()))
    assert (seen["Size"], seen["Rss"], seen["Anonymous"]) == (4 * page, page, page)
    ask(p.Unmap(**mem(count=4)))
    assert ask(p.Smaps(**mem()))["Size"] == 0


def test_moved_pages_are_the_new_region(ask: Asker) -> None:
    ask.start()
    ask(p.Write(**mem(count=4), value="x"))
    ask(p.Mremap(**mem(first=2, count=2), to="new", skew=1))
    assert ask(p.Read(**mem(region="new", count=2))) == ["x", "x"]
    assert ask.refused(p.Read(**mem(first=2))) == "SIGSEGV"
    assert ask(p.Read(**mem(count=2))) == ["x", "x"]


@pytest.mark.parametrize("filesystem", ["disk", "tmpfs", "memfd", "hugetlb"])
def test_files(ask: Asker, filesystem: str) -> None:
    ask.needs({"disk": "disk-file"}.get(filesystem, filesystem))
    pages = 1 << int(ask.greeting.parameters["hugetlb_order"]) if filesystem == "hugetlb" else 4
    ask(p.CreateFile(file="f", pages=pages, filesystem=filesystem))
    ask(p.WriteFile(file="f", first=1, count=2, value="old"))
    ask.start(pages, file="f", sharing="shared")
    ask(p.Map(**mem(region="private"), pages=pages, file="f"))
    assert ask(p.Read(**mem(count=4))) == ["", "old", "old", ""]
    ask(p.Write(**mem(region="private", first=1), value="mine"))
    ask(p.Write(**mem(first=2), value="ours"))
    assert ask(p.Read(**mem(region="private", count=4)))[1] == "mine"
    assert ask(p.Read(**mem(count=4))) == ["", "old", "ours", ""]
    ask(p.Fork(process="A", child="B"))
    assert ask(p.Read(**mem("B", "private", first=1))) == ["mine"]


@needs_root
@pytest.mark.parametrize("filesystem", ["disk", "tmpfs", "memfd"])
def test_a_file_has_folios_of_the_order_or_is_unsupported(ask: Asker, filesystem: str) -> None:
    ask.needs("folio-order", {"disk": "disk-file"}.get(filesystem, filesystem))
    for order in (2, 4, int(ask.greeting.parameters.get("pmd_order", 4))):
        answer = ask.answer(p.CreateFile(file="f", pages=4 << order, filesystem=filesystem, order=order))
        if answer.status == "unsupported":
            assert answer.why
            continue
        ask.start(4 << order, file="f", sharing="shared")
        ask(p.Write(**mem(first=2 << order), value="x"))
        assert ask(p.FolioOrder(**mem(first=2 << order))) == [order]
        assert ask(p.Entry(**mem(first=3 << order))) == ["none"]
        ask(p.Reset())


@needs_root
@pytest.mark.parametrize(("orders", "sharing"), [("orders", "private"), ("shmem_orders", "shared")])
def test_a_fault_allocates_the_order_that_was_asked_for(ask: Asker, orders: str, sharing: str) -> None:
    ask.needs("folio-order")
    for order in ask.greeting.parameters[orders]:
        ask.start(4 << order, order=order, sharing=sharing)
        ask(p.Write(**mem(first=1 << order), value="x"))
        assert ask(p.FolioOrder(**mem(first=1 << order))) == [order]
        assert ask(p.Entry(**mem(first=2 << order))) == ["none"]
        ask(p.Reset())


def test_a_huge_page_is_mapped_by_a_pmd_until_its_vma_is_cut(ask: Asker) -> None:
    ask.needs("thp", "entries", "counters")
    order = int(ask.greeting.parameters["pmd_order"])
    ask.start(1 << order, order=order)
    ask(p.Write(**mem(), value="x"))
    assert set(ask(p.Entry(**mem(count=1 << order)))) == {"pmd"}
    before = ask(p.Counters())
    ask(p.Mprotect(**mem(), protection="read"))
    assert set(ask(p.Entry(**mem(count=1 << order)))) == {"pte"}
    assert ask(p.Counters())["thp_split_pmd"] > before["thp_split_pmd"]


def test_collapse(ask: Asker) -> None:
    ask.needs("collapse", "thp", "entries")
    pages = 1 << int(ask.greeting.parameters["pmd_order"])
    ask.start(pages)
    ask(p.Write(**mem(count=pages), value="x"))
    assert set(ask(p.Entry(**mem(count=pages)))) == {"pte"}
    ask(p.Madvise(**mem(count=pages), advice="collapse"))
    assert set(ask(p.Entry(**mem(count=pages)))) == {"pmd"}
    assert ask(p.Read(**mem(count=pages))) == ["x"] * pages


def test_collapse_where_nobody_asked_for_huge_pages(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    ask.needs("collapse", "thp", "entries")
    monkeypatch.setattr(type(ask.linux.here.huge), "unasked", True)  # as if they were set to `always`
    pages = 1 << int(ask.greeting.parameters["pmd_order"])
    ask.start(pages)
    ask(p.Write(**mem(count=pages), value="x"))
    assert set(ask(p.Entry(**mem(count=pages)))) == {"pte"}
    ask(p.Madvise(**mem(count=pages), advice="collapse"))
    assert set(ask(p.Entry(**mem(count=pages)))) == {"pmd"}


def test_hugetlb(ask: Asker) -> None:
    ask.needs("hugetlb", "entries")
    pages = 1 << int(ask.greeting.parameters["hugetlb_order"])
    ask.start(pages, hugetlb=True)
    ask(p.Write(**mem(first=3), value="x"))
    ask(p.Fork(process="A", child="B"))
    ask(p.Write(**mem("B", first=3), value="y"))
    assert ask(p.Read(**mem(first=3))) == ["x"]
    assert ask(p.Entry(**mem("B"))) == ["hugetlb"]


@pytest.mark.timeout(30)
def test_ksm_merges_and_is_set_back(ask: Asker) -> None:
    ask.needs("ksm", "frames")
    settings = [Path("/sys/kernel/mm/ksm") / name for name in ("run", "sleep_millisecs", "pages_to_scan")]
    before = [path.read_text() for path in settings]
    ask.start()
    ask(p.Write(**mem(count=4), value="same"))
    ask(p.Madvise(**mem(count=4), advice="mergeable"))
    answer = ask.answer(p.KsmScan())
    assert [path.read_text() for path in settings] == before
    if answer.status == "unsupported":
        pytest.skip(answer.why)
    assert answer.status == "ok"
    assert len(set(ask(p.Frame(**mem(count=4))))) == 1
    assert "ksm" in ask(p.PageFlags(**mem()))[0]


def test_a_pipe_keeps_pages(ask: Asker) -> None:
    ask.needs("vmsplice")
    ask.start()
    ask(p.Write(**mem(count=3), value="old"))
    ask(p.Fork(process="A", child="B"))
    ask(p.Vmsplice(**mem(count=3), pipe="p"))
    ask(p.Write(**mem(), value="new"))
    ask(p.Exit(process="A"))
    assert ask(p.ReadPipe(pipe="p")) == ["old", "old", "old"]
    ask(p.Vmsplice(**mem("B", count=3), pipe="p"))
    ask(p.ClosePipe(pipe="p"))
    assert ask.refused(p.ReadPipe(pipe="p")) == "broken"
    assert ask.refused(p.Vmsplice(**mem("B", first=4), pipe="p")) == "EFAULT"


def test_a_teed_pipe_keeps_what_the_first_held(ask: Asker) -> None:
    ask.needs("tee")
    ask.start()
    ask(p.Write(**mem(count=3), value="old"))
    ask(p.Vmsplice(**mem(count=3), pipe="p"))
    assert ask(p.Tee(pipe="p", to="q")) == 3
    ask(p.ClosePipe(pipe="p"))
    ask(p.Write(**mem(), value="new"))
    assert ask(p.ReadPipe(pipe="q"))[1:] == ["old", "old"]
    assert ask.refused(p.Tee(pipe="p", to="r")) == "broken"


def test_a_machine_that_others_use_takes_no_references_unchecked(ask: Asker) -> None:
    for request in (p.AddReferences(process="A", region="mem", number=1, hold="h"), p.FuseSplice(pipe="p")):
        assert ask.answer(request).status == "unsupported"


def test_a_buffer_stays_coherent(ask: Asker) -> None:
    ask.needs("io_uring")
    ask.start()
    ask(p.Write(**mem(count=2), value="old"))
    ask(p.RegisterBuffer(**mem(count=2), buffer="b"))
    ask(p.Fork(process="A", child="B"))
    ask(p.Write(**mem(), value="new"))
    assert ask(p.ReadBuffer(buffer="b")) == ["new", "old"]
    ask(p.UnregisterBuffer(buffer="b"))
    assert ask.refused(p.ReadBuffer(buffer="b")) == "broken"
    ask(p.RegisterBuffer(**mem("B"), buffer="b"))
    ask(p.Exit(process="B"))


def test_direct_io_goes_out_and_comes_back(ask: Asker) -> None:
    ask.needs("direct-io")
    ask.start(2)
    ask(p.Write(**mem(count=2), value="out"))
    ask(p.CreateFile(file="f", pages=3, filesystem="disk"))
    ask(p.DirectWrite(**mem(count=2), file="f", at=1))
    ask(p.Write(**mem(count=2), value="lost"))
    ask(p.DirectRead(**mem(count=2), file="f"))
    assert ask(p.Read(**mem(count=2))) == ["", "out"]


def test_what_the_kernel_does_with_memory(ask: Asker) -> None:
    ask.needs("grow", "mlock", "mincore", "pagemap", "vma", "copy-from-user")
    ask.start(3)
    ask(p.Write(**mem(count=2), value="x"))
    assert ask(p.Mincore(**mem(count=3))) == [True, True, False]
    assert ask(p.Pagemap(**mem(count=3))) == [["present", "exclusive"]] * 2 + [[]]
    assert ask(p.CopyFromUser(**mem(count=3))) == ["x", "x", ""]
    ask(p.Grow(**mem(), pages=8))
    assert ask(p.Read(**mem(count=8)))[:2] == ["x", "x"]
    ask(p.Mlock(**mem()))
    assert "VM_LOCKED" in ask(p.VmaQuery(**mem()))["flags"]
    assert ask.refused(p.Mremap(**mem(), to="again", how="duplicate")) == "EINVAL"  # private
    ask(p.Mremap(**mem(first=4, count=2), to="new", how="dontunmap"))
    assert ask(p.Read(**mem(first=4))) == [""]


def test_userfaultfd(ask: Asker) -> None:
    ask.needs("userfaultfd")
    ask.start()
    ask(p.Write(**mem(count=4), value="x"))
    ask(p.UffdRegister(**mem(count=4), mode="missing"))
    other = ask.answer(p.UffdRegister(**mem(count=4), mode="wp_async"))  # another userfaultfd has it
    assert other.errno == "EBUSY" or other.why


def test_rss_is_that_of_the_region_alone(ask: Asker) -> None:
    ask.needs("rss", "memfd")
    ask.start(8)
    ask(p.CreateFile(file="f", pages=4, filesystem="memfd"))
    ask(p.Map(**mem(region="file"), pages=4, file="f"))
    ask(p.Map(**mem(region="shared"), pages=4, sharing="shared"))
    for _ in range(3):
        ask(p.Write(**mem(count=5), value="x"))
        ask(p.Write(**mem(region="shared", count=2), value="x"))
        ask(p.Read(**mem(region="file", count=4)))
        ask(p.Write(**mem(region="file"), value="x"))
        assert ask(p.Rss(**mem())) == {"anon": 5, "file": 0, "shmem": 0}
        assert ask(p.Rss(**mem(region="file"))) == {"anon": 1, "file": 0, "shmem": 3}
        assert ask(p.Rss(**mem(region="shared"))) == {"anon": 0, "file": 0, "shmem": 2}


def test_a_core_dump_is_counted_and_removed(ask: Asker) -> None:
    ask.needs("core-dump")
    ask.start(5)
    ask(p.Map(**mem(region="not"), pages=2))
    ask(p.Write(**mem(count=5), value="x"))
    ask(p.Write(**mem(region="not"), value="x"))
    ask(p.Madvise(**mem(region="not", count=2), advice="dontdump"))
    assert ask(p.CoreDump(process="A")) == {"mem": 5, "not": 0}
    assert not [path for path in ("/dev/shm", "build") if list(Path(path).glob("mapspec-core-*"))]
    ask.start()


@pytest.mark.parametrize("interface", p.Interface.__args__)  # type: ignore[attr-defined]
def test_interfaces(ask: Asker, interface: p.Interface) -> None:
    ask.needs("rss", "smaps", "vma")
    ask(p.Start(process="A"))
    answer = ask.answer(p.MapInterface(**mem(), interface=interface, device="dev"))
    if answer.status == "unsupported":
        assert answer.why
        pytest.skip(answer.why)
    pages = int(msgspec.json.decode(answer.value))
    if interface == "tcp_receive":
        assert 0 < ask(p.Receive(**mem(), pages=8)) <= 8
    ask(p.Read(**mem()))
    flags = ask(p.VmaQuery(**mem()))["flags"]
    counted = ask(p.Rss(**mem()))
    if "VM_PFNMAP" in flags:
        assert counted == {"anon": 0, "file": 0, "shmem": 0}
        assert ask.refused(p.ProcessVmReadv(**mem())) == "EFAULT"
    else:
        assert 1 <= counted["file"] <= pages
        size = int(ask.greeting.parameters["page_size"]) // 1024
        assert ask(p.Smaps(**mem()))["Rss"] == counted["file"] * size
    ask(p.Fork(process="A", child="B"))
    if "VM_DONTCOPY" in flags:
        assert ask.refused(p.Read(**mem("B"))) == "SIGSEGV"
    else:
        ask(p.Read(**mem("B")))
    ask(p.Map(**mem(region="other"), pages=2))  # also without a vdso a process does all that it did
    ask(p.Write(**mem(region="other"), value="x"))
    assert ask(p.Read(**mem(region="other", count=2))) == ["x", ""]


@needs_root
def test_a_part_of_the_kernel_stands_in_for_a_driver(ask: Asker) -> None:
    ask.needs("driver")
    if "driver-calls" in ask.capabilities:
        pytest.skip("the kernel module is loaded")
    ask(p.Start(process="A"))
    ask(p.CreateDevice(device="dev", memory="compound", pages=4, order=2))
    maps: dict[str, Any] = {"device": "dev", "pages": 4, "function": "vm_insert_page"}
    assert ask(p.MapDevice(**mem(), **maps)) == "AF_PACKET ring"
    assert ask(p.MapDevice(**mem(region="again"), **maps, sharing="private")) == "AF_PACKET ring"
    assert ask(p.Frame(**mem(count=4))) == ask(p.Frame(**mem(region="again", count=4)))
    assert ask(p.FolioOrder(**mem())) == [2]
    ask(p.Write(**mem(), value="x"))
    assert ask(p.Read(**mem(region="again"))) == ["x"]
    for fields in ({"flags": ["VM_IO"]}, {"without": ["VM_MAYWRITE"]}, {"part": 2}, {"function": "remap_pfn_range"}):
        answer = ask.answer(p.MapDevice(**mem(region="other"), **maps | fields))
        assert (answer.status, answer.capability) == ("unsupported", "driver-module")
        assert "order-2 folio" in answer.why


def test_the_memory_of_others(ask: Asker) -> None:
    ask.needs("process_vm", "proc_mem")
    ask.start(protection="read")
    assert ask.refused(p.Write(**mem(), value="x")) == "SIGSEGV"
    ask(p.WriteProcMem(**mem(), value="forced"))
    assert ask(p.Read(**mem(count=2))) == ["forced", ""]
    assert ask(p.ProcessVmReadv(**mem(count=2))) == ["forced", ""]
    assert ask(p.ReadProcMem(**mem(count=2))) == ["forced", ""]
    assert ask.refused(p.ProcessVmReadv(**mem(first=4))) == "EFAULT"
    assert ask.refused(p.ReadProcMem(**mem(first=4))) == "EIO"


def test_split_folio_is_done_or_refused_with_a_reason(ask: Asker) -> None:
    ask.needs("thp", "folio-split", "folio-order")
    order = int(ask.greeting.parameters["pmd_order"])
    ask.start(1 << order, order=order)
    ask(p.Write(**mem(), value="x"))
    ask(p.SplitFolio(**mem()))
    assert ask(p.FolioOrder(**mem())) == [0]


def test_what_cannot_be_seen_is_unsupported_with_a_reason(ask: Asker) -> None:
    ask.start()
    ask(p.Write(**mem(), value="x"))
    for query in p.QUERIES:
        if query.capability in ask.greeting.missing:
            answer = ask.answer(_asked(query))
            assert answer.status == "unsupported"
            assert answer.capability == query.capability
            assert answer.why == ask.greeting.missing[query.capability]


def test_the_greeting_is_whole(ask: Asker) -> None:
    greeting = ask.greeting
    assert not ask.capabilities & set(greeting.missing)
    asked = {r.capability for r in p.OPERATIONS + p.QUERIES if r.capability}
    assert asked <= ask.capabilities | set(greeting.missing)
    known = tomllib.loads((Path(__file__).parents[1] / "spec/capabilities.toml").read_text())["capability"]
    assert ask.capabilities | set(greeting.missing) <= set(known)
    assert greeting.parameters["orders"][0] == 0
    assert all(why and "\n" not in why for why in greeting.missing.values())


# --- what it survives -------------------------------------------------------------------------------------


def test_faults_are_answers(ask: Asker) -> None:
    ask(p.CreateFile(file="f", pages=1, filesystem="memfd"))
    ask.start(2, file="f", sharing="shared")
    for _ in range(3):
        assert ask.refused(p.Read(**mem(first=1))) == "SIGBUS"
        assert ask.refused(p.Read(**mem(first=2))) == "SIGSEGV"
        assert ask.refused(p.Read(**mem(count=3))) == "SIGBUS"
    assert ask(p.Read(**mem())) == [""]


def test_names_that_do_not_exist_break_nothing(ask: Asker) -> None:
    assert ask.refused(p.Read(**mem())) == "broken"
    ask.start()
    assert ask.refused(p.Read(**mem(region="nowhere"))) == "broken"
    assert ask.refused(p.Start(process="A")) == "broken"
    assert ask.refused(p.Map(**mem(region="m"), pages=1, file="f")) == "broken"
    assert ask(p.Read(**mem())) == [""]


def test_more_processes_than_there_are_slots(ask: Asker) -> None:
    ask.start()
    answers = [ask.answer(p.Fork(process="A", child=f"B{n}")).status for n in range(100)]
    assert set(answers) == {"ok", "broken"}
    ask(p.Reset())
    ask.start()


def test_a_killed_process_is_a_signal(ask: Asker) -> None:
    ask.start()
    os.kill(ask.linux._names.processes["A"].pid, signal.SIGKILL)
    assert ask.refused(p.Read(**mem())) == "SIGKILL"
    ask.start()
    assert ask(p.Read(**mem())) == [""]


def test_a_hang_ends_and_is_told(ask: Asker) -> None:
    ask.start()
    assert ask.linux._machine
    ask.linux._machine._limit = 0.2
    pid = ask.linux._names.processes["A"].pid
    os.kill(pid, signal.SIGSTOP)
    assert ask.refused(p.Read(**mem())) == "broken"
    assert gone(pid)
    ask(p.Reset())
    ask.start()


def test_a_killed_executor_is_started_again(ask: Asker) -> None:
    ask.start()
    assert ask.linux._machine
    pid = ask.linux._names.processes["A"].pid
    os.kill(ask.linux._machine.pid, signal.SIGKILL)
    assert ask.refused(p.Read(**mem())) == "broken"
    wait_until(lambda: gone(pid))
    ask.start()


def test_an_executor_elsewhere_is_a_command() -> None:
    linux = Linux(["env", str(build.executor())], limit=5)
    try:
        ask = Asker(linux)
        ask.start()
        assert ask(p.Read(**mem())) == [""]
    finally:
        linux.close()


def test_without_a_compiler_the_answer_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "COMPILERS", ())
    monkeypatch.setattr(build, "cache_directories", lambda: iter([tmp_path]))
    linux = Linux()
    answer = linux.handle(p.Hello())
    linux.close()
    assert answer.status == "broken"
    assert "no C compiler" in answer.why


# --- what it leaves behind --------------------------------------------------------------------------------

REQUESTS = [
    {"do": "hello"},
    {"do": "start", "process": "A"},
    {"do": "map", "process": "A", "region": "mem", "pages": 64, "order": 4},
    {"do": "write", "process": "A", "region": "mem", "value": "x"},
]


class Served:
    """`python -m conformance.implementations.linux` with a cache directory of its own."""

    def __init__(self, cache: Path):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "conformance.implementations.linux"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "XDG_CACHE_HOME": str(cache)}, cwd=Path(__file__).parents[1],
        )  # fmt: skip

    def ask(self, request: dict[str, Any] | bytes) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        line = request if isinstance(request, bytes) else json.dumps(request).encode()
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))

    def executor(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(int(c) for c in children if "executor" in Path(f"/proc/{c}/comm").read_text())

    def descendants(self) -> list[int]:
        """The executor and its processes."""
        executor = self.executor()
        return [executor, *map(int, Path(f"/proc/{executor}/task/{executor}/children").read_text().split())]

    def end(self) -> None:
        """Reap it, and close the pipes."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[], Served]]:
    """Starts runners; none outlives the test."""
    started: list[Served] = []

    def start() -> Served:
        started.append(Served(tmp_path))
        return started[-1]

    yield start
    for served in started:
        served.end()


@pytest.fixture
def settings() -> Iterator[Callable[[], dict[str, str]]]:
    """All settings that might be changed; they must be at the end what they are now.

    Meanwhile no other run on this machine may change them; ours has a cache directory, so a lock, of its own.
    """
    Shared.close()
    mine = None
    if ROOT and build.private_directory(build.user_cache()):
        try:
            mine = Settings(build.user_cache())
        except Busy:
            pytest.skip("another run on this machine is changing settings")
    paths = [*THP.glob("**/*enabled"), *THP.glob("khugepaged/*millisecs"), *Path("/sys/kernel/mm/ksm").glob("*run")]
    paths.append(Path("/proc/sys/vm/nr_overcommit_hugepages"))

    def read() -> dict[str, str]:
        return {str(path): path.read_text() for path in paths if path.exists()}

    before = read()
    try:
        yield read
        assert read() == before
    finally:
        if mine:
            mine.close()


def begin(served: Served) -> None:
    for request in REQUESTS:
        answer = served.ask(request)
        if answer["status"] == "unsupported":
            pytest.skip(answer["why"])
        assert answer["status"] == "ok", answer


def test_served_over_a_pipe(serve: Callable[[], Served], settings: Callable[[], dict[str, str]]) -> None:
    served = serve()
    answer = served.ask(b'{"do": "dance", "seq": 7}')
    assert (answer["seq"], answer["status"]) == (7, "broken")
    assert served.ask(b"nonsense")["status"] == "broken"
    assert served.ask({"do": "hello", "seq": 1})["value"]["name"] == "linux"
    pids = served.descendants()
    assert served.ask({"do": "goodbye", "seq": 2})["status"] == "ok"
    assert served.process.wait(10) == 0
    assert all(gone(pid) for pid in pids)


@needs_root
@pytest.mark.skipif(not ORDER_4.exists(), reason="this kernel has no sizes of anonymous folios")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_runner_leaves_nothing(
    serve: Callable[[], Served], settings: Callable[[], dict[str, str]], tmp_path: Path, number: signal.Signals
) -> None:
    before = settings()
    served = serve()
    begin(served)
    assert settings() != before
    pids = served.descendants()
    assert len(pids) == 2
    served.process.send_signal(number)
    served.process.wait(60)
    wait_until(lambda: settings() == before)
    wait_until(lambda: all(gone(pid) for pid in pids))
    wait_until(lambda: not (tmp_path / "mapspec/settings.json").exists())


@needs_root
@pytest.mark.skipif(not ORDER_4.exists(), reason="this kernel has no sizes of anonymous folios")
def test_the_next_run_repairs_what_a_killed_executor_left(
    serve: Callable[[], Served], settings: Callable[[], dict[str, str]]
) -> None:
    before = settings()
    served = serve()
    begin(served)
    pids = served.descendants()
    served.process.send_signal(signal.SIGSTOP)  # so that it does not notice
    os.kill(pids[0], signal.SIGKILL)
    served.end()
    wait_until(lambda: all(gone(pid) for pid in pids))
    assert settings() != before
    again = serve()
    assert again.ask({"do": "hello"})["status"] == "ok"
    again.ask({"do": "goodbye"})
    again.process.wait(10)
    assert settings() == before


@needs_root
def test_a_second_run_does_not_start_with_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Callable[[], dict[str, str]]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("conformance.implementations.linux.settings.LOCK_WAIT", 0.1)
    first, second = Linux(), Linux()
    try:
        Asker(first)
        answer = second.handle(p.Hello())
        assert (answer.status, answer.why) == ("broken", "another mapspec run is using the settings of this machine")
        first.close()
        Asker(second)
    finally:
        second.close()
        first.close()


@needs_root
def test_an_ordinary_user_gets_less_and_is_told_why(ask: Asker) -> None:
    greeting = _as_nobody(lambda: _greeting_and_scenario())
    assert greeting.environment["user"] == "ordinary"
    assert set(greeting.capabilities) < ask.capabilities
    for capability in ("frames", "page-mapcount", "folio-order", "page-flags"):
        assert "hidden" in greeting.missing[capability]
    assert set(greeting.parameters["orders"]) <= set(ask.greeting.parameters["orders"])


def _greeting_and_scenario() -> p.Greeting:
    """Everything that an ordinary user's implementation declares is tried."""
    linux = Linux()
    try:
        ask = Asker(linux)
        for order in ask.greeting.parameters["orders"]:
            ask.start(2 << order, order=order)
            ask(p.Write(**mem(), value="x"))
            ask(p.Fork(process="A", child="B"))
            for query in p.QUERIES:
                if query.capability in ask.capabilities:
                    ask(_asked(query))
            ask(p.Reset())
        return ask.greeting
    finally:
        linux.close()


def _as_nobody(work: Callable[[], p.Greeting]) -> p.Greeting:
    """Do the work in a copy of this process that has become nobody: its interpreter may not be readable for them."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.environ["HOME"] = "/nonexistent"
            os.environ.pop("XDG_CACHE_HOME", None)
            os.chdir("/")
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            result: object = work()
        except BaseException as e:
            result = repr(e)
        with os.fdopen(writer, "wb") as f:
            pickle.dump(msgspec.to_builtins(result), f)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as f:
        data = f.read()
    os.waitpid(child, 0)
    result = pickle.loads(data)
    assert isinstance(result, dict), result
    return msgspec.convert(result, p.Greeting)


# --- decoding ---------------------------------------------------------------------------------------------

SMAPS = """\
1000-3000 rw-p 00000000 00:00 0
Size:                  8 kB
KernelPageSize:        4 kB
Rss:                   8 kB
AnonHugePages:         0 kB
VmFlags: rd wr
3000-4000 r--p 00000000 00:00 0
Size:                  4 kB
KernelPageSize:        4 kB
Rss:                   4 kB
AnonHugePages:         0 kB
VmFlags: rd
"""


def test_smaps_sums_the_vmas_of_a_range() -> None:
    assert kernel.smaps(SMAPS, 0x1000, 0x4000) == {"Size": 12, "Rss": 12, "AnonHugePages": 0}
    assert kernel.smaps(SMAPS, 0x1000, 0x3000) == {"Size": 8, "Rss": 8, "AnonHugePages": 0}
    assert kernel.smaps(SMAPS, 0x8000, 0x9000) == {"Size": 0, "Rss": 0, "AnonHugePages": 0}


def test_folios_are_found_by_head_and_tail() -> None:
    head, tail = kernel.KPF_COMPOUND_HEAD, kernel.KPF_COMPOUND_TAIL
    flags = (0, 0, head, tail, head, tail, tail, tail, head, tail)
    folios = kernel.Folios(lambda frame, count: flags[frame : frame + count], 16)
    present = kernel.PM_PRESENT

    def order(frame: int) -> int:
        return folios.of(kernel.Page(present | frame, 1, flags[frame])).order

    assert [order(frame) for frame in range(1, 10)] == [0, 1, 1, 2, 2, 2, 2, 1, 1]


def test_pages_are_waited_for_until_the_disk_has_them() -> None:
    class Disk(Machine):
        """Writes frame 8 for as long as two looks."""

        def __init__(self) -> None:
            self.told: list[str] = []

        def run(self, *primitives: str) -> list[Result]:
            self.told += primitives
            written = self.told.count("0 flags 7 2") > 2
            flags = {"0 flags 3 1": (0,), "0 flags 7 2": (0, 0 if written else kernel.KPF_WRITEBACK)}
            answers = (flags.get(primitive, ()) for primitive in primitives)
            return [Result("ok", 0, struct.pack(f"={len(answer)}Q", *answer)) for answer in answers]

    disk = Disk()
    Lookup(disk, 4096, 9).wait_for_writeback([0, 8, 7, 3])
    assert disk.told == ["0 flags 3 1", *["0 flags 7 2", "0 sleep 1"] * 2, "0 flags 7 2"]


def test_entries_without_pagemap_scan_are_the_same(ask: Asker) -> None:
    ask.needs("thp", "entries", "frames")
    order = int(ask.greeting.parameters["pmd_order"])
    ask.start(2 << order, order=order)

    def both() -> set[str]:
        seen = []
        for scan in (True, False):
            ask.linux.here.scan = scan
            seen.append(ask(p.Entry(**mem(first=3, count=2 << order))))
        assert seen[0] == seen[1]
        return set(seen[0])

    assert both() == {"none"}
    ask(p.Write(**mem(), value="x"))
    ask(p.Write(**mem(first=1 << order), value="x"))
    assert both() == {"none", "pmd"}
    ask(p.Mprotect(**mem(first=1), protection="read"))
    ask(p.Mprotect(**mem(first=(1 << order) + 1), protection="read"))
    assert both() == {"none", "pte"}


def test_what_an_old_kernel_does_not_tell_is_not_guessed() -> None:
    block = 512 * 4096
    smaps = f"{block:x}-{3 * block:x} rw-p 00000000 00:00 0\nAnonHugePages: 2048 kB\n"
    pages = [kernel.Page(kernel.PM_PRESENT | 1024 + i, 1, kernel.KPF_THP) for i in range(1024)]
    with pytest.raises(entries.Undecided):
        entries.by_smaps(smaps, pages, block, 4096, 9, hugetlb=False)
