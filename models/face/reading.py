"""What the face in a picture expresses: a detector, a crop, and a network that reads it."""

import cmath
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.errors import ModelError
from affetti.core.events import Expressions
from affetti.models.manifest import ModelFile, Models, model, onnx_session, verified_bytes

Image: TypeAlias = NDArray[np.uint8]

FACE_PX: Final = 48
_CROP: Final = (FACE_PX, FACE_PX)
CLEAR_SCORE: Final = 0.7  # a detection below this is only believed where a face was before
# Beyond these at most about two in three faces are read right (see the card): no estimate.
MIN_SHARPNESS: Final = 30.0
MAX_YAW_DEG: Final = 40.0


@dataclass(frozen=True)
class FaceReading:
    """What one picture says; without `expressions`, there is no face in it that can be read.

    A face that is out of focus or turned far away has a box and no expressions.

    Attributes
    ----------
    expressions
        A distribution in the order of `core.emotions.EXPRESSIONS`, rounded to six decimals, so
        that the last bits in which processors differ do not show.
    box_px
        Left, top, width and height of the face that was read.
    faces
        How many were found for certain.
    others
        Those of them that were not read.
    score
        The detector's, 0 to 1, where it gives one.
    sharpness
        Variance of the Laplacian of the 48 x 48 face.
    brightness
        Mean grey level of the face, 0 to 1.
    yaw_deg, roll_deg
        How far the head is turned to a side, and tilted; see `Landmarks`. Only where the
        detector finds landmarks.
    """

    expressions: Expressions | None = None
    box_px: tuple[int, int, int, int] | None = None
    faces: int = 0
    score: float | None = None
    sharpness: float | None = None
    brightness: float | None = None
    yaw_deg: float | None = None
    roll_deg: float | None = None
    others: "tuple[Detection, ...]" = ()


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
    _MIN_SIDE_PX: Final = 64
    _OVERLAP: Final = 0.3
    _MAX_CANDIDATES: Final = 50

    def __init__(self, source: str | ModelFile = "face_yunet") -> None:
        self._network = cv2.FaceDetectorYN.create(
            "onnx",
            np.frombuffer(verified_bytes(source), np.uint8),
            np.empty(0, np.uint8),
            (320, 240),
            self.FAINTEST_SCORE,
            self._OVERLAP,
            self._MAX_CANDIDATES,
        )

    def faces(self, image_bgr: Image) -> list[Detection]:
        """Return the faces in uint8 [H, W, 3]."""
        small, scale = _shrunk(image_bgr, self.SEARCHED_PX)
        height, width = image_bgr.shape[:2]
        # On a strip of up to 32 pixels OpenCV 4.14 finds faces in memory it never wrote.
        below, beside = (max(0, self._MIN_SIDE_PX - side) for side in small.shape[:2])
        small = cv2.copyMakeBorder(small, 0, below, 0, beside, cv2.BORDER_CONSTANT)
        self._network.setInputSize((small.shape[1], small.shape[0]))
        _, rows = self._network.detect(small)
        if rows is None:
            return []
        found = [_detection(row.astype(np.float64), scale, width, height) for row in rows]
        return [face for face in found if face.area]


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


class ExpressionNetwork:
    """A network that reads the expression of cropped faces.

    Parameters
    ----------
    source
        The model, or its name in the manifest.
    """

    def __init__(self, source: str | ModelFile) -> None:
        self._session = onnx_session(source)

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
        The expression model's name.
    detector
        The detector's.
    models
        What the names stand for; by default the models of this version.
    gates
        Whether a face that is out of focus or turned too far away is left unread.

    Raises
    ------
    AffettiError
        A model is unknown, missing, or not the file that the manifest pins.
    """

    def __init__(
        self,
        network: str = "face_expression",
        detector: str = "face_yunet",
        models: Models | None = None,
        *,
        gates: bool = True,
    ) -> None:
        # Threads cost more than they save on pictures this small, and crowd out the capture.
        cv2.setNumThreads(1)
        self._models = [model(name, models) for name in (network, detector)]
        self._gated = gates
        self._detector = _detector_of(self._models[1])
        self._network = ExpressionNetwork(self._models[0])

    @cached_property
    def sha256(self) -> dict[str, str]:
        """SHA-256 of every model file that takes part, by name."""
        return {each.name: each.sha256 for each in self._models}

    @property
    def gates(self) -> dict[str, tuple[float, ...]]:
        """At which values of a reading's fields there is one more reading, or one less."""
        found: dict[str, tuple[float, ...]] = {"score": (YuNetDetector.FAINTEST_SCORE, CLEAR_SCORE)}
        if self._gated:
            found |= {"sharpness": (MIN_SHARPNESS,), "yaw_deg": (-MAX_YAW_DEG, MAX_YAW_DEG)}
        return found

    def read(self, image_bgr: Image, choose: Choose | None = None) -> FaceReading:
        """Read a face in a picture.

        Parameters
        ----------
        image_bgr
            uint8 [H, W, 3].
        choose
            Picks the face from all that were found, faint ones too; by default the largest
            clear one.
        """
        found = self._detector.faces(image_bgr)
        clear = [face for face in found if face.is_clear]
        face = choose(found) if choose is not None else largest(clear)
        if face is None or face.square is None:
            return FaceReading(faces=len(clear), others=tuple(clear))
        crop, marks = cropped(image_bgr, face.square), face.landmarks
        in_focus = sharpness(crop) >= MIN_SHARPNESS
        in_view = marks is None or abs(marks.yaw_deg) <= MAX_YAW_DEG
        is_read = (in_focus and in_view) or not self._gated
        expressions = self._network(crop[np.newaxis])[0] if is_read else None
        return FaceReading(
            expressions=None if expressions is None else tuple(expressions.tolist()),
            box_px=face.box_px,
            faces=len(clear),
            score=face.score,
            sharpness=sharpness(crop),
            brightness=round(float(crop.mean()) / 255, 6),
            yaw_deg=None if marks is None else round(marks.yaw_deg, 1),
            roll_deg=None if marks is None else round(marks.roll_deg, 1),
            others=tuple(other for other in clear if other is not face),
        )

    def read_crops(self, images: Image) -> NDArray[np.float64]:
        """Return the distributions, float64 [N, 7], of cropped grey faces, uint8 [N, 48, 48]."""
        return self._network(images)


DETECTORS: Final[dict[str, Any]] = {"face_yunet": YuNetDetector, "face_haar": HaarDetector}


def _detector_of(found: ModelFile) -> Detector:
    """Return a detector of the zoo, or one of another name whose parameters say what it is."""
    kind = found.parameters.get("detector", found.name)
    if kind not in DETECTORS:
        known = ", ".join(DETECTORS)
        raise ModelError(f"{found.name} is no detector of faces.", f"Known are {known}.")
    detector: Detector = DETECTORS[kind](found)
    return detector


def cropped(image_bgr: Image, square: Square) -> Image:
    """Return a face as the networks expect it: upright, framed, grey, uint8 [48, 48].

    What lies beyond the picture repeats its rim.
    """
    # Shrinking happens by area, at a whole multiple, or fine lines of the face would flicker.
    multiple = max(1, round(square.side_px / FACE_PX))
    side = FACE_PX * multiple
    turn = cmath.rect(side / square.side_px, -math.radians(square.roll_deg))
    shift = complex(side - 1, side - 1) / 2 - turn * square.centre
    placement = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
    large = cv2.warpAffine(grey, placement, (side, side), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(large, _CROP, interpolation=cv2.INTER_AREA), np.uint8)


def sharpness(crop: Image) -> float:
    """Return the variance of the Laplacian of a face, uint8 [48, 48]: 0 for an even grey.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (2000).
    """
    return round(float(cv2.Laplacian(crop, cv2.CV_64F).var()), 3)
