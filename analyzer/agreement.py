"""How far people agree with each other and with the estimates on what a face expressed.

Sessions are cut into ticks. In each a rater says what their label is that holds at its middle;
the estimates say what has the highest mean probability in it, where the face was read. Two are
compared over the ticks in which both say something, and the figures say how many those are.
Intervals resample people, for the ticks of one person are not independent of each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.analysis import analyze
from affetti.analyzer.measures.agreement import (
    Score,
    cohen_kappa,
    interval,
    krippendorff_alpha,
    scores,
)
from affetti.analyzer.measures.course import Parameters
from affetti.analyzer.replay import reported
from affetti.core.clock import NS_PER_S
from affetti.core.custody import boxes
from affetti.core.custody.artefacts import ANNOTATIONS
from affetti.core.emotions import EXPRESSIONS
from affetti.core.people import annotations
from affetti.core.people.annotations import KINDS, Annotation
from affetti.core.recording.session import Session

ESTIMATES: Final = "estimates"
CODES: Final = tuple(expression.value for expression in EXPRESSIONS)
_SILENT: Final = -1


@dataclass(frozen=True)
class Rated:
    """What was said of one session, tick by tick.

    Attributes
    ----------
    person
        Whose session it is.
    voices
        By rater's id, or `ESTIMATES`: int64 [ticks], an index into `CODES`, or -1.
    blind
        The raters who saw no estimate.
    others
        Labels that are none of the seven; they are left out.
    """

    person: str
    voices: Mapping[str, NDArray[np.int64]]
    blind: frozenset[str]
    others: int


@dataclass(frozen=True)
class Pair:
    """How far two agree.

    Attributes
    ----------
    first, second
        A rater's id, or `ESTIMATES`, which is always the second.
    blind
        Whether each rater of the two saw no estimate.
    ticks, of_ticks
        In how many both said something, and how many there are.
    alike
        The share in which they said the same, 0 to 1.
    kappa, kappa_interval
        Cohen's, and its 95 % interval over people; NaN of one person.
    classes
        Of what the second said against the first, by `CODES`.
    people
        Kappa of each person.
    """

    first: str
    second: str
    blind: bool
    ticks: int
    of_ticks: int
    alike: float
    kappa: float
    kappa_interval: tuple[float, float]
    classes: Sequence[Score]
    people: Mapping[str, float]


@dataclass(frozen=True)
class Agreement:
    """How far all agree.

    Attributes
    ----------
    sessions, people, others
        How many, and how many labels were none of the seven.
    pairs
        Every two raters, and each with the estimates.
    alpha
        Krippendorff's, of all raters without the estimates; NaN of one.
    """

    sessions: int
    people: int
    others: int
    pairs: Sequence[Pair]
    alpha: float


def rated(recording: Path, tick_s: float) -> Rated | None:
    """Return what was said of a recording; None where nobody labelled it.

    Raises
    ------
    AffettiError
        It or its annotations cannot be read.
    """
    log = recording.with_name(ANNOTATIONS.name(recording))
    if boxes.found_at(log) is None:
        return None
    with Session.open(recording) as session:
        standing = annotations.standing(annotations.read(log))
        labels = [
            each for each in standing
            if each.session_id == session.session_id and each.label and each.start_ns is not None
        ]  # fmt: skip
        known = [each for each in labels if each.label in CODES]
        if not known:
            return None
        analysis = analyze(session, reported(session), Parameters(segment_s=tick_s))
    segments = analysis.segments["face"]
    said = ~np.isnan(segments.shares[:, 0])
    strongest = np.full(len(segments), _SILENT, np.int64)
    strongest[said] = np.argmax(segments.shares[said], axis=1)
    middles = (segments.start_s + segments.stop_s) / 2
    by_rater: dict[str, list[Annotation]] = defaultdict(list)
    for each in known:
        by_rater[each.author_id].append(each)
    voices = {rater: _voice(theirs, middles) for rater, theirs in by_rater.items()}
    blind = {rater for rater, theirs in by_rater.items() if all(each.blind for each in theirs)}
    others = sum(each.label not in KINDS for each in labels) - len(known)
    return Rated(
        session.started.person, {**voices, ESTIMATES: strongest}, frozenset(blind), others
    )  # fmt: skip


def _voice(labels: Iterable[Annotation], middles: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a rater's label at each moment; of several that hold the one written last."""
    found = np.full(len(middles), _SILENT, np.int64)
    for each in sorted(labels, key=lambda each: each.written):
        if each.start_ns is not None and each.stop_ns is not None:
            start_s, stop_s = each.start_ns / NS_PER_S, each.stop_ns / NS_PER_S
            found[(middles >= start_s) & (middles < stop_s)] = CODES.index(each.label)
    return found


def agreement_of(sessions: Sequence[Rated]) -> Agreement:
    """Return how far all agree over some sessions."""
    raters = sorted({rater for each in sessions for rater in each.voices if rater != ESTIMATES})
    pairs = [_pair(sessions, *two) for two in combinations([*raters, ESTIMATES], 2)]
    people = {each.person for each in sessions}
    others = sum(each.others for each in sessions)
    shared = [pair for pair in pairs if pair.ticks]
    return Agreement(len(sessions), len(people), others, shared, _alpha(sessions, raters))


def _alpha(sessions: Sequence[Rated], raters: Sequence[str]) -> float:
    rows = [np.concatenate([_said(each, rater) for each in sessions]) for rater in raters]
    if len(rows) < 2:
        return float("nan")
    ratings = np.array(rows, float)
    ratings[ratings == _SILENT] = np.nan
    return krippendorff_alpha(ratings)


def _said(session: Rated, rater: str) -> NDArray[np.int64]:
    silent = np.full(len(session.voices[ESTIMATES]), _SILENT, np.int64)
    return session.voices.get(rater, silent)


def _pair(sessions: Sequence[Rated], first: str, second: str) -> Pair:
    ours = np.concatenate([_said(each, first) for each in sessions])
    theirs = np.concatenate([_said(each, second) for each in sessions])
    people = np.concatenate([[each.person] * len(each.voices[ESTIMATES]) for each in sessions])
    both = (ours != _SILENT) & (theirs != _SILENT)
    one, two, whose = ours[both], theirs[both], people[both]

    def kappa(units: Sequence[int]) -> float:
        chosen = np.asarray(units, int)
        return cohen_kappa(one[chosen].tolist(), two[chosen].tolist(), len(CODES))

    groups = {str(who): np.flatnonzero(whose == who).tolist() for who in np.unique(whose)}
    there = [each for each in sessions if first in each.voices and second in each.voices]
    blind = all({first, second} - {ESTIMATES} <= each.blind for each in there)
    return Pair(
        first, second, blind, int(both.sum()), len(both),
        float((one == two).mean()) if len(one) else float("nan"),
        kappa(range(len(one))),
        interval(kappa, groups),
        scores(one.tolist(), two.tolist(), len(CODES)),
        {who: kappa(units) for who, units in groups.items()},
    )  # fmt: skip
