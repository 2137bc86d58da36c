# SPDX-License-Identifier: MIT
"""How wrong the numbers of a large folio may be: search for the worst states, simulate typical ones, record both."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from . import closed, operations, patterns, record
from .extremes import described, extremes
from .histories import explore
from .proof import prove
from .ways import WAYS, WITHOUT


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m reference_impl.imprecision", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    search = commands.add_parser("search", help="the worst states of one order and number of processes")
    _common(search)
    search.add_argument("--prove", action="store_true", help="PSS without the argument of convexity; small orders")
    search.set_defaults(run=_search)

    history = commands.add_parser("histories", help="all states that operations reach; small folios, few processes")
    _common(history)
    history.add_argument("--file", action="store_true", help="a file folio: map and unmap instead of fork")
    history.add_argument("--vmas", type=int, default=1, help="VMAs of the first process, with --file")
    history.set_defaults(run=_histories)

    costs = commands.add_parser("operations", help="what an operation writes, by way of counting")
    costs.add_argument("--order", type=int, default=9)
    costs.set_defaults(run=_operations)

    typical = commands.add_parser("pattern", help="one typical use, by way of counting")
    typical.add_argument("name", choices=patterns.PATTERNS)
    typical.add_argument("--order", type=int, default=9)
    typical.add_argument("--processes", type=int, default=10)
    typical.set_defaults(run=_pattern)

    write = commands.add_parser("record", help="write the files of docs/imprecision again; minutes")
    write.add_argument("names", nargs="*", default=list(record.FILES), metavar="FILE", help=" ".join(record.FILES))
    write.add_argument("--folder", type=Path, default=Path("docs/imprecision"))
    write.set_defaults(run=lambda a: print(*record.write(a.folder, a.names), sep="\n"))

    arguments = parser.parse_args()
    started = time.monotonic()
    arguments.run(arguments)
    print(f"{time.monotonic() - started:.1f} s")


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--order", type=int, default=2, help="the folio has 2**ORDER pages")
    parser.add_argument("--processes", type=int, default=3, help="at most so many at a time")
    parser.add_argument("--way", choices=WAYS, default=WITHOUT, help="way of counting")


def _search(a: argparse.Namespace) -> None:
    found = extremes(WAYS[a.way], a.order, a.processes)
    if not found:
        print("Searched for ways that divide all pages of a folio by one number only; see histories.")
    for error, (extreme, world) in found.items():
        form = closed.closed(error, 1 << a.order, a.processes) if "table" not in a.way and "many" not in a.way else None
        print(f"{error:18} {extreme.value} = {float(extreme.value):.3f}   closed form: {form}   tried {extreme.tried}")
        for group in described(extreme.groups):
            pages = ", ".join(f"{first} to {last}" for first, last in group["pages"])  # type: ignore[attr-defined]
            print(f"    {group['processes']} x pages {pages}")
        if gone := len(world.mms) - sum(count for count, _ in extreme.groups):
            print(f"    after {gone} others have exited")
    if a.prove:
        proof = prove(WAYS[a.way], a.order, a.processes)
        print(f"every count of every page: pss.over {proof.over}, pss.under {proof.under}; {proof.sums} sums")


def _histories(a: argparse.Namespace) -> None:
    result = explore(WAYS[a.way], a.order, a.processes, file=a.file, vmas=a.vmas)
    print(f"{result.states} states, {result.steps} operations, {'all' if result.complete else 'not all'} of them")
    for error, worst in sorted(result.worst.items()):
        print(f"{error:18} {worst.value}")
        print("    " + "; ".join(record.told(worst.steps)))
    for question, sides in result.wrong.items():
        print(f"{question:18} {' and '.join(sorted(sides)) or 'always right'}")


def _operations(a: argparse.Namespace) -> None:
    for name, way in WAYS.items():
        print(name)
        for operation, cost in operations.operations(way, a.order).items():
            print(f"    {operation:40} {cost}")


def _pattern(a: argparse.Namespace) -> None:
    for row in patterns.run(a.name, a.order, a.processes):
        print(row)


if __name__ == "__main__":
    main()
