from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from affetti.analyzer.measures.neutral import neutral_outcome
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EXPRESSIONS, emotions_of_expressions
from affetti.core.events import (
    Event,
    Expressions,
    FaceEstimated,
    FrameCaptured,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    PersonChanged,
    columns,
)
from affetti.core.recording.session import Session
from affetti.core.state import SessionState
from affetti.models.face.detection import YuNetDetector, largest
from affetti.models.face.reading import ExpressionNetwork, FaceReader, FaceReading, cropped
from affetti.models.face.reference import MIN_ESTIMATES, TAKEN, Features, judged
from affetti.models.perception.face import Coming, FacePerception
from tests.conftest import jpeg, started

NEUTRAL = EXPRESSIONS.index("neutral")
# A person whose neutral face the network calls half sad, which a neutral reference may be …
MILD = (0.05, 0.01, 0.04, 0.02, 0.33, 0.02, 0.53)
# … and what it says of that face once it knows it.
KNOWN = (0.01, 0.0, 0.01, 0.02, 0.06, 0.0, 0.9)
CRYING = (0.02, 0.01, 0.05, 0.02, 0.78, 0.02, 0.10)
SMILING = (0.0, 0.0, 0.0, 0.97, 0.0, 0.0, 0.03)
CALM = (0.0, 0.0, 0.0, 0.02, 0.0, 0.0, 0.98)
FEATURES = np.arange(256, dtype=np.float32)


def reader(faces: Sequence[Expressions]) -> Callable[..., FaceReading]:
    """Return what reads faces in turn, of one person, and knows that person's neutral one."""
    shown = cycle(faces)

    def read(
        image: object, choose: object, neutral: Features | None = None, where: object = None
    ) -> FaceReading:
        expressions = next(shown)
        if neutral is not None:
            assert np.array_equal(neutral, FEATURES)
            expressions = KNOWN
        box = (0, 0, 9, 9)
        return FaceReading(expressions=expressions, features=FEATURES, box_px=box, faces=1)

    return read


def beginner(faces: Sequence[Expressions]) -> Callable[..., FaceReading]:
    """Return what begins what `reader` reads."""
    read = reader(faces)

    def begin(*what: object, **how: object) -> FaceReading:
        whole = read(*what, **how)
        return replace(whole, expressions=None, features=None, rest=lambda: whole)

    return begin


def estimates(
    *facts: tuple[float, type[Event]], seconds: int = 8, faces: Sequence[Expressions] = (MILD,)
) -> list[FaceEstimated]:
    """Show the same face, or several in turn, for a while, with facts on the way.

    That each frame is looked at while the last is read makes no difference.
    """
    in_turn, ahead = FacePerception(reader(faces)), FacePerception(beginner(faces))
    picture, made, coming = jpeg(), list[Event](), list[Coming]()
    with ThreadPoolExecutor(1) as pool:
        for event in [started(), *shown(facts, seconds)]:
            made += in_turn.push(event, picture)
            coming.append(ahead.begin(event, picture, pool.submit))
        assert [estimate for each in coming for estimate in each()] == made
    return [e for e in made if isinstance(e, FaceEstimated)]


def shown(facts: Sequence[tuple[float, type[Event]]], seconds: int) -> list[Event]:
    """Return a frame each tenth of a second, with facts on the way."""
    items: list[Event] = [kind(t_ns=round(t_s * NS_PER_S)) for t_s, kind in facts]
    for i in range(10 * seconds):
        t_ns = i * NS_PER_S // 10
        items.append(FrameCaptured(t_ns=t_ns, frame=i, width_px=48, height_px=32))
    return sorted(items, key=lambda event: event.t_ns)


def test_without_a_neutral_reference_nothing_changes() -> None:
    assert not any(estimate.neutral_reference for estimate in estimates())
    assert estimates() == estimates((1, NeutralReferenceStarted))
    assert estimates() == estimates((5, NeutralReferenceRecorded))


def test_after_a_neutral_reference_seven_and_four_are_read_against_it() -> None:
    made = estimates((1.05, NeutralReferenceStarted), (4.05, NeutralReferenceRecorded))
    before, after = made[:41], made[41:]
    assert not any(estimate.neutral_reference for estimate in before)
    assert all(estimate.neutral_reference for estimate in after)
    assert {estimate.expressions for estimate in before} == {MILD}
    assert {estimate.expressions for estimate in after} == {KNOWN}
    told = emotions_of_expressions(np.array(KNOWN))
    assert after[0].emotions == pytest.approx(tuple(told), abs=1e-6)


def test_a_neutral_reference_too_short_to_believe_is_none() -> None:
    assert MIN_ESTIMATES == 20
    made = estimates((1.05, NeutralReferenceStarted), (2.5, NeutralReferenceRecorded))
    assert not any(estimate.neutral_reference for estimate in made)


@pytest.mark.parametrize(
    ("faces", "outcome"),
    [
        ((CALM,), "accepted"),
        ((MILD,), "doubtful"),
        ((CRYING,), "not_neutral"),
        ((SMILING,), "not_neutral"),
        ((CALM, CALM, SMILING), "unsteady"),
    ],
)
def test_a_face_that_is_not_neutral_or_not_still_is_refused(
    faces: Sequence[Expressions], outcome: str
) -> None:
    facts = [(1.05, NeutralReferenceStarted), (4.05, NeutralReferenceRecorded)]
    made = estimates(*facts, faces=faces)
    assert judged([e.expressions for e in made[11:41]]) == outcome
    assert {e.neutral_reference for e in made[41:]} == {outcome in TAKEN}
    state = SessionState()
    for t_s, kind in facts:
        state.apply(kind(t_ns=round(t_s * NS_PER_S)))
    assert neutral_outcome(state, columns(FaceEstimated, made)) == outcome


def test_a_reference_without_a_face_has_too_few_readings() -> None:
    assert judged([]) == "too_few"
    assert judged([CALM] * (MIN_ESTIMATES - 1)) == "too_few"


def test_a_neutral_reference_belongs_to_one_person() -> None:
    made = estimates(
        (1.05, NeutralReferenceStarted), (4.05, NeutralReferenceRecorded), (6.05, PersonChanged)
    )
    assert [estimate.neutral_reference for estimate in made[-5:]] == [False] * 5


@pytest.fixture(scope="module")
def network() -> ExpressionNetwork:
    return ExpressionNetwork("face_expression")


@pytest.fixture(scope="module")
def face(sample_session: Path) -> np.ndarray:
    """The woman of the bundled recording, who cries: grey, uint8 [1, 48, 48]."""
    reader = FaceReader()
    with Session.open(sample_session) as session:
        picture = session.frames.at(2.0).image()
    found = largest(YuNetDetector().faces(picture))
    assert found is not None
    assert found.square is not None
    assert reader.read(picture).features is not None
    return cropped(picture, found.square)[np.newaxis]


def test_a_face_read_against_itself_is_more_neutral(
    network: ExpressionNetwork, face: np.ndarray
) -> None:
    alone, features = network.read(face)
    assert features is not None
    against, same = network.read(face, features[0])
    assert against[0, NEUTRAL] > alone[0, NEUTRAL]
    assert against.sum() == pytest.approx(1, abs=1e-5)
    assert same is not None
    assert np.array_equal(same, features)  # what is seen does not depend on what it is held against


def test_the_papers_network_knows_no_neutral_face(face: np.ndarray) -> None:
    network = ExpressionNetwork("face_expression_paper")
    alone, features = network.read(face)
    assert features is None
    assert np.array_equal(network.read(face, FEATURES)[0], alone)


@pytest.mark.parametrize(
    ("eyes_open", "yaw_deg", "outcome"),
    [
        ([(0.3, 0.28)] * 8, [4.0] * 8, "accepted"),
        ([(0.05, 0.06)] * 8, [4.0] * 8, "eyes_shut"),
        ([(0.3, 0.3)] * 5 + [(0.04, 0.04)] * 3, [0.0] * 8, "accepted"),  # a blink
        ([(0.3, 0.28)] * 8, [-38.0] * 8, "turned_away"),
        ([], [], "accepted"),
    ],
)
def test_shut_eyes_and_a_head_turned_away_are_no_neutral_reference(
    eyes_open: list[tuple[float, float]], yaw_deg: list[float], outcome: str
) -> None:
    assert judged([CALM] * 30, eyes_open, yaw_deg) == outcome
