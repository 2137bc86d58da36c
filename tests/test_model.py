# SPDX-License-Identifier: MIT
"""The reference model: its invariants under random operations, and the worked values of the fact sheet.

I1 to I8 are numbered as in the fact sheet on mapcounts, section 11.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_impl import mapcount, procfs, profile, rmap, sharing, statistics
from reference_impl.driver_pages import HUGE as PLAIN
from reference_impl.folio import Folio
from reference_impl.kernel import Kernel
from reference_impl.mm import UNCOUNTED, Leaf, Mm, Swapped
from reference_impl.serve import Model

PROFILES = profile.names()
HUGE = [p for p in PROFILES if 9 in profile.load(p).orders]
OWNER_SLOTS = [p for p in HUGE if profile.load(p)["sharing.test"] == "owner-slots"]
PER_PAGE = [p for p in HUGE if profile.load(p)["statistics.pss"] == "page"]


# --- talking to the model -----------------------------------------------------------------------------------


class Talk:
    """A model and short ways to ask it."""

    def __init__(self, profile_name: str) -> None:
        self.model = Model(profile_name)

    @property
    def k(self) -> Kernel:
        return self.model.kernel

    def __call__(self, do: str, process: str | None = None, region: str = "mem", **more: Any) -> Any:
        request: dict[str, Any] = {"do": do, "seq": 1, **more}
        if process is not None:
            request["process"] = process
            if do not in ("start", "exit", "fork"):
                request["region"] = region
        answer = self.model.handle(request)
        assert answer["status"] == "ok", (request, answer)
        return answer.get("value")

    def folio(self, process: str, page: int = 0, region: str = "mem") -> Folio:
        mm = self.k.mms[process]
        entry = mm.table.get(mm.regions[region].first + page)
        assert isinstance(entry, Leaf)
        return entry.folio


# --- invariants ---------------------------------------------------------------------------------------------


def check_invariants(k: Kernel) -> None:
    truth = mapcount.truth(k.mms.values())
    references = other_references(k)
    for folio in k.folios.values():
        seen = truth.get(folio, mapcount.Truth([0] * folio.pages, 0, {}))
        check_references(k, folio, seen, references)
        check_counts(k, folio, seen)
        check_marker(folio, seen)
        check_sharing(k, folio, seen)
    for folio in truth:
        assert k.folios[folio.number] is folio
    for mm in k.mms.values():
        check_tables(k, mm)
        check_smaps(k, mm)
    check_statistics(k, truth)
    if k.profile["statistics.pss"] == "page":
        # The sum of PSS over all processes is the memory that is mapped.
        mapped = sum(mapped_pages(folio, seen) for folio, seen in truth.items() if not folio.hugetlb)
        assert sum(statistics.exact_pss(k, mm) for mm in k.mms.values()) == mapped


def other_references(k: Kernel) -> Counter[Folio]:
    """References that are not mappings."""
    found: Counter[Folio] = Counter()
    for device in k.devices.values():
        for folio, references in device.held:
            found[folio] += references
    for places in k.pipes.values():
        found.update(place.folio for place in places)
    for folio, number in k.added.values():
        found[folio] += number
    for buffer in k.buffers.values():
        for folio, pins in buffer.pins:
            found[folio] += pins if folio.large else 1024 * pins
    return found


def check_references(k: Kernel, folio: Folio, seen: mapcount.Truth, others: Counter[Folio]) -> None:
    cached = 0
    if folio.file is not None:
        one = folio.hugetlb and k.profile["hugetlb.cache-references"] == "one"
        cached = 1 if one else folio.pages
    if folio.swap is not None:
        cached += folio.pages
    assert folio.references == seen.mappings + cached + others[folio], "I1"
    assert folio.references >= k.counting.folio_mapcount(folio), "I1"
    if not folio.hugetlb and folio.kind not in ("driver", "mmio"):
        # rule: refcount.expected, refcount.unexpected
        assert folio.references - rmap.expected_references(k, folio) == others[folio]


def check_counts(k: Kernel, folio: Folio, seen: mapcount.Truth) -> None:
    assert k.counting.folio_mapcount(folio) == seen.mappings
    assert k.counting.entire_mapcount(folio) == (seen.entire if folio.large else 0)
    counting = k.profile["mapcount.counting"]
    if counting != "owner-slots-only":
        for page, ptes in enumerate(seen.ptes):
            assert k.counting.page_mapcount(folio, page) == ptes + seen.entire
    if not folio.large:
        assert folio.mapcount == seen.ptes[0], "I9"
        return
    if folio.hugetlb:
        assert folio.entire_mapcount == folio.large_mapcount, "I8"
        assert all(slot.mm is None for slot in folio.slots), "I8"
        return
    if counting in ("nr-pages-mapped", "owner-slots"):
        assert folio.large_mapcount == folio.entire_mapcount + folio.page_mapcounts.total(), "I2"
        pages = sum(1 for ptes in seen.ptes if ptes)
        assert folio.nr_pages_mapped == pages + (mapcount.ENTIRELY_MAPPED if seen.entire else 0), "I3"
    if counting in ("owner-slots", "owner-slots-only"):
        used = [slot for slot in folio.slots if slot.mm is not None]
        for slot in folio.slots:
            assert (slot.count >= 1) == (slot.mm is not None), "I6"
        for slot in used:
            assert slot.mm is not None and slot.count <= seen.by_mm[slot.mm], "I6"
        if not folio.maybe_shared and seen.mappings:
            assert len(used) == 1 and used[0].count == folio.large_mapcount, "I6"
        if len(seen.by_mm) >= 2:
            assert folio.maybe_shared, "I7"


def check_marker(folio: Folio, seen: mapcount.Truth) -> None:
    for page in range(folio.pages):
        if folio.exclusive >> page & 1:
            assert folio.anon and folio.kind != "ksm", "I4"
            assert seen.ptes[page] + seen.entire <= 1, "I4"


def check_sharing(k: Kernel, folio: Folio, seen: mapcount.Truth) -> None:
    """Nothing that two processes map is called exclusive where the kernel promises that."""
    if len(seen.by_mm) >= 2 and (k.profile["sharing.test"] == "owner-slots" or not folio.large):
        assert sharing.maybe_mapped_shared(k, folio, 0)


def check_tables(k: Kernel, mm: Any) -> None:
    rss = Counter()
    assert all(mm.covers(first, end) for first, end, _ in mm.table), "an entry without a VMA"
    runs = [(vma, *run) for vma in mm.vmas for run in mm.table.over(vma.first, vma.end)]
    for vma, first, end, entry in runs:
        if isinstance(entry, Swapped):
            rss["swap"] += end - first
        elif entry.kind in ("pmd", "huge-zero"):
            assert first % mm.pmd_pages == 0 and end - first == mm.pmd_pages
        if not isinstance(entry, Swapped) and entry.kind.startswith("raw"):
            assert not (entry.writable and vma.cow), "a private write would reach the device"
        if isinstance(entry, Swapped) or entry.kind in (*UNCOUNTED, "hugetlb"):
            continue
        kind = entry.folio.kind
        rss["anon" if entry.folio.anon else "file" if kind == "driver" else kind] += end - first
        if entry.writable:
            assert vma.may_write
            if not vma.shared:
                pages = range(entry.page, entry.page + end - first) if entry.kind == "pte" else range(1)
                assert entry.folio.anon and all(entry.folio.is_exclusive(page) for page in pages), "I5"
    assert (mm.anon_pages, mm.file_pages, mm.shmem_pages, mm.swap_entries) == (
        rss["anon"], rss["file"], rss["shmem"], rss["swap"],
    )  # fmt: skip
    # What the regions count, together, is what the process counts.
    asked = Counter()
    for first, pages in mm.regions.values():
        asked.update(procfs.rss(mm, first, first + pages))
    assert (asked["anon"], asked["file"], asked["shmem"]) == (mm.anon_pages, mm.file_pages, mm.shmem_pages)


def mapped_pages(folio: Folio, seen: mapcount.Truth) -> int:
    return folio.pages if seen.entire else sum(1 for ptes in seen.ptes if ptes)


def check_statistics(k: Kernel, truth: dict[Folio, mapcount.Truth]) -> None:
    expected = Counter()
    for folio, seen in truth.items():
        if folio.hugetlb:
            continue
        whole = folio.large and k.profile["mapcount.counting"] == "owner-slots-only"
        expected["nr_anon_mapped" if folio.anon else "nr_file_mapped"] += (
            folio.pages if whole else mapped_pages(folio, seen)
        )
        if seen.entire and folio.large:
            names = {"anon": "nr_anon_thps", "shmem": "nr_shmem_pmdmapped"}
            name = names.get(folio.kind, "nr_file_pmdmapped")
            expected[name] += folio.pages
    for name, value in k.counters.items():
        if name.startswith("nr_"):
            assert value == expected[name], name


def check_smaps(k: Kernel, mm: Mm) -> None:
    """What holds of smaps and smaps_rollup in every state, whatever the profile."""
    smaps, rollup = statistics.smaps(k, mm, mm.vmas), statistics.smaps_rollup(k, mm)
    for fields in (smaps, rollup):
        parts = ("Private_Clean", "Private_Dirty", "Shared_Clean", "Shared_Dirty")
        assert sum(fields[part] for part in parts) == fields["Rss"]
        assert fields["Pss_Dirty"] <= fields["Pss"] <= fields["Rss"] <= smaps["Size"]
        assert max(fields["Referenced"], fields["Anonymous"]) <= fields["Rss"]
        assert max(fields.get("KSM", 0), fields["LazyFree"], fields["AnonHugePages"]) <= fields["Anonymous"]
        assert fields["Locked"] <= fields["Pss"]
        assert fields["SwapPss"] <= fields["Swap"]
    for name in set(rollup) - set(statistics.OF_ROLLUP):
        # rule: statistics.rollup
        lost = rollup[name] - smaps[name]
        assert 0 <= lost <= (len(mm.vmas) if name in statistics.SHARES else 0), name
    assert 0 <= rollup["Pss"] - sum(rollup[kind] for kind in statistics.OF_ROLLUP) <= 2
    if k.profile["pfnmap.smaps"] != "skipped":
        # rule: mixedmap.folio-pmd-leak.  The counters can only be too high.
        assert smaps["Rss"] <= procfs.status(k, mm)["VmRSS"]


# --- random operations --------------------------------------------------------------------------------------

NAMES = "ABCD"
REGIONS: dict[str, dict[str, Any]] = {
    "mem": {"pages": 6},
    "mid": {"pages": 40, "order": 4, "skew": 3},
    "huge": {"pages": 520, "order": 9},
    "shm": {"pages": 20, "sharing": "shared"},
    "priv": {"pages": 20, "file": "tmp", "offset": 4},
    "both": {"pages": 20, "file": "tmp", "offset": 4, "sharing": "shared"},
    "big": {"pages": 512, "file": "big", "sharing": "shared"},
    "bigp": {"pages": 512, "file": "big"},
    "disk": {"pages": 8, "file": "disk", "sharing": "shared"},
    "tlb": {"pages": 1024, "hugetlb": True},
}
DRIVERS: dict[str, dict[str, Any]] = {
    "ring": {"pages": 6, "memory": "pages", "function": "vm_insert_page"},
    "folio": {"pages": 4, "memory": "compound", "order": 2, "function": "vm_insert_pages"},
    "lazy": {"pages": 6, "memory": "pages", "function": "fault", "sharing": "private"},
    "mixed": {"pages": 6, "memory": "pages", "function": "vmf_insert_mixed"},
    "pages": {"pages": 6, "memory": "pages", "function": "vmf_insert_page", "sharing": "private"},
    "raw": {"pages": 6, "memory": "pages", "function": "remap_pfn_range"},
    "rawp": {"pages": 6, "memory": "pages", "function": "remap_pfn_range", "sharing": "private"},
    "pfn": {"pages": 6, "memory": "mmio", "function": "vmf_insert_pfn"},
    "shmem": {"pages": 6, "memory": "page_cache", "function": "vm_insert_page"},
    "block": {"pages": 4, "memory": "block", "order": 2, "function": "remap_pfn_range"},
    "rawhuge": {"pages": 512, "memory": "mmio", "function": "vmf_insert_pfn_pmd"},
    "huge9": {"pages": 512, "memory": "compound", "order": 9, "function": "vmf_insert_folio_pmd"},
}
# What a driver may call at any time.  Those for stores would make a private mapping write to the device, and since 7.3
# vm_insert_pages makes a VMA one that loses folios, see mixedmap.folio-pmd-leak.
CALLS = ["vm_insert_page", "remap_pfn_range", "vmf_insert_pfn", "vmf_insert_mixed", "vmf_insert_page"]
ADVICE = [
    "dontneed", "free", "cold", "pageout", "hugepage", "nohugepage", "collapse", "populate_read", "populate_write",
    "dontfork", "dofork", "wipeonfork", "keeponfork", "mergeable", "unmergeable",
]  # fmt: skip

tokens = st.sampled_from(["", "a", "b", "c"])
number = st.integers(0, 11)


def on_pages(do: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An operation on pages; process, region and pages are numbers until it is known what there is."""
    return st.fixed_dictionaries(
        {"do": st.just(do), "process": number, "region": number, "first": number, "count": number, **more}
    )


def on(do: str, **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"do": st.just(do), **more})


operations = st.one_of(
    on_pages("write", value=tokens),
    on_pages("write", value=tokens),
    on_pages("read"),
    on("fork", process=number),
    on("fork", process=number),
    on("exit", process=number),
    on_pages("madvise", advice=st.sampled_from(ADVICE)),
    on_pages("madvise", advice=st.sampled_from(["dontneed", "pageout", "mergeable", "collapse"])),
    on_pages("mprotect", protection=st.sampled_from(["none", "read", "read-write", "read-write"])),
    on_pages("unmap"),
    on_pages("mremap", skew=st.sampled_from([0, 1])),
    on_pages("split_folio", order=st.sampled_from([0, 0, 2])),
    on("ksm_scan"),
    on_pages("vmsplice"),
    on("close_pipe", pipe=number),
    on("tee", pipe=number),
    on("fuse_splice", pipe=number),
    on_pages("add_references", number=st.sampled_from([1, 7, 1023])),
    on("drop_references", hold=number),
    on_pages("register_buffer"),
    on("unregister_buffer", buffer=number),
    on_pages("process_vm_readv"),
    on_pages("read_proc_mem"),
    on_pages("write_proc_mem", value=tokens),
    on("write_file", file=number, first=number, count=number, value=tokens),
    on_pages("mlock"),
    on_pages("mremap", skew=st.just(0), how=st.sampled_from(["dontunmap", "duplicate"])),
    on("unmap_mapping_range", device=number, first=number, count=number, even_cows=st.booleans()),
    on_pages("zap_vma"),
    on("free_device", device=number),
    on_pages("call_driver", device=number, function=st.sampled_from(CALLS)),
)


def resolved(k: Kernel, request: dict[str, Any], serial: int) -> dict[str, Any] | None:
    """The numbers of a request turned into what there is; None if there is nothing of the kind."""
    request = dict(request)
    pick = {"process": k.mms, "file": k.files}
    pick |= {"pipe": k.pipes, "buffer": k.buffers, "device": k.devices}
    if request["do"] == "drop_references":
        pick["hold"] = k.added
    for name, things in pick.items():
        if name in request:
            if not things:
                return None
            request[name] = list(things)[request[name] % len(things)]
    if "region" in request:
        mm = k.mms[request["process"]]
        request["region"] = list(mm.regions)[request["region"] % len(mm.regions)]
        size = mm.regions[request["region"]].pages
        request["first"] = [0, 0, 0, 0, 1, 5, size // 2, size - 1, 0, 0, 2, 3][request["first"]] % size
        left = size - request["first"]
        request["count"] = min(left, [1, 1, 1, 1, 2, 3, 16, left, left, left // 2 or 1, 4, left + 1][request["count"]])
    match request["do"]:
        case "fork":
            free = [name for name in NAMES if name not in k.mms]
            return {**request, "child": free[0]} if free else None
        case "exit" if len(k.mms) == 1:
            return None
        case "mremap":
            return {**request, "to": f"moved{serial}"}
        case "vmsplice":
            return {**request, "pipe": f"p{serial}"}
        case "tee":
            return {**request, "to": f"p{serial}"}
        case "add_references":
            return {**request, "hold": f"h{serial}"}
        case "register_buffer":
            return {**request, "buffer": f"b{serial}"}
        case "call_driver":
            return {**request, "count": min(request["count"], k.devices[request["device"]].count)}
        case "write_file" | "unmap_mapping_range":
            return {**request, "count": request["count"] + 1}
    return request


def prepared(profile_name: str, regions: list[str]) -> Talk:
    """A system with one process and some regions."""
    talk = Talk(profile_name)
    orders = talk.model.profile.orders
    talk("create_file", file="tmp", pages=32, filesystem="tmpfs", order=4 if 4 in orders else 0)
    big = 9 if 9 in talk.model.profile.shmem_orders else 0
    talk("create_file", file="big", pages=512, filesystem="memfd", order=big)
    talk("create_file", file="disk", pages=8, filesystem="disk")
    talk("start", "A")
    for region in regions:
        if region in DRIVERS:
            driver = dict(DRIVERS[region])
            if driver["pages"] == 512 and (9 not in orders or talk.model.profile.version < (6, 18)):
                driver["function"] = PLAIN[driver["function"]]
            memory = {name: driver.pop(name) for name in ("memory", "order") if name in driver}
            talk("create_device", device=region, pages=driver["pages"], **memory)
            talk("map_device", "A", region, device=region, **driver)
            continue
        options = dict(REGIONS[region])
        if options.get("order", 0) not in orders:
            options["order"] = 0
        talk("map", "A", region, **options)
    return talk


def answer_to(talk: Talk, request: dict[str, Any]) -> dict[str, Any]:
    """What comes back; anything but a failure of the model itself is fine."""
    answer = talk.model.handle({**request, "seq": 7})
    assert answer["seq"] == 7
    assert not answer.get("why", "").startswith("The model failed"), (request, answer)
    return answer


def tear_down(talk: Talk) -> None:
    for name in list(talk.k.mms):
        talk("exit", name)
    for pipe in list(talk.k.pipes):
        talk("close_pipe", pipe=pipe)
    for buffer in list(talk.k.buffers):
        talk("unregister_buffer", buffer=buffer)
    for hold in list(talk.k.added):
        talk("drop_references", hold=hold)
    for device in talk.k.devices:
        talk("free_device", device=device)
    assert all(folio.file is not None for folio in talk.k.folios.values()), "memory is lost"
    assert not talk.k.swap_counts and not talk.k.swap_cache and not talk.k.swap_contents
    assert talk.k.zero.references == talk.k.huge_zero.references == 1
    check_invariants(talk.k)
    assert all(value == 0 for name, value in talk.k.counters.items() if name.startswith("nr_"))


some_regions = st.lists(st.sampled_from([*REGIONS, *DRIVERS]), min_size=1, max_size=3, unique=True)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("profile_name", PROFILES)
@relaxed
@given(regions=some_regions, requests=st.lists(operations, max_size=25))
def test_invariants_hold_after_any_operations(
    profile_name: str, regions: list[str], requests: list[dict[str, Any]]
) -> None:
    run(profile_name, regions, requests)


def run(profile_name: str, regions: list[str], requests: list[dict[str, Any]]) -> None:
    talk = prepared(profile_name, regions)
    for serial, request in enumerate(requests):
        known = resolved(talk.k, request, serial)
        if known is not None:
            answer_to(talk, known)
            check_invariants(talk.k)
    tear_down(talk)


# --- worked values ------------------------------------------------------------------------------------------
def shape(talk: Talk, process: str, page: int = 0) -> tuple[Any, ...]:
    """mapcount, refcount, both slots and the shared bit of the folio behind a page."""
    folio = talk.folio(process, page)
    slots = [(slot.mm.name if slot.mm else None, slot.count) for slot in folio.slots]
    return talk.k.counting.folio_mapcount(folio), folio.references, *slots, folio.maybe_shared


FREE = (None, 0)


@pytest.mark.parametrize("profile_name", OWNER_SLOTS)
def test_vectors_of_an_order_4_folio(profile_name: str) -> None:
    """The table of section 11: three processes, two slots.  P is A, the children are B, C and D."""

    def shared_by_three() -> Talk:
        talk = Talk(profile_name)
        talk("start", "A")
        talk("map", "A", pages=16, order=4)
        talk("write", "A", value="old")
        assert shape(talk, "A") == (16, 16, ("A", 16), FREE, False)
        talk("fork", "A", child="B")
        assert shape(talk, "A") == (32, 32, ("A", 16), ("B", 16), True)
        talk("fork", "A", child="C")
        assert shape(talk, "A") == (48, 48, ("A", 16), ("B", 16), True)
        talk("write", "B", value="new")
        assert shape(talk, "A") == (47, 47, ("A", 16), ("B", 15), True)
        talk("exit", "B")
        assert shape(talk, "A") == (32, 32, ("A", 16), FREE, True)
        return talk

    talk = shared_by_three()
    talk("exit", "C")
    assert shape(talk, "A") == (16, 16, ("A", 16), FREE, False)
    before = talk("frame", "A", first=3)
    talk("write", "A", first=3, value="mine")
    assert talk("frame", "A", first=3) == before
    assert talk("anon_exclusive", "A", first=2, count=3) == [False, True, False]
    assert shape(talk, "A") == (16, 16, ("A", 16), FREE, False)

    talk = shared_by_three()
    talk("unmap", "A", count=16)
    assert shape(talk, "C") == (16, 16, FREE, FREE, True)
    before = talk("frame", "C", first=3)
    talk("write", "C", first=3, value="mine")
    assert talk("frame", "C", first=3) != before
    assert shape(talk, "C") == (15, 15, FREE, FREE, True)
    talk("fork", "C", child="D")
    assert shape(talk, "C") == (30, 30, ("D", 15), FREE, True)
    talk("exit", "D")
    assert shape(talk, "C") == (15, 15, FREE, FREE, True)
    talk("unmap", "C", count=5)
    talk("unmap", "C", first=6, count=10)
    assert shape(talk, "C", 5) == (1, 1, FREE, FREE, True)
    assert talk("maybe_mapped_shared", "C", first=5) == [False]
    large = talk.folio("C", 5)
    talk("write", "C", first=5, value="mine")
    assert talk.folio("C", 5) is not large and large.number not in talk.k.folios


@pytest.mark.parametrize("profile_name", [p for p in PER_PAGE if p != "linux-6.1"])
def test_worked_values_of_a_huge_folio(profile_name: str) -> None:
    """The table of section 1.3: entire, pages, total, _nr_pages_mapped, references."""
    talk = Talk(profile_name)
    marker = mapcount.ENTIRELY_MAPPED

    def values(process: str) -> tuple[Any, ...]:
        folio = talk.folio(process, 1)
        pages = [(run.end - run.first, run.value) for run in folio.page_mapcounts.over_all(0, 512)]
        return folio.entire_mapcount, pages, folio.large_mapcount, folio.nr_pages_mapped, folio.references

    talk("start", "A")
    talk("map", "A", pages=512, order=9)
    talk("write", "A", value="x")
    assert values("A") == (1, [(512, 0)], 1, marker, 1)
    talk("fork", "A", child="B")
    assert values("A") == (2, [(512, 0)], 2, marker, 2)
    talk("mprotect", "A", count=1, protection="read")
    assert values("A") == (1, [(512, 1)], 513, marker + 512, 513)
    talk("mprotect", "A", count=1, protection="read-write")
    talk("write", "A", value="y")
    assert values("A") == (1, [(1, 0), (511, 1)], 512, marker + 511, 512)
    assert talk("page_mapcount", "A", first=0, count=2) == [1, 2]
    assert talk("page_mapcount", "B", first=0, count=2) == [1, 2]
    talk("exit", "B")
    assert values("A") == (0, [(1, 0), (511, 1)], 511, 511, 511)
    assert talk("page_mapcount", "A", first=0, count=2) == [1, 1]


def test_double_map_of_linux_6_1() -> None:
    """PG_double_map comes when one of two PMDs is split and goes with the last PMD."""
    talk = Talk("linux-6.1")
    talk("start", "A")
    talk("map", "A", pages=512, order=9)
    talk("write", "A", value="x")
    talk("fork", "A", child="B")
    folio = talk.folio("A")
    talk("write", "A", value="y")
    assert folio.double_map
    assert [run.value for run in folio.page_mapcounts.over_all(0, 512)] == [1, 2]
    assert talk("page_mapcount", "B", count=2) == [1, 2]
    assert talk("folio_mapcount", "B") == [512]
    talk("exit", "B")
    assert not folio.double_map
    assert [run.value for run in folio.page_mapcounts.over_all(0, 512)] == [0, 1]


@pytest.mark.parametrize(
    ("case", "refcount", "mapcount_"),
    [("one PMD", 1, 1), ("PTEs of one", 512, 512), ("PMD and PTEs", 513, 513)],
)
@pytest.mark.parametrize("profile_name", HUGE)
def test_worked_references(profile_name: str, case: str, refcount: int, mapcount_: int) -> None:
    """The totals of section 4.1 for an anonymous huge folio."""
    talk = Talk(profile_name)
    talk("start", "A")
    talk("map", "A", pages=512, order=9)
    talk("write", "A", value="x")
    if case == "PMD and PTEs":
        talk("fork", "A", child="B")
    if case != "one PMD":
        talk("mprotect", "A", protection="read")
    assert talk("refcount", "A") == [refcount]
    assert talk("folio_mapcount", "A") == [mapcount_]


@pytest.mark.parametrize("profile_name", HUGE)
def test_worked_references_of_files_and_pins(profile_name: str) -> None:
    talk = Talk(profile_name)
    talk("create_file", file="f", pages=512, filesystem="memfd", order=9)
    for process in "ABC":
        talk("start", process)
    for process in "AB":
        talk("map", process, pages=512, file="f", sharing="shared")
    talk("map", "C", pages=512, file="f", sharing="shared", skew=3)
    for process in "ABC":
        talk("madvise", process, count=512, advice="populate_read")
    assert talk("entry", "A") == ["pmd"] and talk("entry", "C") == ["pte"]
    assert talk("refcount", "A") == [512 + 2 + 512]
    assert talk("folio_mapcount", "A") == [514]
    assert talk("page_mapcount", "A") == [3] if "page-mapcount" not in talk.model.missing else True

    talk("map", "A", "small", pages=1)
    talk("register_buffer", "A", "small", buffer="b")
    assert talk("refcount", "A", "small") == [1 + 1024]
    talk("map", "A", "huge", pages=512, order=9)
    talk("write", "A", "huge", value="x")
    talk("vmsplice", "A", "huge", count=512, pipe="p")
    assert talk("refcount", "A", "huge") == [1 + 512]


def test_a_request_that_makes_no_sense_is_broken_and_nothing_is_raised() -> None:
    model = Model("linux-7.3")
    for request in ({}, {"do": "nonsense"}, {"do": "read", "process": "A"}, {"do": "map", "process": 3}, []):
        answer = model.handle(request)  # type: ignore[arg-type]
        assert answer["status"] in ("broken", "errno")


def test_the_program_answers_line_by_line() -> None:
    lines = [
        {"do": "hello", "seq": 1, "protocol": 1, "profile": "linux-6.12"},
        {"do": "start", "seq": 2, "process": "A"},
        {"do": "read", "seq": 3, "process": "A", "region": "nowhere"},
        {"do": "goodbye", "seq": 4},
    ]
    out = subprocess.run(
        [sys.executable, "-m", "reference_impl"],
        input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["seq"] for answer in answers] == [1, 2, 3, 4]
    assert answers[0]["value"]["profile"] == "linux-6.12"
    assert answers[2] == {"seq": 3, "status": "signal", "signal": "SIGSEGV"}


def test_reset_forgets_everything_and_numbers_frames_as_before() -> None:
    talk = Talk("linux-7.3")
    frames = []
    for _ in range(2):
        talk("start", "A")
        talk("map", "A", pages=3)
        talk("write", "A", count=3, value="x")
        frames.append(talk("frame", "A", count=3))
        talk("reset")
    assert frames[0] == frames[1]
    assert not talk.k.mms and not talk.k.folios
