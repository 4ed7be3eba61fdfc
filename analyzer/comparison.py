"""What changes in what is said of sessions when the models change.

Both pipelines replay the same frames and sound; what they say is compared over each session, over
each track, and in pieces of equal length. Intervals resample people.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.measures.agreement import cohen_kappa, interval
from affetti.analyzer.measures.course import Parameters
from affetti.analyzer.measures.estimates import LABELS, MODALITIES, ModalityName
from affetti.analyzer.measures.summary import Summary
from affetti.analyzer.replay import Progress, replayed
from affetti.core.emotions import EMOTIONS
from affetti.core.recording.session import Session
from affetti.models.pipelines import Offer

WHOLE: Final = -1  # in the place of a track's number: the whole session


@dataclass(frozen=True)
class Said:
    """What one pipeline says of a stretch.

    Attributes
    ----------
    strongest
        What has the highest mean probability; None where nothing was said.
    share
        How probable that is, 0 to 1; NaN where nothing was said.
    coverage
        0 to 1; NaN where nothing was due.
    emotions
        The means over the four emotions; NaN where nothing was said.
    """

    strongest: str | None
    share: float
    coverage: float
    emotions: tuple[float, ...]


@dataclass(frozen=True)
class Stretch:
    """A session, or a track in it, by both pipelines.

    Attributes
    ----------
    track
        Position of the track in its session's list of playings, or `WHOLE`.
    title
        Of the track; "" of a session.
    """

    modality: ModalityName
    track: int
    title: str
    before: Said
    after: Said

    @property
    def flipped(self) -> bool:
        """Whether both say something, and not the same."""
        both = self.before.strongest is not None and self.after.strongest is not None
        return both and self.before.strongest != self.after.strongest


@dataclass(frozen=True)
class Flip:
    """A piece of which the two pipelines say different things."""

    modality: ModalityName
    start_s: float
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """What changes in one session.

    Attributes
    ----------
    recording, person
        Its file's name, and whose session it is.
    stretches
        The whole, then its tracks, a modality each.
    flips
        In order of time.
    pieces
        Of each modality: what both said in the pieces in which both said something, as indices
        into its labels: int64 [n, 2].
    """

    recording: str
    person: str
    stretches: Sequence[Stretch]
    flips: Sequence[Flip]
    pieces: dict[ModalityName, list[tuple[int, int]]]


@dataclass(frozen=True)
class Total:
    """What changes over all sessions, for one modality.

    Attributes
    ----------
    pieces, alike
        How many both spoke of, and the share of which they say the same, 0 to 1.
    kappa
        Cohen's.
    shifts
        By emotion: by how much its mean over a session changes, -1 to 1, in the mean of the
        sessions, with its 95 % interval over people.
    flipped, stretches
        Of how many sessions and tracks what is strongest changes, and how many there are.
    """

    modality: ModalityName
    pieces: int
    alike: float
    kappa: float
    shifts: dict[str, tuple[float, float, float]]
    flipped: int
    stretches: int


def difference_of(
    recording: Path,
    before: Offer,
    after: Offer,
    piece_s: float,
    progress: Progress | None = None,
) -> Difference:
    """Replay a recording with two pipelines and return what changes from one to the other.

    Raises
    ------
    AffettiError
        It cannot be read, or its pictures or sound were not kept.
    """
    parameters = Parameters(segment_s=piece_s)
    with Session.open(recording) as session:
        tell = progress or (lambda *_: None)
        old = analyze(
            session, replayed(session, lambda done, of: tell(done, 2 * of), before), parameters
        )
        new = analyze(
            session,
            replayed(session, lambda done, of: tell(of + done, 2 * of), after, verified=True),
            parameters,
        )
        person = session.started.person
    pieces = {name: _pieces(name, old, new) for name in MODALITIES}
    flips = [flip for name in MODALITIES for flip in _flips(name, old, new)]
    return Difference(
        recording.name,
        person,
        list(_stretches(old, new)),
        sorted(flips, key=lambda flip: flip.start_s),
        {name: [(a, b) for _, a, b in found] for name, found in pieces.items()},
    )


def _stretches(old: Analysis, new: Analysis) -> Iterator[Stretch]:
    for name in MODALITIES:
        yield Stretch(name, WHOLE, "", _said(old.summaries[name]), _said(new.summaries[name]))
        for i, (was, now) in enumerate(zip(old.tracks, new.tracks, strict=True)):
            told = _said(was.summaries[name]), _said(now.summaries[name])
            yield Stretch(name, i, was.title, *told)


def _said(summary: Summary) -> Said:
    strongest = summary.strongest
    return Said(
        None if strongest is None else strongest.value,
        float(np.nanmax(summary.shares)) if strongest is not None else float("nan"),
        summary.coverage,
        tuple(float(each) for each in summary.emotions),
    )


def _pieces(name: ModalityName, old: Analysis, new: Analysis) -> list[tuple[float, int, int]]:
    was, now = old.segments[name], new.segments[name]
    both = ~np.isnan(was.shares[:, 0]) & ~np.isnan(now.shares[:, 0])
    return [
        (float(was.start_s[i]), int(was.shares[i].argmax()), int(now.shares[i].argmax()))
        for i in np.flatnonzero(both)
    ]


def _flips(name: ModalityName, old: Analysis, new: Analysis) -> Iterator[Flip]:
    for start_s, a, b in _pieces(name, old, new):
        if a != b:
            yield Flip(name, start_s, LABELS[name][a].value, LABELS[name][b].value)


def totals_of(differences: Sequence[Difference]) -> list[Total]:
    """Return what changes over all sessions, a modality each."""
    return [_total(name, differences) for name in MODALITIES]


def _total(name: ModalityName, differences: Sequence[Difference]) -> Total:
    pieces = [piece for each in differences for piece in each.pieces[name]]
    was, now = [a for a, _ in pieces], [b for _, b in pieces]
    stretches = [s for each in differences for s in each.stretches if s.modality == name]
    return Total(
        name,
        len(pieces),
        float(np.mean(np.equal(was, now))) if pieces else float("nan"),
        cohen_kappa(was, now, len(LABELS[name])),
        _shifts(name, differences),
        sum(stretch.flipped for stretch in stretches),
        len(stretches),
    )


def _shifts(
    name: ModalityName, differences: Sequence[Difference]
) -> dict[str, tuple[float, float, float]]:
    wholes = [
        (each.person, np.subtract(s.after.emotions, s.before.emotions))
        for each in differences
        for s in each.stretches
        if s.modality == name and s.track == WHOLE
    ]
    known = [(who, moved) for who, moved in wholes if not np.isnan(moved).any()]
    groups: dict[str, list[int]] = defaultdict(list)
    for i, (who, _) in enumerate(known):
        groups[who].append(i)
    moved = np.array([each for _, each in known]).reshape(-1, len(EMOTIONS))
    found = {}
    for i, emotion in enumerate(EMOTIONS):
        found[emotion.value] = _mean_of(moved[:, i], groups)
    return found


def _mean_of(
    values: NDArray[np.float64], groups: dict[str, list[int]]
) -> tuple[float, float, float]:
    """Return a mean over sessions, and its interval over people."""

    def mean(units: Sequence[int]) -> float:
        return float(values[list(units)].mean())

    if not len(values):
        return (float("nan"),) * 3
    return (mean(range(len(values))), *interval(mean, groups))
