"""What a verification says of recordings that another machine could have made.

Such a machine is a reader whose numbers are off by so much, or a gate that lies a little
elsewhere: the recording is consistent in itself, and the replay is the product's own.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from session_builder import Plan, build, chord, read_face, read_music

from affetti.analyzer.commands.verify import verify as verify_command
from affetti.analyzer.verify import Verification, departures, distance, verify
from affetti.core.clock import NS_PER_S
from affetti.core.environment import environment
from affetti.core.errors import ExitCode
from affetti.core.events import (
    Environment,
    Face,
    FaceEstimated,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    consent_to,
)
from affetti.core.recording.session import Session
from affetti.models import manifest
from affetti.models.face import quality, reference
from affetti.models.face.detection import Choose
from affetti.models.face.reading import FaceReading
from affetti.models.manifest import ModelFile, models_in
from affetti.models.pipelines import AFFETTI, PAPER, Offer, Perceivers
from affetti.models.sound.music import MusicReading

pytestmark = pytest.mark.one_of_each


@pytest.fixture
def face_only(face_jpegs: list[bytes]) -> Plan:
    return Plan(duration_s=4, jpegs=face_jpegs)


def verified(path: Path) -> Verification:
    with Session.open(path) as session:
        return verify(session)


def shifted_faces(by: float) -> Callable[..., FaceReading]:
    """Return a reader that takes `by` from the strongest expression and gives it to the last."""

    def read(image: np.ndarray, choose: Choose, neutral: Any = None, **how: Any) -> FaceReading:
        reading = read_face(image, choose, neutral, **how)
        values = list(reading.expressions or ())
        if values:
            strongest, weakest = int(np.argmax(values)), int(np.argmin(values))
            values[strongest] = round(values[strongest] - by, 6)
            values[weakest] = round(values[weakest] + by, 6)
        return replace(reading, expressions=tuple(values) or None)

    return read


def test_on_the_same_machine_a_replay_is_identical(tmp_path: Path, face_only: Plan) -> None:
    found = verified(build(tmp_path / "s.h5", face_only))
    assert found.verdict == "identical"
    assert found.largest == {}
    assert found.reason == ""


@pytest.mark.campaign
def test_probabilities_just_inside_the_tolerance_are_the_same(
    tmp_path: Path, face_only: Plan
) -> None:
    path = build(tmp_path / "s.h5", replace(face_only, read_face=shifted_faces(0.0009)))
    found = verified(path)
    assert found.verdict == "within tolerance"
    assert found.reproduced
    assert found.largest["face"]["expressions"] == pytest.approx(0.0009)
    assert found.compared["face"] == 40
    # The others came before a face had moved, or with a hand before the mouth.
    assert 10 < found.differing["face"] < 40
    # Fused from the recorded faces, so that nothing is left to differ.
    assert found.differing["fused"] == 0


def test_probabilities_just_outside_depart(tmp_path: Path, face_only: Plan) -> None:
    path = build(tmp_path / "s.h5", replace(face_only, read_face=shifted_faces(0.0011)))
    found = verified(path)
    assert found.verdict == "departs"
    assert found.difference is not None
    assert (found.difference.modality, found.difference.field) == ("face", "expressions")
    assert found.difference.t_s < 2


@pytest.mark.parametrize(("by", "verdict"), [(0.0009, "within tolerance"), (0.0011, "departs")])
def test_music_is_held_to_the_same_tolerance(tmp_path: Path, by: float, verdict: str) -> None:
    def read(samples: np.ndarray, rate_hz: int) -> MusicReading:
        reading = read_music(samples, rate_hz)
        if reading.emotions is None:
            return reading
        a, b, *rest = reading.emotions
        return replace(reading, emotions=(round(a + by, 6), round(b - by, 6), *rest))

    plan = Plan(duration_s=6, tracks=[("A", chord(5, 220, 262, 330))], read_music=read)
    assert verified(build(tmp_path / "s.h5", plan)).verdict == verdict


@pytest.fixture
def border(tmp_path: Path, face_only: Plan) -> float:
    """The sharpness of one of the faces: a gate moved there is a gate it lies at."""
    with Session.open(build(tmp_path / "border.h5", face_only)) as session:
        estimates = [event for event in session.events if isinstance(event, FaceEstimated)]
    found = estimates[len(estimates) // 2].sharpness
    assert found is not None
    return found


def recorded_at(border: float, path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Record where a face of that sharpness is just not read."""
    monkeypatch.setattr(quality, "MIN_SHARPNESS", border + 0.0002)
    return build(path, replace(plan, perceivers=Offer(AFFETTI).open()))


@pytest.mark.campaign
def test_an_estimate_at_a_gate_may_exist_on_one_side_only(
    tmp_path: Path, face_only: Plan, border: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recorded_at(border, tmp_path / "s.h5", face_only, monkeypatch)
    monkeypatch.setattr(quality, "MIN_SHARPNESS", border - 0.0002)
    found = verified(path)
    assert found.verdict == "within tolerance"
    assert found.one_sided["face"] >= 1
    assert found.differing == {**found.differing, "face": found.one_sided["face"], "fused": 0}


@pytest.mark.campaign
def test_far_from_a_gate_it_departs(
    tmp_path: Path, face_only: Plan, border: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recorded_at(border, tmp_path / "s.h5", face_only, monkeypatch)
    monkeypatch.setattr(quality, "MIN_SHARPNESS", border - 0.001)
    found = verified(path)
    assert found.verdict == "departs"
    assert found.difference is not None
    assert found.difference.live in {None, "blurred"}  # not read, where it is now


def faces_in(path: Path) -> list[FaceEstimated]:
    with Session.open(path) as session:
        return [event for event in session.events if isinstance(event, FaceEstimated)]


@pytest.mark.campaign
def test_one_neutral_face_on_one_side_moves_no_later_estimate(
    tmp_path: Path, face_only: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody in the sample looks neutral; what is taken for it here is taken on both sides.
    monkeypatch.setattr(reference, "MIN_NEUTRAL", 0.0)
    monkeypatch.setattr(reference, "MAX_SPREAD", 1.0)
    end_ns = 5 * NS_PER_S
    neutral = [
        NeutralReferenceStarted(t_ns=NS_PER_S // 10),
        NeutralReferenceRecorded(t_ns=end_ns),
    ]
    plan = replace(face_only, duration_s=6, moments=neutral)
    seen = faces_in(build(tmp_path / "border.h5", plan))
    border = min(each.sharpness for each in seen if each.sharpness and each.t_ns < end_ns)
    path = recorded_at(border, tmp_path / "s.h5", plan, monkeypatch)
    corrected = [each.t_ns for each in faces_in(path) if each.neutral_reference]
    assert min(corrected) >= end_ns
    monkeypatch.setattr(quality, "MIN_SHARPNESS", border - 0.0002)
    found = verified(path)
    assert found.verdict == "within tolerance"
    assert found.differing["face"] == found.one_sided["face"] >= 1
    assert found.largest.get("face", {}) == {}


def test_a_second_machine_is_named_as_the_reason(tmp_path: Path, face_only: Plan) -> None:
    here = environment()
    other = Environment(
        processor="Another 3000",
        instruction_sets=(*here.instruction_sets, "AVX9000"),
        libraries=here.libraries,
    )
    plan = replace(face_only, read_face=shifted_faces(0.0005), environment=other)
    path = build(tmp_path / "s.h5", plan)
    done = CliRunner().invoke(verify_command, [str(path)], standalone_mode=False)
    assert done.return_value == ExitCode.OK
    assert "the same within tolerance" in done.stdout
    assert "Recorded on another processor: Another 3000 with AVX9000, here" in done.stdout
    assert "face expressions 0.0005" in done.stdout


def test_a_machine_is_told_the_verdict_and_the_figures(tmp_path: Path, face_only: Plan) -> None:
    path = build(tmp_path / "s.h5", replace(face_only, read_face=shifted_faces(0.0011)))
    done = CliRunner().invoke(verify_command, [str(path), "--json"], standalone_mode=False)
    told = json.loads(done.stdout)
    assert done.return_value == ExitCode.MISMATCH
    assert told["verdict"] == "departs"
    assert told["reproduced"] is False
    assert told["compared"]["face"] == 40
    assert told["recorded_on"]["libraries"]["numpy"]


@pytest.mark.parametrize(
    ("was", "now", "apart"),
    [
        (1.0, 1.25, 0.25),
        ((0.5, 0.5), (0.25, 0.75), 0.25),
        (("minor", "sparse"), ("sparse", "minor"), 1),
        (("minor", "sparse"), ("minor", "soft"), 1),
        (("minor", "sparse"), ("major", "soft"), 2),
        (None, 0.5, float("inf")),
        (True, False, float("inf")),
        ("room", "playback", float("inf")),
    ],
)
def test_how_far_two_values_are_apart(was: object, now: object, apart: float) -> None:
    assert distance(was, now) == apart


def older_model(zoo: Path) -> ModelFile:
    """Return another face network than the shipped one, as it lies in a zoo."""
    shutil.copytree(manifest.ZOO / "face_expression_fer2013", zoo / "face_expression")
    entry = zoo / "face_expression" / manifest.ENTRY
    said = json.loads(entry.read_text())
    said |= {"name": "face_expression", "parameters": {"version": "an older one"}}
    entry.write_text(json.dumps(said))
    return models_in(zoo)["face_expression"]


@pytest.mark.campaign
def test_a_recording_of_an_older_model_is_verified_with_that_model(
    tmp_path: Path, face_jpegs: list[bytes]
) -> None:
    older = older_model(tmp_path / "zoo")
    models = dict(Offer(AFFETTI).models) | {"face_expression": older}
    chosen = Perceivers(AFFETTI, models)
    neutral = [
        NeutralReferenceStarted(t_ns=NS_PER_S // 10),
        NeutralReferenceRecorded(t_ns=3 * NS_PER_S),
    ]
    plan = Plan(duration_s=5, jpegs=face_jpegs, moments=neutral, perceivers=chosen)
    path = build(tmp_path / "old.h5", plan)
    with Session.open(path) as session:
        assert verify(session, zoos=[tmp_path / "zoo"]).verdict == "identical"
        without = verify(session)
    assert without.verdict is None
    assert without.other_models == ["face_expression"]
    assert without.proved_by == "0.1.0"


def test_a_recording_of_older_perception_names_the_version_that_proves_it(tmp_path: Path) -> None:
    path = build(tmp_path / "old.h5", Plan(duration_s=1, perception_version=0))
    done = CliRunner().invoke(verify_command, [str(path)], standalone_mode=False)
    assert done.return_value == ExitCode.MISMATCH
    assert "perceives otherwise than this one: Affetti 0.1.0 proves it" in done.stdout


@pytest.mark.campaign
def test_the_paper_s_pipeline_is_reproduced(tmp_path: Path, face_jpegs: list[bytes]) -> None:
    tracks = [("A", chord(6, 220, 262, 330))]
    chosen = Offer(PAPER).open()
    plan = Plan(duration_s=7, tracks=tracks, jpegs=face_jpegs, perceivers=chosen)
    found = verified(build(tmp_path / "paper.h5", plan))
    assert (found.verdict, found.pipeline) == ("identical", "paper")
    assert found.compared["face"] == 70
    assert found.compared["music"] >= 3


def faces(*scores: float) -> FaceEstimated:
    """Return an estimate of a face that is read and of others beside it."""
    read = Face(face_id=0, read=True, box_px=(0, 0, 90, 90), score=0.9)
    others = [
        Face(face_id=i, box_px=(100 * i, 0, 90, 90), score=score)
        for i, score in enumerate(scores, start=1)
    ]
    return FaceEstimated(t_ns=0, frame=0, faces=(read, *others))


def test_a_face_beside_the_read_one_that_only_one_side_has_is_named_as_such() -> None:
    (found,) = [each for each in departures(faces(0.8, 0.7), faces(0.8001)) if each.excess]
    assert (found.field, found.replayed) == ("faces", None)
    assert found.live.score == 0.7
    assert not [each for each in departures(faces(0.8), faces(0.8001)) if each.excess]


def beside_a_picture(session: Session) -> list[bytes]:
    """Ten frames a second of the woman, and beside her a picture of her as she was once."""
    frames = [session.frames.at(1 + i / 10).image() for i in range(80)]
    height, width = frames[0].shape[0] // 2, frames[0].shape[1] // 2
    hung = cv2.resize(frames[0][:, ::-1], (width, height))
    shown = [np.hstack([cv2.resize(frame, (width, height)), hung]) for frame in frames]
    return [cv2.imencode(".jpg", picture)[1].tobytes() for picture in (*shown, *shown[::-1])]


@pytest.mark.campaign
def test_who_was_read_is_reproduced_with_consent_to_identity(
    tmp_path: Path, sample_session: Path
) -> None:
    with Session.open(sample_session) as session:
        jpegs = [jpeg for jpeg in beside_a_picture(session) for _ in range(2)]  # 15 a second
    consent = consent_to("video", "identity")
    path = build(tmp_path / "s.h5", Plan(duration_s=16, jpegs=jpegs, consent=consent))
    assert verified(path).verdict == "identical"
    with Session.open(path) as session:
        said = [e for e in session.events if isinstance(e, FaceEstimated)]
        width = session.frames[0].image().shape[1]
    read = [e.box_px for e in said if e.box_px is not None]
    assert len(read) > len(said) / 2
    assert all(left + size / 2 < width / 2 for left, _, size, _ in read)
    assert {face.role for face in said[-1].faces} == {"patient", "picture"}
