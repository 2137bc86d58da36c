# SPDX-License-Identifier: MIT
"""The device file of our kernel module, and its ioctls."""

from __future__ import annotations

import os
import struct

from conformance.implementations.linux.machine import Machine, Result

DEVICE = "/dev/mapspec"


def present(machine: Machine) -> bool:
    """Whether the module is loaded, and we may use it."""
    return machine.run(_open())[0].kind == "ok"


def _open() -> str:
    return f"0 open {DEVICE} {os.O_RDWR:x} 0 0"


class Ioctls:
    """What is asked of the module.  Everything raises Refused."""

    def __init__(self, machine: Machine):
        self._machine = machine
        self._asks = -1

    def forget(self) -> None:
        """The hub has closed everything."""
        self._asks = -1

    def open(self) -> int:
        """A descriptor of the hub: a device, or a hold, of its own."""
        return self._machine.do(_open())[-1].value

    def control(self, slot: int, fd: int, request: tuple[int, int], *values: int) -> Result:
        """An ioctl of the hub (slot 0) or of a process, with a structure that starts with these 64-bit words."""
        number, size = request
        packed = struct.pack(f"={len(values)}Q", *values).hex()
        return self._machine.do(f"{slot:x} ioctl {fd:x} {number:x} {size:x} {packed}")[-1]

    def ask(self, request: tuple[int, int], *values: int) -> bytes:
        """An ioctl that has nothing to do with a device: the structure as it comes back."""
        if self._asks < 0:
            self._asks = self.open()
        return self.control(0, self._asks, request, *values).data
