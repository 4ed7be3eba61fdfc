import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from affetti.analyzer.measures.estimates import Estimates, estimates_of, expected_ns
from affetti.analyzer.measures.segments import segments_of
from affetti.analyzer.measures.summary import is_mixed, summary_of
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, Emotion
from affetti.core.events import (
    ConsentChanged,
    EmotionFused,
    Event,
    PerceptionSettings,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
    SessionStarted,
    TrackEnded,
    TrackStarted,
    columns,
    consent_to,
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
def test_segments_lose_and_invent_no_estimate(case: tuple[Estimates, int], segment_ns: int) -> None:
    made, duration_ns = case
    segments = segments_of(made, max(segment_ns, PERIOD // 3), duration_ns)
    assert segments.said.sum() == made.said.sum()
    assert segments.expected.sum() == len(made.expected_ns)
    due = segments.expected > 0
    assert np.all((segments.coverage[due] >= 0) & (segments.coverage[due] <= 1))
    assert np.isnan(segments.coverage[~due]).all()
    assert np.all(segments.covered_s <= segments.stop_s - segments.start_s + 1e-9)


@given(estimates())
def test_a_segment_is_the_mean_of_what_was_said_in_it(case: tuple[Estimates, int]) -> None:
    made, duration_ns = case
    segments = segments_of(made, 3 * PERIOD, duration_ns)
    for i in range(len(segments)):
        inside = made.said & (made.t_ns // (3 * PERIOD) == i)
        if inside.any():
            assert segments.emotions[i] == pytest.approx(made.emotions[inside].mean(axis=0))
        else:
            assert np.isnan(segments.emotions[i]).all()


@given(estimates())
def test_a_summary_of_everything_agrees_with_one_segment(case: tuple[Estimates, int]) -> None:
    made, duration_ns = case
    summary = summary_of(made, [(0, duration_ns)])
    if duration_ns == 0:
        assert summary.expected == 0
        assert np.isnan(summary.coverage)
        return
    (coverage,) = segments_of(made, duration_ns, duration_ns).coverage
    assert summary.coverage == pytest.approx(coverage)
    if summary.said:
        assert summary.emotions.sum() == pytest.approx(1)
        assert summary.strongest_shares.sum() == pytest.approx(1)
        assert summary.emotions[EMOTIONS.index(summary.strongest)] == summary.emotions.max()
    else:
        assert summary.strongest is None
        assert summary.most_often is None


def test_no_session_has_no_segments() -> None:
    assert len(segments_of(said_by(), PERIOD, 0)) == 0


def test_the_last_segment_ends_with_the_session() -> None:
    segments = segments_of(said_by((1, 0, 0, 0)), 5 * NS_PER_S, 7 * NS_PER_S)
    assert segments.stop_s.tolist() == [5.0, 7.0]


def test_an_estimate_about_the_very_end_belongs_to_the_last_segment() -> None:
    late = Estimates(
        np.array([4 * PERIOD]), np.array([[0, 1, 0, 0.0]]), np.arange(4) * PERIOD, PERIOD
    )
    assert segments_of(late, 2 * PERIOD, 4 * PERIOD).said.tolist() == [0, 1]


def test_the_strongest_of_the_mean_and_the_strongest_most_often_are_two_figures() -> None:
    made = said_by((0.0, 1.0, 0.0, 0.0), (0.4, 0.3, 0.2, 0.1), (0.4, 0.3, 0.2, 0.1), None)
    summary = summary_of(made, [(0, 4 * PERIOD)])
    assert summary.strongest is Emotion.SADNESS
    assert summary.most_often is Emotion.HAPPINESS
    assert summary.strongest_shares.max() == pytest.approx(2 / 3)
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


def state_of(*events: Event) -> SessionState:
    state = SessionState()
    start = SessionStarted(
        t_ns=0,
        session_id="0" * 32,
        person="P07",
        consent=consent_to("video", "room"),
        software_version="0",
        wall_clock="2026-11-24T10:15:00+01:00",
    )
    for event in (start, *events):
        state.apply(event)
    return state


def track_started(t_s: float) -> TrackStarted:
    return TrackStarted(
        t_ns=round(t_s * NS_PER_S),
        track=0,
        title="A",
        file_name="a.ogg",
        sha256="0" * 64,
        sample=0,
        duration_s=9.0,
    )


def track_ended(t_s: float) -> TrackEnded:
    return TrackEnded(t_ns=round(t_s * NS_PER_S), track=0, sample=1, reason="finished")


def test_nothing_is_expected_while_the_recording_is_paused() -> None:
    state = state_of(
        RecordingPaused(t_ns=2 * NS_PER_S),
        RecordingResumed(t_ns=5 * NS_PER_S),
        SessionEnded(t_ns=10 * NS_PER_S, reason="stopped"),
    )
    settings = PerceptionSettings()
    assert len(expected_ns(state, settings, "face")) == 70
    assert expected_ns(state, settings, "music").tolist() == [
        s * NS_PER_S for s in (1, 5, 6, 7, 8, 9)
    ]
    assert expected_ns(state, settings, "fused")[0] == settings.fusion_period_ns


def test_what_is_not_consented_to_is_not_expected_and_a_track_is_heard_all_the_same() -> None:
    state = state_of(
        ConsentChanged(t_ns=2 * NS_PER_S, consent=consent_to()),
        track_started(4.0),
        track_ended(6.0),
        ConsentChanged(t_ns=8 * NS_PER_S, consent=consent_to("video", "room")),
        SessionEnded(t_ns=10 * NS_PER_S, reason="stopped"),
    )
    settings = PerceptionSettings()
    assert len(expected_ns(state, settings, "face")) == 40
    heard = [t / NS_PER_S for t in expected_ns(state, settings, "music")]
    assert heard == [1, 4, 5, 8, 9]
    # Together they can speak while one of them can.
    both = expected_ns(state, settings, "fused")
    assert len(both[(both >= 4 * NS_PER_S) & (both < 6 * NS_PER_S)]) == 4
    assert len(both[(both >= 2 * NS_PER_S) & (both < 4 * NS_PER_S)]) == 0
