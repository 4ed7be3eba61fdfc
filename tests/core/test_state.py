from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    AudioGap,
    ClockAnchored,
    ConsentChanged,
    DeviceLost,
    DeviceRestored,
    EstimateSkipped,
    Event,
    FrameCaptured,
    FramesDropped,
    MarkerAdded,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    PersonChanged,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
    TrackEnded,
    TrackPaused,
    TrackResumed,
    TrackStarted,
    UnknownEvent,
    consent_to,
)
from affetti.core.state import SessionState, Span
from affetti.core.streams import audio_stream
from tests.conftest import NS, started


def fold(*events: Event | UnknownEvent) -> SessionState:
    state = SessionState()
    for event in events:
        state.apply(event)
    return state


def track_started(t_s: int = 1) -> TrackStarted:
    return TrackStarted(
        t_ns=t_s * NS,
        track=0,
        title="Air",
        file_name="air.ogg",
        sha256="",
        sample=0,
        duration_s=9.0,
    )


def test_nothing_is_consented_to_before_the_session_says_so() -> None:
    assert fold().consent == consent_to()


def test_a_track_is_open_until_it_ends_and_pauses_are_not_playing() -> None:
    playing = [
        started(),
        track_started(1),
        TrackPaused(t_ns=3 * NS, track=0, sample=0),
        TrackResumed(t_ns=5 * NS, track=0, sample=0),
    ]
    state = fold(*playing)
    assert state.track is not None
    assert not state.track.paused
    assert state.track.played_s(8 * NS) == 5
    ended = fold(*playing, TrackEnded(t_ns=7 * NS, track=0, sample=9, reason="finished"))
    assert ended.track is None
    assert ended.tracks[0].played_s(100 * NS) == 4
    assert ended.tracks[0].reason == "finished"


def test_a_track_that_ends_paused_closes_its_pause() -> None:
    state = fold(
        started(),
        track_started(1),
        TrackPaused(t_ns=3 * NS, track=0, sample=0),
        TrackEnded(t_ns=7 * NS, track=0, sample=9, reason="stopped"),
    )
    assert state.tracks[0].played_s(50 * NS) == 2
    assert not state.tracks[0].paused


def test_frames_give_a_rate_and_drops_are_counted() -> None:
    frames = [FrameCaptured(t_ns=i * NS // 25, frame=i, width_px=4, height_px=4) for i in range(26)]
    state = fold(started(), *frames, FramesDropped(t_ns=NS, count=3))
    assert state.frames == 26
    assert state.frames_per_s == 25
    assert state.frames_dropped == 3


def test_a_gap_in_the_sound_starts_its_clock_anew() -> None:
    state = fold(
        started(streams=(audio_stream("room", AudioFormat(1000, 1)),)),
        ClockAnchored(t_ns=0, stream="room", sample=0),
        AudioCaptured(t_ns=0, stream="room", sample=0, count=1000),
        AudioGap(t_ns=NS, stream="room", sample=1000, missing=500),
        ClockAnchored(t_ns=3 * NS // 2, stream="room", sample=1000),
    )
    stream = state.audio["room"]
    assert (stream.samples, stream.gaps, stream.missing) == (1000, 1, 500)
    assert stream.clock.time_ns(1000) == 3 * NS // 2


def test_a_lost_device_is_gone_until_it_is_restored() -> None:
    lost = [started(), DeviceLost(t_ns=NS, device="camera")]
    assert fold(*lost).lost.keys() == {"camera"}
    state = fold(*lost, DeviceRestored(t_ns=2 * NS, device="camera", gap_ns=NS))
    assert not state.lost
    assert state.outages["camera"] == 1


def test_consent_pauses_and_skips_are_folded() -> None:
    state = fold(
        started(),
        RecordingPaused(t_ns=NS),
        ConsentChanged(t_ns=2 * NS, consent=consent_to("room")),
        EstimateSkipped(t_ns=2 * NS, modality="face", of_seq=1),
    )
    assert state.paused
    assert not state.consent.grants("video")
    assert state.skipped["face"] == 1
    state.apply(RecordingResumed(t_ns=3 * NS))
    assert not state.paused
    assert state.pauses[0].duration_ns(0) == 2 * NS


def test_duration_is_that_of_facts_and_includes_the_last_sound() -> None:
    state = fold(
        started(streams=(audio_stream("room", AudioFormat(1000, 1)),)),
        AudioCaptured(t_ns=NS, stream="room", sample=0, count=500),
        EstimateSkipped(t_ns=50 * NS, modality="face", of_seq=1),
    )
    assert state.duration_s == 1.5


def test_what_a_later_version_added_is_counted_and_skipped() -> None:
    state = fold(
        started(), UnknownEvent("HeartBeat", 1, 99 * NS, b""), MarkerAdded(t_ns=1, label="")
    )
    assert state.unknown["HeartBeat"] == 1
    assert state.duration_s < 1
    assert not state.ended
    state.apply(SessionEnded(t_ns=NS, reason="stopped"))
    assert state.ended


def test_a_neutral_reference_is_open_until_recorded_and_ends_with_its_person() -> None:
    begun = [started(), NeutralReferenceStarted(t_ns=NS)]
    assert fold(*begun).neutral_reference == Span(NS)
    assert fold(*begun, NeutralReferenceRecorded(t_ns=3 * NS)).neutral_reference == Span(NS, 3 * NS)
    assert fold(*begun, PersonChanged(t_ns=2 * NS)).neutral_reference is None
    assert fold(started(), NeutralReferenceRecorded(t_ns=NS)).neutral_reference is None
