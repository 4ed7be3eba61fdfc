"""A frame that is looked at while the last is read gives what it gives in its turn."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    EstimateSkipped,
    Event,
    FaceEstimated,
    FaceNamed,
    FrameCaptured,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    PersonChanged,
    SessionStarted,
    decode,
)
from affetti.core.recording.session import Session
from affetti.models.perception.face import Coming, FacePerception
from affetti.models.pipelines import AFFETTI, Offer, Perceivers
from tests.conftest import SAMPLES

FACTS: tuple[tuple[float, type[Event], dict[str, object]], ...] = (
    (2.05, NeutralReferenceStarted, {}),
    (5.05, NeutralReferenceRecorded, {}),
    (9.05, FaceNamed, {"face_id": 1, "role": "therapist"}),
    (11.05, PersonChanged, {}),
    (13.05, NeutralReferenceStarted, {}),
    (14.55, PersonChanged, {}),
    (16.05, NeutralReferenceStarted, {}),
    (18.55, NeutralReferenceRecorded, {}),
)
SECONDS = 21.0


@pytest.fixture(scope="module")
def chosen() -> Perceivers:
    return Offer(AFFETTI).open()


@pytest.fixture(scope="module")
def facts() -> list[tuple[Event, bytes]]:
    return list(sample_with_facts())


def sample_with_facts() -> Iterator[tuple[Event, bytes]]:
    """Yield the bundled recording's first seconds, with what somebody might do meanwhile."""
    coming = deque(FACTS)
    with Session.open(SAMPLES / "sample.h5") as session:
        for record in session.records():
            event = decode(record.json, session.schema_version)
            while coming and event.t_ns >= coming[0][0] * NS_PER_S:
                at_s, kind, said = coming.popleft()
                yield kind(t_ns=round(at_s * NS_PER_S), **said), b""  # type: ignore[arg-type]
            if event.t_ns > SECONDS * NS_PER_S:
                return
            if isinstance(event, SessionStarted | FrameCaptured) or event.traits.perceived:
                yield event, record.blob


def in_turn(chosen: Perceivers, facts: list[tuple[Event, bytes]]) -> list[list[Event]]:
    perception = FacePerception(chosen.read_face, look=chosen.look, describe=chosen.describe)
    return [list(perception.push(event, blob)) for event, blob in facts]


def ahead(
    chosen: Perceivers, facts: list[tuple[Event, bytes]], behind: int
) -> list[list[FaceEstimated | EstimateSkipped]]:
    perception = FacePerception(chosen.begin_face, look=chosen.look, describe=chosen.describe)
    waiting: deque[Coming] = deque()
    made = []
    with ThreadPoolExecutor(1) as pool:
        for event, blob in facts:
            waiting.append(perception.begin(event, blob, pool.submit))
            if len(waiting) > behind:
                made.append(waiting.popleft()())
        return made + [coming() for coming in waiting]


@pytest.mark.parametrize("behind", [0, 1, 7, 1000])
def test_what_is_read_ahead_is_what_is_read_in_turn(
    chosen: Perceivers, facts: list[tuple[Event, bytes]], behind: int
) -> None:
    made = ahead(chosen, facts, behind)
    assert made == in_turn(chosen, facts)
    estimates = [e for each in made for e in each if isinstance(e, FaceEstimated)]
    read = [e for e in estimates if e.expressions is not None]
    assert len(read) > 100
    assert any(e.face is not None and e.face.reasons for e in read)


def test_a_reading_that_was_begun_is_the_same_reading(
    chosen: Perceivers, facts: list[tuple[Event, bytes]]
) -> None:
    from affetti.core.recording.pictures import decoded

    event, blob = next(fact for fact in facts if isinstance(fact[0], FrameCaptured))
    assert isinstance(event, FrameCaptured)
    image = decoded(blob, (event.width_px, event.height_px))
    begun, read = chosen.begin_face(image, None), chosen.read_face(image, None)
    assert begun.expressions is None
    assert begun.rest is not None
    assert begun.ended == read
    assert read.ended is read
    assert read.expressions is not None
