# SPDX-License-Identifier: MIT
"""What differs between two profiles on the model: behaviours, rules and scenarios, as `mapspec compare` says it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from docutils import nodes

from conformance import comparison
from conformance.comparison import KINDS, Comparison, Kind, RuleChange
from conformance.profiles import Profile

from .data import Site
from .html import breakable, esc, prose, raw, table
from .pages import Generated

FEW = 4
"""Rows of a table that need no fold."""
STATUS = {"not-applicable": "does not apply", "unsupported": "cannot be told", "pass": "holds"}


def compare(site: Site, a: str, b: str) -> Comparison:
    """The comparison of the model's results in two profiles."""
    sentences = {rule.id: rule.text for rule in site.suite.rules.values()}
    results = [
        {s: column.results[s] for s in site.suite.scenarios if s in column.results}
        for column in (site.model(a), site.model(b))
    ]
    return comparison.compare(*results, sentences)


class ProfileComparison(Generated):
    """`{profile-comparison} A B`: what differs between two profiles, by chapter and rule."""

    required_arguments = 2

    def make(self, site: Site) -> list[nodes.Node]:
        for name in self.arguments:
            if name not in site.profiles:
                raise self.error(f"there is no profile {name!r}; there is {', '.join(site.profiles)}")
        a, b = (site.profiles[name] for name in self.arguments)
        found = compare(site, a.name, b.name)
        return [raw(_summary(site, a, b, found) + _behaviours(site, a, b, self.address) + _chapters(
            site, a, b, found, self.page_of
        ))]  # fmt: skip

    @property
    def address(self) -> str:
        """The page of the profiles, from this page."""
        return "../" * self.env.docname.count("/") + "profiles.html"


def _summary(site: Site, a: Profile, b: Profile, found: Comparison) -> str:
    """How much differs, and which kernels of the two have been run."""
    counts = {kind: len(found.kind(kind)) for kind in KINDS}
    heads = _heads(a, b)
    parts = [f"{n} {heads[kind]}" for kind, n in counts.items() if n]
    ran = [f"<b>{esc(p.name)}</b>: {_ran(site, p)}" for p in (a, b)]
    return (
        f"<p>The model was run as <code>{esc(a.name)}</code> and as <code>{esc(b.name)}</code>. {found.changed} of "
        f"{found.scenarios} scenarios differ, in {len(found.rules)} of {found.of} rules: {esc(', '.join(parts))}. "
        f'Kernels that have been run: {"; ".join(ran)}.</p><p class="ms-from">The same on a terminal: '
        f"<code>mapspec run --profile all --reports R</code>, then <code>mapspec compare R/{esc(a.name)}.jsonl "
        f"R/{esc(b.name)}.jsonl</code>.</p>"
    )


def _ran(site: Site, profile: Profile) -> str:
    return esc(", ".join(c.short for c in site.ran(profile.name)) or "none yet")


def _short(profile: Profile) -> str:
    return profile.name.removeprefix("linux-").replace("-", " ")


def _heads(a: Profile, b: Profile) -> dict[Kind, str]:
    return {
        "only in A": f"only in {_short(a)}",
        "only in B": f"only in {_short(b)}",
        "in both": "in both, but not all scenarios",
        "orders": "but for folio orders the same",
    }


def _behaviours(site: Site, a: Profile, b: Profile, page: str) -> str:
    """The behaviours and parameters that have another value."""
    rows = []
    for one in site.behaviours.values():
        values = a.behaviours[one.name], b.behaviours[one.name]
        if values[0] != values[1]:
            link = f'<a href="{esc(page)}#behaviour-{esc(one.name)}">{prose(one.says)}</a>'
            rows.append([link, *(prose(one.values[value]) for value in values)])
    for name, value in a.parameters.items():
        if value != b.parameters[name]:
            rows.append([f"Parameter <code>{esc(name)}</code>", esc(value), esc(b.parameters[name])])
    shown = table(
        ["What", esc(_short(a)), esc(_short(b))], rows, label=f"Behaviours that differ from {a.name} to {b.name}"
    )
    if len(rows) <= FEW:
        return shown
    return (
        f'<details class="ms-fold"><summary>The {len(rows)} behaviours and parameters that differ, in words</summary>'
        f"{shown}</details>"
    )


def _chapters(site: Site, a: Profile, b: Profile, found: Comparison, page_of: Callable[[str], str]) -> str:
    """One fold for each chapter."""
    order = list(site.suite.chapters)
    rules = sorted(found.rules, key=lambda r: order.index(r.chapter))
    heads, parts = _heads(a, b), []
    for chapter, of_chapter in groupby(rules, key=lambda r: r.chapter):
        mine = list(of_chapter)
        counts = [f"{n} {heads[kind]}" for kind in KINDS if (n := sum(r.kind == kind for r in mine))]
        lists = "".join(
            f"<p><b>{esc(heads[kind][0].upper() + heads[kind][1:])}</b></p><ul>{''.join(some)}</ul>"
            for kind in KINDS[:3]
            if (some := [_rule(rule, page_of(chapter), a, b) for rule in mine if rule.kind == kind])
        )
        if orders := [rule for rule in mine if rule.kind == "orders"]:
            links = ", ".join(_link(page_of(chapter), rule.id, rule.id.partition(".")[2]) for rule in orders)
            lists += f"<p><b>The same but for folio orders that one of them does not have</b>: {links}</p>"
        title = site.suite.chapters[chapter]
        parts.append(
            f'<details class="ms-fold" id="{esc(f"{a.name}-to-{b.name}-{chapter}")}"><summary><b>{esc(title)}</b>: '
            f"{esc(', '.join(counts))}</summary>{lists}</details>"
        )
    return "".join(parts)


def _rule(rule: RuleChange, page: str, a: Profile, b: Profile) -> str:
    """A rule, and what became of its scenarios."""
    groups = []
    for what, why, scenarios in rule.groups:
        links = ", ".join(
            _link(page, name, name.rpartition(".")[2]) + (f" ({rows} rows)" if rows > 1 else "")
            for name, rows in scenarios
        )
        groups.append(f'<p class="ms-change">{_verdict(what, why, rule, a, b)}{links}</p>')
    more = f'<p class="ms-change">{rule.same} more hold in both.</p>' if rule.kind == "in both" and rule.same else ""
    return f"<li>{_link(page, rule.id, rule.id)} {esc(rule.sentence)}{''.join(groups)}{more}</li>"


def _link(page: str, target: str, shown: str) -> str:
    return f'<a href="{esc(page)}#{esc(target)}"><code>{breakable(shown)}</code></a>'


def _verdict(what: str, why: str, rule: RuleChange, a: Profile, b: Profile) -> str:
    """What is different, in words; nothing where the heading has said it."""
    before, arrow, after = what.partition(" -> ")
    plain = {before, after} == {"pass", "not-applicable"}
    if arrow and plain and rule.kind != "in both":
        return ""
    if arrow and plain:
        return f"Only in {esc(_short(a if before == 'pass' else b))}: "
    if arrow:
        said = f"{_short(a)}: {STATUS.get(before, before)}; {_short(b)}: {STATUS.get(after, after)}"
        return f"{esc(said)} ({esc(why)}): "
    return f"{esc(what)}: "


DIRECTIVES = {"profile-comparison": ProfileComparison}
