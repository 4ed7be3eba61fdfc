"""Praat's TextGrid, as its manual describes the long form of the text file.

Rows of stretches are interval tiers, in which Praat wants the gaps as well; moments are point
tiers, of which no two points may have one time.
"""

from collections.abc import Iterator
from pathlib import Path

from affetti.analyzer.exports import Source, new_file
from affetti.analyzer.exports.tiers import Label, Tier, tiers_of


def write(source: Source, target: Path, name: str) -> list[Path]:
    """Write a session; see `analyzer.exports.Format.write`."""
    tiers, end_s = tiers_of(source.analysis), source.analysis.state.duration_s
    with new_file(target) as file:
        file.write(text_of(tiers, end_s).encode())
    return [target]


def text_of(tiers: list[Tier], end_s: float) -> str:
    """Return the text of some rows of a session that ends at `end_s`."""
    end_s = max([end_s, *(label.stop_s for tier in tiers for label in tier.labels)])
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', ""]
    lines += [
        "xmin = 0",
        f"xmax = {end_s!r}",
        "tiers? <exists>",
        f"size = {len(tiers)}",
        "item []:",
    ]
    for number, tier in enumerate(tiers, start=1):
        lines += [f"    item [{number}]:", *_lines(tier, end_s)]
    return "\n".join(lines) + "\n"


def _lines(tier: Tier, end_s: float) -> Iterator[str]:
    kind, named = ("TextTier", "points") if tier.moments else ("IntervalTier", "intervals")
    labels = list(_points(tier) if tier.moments else _filled(tier, end_s))
    yield f'        class = "{kind}"'
    yield f"        name = {_quoted(tier.name)}"
    yield "        xmin = 0"
    yield f"        xmax = {end_s!r}"
    yield f"        {named}: size = {len(labels)}"
    for number, label in enumerate(labels, start=1):
        yield f"        {named} [{number}]:"
        if tier.moments:
            yield f"            number = {label.start_s!r}"
            yield f"            mark = {_quoted(label.text)}"
        else:
            yield f"            xmin = {label.start_s!r}"
            yield f"            xmax = {label.stop_s!r}"
            yield f"            text = {_quoted(label.text)}"


def _filled(tier: Tier, end_s: float) -> Iterator[Label]:
    at_s = 0.0
    for label in tier.labels:
        start_s = max(label.start_s, at_s)
        if start_s > at_s:
            yield Label(at_s, start_s, "")
        if label.stop_s > start_s:
            yield Label(start_s, label.stop_s, label.text)
            at_s = label.stop_s
    if at_s < end_s:
        yield Label(at_s, end_s, "")


def _points(tier: Tier) -> Iterator[Label]:
    at_s = -1.0
    for label in tier.labels:
        at_s = max(label.start_s, at_s + 1e-6)
        yield Label(at_s, at_s, label.text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
