import numpy as np
import pytest

from affetti.core.errors import AffettiError
from affetti.models.evaluation.fusion import Side, evaluate_fusion, pairs_of, weighted


def _side(n: int, right: float, seed: int) -> Side:
    """Return what is said of `n` examples by one who is so often right."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    named = np.where(random.random(n) < right, labels, (labels + 1 + random.integers(3)) % 4)
    return Side(0.7 * np.eye(4)[named] + 0.075, labels)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_so_many_pairs_disagree_as_are_asked_for(share: float):
    pairs = pairs_of(_side(2_000, 0.8, 0), _side(400, 0.7, 1), share)

    assert np.mean(~pairs.agree) == pytest.approx(share, abs=0.04)


def test_a_clip_has_the_label_that_its_pair_says():
    music = Side(np.eye(4), np.arange(4))

    pairs = pairs_of(_side(200, 1.0, 0), music, 0.5)

    assert (pairs.music.argmax(axis=1) == pairs.music_labels).all()


@pytest.mark.campaign
def test_two_that_err_independently_are_right_more_often_together():
    found = evaluate_fusion(_side(2_000, 0.7, 0), _side(400, 0.6, 1), "mine").as_json()

    agreeing = found["agreeing"]
    assert found["constructed"] is True
    assert agreeing["both, weighted"]["accuracy"] >= agreeing["face"]["accuracy"]
    assert [row["disagree"] for row in found["disagreeing"]] == [0, 0.1, 0.25, 0.5, 1]
    assert "Constructed" in evaluate_fusion(_side(200, 0.7, 0), _side(40, 0.6, 1), "mine").as_text()


def test_whoever_is_not_reliable_does_not_count():
    face, music = np.array([[0.7, 0.1, 0.1, 0.1]]), np.array([[0.1, 0.7, 0.1, 0.1]])

    assert weighted(face, music, (1.0, 0.0)) == pytest.approx(face)


def test_clips_that_lack_an_emotion_are_refused():
    faces = _side(40, 0.8, 0)
    three = Side(np.eye(4)[:3], np.arange(3))

    with pytest.raises(AffettiError, match="no clip"):
        pairs_of(faces, three, 0.0)
