"""The engine in its own process, spoken to over its pipe as a screen does."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from affetti.core.errors import ExitCode
from affetti.core.events import (
    AudioCaptured,
    ConsentChanged,
    Event,
    FaceEstimated,
    FrameCaptured,
    MarkerAdded,
    MusicProposed,
    NoteAdded,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
    TrackStarted,
    consent_to,
)
from affetti.core.journal import sentence
from affetti.core.people.playlist import PlaylistEntry
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.engine.messages import Plan, Proposal
from affetti.recorder.engine.process import EngineProcess, start_engine
from tests.recorder.films import tone

YES = consent_to("video", "room")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineProcess]:
    running = start_engine(Settings(sessions_folder=str(tmp_path)))
    yield running
    running.close()
    assert running.join(60)


@pytest.fixture
def plan(tmp_path: Path, long_film: Path) -> Plan:
    output = str(tmp_path / "out.h5")
    return Plan(person="P1", consent=YES, camera=str(long_film), speaker=None, output=output)


@pytest.fixture
def with_music(plan: Plan, tmp_path: Path) -> Plan:
    tracks = (str(tone(tmp_path / f"{name}.wav", 20)) for name in "ab")
    return replace(plan, playlist=tuple(tracks))


def until(engine: EngineProcess, kind: type, seconds: float = 120) -> list[messages.AnyMessage]:
    """Read messages up to the first of a kind."""
    heard: list[messages.AnyMessage] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if engine.pipe.poll(0.1):
            heard.append(messages.receive_message(engine.pipe))
            if isinstance(heard[-1], kind):
                return heard
    raise AssertionError(f"no {kind.__name__} came, only {heard}")


def until_recorded(engine: EngineProcess, *kinds: type[Event]) -> list[messages.AnyMessage]:
    """Read messages until events of these kinds were recorded, one after the other."""
    heard: list[messages.AnyMessage] = []
    awaited = list(kinds)
    while awaited:
        heard += until(engine, messages.Recorded)
        for event in recorded(heard[-1:]):
            if awaited and isinstance(event, awaited[0]):
                awaited.pop(0)
    return heard


def recorded(heard: list[messages.AnyMessage]) -> list[object]:
    return [e for m in heard if isinstance(m, messages.Recorded) for e in m.events]


@pytest.mark.campaign
def test_a_note_that_was_being_typed_is_in_the_recording_when_the_screen_goes(
    engine: EngineProcess, with_music: Plan, tmp_path: Path
) -> None:
    messages.send(engine.pipe, messages.Record(with_music))
    until_recorded(engine, TrackStarted)
    for text in ("dropped", "", "h", "hu", "hums"):
        messages.send(engine.pipe, messages.NoteBegun(text, ago_s=0.1))
    engine.pipe.close()
    engine.process.join(60)
    with Session.open(tmp_path / "out.h5") as session:
        assert [note.text for note in session.state.notes] == ["hums"]


def test_a_session_from_start_to_seal(
    engine: EngineProcess, with_music: Plan, tmp_path: Path
) -> None:
    messages.send(engine.pipe, messages.Record(with_music))
    heard = until_recorded(engine, TrackStarted, AudioCaptured, FrameCaptured)
    messages.send(engine.pipe, messages.Mark("first"))
    messages.send(engine.pipe, messages.Note("breathes [deeply]", ago_s=0.25))
    messages.send(engine.pipe, messages.SteerTrack("next"))
    heard += until_recorded(engine, MarkerAdded, NoteAdded, TrackStarted)
    heard += until(engine, messages.Health)
    messages.send(engine.pipe, messages.Stop())
    heard += until(engine, messages.Sealed)
    kinds = {type(message) for message in heard}
    assert {messages.Picture, messages.Level, messages.Health, messages.Recorded} <= kinds
    events = recorded(heard)
    assert [e.label for e in events if isinstance(e, MarkerAdded)] == ["first"]
    assert [e.text for e in events if isinstance(e, NoteAdded)] == ["breathes [deeply]"]
    assert isinstance(events[-1], SessionEnded)
    with Session.open(tmp_path / "out.h5") as session:
        assert [track.reason for track in session.tracks] == ["skipped", "stopped"]
        assert session.markers[0].label == "first"
        # The marker came first, and the note is of a moment before it was written.
        marker, note = session.markers[0], session.notes[0]
        assert marker.seq < note.seq
        assert note.t_ns >= marker.t_ns - 250_000_000
        session.verify_digest()


@pytest.mark.campaign
def test_every_event_but_none_twice_reaches_the_screen(
    engine: EngineProcess, plan: Plan, tmp_path: Path
) -> None:
    messages.send(engine.pipe, messages.Record(plan))
    heard = until_recorded(engine, FrameCaptured, FaceEstimated, FrameCaptured)
    messages.send(engine.pipe, messages.Stop())
    heard += until(engine, messages.Sealed)
    with Session.open(tmp_path / "out.h5") as session:
        assert recorded(heard) == session.events


@pytest.mark.campaign
def test_a_screen_that_dies_costs_nothing(plan: Plan, tmp_path: Path) -> None:
    engine = start_engine(Settings(sessions_folder=str(tmp_path)))
    messages.send(engine.pipe, messages.Record(plan))
    until(engine, messages.Started)
    messages.send(engine.pipe, messages.Mark("before the end"))
    until_recorded(engine, MarkerAdded)
    engine.close()
    assert engine.join(60)
    with Session.open(tmp_path / "out.h5") as session:
        assert session.info.end_reason == "ui_gone"
        assert [marker.label for marker in session.markers] == ["before the end"]


@pytest.mark.campaign
def test_sources_can_be_watched_before_recording(engine: EngineProcess, plan: Plan) -> None:
    messages.send(engine.pipe, messages.Watch(camera=plan.camera))
    until(engine, messages.Picture)
    messages.send(engine.pipe, messages.Record(plan))
    heard = until(engine, messages.Started)
    assert not recorded(heard)


@pytest.mark.campaign
def test_what_cannot_be_watched_is_said_and_nothing_ends(engine: EngineProcess, plan: Plan) -> None:
    messages.send(engine.pipe, messages.Watch(camera="77"))
    problem = until(engine, messages.Problem)[-1]
    assert isinstance(problem, messages.Problem)
    assert not problem.fatal
    assert problem.hint
    messages.send(engine.pipe, messages.Record(plan))
    until(engine, messages.Started)


@pytest.mark.campaign
def test_a_plan_that_cannot_be_is_refused_and_another_may_follow(
    engine: EngineProcess, plan: Plan
) -> None:
    messages.send(engine.pipe, messages.Record(replace(plan, person="../x")))
    problem = until(engine, messages.Problem)[-1]
    assert isinstance(problem, messages.Problem)
    assert problem.code == ExitCode.PERSON_CODE
    assert problem.fatal
    messages.send(engine.pipe, messages.Record(plan))
    until(engine, messages.Started)


@pytest.mark.campaign
def test_what_makes_sense_only_while_recording_is_refused_otherwise(engine: EngineProcess) -> None:
    messages.send(engine.pipe, messages.Mark("too early"))
    problem = until(engine, messages.Problem)[-1]
    assert isinstance(problem, messages.Problem)
    assert "Nothing is being recorded" in problem.message


def test_a_pause_leaves_a_hole_and_withdrawn_consent_an_end(
    engine: EngineProcess, with_music: Plan, tmp_path: Path
) -> None:
    messages.send(engine.pipe, messages.Record(with_music))
    until_recorded(engine, FrameCaptured, AudioCaptured)
    messages.send(engine.pipe, messages.PauseRecording())
    until_recorded(engine, RecordingPaused)
    time.sleep(0.5)
    messages.send(engine.pipe, messages.ResumeRecording())
    until_recorded(engine, RecordingResumed, FrameCaptured, AudioCaptured)
    messages.send(engine.pipe, messages.ChangeConsent(consent_to("room")))
    until_recorded(engine, ConsentChanged, AudioCaptured)
    time.sleep(0.5)
    messages.send(engine.pipe, messages.Stop())
    until(engine, messages.Sealed)
    with Session.open(tmp_path / "out.h5") as session:
        seqs = {kind: [e.seq for e in session.events if isinstance(e, kind)]
                for kind in (FrameCaptured, AudioCaptured, RecordingPaused, RecordingResumed,
                             ConsentChanged)}  # fmt: skip
        (paused,), (resumed,) = seqs[RecordingPaused], seqs[RecordingResumed]
        (withdrawn,) = seqs[ConsentChanged]
        frames, sound = seqs[FrameCaptured], seqs[AudioCaptured]
        assert not [seq for seq in frames if paused < seq < resumed]
        assert any(seq > resumed for seq in frames)
        assert max(frames) < withdrawn < max(sound)
        (pause,) = session.state.pauses
        assert (pause.end_ns or 0) - pause.start_ns >= 500_000_000


@pytest.mark.campaign
def test_a_chosen_track_is_played_and_told_by_log_and_report(
    engine: EngineProcess,
    with_music: Plan,
    tmp_path: Path,
) -> None:
    entry = PlaylistEntry(path=str(tone(tmp_path / "dance.wav", 2)))
    vain = Proposal(direction="calmer", titles=("slow",), sha256=("ab" * 32,))
    given = replace(with_music, proposals=(vain,))
    messages.send(engine.pipe, messages.Record(given))
    until_recorded(engine, TrackStarted)
    chosen = Proposal(
        direction="livelier", titles=("dance",), sha256=("ab" * 32,), chosen=entry, arousal=0.1
    )
    messages.send(engine.pipe, messages.ProposeMusic(chosen))
    until_recorded(engine, MusicProposed)
    messages.send(engine.pipe, messages.SteerTrack("next"))
    until_recorded(engine, TrackStarted)
    messages.send(engine.pipe, messages.Stop())
    until(engine, messages.Sealed)
    with Session.open(tmp_path / "out.h5") as session:
        state = session.state
        proposals = [m for m in state.moments if isinstance(m, MusicProposed)]
        assert [p.title for p in proposals] == ["", "dance"]
        assert [track.title for track in state.tracks] == ["a", "dance"]
        assert state.tracks[1].sha256 == proposals[1].chosen_sha256
        assert "chosen “dance”" in sentence(proposals[1])
