# SPDX-License-Identifier: MIT
"""What a kernel logs belongs to the verdict: both ways, and to the scenario that caused it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from conformance import engine, expectations, profiles, report, suite
from conformance.checked import Checked
from conformance.implementations import Guest, Model, Reply
from conformance.implementations.linux.log import Log, complaint, plain
from conformance.implementations.linux.machine import Result
from conformance.lab.console import bug
from conformance.protocol import Finish, KernelLog, Logged, Request, Reset, Write
from conformance.runner import Run
from conformance.stop import Stop
from conformance.suite import Scenario

WARNED = "mixedmap.mkwrite-occupied.other"
LEAKS = "mixedmap.folio-pmd-leak.part"
WARNING = Logged("warning", "WARNING: mm/memory.c:1 at do_wp_page", "do_wp_page", "mm/memory.c")


@pytest.fixture(scope="module")
def scenarios() -> dict[str, Scenario]:
    return suite.load_or_raise(suite.ROOT).scenarios


PROFILE = profiles.load(suite.ROOT)[1][profiles.DEFAULT]


class Talking(Model):
    """The model on a machine of its own, whose kernel says something more at a write, or nothing at all."""

    def __init__(self, *, mute: bool = False, boots: int = 0, at_end: bool = False):
        self.mute, self.boots, self.at_end = mute, boots, at_end
        self.more: list[Logged] = []
        super().__init__()

    def request(self, request: Request) -> Reply:
        if isinstance(request, Reset):
            self.more = []
        if self.boots > 0 and isinstance(request, Finish if self.at_end else Write):
            self.more = [WARNING]
        reply = super().request(request)
        if isinstance(request, (Finish, KernelLog)):
            reply = reply._replace(value=[] if self.mute else reply.value + self.more)
        return reply

    def heard(self) -> tuple[list[str], bool]:
        return [], False

    def restart(self) -> None:
        self.boots -= 1

    def end(self) -> tuple[list[str], list[str]]:
        return ["it was switched off"], []


def play(scenario: Scenario, implementation: Model) -> engine.Verdict:
    return engine.run_scenario(scenario, implementation, PROFILE)


# --- both directions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_end", [False, True])
def test_a_warning_that_nobody_asked_for_is_a_failure(scenarios: dict[str, Scenario], at_end: bool) -> None:
    verdict = play(scenarios["cow.last-user.child-exits"], Talking(boots=1, at_end=at_end))
    assert (verdict.status, verdict.complaints) == ("fail", [WARNING.text])
    assert WARNING.text in verdict.reason
    assert verdict.log, "the operations are shown"


def test_a_warning_that_was_promised_and_does_not_come_is_a_failure(scenarios: dict[str, Scenario]) -> None:
    verdict = play(scenarios[WARNED], Talking(mute=True))
    assert (verdict.status, verdict.expected) == ("fail", "a warning in insert_page_into_pte_locked")
    assert verdict.seen == "nothing in the kernel log"
    assert play(scenarios[WARNED], Talking()).status == "pass"


def test_another_warning_than_the_promised_one_is_a_failure(scenarios: dict[str, Scenario]) -> None:
    verdict = play(scenarios[WARNED], Talking(boots=1))
    assert (verdict.status, verdict.complaints) == ("fail", [WARNING.text])


def test_a_leak_is_found_where_no_step_tells_of_it(scenarios: dict[str, Scenario]) -> None:
    leaking = scenarios[LEAKS]
    assert play(leaking, Talking()).status == "pass"
    verdict = play(replace(leaking, steps=leaking.steps[:-1]), Talking())
    assert verdict.status == "fail"
    assert verdict.complaints == ["512 pages of a driver are still referenced"]


def test_a_leak_that_was_promised_and_does_not_come_is_a_failure(scenarios: dict[str, Scenario]) -> None:
    sound = scenarios["mixedmap.folio-pmd-leak.whole-back"]
    verdict = play(replace(sound, steps=(*sound.steps, scenarios[LEAKS].steps[-1])), Talking())
    assert (verdict.status, verdict.expected) == ("fail", "512 pages that are never freed")


def test_without_the_capability_nothing_is_asked(scenarios: dict[str, Scenario]) -> None:
    talking = Talking(boots=1)
    talking.greeting.capabilities.remove("kernel-log")
    assert play(scenarios["cow.last-user.child-exits"], talking).status == "pass"
    assert play(scenarios[WARNED], talking).status == "unsupported"


def test_what_stopped_early_is_judged_by_what_its_steps_would_have_asked(scenarios: dict[str, Scenario]) -> None:
    talking = Talking(boots=1)
    talking.greeting.capabilities.remove("anon-exclusive")
    stopped = next(s for s in scenarios.values() if s.id == "cow.last-user.child-exits")
    step = replace(stopped.steps[-1], text="page 0 of A is marked exclusive")
    stopped = replace(stopped, steps=(*stopped.steps, step))
    assert play(stopped, talking).status == "fail"
    step = replace(step, text="the kernel warns in do_wp_page")
    verdict = play(replace(stopped, steps=(*stopped.steps, step)), talking)
    assert verdict.status == "unsupported"
    assert f"kernel log: {WARNING.text}" in verdict.notes


# --- the emulator's own faults ---------------------------------------------------------------------------


@pytest.mark.parametrize(("boots", "status"), [(1, "pass"), (9, "fail")])
def test_a_complaint_counts_when_it_comes_again_in_a_new_guest(
    scenarios: dict[str, Scenario], boots: int, status: str
) -> None:
    scenario, talking = scenarios["cow.last-user.child-exits"], Talking(boots=boots)
    with Stop() as stop:
        loaded = suite.load_or_raise(suite.ROOT)
        head = report.header(loaded, talking.greeting, PROFILE.name, [], [scenario])
        made, _ = Run([scenario], talking, PROFILE, expectations.Expectations()).play(head, stop)
    result = made.results[scenario.id]
    assert result.status == status
    assert any(note.startswith("the kernel complained at the first try, fail: ") for note in result.notes)
    assert made.footer.notes == ["it was switched off"]


def test_a_guest_whose_messages_are_checked_is_still_one(scenarios: dict[str, Scenario]) -> None:
    assert isinstance(Checked(Talking()), Guest)
    assert not isinstance(Checked(Model()), Guest)
    checked = Checked(Talking(boots=1))
    verdict = engine.run_scenario(scenarios["cow.last-user.child-exits"], checked, PROFILE)
    assert verdict.complaints == [WARNING.text]


# --- lines -----------------------------------------------------------------------------------------------


class Ring:
    """A machine with a log: it gives what has come since the last time, in portions."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def do(self, primitive: str) -> list[Result]:
        assert primitive == "0 log"
        now, self.lines = self.lines[:2], self.lines[2:]
        records = "".join(f"4,{n},123,-,caller=T1;{line}\n SUBSYSTEM=x\n" for n, line in enumerate(now))
        return [Result("ok", int(bool(self.lines)), records.encode())]


def test_a_line_belongs_to_the_scenario_in_which_it_came() -> None:
    """A line is in the ring buffer when what caused it returns, so none comes late.  The console has no part in it."""
    ring = Ring()
    log = Log(ring)  # type: ignore[arg-type]
    ring.lines = ["WARNING: mm/rmap.c:1 at of_the_one_before+0x1/0x2", "fine", "BUG: Bad page state in process x"]
    log.forget()
    assert log.read() == []
    ring.lines = ["WARNING: mm/rmap.c:1 at a+0x1/0x2", "fine", "fine", "WARNING: mm/rmap.c:1 at b+0x1/0x2"]
    assert [one.function for one in log.read()] == ["a", "b"]
    ring.lines = ["WARNING: mm/rmap.c:1 at c+0x1/0x2"]
    assert [one.function for one in log.read()] == ["a", "b", "c"], "it looks, and takes nothing away"
    log.forget()
    assert log.read() == []


@pytest.mark.parametrize(
    ("line", "kind", "place"),
    [
        ("WARNING: CPU: 1 PID: 33 at mm/memory.c:2166 insert_pfn+0x1/0x2", "warning", ("insert_pfn", "mm/memory.c")),
        ("WARNING: mm/memory.c:2496 at f+0x1/0x2, CPU#0: executor/3290", "warning", ("f", "mm/memory.c")),
        ("WARNING: include/linux/mm.h:4 at f+0x1/0x2 [mapspec], CPU#0: x/1", "warning", ("f", "include/linux/mm.h")),
        ("WARNING: CPU: 0 PID: 1 at lib/refcount.c:22 refcount_warn_saturate+0x1/0x2", "warning",
         ("refcount_warn_saturate", "lib/refcount.c")),
        ("WARNING: possible circular locking dependency detected", "locking", ("", "")),
        ("INFO: suspicious RCU usage", "locking", ("", "")),
        ("BUG: KASAN: slab-use-after-free in f+0x1/0x2", "checker", ("", "")),
        ("UBSAN: array-index-out-of-bounds in mm/rmap.c:1:2", "checker", ("", "")),
        ("BUG: Bad page map in process x  pte:1 pmd:2", "bad-page", ("", "")),
        ("BUG: Bad rss-counter state mm:00000000abcdef01 type:MM_FILEPAGES val:512", "bad-rss", ("", "")),
        ("kernel BUG at mm/page_table_check.c:87!", "bug", ("", "")),
        ("BUG: sleeping function called from invalid context at mm/x.c:1", "bug", ("", "")),
        ("mapspec: not done, it would be a BUG: function 14 at a fault", "bug", ("", "")),
    ],
)  # fmt: skip
def test_complaints(line: str, kind: str, place: tuple[str, str]) -> None:
    found = complaint(line)
    assert found is not None
    assert (found.kind, (found.function, found.file)) == (kind, place)


@pytest.mark.parametrize(
    "line",
    [
        "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [executor:33]",
        "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
        "INFO: task executor:33 blocked for more than 120 seconds.",
        "executor[33]: segfault at 10 ip 0000000000401000 sp 00007ffd error 4",
        "mapspec: ready",
    ],
)
def test_what_only_takes_long_is_no_complaint(line: str) -> None:
    """An emulator is slow, and scenarios cause faults on purpose."""
    assert complaint(line) is None


def test_a_line_is_the_same_in_every_run() -> None:
    assert plain("[ 1.0][   T33] BUG: Bad rss-counter state mm:00000000abcdef01 val:1 Comm:x Pid:12") == (
        "BUG: Bad rss-counter state mm:… val:1"
    )
    assert plain("WARNING: CPU: 1 UID: 0 PID: 33 at mm/memory.c:2166 f+0x1/0x2") == "WARNING: at mm/memory.c:2166 f"


# --- what a kernel says when it dies ----------------------------------------------------------------------

X86 = """\
[    9.1] kernel BUG at mm/memory.c:2557!
[    9.1] Oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
[    9.1] RIP: 0010:remap_pfn_range_internal+0x4b5/0x560
[    9.1] Call Trace:
[    9.1]  <TASK>
[    9.1]  remap_pfn_range+0x41/0x70
[    9.1]  map.isra.0+0x1d5/0x2f0 [mapspec]
[    9.1]  mapspec_ioctl+0x6f1/0x1200 [mapspec]
[    9.1]  __x64_sys_ioctl+0x8d/0xd0
"""
UML = """\
BUG: failure at mm/memory.c:3056/remap_pte_range()!
Kernel panic - not syncing: BUG!
Call Trace:
 [<60030f5b>] ? um_set_signals+0x3d/0x3f
 [<60155ad5>] remap_pfn_range+0x1aa/0x1c9
 [<62b1c3e8>] map+0x1f5/0x355 [mapspec]
"""


def lines(text: str) -> Iterator[str]:
    yield from text.splitlines()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (X86, "BUG at mm/memory.c:2557, in remap_pfn_range_internal"),
        (X86.replace("RIP: 0010:", "EIP: "), "BUG at mm/memory.c:2557, in remap_pfn_range_internal"),
        (UML, "BUG at mm/memory.c:3056, in remap_pte_range"),
    ],
)
def test_a_bug_is_found_with_its_function(text: str, says: str) -> None:
    found = bug(list(lines(text)))
    assert found is not None
    assert str(found) == says
    assert found.by_module and found.inside("remap_pfn_range")
    assert not found.inside("vm_insert_page"), "another function than the one that was called"


def test_a_bug_elsewhere_is_not_that_of_the_driver() -> None:
    assert bug(["Oops: int3: 0000 [#1] SMP"]) is None
    elsewhere = bug(list(lines(X86.replace(" [mapspec]", ""))))
    assert elsewhere is not None and not elsewhere.by_module
