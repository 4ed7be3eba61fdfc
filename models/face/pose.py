"""How a head is turned, and its face as it would look from the front.

The points of a face are laid over a canonical face by the one turn, size and place that fit best:
weighted orthogonal Procrustes analysis over the 33 points that MediaPipe's geometry fits, which
move little with expression. The turn is the head's pose. With it taken out, what is left of the
points is in centimetres of the canonical face, so that faces of any size, at any angle, can be
measured alike.

The canonical face is data of MediaPipe's (Apache 2.0) and stands among the parameters of the
landmark network.

Source: Kabsch, "A solution for the best rotation to relate two sets of vectors" (1976); Umeyama,
"Least-squares estimation of transformation parameters between two point patterns" (1991).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from affetti.core.emotions import FloatArray


@dataclass(frozen=True)
class HeadPose:
    """A head's turn, in degrees; all 0 for one that faces the camera upright.

    Attributes
    ----------
    pitch_deg
        Positive where the face looks up.
    yaw_deg
        Positive towards the picture's right; in a tilted face, along the line of its eyes.
    roll_deg
        Positive clockwise, as the picture shows it: what has to be turned back to see it upright.
    """

    pitch_deg: float
    yaw_deg: float
    roll_deg: float


class CanonicalFace:
    """A face to lay others over.

    Parameters
    ----------
    data
        `points`, the numbers of landmarks; `places_cm`, where each lies, x to the picture's
        right, y up, z to the camera; `weights`, how much each counts.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._numbers = np.asarray(data["points"], np.int64)
        weights = np.asarray(data["weights"], np.float64)
        self._weights = (weights / weights.sum())[:, np.newaxis]
        places = np.asarray(data["places_cm"], np.float64)
        self._places = places - (self._weights * places).sum(axis=0)

    def laid_over(self, points: ArrayLike) -> tuple[HeadPose, FloatArray]:
        """Return the pose of a face, and its points as seen from the front.

        Parameters
        ----------
        points
            float [n, 3], the landmarks: x right, y down, and depth, in one unit.

        Returns
        -------
        The pose; the points, float64 [n, 3], in centimetres of the canonical face: x right, y up,
        z to the camera.
        """
        upright = np.asarray(points, np.float64) * (1, -1, -1)
        fitted = upright[self._numbers]
        centre = (self._weights * fitted).sum(axis=0)
        covariance = (self._places * self._weights).T @ (fitted - centre)
        left, stretch, right = np.linalg.svd(covariance)
        # A face is never its own mirror image.
        signs = np.array([1.0, 1.0, np.sign(np.linalg.det(right.T @ left.T))])
        turn = right.T @ np.diag(signs) @ left.T
        scale = (stretch * signs).sum() / (self._weights * self._places**2).sum()
        return _pose(turn), np.asarray((upright - centre) @ turn / scale)


def _pose(turn: FloatArray) -> HeadPose:
    """Return the angles of a rotation: first pitch, then yaw, then roll in the picture's plane."""
    across, upwards, ahead = turn[0, 0], turn[1, 0], turn[2]
    roll = -math.atan2(upwards, across)
    yaw = math.atan2(-ahead[0], math.hypot(across, upwards))
    pitch = math.atan2(-ahead[1], ahead[2])
    return HeadPose(*(round(math.degrees(angle), 1) for angle in (pitch, yaw, roll)))
