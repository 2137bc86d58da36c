# SPDX-License-Identifier: MIT
"""Where a kernel's structures keep their fields, read from its BTF (/sys/kernel/btf/vmlinux)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAGIC = 0xEB9F
# Kinds, include/uapi/linux/btf.h
INT, ARRAY, STRUCT, UNION, ENUM, FUNC_PROTO, VAR, DATASEC, DECL_TAG, ENUM64 = 1, 3, 4, 5, 6, 13, 14, 15, 17, 19
# Bytes that follow the 12 of every type: fixed ones, and those for each of its members.
FIXED = {INT: 4, ARRAY: 12, VAR: 4, DECL_TAG: 4}
EACH = {STRUCT: 12, UNION: 12, ENUM: 8, FUNC_PROTO: 8, DATASEC: 12, ENUM64: 12}


class Btf:
    """The types of a kernel.

    Raises ValueError if the data is no BTF that we can read.
    """

    def __init__(self, data: bytes):
        if len(data) < 24 or struct.unpack_from("<H", data)[0] != MAGIC:
            raise ValueError("not BTF of a little-endian kernel")
        header, types, types_len, strings, _ = struct.unpack_from("<5I", data, 4)
        self._data = data
        self._strings = header + strings
        self._at: list[int] = [0]
        """The place of each type in the data, by its id."""
        self._structs: dict[bytes, int] = {}
        self._enums: list[int] = []
        at, end = header + types, header + types + types_len
        while at < end:
            name, info, _size = struct.unpack_from("<3I", data, at)
            kind, members = info >> 24 & 0x1F, info & 0xFFFF
            if kind == STRUCT and name:
                self._structs.setdefault(self._string(name), len(self._at))
            elif kind == ENUM:
                self._enums.append(at)
            self._at.append(at)
            at += 12 + FIXED.get(kind, 0) + EACH.get(kind, 0) * members

    def _string(self, offset: int) -> bytes:
        start = self._strings + offset
        return self._data[start : self._data.index(b"\0", start)]

    def size(self, name: str) -> int:
        """The size of a structure in bytes.  KeyError: there is none of the name."""
        at = self._at[self._structs[name.encode()]]
        return int(struct.unpack_from("<I", self._data, at + 8)[0])

    def offset(self, name: str, field: str) -> int:
        """The offset of a field in bytes, also inside unnamed members.  KeyError: there is none."""
        for found, offset in self._fields(self._structs[name.encode()]):
            if found == field.encode():
                return offset
        raise KeyError(f"{name}.{field}")

    def has(self, name: str, field: str) -> bool:
        """Whether the structure has the field."""
        try:
            self.offset(name, field)
        except KeyError:
            return False
        return True

    def _fields(self, number: int) -> Iterator[tuple[bytes, int]]:
        """Names and byte offsets of the members of a structure, unnamed ones opened."""
        at = self._at[number]
        info = struct.unpack_from("<I", self._data, at + 4)[0]
        if info >> 24 & 0x1F not in (STRUCT, UNION):
            return
        bitfields = info >> 31
        for member in range(at + 12, at + 12 + 12 * (info & 0xFFFF), 12):
            name, kind, offset = struct.unpack_from("<3I", self._data, member)
            start = (offset & 0xFFFFFF if bitfields else offset) // 8
            if name:
                yield self._string(name), start
            else:
                for inner, more in self._fields(kind):
                    yield inner, start + more

    def enumerator(self, name: str) -> int:
        """The value of an enumerator of any enum.  KeyError: there is none."""
        wanted = self._data.find(b"\0" + name.encode() + b"\0", self._strings) + 1 - self._strings
        for at in self._enums:
            members = struct.unpack_from("<I", self._data, at + 4)[0] & 0xFFFF
            for string, value in struct.iter_unpack("<Ii", self._data[at + 12 : at + 12 + 8 * members]):
                if string == wanted:
                    return int(value)
        raise KeyError(name)

    def has_enumerator(self, name: str) -> bool:
        """Whether any enum has the enumerator."""
        try:
            self.enumerator(name)
        except KeyError:
            return False
        return True
