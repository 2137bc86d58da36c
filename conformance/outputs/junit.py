# SPDX-License-Identifier: MIT
"""JUnit XML: one suite per chapter, one case per scenario."""

from __future__ import annotations

from xml.etree import ElementTree

from conformance.outputs.text import failure, group
from conformance.report import Report, Result

ELEMENTS = {
    "fail": "failure", "xpass": "failure", "error": "error", "timeout": "error", "unsupported": "skipped",
    "not-applicable": "skipped", "xfail": "skipped", "skipped": "skipped", "notrun": "skipped",
}  # fmt: skip


def junit(report: Report) -> str:
    """The report as a JUnit XML document."""
    top = ElementTree.Element("testsuites", {"name": "mapspec", **_counts(list(report.results.values()))})
    for chapter, results in group(report.results.values(), lambda r: r.chapter):
        suite = ElementTree.SubElement(top, "testsuite", {"name": chapter, **_counts(results)})
        suite.set("timestamp", report.header.started)
        _properties(suite, report)
        for result in results:
            _case(suite, report, result)
    if report.footer.wrong:
        _end(top, report)
    ElementTree.indent(top)
    return "<?xml version='1.0' encoding='UTF-8'?>\n" + ElementTree.tostring(top, encoding="unicode") + "\n"


def _end(top: ElementTree.Element, report: Report) -> None:
    """What was wrong when everything was over, as a failed test."""
    suite = ElementTree.SubElement(top, "testsuite", name="end", tests="1", failures="1", errors="0", skipped="0")
    case = ElementTree.SubElement(suite, "testcase", classname="end", name="at the end of the run", time="0")
    ElementTree.SubElement(case, "failure", message="; ".join(report.footer.wrong), type="fail")
    for name in ("tests", "failures"):
        top.set(name, str(int(top.get(name, "0")) + 1))


def _counts(results: list[Result]) -> dict[str, str]:
    kinds = [ELEMENTS.get(r.status, "") for r in results]
    return {
        "tests": str(len(results)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
        "time": f"{sum(r.seconds for r in results):.6f}",
    }


def _properties(suite: ElementTree.Element, report: Report) -> None:
    head = report.header
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (
        ("implementation", f"{head.implementation.name} {head.implementation.version}".strip()),
        ("profile", head.profile),
        ("suite", f"{head.suite.version} {head.suite.digest}"),
        ("complete", str(report.complete).lower()),
    ):
        ElementTree.SubElement(properties, "property", name=name, value=value)


def _case(suite: ElementTree.Element, report: Report, result: Result) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=result.rule, name=result.id, file=result.file, line=str(result.line),
        time=f"{result.seconds:.6f}",
    )  # fmt: skip
    if result.status in ELEMENTS:
        message = f"{result.status}: {result.reason}" if result.reason else result.status
        if result.expectation:
            message += f" (expected: {result.expectation.reason} {result.expectation.link})"
        element = ElementTree.SubElement(case, ELEMENTS[result.status], message=message)
        if ELEMENTS[result.status] != "skipped":
            element.set("type", result.status)
            element.text = failure(report, result)
