# SPDX-License-Identifier: MIT
"""Small helpers to write HTML by hand: everything that is not a literal goes through `esc`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from docutils import nodes


def esc(text: object) -> str:
    """Text for an element or an attribute."""
    return escape(str(text), quote=True)


def prose(text: str) -> str:
    """A docstring or comment: escaped, with `code` marked."""
    return re.sub(r"`+([^`]+)`+", r"<code>\1</code>", esc(" ".join(text.split())))


def breakable(name: str) -> str:
    """An id that may break after its dots, escaped."""
    return esc(name).replace(".", ".<wbr>").replace("[", "<wbr>[")


def raw(html: str) -> nodes.raw:
    """A node that is only in the HTML."""
    return nodes.raw("", html, format="html")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, label: str, first_is_header: bool = True) -> str:
    """A table of ready HTML cells, in a box of its own that scrolls sideways on a small screen.

    A cell may be whole, `<td class=…>…`: then it is taken as it is.
    """
    out = [f'<div class="ms-scroll" tabindex="0" role="region" aria-label="{esc(label)}"><table class="ms-table">']
    out.append("<thead><tr>" + "".join(f'<th scope="col">{cell}</th>' for cell in head) + "</tr></thead><tbody>")
    for row in rows:
        cells = [cell if cell.startswith("<td") else f"<td>{cell}" for cell in row]
        if first_is_header and row:
            cells[0] = f'<th scope="row">{row[0]}'
        out.append("<tr>" + "".join(cells))
    out.append("</tbody></table></div>")
    return "".join(out)


def numbers(first: int, count: int) -> str:
    """`3`, or the first and the last."""
    return str(first) if count == 1 else f"{first}–{first + count - 1}"  # noqa: RUF001
