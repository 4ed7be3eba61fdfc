"""Agreement, held against what was published and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

from affetti.analyzer.measures.agreement import (
    cohen_kappa,
    interval,
    intraclass_correlation,
    krippendorff_alpha,
    scores,
)

NAN = float("nan")
# Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), section C and D.
FOUR_OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
# Shrout and Fleiss (1979), table 2.
FOUR_JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_krippendorffs(level: str, published: float) -> None:
    assert round(krippendorff_alpha(FOUR_OBSERVERS, level), 3) == published


@pytest.mark.parametrize(
    ("model", "mean", "published"),
    [
        (1, False, 0.17),
        (2, False, 0.29),
        (3, False, 0.71),
        (1, True, 0.44),
        (2, True, 0.62),
        (3, True, 0.91),
    ],
)
def test_the_intraclass_correlation_is_shrouts_and_fleisss(
    model: int, mean: bool, published: float
) -> None:
    assert round(intraclass_correlation(FOUR_JUDGES, model, mean), 2) == published


def test_kappa_is_cohens() -> None:
    # Two raters of fifty: 20 and 15 alike, 5 and 10 not: 0.7 by 0.5 expected.
    first = [0] * 25 + [1] * 25
    second = [0] * 20 + [1] * 5 + [0] * 10 + [1] * 15
    assert cohen_kappa(first, second, 2) == pytest.approx(0.4)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_kappa_and_f1_are_those_of_scikit_learn(weights: str) -> None:
    chance = np.random.default_rng(4)
    first = chance.integers(5, size=300)
    second = np.where(chance.random(300) < 0.5, first, chance.integers(5, size=300))
    expected = cohen_kappa_score(first, second, weights=None if weights == "none" else weights)
    assert cohen_kappa(first, second, 5, weights) == pytest.approx(expected, abs=1e-12)
    found = [score.f1 for score in scores(first, second, 5)]
    assert found == pytest.approx(list(f1_score(first, second, average=None)), abs=1e-12)


def test_what_cannot_be_said_is_not_a_number() -> None:
    assert np.isnan(cohen_kappa([], [], 3))
    assert np.isnan(cohen_kappa([1, 1], [1, 1], 3))  # nobody ever varied
    assert np.isnan(krippendorff_alpha(np.array([[1, NAN], [NAN, 2]])))
    assert np.isnan(interval(lambda _: 0.5, {"P07": [0, 1]})).all()


def test_an_interval_is_over_people_not_over_moments() -> None:
    alike = {f"P{i}": range(100 * i, 100 * i + 100) for i in range(8)}
    right = np.repeat([1, 1, 1, 1, 0, 0, 1, 0], 100)
    low, high = interval(lambda units: float(right[list(units)].mean()), alike)
    # Eight people, five of them right: the spread of a mean of eight, not of eight hundred.
    assert low < 0.35
    assert high > 0.85
