# SPDX-License-Identifier: MIT
"""The directive `rule`: the sentence, why it is so, where it is in the kernel, and the scenarios with results.

The body says why it is so; the options are kernel versions, or `all`, with file and symbol:

:::{rule} cow.isolation
:6.1: mm/memory.c: do_wp_page
:7.3: mm/memory.c: do_wp_page, wp_page_copy
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.util.docutils import ReferenceRole, SphinxDirective

from conformance.suite import Rule, Scenario

from . import data
from . import scenario as scenarios
from .data import Site
from .html import raw

MODAL = re.compile(r"\b(MUST NOT|MUST|MAY)\b")


class AnyOption(dict[str, Any]):
    """Options are kernel versions: whatever looks like one is allowed, and `all`."""

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and (key == "all" or re.fullmatch(r"\d+\.\d+", key) is not None)

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        return directives.unchanged_required

    def get(self, key: str, default: Any = None) -> Any:
        return directives.unchanged_required if key in self else default

    def __bool__(self) -> bool:
        return True


class RuleDirective(SphinxDirective):
    """One rule of a chapter."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[Any] = AnyOption()

    def run(self) -> list[nodes.Node]:
        site = data.current()
        rule = site.suite.rules.get(self.arguments[0])
        if rule is None:
            raise self.error(f"there is no rule {self.arguments[0]!r} in features/")
        used = self.env.mapspec_used.setdefault(self.env.docname, {})  # type: ignore[attr-defined]
        used[rule.id] = site.fingerprints[rule.id]
        section = nodes.section(ids=[rule.id], names=[rule.id], classes=["ms-rule"])
        self.set_source_info(section)
        section += nodes.title("", "", nodes.literal(rule.id, rule.id))
        section += self._sentence(rule)
        self.state.document.note_explicit_target(section)
        if rule.note:
            section += nodes.paragraph(rule.note, rule.note)
        body = nodes.container(classes=["ms-why"])
        self.state.nested_parse(self.content, self.content_offset, body)
        section += body.children
        section += self._sources()
        section += raw(scenarios.summary(site, rule))
        for _, rows in itertools.groupby(rule.scenarios, key=lambda s: s.outline):
            section += self._scenario(site, list(rows))
        return [section]

    def _sentence(self, rule: Rule) -> nodes.Node:
        """The normative sentence, with its verb in bold."""
        paragraph = nodes.paragraph(classes=["ms-sentence"])
        for part in MODAL.split(rule.text):
            paragraph += nodes.strong(part, part) if MODAL.fullmatch(part) else nodes.Text(part)
        return paragraph

    def _sources(self) -> nodes.Node:
        """Kernel file and symbol; versions that say the same share a line."""
        versions: dict[str, list[str]] = defaultdict(list)
        for version, where in self.options.items():
            versions[" ".join(str(where).split())].append(version)
        listing = nodes.bullet_list(classes=["ms-sources"])
        for where, names in versions.items():
            text = nodes.paragraph()
            kernels = "All versions" if names == ["all"] else ", ".join(names)
            text += [nodes.strong(kernels, kernels), nodes.Text(" "), nodes.literal(where, where)]
            listing += nodes.list_item("", text)
        return listing

    def _scenario(self, site: Site, rows: list[Scenario]) -> nodes.Node:
        seen: dict[str, str] = self.env.current_document.setdefault("mapspec_pictures", {})  # type: ignore[assignment]
        return scenarios.ScenarioNode(html=scenarios.render(site, rows, seen))


class RuleRole(ReferenceRole):
    """{rule}`cow.isolation` and {scenario}`cow.isolation.child-writes`: a link to it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        site = data.current()
        known = self.target in site.suite.rules or any(
            self.target in (s.id, s.outline) for s in site.suite.scenarios.values()
        )
        if not known:
            message = self.inliner.reporter.error(f"there is no rule or scenario {self.target!r}", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        link = addnodes.pending_xref(
            "", refdomain="", reftype="mapspec", reftarget=self.target, refdoc=self.env.docname, refwarn=True
        )
        link += nodes.literal(self.title, self.title, classes=["ms-id"])
        return [link], []


def resolve(app: Any, env: Any, node: addnodes.pending_xref, content: nodes.Element) -> nodes.Node | None:
    """A link to a rule or scenario: from our roles, and from `[text](#cow.isolation)` and `{ref}` anywhere."""
    site = data.current()
    target = node.get("reftarget", "").lstrip("#")
    rule = site.suite.rules.get(target)
    if rule is None:
        scenario = site.suite.scenarios.get(target) or next(
            (s for s in site.suite.scenarios.values() if s.outline == target), None
        )
        rule = scenario.rule if scenario else None
    if rule is None:
        return None
    page = page_of(env, rule.id)
    if page is None:
        return None
    uri = "" if page == node["refdoc"] else app.builder.get_relative_uri(node["refdoc"], page)
    return nodes.reference("", "", content, internal=True, refuri=f"{uri}#{target}")


def page_of(env: Any, rule_id: str) -> str | None:
    """The page on which a rule stands."""
    return next((page for page, used in env.mapspec_used.items() if rule_id in used), None)


def mend_links(app: Any, doctree: nodes.document) -> None:
    """docs/spec is a link to spec/, and MyST follows it: turn what it found back into the name of a page."""
    root = data.current().root.resolve()
    for node in doctree.findall(addnodes.pending_xref):
        target = Path(node["reftarget"])
        if node.get("refdomain") == "doc" and target.is_absolute() and target.is_relative_to(root):
            node["reftarget"] = target.relative_to(root).with_suffix("").as_posix()
