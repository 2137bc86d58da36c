# SPDX-License-Identifier: MIT
"""The summary of a run for a terminal or a log."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Callable, Iterable, Iterator

from conformance.outputs.ratio import ratios
from conformance.report import BAD, STATUSES, Report, Result

WIDTH = 100
SHOWN = 4
"""Ids named in one group."""


def summary(report: Report) -> str:
    """Everything that is not a plain pass, then the counts and the two ratios."""
    blocks = [title(report)]
    blocks += [failure(report, result) for result in report.bad if result.status in ("fail", "xpass")]
    blocks += _troubles(report)
    for status in ("xfail", "unsupported", "not-applicable", "skipped", "notrun"):
        blocks += _grouped(report, status)
    blocks.append(_end(report))
    return "\n\n".join(blocks)


def title(report: Report) -> str:
    """Who was run, on what."""
    head = report.header
    version = f" {head.implementation.version}" if head.implementation.version else ""
    return (
        f"{head.implementation.name}{version}, profile {head.profile}, "
        f"suite {head.suite.version} ({head.suite.digest}), {head.started}"
    )


def failure(report: Report, result: Result) -> str:
    """One failure in full."""
    fields = [
        ("rule", report.sentence(result)),
        ("scenario", f"{result.name} ({result.file}:{result.line})"),
    ]
    if result.step:
        fields.append(("step", f"{result.step.text} (line {result.step.line})"))
    if result.expected or result.seen:
        fields += [("expected", result.expected), ("seen", result.seen)]
    else:
        fields.append(("reason", result.reason))
    lines = [f"{result.status.upper()} {result.id}"]
    lines += [_field(name, text) for name, text in fields]
    if result.operations:
        lines.append("  operations")
        lines += [f"    {operation}" for operation in result.operations]
    lines.append(_field("again", again(report, result)))
    return "\n".join(lines)


def again(report: Report, result: Result) -> str:
    """The command that runs the scenario again.  A draft outside the suite is found by its file only."""
    what = result.id if result.file.startswith("features/") else result.file
    return f"{report.header.command or 'mapspec run'} {shlex.quote(what)}"


def _field(name: str, text: str) -> str:
    indent = " " * 12
    if name == "again":
        return f"  {name:<9} {text}"  # to be copied: one line
    wrapped = [_fill(line, indent, indent) for line in text.split("\n")]
    return f"  {name:<9} " + "\n".join(wrapped).lstrip()


def _fill(text: str, first: str, later: str) -> str:
    """Wrapped, but ids stay whole."""
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False, break_long_words=False
    )


def _troubles(report: Report) -> Iterator[str]:
    """Errors and timeouts: those with the same reason are one trouble, whose first scenario is shown in full."""
    for status in ("error", "timeout"):
        for _, results in group((r for r in report.bad if r.status == status), _trouble):
            block = failure(report, results[0])
            if len(results) > 1:
                block += "\n" + _field("also", f"{len(results) - 1} more: {_ids(results[1:])}")
            yield block


def _trouble(result: Result) -> str:
    """A reason without the request during which it came."""
    reason = result.reason
    return reason.partition(": ")[2] if reason.startswith("during ") else reason


def _grouped(report: Report, status: str) -> list[str]:
    results = [r for r in report.results.values() if r.status == status]
    if not results:
        return []
    lines = [f"{status} ({len(results)})"]
    for why, same in group(results, lambda r: r.expectation.reason if r.expectation else r.reason):
        lines.append(_fill(f"{len(same):>5}  {why}", "", " " * 7))
        lines.append(_fill(_ids(same), " " * 9, " " * 9))
    return ["\n".join(lines)]


def group(results: Iterable[Result], key: Callable[[Result], str]) -> list[tuple[str, list[Result]]]:
    """Results by key, in the order in which the keys come."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(key(result), []).append(result)
    return list(groups.items())


def _ids(results: list[Result]) -> str:
    names = ", ".join(r.id for r in results[:SHOWN])
    return names if len(results) <= SHOWN else f"{names}, and {len(results) - SHOWN} more"


def _end(report: Report) -> str:
    counts = ", ".join(f"{status} {n}" for status in STATUSES if (n := report.counts[status]) or status in BAD[:1])
    lines = [counts, ratios(report)]
    if not report.complete:
        lines.append(f"NOT COMPLETE: {report.footer.why}. {report.counts['notrun']} scenarios were not run.")
    lines += [f"at the end: {note}" for note in report.footer.notes]
    lines += [f"FAIL at the end: {text}" for text in report.footer.wrong]
    return "\n".join(lines)
