"""How well a face is seen, and whether that is well enough to read it.

What lies beyond a limit was read right in at most about two of three faces, or could not be
measured: then nothing is said of what the face expresses, and a code says why.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from affetti.core.codes import Code
from affetti.core.emotions import FloatArray
from affetti.models.face.views import Image

MIN_FACE_PX: Final = 20.0
# Of sharp faces the lowest is 0.05, at any light, and of faces 24 pixels wide 0.01.
MIN_SHARPNESS: Final = 0.008
# Noise of the camera alone has more; of faces in 6 % of the light the highest is 0.7.
MAX_SHARPNESS: Final = 0.8
MIN_CONTRAST: Final = 0.01  # two and a half grey levels
DARK: Final = 0.1  # a mean grey level; what has enough contrast is read however dark it is
# By five points: frontal faces reach 24, profiles about 40 in the median.
MAX_YAW_DEG: Final = 35.0
_MIDDLE: Final = (slice(8, 44), slice(8, 40))  # of the 48 x 48 face: without what is beside it


@dataclass(frozen=True)
class Quality:
    """How well a face is seen.

    Attributes
    ----------
    side_px
        Mean of the sides of its box in the picture.
    sharpness, brightness, contrast
        Of the 48 x 48 face; see the functions.
    yaw_deg
        How far the head is turned to a side, where that is known.
    """

    side_px: float
    sharpness: float
    brightness: float
    contrast: float
    yaw_deg: float | None

    @property
    def unread(self) -> Code | None:
        """Why the face cannot be read: the first of these codes that holds, or None."""
        is_even = self.contrast < MIN_CONTRAST or self.sharpness > MAX_SHARPNESS
        reasons = {
            "too_small": self.side_px < MIN_FACE_PX,
            "dark": is_even and self.brightness < DARK,
            "no_contrast": is_even,
            "blurred": self.sharpness < MIN_SHARPNESS,
            "turned_away": abs(self.yaw_deg or 0.0) > MAX_YAW_DEG,
        }
        return next((code for code, holds in reasons.items() if holds), None)


def gates() -> dict[str, tuple[float, ...]]:
    """Return at which values of a recorded field a face is read or not."""
    return {
        "sharpness": (MIN_SHARPNESS, MAX_SHARPNESS),
        "contrast": (MIN_CONTRAST,),
        "yaw_deg": (-MAX_YAW_DEG, MAX_YAW_DEG),
    }


def sharpness(crop: Image) -> float:
    """Return how much of the variance of a face, uint8 [48, 48], is in its finest detail.

    The variance of the second difference, in the weaker of two directions, over that of the grey
    levels: 0 for an even grey, about 6 for noise. It is the same at any light, and motion, which
    blurs one direction, shows. After the sum of second differences of Pech-Pacheco et al.,
    "Diatom autofocusing in brightfield microscopy" (2000).
    """
    grey = crop.astype(np.float64)
    even = _variance(grey)
    if not even:
        return 0.0
    down = grey[2:] - 2 * grey[1:-1] + grey[:-2]
    across = grey[:, 2:] - 2 * grey[:, 1:-1] + grey[:, :-2]
    return round(min(_variance(down), _variance(across)) / even, 4)


def _variance(whole_numbers: FloatArray) -> float:
    """Return a variance: exact up to its last division, and so the same on any processor."""
    flat = whole_numbers.ravel()
    of_squares, summed = float(flat @ flat), float(flat.sum())
    return (flat.size * of_squares - summed * summed) / flat.size**2


def brightness(crop: Image) -> float:
    """Return the mean grey level of a face, 0 to 1."""
    return round(float(crop.mean()) / 255, 6)


def contrast(crop: Image) -> float:
    """Return the standard deviation of the grey levels in the middle of a face, 0 to 0.5."""
    return round(math.sqrt(_variance(crop[_MIDDLE].astype(np.float64))) / 255, 4)
