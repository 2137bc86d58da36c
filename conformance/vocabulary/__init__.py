# SPDX-License-Identifier: MIT
"""The phrases of the feature files.

A phrase is a cucumber expression bound to a function.  The function turns the phrase into operations or queries
of the protocol and, for an outcome, compares.  `memory` holds the phrases that all chapters share, `log` those about
the kernel log; every chapter has a module of its own name for those that only it needs.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from cucumber_expressions.expression import CucumberExpression

from . import types

MODULES = (
    "memory",
    "mapcount",
    "sharing",
    "cow",
    "fork",
    "large_folios",
    "refcount",
    "pins",
    "statistics",
    "driver_pages",
    "pfnmap",
    "mixedmap",
    "lifetime",
    "log",
)


@dataclass(frozen=True)
class Phrase:
    """One way to say something in a feature file."""

    text: str
    kind: str
    """operation (Given and When) or outcome (Then)."""
    module: str
    function: Callable[..., None]
    since: str
    """What it compares with: "" nothing, "frames" those before the last When, "counters" those before the first."""
    expression: CucumberExpression

    @property
    def doc(self) -> str:
        return (self.function.__doc__ or "").strip()


class VocabularyError(Exception):
    """A step that no phrase, or more than one, fits."""


_phrases: list[Phrase] = []


def operation(*texts: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Bind phrases of Given and When, which change something, to a function of (context, parameters…)."""
    return _bind("operation", texts, since="")


def outcome(*texts: str, since: str = "") -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Bind phrases of Then, which look and compare, to a function of (context, parameters…)."""
    return _bind("outcome", texts, since=since)


def _bind(kind: str, texts: tuple[str, ...], since: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def bind(function: Callable[..., None]) -> Callable[..., None]:
        if not function.__doc__:
            raise VocabularyError(f"the phrase {texts[0]!r} has no docstring")
        if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            raise VocabularyError(f"the phrase {texts[0]!r} has a function that does nothing when it is called")
        module = function.__module__.rpartition(".")[2]
        for text in texts:
            expression = CucumberExpression(text, types.REGISTRY)
            _phrases.append(Phrase(text, kind, module, function, since, expression))
        return function

    return bind


@lru_cache(maxsize=1)
def phrases() -> tuple[Phrase, ...]:
    """All phrases, in the order of the modules."""
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
    return tuple(_phrases)


@cache
def match(text: str) -> tuple[Phrase, tuple[Any, ...]]:
    """The phrase that a step's text is, and its parameters.

    Raises VocabularyError when none fits, with the nearest ones, or when more than one does.
    """
    # Of an expression that does not fit, the plain regular expression finds that out much faster.
    fits = (p for p in phrases() if p.expression.tree_regexp.regexp.match(text))
    hits = [(p, found) for p in fits if (found := p.expression.match(text)) is not None]
    if len(hits) == 1:
        phrase, found = hits[0]
        try:
            return phrase, tuple(argument.value for argument in found)
        except ValueError as e:
            raise VocabularyError(f"in {text!r}: {e}") from None
    if not hits:
        raise VocabularyError(f"no phrase fits {text!r}{_near(text)}")
    raise VocabularyError(f"{text!r} fits {len(hits)} phrases: " + "; ".join(p.text for p, _ in hits))


def _near(text: str) -> str:
    import difflib

    words = set(text.split())
    scored = sorted(
        phrases(),
        key=lambda p: (len(words & set(p.text.split())) + difflib.SequenceMatcher(None, text, p.text).ratio(),),
        reverse=True,
    )
    return "".join(f"\n    near: {p.text}" for p in scored[:3])
