"""How far people agree with each other and with the estimates on what a face expressed.

Sessions are cut into ticks. In each a rater says what their label is that holds at its middle;
the estimates say what has the highest mean probability in it, where the face was read. Two are
compared over the ticks in which both say something, and the figures say how many those are.
Intervals resample people, for the ticks of one person are not independent of each other.

What a rater said without sight of the estimates, and what with them in sight, are two voices:
who sees what is estimated tends to say the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.measures.agreement import (
    Score,
    interval_of,
    intraclass_correlation,
    kappa_of,
    krippendorff_alpha,
    scores,
    table_of,
)
from affetti.analyzer.measures.course import Parameters
from affetti.analyzer.replay import Progress, reported
from affetti.core.clock import NS_PER_S
from affetti.core.custody import boxes
from affetti.core.custody.artefacts import ANNOTATIONS
from affetti.core.emotions import EXPRESSIONS, Expression, FloatArray
from affetti.core.people import annotations
from affetti.core.people.annotations import KINDS, RATING, Annotation
from affetti.core.recording.session import Session

ESTIMATES: Final = "estimates"
CODES: Final = tuple(expression.value for expression in EXPRESSIONS)
# How pleasant an expression is, in three steps that have an order, for what weighs by distance.
_PLEASANT: Final = {Expression.HAPPY: 1, Expression.NEUTRAL: 0, Expression.SURPRISE: 0}
PLEASANTNESS: Final = np.array([_PLEASANT.get(each, -1) for each in EXPRESSIONS], float)
_WEIGHTS: Final = np.subtract.outer(PLEASANTNESS, PLEASANTNESS) ** 2
_CELLS: Final = [each.ravel() for each in np.indices(_WEIGHTS.shape)]
_SILENT: Final = -1

# What it takes to trust the estimates of a person: kappa is "moderate" from here on by Landis and
# Koch, "The measurement of observer agreement for categorical data" (1977).
TRUST_KAPPA: Final = 0.41
MIN_TICKS: Final = 60
MIN_STRETCHES: Final = 3


class Voice(NamedTuple):
    """Who says something: a rater's id, or `ESTIMATES`; and whether no estimate was in sight."""

    rater: str
    blind: bool = True


_MODEL: Final = Voice(ESTIMATES)
# Ratings by the stretch of a session that they are of, and by their name.
Ratings = Mapping[tuple[int, str], float]


@dataclass(frozen=True)
class Rated:
    """What was said of one session, tick by tick.

    Attributes
    ----------
    person
        Whose session it is.
    voices
        int64 [ticks], an index into `CODES`, or -1.
    stretches
        int64 [ticks], the playing of a track that each tick lies in, from 0; -1 outside of all.
    ratings
        By voice: the mean of the numbers that were given in a stretch.
    others
        Labels that are none of the seven; they are left out.
    """

    person: str
    voices: Mapping[Voice, NDArray[np.int64]]
    stretches: NDArray[np.int64]
    ratings: Mapping[Voice, Ratings]
    others: int


@dataclass(frozen=True)
class Correlation:
    """An intraclass correlation, and of how many things that were rated by both."""

    count: int
    icc: float


@dataclass(frozen=True)
class Pair:
    """How far two agree.

    Attributes
    ----------
    first, second
        A rater's id, or `ESTIMATES`, which is always the second. Both may be one rater, who
        labelled without sight of the estimates, and with.
    blind
        Whether each rater of the two saw no estimate; and each of the two by itself.
    ticks, of_ticks
        In how many both said something, and how many there are.
    alike
        The share in which they said the same, 0 to 1.
    kappa, kappa_interval
        Cohen's, and its 95 % interval over people; NaN of one person.
    weighted_kappa, weighted_kappa_interval
        The same of how pleasant it is, in three steps (see `PLEASANTNESS`), with squared weights.
    icc, icc_interval
        The intraclass correlation of the mean of that over a track, of a single rater out of
        many (Shrout and Fleiss's 2, 1); and over how many `stretches`.
    classes
        Of what the second said against the first, by `CODES`.
    people
        Kappa of each person.
    ratings
        By name: the intraclass correlation of ratings in numbers, in the mean over a track.
    """

    first: str
    second: str
    blind: bool
    blind_first: bool
    blind_second: bool
    ticks: int
    of_ticks: int
    alike: float
    kappa: float
    kappa_interval: tuple[float, float]
    weighted_kappa: float
    weighted_kappa_interval: tuple[float, float]
    icc: float
    icc_interval: tuple[float, float]
    stretches: int
    classes: Sequence[Score]
    people: Mapping[str, float]
    ratings: Mapping[str, Correlation]


@dataclass(frozen=True)
class Trust:
    """Whether the estimates deserve trust for a person, by who labelled without sight of them.

    Attributes
    ----------
    person
        Whose face it is.
    answer
        `yes`: the interval of kappa lies above `TRUST_KAPPA`; `no`: below; `open`: it holds it;
        `too_little`: fewer than `MIN_TICKS` pieces, or `MIN_STRETCHES` tracks and stretches
        between them, or only one expression; `sighted`: there are only labels that were made with
        the estimates in sight, which prove nothing.
    ticks, stretches
        How many it rests on.
    kappa, kappa_interval
        Of the raters with the estimates, and its 95 % interval over those stretches.
    between
        Kappa of the raters with each other for this person; NaN of one.
    """

    person: str
    answer: str
    ticks: int
    stretches: int
    kappa: float
    kappa_interval: tuple[float, float]
    between: float


@dataclass(frozen=True)
class Agreement:
    """How far all agree.

    Attributes
    ----------
    sessions, people, others
        How many, and how many labels were none of the seven.
    pairs
        Every two voices, raters and estimates.
    alpha, alpha_blind
        Krippendorff's, of all raters without the estimates, and of those who saw none; NaN of one.
    trust
        A row a person.
    """

    sessions: int
    people: int
    others: int
    pairs: Sequence[Pair]
    alpha: float
    alpha_blind: float
    trust: Sequence[Trust]


def rated(recording: Path, tick_s: float, progress: Progress | None = None) -> Rated | None:
    """Return what was said of a recording; None where nobody labelled or rated it.

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
        numbers = [each for each in labels if each.label == RATING and each.values]
        if not known and not numbers:
            return None
        analysis = analyze(session, reported(session, progress), Parameters(segment_s=tick_s))
    others = sum(each.label not in KINDS for each in labels) - len(known)
    segments = analysis.segments["face"]
    middles = (segments.start_s + segments.stop_s) / 2
    voices = {voice: _spoken(theirs, middles) for voice, theirs in _by_voice(known).items()}
    return Rated(
        session.started.person,
        {**voices, _MODEL: _estimated(segments.shares)},
        _stretches_at(middles, analysis),
        {voice: _rated(theirs, analysis) for voice, theirs in _by_voice(numbers).items()},
        others,
    )


def _by_voice(said: Iterable[Annotation]) -> dict[Voice, list[Annotation]]:
    found: dict[Voice, list[Annotation]] = defaultdict(list)
    for each in said:
        found[Voice(each.author_id, each.blind)].append(each)
    return found


def _estimated(shares: FloatArray) -> NDArray[np.int64]:
    said = ~np.isnan(shares[:, 0])
    strongest = np.full(len(shares), _SILENT, np.int64)
    strongest[said] = np.argmax(shares[said], axis=1)
    return strongest


def _spoken(labels: Iterable[Annotation], middles: FloatArray) -> NDArray[np.int64]:
    """Return a voice's label at each moment; of several that hold the one written last."""
    found = np.full(len(middles), _SILENT, np.int64)
    for each in sorted(labels, key=lambda each: each.written):
        if each.start_ns is not None and each.stop_ns is not None:
            start_s, stop_s = each.start_ns / NS_PER_S, each.stop_ns / NS_PER_S
            found[(middles >= start_s) & (middles < stop_s)] = CODES.index(each.label)
    return found


def _stretches_at(moments_s: FloatArray, analysis: Analysis) -> NDArray[np.int64]:
    """Return the playing that each moment lies in; -1 outside of all."""
    found = np.full(len(moments_s), _SILENT, np.int64)
    for i, track in enumerate(analysis.tracks):
        found[(moments_s >= track.start_s) & (moments_s < track.stop_s)] = i
    return found


def _rated(ratings: Iterable[Annotation], analysis: Analysis) -> Ratings:
    given: dict[tuple[int, str], list[float]] = defaultdict(list)
    for each in ratings:
        at_s = np.array([(each.start_ns or 0) / NS_PER_S])
        (stretch,) = _stretches_at(at_s, analysis).tolist()
        for name, value in each.values.items():
            given[stretch, name].append(value)
    return {of: float(np.mean(values)) for of, values in given.items()}


def agreement_of(sessions: Sequence[Rated]) -> Agreement:
    """Return how far all agree over some sessions."""
    raters = sorted({voice for each in sessions for voice in (*each.voices, *each.ratings)})
    raters = [voice for voice in raters if voice != _MODEL]
    pairs = [_pair(sessions, *two) for two in combinations([*raters, _MODEL], 2)]
    people = sorted({each.person for each in sessions})
    return Agreement(
        len(sessions),
        len(people),
        sum(each.others for each in sessions),
        [pair for pair in pairs if pair.ticks or pair.ratings],
        _alpha(sessions, raters),
        _alpha(sessions, [voice for voice in raters if voice.blind]),
        [_trust(person, [each for each in sessions if each.person == person]) for person in people],
    )


def _alpha(sessions: Sequence[Rated], voices: Sequence[Voice]) -> float:
    rows = [np.concatenate([_said(each, voice) for each in sessions]) for voice in voices]
    if len(rows) < 2:
        return float("nan")
    ratings = np.array(rows, float)
    ratings[ratings == _SILENT] = np.nan
    return krippendorff_alpha(ratings)


def _said(session: Rated, voice: Voice) -> NDArray[np.int64]:
    silent = np.full(len(session.stretches), _SILENT, np.int64)
    return session.voices.get(voice, silent)


@dataclass(frozen=True)
class _Common:
    """What two said of one session, where both said something: int64 [n] each."""

    person: str
    ones: NDArray[np.int64]
    others: NDArray[np.int64]
    stretches: NDArray[np.int64]

    def table(self) -> NDArray[np.int64]:
        return table_of(self.ones, self.others, len(CODES))

    def by_stretch(self) -> "Iterator[_Common]":
        for stretch in np.unique(self.stretches):
            of = self.stretches == stretch
            yield _Common(self.person, self.ones[of], self.others[of], self.stretches[of])

    def pleasantness(self) -> tuple[float, float]:
        """Return its mean by both."""
        ours, theirs = PLEASANTNESS[self.ones].mean(), PLEASANTNESS[self.others].mean()
        return float(ours), float(theirs)


def _common(session: Rated, first: Voice, second: Voice) -> _Common:
    ones, others = _said(session, first), _said(session, second)
    both = (ones != _SILENT) & (others != _SILENT)
    return _Common(session.person, ones[both], others[both], session.stretches[both])


def _pair(sessions: Sequence[Rated], first: Voice, second: Voice) -> Pair:
    found = [_common(each, first, second) for each in sessions]
    found = [each for each in found if len(each.ones)]
    people = sorted({each.person for each in found})
    of_people = [[each for each in found if each.person == person] for person in people]
    tables = _tables(of_people)
    whole = tables.sum(axis=0)
    means = [_means(each) for each in of_people]
    total = int(whole.sum())

    def kappa(chosen: NDArray[np.int64]) -> float:
        return kappa_of(tables[chosen].sum(axis=0))

    def weighted(chosen: NDArray[np.int64]) -> float:
        return kappa_of(tables[chosen].sum(axis=0), _WEIGHTS)

    def icc(chosen: NDArray[np.int64]) -> float:
        return intraclass_correlation(np.concatenate([means[i] for i in chosen]))

    everybody = np.arange(len(people))
    ones, twos = (np.repeat(each, whole.ravel()).tolist() for each in _CELLS)
    return Pair(
        first.rater,
        second.rater,
        first.blind and second.blind,
        first.blind,
        second.blind,
        total,
        sum(len(each.stretches) for each in sessions),
        float(np.trace(whole)) / total if total else float("nan"),
        kappa_of(whole),
        interval_of(kappa, len(people)),
        kappa_of(whole, _WEIGHTS),
        interval_of(weighted, len(people)),
        icc(everybody) if total else float("nan"),
        interval_of(icc, len(people)),
        sum(map(len, means)),
        scores(ones, twos, len(CODES)),
        {who: kappa_of(table) for who, table in zip(people, tables, strict=True)},
        _correlations(sessions, first, second),
    )


def _tables(groups: Sequence[Sequence[_Common]]) -> NDArray[np.int64]:
    """Return int64 [groups, k, k]."""
    found = np.zeros((len(groups), len(CODES), len(CODES)), np.int64)
    for i, group in enumerate(groups):
        for each in group:
            found[i] += each.table()
    return found


def _means(sessions: Iterable[_Common]) -> FloatArray:
    """Return how pleasant each stretch is by both: float64 [stretches, 2]."""
    return np.array([part.pleasantness() for each in sessions for part in each.by_stretch()])


def _correlations(sessions: Sequence[Rated], first: Voice, second: Voice) -> dict[str, Correlation]:
    rated: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for session in sessions:
        ours, theirs = session.ratings.get(first, {}), session.ratings.get(second, {})
        for of in ours.keys() & theirs.keys():
            rated[of[1]].append((ours[of], theirs[of]))
    return {
        name: Correlation(len(both), intraclass_correlation(np.array(both)))
        for name, both in sorted(rated.items())
    }


def _trust(person: str, sessions: Sequence[Rated]) -> Trust:
    voices = sorted({voice for each in sessions for voice in each.voices} - {_MODEL})
    blind = [voice for voice in voices if voice.blind]
    with_model = [(voice, _MODEL) for voice in blind]
    parts = [_parts(each, with_model) for each in sessions]
    tables = np.array([table for found in parts for table in found.values()])
    tables = tables.reshape(-1, len(CODES), len(CODES))
    between = [_parts(each, list(combinations(blind, 2))) for each in sessions]
    among = np.zeros((len(CODES), len(CODES)), np.int64)
    for found in between:
        for table in found.values():
            among += table
    kappa = kappa_of(tables.sum(axis=0))
    spread = interval_of(lambda chosen: kappa_of(tables[chosen].sum(axis=0)), len(tables))
    ticks = int(tables.sum())
    answer = _answer(bool(blind) or not voices, ticks, len(tables), spread)
    return Trust(person, answer, ticks, len(tables), kappa, spread, kappa_of(among))


def _parts(session: Rated, pairs: Sequence[tuple[Voice, Voice]]) -> dict[int, NDArray[np.int64]]:
    """Return what pairs of voices said, by stretch, where they said something."""
    found: dict[int, NDArray[np.int64]] = {}
    for first, second in pairs:
        for part in _common(session, first, second).by_stretch():
            stretch = int(part.stretches[0])
            found[stretch] = found.get(stretch, 0) + part.table()
    return found


def _answer(blind: bool, ticks: int, stretches: int, spread: tuple[float, float]) -> str:
    low, high = spread
    if not blind:
        return "sighted"
    if ticks < MIN_TICKS or stretches < MIN_STRETCHES or np.isnan(low):
        return "too_little"
    if low >= TRUST_KAPPA:
        return "yes"
    return "no" if high < TRUST_KAPPA else "open"
