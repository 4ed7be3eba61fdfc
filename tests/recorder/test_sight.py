"""What is said of a face before a recording, from readings of real pictures and of spoiled ones."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core.recording.session import Session
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.sight import seen
from affetti.recorder.sources.tone import tone


@pytest.fixture(scope="module")
def face(sample_session: Path) -> np.ndarray:
    with Session.open(sample_session) as session:
        return session.frames[200].image()


def advised(image: np.ndarray, readers: Readers) -> str:
    found = seen(bytes(cv2.imencode(".jpg", image)[1]), readers)
    assert found is not None
    return found.advice


def test_a_face_that_is_seen_badly_is_told_how(face: np.ndarray, readers: Readers) -> None:
    assert advised(face, readers) == "good"
    assert advised((face * 0.12).astype(np.uint8), readers) == "dark"
    assert advised(cv2.GaussianBlur(face, (0, 0), 6), readers) in ("blurred", "no_face")
    height, width = face.shape[:2]
    small = np.full_like(face, 60)
    small[: height // 5, : width // 5] = cv2.resize(face, (width // 5, height // 5))
    assert advised(small, readers) in ("too_small", "no_face")
    assert advised(np.full_like(face, 90), readers) == "no_face"
    assert seen(b"no picture", readers) is None


def test_a_test_tone_is_soft_and_has_no_clicks() -> None:
    sound = tone(48_000)
    assert abs(float(np.abs(sound).max()) - 0.1) < 0.001
    assert abs(float(sound[0, 0])) < 1e-6
    assert abs(float(sound[-1, 0])) < 1e-3
