"""Views of a picture: parts of it, shrunk, enlarged or turned, and the way back.

Points are complex numbers, x + yj, in pixels; a pixel's centre has whole coordinates. Angles are
tilts in the picture plane, positive clockwise: what is tilted by so much stands upright in a
view turned by it.
"""

import cmath
import math
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]

_MAX_MULTIPLE: Final = 4


@dataclass(frozen=True)
class View:
    """A part of a picture: what lies around a point, turned and scaled.

    Attributes
    ----------
    centre
        Point of the picture that is the middle of the view.
    scale
        Pixels of the view for each of the picture.
    roll_deg
        How far the view is turned.
    size_px
        Width and height of the view.
    """

    centre: complex
    scale: float
    roll_deg: float
    size_px: tuple[int, int]

    def of(self, image: Image, border: int = cv2.BORDER_REPLICATE) -> Image:
        """Return the view of uint8 [H, W] or [H, W, 3]; beyond the picture as OpenCV's border.

        Shrinking happens by area, at a whole multiple, or fine lines of a face would flicker.
        """
        multiple = self._multiple(1.0)
        view = self._turned(image, border, multiple)
        if multiple > 1:
            view = np.asarray(
                cv2.resize(view, self.size_px, interpolation=cv2.INTER_AREA), np.uint8
            )
        return view

    def coarsely(self, image: Image, fineness: float) -> Image:
        """Return the view at less cost and, from 0 to 1, at less `fineness` than `of` would.

        The picture is shrunk before it is turned, so that fewer pixels are.
        """
        multiple = self._multiple(fineness)
        if multiple == 1:
            return self._turned(image)
        part, view = self.part(image)
        height, width = (-(-side // multiple) for side in part.shape[:2])
        beyond = (multiple * height - part.shape[0], multiple * width - part.shape[1])
        if any(beyond):
            rim = (0, beyond[0], 0, beyond[1], cv2.BORDER_REPLICATE)
            part = np.asarray(cv2.copyMakeBorder(part, *rim), np.uint8)
        small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        centre = (view.centre - (1 + 1j) * (multiple - 1) / 2) / multiple
        return replace(self, centre=centre, scale=self.scale * multiple)._turned(
            np.asarray(small, np.uint8)
        )

    def part(self, image: Image) -> "tuple[Image, View]":
        """Return what of a picture the view shows and a little more, and the same view of that."""
        reach = abs(complex(*self.size_px)) / 2 / self.scale + 2
        height, width = image.shape[:2]
        left, right = (_within(self.centre.real + side, width) for side in (-reach, reach))
        top, bottom = (_within(self.centre.imag + side, height) for side in (-reach, reach))
        cut = image[top : bottom + 1, left : right + 1]
        return cut, replace(self, centre=self.centre - complex(left, top))

    def _multiple(self, fineness: float) -> int:
        return min(_MAX_MULTIPLE, max(1, round(fineness / self.scale)))

    def _turned(self, image: Image, border: int = cv2.BORDER_REPLICATE, multiple: int = 1) -> Image:
        """Return the view, so many times as large as it should be, without shrinking by area."""
        width, height = (side * multiple for side in self.size_px)
        turn = cmath.rect(self.scale * multiple, -math.radians(self.roll_deg))
        placed = placement(turn, complex(width - 1, height - 1) / 2 - turn * self.centre)
        return np.asarray(
            cv2.warpAffine(image, placed, (width, height), borderMode=border), np.uint8
        )

    def back(self, point: complex) -> complex:
        """Return where a point of the view lies in the picture."""
        middle = complex(self.size_px[0] - 1, self.size_px[1] - 1) / 2
        return self.centre + (point - middle) * cmath.rect(
            1 / self.scale, math.radians(self.roll_deg)
        )


def _within(place: float, pixels: int) -> int:
    return min(pixels - 1, max(0, round(place)))


def placement(turn: complex, shift: complex) -> NDArray[np.float64]:
    """Return, as OpenCV takes it, float64 [2, 3], what puts a point p at turn * p + shift."""
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def square(centre: complex, side_px: float, roll_deg: float, size_px: int) -> View:
    """Return the view of a square of the picture, `size_px` wide and high."""
    return View(centre, size_px / side_px, roll_deg, (size_px, size_px))


def whole(image: Image, roll_deg: float, pixels: int) -> tuple[Image, View]:
    """Return a whole picture in at most so many pixels, turned, and what kind of view that is."""
    height, width = image.shape[:2]
    across, along = (abs(f(math.radians(roll_deg))) for f in (math.cos, math.sin))
    turned = width * across + height * along, width * along + height * across
    scale = min(1.0, math.sqrt(pixels / (turned[0] * turned[1])))
    small = shrunk(image, scale)
    size = max(1, round(turned[0] * scale)), max(1, round(turned[1] * scale))
    view = View(complex(width - 1, height - 1) / 2, scale, roll_deg, size)
    if not roll_deg:
        return small, view
    middle = complex(small.shape[1] - 1, small.shape[0] - 1) / 2
    return View(middle, 1.0, roll_deg, size).of(small, cv2.BORDER_CONSTANT), view


def shrunk(image: Image, scale: float) -> Image:
    """Return a picture at a scale of at most 1."""
    if scale == 1:
        return image
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # By area where pixels would be left out otherwise; it costs five times as much.
    way = cv2.INTER_AREA if 2 * scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)
