"""Stretches of session time: begin and end (exclusive), in nanoseconds."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from affetti.core.interruptions import Stretch


def within(t_ns: NDArray[np.int64], stretches_ns: Iterable[Stretch]) -> NDArray[np.bool_]:
    """Return which moments, int64 [n], lie in any of some stretches."""
    inside = np.zeros(len(t_ns), bool)
    for start, stop in stretches_ns:
        inside |= (t_ns >= start) & (t_ns < stop)
    return inside


def after(stretches: Iterable[Stretch], begin_ns: int) -> list[Stretch]:
    """Return what of some stretches lies at or after a moment."""
    return [(max(start, begin_ns), stop) for start, stop in stretches if stop > begin_ns]


def without(stretches: Iterable[Stretch], others: Iterable[Stretch]) -> list[Stretch]:
    """Return what of some stretches lies in none of the others."""
    left = list(stretches)
    for begin, end in others:
        cut = [piece for start, stop in left for piece in ((start, min(stop, begin)),
                                                           (max(start, end), stop))]  # fmt: skip
        left = [(start, stop) for start, stop in cut if start < stop]
    return left


def common(stretches: Iterable[Stretch], others: Iterable[Stretch]) -> list[Stretch]:
    """Return what of some stretches lies in one of the others, too."""
    pairs = [(max(a, b), min(c, d)) for a, c in stretches for b, d in joined(others)]
    return [(start, stop) for start, stop in sorted(pairs) if start < stop]


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return the same time in stretches that do not touch, in order."""
    found: list[Stretch] = []
    for start, stop in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        elif start < stop:
            found.append((start, stop))
    return found


def total_ns(stretches: Iterable[Stretch]) -> int:
    """Return how long some stretches are together, what they share counted once."""
    return sum(stop - start for start, stop in joined(stretches))


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return begin and end (exclusive) of each run of true flags."""
    padded = np.concatenate(([0], flags.astype(np.int8), [0]))
    edges = np.flatnonzero(np.diff(padded))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
