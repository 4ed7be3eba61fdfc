from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core.recording.session import Session
from affetti.models.face.detection import YuNetDetector
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
