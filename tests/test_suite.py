# SPDX-License-Identifier: MIT
"""Bad feature files, spec pages and registries: each is told by file and line, with a way out."""

from __future__ import annotations

import pytest
from mini import GOOD, Mini

from conformance import suite
from conformance.lint import lint

STEP = "      Given A has a base page\n"


def replaced(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


BAD = {
    "syntax": (replaced("      And A forks B", "      Nonsense"), 9, "'Nonsense' is not expected here"),
    "no feature": ("# only a comment\n", 1, "has no Feature"),
    "empty": ("", 1, "has no Feature"),
    "no rule": ("Feature: Writing\n", 1, "has no Rule"),
    "other text": ("root:x:0:0\nnobody:x:1:1\n", 1, "expected: Feature, got 'root:x:0:0'"),
    "byte order mark": ("\ufeff" + GOOD, 1, "starts with a byte order mark"),
    "very long line": (replaced("A forks B", "A forks B" + "b" * 9999), 9, "a line of 10018 characters"),
    "row without a name": (replaced("| a base page         |", "|                     |"), 15, "names nothing"),
    "too many pages": (replaced("And A forks B", "And A maps 99999999999 pages of private anonymous memory"),
                       9, "99999999999 pages are too many"),
    "too large a range": (replaced('"new" to page 0', '"new" to pages 0 to 99999999999'), 10, "is too much"),
    "unequal rows": (replaced("| a base page         |", "| a base page | and more |"), 15, "inconsistent cell count"),
    "rule without id": (replaced("  @cow.isolation\n", ""), 3, "the rule has no ids"),
    "rule of another chapter": (GOOD.replace("cow.isolation", "fork.isolation"), 4, "folder of chapter 'cow'"),
    "rule that is not normative": (replaced("MUST NOT", "should not"), 4, "neither MUST nor MAY"),
    "scenario without id": (replaced("    @cow.isolation.child-writes\n", ""), 6, "has no id"),
    "scenario with another rule's id": (replaced("@cow.isolation.child", "@cow.other.child"), 7, "a wrong id"),
    "rule without scenario": (GOOD[: GOOD.index("    @cow.isolation.child")], 4, "has no scenario"),
    "scenario outside a rule": (replaced("  @cow.isolation\n  Rule: After", "  # After"), 6, "outside a Rule"),
    "two scenarios with one id": (GOOD.replace("isolation.old", "isolation.child-writes[a-base-page]"), 0, ""),
    "unknown tag": (replaced("@until:6.1", "@untill:6.1"), 18, "nothing is known about the tag @untill:6.1"),
    "star": (replaced("      And A forks B", "      * A forks B"), 9, "a step starts with `*`"),
    "table": (replaced("      And A forks B\n", "      And A forks B\n        | a |\n"), 9, "a table or a text block"),
    "background": (replaced("    @cow.isolation.child", "    Background:\n  " + STEP + "\n    @cow.isolation.child"),
                   6, "there is a Background"),
    "no phrase": (replaced("A forks B", "A forsk B"), 9, "no phrase fits 'A forsk B'"),
    "comparison in Given": (replaced("And A forks B", "And page 0 of A was copied"), 9, "only looks, and stands in"),
    "operation in Then": (replaced('Then A reads "old" in page 0', "Then B exits"), 11, "changes something"),
    "no Then": (replaced('      Then A reads "new" in page 0\n', ""), 19, "has no Then"),
    "empty range": (replaced('"new" to page 0', '"new" to pages 3 to 1'), 10, "is an empty range"),
    "past the end": (replaced('"new" to page 0', '"new" to page 99'), 10, "past the end"),
    "unknown region": (replaced('"new" to page 0', '"new" to page 0 of log'), 10, "no region 'log'"),
    "unknown capability": (replaced("@until:6.1", "@needs:magic"), 19, "there is no capability 'magic'"),
    "unknown configuration": (replaced("@until:6.1", "@config:magic"), 19, "no profile has the configuration 'magic'"),
    "no version": (replaced("@until:6.1", "@until:new"), 19, "has no kernel version"),
    "no number": (replaced("@until:6.1", "@order:big"), 19, "has no number"),
    "never": (replaced("@until:6.1", "@until:6.1 @since:6.12"), 19, "no profile meets"),
}  # fmt: skip
BAD["two scenarios with one id"] = (
    replaced("@cow.isolation.old @until:6.1", "@cow.isolation.child-writes @until:6.1")
    + "\n    @cow.isolation.child-writes\n    Scenario: Again\n"
    + STEP
    + '      Then A reads "old" in page 0\n',
    25,
    "already used",
)


@pytest.mark.parametrize("name", BAD)
def test_bad_feature_is_told_by_line(mini: Mini, name: str) -> None:
    text, line, what = BAD[name]
    mini.feature(text)
    problems, _ = lint(mini.root, [])
    found = [p for p in problems if what in p.what]
    assert found, problems
    assert found[0].file == "features/cow/writing.feature"
    assert found[0].line == line
    assert mini.run("lint") == 2
    assert f"features/cow/writing.feature:{line}: " in mini.out


def test_good_suite_has_no_problems(mini: Mini) -> None:
    assert lint(mini.root, [])[0] == []
    assert mini.run("lint") == 0


@pytest.mark.parametrize(
    "name",
    ["Scenario: An old kernel does so too", "Scenario Outline: The parent keeps its content when the <one> writes"],
)
def test_two_rules_with_scenarios_of_one_name(mini: Mini, name: str) -> None:
    first = "\n    @cow.isolation.one\n    Scenario Outline: The parent keeps its content when the <one> writes\n"
    steps = '      Given A has <one>\n      Then A reads "old" in page 0\n'
    rows = "\n      Examples:\n        | one |\n        | {} |\n"
    second = f"\n  @cow.other\n  Rule: Something else MAY be so\n\n    @cow.other.one\n    {name}\n"
    if "<one>" in name:
        second += steps + rows.format("an order-4 folio")
    else:
        second += steps.replace("<one>", "a base page")
    mini.feature(GOOD + first + steps + rows.format("a base page") + second)
    (problem,) = lint(mini.root, [])[0]
    assert problem.what == f"two scenarios of the file are called {name.partition(': ')[2]!r}"


def test_files_that_cannot_be_read(mini: Mini) -> None:
    folder = mini.root / "features" / "cow"
    (folder / "bytes.feature").write_bytes(b"Feature: x\n  # \xff\n")
    (folder / "folder.feature").mkdir()
    (folder / "huge.feature").write_bytes(b"Feature: x\n" + b"# x\n" * (suite.LARGEST // 4))
    found = {p.file.rpartition("/")[2]: (p.line, p.what) for p in suite.load(mini.root).problems}
    assert found == {
        "bytes.feature": (2, "is not UTF-8"),
        "folder.feature": (0, "cannot be read: Is a directory"),
        "huge.feature": (0, "cannot be read: it is larger than 1 MiB"),
    }
    assert mini.run("lint", "nothing.feature") == 2
    assert "nothing.feature: cannot be read: No such file or directory" in mini.out


def test_orphans_in_either_direction(mini: Mini) -> None:
    (mini.root / "spec" / "cow.md").write_text(":::{rule} cow.nobody\n:all: mm/memory.c: x\n:::\n")
    told = {(p.file, p.line, p.what) for p in suite.load(mini.root).problems}
    assert told == {
        ("spec/cow.md", 1, "there is no rule 'cow.nobody'"),
        ("features/cow/writing.feature", 4, "rule cow.isolation is in no chapter"),
    }


def test_rule_without_source(mini: Mini) -> None:
    (mini.root / "spec" / "cow.md").write_text(":::{rule} cow.isolation\n\nWhy.\n:::\n")
    (problem,) = suite.load(mini.root).problems
    assert str(problem).startswith("spec/cow.md:1: rule cow.isolation has no kernel source")


@pytest.mark.parametrize("name", ["chapters.toml", "retired.toml", "profiles.toml", "capabilities.toml"])
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"x = 1\ny = =\n", ":2: is not TOML"),
        (b"x = 1\ny = [", ":2: is not TOML"),
        (b"\n# \xff\n", ":2: is not UTF-8"),
        (b"chapters = 1\nretired = 1\nbehaviour = 1\ncapability = 1\n", ":1: "),
        (None, ": cannot"),
    ],
)
def test_bad_registry(mini: Mini, name: str, content: bytes | None, what: str) -> None:
    path = mini.root / "spec" / name
    path.unlink() if content is None else path.write_bytes(content)
    assert mini.run("lint") == 2
    assert f"spec/{name}{what}" in mini.err
    assert "Traceback" not in mini.err


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('kernel = "6.1"', "kernel = 6.1", "[profile.linux-6.1]: Expected `str`, got `float`"),
        ('kernel = "6.1"', 'kernel = "six"', "[profile.linux-6.1]: Expected `str` matching"),
        ('inherits = "linux-6.1"', 'inherits = "nix"', "[profile.linux-6.12]: inherits 'nix', which is not above it"),
        ('behaviour = "sharing.test"', 'behaviour = "x"', "[profile.linux-6.1]: there is no behaviour 'x'"),
        ('value = "compound-mapcount"', 'value = "x"', "[profile.linux-6.1]: mapcount.counting cannot be 'x'"),
        ("parameters.orders", "parameters.ordres", "[profile.linux-6.1]: there is no parameter ordres"),
        ("default = 64", "", "[parameter.word_bits]: Object missing required field `default`"),
    ],
)
def test_bad_profiles(mini: Mini, old: str, new: str, what: str) -> None:
    path = mini.root / "spec" / "profiles.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    head = what[: what.index("]")].replace(".", '."', 1) + '"]' if "profile" in what else what[: what.index("]") + 1]
    line = text.splitlines().index(head) + 1
    assert mini.run("run") == 2
    assert f"spec/profiles.toml:{line}: {what}" in mini.err


def test_retired_id_is_not_used_again(mini: Mini) -> None:
    (mini.root / "spec" / "retired.toml").write_text('[[retired]]\nid = "cow.isolation"\nwhy = "It was vague."\n')
    assert any("cow.isolation is already used" in p.what for p in suite.load(mini.root).problems)


def test_draft_outside_the_tree(mini: Mini) -> None:
    draft = mini.root / "elsewhere" / "draft.feature"
    draft.parent.mkdir()
    draft.write_text(GOOD.replace("isolation", "draft"))
    assert mini.run("lint", draft) == 0, mini.out
    assert mini.run("run", draft) == 0, mini.err
    assert "2 of 2 applicable" in mini.out
    draft.write_text(GOOD)
    assert mini.run("lint", draft) == 2
    assert f"{draft.relative_to(mini.root)}:4: rule id cow.isolation is already used" in mini.out


def test_proposals_are_left_out_unless_named(mini: Mini) -> None:
    path = mini.root / "features" / "proposals" / "draft.feature"
    path.parent.mkdir()
    path.write_text(GOOD.replace("isolation", "draft"))
    loaded = suite.load_or_raise(mini.root)
    assert len(loaded.select([])) == 3
    assert {s.rule.id for s in loaded.select(["proposals"])} == {"cow.draft"}
    assert len(loaded.select(["cow"])) == 3


def test_ids_of_rows_and_digests(mini: Mini) -> None:
    loaded = suite.load_or_raise(mini.root)
    assert list(loaded.scenarios) == [
        "cow.isolation.child-writes[a-base-page]",
        "cow.isolation.child-writes[an-order-4-folio]",
        "cow.isolation.old",
    ]
    before = loaded.digest
    mini.feature(GOOD.replace("An old kernel", "Another name"))
    assert suite.load_or_raise(mini.root).digest == before, "names are no behaviour"
    mini.feature(GOOD.replace('"new"', '"other"'))
    assert suite.load_or_raise(mini.root).digest != before


def test_the_suite_itself_has_no_problems() -> None:
    assert [str(p) for p in lint(suite.ROOT, [])[0]] == []
