from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetti.analyzer.measures.neutral import neutral_outcome
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EXPRESSIONS
from affetti.core.events import (
    Event,
    Expressions,
    FaceEstimated,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    PersonChanged,
    columns,
)
from affetti.core.state import SessionState
from affetti.models.face.reading import FaceReading
from affetti.models.face.reference import MIN_ESTIMATES, NeutralBias, judged, mean_logs
from affetti.models.perception import FacePerception
from affetti.models.pipelines import AFFETTI, Offer
from tests.conftest import jpeg, started

SAD, NEUTRAL = EXPRESSIONS.index("sad"), EXPRESSIONS.index("neutral")
# A network that is used to calling neutral faces neutral …
USUAL = (0.03, 0.01, 0.02, 0.05, 0.12, 0.02, 0.75)
# … and a person whose neutral face it calls sad.
THIS = (0.05, 0.01, 0.04, 0.02, 0.55, 0.02, 0.31)
# … or half sad, which a neutral reference may be.
MILD = (0.05, 0.01, 0.04, 0.02, 0.33, 0.02, 0.53)
CRYING = (0.02, 0.01, 0.05, 0.02, 0.78, 0.02, 0.10)
SMILING = (0.0, 0.0, 0.0, 0.97, 0.0, 0.0, 0.03)
CALM = (0.0, 0.0, 0.0, 0.02, 0.0, 0.0, 0.98)
REFERENCE = mean_logs(np.array([USUAL])).tolist()

distributions = st.lists(st.floats(0, 1), min_size=7, max_size=7).filter(lambda w: sum(w) > 0.01)


def bias(neutral: tuple[float, ...] = THIS, times: int = 100) -> NeutralBias:
    return NeutralBias([neutral] * times, REFERENCE)  # type: ignore[list-item]


def test_a_neutral_face_that_reads_as_sad_reads_as_neutral_afterwards() -> None:
    corrected = bias().corrected(THIS)
    assert corrected.argmax() == NEUTRAL
    assert corrected[SAD] < 0.3


def test_a_sad_face_of_that_person_still_reads_as_sad() -> None:
    crying = (0.02, 0.01, 0.02, 0.0, 0.93, 0.0, 0.02)
    assert bias().corrected(crying).argmax() == SAD


def test_a_person_who_reads_as_usual_is_left_alone() -> None:
    assert bias(USUAL).corrected(THIS) == pytest.approx(THIS, abs=0.01)


def test_a_short_neutral_reference_is_believed_less() -> None:
    long, short = bias(times=200).corrected(THIS), bias(times=20).corrected(THIS)
    assert THIS[SAD] > short[SAD] > long[SAD]


def test_a_neutral_reference_that_was_a_smile_does_not_erase_smiles() -> None:
    smile = (0.0, 0.0, 0.0, 0.99, 0.0, 0.0, 0.01)
    assert bias(smile).corrected(smile).argmax() == EXPRESSIONS.index("happy")


@given(distributions, distributions)
def test_the_result_is_a_distribution_whatever_the_neutral_reference(
    p: list[float], q: list[float]
) -> None:
    neutral, face = (tuple(np.array(w) / sum(w)) for w in (p, q))
    corrected = NeutralBias([neutral] * 30, REFERENCE).corrected(face)
    assert corrected.sum() == pytest.approx(1, abs=1e-5)
    assert (corrected >= 0).all()


def estimates(
    *facts: tuple[float, type[Event]], seconds: int = 8, faces: Sequence[Expressions] = (MILD,)
) -> list[FaceEstimated]:
    """Show the same face, or several in turn, for a while, with facts on the way."""
    from affetti.core.events import FrameCaptured

    shown = cycle(FaceReading(expressions=e, box_px=(0, 0, 9, 9), faces=1) for e in faces)
    reference = Offer(AFFETTI).open().reference
    perception = FacePerception(lambda image, choose: next(shown), reference=reference)
    perception.push(started())
    items: list[tuple[int, Event]] = [
        (round(t_s * NS_PER_S), kind(t_ns=round(t_s * NS_PER_S))) for t_s, kind in facts
    ]
    for i in range(10 * seconds):
        t_ns = i * NS_PER_S // 10
        items.append((t_ns, FrameCaptured(t_ns=t_ns, frame=i, width_px=48, height_px=32)))
    picture = jpeg()
    made = [
        e for _, event in sorted(items, key=lambda i: i[0]) for e in perception.push(event, picture)
    ]
    return [e for e in made if isinstance(e, FaceEstimated)]


def test_without_a_neutral_reference_nothing_changes() -> None:
    assert not any(estimate.neutral_reference for estimate in estimates())
    assert estimates() == estimates((1, NeutralReferenceStarted))
    assert estimates() == estimates((5, NeutralReferenceRecorded))


def test_a_neutral_reference_corrects_what_comes_after_it_and_keeps_the_networks_word() -> None:
    made = estimates((1.05, NeutralReferenceStarted), (4.05, NeutralReferenceRecorded))
    before, after = made[:41], made[41:]
    assert not any(estimate.neutral_reference for estimate in before)
    assert all(estimate.neutral_reference for estimate in after)
    assert {estimate.expressions for estimate in made} == {MILD}
    assert (after[0].emotions or (0,))[3] > (before[0].emotions or (0,))[3]


def test_a_neutral_reference_too_short_to_believe_is_none() -> None:
    assert MIN_ESTIMATES == 20
    made = estimates((1.05, NeutralReferenceStarted), (2.5, NeutralReferenceRecorded))
    assert not any(estimate.neutral_reference for estimate in made)


@pytest.mark.parametrize(
    ("faces", "outcome"),
    [
        ((MILD,), "accepted"),
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
    assert {e.neutral_reference for e in made[41:]} == {outcome == "accepted"}
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


def test_the_shipped_network_has_a_reference() -> None:
    reference = Offer(AFFETTI).open().reference
    assert np.argmax(reference) == NEUTRAL
    assert len(reference) == len(EXPRESSIONS)
