"""Signs of a face: of real ones, and when perception looks for them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from affetti.core.emotions import EXPRESSIONS
from affetti.core.events import (
    Event,
    Face,
    FaceEstimated,
    FrameCaptured,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
)
from affetti.core.recording.session import Session
from affetti.core.streams import video_stream
from affetti.models.face.landmarks import MIN_PRESENCE
from affetti.models.face.pose import HeadPose
from affetti.models.face.reading import FaceReader, FaceReading
from affetti.models.face.signs import (
    LOOK_PERIOD_NS,
    REST_PERIOD_NS,
    AtRest,
    FaceSigns,
    SignReader,
    reasons_of,
    uncovered,
)
from affetti.models.perception.face import FacePerception
from affetti.models.pipelines import PAPER, Offer
from tests.conftest import NS, jpeg, started

HAPPY = EXPRESSIONS.index("happy")
AHEAD = HeadPose(0.0, 0.0, 0.0)
RESTING = FaceSigns(0.99, AHEAD, (0.3, 0.3), 0.0, (2.5, 0.5, 5.3, 0.01, 1.45))


def certain(expression: str) -> tuple[float, ...]:
    return tuple(float(each == expression) for each in EXPRESSIONS)


def with_shape(*, eyes: float = 0.3, pose: HeadPose = AHEAD, **changed: float) -> FaceSigns:
    """The resting face, changed in some measures of its shape."""
    names = ("brow_height", "brow_slant", "mouth_width", "lip_gap", "lip_height")
    assert RESTING.shape is not None
    shape = dict(zip(names, RESTING.shape, strict=True)) | changed
    return FaceSigns(0.99, pose, (eyes, eyes), 0.0, tuple(shape.values()))  # type: ignore[arg-type]


def at_rest() -> AtRest:
    rest = AtRest.of([RESTING] * 5)
    assert rest is not None
    return rest


@pytest.fixture(scope="module")
def looks(sample_session: Path) -> list[tuple[FaceReading, FaceSigns]]:
    """Eight frames of the woman of the sample, who cries and then laughs."""
    reader, signs = FaceReader(), SignReader()
    found = []
    with Session.open(sample_session) as session:
        for i in np.linspace(0, len(session.frames) - 1, 8, dtype=int):
            image = session.frames[i].image()
            reading = reader.read(image)
            if reading.box_px is not None:
                found.append((reading, signs.look(image, reading.box_px, reading.roll_deg or 0)))
    return found


def test_she_smiles_where_she_laughs(looks: list[tuple[FaceReading, FaceSigns]]):
    laughing, signs = max(looks, key=lambda look: (look[0].expressions or certain("sad"))[HAPPY])
    assert {"smiling", "mouth_open"} <= set(reasons_of(signs, laughing.expressions))


def test_her_eyes_are_closed_in_tears(looks: list[tuple[FaceReading, FaceSigns]]):
    _, signs = min(looks, key=lambda look: sum(look[1].eyes_open or (1, 1)))
    assert "eyes_closed" in reasons_of(signs)
    assert signs.gaze is None


def test_nothing_is_said_where_there_is_no_face():
    seen = SignReader().look(np.full((200, 200, 3), 80, np.uint8), (50, 50, 90, 90))
    assert seen.presence < MIN_PRESENCE
    assert seen == FaceSigns(seen.presence)
    assert reasons_of(seen, certain("happy"), at_rest()) == ()  # type: ignore[arg-type]


def test_a_face_at_rest_has_no_reasons():
    assert reasons_of(RESTING, certain("neutral"), at_rest()) == ()  # type: ignore[arg-type]


def test_a_wide_mouth_is_a_smile_only_in_a_happy_face():
    wide = with_shape(mouth_width=6.5)
    assert reasons_of(wide, certain("happy")) == ("smiling",)  # type: ignore[arg-type]
    assert reasons_of(wide, certain("sad")) == ()  # type: ignore[arg-type]
    assert reasons_of(wide) == ()


@pytest.mark.parametrize(
    ("signs", "code"),
    [
        (with_shape(lip_gap=0.3), "mouth_open"),
        (with_shape(eyes=0.45), "eyes_wide"),
        (with_shape(eyes=0.05), "eyes_closed"),
    ],
)
def test_some_signs_hold_of_any_face(signs: FaceSigns, code: str):
    assert reasons_of(signs) == (code,)


@pytest.mark.parametrize(
    ("signs", "code"),
    [
        (with_shape(brow_height=2.1), "brows_lowered"),
        (with_shape(brow_height=2.9), "brows_raised"),
        (with_shape(brow_slant=0.8), "inner_brows_slanted"),
        (with_shape(lip_height=1.0), "upper_lip_raised"),
        (with_shape(eyes=0.2), "eyes_narrowed"),
    ],
)
def test_others_hold_only_against_the_person_at_rest(signs: FaceSigns, code: str):
    assert reasons_of(signs) == ()
    assert reasons_of(signs, rest=at_rest()) == (code,)


def test_a_face_turned_otherwise_is_not_compared_with_the_person_at_rest():
    turned = with_shape(brow_height=2.1, pose=HeadPose(0.0, 25.0, 0.0))
    assert reasons_of(turned, rest=at_rest()) == ()


def test_nothing_is_said_of_covered_parts():
    seen = with_shape(lip_gap=0.3, eyes=0.45)
    assert reasons_of(uncovered(seen, 0.1, 0.1)) == ("mouth_open", "eyes_wide")
    assert reasons_of(uncovered(seen, 0.9, 0.1)) == ("eyes_wide",)
    hidden = uncovered(seen, 0.1, 0.9)
    assert reasons_of(hidden) == ("mouth_open",)
    assert (hidden.eyes_open, hidden.gaze) == (None, None)


def test_too_few_looks_are_no_reference():
    assert AtRest.of([RESTING] * 4 + [FaceSigns(0.2)] * 9) is None


@pytest.mark.parametrize(
    ("gaze_deg", "gaze"),
    [(-20.0, "left"), (20.0, "right"), (4.0, "camera"), (14.0, None), (None, None)],
)
def test_between_the_camera_and_aside_nothing_is_said(gaze_deg: float | None, gaze: str | None):
    assert FaceSigns(0.9, AHEAD, (0.3, 0.3), gaze_deg).gaze == gaze


BOX = (100, 50, 80, 100)


def reading(box: tuple[int, int, int, int] = BOX, **changes: object) -> FaceReading:
    """A neutral face in the middle."""
    fields = {"expressions": certain("neutral"), "box_px": box, "faces": 1, **changes}
    return FaceReading(**fields)  # type: ignore[arg-type]


def perceived(
    seen: Sequence[FaceReading | None], signs: FaceSigns = RESTING
) -> list[FaceEstimated]:
    """Estimates at ten frames a second, and what the landmarks said of them."""
    shown = iter(seen)
    perception = FacePerception(
        lambda *_, **__: next(shown) or FaceReading(), look=lambda *_, **__: signs
    )
    made: list[Event] = list(perception.push(started(streams=(video_stream(),))))
    for i in range(len(seen)):
        captured = FrameCaptured(t_ns=i * NS // 10, frame=i, width_px=48, height_px=32, seq=i + 1)
        made += perception.push(captured, jpeg(120))
    return [each for each in made if isinstance(each, FaceEstimated)]


def looked_at(estimates: Sequence[FaceEstimated]) -> list[int]:
    return [e.frame for e in estimates if e.face is not None and e.face.landmarks is not None]


def test_a_face_that_stays_as_it_is_is_looked_at_once_a_second():
    assert 9 * NS // 10 < REST_PERIOD_NS <= NS
    # The whole picture is searched after each two seconds: a look that can wait waits then.
    assert looked_at(perceived([reading()] * 45)) == [0, 10, 21, 31, 41]


@pytest.mark.parametrize(
    "other",
    [
        reading((112, 50, 80, 100)),
        reading((92, 40, 96, 120)),
        reading(expressions=certain("happy")),
        reading(expressions=None, unread="blurred"),
        reading(yaw_deg=14.0),
        reading(roll_deg=-7.0),
    ],
    ids=["moved", "nearer", "happy", "blurred", "turned", "tilted"],
)
def test_a_face_that_has_changed_is_looked_at_sooner(other: FaceReading):
    assert NS * 3 // 10 < LOOK_PERIOD_NS <= NS * 2 // 5
    assert looked_at(perceived([reading()] * 2 + [other] * 6)) == [0, 4]
    assert looked_at(perceived([reading()] * 7 + [other] * 3)) == [0, 8]


def test_what_hardly_moves_is_not_looked_at_sooner():
    other = reading((104, 52, 82, 102), yaw_deg=5.0, roll_deg=3.0)
    assert looked_at(perceived([reading(), other] * 5)) == [0]


def test_a_face_that_was_lost_is_looked_at_when_it_comes_again():
    face = reading()
    assert looked_at(perceived([face, face, None, face, face])) == [0, 3]
    assert looked_at(perceived([face, None, face])) == [0, 2]


def test_what_the_landmarks_show_is_in_the_estimate():
    first, second = perceived([reading()] * 2)
    assert first.face is not None
    assert second.face is not None
    assert (first.face.pitch_deg, first.face.gaze, first.face.shape) == (
        *(0.0, "camera"),
        RESTING.shape,
    )
    assert second.face.shape is None


def test_a_doubtful_look_says_only_that_it_was_doubtful():
    (estimate,) = perceived([reading()], FaceSigns(0.2))
    assert estimate.face is not None
    assert estimate.face.landmarks == 0.2
    assert (estimate.face.pitch_deg, estimate.face.reasons) == (None, ())


def test_signs_against_the_person_at_rest_follow_a_neutral_reference():
    neutral = reading()
    frown = with_shape(brow_height=2.0)
    now = [RESTING]
    perception = FacePerception(lambda *_, **__: neutral, look=lambda *_, **__: now[0])
    perception.push(started(streams=(video_stream(),)))
    perception.push(NeutralReferenceStarted(t_ns=0))
    last: list[Event] = []
    for i in range(40):
        if i == 30:
            perception.push(NeutralReferenceRecorded(t_ns=i * NS // 10))
            now[0] = frown
        captured = FrameCaptured(t_ns=i * NS // 10, frame=i, width_px=48, height_px=32)
        last += perception.push(captured, jpeg(120))
    reasons = {e.face.reasons for e in last if isinstance(e, FaceEstimated) and e.face is not None}
    assert reasons == {(), ("brows_lowered",)}


def test_each_estimate_follows_from_the_recorded_ones():
    made = perceived([reading()] * 12)
    shown = iter([reading()] * 12)
    again = FacePerception(lambda *_, **__: next(shown), look=lambda *_, **__: RESTING)
    again.push(started(streams=(video_stream(),)))
    for estimate in made:
        captured = FrameCaptured(
            t_ns=estimate.t_ns, frame=estimate.frame, width_px=48, height_px=32
        )
        (replayed,) = again.perceive(captured, jpeg(120))
        assert msgspec.structs.replace(replayed, seq=estimate.seq) == estimate
        again.remember(estimate)


def test_the_paper_looks_for_no_signs():
    assert Offer(PAPER).open().look is None


def test_a_face_keeps_what_was_recorded_of_it():
    face = Face(face_id=0, box_px=(0, 0, 9, 9))
    assert (face.landmarks, face.reasons, face.unread) == (None, (), None)
