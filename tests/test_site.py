# SPDX-License-Identifier: MIT
"""The site: what a page shows, what is built again, and what stops the build."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
import warnings
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.docutils import docutils_namespace, patch_docutils

from conformance import cli, protocol, report, suite, vocabulary
from conformance.commands.compare import compare
from conformance.engine import Verdict
from conformance.protocol import Greeting
from conformance.suite import ROOT

sys.path.insert(0, str(ROOT / "docs" / "_ext"))

from mapspec_site import comparison, data, picture

KEEP = """\
Feature: Small
  @cow.keep
  Rule: After fork, a write by one process MUST NOT be seen by the other
    @cow.keep.child
    Scenario: The parent keeps its content when the child writes
      Given A has 1 page of private anonymous memory
      And A forks B
      When B writes "new" to page 0
      Then A reads "old" in page 0

    @cow.keep.each
    Scenario Outline: The child keeps its content when the parent writes
      Given A has <page>
      And A forks B
      When A writes "new" to page 0
      Then B reads "old" in page 0
      Examples:
        | page             |
        | a base page      |
        | an order-4 folio |
"""
BORN = """\
Feature: Other
  @fork.born
  Rule: A child MUST read what its parent wrote before fork
    @fork.born.reads
    Scenario: The child reads the page of its parent
      Given A has 1 page of private anonymous memory
      When A forks B
      Then B reads "old" in page 0
"""
CONF = """\
import sys
sys.path.insert(0, {ext!r})
extensions = ["myst_parser", "mapspec_site"]
source_suffix = {{".md": "markdown"}}
myst_enable_extensions = ["colon_fence"]
html_theme = "basic"
mapspec_root = {root!r}
mapspec_reports = {root!r} + "/build/reports"
mapspec_recorded = {root!r} + "/results"
"""
CHAPTER = """\
# A chapter

:::{{rule}} {rule}
:6.1: mm/memory.c: do_wp_page
:6.12: mm/memory.c: do_wp_page
:7.3: mm/memory.c: wp_page_copy

Otherwise a password goes astray. See {{scenario}}`cow.keep.child` and [the rule](#{rule}) and [fork](fork.md).
:::
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A suite of two chapters and a site for it."""
    for chapter, rule, text in (("cow", "cow.keep", KEEP), ("fork", "fork.born", BORN)):
        (tmp_path / "features" / chapter).mkdir(parents=True)
        (tmp_path / "features" / chapter / "one.feature").write_text(text)
        (tmp_path / "spec").mkdir(exist_ok=True)
        (tmp_path / "spec" / f"{chapter}.md").write_text(CHAPTER.format(rule=rule))
    for name in ("chapters", "retired", "profiles", "capabilities"):
        shutil.copy(ROOT / "spec" / f"{name}.toml", tmp_path / "spec")
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "spec").symlink_to("../spec")
    (docs / "conf.py").write_text(CONF.format(ext=str(ROOT / "docs" / "_ext"), root=str(tmp_path)))
    (docs / "index.md").write_text("# Index\n\n```{toctree}\nspec/cow\nspec/fork\nresults\n```\n")
    (docs / "results.md").write_text(
        "# Results\n\n" + "".join(f"```{{{name}}}\n```\n\n" for name in (
            "results-matrix", "recorded-runs", "capability-table", "profile-differences", "kernel-matrix",
            "kernel-reasons} unsupported\n```\n\n```{kernel-bugs", "kernel-ends"))
    )  # fmt: skip
    return tmp_path


def build(root: Path) -> tuple[Path, set[str], str]:
    """Build the site: where it is, which pages were read, and the warnings."""
    read: set[str] = set()
    complaints = io.StringIO()
    with patch_docutils(str(root / "docs")), docutils_namespace(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Sphinx and its friends about each other
        out = root / "out"
        app = Sphinx(
            root / "docs", root / "docs", out, root / "doctrees", "html", status=None, warning=complaints
        )  # fmt: skip
        app.connect("source-read", lambda app, name, text: read.add(name))
        app.build()
    return out, read, complaints.getvalue()


def record(root: Path, status: str, *, old: str = "", release: str = "6.18.44", profile: str = "linux-6.18") -> Path:
    """A kernel's report in which all passes but cow.keep.child, which has `status`; `old`: that has changed since."""
    loaded = suite.load(root)
    greeting = Greeting(protocol=1, name="linux", version=release, profile=profile, capabilities=["frames"],
                        missing={"refcount": "not visible on a running kernel"},
                        environment={"user": "root"})  # fmt: skip
    scenarios = list(loaded.scenarios.values())
    results = {s.id: report.result(Verdict(s, "pass")) for s in scenarios}
    child = loaded.scenarios["cow.keep.child"]
    changed = report.result(Verdict(child, status, reason="seen 'new'"))  # type: ignore[arg-type]
    results[child.id] = msgspec.structs.replace(changed, digest=old or child.digest)
    header = report.header(loaded, greeting, profile, [], scenarios)
    path = root / "results" / ("linux.jsonl" if profile == "linux-6.18" else f"linux-{release}-{profile}.jsonl")
    footer = report.footer(results.values(), 1.0, notes=["the module was unloaded"])
    report.write(path, report.Report(header, results, footer))
    return path


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_page_shows_the_rule_and_its_scenarios(tiny: Path) -> None:
    out, _, complaints = build(tiny)
    assert complaints == ""
    page = (out / "spec" / "cow.html").read_text()
    text = text_of(page)
    assert "a write by one process MUST NOT be seen" in text
    assert "6.1, 6.12 mm/memory.c: do_wp_page" in text and "7.3 mm/memory.c: wp_page_copy" in text
    assert "Otherwise a password goes astray." in text
    for anchor in ("cow.keep", "cow.keep.child", "cow.keep.each", "cow.keep.each[an-order-4-folio]"):
        assert f'id="{anchor}"' in page
    assert 'href="#cow.keep.child"' in page and 'href="#cow.keep"' in page and 'href="fork.html"' in page
    assert 'href="cow.html#cow.keep.child"' in (out / "spec" / "fork.html").read_text()
    assert "model linux-7.3: pass" in text and "model linux-6.1: pass" in text
    assert "kernels 6.1, 6.12, 6.18, 7.3, 7.3-no-page-mapcount, 7.3-no-pte-special: from source, not yet run" in text
    assert "mapspec run cow.keep.child" in text
    frames = re.findall(r"<svg.*?</svg>", page, re.S)
    assert len(frames) == 6  # three steps each of one scenario and of the first row
    assert all("<title>After step" in f and "<desc>" in f and 'role="img"' in f for f in frames)
    assert "A mem 0: PTE → F1:0, writable, exclusive." in frames[0]


def test_pages_ask_nobody_else(tiny: Path) -> None:
    out, _, _ = build(tiny)
    for page in out.rglob("*.html"):
        assert not re.findall(r"<(?:link|script|img|iframe|use)[^>]+(?:href|src)=\"(?:https?:)?//", page.read_text())
    assert "url(" not in (ROOT / "docs" / "_static" / "mapspec.css").read_text()


def test_only_what_a_change_touches_is_read_again(tiny: Path) -> None:
    out, read, _ = build(tiny)
    assert read == {"index", "results", "spec/cow", "spec/fork"}
    assert build(tiny)[1] == set()
    feature = tiny / "features" / "fork" / "one.feature"
    feature.write_text(BORN.replace("The child reads the page", "A child reads the page"))
    assert build(tiny)[1] == {"spec/fork"}
    assert "A child reads the page" in (out / "spec" / "fork.html").read_text()
    record(tiny, "pass")
    assert build(tiny)[1] == {"results", "spec/cow", "spec/fork"}


def test_a_scenario_that_fails_on_the_model_stops_the_build(tiny: Path) -> None:
    feature = tiny / "features" / "cow" / "one.feature"
    feature.write_text(KEEP.replace('Then A reads "old"', 'Then A reads "new"'))
    with pytest.raises(SphinxError) as stopped:
        build(tiny)
    assert "spec/cow: cow.keep.child" in str(stopped.value) and "on model linux-7.3: FAIL" in str(stopped.value)
    assert "'old'" in str(stopped.value)
    with pytest.raises(SphinxError):  # and again: a second build must not take it as done
        build(tiny)
    feature.write_text(KEEP)
    build(tiny)


def test_a_doctored_report_of_the_model_stops_the_build(tiny: Path) -> None:
    build(tiny)
    kept = next((tiny / "doctrees" / "model").glob("linux-7.3-????????????????.jsonl"))
    made = tiny / "build" / "reports" / "linux-7.3.jsonl"
    made.parent.mkdir(parents=True)
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    next(line for line in lines if line.get("id") == "cow.keep.child")["status"] = "fail"
    lines[-1]["counts"] = {"pass": lines[-1]["counts"]["pass"] - 1, "fail": 1}
    made.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(SphinxError, match=r"cow\.keep\.child"):
        build(tiny)
    os.utime(made, (0, 0))  # older than the model: it counts no more
    build(tiny)


def test_a_kernel_is_shown_as_its_report_says(tiny: Path) -> None:
    record(tiny, "pass")
    out, _, complaints = build(tiny)
    assert complaints == ""
    text = text_of((out / "spec" / "cow.html").read_text())
    assert "kernel 6.18.44: pass" in text
    assert "kernels 6.1, 6.12, 7.3, 7.3-no-page-mapcount, 7.3-no-pte-special: from source, not yet run" in text
    results = text_of((out / "results.html").read_text())
    assert "results/linux.jsonl" in results and "the same as these pages" in results
    assert "not visible on a running kernel" in results
    assert "No kernel has been run with --bugs ." in results and "the module was unloaded" in results

    record(tiny, "unsupported")
    text = text_of((build(tiny)[0] / "spec" / "cow.html").read_text())
    assert "kernel 6.18.44: unsupported" in text and "unsupported, kernel 6.18.44: seen 'new'" in text
    results = (tiny / "out" / "results.html").read_text()
    assert 'href="#why-unsupported">1</a>' in results, "a number leads to its reasons"
    assert "seen 'new' For example cow. keep. child 1" in text_of(results)


def test_a_stale_result_is_no_pass_and_no_failure(tiny: Path) -> None:
    record(tiny, "fail", old="0123456789ab")
    text = text_of((build(tiny)[0] / "spec" / "cow.html").read_text())
    assert "kernel 6.18.44: stale, was: FAIL" in text and "kernel 6.18.44: pass" not in text
    results = text_of((tiny / "out" / "results.html").read_text())
    assert "pass FAIL unsupported not applicable stale all" in results


def test_a_kernel_near_a_profile_is_not_of_it(tiny: Path) -> None:
    record(tiny, "pass", release="6.19.2-custom")
    text = text_of((build(tiny)[0] / "spec" / "cow.html").read_text())
    assert "kernel 6.19.2: pass" in text and "kernels 6.1, 6.12, 6.18, 7.3," in text


def test_two_configurations_of_one_release_are_two_kernels(tiny: Path) -> None:
    record(tiny, "pass", release="7.3.4", profile="linux-7.3-no-page-mapcount")
    record(tiny, "unsupported", release="7.3.4", profile="linux-7.3-no-pte-special")
    text = text_of((build(tiny)[0] / "spec" / "cow.html").read_text())
    assert "kernel 7.3.4 no page mapcount: pass" in text and "kernel 7.3.4 no pte_special: unsupported" in text


def test_a_recorded_failure_of_a_kernel_stops_the_build(tiny: Path) -> None:
    record(tiny, "fail")
    with pytest.raises(SphinxError, match=r"(?s)cow\.keep\.child.*kernel 6\.18\.44: FAIL.*results/linux\.jsonl"):
        build(tiny)


def test_a_failure_of_the_readers_own_kernel_is_shown_and_does_not_stop_the_build(tiny: Path) -> None:
    own = tiny / "build" / "reports" / "linux.jsonl"
    own.parent.mkdir(parents=True, exist_ok=True)
    record(tiny, "fail").rename(own)
    out, _, complaints = build(tiny)
    assert "kernel 6.18.44: FAIL" in text_of((out / "spec" / "cow.html").read_text())
    assert "1 scenarios do not pass on this machine's kernel" in complaints


def test_a_torn_report_is_left_out(tiny: Path) -> None:
    path = record(tiny, "pass")
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    out, _, complaints = build(tiny)
    assert "a report is left out" in complaints and "footer" in complaints
    assert "kernel 6.18.44" not in (out / "spec" / "cow.html").read_text()


# --- what differs between profiles ----------------------------------------------------------------------

STEPS = """\
      Given A has 1 page of private anonymous memory
      When A forks B
      Then B reads "old" in page 0
"""
VERSIONS = (
    BORN
    + f"""
    @fork.born.wide @word_bits:32
    Scenario: It reads it on 32-bit
{STEPS}
  @fork.gone @until:6.1
  Rule: A rule MUST apply to old kernels
    @fork.gone.old
    Scenario: It is old
{STEPS}
  @fork.came @since:6.12
  Rule: A rule MUST apply to new kernels
    @fork.came.new
    Scenario: It is new
{STEPS}"""
)


@pytest.mark.parametrize("pair", [("linux-6.1", "linux-7.3"), ("linux-7.3", "linux-7.3-32bit")])
def test_a_comparison_of_profiles_is_what_mapspec_compare_says(
    tiny: Path, tmp_path: Path, pair: tuple[str, str]
) -> None:
    (tiny / "features" / "fork" / "one.feature").write_text(VERSIONS)
    spec = tiny / "spec" / "fork.md"
    blocks = "".join(f":::{{rule}} {rule}\n:all: kernel/fork.c: dup_mm\n:::\n\n" for rule in ("fork.gone", "fork.came"))
    spec.write_text(spec.read_text() + "\n" + blocks)
    (tiny / "docs" / "index.md").write_text(
        "# Index\n\n```{profile-comparison} "
        + " ".join(pair)
        + "\n```\n\n```{toctree}\nspec/cow\nspec/fork\nresults\n```\n"
    )
    out, _, complaints = build(tiny)
    assert complaints == ""
    page = (out / "index.html").read_text()
    for name in pair:
        assert cli.main(["run", "--profile", name, "--report", str(tmp_path / name)], root=tiny) == 0
    said = compare(*(report.read(tmp_path / name) for name in pair))
    assert said.rules and comparison.compare(data.current(), *pair).rules == said.rules
    text = text_of(page)
    assert f"{said.changed} of {said.scenarios} scenarios differ, in {len(said.rules)} of {said.of} rules" in text
    for rule in said.rules:
        assert f'href="spec/{rule.chapter}.html#{rule.id}"' in page
        if rule.kind != "orders":
            assert rule.sentence in text
            assert all(f'href="spec/{rule.chapter}.html#{change.outline}"' in page for change in rule.changes)
    of = set(re.findall(r'<li><a href="spec/\w+.html#([^"]+)"', page))
    assert of == {rule.id for rule in said.rules if rule.kind != "orders"}
    if pair[0] == "linux-6.1":
        assert "Only in 6.1 fork. gone A rule MUST apply to old kernels old" in text
        assert "Only in 7.3 fork. came A rule MUST apply to new kernels new" in text
        assert "The same but for folio orders that one of them does not have : keep" in text
    else:
        assert "Only in 7.3 32bit: wide 1 more hold in both." in text


def test_a_profile_that_changes_a_parameter_is_shown_where_that_matters(tiny: Path) -> None:
    (tiny / "features" / "fork" / "one.feature").write_text(BORN + VERSIONS[len(BORN) :].split("  @fork.gone")[0])
    out, _, _ = build(tiny)
    assert "7.3-32bit" not in text_of((out / "spec" / "cow.html").read_text())
    assert "model linux-7.3-32bit: pass" in text_of((out / "spec" / "fork.html").read_text())


def test_an_unknown_profile_is_an_error(tiny: Path) -> None:
    (tiny / "docs" / "results.md").write_text("# Results\n\n```{profile-comparison} linux-6.1 linux-6.2\n```\n")
    assert "there is no profile 'linux-6.2'" in build(tiny)[2]


# --- pictures -------------------------------------------------------------------------------------------


def state(entries: list[Any], folios: list[Any]) -> dict[str, Any]:
    vma = {"first": 0, "count": 16, "protection": "read-write", "sharing": "private", "file": None, "flags": []}
    region = {"pages": 16, "vmas": [vma], "entries": entries}
    return {"processes": {"A": {"regions": {"mem": region}}}, "folios": folios, "pipes": {}, "buffers": {}}


def entry(first: int, count: int, folio: str, page: int, **more: Any) -> dict[str, Any]:
    return {"first": first, "count": count, "kind": "pte", "folio": folio, "page": page, "writable": True,
            "exclusive": True, **more}  # fmt: skip


def folio(name: str, order: int, **more: Any) -> dict[str, Any]:
    return {"id": name, "order": order, "kind": "anon", "refcount": 1, "mapcount": 1, "entire_mapcount": 0,
            "contents": [{"first": 0, "count": 1 << order, "value": "old"}], **more}  # fmt: skip


def test_only_what_changed_is_marked() -> None:
    before = state([entry(0, 16, "F1", 0)], [folio("F1", 4, refcount=16)])
    assert picture.draw(before, before).changes == 0
    after = state(
        [entry(0, 1, "F2", 0), entry(1, 15, "F1", 1)], [folio("F1", 4, refcount=15), folio("F2", 0)]
    )  # fmt: skip
    drawn = picture.draw(after, before)
    assert "A mem 0: PTE → F2:0" in drawn.words and "F1 refcount 16 → 15." in drawn.words
    assert "Folio F2: anonymous, order 0 is new." in drawn.words
    assert "1–15" not in drawn.words and "1–15" in drawn.shapes  # noqa: RUF001
    assert drawn.shapes.count("▲") == 3


def test_many_folios_are_one_line() -> None:
    drawn = picture.draw(
        state([entry(i, 1, f"F{i}", 0) for i in range(16)], [folio(f"F{i}", 0) for i in range(16)]), None
    )
    assert "F0 to F15" in drawn.shapes and "16 folios" in drawn.shapes
    assert drawn.height < 200


def test_labels_are_escaped() -> None:
    drawn = picture.draw(state([entry(0, 16, "F1", 0)], [folio("F1", 4, file="<x>&", kind="file")]), None)
    assert "<x>" not in drawn.shapes and "&lt;x&gt;&amp;" in drawn.shapes


# --- the real pages -------------------------------------------------------------------------------------


def test_the_example_of_a_proposal_works(tmp_path: Path) -> None:
    (tmp_path / "proposals").mkdir()
    example = shutil.copy(ROOT / "docs" / "examples" / "cow-grandchild.feature", tmp_path / "proposals")
    loaded = suite.load(files=[Path(example)])
    assert loaded.problems == [] and len(loaded.scenarios) == 1
    from conformance import engine, profiles
    from conformance.implementations import Model

    for profile in profiles.load()[1].values():
        assert [v.status for v in engine.run(loaded.scenarios.values(), Model(profile.name), profile)] == ["pass"]


def test_reference_pages_leave_nothing_out() -> None:
    from mapspec_site import catalogue, messages

    wire = "".join(html for _, _, html in messages.sections())
    assert all(f'id="protocol-{name}"' in wire for name in protocol.REQUESTS)
    site = data.Site(ROOT, suite.Suite(chapters={}), {}, {})
    phrases = "".join(html for *_, html in catalogue.modules(site, lambda chapter: chapter))
    assert all(f'id="{catalogue._anchor(p)}"' in phrases for p in vocabulary.phrases())
    anchors = re.findall(r' id="([^"]+)"', phrases + wire)
    assert len(anchors) == len(set(anchors))
    known = set(re.findall(r' id="([^"]+)"', catalogue.parameters()))
    assert set(re.findall(r'href="#(parameter-[^"]+)"', phrases)) <= known
