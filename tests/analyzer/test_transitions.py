from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from affetti.analyzer.measures.transitions import (
    SILENT,
    StickyChain,
    changes_of,
    dwells_of,
    smoothed,
    transition_counts,
    transition_shares,
)
from affetti.core.emotions import EMOTIONS, Emotion

TICK_S = 0.5
SURE = {emotion: np.where(np.arange(4) == i, 0.85, 0.05) for i, emotion in enumerate(EMOTIONS)}
BEGINNINGS = st.sets(st.integers(1, 4))
NOTHING = np.full(4, np.nan)
HAPPY, SAD, ANGRY = SURE[Emotion.HAPPINESS], SURE[Emotion.SADNESS], SURE[Emotion.ANGER]


@st.composite
def ticks(draw: st.DrawFn) -> np.ndarray:
    """Up to five ticks that begin and end with a word, with short silences between."""
    n = draw(st.integers(1, 5))
    weights = draw(npst.arrays(np.float64, (n, 4), elements=st.floats(0.01, 1)))
    emotions = weights / weights.sum(axis=1, keepdims=True)
    silent = draw(npst.arrays(bool, n))
    silent[[0, -1]] = False
    emotions[silent] = np.nan
    return emotions


def joint_probabilities(
    emotions: np.ndarray, chain: StickyChain, beginnings: set[int]
) -> dict[tuple[int, ...], float]:
    """Every path with its probability, by the model's definition and nothing cleverer."""
    stay = np.exp(-TICK_S / chain.expected_dwell_s)
    paths = {}
    for path in product(range(4), repeat=len(emotions)):
        probability = 1.0
        for i, state in enumerate(path):
            if i:
                sticky = stay if state == path[i - 1] else (1 - stay) / 3
                probability *= 1 / 4 if i in beginnings else sticky
            if not np.isnan(emotions[i, 0]):
                probability *= (1 - chain.floor) * emotions[i, state] + chain.floor / 4
        paths[path] = probability
    return paths


@given(ticks(), BEGINNINGS)
def test_the_path_is_the_most_probable_of_all(emotions: np.ndarray, beginnings: set[int]) -> None:
    chain = StickyChain()
    paths = joint_probabilities(emotions, chain, beginnings)
    found = tuple(smoothed(emotions, TICK_S, chain, sorted(beginnings)).states.tolist())
    assert paths[found] == pytest.approx(max(paths.values()))


@given(ticks(), BEGINNINGS)
def test_probabilities_are_those_of_all_paths_together(
    emotions: np.ndarray, beginnings: set[int]
) -> None:
    chain = StickyChain()
    paths = joint_probabilities(emotions, chain, beginnings)
    total = sum(paths.values())
    found = smoothed(emotions, TICK_S, chain, sorted(beginnings)).probabilities
    for i, state in product(range(len(emotions)), range(4)):
        marginal = sum(p for path, p in paths.items() if path[i] == state) / total
        assert found[i, state] == pytest.approx(marginal)


@given(st.integers(0, 30))
def test_ticks_that_all_say_nothing_have_no_state(n: int) -> None:
    found = smoothed(np.full((n, 4), np.nan), TICK_S)
    assert found.states.tolist() == [SILENT] * n
    assert changes_of(found) == []


def test_no_tick_has_no_dwell() -> None:
    assert dwells_of(smoothed(np.empty((0, 4)), TICK_S)) == []


def test_one_tick_is_one_dwell() -> None:
    (dwell,) = dwells_of(smoothed(np.array([SAD]), TICK_S))
    assert (dwell.state, dwell.start_s, dwell.stop_s) == (Emotion.SADNESS, 0.0, 0.5)


def test_a_flicker_is_no_change() -> None:
    emotions = np.array([HAPPY] * 20 + [SAD] + [HAPPY] * 20)
    assert changes_of(smoothed(emotions, TICK_S)) == []


def test_a_lasting_change_is_found_where_it_happened() -> None:
    emotions = np.array([SAD] * 20 + [HAPPY] * 16 + [ANGRY] * 12)
    first, second = changes_of(smoothed(emotions, TICK_S))
    assert (first.t_s, first.before, first.after) == (10.0, Emotion.SADNESS, Emotion.HAPPINESS)
    assert first.dwell_s == 8.0
    assert (second.t_s, second.after, second.dwell_s) == (18.0, Emotion.ANGER, 6.0)
    assert first.probability > 0.9


def test_a_short_silence_is_bridged() -> None:
    emotions = np.array([HAPPY] * 10 + [NOTHING] * 10 + [HAPPY] * 10)
    assert [dwell.state for dwell in dwells_of(smoothed(emotions, TICK_S))] == ["happiness"]


def test_nothing_is_carried_across_a_long_silence() -> None:
    emotions = np.array([HAPPY] * 10 + [NOTHING] * 11 + [SAD] * 10)
    states = smoothed(emotions, TICK_S)
    assert [dwell.state for dwell in dwells_of(states)] == ["happiness", None, "sadness"]
    assert changes_of(states) == []


def test_a_faint_difference_decides_where_something_new_begins() -> None:
    faint_sad, faint_happy = np.array([0.3, 0.36, 0.17, 0.17]), np.array([0.36, 0.3, 0.17, 0.17])
    emotions = np.array([faint_sad] * 15 + [faint_happy] * 15)
    assert changes_of(smoothed(emotions, TICK_S)) == []
    (change,) = changes_of(smoothed(emotions, TICK_S, beginnings=[15]))
    assert (change.t_s, change.after) == (7.5, Emotion.HAPPINESS)


def test_silence_at_either_end_has_no_state() -> None:
    states = smoothed(np.array([NOTHING, HAPPY, NOTHING]), TICK_S)
    assert states.states.tolist() == [SILENT, 0, SILENT]


def test_a_certain_estimate_cannot_rule_a_state_out() -> None:
    certain = np.array([1.0, 0.0, 0.0, 0.0])
    states = smoothed(np.array([SAD] * 20 + [certain] + [SAD] * 20), TICK_S)
    assert np.isfinite(states.probabilities).all()
    assert set(states.states.tolist()) == {1}


def test_the_matrix_counts_changes_and_shares_them_out() -> None:
    emotions = np.array([SAD] * 12 + [HAPPY] * 12 + [SAD] * 12 + [ANGRY] * 12)
    counts = transition_counts(changes_of(smoothed(emotions, TICK_S)))
    assert counts[1].tolist() == [1, 0, 1, 0]
    shares = transition_shares(counts)
    assert shares[1].tolist() == [0.5, 0.0, 0.5, 0.0]
    assert np.isnan(shares[3]).all()
