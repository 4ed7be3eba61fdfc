import queue

import pytest
from msgspec.structs import replace

from affetti.core.clock import SessionClock
from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    ConsentChanged,
    Event,
    FrameCaptured,
    MarkerAdded,
    RecordingPaused,
    RecordingResumed,
    consent_to,
)
from affetti.core.streams import audio_stream, video_stream
from affetti.recorder.engine.inbox import Inbox
from tests.conftest import started

FRAME = FrameCaptured(t_ns=0, frame=0, width_px=4, height_px=4)
ROOM = AudioCaptured(t_ns=0, stream="room", sample=0, count=1)
PLAYBACK = AudioCaptured(t_ns=0, stream="playback", sample=0, count=1)
MARKER = MarkerAdded(t_ns=0, label="")


def inbox(video: bool = True, audio: bool = True) -> Inbox:
    consent = consent_to(*(["video"] * video + ["room"] * audio))
    box = Inbox(SessionClock(), consent)
    sounds = [audio_stream(name, AudioFormat(8_000, 1)) for name in ("room", "playback")]
    box.put(started(consent=consent, streams=(video_stream(), *sounds)))
    box.get(1)
    return box


def kept(box: Inbox) -> list[Event]:
    box.close()
    found = []
    while (item := box.get(0.1)) is not None:
        found.append(item[0])
    return found


@pytest.mark.parametrize(
    ("video", "audio", "expected"),
    [
        (True, True, [FRAME, ROOM, PLAYBACK]),
        (False, True, [ROOM, PLAYBACK]),
        (True, False, [FRAME, PLAYBACK]),
        (False, False, [PLAYBACK]),
    ],
)
def test_what_is_not_consented_to_never_gets_in(
    video: bool, audio: bool, expected: list[Event]
) -> None:
    box = inbox(video, audio)
    assert all(box.put(event, b"x") for event in (FRAME, ROOM, PLAYBACK))
    assert kept(box) == expected


def test_what_belongs_to_no_declared_stream_never_gets_in() -> None:
    box = inbox()
    assert box.put(replace(ROOM, stream="attic"), b"x")
    assert box.put(replace(FRAME, stream="second"), b"x")
    assert kept(box) == []


def test_consent_can_be_withdrawn_at_any_moment() -> None:
    box = inbox()
    change = ConsentChanged(t_ns=1, consent=consent_to("room"))
    for event in (FRAME, change, FRAME, ROOM):
        box.put(event, b"x" if event is not change else b"")
    assert kept(box) == [FRAME, change, ROOM]


def test_a_pause_keeps_face_and_room_out_but_not_the_music_or_markers() -> None:
    box = inbox()
    pause, resume = RecordingPaused(t_ns=1), RecordingResumed(t_ns=2)
    for event in (FRAME, pause, FRAME, ROOM, PLAYBACK, MARKER, resume, ROOM):
        box.put(event)
    assert kept(box) == [FRAME, pause, PLAYBACK, MARKER, resume, ROOM]


def test_a_full_inbox_refuses_frames_but_never_a_marker() -> None:
    box = inbox()
    megabyte = bytes(1 << 20)
    taken = sum(box.put(FRAME, megabyte) for _ in range(100))
    assert taken == 64
    assert box.put(MARKER)
    box.get(1)
    assert box.put(FRAME, megabyte)


def test_nothing_to_read_is_said_in_time() -> None:
    with pytest.raises(queue.Empty):
        inbox().get(0.01)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (RecordingPaused(t_ns=10), RecordingResumed(t_ns=20)),
        (
            ConsentChanged(t_ns=10, consent=consent_to()),
            ConsentChanged(t_ns=20, consent=consent_to("video", "room")),
        ),
    ],
)
def test_what_was_captured_in_a_hold_is_kept_out_even_when_it_comes_later(
    begin: Event, end: Event
) -> None:
    late = [replace(FRAME, t_ns=15), replace(ROOM, t_ns=19)]
    after = [replace(FRAME, t_ns=20), replace(ROOM, t_ns=21)]
    box = inbox()
    for event in (begin, end, *late, *after):
        box.put(event)
    assert kept(box) == [begin, end, *after]
