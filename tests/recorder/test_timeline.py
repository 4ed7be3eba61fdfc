"""Time stamps of films: believed where they can be, and always rising."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetti.recorder.sources.timeline import due_times


@dataclass(frozen=True)
class Item:
    stamp_ns: int | None


def times(*stamps: int | None) -> list[int]:
    return [due for _, due in due_times([Item(stamp) for stamp in stamps], nominal_ns=40)]


@pytest.mark.parametrize(
    ("stamps", "due"),
    [
        ((0, 40, 80), [0, 40, 80]),
        ((1800, 1840), [1800, 1840]),
        ((0, 40, 65_000, 65_040), [0, 40, 65_000, 65_040]),
        ((0, 17, 90, 91), [0, 17, 90, 91]),
        ((500, 540, 0, 40, 120), [500, 540, 580, 620, 700]),
        ((500, 540, 520, 560, 600), [500, 510, 520, 560, 600]),
        ((0, 40, 9_000_000, 120, 160), [0, 40, 80, 120, 160]),
        ((None, None, None), [0, 40, 80]),
        ((0, None, 80), [0, 40, 80]),
        ((-30, 10, 50), [0, 10, 50]),
        ((), []),
    ],
    ids=["even", "late", "gap", "uneven", "joined", "back", "forth", "none", "one", "early", "no"],
)
def test_stamps_are_believed_unless_they_contradict_one_another(stamps, due):
    assert times(*stamps) == due


@given(st.lists(st.none() | st.integers(-(10**15), 10**15), max_size=40))
def test_whatever_the_stamps_time_rises(stamps):
    due = times(*stamps)
    assert len(due) == len(stamps)
    assert all(a < b for a, b in zip([-1, *due], due, strict=False))
