"""Whether face and music express the same: a line of its own, because an average hides it."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.events import Columns

Likeness: TypeAlias = Literal["much", "partly", "apart", "unknown"]

# From which congruence on face and music express much, or partly, the same.
MUCH_ALIKE: Final = 0.85
PARTLY_ALIKE: Final = 0.65


def likeness(value: float) -> Likeness:
    """Return how alike face and music are at a congruence, 0 to 1; NaN is not known.

    It is judged as it is shown, with two decimals, so that words and figure never disagree.
    """
    if np.isnan(value):
        return "unknown"
    shown = round(value, 2)
    if shown >= MUCH_ALIKE:
        return "much"
    return "partly" if shown >= PARTLY_ALIKE else "apart"


@dataclass(frozen=True)
class Congruence:
    """How alike face and music were in a stretch.

    Attributes
    ----------
    value
        1 minus their mean Jensen-Shannon divergence in bits: 1 alike, 0 disjoint; NaN where
        they never spoke at the same time.
    compared, expected
        At how many ticks both spoke, and at how many both could have.
    """

    value: float
    compared: int
    expected: int

    @property
    def coverage(self) -> float:
        """Share of ticks at which both spoke, 0 to 1; NaN where there was no tick."""
        return self.compared / self.expected if self.expected else np.nan

    @property
    def likeness(self) -> Likeness:
        """How alike they were, as a word."""
        return likeness(self.value)


def congruence_of(fused: Columns, inside: NDArray[np.bool_], expected: int) -> Congruence:
    """Return the congruence of face and music over some ticks.

    Parameters
    ----------
    fused
        Columns of `EmotionFused`; its `divergence_bits` is Lin's Jensen-Shannon divergence
        (1991), NaN where only one of the two spoke.
    inside
        Bool [n], which ticks count.
    expected
        At how many ticks both could have spoken.
    """
    divergence = np.asarray(fused.get("divergence_bits", np.empty(0)), np.float64)[inside]
    spoken = divergence[~np.isnan(divergence)]
    value = 1.0 - float(spoken.mean()) if len(spoken) else np.nan
    return Congruence(value, len(spoken), max(expected, len(spoken)))
