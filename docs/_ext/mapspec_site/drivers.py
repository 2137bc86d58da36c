# SPDX-License-Identifier: MIT
"""The driver guide: the decision table, functions and flags from the registry, and handlers with who compiled them.

The words in the decision table are cells of Examples, which the steps of a scenario use; each is a link to it.  A cell
that no model profile passes stops the build.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from docutils import nodes
from sphinx.errors import SphinxError
from sphinx.util.docutils import SphinxDirective

from conformance import drivers
from conformance.drivers import Column, Entry, Registry
from conformance.report import BAD
from conformance.suite import Rule, Scenario

from .data import Site
from .html import breakable, esc, prose, raw, table
from .pages import Generated

VERSIONS = ("6.1", "6.12", "6.18", "7.3")
"""Kernels of which a page says whether a handler was compiled against them."""
TABLE = "driver_pages.table-"
FROM = 3
"""Characters of `4 pages of RAM with vm_insert_page` that must stand before ` with `: less is no mapping."""


class NotShown(SphinxError):
    """The decision table says what no scenario shows."""

    category = "mapspec"


@dataclass
class Row:
    """A row of the decision table: a mapping, and by column the scenario that shows the cell, with its words."""

    mapping: str
    cells: dict[str, tuple[Scenario, str]] = field(default_factory=dict)

    @property
    def memory(self) -> str:
        return self.mapping.rpartition(" with ")[0]

    @property
    def function(self) -> str:
        return self.mapping.rpartition(" with ")[2]

    @property
    def since(self) -> str:
        """The first version in which any cell holds, if that is not the first of all."""
        firsts = []
        for scenario, _ in self.cells.values():
            named = [[int(n) for n in c.value.split(".")] for c in scenario.conditions if c.name == "since"]
            firsts.append(max(named, default=[]))
        first = min(firsts, default=[])
        return f"since {'.'.join(map(str, first))}" if first else ""


def rows(site: Site, registry: Registry) -> list[Row]:
    """All rows, in the order of the first column that has them."""
    found: dict[str, Row] = {}
    for column in registry.columns:
        rule = site.suite.rules.get(column.rule)
        for scenario in rule.scenarios if rule else ():
            cells = dict(scenario.row)
            mapping = cells.get("mapping", "")
            if column.cell not in cells or mapping.find(" with ") < FROM:
                continue
            row = found.setdefault(mapping, Row(mapping))
            row.cells.setdefault(column.title, (scenario, cells[column.cell]))
            _must_pass(site, scenario)
    return list(found.values())


def _must_pass(site: Site, scenario: Scenario) -> None:
    if not any(column.cell(scenario).status == "pass" for column in site.models):
        raise NotShown(f"the decision table relies on {scenario.id}, which passes in no profile of the model")


class Driver(Generated):
    """A directive that reads the registry."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(Path(self.config.mapspec_root) / "spec" / "drivers.toml"))
        return super().run()

    def uses(self, site: Site, names: Iterable[str]) -> None:
        """The page relies on these rules, without being their place."""
        used = self.env.mapspec_used[self.env.docname]  # type: ignore[attr-defined]
        used.update((f"uses:{name}", site.fingerprints.get(name, "")) for name in names)

    def to(self, page: str) -> str:
        """The address of a page, from this one."""
        return "../" * self.env.docname.count("/") + page + ".html"

    def rules(self, entry: Entry, where: dict[str, list[Rule]]) -> str:
        """Links to the first rules that cite it: those whose sentence does, and those of the decision table last."""
        listed = sorted(where[entry.name], key=lambda r: (r.id.startswith(TABLE), entry.name not in r.text))
        links = "<br>".join(
            f'<a href="{esc(self.page_of(r.chapter))}#{esc(r.id)}"><code>{breakable(r.id)}</code></a>'
            for r in listed[:3]
        )
        return links + (f"<br>and {len(listed) - 3} more" if len(listed) > 3 else "")

    def function_link(self, name: str, registry: Registry) -> str:
        """The function, as a link to its page of the guide."""
        known = "fault" if name == "a fault handler" else name
        entry = next((e for e in registry.of("function") if e.name == known), None)
        shown = esc(name) if known == "fault" else f"<code>{esc(name)}</code>"
        if entry is None or not entry.get("page"):
            return shown
        return f'<a href="{esc(self.to("drivers/functions/" + entry.get("page")))}">{shown}</a>'

    def scenario_link(self, site: Site, scenario: Scenario, words: str) -> str:
        """A cell: the words, the way to the scenario, and a mark if no kernel has shown it or if it fails."""
        seen = [c.short for c in site.kernels if c.cell(scenario).status == "pass"]
        bad = [c.short for c in site.kernels if c.cell(scenario).status in BAD]
        mark = ""
        if bad:
            mark = f' <span class="ms-word ms-bad">FAIL on {esc(", ".join(bad))}</span>'
        elif not seen:
            mark = '<sup class="ms-model"><abbr title="shown by the model; no kernel has been asked yet">m</abbr></sup>'
        title = f' title="seen on kernel {esc(", ".join(seen))}"' if seen else ""
        return f'<a href="{esc(self.page_of(scenario.chapter))}#{esc(scenario.id)}"{title}>{esc(words)}</a>{mark}'


class DecisionTable(Driver):
    """Memory and function against everything that is asked about a mapping."""

    def make(self, site: Site) -> list[nodes.Node]:
        registry = drivers.load(site.root)
        self.uses(site, (c.rule for c in registry.columns))
        head = [f'{esc(c.title)} <span class="ms-kind">{esc(c.says)}</span>' for c in registry.columns]
        out = ['<div class="ms-scroll ms-decision" tabindex="0" role="region" aria-label="Decision table">',
               '<table class="ms-table" data-filter><thead><tr><th scope="col">Memory, function</th>',
               *(f'<th scope="col">{cell}</th>' for cell in head), "</tr></thead><tbody>"]  # fmt: skip
        for row in rows(site, registry):
            since = f' <span class="ms-since">{esc(row.since)}</span>' if row.since else ""
            name = f'<span class="ms-memory">{esc(row.memory)}</span> {self.function_link(row.function, registry)}'
            data = f'data-memory="{esc(_kind(row.memory))}" data-function="{esc(row.function)}"'
            out.append(f'<tr {data}><th scope="row">{name}{since}</th>')
            out += [self._cell(site, row, column) for column in registry.columns]
            out.append("</tr>")
        out.append("</tbody></table></div>")
        return [raw("".join(out))]

    def _cell(self, site: Site, row: Row, column: Column) -> str:
        label = f'data-label="{esc(column.title)}"' + (" data-offer" if column.filter else "")
        if column.title not in row.cells:
            return f'<td {label} data-cell="–"><span class="ms-none">–</span></td>'  # noqa: RUF001
        scenario, words = row.cells[column.title]
        return f'<td {label} data-cell="{esc(words)}"><div>{self.scenario_link(site, scenario, words)}</div></td>'


def _kind(memory: str) -> str:
    """`RAM` of `4 pages of RAM`: what the filter offers."""
    return re.sub(r"^(\d+ pages? of |an order-\d+ )", "", memory)


class DecisionRow(Driver):
    """One row of the table as a list: what follows from this function for this memory."""

    required_arguments = 1
    final_argument_whitespace = True

    def make(self, site: Site) -> list[nodes.Node]:
        registry = drivers.load(site.root)
        self.uses(site, (c.rule for c in registry.columns))
        row = next((r for r in rows(site, registry) if r.mapping == self.arguments[0]), None)
        if row is None:
            raise self.error(f"the decision table has no row {self.arguments[0]!r}")
        items = []
        for column in registry.columns:
            if column.title in row.cells:
                scenario, words = row.cells[column.title]
                told = self.scenario_link(site, scenario, words)
                items.append(
                    f'<dt>{esc(column.title)} <span class="ms-kind">{esc(column.says)}</span></dt><dd>{told}</dd>'
                )
        lead = f"<p>For {esc(row.memory)}, mapped whole by one process:</p>"
        return [raw(f'{lead}<dl class="ms-implies">{"".join(items)}</dl>')]


class DriverFunctions(Driver):
    """All functions, with where they may be called and the rules that cite them."""

    def make(self, site: Site) -> list[nodes.Node]:
        registry = drivers.load(site.root)
        where = drivers.cited(registry, site.suite)
        body = [
            [
                self.function_link("a fault handler" if e.name == "fault" else e.name, registry) + versions(e),
                f'{prose(e.says)} <span class="ms-kind">{prose(e.get("context"))}</span>',
                prose(e.get("flags")),
                self.rules(e, where),
            ]
            for e in registry.of("function")
        ]
        head = ["Function", "What it is for, called from", "VMA flags", "Rules"]
        return [raw(_cards(table(head, body, label="Functions"), head))]


class DriverFlags(Driver):
    """All flags, with who sets them and the rules that cite them."""

    def make(self, site: Site) -> list[nodes.Node]:
        registry = drivers.load(site.root)
        where = drivers.cited(registry, site.suite)
        body = []
        for e in registry.of("flag"):
            code = f"<code>{esc(e.get('smaps'))}</code>" if e.get("smaps") else "–"  # noqa: RUF001
            body.append(
                [
                    f"<code>{esc(e.name)}</code>{versions(e)}",
                    code,
                    prose(e.says),
                    prose(e.get("set_by")),
                    self.rules(e, where),
                ]
            )
        head = ["Flag", "In smaps", "What it means", "Set by", "Rules"]
        return [raw(_cards(table(head, body, label="VMA flags"), head))]


class CitedBy(Driver):
    """The rules that are about functions or flags, each with its sentence: they name them outside of scenarios."""

    required_arguments = 1
    final_argument_whitespace = True

    def make(self, site: Site) -> list[nodes.Node]:
        registry = drivers.load(site.root)
        where = drivers.cited(registry, site.suite)
        names = self.arguments[0].split()
        if unknown := [n for n in names if n not in where]:
            raise self.error(f"{drivers.FILE} has no {unknown[0]!r}")
        named = {e.name: (e.name, *e.words) for e in registry.entries}
        listed = {
            rule.id: rule
            for name in names
            for rule in where[name]
            if not rule.id.startswith(TABLE)
            and any(word in f"{rule.text} {rule.note} {rule.body}" for word in named[name])
        }
        chapters: dict[str, list[Rule]] = {}
        for rule in sorted(listed.values(), key=lambda r: list(site.suite.rules).index(r.id)):
            chapters.setdefault(rule.chapter, []).append(rule)
        out = []
        for chapter, those in chapters.items():
            title = site.suite.chapters.get(chapter, chapter)
            items = "".join(
                f'<li>{esc(r.text)} <a class="ms-rulelink" href="{esc(self.page_of(chapter))}#{esc(r.id)}">'
                f"<code>{breakable(r.id)}</code></a></li>"
                for r in those
            )
            out.append(f'<p class="ms-lead">{esc(title)}</p><ul class="ms-cited">{items}</ul>')
        return [raw("".join(out) or "<p>No rule yet.</p>")]


def versions(entry: Entry) -> str:
    """`since 6.18`, `until 6.12`, behind a name."""
    said = [f"{word} {entry.get(word)}" for word in ("since", "until") if entry.get(word)]
    return f' <span class="ms-since">{esc(", ".join(said))}</span>' if said else ""


def _cards(html: str, head: list[str]) -> str:
    """A table whose rows become cards on a narrow screen: each cell knows its heading."""
    out, n = [], 0
    for part in re.split(r"(<tr>|<td>.*?(?=<td>|<tr>|</tbody>))", html, flags=re.DOTALL):
        if part == "<tr>":
            n = 0
        elif part.startswith("<td>"):
            n += 1
            part = f'<td data-label="{esc(head[n])}"><div>{part.removeprefix("<td>")}</div>'
        out.append(part)
    return "".join(out).replace('class="ms-scroll"', 'class="ms-scroll ms-cardable"', 1)


# --- handlers -------------------------------------------------------------------------------------------


class Handler(SphinxDirective):
    """A handler's source, and which kernels it was compiled against."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        place = Path(self.env.srcdir) / "drivers" / "handlers"
        path, record = place / self.arguments[0], place / "compiled.toml"
        for dependency in (path, record):
            self.env.note_dependency(str(dependency))
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as e:
            raise self.error(f"{path.name} cannot be read: {e.strerror}") from None
        block = nodes.literal_block(text, text, language="c")
        self.set_source_info(block)
        return [raw(compiled(path, record)), block]


def compiled(path: Path, record: Path) -> str:
    """One chip per kernel: compiled against it, or not."""
    entry = tomllib.loads(record.read_text(encoding="utf-8")).get(path.stem, {}) if record.exists() else {}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    stale = bool(entry) and entry.get("digest") != digest
    chips = []
    for version in VERSIONS:
        exact = next((k for k in entry.get("kernels", ()) if (k + ".").startswith(version + ".")), "")
        if exact and not stale:
            chips.append(f'<span class="ms-chip ms-pass">{esc(exact)}: <b>compiled</b></span>')
        else:
            why = "not compiled: the file has changed since" if exact else "not compiled"
            chips.append(f'<span class="ms-chip ms-none">{esc(version)}: <b>{why}</b></span>')
    name = f'<span class="ms-count"><code>docs/drivers/handlers/{esc(path.name)}</code></span>'
    return f'<p class="ms-chips">{name} {" ".join(chips)}</p>'


DIRECTIVES = {
    "decision-table": DecisionTable,
    "decision-row": DecisionRow,
    "driver-functions": DriverFunctions,
    "driver-flags": DriverFlags,
    "cited-by": CitedBy,
    "handler": Handler,
}
