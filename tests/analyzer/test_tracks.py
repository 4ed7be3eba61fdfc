import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from affetti.analyzer.measures.congruence import congruence_of
from affetti.analyzer.measures.stretches import after
from affetti.analyzer.measures.tracks import Reason, played_stretches, reasons_of
from affetti.core.clock import NS_PER_S
from affetti.core.events import EmotionFused, Emotions, MusicEstimated, columns
from affetti.core.fusion import fuse
from affetti.core.state import Span, Track

TICK = 500_000_000
HAPPY = (0.7, 0.1, 0.1, 0.1)
SAD = (0.1, 0.7, 0.1, 0.1)


def playing(start_s: float, end_s: float | None, *pauses: tuple[float, float | None]) -> Track:
    def ns(seconds: float | None) -> int | None:
        return None if seconds is None else round(seconds * NS_PER_S)

    return Track(
        number=0,
        title="Grey Sunday",
        file_name="0.ogg",
        sha256="0" * 64,
        duration_s=20.0,
        start_ns=ns(start_s) or 0,
        start_sample=0,
        end_ns=ns(end_s),
        pauses=[Span(ns(begin) or 0, ns(end)) for begin, end in pauses],
    )


def pair(t_ns: int, face: Emotions | None, music: Emotions | None) -> EmotionFused:
    return fuse(t_ns, {"face": face, "music": music})


def test_time_in_pauses_is_not_played() -> None:
    track = playing(1, 20, (5, 8), (12, 13))
    seconds = [(a / NS_PER_S, b / NS_PER_S) for a, b in played_stretches(track, 20 * NS_PER_S)]
    assert seconds == [(1, 5), (8, 12), (13, 20)]


def test_a_track_that_is_paused_at_the_end_was_played_until_then() -> None:
    track = playing(1, None, (5, None))
    assert played_stretches(track, 9 * NS_PER_S) == [(NS_PER_S, 5 * NS_PER_S)]


@given(
    st.integers(0, 50),
    st.lists(st.integers(0, 50), min_size=2, max_size=2, unique=True).map(sorted),
)
def test_what_lies_after_a_moment_never_begins_before_it(moment: int, stretch: list[int]) -> None:
    kept = after([(stretch[0], stretch[1])], moment)
    assert all(moment <= start < stop for start, stop in kept)
    assert sum(stop - start for start, stop in kept) == max(0, stretch[1] - max(stretch[0], moment))


def test_congruence_is_one_for_the_same_and_zero_for_nothing_in_common() -> None:
    alike = columns(EmotionFused, [pair(TICK, HAPPY, HAPPY)])
    apart = columns(EmotionFused, [pair(TICK, (1, 0, 0, 0), (0, 0, 1, 0))])
    everything = np.ones(1, bool)
    assert congruence_of(alike, everything, 1).value == pytest.approx(1)
    assert congruence_of(apart, everything, 1).value == pytest.approx(0)


def test_ticks_at_which_only_one_spoke_lower_the_coverage_of_congruence() -> None:
    table = columns(
        EmotionFused,
        [
            pair(TICK, HAPPY, HAPPY),
            pair(2 * TICK, HAPPY, None),
        ],
    )
    found = congruence_of(table, np.ones(2, bool), 4)
    assert (found.compared, found.coverage) == (1, 0.25)


def test_nothing_compared_has_no_congruence() -> None:
    found = congruence_of({}, np.zeros(0, bool), 0)
    assert np.isnan(found.value)
    assert np.isnan(found.coverage)


def test_the_reasons_of_a_track_are_those_given_most_often_for_its_own_music() -> None:
    given = [("minor", "sparse")] * 3 + [("minor",)] * 5 + [("rough",)] + [()]
    events = [
        MusicEstimated(
            t_ns=(10 + i) * NS_PER_S,
            stream="playback",
            start_sample=0,
            end_sample=1,
            emotions=(0.1, 0.7, 0.1, 0.1),
            reasons=reasons,
        )
        for i, reasons in enumerate(given)
    ]
    before = structs.replace(events[0], t_ns=NS_PER_S, reasons=("bright",))
    silent = structs.replace(events[0], t_ns=10 * NS_PER_S, emotions=None, reasons=())
    music = columns(MusicEstimated, [before, silent, *events])
    found = reasons_of(music, [(10 * NS_PER_S, 30 * NS_PER_S)])
    assert found == (Reason("minor", 0.8), Reason("sparse", pytest.approx(0.3)))


def test_a_recording_made_before_reasons_were_given_has_none() -> None:
    old = {"t_ns": np.array([NS_PER_S]), "happiness": np.ones(1), "reasons": np.full(1, np.nan)}
    assert reasons_of(old, [(0, 2 * NS_PER_S)]) == ()
    assert reasons_of({}, [(0, 2 * NS_PER_S)]) == ()
