# SPDX-License-Identifier: MIT
"""Tables of results, runs, capabilities and profiles, as HTML."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from itertools import chain

from conformance.profiles import Behaviour, Profile
from conformance.suite import Scenario

from .data import NOT_YET, Column, Site, Tally
from .html import breakable, esc, prose, table
from .scenario import heading

BASIS = {
    "source": "read in the source",
    "measured": "measured on such a kernel",
    "assumed": "assumed: neither read nor measured",
}


def by_chapter(site: Site, page_of: Callable[[str], str]) -> str:
    """One row per implementation, one column per chapter."""
    chapters = [c for c in site.suite.chapters if site.rules(c)]
    head = ["Implementation", *(f'<a href="{esc(page_of(c))}">{esc(c.replace("_", " "))}</a>' for c in chapters), "All"]
    rows = []
    for column in site.columns:
        parts = [[s for r in site.rules(c) for s in r.scenarios] for c in chapters]
        rows.append([esc(column.label), *(_cell(site, column, p) for p in [*parts, [*chain(*parts)]])])
    for profile in site.unrun:
        wide = f'<td colspan="{len(chapters) + 1}" class="ms-none">{NOT_YET}'
        rows.append([f"kernel {esc(profile.removeprefix('linux-'))}", wide])
    return table(head, rows, label="Results by implementation and chapter")


def by_rule(site: Site, chapter: str, page: str) -> str:
    """One row per rule, one column per implementation."""
    head = ["Rule", *(f'<span class="ms-kind">{"model" if c.model else "kernel"}</span> {heading(c)}'
                      for c in site.columns)]  # fmt: skip
    rows = [
        [f'<a href="{esc(page)}#{esc(rule.id)}"><code>{breakable(rule.id.partition(".")[2])}</code></a>',
         *(_cell(site, column, rule.scenarios) for column in site.columns)]
        for rule in site.rules(chapter)
    ]  # fmt: skip
    return table(head, rows, label=f"Results of chapter {chapter} by rule")


def _cell(site: Site, column: Column, scenarios: list[Scenario]) -> str:
    """`9/9 pass`, and anything else in words."""
    tally: Tally = site.tally(column, scenarios)
    return f'<span class="ms-word ms-{tally.css}">{esc(tally.words)}</span>'


def _not_yet() -> str:
    return f'<span class="ms-word ms-none">{NOT_YET}</span>'


def runs(site: Site) -> str:
    """The kernels' reports, and the profiles that have none."""
    head = ["Kernel", "Run as", "Profile", "Date (UTC)", "Suite digest", "Scenarios", "Recorded in"]
    rows = []
    for column in site.kernels:
        header = column.header
        assert header is not None
        environment = header.implementation.environment
        digest = header.suite.digest
        current = digest == site.suite.digest
        state = "the same as these pages" if current else "stale: the suite has changed since"
        rows.append(
            [
                f"{esc(column.short)} <code>{esc(header.implementation.version)}</code>",
                esc(environment.get("user", "not said")),
                esc(column.profile),
                esc(header.started.replace("T", " ").partition("+")[0]),
                f'<code>{esc(digest)}</code> <span class="ms-word ms-{"pass" if current else "other"}">{state}</span>',
                f"{len(column.results)}" + ("" if column.complete else " (the run was interrupted)"),
                f"<code>{esc(column.origin)}</code>",
            ]
        )
    for profile in site.unrun:
        rows.append([f"kernel {esc(profile.removeprefix('linux-'))}", "", esc(profile), _not_yet(), "", "", ""])
    return table(head, rows, label="Recorded runs")


def capabilities(site: Site) -> str:
    """What can be done or told, and who can."""
    with open(site.root / "spec" / "capabilities.toml", "rb") as f:
        known: dict[str, str] = tomllib.load(f)["capability"]
    needs: dict[str, int] = dict.fromkeys(known, 0)
    for scenario in site.suite.scenarios.values():
        for condition in scenario.conditions:
            if condition.name == "needs" and condition.value in needs:
                needs[condition.value] += 1
    head = ["Capability", "What it is", *(esc(c.label) for c in site.kernels)]
    rows = []
    for name, says in known.items():
        cells = [f'<code id="capability-{esc(name)}">{esc(name)}</code>', prose(says)]
        for column in site.kernels:
            assert column.header is not None
            greeting = column.header.implementation
            if name in greeting.capabilities:
                cells.append('<span class="ms-word ms-pass">yes</span>')
            else:
                why = greeting.missing.get(name, "no reason given")
                cells.append(f'<span class="ms-word ms-other">no</span>: {esc(why)}')
        rows.append(cells)
    return table(head, rows, label="Capabilities")


# --- profiles -------------------------------------------------------------------------------------------


def _changes(profile: Profile) -> str:
    """How many behaviours a profile changes, and which parameters."""
    parts = [str(len(profile.differs))] if profile.differs or not profile.own_parameters else []
    parts += [f"<code>{esc(name)} = {esc(value)}</code>" for name, value in profile.own_parameters.items()]
    return ", ".join(parts)


def profile_list(site: Site) -> str:
    """The profiles, and whether a kernel has been run for them."""
    rows = []
    for profile in site.profiles.values():
        ran = [c.short for c in site.ran(profile.name)]
        state = f"run on kernel {', '.join(ran)}" if ran else NOT_YET
        css = "pass" if ran else "none"
        rows.append(
            [
                f"<code>{esc(profile.name)}</code>",
                prose(profile.says),
                f"<code>{esc(profile.inherits)}</code>" if profile.inherits else "nothing",
                _changes(profile),
                f'<span class="ms-word ms-{css}">{esc(state)}</span>',
            ]
        )
    return table(["Profile", "What it is", "Starts from", "Changes", "Kernel"], rows, label="Profiles")


def behaviour(site: Site, one: Behaviour) -> str:
    """One behaviour: what it is, its value in each profile, and why it changed."""
    parts = [f"<p>{prose(one.says)}</p>"]
    if one.source:
        parts.append(f'<p class="ms-source">Source: <code>{esc(one.source)}</code></p>')
    values = "".join(f"<dt><code>{esc(value)}</code></dt><dd>{prose(says)}</dd>" for value, says in one.values.items())
    parts.append(f'<dl class="ms-values">{values}</dl>')
    rows = []
    for profile in site.profiles.values():
        value = profile.behaviours.get(one.name)
        change = next((d for d in profile.differs if d.behaviour == one.name), None)
        if value is None:
            continue
        if change:
            why = prose(change.why) + (f"<br><code>{esc(change.source)}</code>" if change.source else "")
            basis = esc(BASIS.get(change.basis, change.basis))
        else:
            why, basis = f"as in <code>{esc(profile.inherits or '')}</code>", ""
        ran = bool(site.ran(profile.name))
        rows.append(
            [
                f"<code>{esc(profile.name)}</code>",
                f"<b><code>{esc(value)}</code></b>" if change else f"<code>{esc(value)}</code>",
                why,
                basis,
                "kernel run" if ran else NOT_YET,
            ]
        )
    parts.append(table(["Profile", "Value", "Why", "Basis", "Kernel"], rows, label=f"{one.name} by profile"))
    return "".join(parts)
