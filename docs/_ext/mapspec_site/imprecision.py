# SPDX-License-Identifier: MIT
"""Tables and plots of how wrong statistics may be, from the recorded searches in docs/imprecision/."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective, SphinxRole

from . import plot
from .html import esc, raw, table

WITHOUT = "linux-7.3-no-page-mapcount"

ERRORS = {
    "pss.over": "PSS of one process, too much",
    "pss.times-over": "the same, as a factor",
    "pss.under": "PSS of one process, too little",
    "pss.times-under": "the same, as a factor",
    "pss-sum.over": "PSS of all processes, too much",
    "pss-sum.under": "PSS of all processes, too little",
    "uss.under": "Private of one process, too little",
    "uss.over": "Private of one process, too much",
    "kpagecount.over": "kpagecount of one page, too much",
    "kpagecount.under": "kpagecount of one page, too little",
    "deferred.missed": "pages that nobody maps and nobody notices",
}
"""Names of errors (reference_impl/imprecision/histories.py: errors) as they are shown."""

PAGES = ("pss.over", "pss.under", "pss-sum.over", "pss-sum.under", "uss.under", "uss.over", "deferred.missed")
"""Those that are pages of memory.  The others are factors or numbers of mappings."""

QUESTIONS = {
    "mapped": ("Is any page mapped?", "may say mapped", "may say not mapped"),
    "shared": ("Does another process map it?", "may say shared, never wrongly exclusive", "may say exclusive"),
    "processes": ("How many processes map it?", "no: counts mappings", "may say fewer"),
    "copy": ("Must a write copy?", "copies more than needed", "may not copy"),
    "pss": ("PSS", "may be too much", "may be too little"),
    "uss": ("Private (USS)", "may be too much", "may be too little, never too much"),
    "kpagecount": ("How many entries map this page?", "may be too many", "may be too few"),
    "partly": ("Has a page lost its last mapping?", "false alarm", "may miss it"),
    "entries": ("Do references and mappings agree? (pins)", "no", "only if references are taken with the count"),
}
"""Question, and what an error means: towards one side, towards the other."""


class Data(SphinxDirective):
    """A part of a page that is made from a file of docs/imprecision; it is made again when the file changes."""

    has_content = False
    optional_arguments = 1

    def read(self, name: str) -> dict[str, Any]:
        path = Path(self.env.srcdir) / "imprecision" / f"{name}.json"
        self.env.note_dependency(str(path))
        return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, changed: int) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def source(name: str, data: dict[str, Any]) -> str:
    """Where the numbers come from: the command and the file."""
    link = f'<a href="imprecision/{name}.json"><code>docs/imprecision/{name}.json</code></a>'
    return f'<p class="ms-from">From {link}: <code>{esc(data["command"])}</code></p>'


def copy(srcdir: Path, outdir: Path) -> None:
    """The files that the pages link to."""
    (outdir / "imprecision").mkdir(exist_ok=True)
    for path in sorted((srcdir / "imprecision").glob("*.json")):
        (outdir / "imprecision" / path.name).write_bytes(path.read_bytes())


def find(data: dict[str, Any], error: str, order: int, processes: int, way: str = WITHOUT) -> Fraction | None:
    for row in data["rows"]:
        if (row["way"], row["error"], row["order"], row["processes"]) == (way, error, order, processes):
            return Fraction(row["value"])
    return None


def shown(error: str, value: Fraction | None, page_kb: int = 4) -> str:
    """A value with its unit: memory in kB, factors and mappings as they are."""
    if value is None:
        return "0"
    if error in PAGES:
        kb = value * page_kb
        return f"{_short(kb)}&nbsp;kB" if kb < 10240 else f"{_short(kb / 1024)}&nbsp;MiB"
    return f"{_short(value)}&nbsp;×" if "times" in error else _short(value)  # noqa: RUF001


def _short(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else f"{float(value):.1f}"


class Worst(Data):
    """The worst errors without page mapcounts for one order, by number of processes."""

    def run(self) -> list[nodes.Node]:
        data, order = self.read("worst"), int(self.arguments[0])
        numbers = (2, 3, 10, 100, 1000)
        rows = []
        for error, name in ERRORS.items():
            if error == "uss.over":
                continue
            cells = [shown(error, find(data, error, order, number)) for number in numbers]
            rows.append([esc(name), *cells, f"<code>{esc(data['formulas'].get(error, 'none found'))}</code>"])
        head = ["", *(f"{number} processes" for number in numbers), "closed form (n pages, k processes)"]
        return [raw(table(head, rows, label="Worst errors by number of processes") + source("worst", data))]


class Orders(Data):
    """The worst errors without page mapcounts by order of the folio, for 100 processes."""

    def run(self) -> list[nodes.Node]:
        data = self.read("worst")
        errors = (
            "pss.over",
            "pss.times-over",
            "pss.under",
            "pss-sum.over",
            "pss-sum.under",
            "uss.under",
            "deferred.missed",
        )
        rows = []
        for order in sorted({row["order"] for row in data["rows"] if row["way"] == WITHOUT}):
            page_kb = {11: 16, 13: 64}.get(order, 4)
            size = (page_kb << order) >> 10
            folio = f"{size} MiB" if size else f"{page_kb << order} kB"
            cells = [shown(error, find(data, error, order, 100), page_kb) for error in errors]
            rows.append([f"{order}: {folio}" + (f", {page_kb} kB pages" if page_kb > 4 else ""), *cells])
        head = ["order and size", *(esc(ERRORS[error]) for error in errors)]
        return [raw(table(head, rows, label="Worst errors by order") + source("worst", data))]


class Ways(Data):
    """The worst errors by way of counting: of a folio of order 2 and three processes, all states visited; or with an
    order and a number of processes as argument, where the numbers of kernels with page mapcounts are 0 by design."""

    optional_arguments = 2

    def run(self) -> list[nodes.Node]:
        if self.arguments:
            return self.built(*(int(argument) for argument in self.arguments))
        data, titles = self.read("histories"), self.read("counting")["ways"]
        rows = []
        for way, about in titles.items():
            cells = []
            for error in ERRORS:
                values = [
                    Fraction(row["worst"][error][0])
                    for row in data["rows"]
                    if (row["way"], row["order"], row["processes"], row["vmas"]) == (way, 2, 3, 1)
                    and error in row["worst"]
                ]
                cells.append(_short(max(values)) if values else "0")
            rows.append([esc(about["title"]), *cells])
        head = ["", *(esc(name) for name in ERRORS.values())]
        return [raw(table(head, rows, label="Worst errors by way of counting") + source("histories", data))]

    def built(self, order: int, processes: int) -> list[nodes.Node]:
        data, titles = self.read("worst"), self.read("counting")["ways"]
        errors = [error for error in ERRORS if error != "uss.over"]
        rows = []
        for way, about in titles.items():
            if way in ("linux-6.1", "linux-6.12", "linux-7.3", "proposal-total-mapped-pages"):
                continue
            cells = [shown(error, find(data, error, order, processes, way)) for error in errors]
            rows.append([esc(about["title"]), *cells])
        head = ["", *(esc(ERRORS[error]) for error in errors)]
        return [raw(table(head, rows, label="Worst errors by way, large") + source("worst", data))]


class Coverage(Data):
    """How many states were visited."""

    def run(self) -> list[nodes.Node]:
        data = self.read("histories")
        rows = [
            [
                f"<code>{esc(row['way'])}</code>", str(row["order"]), str(row["processes"]),
                f"{row['folio']}, {row['vmas']} VMAs" if row["vmas"] > 1 else row["folio"],
                f"{row['states']:,}", f"{row['operations']:,}", "all" if row["complete"] else "not all",
            ]
            for row in data["rows"]
        ]  # fmt: skip
        head = ["way of counting", "order", "processes", "folio", "states", "operations tried", "reached"]
        return [raw(table(head, rows, label="States visited") + source("histories", data))]


class Climbs(Data):
    """How near the local search comes to the worst cases."""

    def run(self) -> list[nodes.Node]:
        climbs, worst = self.read("climbs"), self.read("worst")
        shares = [
            Fraction(row["value"]) / (find(worst, row["error"], row["order"], row["processes"]) or 1)
            for row in climbs["rows"]
        ]
        built = sum(row["built"] for row in climbs["rows"])
        text = (
            f"<p>The local search built {built:,} states for {len(shares)} worst cases. It found "
            f"{sum(share == 1 for share in shares)} of them, {sum(share > 1 for share in shares)} that are worse, and "
            f"came to {float(100 * min(shares)):.1f} % at least.</p>"
        )
        return [raw(text + source("climbs", climbs))]


class Questions(Data):
    """Which question each way of counting answers, by what went wrong in the states visited."""

    def run(self) -> list[nodes.Node]:
        data, titles = self.read("histories"), self.read("counting")["ways"]
        rows = []
        for question, (name, over, under) in QUESTIONS.items():
            cells = []
            for way in titles:
                once, twice = _sides(data, way, question, vmas=1), _sides(data, way, question, vmas=2)
                cell = _words(once, over, under)
                if twice - once:
                    cell += f"; one process twice: {_words(twice - once, over, under)}"
                cells.append(cell if once or twice - once else "<b>exact</b>")
            rows.append([esc(name), *cells])
        head = ["", *(esc(about["title"]) for about in titles.values())]
        return [raw(table(head, rows, label="Questions and ways of counting") + source("histories", data))]


def _sides(data: dict[str, Any], way: str, question: str, *, vmas: int) -> set[str]:
    rows = (row for row in data["rows"] if row["way"] == way and row["vmas"] == vmas)
    return {side for row in rows for side in row["wrong"][question]}


def _words(sides: set[str], over: str, under: str) -> str:
    if sides == {"over", "under"} and over == "no":
        return "no"
    if sides == {"over", "under"}:
        return f"wrong both ways: {esc(over.partition(',')[0])}, {esc(under.partition(',')[0])}"
    return esc(over) if "over" in sides else esc(under) if sides else "exact"


class Costs(Data):
    """Size of the counters, and what operations write, by way of counting."""

    def run(self) -> list[nodes.Node]:
        data = self.read("counting")
        ways = data["ways"]
        head = ["", *(esc(about["title"]) for about in ways.values())]
        if self.arguments and self.arguments[0] == "bytes":
            rows = [
                [f"order {order}, {bits}-bit", *(str(about["bytes"][bits][str(order)]) for about in ways.values())]
                for bits in ("64", "32")
                for order in data["orders"]
            ]
        else:
            rows = [
                [esc(operation), *(_cost(*about["operations"][operation]) for about in ways.values())]
                for operation in next(iter(ways.values()))["operations"]
            ]
        return [raw(table(head, rows, label="Counters by way of counting") + source("counting", data))]


def _cost(counters: int, locked: int, lines: int, looks: int) -> str:
    parts = [
        f"{counters} counters" if counters != 1 else "1 counter",
        f"{locked} locked" if locked else "",
        f"{looks} looks" if looks > 1 else "1 look" if looks else "",
        f"{lines} lines" if lines != 1 else "1 line",
    ]
    if not counters:
        parts[0] = ""
    return ", ".join(part for part in parts if part) if counters or locked or looks else "nothing"


class Curve(Data):
    """Worst errors of an order-9 folio over the number of processes."""

    def run(self) -> list[nodes.Node]:
        data = self.read("worst")
        numbers = sorted({row["processes"] for row in data["rows"] if row["way"] == WITHOUT and row["order"] == 9})
        lines = []
        for error, label in (
            ("pss-sum.over", "all, too much"), ("pss.under", "one, too little"), ("pss.over", "one, too much"),
            ("pss-sum.under", "all, too little"),
        ):  # fmt: skip
            points = [(number, float(find(data, error, 9, number) or 0) * 4 / 1024) for number in numbers]
            lines.append(plot.Line(label, points))
        alt = "Worst error of PSS for one folio of 2 MiB, in MiB, with 2 to 1000 processes. " + "; ".join(
            f"{line.label}: {line.points[0][1]:.2f} with 2, {line.points[-1][1]:.2f} with 1000" for line in lines
        )
        figure = f"<figure class='ms-figure'>{plot.svg(lines, unit='MiB', alt=alt)}</figure>"
        return [raw(figure + source("worst", data))]


class Patterns(Data):
    """Each pattern: what is assumed, a plot, and a table."""

    def run(self) -> list[nodes.Node]:
        data = self.read("patterns")
        made: list[nodes.Node] = []
        for name, says in data["patterns"].items():
            title = name.replace("-", " ").replace("jvm", "JVM")
            section = nodes.section(ids=[f"pattern-{name}"], names=[f"pattern-{name}"])
            section += nodes.title("", title[0].upper() + title[1:])
            self.state.document.note_explicit_target(section)
            section += nodes.paragraph("", says)
            rows = [
                dict(zip(data["fields"], row["row"], strict=True)) for row in data["rows"] if row["pattern"] == name
            ]
            section += raw(_pattern_plot(name, rows) + _way_plots(name, rows) + _pattern_table(name, rows))
            made.append(section)
        return [*made, raw(source("patterns", data))]


def _pattern_plot(name: str, rows: list[dict[str, Any]]) -> str:
    mine = [row for row in rows if row["way"] == WITHOUT]
    lines = []
    for order, size in ((9, "2 MiB"), (4, "64 kB")):
        for field, word in (("max", "max"), ("median", "median")):
            points = [(row["processes"], row[field]) for row in mine if row["order"] == order]
            lines.append(plot.Line(f"{size}, {word}", points))
    if not any(y for line in lines for _, y in line.points):
        return ""
    alt = f"Error of PSS, {name}, in percent of the true PSS, with 1 to 1000 processes. " + "; ".join(
        f"{line.label}: at most {max(y for _, y in line.points):.0f} %" for line in lines
    )
    return f"<figure class='ms-figure'>{plot.svg(lines, unit='% of the true PSS', alt=alt)}</figure>"


WAYS = {
    "linux-6.1": "6.1", "linux-6.12": "6.12", "linux-7.3": "7.3", WITHOUT: "7.3 without",
    "proposal-total-mapped-pages": "total", "proposal-table-mapcount": "pairs",
    "proposal-zero-one-two-many": "0, 1, 2, many",
}  # fmt: skip
"""The ways of counting, in a word each."""
WAY_FIELDS = {
    "max": ("PSS error, max", "% of the true PSS"),
    "spared": ("Needless copies", "pages"),
    "missed_pages": ("Pages that nobody maps and nobody notices", "pages"),
}
OFF_SCALE = 10
"""A line that rises so many times above all others is told in words: beside it they would all be flat."""


def _way_plots(name: str, rows: list[dict[str, Any]]) -> str:
    """A plot for each error that is not 0 throughout, with a line for each way of counting: folios of 2 MiB."""
    figures = []
    for field, (title, unit) in WAY_FIELDS.items():
        same: dict[tuple[tuple[int, float], ...], list[str]] = {}
        for way, word in WAYS.items():
            points = tuple((row["processes"], row[field]) for row in rows if row["way"] == way and row["order"] == 9)
            same.setdefault(points, []).append(word)
        highest = {points: max(y for _, y in points) for points in same}
        if not any(highest.values()):
            continue
        drawn = sorted(same, key=lambda points: highest[points])
        off = ""
        if len(drawn) > 1 and highest[drawn[-1]] > OFF_SCALE * highest[drawn[-2]] > 0:
            points = drawn.pop()
            off = f" Not drawn: {' and '.join(same[points])}, up to {highest[points]:,.0f} {unit}."
        lines = [plot.Line(_label(same[points]), points) for points in drawn]
        alt = f"{title}, {name}, {unit}. " + "; ".join(
            f"{', '.join(same[points])}: at most {highest[points]:.0f}" for points in drawn
        )
        together = "".join(f" {_label(ways)}: {' / '.join(ways)}." for ways in same.values() if len(ways) > 1)
        figures.append(
            f"<figure class='ms-figure'>{plot.svg(lines, unit=unit, alt=alt)}"
            f"<figcaption>{esc(title + '.' + together + off)}</figcaption></figure>"
        )
    if not figures:
        return ""
    title = "The ways of counting side by side, folios of 2 MiB"
    return f"<details class='ms-numbers'><summary>{title}</summary>{''.join(figures)}</details>"


def _label(ways: list[str]) -> str:
    """Short, for ways that do the same."""
    if len(ways) == len(WAYS):
        return "all"
    return ways[0] + (" …" if len(ways) > 1 else "")


def _pattern_table(name: str, rows: list[dict[str, Any]]) -> str:
    """Without page mapcounts, by order and number of processes; and what the others do, at 100 processes."""
    head = [
        "folios, processes", "PSS error: median", "90 %", "max", "in sum", "alone but told shared", "copies",
        "of them needless", "partly mapped folios missed", "kB missed",
    ]  # fmt: skip
    body = []
    for row in (row for row in rows if row["way"] == WITHOUT):
        body.append(
            [
                f"{'2 MiB' if row['order'] == 9 else '64 kB'}, {row['processes']}",
                f"{row['median']:g} %", f"{row['most']:g} %", f"{row['max']:g} %", f"{row['sum']:+g} %",
                f"{row['shared']} of {row['alone']}", str(row["copies"]), str(row["spared"]),
                f"{row['missed']} of {row['partial']}", str(row["missed_pages"] * 4),
            ]
        )  # fmt: skip
    ways = [
        [
            f"<code>{esc(row['way'])}</code>", f"{row['median']:g} %", f"{row['most']:g} %", f"{row['max']:g} %",
            f"{row['sum']:+g} %", f"{row['shared']} of {row['alone']}", str(row["copies"]), str(row["spared"]),
            f"{row['missed']} of {row['partial']}", str(row["missed_pages"] * 4),
        ]
        for row in rows
        if row["order"] == 9 and row["processes"] == 100
    ]  # fmt: skip
    numbers, others = table(head, body, label=name), table(head, ways, label=f"{name}, ways")
    return (
        f"<details class='ms-numbers'><summary>The numbers</summary>{numbers}"
        f"<p>The ways of counting, folios of 2 MiB, 100 processes:</p>{others}</details>"
    )


class WorstRole(SphinxRole):
    """{worst}`pss.over 9 1000`: a value of docs/imprecision/worst.json, memory in kB; with `pages` in pages."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        path = Path(self.env.srcdir) / "imprecision" / "worst.json"
        self.env.note_dependency(str(path))
        error, order, processes, *rest = self.text.split()
        value = find(_read(path, path.stat().st_mtime_ns), error, int(order), int(processes))
        if value is None:
            message = self.inliner.reporter.error(f"no worst value is recorded for {self.text}", line=self.lineno)
            return [], [message]
        text = _short(value) if rest else shown(error, value).replace("&nbsp;", "\N{NO-BREAK SPACE}")
        return [nodes.inline("", text)], []


class PatternRole(SphinxRole):
    """{pattern}`libraries 9 100 median`: a value of docs/imprecision/patterns.json, without page mapcounts."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        path = Path(self.env.srcdir) / "imprecision" / "patterns.json"
        self.env.note_dependency(str(path))
        data = _read(path, path.stat().st_mtime_ns)
        name, order, processes, field = self.text.split()
        for one in data["rows"]:
            row = dict(zip(data["fields"], one["row"], strict=True))
            if (one["pattern"], row["way"], row["order"], row["processes"]) == (
                name,
                WITHOUT,
                int(order),
                int(processes),
            ):
                value = f"{row[field]:.0f}" if abs(row[field]) >= 10 else f"{row[field]:.1g}"
                return [nodes.inline("", value + ("" if "missed" in field or field == "partial" else " %"))], []
        return [], [self.inliner.reporter.error(f"no pattern is recorded for {self.text}", line=self.lineno)]


DIRECTIVES: dict[str, type[Data]] = {
    "imprecision-worst": Worst,
    "imprecision-orders": Orders,
    "imprecision-ways": Ways,
    "imprecision-coverage": Coverage,
    "imprecision-climbs": Climbs,
    "imprecision-questions": Questions,
    "imprecision-costs": Costs,
    "imprecision-curve": Curve,
    "imprecision-patterns": Patterns,
}
