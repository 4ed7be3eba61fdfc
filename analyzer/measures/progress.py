"""A person over sessions: what each session came to, and what the sessions together can carry.

A figure of a few sessions is shown as what it is: the values, side by side. An interval of their
mean is given from `MIN_SESSIONS` on, and that something became more or less is said from
`MIN_TO_COMPARE` on, of the later half of the sessions against the earlier, and only where few ways
to shuffle the sessions would set them as far apart.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Final, Literal, TypeAlias, TypeVar

import numpy as np
from scipy.special import stdtrit

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.measures.summary import Summary
from affetti.analyzer.study.statistics import SEED
from affetti.core.emotions import FloatArray, Label

MIN_SESSIONS: Final = 5
MIN_TO_COMPARE: Final = 8  # of six, no split is rare enough
_LEVEL: Final = 0.05
_MAX_EXACT: Final = 6  # sessions in a half
_DRAWN: Final = 4000
MIN_COVERAGE: Final = 0.5  # of a track, below which its face is not counted

Direction: TypeAlias = Literal["more", "less", "neither", "too_few"]
# What something was counted as: label, form, stream.
Counted: TypeAlias = tuple[str, str, str]
Played: TypeAlias = tuple[str, Label]
_Name = TypeVar("_Name")


@dataclass(frozen=True)
class Sitting:
    """What one session came to.

    Attributes
    ----------
    session_id, wall_clock, duration_s
        Which, when, and how long.
    face, music
        What they expressed over the session, with their coverage.
    rates
        How often a minute each marker was set and each kind of sound was heard.
    tracks
        By title and expression: its mean probability in the face, of tracks that were seen for
        `MIN_COVERAGE` of their time; the mean of several playings.
    reports
        What the person reported, by the name of the scale: "valence", "arousal", or the
        therapist's; the mean of several answers.
    """

    session_id: str
    wall_clock: str
    duration_s: float
    face: Summary
    music: Summary
    rates: Mapping[Counted, float]
    tracks: Mapping[Played, float]
    reports: Mapping[str, float]


def sitting_of(analysis: Analysis) -> Sitting:
    """Return what a session came to."""
    info = analysis.info
    rates = {
        (count.label, str(count.form), count.stream): count.rate_per_min
        for count in analysis.counts
    }
    return Sitting(
        info.session_id,
        info.wall_clock,
        info.duration_s,
        analysis.summaries["face"],
        analysis.summaries["music"],
        rates,
        _tracks(analysis),
        _reports(analysis),
    )


def _tracks(analysis: Analysis) -> dict[Played, float]:
    found: dict[Played, list[float]] = {}
    for track in analysis.tracks:
        face = track.summaries["face"]
        if face.said and face.coverage >= MIN_COVERAGE:
            for label, share in zip(face.labels, face.shares, strict=True):
                found.setdefault((track.title, label), []).append(float(share))
    return _means(found)


def _reports(analysis: Analysis) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for report in analysis.state.self_reports:
        named = {"valence": report.valence, "arousal": report.arousal, **report.scales}
        for name, value in named.items():
            if value is not None:
                found.setdefault(name, []).append(float(value))
    return _means(found)


def _means(found: Mapping[_Name, list[float]]) -> dict[_Name, float]:
    return {name: float(np.mean(values)) for name, values in found.items()}


@dataclass(frozen=True)
class Series:
    """One measure over sessions.

    Attributes
    ----------
    values
        Of each session, in order; NaN where it is not known.
    mean, low, high
        Over the sessions that have it; the interval holds 95 %, NaN of too few.
    direction
        Whether it became more or less, as far as that can be said.
    difference
        The later half's mean less the earlier's; NaN where nothing is said.
    """

    values: tuple[float, ...]
    mean: float
    low: float
    high: float
    direction: Direction
    difference: float = math.nan

    @property
    def sessions(self) -> int:
        """How many sessions have it."""
        return sum(not math.isnan(value) for value in self.values)


def series_of(values: Sequence[float]) -> Series:
    """Return a measure over sessions, from its value in each, in order; NaN where unknown."""
    known: FloatArray = np.array([v for v in values if not math.isnan(v)], np.float64)
    mean = float(known.mean()) if len(known) else math.nan
    low, high = _interval(known)
    direction, difference = _direction(known)
    return Series(tuple(values), mean, low, high, direction, difference)


def _interval(known: FloatArray) -> tuple[float, float]:
    """Return the 95 % interval of a mean by Student's t; NaN of too few."""
    if len(known) < MIN_SESSIONS:
        return math.nan, math.nan
    half = float(stdtrit(len(known) - 1, 0.975) * known.std(ddof=1) / math.sqrt(len(known)))
    return float(known.mean()) - half, float(known.mean()) + half


def _direction(known: FloatArray) -> tuple[Direction, float]:
    """Return whether the later half differs from the earlier more than shuffled sessions do.

    A permutation test of the difference of means, two-sided, at 5 % (Fisher 1935): exact where all
    splits can be tried. The middle one of an odd number is left out.
    """
    if len(known) < MIN_TO_COMPARE:
        return "too_few", math.nan
    half = len(known) // 2
    halves = np.concatenate([known[:half], known[-half:]])
    difference = float(halves[half:].mean() - halves[:half].mean())
    apart = np.abs([2 * halves[list(split)].mean() - 2 * halves.mean() for split in _splits(half)])
    by_chance = float((apart >= abs(difference) - 1e-12).mean())
    if not difference or by_chance > _LEVEL:
        return "neither", difference
    return ("more" if difference > 0 else "less"), difference


def _splits(half: int) -> Iterable[Sequence[int]]:
    """Return the ways to take half of the sessions: all, or where they are many, some of them."""
    if half <= _MAX_EXACT:
        return combinations(range(2 * half), half)
    chance = np.random.default_rng(SEED)
    return [chance.permutation(2 * half)[:half].tolist() for _ in range(_DRAWN)]


def recurring(sittings: Sequence[Sitting]) -> list[str]:
    """Return the titles of tracks whose face can be told of in two sessions or more."""
    titles = [{title for title, _ in each.tracks} for each in sittings]
    counts = {title: sum(title in each for each in titles) for title in chain(*titles)}
    return sorted(title for title, count in counts.items() if count > 1)
