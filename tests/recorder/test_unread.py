"""A screen that stands still, a pipe that nobody reads: the recording goes on, and can be ended."""

import multiprocessing
import signal
import socket
import subprocess
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from affetti.core.clock import SessionClock
from affetti.core.emotions import EMOTIONS
from affetti.core.events import EmotionFused, FrameCaptured, MarkerAdded, consent_to
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine import messages, outbox
from affetti.recorder.engine.engine import _sent_ns
from affetti.recorder.engine.messages import AnyMessage, Plan
from affetti.recorder.engine.outbox import Outbox
from affetti.recorder.engine.process import _serve
from affetti.recorder.tui.link import EngineLink
from tests.recorder.recording_sink import wait_for
from tests.recorder.test_recording import begin, on_disk, until_on_disk

SMALL = 4096  # bytes that a pipe holds back


def narrow(pipe: Connection) -> None:
    """Let a pipe hold little, so that it is soon full."""
    with socket.socket(fileno=pipe.fileno()) as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        end.detach()


def all_of(pipe: Connection) -> list[AnyMessage]:
    heard = []
    while pipe.poll(1):
        heard.append(messages.receive_message(pipe))
    return heard


@pytest.mark.campaign
def test_an_engine_whose_screen_reads_nothing_records_and_ends_at_a_signal(
    tmp_path: Path, long_film: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    narrow(theirs)
    engine = context.Process(target=_serve, args=(theirs, Settings()))
    engine.start()
    theirs.close()
    target = tmp_path / "out.h5"
    plan = Plan(person="P1", consent=consent_to("video"), camera=str(long_film),
                output=str(target))  # fmt: skip
    messages.send(ours, messages.Record(plan))
    wait_for(target.with_suffix(".part001.h5").exists)
    until_on_disk(target, FrameCaptured, 60)  # by which far more was said than the pipe holds
    messages.send(ours, messages.Mark("heard all the same"))
    until_on_disk(target, MarkerAdded, 1)
    engine.terminate()
    engine.join(60)
    assert engine.exitcode == 0
    with Session.open(target) as session:
        assert [marker.label for marker in session.markers] == ["heard all the same"]
        assert session.info.end_reason == "signal"


@pytest.mark.campaign
def test_what_a_screen_sent_before_it_was_gone_is_carried_out_to_the_last(
    tmp_path: Path, long_film: Path
) -> None:
    ours, theirs = multiprocessing.Pipe()
    engine = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, Settings()))
    engine.start()
    theirs.close()
    target = tmp_path / "out.h5"
    plan = Plan(person="P1", consent=consent_to("video"), camera=str(long_film),
                output=str(target))  # fmt: skip
    messages.send(ours, messages.Record(plan))
    wait_for(target.with_suffix(".part001.h5").exists)
    until_on_disk(target, FrameCaptured, 30)
    for length in range(1, 400):
        messages.send(ours, messages.NoteBegun("x" * length))
    ours.close()  # amid what the engine says
    engine.join(60)
    with Session.open(target) as session:
        assert [note.text for note in session.notes] == ["x" * 399]
        assert session.info.end_reason == "ui_gone"


def estimate(seq: int) -> EmotionFused:
    even = (1 / len(EMOTIONS),) * len(EMOTIONS)
    return EmotionFused(seq=seq, t_ns=seq, emotions=even, decided_by="music")


@pytest.mark.campaign
def test_what_a_screen_misses_is_what_is_only_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_EVENTS", 500)
    theirs, ours = multiprocessing.Pipe()
    narrow(ours)
    box = Outbox(ours)
    for seq in range(0, 3000, 3):
        box.put(messages.Picture(bytes(3000), 160, seq + 1))
        box.put(messages.Level("room", -20.0, float(-seq)))
        marker = MarkerAdded(seq=seq, t_ns=seq, label=f"{seq}")
        frame = FrameCaptured(seq=seq + 1, t_ns=seq, frame=seq, width_px=8, height_px=8)
        box.put(messages.Recorded((marker, frame, estimate(seq + 2))))
        box.put(messages.Safe(seq + 2))
    box.put(messages.Sealed("a.h5", "stopped"))
    heard = all_of(theirs)
    events = [e for m in heard if isinstance(m, messages.Recorded) for e in m.events]
    markers = [event.seq for event in events if isinstance(event, MarkerAdded)]
    assert markers == list(range(0, 3000, 3))
    assert len(events) < 2000
    assert [event.seq for event in events] == sorted(event.seq for event in events)
    pictures = [m for m in heard if isinstance(m, messages.Picture)]
    assert len(pictures) < 100
    assert pictures[-1].height_px == 2998
    assert [m for m in heard if isinstance(m, messages.Safe)][-1].seq == 2999
    assert "stood still" in next(m for m in heard if isinstance(m, messages.Problem)).message
    assert isinstance(heard[-1], messages.Sealed)
    box.close(lambda: False)


def test_what_a_screen_that_reads_late_misses_is_nothing() -> None:
    theirs, ours = multiprocessing.Pipe()
    narrow(ours)
    box = Outbox(ours)
    for seq in range(2000):
        box.put(messages.Recorded((estimate(seq),)))
    events = [e for m in all_of(theirs) if isinstance(m, messages.Recorded) for e in m.events]
    assert [event.seq for event in events] == list(range(2000))
    box.close(lambda: False)


@pytest.mark.campaign
@pytest.mark.parametrize("ending", [signal.SIGTERM, None])
def test_a_recording_whose_words_nobody_reads_ends_all_the_same(
    tmp_path: Path, long_film: Path, ending: int | None
) -> None:
    target = tmp_path / "out.h5"
    process = begin_with_markers(target, long_film, 1.0 if ending is None else None)
    assert process.stdin is not None
    process.stdin.write("a marker is confirmed in a line\n" * 5000)
    process.stdin.flush()
    if ending is not None:
        wait_for(lambda: on_disk(target, MarkerAdded) == 5000)
        process.send_signal(ending)
    wait_for(target.exists)
    if ending is None:
        assert process.stderr is not None
        said = process.stderr.read()
        assert said.count("\n") > 5000
    assert process.wait(60) == 0
    with Session.open(target) as session:
        assert len(session.markers) == 5000


def begin_with_markers(target: Path, film: Path, seconds: float | None) -> "subprocess.Popen[str]":
    more = [] if seconds is None else ["--duration", seconds]
    return begin(target, "--camera", film, "--markers-from-stdin", *more, stdin=subprocess.PIPE)


def test_a_screen_never_waits_for_an_engine_that_stands_still_and_nothing_typed_is_lost() -> None:
    theirs, ours = multiprocessing.Pipe()
    narrow(ours)
    link = EngineLink(ours, lambda message: None)
    pasted = "a note that somebody pasted " * 5000
    assert link.send(messages.Note(pasted))
    for number in range(2000):
        assert link.send(messages.Mark(number=number))
    assert link.unsent(0) > 1000
    heard = [messages.receive_command(theirs) for _ in range(2001)]
    assert heard[0].text == pasted
    assert [mark.number for mark in heard[1:]] == list(range(2000))
    assert link.unsent(60) == 0
    theirs.close()
    wait_for(lambda: not link.send(messages.Mark()))
    link.close()


def test_what_waited_for_an_engine_is_about_the_moment_when_it_was_typed() -> None:
    clock = SessionClock()
    typed = messages.Note("then", sent_ns=clock.start_ns + 1_000)
    assert _sent_ns(typed, clock) == 1_000
    assert _sent_ns(messages.Note("at the beginning", sent_ns=clock.start_ns - 5), clock) == 0
    assert _sent_ns(messages.Note("now"), clock) > 1_000
    later = messages.Note("never after now", sent_ns=clock.start_ns + 10**15)
    assert _sent_ns(later, clock) <= clock.now_ns()
