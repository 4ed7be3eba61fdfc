"""What is withdrawn leaves the file without a trace of its bytes, and what stays is verified."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from affetti.analyzer.checks import Importance, inspect
from affetti.analyzer.replay import as_consented
from affetti.core.custody import exports, withdrawal
from affetti.core.custody.artefacts import EXPORTS
from affetti.core.custody.temporary import name_beside
from affetti.core.errors import AffettiError, Damaged, ExitCode, Unsealed, UsageError
from affetti.core.events import (
    EmotionFused,
    EstimateSkipped,
    Event,
    FaceEstimated,
    FrameCaptured,
    MusicEstimated,
    NoteAdded,
    SessionStarted,
    Withdrawn,
    consent_to,
)
from affetti.core.events.people import ConsentFiled, GoalSet, NeutralDescribed
from affetti.core.people import log as person_log
from affetti.core.recording.losses import withdrawn_words
from affetti.core.recording.names import parts_of
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.command_line import affetti
from tests.conftest import NS, RATE_HZ, SESSION_ID, small_session, started

WriteLog = Callable[..., Path]
CALM = (0.1, 0.1, 0.1, 0.7)


def estimates() -> list[tuple[Event, bytes]]:
    """One estimate of each modality a second, the face's skipped in the first."""
    made: list[Event] = [EstimateSkipped(t_ns=0, modality="face", of_seq=1)]
    for second in range(1, 4):
        at = second * NS
        made.append(FaceEstimated(t_ns=at, frame=10 * second))
        end = second * RATE_HZ
        made.append(
            MusicEstimated(t_ns=at, stream="room", start_sample=0, end_sample=end, emotions=CALM)
        )
        decided = "both" if second < 3 else "music"
        made.append(EmotionFused(t_ns=at, emotions=CALM, decided_by=decided))
    return [(event, b"") for event in made]


@pytest.fixture
def recording(write_log: WriteLog) -> Path:
    *items, last = small_session()
    note = NoteAdded(t_ns=NS, text="hums along"), b""
    return seal(write_log([*items, *estimates(), note, last])).path


def kinds(path: Path) -> list[type]:
    with Session.open(path) as session:
        session.verify_digest()
        return [type(event) for event in session.events]


def blobs(path: Path, kind: str) -> list[bytes]:
    with Session.open(path) as session:
        return [record.blob for record in session.records() if record.kind == kind]


def test_of_withdrawn_video_no_byte_is_left_and_the_rest_is_verified(recording: Path) -> None:
    frames, sound = blobs(recording, "FrameCaptured"), blobs(recording, "AudioCaptured")
    with Session.open(recording) as session:
        before = session.log_sha256
    done = withdrawal.withdraw(recording, ["video"], reason="asked for it")
    assert done.event.removed == {
        "EmotionFused": 2,
        "EstimateSkipped": 1,
        "FaceEstimated": 3,
        "FrameCaptured": 40,
    }
    raw = recording.read_bytes()
    assert frames
    assert not any(frame in raw for frame in frames)
    assert blobs(recording, "AudioCaptured") == sound
    left = kinds(recording)
    assert not {FrameCaptured, FaceEstimated, EstimateSkipped} & set(left)
    assert left.count(MusicEstimated) == 3
    assert left.count(EmotionFused) == 1
    assert left[-1] is Withdrawn
    with Session.open(recording) as session:
        assert session.chain_sha256(done.event.seq) == before == done.event.log_sha256
        assert not session.state.consent.grants("video")
        assert session.state.notes[0].text == "hums along"
        assert session.info.withdrawals == [withdrawn_words(done.event)]
    assert "asked for it" in withdrawn_words(done.event)
    assert not [f for f in inspect(recording) if f.importance < Importance.NOTE]


@pytest.mark.parametrize("how", ["withdraw", "forget"])
def test_a_copy_elsewhere_is_named_once_and_what_is_gone_is_not(recording: Path, how: str) -> None:
    copy = recording.parent / "desk" / "copy.eaf"
    page = recording.with_suffix(".report.txt")
    copy.parent.mkdir()
    for path in (copy, page):
        path.write_text("a copy")
        for _ in range(2):
            exports.note(recording, None, path.name, path)
    words = (recording.name, "video") if how == "withdraw" else ("P07", ".")
    said = affetti(how, *words, "--yes", cwd=recording.parent)
    assert said.returncode == 0, said.stderr
    assert said.stdout.count(str(copy)) == 1
    assert str(page) not in said.stdout


@pytest.mark.parametrize("how", ["withdraw", "forget"])
def test_a_damaged_list_of_copies_keeps_nothing_from_being_removed(
    recording: Path, how: str
) -> None:
    copy = recording.parent / "copy.eaf"
    copy.write_text("a copy")
    exports.note(recording, None, copy.name, copy)
    listed = recording.parent / EXPORTS.name(recording)
    listed.write_bytes(b'\xff{"target"\n' + listed.read_bytes() + b"[" * 100_000)
    words = (recording, "video") if how == "withdraw" else ("P07", recording.parent)
    said = affetti(how, *words, "--yes")
    assert said.returncode == ExitCode.WARNING
    assert "is damaged" in said.stderr
    assert said.stdout.count(str(copy)) == 1  # what of it can be read is told
    if how == "forget":
        assert not recording.exists()
        assert not listed.exists()
    else:
        assert not blobs(recording, "FrameCaptured")


def test_a_recording_of_somebody_else_goes_with_none_however_it_is_called(
    recording: Path, write_log: Callable[..., Path]
) -> None:
    items = small_session()
    theirs = [(started(person="P08", session_id="f" * 32), b""), *items[1:]]
    folder = recording.parent
    other = seal(write_log(theirs, name="other.h5", session_id="f" * 32)).path
    names = [f"{recording.stem}{end}" for end in (".part007.h5", ".export.h5", ".export.two.H5")]
    for name in names:
        shutil.copy(other, folder / name)
    unsealed = write_log(theirs, name=f"{recording.stem}.export.h5.h5", session_id="f" * 32)
    names += [part.name for part in parts_of(unsealed)]
    own = folder / f"{recording.stem}.export.own.h5"
    shutil.copy(recording, own)
    assert affetti("withdraw", recording, "video", "--yes").returncode == 0
    assert not own.exists()
    assert affetti("forget", "P07", folder, "--yes").returncode == 0
    assert not recording.exists()
    assert set(names) <= set(os.listdir(folder))


def test_what_is_sealed_while_somebody_is_forgotten_does_not_stay(
    write_log: WriteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process seals it between a look at what is sealed and one at what is not."""
    target = write_log(name="sub-P07_ses-20261127T101500.h5")
    real = withdrawal.recordings_of

    def sealed_right_after(person: str, folders: list[Path]) -> object:
        found = real(person, folders)
        seal(target)
        return found

    monkeypatch.setattr(withdrawal, "recordings_of", sealed_right_after)
    said = affetti("forget", "P07", target.parent, "--yes")
    assert said.returncode == ExitCode.UNSEALED
    assert target.name in said.stderr


def test_a_withdrawal_that_another_one_overtakes_says_what_happened(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = withdrawal._write

    def overtaken(temporary: Path, *others: object) -> object:
        event = real(temporary, *others)  # type: ignore[arg-type]
        monkeypatch.setattr(withdrawal, "_write", real)
        withdrawal.withdraw(recording, ["room"])
        return event

    monkeypatch.setattr(withdrawal, "_write", overtaken)
    with pytest.raises(AffettiError) as caught:
        withdrawal.withdraw(recording, ["video"])
    assert recording.name in caught.value.message
    with Session.open(recording) as session:
        session.verify_digest()
        assert session.state.consent.grants("video")
        assert not session.state.consent.grants("room")


@pytest.mark.parametrize("how", ["withdraw", "forget"])
def test_a_folder_in_the_place_of_the_list_of_copies_keeps_nothing_from_being_removed(
    recording: Path, how: str
) -> None:
    listed = recording.parent / EXPORTS.name(recording)
    listed.mkdir()
    words = (recording, "video") if how == "withdraw" else ("P07", recording.parent)
    said = affetti(how, *words, "--yes")
    assert said.returncode == ExitCode.WARNING
    assert "is a folder" in said.stderr
    assert recording.exists() == (how == "withdraw")
    assert how == "forget" or not blobs(recording, "FrameCaptured")


def test_a_page_goes_though_the_list_that_names_it_is_damaged(recording: Path) -> None:
    page = recording.parent / "below" / "her.html"
    page.parent.mkdir()
    assert affetti("report", recording, "--output", page).returncode == 0
    listed = recording.parent / EXPORTS.name(recording)
    listed.write_bytes(listed.read_bytes() + b"torn\n")
    assert affetti("withdraw", recording, "video", "--yes").returncode == ExitCode.WARNING
    assert not page.exists()


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_nothing_is_withdrawn_of_a_name_while_another_has_all_of_it(
    recording: Path, link: Callable[[Path, Path], None]
) -> None:
    other = recording.parent / "elsewhere" / "other.h5"
    other.parent.mkdir()
    recording.rename(other)
    link(other, recording)
    before = other.read_bytes()
    said = affetti("withdraw", recording, "video", "--yes")
    assert said.returncode == ExitCode.USAGE
    assert other.name in said.stderr or "another name" in said.stderr
    assert other.read_bytes() == recording.read_bytes() == before
    assert recording.is_symlink() == (link is os.symlink)


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_of_whoever_is_forgotten_every_name_in_the_folder_goes(
    recording: Path, link: Callable[[Path, Path], None]
) -> None:
    for name in ("a.h5", "z.h5"):  # before it and behind it
        link(recording, recording.parent / name)
    said = affetti("forget", "P07", recording.parent, "--yes")
    assert said.returncode == 0, said.stderr
    assert not list(recording.parent.glob("*.h5"))


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_name_that_stays_elsewhere_is_told(
    recording: Path, link: Callable[[Path, Path], None], tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("elsewhere") / "other.h5"
    recording.rename(other)
    link(other, recording)
    said = affetti("forget", "P07", recording.parent, "--yes")
    assert said.returncode == ExitCode.WARNING
    assert str(other) in said.stderr or "another name" in said.stderr
    assert other.exists()
    assert not os.path.lexists(recording)


@pytest.mark.campaign
def test_of_a_stretch_only_its_pictures_go_and_every_later_estimate_of_them(
    recording: Path,
) -> None:
    withdrawal.withdraw(recording, ["video"], start_ns=NS, stop_ns=2 * NS)
    with Session.open(recording) as session:
        times = [e.t_ns for e in session.events if isinstance(e, FrameCaptured)]
        faces = [e.t_ns for e in session.events if isinstance(e, FaceEstimated | EstimateSkipped)]
        assert len(times) == 30
        assert not any(NS <= t_ns < 2 * NS for t_ns in times)
        assert faces == [0]
        assert session.state.interruptions.withheld("video", 4 * NS) == [(NS, 2 * NS)]
    done = withdrawal.withdraw(recording, ["video"], start_ns=0, stop_ns=NS // 2)
    assert done.event.removed["FrameCaptured"] == 5
    assert kinds(recording).count(Withdrawn) == 2
    assert not [f for f in inspect(recording) if f.importance < Importance.NOTE]


def test_a_sound_goes_wholly_that_reaches_into_a_stretch(recording: Path) -> None:
    done = withdrawal.withdraw(recording, ["room"], start_ns=3 * NS // 2, stop_ns=7 * NS // 4)
    assert done.event.removed == {"AudioCaptured": 1, "EmotionFused": 2, "MusicEstimated": 2}
    with Session.open(recording) as session:
        assert session.state.audio["room"].samples == 3 * RATE_HZ


def test_who_withdraws_what_tells_faces_apart_is_not_told_apart_again(write_log: WriteLog) -> None:
    begun = started(consent=consent_to("video", "room", "identity"))
    _, *items, last = small_session()
    path = seal(write_log([(begun, b""), *items, *estimates(), last])).path
    done = withdrawal.withdraw(path, ["identity"])
    assert done.event.removed == {"EmotionFused": 2, "FaceEstimated": 3}
    with Session.open(path) as session:
        again = as_consented(session.started, session)
        assert isinstance(again, SessionStarted)
        assert again.consent.granted == ("video", "room")
        assert session.state.frames == 40


@pytest.mark.parametrize("use", ["research", "pictures_in_reports"])
def test_consent_to_a_use_ends_and_every_record_stays(write_log: WriteLog, use: str) -> None:
    _, *rest = small_session()
    begun = started(consent=consent_to("video", "room", "research", "pictures_in_reports"))
    path = seal(write_log([(begun, b""), *rest])).path
    before = kinds(path)
    assert affetti("withdraw", path, use, "--from", "1", "--yes").returncode == ExitCode.USAGE
    assert kinds(path) == before
    said = affetti("withdraw", path, use, "--yes")
    assert said.returncode == 0, said.stderr
    assert "record" not in said.stdout
    assert kinds(path) == [*before, Withdrawn]
    with Session.open(path) as session:
        assert not session.state.consent.grants(use)
        assert session.state.consent.grants("video", "room")
        assert use not in withdrawal.scopes_in(session)
    assert affetti("check", path).returncode == ExitCode.OK
    assert affetti("withdraw", path, "all", "--from", "1", "--yes").returncode == 0
    with Session.open(path) as session:
        assert [scope for scope in session.state.consent.granted if scope != "video"]
    assert affetti("withdraw", path, "all", "--yes").returncode == 0
    with Session.open(path) as session:
        assert session.state.consent.granted == ()


@pytest.mark.campaign
@pytest.mark.parametrize("scopes", [["signals"], [], ["nonsense"]])
def test_what_nothing_rests_on_changes_nothing(recording: Path, scopes: list[str]) -> None:
    before = recording.read_bytes()
    with pytest.raises(UsageError):
        withdrawal.withdraw(recording, scopes)
    assert recording.read_bytes() == before
    assert os.listdir(recording.parent).count(recording.name) == 1


def test_an_altered_recording_is_left_as_it_is(recording: Path) -> None:
    data = bytearray(recording.read_bytes())
    at = data.index(b"hums along")
    data[at : at + 4] = b"HUMS"
    recording.write_bytes(data)
    with pytest.raises(Damaged):
        withdrawal.withdraw(recording, ["video"])
    assert recording.read_bytes() == bytes(data)


def test_one_that_is_not_wholly_sealed_is_sealed_first(
    recording: Path, write_log: WriteLog
) -> None:
    write_log()
    with pytest.raises(Unsealed):
        withdrawal.withdraw(recording, ["video"])


@pytest.mark.campaign
def test_what_can_be_made_again_goes_and_what_was_said_stays(recording: Path) -> None:
    for name in ("session.report.html", "session.annotations.jsonl"):
        (recording.parent / name).touch()
    for name in ("session.analysis", "session.unreadable"):
        (recording.parent / name).mkdir()
    done = withdrawal.withdraw(recording, ["video"])
    assert sorted(path.name for path in done.removed) == [
        "session.analysis",
        "session.report.html",
        "session.unreadable",
    ]
    left = {path.name for path in recording.parent.iterdir()}
    assert {"session.h5", "session.annotations.jsonl"} <= left
    assert not left & {path.name for path in done.removed}


def test_a_person_is_forgotten_with_all_that_lies_beside(
    recording: Path, write_log: WriteLog, tmp_path: Path
) -> None:
    _, *items = small_session()
    other = seal(write_log([(started(person="P08"), b""), *items], name="other.h5")).path
    (tmp_path / "session.report.html").touch()
    (tmp_path / "session.annotations.jsonl").touch()
    (tmp_path / "broken.h5").write_bytes(b"nobody knows")
    found, unread = withdrawal.recordings_of("P07", [tmp_path])
    assert found == [recording]
    assert [path.name for path, _ in unread] == ["broken.h5"]
    gone = withdrawal.forget(recording)
    assert gone[-1] == recording
    assert [path for path in tmp_path.iterdir() if path.name.startswith("session")] == []
    assert other.exists()


def test_a_persons_log_is_forgotten_by_the_command_with_every_byte(
    recording: Path, tmp_path: Path
) -> None:
    wish = "to sing with her sister"
    for person in ("P07", "P08"):
        goal = GoalSet(author_id=SESSION_ID, person=person, goal_id=SESSION_ID, words=wish)
        person_log.add([goal], person, tmp_path)
    done = affetti("forget", "P07", tmp_path, "--yes")
    assert done.returncode == ExitCode.OK, done.stderr
    assert not recording.exists()
    told = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert [path.name for path, data in told.items() if b"P07" in data] == []
    assert [path.name for path, data in told.items() if wish.encode() in data] == [
        "sub-P08.person.jsonl"
    ]


def test_a_withdrawal_reaches_what_a_persons_log_says_of_the_face(
    recording: Path, tmp_path: Path
) -> None:
    with Session.open(recording) as session:
        session_id = session.session_id
    said = NeutralDescribed(
        author_id=SESSION_ID, person="P07", text="mouth ajar", session_id=session_id
    )
    filed = ConsentFiled(
        author_id=SESSION_ID, person="P07", consent=consent_to("video", "room"), on="2026-11-01"
    )
    place = person_log.add([said, filed], "P07", tmp_path)
    withdrawal.withdraw(recording, ["video"])
    assert b"mouth ajar" not in place.read_bytes()
    state = person_log.person_state("P07", tmp_path)
    assert state.neutral is None
    assert state.consent is not None
    assert state.consent.consent.granted == ("room",)


def test_what_waits_to_be_sealed_is_found_before_a_person_is_forgotten(
    write_log: WriteLog, tmp_path: Path
) -> None:
    target = write_log(name="sub-P07_ses-20261124T101500.h5")
    assert withdrawal.unsealed_of("P07", [tmp_path]) == [target]
    assert withdrawal.unsealed_of("P0", [tmp_path]) == []


def test_a_withdrawal_says_what_it_cannot_do_and_the_recording_stays(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = recording.read_bytes()
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises((AffettiError, OSError)):
        withdrawal.withdraw(recording, ["video"])
    assert recording.read_bytes() == before
    assert [p for p in recording.parent.iterdir() if p.name.endswith(".writing")] == []


def test_scopes_are_those_that_something_rests_on(recording: Path) -> None:
    with Session.open(recording) as session:
        assert withdrawal.scopes_in(session) == ("room", "video")  # no use was agreed to


def test_a_second_name_that_a_kill_left_goes_as_well(recording: Path) -> None:
    frames = blobs(recording, "FrameCaptured")
    left = name_beside(recording)
    os.link(recording, left)  # as where sealing broke off between its name and its tidying up
    withdrawal.withdraw(recording, ["video"])
    assert not left.exists()
    for path in recording.parent.iterdir():
        assert not path.is_file() or not any(frame in path.read_bytes() for frame in frames)


def test_what_lies_beside_goes_before_the_recording_says_that_it_did(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = recording.parent / "session.report.html"
    report.touch()
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(5, "killed")))
        with pytest.raises(OSError, match="killed"):
            withdrawal.withdraw(recording, ["video"])
    assert not report.exists()
    assert withdrawal.withdraw(recording, ["video"]).event.removed["FrameCaptured"] == 40
