"""What moves in a face and what only moves with it, on frames of the bundled recording."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from affetti.core.recording.session import Session
from affetti.models.face.detection import Look, YuNetDetector, largest
from affetti.models.face.liveness import MIN_CHANGE, Patch, change, patch

Frame = NDArray[np.uint8]


@pytest.fixture(scope="module")
def frames(sample_session: Path) -> list[Frame]:
    with Session.open(sample_session) as session:
        return [session.frames.at(second).image() for second in (15, 17)]


def face_of(frame: Frame) -> Patch:
    face = largest(YuNetDetector().faces(frame, Look()))
    assert face is not None
    return patch(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8), face)


def tilted(frame: Frame, across: float, along: float) -> Frame:
    """Show a frame as a picture in a hand: nearer to the camera on one side, per pixel."""
    height, width = frame.shape[:2]
    middle = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1]])
    turn = np.array([[1, 0, 0], [0, 1, 0], [across, along, 1]])
    placed = middle @ turn @ np.linalg.inv(middle)
    return np.asarray(
        cv2.warpPerspective(frame, placed, (width, height), borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


@pytest.mark.parametrize(("across", "along"), [(0.0012, 0.0), (0.0, 0.0012), (-0.0009, 0.0009)])
def test_a_picture_that_is_tilted_in_a_hand_has_not_moved(
    frames: list[Frame], across: float, along: float
):
    before = tilted(frames[0], -across, -along)
    assert change(face_of(before), face_of(tilted(frames[0], across, along))) < MIN_CHANGE


def test_a_living_face_has_moved_two_seconds_later(frames: list[Frame]):
    assert change(*map(face_of, frames)) > 2 * MIN_CHANGE
