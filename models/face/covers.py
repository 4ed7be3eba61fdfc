"""Whether something is in front of the mouth, or of the eyes.

A hand, a mask or a cloth before the mouth makes most faces "neutral": the network that reads
expressions was never told that it cannot see. So a small network looks at the same 48 x 48 face
first, and of a face whose mouth is covered nothing is said. Covered eyes, sunglasses among them,
leave an expression that can be read; only eyes and gaze are then not told.
"""

from typing import Final, NamedTuple

import numpy as np

from affetti.models.face.views import Image
from affetti.models.manifest import ModelFile, onnx_session

MAX_MOUTH_COVERED: Final = 0.4
MAX_EYES_COVERED: Final = 0.5


class Covers(NamedTuple):
    """How likely it is that the mouth, and that both eyes are covered, 0 to 1."""

    mouth: float
    eyes: float


class CoverNetwork:
    """Sees what is in front of a face: the same picture always gives the same numbers.

    Parameters
    ----------
    source
        The model, or its name in the manifest.

    Raises
    ------
    AffettiError
        The model is unknown, missing, or not the file that the manifest pins.
    """

    def __init__(self, source: str | ModelFile = "face_cover") -> None:
        self._session = onnx_session(source)

    def of(self, face: Image) -> Covers:
        """Return what covers a face as the networks expect it, grey, uint8 [48, 48]."""
        grey = np.asarray(face, np.float32)[np.newaxis, np.newaxis]
        (covered,) = self._session.run(["covered"], {"faces": grey})
        mouth, eyes = (round(float(each), 4) for each in covered[0])
        return Covers(mouth, eyes)
