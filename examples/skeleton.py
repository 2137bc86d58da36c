#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small implementation of private anonymous memory that speaks the mapspec protocol on stdin and stdout.

Start your own from here: replace `Memory`, and add to CAPABILITIES only what it can really do or tell.
Answers go to stdout, one line each; print anything else to stderr.
"""

import json
import sys

CAPABILITIES = []  # names from spec/capabilities.toml; without any, only contents are compared
MISSING = {"frames": "skeleton.py keeps contents and no pages of memory"}
MOST_PAGES = 32768


class Refused(Exception):
    """What a kernel would refuse: the fields of the answer."""

    def __init__(self, status, name):
        self.answer = {"status": status, status: name}


class Unsupported(Exception):
    """What this implementation cannot do."""


class Memory:
    """Processes, their regions, and what each page holds: "" is a page of zeros, None is no page at all."""

    def __init__(self):
        self.processes = {}

    def reset(self):
        self.processes.clear()

    def start(self, process):
        if process in self.processes:
            raise Refused("errno", "EEXIST")
        self.processes[process] = {}

    def map(self, process, region, pages, sharing, file, order, hugetlb, protection, **_):
        if sharing != "private" or file is not None or hugetlb:
            raise Unsupported("skeleton.py maps private anonymous memory only")
        if order != 0 or protection != "read-write":
            raise Unsupported("skeleton.py maps writable base pages only")
        if pages > MOST_PAGES:
            raise Refused("errno", "ENOMEM")
        regions = self._regions(process)
        if region in regions:
            raise Refused("errno", "EEXIST")
        regions[region] = [""] * pages

    def unmap(self, process, region, first, count):
        pages = self._pages(process, region)
        if first + count > len(pages):
            raise Refused("errno", "EINVAL")
        pages[first : first + count] = [None] * count

    def read(self, process, region, first, count):
        return self._mapped(process, region, first, count)

    def write(self, process, region, first, count, value):
        self._mapped(process, region, first, count)
        self._pages(process, region)[first : first + count] = [value] * count

    def fork(self, process, child):
        parent = self._regions(process)
        self.start(child)
        self.processes[child] = {name: list(pages) for name, pages in parent.items()}

    def exit(self, process):
        self._regions(process)
        del self.processes[process]

    def _regions(self, process):
        if process not in self.processes:
            raise Refused("errno", "ESRCH")
        return self.processes[process]

    def _pages(self, process, region):
        return self._regions(process).get(region, [])

    def _mapped(self, process, region, first, count):
        """The contents of pages that must all be there: a load or store elsewhere ends in a signal."""
        pages = self._pages(process, region)[first : first + count]
        if len(pages) < count or None in pages:
            raise Refused("signal", "SIGSEGV")
        return pages


OPERATIONS = ("reset", "start", "map", "unmap", "read", "write", "fork", "exit")


def hello(request):
    return {
        "protocol": 1,
        "name": "skeleton.py",
        "profile": request.get("profile") or "linux-7.3",
        "capabilities": CAPABILITIES,
        "missing": MISSING,
        "parameters": {"page_size": 4096, "word_bits": 64, "orders": [0]},
    }


def answer(memory, do, request):
    """The answer to one request, without its sequence number."""
    try:
        if do == "hello":
            return {"status": "ok", "value": hello(request)}
        if do == "goodbye":
            return {"status": "ok"}
        if do not in OPERATIONS:
            return {"status": "unsupported", "why": f"skeleton.py does not know {do}"}
        value = getattr(memory, do)(**request)
        return {"status": "ok"} if value is None else {"status": "ok", "value": value}
    except Refused as e:
        return e.answer
    except Unsupported as e:
        return {"status": "unsupported", "why": str(e)}
    except Exception as e:  # a mistake in this file: say so, do not die
        return {"status": "broken", "why": repr(e)}


def main():
    memory = Memory()
    for line in sys.stdin:
        request = json.loads(line)
        do, seq = request.pop("do"), request.pop("seq")
        print(json.dumps({"seq": seq, **answer(memory, do, request)}), flush=True)
        if do == "goodbye":
            break


if __name__ == "__main__":
    main()
