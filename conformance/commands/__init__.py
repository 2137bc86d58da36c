# SPDX-License-Identifier: MIT
"""The subcommands.  Each module has `parser()` and `main(arguments, root)`, which returns an exit code."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from typing import Any, NoReturn

OK, FAILED, BAD, NO_START, INTERRUPTED = range(5)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong and the way out, as all commands do.  Names may stand before and after options."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        return self.parse_intermixed_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        words = message.split()
        options = [option for action in self._actions for option in action.option_strings]
        near = [m for word in words if word.startswith("--") for m in difflib.get_close_matches(word, options, n=1)]
        hint = f"Did you mean {near[0]}? " if message.startswith("unrecognized") and near else ""
        self.exit(BAD, f"{self.prog}: {message}\n    {hint}`{self.prog} --help` shows the options.\n")


def say(text: str) -> None:
    """Print.  If nobody reads it (`mapspec … | head`), go on without: the exit code and the files still count."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def make_parser(name: str, usage: str, says: str, example: str) -> argparse.ArgumentParser:
    """A parser whose help fits a screen."""
    return _Parser(
        prog=f"mapspec {name}",
        usage=f"mapspec {name} {usage}",
        description=says,
        epilog=f"Example: {example}",
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=24, width=80),
        allow_abbrev=False,
    )
