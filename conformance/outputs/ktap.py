# SPDX-License-Identifier: MIT
"""KTAP, the kernel's test protocol: one flat list.  See Documentation/dev-tools/ktap.rst."""

from __future__ import annotations

from conformance.outputs.text import failure, title
from conformance.report import Report, Result

DIRECTIVES = {
    "timeout": "TIMEOUT", "error": "ERROR", "xfail": "XFAIL", "unsupported": "SKIP", "not-applicable": "SKIP",
    "skipped": "SKIP", "notrun": "SKIP",
}  # fmt: skip


def ktap(report: Report) -> str:
    """The report as KTAP."""
    lines = ["KTAP version 1", f"1..{len(report.results) + bool(report.footer.wrong)}", f"# {title(report)}"]
    for number, result in enumerate(report.results.values(), 1):
        if result.status in ("fail", "error", "timeout", "xpass"):
            lines += [f"# {line}" for line in failure(report, result).split("\n")]
        ok = "not ok" if result.status in ("fail", "error", "timeout", "xpass") else "ok"
        lines.append(f"{ok} {number} {result.id}{_directive(result)}")
    if report.footer.wrong:
        lines += [f"# {_one_line(text)}" for text in report.footer.wrong]
        lines.append(f"not ok {len(report.results) + 1} at the end of the run")
    if not report.complete:
        lines.append(f"Bail out! {_one_line(report.footer.why)}")
    return "\n".join(lines) + "\n"


def _directive(result: Result) -> str:
    directive = DIRECTIVES.get(result.status)
    if not directive:
        return ""
    said = result.expectation.reason if result.expectation else result.reason
    why = f"{result.status}: {said}" if directive == "SKIP" else said
    return f" # {directive} {_one_line(why)}".rstrip()


def _one_line(text: str) -> str:
    return " ".join(text.replace("#", "").split())
