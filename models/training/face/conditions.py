"""What a camera, a room and a head do to a face: each makes one grey uint8 [48, 48] of another."""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.models.evaluation.face.data import FACE_PX

Face: TypeAlias = NDArray[np.uint8]

_SIZE = (FACE_PX, FACE_PX)
_CENTRE = (FACE_PX - 1) / 2


def moved(
    face: Face,
    angle_deg: float = 0.0,
    scale: float = 1.0,
    shift_px: tuple[float, float] = (0.0, 0.0),
    mirrored: bool = False,
) -> Face:
    """Turn the head in the picture plane, bring it nearer, shift it right and down, mirror it.

    What comes into view at the rim repeats the rim.
    """
    placement = cv2.getRotationMatrix2D((_CENTRE, _CENTRE), angle_deg, scale)
    if mirrored:
        placement = placement @ np.array([[-1.0, 0, 2 * _CENTRE], [0, 1, 0], [0, 0, 1]])
    placement[:, 2] += shift_px
    return _grey(cv2.warpAffine(face, placement, _SIZE, borderMode=cv2.BORDER_REPLICATE))


def exposed(face: Face, gain: float = 1.0, gamma: float = 1.0) -> Face:
    """Give more or less light; below 1 the gain darkens, above it the highlights clip."""
    levels = 255 * gain * (np.arange(256) / 255) ** gamma
    return _grey(cv2.LUT(face, np.clip(np.round(levels), 0, 255).astype(np.uint8)))


def lit_from(face: Face, direction_rad: float, strength: float) -> Face:
    """Light it from one side: the gain falls from 1 + `strength` there to 1 - `strength`."""
    along = np.linspace(-1, 1, FACE_PX)
    ramp = np.cos(direction_rad) * along + np.sin(direction_rad) * along[:, np.newaxis]
    return _grey(np.clip(face * (1 + strength * ramp), 0, 255).astype(np.uint8))


def blurred(face: Face, sigma_px: float) -> Face:
    """Put it out of focus, by a Gaussian."""
    return _grey(cv2.GaussianBlur(face, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE))


def shrunk(face: Face, side_px: int) -> Face:
    """Take it from so far away that it covers `side_px` pixels, and enlarge it again."""
    small = cv2.resize(face, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return _grey(cv2.resize(small, _SIZE, interpolation=cv2.INTER_LINEAR))


def compressed(face: Face, quality: int) -> Face:
    """Store it as a JPEG of a quality from 1 to 100."""
    _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return _grey(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def noisy(face: Face, sigma: float, chance: np.random.Generator) -> Face:
    """Add a sensor's noise of `sigma` grey levels."""
    noise = sigma * chance.standard_normal(face.shape, np.float32)
    return _grey(np.clip(face + noise, 0, 255).astype(np.uint8))


def covered(face: Face, left: int, top: int, width: int, height: int) -> Face:
    """Hide a rectangle behind an even grey: a hand, hair, a microphone."""
    changed = face.copy()
    changed[top : top + height, left : left + width] = face.mean()
    return changed


def _grey(face: object) -> Face:
    return np.asarray(face, np.uint8)
