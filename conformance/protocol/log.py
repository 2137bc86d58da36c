# SPDX-License-Identifier: MIT
"""What a kernel complains of in its log."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from conformance.protocol.base import Operation, Query

LogKind = Literal["warning", "bug", "bad-page", "bad-rss", "locking", "checker", "leak"]


class Logged(Struct, forbid_unknown_fields=True, repr_omit_defaults=True):
    """One complaint of the kernel: its first line."""

    kind: Annotated[
        LogKind,
        Meta(
            description="warning: a WARN(), refcount_t among them. bug: any other line that begins with BUG, and a bad "
            "entry of a page table. bad-page: a page that is freed or mapped with counters that cannot be. bad-rss: "
            "RSS counters that are not 0 when an mm ends. locking: lockdep, RCU. checker: KASAN, UBSAN and their kin. "
            "leak: pages of a driver that are still referenced when everything is closed."
        ),
    ]
    text: Annotated[
        str, Meta(min_length=1, max_length=500, description="The line, without what differs from run to run.")
    ]
    function: Annotated[str, Meta(max_length=80, description="The function that the line names, if any.")] = ""
    file: Annotated[str, Meta(max_length=80, description="The source file that the line names, if any.")] = ""


class KernelLog(Query, kw_only=True, tag="kernel_log"):
    """What the kernel has complained of since the last reset, in order.  What is only about time, such as a stall,
    is left out."""

    capability = "kernel-log"
    answer = list[Logged]


class Finish(Operation, kw_only=True, tag="finish"):
    """The scenario is over: everything ends as with `reset`, but the log is kept until the next one.

    The value is the whole log since the last reset, as `kernel_log` tells it, with what the end has added.
    """

    capability = "kernel-log"
    answer = list[Logged]
