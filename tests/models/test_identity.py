"""What tells one face from another, on frames of the bundled recording."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from affetti.core.recording.session import Session
from affetti.models.face.detection import Detection, YuNetDetector, largest
from affetti.models.face.identity import (
    CHIP_PX,
    NEAR,
    NEW_LOOK,
    OTHER,
    SAME,
    Appearance,
    IdentityNetwork,
    aligned,
    is_person,
)


@pytest.fixture(scope="module")
def network() -> IdentityNetwork:
    return IdentityNetwork()


@pytest.fixture(scope="module")
def frame(sample_session: Path) -> NDArray[np.uint8]:
    with Session.open(sample_session) as session:
        return session.frames.at(15).image()


def face_in(image: NDArray[np.uint8]) -> Detection:
    face = largest(YuNetDetector().faces(image))
    assert face is not None
    return face


def distance(network: IdentityNetwork, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    looks = [network(image, face_in(image)) for image in (one, other)]
    assert looks[0] is not None
    assert looks[1] is not None
    return float(np.linalg.norm(looks[0] - looks[1]))


def test_a_face_is_the_same_smaller_and_darker(
    network: IdentityNetwork, frame: NDArray[np.uint8]
) -> None:
    smaller = cv2.resize(frame, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    assert distance(network, frame, smaller) < NEAR
    assert distance(network, frame, np.asarray(frame * 0.6, np.uint8)) < NEAR


def test_a_face_of_other_proportions_is_another(
    network: IdentityNetwork, frame: NDArray[np.uint8]
) -> None:
    long = cv2.resize(frame, None, fx=0.6, fy=1.1, interpolation=cv2.INTER_AREA)
    dark = np.asarray(255 - long, np.uint8)
    face = face_in(long)
    looks = [network(image, face) for image in (long, dark)]
    assert looks[0] is not None
    assert looks[1] is not None
    assert np.linalg.norm(looks[0] - looks[1]) > SAME


def test_a_face_is_laid_over_the_mean_face(frame: NDArray[np.uint8]) -> None:
    face = face_in(frame)
    assert face.landmarks is not None
    chip = aligned(frame, face.landmarks)
    assert chip.shape == (CHIP_PX, CHIP_PX, 3)
    marks = face_in(cv2.copyMakeBorder(chip, *[75] * 4, cv2.BORDER_REPLICATE)).landmarks
    assert marks is not None
    assert abs(marks.left_eye - (75 + 47.8 + (75 + 46.6) * 1j)) < 8
    assert abs(marks.right_eye - (75 + 100.3 + (75 + 46.6) * 1j)) < 8


def test_a_faint_face_has_no_look(network: IdentityNetwork, frame: NDArray[np.uint8]) -> None:
    face = face_in(frame)
    assert network(frame, Detection(face.box_px, 0.4, landmarks=face.landmarks)) is None
    assert network(frame, Detection(face.box_px, face.score)) is None


def look(place: float) -> NDArray[np.float32]:
    return np.array([place, 0.0], np.float32)


def test_looks_that_are_known_are_not_kept_twice_and_the_first_are_never_given_up() -> None:
    known = Appearance()
    known.learn(look(0))
    known.learn(look(NEW_LOOK / 2))
    assert len(known.looks) == 1
    for i in range(1, 60):
        known.learn(look(i))
    assert known.distance(look(0)) == 0
    assert known.distance(look(59)) == 0
    assert known.distance(look(10)) > OTHER


@pytest.mark.parametrize(
    ("distances", "answer"),
    [
        ((), None),
        ((NEAR,), True),
        ((SAME, SAME), None),
        ((SAME, 0.9, SAME), True),
        ((0.5, 0.55, 0.5), None),
        ((0.7, 0.5, 0.7), False),
    ],
)
def test_doubt_is_an_answer(distances: tuple[float, ...], answer: bool | None) -> None:
    assert is_person(distances) is answer
