"""A person's neutral face, and how a face is read against it.

Some neutral faces read as sad or angry, and some displeasure as neutral: it is the person, not the
expression. A few seconds of a person's neutral face, recorded at the beginning, show how far the
features in which the network sees it lie from those of neutral faces of many people; by half of
that way every later face of this person is moved before it is read:

    f'  =  f + 1/2 (mean f(neutral, many people) - mean f(neutral, this person))

Half, because it gains nearly all that the whole way gains, and a reference that was not neutral
does less harm. The features are numbers in memory alone; no file holds them.

Without a neutral reference nothing changes. One that is unsteady or far from neutral, with eyes
shut or the head turned away, is refused:
taken out of everything that follows, it would invent expressions. Refused is what is true of no
neutral face of the sets that this was tried on, so that a face at rest which reads as half sad is
still corrected. One that the network alone hardly calls neutral is taken, and a warning says so.
"""

from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from affetti.core.emotions import EXPRESSIONS, Expression, FloatArray

MIN_ESTIMATES: Final = 20  # two seconds of a face in view
MIN_NEUTRAL: Final = 0.5  # mean probability of neutral, at least
SURELY_NEUTRAL: Final = 0.84  # below it a neutral reference is taken, and doubted
EYES_SHUT: Final = 0.13  # widths of the eye, between the lids
MAX_TURNED_DEG: Final = 25.0
MAX_SPREAD: Final = 0.2  # mean distance of a reading from their mean, at most
TRUST: Final = 0.5  # how much of the way to the usual neutral face a person's is moved

# What a network sees in a face before it says what is expressed: float32 [256].
Features: TypeAlias = NDArray[np.float32]
# What becomes of a neutral reference: it is taken, perhaps in doubt, or refused for a reason.
Outcome: TypeAlias = Literal[
    "accepted", "doubtful", "too_few", "eyes_shut", "turned_away", "not_neutral", "unsteady"
]
TAKEN: Final = ("accepted", "doubtful")


def judged(neutral: ArrayLike, eyes_open: ArrayLike = (), yaw_deg: ArrayLike = ()) -> Outcome:
    """Return what becomes of a neutral reference.

    Parameters
    ----------
    neutral
        Shape [n, 7], the network's words during it, distributions over the expressions.
    eyes_open
        [m, 2], how far the lids of both eyes were apart, in widths of the eye, where that was
        looked for.
    yaw_deg
        [m], how far the head was turned.
    """
    words = np.asarray(neutral, np.float64).reshape(-1, len(EXPRESSIONS))
    if len(words) < MIN_ESTIMATES:
        return "too_few"
    eyes = np.asarray(eyes_open, np.float64).reshape(-1, 2)
    if len(eyes) and float(np.median(eyes.mean(axis=1))) < EYES_SHUT:
        return "eyes_shut"
    turned = np.abs(np.asarray(yaw_deg, np.float64))
    if len(turned) and float(np.median(turned)) > MAX_TURNED_DEG:
        return "turned_away"
    neutral_share = words[:, EXPRESSIONS.index(Expression.NEUTRAL)].mean()
    if neutral_share < MIN_NEUTRAL:
        return "not_neutral"
    if spread(words) > MAX_SPREAD:
        return "unsteady"
    return "accepted" if neutral_share >= SURELY_NEUTRAL else "doubtful"


def spread(words: FloatArray) -> float:
    """Return how far distributions, [n, 7], lie from their mean, in total variation: 0 to 1."""
    return float(0.5 * np.abs(words - words.mean(axis=0)).sum(axis=1).mean())
