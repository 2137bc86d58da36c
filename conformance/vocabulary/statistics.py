# SPDX-License-Identifier: MIT
"""Phrases for statistics: smaps, smaps_rollup, status, pagemap and the rest of what /proc tells of memory."""

from __future__ import annotations

import re
from typing import get_args

from conformance import protocol
from conformance.engine import Context, Mismatch
from conformance.vocabulary import operation, outcome
from conformance.vocabulary.memory import span_of
from conformance.vocabulary.types import DEFAULT_REGION, Area, Number, Pages, define

CATEGORIES = get_args(protocol.ScanCategory)
_CATEGORY = "|".join(CATEGORIES)
_LINE = "[A-Z][A-Za-z]+(?:_[A-Z][a-z]+)*"

define(
    "field", _LINE, str,
    "A field of /proc/PID/smaps, smaps_rollup or status.", "Rss", "Pss_Dirty", "VmLck", kind=str,
)  # fmt: skip
define(
    "lines", rf"{_LINE}(?:, {_LINE})+ and {_LINE}", lambda text: tuple(re.findall(_LINE, text)),
    "Names of lines, all of them, in their order.", "Rss, Pss and Pss_Dirty", kind=tuple,
)  # fmt: skip
define(
    "counts", r"(?:[a-z]+=\d+(?: [a-z]+=\d+)*|none of the four)",
    lambda text: {name: int(value) for name, value in re.findall(r"([a-z]+)=(\d+)", text)},
    "Counts as a line of /proc/PID/numa_maps prints them.", "anon=1 dirty=1", "none of the four", kind=dict,
)  # fmt: skip
define(
    "categories", rf"(?:(?:{_CATEGORY})(?:, (?:{_CATEGORY}))*(?: and (?:{_CATEGORY}))?|nothing)",
    lambda text: frozenset(re.findall(_CATEGORY, text)),
    "Categories of PAGEMAP_SCAN.", "present", "written, file and present", "nothing", kind=frozenset,
)  # fmt: skip
define(
    "mark", "soft-dirty|write-protected", {"soft-dirty": "soft-dirty", "write-protected": "uffd-wp"}.__getitem__,
    "A bit of /proc/PID/pagemap: soft-dirty (55), write-protected by a userfaultfd (57).", "soft-dirty", kind=str,
)  # fmt: skip
define(
    "kpageflag", "MMAP|COMPOUND_HEAD|COMPOUND_TAIL|THP", str.lower,
    "A flag that /proc/kpageflags shows.", "MMAP", kind=str,
)  # fmt: skip


@outcome("smaps of {area} shows {number} kB {field}")
def smaps_shows(c: Context, area: Area, number: Number, field: str) -> None:
    """A field of /proc/PID/smaps, summed over the VMAs of the region."""
    fields = c.do(protocol.Smaps(process=area.process, region=area.region))
    _compare_field(c, fields, number, field)


@outcome("smaps of {processes} adds up to {number} kB {field}")
def smaps_adds_up(c: Context, processes: tuple[str, ...], number: Number, field: str) -> None:
    """A field of /proc/PID/smaps for the region `mem`, summed over the processes as it is printed."""
    seen = [c.do(protocol.Smaps(process=process, region=DEFAULT_REGION)) for process in processes]
    if any(field not in fields for fields in seen):
        raise Mismatch(f"{field} of {number} kB in all", "no such field")
    _compare_field(c, {field: sum(fields[field] for fields in seen)}, number, field)


def _compare_field(c: Context, fields: dict[str, int], number: Number, field: str) -> None:
    """One field in kB; where more than one value is allowed, what was seen is noted."""
    if not number.admits(fields.get(field, -1)):
        raise Mismatch(f"{field} of {number} kB", f"{fields.get(field, 'no such field')}")
    if not number.exact:
        c.note(f"{field} {number}: seen {fields[field]}")


@outcome("the lines of smaps of {area} are {lines}")
def smaps_lines(c: Context, area: Area, lines: tuple[str, ...]) -> None:
    """The names of the lines of /proc/PID/smaps in their order, from Size on.  KernelPageSize, MMUPageSize,
    ProtectionKey and VmFlags are left out."""
    _compare_lines(c.do(protocol.Smaps(process=area.process, region=area.region)), lines)


@outcome("the lines of smaps_rollup of {process} are {lines}")
def rollup_lines(c: Context, process: str, lines: tuple[str, ...]) -> None:
    """The names of the lines of /proc/PID/smaps_rollup in their order."""
    _compare_lines(c.do(protocol.SmapsRollup(process=process)), lines)


def _compare_lines(fields: dict[str, int], lines: tuple[str, ...]) -> None:
    if tuple(fields) != lines:
        raise Mismatch(", ".join(lines), ", ".join(fields))


@outcome("smaps of {area} shows THPeligible {number}")
def thp_eligible(c: Context, area: Area, number: Number) -> None:
    """The line THPeligible of /proc/PID/smaps; of several VMAs, the highest."""
    fields = c.do(protocol.Smaps(process=area.process, region=area.region))
    _compare_field(c, fields, number, "THPeligible")


@outcome("smaps_rollup of {process} shows {number} kB more {field} than its smaps adds up to")
def rollup_more(c: Context, process: str, number: Number, field: str) -> None:
    """A field of smaps_rollup, less the same field of smaps summed over all VMAs of the process."""
    rollup = c.do(protocol.SmapsRollup(process=process))
    smaps = c.do(protocol.SmapsSum(process=process))
    if field not in rollup or field not in smaps:
        raise Mismatch(f"{field} in smaps and smaps_rollup", "no such field")
    _compare_field(c, {field: rollup[field] - smaps[field]}, number, field)


@operation("{process} notes its smaps_rollup")
def notes_rollup(c: Context, process: str) -> None:
    """Remember smaps_rollup, in which everything is that the process maps, for `… more … than noted`."""
    c.noted[process] = c.do(protocol.SmapsRollup(process=c.process(process)))


@outcome("smaps_rollup of {process} shows {number} kB more {field} than noted")
def rollup_grown(c: Context, process: str, number: Number, field: str) -> None:
    """What a field of smaps_rollup has gained since it was noted."""
    now, noted = c.do(protocol.SmapsRollup(process=process)), c.noted[process]
    if field not in now or field not in noted:
        raise Mismatch(f"{field} in smaps_rollup", "no such field")
    _compare_field(c, {field: now[field] - noted[field]}, number, field)


@outcome("smaps_rollup of {process} divides Pss by kind")
def rollup_by_kind(c: Context, process: str) -> None:
    """Pss_Anon, Pss_File and Pss_Shmem add up to Pss, but for 2 kB that rounding may take."""
    rollup = c.do(protocol.SmapsRollup(process=process))
    kinds = sum(rollup.get(name, 0) for name in ("Pss_Anon", "Pss_File", "Pss_Shmem"))
    difference = rollup.get("Pss", 0) - kinds
    if not 0 <= difference <= 2:
        raise Mismatch("the three to add up to Pss, or to at most 2 kB less", f"{kinds} kB of {rollup.get('Pss')} kB")


@operation("{process} clears its referenced bits")
def clear_refs(c: Context, process: str) -> None:
    """Write 1 to /proc/PID/clear_refs."""
    c.do(protocol.ClearRefs(process=process))


@operation("{process} clears its soft-dirty bits")
def clear_soft_dirty(c: Context, process: str) -> None:
    """Write 4 to /proc/PID/clear_refs."""
    c.require("soft-dirty")
    c.do(protocol.ClearRefs(process=process, what="soft-dirty"))


@operation("{process} write-protects {pages} with userfaultfd")
def write_protects(c: Context, process: str, pages: Pages) -> None:
    """UFFDIO_WRITEPROTECT of pages that are registered in asynchronous write-protect mode."""
    c.do(protocol.UffdWriteprotect(**c.span(process, pages)))


@outcome("pagemap marks {pages} of {area} as {mark}")
def marked(c: Context, pages: Pages, area: Area, mark: str) -> None:
    """Bit 55 (soft-dirty) or bit 57 (write-protected) of /proc/PID/pagemap is set for each page."""
    _marks(c, pages, area, mark, wanted=True)


@outcome("pagemap does not mark {pages} of {area} as {mark}")
def not_marked(c: Context, pages: Pages, area: Area, mark: str) -> None:
    """Bit 55 (soft-dirty) or bit 57 (write-protected) of /proc/PID/pagemap is clear for each page."""
    _marks(c, pages, area, mark, wanted=False)


def _marks(c: Context, pages: Pages, area: Area, mark: str, *, wanted: bool) -> None:
    c.require("soft-dirty" if mark == "soft-dirty" else "userfaultfd-wp")
    for index, seen in enumerate(c.do(protocol.PagemapMarks(**span_of(c, pages, area)))):
        if (mark in seen) != wanted:
            raise Mismatch(f"{mark} {'set' if wanted else 'clear'}", f"otherwise at page {pages.first + index}")


# --- status, statm, numa_maps -----------------------------------------------------------------------------


@outcome("status of {process} shows {number} kB {field}")
def status_shows(c: Context, process: str, number: Number, field: str) -> None:
    """A line of /proc/PID/status.  RSS there is of the whole process: `counts … in RssAnon` asks for a region."""
    _compare_field(c, c.do(protocol.Status(process=process)), number, field)


@outcome("status of {process} adds RssAnon, RssFile and RssShmem up to VmRSS")
def status_adds_up(c: Context, process: str) -> None:
    """VmRSS is the sum of the three."""
    status = c.do(protocol.Status(process=process))
    parts = sum(status.get(name, 0) for name in ("RssAnon", "RssFile", "RssShmem"))
    if parts != status.get("VmRSS"):
        raise Mismatch(f"VmRSS of {parts} kB", str(status.get("VmRSS")))


@outcome("statm of {process} shows the RSS of its status")
def statm_agrees(c: Context, process: str) -> None:
    """`resident` is VmRSS, `shared` is RssFile and RssShmem, in pages."""
    status, statm = c.do(protocol.Status(process=process)), c.do(protocol.Statm(process=process))
    kilobytes = int(c.greeting.parameters["page_size"]) // 1024  # type: ignore[arg-type]
    expected = {
        "resident": status.get("VmRSS", 0) // kilobytes,
        "shared": (status.get("RssFile", 0) + status.get("RssShmem", 0)) // kilobytes,
    }
    seen = {name: statm.get(name) for name in expected}
    if seen != expected:
        raise Mismatch(f"statm to show {expected}", str(seen))


@outcome("numa_maps of {area} shows {counts}")
def numa_maps_shows(c: Context, area: Area, counts: dict[str, int]) -> None:
    """Which of anon, dirty, mapped and mapmax the line of the VMA prints, and what."""
    seen = c.do(protocol.NumaMaps(process=area.process, region=area.region))
    if seen != counts:
        raise Mismatch(_counts(counts), _counts(seen))


def _counts(counts: dict[str, int]) -> str:
    return " ".join(f"{name}={value}" for name, value in counts.items()) or "none of the four"


# --- PAGEMAP_SCAN, kpagecount, kpageflags -----------------------------------------------------------------


@outcome("PAGEMAP_SCAN shows {categories} for {pages} of {area}")
def scan_shows(c: Context, categories: frozenset[str], pages: Pages, area: Area) -> None:
    """The categories of each page, all of them but soft-dirty and guard."""
    for index, seen in enumerate(c.do(protocol.PagemapScan(**span_of(c, pages, area)))):
        if frozenset(seen) != categories:
            at = f" at page {pages.first + index}"
            raise Mismatch(_categories(categories), _categories(frozenset(seen)) + at)


@outcome("PAGEMAP_SCAN shows {categories}, and may show written, for {pages} of {area}")
def scan_may_show(c: Context, categories: frozenset[str], pages: Pages, area: Area) -> None:
    """The categories of each page, whether `written` is among them or not; what was seen is noted."""
    answers = c.do(protocol.PagemapScan(**span_of(c, pages, area)))
    for index, seen in enumerate(answers):
        if frozenset(seen) - {"written"} != categories:
            raise Mismatch(_categories(categories), f"{_categories(frozenset(seen))} at page {pages.first + index}")
    c.note(f"written: {'yes' if any('written' in seen for seen in answers) else 'no'}")


def _categories(categories: frozenset[str]) -> str:
    return ", ".join(name for name in CATEGORIES if name in categories) or "nothing"


@outcome("kpagecount of the memory that was {pages} of {area} is {number}", since="frames")
def kpagecount(c: Context, pages: Pages, area: Area, number: Number) -> None:
    """/proc/kpagecount of the page frames that were mapped there before the last When, mapped or not now."""
    for frame in _frames_before(c, pages, area):
        seen = c.do(protocol.Kpage(frame=frame)).count
        if not number.admits(seen):
            raise Mismatch(f"a count of {number}", str(seen))
        if not number.exact:
            c.note(f"a count of {number}: seen {seen}")


@outcome("kpageflags of the memory that was {pages} of {area} shows {kpageflag}", since="frames")
def kpageflags(c: Context, pages: Pages, area: Area, flag: str) -> None:
    """/proc/kpageflags of the page frames that were mapped there before the last When has the flag."""
    _kpageflags(c, pages, area, flag, wanted=True)


@outcome("kpageflags of the memory that was {pages} of {area} does not show {kpageflag}", since="frames")
def no_kpageflags(c: Context, pages: Pages, area: Area, flag: str) -> None:
    """/proc/kpageflags of the page frames that were mapped there before the last When does not have the flag."""
    _kpageflags(c, pages, area, flag, wanted=False)


def _kpageflags(c: Context, pages: Pages, area: Area, flag: str, *, wanted: bool) -> None:
    for frame in _frames_before(c, pages, area):
        flags = c.do(protocol.Kpage(frame=frame)).flags
        if (flag in flags) != wanted:
            raise Mismatch(f"{flag} {'set' if wanted else 'clear'}", f"flags {', '.join(flags) or 'none'}")


def _frames_before(c: Context, pages: Pages, area: Area) -> list[str]:
    """The frames of pages before the last When.  A page that was not there cannot be asked."""
    span = span_of(c, pages, area)
    before = c.before[area.process, area.region][span["first"] : span["first"] + span["count"]]
    frames = [frame for frame in before if frame is not None]
    if len(frames) < len(before):
        raise Mismatch(f"{pages} to have been mapped before", "no page there")
    return frames
