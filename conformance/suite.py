# SPDX-License-Identifier: MIT
"""The suite as data: chapters, rules and scenarios, read from `features/` and `spec/`.

Feature files are parsed once, here, by gherkin-official; the runner, pytest, the site and the linter all start
from the same objects.  Whatever is wrong is collected as `Problem`s that name file, line and the way out.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gherkin.errors import CompositeParserException, ParserException
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler

ROOT = Path(__file__).resolve().parent.parent
SLUG = "[a-z0-9]+(?:-[a-z0-9]+)*"
RULE_ID = re.compile(rf"^[a-z_]+\.{SLUG}$")
SCENARIO_ID = re.compile(rf"^[a-z_]+\.{SLUG}\.{SLUG}$")
LARGEST = 1 << 20
"""Bytes of a feature file.  A larger one was not written by hand."""
LONGEST = 1000
"""Characters of a line in it."""
CONDITIONS = (
    "since", "until", "config", "needs", "order", "page_size", "pmd_order", "pte_special", "refcount_bits", "word_bits",
    "debug_vm",
)  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """Something wrong in a file: what, where, and what to do about it."""

    file: str
    line: int
    what: str
    mend: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.what}" + (f"\n    {self.mend}" if self.mend else "")


class SuiteError(Exception):
    """The suite cannot be loaded; `problems` says why."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True)
class Step:
    """One line of a scenario.  `kind` is given, when or then, also for And and But."""

    keyword: str
    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class Condition:
    """A tag that decides where a rule or scenario applies, such as @since:6.12."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"@{self.name}:{self.value}"


@dataclass(frozen=True)
class Scenario:
    """One behaviour.  An outline yields one per row; its id then ends in [row]."""

    id: str
    name: str
    steps: tuple[Step, ...]
    conditions: tuple[Condition, ...]
    rule: Rule = field(repr=False, compare=False)
    file: str
    line: int
    note: str = ""
    """The free text below the scenario's name."""
    row: tuple[tuple[str, str], ...] = ()
    """Of an outline: header and cell of each column of the Examples, as they are written."""
    written: str = ""
    """The name as it is written: that of an outline has its <parameters>."""

    @property
    def digest(self) -> str:
        """Changes when the steps or the conditions change; recorded results carry it."""
        text = "\n".join([*map(str, self.conditions), *(f"{s.kind} {s.text}" for s in self.steps)])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def chapter(self) -> str:
        return self.rule.chapter

    @property
    def outline(self) -> str:
        """The id without the row."""
        return self.id.partition("[")[0]


@dataclass(eq=False)
class Rule:
    """A normative sentence and the scenarios that show it."""

    id: str
    text: str
    chapter: str
    file: str
    line: int
    proposal: bool = False
    note: str = ""
    scenarios: list[Scenario] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    """Kernel file and symbol by version (or "all"), from the chapter in `spec/`."""
    body: str = ""
    """What the chapter says about the rule, as it is written."""


@dataclass
class Suite:
    """Everything, by id, in the order of the chapters and files."""

    chapters: dict[str, str]
    """Name to title."""
    rules: dict[str, Rule] = field(default_factory=dict)
    scenarios: dict[str, Scenario] = field(default_factory=dict)
    retired: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Changes when any scenario changes."""
        text = "".join(f"{s.id}:{s.digest};" for s in self.scenarios.values())
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def select(self, selectors: list[str], root: Path = ROOT) -> list[Scenario]:
        """The scenarios of a chapter, a rule id, a scenario id (with or without row) or a feature file.

        Without selectors: all that are not proposals.  An unknown selector raises SuiteError with near names.
        """
        if not selectors:
            return [s for s in self.scenarios.values() if not s.rule.proposal]
        chosen: dict[str, Scenario] = {}
        for selector in selectors:
            if not selector.strip():
                raise SuiteError([Problem("selector", 0, "a selector is empty", "`mapspec list` shows what there is.")])
            path = Path(selector)
            hits = [
                s
                for s in self.scenarios.values()
                if selector in (s.id, s.outline, s.rule.id)
                or (selector == s.chapter and not s.rule.proposal)
                or (selector == "proposals" and s.rule.proposal)
                or (path.exists() and _inside(root / s.file, path.resolve()))
            ]
            if not hits:
                raise SuiteError([self._unknown(selector)])
            chosen.update((s.id, s) for s in hits)
        return list(chosen.values())

    def _unknown(self, selector: str) -> Problem:
        import difflib

        known = [*self.chapters, *self.rules, *self.scenarios]
        near = difflib.get_close_matches(selector, known, n=3)
        if selector in self.retired:
            mend = f"It was retired: {self.retired[selector].get('why', '')}"
        elif Path(selector).exists():
            mend = "The file holds no scenario of this suite."
        else:
            mend = f"Did you mean {', '.join(near)}?" if near else "`mapspec list` shows all."
        return Problem("selector", 0, f"nothing is called {selector!r}", mend)


def _inside(file: Path, path: Path) -> bool:
    return file == path or path in file.parents


def load(root: Path = ROOT, files: list[Path] | None = None) -> Suite:
    """Read the suite.  Problems are collected in the result, nothing is raised for them.

    With `files` only these feature files are read (and the spec is not held against them).
    """
    suite = Suite(chapters=_chapters(root))
    suite.retired = _retired(root, suite)
    paths = files if files is not None else sorted((root / "features").rglob("*.feature"))
    order = list(suite.chapters)
    paths.sort(key=lambda p: (order.index(c) if (c := p.parent.name) in order else len(order), str(p)))
    for path in paths:
        _read_feature(path, root, suite)
    if files is None:
        _read_spec(root, suite)
    return suite


def load_or_raise(root: Path = ROOT) -> Suite:
    """Read the suite; raise SuiteError if anything is wrong with it."""
    suite = load(root)
    if suite.problems:
        raise SuiteError(suite.problems)
    return suite


def read_toml(path: Path, name: str) -> dict[str, Any]:
    """A TOML file; `name` is what it is called in a problem.  Raises SuiteError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise SuiteError([Problem(name, 0, f"cannot be read: {e.strerror}")]) from None
    except UnicodeDecodeError as e:
        raise SuiteError([Problem(name, text_line(path, e.start), "is not UTF-8", "Save it as UTF-8.")]) from None
    except tomllib.TOMLDecodeError as e:
        what, _, where = str(e).partition(" (at ")
        line = re.match(r"line (\d+)", where)
        number = int(line[1]) if line else path.read_bytes().count(b"\n") + 1  # "at end of document"
        raise SuiteError([Problem(name, number, f"is not TOML: {what}", "See https://toml.io.")]) from None


# --- feature files ----------------------------------------------------------------------------------------


def _chapters(root: Path) -> dict[str, str]:
    """Chapters are the pages of spec/ in the order of spec/chapters.toml."""
    chapters = read_toml(root / "spec" / "chapters.toml", "spec/chapters.toml").get("chapters")
    if not isinstance(chapters, dict):
        raise SuiteError([Problem("spec/chapters.toml", 1, "has no [chapters]", "Name each chapter and its title.")])
    return {str(k): str(v) for k, v in chapters.items()}


def _retired(root: Path, suite: Suite) -> dict[str, dict[str, Any]]:
    file = "spec/retired.toml"
    entries = read_toml(root / "spec" / "retired.toml", file).get("retired", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SuiteError([Problem(file, 1, "`retired` is not a list of tables", "Write [[retired]], id and why.")])
    for entry in entries:
        for key, mend in (("id", "Name the rule or scenario."), ("why", "A tombstone says what was wrong.")):
            if not isinstance(entry.get(key), str) or not entry[key].strip():
                suite.problems.append(Problem(file, 0, f"{entry.get('id', 'an entry')} has no `{key}`", mend))
    return {str(entry.get("id")): entry for entry in entries}


def _read_feature(path: Path, root: Path, suite: Suite) -> None:
    name = path.resolve().relative_to(root).as_posix() if path.resolve().is_relative_to(root) else str(path)
    try:
        document: dict[str, Any] = dict(Parser().parse(_read_text(path, name)))
    except SuiteError as e:
        suite.problems += e.problems
        return
    except CompositeParserException as e:
        suite.problems.append(_syntax(name, e.errors[0]))  # the others follow from it
        return
    except ParserException as e:
        suite.problems.append(_syntax(name, e))
        return
    feature = document.get("feature")
    if not feature:
        suite.problems.append(Problem(name, 1, "has no Feature", "A feature file starts with `Feature: …`."))
        return
    document["uri"] = name
    pickles: dict[str, list[dict[str, Any]]] = {}
    for pickle in Compiler().compile(document):  # type: ignore[arg-type]
        pickles.setdefault(pickle["astNodeIds"][0], []).append(dict(pickle))
    chapter = path.parent.name
    proposal = chapter == "proposals" or not path.resolve().is_relative_to((root / "features").resolve())
    if not any("rule" in child for child in feature["children"]):
        mend = "A feature file has rules, and scenarios below them."
        suite.problems.append(Problem(name, feature["location"]["line"], "has no Rule", mend))
    for child in feature["children"]:
        if "rule" in child:
            _read_rule(dict(child["rule"]), chapter, proposal, name, pickles, suite)
        elif "background" in child:
            suite.problems.append(_background(name, dict(child["background"])))
        elif "scenario" in child:
            suite.problems.append(
                Problem(name, child["scenario"]["location"]["line"], "the scenario stands outside a Rule",
                        "Put it below the `Rule:` that it shows.")
            )  # fmt: skip


def _read_text(path: Path, name: str) -> str:
    """The text of a feature file.  Raises SuiteError."""
    try:
        with path.open("rb") as f:
            data = f.read(LARGEST + 1)
        text = data.decode()
    except OSError as e:
        raise SuiteError([Problem(name, 0, f"cannot be read: {e.strerror}")]) from None
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise SuiteError([Problem(name, line, "is not UTF-8", "Save it as UTF-8.")]) from None
    if len(data) > LARGEST:
        what = f"cannot be read: it is larger than {LARGEST >> 20} MiB"
        raise SuiteError([Problem(name, 0, what, "Split it into topics.")])
    if text.startswith("\ufeff"):
        raise SuiteError([Problem(name, 1, "starts with a byte order mark", "Save it as UTF-8 without BOM.")])
    for number, words in enumerate(text.split("\n"), 1):
        if len(words) > LONGEST:
            what = f"a line of {len(words)} characters"
            raise SuiteError([Problem(name, number, what, f"No line is longer than {LONGEST}.")])
    return text


def _background(file: str, node: dict[str, Any]) -> Problem:
    what = "there is a Background"
    return Problem(file, node["location"]["line"], what, "Each scenario is read alone: say it in each.")


def text_line(path: Path, offset: int) -> int:
    """The line of a byte offset in a file."""
    return path.read_bytes()[:offset].count(b"\n") + 1


def _syntax(name: str, error: ParserException) -> Problem:
    line = (getattr(error, "location", None) or {}).get("line", 1)
    message = str(error).partition("): ")[2] or str(error)
    expected, _, got = message.partition(", got ")
    if not got:
        return Problem(name, line, message, "features/ and docs/propose.md show how a feature file is written.")
    if "#FeatureLine" in expected and "#RuleLine" not in expected:
        return Problem(name, line, f"expected: Feature, got {got}", "A feature file starts with `Feature: …`.")
    mend = "A line starts with Rule:, Scenario:, Scenario Outline:, Examples:, Given, When, Then, And, But, @, | or #."
    return Problem(name, line, f"{got} is not expected here", mend)


def _read_rule(
    node: dict[str, Any], chapter: str, proposal: bool, file: str,
    pickles: dict[str, list[dict[str, Any]]], suite: Suite,
) -> None:  # fmt: skip
    line = node["location"]["line"]
    ids, _ = _tags(node["tags"], RULE_ID, file, suite)
    text = " ".join(node["name"].split())
    if len(ids) != 1:
        suite.problems.append(
            Problem(
                file,
                line,
                f"the rule has {len(ids) or 'no'} ids",
                f"Tag it once: @{chapter}.two-or-three-words.",
            )
        )
        return
    (rule_id,) = ids
    if proposal:
        chapter = rule_id.partition(".")[0]
    rule = Rule(rule_id, text, chapter, file, line, proposal, node.get("description", "").strip())
    if rule_id.partition(".")[0] != chapter or chapter not in suite.chapters:
        known = f"The first part of an id is the chapter: {', '.join(suite.chapters)}."
        what = f"stands in the folder of chapter {chapter!r}"
        if proposal:
            what = f"is of chapter {chapter!r}, which does not exist"
        suite.problems.append(Problem(file, line, f"rule {rule_id} {what}", known))
    if not re.search(r"\b(MUST|MUST NOT|MAY)\b", text):
        suite.problems.append(Problem(file, line, f"rule {rule_id} says neither MUST nor MAY", "A rule is normative."))
    if rule_id in suite.rules or rule_id in suite.retired:
        suite.problems.append(
            Problem(file, line, f"rule id {rule_id} is already used", "Ids are never shared and never reused.")
        )
        return
    suite.rules[rule_id] = rule
    for child in node["children"]:
        if "background" in child:
            suite.problems.append(_background(file, dict(child["background"])))
        if "scenario" in child:
            _read_scenario(dict(child["scenario"]), rule, file, pickles, suite)
    if not rule.scenarios:
        suite.problems.append(Problem(file, line, f"rule {rule_id} has no scenario", "Show it by at least one."))


def _read_scenario(
    node: dict[str, Any], rule: Rule, file: str, pickles: dict[str, list[dict[str, Any]]], suite: Suite
) -> None:
    line = node["location"]["line"]
    ids, _ = _tags(node["tags"], SCENARIO_ID, file, suite)
    name = node["name"].strip()
    if len(ids) != 1 or ids[0].rpartition(".")[0] != rule.id:
        suite.problems.append(
            Problem(file, line, f"the scenario {name!r} has {'a wrong id' if ids else 'no id'}",
                    f"Tag it once: @{rule.id}.one-or-two-words.")
        )  # fmt: skip
        return
    if any(s.name == name for s in rule.scenarios):
        suite.problems.append(Problem(file, line, f"the rule has two scenarios called {name!r}", "Rename one."))
    rows = {row["id"]: row for ex in node.get("examples", []) for row in ex.get("tableBody", [])}
    heads = {row["id"]: ex["tableHeader"] for ex in node.get("examples", []) for row in ex.get("tableBody", [])}
    for pickle in pickles.get(node["id"], []):
        row = rows.get(pickle["astNodeIds"][-1])
        suffix = f"[{_row_name(row)}]" if row else ""
        if row and suffix == "[]":
            what, mend = "the first cell of a row names nothing", "It becomes a part of the id: use letters or digits."
            suite.problems.append(Problem(file, row["location"]["line"], what, mend))
            continue
        _, conditions = _tags(pickle["tags"], SCENARIO_ID, file, suite)
        scenario = Scenario(
            id=ids[0] + suffix,
            name=pickle["name"],
            steps=tuple(_steps(node, pickle)),
            conditions=tuple(conditions),
            rule=rule,
            file=file,
            line=row["location"]["line"] if row else line,
            note=node.get("description", "").strip(),
            row=_cells(heads[row["id"]], row) if row else (),
            written=name,
        )
        if scenario.id in suite.scenarios or scenario.outline in suite.retired:
            suite.problems.append(
                Problem(file, scenario.line, f"scenario id {scenario.id} is already used",
                        "Ids are never shared and never reused; rows of an outline differ in their first cells.")
            )  # fmt: skip
            continue
        suite.scenarios[scenario.id] = scenario
        rule.scenarios.append(scenario)
    for step in node["steps"]:
        _check_step(dict(step), file, suite)
    if not pickles.get(node["id"]):
        suite.problems.append(Problem(file, line, f"scenario {ids[0]} has no steps or no rows", "Nothing would run."))


def _row_name(row: dict[str, Any]) -> str:
    """The first cell of a row, as a slug: what tells the rows of an outline apart."""
    return re.sub(r"[^a-z0-9]+", "-", row["cells"][0]["value"].lower()).strip("-")


def _cells(head: dict[str, Any], row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Header and cell of each column."""
    return tuple((h["value"], c["value"]) for h, c in zip(head["cells"], row["cells"], strict=True))


def _check_step(node: dict[str, Any], file: str, suite: Suite) -> None:
    """Refuse what Gherkin allows and this suite does not."""
    line = node["location"]["line"]
    if node["keyword"].strip() == "*":
        suite.problems.append(Problem(file, line, "a step starts with `*`", "Say Given, When, Then, And or But."))
    if "dataTable" in node or "docString" in node:
        suite.problems.append(
            Problem(file, line, "a step has a table or a text block", "Phrases take their parameters in the line.")
        )


def _steps(node: dict[str, Any], pickle: dict[str, Any]) -> Iterator[Step]:
    kinds = {"Context": "given", "Action": "when", "Outcome": "then"}
    lines = {s["id"]: (s["keyword"].strip(), s["location"]["line"]) for s in node["steps"]}
    kind = "given"
    for step in pickle["steps"]:
        kind = kinds.get(step.get("type", ""), kind)
        keyword, line = lines.get(step["astNodeIds"][0], ("Given", node["location"]["line"]))
        yield Step(keyword, kind, step["text"], line)


def _tags(tags: list[Any], wanted: re.Pattern[str], file: str, suite: Suite) -> tuple[list[str], list[Condition]]:
    """Ids of the wanted form, and conditions, among tags (inherited ones included)."""
    ids, conditions = [], []
    for tag in tags:
        text = tag["name"][1:]
        name, colon, value = text.partition(":")
        if colon and name in CONDITIONS:
            conditions.append(Condition(name, value))
        elif wanted.match(text):
            ids.append(text)
        elif not RULE_ID.match(text) and not SCENARIO_ID.match(text):
            line = tag.get("location", {}).get("line", 0)
            problem = Problem(
                file, line, f"nothing is known about the tag @{text}",
                f"Ids look like @chapter.slug or @chapter.slug.slug; conditions are {', '.join(CONDITIONS)}.",
            )  # fmt: skip
            if line and problem not in suite.problems:
                suite.problems.append(problem)
    return ids, conditions


# --- chapters in spec/ ------------------------------------------------------------------------------------

RULE_BLOCK = re.compile(r"^:{3,}\{rule\}\s*(\S*)\s*$")
OPTION = re.compile(r"^:([A-Za-z0-9.-]+):\s*(.*)$")


def _read_spec(root: Path, suite: Suite) -> None:
    """Give each rule its kernel sources, and refuse orphans in either direction."""
    placed: dict[str, str] = {}
    for chapter in suite.chapters:
        path = root / "spec" / f"{chapter}.md"
        file = f"spec/{chapter}.md"
        if not path.exists():
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as e:
            suite.problems.append(Problem(file, text_line(path, e.start), "is not UTF-8", "Save it as UTF-8."))
            continue
        for number, line in enumerate(lines, 1):
            block = RULE_BLOCK.match(line)
            if not block:
                continue
            rule_id = block[1]
            rule = suite.rules.get(rule_id)
            if rule is None:
                mend = "Write the rule in features/ first, or remove the block."
                suite.problems.append(Problem(file, number, f"there is no rule {rule_id!r}", mend))
                continue
            if rule_id in placed:
                suite.problems.append(
                    Problem(file, number, f"rule {rule_id} stands twice", f"Also: {placed[rule_id]}.")
                )
            placed[rule_id] = f"{file}:{number}"
            for option in lines[number:]:
                match = OPTION.match(option)
                if not match:
                    break
                rule.sources[match[1]] = match[2].strip()
            rule.body = _body(lines[number + len(rule.sources) :], line)
            if not any(rule.sources.values()):
                suite.problems.append(
                    Problem(file, number, f"rule {rule_id} has no kernel source", "Add `:7.3: mm/file.c: symbol`.")
                )
    for rule in suite.rules.values():
        if not rule.proposal and rule.id not in placed:
            suite.problems.append(
                Problem(rule.file, rule.line, f"rule {rule.id} is in no chapter",
                        f"Add a `:::{{rule}} {rule.id}` block to spec/{rule.chapter}.md.")
            )  # fmt: skip


def _body(lines: list[str], opening: str) -> str:
    """The lines of a block up to the fence that closes it."""
    fence = opening[: len(opening) - len(opening.lstrip(":"))]
    closing = next((n for n, line in enumerate(lines) if line.rstrip() == fence), len(lines))
    return "\n".join(lines[:closing]).strip()
