"""What could not be seen, and whose face it was not certain to be."""

from affetti.analyzer.measures.stretches import common, joined, total_ns, without
from affetti.analyzer.measures.unseen import crowded_share, crowds, unseen_of
from affetti.analyzer.report.wording import unseen
from affetti.core.events import (
    DeviceLost,
    DeviceRestored,
    Face,
    FaceEstimated,
    PersonChanged,
    RecordingPaused,
    RecordingResumed,
    columns,
)
from affetti.core.state import SessionState
from tests.conftest import NS, started


def seen(*faces: int) -> dict[str, object]:
    """A face estimate every tenth of a second, with so many faces found."""
    events = [
        FaceEstimated(
            t_ns=i * NS // 10,
            frame=i,
            faces=tuple(
                Face(face_id=n, read=n == 0, box_px=(20 * n, 0, 9, 9)) for n in range(count)
            ),
        )
        for i, count in enumerate(faces)
    ]
    return columns(FaceEstimated, events)


def test_several_faces_are_told_with_when_and_how_often() -> None:
    table = seen(*[1] * 20, *[2] * 30, *[1] * 5, *[2] * 10, *[0] * 35)
    ((start, stop),) = crowds(table)
    assert (start, round(stop / NS, 1)) == (2 * NS, 6.4)
    assert crowded_share(table) == 40 / 65


def test_a_second_face_for_a_moment_is_a_slip_of_the_detector() -> None:
    assert crowds(seen(*[1] * 20, 2, 2, *[1] * 30)) == []


def test_everything_is_listed_in_order_of_time() -> None:
    state = SessionState()
    for event in (
        started(),
        RecordingPaused(t_ns=2 * NS),
        RecordingResumed(t_ns=3 * NS),
        DeviceLost(t_ns=43 * NS, device="camera"),
        DeviceRestored(t_ns=49 * NS, device="camera", gap_ns=8 * NS),
        PersonChanged(t_ns=50 * NS),
    ):
        state.apply(event)
    table = seen(*[1] * 100, *[3] * 50)
    found = [(u.cause, u.what, u.start_s, round(u.stop_s, 1)) for u in unseen_of(state, table)]
    assert found == [
        ("paused", "", 2.0, 3.0),
        ("several_faces", "", 10.0, 14.9),
        ("lost", "camera", 41.0, 49.0),
        ("other_person", "", 50.0, 50.0),
    ]


def test_who_is_read_by_perceptions_own_choice_is_told() -> None:
    codes = ["chosen", None, "changed", "lost", "returned", "chosen"]
    events = [FaceEstimated(t_ns=i * NS, frame=i, change=code) for i, code in enumerate(codes)]
    state = SessionState()
    state.apply(started())
    found = unseen_of(state, columns(FaceEstimated, events))
    assert [(u.cause, u.what, u.start_s) for u in found] == [
        ("read_face", "lost", 3.0),
        ("read_face", "returned", 4.0),
        ("read_face", "chosen", 5.0),
    ]
    assert unseen(found[0]) == "the person’s face was lost from view"


def test_stretches_are_cut_shared_and_joined() -> None:
    assert without([(0, 10)], [(2, 4), (6, 7)]) == [(0, 2), (4, 6), (7, 10)]
    assert without([(0, 10)], [(0, 10)]) == []
    assert common([(0, 5), (6, 9)], [(3, 7)]) == [(3, 5), (6, 7)]
    assert joined([(5, 6), (0, 2), (1, 3)]) == [(0, 3), (5, 6)]
    assert total_ns([(0, 2), (1, 3)]) == 3
