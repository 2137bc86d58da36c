# SPDX-License-Identifier: MIT
"""Directives that make a page, or a large part of one, from data."""

from __future__ import annotations

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from . import catalogue, data, messages, results
from .data import Site
from .html import raw


class Generated(SphinxDirective):
    """A part of a page that is made from data; it is made again when they change."""

    def run(self) -> list[nodes.Node]:
        site = data.current()
        used = self.env.mapspec_used.setdefault(self.env.docname, {})  # type: ignore[attr-defined]
        used[self.name] = site.fingerprints[self.name]
        return self.make(site)

    def make(self, site: Site) -> list[nodes.Node]:
        raise NotImplementedError

    def section(self, name: str, title: str) -> nodes.section:
        """A section that the contents of the page list."""
        section = nodes.section(ids=[name], names=[name])
        section += nodes.title(title, title)
        self.state.document.note_explicit_target(section)
        return section

    def page_of(self, chapter: str) -> str:
        """The address of a chapter, from this page."""
        return "../" * self.env.docname.count("/") + f"spec/{chapter}.html"


class ResultsMatrix(Generated):
    """Implementations by chapter, then by rule."""

    def make(self, site: Site) -> list[nodes.Node]:
        made: list[nodes.Node] = [raw(results.by_chapter(site, self.page_of))]
        for chapter, title in site.suite.chapters.items():
            if site.rules(chapter):
                section = self.section(f"results-{chapter.replace('_', '-')}", title)
                section += raw(results.by_rule(site, chapter, self.page_of(chapter)))
                made.append(section)
        return made


class RecordedRuns(Generated):
    """Which runs the results come from."""

    def make(self, site: Site) -> list[nodes.Node]:
        return [raw(results.runs(site))]


class CapabilityTable(Generated):
    """What each implementation can do and tell."""

    def make(self, site: Site) -> list[nodes.Node]:
        return [raw(results.capabilities(site))]


class ProfileDifferences(Generated):
    """The profiles, and what differs between them."""

    def make(self, site: Site) -> list[nodes.Node]:
        made: list[nodes.Node] = [raw(results.profile_list(site))]
        for behaviour in site.behaviours.values():
            section = self.section(f"behaviour-{behaviour.name}", behaviour.name.replace("-", " ").replace("_", " "))
            section += raw(results.behaviour(site, behaviour))
            made.append(section)
        return made


class PhraseCatalogue(Generated):
    """Every phrase of the vocabulary."""

    def make(self, site: Site) -> list[nodes.Node]:
        made: list[nodes.Node] = []
        for module, title, html in catalogue.modules(site, self.page_of):
            section = self.section(f"phrases-{module.replace('_', '-')}", title)
            section += raw(html)
            made.append(section)
        section = self.section("phrase-parameters", "The parameters")
        section += raw(catalogue.parameters())
        return [*made, section]


class ProtocolReference(Generated):
    """Every message of the protocol."""

    def make(self, site: Site) -> list[nodes.Node]:
        made: list[nodes.Node] = []
        for name, title, html in messages.sections():
            section = self.section(f"protocol-{name}", title)
            section += raw(html)
            made.append(section)
        return made


DIRECTIVES = {
    "results-matrix": ResultsMatrix,
    "recorded-runs": RecordedRuns,
    "capability-table": CapabilityTable,
    "profile-differences": ProfileDifferences,
    "phrase-catalogue": PhraseCatalogue,
    "protocol-reference": ProtocolReference,
}
