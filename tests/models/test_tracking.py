import pytest

from affetti.core.clock import NS_PER_S
from affetti.models.face.detection import Detection
from affetti.models.face.tracking import MEMORY_NS, PersonTrack, largest


def face(left: int, width: int = 100, score: float = 0.9) -> Detection:
    return Detection((left, 50, width, width), score)


def follow(*frames: list[Detection]) -> list[Detection | None]:
    """Show frames ten times a second."""
    track = PersonTrack()
    return [look(track, i * NS_PER_S // 10, faces) for i, faces in enumerate(frames)]


def look(track: PersonTrack, t_ns: int, faces: list[Detection]) -> Detection | None:
    person = track.choose(t_ns, faces)
    if person is not None:
        track.saw(t_ns, person)
    return person


def test_at_first_the_largest_face_is_the_person() -> None:
    small, large = face(0, 60), face(200, 120)
    assert follow([small, large]) == [large]


def test_of_equal_faces_the_leftmost_is_taken_whatever_their_order() -> None:
    assert largest([face(200), face(10)]) == largest([face(10), face(200)]) == face(10)


def test_a_person_is_followed_even_when_a_larger_face_comes_in() -> None:
    moving = [face(i * 10) for i in range(8)]
    others = [[]] * 3 + [[face(400, 190)]] * 5
    chosen = follow(*[[mine, *other] for mine, other in zip(moving, others, strict=True)])
    assert chosen == moving


def test_a_faint_face_is_believed_only_where_the_person_was() -> None:
    faint = face(5, score=0.4)
    assert follow([faint]) == [None]
    assert follow([face(0)], [faint]) == [face(0), faint]
    assert follow([face(0)], [face(300, score=0.4)]) == [face(0), None]


def test_nobody_speaks_for_a_person_who_is_gone_until_they_were_gone_for_long() -> None:
    stranger = face(400, 150)
    gone = [[stranger]] * 30
    chosen = follow([face(0), face(400, 80)], *gone)
    waited = MEMORY_NS * 10 // NS_PER_S
    assert chosen[1 : waited + 1] == [None] * waited
    assert chosen[waited + 1 :] == [stranger] * (30 - waited)


def test_a_person_who_comes_back_elsewhere_soon_is_the_same() -> None:
    back = face(120)
    assert follow([face(0)], [], [], [], [], [], [], [], [back])[-1] == back
    assert follow([face(0)], [back])[-1] is None


def test_a_face_of_another_size_is_another() -> None:
    assert follow([face(100, 100)], [face(140, 20)])[-1] is None


@pytest.mark.parametrize("times", [1, 2, 3])
def test_the_therapist_goes_through_the_faces_from_left_to_right(times: int) -> None:
    row = [face(0, 150), face(200), face(400)]
    track = PersonTrack()
    assert look(track, 0, row) == row[0]
    for i in range(1, times + 1):
        track.look_for_other()
        assert look(track, i * NS_PER_S // 10, row[::-1]) == row[i % 3]
    assert look(track, (times + 1) * NS_PER_S // 10, row) == row[times % 3]


def test_a_change_waits_for_a_face_to_change_to() -> None:
    track = PersonTrack()
    look(track, 0, [face(0), face(300, 80)])
    track.look_for_other()
    assert look(track, 1, []) is None
    assert look(track, 2, [face(0), face(300, 80)]) == face(300, 80)
