# SPDX-License-Identifier: MIT
"""Phrases for the life of driver memory: revoke mappings, free pages."""

from __future__ import annotations

from conformance import protocol
from conformance.engine import Context
from conformance.vocabulary import operation
from conformance.vocabulary.driver_pages import DEVICE, device_span
from conformance.vocabulary.memory import span_of
from conformance.vocabulary.types import Area, Pages


@operation("the driver frees its memory", "driver {name} frees its memory")
def frees(c: Context, device: str = DEVICE) -> None:
    """The driver drops its own references.  It does not look whether somebody maps the pages."""
    c.do(protocol.FreeDevice(device=device))


@operation(
    "the driver calls unmap_mapping_range for its {pages}", "driver {name} calls unmap_mapping_range for its {pages}"
)
def revokes(c: Context, *words: object) -> None:
    """unmap_mapping_range() of the device's f_mapping, with even_cows: private copies go too."""
    *name, pages = words
    _unmap_mapping_range(c, str(name[0]) if name else DEVICE, pages, even_cows=True)  # type: ignore[arg-type]


@operation("the driver calls unmap_mapping_range for its {pages}, without even_cows")
def revokes_not_copies(c: Context, pages: Pages) -> None:
    """unmap_mapping_range() of the device's f_mapping: private copies stay."""
    _unmap_mapping_range(c, DEVICE, pages, even_cows=False)


def _unmap_mapping_range(c: Context, device: str, pages: Pages, *, even_cows: bool) -> None:
    c.do(protocol.UnmapMappingRange(**device_span(c, pages, device), even_cows=even_cows))


@operation("the driver zaps {pages} of {area}")
def zaps(c: Context, pages: Pages, area: Area) -> None:
    """zap_vma_ptes(), since 7.x zap_special_vma_range(), which returns nothing."""
    c.do(protocol.ZapVma(**span_of(c, pages, area)))
