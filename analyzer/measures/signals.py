"""The course of a recorded signal: how high it was, stretch by stretch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import FloatArray


@dataclass(frozen=True)
class SignalCourse:
    """One channel of a signal over a session, in stretches of equal length.

    Attributes
    ----------
    start_s, stop_s
        Of each stretch, seconds of session time [n].
    minimum, mean, maximum
        In the unit of the channel [n]; NaN where no sample was taken.
    """

    start_s: FloatArray
    stop_s: FloatArray
    minimum: FloatArray
    mean: FloatArray
    maximum: FloatArray

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The lowest and the highest value of all; None where there is none."""
        there = ~np.isnan(self.mean)
        if not there.any():
            return None
        return float(self.minimum[there].min()), float(self.maximum[there].max())


def signal_course(
    t_s: FloatArray, values: NDArray[np.number], length_s: float, duration_s: float
) -> SignalCourse:
    """Return the course of one channel.

    Parameters
    ----------
    t_s
        When each sample was taken, seconds of session time [samples].
    values
        What was measured [samples]; what is not finite is no value.
    length_s, duration_s
        Of a stretch, and of the session.
    """
    start_s = np.arange(0.0, max(duration_s, length_s), length_s)
    stop_s = np.minimum(start_s + length_s, max(duration_s, length_s))
    measured = np.asarray(values, np.float64)
    row = np.floor(np.asarray(t_s, np.float64) / length_s)
    there = np.isfinite(measured) & (row >= 0) & (row < len(start_s))
    row, measured = row[there].astype(np.int64), measured[there]
    counts = np.bincount(row, minlength=len(start_s))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(row, measured, minlength=len(start_s)) / counts
    lowest, highest = np.full(len(start_s), np.inf), np.full(len(start_s), -np.inf)
    np.minimum.at(lowest, row, measured)
    np.maximum.at(highest, row, measured)
    lowest[counts == 0] = highest[counts == 0] = mean[counts == 0] = np.nan
    return SignalCourse(start_s, stop_s, lowest, mean, highest)
