"""Two videos in one recording: the first is perceived, both are kept, gaps are told of each."""

import time
from pathlib import Path

import pytest

from affetti.analyzer.checks import Importance, inspect
from affetti.core.errors import ExitCode
from affetti.core.events import EstimateSkipped, FaceEstimated, consent_to
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.recording import Recording
from affetti.recorder.sources.camera import named_camera
from tests.command_line import affetti
from tests.recorder.films import face_film, moving_film


def test_perception_runs_on_the_first_and_both_are_in_the_file(
    tmp_path: Path, sample_session: Path, readers: Readers
) -> None:
    first = face_film(tmp_path / "front.avi", sample_session, 3, (320, 240), 15)
    second = moving_film(tmp_path / "side.avi", 2)
    plan = Plan(
        person="P1",
        consent=consent_to("video"),
        output=str(tmp_path / "two.h5"),
        camera=str(first),
        sources=(f"film:{second}",),
        unattended=True,
    )
    recording = Recording(plan, Settings(), readers, lambda event, blob: None)
    while recording.over is None:
        time.sleep(0.05)
    recording.finish("sources_ended")
    with Session.open(seal(recording.target).path) as session:
        assert list(session.video) == ["camera", "side"]
        assert [len(frames) for frames in session.video.values()] == [45, 50]
        assert [f.frame for f in session.video["side"]] == list(range(50))
        skipped = [event for event in session.events if isinstance(event, EstimateSkipped)]
        by_seq = {event.seq: event for event in session.events}
        seen = {by_seq[each.of_seq].stream for each in skipped if each.modality == "face"}  # type: ignore[union-attr]
        faces = [event for event in session.events if isinstance(event, FaceEstimated)]
        assert faces
        assert any(face.box_px for face in faces)
        assert seen | {face.stream for face in faces} == {"camera"}
    findings = inspect(recording.target)
    assert [each for each in findings if each.importance is not Importance.NOTE] == []


@pytest.mark.campaign
def test_a_second_camera_of_the_command_line_is_complete_and_goes_with_the_consent(
    tmp_path: Path, sample_session: Path
) -> None:
    first = face_film(tmp_path / "front.avi", sample_session, 2, (320, 240), 15)
    second = moving_film(tmp_path / "side.avi", 2)
    target = tmp_path / "two.h5"
    words = ["--headless", "--person", "P1", "--consent", "video", "--output", target]
    words += ["--camera", first, "--camera", f"room={second}", "--camera", second]
    assert affetti("record", *words).returncode == 0
    with Session.open(target) as session:
        # A name that a sound has is not taken from it; one without a name is that of its number.
        assert list(session.video) == ["camera", "camera-room", "camera3"]
        assert [len(frames) for frames in session.video.values()] == [30, 50, 50]
        faces = [each for each in session.events if isinstance(each, FaceEstimated)]
        assert {each.stream for each in faces} <= {"camera"}
    assert affetti("check", target).returncode == 0
    said = affetti("info", target).stdout
    assert "camera-room" in said
    assert affetti("withdraw", target, "video", "--yes").returncode == 0
    with Session.open(target) as session:
        session.verify_digest()
        assert [len(frames) for frames in session.video.values()] == [0, 0, 0]


def test_the_first_camera_has_its_own_name() -> None:
    said = affetti("record", "--headless", "--camera", "side=0", "--camera", "1")
    assert said.returncode == ExitCode.USAGE
    assert "cannot be called side" in said.stderr


def test_a_film_that_begins_with_what_looks_like_a_name_is_that_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a=b.avi").touch()
    assert named_camera("a=b.avi") == ("", "a=b.avi")
    assert named_camera("a=c.avi") == ("a", "c.avi")
    assert named_camera("http://host/video?size=2") == ("", "http://host/video?size=2")
    assert named_camera("two words=0") == ("", "two words=0")
