"""Who is read. The faces are drawn; what tells them apart here goes by their colour."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    ConsentChanged,
    FaceEstimated,
    FaceNamed,
    FrameCaptured,
    PersonChanged,
    consent_to,
)
from affetti.models.face.detection import Detection, Landmarks
from affetti.models.face.reading import FaceReading
from affetti.models.perception.face import FacePerception
from tests.conftest import started

EXPRESSIONS = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
SIDE_PX = 60
FINEST = [cv2.IMWRITE_JPEG_QUALITY, 100]
FINEST += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


@dataclass(frozen=True)
class Actor:
    """A drawn face: it lives, or it is a picture; `colour` is what others know it by."""

    seed: int
    colour: int
    left_px: int = 40
    lives: bool = True
    drift_px: float = 0.0  # in each frame
    side_px: int = SIDE_PX

    def box(self, frame: int) -> tuple[int, int, int, int]:
        return round(self.left_px + self.drift_px * frame), 60, self.side_px, self.side_px

    def drawn(self, frame: int) -> NDArray[np.uint8]:
        """Draw a texture of smooth blots; of a living face some come and go."""
        chance = np.random.default_rng(self.seed)
        shapes = chance.normal(size=(2, 60, 60, 1)).astype(np.float32)
        still, moving = (cv2.GaussianBlur(shape, (0, 0), 4)[..., np.newaxis] for shape in shapes)
        sway = np.sin(0.7 * frame + self.seed) if self.lives else 0.0
        face = 128 + 350 * still + 300 * sway * moving
        large = cv2.resize(np.clip(face, 60, 220), (self.side_px, self.side_px))
        tinted = np.repeat(large[..., np.newaxis], 3, axis=2)
        tinted[..., 0] += self.colour
        return np.clip(tinted, 0, 255).astype(np.uint8)


def by_colour(image: NDArray[np.uint8], face: Detection) -> NDArray[np.float32]:
    left, top, width, height = face.box_px
    inside = image[top : top + height, left : left + width].astype(np.float32)
    tint = (inside[..., 0] - inside[..., 2]).mean() / 20
    return np.array([tint, 0.0], np.float32)


class Room:
    """Shows actors ten times a second and hands over what is said of them."""

    def __init__(
        self,
        *scopes: str,
        describe: Callable[..., NDArray[np.float32]] | None = by_colour,
    ) -> None:
        self.frame = 0
        self._seen: list[Detection] = []
        self.perception = FacePerception(self._read, describe=describe)
        self.push(started(consent=consent_to("video", *scopes)))

    def push(self, event: object) -> None:
        self.perception.push(event)  # type: ignore[arg-type]

    def _read(
        self,
        image: NDArray[np.uint8],
        choose: Callable[..., Detection | None],
        *_: object,
        **__: object,
    ) -> FaceReading:
        face = choose(self._seen)
        if face is None:
            return FaceReading(others=tuple(self._seen))
        return FaceReading(expressions=EXPRESSIONS, box_px=face.box_px, score=face.score)

    def show(self, *actors: Actor, seconds: float = 1.0) -> list[FaceEstimated]:
        return [self._show(actors) for _ in range(round(10 * seconds))]

    def wait(self, seconds: float) -> None:
        self.frame += round(10 * seconds)

    def _show(self, actors: Iterable[Actor]) -> FaceEstimated:
        picture = np.full((200, 400, 3), 128, np.uint8)
        self._seen = []
        for actor in actors:
            left, top, width, height = actor.box(self.frame)
            picture[top : top + height, left : left + width] = actor.drawn(self.frame)
            self._seen.append(found((left, top, width, height)))
        jpeg = cv2.imencode(".jpg", picture, FINEST)[1].tobytes()
        event = FrameCaptured(
            t_ns=self.frame * NS_PER_S // 10, frame=self.frame, width_px=400, height_px=200
        )
        self.frame += 1
        (estimate,) = self.perception.push(event, jpeg)
        assert isinstance(estimate, FaceEstimated)
        return estimate


def found(box_px: tuple[int, int, int, int]) -> Detection:
    left, top, width, _ = box_px
    marks = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    points = [complex(left + x * width, top + y * width) for x, y in marks]
    return Detection(box_px, 0.95, landmarks=Landmarks(*points))


def read_of(estimates: Iterable[FaceEstimated]) -> list[tuple[int, ...] | None]:
    return [e.box_px if e.expressions is not None else None for e in estimates]


def changes(estimates: Iterable[FaceEstimated]) -> list[str]:
    return [e.change for e in estimates if e.change is not None]


PERSON = Actor(1, colour=4)
OTHER = Actor(2, colour=-30, left_px=200)
PICTURE = Actor(3, colour=20, left_px=300, lives=False)

BOTH_WAYS = pytest.mark.parametrize("scopes", [(), ("identity",)], ids=["by place", "by looks"])


@BOTH_WAYS
def test_a_face_alone_is_read_once_it_has_moved(scopes: tuple[str, ...]) -> None:
    said = Room(*scopes).show(PERSON, seconds=3)
    assert said[0].nobody == "still"
    assert read_of(said[-10:]) == [PERSON.box(0)] * 10
    assert changes(said) == ["chosen"]
    assert said[-1].faces[0].role == "patient"


@BOTH_WAYS
@pytest.mark.parametrize("drift_px", [0.0, 0.8])
def test_a_picture_never_speaks_carried_about_or_not(
    scopes: tuple[str, ...], drift_px: float
) -> None:
    poster = replace(PICTURE, left_px=20, drift_px=drift_px)
    said = Room(*scopes).show(poster, seconds=20)
    assert set(read_of(said)) == {None}
    assert said[-1].faces[0].role == "picture"
    assert said[-1].nobody == "picture"


@BOTH_WAYS
def test_a_picture_does_not_speak_when_the_person_has_left(scopes: tuple[str, ...]) -> None:
    room = Room(*scopes)
    assert read_of(room.show(PERSON, PICTURE, seconds=14))[-1] == PERSON.box(0)
    said = room.show(PICTURE, seconds=12)
    assert set(read_of(said)) == {None}
    assert changes(said) == ["lost"]


def test_a_picture_that_is_known_does_not_silence_without_consent_to_identity() -> None:
    room = Room()
    said = room.show(PERSON, PICTURE, seconds=14)
    assert said[30].nobody in ("several", "still")
    assert read_of(said)[-1] == PERSON.box(0)


def test_without_consent_to_identity_several_faces_are_silence_and_no_look_is_made() -> None:
    asked: list[object] = []

    def describe(image: NDArray[np.uint8], face: Detection) -> NDArray[np.float32]:
        asked.append(face)
        return by_colour(image, face)

    room = Room(describe=describe)
    room.show(PERSON, seconds=3)
    said = room.show(PERSON, OTHER, seconds=3)
    assert {e.nobody for e in said} == {"several"}
    assert asked == []
    assert {f.identity_distance for e in said for f in e.faces} == {None}


def test_without_consent_to_identity_who_stood_beside_the_person_is_not_adopted() -> None:
    room = Room()
    room.show(PERSON, seconds=3)
    room.show(PERSON, OTHER, seconds=3)
    said = room.show(OTHER, seconds=6)
    assert set(read_of(said)) == {None}
    assert said[-1].nobody == "other"


@pytest.mark.parametrize(("apart_px", "alone_s"), [(50, 3.0), (160, 0.0)])
def test_without_consent_to_identity_who_is_alone_after_an_embrace_or_a_start_in_two_is_read(
    apart_px: int, alone_s: float
) -> None:
    room, other = Room(), replace(OTHER, left_px=PERSON.left_px + apart_px)
    room.show(PERSON, seconds=alone_s)
    assert read_of(room.show(PERSON, other, seconds=2)) == [None] * 20
    said = room.show(PERSON, seconds=11)
    assert {e.nobody for e in said[:99]} == {"several"}
    assert changes(said) == ["chosen"]
    assert read_of(said)[-1] == PERSON.box(0)


def test_another_face_is_never_adopted_and_the_person_is_found_again() -> None:
    room = Room("identity")
    room.show(PERSON, seconds=3)
    assert read_of(room.show(PERSON, OTHER, seconds=3))[-1] == PERSON.box(0)
    assert set(read_of(room.show(OTHER, seconds=15))) == {None}
    elsewhere = replace(PERSON, left_px=320)
    said = room.show(OTHER, elsewhere, seconds=3)
    assert changes(said) == ["returned"]
    assert read_of(said)[-1] == elsewhere.box(0)
    assert {f.role for e in said[-5:] for f in e.faces} == {"patient", "other"}


def test_whoever_sits_down_in_the_person_s_place_is_somebody_else() -> None:
    room = Room("identity")
    room.show(PERSON, seconds=3)
    said = room.show(replace(OTHER, left_px=PERSON.left_px), seconds=8)
    assert set(read_of(said)) == {None}
    assert "lost" in changes(said)


def test_after_an_outage_in_which_two_changed_places_the_person_is_read() -> None:
    room = Room("identity")
    room.show(PERSON, seconds=3)
    room.show(PERSON, OTHER, seconds=3)
    room.wait(5)
    mine, theirs = replace(PERSON, left_px=200), replace(OTHER, left_px=40)
    said = room.show(mine, theirs, seconds=4)
    assert set(read_of(said)) == {None, mine.box(0)}
    assert read_of(said)[-1] == mine.box(0)


def test_two_close_together_who_change_places_unseen_are_told_apart_at_once() -> None:
    chance = np.random.default_rng(1)

    def never_quite_the_same(image: NDArray[np.uint8], face: Detection) -> NDArray[np.float32]:
        return np.append(by_colour(image, face), chance.normal(0, 0.04, 64)).astype(np.float32)

    room = Room("identity", describe=never_quite_the_same)
    here, there = replace(PERSON, left_px=140), replace(PERSON, left_px=210)
    room.show(here, seconds=3)
    assert read_of(room.show(here, replace(OTHER, left_px=210), seconds=2))[-1] == here.box(0)
    room.wait(0.5)
    said = room.show(there, replace(OTHER, left_px=140), seconds=3)
    assert set(read_of(said)) == {None, there.box(0)}
    assert set(read_of(said[10:])) == {there.box(0)}


def test_two_like_large_faces_are_silence_until_one_is_chosen() -> None:
    room, other = Room("identity"), replace(OTHER, seed=5)
    said = room.show(PERSON, other, seconds=5)
    assert set(read_of(said)) == {None}
    assert said[-1].nobody == "several"
    room.push(PersonChanged(t_ns=room.frame * NS_PER_S // 10))
    assert changes(first := room.show(PERSON, other, seconds=3)) == ["changed"]
    assert read_of(first) == [PERSON.box(0)] * 30
    room.push(PersonChanged(t_ns=room.frame * NS_PER_S // 10))
    assert read_of(room.show(PERSON, other, seconds=3)) == [other.box(0)] * 30


def test_the_clearly_larger_of_two_is_chosen() -> None:
    near = replace(PERSON, side_px=100)
    assert read_of(Room("identity").show(near, OTHER, seconds=4))[-1] == near.box(0)


def test_a_look_between_two_is_doubt_and_silence() -> None:
    room = Room("identity")
    room.show(PERSON, seconds=3)
    room.wait(3)
    between = replace(PERSON, left_px=250, colour=16)  # 12 levels away: about .55 in a JPEG
    said = room.show(between, seconds=4)
    assert set(read_of(said)) == {None}
    assert said[-1].nobody == "identity"


def test_when_consent_to_identity_ends_several_faces_are_silence_again() -> None:
    room = Room("identity")
    room.show(PERSON, seconds=3)
    assert read_of(room.show(PERSON, OTHER, seconds=1))[-1] == PERSON.box(0)
    room.push(ConsentChanged(t_ns=room.frame * NS_PER_S // 10, consent=consent_to("video")))
    said = room.show(PERSON, OTHER, seconds=2)
    assert {e.nobody for e in said} == {"several"}


def named(room: Room, face_id: int, role: str) -> None:
    room.push(FaceNamed(t_ns=room.frame * NS_PER_S // 10, face_id=face_id, role=role))


def roles(estimate: FaceEstimated) -> dict[int, str]:
    return {round(face.box_px[0], -2): face.role for face in estimate.faces}


@pytest.mark.parametrize("scopes", [("identity",), ()])
def test_whose_face_it_is_can_be_said_and_changed(scopes: tuple[str, ...]) -> None:
    room = Room(*scopes)
    left, right = Actor(1, 10, 0), Actor(2, -60, 300)
    before = room.show(left, right, seconds=3)[-1]
    ids = {round(face.box_px[0], -2): face.face_id for face in before.faces}
    named(room, ids[300], "patient")
    after = room.show(left, right, seconds=2)
    assert roles(after[0])[300] == "patient"
    assert after[0].change == "changed"
    named(room, ids[0], "therapist")
    assert roles(room.show(left, right, seconds=2)[-1]) == {0: "therapist", 300: "patient"}
    named(room, ids[0], "patient")
    last = room.show(left, right, seconds=2)[-1]
    assert roles(last) == {0: "patient", 300: "other"}
    if scopes:
        assert last.face is not None
        assert round(last.face.box_px[0], -2) == 0


def test_a_face_that_is_said_not_to_be_the_patients_is_not_read() -> None:
    room = Room("identity")
    her = Actor(1, 10)
    assert room.show(her, seconds=3)[-1].expressions is not None
    named(room, room.show(her)[-1].faces[0].face_id, "therapist")
    after = room.show(her, seconds=4)
    assert {estimate.expressions for estimate in after} == {None}
    assert {face.role for estimate in after for face in estimate.faces} == {"therapist"}


def test_a_face_that_is_gone_is_nobodys() -> None:
    room = Room("identity")
    seen = room.show(Actor(1, 10), seconds=3)[-1]
    named(room, 99, "patient")
    again = room.show(Actor(1, 10), seconds=2)[-1]
    assert again.face is not None
    assert seen.face is not None
    assert again.face.face_id == seen.face.face_id
