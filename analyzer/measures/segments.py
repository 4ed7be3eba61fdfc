"""What was expressed in segments of equal length, each beside its coverage."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.estimates import Estimates, IntArray
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import FloatArray, Label


@dataclass(frozen=True)
class Segments:
    """Segments of equal length, one row each.

    Attributes
    ----------
    start_s, stop_s
        float64 [n]; the last segment ends with the session.
    expected, said
        int64 [n]: how many estimates were due, and how many said something.
    coverage
        float64 [n], 0 to 1; NaN where none was due, as in a pause.
    covered_s
        float64 [n], seconds that the estimates which said something stand for. For the face:
        the time with a face seen.
    emotions
        float64 [n, 4], the mean of the estimates that said something; NaN where none did.
    labels, shares
        What the modality is said to express, and float64 [n, k], the same mean of each.
    circumplex
        float64 [n, 2], the same mean of valence and arousal; NaN where they were not estimated.
    """

    start_s: FloatArray
    stop_s: FloatArray
    expected: IntArray
    said: IntArray
    coverage: FloatArray
    covered_s: FloatArray
    emotions: FloatArray
    labels: tuple[Label, ...]
    shares: FloatArray
    circumplex: FloatArray

    def __len__(self) -> int:
        return len(self.start_s)


def segments_of(estimates: Estimates, segment_ns: int, duration_ns: int) -> Segments:
    """Summarize the estimates of one modality in segments from the session's beginning.

    Parameters
    ----------
    estimates
        Of one modality.
    segment_ns
        Length of a segment, above 0.
    duration_ns
        Length of the session; 0 gives no segments.
    """
    count = -(-duration_ns // segment_ns)
    start_ns = np.arange(count, dtype=np.int64) * segment_ns
    stop_ns = np.minimum(start_ns + segment_ns, duration_ns)
    # Estimates about the very end belong to the last segment.
    row = np.clip(estimates.t_ns // segment_ns, 0, max(count - 1, 0))
    row = row if count else row[:0]
    said = estimates.said[: len(row)]
    made = np.bincount(row, minlength=count)
    spoken = np.bincount(row[said], minlength=count)
    due = np.bincount(estimates.expected_ns // segment_ns, minlength=count)[:count]
    expected = np.maximum(due, made)
    coverage = _ratio(spoken, expected)
    length_s = (stop_ns - start_ns) / NS_PER_S
    return Segments(
        start_s=start_ns / NS_PER_S,
        stop_s=stop_ns / NS_PER_S,
        expected=expected,
        said=spoken,
        coverage=coverage,
        covered_s=np.minimum(spoken * estimates.period_ns / NS_PER_S, length_s),
        emotions=_means(row[said], estimates.emotions[: len(row)][said], spoken),
        labels=estimates.labels,
        shares=_means(row[said], estimates.shares[: len(row)][said], spoken),
        circumplex=_means(row[said], estimates.places()[: len(row)][said], spoken),
    )


def _means(row: IntArray, values: FloatArray, counts: IntArray) -> FloatArray:
    """Return the mean of the values of each row, float64 [rows, k]; NaN where there are none."""
    sums = [np.bincount(row, column, minlength=len(counts)) for column in values.T]
    return _ratio(np.column_stack(sums), counts[:, np.newaxis])


def _ratio(above: NDArray[Any], below: IntArray) -> FloatArray:
    """Divide; NaN where `below` is 0."""
    ratio = np.full(above.shape, np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio
