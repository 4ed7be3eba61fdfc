"""A face as a drawing that is everybody's: where it is, how it is turned, what it expresses.

It is made of recorded numbers alone, and of no point of a picture, so that it is the same whoever's
face that was. Of the box only place and width count: how long a face is, is its owner's.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import EXPRESSIONS, Expression, FloatArray

Image = NDArray[np.uint8]

FIELD: Final = (58, 52, 48)  # in place of the picture
_SKIN: Final = (86, 78, 72)
_LINE: Final = (214, 206, 198)
_HALF_LENGTH: Final = 1.32  # of every face, in half widths
_FINE: Final = 4  # bits of a pixel's fraction
_STEPS: Final = np.linspace(-1, 1, 17)


@dataclass(frozen=True)
class Drawn:
    """A face to be drawn.

    Attributes
    ----------
    centre, half_width
        In pixels of the drawing.
    roll_deg, yaw_deg
        As `core.events.Face` has them; 0 where they are not known.
    expressions
        float64 [7], probabilities; None where nothing is said.
    """

    centre: tuple[float, float]
    half_width: float
    roll_deg: float
    yaw_deg: float
    expressions: FloatArray | None


def draw(picture: Image, face: Drawn) -> None:
    """Draw a face into uint8 [H, W, 3]."""
    half = face.half_width
    _line(picture, face, _ellipse(half, half * _HALF_LENGTH, 60), filled=True)
    if face.expressions is None:
        return
    said = dict(zip(EXPRESSIONS, face.expressions.tolist(), strict=True))
    aside = 0.3 * np.sin(np.deg2rad(face.yaw_deg)) * half
    for side in (-1, 1):
        eye = np.array([side * 0.4, -0.25]) * half
        _line(picture, face, _ellipse(0.11, 0.09) * half + eye + (aside, 0), closed=True)
        _line(picture, face, _brow(side, said) * half + (aside, 0))
    for lip in _mouth(said):
        _line(picture, face, lip * half + (aside, 0))


def _ellipse(width: float, height: float, corners: int = 24) -> FloatArray:
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.column_stack([width * np.cos(turns), height * np.sin(turns)])


def _brow(side: int, said: dict[Expression, float]) -> FloatArray:
    """Return a brow: raised by surprise and fear, its inner end down by anger, up by sadness."""
    raised = said[Expression.SURPRISE] + 0.7 * said[Expression.FEAR]
    down = said[Expression.ANGRY] + 0.7 * said[Expression.DISGUST]
    up = said[Expression.SAD] + 0.7 * said[Expression.FEAR]
    slant = 0.16 * (down - up)
    x = 0.4 + 0.22 * _STEPS
    y = -0.52 - 0.14 * raised - slant * _STEPS - 0.05 * (1 - _STEPS**2)
    return np.column_stack([side * x, y])


def _mouth(said: dict[Expression, float]) -> list[FloatArray]:
    """Return both lips: corners up by happiness, down by displeasure, apart by surprise."""
    displeased = (Expression.SAD, Expression.ANGRY, Expression.DISGUST)
    up = said[Expression.HAPPY] - sum(said[each] for each in displeased)
    apart = said[Expression.SURPRISE] + 0.6 * said[Expression.FEAR] + 0.4 * said[Expression.HAPPY]
    width = 0.38 + 0.08 * said[Expression.HAPPY] - 0.14 * said[Expression.SURPRISE]
    bow = 0.6 + 0.22 * up * (1 - _STEPS**2) - 0.11 * up
    open_ = 0.17 * apart * (1 - _STEPS**2)
    return [np.column_stack([width * _STEPS, bow + sign * open_]) for sign in (-0.6, 1.0)]


def _line(
    picture: Image, face: Drawn, points: FloatArray, *, closed: bool = False, filled: bool = False
) -> None:
    """Draw points that are relative to the face's centre, turned as the face is."""
    turn = np.deg2rad(face.roll_deg)
    turned = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    placed = np.round((turned + face.centre) * (1 << _FINE)).astype(np.int32)
    if filled:
        cv2.fillPoly(picture, [placed], _SKIN, cv2.LINE_AA, _FINE)
    thick = max(1, round(face.half_width / 30))
    cv2.polylines(picture, [placed], closed or filled, _LINE, thick, cv2.LINE_AA, _FINE)
