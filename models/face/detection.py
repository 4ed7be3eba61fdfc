"""Where the faces in a picture are: two detectors, and what they say of a face."""

import cmath
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import FloatArray
from affetti.core.errors import ModelError
from affetti.models.face.views import Image, View, square, whole
from affetti.models.manifest import ModelFile, onnx_session, verified_bytes

# A detection below this is only believed where a face was before. Of faces looked at again, upright
# and enlarged, hardly one scores less, and most animals do.
CLEAR_SCORE: Final = 0.87


@dataclass(frozen=True)
class Landmarks:
    """Five points of a face, in pixels of the picture as complex numbers: x + yj.

    Left and right are those of a picture in which the head is upright, not the person's.
    """

    left_eye: complex
    right_eye: complex
    nose: complex
    left_mouth: complex
    right_mouth: complex

    @property
    def roll_deg(self) -> float:
        """Tilt in the picture plane, positive clockwise, -180 to 180: the line of the eyes."""
        return math.degrees(cmath.phase(self.right_eye - self.left_eye))

    @property
    def yaw_deg(self) -> float:
        """Turn of the head, positive towards the picture's right, -90 to 90; an approximation.

        A nose that stands out by d over eyes that lie 1 apart is seen d tan(yaw) from the middle
        of the turned eyes, in units of their apparent distance.
        """
        across = self.right_eye - self.left_eye
        if not across:
            return 0.0
        middle = (self.left_eye + self.right_eye + self.left_mouth + self.right_mouth) / 4
        aside = ((self.nose - middle) / across).real
        return math.degrees(math.atan(aside / _NOSE_STANDS_OUT))


# In distances between the eyes; about 38 of 63 mm in adults.
_NOSE_STANDS_OUT: Final = 0.6


@dataclass(frozen=True)
class Detection:
    """A face in a picture.

    Attributes
    ----------
    box_px
        Left, top, width and height, inside the picture.
    score
        The detector's, 0 to 1.
    roll_deg
        Tilt of the head in the picture plane, positive clockwise, -180 to 180.
    landmarks
        Where the detector finds them.
    square
        How the networks want it framed, where the detector says so.
    """

    box_px: tuple[int, int, int, int]
    score: float | None = None
    roll_deg: float = 0.0
    landmarks: Landmarks | None = None
    square: "Square | None" = None

    def tilted(self, roll_deg: float) -> "Detection":
        """Return the same face tilted by so much, clockwise."""
        roll_deg = signed_deg(roll_deg)
        square = self.square and replace(self.square, roll_deg=roll_deg)
        return replace(self, roll_deg=roll_deg, square=square)

    @property
    def area(self) -> int:
        """Of the box, in square pixels."""
        return self.box_px[2] * self.box_px[3]

    @property
    def centre(self) -> complex:
        """Of the box, in pixels: x + yj."""
        left, top, width, height = self.box_px
        return complex(left + width / 2, top + height / 2)

    @property
    def side_px(self) -> float:
        """Of the box, the mean of both: it stays when the head is tilted."""
        return (self.box_px[2] + self.box_px[3]) / 2

    @property
    def is_clear(self) -> bool:
        """Whether it is a face for certain; a faint one only tells where a known face went."""
        return self.score is None or self.score >= CLEAR_SCORE


@dataclass(frozen=True)
class Square:
    """A square around a face, framed as FER2013 frames its faces; it may leave the picture."""

    centre: complex  # in pixels of the picture, x + yj
    side_px: float
    roll_deg: float = 0.0  # how far it is turned, clockwise


# Picks one of the faces in a picture, or none.
Choose: TypeAlias = Callable[[Sequence[Detection]], Detection | None]


def largest(faces: Sequence[Detection]) -> Detection | None:
    """Return the largest face, of equals the leftmost: a detector's order means nothing."""
    return max(faces, key=lambda face: (face.area, -face.box_px[0]), default=None)


def overlap(face: Detection, other: Detection) -> float:
    """Return which share of the area of both boxes together both cover."""
    (left, top, width, height), (left2, top2, width2, height2) = face.box_px, other.box_px
    across = min(left + width, left2 + width2) - max(left, left2)
    along = min(top + height, top2 + height2) - max(top, top2)
    both = max(0, across) * max(0, along)
    return both / max(1, face.area + other.area - both)


def distinct(faces: Iterable[Detection]) -> list[Detection]:
    """Return the faces without those that overlap one of a better score."""
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda face: (-(face.score or 0), face.box_px)):
        if all(overlap(face, better) < MAX_OVERLAP for better in kept):
            kept.append(face)
    return kept


MAX_OVERLAP: Final = 0.3


@dataclass(frozen=True)
class Look:
    """Where to look for faces: near those seen a moment ago, everywhere, or both.

    Attributes
    ----------
    near
        Faces seen a moment ago; each is looked for near its place, turned as it was.
    everywhere
        Whether the whole picture is searched. It is in any case where a face of `near` is gone.
    rolls_deg
        The tilts of heads that the whole picture is searched for: one after the other, until
        there is a face.
    """

    near: tuple[Detection, ...] = ()
    everywhere: bool = True
    rolls_deg: tuple[float, ...] = (0.0,)


ANY_ROLL: Final = Look(rolls_deg=(0.0, 90.0, 270.0, 45.0, 315.0, 180.0, 135.0, 225.0))


class Detector(Protocol):
    """Finds faces in a picture."""

    def faces(self, image_bgr: Image, look: Look = ANY_ROLL) -> list[Detection]:
        """Return the faces in uint8 [H, W, 3], in no particular order."""
        ...


class YuNetDetector:
    """A small network that finds faces, with five landmarks.

    It finds heads that are tilted by up to 45 degrees, and takes some that are upside down for
    upright; of small faces its points hardly turn with the head. So each face that it finds is
    looked at again, enlarged, in four turns: the one in which it looks most like a face is about
    upright, and what tilt the points still tell is taken out until little is left.

    Source: Wu, Peng and Yu, "YuNet: a tiny millisecond-level face detector" (2023).
    """

    SEARCHED_PX: Final = 640 * 480
    BESIDE_PX: Final = 320 * 240  # searched for others, beside faces that are seen
    FAINTEST_SCORE: Final = 0.3
    _STRIDES: Final = (8, 16, 32)  # of its three grids, in pixels
    _OVERLAP: Final = 0.3
    _MAX_CANDIDATES: Final = 50

    def __init__(self, source: str | ModelFile = "face_yunet") -> None:
        self._session = onnx_session(source)
        self._outputs = [f"{part}_{s}" for s in self._STRIDES for part in _PARTS]

    def faces(self, image_bgr: Image, look: Look = ANY_ROLL) -> list[Detection]:
        """Return the faces in uint8 [H, W, 3]."""
        close = _FINE if look.everywhere else _FOLLOWED
        near = (self._closer(image_bgr, face, face.roll_deg, close) for face in look.near)
        found = distinct(face for face in near if face is not None)
        if look.everywhere or len(found) < len(look.near):
            # Where one is found, those who join them are near enough to be as large.
            pixels = self.BESIDE_PX if found else self.SEARCHED_PX
            # What one turn takes for a faint face may be, in another, the face that lies there.
            known = tuple(found)
            for roll_deg in look.rolls_deg:
                fresh = self._everywhere(image_bgr, roll_deg, pixels, known)
                found = distinct([*found, *fresh])
                if any(face.is_clear for face in found):
                    break
        return found

    def _everywhere(
        self, image_bgr: Image, roll_deg: float, pixels: int, known: Sequence[Detection]
    ) -> list[Detection]:
        """Search the whole picture for faces that are not known yet, and look at them again."""
        picture, view = whole(image_bgr, roll_deg, pixels)
        found = [_detection(row, view, image_bgr) for row in self.search(_lit(picture)).tolist()]
        fresh = [face for face in found if face.area and not _among(face, known)]
        fresh.sort(key=lambda face: (-face.area, face.box_px))
        # In a crowd only the larger ones: it takes five milliseconds a face.
        again = [self._upright(image_bgr, face) for face in fresh[:_MAX_AGAIN]]
        return [*again, *fresh[_MAX_AGAIN:]]

    def _upright(self, image_bgr: Image, face: Detection) -> Detection:
        """Return a face as it looks enlarged and upright; as it was where it is none then."""
        if (face.score or 0) < _MIN_SCORE_AGAIN:
            return face
        turns = (face.roll_deg + quarter for quarter in (0, 90, 180, 270))
        views = (self._closer(image_bgr, face, turn, _COARSE) for turn in turns)
        best = max((v for v in views if v is not None), key=lambda v: v.score or 0, default=face)
        for _ in range(_MAX_TURNS):
            closer = self._closer(image_bgr, best, best.roll_deg, _FINE)
            if closer is None:
                break
            left_deg = abs(signed_deg(closer.roll_deg - best.roll_deg))
            best = closer
            if left_deg < _STEADY_DEG:
                break
        return best

    def _closer(
        self, image_bgr: Image, face: Detection, roll_deg: float, close: "_Closeness"
    ) -> Detection | None:
        """Return what is found at the place of a face, enlarged and turned upright, or None."""
        side_px = face.side_px * close.size_px / close.face_px
        view = square(face.centre, side_px, roll_deg, close.size_px)
        picture = _lit(view.coarsely(image_bgr, _FINENESS))
        found = [_detection(row, view, image_bgr) for row in self.search(picture).tolist()]
        there = [each for each in found if _is_there(each, face)]
        best = max(there, key=lambda each: (each.score, each.box_px), default=None)
        return best and best.tilted(roll_deg + close.gain * signed_deg(best.roll_deg - roll_deg))

    def search(self, image_bgr: Image) -> NDArray[np.float64]:
        """Return the faces in uint8 [H, W, 3] as it is, not shrunk: float64 [n, 15].

        In pixels: left, top, width and height, then x and y of the eyes, the tip of the nose
        and the corners of the mouth, those on the left of the picture first; last, the score.
        """
        height, width = image_bgr.shape[:2]
        below, beside = -height % self._STRIDES[-1], -width % self._STRIDES[-1]
        padded = image_bgr
        if below or beside:
            border = cv2.BORDER_CONSTANT
            padded = np.asarray(cv2.copyMakeBorder(image_bgr, 0, below, 0, beside, border))
        answers = self._session.run(self._outputs, {"input": _planes(padded)})
        cells = _cells(padded.shape[1], padded.shape[0], self._STRIDES)
        return self._distinct(_rows(answers, cells, self.FAINTEST_SCORE))

    def _distinct(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Leave out what overlaps a better one; compared in whole pixels, as OpenCV does."""
        kept = cv2.dnn.NMSBoxes(
            rows[:, :4].astype(int).tolist(),
            rows[:, 14].tolist(),
            self.FAINTEST_SCORE,
            self._OVERLAP,
            top_k=self._MAX_CANDIDATES,
        )
        best: NDArray[np.float64] = rows[np.asarray(kept, int).reshape(-1)]
        return best


@dataclass(frozen=True)
class _Closeness:
    """How closely a face is looked at: in a square of so many pixels, it about so large."""

    size_px: int
    face_px: int
    gain: float  # how much of a tilt there is for each degree that the points show


_COARSE: Final = _Closeness(160, 80, 1.0)  # tells up from down, at least cost
# Places a face as well as a larger look; one that moves by half of itself is searched for anew.
_FOLLOWED: Final = _Closeness(96, 56, 1.0)
_FINE: Final = _Closeness(224, 130, 1.4)  # only of a face this large do the points turn, by 0.7
_FINENESS: Final = 0.4  # of what the detector gets
_MAX_TURNS: Final = 5
_STEADY_DEG: Final = 3.0
_MAX_AGAIN: Final = 6
_MIN_SCORE_AGAIN: Final = 0.5


def _lit(image: Image) -> Image:
    """Return a dark picture brighter: the network was shown few faces in the dark."""
    mean = float(image[::_LIT_STEP, ::_LIT_STEP].mean())
    if mean >= _DARK:
        return image
    gain = min(_MAX_GAIN, _LIT / max(mean, 1.0))
    return np.asarray(cv2.convertScaleAbs(image, alpha=gain), np.uint8)


_LIT_STEP: Final = 8
_DARK: Final = 32.0  # mean grey levels, 0 to 255
_LIT: Final = 96.0
_MAX_GAIN: Final = 16.0


def signed_deg(angle_deg: float) -> float:
    """Return the same angle, from -180 to 180 degrees."""
    return (angle_deg + 180) % 360 - 180


def _among(face: Detection, known: Iterable[Detection]) -> bool:
    return any(overlap(face, each) >= MAX_OVERLAP for each in known)


def _is_there(face: Detection, expected: Detection) -> bool:
    """Whether a face is about where one is expected, and about as large."""
    near = abs(face.centre - expected.centre) <= expected.side_px / 2
    return near and expected.side_px / 2 < face.side_px < 2 * expected.side_px


_PARTS: Final = ("cls", "obj", "bbox", "kps")  # what each grid says of its cells


def _planes(image_bgr: Image) -> NDArray[np.float32]:
    return np.asarray(cv2.split(image_bgr), np.float32)[np.newaxis]


@cache
def _cells(width: int, height: int, strides: Sequence[int]) -> FloatArray:
    """Return column, row and stride of each cell of the grids over a picture: float64 [n, 3]."""
    grids = [
        [
            (column, row, stride)
            for row in range(height // stride)
            for column in range(width // stride)
        ]
        for stride in strides
    ]
    return np.array([cell for grid in grids for cell in grid], np.float64)


def _rows(
    answers: Sequence[NDArray[np.float32]], cells: FloatArray, faintest: float
) -> NDArray[np.float64]:
    """Return what the cells of all grids found, as `YuNetDetector.search` does.

    Parameters
    ----------
    answers
        What the network says of each cell of a grid, `_PARTS` in turn, grid after grid.
    cells
        As `_cells` returns them.
    """
    face, there, boxes, points = (
        np.concatenate(answers[part :: len(_PARTS)], axis=1)[0] for part in range(len(_PARTS))
    )
    scores = np.sqrt(face[:, 0] * there[:, 0])  # of two numbers from 0 to 1
    (found,) = np.nonzero(scores >= faintest)
    corners, strides = cells[found, :2], cells[found, 2:]
    box = boxes[found].astype(np.float64)
    rows = np.empty((len(found), 15))
    size = rows[:, 2:4] = np.exp(box[:, 2:]) * strides
    rows[:, :2] = (corners + box[:, :2]) * strides - size / 2
    marks = points[found].reshape(-1, 5, 2) + corners[:, np.newaxis]
    rows[:, 4:14] = marks.reshape(-1, 10) * strides
    rows[:, 14] = scores[found]
    return rows


def _detection(row: Sequence[float], view: View, image: Image) -> Detection:
    """Return a face that was found in a view, in pixels of the picture."""
    height, width = image.shape[:2]
    # Hundredths of a pixel are finer than the detector, and coarser than a processor's last bits.
    across, along = (_rounded(side / view.scale) for side in row[2:4])
    centre = _hundredths(view.back(_centre(row)))
    marks = (complex(*row[at : at + 2]) for at in range(4, 14, 2))
    landmarks = Landmarks(*(_hundredths(view.back(mark)) for mark in marks))
    # The sides of an upright box that is turned with the head go over into each other.
    share = math.cos(math.radians(view.roll_deg)) ** 2
    sides = [
        _rounded(share * side + (1 - share) * other)
        for side, other in ((across, along), (along, across))
    ]
    corner = centre - complex(sides[0] - 1, sides[1] - 1) / 2
    roll_deg = landmarks.roll_deg
    return Detection(
        _within((corner.real, corner.imag, *sides), width, height),
        round(row[14], 4),
        roll_deg,
        landmarks,
        Square(centre, _MARGIN * ((across + along) / 2), roll_deg),
    )


def _rounded(number: float) -> float:
    """Return a number to hundredths, as NumPy rounds: the nearest of their whole multiples."""
    return round(number * 100) / 100


def _hundredths(point: complex) -> complex:
    return complex(round(point.real, 2), round(point.imag, 2))


# YuNet's boxes are tighter than FER2013's pictures of faces: chosen on its public set.
_MARGIN: Final = 1.2


def _centre(box: Sequence[float]) -> complex:
    return complex(box[0] + (box[2] - 1) / 2, box[1] + (box[3] - 1) / 2)


class HaarDetector:
    """OpenCV's cascade of Haar-like features for frontal faces.

    Source: Viola and Jones (2001); the cascade is Lienhart's `frontalface_alt2` (2002).
    """

    SEARCHED_PX: Final = 240 * 180
    MIN_PX: Final = 40

    def __init__(self, source: str | ModelFile = "face_haar") -> None:
        self._cascade = cv2.CascadeClassifier()
        # From memory: what is loaded is what was verified.
        text = verified_bytes(source).decode("ascii")
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        self._cascade.read(storage.getFirstTopLevelNode())

    def faces(self, image_bgr: Image, look: Look = ANY_ROLL) -> list[Detection]:
        """Return the faces in uint8 [H, W, 3], wherever one is to look."""
        small, scale = _shrunk(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), self.SEARCHED_PX)
        height, width = image_bgr.shape[:2]
        found = self._cascade.detectMultiScale(
            small,
            scaleFactor=1.2,
            minNeighbors=4,
            minSize=(self.MIN_PX, self.MIN_PX),
        )
        boxes = [(np.asarray(box, np.float64) / scale).tolist() for box in found]
        # Such a cascade framed FER2013's faces: its boxes are squares of the right size.
        return [
            Detection(_within(box, width, height), square=Square(_centre(box), box[2]))
            for box in boxes
        ]


def _shrunk(image: Image, pixels: int) -> tuple[Image, float]:
    """Return a picture of at most so many pixels, and its scale: searching costs by the pixel."""
    height, width = image.shape[:2]
    scale = min(1.0, math.sqrt(pixels / (width * height)))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _within(box: Sequence[float], width: int, height: int) -> tuple[int, int, int, int]:
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    right, bottom = min(width, round(box[0] + box[2])), min(height, round(box[1] + box[3]))
    return left, top, max(0, right - left), max(0, bottom - top)


DETECTORS: Final[dict[str, Any]] = {"face_yunet": YuNetDetector, "face_haar": HaarDetector}


def detector_of(found: ModelFile) -> Detector:
    """Return a detector of the zoo, or one of another name whose parameters say what it is."""
    kind = found.parameters.get("detector", found.name)
    if kind not in DETECTORS:
        known = ", ".join(DETECTORS)
        raise ModelError("detection.no_detector_faces", found=found.name, known=known)
    detector: Detector = DETECTORS[kind](found)
    return detector
