# SPDX-License-Identifier: MIT
"""Every scenario of the suite as a test.  See conftest.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_bdd import given, scenarios, then, when
from pytest_bdd.feature import get_features
from pytest_bdd.parsers import StepParser

from conformance.pytest_front import dropped, feature_files
from conformance.suite import SuiteError

ROOT = Path(__file__).resolve().parent.parent


class AnyPhrase(StepParser):
    """Takes every step: the vocabulary says which phrase it is, and refuses what is none or more than one."""

    def is_matching(self, name: str) -> bool:
        return True

    def parse_arguments(self, name: str) -> dict[str, str]:
        return {"text": name}


@given(AnyPhrase("a phrase"))
def _given(walk, text):
    walk.step(text)


@when(AnyPhrase("a phrase"))
def _when(walk, text):
    walk.step(text)


@then(AnyPhrase("a phrase"))
def _then(walk, text):
    walk.step(text)


try:
    FILES = [str(file) for file in feature_files(ROOT)]
except SuiteError as e:
    pytest.fail(f"the suite has problems:\n{e}", pytrace=False)
for feature in get_features(FILES):
    bound = sum(sum(len(rows.examples) for rows in s.examples) or 1 for s in feature.scenarios.values())
    if wrong := dropped(ROOT, Path(feature.filename), bound):
        pytest.fail(wrong, pytrace=False)
if FILES:
    scenarios(*FILES)
