# SPDX-License-Identifier: MIT
"""A badge: one small SVG with the ratio of passes."""

from __future__ import annotations

from html import escape

from conformance.report import Report

CHARACTER = 6.6
"""Width in pixels of a character of 11 pixels, about."""


def badge(report: Report) -> str:
    """The badge as SVG.  Green: all that applies passes; yellow: what does not was expected; red: something fails."""
    passed, applicable = report.passed
    label = f"mapspec {report.header.profile}"
    if not report.complete:
        value, colour = "not complete", "#6e7781"
    elif report.bad or report.footer.wrong:
        value, colour = f"{passed} of {applicable} pass", "#b42318"
    elif passed == applicable:
        value, colour = (f"{passed} pass", "#18794e") if passed else ("nothing applies", "#6e7781")
    else:
        value, colour = f"{passed} of {applicable} pass", "#8a6100"
    left, right = (round(len(text) * CHARACTER) + 12 for text in (label, value))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img"
     aria-label="{escape(label)}: {escape(value)}">
<title>{escape(label)}: {escape(value)}</title>
<rect width="{left + right}" height="20" rx="3" fill="{colour}"/>
<path d="M3 0H{left}V20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#3d444d"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{left / 2:g}" y="14" textLength="{left - 12}">{escape(label)}</text>
<text x="{left + right / 2:g}" y="14" textLength="{right - 12}">{escape(value)}</text>
</g>
</svg>
"""
