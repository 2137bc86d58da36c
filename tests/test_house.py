# SPDX-License-Identifier: MIT
"""The rules of the house that a program can check: who may import whom.

Every import counts: those of modules, those in functions and those for types only.
"""

from __future__ import annotations

import ast
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from conformance import suite

ROOT = Path(__file__).parent.parent
OURS = ("reference_impl", "conformance")
SITE = ("docs", "mapspec_site")

Imports = dict[str, set[str]]
"""Module: all that it imports, with the names of modules where they are ours, else the dotted name."""


def sources(root: Path) -> dict[str, Path]:
    """The modules of our packages under `root`."""
    found = {}
    for package in OURS:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root: Path) -> Imports:
    modules = sources(root)
    return {module: imported(module, path, modules) for module, path in modules.items()}


def imported(module: str, path: Path, modules: dict[str, Path]) -> set[str]:
    """What one module imports.  `from package import module` is an import of that module."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                submodule = f"{origin}.{alias.name}"
                found.add(submodule if submodule in modules else origin)
    return found


def circle(graph: Imports) -> list[str]:
    """A circle of modules that import each other, or nothing."""
    inside = {module: {other for other in others if other in graph} for module, others in graph.items()}
    try:
        TopologicalSorter(inside).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def belongs_to(name: str, packages: tuple[str, ...]) -> bool:
    return name.split(".")[0] in packages


@pytest.fixture(scope="module")
def graph() -> Imports:
    return imports(ROOT)


def test_no_module_imports_itself_in_a_circle(graph: Imports) -> None:
    assert circle(graph) == []


def test_the_model_needs_the_standard_library_only(graph: Imports) -> None:
    wrong = [
        (module, name)
        for module, names in graph.items()
        if belongs_to(module, ("reference_impl",))
        for name in names
        if not belongs_to(name, ("reference_impl", *sys.stdlib_module_names))
    ]
    assert wrong == []


def test_the_suite_knows_the_model_in_one_place_only(graph: Imports) -> None:
    knows = {
        module
        for module, names in graph.items()
        if belongs_to(module, ("conformance",)) and any(belongs_to(name, ("reference_impl",)) for name in names)
    }
    assert knows == {"conformance.implementations"}


def test_nothing_imports_the_site(graph: Imports) -> None:
    assert [module for module, names in graph.items() if any(belongs_to(name, SITE) for name in names)] == []


@pytest.mark.parametrize("where", ["module", "function", "types"])
def test_a_circle_is_found_wherever_the_import_is(tmp_path: Path, where: str) -> None:
    """The check itself: an import in a function or for types only closes a circle too."""
    line = {
        "module": "from . import b",
        "function": "def f():\n    from .b import g",
        "types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from reference_impl.b import g",
    }[where]
    package = tmp_path / "reference_impl"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text(f"{line}\n")
    (package / "b.py").write_text("def g(): ...\n")
    assert circle(imports(tmp_path)) == []
    (package / "b.py").write_text("import reference_impl.a\n")
    assert set(circle(imports(tmp_path))) == {"reference_impl.a", "reference_impl.b"}


def test_rules_that_the_model_names_exist() -> None:
    known = suite.load(ROOT).rules
    named = {
        rule: f"{path.name}:{number}"
        for path in (ROOT / "reference_impl").glob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "# rule: " in line
        for rule in re.findall(r"[a-z_]+\.[a-z0-9-]+", line.partition("# rule: ")[2])
    }
    assert len(named) > 200
    assert {rule: where for rule, where in named.items() if rule not in known} == {}
