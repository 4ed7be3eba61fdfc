"""What was expressed in each second of a session, summed up as it comes."""

from collections.abc import Sequence

import numpy as np

from affetti.core.clock import NS_PER_S
from affetti.core.emotions import FloatArray, Label

_ROOM_S = 600


class Seconds:
    """Means of estimates for stretches of whole seconds, however long a session is.

    Parameters
    ----------
    labels
        What an estimate has a share of each of.
    """

    def __init__(self, labels: Sequence[Label]) -> None:
        self.labels = tuple(labels)
        self._sums: FloatArray = np.zeros((_ROOM_S, len(labels) + 1))  # the last: their number

    def add(self, t_ns: int, shares: Sequence[float] | None) -> None:
        """Take in an estimate; one that says nothing counts as none."""
        second = max(t_ns, 0) // NS_PER_S
        if shares is None:
            return
        if second >= len(self._sums):
            more = np.zeros((max(second + 1, 2 * len(self._sums)), self._sums.shape[1]))
            more[: len(self._sums)] = self._sums
            self._sums = more
        self._sums[second, :-1] += shares
        self._sums[second, -1] += 1

    def means(self, step_s: int, count: int) -> FloatArray:
        """Return the mean of each stretch from the beginning, float64 [count, k]; NaN without any.

        Parameters
        ----------
        step_s, count
            The length of a stretch, and how many.
        """
        sums = np.zeros((count * step_s, self._sums.shape[1]))
        known = self._sums[: len(sums)]
        sums[: len(known)] = known
        total = sums.reshape(count, step_s, -1).sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray(total[:, :-1] / total[:, -1:], np.float64)
