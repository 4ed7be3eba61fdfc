"""Two videos in one recording: the first is perceived, both are kept, gaps are told of each."""

import time
from pathlib import Path

from affetti.analyzer.checks import Importance, inspect
from affetti.core.events import EstimateSkipped, FaceEstimated, consent_to
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.recording import Recording
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
