# SPDX-License-Identifier: MIT
"""The protocol reference, from the message types themselves."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from conformance import protocol
from conformance.protocol import Answer, Called, Greeting, KpageInfo, Logged, Owners, Request, Slot, Vma
from conformance.schema import schema as make_schema

from .html import esc, prose, table

EXAMPLES: dict[str, Any] = {
    "process": "A", "child": "B", "region": "mem", "file": "f", "pipe": "p", "buffer": "b", "to": "moved",
    "first": 0, "count": 2, "pages": 16, "value": "new", "order": 4, "advice": "dontneed", "protection": "read",
    "filesystem": "memfd", "seq": 7, "profile": "linux-7.3", "device": "dev", "memory": "pages",
    "function": "vm_insert_page", "interface": "packet_ring", "mode": "missing", "frame": "1a2b3",
    "number": 1000, "hold": "h", "at": 0,
}  # fmt: skip
"""A value for each field that an example line shows."""
VALUES: dict[str, Any] = {
    "map_device": "mapspec module", "call_driver": {"returned": "-EBUSY"}, "core_dump": {"mem": 4},
    "vma": {"flags": ["VM_READ", "VM_IO", "VM_PFNMAP"], "offset": 0}, "rss": {"anon": 0, "file": 4, "shmem": 0},
    "pagemap": [["present", "file"], ["present"]], "pagemap_marks": [["soft-dirty"], []],
    "statm": {"size": 300, "resident": 120, "shared": 80},
    "numa_maps": {"anon": 4, "dirty": 4, "mapmax": 3}, "pagemap_scan": [["file", "present"], ["present"]],
    "tee": 1, "kpage": {"count": 1, "flags": ["mmap"]}, "status": {"VmRSS": 480, "RssAnon": 64},
    "get_pages": 2, "pincount": [2, 2], "migrate": ["moved", "kept"],
    "kernel_log": [
        {"kind": "warning", "text": "WARNING: mm/memory.c:2496 at insert_page_into_pte_locked",
         "function": "insert_page_into_pte_locked", "file": "mm/memory.c"},
    ],
    "finish": [{"kind": "bad-rss", "text": "BUG: Bad rss-counter state mm:… type:MM_FILEPAGES val:512"}],
    "smaps_rollup": {"Rss": 480, "Pss": 301}, "smaps_sum": {"Rss": 480, "Pss": 288},
}  # fmt: skip
"""A value of the answer where its type says too little."""


@functools.cache
def schema() -> dict[str, Any]:
    """JSON Schema of every message, with what only the tables need."""
    published = make_schema()
    _, more = msgspec.json.schema_components(
        [Greeting, Owners, Slot, Called, Vma, KpageInfo, Logged], ref_template="#/$defs/{name}"
    )
    return {**published, "$defs": {**published["$defs"], **more}}


def sections() -> Iterator[tuple[str, str, str]]:
    """Name, title and HTML of each part."""
    plain = [cls for cls in protocol.REQUESTS.values() if cls not in (*protocol.OPERATIONS, *protocol.QUERIES)]
    yield "session", "Session", "".join(map(_request, plain))
    yield "operations", "Operations", "".join(map(_request, protocol.OPERATIONS))
    yield "queries", "Queries", "".join(map(_request, protocol.QUERIES))
    yield "answer", "Answer", _struct(Answer) + _answers()
    yield "greeting", "Greeting", _struct(Greeting)
    yield "owners", "Owners and Slot", _struct(Owners) + _struct(Slot)
    yield "called", "Called", _struct(Called)
    yield "vma-value", "Vma", _struct(Vma)
    yield "logged", "Logged", _struct(Logged)


def _doc(cls: type) -> str:
    return "".join(f"<p>{prose(part)}</p>" for part in inspect.cleandoc(cls.__doc__ or "").split("\n\n"))


def _definition(cls: type) -> dict[str, Any]:
    return dict(schema()["$defs"][cls.__name__])


def _request(cls: type[Request]) -> str:
    """One request: what it does, its fields, the answer, an example."""
    name = str(cls.__struct_config__.tag)
    needs = (
        f'<p>Asked only of implementations with the capability <code>{esc(cls.capability)}</code>.</p>'
        if cls.capability else ""
    )  # fmt: skip
    value = schema()["values"].get(name)
    answer = f"Value of the answer: {_type(value)}." if value else "The answer has no value."
    return (
        f'<h3 id="protocol-{esc(name)}"><code>{esc(name)}</code>'
        f'<a class="headerlink" href="#protocol-{esc(name)}" title="Link to this heading">¶</a></h3>'
        f"{_doc(cls)}{needs}{_fields(cls)}<p>{answer}</p>{_example(cls, name)}"
    )


def _struct(cls: type) -> str:
    return f"{_doc(cls)}{_fields(cls)}"


def _fields(cls: type) -> str:
    definition = _definition(cls)
    required = set(definition.get("required", ()))
    rows = []
    for name, field in definition["properties"].items():
        if name in ("seq", "do") and cls is not Answer:
            continue
        default = "" if name in required else f"default {json.dumps(field.get('default'))}"
        resolved = {**_resolve(field), **field}
        rows.append([f"<code>{esc(name)}</code>", _type(field), esc(default), prose(_says(resolved))])
    if not rows:
        return "<p>No fields beside <code>do</code> and <code>seq</code>.</p>"
    return table(["Field", "Type", "If left out", "What it is"], rows, label=f"Fields of {cls.__name__}")


def _says(field: dict[str, Any]) -> str:
    """A field's description, also where it stands inside of `anyOf`."""
    own = field.get("description")
    inner = [o["description"] for o in field.get("anyOf", []) if "description" in o]
    return str(own or (inner[0] if inner else ""))


def _resolve(field: dict[str, Any]) -> dict[str, Any]:
    ref = field.get("$ref")
    return dict(schema()["$defs"][ref.rpartition("/")[2]]) if ref else field


def _type(field: dict[str, Any]) -> str:
    """A schema in words, as HTML."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        anchor = {"Slot": "owners", "Vma": "vma-value"}.get(name, name.lower())
        return f'<a href="#protocol-{esc(anchor)}">{esc(name)}</a>'
    if "enum" in field:
        return "one of " + ", ".join(f"<code>{esc(json.dumps(v))}</code>" for v in field["enum"])
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    match field.get("type"):
        case "array":
            return f"list of {_type(field.get('items', {}))}"
        case "object":
            return f"object of {_type(field.get('additionalProperties') or {})} by name"
        case "integer":
            return "integer" + _bounds(field)
        case "string":
            return "string" + (f" <code>{esc(field['pattern'])}</code>" if "pattern" in field else "")
        case "null":
            return "null"
        case "boolean":
            return "true or false"
    return "anything"


def _bounds(field: dict[str, Any]) -> str:
    least, most = field.get("minimum"), field.get("maximum")
    if least is None and most is None:
        return ""
    if least is not None and most is None:
        return f", at least {least}"
    return f" from {_power(least)} to {_power(most)}"


def _power(n: Any) -> str:
    """2^40 rather than 1099511627776."""
    if isinstance(n, int) and abs(n) > 1 << 16 and abs(n).bit_count() == 1:
        return f"{'-' if n < 0 else ''}2<sup>{abs(n).bit_length() - 1}</sup>"
    return str(n)


def _example(cls: type[Request], name: str) -> str:
    """A request as it is sent, and an answer to it.  The request is checked against its type."""
    definition = _definition(cls)
    required = set(definition.get("required", ()))
    line: dict[str, Any] = {"do": name, "seq": EXAMPLES["seq"]}
    for field in definition["properties"]:
        if field in required | {"first", "count", "order"} and field in EXAMPLES:
            line[field] = EXAMPLES[field]
    if name == "map":
        line.update(sharing="private")
    if name == "hello":
        line.update(seq=0, protocol=protocol.PROTOCOL, profile=EXAMPLES["profile"])
    msgspec.convert(line, cls)
    answer: dict[str, Any] = {"seq": line["seq"], "status": "ok"}
    value = schema()["values"].get(name)
    if value is not None:
        answer["value"] = _value(value, name)
    return _lines([("runner", line), ("implementation", answer)])


def _lines(lines: list[tuple[str, dict[str, Any]]]) -> str:
    shown = "\n".join(f"<b>{who}</b> {esc(json.dumps(what))}" for who, what in lines)
    return f'<pre class="ms-gherkin ms-wire">{shown}</pre>'


def _value(field: dict[str, Any], name: str) -> Any:
    """An example of a value."""
    field = _resolve(field)
    if name == "hello":
        return {"protocol": protocol.PROTOCOL, "name": "mine", "profile": "linux-7.3", "capabilities": ["entries"]}
    if name in VALUES:
        return VALUES[name]
    if "enum" in field:
        return field["enum"][1] if len(field["enum"]) > 1 else field["enum"][0]
    if "anyOf" in field:
        return _value(field["anyOf"][0], name)
    match field.get("type"):
        case "array":
            items = field.get("items", {})
            return [_value(items, name)] * min(2, field.get("maxItems", 2))
        case "object" if "properties" in field:
            return {key: _value(inner, name) for key, inner in field["properties"].items()}
        case "object":
            return {"smaps": {"Rss": 64, "Pss": 32}, "counters": {"thp_split_pmd": 12}}.get(name, {})
        case "integer":
            return 1
        case "boolean":
            return True
    return {"frame": "f1a", "owner_slots": "A"}.get(name, "new")


def _answers() -> str:
    """One line for each status."""
    lines: list[tuple[str, dict[str, Any]]] = [
        ("done", {"seq": 7, "status": "ok"}),
        ("refused", {"seq": 7, "status": "errno", "errno": "EAGAIN"}),
        ("killed", {"seq": 7, "status": "signal", "signal": "SIGBUS"}),
        ("cannot", {"seq": 7, "status": "unsupported", "capability": "ksm", "why": "KSM is not built in."}),
        ("broken", {"seq": 7, "status": "broken", "why": "The executor has died."}),
    ]
    for _, line in lines:
        msgspec.convert(line, Answer)
    return _lines(lines)
