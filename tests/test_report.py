# SPDX-License-Identifier: MIT
"""The record of a run: written whole or not at all, read with clear errors, and shown in several ways."""

from __future__ import annotations

import datetime
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from mini import GOOD, WRONG, Mini

from conformance import comparison, expectations, report, suite
from conformance.commands import BAD
from conformance.commands.compare import compare, lines
from conformance.engine import Verdict
from conformance.outputs.badge import badge
from conformance.outputs.junit import junit
from conformance.outputs.ktap import ktap
from conformance.outputs.page import html
from conformance.outputs.ratio import percent
from conformance.outputs.text import summary
from conformance.protocol import Greeting
from conformance.report import Expectation, Report, ReportError
from conformance.suite import SuiteError

EVIL = "\x1b[31mred\x07 <b>&\"' \u202e\ud800 ]]> #"


@pytest.fixture
def every(mini: Mini) -> Report:
    """A report with every status in it, and a stranger's text wherever there can be one."""
    mini.feature(GOOD + "".join(WRONG.replace("wrong", f"w{n}").replace("nobody", f"nobody {n}") for n in range(10)))
    loaded = suite.load_or_raise(mini.root)
    scenarios = loaded.select([])[-10:]
    results = {}
    for scenario, status in zip(scenarios, report.STATUSES, strict=True):
        verdict = Verdict(scenario, status, EVIL, scenario.steps[-1], EVIL, EVIL, [EVIL])
        says = Expectation("known", "https://example.org/1") if status in ("xfail", "xpass", "skipped") else None
        results[scenario.id] = report.result(verdict, says)
    greeting = Greeting(protocol=1, name="it <b>", profile="linux-7.3", capabilities=[])
    head = report.header(loaded, greeting, "linux-7.3", [], scenarios, "mapspec run --profile linux-7.3")
    return Report(head, results, report.footer(results.values(), 1.5))


def test_read_gives_what_was_written(every: Report, tmp_path: Path) -> None:
    path = tmp_path / "new" / "r.jsonl"
    report.write(path, every)
    assert report.read(path) == every
    assert [p.name for p in path.parent.iterdir()] == ["r.jsonl"]
    kinds = [json.loads(line)["kind"] for line in path.read_text().splitlines()]
    assert kinds == ["header", *["result"] * 10, "footer"]


def test_parts_add_up_to_the_whole(mini: Mini, tmp_path: Path) -> None:
    mini.feature(GOOD + WRONG)
    for name, options in ("whole", ()), ("1", ("--part", "1/2")), ("2", ("--part", "2/2")):
        mini.run("run", "--report", tmp_path / name, *options)
    whole, *parts = (report.read(tmp_path / name) for name in ("whole", "1", "2"))
    made = report.merged(parts)
    report.write(tmp_path / "merged", made)
    assert report.read(tmp_path / "merged") == made
    assert [(r.id, r.status, r.reason) for r in made.results.values()] == [
        (r.id, r.status, r.reason) for r in whole.results.values()
    ]
    assert (made.counts, made.header.scenarios, made.header.rules) == (
        whole.counts, whole.header.scenarios, whole.header.rules,
    )  # fmt: skip
    assert made.footer.seconds == max(part.footer.seconds for part in parts)
    for wrong in ("0/2", "3/2", "1", "a/b"):
        assert mini.run("run", "--part", wrong) == BAD


def test_ratios(every: Report) -> None:
    assert every.passed == (1, 6)
    assert every.applicable == (6, 10)
    assert [percent(*n) for n in ((1, 1), (999, 1000), (9999, 10000), (0, 3), (0, 0))] == [
        "100 %", "99.9 %", "99.9 %", "0 %", "none",
    ]  # fmt: skip


def test_killed_run_leaves_no_report(every: Report, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    report.write(path, every)
    before = path.read_bytes()
    with pytest.raises(RuntimeError), report.Writer(path) as put:
        put(every.header)
        put(next(iter(every.results.values())))
        raise RuntimeError
    assert path.read_bytes() == before
    with pytest.raises(ReportError, match=r"r\.jsonl\.part:2: there is no footer: the run was killed after 1 of 10"):
        report.read(path.with_name("r.jsonl.part"))


def damaged(lines: list[bytes], how: str) -> list[bytes]:
    match how:
        case "cut":
            return [*lines[:4], lines[4][:20]]
        case "two headers":
            return [lines[0], lines[0], *lines[1:]]
        case "two reports":
            return lines + lines
        case "no header":
            return lines[1:]
        case "result twice":
            return [*lines[:2], lines[1], *lines[2:]]
        case "line missing":
            return [*lines[:3], *lines[4:]]
        case "garbage":
            return [lines[0], b'{"kind": "result", "id": 7}', *lines[2:]]
        case "bytes":
            return [lines[0], b"\xff\xfe", *lines[2:]]
        case "format":
            return [lines[0].replace(b'"format":1', b'"format":9'), *lines[1:]]
        case "status":
            return [lines[0], lines[1].replace(b'"status":"pass"', b'"status":"passed"'), *lines[2:]]
        case "another file":
            return [b"# README", b"", b"text"]
        case "blank lines":
            return [lines[0], b"", *lines[1:]]
        case "empty":
            return []
    raise AssertionError(how)


@pytest.mark.parametrize(
    ("how", "line", "what"),
    [
        ("cut", 5, "cut off"),
        ("two headers", 2, "second header"),
        ("two reports", 13, "more after the footer"),
        ("no header", 1, "no header before this"),
        ("result twice", 3, "has a result already"),
        ("line missing", 11, "Lines are missing"),
        ("garbage", 2, "damaged"),
        ("bytes", 2, "damaged"),
        ("format", 1, "format 9 is not known"),
        ("status", 2, "damaged"),
        ("blank lines", 2, "damaged"),
        ("another file", 1, "this is not a report"),
        ("empty", 1, "the file is empty"),
    ],
)
def test_damaged_report(every: Report, tmp_path: Path, mini: Mini, how: str, line: int, what: str) -> None:
    path = tmp_path / "r.jsonl"
    report.write(path, every)
    path.write_bytes(b"".join(one + b"\n" for one in damaged(path.read_bytes().splitlines(), how)))
    with pytest.raises(ReportError) as caught:
        report.read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert what in str(caught.value)
    assert mini.run("compare", path, path) == 2
    assert "Traceback" not in mini.err


@pytest.mark.parametrize("path", ["missing.jsonl", "."])
def test_no_report_there(tmp_path: Path, path: str) -> None:
    with pytest.raises(ReportError, match="cannot be read"):
        report.read(tmp_path / path)


def harmless(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


def test_text_shows_everything_and_obeys_nobody(every: Report) -> None:
    text = summary(every)
    assert harmless(text)
    for id_, result in every.results.items():
        assert (id_ in text) == (result.status != "pass")
    assert every.header.rules["cow.isolation"][:40] in text
    assert "again     mapspec run --profile linux-7.3 cow.isolation.w1" in text
    assert "1 of 6 applicable scenarios pass (16.6 %). 6 of 10 apply (60 %)." in text


def test_junit_counts(every: Report) -> None:
    top = ElementTree.fromstring(junit(every).partition("\n")[2])
    assert {k: top.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "10", "failures": "2", "errors": "2", "skipped": "5",
    }  # fmt: skip
    cases = top.findall("./testsuite[@name='cow']/testcase")
    assert len(cases) == 10
    assert [len(c) for c in cases] == [0] + [1] * 9
    assert harmless(junit(every))


def test_ktap_numbers_every_scenario(every: Report) -> None:
    lines = ktap(every).splitlines()
    assert lines[:2] == ["KTAP version 1", "1..10"]
    found = [
        m for line in lines if (m := re.match(r"(not )?ok (\d+) (\S+)( # (SKIP|XFAIL|TIMEOUT|ERROR) \S.*)?$", line))
    ]
    assert [int(m[2]) for m in found] == list(range(1, 11))
    assert [bool(m[1]) for m in found] == [r.status in report.BAD for r in every.results.values()]
    assert all(line.startswith(("#", "ok", "not ok", "KTAP", "1..")) for line in lines)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.details = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.details += tag == "details"
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        assert tag not in ("script", "b", "link", "img")
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_is_one_file(every: Report) -> None:
    page = html(every)
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    assert tags.details == 10
    assert all(link.startswith("#") for link in tags.links)
    assert "url(" not in page and "@import" not in page
    page.encode("utf-8")


@pytest.mark.parametrize(
    ("statuses", "says"),
    [(["pass"], "1 pass"), (["pass", "fail"], "1 of 2 pass"), (["not-applicable"], "nothing applies"),
     (["pass", "xfail"], "1 of 2 pass"), (["pass", "notrun"], "not complete")],
)  # fmt: skip
def test_badge(every: Report, statuses: list[str], says: str) -> None:
    chosen = {r.id: r for r in every.results.values() if r.status in statuses}
    why = "interrupted" if "notrun" in statuses else ""
    svg = badge(Report(every.header, chosen, report.footer(chosen.values(), 1, why)))
    assert ElementTree.fromstring(svg).get("aria-label") == f"mapspec linux-7.3: {says}"


def test_compare_names_what_differs(every: Report) -> None:
    assert lines(compare(every, every)) == ["Nothing differs."]
    ids = list(every.results)
    other = dict(every.results)
    other[ids[0]] = report.notrun(suite_scenario(every, ids[0]), "stopped")
    del other[ids[1]]
    said = lines(compare(every, Report(every.header, other, every.footer)))
    at = said.index("    pass -> notrun: stopped")
    assert said[at + 1] == f"      {ids[0].partition('[')[0]}"
    at = said.index("    only in A: fail")
    assert said[at + 1] == f"      {ids[1].partition('[')[0]}"
    assert said[-1].startswith("2 of 10 scenarios differ, in 1 of ")


def test_compare_says_where_a_rule_applies(every: Report) -> None:
    """A rule that applies on one side only comes before one of which scenarios differ."""
    one = next(iter(every.results.values()))

    def of(*results: tuple[str, str]) -> dict[str, report.Result]:
        return {i: msgspec.structs.replace(one, id=i, status=s, reason=f"why {s}") for i, s in results}

    a = of(("cow.old.a", "pass"), ("cow.old.b[x]", "pass"), ("cow.old.b[y]", "pass"), ("cow.both.a", "pass"),
           ("cow.both.b", "pass"), ("cow.new.a", "not-applicable"), ("cow.same.a", "pass"))  # fmt: skip
    b = of(("cow.old.a", "not-applicable"), ("cow.old.b[x]", "not-applicable"), ("cow.old.b[y]", "not-applicable"),
           ("cow.both.a", "unsupported"), ("cow.both.b", "pass"), ("cow.new.a", "pass"),
           ("cow.same.a", "pass"))  # fmt: skip
    found = comparison.compare(a, b, {"cow.old": "It MUST."})
    assert [(r.id, r.kind, len(r.changes), r.same) for r in found.rules] == [
        ("cow.old", "only in A", 3, 0), ("cow.both", "in both", 1, 1), ("cow.new", "only in B", 1, 0),
    ]  # fmt: skip
    assert lines(found) == [
        "Rules that apply in A only (1)", "",
        "  cow.old", "    It MUST.", "    pass -> not-applicable: why not-applicable", "      cow.old.a",
        "      cow.old.b (2 rows)", "",
        "Rules that apply in B only (1)", "",
        "  cow.new", "    not-applicable -> pass: why not-applicable", "      cow.new.a", "",
        "Rules of which scenarios differ (1)", "",
        "  cow.both", "    pass -> unsupported: why unsupported", "      cow.both.a",
        "    1 more of its scenarios apply in both and have the same verdict", "",
        "5 of 7 scenarios differ, in 3 of 4 rules; 1 apply only in A, 1 apply only in B.",
    ]  # fmt: skip


def suite_scenario(of: Report, scenario: str) -> suite.Scenario:
    result = of.results[scenario]
    text = of.header.rules[result.rule]
    rule = suite.Rule(result.rule, text, result.chapter, result.file, 1)
    steps = tuple(
        suite.Step("Given", kind, line, 1)
        for kind, line in (
            ("given", "A has a base page"), ("when", 'A writes "new" to page 0'), ("then", 'A reads "odd" in page 0'),
        )
    )  # fmt: skip
    return suite.Scenario(scenario, result.name, steps, (), rule, result.file, result.line)


# --- expectations -----------------------------------------------------------------------------------------

ENTRY = """\
# what we know

[[expect]]
id = "cow.isolation.child-writes[*]"
status = "xfail"
reason = "fork shares nothing yet"
link = "https://example.org/1"
until = 2027-01-31
"""
TODAY = datetime.date(2026, 12, 1)


def load(mini: Mini, text: str | bytes, today: datetime.date = TODAY) -> expectations.Expectations:
    path = mini.root / "expect.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return expectations.load(path, suite.load_or_raise(mini.root), today)


def test_expectations_cover_rows(mini: Mini) -> None:
    loaded = load(mini, ENTRY)
    scenarios = suite.load_or_raise(mini.root).scenarios
    row, other = scenarios["cow.isolation.child-writes[a-base-page]"], scenarios["cow.isolation.old"]
    turned = {}
    for status in report.STATUSES:
        verdict = Verdict(row, status)
        loaded.apply(verdict)
        turned[status] = verdict.status
    assert turned == {s: s for s in report.STATUSES} | {
        "pass": "xpass", "fail": "xfail", "error": "xfail", "timeout": "xfail",
    }  # fmt: skip
    assert loaded.apply(Verdict(other, "fail")) is None
    assert loaded.skip(row.id) is None


@pytest.mark.parametrize(
    "id_", ["cow.isolation", "cow.isolation.child-writes", "cow.isolation.child-writes[a-base-page]"]
)
def test_expectations_name_rule_scenario_or_row(mini: Mini, id_: str) -> None:
    text = ENTRY.replace("cow.isolation.child-writes[*]", id_).replace('"xfail"', '"skip"')
    assert load(mini, text).skip("cow.isolation.child-writes[a-base-page]") is not None


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("child-writes[*]", "child-rites[*]", 3, "there is no rule or scenario 'cow.isolation.child-rites[*]'"),
        ('reason = "fork shares nothing yet"', "", 3, "the entry has no reason"),
        ("fork shares nothing yet", " ", 6, "the entry has no reason"),
        ('link = "https://example.org/1"', "", 3, "the entry has no link"),
        ('"xfail"', '"fail"', 5, "the status is 'fail'"),
        ("2027-01-31", "2026-11-30", 8, "the entry has expired on 2026-11-30"),
        ("2027-01-31", '"2027-01-31"', 8, "`until` is not a date"),
        ("reason", "raeson", 6, "nothing is known about 'raeson'"),
        ("[[expect]]", "[[expected]]", 3, "nothing is known about 'expected'"),
        ("[[expect]]", "[expect]", 1, "not a list of tables"),
        ("status =", "status", 5, "is not TOML"),
        ("[[expect]]", ENTRY.partition("\n\n")[2] + "[[expect]]", 9, "is expected twice"),
    ],
)
def test_bad_expectations_are_told_by_line(mini: Mini, old: str, new: str, line: int, what: str) -> None:
    with pytest.raises(SuiteError) as caught:
        load(mini, ENTRY.replace(old, new, 1))
    told = [(p.line, p.what) for p in caught.value.problems if what in p.what]
    assert told and told[0][0] == line, caught.value.problems


def test_expectations_that_are_not_utf8_or_not_there(mini: Mini) -> None:
    with pytest.raises(SuiteError, match=r"expect\.toml:2: is not UTF-8"):
        load(mini, b"\n# \xff")
    assert mini.run("run", "--expectations", "nowhere.toml") == 2
    assert "nowhere.toml: cannot be read: No such file" in mini.err


def test_what_was_wrong_at_the_end_is_in_every_output(every: Report) -> None:
    leak = "leak: 3 pages of the module's memory never came back"
    plain = Report(every.header, {}, report.footer([], 1.0, wrong=[leak]))
    assert f"FAIL at the end: {leak}" in summary(plain)
    assert "1..1\n" in ktap(plain) and "not ok 1 at the end of the run" in ktap(plain)
    tree = ElementTree.fromstring(junit(plain))
    assert tree.get("failures") == "1" and tree.find("testsuite/testcase/failure") is not None
    assert "At the end: leak: 3 pages" in html(plain)
    assert "#b42318" in badge(plain)
