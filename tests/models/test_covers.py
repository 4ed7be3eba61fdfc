"""What covers a face: drawn over real ones, with what the network was not trained on."""

from pathlib import Path

import numpy as np
import pytest

from affetti.core.recording.session import Session
from affetti.models.face.covers import MAX_EYES_COVERED, MAX_MOUTH_COVERED, CoverNetwork
from affetti.models.face.detection import Detection, Landmarks
from affetti.models.face.reading import FaceReader, cropped


class Found:
    """A detector that finds the face where it was before it was covered."""

    def __init__(self, face: Detection) -> None:
        self.face = face

    def faces(self, image: np.ndarray, *_: object) -> list[Detection]:
        return [self.face]


@pytest.fixture(scope="module")
def reader() -> FaceReader:
    return FaceReader(cover="face_cover")


@pytest.fixture(scope="module")
def laughing(sample_session: Path) -> np.ndarray:
    """The last frame of the woman of the sample, whose face is bare."""
    with Session.open(sample_session) as session:
        return session.frames[len(session.frames) - 1].image()


@pytest.fixture(scope="module")
def face(reader: FaceReader, laughing: np.ndarray) -> Detection:
    return max(reader._detector.faces(laughing), key=lambda each: each.area)


def marks_of(face: Detection) -> Landmarks:
    assert face.landmarks is not None
    return face.landmarks


def with_cloth(image: np.ndarray, middle: complex, half_width: float, half_height: float):
    """A checked cloth over part of a picture."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    inside = (abs(x - middle.real) < half_width) & (abs(y - middle.imag) < half_height)
    checks = np.where((x // 9 + y // 9) % 2, 150, 90).astype(np.uint8)
    return np.where(inside[..., None], checks[..., None], image).astype(np.uint8)


def over_mouth(image: np.ndarray, face: Detection) -> np.ndarray:
    marks = marks_of(face)
    apart = abs(marks.right_eye - marks.left_eye)
    middle = (marks.left_mouth + marks.right_mouth) / 2
    return with_cloth(image, middle + 0.2j * apart, 0.9 * apart, 0.65 * apart)


def over_eyes(image: np.ndarray, face: Detection) -> np.ndarray:
    marks = marks_of(face)
    apart = abs(marks.right_eye - marks.left_eye)
    return with_cloth(image, (marks.left_eye + marks.right_eye) / 2, apart, 0.4 * apart)


def test_a_bare_face_is_read(reader: FaceReader, laughing: np.ndarray):
    read = reader.read(laughing)
    assert read.mouth_covered is not None
    assert read.mouth_covered < MAX_MOUTH_COVERED
    assert read.expressions is not None


def test_of_a_covered_mouth_nothing_is_said(
    reader: FaceReader, laughing: np.ndarray, face: Detection
):
    covered = over_mouth(laughing, face)
    reader._detector = Found(face)  # type: ignore[assignment]
    read = reader.read(covered)
    assert read.mouth_covered is not None
    assert read.mouth_covered > MAX_MOUTH_COVERED
    assert (read.expressions, read.unread) == (None, "covered")
    assert read.box_px == face.box_px


def test_covered_eyes_leave_a_mouth_that_can_be_read(laughing: np.ndarray, face: Detection):
    assert face.square is not None
    seen = CoverNetwork().of(cropped(over_eyes(laughing, face), face.square))
    assert seen.eyes > MAX_EYES_COVERED
    assert seen.mouth < MAX_MOUTH_COVERED


@pytest.mark.parametrize("light", [0.4, 0.7, 1.3])
def test_light_covers_nothing(laughing: np.ndarray, face: Detection, light: float):
    assert face.square is not None
    lit = np.clip(laughing * light, 0, 255).astype(np.uint8)
    assert CoverNetwork().of(cropped(lit, face.square)).mouth < MAX_MOUTH_COVERED


def test_without_the_model_every_mouth_is_taken_for_open(laughing: np.ndarray, face: Detection):
    reader = FaceReader()
    reader._detector = Found(face)  # type: ignore[assignment]
    read = reader.read(over_mouth(laughing, face))
    assert (read.mouth_covered, read.unread) == (None, None)
