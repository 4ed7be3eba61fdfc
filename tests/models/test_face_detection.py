from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core.recording.session import Session
from affetti.models.face.detection import Look, YuNetDetector, signed_deg
from affetti.models.manifest import model

SIZES = [(640, 480), (320, 240), (333, 201), (97, 64)]


@pytest.fixture(scope="module")
def frames(sample_session: Path) -> list[np.ndarray]:
    with Session.open(sample_session) as session:
        count = len(session.frames)
        return [session.frames[i].image() for i in np.linspace(0, count - 1, 8, dtype=int)]


def opencv(picture: np.ndarray) -> np.ndarray:
    """What OpenCV's own code around the same network finds."""
    height, width = picture.shape[:2]
    path = str(model("face_yunet").path)
    detector = cv2.FaceDetectorYN.create(
        path, "", (width, height), YuNetDetector.FAINTEST_SCORE, 0.3, 50
    )
    _, rows = detector.detect(picture)
    return np.empty((0, 15)) if rows is None else np.asarray(rows)


def in_order(rows: np.ndarray) -> np.ndarray:
    return rows[np.argsort(-rows[:, 14], kind="stable")]


def several(frame: np.ndarray) -> Iterator[np.ndarray]:
    """The frame in several sizes, among them sides that are no multiples of the grid."""
    for size in SIZES:
        yield cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    yield np.hstack([cv2.resize(frame, (200, 150)), cv2.resize(frame[:, ::-1], (200, 150))])


def test_faces_are_found_as_opencv_finds_them(frames: list[np.ndarray]):
    detector = YuNetDetector()
    found = 0
    for frame in frames:
        for picture in several(frame):
            ours, theirs = in_order(detector.search(picture)), in_order(opencv(picture))
            assert ours.shape == theirs.shape
            np.testing.assert_allclose(ours[:, :14], theirs[:, :14], atol=0.02)
            np.testing.assert_allclose(ours[:, 14], theirs[:, 14], atol=1e-4)
            found += len(ours)
    assert found >= len(frames) * len(SIZES)


def test_the_shape_is_all_that_is_freed(tmp_path: Path):
    onnx = pytest.importorskip("onnx")
    from affetti.models.training.face.detector import freed

    ours = onnx.load(model("face_yunet").path)
    fixed = onnx.load(model("face_yunet").path)
    for side in fixed.graph.input[0].type.tensor_type.shape.dim[2:]:
        side.dim_value = 640
    again = onnx.load_from_string(freed(fixed.SerializeToString()))
    assert again.graph.initializer == ours.graph.initializer
    assert again.graph.node == ours.graph.node
    assert again.graph.input == ours.graph.input


def turned(frame: np.ndarray, roll_deg: float) -> np.ndarray:
    height, width = frame.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -roll_deg, 1)
    return cv2.warpAffine(frame, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("roll_deg", [0, 90, 180])
def test_a_face_is_found_again_near_where_it_was(frames: list[np.ndarray], roll_deg: float):
    detector, frame = YuNetDetector(), turned(frames[0], roll_deg)
    [face] = detector.faces(frame)
    [again] = detector.faces(frame, Look((face,), everywhere=False))
    assert abs(again.centre - face.centre) < 0.1 * face.side_px
    assert again.side_px == pytest.approx(face.side_px, rel=0.15)
    assert abs(signed_deg(again.roll_deg - roll_deg)) < 20


def test_a_face_that_went_far_away_is_searched_for_everywhere(frames: list[np.ndarray]):
    detector, frame = YuNetDetector(), frames[0]
    [face] = detector.faces(frame)
    elsewhere = replace(face, box_px=(0, 0, 40, 50))
    [again] = detector.faces(frame, Look((elsewhere,), everywhere=False))
    assert abs(again.centre - face.centre) < 0.1 * face.side_px


def test_whoever_joins_is_found_where_everything_is_searched(frames: list[np.ndarray]):
    detector, both = YuNetDetector(), np.hstack([frames[0], frames[0][:, ::-1]])
    first, second = sorted(detector.faces(both), key=lambda face: face.centre.real)
    assert len(detector.faces(both, Look((first,), everywhere=False))) == 1
    found = detector.faces(both, Look((first,), everywhere=True))
    assert {abs(face.centre - second.centre) < 20 for face in found} == {True, False}


class Doubting(YuNetDetector):
    """Finds a green disc: a face for certain where a red one is above it, else a faint one."""

    def search(self, image_bgr: np.ndarray) -> np.ndarray:
        face, crown = (self._middle(image_bgr, colour) for colour in (1, 2))
        if face is None or crown is None:
            return np.empty((0, 15))
        side_px = 2 * abs(crown - face)
        corner = face - complex(side_px, side_px) / 2
        marks = [corner + side_px * each for each in (0.3 + 0.4j, 0.7 + 0.4j, 0.5 + 0.6j)]
        marks += [corner + side_px * each for each in (0.35 + 0.8j, 0.65 + 0.8j)]
        places = [part for mark in marks for part in (mark.real, mark.imag)]
        upright = abs((crown - face).real) < side_px / 8 and (crown - face).imag < 0
        return np.array(
            [[corner.real, corner.imag, side_px, side_px, *places, 0.95 - 0.5 * (not upright)]]
        )

    @staticmethod
    def _middle(image_bgr: np.ndarray, colour: int) -> complex | None:
        rows, columns = np.nonzero(image_bgr[..., colour] > image_bgr[..., 0].astype(int) + 80)
        return complex(columns.mean(), rows.mean()) if len(rows) else None


def test_what_looks_faintly_like_a_face_hides_no_lying_one():
    picture = np.full((480, 640, 3), 60, np.uint8)
    cv2.circle(picture, (320, 240), 8, (60, 255, 60), -1)
    cv2.circle(picture, (380, 240), 8, (60, 60, 255), -1)  # the head lies, its crown to the right
    best = max(Doubting().faces(picture), key=lambda face: face.score or 0)
    assert best.is_clear
    assert abs(signed_deg(best.roll_deg - 90)) < 5
