# SPDX-License-Identifier: MIT
"""The subcommands.  Each module has `parser()` and `main(arguments, root)`, which returns an exit code."""

from __future__ import annotations

import argparse

OK, FAILED, BAD, NO_START, INTERRUPTED = range(5)


def make_parser(name: str, usage: str, says: str, example: str) -> argparse.ArgumentParser:
    """A parser whose help fits a screen."""
    return argparse.ArgumentParser(
        prog=f"mapspec {name}",
        usage=f"mapspec {name} {usage}",
        description=says,
        epilog=f"Example: {example}",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=24, width=80),
        allow_abbrev=False,
    )
