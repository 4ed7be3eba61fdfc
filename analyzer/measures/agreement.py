"""How far raters agree, beyond what chance would give.

Formulas are those of Cohen (1960, 1968) for kappa, of Krippendorff ("Computing Krippendorff's
alpha-reliability", 2011) for alpha, and of Shrout and Fleiss (1979) for the intraclass correlation.
All are NaN where they are not defined: nothing was rated by two, or nobody ever varied.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import FloatArray

Weights: TypeAlias = Literal["none", "linear", "quadratic"]
Costs: TypeAlias = Weights | FloatArray  # float64 [categories, categories], 0 where both are alike
IntArray: TypeAlias = NDArray[np.int64]
Level: TypeAlias = Literal["nominal", "ordinal", "interval"]

RESAMPLES: Final = 2000
_SEED: Final = 20260101  # intervals are the same each time
_COVERED: Final = (2.5, 97.5)  # per cent


def cohen_kappa(
    first: Sequence[int], second: Sequence[int], categories: int, weights: Costs = "none"
) -> float:
    """Return Cohen's kappa of two raters.

    Parameters
    ----------
    first, second
        The category of each unit, 0 to `categories` - 1, by either.
    weights
        By how much a disagreement counts: fully; or, where categories are in an order, as their
        distance, or its square; or by a table of one's own.
    """
    return kappa_of(table_of(first, second, categories), weights)


def table_of(first: Sequence[int] | IntArray, second: Sequence[int] | IntArray, k: int) -> IntArray:
    """Return how often each two categories met: int64 [k, k], the first rater's in rows."""
    table = np.zeros((k, k), np.int64)
    np.add.at(table, (np.asarray(first, int), np.asarray(second, int)), 1)
    return table


def kappa_of(table: IntArray, weights: Costs = "none") -> float:
    """Return Cohen's kappa of a table as `table_of` makes it; see `cohen_kappa`."""
    total = float(table.sum())
    if not total:
        return float("nan")
    costs = _weights(weights, len(table)) if isinstance(weights, str) else weights
    chance = float((costs * np.outer(table.sum(axis=1), table.sum(axis=0))).sum()) / total
    return 1 - float((costs * table).sum()) / chance if chance else float("nan")


def _weights(name: Weights, categories: int) -> FloatArray:
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories))).astype(float)
    return {"none": (apart > 0).astype(float), "linear": apart, "quadratic": apart**2}[name]


def krippendorff_alpha(ratings: FloatArray, level: Level = "nominal") -> float:
    """Return Krippendorff's alpha of any number of raters, some of whom may have left units out.

    Parameters
    ----------
    ratings
        float64 [raters, units]; NaN where a unit was not rated.
    level
        What the numbers are: names, ranks, or measures.
    """
    ratings = np.asarray(ratings, float)
    shared = ratings[:, (~np.isnan(ratings)).sum(axis=0) >= 2]
    values = np.unique(shared[~np.isnan(shared)])
    if not len(values):
        return float("nan")
    pairs = _coincidences(shared, values)
    totals = pairs.sum(axis=1)
    costs = _costs(values, totals, level)
    expected = float((costs * np.outer(totals, totals)).sum()) / float(totals.sum() - 1)
    return 1 - float((costs * pairs).sum()) / expected if expected else float("nan")


def _coincidences(ratings: FloatArray, values: FloatArray) -> FloatArray:
    """Return how often two values were given to one unit: float64 [values, values]."""
    found = np.zeros((len(values), len(values)))
    for unit in ratings.T:
        given = np.searchsorted(values, unit[~np.isnan(unit)])
        counts = np.bincount(given, minlength=len(values)).astype(float)
        found += (np.outer(counts, counts) - np.diag(counts)) / (len(given) - 1)
    return found


def _costs(values: FloatArray, totals: FloatArray, level: Level) -> FloatArray:
    if level == "nominal":
        return np.asarray(values[:, None] != values[None, :], float)
    if level == "interval":
        return np.asarray((values[:, None] - values[None, :]) ** 2)
    below = np.cumsum(totals) - totals / 2  # a rank is as far from another as there are between
    return np.asarray((below[:, None] - below[None, :]) ** 2)


def intraclass_correlation(
    ratings: FloatArray, model: Literal[1, 2, 3] = 2, mean: bool = False
) -> float:
    """Return the intraclass correlation of judges who rated every target.

    Parameters
    ----------
    ratings
        float64 [targets, judges].
    model
        1: each target has judges of its own; 2: the judges are a sample; 3: they are all there are.
    mean
        Of the judges' mean, instead of a single one.
    """
    ratings = np.asarray(ratings, float)
    targets, judges = ratings.shape
    if targets < 2 or judges < 2:
        return float("nan")
    grand = float(ratings.mean())
    between = judges * float(((ratings.mean(axis=1) - grand) ** 2).sum()) / (targets - 1)
    of_judges = targets * float(((ratings.mean(axis=0) - grand) ** 2).sum()) / (judges - 1)
    total = float(((ratings - grand) ** 2).sum())
    within = (total - between * (targets - 1)) / (targets * (judges - 1))
    left = total - between * (targets - 1) - of_judges * (judges - 1)
    error = left / ((targets - 1) * (judges - 1))
    of_error = within if model == 1 else error
    drawn = (of_judges - error) / targets if model == 2 else 0.0  # judges who differ in level
    below = between + (drawn if mean else (judges - 1) * of_error + judges * drawn)
    return (between - of_error) / below if below else float("nan")


@dataclass(frozen=True)
class Score:
    """How well one class is found.

    Attributes
    ----------
    count
        How many units have it by whoever is held against.
    precision, recall, f1
        0 to 1; NaN where not defined.
    """

    count: int
    precision: float
    recall: float
    f1: float


def scores(truth: Sequence[int], said: Sequence[int], categories: int) -> list[Score]:
    """Return precision, recall and F1 of each class, of what was said against somebody's word."""
    true, told = np.asarray(truth, int), np.asarray(said, int)
    found = []
    for category in range(categories):
        hits = int(((true == category) & (told == category)).sum())
        wanted, named = int((true == category).sum()), int((told == category).sum())
        f1 = 2 * hits / (wanted + named) if wanted + named else float("nan")
        found.append(Score(wanted, _ratio(hits, named), _ratio(hits, wanted), f1))
    return found


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def interval(
    statistic: Callable[[Sequence[int]], float], groups: Mapping[str, Sequence[int]]
) -> tuple[float, float]:
    """Return the 95 % interval of a statistic when whole groups, such as people, are resampled.

    Parameters
    ----------
    statistic
        Of the units with some indices, any of them more than once.
    groups
        The indices of each group's units.

    Returns
    -------
    The 2.5th and 97.5th percentile of `RESAMPLES` resamples (Efron and Tibshirani 1993); NaN of
    fewer than two groups, of which nothing can be said.
    """
    members = [np.asarray(each, int) for each in groups.values()]

    def of_groups(chosen: IntArray) -> float:
        return statistic(np.concatenate([members[i] for i in chosen]).tolist())

    return interval_of(of_groups, len(members))


def interval_of(statistic: Callable[[IntArray], float], groups: int) -> tuple[float, float]:
    """Return what `interval` does, of a statistic of groups.

    Parameters
    ----------
    statistic
        Of the groups with some numbers, int64 [groups], any of them more than once.
    groups
        How many there are.
    """
    if groups < 2:
        return float("nan"), float("nan")
    chance = np.random.default_rng(_SEED)
    found = [statistic(chance.integers(groups, size=groups)) for _ in range(RESAMPLES)]
    if np.isnan(found).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(found, _COVERED)
    return float(low), float(high)
