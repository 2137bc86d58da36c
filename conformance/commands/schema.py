# SPDX-License-Identifier: MIT
"""`mapspec schema`: the JSON Schema of all messages."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from conformance import report
from conformance.commands import OK, make_parser
from conformance.schema import schema


def parser() -> argparse.ArgumentParser:
    made = make_parser(
        "schema",
        "[--out FILE]",
        "The JSON Schema of every message between the runner and an implementation.",
        "mapspec schema --out protocol.json",
    )
    made.add_argument("--out", metavar="FILE", type=Path, help="write it there instead of to stdout")
    return made


def main(args: argparse.Namespace, root: Path) -> int:
    text = json.dumps(schema(), indent=2) + "\n"
    if args.out:
        with report.naming(args.out):
            args.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return OK
