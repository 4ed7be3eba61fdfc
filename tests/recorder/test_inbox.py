import queue

import pytest
from msgspec.structs import replace

from affetti.core.clock import SessionClock
from affetti.core.events import (
    AudioCaptured,
    Consent,
    ConsentChanged,
    Event,
    FrameCaptured,
    MarkerAdded,
    RecordingPaused,
    RecordingResumed,
)
from affetti.recorder.engine.inbox import Inbox

FRAME = FrameCaptured(t_ns=0, frame=0, width_px=4, height_px=4)
ROOM = AudioCaptured(t_ns=0, stream="room", sample=0, count=1)
PLAYBACK = AudioCaptured(t_ns=0, stream="playback", sample=0, count=1)
MARKER = MarkerAdded(t_ns=0, label="")


def inbox(video: bool = True, audio: bool = True) -> Inbox:
    return Inbox(SessionClock(), Consent(video=video, audio=audio))


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


def test_consent_can_be_withdrawn_at_any_moment() -> None:
    box = inbox()
    change = ConsentChanged(t_ns=1, consent=Consent(video=False, audio=True))
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
            ConsentChanged(t_ns=10, consent=Consent(video=False, audio=False)),
            ConsentChanged(t_ns=20, consent=Consent(video=True, audio=True)),
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
