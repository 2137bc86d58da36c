# SPDX-License-Identifier: MIT
"""A scenario on a page: folded; Gherkin, results in words, the step-by-step picture, and how to repeat it."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes

from conformance import profiles, trace
from conformance.implementations import Model
from conformance.suite import Rule, Scenario

from . import outline, picture
from .data import NOT_YET, WORDS, Cell, Column, Site, Tally
from .html import esc, prose, table

MOST_LINES = 40
"""Operations that are written out."""


class ScenarioNode(nodes.General, nodes.Element):
    """Ready HTML.  Not `raw`, so that the labels of the pictures stay out of the search index."""


def visit_html(self: Any, node: ScenarioNode) -> None:
    self.body.append(node["html"])
    raise nodes.SkipNode


def skip(self: Any, node: ScenarioNode) -> None:
    raise nodes.SkipNode


def chip(label: str, word: str, css: str) -> str:
    """`model linux-7.3: pass`.  The word says it; the colour repeats it."""
    return f'<span class="ms-chip ms-{css}">{esc(label)}: <b>{esc(word)}</b></span>'


def summary(site: Site, rule: Rule) -> str:
    """Under the sentence: how the rule fares, one chip per implementation."""
    default = site.model(profiles.DEFAULT)
    tallies = [(c, site.tally(c, rule.scenarios)) for c in site.models]
    others = [t for c, t in tallies if c is not default]
    chips = [_tally_chip(default.label, site.tally(default, rule.scenarios))]
    total = functools.reduce(_plus, others, Tally())
    chips.append(_tally_chip(f"model, {len(others)} other profiles", total) if others else "")
    chips += _kernel_chips((c, t.words, t.css) for c in site.kernels for t in [site.tally(c, rule.scenarios)])
    count = len(rule.scenarios)
    return (
        f'<p class="ms-chips"><span class="ms-count">{count} scenario{"s" * (count != 1)}</span> '
        + " ".join(filter(None, chips)) + "</p>"
    )  # fmt: skip


def _plus(a: Tally, b: Tally) -> Tally:
    return Tally(*(getattr(a, f) + getattr(b, f) for f in Tally.__dataclass_fields__))


def _tally_chip(label: str, tally: Tally) -> str:
    return chip(label, tally.words, tally.css)


def render(site: Site, rows: list[Scenario], seen: dict[str, str]) -> str:
    """One scenario, or all rows of an outline, as a <details>.  `seen`: the drawings of the page so far, and names."""
    first = rows[0]
    written = _outlines(site.root / first.file).get(first.outline) if first.id != first.outline else None
    shown, profile = _to_draw(site, rows)
    parts = [
        f'<details class="ms-scenario" id="{esc(first.outline)}"><summary>',
        f'<span class="ms-name">{esc(_name(rows))}</span> ',
        f'<span class="ms-chips">{_short_chips(site, rows)}</span></summary><div class="ms-body">',
        f'<p class="ms-anchor"><a href="#{esc(first.outline)}"><code>{esc(first.outline)}</code></a>',
        f" in <code>{esc(first.file)}</code>{_conditions(rows)}</p>",
        f"<p>{prose(first.note)}</p>" if first.note else "",
    ]
    if written:
        parts += [_gherkin(written.steps), _row_table(site, rows, written)]
    else:
        parts += [_gherkin((s.keyword, s.text) for s in first.steps), _all_chips(site, first)]
    parts.append(_reasons(site, rows))
    if profile is not None:
        parts.append(_pictures(site, shown, profile, _row(shown, written), seen))
    parts += [_replay(first.outline), "</div></details>"]
    return "".join(parts)


def _to_draw(site: Site, rows: list[Scenario]) -> tuple[Scenario, str | None]:
    """The row to draw: the first that passes in the default profile, else the first that passes anywhere."""
    for row in rows:
        if site.model(profiles.DEFAULT).cell(row).status == "pass":
            return row, profiles.DEFAULT
    return next(((row, p) for row in rows if (p := site.picture_profile(row))), (rows[0], None))


def _row(scenario: Scenario, written: outline.Outline | None) -> str:
    """The cells of a scenario that is a row of an outline."""
    lines = (line for _, rows in written.tables for line in rows) if written else ()
    return next((", ".join(cells) for number, cells in lines if number == scenario.line), "")


def _name(rows: list[Scenario]) -> str:
    """The name; that of an outline may have a <parameter>, then its first row stands for all."""
    more = len({s.name for s in rows}) > 1
    return f"{rows[0].name}, and {len(rows) - 1} more" if more else rows[0].name


def _conditions(rows: list[Scenario]) -> str:
    """The conditions that all rows share."""
    shared = [c for c in rows[0].conditions if all(c in r.conditions for r in rows)]
    return " · applies where " + ", ".join(f"<code>{esc(c)}</code>" for c in shared) if shared else ""


# --- results --------------------------------------------------------------------------------------------


def _short_chips(site: Site, rows: list[Scenario]) -> str:
    """For the folded line: the default profile, and the kernels to which it applies."""
    default = site.model(profiles.DEFAULT)
    kernels = [(c, *_outcome(site, c, rows)) for c in site.kernels]
    applies = [one for one in kernels if one[1] != WORDS["not-applicable"]]
    return " ".join([chip(default.label, *_outcome(site, default, rows)), *_kernel_chips(applies)])


def _outcome(site: Site, column: Column, rows: list[Scenario]) -> tuple[str, str]:
    """Words and colour for one scenario, or for the rows of an outline."""
    one = column.cell(rows[0]) if len(rows) == 1 else None
    tally = site.tally(column, rows)
    return (one.word, one.css) if one else (tally.words, tally.css)


def _kernel_chips(outcomes: Iterable[tuple[Column, str, str]]) -> list[str]:
    """One chip for all kernels of which the same is to be said."""
    same: dict[tuple[str, str], list[str]] = {}
    for column, word, css in outcomes:
        same.setdefault((word, css), []).append(column.short)
    return [chip(f"kernel{'s' * (len(names) > 1)} {', '.join(names)}", *key) for key, names in same.items()]


def _all_chips(site: Site, scenario: Scenario) -> str:
    """One chip per implementation and profile, and those that nobody has run."""
    chips = [chip(c.label, *_outcome(site, c, [scenario])) for c in site.shown([scenario]) if c.model]
    chips += _kernel_chips((c, *_outcome(site, c, [scenario])) for c in site.kernels)
    return f'<p class="ms-chips">{" ".join(chips)} {_unrun(site, [scenario])}</p>'


def heading(column: Column) -> str:
    """`7.3 no page mapcount`: a heading that may break into lines."""
    return esc(column.short.replace("-", " ") if column.model else column.short)


def short(profile: str) -> str:
    return profile.removeprefix("linux-")


def _unrun(site: Site, rows: list[Scenario]) -> str:
    """One chip for the profiles without a kernel's result in which any of the rows applies."""
    names = [
        p
        for p in site.unrun
        if any(site.model(p).cell(r).status != "not-applicable" for r in rows) and not site.same_as_its_base(p, rows)
    ]
    return chip(f"kernel{'s' * (len(names) > 1)} {', '.join(map(short, names))}", NOT_YET, "none") if names else ""


def _row_table(site: Site, rows: list[Scenario], written: outline.Outline) -> str:
    """The rows of an outline with a result in each column."""
    by_line = {row.line: row for row in rows}
    columns = site.shown(rows)
    parts = []
    for header, lines in written.tables:
        head = [esc(h) for h in header] + [
            f'<span class="ms-kind">{"model" if c.model else "kernel"}</span> {heading(c)}' for c in columns
        ]
        body = []
        for line, cells in lines:
            row = by_line.get(line)
            if row is None:
                continue
            results = [_word(column.cell(row)) for column in columns]
            named = [f'<span id="{esc(row.id)}">{esc(cells[0])}</span>', *map(esc, cells[1:])]
            body.append([*named, *results])
        if body:
            parts.append(table(head, body, label=f"Rows and results of {rows[0].outline}"))
    return "".join(parts) + f'<p class="ms-chips">{_unrun(site, rows)}</p>'


def _word(cell: Cell) -> str:
    """A cell of the table; the reason is in the list below it.  There are thousands, so a pass has no class."""
    text = "n/a" if cell.status == "not-applicable" else cell.word
    return f'<td class="ms-{cell.css}">{esc(text)}' if cell.status != "pass" else text


def _reasons(site: Site, rows: list[Scenario]) -> str:
    """Why something is not a pass, each reason once."""
    found: dict[tuple[str, str], list[str]] = {}
    noted: dict[str, list[str]] = {}
    for column in site.columns:
        for row in rows:
            cell = column.cell(row)
            if cell.reason and cell.status != "pass":
                where = found.setdefault((cell.word, cell.reason), [])
                if column.label not in where:
                    where.append(column.label)
            elif cell.status == "pass" and len(rows) == 1:
                for note in column.results[row.id].notes:
                    noted.setdefault(note, []).append(column.label)
    items = [f"{esc(word)}, {esc(', '.join(where))}: {esc(reason)}" for (word, reason), where in found.items()]
    items += [f"seen by {esc(', '.join(where))}: {esc(note)}" for note, where in noted.items()]
    if not items:
        return ""
    more = len(items) - 12
    shown = items[:12] + ([f"and {more} more, see the report"] if more > 0 else [])
    return '<ul class="ms-reasons">' + "".join(f"<li>{i}</li>" for i in shown) + "</ul>"


# --- steps and pictures ---------------------------------------------------------------------------------


@functools.lru_cache(maxsize=64)
def _outlines(path: Path) -> dict[str, outline.Outline]:
    return outline.read(path)


def _gherkin(steps: Any) -> str:
    lines = (f"<b>{esc(keyword)}</b> {esc(text)}" for keyword, text in steps)
    return '<pre class="ms-gherkin">' + "\n".join(lines) + "</pre>"


@functools.lru_cache(maxsize=8)
def _implementation(profile: str) -> Model:
    return Model(profile)


def _pictures(site: Site, scenario: Scenario, profile: str, row: str, seen: dict[str, str]) -> str:
    """One frame per step that changes something; the others are said below the frame before them."""
    played = trace.trace(scenario, _implementation(profile), site.profiles[profile])
    frames: list[str] = []
    before: dict[str, Any] = {"processes": {}, "folios": [], "pipes": {}, "buffers": {}}
    for number, moment in enumerate(played.moments, 1):
        caption = f"<i>{number}</i> <b>{esc(moment.step.keyword)}</b> {esc(moment.step.text)}"
        drawn = None
        if moment.state is not None:
            drawn = picture.draw(moment.state, before)
            before = moment.state
        if drawn is not None and (drawn.changes or not frames):
            frames.append(f"<figure><figcaption>{caption}</figcaption>{_svg(drawn, number, seen)}")
        elif frames:
            holds = "holds" if moment.step.kind == "then" else "changes nothing that is drawn"
            frames[-1] += f'<p class="ms-also">{caption} <em>{holds}</em></p>'
    if not frames:
        return ""
    which = f"row “{esc(row)}”, " if row else ""
    lines = [f"{e.request} -> {e.reply}" for moment in played.moments for e in moment.exchanges]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES // 2 : -MOST_LINES // 2] = [f"… {len(lines) - MOST_LINES} more …"]
    operations = "\n".join(lines)
    return (
        f'<p class="ms-lead">Step by step: {which}on the model as <code>{esc(profile)}</code>. ▲ marks what a step '
        f'changed.</p><div class="ms-frames">{"".join(f + "</figure>" for f in frames)}</div>'
        f'<details class="ms-operations"><summary>The operations</summary><pre>{esc(operations)}</pre></details>'
    )


def _svg(drawn: picture.Picture, number: int, seen: dict[str, str]) -> str:
    """The drawing, or a pointer to it if the page has the same already: many scenarios begin alike."""
    title = f"After step {number}"
    if name := seen.get(drawn.shapes):
        return drawn.svg_like(title, name)
    name = seen[drawn.shapes] = f"ms-{len(seen)}"
    return drawn.svg(title, name)


def _replay(name: str) -> str:
    """Commands to run it again; the class makes sphinx-copybutton add its button."""
    quoted = shlex.quote(name)
    return (
        '<div class="highlight-console notranslate ms-replay"><div class="highlight"><pre>'
        f"mapspec run {esc(quoted)}\nmapspec run --implementation linux {esc(quoted)}</pre></div></div>"
    )
