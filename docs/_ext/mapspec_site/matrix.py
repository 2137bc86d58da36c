# SPDX-License-Identifier: MIT
"""Scenarios by kernel: how many of each came to what, and why those that did not pass did not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from docutils import nodes

from conformance.suite import Scenario

from .data import Cell, Column, Site
from .html import breakable, esc, prose, raw, table
from .pages import Generated

HEADS = {
    "pass": "pass", "fail": "FAIL", "error": "ERROR", "timeout": "TIMEOUT", "xpass": "PASS unexpectedly",
    "xfail": "fail as expected", "unsupported": "unsupported", "not-applicable": "not applicable", "stale": "stale",
    "notrun": "not run", "skipped": "skipped",
}  # fmt: skip
"""Each status with the head of its column.  One that no kernel has gets no column."""
EXPLAINED = {"xfail": "why-expected", "unsupported": "why-unsupported", "not-applicable": "why-not-applicable"}
"""Which part of the page says why."""
ALWAYS = ("pass", "fail", "unsupported", "not-applicable")
BUG = "BUG at "
"""How the note of a scenario begins whose BUG was seen to happen."""


class KernelMatrix(Generated):
    """Kernels by status, and each kernel by chapter."""

    def make(self, site: Site) -> list[nodes.Node]:
        shown = _shown(site)
        rows = [
            [f'<a href="#{_slug(column)}">{esc(column.short)}</a>', *_counts(site, column, _all(site), shown)]
            for column in site.kernels
        ]
        head = ["Kernel", *(HEADS[status] for status in shown), "all"]
        return [
            raw(table(head, rows, label="Scenarios by kernel") + "".join(map(self._fold(site, shown), site.kernels)))
        ]

    def _fold(self, site: Site, shown: list[str]) -> Callable[[Column], str]:
        def fold(column: Column) -> str:
            rows = [
                [f'<a href="{esc(self.page_of(chapter))}">{esc(title)}</a>',
                 *_counts(site, column, _of(site, chapter), shown)]
                for chapter, title in site.suite.chapters.items() if site.rules(chapter)
            ]  # fmt: skip
            head = ["Chapter", *(HEADS[status] for status in shown), "all"]
            made = table(head, rows, label=f"{column.label} by chapter")
            summary = f"<summary>{esc(column.label)}{_state(site, column)}</summary>"
            return f'<details class="ms-fold" id="{_slug(column)}">{summary}{made}</details>'

        return fold


class Reasons(Generated):
    """`{kernel-reasons} STATUS`: why scenarios have a status, with how many on each kernel."""

    required_arguments = 1

    def make(self, site: Site) -> list[nodes.Node]:
        status = self.arguments[0]
        if status not in EXPLAINED:
            raise self.error(f"{status!r} is not explained; {', '.join(EXPLAINED)} are")
        groups: dict[str, dict[str, list[Scenario]]] = {}
        for column in site.kernels:
            for scenario in _all(site):
                cell = column.cell(scenario)
                if cell.status == status:
                    groups.setdefault(_why(column, scenario, cell), {}).setdefault(column.label, []).append(scenario)
        rows = [
            [self._reason(status, why) + self._example(found),
             *(_number(found.get(column.label)) for column in site.kernels)]
            for why, found in sorted(groups.items(), key=lambda item: -sum(map(len, item[1].values())))
        ]  # fmt: skip
        if not rows:
            return [raw("<p>None.</p>")]
        head = ["Why", *(esc(column.short) for column in site.kernels)]
        return [raw(table(head, rows, label=f"Reasons for {status}"))]

    def _reason(self, status: str, why: str) -> str:
        capability, colon, rest = why.partition(": ")
        if status == "unsupported" and colon and re.fullmatch(r"[\w-]+", capability):
            return f"<code>{esc(capability)}</code>: {prose(rest)}"
        return prose(why)

    def _example(self, found: dict[str, list[Scenario]]) -> str:
        one = next(iter(found.values()))[0].outline
        link = f"{self.page_of(one.partition('.')[0])}#{one}"
        return f'<br>For example <a href="{esc(link)}"><code>{breakable(one)}</code></a>'


class Bugs(Generated):
    """The BUGs that scenarios tell of: where each kernel really stopped."""

    def make(self, site: Site) -> list[nodes.Node]:
        rows = []
        for scenario in _all(site):
            if not any(c.name == "needs" and c.value == "driver-bugs" for c in scenario.conditions):
                continue
            cells = [_bug(column, scenario) for column in site.kernels]
            if any(BUG in cell for cell in cells):
                link = f"{self.page_of(scenario.chapter)}#{scenario.outline}"
                rows.append([f'<a href="{esc(link)}"><code>{breakable(scenario.id)}</code></a>', *cells])
        if not rows:
            return [raw("<p>No kernel has been run with <code>--bugs</code>.</p>")]
        head = ["Scenario", *(esc(column.short) for column in site.kernels)]
        return [raw(table(head, rows, label="Where kernels stopped with BUG"))]


class Ends(Generated):
    """What the recorded runs say of the end: memory of the module that did not come back."""

    def make(self, site: Site) -> list[nodes.Node]:
        rows = []
        for column in site.kernels:
            said = [f'<b class="ms-bad">{esc(text)}</b>' for text in column.wrong] + [esc(n) for n in column.notes]
            rows.append([esc(column.label), "<br>".join(said) or "The record does not tell."])
        return [raw(table(["Kernel", "At the end of the run"], rows, label="The end of each run"))]


def _all(site: Site) -> list[Scenario]:
    return [s for chapter in site.suite.chapters for s in _of(site, chapter)]


def _of(site: Site, chapter: str) -> list[Scenario]:
    return [s for rule in site.rules(chapter) for s in rule.scenarios]


def _shown(site: Site) -> list[str]:
    there = {column.cell(s).status for column in site.kernels for s in _all(site)}
    return [status for status in HEADS if status in there or status in ALWAYS]


def _counts(site: Site, column: Column, scenarios: Iterable[Scenario], shown: list[str]) -> list[str]:
    rows = list(scenarios)
    counts = dict.fromkeys(HEADS, 0)
    for scenario in rows:
        counts[column.cell(scenario).status] += 1
    cells = []
    for status in shown:
        number = str(counts[status])
        if counts[status] and status in EXPLAINED:
            number = f'<a href="#{EXPLAINED[status]}">{number}</a>'
        cells.append(number)
    return [*cells, str(len(rows))]


def _state(site: Site, column: Column) -> str:
    """Whether the record is of these very scenarios."""
    if column.header is not None and column.header.suite.digest == site.suite.digest:
        return ""
    return ' <span class="ms-word ms-other">recorded with another state of the suite</span>'


def _slug(column: Column) -> str:
    return "matrix-" + re.sub(r"[^a-z0-9]+", "-", column.short.lower()).strip("-")


def _number(scenarios: list[Scenario] | None) -> str:
    return str(len(scenarios)) if scenarios else ""


def _why(column: Column, scenario: Scenario, cell: Cell) -> str:
    """A reason as it is the same for many scenarios and kernels."""
    result = column.results[scenario.id]
    if cell.status == "xfail" and result.expectation:
        return result.expectation.reason
    why = re.sub(r" does not hold for linux-[\w.-]+$", " does not hold", cell.reason)
    why = re.sub(r"no part of this kernel maps .*?; ", "no part of this kernel maps memory as the driver does; ", why)
    return why or "no reason given"


def _bug(column: Column, scenario: Scenario) -> str:
    cell = column.cell(scenario)
    if cell.status == "pass":
        where = next((n for n in column.results[scenario.id].notes if n.startswith(BUG)), "")
        return f'<span class="ms-word ms-pass">{esc(where.replace(", in", " in") or "BUG")}</span>'
    return f'<span class="ms-word ms-{cell.css}">{esc(cell.word)}</span>'


DIRECTIVES = {"kernel-matrix": KernelMatrix, "kernel-reasons": Reasons, "kernel-bugs": Bugs, "kernel-ends": Ends}
