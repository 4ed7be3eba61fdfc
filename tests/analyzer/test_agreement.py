"""Agreement, held against what was published and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

from affetti.analyzer.agreement import CODES, ESTIMATES, Rated, Voice, agreement_of
from affetti.analyzer.measures.agreement import (
    cohen_kappa,
    interval,
    interval_of,
    intraclass_correlation,
    kappa_of,
    krippendorff_alpha,
    scores,
    table_of,
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


def test_weighted_kappa_is_cohens_of_1968() -> None:
    # His table 1: proportions of two psychiatrists' three diagnoses, and the weights of each error.
    table = np.array([[44, 7, 9], [5, 20, 5], [1, 3, 6]])
    costs = np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]], float)
    assert round(kappa_of(table), 3) == 0.492
    assert round(kappa_of(table, costs), 3) == 0.348


def test_what_is_resampled_by_table_is_what_is_resampled_by_unit() -> None:
    chance = np.random.default_rng(7)
    first, second = chance.integers(3, size=(2, 60))
    second[:40] = first[:40]
    groups = {f"P{i}": range(10 * i, 10 * i + 10) for i in range(6)}
    tables = np.array([table_of(first[list(of)], second[list(of)], 3) for of in groups.values()])
    by_table = interval_of(lambda chosen: kappa_of(tables[chosen].sum(axis=0)), len(tables))
    by_unit = interval(lambda units: cohen_kappa(first[units], second[units], 3), groups)
    assert by_table == pytest.approx(by_unit)


HAPPY, NEUTRAL, SAD = (CODES.index(code) for code in ("happy", "neutral", "sad"))
R1, R2, MODEL = Voice("r1"), Voice("r2"), Voice(ESTIMATES)


def session(person: str, said: dict[Voice, list[int]], ratings: dict | None = None) -> Rated:
    count = len(next(iter(said.values())))
    stretches = np.arange(count) * 4 // count - 1  # a quarter before three tracks
    voices = {voice: np.array(labels) for voice, labels in said.items()}
    return Rated(person, voices, stretches, ratings or {}, 0)


TRUTH = [HAPPY, SAD, NEUTRAL, SAD] * 20
WRONG = [SAD, HAPPY, SAD, HAPPY] * 20


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({R1: TRUTH, MODEL: TRUTH}, "yes"),
        ({R1: TRUTH, R2: TRUTH, MODEL: WRONG}, "no"),
        ({R1: TRUTH, MODEL: TRUTH[:20] + WRONG[:40] + TRUTH[:20]}, "open"),
        ({R1: TRUTH[:40], MODEL: TRUTH[:40]}, "too_little"),
        ({R1: [HAPPY] * 80, MODEL: [HAPPY] * 80}, "too_little"),
        ({Voice("r1", False): TRUTH, MODEL: TRUTH}, "sighted"),
    ],
)
def test_trust_in_the_estimates_of_a_person_rests_on_who_did_not_see_them(
    said: dict[Voice, list[int]], answer: str
) -> None:
    (trust,) = agreement_of([session("P07", said)]).trust
    assert (trust.person, trust.answer) == ("P07", answer)
    assert np.isnan(trust.between) == (R2 not in said)


@pytest.mark.campaign
def test_one_rater_without_sight_and_with_it_is_two_voices() -> None:
    seen = Voice("r1", blind=False)
    both = [session(f"P{i}", {R1: TRUTH, seen: WRONG, MODEL: WRONG}) for i in range(2)]
    found = agreement_of(both)
    by_sight = {(pair.first, pair.blind_first, pair.second): pair for pair in found.pairs}
    assert by_sight["r1", False, ESTIMATES].kappa == 1
    assert by_sight["r1", True, ESTIMATES].kappa < 0
    assert by_sight["r1", False, "r1"].ticks == 160  # how far sight moves them
    assert np.isnan(found.alpha_blind)  # of one voice
    assert by_sight["r1", True, ESTIMATES].kappa_interval[1] < 0


def test_weighing_forgives_what_is_nearly_as_pleasant() -> None:
    near = [SAD if each == NEUTRAL else each for each in TRUTH]
    (pair,) = agreement_of([session("P1", {R1: TRUTH, MODEL: near})]).pairs
    assert pair.weighted_kappa > pair.kappa
    assert pair.stretches == 4
    assert pair.icc == pytest.approx(
        intraclass_correlation(np.array([[-0.25, -0.5]] * 4)), nan_ok=True
    )


def test_ratings_in_numbers_are_correlated_by_track() -> None:
    judges = FOUR_JUDGES[:, :2]
    rated = {
        voice: {(track, "calm"): value for track, value in enumerate(column)}
        for voice, column in zip((R1, R2), judges.T, strict=True)
    }
    silent = {MODEL: [-1] * 80}
    (pair,) = agreement_of([session("P1", silent, rated)]).pairs
    assert pair.ratings["calm"].count == 6
    assert pair.ratings["calm"].icc == pytest.approx(intraclass_correlation(judges))
