from affetti.core.clock import NS_PER_S
from affetti.models.face.detection import Detection, largest
from affetti.models.face.tracking import MEMORY_NS, FaceTracks


def face(left: int, width: int = 100, score: float = 0.9) -> Detection:
    return Detection((left, 50, width, width), score)


def follow(*frames: list[Detection]) -> list[list[int]]:
    """Show frames ten times a second; return the ids."""
    tracks, found = FaceTracks(), []
    for i, faces in enumerate(frames):
        ids = tracks.ids(i * NS_PER_S // 10, faces)
        tracks.saw(i * NS_PER_S // 10, zip(ids, faces, strict=True))
        found.append(ids)
    return found


def test_of_equal_faces_the_leftmost_is_the_largest_whatever_their_order() -> None:
    assert largest([face(200), face(10)]) == largest([face(10), face(200)]) == face(10)


def test_a_face_keeps_its_id_when_a_larger_one_comes_in() -> None:
    moving = [face(i * 10) for i in range(8)]
    others = [[]] * 3 + [[face(400, 190)]] * 5
    ids = follow(*[[*other, mine] for mine, other in zip(moving, others, strict=True)])
    assert [each[-1] for each in ids] == [0] * 8
    assert {each[0] for each in ids[3:]} == {1}


def test_a_faint_face_does_not_take_the_id_of_a_clear_one_further_away() -> None:
    assert follow([face(0)], [face(5, score=0.4), face(20)])[-1] == [1, 0]


def test_a_face_that_comes_back_soon_is_the_same_and_later_another() -> None:
    waited = MEMORY_NS * 10 // NS_PER_S
    assert follow([face(0)], *[[]] * 7, [face(120)])[-1] == [0]
    assert follow([face(0)], *[[]] * waited, [face(0)])[-1] == [1]


def test_a_face_far_away_or_of_another_size_is_another() -> None:
    assert follow([face(0)], [face(120)])[-1] == [1]
    assert follow([face(100, 100)], [face(140, 20)])[-1] == [1]
