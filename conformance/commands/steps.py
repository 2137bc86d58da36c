# SPDX-License-Identifier: MIT
"""`mapspec steps`: the catalogue of phrases."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from conformance import vocabulary
from conformance.commands import BAD, OK, make_parser
from conformance.vocabulary.types import DOCS, parameters


def parser() -> argparse.ArgumentParser:
    made = make_parser(
        "steps",
        "[WORD…]",
        "The phrases of feature files that hold every WORD, and their parameters.",
        "mapspec steps fork",
    )
    made.add_argument("words", nargs="*", metavar="WORD", help="a part of the phrase or of what is said about it")
    return made


def main(args: argparse.Namespace, root: Path) -> int:
    words = [word.lower() for word in args.words]
    found = [p for p in vocabulary.phrases() if all(w in f"{p.text} {p.doc} {p.module}".lower() for w in words)]
    if not found:
        print(f"No phrase has {' and '.join(map(repr, args.words))}. `mapspec steps` lists all {_total()}.")
        return BAD
    for module in vocabulary.MODULES:
        for kind, keywords in (("operation", "Given, When"), ("outcome", "Then")):
            here = [p for p in found if p.module == module and p.kind == kind]
            if here:
                print(f"{module}: {keywords}\n")
                _print_phrases(here)
    used = dict.fromkeys(name for p in found for name in parameters(p.text))
    print("Parameters\n")
    for name in used:
        if doc := DOCS.get(name):
            print(f"  {{{name}}}  {doc.says}")
            print(textwrap.fill(", ".join(doc.examples), 96, initial_indent="      ", subsequent_indent="      "))
    return OK


def _print_phrases(phrases: list[vocabulary.Phrase]) -> None:
    """Phrases with one function stand together, above what is said about them."""
    for index, phrase in enumerate(phrases):
        print(f"  {phrase.text}")
        if index + 1 == len(phrases) or phrases[index + 1].function is not phrase.function:
            says = " ".join(phrase.doc.split())
            print(textwrap.fill(says, 96, initial_indent="      ", subsequent_indent="      ") + "\n")


def _total() -> int:
    return len(vocabulary.phrases())
