"""Faces as they might have been, each time they are seen in training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.models.evaluation.face.data import FACE_PX
from affetti.models.training.face.conditions import (
    Face,
    blurred,
    compressed,
    covered,
    exposed,
    lit_from,
    moved,
    noisy,
    shrunk,
)


@dataclass(frozen=True)
class Augmentation:
    """How far a face may be changed.

    Attributes
    ----------
    rotation_deg, scale, shift_px
        Turned, brought nearer or taken further, and moved by up to this much either way.
    harmed
        Chance of each of `HARMS`.
    """

    rotation_deg: float = 0.0
    scale: float = 0.0
    shift_px: float = 0.0
    harmed: float = 0.0

    def __call__(self, faces: NDArray[np.uint8], chance: np.random.Generator) -> NDArray[np.uint8]:
        """Return changed faces for faces, uint8 [N, 48, 48]."""
        return np.stack([self._changed(face, chance) for face in faces])

    def _changed(self, face: Face, chance: np.random.Generator) -> Face:
        angle, scale, right, down = chance.uniform(-1, 1, 4)
        face = moved(
            face,
            self.rotation_deg * angle,
            1 + self.scale * scale,
            (self.shift_px * right, self.shift_px * down),
            mirrored=chance.random() < 0.5,
        )
        for harm in HARMS:
            if chance.random() < self.harmed:
                face = harm(face, chance)
        return face


def _exposed(face: Face, chance: np.random.Generator) -> Face:
    return exposed(face, gain=chance.uniform(0.3, 1.5), gamma=chance.uniform(0.6, 1.6))


def _lit_from_a_side(face: Face, chance: np.random.Generator) -> Face:
    return lit_from(face, chance.uniform(0, 2 * np.pi), chance.uniform(0.1, 0.6))


def _covered(face: Face, chance: np.random.Generator) -> Face:
    width, height = chance.integers(6, 20, 2)
    left, top = chance.integers(0, FACE_PX - 6, 2)
    return covered(face, left, top, width, height)


def _blurred(face: Face, chance: np.random.Generator) -> Face:
    return blurred(face, chance.uniform(0.4, 2.8))


def _shrunk(face: Face, chance: np.random.Generator) -> Face:
    return shrunk(face, int(chance.integers(20, FACE_PX)))


def _noisy(face: Face, chance: np.random.Generator) -> Face:
    return noisy(face, chance.uniform(2, 12), chance)


def _compressed(face: Face, chance: np.random.Generator) -> Face:
    return compressed(face, int(chance.integers(25, 90)))


# In the order in which a room, an optic, a sensor and a codec come upon them.
HARMS: Final[tuple[Callable[[Face, np.random.Generator], Face], ...]] = (
    _exposed,
    _lit_from_a_side,
    _covered,
    _blurred,
    _shrunk,
    _noisy,
    _compressed,
)
