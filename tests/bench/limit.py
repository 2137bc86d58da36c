# SPDX-License-Identifier: MIT
"""The reference count past its limit: 2^22 VMAs on the model, beside what a kernel would need."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.bench.measure import Row, Series, Table, Unmeasured, run

MODULE = "reference_impl.limit"


def limit() -> Table:
    """Once: it takes longer than everything else."""
    table = Table("The limit of the reference count", rounds=1)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "limit.json"
        try:
            ran = run("-m", MODULE, "--json", str(path))
            says = json.loads(path.read_text(encoding="utf-8"))
        except Unmeasured as e:
            table.unmeasured.append(f"limit: {e}")
            return table
    note = f"{says['vmas']} VMAs in {says['processes']} processes; figure to reach: 60"
    table.row("limit  whole program", "s", Series([ran.seconds]), note=note)
    table.row("limit  processor", "s", Series([says["processor"]]), note="of the climb, whoever else wants it")
    table.row("limit  memory", "MiB", Series([ran.memory / 2**20]), note="figure to reach: 2048")
    by_ptes = says["routes"][0]
    kernel = by_ptes["tables"] + by_ptes["structures"]
    note = (
        f"computed: {by_ptes['tables'] / 2**20:.0f} MiB of page tables and {by_ptes['structures'] / 2**20:.0f} of VMAs"
    )
    table.rows.append(Row("kernel : model, memory", "", None, f"{kernel / ran.memory:.1f} : 1", note))
    return table
