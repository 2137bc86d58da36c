# SPDX-License-Identifier: MIT
"""The messages between the runner and an implementation under test.

One JSON object per line, each way.  The runner sends a request, the
implementation answers it, and only then the next request comes.  Processes,
regions, files, pipes and buffers have names; pages have numbers that start
at 0 at the start of their region; nothing here is an address.  Expected
values never travel: an implementation cannot know what would be right.

This package is the only place where the messages are defined.  The published
JSON Schema, the protocol reference of the site and the checks of live traffic
are all made from it.

`names` has the words that messages are made of, `base` what requests have in common, `operations`, `refcount`,
`drivers`, `pins` and `queries` the requests by what they are about, `log` what the kernel complains of, and `answers`
what comes back.
"""

from __future__ import annotations

from conformance.protocol import base, drivers, log, operations, pins, queries, refcount
from conformance.protocol.answers import *  # noqa: F403
from conformance.protocol.base import *  # noqa: F403
from conformance.protocol.base import Operation, Query, Request
from conformance.protocol.drivers import *  # noqa: F403
from conformance.protocol.log import *  # noqa: F403
from conformance.protocol.names import *  # noqa: F403
from conformance.protocol.operations import *  # noqa: F403
from conformance.protocol.pins import *  # noqa: F403
from conformance.protocol.queries import *  # noqa: F403
from conformance.protocol.refcount import *  # noqa: F403


def _concrete(kind: type[Request]) -> tuple[type[Request], ...]:
    """The requests of a kind, in the order of the modules."""
    return tuple(
        cls
        for module in (base, operations, refcount, drivers, pins, queries, log)
        for cls in vars(module).values()
        if isinstance(cls, type) and cls.__module__ == module.__name__
        if issubclass(cls, kind) and not cls.__subclasses__()
    )


OPERATIONS = _concrete(Operation)
QUERIES = _concrete(Query)
REQUESTS: dict[str, type[Request]] = {str(cls.__struct_config__.tag): cls for cls in _concrete(Request)}
