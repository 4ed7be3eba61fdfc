"""A session as annotation programs see one: named rows of labelled stretches and moments.

Labels are the codes that tables have ("happiness", "paused"), not a sentence of any language;
what people wrote stays as they wrote it, without controls.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.measures.estimates import MODALITIES
from affetti.analyzer.measures.transitions import dwells_of
from affetti.core.clock import NS_PER_S
from affetti.core.events import MarkerAdded, Moment
from affetti.core.labels import lines


@dataclass(frozen=True)
class Label:
    """A stretch, or a moment where both times are the same, in seconds of session time."""

    start_s: float
    stop_s: float
    text: str


@dataclass(frozen=True)
class Tier:
    """A row of labels in order of time.

    Attributes
    ----------
    name
        Such as "face" or "heard room speech".
    labels
        Stretches of one row never overlap.
    moments
        Whether they are moments.
    """

    name: str
    labels: tuple[Label, ...]
    moments: bool = False


def tiers_of(analysis: Analysis) -> list[Tier]:
    """Return the rows of a session, without empty ones."""
    every = [*_tracks(analysis), *_expressed(analysis), *_heard(analysis), *_unseen(analysis)]
    every += [*_stretches(analysis), *_moments(analysis)]
    return [tier for tier in every if tier.labels]


def _tracks(analysis: Analysis) -> Iterator[Tier]:
    yield _tier("track", (Label(t.start_s, t.stop_s, t.title) for t in analysis.tracks))


def _expressed(analysis: Analysis) -> Iterator[Tier]:
    for name in MODALITIES:
        dwells = dwells_of(analysis.states[name])
        end_s = analysis.state.duration_s
        spoken = ((d.start_s, min(d.stop_s, end_s), d.state) for d in dwells if d.state is not None)
        yield _tier(name, (Label(start, stop, state.value) for start, stop, state in spoken))


def _heard(analysis: Analysis) -> Iterator[Tier]:
    for stream, heard in analysis.heard.items():
        for kind, stretches in heard.stretches.items():
            labels = (Label(a / NS_PER_S, b / NS_PER_S, kind) for a, b in stretches)
            yield _tier(f"heard {stream} {kind}", labels)


def _unseen(analysis: Analysis) -> Iterator[Tier]:
    for cause in dict.fromkeys(each.cause for each in analysis.unseen):
        found = [each for each in analysis.unseen if each.cause == cause]
        for moments in (False, True):
            labels = [
                Label(each.start_s, each.stop_s, each.what or cause)
                for each in found
                if (each.start_s == each.stop_s) == moments
            ]
            for row, apart in enumerate(_rows(labels)):
                yield _tier(f"unseen {cause}" + f" {row + 1}" * (row > 0), apart, moments)


def _stretches(analysis: Analysis) -> Iterator[Tier]:
    end_ns = analysis.state.now_ns
    marked = (
        Label(
            s.start_ns / NS_PER_S, (s.end_ns or end_ns) / NS_PER_S, s.label or _numbered(s.number)
        )
        for s in analysis.state.stretches
    )
    for row, labels in enumerate(_rows(sorted(marked, key=lambda label: label.start_s))):
        yield _tier("stretch" + f" {row + 1}" * (row > 0), labels)


def _moments(analysis: Analysis) -> Iterator[Tier]:
    found = [m for m in analysis.state.moments if not (isinstance(m, MarkerAdded) and m.edge)]
    for noun in dict.fromkeys(moment.noun for moment in found):
        labels = (_moment(moment) for moment in found if moment.noun == noun)
        yield _tier(noun, labels, moments=True)


def _moment(moment: Moment) -> Label:
    t_s = moment.t_ns / NS_PER_S
    number = moment.number if isinstance(moment, MarkerAdded) else None
    return Label(t_s, t_s, moment.words or _numbered(number))


def _numbered(number: int | None) -> str:
    return "" if number is None else str(number)


def _rows(labels: Iterable[Label]) -> list[list[Label]]:
    """Spread stretches, in order of their start, over as few rows as keep them apart."""
    rows: list[list[Label]] = []
    for label in labels:
        free = next((row for row in rows if row[-1].stop_s <= label.start_s), None)
        if free is None:
            rows.append([label])
        else:
            free.append(label)
    return rows


def _tier(name: str, labels: Iterable[Label], moments: bool = False) -> Tier:
    legal = (
        Label(each.start_s, each.stop_s, lines(each.text))
        for each in labels
        if moments or each.stop_s > each.start_s
    )
    return Tier(name, tuple(sorted(legal, key=lambda label: label.start_s)), moments)
