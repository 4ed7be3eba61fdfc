import numpy as np
import pytest

from affetti.analyzer.measures.looks import looks_in
from affetti.analyzer.measures.unseen import unread_shares
from affetti.core.clock import NS_PER_S
from affetti.core.events import Face, FaceEstimated, columns

WHOLE = [(0, 100 * NS_PER_S)]


def look(t_s: float, gaze: str | None = None, reasons: tuple[str, ...] = ()) -> FaceEstimated:
    face = Face(
        face_id=0,
        read=True,
        box_px=(0, 0, 90, 90),
        landmarks=0.99,
        pitch_deg=1.0,
        gaze=gaze,  # type: ignore[arg-type]
        reasons=reasons,
    )
    return FaceEstimated(t_ns=round(t_s * NS_PER_S), frame=0, faces=(face,))


def between(t_s: float) -> FaceEstimated:
    """An estimate without a look."""
    face = Face(face_id=0, read=True, box_px=(0, 0, 90, 90))
    return FaceEstimated(t_ns=round(t_s * NS_PER_S), frame=0, faces=(face,))


def test_shares_are_of_the_looks_and_not_of_all_estimates():
    seen = [look(0, "camera"), between(0.1), look(0.3, None, ("eyes_closed",)), between(0.4)]
    looks = looks_in(columns(FaceEstimated, seen), WHOLE)
    assert (looks.made, looks.eyes_closed) == (2, 0.5)
    assert looks.gazes == {"camera": 0.5, "left": 0.0, "right": 0.0}


def test_only_looks_inside_the_stretches_count():
    table = columns(FaceEstimated, [look(1, "left"), look(5, "right")])
    looks = looks_in(table, [(0, 2 * NS_PER_S)])
    assert (looks.made, looks.gazes["left"], looks.gazes["right"]) == (1, 1.0, 0.0)


def test_signs_are_named_by_how_often_they_were_seen():
    seen = [look(i, "camera", ("smiling", "mouth_open")[: 1 + (i < 3)]) for i in range(9)]
    seen += [look(9, "camera", ("eyes_wide",))]
    looks = looks_in(columns(FaceEstimated, [*seen, look(10, "camera")]), WHOLE)
    assert [code for code, _ in looks.signs] == ["smiling", "mouth_open"]  # one look is too few
    assert looks.signs[0][1] == pytest.approx(9 / 11)


def test_without_a_look_nothing_is_claimed():
    for table in ({}, columns(FaceEstimated, [between(1)])):
        looks = looks_in(table, WHOLE)
        assert looks.made == 0
        assert np.isnan(looks.eyes_closed)
        assert looks.signs == ()


def test_faces_that_were_not_read_are_counted_by_why():
    def unread(t_s: float, code: str | None) -> FaceEstimated:
        face = Face(face_id=0, read=True, box_px=(0, 0, 90, 90), unread=code)
        return FaceEstimated(t_ns=round(t_s * NS_PER_S), frame=0, faces=(face,))

    others = (Face(face_id=1, box_px=(0, 0, 90, 90)),) * 2
    several = FaceEstimated(t_ns=9, frame=0, faces=others, nobody="several")
    seen = [unread(0, "covered"), unread(1, "covered"), unread(2, None), several]
    assert unread_shares(columns(FaceEstimated, seen)) == {"covered": 0.5, "several": 0.25}
    assert unread_shares({}) == {}
