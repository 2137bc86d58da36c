# SPDX-License-Identifier: MIT
"""The driver guide on the site: the decision table says what scenarios show, and handlers say who compiled them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sphinx.errors import SphinxError
from test_site import build, record, text_of, tiny

from mapspec_site import drivers  # isort: skip  # test_site says where it is

__all__ = ["tiny"]

TABLE = """\
Feature: Table
  @fork.born
  Rule: vm_insert_page MUST keep what was written
    @fork.born.reads
    Scenario Outline: A page holds <word>
      Given A has 1 page of private anonymous memory
      When A writes "new" to page 0
      Then A reads <word> in page 0
      Examples:
        | mapping                     | word  |
        | 4 pages of RAM with nothing | "new" |
      @since:6.12
      Examples: Newer
        | mapping                             | word  |
        | 4 pages of RAM with vm_insert_page | "new" |
"""
REGISTRY = """\
chapters = ["fork"]
[[column]]
title = "Content"
rule = "fork.born"
cell = "word"
says = "of page 0"
filter = true
[function.vm_insert_page]
says = "Maps a page."
page = "vm_insert_page"
[flag.VM_IO]
says = "Side effects."
"""
PAGES = {
    "table": "# Table\n\n```{decision-table}\n```\n",
    "functions/vm_insert_page": "# One\n\n```{decision-row} 4 pages of RAM with vm_insert_page\n```\n\n"
    "```{cited-by} vm_insert_page\n```\n\n```{handler} one.c\n```\n",
    "lists": "# Lists\n\n```{driver-functions}\n```\n\n```{driver-flags}\n```\n",
}


@pytest.fixture
def guide(tiny: Path) -> Path:
    """The small suite with a table, and a guide of three pages."""
    (tiny / "features" / "fork" / "one.feature").write_text(TABLE)
    (tiny / "spec" / "drivers.toml").write_text(REGISTRY)
    place = tiny / "docs" / "drivers"
    for name, text in PAGES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.md").write_text(text)
    (place / "handlers").mkdir()
    (place / "handlers" / "one.c").write_text("int one;\n")
    index = tiny / "docs" / "index.md"
    index.write_text(index.read_text().replace("results\n", "results\n" + "".join(f"drivers/{n}\n" for n in PAGES)))
    return tiny


def test_a_cell_is_a_word_of_a_scenario_and_a_link_to_it(guide: Path) -> None:
    out, _, complaints = build(guide)
    assert complaints == ""
    page = (out / "drivers" / "table.html").read_text()
    assert 'href="../spec/fork.html#fork.born.reads[4-pages-of-ram-with-nothing]">&quot;new&quot;</a>' in page
    assert "4 pages of RAM nothing" in text_of(page) and "4 pages of RAM vm_insert_page since 6.12" in text_of(page)
    assert 'href="../drivers/functions/vm_insert_page.html"' in page and 'data-label="Content" data-offer' in page
    assert "shown by the model; no kernel has been asked yet" in page
    one = text_of((out / "drivers" / "functions" / "vm_insert_page.html").read_text())
    assert "Content of page 0" in one and "vm_insert_page MUST keep what was written fork. born" in one
    assert "one.c 6.1: not compiled" in one and "int one ;" in one
    lists = text_of((out / "drivers" / "lists.html").read_text())
    assert "vm_insert_page Maps a page." in lists and "VM_IO" in lists


def test_what_a_kernel_has_shown_has_no_mark(guide: Path) -> None:
    record(guide, "pass")
    page = (build(guide)[0] / "drivers" / "table.html").read_text()
    assert 'title="seen on kernel 6.18.44"' in page and "no kernel has been asked" not in page


def test_a_cell_that_nothing_passes_stops_the_build(guide: Path) -> None:
    feature = guide / "features" / "fork" / "one.feature"
    feature.write_text(
        TABLE.replace('| 4 pages of RAM with nothing | "new" |', '| 4 pages of RAM with nothing | "odd" |')
    )
    with pytest.raises(
        SphinxError, match=r"the decision table relies on fork\.born\.reads\[4-pages-of-ram-with-nothing\]"
    ):
        build(guide)


def test_the_table_is_made_again_when_a_word_changes(guide: Path) -> None:
    build(guide)
    feature = guide / "features" / "fork" / "one.feature"
    feature.write_text(TABLE.replace('writes "new"', 'writes "more"').replace('| "new" |', '| "more" |'))
    out, read, _ = build(guide)
    assert {"drivers/table", "drivers/functions/vm_insert_page", "spec/fork"} <= read
    assert "&quot;more&quot;</a>" in (out / "drivers" / "table.html").read_text()


def test_an_unknown_row_is_an_error(guide: Path) -> None:
    (guide / "docs" / "drivers" / "table.md").write_text(
        "# T\n\n```{decision-row} 4 pages of tin with vm_insert_page\n```\n"
    )
    assert "the decision table has no row '4 pages of tin with vm_insert_page'" in build(guide)[2]


def test_a_handler_says_which_kernels_compiled_this_very_file(tmp_path: Path) -> None:
    source, recorded = tmp_path / "one.c", tmp_path / "compiled.toml"
    source.write_text("int one;\n")
    assert text_of(drivers.compiled(source, recorded)).count("not compiled") == len(drivers.VERSIONS)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    recorded.write_text(f'[one]\ndigest = "{digest}"\nkernels = ["6.1.192", "7.3.4"]\n')
    shown = text_of(drivers.compiled(source, recorded))
    assert "6.1.192: compiled" in shown and "6.12: not compiled" in shown and "7.3.4: compiled" in shown
    source.write_text("int two;\n")
    shown = text_of(drivers.compiled(source, recorded))
    assert "6.1: not compiled: the file has changed since" in shown and "6.12: not compiled 6.18" in shown
