import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from affetti.analyzer.measures.segments import (
    Estimates,
    estimates_of,
    expected_ns,
    is_mixed,
    summary_of,
    windows_of,
)
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import Emotion
from affetti.core.events import (
    Consent,
    EmotionFused,
    PerceptionSettings,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
    SessionStarted,
    columns,
)
from affetti.core.state import SessionState

PERIOD = 500_000_000


def distributions(rows: int) -> st.SearchStrategy[np.ndarray]:
    weights = npst.arrays(np.float64, (rows, 4), elements=st.floats(0.01, 1))
    return weights.map(lambda w: w / w.sum(axis=1, keepdims=True))


@st.composite
def estimates(draw: st.DrawFn) -> tuple[Estimates, int]:
    """Some of the estimates that were due in a session, some of which say nothing."""
    due = np.arange(draw(st.integers(0, 40)), dtype=np.int64) * PERIOD
    made = draw(npst.arrays(bool, len(due)))
    t_ns = due[made]
    emotions = draw(distributions(len(t_ns)))
    emotions[draw(npst.arrays(bool, len(t_ns)))] = np.nan
    return Estimates(t_ns, emotions, due, PERIOD), len(due) * PERIOD


def said_by(*rows: tuple[float, float, float, float] | None) -> Estimates:
    emotions = np.array([row or (np.nan,) * 4 for row in rows]).reshape(-1, 4)
    due = np.arange(len(rows), dtype=np.int64) * PERIOD
    return Estimates(due, emotions, due, PERIOD)


@given(estimates(), st.integers(1, 7 * PERIOD))
def test_windows_lose_and_invent_no_estimate(case: tuple[Estimates, int], window_ns: int) -> None:
    made, duration_ns = case
    windows = windows_of(made, max(window_ns, PERIOD // 3), duration_ns)
    assert windows.said.sum() == made.said.sum()
    assert windows.expected.sum() == len(made.expected_ns)
    due = windows.expected > 0
    assert np.all((windows.coverage[due] >= 0) & (windows.coverage[due] <= 1))
    assert np.isnan(windows.coverage[~due]).all()
    assert np.all(windows.covered_s <= windows.stop_s - windows.start_s + 1e-9)


@given(estimates())
def test_a_window_is_the_mean_of_what_was_said_in_it(case: tuple[Estimates, int]) -> None:
    made, duration_ns = case
    windows = windows_of(made, 3 * PERIOD, duration_ns)
    for i in range(len(windows)):
        inside = made.said & (made.t_ns // (3 * PERIOD) == i)
        if inside.any():
            assert windows.emotions[i] == pytest.approx(made.emotions[inside].mean(axis=0))
        else:
            assert np.isnan(windows.emotions[i]).all()


@given(estimates())
def test_a_summary_of_everything_agrees_with_one_window(case: tuple[Estimates, int]) -> None:
    made, duration_ns = case
    summary = summary_of(made, [(0, duration_ns)])
    if duration_ns == 0:
        assert summary.expected == 0
        assert np.isnan(summary.coverage)
        return
    (coverage,) = windows_of(made, duration_ns, duration_ns).coverage
    assert summary.coverage == pytest.approx(coverage)
    if summary.said:
        assert summary.emotions.sum() == pytest.approx(1)
        assert summary.strongest_shares.sum() == pytest.approx(1)
        assert summary.dominant_share == summary.strongest_shares.max()
    else:
        assert summary.dominant is None


def test_no_session_has_no_windows() -> None:
    assert len(windows_of(said_by(), PERIOD, 0)) == 0


def test_the_last_window_ends_with_the_session() -> None:
    windows = windows_of(said_by((1, 0, 0, 0)), 5 * NS_PER_S, 7 * NS_PER_S)
    assert windows.stop_s.tolist() == [5.0, 7.0]


def test_an_estimate_about_the_very_end_belongs_to_the_last_window() -> None:
    late = Estimates(
        np.array([4 * PERIOD]), np.array([[0, 1, 0, 0.0]]), np.arange(4) * PERIOD, PERIOD
    )
    assert windows_of(late, 2 * PERIOD, 4 * PERIOD).said.tolist() == [0, 1]


def test_the_dominant_emotion_is_the_one_that_led_most_often() -> None:
    made = said_by((0.0, 1.0, 0.0, 0.0), (0.4, 0.3, 0.2, 0.1), (0.4, 0.3, 0.2, 0.1), None)
    summary = summary_of(made, [(0, 4 * PERIOD)])
    assert summary.dominant is Emotion.HAPPINESS
    assert summary.dominant_share == pytest.approx(2 / 3)
    assert summary.coverage == 0.75


def test_two_emotions_that_are_close_are_mixed() -> None:
    rows = np.array([[0.45, 0.4, 0.1, 0.05], [0.7, 0.1, 0.1, 0.1], [np.nan] * 4])
    assert is_mixed(rows, 0.1).tolist() == [True, False, False]


def test_unordered_estimates_are_put_in_order() -> None:
    events = [
        EmotionFused(t_ns=2 * PERIOD, emotions=(0.0, 1.0, 0.0, 0.0)),
        EmotionFused(t_ns=PERIOD, emotions=(1.0, 0.0, 0.0, 0.0)),
    ]
    made = estimates_of(columns(EmotionFused, events), np.empty(0, np.int64), PERIOD)
    assert made.t_ns.tolist() == [PERIOD, 2 * PERIOD]
    assert made.emotions[0, 0] == 1.0


def test_a_table_without_columns_is_a_table_without_rows() -> None:
    assert len(estimates_of({}, np.empty(0, np.int64), PERIOD).t_ns) == 0


def test_nothing_is_expected_while_the_recording_is_paused() -> None:
    state = SessionState()
    for event in (
        SessionStarted(
            t_ns=0,
            session_id="0" * 32,
            person="P07",
            consent=Consent(video=True, audio=True),
            software_version="0",
            wall_clock="2026-11-24T10:15:00+01:00",
        ),
        RecordingPaused(t_ns=2 * NS_PER_S),
        RecordingResumed(t_ns=5 * NS_PER_S),
        SessionEnded(t_ns=10 * NS_PER_S, reason="stopped"),
    ):
        state.apply(event)
    settings = PerceptionSettings()
    assert len(expected_ns(state, settings, "face")) == 70
    assert expected_ns(state, settings, "music").tolist() == [
        s * NS_PER_S for s in (1, 5, 6, 7, 8, 9)
    ]
    assert expected_ns(state, settings, "fused")[0] == settings.fusion_period_ns
