# SPDX-License-Identifier: MIT
"""Loading what selectors name.  Not a subcommand."""

from __future__ import annotations

from pathlib import Path

from conformance import suite
from conformance.suite import Scenario, Suite, SuiteError


def load(selectors: list[str], root: Path) -> tuple[Suite, list[Scenario]]:
    """The suite and the selected scenarios.  Raises SuiteError.

    If all selectors are feature files only these are read: a draft runs wherever it lies, and before its rules have
    a place in `spec/`.
    """
    files = [Path(s).resolve() for s in selectors if s.endswith(".feature")]
    if files and len(files) == len(selectors):
        loaded = suite.load(root, files)
        if loaded.problems:
            raise SuiteError(loaded.problems)
        return loaded, list(loaded.scenarios.values())
    loaded = suite.load_or_raise(root)
    return loaded, loaded.select(selectors, root)
