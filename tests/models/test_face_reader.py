import cmath
import dataclasses
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core.emotions import EXPRESSIONS
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.recording.session import Session
from affetti.models.face.detection import Detection, Landmarks, Look, YuNetDetector, signed_deg
from affetti.models.face.quality import MAX_YAW_DEG, MIN_FACE_PX, MIN_SHARPNESS
from affetti.models.face.reading import FaceReader, FaceReading
from affetti.models.manifest import model

DETECTORS = ("face_yunet", "face_haar")
HAPPY = EXPRESSIONS.index("happy")


@pytest.fixture(scope="module")
def frames(sample_session: Path) -> list[np.ndarray]:
    """Eight frames of the woman of the sample, who cries and then laughs."""
    with Session.open(sample_session) as session:
        count = len(session.frames)
        return [session.frames[i].image() for i in np.linspace(0, count - 1, 8, dtype=int)]


@pytest.fixture(scope="module")
def reader() -> FaceReader:
    return FaceReader()


@pytest.fixture(scope="module")
def laughing(frames: list[np.ndarray], reader: FaceReader) -> np.ndarray:
    return max(frames, key=lambda frame: _expressions(reader.read(frame))[HAPPY])


def _expressions(reading: FaceReading) -> tuple[float, ...]:
    assert reading.expressions is not None
    return reading.expressions


def _turned(frame: np.ndarray, angle_deg: float) -> np.ndarray:
    height, width = frame.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle_deg, 1)
    return cv2.warpAffine(frame, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _drawing() -> np.ndarray:
    """A house under a sun."""
    picture = np.full((480, 640, 3), (235, 206, 135), np.uint8)
    cv2.rectangle(picture, (200, 220), (440, 460), (60, 60, 160), -1)
    cv2.fillPoly(picture, [np.array([[180, 220], [460, 220], [320, 110]])], (30, 30, 90))
    cv2.circle(picture, (560, 80), 45, (60, 220, 250), -1)
    return picture


NO_FACE = {
    "black": np.zeros((480, 640, 3), np.uint8),
    "noise": np.random.default_rng(7).integers(0, 256, (480, 640, 3), np.uint8),
    "drawing": _drawing(),
    "one pixel": np.full((1, 1, 3), 90, np.uint8),
    "a thin strip": np.full((3, 4000, 3), 90, np.uint8),
}


def test_a_face_is_found_in_every_frame(frames: list[np.ndarray], reader: FaceReader):
    for frame in frames:
        reading = reader.read(frame)
        expressions = _expressions(reading)
        height, width = frame.shape[:2]
        left, top, box_width, box_height = reading.box_px or (0, 0, 0, 0)

        assert sum(expressions) == pytest.approx(1, abs=1e-5)
        assert all(p == round(p, 6) >= 0 for p in expressions)
        assert 0 <= left < left + box_width <= width
        assert 0 <= top < top + box_height <= height
        assert reading.faces == 1
        assert 0.7 <= (reading.score or 0) <= 1
        assert (reading.sharpness or 0) > 0
        assert 0 < (reading.brightness or 0) < 1


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("name", NO_FACE)
def test_no_face_gives_no_estimate(detector: str, name: str):
    assert FaceReader(detector=detector).read(NO_FACE[name]) == FaceReading()


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_reading_depends_on_the_picture_alone(frames: list[np.ndarray], detector: str):
    first, second = FaceReader(detector=detector), FaceReader(detector=detector)
    forwards = [first.read(frame) for frame in frames]
    backwards = [second.read(frame.copy()) for frame in reversed(frames)]

    assert forwards == backwards[::-1]


def test_the_largest_face_is_the_person(laughing: np.ndarray, reader: FaceReader):
    small = cv2.resize(laughing, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    both = np.zeros((laughing.shape[0], laughing.shape[1] + small.shape[1], 3), np.uint8)
    both[: small.shape[0], : small.shape[1]] = small
    both[:, small.shape[1] :] = laughing
    reading = reader.read(both)

    assert reading.faces == 2
    assert reading.box_px is not None
    assert reading.box_px[0] >= small.shape[1]


def test_a_laugh_is_read_as_happy(laughing: np.ndarray, reader: FaceReader):
    assert _expressions(reader.read(laughing))[HAPPY] > 0.8


@pytest.mark.parametrize("angle_deg", [-90, -45, -20, 20, 45, 90, 180])
def test_a_tilted_head_is_set_upright(laughing: np.ndarray, reader: FaceReader, angle_deg: float):
    upright, tilted = reader.read(laughing), reader.read(_turned(laughing, angle_deg))

    assert upright.roll_deg is not None
    assert tilted.roll_deg is not None
    # OpenCV turns anticlockwise; roll is clockwise.
    assert abs(signed_deg(tilted.roll_deg - upright.roll_deg + angle_deg)) < 8
    assert _expressions(tilted)[HAPPY] > 0.8


def test_a_mirrored_face_looks_the_other_way(laughing: np.ndarray, reader: FaceReader):
    seen, mirrored = reader.read(laughing), reader.read(laughing[:, ::-1].copy())

    assert seen.yaw_deg is not None
    assert mirrored.yaw_deg == pytest.approx(-seen.yaw_deg, abs=15)


def test_half_the_light_shows_in_the_brightness_and_hardly_in_the_reading(
    laughing: np.ndarray, reader: FaceReader
):
    light, dark = reader.read(laughing), reader.read(laughing // 2)

    assert dark.brightness == pytest.approx((light.brightness or 0) / 2, abs=0.03)
    assert _expressions(dark)[HAPPY] == pytest.approx(_expressions(light)[HAPPY], abs=0.1)


def test_a_face_out_of_focus_is_seen_and_not_read(frames: list[np.ndarray], reader: FaceReader):
    blurred = [cv2.GaussianBlur(frame, (0, 0), sigma) for frame in frames for sigma in (1, 6, 7)]
    seen = [reading for reading in map(reader.read, blurred) if reading.box_px is not None]
    in_focus = [(reading.sharpness or 0) >= MIN_SHARPNESS for reading in seen]

    assert set(in_focus) == {True, False}
    assert [reading.expressions is not None for reading in seen] == in_focus
    assert {reading.unread for reading in seen} == {None, "blurred"}


def _in_the_dark(frame: np.ndarray, light: float, noise: float = 2.0) -> np.ndarray:
    chance = np.random.default_rng(5).normal(0, noise, frame.shape)
    return np.clip(np.round(frame * light + chance), 0, 255).astype(np.uint8)


def test_a_sharp_face_in_the_dark_is_read(laughing: np.ndarray, reader: FaceReader):
    assert _expressions(reader.read(_in_the_dark(laughing, 0.15)))[HAPPY] > 0.6


def test_sharpness_is_the_same_at_any_light(laughing: np.ndarray, reader: FaceReader):
    light, dark = reader.read(laughing), reader.read(laughing // 3)
    assert dark.sharpness == pytest.approx(light.sharpness, rel=0.15)


def test_motion_across_or_along_is_no_focus(laughing: np.ndarray, reader: FaceReader):
    upright = reader.read(laughing)
    width = (upright.box_px or (0, 0, 0, 0))[2]
    for size in ((width // 4, 1), (1, width // 4)):
        moved = reader.read(cv2.blur(laughing, size))
        assert (moved.sharpness or 0) < 0.2 * (upright.sharpness or 0)


@pytest.mark.parametrize(
    ("contrast", "noise", "unread"), [(0.0, 0.0, "no_contrast"), (0.0, 1.0, "no_contrast")]
)
def test_a_face_of_hardly_any_contrast_is_not_read(
    laughing: np.ndarray, reader: FaceReader, contrast: float, noise: float, unread: str
):
    [face] = YuNetDetector().faces(laughing)
    even = _in_the_dark(90 + (laughing - 90.0) * contrast, 1.0, noise)

    class Found:
        def faces(self, image_bgr: np.ndarray, where: Look) -> list[Detection]:
            return [face]

    blind = FaceReader()
    blind._detector = Found()
    reading = blind.read(even)
    assert (reading.expressions, reading.unread) == (None, unread)


def test_a_face_of_a_few_pixels_is_seen_and_not_read(laughing: np.ndarray, reader: FaceReader):
    [face] = YuNetDetector().faces(laughing)
    scale = 0.8 * MIN_FACE_PX / face.side_px
    tiny = cv2.resize(laughing, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((240, 320, 3), 90, np.uint8)
    picture[: tiny.shape[0], : tiny.shape[1]] = tiny
    reading = reader.read(picture, lambda found: max(found, key=lambda f: f.area, default=None))
    assert reading.box_px is None or reading.unread == "too_small"


def _head_turned_by(yaw_deg: float) -> Landmarks:
    """A head of 63 mm between the eyes, at (200, 200), seen from afar."""
    turn = cmath.rect(1, math.radians(yaw_deg))
    eyes, nose, mouth = 0.5, 0.6j, 0.4  # across + depth j
    across = [(turn * point.conjugate()).real for point in map(complex, (-eyes, eyes, nose))]
    corners = [turn.real * side * mouth for side in (-1, 1)]
    heights = [0, 0, 0.6, 1, 1]
    return Landmarks(
        *(
            200 + 200j + 63 * complex(x, y)
            for x, y in zip([*across, *corners], heights, strict=True)
        )
    )


@pytest.mark.parametrize("yaw_deg", [-60, -25, 0, 25, 60])
def test_yaw_is_read_off_the_nose(yaw_deg: float):
    assert _head_turned_by(yaw_deg).yaw_deg == pytest.approx(yaw_deg, abs=0.1)


@pytest.mark.parametrize(("yaw_deg", "is_read"), [(-60, False), (-20, True), (50, False)])
def test_a_head_turned_far_away_is_seen_and_not_read(
    laughing: np.ndarray, reader: FaceReader, yaw_deg: float, is_read: bool
):
    def turned(faces: Sequence[Detection]) -> Detection:
        return dataclasses.replace(faces[0], landmarks=_head_turned_by(yaw_deg))

    reading = reader.read(laughing, turned)

    assert reading.box_px is not None
    assert (reading.expressions is not None) == is_read
    assert reading.unread == (None if abs(yaw_deg) <= MAX_YAW_DEG else "turned_away")


def test_crops_are_read_alone_as_they_are_read_together(reader: FaceReader):
    crops = np.random.default_rng(1).integers(0, 256, (5, 48, 48), np.uint8)
    crops[0] = 128  # an even picture has no variance to divide by
    together = reader.read_crops(crops)

    assert together.shape == (5, 7)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    alone = np.concatenate([reader.read_crops(crop[np.newaxis]) for crop in crops])
    np.testing.assert_allclose(together, alone, atol=2e-6)


@pytest.mark.parametrize("detector", DETECTORS)
def test_the_reader_names_the_digest_of_every_model_it_uses(detector: str):
    digests = FaceReader(detector=detector).sha256

    assert digests == {
        name: hashlib.sha256(model(name).path.read_bytes()).hexdigest()
        for name in ("face_expression", detector)
    }


def test_an_unknown_model_is_refused():
    with pytest.raises(AffettiError) as raised:
        FaceReader("face_of_nobody")

    assert raised.value.code == ExitCode.MODEL
