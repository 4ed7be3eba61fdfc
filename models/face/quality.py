"""How well a face is seen, and whether that is well enough to read it."""

from typing import Final

import cv2

from affetti.models.face.detection import Image

# Beyond these at most about two in three faces are read right (see the card): no estimate.
MIN_SHARPNESS: Final = 30.0
MAX_YAW_DEG: Final = 40.0


def sharpness(crop: Image) -> float:
    """Return the variance of the Laplacian of a face, uint8 [48, 48]: 0 for an even grey.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (2000).
    """
    return round(float(cv2.Laplacian(crop, cv2.CV_64F).var()), 3)
