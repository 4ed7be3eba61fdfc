"""A response is a change that is more than what the face does without music."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from affetti.analyzer.measures.course import Course, course_of
from affetti.analyzer.measures.live import Watch
from affetti.analyzer.measures.responses import steps_of
from affetti.core.emotions import emotions_of_expressions
from affetti.core.events import (
    AudioFormat,
    EmotionFused,
    Event,
    Face,
    FaceEstimated,
    MusicEstimated,
    PerceptionSettings,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
    TrackEnded,
    TrackPaused,
    TrackResumed,
    TrackStarted,
    columns,
)
from affetti.core.fusion import rounded
from affetti.core.state import SessionState
from affetti.core.streams import audio_stream
from tests.conftest import NS, RATE_HZ, started

SAD = (0.1, 0.0, 0.0, 0.1, 0.7, 0.0, 0.1)
HAPPY = (0.1, 0.0, 0.0, 0.7, 0.1, 0.0, 0.1)
ONSET_S, STOP_S = 60, 100


def track(onset_s: float = ONSET_S, stop_s: float = STOP_S) -> list[Event]:
    return [
        TrackStarted(t_ns=round(onset_s * NS), track=0, sample=round(onset_s * RATE_HZ), title="A",
                     file_name="a.ogg", sha256="0" * 64, duration_s=stop_s - onset_s),
        TrackEnded(t_ns=round(stop_s * NS), track=0, sample=round(stop_s * RATE_HZ),
                   reason="finished"),
    ]  # fmt: skip


def face(turns_s: list[float], until_s: int = 120, from_s: int = 0) -> list[FaceEstimated]:
    """A face that is sad, and at each of some moments becomes happy, or sad again."""
    made = []
    for i in range(10 * from_s, 10 * until_s):
        happy = sum(turn <= i / 10 for turn in turns_s) % 2
        shown = HAPPY if happy else SAD
        four = rounded(emotions_of_expressions(shown))
        read = Face(face_id=0, read=True, box_px=(0, 0, 9, 9), expressions=shown, emotions=four)
        made.append(FaceEstimated(t_ns=i * NS // 10, frame=i, faces=(read,)))
    return made


def measured(faces: list[FaceEstimated], *events: Event) -> Course:
    state = SessionState()
    state.apply(started(streams=(audio_stream("playback", AudioFormat(RATE_HZ, 1)),)))
    ended = SessionEnded(t_ns=120 * NS, reason="stopped")
    for event in sorted([*events, ended], key=lambda event: event.t_ns):
        state.apply(event)
    tables = {
        "face": columns(FaceEstimated, faces),
        "music": columns(MusicEstimated, []),
        "fused": columns(EmotionFused, []),
    }
    return course_of(state, PerceptionSettings(), tables)


def test_a_face_that_turns_only_with_the_music_responds() -> None:
    course = measured(face([72.0]), *track())
    (result,) = course.tracks
    assert course.quiet.enough
    assert course.quiet.changes == 0
    assert result.response is not None
    assert result.response_s == pytest.approx(12, abs=0.6)
    assert result.face.step > 0.5 > course.quiet.step
    assert result.face.absence is None


def test_a_face_that_turns_as_often_without_music_does_not_respond() -> None:
    course = measured(face([10, 20, 30, 40, 50, 72.0]), *track())
    (result,) = course.tracks
    assert course.quiet.changes == 5
    assert (result.response, result.face.absence) == (None, "not_more")
    assert np.isnan(result.response_s)


def test_without_half_a_minute_of_quiet_no_response_is_claimed() -> None:
    course = measured(face([72.0], from_s=50), *track(60, 120))
    (result,) = course.tracks
    assert course.quiet.seen_s < 30
    assert (result.response, result.face.absence) == (None, "no_quiet")


@pytest.mark.parametrize(
    "pause",
    [
        [RecordingPaused(t_ns=64 * NS), RecordingResumed(t_ns=68 * NS)],
        [
            TrackPaused(t_ns=64 * NS, track=0, sample=64 * RATE_HZ),
            TrackResumed(t_ns=68 * NS, track=0, sample=68 * RATE_HZ),
        ],
    ],
)
def test_no_response_is_claimed_across_a_pause(pause: list[Event]) -> None:
    (result,) = measured(face([72.0]), *track(), *pause).tracks
    assert result.response is None


def test_a_change_across_a_pause_of_the_recording_is_no_change() -> None:
    pause = [RecordingPaused(t_ns=70 * NS), RecordingResumed(t_ns=72 * NS)]
    faces = [e for e in face([71.0]) if not 70 * NS <= e.t_ns < 72 * NS]
    course = measured(faces, *track(), *pause)
    assert course.changes["face"] == []


@pytest.mark.parametrize(("turns_s", "moved"), [([72.0], True), ([], False)])
def test_live_the_face_is_compared_with_the_quiet_stretches(
    turns_s: list[float], moved: bool
) -> None:
    watch, state = Watch(), SessionState()
    state.apply(started(streams=(audio_stream("playback", AudioFormat(RATE_HZ, 1)),)))
    begin, _ = track()
    for estimate in face(turns_s, 90):
        watch.see(estimate)
    state.apply(begin)
    state.now_ns = 90 * NS
    assert watch.moved(state, PerceptionSettings()) is moved


def test_live_nothing_is_said_without_quiet() -> None:
    watch, state = Watch(), SessionState()
    state.apply(started(streams=(audio_stream("playback", AudioFormat(RATE_HZ, 1)),)))
    assert watch.moved(state, PerceptionSettings()) is None
    state.apply(track(5)[0])
    for estimate in face([20.0], 40):
        watch.see(estimate)
    state.now_ns = 40 * NS
    assert watch.moved(state, PerceptionSettings()) is None


@settings(deadline=None)
@given(npst.arrays(np.float64, (30, 4), elements=st.floats(0.01, 1)), st.integers(1, 6))
def test_a_step_is_the_share_that_moved(weights: np.ndarray, width: int) -> None:
    ticks = weights / weights.sum(axis=1, keepdims=True)
    steps = steps_of(ticks, width)
    for i in range(width, 30 - width):
        means = ticks[i - width : i].mean(axis=0), ticks[i : i + width].mean(axis=0)
        assert steps[i] == pytest.approx(0.5 * np.abs(means[1] - means[0]).sum())
    assert np.isnan(steps[0])
