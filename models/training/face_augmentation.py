"""Faces as they might have been: turned, mirrored, moved."""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Augmentation:
    """How far a face is changed, each time it is seen.

    Attributes
    ----------
    rotation_deg
        Turned in the picture plane by up to this much either way.
    mirrored
        Whether half of the faces are mirrored.
    """

    rotation_deg: float = 0.0
    mirrored: bool = True

    def __call__(self, faces: Any, chance: Any) -> Any:
        """Return changed faces, float32 [N, 1, 48, 48] as they came.

        Parameters
        ----------
        faces
            float32 [N, 1, 48, 48], grey levels.
        chance
            The torch.Generator that decides.
        """
        grid = functional.affine_grid(
            self._placements(len(faces), chance), list(faces.shape), align_corners=False
        )
        return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)

    def _placements(self, n: int, chance: Any) -> Any:
        angle = torch.deg2rad(_between(-self.rotation_deg, self.rotation_deg, n, chance))
        side = torch.ones(n)
        if self.mirrored:
            side = torch.where(torch.rand(n, generator=chance) < 0.5, -1.0, 1.0)
        placement = torch.zeros(n, 2, 3)
        placement[:, 0, 0] = angle.cos() * side
        placement[:, 0, 1] = -angle.sin()
        placement[:, 1, 0] = angle.sin() * side
        placement[:, 1, 1] = angle.cos()
        return placement


def _between(low: float, high: float, n: int, chance: Any) -> Any:
    return low + (high - low) * torch.rand(n, generator=chance)
