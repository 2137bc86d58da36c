# SPDX-License-Identifier: MIT
"""`python -m tests.bench`: measure, and print tables."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from tests.bench.engine import engine
from tests.bench.lab import lab
from tests.bench.limit import limit
from tests.bench.measure import Table
from tests.bench.site import site
from tests.bench.speed import speed

DEFAULT = ("engine", "model", "kernel", "limit", "site")
PARTS = (*DEFAULT, "lab")


def main() -> None:
    parser = _parser()
    args = parser.parse_args()
    parts = args.parts or list(DEFAULT)
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there is {', '.join(PARTS)}")
    if args.rounds < 1:
        parser.error("at least one round is needed")
    started = time.perf_counter()
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}"
    about = f"{machine}, Python {platform.python_version()}"
    print(f"{about}\nload at the start: {_load()}\n", flush=True)
    tables: list[Table] = []

    def show(table: Table) -> None:
        tables.append(table)
        print(f"{table}\n", flush=True)

    if "engine" in parts:
        show(engine(args.rounds))
    if implementations := [part for part in ("model", "kernel") if part in parts]:
        show(speed(args.rounds, implementations))
    if "limit" in parts:
        show(limit())
    if "site" in parts:
        show(site(args.rounds))
    if "lab" in parts:
        show(lab(args.rounds))
    print(f"load at the end: {_load()}; measured in {time.perf_counter() - started:.0f} s")
    if args.json:
        data = {"machine": about, "tables": [table.data() for table in tables]}
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _load() -> str:
    """How many processes wanted a CPU: with more than there are CPUs, times say more about the others."""
    return ", ".join(f"{load:.1f}" for load in os.getloadavg()) + " (1, 5, 15 minutes)"


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m tests.bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure mapspec: medians, spread and ratios, of runs that alternate.  Nothing passes or fails.",
        epilog="parts:\n"
        "  engine  read, match and run the suite in mapspec, behave and pytest-bdd\n"
        "  model   scenarios a second on the reference model\n"
        "  kernel  scenarios a second on the running kernel, if it may\n"
        "  limit   2^22 VMAs of 512 PTEs on the model: the reference count past 2^31\n"
        "  site    build the site from nothing, and after one touched feature, in a copy of the tree\n"
        "  lab     kernels in virtual machines, as far as they are prepared: a quarter of an hour, so only if named\n\n"
        "example: python -m tests.bench engine model --json build/bench.json",
    )
    made.add_argument(
        "parts", nargs="*", metavar="PART", help="engine, model, kernel, limit, site (default: these), lab"
    )
    made.add_argument("--rounds", type=int, default=5, metavar="N", help="at most N rounds (default 5)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write every value")
    return made


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
