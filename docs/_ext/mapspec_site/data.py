# SPDX-License-Identifier: MIT
"""Everything the pages show: the suite, the profiles, and what came of each scenario where.

Results come from reports and from nowhere else.  Reports of the model that are missing or out of date are made
here, by running the model; a kernel's report is only read.  A result whose scenario has changed since is stale.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

from conformance import engine, profiles, report, suite
from conformance.implementations import Model
from conformance.profiles import Behaviour, Profile
from conformance.report import APPLICABLE, BAD, Header, Report, ReportError, Result
from conformance.suite import Rule, Scenario, Suite

CODE = ("reference_impl/*.py", "conformance/engine.py", "conformance/protocol/*.py", "conformance/vocabulary/*.py",
        "conformance/implementations/__init__.py", "spec/profiles.toml")  # fmt: skip
"""What a result of the model depends on, beside the scenario."""

WORDS = {
    "pass": "pass", "fail": "FAIL", "error": "ERROR", "timeout": "TIMEOUT", "unsupported": "unsupported",
    "not-applicable": "not applicable", "xfail": "fails as expected", "xpass": "PASSES unexpectedly",
    "skipped": "skipped", "notrun": "not run",
}  # fmt: skip
FEW = 200
"""Scenarios that are run here: less than it takes to start processes for."""
NOT_YET = "from source, not yet run"
DEBUG = " debug"
"""Behind the version of a kernel that is an ordinary one, built with CONFIG_DEBUG_VM and other checks of itself."""
CONFIGURATIONS = (
    ("no-page-mapcount", "no page mapcount"), ("no-pte-special", "no pte_special"), ("32bit", "32 bit"),
)  # fmt: skip
"""How a profile's name ends, and what is put behind the version of such a kernel."""


@dataclass(frozen=True)
class Cell:
    """What came of one scenario in one place."""

    status: str
    word: str
    reason: str = ""

    @property
    def css(self) -> str:
        """pass, bad, or other: the colour only repeats the word."""
        return "pass" if self.status == "pass" else "bad" if self.status in BAD else "other"


@dataclass
class Column:
    """One implementation in one profile, with its results."""

    label: str
    """`model linux-7.3`, `kernel 6.18.44`"""
    short: str
    profile: str
    model: bool
    digests: dict[str, str]
    """What each scenario is now; a result that has another digest is stale."""
    results: dict[str, Result]
    header: Header | None = None
    origin: str = ""
    """Where the results come from."""
    complete: bool = True
    recorded: bool = False
    """Kept in the repository, so that the pages rely on it; else it is what the reader's own kernel did."""
    notes: list[str] = field(default_factory=list)
    """What was seen when the run was over."""
    wrong: list[str] = field(default_factory=list)
    """What was wrong then."""

    def cell(self, scenario: Scenario) -> Cell:
        """The result of a scenario, or why there is none."""
        result = self.results.get(scenario.id)
        if result is None:
            return Cell("notrun", "not run", "the report does not have this scenario")
        word = WORDS[result.status]
        if result.digest != self.digests[scenario.id]:
            return Cell("stale", f"stale, was: {word}", "the scenario has changed since it was run")
        return Cell(result.status, word, result.reason)


@dataclass
class Tally:
    """Counts of cells."""

    scenarios: int = 0
    applicable: int = 0
    passed: int = 0
    bad: int = 0
    unsupported: int = 0
    stale: int = 0
    notrun: int = 0

    def add(self, cell: Cell) -> None:
        self.scenarios += 1
        self.applicable += cell.status in APPLICABLE
        self.passed += cell.status == "pass"
        self.bad += cell.status in BAD
        self.unsupported += cell.status == "unsupported"
        self.stale += cell.status == "stale"
        self.notrun += cell.status in ("notrun", "skipped")

    @property
    def words(self) -> str:
        """`9 of 9 pass`, and what else there is."""
        parts = [f"{self.passed} of {self.applicable} pass"] if self.applicable else []
        parts += [
            f"{n} {word}"
            for n, word in ((self.bad, "FAIL"), (self.unsupported, "unsupported"), (self.stale, "stale"),
                            (self.notrun, "not run"))
            if n
        ]  # fmt: skip
        return ", ".join(parts) or "not applicable"

    @property
    def css(self) -> str:
        return "bad" if self.bad else "pass" if self.applicable and self.passed == self.applicable else "other"


@dataclass
class Site:
    """Suite, profiles and results, read once per build."""

    root: Path
    suite: Suite
    behaviours: dict[str, Behaviour]
    profiles: dict[str, Profile]
    columns: list[Column] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """Reports that could not be read."""
    digests: dict[str, str] = field(default_factory=dict)
    """Of each scenario; computing one is not free."""
    code: str = ""
    """Changes when the model or the vocabulary changes."""

    @property
    def kernels(self) -> list[Column]:
        return [c for c in self.columns if not c.model]

    @property
    def models(self) -> list[Column]:
        return [c for c in self.columns if c.model]

    def model(self, profile: str) -> Column:
        return next(c for c in self.models if c.profile == profile)

    def same_as_its_base(self, profile: str, scenarios: Iterable[Scenario]) -> bool:
        """Whether a profile for another width of words says of scenarios what the one says that it starts from."""
        one = self.profiles[profile]
        if one.inherits is None or "word_bits" not in one.own_parameters:
            return False
        mine, base = self.model(profile), self.model(one.inherits)
        return all(mine.cell(s).status == base.cell(s).status for s in scenarios)

    def shown(self, scenarios: Iterable[Scenario]) -> list[Column]:
        """The columns that a page shows for scenarios: without those that only repeat another."""
        rows = list(scenarios)
        return [c for c in self.columns if not self._repeats(c, rows)]

    def _repeats(self, column: Column, scenarios: list[Scenario]) -> bool:
        """Whether another column says the same: the profile's base, or the kernel built without checks of itself."""
        if column.model:
            return self.same_as_its_base(column.profile, scenarios)
        plain = column.short.removesuffix(DEBUG)
        twin = next((c for c in self.kernels if c.short == plain and c is not column), None)
        return twin is not None and all(column.cell(s).status == twin.cell(s).status for s in scenarios)

    @cached_property
    def unrun(self) -> list[str]:
        """Profiles of which no kernel has a result.  A kernel that is only near a profile does not count."""
        return [name for name in self.profiles if not self.ran(name)]

    def ran(self, profile: str) -> list[Column]:
        """The kernels that are of a profile: they claim it, and have its version."""
        version = self.profiles[profile].kernel
        return [c for c in self.kernels if c.profile == profile and _version(c.short)[: len(version)] == version]

    def tally(self, column: Column, scenarios: Iterable[Scenario]) -> Tally:
        tally = Tally()
        for scenario in scenarios:
            tally.add(column.cell(scenario))
        return tally

    def rules(self, chapter: str) -> list[Rule]:
        return [r for r in self.suite.rules.values() if r.chapter == chapter and not r.proposal]

    def picture_profile(self, scenario: Scenario) -> str | None:
        """The profile to draw a scenario in: the default one, else the last one in which it passes."""
        names = [profiles.DEFAULT, *reversed(self.profiles)]
        return next((n for n in names if n in self.profiles and self.model(n).cell(scenario).status == "pass"), None)

    def bad(self, rules: Iterable[Rule]) -> Iterator[tuple[Column, Scenario, Cell]]:
        """Results that must not be on a page: failures of the model and of a kernel."""
        for rule in rules:
            for scenario in rule.scenarios:
                for column in self.columns:
                    cell = column.cell(scenario)
                    if cell.status in BAD:
                        yield column, scenario, cell

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """By rule id, and by directive for those that make a page: changes when that changes which they show."""
        scenarios = list(self.suite.scenarios.values())
        headers = [f"{c.label} {c.origin} {c.header}" for c in self.columns]
        cells = [f"{s.id} {c.cell(s).status}" for c in self.columns for s in scenarios]
        profiles_read = (self.root / "spec" / "profiles.toml").read_text(encoding="utf-8")
        capabilities = (self.root / "spec" / "capabilities.toml").read_text(encoding="utf-8")
        parts: dict[str, list[str]] = {
            "results-matrix": [*self.suite.chapters.values(), *headers, *cells],
            "recorded-runs": [self.suite.digest, *headers],
            "capability-table": [capabilities, *headers],
            "kernel-matrix": [*self.suite.chapters.values(), *headers, *cells],
            "kernel-reasons": [*headers, *cells, *(f"{c.cell(s).reason}" for c in self.kernels for s in scenarios)],
            "kernel-bugs": [*headers, *cells],
            "kernel-ends": [*headers, *(text for c in self.kernels for text in (*c.notes, *c.wrong))],
            "profile-differences": [profiles_read, *headers],
            "profile-comparison": [profiles_read, *headers, *cells, *(f"{s.id} {s.rule.text}" for s in scenarios)],
            "phrase-catalogue": [self.code, *(f"{s.id} {self.digests[s.id]}" for s in scenarios)],
            "protocol-reference": [self.code],
        }
        by_rule = {rule.id: self._fingerprint(rule) for rule in self.suite.rules.values()}
        said = [f"{rule.id} {rule.text} {rule.note} {rule.body}" for rule in self.suite.rules.values()]
        shown = [text for name, text in by_rule.items() if ".table-" in name]
        guide = dict.fromkeys(("decision-table", "decision-row"), shown)
        guide |= dict.fromkeys(("driver-functions", "driver-flags", "cited-by"), said)
        made = {name: hashlib.sha256("\n".join(texts).encode()).hexdigest() for name, texts in (parts | guide).items()}
        return made | by_rule

    def _fingerprint(self, rule: Rule) -> str:
        """Changes when anything changes that a page shows of the rule."""
        parts = [rule.text, rule.note, *map(str, rule.sources.items()), self.code, *self.unrun]
        for s in rule.scenarios:
            parts += [s.id, s.name, s.note, self.digests[s.id], *(c.label + str(c.cell(s)) for c in self.columns)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def load(root: Path, reports: Path, recorded: Path, cache: Path) -> Site:
    """Read everything.  `reports` holds fresh reports, `recorded` those kept in the repository, `cache` our own."""
    behaviours, known = profiles.load(root)
    known = dict(sorted(known.items(), key=lambda item: item[1].kernel))
    site = Site(root, suite.load(root), behaviours, known)
    site.digests = {s.id: s.digest for s in site.suite.scenarios.values()}
    site.code, newest = _code(root)
    site.columns += _models(site, reports, cache, newest)
    site.columns += _kernels(site, [*sorted(recorded.glob("*.jsonl*")), *sorted(reports.glob("*.jsonl"))], recorded)
    return site


def _code(root: Path) -> tuple[str, float]:
    """Digest and newest time of the files that decide what the model answers."""
    files = sorted(path for pattern in CODE for path in root.glob(pattern))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    return digest, max((path.stat().st_mtime for path in files), default=0.0)


# --- the model --------------------------------------------------------------------------------------------


def _models(site: Site, reports: Path, cache: Path, newest: float) -> list[Column]:
    """The model's results by profile: from a report if it is newer than the model, the rest by running it."""
    found = {profile: _kept(site, profile, reports, cache, newest) for profile in site.profiles}
    missing = {profile: _missing(site, results) for profile, results in found.items()}
    for profile, new in _run({profile: some for profile, some in missing.items() if some}, site).items():
        mine = {i: r for i, r in found[profile].items() if i in site.suite.scenarios}
        found[profile] = mine | new
        _keep(site, profile, found[profile], cache)
    return [
        Column(f"model {profile}", profile.removeprefix("linux-"), profile, True, site.digests, results)
        for profile, results in found.items()
    ]


def _kept(site: Site, profile: str, reports: Path, cache: Path, newest: float) -> dict[str, Result]:
    kept, made = _cached(site, profile, cache), reports / f"{profile}.jsonl"
    found: dict[str, Result] = {}
    for path in (kept, made):
        if path.exists() and (path is kept or path.stat().st_mtime >= newest):
            found.update(_results(site, path))
    return found


def _cached(site: Site, profile: str, cache: Path) -> Path:
    return cache / f"{profile}-{site.code}.jsonl"


def _missing(site: Site, found: dict[str, Result]) -> list[str]:
    """Scenarios without a result, or with one of another text."""
    return [i for i, digest in site.digests.items() if i not in found or found[i].digest != digest]


def _results(site: Site, path: Path) -> dict[str, Result]:
    try:
        return report.read(path).results
    except ReportError as e:
        site.troubles.append(str(e))
        return {}


def _run(missing: dict[str, list[str]], site: Site) -> dict[str, dict[str, Result]]:
    """Run scenarios on the model, the profiles side by side: from nothing it is most of the time of a build."""
    if sum(map(len, missing.values())) < FEW:
        return {profile: _run_one(site, profile, ids) for profile, ids in missing.items()}
    with ProcessPoolExecutor(mp_context=get_context("fork"), initializer=_inherit, initargs=(site,)) as pool:
        return dict(zip(missing, pool.map(_run_inherited, missing, missing.values()), strict=True))


def _run_one(site: Site, profile: str, ids: list[str]) -> dict[str, Result]:
    scenarios = [site.suite.scenarios[i] for i in ids]
    return {v.scenario.id: report.result(v) for v in engine.run(scenarios, Model(profile), site.profiles[profile])}


_inherited: list[Site] = []
"""In a child of `_run`: what its parent has read."""


def _inherit(site: Site) -> None:
    _inherited.append(site)


def _run_inherited(profile: str, ids: list[str]) -> dict[str, Result]:
    return _run_one(_inherited[-1], profile, ids)


def _keep(site: Site, profile: str, results: dict[str, Result], cache: Path) -> None:
    """Write the results for the next build, and remove those of another model."""
    kept = _cached(site, profile, cache)
    scenarios = [site.suite.scenarios[i] for i in results]
    header = report.header(site.suite, Model(profile).greeting, profile, [], scenarios)
    for old in cache.glob(f"{profile}-*.jsonl") if cache.exists() else ():
        # Not another profile whose name starts with this one's: what is left after it is a digest.
        if len(old.stem) == len(kept.stem):
            old.unlink()
    report.write(kept, Report(header, results, report.footer(results.values(), 0.0)))


# --- kernels ----------------------------------------------------------------------------------------------


def _kernels(site: Site, paths: list[Path], recorded: Path) -> list[Column]:
    """One column per kernel release and profile; of two reports of the same the newer wins."""
    newest: dict[tuple[str, str], tuple[Report, Path]] = {}
    for path in paths:
        if path.stem in site.profiles:
            continue  # the model's
        try:
            found = report.read(path)
        except ReportError as e:
            site.troubles.append(str(e))
            continue
        if found.header.implementation.name.partition(":")[0] not in ("linux", "kernel"):
            continue
        build = found.header.implementation.version, found.header.profile
        if build not in newest or found.header.started >= newest[build][0].header.started:
            newest[build] = (found, path)
    columns = []
    for found, path in sorted(
        newest.values(), key=lambda item: (_version(_name(item[0])), item[0].header.profile, _name(item[0]))
    ):
        name, place = _name(found), path.resolve()
        inside = place.is_relative_to(site.root.resolve())
        origin = place.relative_to(site.root.resolve()).as_posix() if inside else path.name
        columns.append(
            Column(
                f"kernel {name}", name, found.header.profile, False, site.digests, found.results, found.header, origin,
                found.complete, path.parent == recorded, found.footer.notes, found.footer.wrong,
            )
        )  # fmt: skip
    return columns


def _name(found: Report) -> str:
    """The kernel as people call it: 6.1.192, where Debian's release says 6.1.0-56-cloud-amd64."""
    implementation = found.header.implementation
    debian = re.search(r"Debian (\d+(?:\.\d+)+)-\S+ \(\d{4}-", implementation.environment.get("kernel", ""))
    name = debian[1] if debian else re.split(r"[-+]", implementation.version)[0]
    for ending, words in CONFIGURATIONS:
        if found.header.profile.endswith(ending):
            return f"{name} {words}"
    return name + DEBUG if implementation.parameters.get("debug_vm") else name


def _version(release: str) -> tuple[int, ...]:
    """6.18.44-amd64 → (6, 18, 44), 6.19.0+ → (6, 19, 0)"""
    return tuple(int(n) for n in re.findall(r"\d+", release.partition("-")[0]))


# --- the one in use ---------------------------------------------------------------------------------------

_current: list[Site] = []


def make_current(site: Site) -> None:
    """Keep it beside the environment, which is pickled: this is read afresh in each build."""
    _current[:] = [site]


def current() -> Site:
    """What the build in progress has loaded.  Readers in forked processes inherit it."""
    return _current[0]
