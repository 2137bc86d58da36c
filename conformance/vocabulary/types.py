# SPDX-License-Identifier: MIT
"""The typed parameters of phrases: {process}, {pages}, {area}, {number}, {token} and so on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from cucumber_expressions.parameter_type import ParameterType
from cucumber_expressions.parameter_type_registry import ParameterTypeRegistry

from conformance import protocol

MOST_PAGES = 1 << 16
"""Pages that a phrase may name: a slip of the pen shall not fill the memory of the machine."""
DEFAULT_REGION = "mem"
"""The region of a process that has only one and whose name is not said."""


@dataclass(frozen=True)
class Pages:
    """Pages of a region.  `count` None: every page of it."""

    first: int
    count: int | None
    region: str = DEFAULT_REGION

    def __str__(self) -> str:
        of = "" if self.region == DEFAULT_REGION else f" of {self.region}"
        if self.count is None:
            return f"every page{of}"
        if self.count == 1:
            return f"page {self.first}{of}"
        return f"pages {self.first} to {self.first + self.count - 1}{of}"


@dataclass(frozen=True)
class Area:
    """A region of a process: "A" or "A's log"."""

    process: str
    region: str

    def __str__(self) -> str:
        return self.process if self.region == DEFAULT_REGION else f"{self.process}'s {self.region}"


@dataclass(frozen=True)
class Number:
    """An exact number, a bound, or a set of numbers: what a rule allows."""

    least: int | None
    most: int | None
    allowed: tuple[int, ...] = ()

    def admits(self, value: int) -> bool:
        if self.allowed:
            return value in self.allowed
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def exact(self) -> bool:
        return self.least is not None and self.least == self.most

    def __str__(self) -> str:
        if self.allowed:
            return " or ".join(map(str, self.allowed))
        if self.exact:
            return str(self.least)
        if self.most is None:
            return f"at least {self.least}"
        if self.least is None:
            return f"at most {self.most}"
        return f"between {self.least} and {self.most}"


@dataclass(frozen=True)
class ParameterDoc:
    """For the phrase catalogue."""

    name: str
    says: str
    examples: tuple[str, ...]


REGISTRY = ParameterTypeRegistry()
DOCS: dict[str, ParameterDoc] = {}


def define(name: str, pattern: str, make: Callable[..., Any], says: str, *examples: str, kind: type = object) -> None:
    REGISTRY.define_parameter_type(ParameterType(name, pattern, kind, make, False, False))
    DOCS[name] = ParameterDoc(name, says, examples)


_PAGES = re.compile(r"(?:page (\d+)|pages (\d+) to (\d+)|every page)(?: of ([a-z][a-z0-9_]*))?")
_AREA = re.compile(r"([A-Z][0-9]{0,3})(?:'s ([a-z][a-z0-9_]*))?")


def _pages(text: str) -> Pages:
    one, first, last, region = _groups(_PAGES, text)
    region = region or DEFAULT_REGION
    if one:
        return Pages(int(one), 1, region)
    if not first or not last:
        return Pages(0, None, region)
    if int(last) >= MOST_PAGES:
        raise ValueError(f"{text} is too much: the last page there can be is {MOST_PAGES - 1}")
    if int(last) < int(first):
        raise ValueError(f"{text} is an empty range")
    return Pages(int(first), int(last) - int(first) + 1, region)


def _count(text: str) -> int:
    if int(text) > MOST_PAGES:
        raise ValueError(f"{text} pages are too many: {MOST_PAGES} can be")
    return int(text)


def _area(text: str) -> Area:
    process, region = _groups(_AREA, text)
    return Area(str(process), region or DEFAULT_REGION)


def _number(text: str) -> Number:
    values = [int(n) for n in re.findall(r"\d+", text)]
    if text.startswith("at least"):
        return Number(values[0], None)
    if text.startswith("at most"):
        return Number(None, values[0])
    if text.startswith("between"):
        return Number(values[0], values[1])
    return Number(None, None, (values[0], values[1])) if " or " in text else Number(values[0], values[0])


def _processes(text: str) -> tuple[str, ...]:
    first, last = text.split(" to ")
    if first[0] != last[0] or int(last[1:]) <= int(first[1:]):
        raise ValueError(f"{text} are no processes: one letter, and numbers that rise, such as B1 to B4")
    return tuple(f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1))


def _groups(pattern: re.Pattern[str], text: str) -> tuple[str | None, ...]:
    """The groups of a text that the pattern is known to match."""
    found = pattern.fullmatch(text)
    assert found, text
    return found.groups()


def plain(pattern: re.Pattern[str]) -> str:
    """A pattern without capture groups: the transformer of a parameter is given the whole text."""
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern.pattern)


_ERRNOS = get_args(protocol.Errno)
_SIGNALS = get_args(protocol.Signal)
_ADVICE = {f"MADV_{a.upper()}": a for a in get_args(protocol.Advice)}

define("process", r"[A-Z][0-9]{0,3}", str, "A process.", "A", "B2", kind=str)
define(
    "processes", r"[A-Z]\d{1,3} to [A-Z]\d{1,3}", lambda text: _processes(text),
    "Processes with one letter and consecutive numbers.", "B1 to B22", kind=tuple,
)  # fmt: skip
define("name", r"[a-z][a-z0-9_]{0,31}", str, "A region, file, pipe or buffer.", "log", "f", kind=str)
define(
    "pages", plain(_PAGES), _pages,
    "Pages of a region, counted from 0; of the region `mem` if none is named.",
    "page 3", "pages 0 to 7", "every page", "page 3 of log", kind=Pages,
)  # fmt: skip
define(
    "area", plain(_AREA), _area,
    "A region of a process; its region `mem` if none is named.", "A", "A's log", kind=Area,
)  # fmt: skip
define(
    "number",
    r"at least \d+|at most \d+|between \d+ and \d+|\d+ or \d+|\d+", _number,
    "A number, a bound or an allowed set.", "2", "at least 1", "between 1 and 16", "1 or 2", kind=Number,
)  # fmt: skip
define(
    "token",
    r'"[ -~]{0,7}"',
    lambda text: text[1:-1],
    "What a page holds, up to 7 characters.",
    '"old"',
    '"new"',
    kind=str,
)
define("order", r"\d{1,2}", int, "The order of a folio.", "4", "9", kind=int)
define("count", r"\d+", _count, "A count of pages.", "16", kind=int)
define("errno", "|".join(_ERRNOS), str, "An error number by name.", "EAGAIN", kind=str)
define("signal", "|".join(_SIGNALS), str, "A signal.", "SIGSEGV", kind=str)
define(
    "advice", "|".join(sorted(_ADVICE, key=len, reverse=True)), _ADVICE.__getitem__,
    "An advice of madvise(2).", "MADV_DONTNEED", kind=str,
)  # fmt: skip
define("filesystem", "a disk file system|tmpfs|memfd", lambda s: s.removeprefix("a ").split()[0],
        "Where a file lives.", "a disk file system", "tmpfs", "memfd", kind=str)  # fmt: skip
define("protection", "no access|read-only|read-write",
        {"no access": "none", "read-only": "read", "read-write": "read-write"}.__getitem__,
        "A protection of mprotect(2).", "read-only", kind=str)  # fmt: skip
define("entry", "nothing|a PTE|a PMD|a hugetlb entry|the zero page|the huge zero page|a raw PTE|a raw PMD|a swap entry",
        {"nothing": "none", "a PTE": "pte", "a PMD": "pmd", "a hugetlb entry": "hugetlb", "the zero page": "zero",
         "the huge zero page": "huge-zero", "a raw PTE": "raw", "a raw PMD": "raw-pmd",
         "a swap entry": "swap"}.__getitem__,
        "What a page table holds for a page.", "a PTE", "the zero page", kind=str)  # fmt: skip
define(
    "counter",
    "|".join(get_args(protocol.CounterName)),
    str,
    "A counter of the whole system.",
    "thp_split_pmd",
)
define("flag", "anon|KSM|hugetlb", str.lower, "A flag that /proc/kpageflags shows.", "KSM")


def parameters(text: str) -> list[str]:
    """The names of the parameters of a phrase."""
    return re.findall(r"{(\w+)}", text)
