# SPDX-License-Identifier: MIT
# mypy: disable-error-code="func-returns-value"
"""The reference model behind a program that does one thing wrong.

Usage: misbehaving.py MODE [STATE].  It answers properly until it is asked to write "spoil"; then, or when the request
comes that the mode is about, it misbehaves.  STATE is a file that outlives it: some modes act on the next start.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
FOREVER = 1000.0


def say(text: str | bytes) -> None:
    """Write to stdout, past every buffer."""
    data = text.encode() if isinstance(text, str) else text
    while data:
        data = data[os.write(1, data) :]


def answer(a: Answer, **changed: Any) -> None:
    say(json.dumps({**a, **changed}) + "\n")


def forever(act: Callable[[], object]) -> None:
    while True:
        act()


def leave_a_child(a: Answer) -> None:
    """Exit, and leave a process behind that holds stdout and stderr open."""
    if os.fork():
        os._exit(5)
    time.sleep(FOREVER)


def talk_to_stderr(a: Answer) -> None:
    for number in range(50_000):
        sys.stderr.write(f"line {number} of much that nobody reads: \x1b[31m\n")
    answer(a)


def keep_on_stderr(a: Answer) -> None:
    os.write(2, b"\x1b]0;owned\x07 and \xff then\nthe last words\n")
    sys.exit(3)


def close(fd: int, a: Answer | None = None) -> None:
    os.close(fd)
    if a:
        answer(a)
    time.sleep(FOREVER)


def crash(a: Answer) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# What happens instead of an answer, by mode: the request it is about, and what is done with the proper answer.
MODES: dict[str, tuple[str, Callable[[Answer], object]]] = {
    "proper": ("write", answer),
    "silent": ("write", lambda a: time.sleep(FOREVER)),
    "slow": ("write", lambda a: (time.sleep(3), answer(a))),
    "flood-on-stderr": ("write", lambda a: forever(lambda: os.write(2, b"x" * 65536))),
    "dribbling": ("write", lambda a: forever(lambda: (say(" "), time.sleep(0.1)))),
    "half-line-and-silence": ("write", lambda a: (say('{"seq":'), time.sleep(FOREVER))),
    "killed": ("write", crash),
    "exits": ("write", keep_on_stderr),
    "leaves-a-child": ("write", leave_a_child),
    "closes-stdout": ("write", lambda a: close(1)),
    "closes-stdin": ("write", lambda a: close(0, a)),
    "half-line": ("write", lambda a: (say('{"seq":'), sys.exit(0))),
    "flood": ("write", lambda a: forever(lambda: say("x" * 65536))),
    "long-line": ("write", lambda a: answer(a, why="x" * (1 << 20))),
    "flood-of-lines": ("write", lambda a: (say(json.dumps(a) + "\nx\n"), forever(lambda: say("x\n" * 9999)))),
    "one-answer-too-many": ("write", lambda a: say(2 * (json.dumps(a) + "\n"))),
    "chatty": ("write", lambda a: (say("now writing\n"), answer(a))),
    "empty-line": ("write", lambda a: (say("\n"), answer(a))),
    "not-utf-8": ("write", lambda a: say(b'{"seq":%d,"status":"ok","why":"\xff\xfe"}\n' % a["seq"])),
    "deep": ("write", lambda a: say('{"seq":1,"status":"ok","value":' + "[" * 200_000 + "\n")),
    "array": ("write", lambda a: say("[1]\n")),
    "wrong-seq": ("write", lambda a: answer(a, seq=a["seq"] - 1)),
    "huge-seq": ("write", lambda a: answer(a, seq=10**30)),
    "seq-is-text": ("write", lambda a: answer(a, seq=str(a["seq"]))),
    "no-status": ("write", lambda a: answer({"seq": a["seq"]})),
    "unknown-status": ("write", lambda a: answer(a, status="fine\x1b[2J")),
    "unknown-field": ("write", lambda a: answer(a, **{"\x1b[2J": 1})),
    "unknown-errno": ("write", lambda a: answer(a, status="errno", errno="ENOFUN")),
    "errno-without-a-name": ("write", lambda a: answer(a, status="errno")),
    "unsupported-without-why": ("write", lambda a: answer(a, status="unsupported")),
    "value-of-a-write": ("write", lambda a: answer(a, value=["spoil"])),
    "numbers-for-texts": ("read", lambda a: answer(a, value=[1])),
    "too-few": ("read", lambda a: answer(a, value=[])),
    "huge-number": ("page_mapcount", lambda a: answer(a, value=[10**400])),
    "fraction": ("page_mapcount", lambda a: answer(a, value=[1.5])),
    "control-characters": ("write", lambda a: answer(a, status="broken", value=None, why="\x1b[2J\x07\r\u202egone")),
    "control-garbage": ("write", lambda a: say("\x1b[2J\x07\r\u202egone\n")),
    "lie": ("frame", lambda a: answer({"seq": a["seq"], "status": "unsupported", "capability": "frames", "why": "oh"})),
    "lie-without-a-name": ("frame", lambda a: answer({"seq": a["seq"], "status": "unsupported", "why": "oh"})),
    "talks-to-stderr": ("write", talk_to_stderr),
    "never-exits": ("goodbye", lambda a: (answer(a), signal.signal(signal.SIGTERM, signal.SIG_IGN), close(0))),
    "silent-at-goodbye": ("goodbye", lambda a: time.sleep(FOREVER)),
    "dawdling": ("*", lambda a: (time.sleep(0.4), answer(a))),
    # Those that act on the next start.
    "one-bad-start": ("write", crash),
    "bad-starts": ("write", crash),
    "changes-its-greeting": ("write", crash),
}


def act_on_start(mode: str, state: Path) -> bool:
    """Misbehave at a start that is not the first.  True: the greeting is to be another one."""
    starts = int(state.read_text()) if state.exists() else 0
    state.write_text(str(starts + 1))
    if (mode == "bad-starts" and starts >= 1) or (mode == "one-bad-start" and starts == 1):
        print("no such luck", file=sys.stderr)
        sys.exit(4)
    return mode == "changes-its-greeting" and starts == 1


def main() -> None:
    mode = sys.argv[1]
    about, misbehave = MODES[mode]
    another = act_on_start(mode, Path(sys.argv[2])) if len(sys.argv) > 2 else False
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from reference_impl.serve import Model

    model = Model()
    armed = about == "goodbye"
    for line in sys.stdin:
        request = json.loads(line)
        a = model.handle(request)
        if request["do"] == "hello" and another:
            a["value"]["name"] = "somebody else"
        armed = armed or request.get("value") == "spoil"
        if armed and about in (request["do"], "*"):
            misbehave(a)
        else:
            answer(a)
        if request["do"] == "goodbye":
            break


if __name__ == "__main__":
    main()
