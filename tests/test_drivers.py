# SPDX-License-Identifier: MIT
"""The registry of functions and flags: what no rule cites is told by line, and what the guide shows is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mini import Mini

from conformance import drivers, suite
from conformance.suite import ROOT, SuiteError

FEATURE = """\
Feature: Raw entries

  @pfnmap.raw
  Rule: remap_pfn_range MUST make raw entries

    @pfnmap.raw.flags
    Scenario Outline: A VMA has <flags> after remap_pfn_range
      Given a driver maps for A <mapping>
      Then A has <flags>

      Examples:
        | mapping                             | flags     |
        | 4 pages of RAM with remap_pfn_range | VM_PFNMAP |
"""
CHAPTER = """\
# Raw

:::{{rule}} pfnmap.raw
:all: mm/memory.c: remap_pfn_range

{body}
:::
"""
REGISTRY = """\
chapters = ["pfnmap"]

[[column]]
title = "VMA flags"
rule = "pfnmap.raw"
cell = "flags"
says = "VmFlags"

[function.remap_pfn_range]
says = "Maps page frames."

[function.vm_insert_page]
says = "Maps a page."

[function.fault]
says = "Returns a page."
words = ["a fault handler", "vmf->page"]

[flag.VM_PFNMAP]
says = "Raw."
smaps = "pf"
"""


@pytest.fixture
def driven(mini: Mini) -> Mini:
    """A suite with one rule about drivers."""
    (mini.root / "features" / "pfnmap").mkdir()
    (mini.root / "features" / "pfnmap" / "raw.feature").write_text(FEATURE)
    (mini.root / "spec" / "pfnmap.md").write_text(CHAPTER.format(body="Not so vm_insert_page, and vmf->page."))
    (mini.root / "spec" / "drivers.toml").write_text(REGISTRY)
    return mini


def told(mini: Mini) -> set[tuple[int, str]]:
    return {(p.line, p.what) for p in drivers.problems(suite.load(mini.root), mini.root)}


def test_all_is_cited(driven: Mini) -> None:
    assert told(driven) == set()
    assert driven.run("lint") == 0, driven.out
    found = drivers.cited(drivers.load(driven.root), suite.load(driven.root))
    assert list(found) == ["remap_pfn_range", "vm_insert_page", "fault", "VM_PFNMAP"]
    assert all([rule.id for rule in rules] == ["pfnmap.raw"] for rules in found.values())


def test_what_no_rule_cites_is_told_by_line(driven: Mini) -> None:
    (driven.root / "spec" / "pfnmap.md").write_text(CHAPTER.format(body="Not so vm_insert_pages."))
    assert told(driven) == {
        (12, "no rule cites the function vm_insert_page"), (15, "no rule cites the function fault")
    }  # fmt: skip
    assert driven.run("lint") == 2
    assert "spec/drivers.toml:12: no rule cites the function vm_insert_page" in driven.out


def test_a_suite_without_these_chapters_has_nothing_to_cite(mini: Mini) -> None:
    assert told(mini) == set() and mini.run("lint") == 0, mini.out


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('rule = "pfnmap.raw"', 'rule = "pfnmap.gone"', "the column 'VMA flags' has no rule: pfnmap.gone"),
        ('cell = "flags"', 'cell = "rss"', "no Examples of pfnmap.raw have a column 'rss'"),
    ],
)
def test_a_column_that_nothing_shows(driven: Mini, old: str, new: str, what: str) -> None:
    (driven.root / "spec" / "drivers.toml").write_text(REGISTRY.replace(old, new))
    assert what in {what for _, what in told(driven)}


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('chapters = ["pfnmap"]', "chapters = 1", "spec/drivers.toml:1: has no list `chapters`"),
        ('says = "Maps a page."', 'since = "6.1"', ":12: [function.vm_insert_page] has no `says`"),
        ('smaps = "pf"', 'smap = "pf"', ":19: [flag.VM_PFNMAP] has an unknown field 'smap'"),
    ],
)
def test_a_bad_registry(driven: Mini, old: str, new: str, what: str) -> None:
    (driven.root / "spec" / "drivers.toml").write_text(REGISTRY.replace(old, new))
    with pytest.raises(SuiteError, match=re.escape(what)):
        drivers.load(driven.root)
    assert driven.run("lint") == 2 and "Traceback" not in driven.err


def test_rows_of_an_outline_are_kept_as_written_and_change_no_digest(driven: Mini) -> None:
    loaded = suite.load(driven.root)
    scenario = next(s for s in loaded.scenarios.values() if s.rule.id == "pfnmap.raw")
    assert scenario.row == (("mapping", "4 pages of RAM with remap_pfn_range"), ("flags", "VM_PFNMAP"))
    path = driven.root / "features" / "pfnmap" / "raw.feature"
    path.write_text(FEATURE.replace("| flags     |", "| bits      |").replace("<flags>", "<bits>"))
    again = next(s for s in suite.load(driven.root).scenarios.values() if s.rule.id == "pfnmap.raw")
    assert again.row[1] == ("bits", "VM_PFNMAP") and again.digest == scenario.digest


def test_pages_of_the_registry_exist() -> None:
    named = {e.get("page") for e in drivers.load(ROOT).entries} - {""}
    assert named == {p.stem for p in (ROOT / "docs" / "drivers" / "functions").glob("*.md")}


LINK = re.compile(r"\]\(([^)#\s]+\.md)(?:#[^)]*)?\)|^:link: (\S+)$", re.MULTILINE)
TASKS = {
    "a vmalloc ring buffer": ("vmalloc", "remap_vmalloc_range"),
    "a framebuffer in device memory": ("framebuffer", "vm_iomap_memory"),
    "pages that RDMA can pin": ("single pages", "vm_map_pages"),
    "revoking on unplug": ("BAR", "vmf_insert_pfn"),
    "huge PFN mappings": ("something large", "vmf_insert_pfn_pmd"),
}


def links(page: Path) -> set[Path]:
    """The pages that a page of the guide leads to."""
    text = page.read_text(encoding="utf-8")
    found = {(a or f"{b}.md") for a, b in LINK.findall(text)}
    return {(page.parent / name).resolve() for name in found if "://" not in name}


def test_every_function_is_three_clicks_from_the_start() -> None:
    docs = ROOT / "docs"
    reached, frontier = set(), {docs / "index.md"}
    for _ in range(3):
        frontier = {p for page in frontier if docs in page.parents for p in links(page) if p.exists()} - reached
        reached |= frontier
    assert {p for p in (docs / "drivers").rglob("*.md")} <= reached


@pytest.mark.parametrize(("words", "function"), TASKS.values(), ids=TASKS)
def test_a_task_leads_to_its_function(words: str, function: str) -> None:
    """From the list on the start page to a section, and from there to the function: two clicks."""
    start = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    anchor = re.search(rf"\[[^\]]*{words}[^\]]*\]\(drivers/which-function\.md#([a-z-]+)\)", start)
    assert anchor
    page = (ROOT / "docs" / "drivers" / "which-function.md").read_text(encoding="utf-8")
    section = page[page.index(f"({anchor[1]})=\n") :].split("\n(have-")[0]
    assert f"(functions/{function}.md)" in section
