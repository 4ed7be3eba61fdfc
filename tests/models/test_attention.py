import pytest

from affetti.core.clock import NS_PER_S
from affetti.models.face.attention import Attention
from affetti.models.face.detection import ANY_ROLL, Detection

STEP_NS = NS_PER_S // 10
UPRIGHT = Detection((200, 100, 100, 120), 0.93)
LYING = Detection((200, 100, 120, 100), 0.93, 88.0)
OTHER = Detection((500, 100, 90, 110), 0.92)


def followed(*seen: Detection | None, since_ns: int = 0) -> Attention:
    attention = Attention()
    for i, face in enumerate(seen):
        attention.saw(since_ns + i * STEP_NS, () if face is None else (face,), face)
    return attention


def test_at_first_everything_is_searched_for_heads_tilted_in_any_way():
    assert Attention().look(0) == ANY_ROLL


def test_a_face_that_was_seen_is_looked_for_near_its_place():
    look = followed(UPRIGHT).look(STEP_NS)
    assert look.near == (UPRIGHT,)
    assert not look.everywhere


def test_all_faces_of_the_last_estimate_are_looked_for():
    attention = Attention()
    attention.saw(0, (UPRIGHT, OTHER), UPRIGHT)
    assert attention.look(STEP_NS).near == (UPRIGHT, OTHER)


@pytest.mark.parametrize(("faces", "seconds"), [((UPRIGHT,), 2), ((UPRIGHT, OTHER), 1)])
def test_the_whole_picture_is_searched_less_often_beside_one_who_is_alone(
    faces: tuple[Detection, ...], seconds: int
):
    attention, everywhere = Attention(), []
    attention.saw(0, faces, UPRIGHT)
    for t_ns in range(STEP_NS, 6 * NS_PER_S, STEP_NS):
        everywhere.append(attention.look(t_ns).everywhere)
        attention.saw(t_ns, faces, UPRIGHT)
    assert sum(everywhere) == 6 // seconds - 1


@pytest.mark.parametrize("person", [None, UPRIGHT])
def test_after_a_pause_or_a_loss_everything_is_searched(person: Detection | None):
    t_ns = STEP_NS if person is None else NS_PER_S * 3 // 4
    look = followed(person).look(t_ns)
    assert look.everywhere
    assert look.near == ()


def test_while_nobody_is_found_every_tilt_is_searched_for_within_two_seconds():
    attention, searched = Attention(), set()
    for t_ns in range(0, 2 * NS_PER_S, STEP_NS):
        attention.saw(t_ns, (), None)
        searched |= set(attention.look(t_ns + 1).rolls_deg)
    assert searched == set(ANY_ROLL.rolls_deg)


def test_somebody_who_lay_is_searched_for_lying_every_other_time():
    attention = followed(LYING, None, None)
    rolls_deg = attention.look(3 * STEP_NS).rolls_deg
    assert 90 in rolls_deg


def test_the_same_estimates_give_the_same_look():
    seen = (UPRIGHT, None, LYING, None, None, None)
    assert followed(*seen).look(NS_PER_S) == followed(*seen).look(NS_PER_S)
