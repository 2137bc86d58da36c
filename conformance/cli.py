# SPDX-License-Identifier: MIT
"""The command `mapspec`.  Each subcommand is a module of `conformance.commands`, imported when it is asked for."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from conformance.commands import BAD, INTERRUPTED, NO_START, OK

COMMANDS = {
    "run": "run scenarios on the model, on the running kernel or on your program",
    "lint": "say what is wrong with feature files, spec and phrases",
    "steps": "the phrases that steps can use",
    "list": "chapters, rules and scenarios",
    "show": "a rule, or a scenario step by step",
    "compare": "what differs between two reports",
    "explore": "random operations, compared with those of the model",
    "schema": "the JSON Schema of all messages",
    "kernels": "real kernels in virtual machines: prepare and run them",
}
SHOWN = 20
"""Problems that are shown before a command gives up."""
USAGE = f"""usage: mapspec COMMAND [OPTION…]

Rules of how Linux tracks page mappings, and scenarios that show them.

{chr(10).join(f"  {name:<9} {says}" for name, says in COMMANDS.items())}

mapspec COMMAND --help says more.  Example: mapspec run cow fork

Exit codes
  0  all is well
  1  a scenario failed (fail, error, timeout, xpass), or two differ
  2  wrong usage, or something is wrong with the suite or with a file
  3  the implementation could not be started, or nothing works
  4  interrupted
"""


def main(argv: list[str] | None = None, root: Path | None = None) -> int:
    """Run a subcommand and return its exit code.  `root`: where spec/ and features/ are."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE, end="", file=sys.stdout if arguments else sys.stderr)
        return OK if arguments else BAD
    name = arguments[0]
    if name == "--version":
        from conformance.report import version

        print(f"mapspec {version()}")
        return OK
    if name not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(COMMANDS)}."
        print(f"mapspec: there is no command {name!r}. {hint}", file=sys.stderr)
        return BAD
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file name need not be UTF-8, and a terminal neither
            stream.reconfigure(errors="backslashreplace")
    return _guarded(name, arguments[1:], root)


def _guarded(name: str, arguments: list[str], root: Path | None) -> int:
    """Run a subcommand; what a user can cause ends in one message, not in a traceback."""
    command = importlib.import_module(f"conformance.commands.{name}")
    from conformance.implementations import CannotStart
    from conformance.report import ReportError
    from conformance.suite import ROOT, SuiteError

    try:
        args = command.parser().parse_args(arguments)
        code: int = command.main(args, root or ROOT)
        sys.stdout.flush()
        return code
    except SystemExit as e:  # argparse has said why
        return e.code if isinstance(e.code, int) else BAD
    except SuiteError as e:
        for problem in e.problems[:SHOWN]:
            print(f"mapspec: {problem}", file=sys.stderr)
        if more := len(e.problems[SHOWN:]):
            print(f"mapspec: and {more} more problems; `mapspec lint` shows those of the suite", file=sys.stderr)
        return BAD
    except ReportError as e:
        print(f"mapspec: {e}", file=sys.stderr)
        return BAD
    except CannotStart as e:
        print(f"mapspec: {e}", file=sys.stderr)
        return NO_START
    except KeyboardInterrupt:
        print("mapspec: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `mapspec … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return OK
    except OSError as e:
        print(f"mapspec: {e.filename or 'the output'}: {e.strerror or e}", file=sys.stderr)
        return BAD
