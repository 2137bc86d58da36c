# SPDX-License-Identifier: MIT
"""`mapspec explore`: random histories on the model and on an implementation."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random

from conformance.commands import FAILED, OK, make_parser, say
from conformance.engine import describe
from conformance.explore.comparison import Parting, Unusable, asked, play
from conformance.explore.histories import History
from conformance.explore.shorten import shorten
from conformance.implementations import CannotStart, Implementation, Model, Trouble
from conformance.implementations.start import start
from conformance.plain import safe
from conformance.protocol import Operation

LENGTH = 14
"""Operations in a history: enough for two processes, a page that they share, and somebody who holds it."""


def parser() -> argparse.ArgumentParser:
    made = make_parser(
        "explore",
        "--implementation I [OPTION…]",
        "The same random operations on the model and on an implementation. After each,\n"
        "everything that both can tell is compared. Where they part, one of them is\n"
        "wrong, or nothing promises it. Exit code 1 if they do.",
        "mapspec explore --implementation kernel:7.3 --minutes 5",
    )
    made.add_argument("--implementation", metavar="I", required=True, help='linux, kernel:NAME or "COMMAND …"')
    made.add_argument("--profile", metavar="P", help="the model behaves like this one; else like what I greets with")
    made.add_argument("--minutes", metavar="M", type=float, default=1.0, help="how long (default 1)")
    made.add_argument("--seed", metavar="N", type=int, default=1, help="of the first history (default 1)")
    made.add_argument("--most", metavar="K", type=int, default=10, help="stop when K of them part (default 10)")
    made.add_argument("--histories", metavar="K", type=int, help="no more than K of them")
    return made


def main(args: argparse.Namespace, root: Path) -> int:
    with closing(start(args.implementation, args.profile)) as other:
        profile = args.profile or other.greeting.profile
        if not profile:
            raise CannotStart(f"{args.implementation} greets without a profile: say --profile")
        return _explore(args, Model(profile), other)


def _explore(args: argparse.Namespace, model: Implementation, other: Implementation) -> int:
    queries = asked(model, other)
    can = set(model.greeting.capabilities) & set(other.greeting.capabilities)
    orders = other.greeting.parameters.get("orders")
    end, seed, played, partings = time.monotonic() + 60 * args.minutes, args.seed, 0, 0
    unusable: Counter[str] = Counter()

    def shorter(history: Sequence[Operation]) -> Parting | None:
        try:
            return play(model, other, history, queries)
        except Unusable:
            return None

    while time.monotonic() < end and partings < args.most and (args.histories is None or played < args.histories):
        history = History(Random(seed), can, orders if isinstance(orders, list) else []).operations(LENGTH)
        try:
            if found := play(model, other, history, queries):
                partings += 1
                _tell(args.implementation, seed, *shorten(history, found, shorter))
        except Unusable as e:
            unusable[str(e)] += 1
        except Trouble as e:
            partings += 1
            say(f"history {seed}: {args.implementation}: {e}")
        seed, played = seed + 1, played + 1
    say(f"{played} histories of {LENGTH} operations, {len(queries) + 2} questions each time: {partings} part")
    for why, number in unusable.most_common():
        say(f"  {number} not to the end: {safe(why)}")
    return FAILED if partings else OK


def _tell(name: str, seed: int, history: Sequence[Operation], found: Parting) -> None:
    say(f"history {seed} parts in {found.what}")
    for operation in history:
        say(f"    {describe(operation)}")
    say(f"  model  {safe(found.left)}\n  {name}  {safe(found.right)}")
    say(f"  again  mapspec explore --implementation {name!r} --seed {seed} --histories 1\n")
