import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core.recording.session import Session
from affetti.models.face.landmarks import MIN_PRESENCE, FaceLandmarks, LandmarkNetwork
from affetti.models.face.pose import CanonicalFace, HeadPose
from affetti.models.face.reading import FaceReader
from affetti.models.manifest import model

Box = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def network() -> LandmarkNetwork:
    return LandmarkNetwork()


@pytest.fixture(scope="module")
def canonical() -> CanonicalFace:
    return CanonicalFace(model("face_landmarks").parameters["canonical_face"])


@pytest.fixture(scope="module")
def frame(sample_session: Path) -> np.ndarray:
    with Session.open(sample_session) as session:
        return session.frames[len(session.frames) - 1].image()


@pytest.fixture(scope="module")
def box(frame: np.ndarray) -> Box:
    found = FaceReader().read(frame).box_px
    assert found is not None
    return found


def turned(frame: np.ndarray, box: Box, clockwise_deg: float) -> np.ndarray:
    """A picture turned about the middle of the face, which so stays in its box."""
    middle = box[0] + box[2] / 2, box[1] + box[3] / 2
    placement = cv2.getRotationMatrix2D(middle, -clockwise_deg, 1)
    size = frame.shape[1], frame.shape[0]
    return cv2.warpAffine(frame, placement, size, borderMode=cv2.BORDER_REPLICATE)


def rotation(pitch_deg: float, yaw_deg: float, roll_deg: float) -> np.ndarray:
    """Pitch, then yaw, then roll; x right, y up, z to the camera."""
    p, y, r = (math.radians(angle) for angle in (pitch_deg, yaw_deg, roll_deg))
    roll = [[math.cos(r), math.sin(r), 0], [-math.sin(r), math.cos(r), 0], [0, 0, 1]]
    pitch = [[1, 0, 0], [0, math.cos(p), math.sin(p)], [0, -math.sin(p), math.cos(p)]]
    yaw = [[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]]
    return np.array(roll) @ np.array(yaw) @ np.array(pitch)


def canonical_points() -> np.ndarray:
    said = model("face_landmarks").parameters["canonical_face"]
    points = np.zeros((478, 3))
    points[said["points"]] = said["places_cm"]
    return points


def test_the_points_lie_on_the_face(network: LandmarkNetwork, frame: np.ndarray, box: Box):
    found = network.find(frame, box)

    left, top, width, height = box
    nose = found.points[4]
    assert found.presence > 0.9
    assert left < nose[0] < left + width
    assert top < nose[1] < top + height
    assert found.points[10, 1] < nose[1] < found.points[152, 1]  # brow, nose, chin


@pytest.mark.parametrize("angle_deg", [-60, -25, 20])
def test_the_roll_turns_with_the_picture(
    network: LandmarkNetwork,
    canonical: CanonicalFace,
    frame: np.ndarray,
    box: Box,
    angle_deg: float,
):
    upright, _ = canonical.laid_over(network.find(frame, box).points)
    found = network.find(turned(frame, box, angle_deg), box)
    pose, _ = canonical.laid_over(found.points)
    assert pose.roll_deg - upright.roll_deg == pytest.approx(angle_deg, abs=5)


def test_a_face_whose_tilt_is_known_needs_one_look(
    network: LandmarkNetwork, frame: np.ndarray, box: Box
):
    tilted = turned(frame, box, 40)
    thorough = network.find(tilted, box, 50.0)
    at_once = network.find(tilted, box, thorough.roll_deg, known=True)
    apart = np.linalg.norm(at_once.points[:, :2] - thorough.points[:, :2], axis=1)
    assert np.median(apart) < 0.02 * box[2]


@pytest.mark.parametrize("angle_deg", [-150, -90, 90, 180])
def test_a_lying_face_is_found_where_its_tilt_is_about_known(
    network: LandmarkNetwork,
    canonical: CanonicalFace,
    frame: np.ndarray,
    box: Box,
    angle_deg: float,
):
    upright, _ = canonical.laid_over(network.find(frame, box).points)
    found = network.find(turned(frame, box, angle_deg), box, angle_deg + upright.roll_deg - 20)
    pose, _ = canonical.laid_over(found.points)
    assert (pose.roll_deg - upright.roll_deg - angle_deg + 180) % 360 - 180 == pytest.approx(
        0, abs=5
    )


def test_no_face_has_no_presence(network: LandmarkNetwork):
    bare = np.full((480, 640, 3), 90, np.uint8)
    assert network.find(bare, (200, 100, 160, 200)).presence < MIN_PRESENCE


def test_a_box_at_the_rim_of_the_picture_is_looked_at(
    network: LandmarkNetwork, frame: np.ndarray, box: Box
):
    found = network.find(frame[box[1] + box[3] // 2 :], (box[0], 0, box[2], 40))
    assert found.points.shape == (478, 3)


@pytest.mark.parametrize("angles", [(0, 0, 0), (20, -35, 10), (-25, 40, -60), (5, 10, 170)])
def test_pose_is_the_turn_that_was_made(canonical: CanonicalFace, angles: tuple[float, ...]):
    seen = canonical_points() @ rotation(*angles).T * 7 * (1, -1, -1) + (320, 240, 0)
    pose, points = canonical.laid_over(seen)
    assert pose == HeadPose(*angles)
    centred = canonical_points() - canonical_points()[4]
    measured = (points - points[4])[[33, 263, 376]]
    assert measured == pytest.approx(centred[[33, 263, 376]], abs=1e-6)


def test_the_square_of_the_points_is_level_with_the_eyes():
    points = np.zeros((478, 3))
    points[33, :2], points[263, :2], points[10, :2] = (0, 0), (50, 50), (60, 0)
    square = FaceLandmarks(points, 1.0).square
    assert (square.centre, square.side_px) == (30 + 25j, 90)
    assert square.roll_deg == pytest.approx(45)
