# SPDX-License-Identifier: MIT
"""A small suite in a directory of its own, and the commands run on it in this process."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from conformance import cli
from conformance.suite import ROOT

GOOD = """\
Feature: Writing

  @cow.isolation
  Rule: After fork, a write by one process MUST NOT be seen by the other

    @cow.isolation.child-writes
    Scenario Outline: The parent keeps its content when the child writes
      Given A has <page>
      And A forks B
      When B writes "new" to page 0
      Then A reads "old" in page 0

      Examples:
        | page                |
        | a base page         |
        | an order-4 folio    |

    @cow.isolation.old @until:6.1
    Scenario: An old kernel does so too
      Given A has a base page
      When A writes "new" to page 0
      Then A reads "new" in page 0
"""
WRONG = """
    @cow.isolation.wrong
    Scenario: A page holds what nobody wrote
      Given A has a base page
      When A writes "new" to page 0
      Then A reads "odd" in page 0
"""
RULES = re.compile(r"^ *@(\w+\.[a-z-]+)$", re.MULTILINE)


class Mini:
    """The suite, and what a command said."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]):
        self.root, self._capsys = root, capsys
        self.out = self.err = ""

    def run(self, *arguments: object) -> int:
        """`mapspec ARGUMENTS`; `out` and `err` are what it printed."""
        code = cli.main([str(a) for a in arguments], self.root)
        self.out, self.err = self._capsys.readouterr()
        return code

    def feature(self, text: str, name: str = "cow/writing.feature") -> Path:
        """Write a feature file, and a place in spec/ for each of its rules."""
        path = self.root / "features" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        blocks = "".join(f":::{{rule}} {rule}\n:all: mm/memory.c: do_wp_page\n:::\n" for rule in RULES.findall(text))
        (self.root / "spec" / "cow.md").write_text(f"# Copy-on-write\n\n{blocks}", encoding="utf-8")
        return path


def build(root: Path) -> None:
    """The registries of the real suite, and one feature file."""
    (root / "spec").mkdir(parents=True)
    for path in (ROOT / "spec").glob("*.toml"):
        shutil.copy(path, root / "spec")
