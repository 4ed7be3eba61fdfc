"""The vocabulary: four emotions, seven expressions, and how the seven speak of the four.

Everything the product says about a face or a stretch of music is a distribution over
`EMOTIONS`. Expressions are FER2013's seven. Words shown to a person say that something
*expresses* an emotion, never that someone feels it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


class Emotion(StrEnum):
    """The four emotions, one for each quadrant of Russell's circumplex (1980)."""

    HAPPINESS = "happiness"  # pleasant, activated
    SADNESS = "sadness"  # unpleasant, deactivated
    ANGER = "anger"  # unpleasant, activated
    RELAXATION = "relaxation"  # pleasant, deactivated


class Expression(StrEnum):
    """FER2013's seven facial expressions, in that data set's label order."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"


# What is said to be expressed: a face in one of seven words, all else in one of four.
Label: TypeAlias = Emotion | Expression

EMOTIONS: Final = tuple(Emotion)
EXPRESSIONS: Final = tuple(Expression)

# Rows follow EXPRESSIONS, columns EMOTIONS; each row sums to one. An expression goes to the
# quadrant of the circumplex in which Russell (1980) and later ratings of posed faces place it:
#   angry, disgust  unpleasant and activated: anger. Disgust is the milder of the two in arousal,
#                   and the expression that raters most often confuse with anger.
#   fear            unpleasant and activated as well, but nothing in it is hostile: half anger's
#                   quadrant, half sadness, the two unpleasant emotions.
#   happy, sad      their own.
#   surprise        activated, of either valence: half happiness, half anger.
#   neutral         deactivated and free of displeasure: relaxation.
EXPRESSION_TO_EMOTION: Final[FloatArray] = np.array(
    [
        # happiness sadness anger relaxation
        [0.0, 0.0, 1.0, 0.0],  # angry
        [0.0, 0.0, 1.0, 0.0],  # disgust
        [0.0, 0.5, 0.5, 0.0],  # fear
        [1.0, 0.0, 0.0, 0.0],  # happy
        [0.0, 1.0, 0.0, 0.0],  # sad
        [0.5, 0.0, 0.5, 0.0],  # surprise
        [0.0, 0.0, 0.0, 1.0],  # neutral
    ]
)
EXPRESSION_TO_EMOTION.setflags(write=False)


def emotions_of_expressions(expressions: ArrayLike) -> FloatArray:
    """Map distributions over the seven expressions to distributions over the four emotions.

    Parameters
    ----------
    expressions
        Shape [..., 7], each row a distribution in the order of `EXPRESSIONS`.

    Returns
    -------
    Shape [..., 4], each row a distribution in the order of `EMOTIONS`.
    """
    return np.asarray(expressions, np.float64) @ EXPRESSION_TO_EMOTION


# Where each emotion lies on the circumplex, in the order of EMOTIONS.
_VALENCE: Final[FloatArray] = np.array([1.0, -1.0, -1.0, 1.0])
_AROUSAL: Final[FloatArray] = np.array([1.0, -1.0, 1.0, -1.0])


def valence_of(emotions: ArrayLike) -> FloatArray:
    """Probability of the pleasant emotions less that of the unpleasant ones: -1 to 1.

    Parameters
    ----------
    emotions
        Shape [..., 4], in the order of `EMOTIONS`.
    """
    return np.asarray(emotions, np.float64) @ _VALENCE


def arousal_of(emotions: ArrayLike) -> FloatArray:
    """Probability of the activated emotions less that of the calm ones: -1 to 1.

    Parameters
    ----------
    emotions
        Shape [..., 4], in the order of `EMOTIONS`.
    """
    return np.asarray(emotions, np.float64) @ _AROUSAL


def entropy_bits(distribution: ArrayLike) -> FloatArray:
    """Shannon entropy in bits along the last axis: 0 (certain) to 2 (four equal emotions)."""
    p = np.asarray(distribution, np.float64)
    logs = np.log2(p, out=np.zeros_like(p), where=p > 0)
    return np.asarray(-np.sum(p * logs, axis=-1) + 0.0)


def divergence_bits(first: ArrayLike, second: ArrayLike) -> FloatArray:
    """Jensen-Shannon divergence in bits along the last axis: 0 (the same) to 1 (disjoint).

    Source: Lin, "Divergence measures based on the Shannon entropy" (1991).
    """
    middle = (np.asarray(first, np.float64) + np.asarray(second, np.float64)) / 2
    divergence = entropy_bits(middle) - (entropy_bits(first) + entropy_bits(second)) / 2
    return np.clip(divergence, 0.0, 1.0)


def ranked(distribution: ArrayLike, labels: Sequence[Label] = EMOTIONS) -> list[Label]:
    """Return labels, the most probable first; equal ones keep their order.

    Parameters
    ----------
    distribution
        Shape [k], in the order of `labels`.
    labels
        `EMOTIONS` or `EXPRESSIONS`.
    """
    order = np.argsort(-np.asarray(distribution, np.float64), kind="stable")
    return [labels[i] for i in order]
