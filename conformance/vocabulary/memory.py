# SPDX-License-Identifier: MIT
"""Phrases that all chapters share: mapping, reading, writing, forking, advising, and what a process then sees."""

from __future__ import annotations

import re
from typing import Any

from conformance import protocol
from conformance.engine import Context, Mismatch, NotApplicable, describe
from conformance.protocol import Madvise, Map, Mprotect, Mremap, Read, Unmap, Write
from conformance.vocabulary import VocabularyError, operation, outcome
from conformance.vocabulary.types import DEFAULT_REGION, Area, Number, Pages, define, plain

OLD = "old"
"""What `has …` writes to every page."""
EVERY = Pages(0, None)

# --- pages that are there from the start ------------------------------------------------------------------

_BACKING = re.compile(
    r"(?:a base page|(a hugetlb page)|an order-(\d+) folio"
    r"( mapped by PTEs| mapped by a PMD| with one page mapped| half moved by mremap| partly shared before)?)"
    r"(, swapped out)?"
)
define(
    "backing",
    plain(_BACKING),
    lambda text: Backing(text),
    "A private anonymous page, or pages, with a history. Page 0 exists in all of them.",
    "a base page", "an order-4 folio", "an order-9 folio mapped by PTEs", "an order-9 folio with one page mapped",
    "an order-4 folio half moved by mremap", "an order-4 folio partly shared before", "a hugetlb page",
    "a base page, swapped out",
)  # fmt: skip
define(
    "source",
    "anonymous memory|huge anonymous memory|a memfd|a tmpfs file|a disk file|a hugetlb memfd",
    str,
    "What a private mapping shows before anybody writes: a zero page or a page of a file.",
    "anonymous memory", "a memfd",
)  # fmt: skip
define("sharing", "privately|shared", {"privately": "private", "shared": "shared"}.__getitem__,
       "MAP_PRIVATE or MAP_SHARED.", "privately", "shared")  # fmt: skip


class Backing:
    """What {backing} says."""

    def __init__(self, text: str):
        found = _BACKING.fullmatch(text)
        assert found
        self.text = text
        self.hugetlb = bool(found[1])
        self.order = int(found[2] or 0)
        self.how = (found[3] or "").strip()
        self.swapped = bool(found[4])

    def __str__(self) -> str:
        return self.text


def map_region(c: Context, process: str, region: str, pages: int, **fields: object) -> None:
    """Map a region and remember its size."""
    c.process(process)
    c.do(Map(process=process, region=region, pages=pages, **fields))  # type: ignore[arg-type]
    c.regions[process][region] = pages


def fill(c: Context, process: str, pages: Pages = EVERY) -> None:
    """Write OLD to pages."""
    c.do(Write(**c.span(process, pages), value=OLD))


@operation("{process} has {backing}")
def has_backing(c: Context, process: str, backing: Backing) -> None:
    """Map the memory privately, write "old" to every page, and give it the history that the words say.

    A folio of the PMD order is mapped by a PMD unless the words say otherwise; smaller ones by PTEs.
    `half moved by mremap`: the first half of the folio is moved away and is `mem`; the rest stays as `rest`.
    `with one page mapped`: all but page 0 are unmapped, so that it is `every page`.
    `partly shared before`: page 0 was shared with a child that has exited, the others never.
    """
    if backing.hugetlb:
        c.require("hugetlb")
        order = int(c.greeting.parameters["hugetlb_order"])  # type: ignore[arg-type]
        map_region(c, process, DEFAULT_REGION, 1 << order, hugetlb=True)
        fill(c, process)
    elif backing.order == 0:
        map_region(c, process, DEFAULT_REGION, 1)
        fill(c, process)
    else:
        _folio(c, process, backing)
    if backing.swapped:
        swap_out(c, EVERY, Area(process, DEFAULT_REGION))


def _folio(c: Context, process: str, backing: Backing) -> None:
    c.require_order(backing.order)
    pages = 1 << backing.order
    pmd = backing.order == c.greeting.parameters.get("pmd_order")
    moved = backing.how == "half moved by mremap"
    region = "rest" if moved else DEFAULT_REGION
    map_region(c, process, region, pages, order=backing.order)
    fill(c, process, Pages(0, None, region))
    if backing.how == "mapped by PTEs" and pmd:
        map_by_ptes(c, Area(process, region))
    elif backing.how == "mapped by a PMD" and not pmd:
        raise NotApplicable(f"order {backing.order} is not the PMD order, {c.greeting.parameters.get('pmd_order')}")
    elif backing.how == "with one page mapped":
        unmap(c, process, Pages(1, pages - 1))
        c.regions[process][region] = 1
    elif moved:
        move(c, process, Pages(0, pages // 2, region), DEFAULT_REGION)
    elif backing.how == "partly shared before":
        if pages > 1:
            madvise(c, process, "dontfork", Pages(1, pages - 1))
        fork(c, process, "Z9")
        exit_(c, "Z9")
        madvise(c, process, "dofork", Pages(1, pages - 1))
    if not moved:
        check_order(c, process, region, backing.order)


def check_order(c: Context, process: str, region: str, order: int) -> None:
    """See to it that the folio really has the order, if the implementation can tell."""
    if "folio-order" in c.capabilities:
        (seen,) = c.do(protocol.FolioOrder(process=process, region=region, first=0, count=1))
        if seen != order:
            raise Mismatch(f"a folio of order {order}", f"order {seen}")


@operation(
    "{process} has {count} page(s) of private anonymous memory",
    "{process} has {count} page(s) of private anonymous memory as {name}",
)
def has_anonymous(c: Context, process: str, pages: int, region: str = DEFAULT_REGION) -> None:
    """Map base pages of private anonymous memory and write "old" to each."""
    map_region(c, process, region, pages)
    fill(c, process, Pages(0, None, region))


@operation("{process} maps {source} privately and reads it")
def maps_source(c: Context, process: str, source: str) -> None:
    """Map one page (huge memory: one huge page) privately and read it without writing.

    Anonymous memory shows the zero page and huge anonymous memory the huge zero page; a file holds "old".
    """
    pages, fields = 1, dict[str, Any]()
    if source == "huge anonymous memory":
        c.require("huge-zero-page")
        order = int(c.greeting.parameters["pmd_order"])  # type: ignore[arg-type]
        pages, fields = 1 << order, {"order": order}
    elif source != "anonymous memory":
        filesystem = {"a memfd": "memfd", "a tmpfs file": "tmpfs", "a disk file": "disk"}.get(source, "hugetlb")
        if filesystem == "hugetlb":
            pages = 1 << int(c.greeting.parameters.get("hugetlb_order", 0))  # type: ignore[arg-type]
        create_file(c, "f", pages, filesystem)
        file_holds(c, "f", OLD, EVERY)
        fields = {"file": "f"}
    map_region(c, process, DEFAULT_REGION, pages, **fields)
    c.do(Read(**c.span(process, Pages(0, 1))))


# --- mapping ----------------------------------------------------------------------------------------------


@operation(
    "{process} maps {count} page(s) of private anonymous memory",
    "{process} maps {count} page(s) of private anonymous memory as {name}",
)
def maps_anonymous(c: Context, process: str, pages: int, region: str = DEFAULT_REGION) -> None:
    """Map private anonymous memory for base pages.  Nothing is populated."""
    map_region(c, process, region, pages)


@operation(
    "{process} maps {count} pages of private anonymous memory for order-{order} folios",
    "{process} maps {count} pages of private anonymous memory for order-{order} folios as {name}",
)
def maps_anonymous_order(c: Context, process: str, pages: int, order: int, region: str = DEFAULT_REGION) -> None:
    """Map private anonymous memory whose faults allocate folios of the order.  Nothing is populated."""
    c.require_order(order)
    map_region(c, process, region, pages, order=order)


@operation(
    "{process} maps {count} page(s) of shared anonymous memory",
    "{process} maps {count} page(s) of shared anonymous memory as {name}",
)
def maps_shared_anonymous(c: Context, process: str, pages: int, region: str = DEFAULT_REGION) -> None:
    """Map shared anonymous memory (MAP_SHARED|MAP_ANONYMOUS, shmem).  Nothing is populated."""
    map_region(c, process, region, pages, sharing="shared")


@operation(
    "{process} maps {count} page(s) of hugetlb memory",
    "{process} maps {count} page(s) of hugetlb memory as {name}",
)
def maps_hugetlb(c: Context, process: str, pages: int, region: str = DEFAULT_REGION) -> None:
    """Map private hugetlb memory; the count is in base pages.  Nothing is populated."""
    c.require("hugetlb")
    map_region(c, process, region, pages, hugetlb=True)


@operation("file {name} has {count} page(s) on {filesystem}")
def file_has(c: Context, file: str, pages: int, filesystem: str) -> None:
    """Create a file of base pages and write "old" to each with write(2)."""
    create_file(c, file, pages, filesystem)
    file_holds(c, file, OLD, EVERY)


@operation("file {name} has an order-{order} folio on {filesystem}")
def file_has_folio(c: Context, file: str, order: int, filesystem: str) -> None:
    """Create a file of one large folio and write "old" to each of its pages with write(2)."""
    c.require_order(order, "shmem_orders")
    create_file(c, file, 1 << order, filesystem, order)
    file_holds(c, file, OLD, EVERY)


def create_file(c: Context, file: str, pages: int, filesystem: str, order: int = 0) -> None:
    """Create a file and remember its size."""
    needs = {"disk": "disk-file", "tmpfs": "tmpfs", "memfd": "memfd", "hugetlb": "hugetlb"}
    c.require(needs[filesystem])
    c.do(protocol.CreateFile(file=file, pages=pages, filesystem=filesystem, order=order))  # type: ignore[arg-type]
    c.files[file] = pages


@operation("file {name} holds {token} in {pages}")
def file_holds(c: Context, file: str, value: str, pages: Pages) -> None:
    """write(2) to pages of the file."""
    count = c.files[file] - pages.first if pages.count is None else pages.count
    c.do(protocol.WriteFile(file=file, first=pages.first, count=count, value=value))


@operation("{process} maps file {name} {sharing}", "{process} maps file {name} {sharing} as {name}")
def maps_file(c: Context, process: str, file: str, sharing: str, region: str = DEFAULT_REGION) -> None:
    """Map the whole file.  Nothing is populated."""
    map_region(c, process, region, c.files[file], file=file, sharing=sharing)


@operation("{processes} map file {name} {sharing}")
def map_file_all(c: Context, processes: tuple[str, ...], file: str, sharing: str) -> None:
    """Each process maps the whole file.  Nothing is populated."""
    for process in processes:
        maps_file(c, process, file, sharing)


@operation("{process} maps file {name} {sharing}, {count} page(s) off its alignment, as {name}")
def maps_file_skewed(c: Context, process: str, file: str, sharing: str, skew: int, region: str) -> None:
    """Map the whole file at an address that no huge page can be mapped at."""
    map_region(c, process, region, c.files[file], file=file, sharing=sharing, skew=skew)


# --- what processes do ------------------------------------------------------------------------------------


@operation("{process} starts")
def starts(c: Context, process: str) -> None:
    """Start a process that is nobody's child.  A process also starts when it is first named."""
    c.process(process)


@operation("{process} writes {token} to {pages}")
def writes(c: Context, process: str, value: str, pages: Pages) -> None:
    """Store to each of the pages.  The stores must succeed."""
    c.do(Write(**c.span(process, pages), value=value))


@operation("{process} reads {pages}")
def reads(c: Context, process: str, pages: Pages) -> None:
    """Load from each of the pages, whatever they hold.  The loads must succeed."""
    c.do(Read(**c.span(process, pages)))


@operation("{process} forks {process}")
def fork(c: Context, process: str, child: str) -> None:
    """fork(2).  The child has the regions of the parent, under the same names."""
    c.do(protocol.Fork(process=c.process(process), child=child))
    c.regions[child] = dict(c.regions[process])


@operation("{process} forks {processes}")
def forks(c: Context, process: str, children: tuple[str, ...]) -> None:
    """fork(2), once for each child."""
    for child in children:
        fork(c, process, child)


@operation("{process} exits")
def exit_(c: Context, process: str) -> None:
    """The process exits; its memory is gone."""
    c.do(protocol.Exit(process=process))
    del c.regions[process]


@operation("{process} unmaps {pages}")
def unmap(c: Context, process: str, pages: Pages) -> None:
    """munmap(2)."""
    c.do(Unmap(**c.span(process, pages)))


@operation("{processes} exit")
def exit_all(c: Context, processes: tuple[str, ...]) -> None:
    """The processes exit, one after the other."""
    for process in processes:
        exit_(c, process)


@operation("{processes} read {pages}")
def read_all(c: Context, processes: tuple[str, ...], pages: Pages) -> None:
    """Each process loads from each of the pages."""
    for process in processes:
        reads(c, process, pages)


@operation("{processes} write {token} to {pages}")
def write_all(c: Context, processes: tuple[str, ...], value: str, pages: Pages) -> None:
    """Each process stores to each of the pages."""
    for process in processes:
        writes(c, process, value, pages)


@operation("{processes} unmap {pages}")
def unmap_all(c: Context, processes: tuple[str, ...], pages: Pages) -> None:
    """Each process calls munmap(2)."""
    for process in processes:
        unmap(c, process, pages)


@operation("{process} calls {advice} on {pages}")
def calls_madvise(c: Context, process: str, advice: str, pages: Pages) -> None:
    """madvise(2); it must succeed."""
    madvise(c, process, advice, pages)


def madvise(c: Context, process: str, advice: str, pages: Pages) -> None:
    """madvise(2); it must succeed.  Some advice is a capability of its own."""
    require_advice(c, advice)
    c.do(Madvise(**c.span(process, pages), advice=advice))  # type: ignore[arg-type]


def require_advice(c: Context, advice: str) -> None:
    """Raise Unsupported if the implementation lacks what the advice needs."""
    c.require({"collapse": "collapse", "pageout": "swap", "mergeable": "ksm"}.get(advice))


@operation("{process} tries {advice} on {pages}")
def tries_madvise(c: Context, process: str, advice: str, pages: Pages) -> None:
    """madvise(2) that may fail; `it fails with …` or `it succeeds` tells."""
    require_advice(c, advice)
    c.attempt = c.send(Madvise(**c.span(process, pages), advice=advice))  # type: ignore[arg-type]


@operation("{process} makes {pages} {protection}")
def makes(c: Context, process: str, pages: Pages, protection: str) -> None:
    """mprotect(2)."""
    c.do(Mprotect(**c.span(process, pages), protection=protection))  # type: ignore[arg-type]


@operation("{process} moves {pages} to {name}")
def move(c: Context, process: str, pages: Pages, to: str) -> None:
    """mremap(2): the pages become the whole of a new region; the old place is a hole."""
    span = c.span(process, pages)
    c.do(Mremap(**span, to=to))
    c.regions[process][to] = span["count"]


@operation("{area} is mapped by PTEs")
def map_by_ptes(c: Context, area: Area) -> None:
    """Make the first page read-only and writable again: a VMA boundary inside a PMD splits it, and no other way
    is needed."""
    for protection in ("read", "read-write"):
        span = c.span(area.process, Pages(0, 1, area.region))
        c.do(Mprotect(**span, protection=protection))


@operation("{pages} of {area} is/are swapped out")
def swap_out(c: Context, pages: Pages, area: Area) -> None:
    """MADV_PAGEOUT, and see that a swap entry is there for each page."""
    span = c.span(area.process, Pages(pages.first, pages.count, area.region))
    c.require("swap")
    c.do(Madvise(**span, advice="pageout"))
    compare(c, protocol.Entry(**span), "swap", "a swap entry")


@operation("{process} vmsplices {pages} into pipe {name}")
def vmsplice(c: Context, process: str, pages: Pages, pipe: str) -> None:
    """vmsplice(2): the pipe takes one FOLL_GET reference per page."""
    c.do(protocol.Vmsplice(**c.span(process, pages), pipe=pipe))


@operation("pipe {name} is closed")
def close_pipe(c: Context, pipe: str) -> None:
    """Close the pipe unread; its references are dropped."""
    c.do(protocol.ClosePipe(pipe=pipe))


@operation("{process} registers {pages} as io_uring buffer {name}")
def register_buffer(c: Context, process: str, pages: Pages, buffer: str) -> None:
    """Register an io_uring fixed buffer: a long-term pin for writing."""
    c.do(protocol.RegisterBuffer(**c.span(process, pages), buffer=buffer))


@operation("io_uring buffer {name} is unregistered")
def unregister_buffer(c: Context, buffer: str) -> None:
    """Drop the pins of a fixed buffer."""
    c.do(protocol.UnregisterBuffer(buffer=buffer))


# --- what is then seen ------------------------------------------------------------------------------------


@outcome("{process} reads {token} in {pages}")
def reads_value(c: Context, process: str, value: str, pages: Pages) -> None:
    """Load from each of the pages and compare.  An empty token is a page of zeros."""
    compare(c, Read(**c.span(process, pages)), value, repr(value))


@outcome("{process} cannot read {pages}: {signal}")
def cannot_read(c: Context, process: str, pages: Pages, signal: str) -> None:
    """A load from the first of the pages ends in the signal."""
    _refused(c, Read(**c.span(process, pages)), signal)


@outcome("{process} cannot write {pages}: {signal}")
def cannot_write(c: Context, process: str, pages: Pages, signal: str) -> None:
    """A store to the first of the pages ends in the signal."""
    _refused(c, Write(**c.span(process, pages), value="x"), signal)


def _refused(c: Context, request: protocol.Request, signal: str) -> None:
    reply = c.send(request)
    if reply.signal != signal:
        raise Mismatch(f"{describe(request)} to end in {signal}", str(reply))


@outcome("it fails with {errno}")
def fails_with(c: Context, errno: str) -> None:
    """The last `tries` was refused with this error."""
    if c.attempt is None or c.attempt.errno != errno:
        raise Mismatch(f"the call to fail with {errno}", str(c.attempt))


@outcome("it succeeds")
def succeeds(c: Context) -> None:
    """The last `tries` succeeded."""
    if c.attempt is None or c.attempt.status != "ok":
        raise Mismatch("the call to succeed", str(c.attempt))


@outcome("pipe {name} holds {token}")
def pipe_holds(c: Context, pipe: str, value: str) -> None:
    """Read the whole pipe: each page in it holds this now.  The references are dropped."""
    compare(c, protocol.ReadPipe(pipe=pipe), value, repr(value))


@outcome("io_uring buffer {name} holds {token}")
def buffer_holds(c: Context, buffer: str, value: str) -> None:
    """What a device would read through the fixed buffer."""
    compare(c, protocol.ReadBuffer(buffer=buffer), value, repr(value))


@outcome("{area} has {entry} for {pages}")
def has_entry(c: Context, area: Area, entry: str, pages: Pages) -> None:
    """What the page table holds for each of the pages.  Nothing is faulted in by looking."""
    compare(c, protocol.Entry(**span_of(c, pages, area)), entry, repr(entry))


# --- comparing --------------------------------------------------------------------------------------------


def span_of(c: Context, pages: Pages, area: Area) -> dict[str, Any]:
    """The fields of a query for `{pages} of {area}`.  Either may name the region.  Raises VocabularyError if they name
    different ones."""
    if pages.region != area.region and DEFAULT_REGION not in (pages.region, area.region):
        raise VocabularyError(f"{pages} is said of {area}: which region is it?")
    region = pages.region if area.region == DEFAULT_REGION else area.region
    return c.span(area.process, Pages(pages.first, pages.count, region))


def compare(c: Context, request: protocol.Request, expected: object, words: str) -> None:
    """Every item of the value must equal `expected`; the first that does not is shown."""
    for index, seen in enumerate(c.do(request)):
        if seen != expected:
            raise Mismatch(words, f"{seen!r}{_at(request, index)}")


def compare_number(c: Context, request: protocol.Request, expected: Number, what: str) -> None:
    """Every item of the value must be admitted; where more than one number is, what was seen is noted."""
    values = c.do(request)
    for index, seen in enumerate(values):
        if not expected.admits(seen):
            raise Mismatch(f"{what} {expected}", f"{seen}{_at(request, index)}")
    if not expected.exact:
        c.note(f"{what} {expected}: seen {', '.join(str(v) for v in sorted(set(values)))}")


def _at(request: protocol.Request, index: int) -> str:
    first = getattr(request, "first", None)
    if first is None or getattr(request, "count", 1) == 1:
        return ""
    return f" at page {first + index}"
