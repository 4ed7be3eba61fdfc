"""Which emotion is named while others come close: one that was named stays until it is passed.

What is estimated every second wavers inside its own interval, and a word that wavers with it says
more than is known. So the emotion that is named stays named until another is more probable by a
margin. An estimate rests on ten seconds, so when the music changes it is under way for ten: what
is compared is where the estimates will be, if they go on as they went in the last seconds.
"""

from collections import deque
from typing import Final

import numpy as np

from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, Emotion, FloatArray
from affetti.core.events import Emotions

MARGIN: Final = 0.12
SLOPE_S: Final = 3.0  # over which it is seen where estimates go
AHEAD_S: Final = 1.5  # from now, to which that is followed
_LONGEST_S: Final = 2 * SLOPE_S  # estimates that lie farther apart say nothing of where they go


class Naming:
    """Names an emotion at each of some estimates in a row, of one stream and one piece of music.

    Parameters
    ----------
    margin
        By how much another must be more probable than what was named.
    ahead_s
        How far ahead they are compared; 0 compares them as they are.
    """

    def __init__(self, margin: float = MARGIN, ahead_s: float = AHEAD_S) -> None:
        self._margin = margin
        self._ahead_s = ahead_s
        self._latest: deque[tuple[int, FloatArray]] = deque()
        self._named: int | None = None

    def follow(self, t_ns: int, emotions: Emotions | None) -> Emotion | None:
        """Return what is named at an estimate.

        Parameters
        ----------
        t_ns
            Its time, later than that of the one before.
        emotions
            Probabilities in the order of `EMOTIONS`; None where nothing is said, after which the
            strongest is named anew.
        """
        if emotions is None:
            self._latest.clear()
            self._named = None
            return None
        coming = self._coming(t_ns, np.array(emotions))
        strongest = int(coming.argmax())
        if self._named is None or coming[strongest] > coming[self._named] + self._margin:
            self._named = strongest
        return EMOTIONS[self._named]

    def _coming(self, t_ns: int, now: FloatArray) -> FloatArray:
        """Return where the estimates will be, by their slope."""
        self._latest.append((t_ns, now))
        begin_ns = t_ns - round(SLOPE_S * NS_PER_S)
        while len(self._latest) > 1 and self._latest[1][0] <= begin_ns:
            self._latest.popleft()
        then_ns, then = self._latest[0]
        apart_s = (t_ns - then_ns) / NS_PER_S
        if not SLOPE_S <= apart_s <= _LONGEST_S:
            return now
        return np.asarray(now + (now - then) * (self._ahead_s / apart_s))
