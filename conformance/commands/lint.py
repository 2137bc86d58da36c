# SPDX-License-Identifier: MIT
"""`mapspec lint`: what is wrong with feature files, spec and phrases."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.commands import BAD, OK, make_parser, say
from conformance.lint import lint


def parser() -> argparse.ArgumentParser:
    made = make_parser(
        "lint",
        "[FILE…]",
        "What is wrong with feature files, or with all of the suite, and how to mend\nit. Exit code 2 if anything is.",
        "mapspec lint features/proposals/my.feature",
    )
    made.add_argument("files", nargs="*", metavar="FILE", type=Path, help="a feature file, anywhere")
    return made


def main(args: argparse.Namespace, root: Path) -> int:
    problems, loaded = lint(root, args.files)
    if problems:
        say("\n".join(map(str, problems)))
    names = {s.file for s in loaded.scenarios.values()}
    what = f"{len(args.files) or len(names)} files" if not args.files or len(args.files) > 1 else str(args.files[0])
    if problems:
        say(f"{len(problems)} problem{'s'[: len(problems) > 1]} in {what}")
        return BAD
    say(f"Nothing is wrong with {what}.")
    return OK
