# SPDX-License-Identifier: MIT
"""The picture of one step: page tables and folios as strips, counters as text, what changed marked with ▲.

A region or folio that the step left alone keeps its strip and loses its text, which stands in an earlier picture.

A picture is drawn from two answers to the `state` query, before the step and after it.  It is 344 units wide, so
that it fits a phone without being scaled.  Colours only repeat what the labels say.  `Picture.words` says in
sentences what the step changed, for those who do not see it.
"""

from __future__ import annotations

import textwrap
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .html import esc, numbers

WIDTH = 344
MARGIN = 14
"""Strips and text begin at 0; the mark of a change stands left of that."""
STRIP = WIDTH - MARGIN - 2
CELL = 48
"""Width of a page at most."""
LINE = 16
CHAR = 6.1
"""Width of a character of the 12 pixel text, on the careful side."""
LONGEST = int(STRIP / CHAR)
MOST_RUNS = 6
"""Runs of a strip that are also written out; what is left is counted."""
HUES = 6

State = dict[str, Any]
Run = dict[str, Any]


@dataclass(frozen=True)
class Picture:
    """A drawing, what changed in words, and how much that is."""

    shapes: str
    height: int
    words: str
    changes: int

    def svg(self, title: str, name: str) -> str:
        """The whole element; `name` is for another picture to point at.  The shapes carry the class themselves."""
        return self._svg(title, f'<g class="ms-g" id="{name}">{self.shapes}</g>')

    def svg_like(self, title: str, name: str) -> str:
        """The same drawing again: it is on the page already, under this name."""
        return self._svg(title, f'<use href="#{name}"/>')

    def _svg(self, title: str, inner: str) -> str:
        return (
            f'<svg class="ms-svg" viewBox="-{MARGIN} 0 {WIDTH} {self.height}" role="img"><title>{esc(title)}</title>'
            f"<desc>{esc(self.words)}</desc>{inner}</svg>"
        )


@dataclass(frozen=True)
class Box:
    """A run of pages in a strip; the first of the labels that fits is written into it."""

    first: int
    count: int
    kind: str
    labels: tuple[str, ...] = ()


@dataclass
class Canvas:
    """Collects elements from top to bottom."""

    parts: list[str] = field(default_factory=list)
    y: int = 0

    def text(self, text: str, kind: str = "", *, changed: bool = False) -> None:
        """A line of text, broken if it is too long; a changed one is bold and marked."""
        kinds = " ".join(filter(None, [kind, "ch" if changed else ""]))
        attribute = f' class="{kinds}"' if kinds else ""
        if changed:
            self.parts.append(f'<text x="-13" y="{self.y + LINE - 4}" class="ch">▲</text>')
        for number, line in enumerate(_broken(text, LONGEST - 3 * changed)):
            self.y += LINE
            indent = ' x="12"' if number else ""
            self.parts.append(f'<text{indent} y="{self.y - 4}"{attribute}>{esc(line)}</text>')

    def strip(self, pages: int, boxes: list[Box], height: int) -> None:
        """Runs of pages side by side.  Page boundaries are shown while there are few enough to see."""
        cell = min(CELL, STRIP / pages)
        for box in boxes:
            x, width = box.first * cell, box.count * cell
            self.parts.append(
                f'<rect x="{x:.4g}" y="{self.y}" width="{width:.4g}" height="{height}" class="box {box.kind}"/>'
            )
            if box.count > 1 and pages <= 16:
                self.parts.append(  # a thick dashed line whose dashes are the ticks
                    f'<path d="M{x + cell:.4g} {self.y + height - 3}h{width - 2 * cell + 1:.4g}" class="tick" '
                    f'stroke-dasharray="1 {cell - 1:.4g}"/>'
                )
        for box in boxes:
            width = box.count * cell
            label = next((text for text in box.labels if len(text) * CHAR + 4 <= width), "")
            if label:
                x, y = box.first * cell + width / 2, self.y + height / 2 + 4
                self.parts.append(f'<text x="{x:.4g}" y="{y:.4g}" class="in">{esc(label)}</text>')
        self.y += height + 2

    def gap(self, height: int) -> None:
        self.y += height


def _broken(text: str, longest: int) -> list[str]:
    return [text] if len(text) <= longest else textwrap.wrap(text, longest)


def draw(state: State, before: State | None) -> Picture:
    """Draw the state after a step.  `before` None: there is nothing to compare with."""
    canvas, words = Canvas(), []
    for part in (_processes, _holders, _folios):
        words += [sentence for changed, sentence in part(canvas, state, before) if changed]
    if not state["processes"] and not state["folios"]:
        canvas.text("nothing yet", "dim")
    text = " ".join(words) or "Nothing has changed."
    return Picture("".join(canvas.parts), canvas.y + 4, text, len(words))


# --- processes ------------------------------------------------------------------------------------------


def _processes(canvas: Canvas, state: State, before: State | None) -> Iterator[tuple[bool, str]]:
    """Regions with their entries."""
    old = before["processes"] if before is not None else None
    alike: list[str] = []
    last = None
    for name, process in state["processes"].items():
        key = (process, (old or {}).get(name))
        if len(state["processes"]) > MOST_RUNS and key == last:
            alike.append(name)
            continue
        last = key
        yield from _as_well(canvas, alike)
        if not process["regions"]:
            new = old is not None and name not in old
            canvas.text(f"{name} has no regions", "head", changed=new)
            yield new, f"Process {name} has no regions."
        for region, data in process["regions"].items():
            had = old.get(name, {}).get("regions", {}).get(region) if old is not None else data
            yield from _region(canvas, name, region, data, had)
            canvas.gap(6)
    yield from _as_well(canvas, alike)
    gone = [name for name in (old or {}) if name not in state["processes"]]
    if gone:
        canvas.text(f"exited: {_names(gone)}", "head", changed=True)
        yield True, f"Exited: {_names(gone)}."
        canvas.gap(6)


def _as_well(canvas: Canvas, names: list[str]) -> Iterator[tuple[bool, str]]:
    """Processes that look like the one before them, if there are too many to draw.  Empties the list."""
    if names:
        canvas.text(f"{_names(names)}: the same", "dim")
        yield True, f"{_names(names)} the same."
        canvas.gap(6)
        names.clear()


def _names(names: list[str]) -> str:
    """All of them, or the first and the last and how many."""
    return ", ".join(names) if len(names) <= MOST_RUNS else f"{names[0]} to {names[-1]} ({len(names)})"


def _region(canvas: Canvas, process: str, name: str, data: Run, had: Run | None) -> Iterator[tuple[bool, str]]:
    pages = data["pages"]
    vmas, old_vmas = data["vmas"], had["vmas"] if had else None
    alone = len(vmas) == 1 and vmas[0]["first"] == 0 and vmas[0]["count"] == pages
    what = f"{pages} page{'s' if pages > 1 else ''}" + (f", {_vma(vmas[0])}" if alone else "")
    moved = had is not None and vmas != old_vmas
    canvas.text(f"{process} {name}: {what}", "head", changed=had is None or (alone and moved))
    yield had is None or moved, f"Process {process}, region {name}: {what}."
    if not alone:
        for vma in vmas:
            changed = moved and vma not in (old_vmas or [])
            text = f"VMA {numbers(vma['first'], vma['count'])}: {_vma(vma)}"
            canvas.text(text, "dim", changed=changed)
            yield changed, f"{text}."
        if not vmas:
            canvas.text("no VMA: unmapped", "dim", changed=moved)
            yield moved, "No VMA is left."
    entries = [run for run in data["entries"] if run["kind"] != "none" or _covered(run, vmas)]
    differ = _different(entries, had["entries"] if had else None, _entry_key)
    entries, differ = _gathered(entries, differ)
    boxes = [
        Box(run["first"], run["count"], _entry_class(run) + " chb" * changed, _entry_labels(run))
        for run, changed in zip(entries, differ, strict=True)
    ]
    canvas.strip(pages, boxes, 20)
    if had is None or any(differ):
        for changed, sentence in _written_out(canvas, entries, differ if had else [False] * len(entries), _entry_text):
            yield changed or had is None, f"{process} {name} {sentence}"


def _gathered(entries: list[Run], differ: list[bool]) -> tuple[list[Run], list[bool]]:
    """Neighbours that differ only in their folio as one run, if there are too many to draw."""
    if len(entries) <= 2 * MOST_RUNS:
        return entries, differ
    runs: list[Run] = []
    flags: list[bool] = []
    for run, changed in zip(entries, differ, strict=True):
        last = runs[-1] if runs else None
        if last and flags[-1] == changed and _alike(last, run) and last["first"] + last["count"] == run["first"]:
            runs[-1] = {**last, "count": last["count"] + run["count"], "to": run.get("folio")}
        else:
            runs.append(run)
            flags.append(changed)
    return runs, flags


def _alike(a: Run, b: Run) -> bool:
    return all(a.get(key) == b.get(key) for key in ("kind", "writable", "exclusive"))


def _covered(run: Run, vmas: list[Run]) -> bool:
    """Whether a run without entries lies in a VMA: a hole is not drawn."""
    return any(v["first"] < run["first"] + run["count"] and run["first"] < v["first"] + v["count"] for v in vmas)


def _vma(vma: Run) -> str:
    words = [vma["sharing"], vma["protection"]]
    if vma.get("file"):
        words.append(f"file {vma['file']}")
    if vma.get("driver"):
        words.append(f"driver {vma['driver']}")
    return ", ".join([*words, *vma.get("flags", [])])


def _entry_key(run: Run, offset: int) -> tuple[Any, ...]:
    page = None if run.get("page") is None else run["page"] + offset
    return run["kind"], run.get("folio"), page, run.get("writable"), run.get("exclusive")


def _target(run: Run) -> str:
    if not run.get("folio"):  # a raw entry of addresses without struct page
        return f"{run.get('device') or 'device'}:{numbers(run.get('page') or 0, run['count'])}"
    if "to" in run:
        return f"{run['folio']} to {run['to']}"
    return f"{run['folio']}:{numbers(run.get('page') or 0, run['count'])}"


def _entry_labels(run: Run) -> tuple[str, ...]:
    match run["kind"]:
        case "none":
            return ("empty",)
        case "swap":
            return ("swap",)
        case "zero" | "huge-zero":
            return ("zero",)
        case "raw" | "raw-pmd":
            return (f"raw {_target(run)}", "raw")
    return (_target(run), str(run["folio"]))


def _entry_class(run: Run) -> str:
    match run["kind"]:
        case "none":
            return "none"
        case "swap":
            return "swap"
        case "zero" | "huge-zero":
            return "zero"
        case "pmd":
            return f"pmd {_hue(run['folio'])}"
        case "raw" | "raw-pmd":
            return "raw pmd" if run["kind"] == "raw-pmd" else "raw"
    return _hue(run["folio"])


def _hue(folio: str) -> str:
    """One of six colours; the label tells folios apart, the colour helps the eye."""
    digits = "".join(c for c in folio if c.isdigit())
    return f"f{int(digits or 0) % HUES}"


def _entry_text(run: Run) -> str:
    where = numbers(run["first"], run["count"])
    match run["kind"]:
        case "none":
            return f"{where}: no entry"
        case "swap":
            return f"{where}: swap entry" + (", exclusive" if run.get("exclusive") else "")
        case "zero":
            return f"{where}: PTE → zero page, read-only"
        case "huge-zero":
            return f"{where}: PMD → huge zero page, read-only"
    level = {
        "pte": "PTE", "pmd": "PMD", "hugetlb": "hugetlb entry", "raw": "raw PTE", "raw-pmd": "raw PMD"
    }[run["kind"]]  # fmt: skip
    plural = "s" if run["kind"] in ("pte", "raw") and run["count"] > 1 else ""
    mode = "writable" if run.get("writable") else "read-only"
    return f"{where}: {level}{plural} → {_target(run)}, {mode}" + (", exclusive" if run.get("exclusive") else "")


# --- pipes and buffers ----------------------------------------------------------------------------------


def _holders(canvas: Canvas, state: State, before: State | None) -> Iterator[tuple[bool, str]]:
    """What holds references without an entry: pipes, io_uring buffers, and what a driver holds."""
    for key, word in (("pipes", "pipe"), ("buffers", "io_uring buffer"), ("holds", "hold")):
        old = before.get(key, {}) if before is not None else state.get(key, {})
        groups: dict[tuple[str, bool], list[str]] = {}
        for name, held in state.get(key, {}).items():
            pages = [f"{folio}:{numbers(first, count)}" for folio, first, count in _pages_as_runs(held)]
            shown = ", ".join(pages[:MOST_RUNS]) + (f" and {len(pages) - MOST_RUNS} more" * (len(pages) > MOST_RUNS))
            groups.setdefault((shown or "nothing", old.get(name) != held), []).append(name)
        for (shown, changed), names in groups.items():
            text = f"{word}{'s' * (len(names) > 1)} {_names(names)}: {shown}"
            canvas.text(text, "head", changed=changed)
            yield changed, f"{text}."
            canvas.gap(6)
        gone = [name for name in old if name not in state.get(key, {})]
        if gone:
            text = f"{word}{'s' * (len(gone) > 1)} gone: {_names(gone)}"
            canvas.text(text, "head", changed=True)
            yield True, f"{text}."
            canvas.gap(6)


def _pages_as_runs(held: list[Run]) -> list[tuple[str, int, int]]:
    runs: list[tuple[str, int, int]] = []
    for item in held:
        page, count = item.get("page") or 0, item.get("count", 1)
        if runs and runs[-1][0] == item["folio"] and runs[-1][1] + runs[-1][2] == page:
            runs[-1] = (item["folio"], runs[-1][1], runs[-1][2] + count)
        else:
            runs.append((item["folio"], page, count))
    return runs


# --- folios ---------------------------------------------------------------------------------------------

_KINDS = {
    "anon": "anonymous", "ksm": "KSM page", "file": "file", "shmem": "shmem", "hugetlb": "hugetlb",
    "zero": "zero page", "huge-zero": "huge zero page",
}  # fmt: skip
_COUNTERS = (
    ("refcount", "refcount"), ("pincount", "pins"), ("mapcount", "mapcount"), ("entire_mapcount", "entire"),
    ("nr_pages_mapped", "pages mapped"),
)  # fmt: skip


def _folios(canvas: Canvas, state: State, before: State | None) -> Iterator[tuple[bool, str]]:
    old = {f["id"]: f for f in (before if before is not None else state)["folios"]}
    shown = [f for f in state["folios"] if f["kind"] not in ("zero", "huge-zero")]
    for group in _same(shown, old):
        yield from _folio(canvas, group, old.get(group[0]["id"]))
        canvas.gap(6)
    here = {f["id"] for f in state["folios"]}
    gone = [name for name in old if name not in here]
    if gone:
        canvas.text(f"freed: {_names(gone)}", "head", changed=True)
        yield True, f"Freed: {_names(gone)}."


def _same(folios: list[Run], old: dict[str, Run]) -> list[list[Run]]:
    """Folios in groups of those that differ in nothing but their names, if there are too many to draw."""
    if len(folios) <= MOST_RUNS:
        return [[folio] for folio in folios]
    groups: list[list[Run]] = []
    last = None
    for folio in folios:
        key = (_identity(folio), _identity(old.get(folio["id"])))
        if key == last:
            groups[-1].append(folio)
        else:
            groups.append([folio])
            last = key
    return groups


def _identity(folio: Run | None) -> Run:
    """All but the name and the place in the file."""
    return {key: value for key, value in (folio or {}).items() if key not in ("id", "index")}


def _folio(canvas: Canvas, group: list[Run], had: Run | None) -> Iterator[tuple[bool, str]]:
    folio = group[0]
    pages = 1 << folio["order"]
    what = _folio_head(folio)
    changed = had is None or what != _folio_head(had)
    if len(group) > 1:
        what = f"{folio['id']} to {group[-1]['id']}, {len(group)} folios, each {_folio_head(folio).partition(': ')[2]}"
    canvas.text(what + ", new" * (had is None), "head", changed=changed)
    yield changed, f"Folio {what}" + (" is new." if had is None else ".")
    counts = folio.get("page_mapcounts")
    runs = counts or [{"first": 0, "count": pages, "value": None}]
    differ = _different(runs, (had or {}).get("page_mapcounts"), _value_key) if counts and had else [False] * len(runs)
    boxes = []
    for run, changed in zip(runs, differ, strict=True):
        kind = "unmapped" if run["value"] == 0 else _hue(folio["id"])
        label = () if run["value"] is None else (f"{run['value']}×",)  # noqa: RUF001
        boxes.append(Box(run["first"], run["count"], kind + " chb" * (changed or had is None), label))
    canvas.strip(pages, boxes, 18)
    if had is not None and _identity(had) == _identity(folio):
        return
    if counts and pages > 1:
        each = ", ".join(f"{numbers(r['first'], r['count'])}: {r['value']}" for r in counts[:MOST_RUNS])
        more = f" and {len(counts) - MOST_RUNS} more runs" if len(counts) > MOST_RUNS else ""
        canvas.text(f"page mapcounts {each}{more}", changed=any(differ))
        yield any(differ) or had is None, f"Page mapcounts {each}{more}."
    for line, changed in _counter_lines(folio, had):
        canvas.text(line, changed=changed)
        yield changed or had is None, f"{folio['id']} {line}."
    for changed, sentence in [*_owners(canvas, folio, had), *_contents(canvas, folio, had)]:
        yield changed or had is None, sentence


def _folio_head(folio: Run) -> str:
    words = [str(_KINDS.get(folio["kind"], folio["kind"]))]
    if folio.get("file"):
        words[0] += f" {folio['file']} from page {folio.get('index', 0)}"
    words.append(f"order {folio['order']}")
    words += [word for key, word in (("partially_mapped", "partially mapped"), ("swapcache", "in the swap cache"))
              if folio.get(key)]  # fmt: skip
    return f"{folio['id']}: {', '.join(words)}"


def _counter_lines(folio: Run, had: Run | None) -> Iterator[tuple[str, bool]]:
    """The counters: unchanged ones share a line, each changed one says from what to what."""
    same = []
    for key, word in _COUNTERS:
        value = folio.get(key)
        if value is None or (folio["order"] == 0 and key in ("entire_mapcount", "nr_pages_mapped")):
            continue
        previous = value if had is None else had.get(key)
        if key == "pincount" and not value and not previous:
            continue
        if previous == value:
            same.append(f"{word} {value}")
        else:
            yield f"{word} {previous} → {value}", True
    if same:
        yield ", ".join(same), False


def _owners(canvas: Canvas, folio: Run, had: Run | None) -> Iterator[tuple[bool, str]]:
    owners = folio.get("owners")
    if not owners:
        return
    changed = had is not None and had.get("owners") != owners
    slots = [f"{s['process']} {s['count']}" if s["process"] is not None else "free" for s in owners["slots"]]
    shared = "maybe shared" if owners["maybe_shared"] else "not shared"
    canvas.text(f"owner slots: {' | '.join(slots)}; {shared}", changed=changed)
    yield changed, f"Owner slots: {' and '.join(slots)}; {shared}."


def _contents(canvas: Canvas, folio: Run, had: Run | None) -> Iterator[tuple[bool, str]]:
    runs = folio.get("contents") or []
    differ = _different(runs, had.get("contents") if had else None, _value_key) if had else [False] * len(runs)
    if len(runs) == 1:
        texts = [f"holds {_token(runs[0])}"]
    else:
        texts = [f"{numbers(r['first'], r['count'])} {_token(r)}" for r in runs[:MOST_RUNS]]
        texts[:1] = [f"holds {t}" for t in texts[:1]]
    if texts:
        text = ", ".join(texts) + (f" and {len(runs) - MOST_RUNS} more runs" if len(runs) > MOST_RUNS else "")
        canvas.text(text, changed=any(differ))
        yield any(differ), f"It {text}."


def _token(run: Run) -> str:
    return f"“{run['value']}”" if run["value"] else "zeros"


# --- runs -----------------------------------------------------------------------------------------------


def _value_key(run: Run, _: int) -> tuple[Any, ...]:
    return (run["value"],)


def _different(now: list[Run], then: list[Run] | None, key: Callable[[Run, int], tuple[Any, ...]]) -> list[bool]:
    """For each run: whether any page of it was something else before.  `then` None: all of it is new."""
    if then is None:
        return [True] * len(now)
    if now == then:
        return [False] * len(now)
    starts = [run["first"] for run in then]
    return [_run_differs(run, then, max(bisect_right(starts, run["first"]) - 1, 0), key) for run in now]


def _run_differs(run: Run, then: list[Run], at: int, key: Callable[[Run, int], tuple[Any, ...]]) -> bool:
    """Whether a run differs from the old ones, of which the one at `at` is the first that can overlap it."""
    covered, end = 0, run["first"] + run["count"]
    while at < len(then) and then[at]["first"] < end:
        old = then[at]
        first = max(run["first"], old["first"])
        last = min(end, old["first"] + old["count"])
        if first < last:
            covered += last - first
            if key(run, first - run["first"]) != key(old, first - old["first"]):
                return True
        at += 1
    return covered < run["count"] and run.get("kind") != "none"


def _written_out(
    canvas: Canvas, runs: list[Run], differ: list[bool], say: Callable[[Run], str]
) -> Iterator[tuple[bool, str]]:
    """The runs as lines, changed ones first in line when there are too many."""
    chosen = list(zip(runs, differ, strict=True))
    if len(chosen) > MOST_RUNS:
        keep = sorted(range(len(chosen)), key=lambda i: not chosen[i][1])[:MOST_RUNS]
        shown = [chosen[i] for i in sorted(keep)]
    else:
        shown = chosen
    for run, changed in shown:
        canvas.text(say(run), changed=changed)
        yield changed, f"{say(run)}."
    if len(chosen) > len(shown):
        canvas.text(f"and {len(chosen) - len(shown)} more runs", "dim")
        yield False, f"And {len(chosen) - len(shown)} more runs."
