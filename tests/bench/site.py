# SPDX-License-Identifier: MIT
"""What the site takes to build, from nothing and after one touched feature file."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.measure import ROOT, Ran, Series, Table, Unmeasured, run, times

SECONDS = 80
"""No further round is begun that would not fit into this."""
UNCOPIED = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache", ".hypothesis")


def site(rounds: int) -> Table:
    """Build the site in a copy of this tree, which is the only place where a file is touched."""
    table = Table("Site: built in a copy of the tree")
    with tempfile.TemporaryDirectory(prefix="mapspec-bench-") as scratch:
        tree = Path(scratch) / "tree"
        shutil.copytree(ROOT, tree, symlinks=True, ignore=UNCOPIED)
        feature = _feature(tree)
        stages: dict[str, Callable[[], None]] = {
            "from nothing": lambda: shutil.rmtree(tree / "build", ignore_errors=True),
            "all pages again": lambda: _forget_pages(tree),
            "one feature touched": lambda: _touch(feature),
            "nothing touched": lambda: None,
        }
        try:
            ran = _rounds(stages, tree, table, rounds)
        except Unmeasured as e:
            table.unmeasured.append(f"the build, which stopped: {e}")
            return table
    seconds = {name: Series([r.seconds for r in runs]) for name, runs in ran.items()}
    reach = {"from nothing": "figure to reach: under 30", "one feature touched": "figure to reach: 3"}
    for name, series in seconds.items():
        table.row(name, "s", series, times(series, seconds["one feature touched"]), reach.get(name, ""))
    table.memory["sphinx-build"] = max(r.memory for runs in ran.values() for r in runs)
    table.notes += [
        "Ratio: to the build after one touched feature.  Whole processes, the start of sphinx-build included.",
        "from nothing: the model runs every scenario in every profile, then all pages are written.",
        "all pages again: as before, but the model's results are there already.",
        f"touched: a scenario of {feature.relative_to(tree)} says its first Then twice; it is run again in every "
        "profile, and the pages that show it are written again.",
    ]
    return table


def _rounds(stages: dict[str, Callable[[], None]], tree: Path, table: Table, rounds: int) -> dict[str, list[Ran]]:
    """Each stage starts from what the one before has left."""
    ran: dict[str, list[Ran]] = {name: [] for name in stages}
    started = time.perf_counter()
    for done in range(rounds):
        spent = time.perf_counter() - started
        if done and spent + spent / done > SECONDS:
            break
        for name, prepare in stages.items():
            prepare()
            ran[name].append(run("-m", "sphinx", "-q", "-b", "html", "docs", "build/site", cwd=tree))
        table.rounds = done + 1
    return ran


def _feature(tree: Path) -> Path:
    """The first feature file whose chapter has a page."""
    for path in sorted((tree / "features").rglob("*.feature")):
        if (tree / "spec" / f"{path.parent.name}.md").exists():
            return path
    raise FileNotFoundError("no feature file belongs to a chapter in spec/")


def _touch(feature: Path) -> None:
    """Say the first Then of the file twice: the scenario is another one, and holds as before."""
    text = feature.read_text(encoding="utf-8")
    feature.write_text(re.sub(r"^( *)Then (.*)\n", r"\g<0>\1And \2\n", text, count=1, flags=re.M), encoding="utf-8")


def _forget_pages(tree: Path) -> None:
    """Remove all that Sphinx has made; keep the results of the model, which the extension keeps there."""
    built, kept = tree / "build" / "site", tree / "build" / "model"
    results = built / ".doctrees" / "model"
    results.rename(kept)
    shutil.rmtree(built)
    results.parent.mkdir(parents=True)
    kept.rename(results)
