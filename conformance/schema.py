# SPDX-License-Identifier: MIT
"""The JSON Schema of the protocol, made from the typed messages."""

from __future__ import annotations

from typing import Any, Union

import msgspec

from conformance import protocol


def schema() -> dict[str, Any]:
    """Everything: `oneOf` the two kinds of line; `values` says what the value of each request's `ok` answer is."""
    requests = list(protocol.REQUESTS.values())
    valued = {str(r.__struct_config__.tag): r.answer for r in requests if r.answer is not None}
    types = [*requests, protocol.Answer, *valued.values()]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    made = schemas[: len(requests)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"mapspec protocol {protocol.PROTOCOL}",
        "description": "One JSON object a line. The runner sends a request, the implementation sends one answer.",
        "oneOf": [
            {"title": "request", "oneOf": list(made)},
            {"title": "answer", **schemas[len(requests)]},
        ],
        "values": dict(zip(valued, schemas[len(requests) + 1 :], strict=True)),
        "$defs": components,
    }


def decoder() -> msgspec.json.Decoder[Any]:
    """Decodes a line that the runner sends into its request, strictly."""
    return msgspec.json.Decoder(Union[tuple(protocol.REQUESTS.values())])  # noqa: UP007
