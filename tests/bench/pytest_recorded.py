# SPDX-License-Identifier: MIT
"""A pytest plugin: `pytest features/` with recorded answers, and a note of the CPU time that pytest took.

It is used by `-p tests.bench.pytest_recorded`; MAPSPEC_BENCH names the recording and the file for the note.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.implementations import start
from tests.bench.recorded import Recorded

RECORDING, NOTE = map(Path, os.environ["MAPSPEC_BENCH"].split(os.pathsep))
began = time.process_time()
taken: dict[str, float] = {}

start.start = lambda *_, **__: Recorded(RECORDING)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    taken["start"] = time.process_time() - began
    before = time.process_time()
    found = yield
    taken["read"] = time.process_time() - before
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    before = time.process_time()
    done = yield
    taken["run"] = time.process_time() - before
    taken["scenarios"] = len(session.items)
    NOTE.write_text(json.dumps(taken))
    return done
