# SPDX-License-Identifier: MIT
"""The phrases of the vocabulary with an example of each from a real scenario."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from itertools import groupby

from conformance import vocabulary
from conformance.suite import Scenario
from conformance.vocabulary import Phrase, VocabularyError, types

from .data import Site
from .html import esc, prose

TITLES = {"memory": "All chapters"}


def modules(site: Site, page_of: Callable[[str], str]) -> Iterator[tuple[str, str, str]]:
    """Module, title and HTML, in the order of the vocabulary."""
    examples = _examples(site)
    for module, group in groupby(vocabulary.phrases(), key=lambda p: p.module):
        title = TITLES.get(module) or site.suite.chapters.get(module, module)
        entries = []
        for _, phrases in groupby(group, key=lambda p: p.function):
            entries.append(_entry(list(phrases), examples, page_of))
        yield module, title, f'<dl class="ms-phrases">{"".join(entries)}</dl>'


def _examples(site: Site) -> dict[str, tuple[str, Scenario]]:
    """For each phrase a step that uses it: the shortest, and a real one."""
    found: dict[str, tuple[str, Scenario]] = {}
    seen: set[str] = set()
    for scenario in site.suite.scenarios.values():
        for step in scenario.steps:
            if step.text in seen or scenario.rule.proposal:
                continue
            seen.add(step.text)
            try:
                phrase, _ = vocabulary.match(step.text)
            except VocabularyError:
                continue
            text = f"{step.kind.title()} {step.text}"
            if phrase.text not in found or len(text) < len(found[phrase.text][0]):
                found[phrase.text] = (text, scenario)
    return found


def _entry(phrases: list[Phrase], examples: dict[str, tuple[str, Scenario]], page_of: Callable[[str], str]) -> str:
    """Phrases that mean the same: how they are written, what they do, an example."""
    kind = "Given, When" if phrases[0].kind == "operation" else "Then"
    names = "".join(
        f'<dt id="{_anchor(p)}"><span class="ms-kw">{kind}</span> <code>{_marked(p.text)}</code></dt>' for p in phrases
    )
    doc = "".join(f"<p>{prose(part)}</p>" for part in inspect.cleandoc(phrases[0].doc).split("\n\n"))
    since = {"frames": "It compares with what was there before the last When.",
             "counters": "It compares with the counters before the first When."}.get(phrases[0].since, "")  # fmt: skip
    shown = []
    for phrase in phrases:
        example = examples.get(phrase.text)
        if example:
            text, scenario = example
            link = f"{page_of(scenario.chapter)}#{scenario.outline}"
            shown.append(
                f'<pre class="ms-gherkin">{esc(text)}</pre><p class="ms-from">from '
                f'<a href="{esc(link)}"><code>{esc(scenario.outline)}</code></a></p>'
            )
            break
    if not shown:
        shown = ['<p class="ms-from">No scenario uses it yet.</p>']
    return f"{names}<dd>{doc}{f'<p>{since}</p>' if since else ''}{''.join(shown)}</dd>"


def _anchor(phrase: Phrase) -> str:
    return "phrase-" + re.sub(r"[^a-z0-9]+", "-", phrase.text.lower()).strip("-")


def _marked(text: str) -> str:
    """The phrase with links from its parameters to their description."""
    return re.sub(r"\{(\w+)\}", r'<a href="#parameter-\1">{\1}</a>', esc(text))


def parameters() -> str:
    """What stands for {…}."""
    vocabulary.phrases()  # modules define parameters of their own
    items = "".join(
        f'<dt id="parameter-{esc(d.name)}"><code>{{{esc(d.name)}}}</code></dt>'
        f'<dd><p>{prose(d.says)}</p><p class="ms-from">'
        + ", ".join(f"<code>{esc(e)}</code>" for e in d.examples)
        + "</p></dd>"
        for d in types.DOCS.values()
    )
    return f'<dl class="ms-phrases">{items}</dl>'
