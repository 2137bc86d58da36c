# SPDX-License-Identifier: MIT
"""The example handlers of the driver guide: they compile without a warning, are shown, and are recorded truly."""

from __future__ import annotations

import re
import tomllib

import handlers
import pytest

KERNELS, WHY_NOT = handlers.kernels()


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: str(k.version))
def test_every_handler_compiles(kernel: handlers.Kernel) -> None:
    said = handlers.build(kernel)
    assert {name: text for name, text in said.items() if text} == {}


def test_every_handler_is_on_a_page() -> None:
    pages = "".join(p.read_text(encoding="utf-8") for p in (handlers.ROOT / "docs" / "drivers").rglob("*.md"))
    shown = set(re.findall(r"^```\{handler\} (\S+)$", pages, re.MULTILINE))
    assert shown == {p.name for p in handlers.sources()}


def test_the_record_is_of_these_files() -> None:
    recorded = tomllib.loads(handlers.RECORD.read_text(encoding="utf-8"))
    assert {name: entry["digest"] for name, entry in recorded.items()} == {
        p.stem: handlers.digest(p) for p in handlers.sources()
    }, "run `make handlers`, with kernel headers"


def test_a_record_keeps_other_kernels_only_for_files_that_have_not_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: handlers.Path
) -> None:
    for name in ("same.c", "changed.c"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(handlers, "HANDLERS", tmp_path)
    monkeypatch.setattr(handlers, "RECORD", tmp_path / "compiled.toml")
    old, new = handlers.Kernel(tmp_path, "6.1.192"), handlers.Kernel(tmp_path, "7.3.4")
    content = {"same.c": "", "changed.c": ""}
    handlers.RECORD.write_text(handlers.record({old: content}))
    (tmp_path / "changed.c").write_text("other")
    made = tomllib.loads(handlers.record({new: content}))
    assert made["same"]["kernels"] == ["6.1.192", "7.3.4"] and made["changed"]["kernels"] == ["7.3.4"]
    made = tomllib.loads(handlers.record({new: {**content, "same.c": "error"}}))
    assert made["same"]["kernels"] == ["6.1.192"]
