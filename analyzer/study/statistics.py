"""Statistics over persons: a person counts once, however many sessions they have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 2000
LEVEL: Final = 0.95
SEED: Final = 20260101

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Description:
    """Some values, one of each person, in brief; NaN where there are too few.

    Attributes
    ----------
    persons
        How many there are.
    mean, sd
        The standard deviation has n - 1 below the line.
    low, high
        The bootstrap interval of the mean.
    """

    persons: int
    mean: float
    sd: float
    low: float
    high: float

    @property
    def standardized(self) -> float:
        """The mean in standard deviations; of within-person changes this is Cohen's d_z.

        Source: Lakens 2013, "Calculating and reporting effect sizes".
        """
        return self.mean / self.sd if self.sd > 0 else float("nan")


@dataclass(frozen=True)
class Contrast:
    """The difference between two conditions, second minus first.

    Attributes
    ----------
    kind
        "paired", of persons who were in both; "independent", of different persons;
        "overlapping", of some in both and some not, or "none", of nobody in one of them: then
        nothing is computed.
    persons
        Pairs; or persons in both groups together.
    difference, low, high
        Of the means, with its bootstrap interval.
    effect
        Cohen's d_z of pairs; Hedges' g of different persons.
    """

    kind: Literal["paired", "independent", "overlapping", "none"]
    persons: int
    difference: float
    low: float
    high: float
    effect: float


def by_person(values: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return the mean of each person's values; those that are NaN do not count."""
    found: dict[str, list[float]] = {}
    for person, value in values:
        if not np.isnan(value):
            found.setdefault(person, []).append(value)
    return {person: float(np.mean(found[person])) for person in sorted(found)}


def described(values: Floats) -> Description:
    """Return some values in brief: one of each person, float64 [n]."""
    count = len(values)
    if not count:
        return Description(0, *[float("nan")] * 4)
    sd = float(np.std(values, ddof=1)) if count > 1 else float("nan")
    return Description(count, float(np.mean(values)), sd, *interval(values))


def interval(values: Floats) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of values [n]; NaN of fewer than two.

    Source: Efron and Tibshirani 1993, chapter 13. Persons are drawn with replacement; the seed is
    fixed, so that the same values always have the same interval.
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    return _bounds(_resampled(values).mean(axis=1))


def contrast(first: Mapping[str, float], second: Mapping[str, float]) -> Contrast:
    """Return the difference between two conditions, each with a value of each person."""
    both = sorted(first.keys() & second.keys())
    if both and len(both) == min(len(first), len(second)):
        differences = np.array([second[person] - first[person] for person in both])
        found = described(differences)
        return Contrast("paired", len(both), found.mean, found.low, found.high, found.standardized)
    a, b = (np.array(list(each.values()), np.float64) for each in (first, second))
    if both or not len(a) or not len(b):
        kind: Literal["overlapping", "none"] = "overlapping" if both else "none"
        return Contrast(kind, len(first.keys() | second.keys()), *[float("nan")] * 4)
    bounds = (float("nan"), float("nan"))
    if len(a) > 1 and len(b) > 1:
        bounds = _bounds(_resampled(b, 1).mean(axis=1) - _resampled(a).mean(axis=1))
    return Contrast("independent", len(a) + len(b), float(b.mean() - a.mean()), *bounds, _g(a, b))


def _g(a: Floats, b: Floats) -> float:
    """Return Hedges' g of two groups. Source: Hedges 1981, with the approximate correction."""
    freedom = len(a) + len(b) - 2
    if len(a) < 2 or len(b) < 2:
        return float("nan")
    pooled = ((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / freedom
    if not pooled > 0:
        return float("nan")
    return float((b.mean() - a.mean()) / np.sqrt(pooled) * (1 - 3 / (4 * freedom - 1)))


def _resampled(values: Floats, stream: int = 0) -> Floats:
    rng = np.random.default_rng((SEED, stream))
    drawn = rng.integers(0, len(values), (RESAMPLES, len(values)))
    return np.asarray(values[drawn], np.float64)


def _bounds(means: Floats) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def pairs_of(levels: Sequence[str]) -> list[tuple[str, str]]:
    """Return every two levels in a row, and the last against the first where there are three."""
    pairs = list(pairwise(levels))
    return [*pairs, (levels[0], levels[-1])] if len(levels) > 2 else pairs
