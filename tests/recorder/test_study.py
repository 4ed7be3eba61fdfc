"""The protocol of a study leads through a recording, and what was done is in the log."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from affetti.core.consent import consent_to
from affetti.core.events import ProtocolStarted, StepBegun, StepEnded
from affetti.core.people.protocol import Protocol, read_protocol
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.recording import Recording
from tests.command_line import affetti
from tests.recorder.films import tone

HEAD = """
name = "two tones"
version = "3"
constructed = true
"""


def study(folder: Path, more: str = "", seconds: float = 0.5) -> Protocol:
    for name in ("low", "high"):
        tone(folder / f"{name}.wav", seconds=seconds)
    tracks = '[[track]]\nfile = "low.wav"\nexpected = "sadness"\n[[track]]\nfile = "high.wav"\n'
    path = folder / "protocol.toml"
    path.write_text(HEAD + more + tracks)
    return read_protocol(path)


def led(
    folder: Path,
    protocol: Protocol,
    *,
    attended: bool = False,
    until: Callable[[Recording], bool] = lambda recording: False,
    steer: Callable[[Recording], None] = lambda recording: None,
) -> Path:
    """Record as the engine does, without models, until it is over or `until` says so."""
    plan = Plan(
        person="P02",
        consent=consent_to(),
        output=str(folder / "out.h5"),
        speaker=None,
        protocol=protocol,
        unattended=not attended,
    )
    recording = Recording(plan, Settings(), Readers(), lambda event, blob: None)
    end = time.monotonic() + 120
    while recording.over is None and not until(recording):
        assert time.monotonic() < end, "it did not end"
        steer(recording)
        recording.lead()
        recording.end_neutral_reference_when_due()
        time.sleep(0.005)
    recording.finish(recording.over or "stopped")
    assert recording.failure is None
    return seal(recording.target).path


def test_what_is_done_is_recorded_and_what_is_not_is_told(tmp_path: Path) -> None:
    more = 'order = "balanced"\n[silence]\nbetween_s = 0.2\n[self_report]\nwhen = ["after"]\n'
    path = led(tmp_path, study(tmp_path, more))
    with Session.open(path) as session:
        session.verify_digest()
        planned = next(e for e in session.events if isinstance(e, ProtocolStarted))
        assert (planned.name, planned.version, planned.tracks) == ("two tones", "3", (1, 0))
        begun = [e.step_kind for e in session.events if isinstance(e, StepBegun)]
        ended = [(e.step, e.outcome) for e in session.events if isinstance(e, StepEnded)]
        assert begun == ["track", "silence", "track", "self_report"]
        assert ended == [(0, "done"), (1, "done"), (2, "done"), (3, "unattended")]
        assert [(t.title, t.reason) for t in session.tracks] == [
            ("high", "finished"),
            ("low", "finished"),
        ]
        first, second = session.tracks
        silent_ns = second.start_ns - (first.end_ns or 0)
        assert silent_ns >= 200_000_000
        # In the silence the music that is recorded is silent, and goes on.
        between = session.audio("playback").read_samples(first.end_sample or 0, second.start_sample)
        assert len(between) > 0.15 * first.rate_hz
        assert not between.any()
        assert session.info.end_reason == "protocol_over"
    said = affetti("info", path).stdout
    assert "two tones, version 3" in said
    assert "3 of 4 steps done; constructed" in said
    assert "step 4, self-report: nobody was there to ask" in said


def test_what_was_not_reached_is_told(tmp_path: Path) -> None:
    protocol = study(tmp_path, "[silence]\nbefore_s = 60\n")
    path = led(
        tmp_path,
        protocol,
        until=lambda r: r.state.protocol is not None and r.state.protocol.current == 0,
    )
    with Session.open(path) as session:
        course = session.state.protocol
        assert course is not None
        assert [(at, why) for at, _, why in course.undone] == [
            (0, "broken_off"),
            (1, "not_reached"),
            (2, "not_reached"),
        ]
        assert session.tracks == []


def test_a_key_goes_on_and_that_is_recorded(tmp_path: Path) -> None:
    """A silence and a track are cut short, and the tracks behind them are played all the same."""
    protocol = study(tmp_path, "[silence]\nbefore_s = 60\n", seconds=60)
    pressed: list[int] = []

    def steer(recording: Recording) -> None:
        course, track = recording.state.protocol, recording.state.track
        at = None if course is None else course.current
        waits = at == 0 or (track is not None and at in (1, 2))
        if waits and at is not None and at not in pressed and recording.conductor is not None:
            pressed.append(at)
            recording.conductor.go_on()

    path = led(tmp_path, protocol, steer=steer)
    with Session.open(path) as session:
        course = session.state.protocol
        assert course is not None
        assert [end.outcome for end in course.ended.values()] == ["skipped"] * 3
        assert [(t.number, t.reason) for t in session.tracks] == [(0, "skipped"), (1, "skipped")]


def test_a_track_is_played_for_as_long_as_the_protocol_wants(tmp_path: Path) -> None:
    tone(tmp_path / "long.wav", seconds=30)
    words = HEAD + '[[track]]\nfile = "long.wav"\nplay_s = 1\n' * 2
    (tmp_path / "protocol.toml").write_text(words)
    path = led(tmp_path, read_protocol(tmp_path / "protocol.toml"))
    with Session.open(path) as session:
        assert [track.reason for track in session.tracks] == ["stopped", "stopped"]
        assert all(1 <= track.played_s(track.end_ns or 0) < 30 for track in session.tracks)
        course = session.state.protocol
        assert course is not None
        assert course.undone == []


def test_a_study_says_itself_what_is_played(tmp_path: Path) -> None:
    study(tmp_path)
    refused = affetti(
        "record",
        *("--headless", "--study", tmp_path / "protocol.toml", "--play", tmp_path / "low.wav"),
    )
    assert refused.returncode == 2
    assert "says what is played" in refused.stderr


@pytest.mark.parametrize("code", ["anon", "Pxy"])
def test_a_person_without_a_number_has_no_balanced_order(tmp_path: Path, code: str) -> None:
    study(tmp_path, 'order = "balanced"\n')
    refused = affetti(
        "record",
        *("--headless", "--study", tmp_path / "protocol.toml", "--person", code, "--no-speaker"),
    )
    assert refused.returncode == 2
    assert f"the code {code} ends in no number" in refused.stderr
    assert not list(tmp_path.glob("*.h5"))
