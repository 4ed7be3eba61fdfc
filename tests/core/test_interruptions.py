"""When something was not recorded, and why."""

import pytest

from affetti.core.events import (
    AudioFormat,
    Consent,
    ConsentChanged,
    DeviceLost,
    DeviceRestored,
    Event,
    FrameCaptured,
    PersonChanged,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
    TrackEnded,
    TrackPaused,
    TrackResumed,
    TrackStarted,
    consent_to,
)
from affetti.core.state import SessionState
from affetti.core.streams import audio_stream, video_stream
from tests.conftest import NS, RATE_HZ, started

NO_VIDEO = consent_to("room")
BOTH = consent_to("video", "room")
AUDIO = AudioFormat(RATE_HZ, 1)


def after(*events: Event, consent: Consent = BOTH) -> SessionState:
    state = SessionState()
    state.apply(started(consent=consent, streams=(video_stream(), audio_stream("playback", AUDIO))))
    for event in sorted(events, key=lambda event: event.t_ns):
        state.apply(event)
    return state


def told(state: SessionState) -> list[tuple[str, str, float, float]]:
    found = [(i.cause, i.what, *i.stretch(state.now_ns)) for i in state.interruptions]
    return [(cause, what, start / NS, stop / NS) for cause, what, start, stop in found]


def test_consent_pauses_and_devices_interrupt_from_when_to_when() -> None:
    state = after(
        RecordingPaused(t_ns=2 * NS),
        RecordingResumed(t_ns=3 * NS),
        ConsentChanged(t_ns=4 * NS, consent=NO_VIDEO),
        ConsentChanged(t_ns=6 * NS, consent=BOTH),
        DeviceLost(t_ns=9 * NS, device="camera"),
        DeviceRestored(t_ns=12 * NS, device="camera", gap_ns=5 * NS),
        PersonChanged(t_ns=13 * NS),
        SessionEnded(t_ns=20 * NS, reason="stopped"),
    )
    assert told(state) == [
        ("paused", "", 2.0, 3.0),
        ("no_consent", "video", 4.0, 6.0),
        ("lost", "camera", 7.0, 12.0),  # it was gone before that was noticed
    ]
    assert state.interruptions.persons_ns == [13 * NS]


def test_what_lasts_ends_with_the_session() -> None:
    state = after(
        ConsentChanged(t_ns=4 * NS, consent=NO_VIDEO),
        ConsentChanged(t_ns=5 * NS, consent=NO_VIDEO),
        SessionEnded(t_ns=9 * NS, reason="stopped"),
    )
    assert told(state) == [("no_consent", "video", 4.0, 9.0)]


def test_consent_that_was_never_given_interrupts_from_the_beginning() -> None:
    state = after(SessionEnded(t_ns=9 * NS, reason="stopped"), consent=NO_VIDEO)
    assert told(state) == [("no_consent", "video", 0.0, 9.0)]
    assert state.interruptions.withheld("room", state.now_ns) == []


def test_the_frame_rate_is_that_of_the_camera_and_not_of_its_pauses() -> None:
    def frame(i: int, t_s: float) -> FrameCaptured:
        return FrameCaptured(t_ns=round(t_s * NS), frame=i, width_px=48, height_px=32)

    state = after(
        *(frame(i, i / 25) for i in range(101)),
        RecordingPaused(t_ns=4 * NS),
        RecordingResumed(t_ns=10 * NS),
        *(frame(250 + i, 10 + i / 25) for i in range(101)),
    )
    assert state.frames_per_s == pytest.approx(25, rel=0.01)


def test_a_track_was_heard_for_as_long_as_its_samples_were() -> None:
    place = {"track": 0}
    state = after(
        TrackStarted(
            t_ns=NS,
            sample=RATE_HZ,
            title="A",
            file_name="a.ogg",
            sha256="0" * 64,
            duration_s=30.0,
            **place,
        ),
        TrackPaused(t_ns=5 * NS, sample=5 * RATE_HZ, **place),
        TrackResumed(t_ns=8 * NS, sample=8 * RATE_HZ, **place),
        # The speaker was gone for ten seconds, and the music waited.
        TrackEnded(t_ns=28 * NS, sample=18 * RATE_HZ, reason="skipped", **place),
    )
    assert state.tracks[0].played_s(28 * NS) == 14.0


def test_a_track_that_ends_in_a_pause_was_heard_until_then() -> None:
    state = after(
        TrackStarted(
            t_ns=0,
            sample=0,
            title="A",
            file_name="a.ogg",
            sha256="0" * 64,
            duration_s=30.0,
            track=0,
        ),
        TrackPaused(t_ns=5 * NS, sample=5 * RATE_HZ, track=0),
        TrackEnded(t_ns=9 * NS, sample=9 * RATE_HZ, track=0, reason="skipped"),
    )
    assert state.tracks[0].played_s(9 * NS) == 5.0
