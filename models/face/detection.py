"""Where the faces in a picture are: two detectors, and what they say of a face."""

import cmath
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.errors import ModelError
from affetti.models.manifest import ModelFile, onnx_session, verified_bytes

Image: TypeAlias = NDArray[np.uint8]

CLEAR_SCORE: Final = 0.7  # a detection below this is only believed where a face was before


@dataclass(frozen=True)
class Landmarks:
    """Five points of a face, in pixels of the picture as complex numbers: x + yj.

    Left and right are the picture's, not the person's.
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
    landmarks
        Where the detector finds them.
    square
        How the networks want it framed, where the detector says so.
    """

    box_px: tuple[int, int, int, int]
    score: float | None = None
    landmarks: Landmarks | None = None
    square: "Square | None" = None

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


class Detector(Protocol):
    """Finds faces in a picture."""

    def faces(self, image_bgr: Image) -> list[Detection]:
        """Return the faces in uint8 [H, W, 3], in no particular order."""
        ...


class YuNetDetector:
    """A small network that finds faces, turned ones too, with five landmarks.

    Source: Wu, Peng and Yu, "YuNet: a tiny millisecond-level face detector" (2023).
    """

    SEARCHED_PX: Final = 320 * 240
    FAINTEST_SCORE: Final = 0.3
    _STRIDES: Final = (8, 16, 32)  # of its three grids, in pixels
    _OVERLAP: Final = 0.3
    _MAX_CANDIDATES: Final = 50

    def __init__(self, source: str | ModelFile = "face_yunet") -> None:
        self._session = onnx_session(source)
        self._outputs = [f"{part}_{s}" for s in self._STRIDES for part in _PARTS]

    def faces(self, image_bgr: Image) -> list[Detection]:
        """Return the faces in uint8 [H, W, 3]."""
        small, scale = _shrunk(image_bgr, self.SEARCHED_PX)
        height, width = image_bgr.shape[:2]
        found = [_detection(row, scale, width, height) for row in self.search(small)]
        return [face for face in found if face.area]

    def search(self, image_bgr: Image) -> NDArray[np.float64]:
        """Return the faces in uint8 [H, W, 3] as it is, not shrunk: float64 [n, 15].

        In pixels: left, top, width and height, then x and y of the eyes, the tip of the nose
        and the corners of the mouth, those on the left of the picture first; last, the score.
        """
        height, width = image_bgr.shape[:2]
        below, beside = -height % self._STRIDES[-1], -width % self._STRIDES[-1]
        whole = cv2.copyMakeBorder(image_bgr, 0, below, 0, beside, cv2.BORDER_CONSTANT)
        answers = self._session.run(self._outputs, {"input": cv2.dnn.blobFromImage(whole)})
        size = whole.shape[1]
        grids = [
            _rows(answers[4 * i : 4 * i + 4], stride, size // stride, self.FAINTEST_SCORE)
            for i, stride in enumerate(self._STRIDES)
        ]
        return self._distinct(np.concatenate(grids))

    def _distinct(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Leave out what overlaps a better one; compared in whole pixels, as OpenCV does."""
        boxes, scores = np.trunc(rows[:, :4]), rows[:, 14]
        kept = cv2.dnn.NMSBoxes(
            boxes.astype(int).tolist(),
            scores.tolist(),
            self.FAINTEST_SCORE,
            self._OVERLAP,
            top_k=self._MAX_CANDIDATES,
        )
        best: NDArray[np.float64] = rows[np.asarray(kept, int).reshape(-1)]
        return best


_PARTS: Final = ("cls", "obj", "bbox", "kps")  # what each grid says of its cells


def _rows(
    answers: Sequence[NDArray[np.float32]], stride: int, across: int, faintest: float
) -> NDArray[np.float64]:
    """Return what the cells of one grid found, as `YuNetDetector.search` does."""
    face, there, boxes, points = (answer[0] for answer in answers)
    scores = np.sqrt(np.clip(face[:, 0], 0, 1) * np.clip(there[:, 0], 0, 1))
    (cells,) = np.nonzero(scores >= faintest)
    corners = np.stack([cells % across, cells // across], axis=1).astype(np.float64)
    box = boxes[cells].astype(np.float64)
    size = np.exp(box[:, 2:]) * stride
    centre = (corners + box[:, :2]) * stride
    marks = (points[cells].astype(np.float64) + np.tile(corners, 5)) * stride
    return np.hstack([centre - size / 2, size, marks, scores[cells, np.newaxis]])


def _detection(row: NDArray[np.float64], scale: float, width: int, height: int) -> Detection:
    # Hundredths of a pixel are finer than the detector, and coarser than a processor's last bits.
    box = np.round(row[:4] / scale, 2)
    landmarks = Landmarks(*(complex(x, y) for x, y in np.round(row[4:14].reshape(5, 2) / scale, 2)))
    square = Square(_centre(box), _MARGIN * float(box[2] + box[3]) / 2, landmarks.roll_deg)
    return Detection(_within(box, width, height), round(float(row[14]), 4), landmarks, square)


# YuNet's boxes are tighter than FER2013's pictures of faces: chosen on its public set.
_MARGIN: Final = 1.2


def _centre(box: NDArray[np.float64]) -> complex:
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

    def faces(self, image_bgr: Image) -> list[Detection]:
        """Return the faces in uint8 [H, W, 3]."""
        small, scale = _shrunk(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), self.SEARCHED_PX)
        height, width = image_bgr.shape[:2]
        found = self._cascade.detectMultiScale(
            small,
            scaleFactor=1.2,
            minNeighbors=4,
            minSize=(self.MIN_PX, self.MIN_PX),
        )
        boxes = [np.asarray(box, np.float64) / scale for box in found]
        # Such a cascade framed FER2013's faces: its boxes are squares of the right size.
        return [
            Detection(_within(box, width, height), square=Square(_centre(box), float(box[2])))
            for box in boxes
        ]


def _shrunk(image: Image, pixels: int) -> tuple[Image, float]:
    """Return a picture of at most so many pixels, and its scale: searching costs by the pixel."""
    height, width = image.shape[:2]
    scale = min(1.0, math.sqrt(pixels / (width * height)))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _within(box: NDArray[np.float64], width: int, height: int) -> tuple[int, int, int, int]:
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
