"""What one modality expressed in a stretch of a session: its mean, and how that came about.

The strongest expression of a stretch is the one with the highest mean probability, everywhere.
How often each was the strongest moment by moment is a second figure, and is called that.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.estimates import AXES, Estimates
from affetti.analyzer.measures.stretches import within
from affetti.core.emotions import EMOTIONS, FloatArray, Label
from affetti.core.interruptions import Stretch

MIXED_MARGIN: Final = 0.1  # what is this close to the first counts with it


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
    labels
        What the modality is said to express, see `analyzer.measures.estimates.LABELS`.
    shares
        float64 [k], the mean of each of the labels; NaN where nothing was said.
    strongest_shares
        float64 [k], how often each label was the strongest, moment by moment.
    mixed_share
        Share of what was said in which the strongest led the second by less than `margin`.
    circumplex
        float64 [2], the mean of valence and arousal; NaN where they were not estimated.
    unread
        Why faces that were there were not read, the most frequent first: codes.
    """

    expected: int
    said: int
    coverage: float
    emotions: FloatArray
    labels: tuple[Label, ...]
    shares: FloatArray
    strongest_shares: FloatArray
    mixed_share: float
    circumplex: FloatArray
    unread: tuple[str, ...] = ()

    @property
    def strongest(self) -> Label | None:
        """What has the highest mean probability; None where nothing was said."""
        return self.labels[int(self.shares.argmax())] if self.said else None

    @property
    def most_often(self) -> Label | None:
        """What was the strongest most often, moment by moment."""
        if not self.said:
            return None
        return self.labels[int(np.lexsort((self.shares, self.strongest_shares))[-1])]

    @property
    def valence(self) -> float:
        """Mean valence, -1 unpleasant to 1 pleasant; NaN where none was estimated."""
        return float(self.circumplex[0])

    @property
    def arousal(self) -> float:
        """Mean arousal, -1 calm to 1 activated; NaN where none was estimated."""
        return float(self.circumplex[1])


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
        By less than this the two strongest count as mixed.
    """
    labels = estimates.labels
    inside = within(estimates.t_ns, stretches_ns)
    spoken = estimates.shares[inside & estimates.said]
    unread = _unread(estimates, inside)
    made, said = int(inside.sum()), len(spoken)
    expected = max(int(within(estimates.expected_ns, stretches_ns).sum()), made)
    coverage = said / expected if expected else np.nan
    if not said:
        no_emotions, nothing = np.full(len(EMOTIONS), np.nan), np.full(len(labels), np.nan)
        nowhere = np.full(len(AXES), np.nan)
        return Summary(
            expected, 0, coverage, no_emotions, labels, nothing, nothing, np.nan, nowhere, unread
        )
    strongest = np.bincount(spoken.argmax(axis=1), minlength=len(labels))
    return Summary(
        expected=expected,
        said=said,
        coverage=coverage,
        emotions=estimates.emotions[inside & estimates.said].mean(axis=0),
        labels=labels,
        shares=spoken.mean(axis=0),
        strongest_shares=strongest / said,
        mixed_share=float(np.mean(is_mixed(spoken, margin))),
        circumplex=estimates.places()[inside & estimates.said].mean(axis=0),
        unread=unread,
    )


def _unread(estimates: Estimates, inside: NDArray[np.bool_]) -> tuple[str, ...]:
    if estimates.unread is None:
        return ()
    codes = Counter(code for code in estimates.unread[inside] if code)
    return tuple(code for code, _ in codes.most_common())


def is_mixed(shares: FloatArray, margin: float) -> NDArray[np.bool_]:
    """Return where the strongest leads the second by less than `margin`.

    Parameters
    ----------
    shares
        float64 [n, k]; rows of NaN are not mixed.
    """
    ordered = np.sort(shares, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2] < margin)
