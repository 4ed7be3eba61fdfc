"""What one modality expressed in a stretch of a session: its mean, and how that came about.

The strongest expression of a stretch is the one with the highest mean probability, everywhere.
How often each was the strongest moment by moment is a second figure, and is called that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.estimates import Estimates
from affetti.analyzer.measures.stretches import within
from affetti.core.emotions import EMOTIONS, Emotion, FloatArray, arousal_of, valence_of
from affetti.core.interruptions import Stretch

MIXED_MARGIN: Final = 0.1  # an emotion this close to the first counts with it


@dataclass(frozen=True)
class Summary:
    """What one modality expressed in one stretch of a session.

    Attributes
    ----------
    expected, said
        How many estimates were due, and how many said something.
    coverage
        Their ratio, 0 to 1; NaN where none was due.
    emotions
        float64 [4], the mean of what was said; NaN where nothing was.
    strongest_shares
        float64 [4], how often each was the strongest, moment by moment.
    mixed_share
        Share of what was said in which the strongest led the second by less than `margin`.
    """

    expected: int
    said: int
    coverage: float
    emotions: FloatArray
    strongest_shares: FloatArray
    mixed_share: float

    @property
    def strongest(self) -> Emotion | None:
        """The emotion with the highest mean probability; None where nothing was said."""
        return EMOTIONS[int(self.emotions.argmax())] if self.said else None

    @property
    def most_often(self) -> Emotion | None:
        """The emotion that was the strongest most often, moment by moment."""
        if not self.said:
            return None
        return EMOTIONS[int(np.lexsort((self.emotions, self.strongest_shares))[-1])]

    @property
    def valence(self) -> float:
        """Mean valence, -1 unpleasant to 1 pleasant; NaN where nothing was said."""
        return float(valence_of(self.emotions))

    @property
    def arousal(self) -> float:
        """Mean arousal, -1 calm to 1 activated; NaN where nothing was said."""
        return float(arousal_of(self.emotions))


def summary_of(
    estimates: Estimates, stretches_ns: Sequence[Stretch], margin: float = MIXED_MARGIN
) -> Summary:
    """Summarize the estimates about moments in any of some stretches.

    Parameters
    ----------
    estimates
        Of one modality.
    stretches_ns
        Begin and end (exclusive) of each; they must not overlap.
    margin
        By less than this the two strongest emotions count as mixed.
    """
    inside = within(estimates.t_ns, stretches_ns)
    spoken = estimates.emotions[inside & estimates.said]
    made, said = int(inside.sum()), len(spoken)
    expected = max(int(within(estimates.expected_ns, stretches_ns).sum()), made)
    coverage = said / expected if expected else np.nan
    if not said:
        nothing = np.full(len(EMOTIONS), np.nan)
        return Summary(expected, 0, coverage, nothing, nothing, np.nan)
    mean = spoken.mean(axis=0)
    strongest = np.bincount(spoken.argmax(axis=1), minlength=len(EMOTIONS))
    return Summary(
        expected=expected,
        said=said,
        coverage=coverage,
        emotions=mean,
        strongest_shares=strongest / said,
        mixed_share=float(np.mean(is_mixed(spoken, margin))),
    )


def is_mixed(emotions: FloatArray, margin: float) -> NDArray[np.bool_]:
    """Return where the strongest emotion leads the second by less than `margin`.

    Parameters
    ----------
    emotions
        float64 [n, 4]; rows of NaN are not mixed.
    """
    ordered = np.sort(emotions, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2] < margin)
