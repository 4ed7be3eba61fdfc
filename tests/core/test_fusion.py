import pytest

from affetti.core.fusion import fuse

FACE = (0.7, 0.1, 0.1, 0.1)
MUSIC = (0.1, 0.1, 0.1, 0.7)


def test_both_are_averaged_and_their_disagreement_is_kept() -> None:
    fused = fuse(5, {"face": FACE, "music": MUSIC})
    assert fused.emotions == pytest.approx((0.4, 0.1, 0.1, 0.4))
    assert fused.decided_by == "both"
    assert fused.divergence_bits is not None
    assert fused.divergence_bits > 0.3
    assert fused.entropy_bits == pytest.approx(1.7219, abs=1e-3)


@pytest.mark.parametrize(("face", "music", "by"), [(FACE, None, "face"), (None, MUSIC, "music")])
def test_a_missing_one_leaves_the_other_alone(face: object, music: object, by: str) -> None:
    fused = fuse(5, {"face": face, "music": music})  # type: ignore[dict-item]
    assert fused.emotions == (face or music)
    assert fused.decided_by == by
    assert fused.divergence_bits is None


def test_nothing_is_said_of_nothing() -> None:
    fused = fuse(5, {"face": None, "music": None})
    assert fused.emotions is None
    assert fused.decided_by == "neither"
    assert fused.entropy_bits is None


def test_any_modality_may_join() -> None:
    fused = fuse(5, {"loudness": (0, 0, 0, 1), "music": None, "face": FACE})
    assert fused.emotions == pytest.approx((0.35, 0.05, 0.05, 0.55))
    assert fused.decided_by == "face+loudness"
    assert fused.decided_by_all == ("face", "loudness")
    assert fused.divergence_bits is None
    three = fuse(5, {"speech": MUSIC, "music": MUSIC, "face": FACE})
    assert three.decided_by == "face+music+speech"
    assert three.divergence_bits == fuse(5, {"face": FACE, "music": MUSIC}).divergence_bits
    assert [fuse(5, {name: FACE}).decided_by_all for name in ("face", "speech")] == [
        ("face",),
        ("speech",),
    ]
