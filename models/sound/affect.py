"""Valence and arousal of what is heard, and the four emotions as their quadrants.

Both are regressed as themselves. What a listener would say lies about the estimate as a normal
distribution would have it; the probability of an emotion is that of its quadrant. So the four
and the two tell one story.
"""

from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from affetti.core.emotions import FloatArray
from affetti.models.manifest import ModelFile, onnx_session
from affetti.models.sound.reasons import Features


@dataclass(frozen=True)
class Affect:
    """What a window expresses.

    `emotions` are probabilities in the order of `core.emotions.EMOTIONS`. Valence and arousal lie
    between -1 and 1; each comes with half the width of an interval that holds 90 % of ratings.
    """

    emotions: FloatArray  # [4]
    valence: float
    arousal: float
    valence_half_width: float
    arousal_half_width: float


class AffectModel:
    """A model of the zoo that maps named features to valence, arousal and the four emotions.

    Parameters
    ----------
    found
        The model; its parameters name the features, in order, and the half-widths.
    """

    def __init__(self, found: ModelFile) -> None:
        self._session = onnx_session(found)
        self._row = itemgetter(*found.parameters["features"])
        self._half_widths: list[float] = found.parameters["half_widths"]

    def of(self, features: Features) -> Affect:
        """Return what a window of these features expresses."""
        row = np.array([self._row(features)], np.float32)
        circumplex, emotions = self._session.run(["circumplex", "probabilities"], {"features": row})
        valence, arousal = (float(value) for value in circumplex[0])
        return Affect(np.asarray(emotions[0], np.float64), valence, arousal, *self._half_widths)
