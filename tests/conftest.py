# SPDX-License-Identifier: MIT
"""Fixtures that several test files share."""

from __future__ import annotations

from pathlib import Path

import pytest
from mini import GOOD, Mini, build


@pytest.fixture
def mini(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Mini:
    """A small suite, and the commands run on it."""
    root = tmp_path / "mini"
    build(root)
    made = Mini(root, capsys)
    made.feature(GOOD)
    return made
