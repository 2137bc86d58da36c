# SPDX-License-Identifier: MIT
"""Answers: one per request, the first a greeting."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from conformance.protocol.names import Errno, Signal


class Greeting(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who answers, and what it can do."""

    protocol: Annotated[int, Meta(description="The version of this protocol that the implementation speaks.")]
    name: Annotated[str, Meta(min_length=1, max_length=80, description="The name to show in reports.")]
    version: Annotated[str, Meta(max_length=200, description="Its version, or the kernel release.")] = ""
    profile: Annotated[str, Meta(max_length=80, description="The profile whose behaviour it claims.")]
    capabilities: Annotated[list[str], Meta(max_length=200, description="What it can do, see capabilities.toml.")]
    missing: Annotated[
        dict[str, str], Meta(description="For a capability that is not there: the reason, one sentence.")
    ] = {}
    parameters: Annotated[
        dict[str, int | str | list[int]],
        Meta(description="Values such as page_size, word_bits, pmd_order, and orders: those it can allocate."),
    ] = {}
    environment: Annotated[
        dict[str, str],
        Meta(description="Anything that helps to repeat the run: kernel, configuration, machine."),
    ] = {}


class Answer(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the implementation sends back, one per request."""

    seq: Annotated[int, Meta(description="The number of the request.")]
    status: Annotated[
        Literal["ok", "errno", "signal", "unsupported", "broken"],
        Meta(
            description="ok: done. errno, signal: refused as a kernel would. unsupported: cannot be done or told "
            "here. broken: the implementation itself has failed."
        ),
    ]
    value: Annotated[msgspec.Raw, Meta(description="ok: the value that the request asks for, if any.")] = field(
        default_factory=lambda: msgspec.Raw(b"null")
    )
    errno: Annotated[Errno | None, Meta(description="errno: which.")] = None
    signal: Annotated[Signal | None, Meta(description="signal: which.")] = None
    capability: Annotated[
        Annotated[str, Meta(max_length=80)] | None,
        Meta(description="unsupported: the capability that is missing."),
    ] = None
    why: Annotated[str, Meta(max_length=4000, description="unsupported, broken: one sentence.")] = ""
