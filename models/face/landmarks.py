"""478 points of a face: where the mesh over it and the two irises lie in a picture.

MediaPipe's face landmark network looks at a square of 256 pixels. Around a face that was only
just found, the square is read off the detector's box, and again off the points that the first
look gave. Of a face that was looked at a moment ago the tilt is known, and one look is enough.

Source: Kartynnik et al., "Real-time facial surface geometry from monocular video on mobile GPUs"
(2019).
"""

import cmath
import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import FloatArray
from affetti.models.face.detection import Square
from affetti.models.face.views import Image, placement
from affetti.models.manifest import ModelFile, onnx_session

SIDE_PX: Final = 256  # of what the network looks at
MIN_PRESENCE: Final = 0.5  # below this the points lie on no face
# Outer corners of the eyes, the picture's left and right.
LEFT_CORNER: Final = 33
RIGHT_CORNER: Final = 263
_BOX_MARGIN: Final = 1.36  # a side of the square in longer sides of YuNet's box
_POINTS_MARGIN: Final = 1.5  # and in longer sides of the box around the points
_MAX_LOOKS: Final = 4
_LEVEL_DEG: Final = 10.0  # a tilt that the network does not mind


@dataclass(frozen=True)
class FaceLandmarks:
    """The points of one face.

    Attributes
    ----------
    points
        float64 [478, 3]: x and y in pixels of the picture, and depth in the same unit, which
        grows away from the camera. The last ten are the irises, five each.
    presence
        How certain the network is that it looks at a face, 0 to 1.
    """

    points: FloatArray
    presence: float

    @property
    def roll_deg(self) -> float:
        """Tilt of the line between the outer corners of the eyes, clockwise, -180 to 180."""
        return math.degrees(cmath.phase(self._at(RIGHT_CORNER) - self._at(LEFT_CORNER)))

    @property
    def square(self) -> Square:
        """What the network wants to see of this face next: it whole, its eyes level."""
        low, high = self.points[:, :2].min(axis=0), self.points[:, :2].max(axis=0)
        side = _POINTS_MARGIN * float((high - low).max())
        return Square(complex(*(low + high) / 2), side, self.roll_deg)

    def _at(self, number: int) -> complex:
        return complex(*self.points[number, :2])


def square_around(box_px: tuple[int, int, int, int], roll_deg: float = 0.0) -> Square:
    """Return the square around a face that a detector found.

    Parameters
    ----------
    box_px
        Left, top, width and height.
    roll_deg
        How far the head is tilted, clockwise, where that is known.
    """
    left, top, width, height = box_px
    centre = complex(left + (width - 1) / 2, top + (height - 1) / 2)
    return Square(centre, _BOX_MARGIN * max(width, height), roll_deg)


class LandmarkNetwork:
    """Finds the points of faces: the same picture always gives the same points.

    Parameters
    ----------
    source
        The model, or its name in the manifest.

    Raises
    ------
    AffettiError
        The model is unknown, missing, or not the file that the manifest pins.
    """

    def __init__(self, source: str | ModelFile = "face_landmarks") -> None:
        self._session = onnx_session(source)

    def find(
        self,
        image_bgr: Image,
        box_px: tuple[int, int, int, int],
        roll_deg: float = 0.0,
        *,
        known: bool = False,
    ) -> FaceLandmarks:
        """Return the points of the face in a box.

        Parameters
        ----------
        image_bgr
            uint8 [H, W, 3].
        box_px
            Left, top, width and height of the face, as the detector gave them.
        roll_deg
            Its tilt, clockwise, as far as it is known.
        known
            Whether that is from the points of a moment ago; then one look is enough. Otherwise
            there are two, and more while each finds the face tilted by much more than the last.
        """
        found = self.look(image_bgr, square_around(box_px, roll_deg))
        if known:
            return found
        for _ in range(_MAX_LOOKS - 1):
            before, roll_deg = roll_deg, found.roll_deg
            found = self.look(image_bgr, found.square)
            if abs(_turned_deg(before, roll_deg)) < _LEVEL_DEG:
                break
        return found

    def look(self, image_bgr: Image, square: Square) -> FaceLandmarks:
        """Return the points that the network sees in a square of a picture, uint8 [H, W, 3].

        What lies beyond the picture repeats its rim.
        """
        turn = cmath.rect(SIDE_PX / square.side_px, -math.radians(square.roll_deg))
        shift = complex(SIDE_PX - 1, SIDE_PX - 1) / 2 - turn * square.centre
        placed, size = placement(turn, shift), (SIDE_PX, SIDE_PX)
        crop = cv2.warpAffine(image_bgr, placed, size, borderMode=cv2.BORDER_REPLICATE)
        planes = np.asarray(cv2.split(crop)[::-1], np.float32)[np.newaxis] / 255
        points, presence = self._session.run(["landmarks", "presence"], {"faces": planes})
        return FaceLandmarks(_placed(points[0], turn, shift), float(presence[0]))


def _turned_deg(before_deg: float, after_deg: float) -> float:
    """Return how far an angle was turned, -180 to 180."""
    return (after_deg - before_deg + 180) % 360 - 180


def _placed(points: NDArray[np.float32], turn: complex, shift: complex) -> FloatArray:
    """Return points of the network's square, [478, 3], in pixels of the picture."""
    # The network counts pixels from their rims, OpenCV from their centres.
    seen = (points[:, 0] - 0.5 + 1j * (points[:, 1] - 0.5) - shift) / turn
    placed = np.stack([seen.real, seen.imag, points[:, 2] / abs(turn)], axis=1)
    # Hundredths of a pixel are finer than the network, and coarser than a processor's last bits.
    return np.asarray(np.round(placed.astype(np.float64), 2), np.float64)
