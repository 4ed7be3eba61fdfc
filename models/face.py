"""What the face in a picture expresses: a detector, a crop, and a network that reads it."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from core.events import Expressions
from models.manifest import model, onnx_session, verified_bytes

Image: TypeAlias = NDArray[np.uint8]

FACE_PX: Final = 48


@dataclass(frozen=True)
class FaceReading:
    """What one picture says; without `expressions`, no face was found in it.

    Attributes
    ----------
    expressions
        A distribution in the order of `core.emotions.EXPRESSIONS`, rounded to six decimals, so
        that the last bits in which processors differ do not show.
    box_px
        Left, top, width and height of the face that was read.
    faces
        How many were found.
    score
        The detector's, where it gives one.
    sharpness
        Variance of the Laplacian of the 48 x 48 face.
    brightness
        Mean grey level of the face, 0 to 1.
    """

    expressions: Expressions | None = None
    box_px: tuple[int, int, int, int] | None = None
    faces: int = 0
    score: float | None = None
    sharpness: float | None = None
    brightness: float | None = None


@dataclass(frozen=True)
class Detection:
    """A face in a picture."""

    box_px: tuple[int, int, int, int]  # left, top, width, height
    score: float | None = None

    @property
    def area(self) -> int:
        """Of the box, in square pixels."""
        return self.box_px[2] * self.box_px[3]


class Detector(Protocol):
    """Finds faces in a picture."""

    def faces(self, image_bgr: Image) -> list[Detection]:
        """Return the faces in uint8 [H, W, 3], in no particular order."""
        ...


class HaarDetector:
    """OpenCV's cascade of Haar-like features for frontal faces.

    Source: Viola and Jones (2001); the cascade is Lienhart's `frontalface_alt2` (2002).
    """

    # A picture is first shrunk to this many pixels: 640 x 480 to 240 x 180, a seventh of the time.
    SEARCHED_PX: Final = 240 * 180
    SMALLEST_PX: Final = 40

    def __init__(self, name: str = "face_haar") -> None:
        self._cascade = cv2.CascadeClassifier()
        # From memory: what is loaded is what was verified.
        text = verified_bytes(name).decode("ascii")
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        self._cascade.read(storage.getFirstTopLevelNode())

    def faces(self, image_bgr: Image) -> list[Detection]:
        """Return the faces in uint8 [H, W, 3]."""
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
        height, width = grey.shape
        scale = min(1.0, math.sqrt(self.SEARCHED_PX / (width * height)))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        found = self._cascade.detectMultiScale(
            cv2.resize(grey, size, interpolation=cv2.INTER_AREA),
            scaleFactor=1.2,
            minNeighbors=4,
            minSize=(self.SMALLEST_PX, self.SMALLEST_PX),
        )
        return [Detection(_within(np.asarray(box) / scale, width, height)) for box in found]


def _within(box: NDArray[np.float64], width: int, height: int) -> tuple[int, int, int, int]:
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    right, bottom = min(width, round(box[0] + box[2])), min(height, round(box[1] + box[3]))
    return left, top, right - left, bottom - top


class ExpressionNetwork:
    """A network that reads the expression of cropped faces.

    Parameters
    ----------
    name
        Of the model in the manifest.
    """

    def __init__(self, name: str) -> None:
        self._session = onnx_session(name)

    def __call__(self, faces: Image) -> NDArray[np.float64]:
        """Return the distributions, float64 [N, 7], of grey faces, uint8 [N, 48, 48]."""
        grey = np.asarray(faces, np.float32)[:, np.newaxis]
        (expressions,) = self._session.run(["expressions"], {"faces": grey})
        return np.asarray(np.round(expressions.astype(np.float64), 6), np.float64)


class FaceReader:
    """Reads faces: the same picture and the same model files always give the same reading.

    Parameters
    ----------
    network
        The expression model's name in the manifest.
    detector
        The detector's.

    Raises
    ------
    AffettiError
        A model is unknown, missing, or not the file that the manifest pins.
    """

    def __init__(self, network: str = "face_expression", detector: str = "face_haar") -> None:
        # Threads cost more than they save on pictures this small, and crowd out the capture.
        cv2.setNumThreads(1)
        self._names = (network, detector)
        self._detector: Detector = DETECTORS[detector](detector)
        self._network = ExpressionNetwork(network)

    @cached_property
    def sha256(self) -> dict[str, str]:
        """SHA-256 of every model file that takes part, by name."""
        return {name: model(name).sha256 for name in self._names}

    def read(self, image_bgr: Image) -> FaceReading:
        """Read the largest face in a picture, uint8 [H, W, 3]."""
        found = self._detector.faces(image_bgr)
        if not found:
            return FaceReading()
        # Of equals the leftmost: the detector's order is not to be relied upon.
        face = max(found, key=lambda detection: (detection.area, -detection.box_px[0]))
        crop = cropped(image_bgr, face)
        return FaceReading(
            expressions=tuple(self._network(crop[np.newaxis])[0].tolist()),
            box_px=face.box_px,
            faces=len(found),
            score=face.score,
            sharpness=round(float(cv2.Laplacian(crop, cv2.CV_64F).var()), 3),
            brightness=round(float(crop.mean()) / 255, 6),
        )

    def read_crops(self, images: Image) -> NDArray[np.float64]:
        """Return the distributions, float64 [N, 7], of cropped grey faces, uint8 [N, 48, 48]."""
        return self._network(images)


DETECTORS: Final[dict[str, Any]] = {"face_haar": HaarDetector}


def cropped(image_bgr: Image, face: Detection) -> Image:
    """Return a face as the network expects it: grey, uint8 [48, 48]."""
    left, top, width, height = face.box_px
    grey = cv2.cvtColor(image_bgr[top : top + height, left : left + width], cv2.COLOR_BGR2GRAY)
    shrinks = min(width, height) > FACE_PX
    resampling = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (FACE_PX, FACE_PX), interpolation=resampling), np.uint8)
