"""What a rule says is due goes once somebody says yes; estimates stay, and no byte of the rest."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from affetti.analyzer.checks import Importance, inspect
from affetti.analyzer.commands.info import info
from affetti.analyzer.commands.retention import retention
from affetti.core.custody.retention import carry_out, held_in, outlook
from affetti.core.events import AudioCaptured, FrameCaptured, Withdrawn
from affetti.core.recording.losses import withdrawn_words
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import Retention, Rule
from tests.conftest import small_session, started
from tests.core.test_withdrawal import blobs, estimates, kinds

WriteLog = Callable[..., Path]
MONTH = Retention(pictures_days=30)


@pytest.fixture
def recording(write_log: WriteLog) -> Path:
    _, *items, last = small_session()
    begun = started(wall_clock="2026-01-10T10:00:00+01:00")
    return seal(write_log([(begun, b""), *items, *estimates(), last])).path


def run(command: object, *words: object, answer: str | None = None) -> Result:
    call = list(map(str, words))
    return CliRunner().invoke(command, call, input=answer, standalone_mode=False)  # type: ignore[arg-type]


def test_nothing_is_due_before_its_day(recording: Path) -> None:
    found = outlook([recording.parent], MONTH, date(2026, 2, 8))
    assert not found.due
    assert found.next_on == date(2026, 2, 9)
    (due,) = outlook([recording.parent], MONTH, date(2026, 2, 9)).due
    assert (due.path, due.person, due.scopes) == (recording, "P07", ("video",))
    with Session.open(recording) as session:
        assert due.size == sum(len(frame.jpeg) for frame in session.frames)


def test_a_rule_for_a_person_replaces_the_one_for_all(recording: Path) -> None:
    kept = Retention(pictures_days=1, persons={"P07": Rule(sound_days=10)})
    (due,) = outlook([recording], kept).due
    assert due.scopes == ("room",)
    assert not outlook([recording], Retention(pictures_days=1, persons={"P07": Rule()})).due
    assert outlook([recording], Retention()).next_on is None


def test_what_is_due_leaves_no_byte_and_the_estimates_stay(recording: Path) -> None:
    frames, sound = blobs(recording, "FrameCaptured"), blobs(recording, "AudioCaptured")
    before = kinds(recording)
    with Session.open(recording) as session:
        log = session.log_sha256
        columns = {name: len(session.estimates[name]["seq"]) for name in session.estimates}
    (due,) = outlook([recording], Retention(pictures_days=30, sound_days=30)).due
    done = carry_out(due)
    assert done.event.removed == {"AudioCaptured": 4, "FrameCaptured": 40}
    assert done.event.reason == "retention"
    raw = recording.read_bytes()
    assert not any(piece in raw for piece in (*frames, *(block[:64] for block in sound)))
    left = [kind for kind in before if kind not in (FrameCaptured, AudioCaptured)]
    assert kinds(recording) == [*left, Withdrawn]
    with Session.open(recording) as session:
        assert session.chain_sha256(done.event.seq) == log
        assert columns == {name: len(session.estimates[name]["seq"]) for name in session.estimates}
        assert session.state.consent.grants("video", "room")
        assert session.state.unkept == {"video", "room"}
        assert session.duration_s == 4.0
        assert not session.state.interruptions.withheld("video", session.state.now_ns)
        assert held_in(session, MONTH) == []
        assert "the estimates stay" in session.info.withdrawals[0]
    assert not [f for f in inspect(recording) if f.importance < Importance.NOTE]
    assert any("cannot be computed again" in f.message for f in inspect(recording))
    assert not outlook([recording], Retention(pictures_days=1, sound_days=1)).due
    assert "rule" in withdrawn_words(done.event)


def test_what_was_made_of_it_stays_but_for_reports_with_pictures(recording: Path) -> None:
    (recording.parent / "session.report.html").touch()
    (recording.parent / "session.analysis").mkdir()
    (due,) = outlook([recording], MONTH).due
    assert [path.name for path in carry_out(due).removed] == ["session.report.html"]
    assert (recording.parent / "session.analysis").exists()


def rule_in_settings(folder: Path, rule: str) -> None:
    settings = folder / "settings.toml"
    settings.write_text(f"{settings.read_text()}[retention]\n{rule}\n")


def test_nothing_goes_unasked(recording: Path) -> None:
    rule_in_settings(recording.parent, "pictures_days = 30")
    before = recording.read_bytes()
    assert run(retention, answer="n\n").exception is not None
    shown = run(retention, "--json")
    assert recording.read_bytes() == before
    told = json.loads(shown.output)
    assert told["done"] is False
    assert told["due"][0]["scopes"] == ["video"]


@pytest.mark.campaign
def test_the_command_shows_what_is_due_and_does_it(recording: Path) -> None:
    rule_in_settings(recording.parent, "pictures_days = 30")
    assert "until" not in run(info, recording).output
    assert "due since" in run(info, recording).output
    done = run(retention, answer="y\n")
    assert done.exit_code == 0, done.exception
    assert "the pictures (" in done.output
    assert "10 January 2026" in done.output
    assert FrameCaptured not in kinds(recording)
    told = run(info, recording).output
    assert "Not kept     the pictures." in told
    assert "the estimates stay" in told
    assert "Nothing is due." in run(retention, recording).output


def test_without_a_rule_everything_stays(recording: Path) -> None:
    assert "no rule" in run(retention, "--yes").output
    assert FrameCaptured in kinds(recording)


def test_one_that_cannot_be_read_is_named_and_the_others_are_done(recording: Path) -> None:
    rule_in_settings(recording.parent, "pictures_days = 30")
    (recording.parent / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\nnothing")
    done = run(retention, "--yes")
    assert done.return_value == 1
    assert "broken.h5" in done.output + done.stderr
    assert FrameCaptured not in kinds(recording)
