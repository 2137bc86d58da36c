# SPDX-License-Identifier: MIT
"""Serve the model: one JSON object per line on stdin, one answer per line on stdout."""

from __future__ import annotations

import argparse
import json
import sys

from . import profile
from .serve import DEFAULT_PROFILE, Model


def main() -> None:
    parser = argparse.ArgumentParser(prog="reference_impl", description=__doc__)
    parser.add_argument("--profile", default=DEFAULT_PROFILE, choices=profile.names())
    model = Model(parser.parse_args().profile)
    for line in sys.stdin:
        try:
            request = json.loads(line)
        except ValueError as error:
            answer = {"seq": 0, "status": "broken", "why": f"This is not JSON: {error}"}
        else:
            answer = model.handle(request)
        sys.stdout.write(json.dumps(answer, separators=(",", ":")) + "\n")
        sys.stdout.flush()
        if isinstance(request, dict) and request.get("do") == "goodbye":
            break


if __name__ == "__main__":
    main()
