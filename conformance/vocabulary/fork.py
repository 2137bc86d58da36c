# SPDX-License-Identifier: MIT
"""Phrases that only the chapter on fork needs."""

from __future__ import annotations

from conformance.engine import Context
from conformance.vocabulary import operation
from conformance.vocabulary.memory import EVERY, OLD, create_file, file_holds, vmsplice
from conformance.vocabulary.types import Pages


@operation("file {name} has {count} order-{order} folios on {filesystem}")
def file_has_folios(c: Context, file: str, count: int, order: int, filesystem: str) -> None:
    """Create a file of so many large folios and write "old" to each of its pages with write(2)."""
    c.require_order(order, "shmem_orders")
    create_file(c, file, count << order, filesystem, order)
    file_holds(c, file, OLD, EVERY)


@operation("{process} vmsplices {pages} into {count} pipes")
def vmsplice_many(c: Context, process: str, pages: Pages, count: int) -> None:
    """vmsplice(2) the same pages into pipe after pipe: so many FOLL_GET references to each."""
    for number in range(count):
        vmsplice(c, process, pages, f"pipe{number}")
