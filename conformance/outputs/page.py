# SPDX-License-Identifier: MIT
"""One HTML file with everything in it: no scripts, no outside requests."""

from __future__ import annotations

from html import escape

from conformance.outputs.ratio import ratios
from conformance.outputs.text import again, group, title
from conformance.report import BAD, STATUSES, Report, Result

STYLE = """
:root{color-scheme:light dark;--ok:#18794e;--bad:#b42318;--grey:#57606a;--line:#8885}
@media(prefers-color-scheme:dark){:root{--ok:#4cc38a;--bad:#ff8a80;--grey:#9da7b1}}
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}h3{font-size:1rem;margin:1.2rem 0 .3rem}
details{border-top:1px solid var(--line);padding:.3rem 0}summary{cursor:pointer}
.chip{display:inline-block;min-width:8em;font-weight:600;color:var(--grey)}
.chip.pass{color:var(--ok)}.chip.bad{color:var(--bad)}
pre{white-space:pre-wrap;border-left:3px solid var(--line);padding-left:.8rem;font-size:.85rem}
table{border-collapse:collapse}td,th{border:1px solid var(--line);padding:.2rem .6rem;text-align:right}
th:first-child{text-align:left}dt{font-weight:600}dd{margin-left:1.2rem}code{font-size:.9em}
"""


def html(report: Report) -> str:
    """The report as one HTML page."""
    chapters = group(report.results.values(), lambda r: r.chapter)
    warning = "" if report.complete else f"<p class='chip bad'>Not complete: {escape(report.footer.why)}</p>"
    warning += "".join(f"<p class='chip bad'>At the end: {escape(text)}</p>" for text in report.footer.wrong)
    body = "".join(_chapter(report, name, results) for name, results in chapters)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>mapspec: {escape(report.header.implementation.name)}, {escape(report.header.profile)}</title>
<style>{STYLE}</style></head><body>
<h1>{escape(report.header.implementation.name)}, profile {escape(report.header.profile)}</h1>
<p>{escape(title(report))}</p>{warning}
<p>{escape(ratios(report))}</p>
{_matrix(chapters)}
{body}
<p><code>{escape(report.header.command)}</code></p>
</body></html>
"""


def _matrix(chapters: list[tuple[str, list[Result]]]) -> str:
    seen = [s for s in STATUSES if any(r.status == s for _, results in chapters for r in results)]
    head = "".join(f"<th scope='col'>{s}</th>" for s in seen)
    rows = "".join(
        f"<tr><th scope='row'><a href='#{escape(name)}'>{escape(name)}</a></th>"
        + "".join(f"<td>{sum(r.status == s for r in results)}</td>" for s in seen)
        + "</tr>"
        for name, results in chapters
    )
    return f"<table><thead><tr><th scope='col'>chapter</th>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _chapter(report: Report, name: str, results: list[Result]) -> str:
    rules = group(results, lambda r: r.rule)
    body = "".join(
        f"<h3 id='{escape(rule)}'>{escape(report.header.rules.get(rule, ''))} <code>{escape(rule)}</code></h3>"
        + "".join(_result(report, r) for r in of)
        for rule, of in rules
    )
    return f"<h2 id='{escape(name)}'>{escape(name)}</h2>{body}"


def _result(report: Report, result: Result) -> str:
    bad = result.status in BAD
    kind = "bad" if bad else result.status
    facts: list[tuple[str, str]] = [("id", result.id), ("where", f"{result.file}:{result.line}")]
    if result.step:
        facts.append(("step", f"{result.step.text} (line {result.step.line})"))
    for label, text in (("expected", result.expected), ("seen", result.seen), ("reason", result.reason)):
        if text:
            facts.append((label, text))
    if result.expectation:
        facts.append(("was expected to fail", f"{result.expectation.reason} {result.expectation.link}"))
    facts += [("also seen", note) for note in result.notes]
    facts.append(("again", again(report, result)))
    listed = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts)
    operations = f"<pre>{escape(chr(10).join(result.operations))}</pre>" if result.operations else ""
    row = result.id.partition("[")[2]
    name = f"{result.name} [{row}" if row else result.name
    return (
        f"<details{' open' if bad else ''}><summary><span class='chip {kind}'>{result.status}</span> "
        f"{escape(name)}</summary><dl>{listed}</dl>{operations}</details>"
    )
