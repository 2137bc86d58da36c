# SPDX-License-Identifier: MIT
"""The two ratios of a report in words: pass of applicable, and applicable of all."""

from __future__ import annotations

from conformance.report import Report


def percent(part: int, whole: int) -> str:
    """Rounded down to a tenth: 100 % means all."""
    if not whole:
        return "none"
    tenths = part * 1000 // whole
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10:.1f} %"


def ratios(report: Report) -> str:
    """Both, as two sentences."""
    passed, applicable = report.passed
    _, total = report.applicable
    return (
        f"{passed} of {applicable} applicable scenarios pass ({percent(passed, applicable)}). "
        f"{applicable} of {total} apply ({percent(applicable, total)})."
    )
