"""A person's neutral face, and what it would otherwise be taken for.

Some neutral faces read as sad or angry. A few seconds of a person's neutral face, recorded at
the beginning, show how far the network's word for it departs from its usual word for neutral
faces; that departure is then taken out of everything it says of this person. In logarithms, so
that what is taken out is a factor for each expression:

    log p'  =  log p - shrinkage * clip(mean log p(neutral, this person) - mean log p(neutral))

normalised. The clip keeps a neutral reference that was not neutral from turning the words upside
down.
Without a neutral reference nothing changes. One that is unsteady, or far from neutral, is refused:
taken out of everything that follows, it would invent expressions. Refused is what is true of no
neutral face of the sets that this was tried on, so that a face at rest which reads as half sad is
still corrected.
"""

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from affetti.core.emotions import EXPRESSIONS, Expression, FloatArray
from affetti.core.events import Expressions
from affetti.core.fusion import DECIMALS

MIN_ESTIMATES: Final = 20  # two seconds of a face in view
MIN_NEUTRAL: Final = 0.5  # mean probability of neutral, at least
MAX_SPREAD: Final = 0.2  # mean distance of a reading from their mean, at most
_FLOOR: Final = 1e-3  # below this a probability says no more than "not this"
_MOST: Final = 1.5  # nats: a factor of 4.5
_HALF: Final = 20  # so many estimates are believed by half


# What becomes of a neutral reference: it is taken, or refused for a reason.
Outcome: TypeAlias = Literal["accepted", "too_few", "not_neutral", "unsteady"]


def judged(neutral: ArrayLike) -> Outcome:
    """Return what becomes of a neutral reference.

    Parameters
    ----------
    neutral
        Shape [n, 7], the network's words during it, distributions over the expressions.
    """
    words = np.asarray(neutral, np.float64).reshape(-1, len(EXPRESSIONS))
    if len(words) < MIN_ESTIMATES:
        return "too_few"
    if words[:, EXPRESSIONS.index(Expression.NEUTRAL)].mean() < MIN_NEUTRAL:
        return "not_neutral"
    return "accepted" if spread(words) <= MAX_SPREAD else "unsteady"


def spread(words: FloatArray) -> float:
    """Return how far distributions, [n, 7], lie from their mean, in total variation: 0 to 1."""
    return float(0.5 * np.abs(words - words.mean(axis=0)).sum(axis=1).mean())


class NeutralBias:
    """What is taken out of a network's word for one person.

    Parameters
    ----------
    neutral
        The network's words during the neutral reference, each a distribution over the expressions.
    reference
        Mean logarithms, float64 [7], of its words for neutral faces of many people.
    """

    def __init__(self, neutral: Sequence[Expressions], reference: Sequence[float]) -> None:
        departure = _logs(np.array(neutral)).mean(axis=0) - np.array(reference)
        shrinkage = len(neutral) / (len(neutral) + _HALF)
        self._bias = shrinkage * np.clip(departure, -_MOST, _MOST)

    def corrected(self, expressions: Expressions) -> FloatArray:
        """Return a distribution over the expressions without the bias, float64 [7]."""
        weights = np.exp(_logs(np.array(expressions)) - self._bias)
        return np.asarray(np.round(weights / weights.sum(), DECIMALS))


def mean_logs(expressions: FloatArray) -> FloatArray:
    """Return the mean logarithms, float64 [7], of distributions, float64 [n, 7]."""
    return np.asarray(_logs(expressions).mean(axis=0))


def _logs(expressions: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.maximum(expressions, _FLOOR)))
