import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from affetti.core.emotions import (
    EMOTIONS,
    EXPRESSION_TO_EMOTION,
    EXPRESSIONS,
    Emotion,
    arousal_of,
    divergence_bits,
    emotions_of_expressions,
    entropy_bits,
    ranked,
    valence_of,
)


def distributions(size: int) -> st.SearchStrategy[np.ndarray]:
    weights = arrays(np.float64, size, elements=st.floats(0.0, 1.0))
    return weights.filter(lambda w: w.sum() > 1e-3).map(lambda w: w / w.sum())


def test_valence_and_arousal_follow_the_emotions() -> None:
    emotions = (0.5, 0.1, 0.3, 0.1)
    assert valence_of(emotions) == pytest.approx(0.2)
    assert arousal_of(emotions) == pytest.approx(0.6)
    assert np.isnan(valence_of([[np.nan] * 4])).all()


@given(distributions(4))
def test_valence_and_arousal_lie_between_minus_one_and_one(p: np.ndarray) -> None:
    assert -1 - 1e-9 <= valence_of(p) <= 1 + 1e-9
    assert -1 - 1e-9 <= arousal_of(p) <= 1 + 1e-9


def test_every_expression_is_shared_out_among_the_emotions() -> None:
    assert EXPRESSION_TO_EMOTION.shape == (len(EXPRESSIONS), len(EMOTIONS))
    assert EXPRESSION_TO_EMOTION.sum(axis=1) == pytest.approx(1)


@given(distributions(7))
def test_a_distribution_over_expressions_becomes_one_over_emotions(p: np.ndarray) -> None:
    emotions = emotions_of_expressions(p)
    assert emotions.sum() == pytest.approx(1)
    assert (emotions >= 0).all()


def test_a_neutral_face_expresses_relaxation() -> None:
    neutral = np.eye(7)[EXPRESSIONS.index("neutral")]
    assert ranked(emotions_of_expressions(neutral))[0] is Emotion.RELAXATION


@given(distributions(4))
def test_entropy_lies_between_certain_and_even(p: np.ndarray) -> None:
    assert -1e-12 <= entropy_bits(p) <= 2 + 1e-9


def test_entropy_of_the_extremes() -> None:
    assert entropy_bits([1, 0, 0, 0]) == 0
    assert entropy_bits([0.25] * 4) == pytest.approx(2)


@given(distributions(4), distributions(4))
def test_divergence_is_symmetric_and_bounded(p: np.ndarray, q: np.ndarray) -> None:
    assert divergence_bits(p, q) == pytest.approx(divergence_bits(q, p), abs=1e-12)
    assert 0 <= divergence_bits(p, q) <= 1


def test_divergence_of_the_extremes() -> None:
    assert divergence_bits([1, 0, 0, 0], [1, 0, 0, 0]) == 0
    assert divergence_bits([1, 0, 0, 0], [0, 0, 0, 1]) == pytest.approx(1)


def test_equal_emotions_keep_their_order() -> None:
    assert ranked([0.1, 0.4, 0.1, 0.4]) == [
        Emotion.SADNESS,
        Emotion.RELAXATION,
        Emotion.HAPPINESS,
        Emotion.ANGER,
    ]
