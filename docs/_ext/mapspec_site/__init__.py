# SPDX-License-Identifier: MIT
"""The Sphinx extension of the mapspec site.

Directives: rule, results-matrix, phrase-catalogue, protocol-reference, profile-differences, profile-comparison,
capability-table, recorded-runs, kernel-matrix, kernel-reasons, kernel-bugs, kernel-ends; of the driver guide:
decision-table, decision-row, driver-functions, driver-flags, cited-by, handler; of the pages about imprecision:
imprecision-…; of the page about the limit of the reference count: overflow-…
Roles: rule, scenario, worst, pattern, climb.  The build stops when a scenario on a page does not pass.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.util import logging

from conformance import schema

from . import comparison, data, drivers, imprecision, matrix, overflow, pages, rule, scenario

log = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    root = Path(__file__).resolve().parents[3]
    app.add_config_value("mapspec_root", str(root), "env")
    app.add_config_value("mapspec_reports", str(root / "build" / "reports"), "env")
    app.add_config_value("mapspec_recorded", str(root / "conformance" / "results"), "env")
    app.add_directive("rule", rule.RuleDirective)
    sources = (pages, comparison, matrix, drivers, imprecision, overflow)
    for name, directive in [one for module in sources for one in module.DIRECTIVES.items()]:
        app.add_directive(name, directive)
    app.add_role("rule", rule.RuleRole())
    app.add_role("scenario", rule.RuleRole())
    app.add_role("worst", imprecision.WorstRole())
    app.add_role("pattern", imprecision.PatternRole())
    app.add_role("climb", overflow.RunRole())
    skip = (scenario.skip, None)
    app.add_node(scenario.ScenarioNode, html=(scenario.visit_html, None), latex=skip, text=skip, man=skip)
    app.add_css_file("mapspec.css")
    app.add_js_file("mapspec.js", loading_method="defer")
    app.connect("builder-inited", _load)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-updated", _gate)
    app.connect("doctree-read", rule.mend_links)
    app.connect("missing-reference", rule.resolve)
    app.connect("build-finished", _schema)
    version = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py"))))
    return {
        "version": "1",
        "env_version": int(version.hexdigest()[:8], 16),  # a change of the extension rebuilds every page
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }


def _load(app: Sphinx) -> None:
    """Read suite and results before any page."""
    config = app.config
    site = data.load(
        Path(config.mapspec_root), Path(config.mapspec_reports), Path(config.mapspec_recorded),
        Path(app.doctreedir) / "model",
    )  # fmt: skip
    data.make_current(site)
    for problem in site.suite.problems:
        log.warning("%s", problem, type="mapspec", subtype="suite")
    for trouble in site.troubles:
        log.warning("a report is left out: %s", trouble, type="mapspec", subtype="report")
    if not hasattr(app.env, "mapspec_used"):
        app.env.mapspec_used = {}  # type: ignore[attr-defined]


def _outdated(app: Sphinx, env: BuildEnvironment, *_: set[str]) -> list[str]:
    """Pages that show something that has changed."""
    site = data.current()
    now = site.fingerprints
    return [
        page
        for page, used in env.mapspec_used.items()  # type: ignore[attr-defined]
        if any(now.get(name.removeprefix("uses:")) != fingerprint for name, fingerprint in used.items())
    ]


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    env.mapspec_used.pop(docname, None)  # type: ignore[attr-defined]


def _merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    env.mapspec_used.update(other.mapspec_used)  # type: ignore[attr-defined]


class NotPassing(SphinxError):
    """A page relies on a scenario that does not pass."""

    category = "mapspec"


def _gate(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Stop the build if a scenario that a page shows does not pass on the model or in a record that we keep.

    What the reader's own kernel fails is shown, and does not stop the build.
    """
    site = data.current()
    lines, own = [], 0
    for page, used in env.mapspec_used.items():  # type: ignore[attr-defined]
        names = [name.removeprefix("uses:") for name in used]
        rules = [site.suite.rules[name] for name in names if name in site.suite.rules]
        for column, one, cell in site.bad(rules):
            if not column.model and not column.recorded:
                own += 1
                continue
            reason = cell.reason.replace("\n", "\n      ")
            lines.append(f"  {page}: {one.id} ({one.file}:{one.line}) on {column.label}: {cell.word}\n      {reason}")
            if not column.model:
                lines[-1] += f"\n      recorded in {column.origin}"
    if own:
        log.warning("mapspec: %d scenarios do not pass on this machine's kernel; the pages show which", own)
    if lines:
        shown = "\n".join(lines[:20]) + ("\n  …" if len(lines) > 20 else "")
        raise NotPassing(f"the pages rely on {len(lines)} that do not pass:\n{shown}")
    return []


def _schema(app: Sphinx, exception: Exception | None) -> None:
    """Put the JSON Schema of the protocol and the recorded searches beside the pages."""
    if exception is None and app.builder.format == "html":
        text = json.dumps(schema.schema(), indent=1)
        (Path(app.outdir) / "_static" / "protocol.schema.json").write_text(text + "\n", encoding="utf-8")
        imprecision.copy(Path(app.srcdir), Path(app.outdir))
        overflow.copy(Path(app.srcdir), Path(app.outdir))
