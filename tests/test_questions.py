# SPDX-License-Identifier: MIT
"""From the start page to an answer: three clicks at most, and each of them leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformance import suite
from reference_impl import mapcount

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(((?!https?:)[^)#\s]*)(?:#([^)\s]+))?\)")
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+) \|$", re.M)
ROLE = re.compile(r"\{(?:rule|scenario)\}`([a-z_]+\.[a-z0-9.-]+)`|\]\(#([a-z_]+\.[a-z0-9-]+)\)")
ANSWERED = set(range(1, 16))
PAGES = ("my-pss-changed", "readers", "no-page-mapcount", "versions", "32-bit")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def links(page: Path) -> list[tuple[Path, str]]:
    """Where a page leads: file and anchor."""
    return [((page.parent / name).resolve() if name else page, anchor) for name, anchor in LINK.findall(text(page))]


def anchors(page: Path) -> set[str]:
    """Labels, headings and rules of a page."""
    words = text(page)
    headings = (re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", words, re.M))
    return {*re.findall(r"^\(([\w-]+)\)=$", words, re.M), *headings, *re.findall(r"^:::\{rule\} (\S+)$", words, re.M)}


def questions() -> dict[int, str]:
    return {int(number): answer for number, _, answer in ROW.findall(text(DOCS / "index.md"))}


def test_the_answered_questions_are_one_click_away() -> None:
    answers = questions()
    assert set(answers) == set(range(1, 16))
    assert {number for number, answer in answers.items() if LINK.search(answer)} >= ANSWERED


def test_no_answer_leads_nowhere() -> None:
    for page, anchor in links(DOCS / "index.md"):
        assert page.exists(), page
        assert not anchor or anchor in anchors(page), f"{page.name}#{anchor}"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_one_click_from_the_start_and_leads_to_rules(name: str) -> None:
    page = DOCS / f"{name}.md"
    assert page in {target for target, _ in links(DOCS / "index.md")}
    loaded = suite.load(ROOT)
    known = {*loaded.rules, *(s.outline for s in loaded.scenarios.values())}
    named = {one or other for one, other in ROLE.findall(text(page))}
    assert named and named <= known


def test_from_a_symptom_to_the_rule_is_three_clicks() -> None:
    """The start page, the list of symptoms, the section, the rule."""
    page = DOCS / "my-pss-changed.md"
    assert page in {target for target, _ in links(DOCS / "index.md")}
    words = text(page)
    symptoms, _, sections = words.partition("\n## ")
    rows = [line for line in symptoms.splitlines() if line.startswith("| ") and not line.startswith("| You see")]
    assert len(rows) > 10
    for row in rows:
        for label in re.findall(r"\]\(#([\w-]+)\)", row):
            section = sections.partition(f"({label})=\n")[2].partition("\n(")[0]
            assert ROLE.search(section), f"{label} names no rule"
        assert re.search(r"\]\(#[\w-]+\)", row) or ROLE.search(row), row


def test_the_page_about_32_bit_has_the_numbers_of_the_model() -> None:
    words = text(DOCS / "32-bit.md")
    most = mapcount.SLOT_MOST[32]
    assert f"**{most}**" in words and f"mapping {most + 1}" in words and f"more than {most} times" in words
