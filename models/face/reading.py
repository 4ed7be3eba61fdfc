"""What the face in a picture expresses: a detector, a crop, and a network that reads it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.codes import Code
from affetti.core.events import Expressions
from affetti.models.face import views
from affetti.models.face.covers import MAX_MOUTH_COVERED, CoverNetwork
from affetti.models.face.detection import (
    ANY_ROLL,
    CLEAR_SCORE,
    Choose,
    Detection,
    Look,
    Square,
    YuNetDetector,
    detector_of,
    largest,
)
from affetti.models.face.quality import Quality, brightness, contrast, gates, sharpness
from affetti.models.face.reference import TRUST, Features
from affetti.models.face.views import Image
from affetti.models.manifest import ModelFile, Models, model, onnx_session

FACE_PX: Final = 48
NEUTRAL: Final = "neutral"  # the input of a network that reads a face against a neutral one


@dataclass(frozen=True)
class FaceReading:
    """What one picture says; without `expressions`, there is no face in it that can be read.

    A face that is too small, dark, out of focus or turned far away has a box and no expressions.

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
    features
        float32 [256], what the expressions follow from; nothing of it is ever stored.
    score
        The detector's, 0 to 1, where it gives one.
    unread
        Why there are no expressions of a face that was found: a code of `Quality.unread`, or
        "covered".
    sharpness, brightness, contrast
        Of the 48 x 48 face, see `models.face.quality`.
    mouth_covered, eyes_covered
        How likely it is that they are, of a face that is seen well; see `models.face.covers`.
    yaw_deg, roll_deg
        How far the head is turned to a side, and tilted; see `Landmarks`. Only where the
        detector finds landmarks.
    rest
        Of a reading that was begun, what is left to do: it returns the whole reading, which has
        expressions. It rests on the face alone, and may be done in any thread.
    """

    expressions: Expressions | None = None
    box_px: tuple[int, int, int, int] | None = None
    faces: int = 0
    unread: Code | None = None
    score: float | None = None
    sharpness: float | None = None
    brightness: float | None = None
    contrast: float | None = None
    yaw_deg: float | None = None
    roll_deg: float | None = None
    mouth_covered: float | None = None
    eyes_covered: float | None = None
    others: "tuple[Detection, ...]" = ()
    features: Features | None = field(default=None, compare=False)
    rest: "Callable[[], FaceReading] | None" = field(default=None, compare=False)

    @property
    def ended(self) -> "FaceReading":
        """The whole reading, whatever is left to do of it done here."""
        return self if self.rest is None else self.rest()


class ExpressionNetwork:
    """A network that reads the expression of cropped faces.

    Parameters
    ----------
    source
        The model, or its name in the manifest.

    Attributes
    ----------
    relative
        Whether it can read a face against a person's neutral one.
    """

    def __init__(self, source: str | ModelFile) -> None:
        self._session = onnx_session(source)
        shapes = {each.name: each.shape for each in self._session.get_inputs()}
        self.relative = NEUTRAL in shapes
        self._no_neutral = np.zeros(shapes.get(NEUTRAL, (1, 1)), np.float32)

    def __call__(self, faces: Image) -> NDArray[np.float64]:
        """Return the distributions, float64 [N, 7], of grey faces, uint8 [N, 48, 48]."""
        return self.read(faces)[0]

    def read(
        self, faces: Image, neutral: Features | None = None
    ) -> tuple[NDArray[np.float64], Features | None]:
        """Return the distributions of faces and the features that they follow from.

        Parameters
        ----------
        faces
            Grey, uint8 [N, 48, 48].
        neutral
            Features of this person's neutral face, see `models.face.reference`.

        Returns
        -------
        expressions
            float64 [N, 7], against the neutral face where one is given.
        features
            float32 [N, 256] of the faces alone; None of a network that reads nobody against a
            neutral face of their own.
        """
        inputs = {"faces": np.asarray(faces, np.float32)[:, np.newaxis]}
        if not self.relative:
            (expressions,) = self._session.run(["expressions"], inputs)
            return _rounded(expressions), None
        inputs[NEUTRAL] = self._no_neutral if neutral is None else neutral[np.newaxis]
        inputs["trust"] = np.array([0 if neutral is None else TRUST], np.float32)
        expressions, features = self._session.run(["expressions", "features"], inputs)
        return _rounded(expressions), np.asarray(features, np.float32)


def _rounded(expressions: NDArray[np.float32]) -> NDArray[np.float64]:
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
        Whether a face that is seen too badly is left unread.
    cover
        The name of the model that sees covered mouths; without one every mouth is taken for open.

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
        cover: str = "",
    ) -> None:
        # Threads cost more than they save on pictures this small, and crowd out the capture.
        cv2.setNumThreads(1)
        self._models = [model(name, models) for name in (network, detector)]
        self._gated = gates
        self._detector = detector_of(self._models[1])
        self._network = ExpressionNetwork(self._models[0])
        self._cover = CoverNetwork(model(cover, models)) if cover else None

    @cached_property
    def sha256(self) -> dict[str, str]:
        """SHA-256 of every model file that takes part, by name."""
        return {each.name: each.sha256 for each in self._models}

    @property
    def gates(self) -> dict[str, tuple[float, ...]]:
        """At which values of a reading's fields there is one more reading, or one less."""
        found: dict[str, tuple[float, ...]] = {"score": (YuNetDetector.FAINTEST_SCORE, CLEAR_SCORE)}
        if self._gated:
            found |= gates()
            found |= {"mouth_covered": (MAX_MOUTH_COVERED,)}
        return found

    def read(
        self,
        image_bgr: Image,
        choose: Choose | None = None,
        neutral: Features | None = None,
        where: Look = ANY_ROLL,
    ) -> FaceReading:
        """Read a face in a picture.

        Parameters
        ----------
        image_bgr
            uint8 [H, W, 3].
        choose
            Picks the face from all that were found, faint ones too; by default the largest
            clear one.
        neutral
            Features of the person's neutral face, float32 [256], to read the face against.
        where
            To look for faces; by default everywhere, and for heads tilted in any way.
        """
        return self.begin(image_bgr, choose, neutral, where).ended

    def begin(
        self,
        image_bgr: Image,
        choose: Choose | None = None,
        neutral: Features | None = None,
        where: Look = ANY_ROLL,
    ) -> FaceReading:
        """Begin to read a face, as `read` does: what it expresses is the `rest` of the reading."""
        found = self._detector.faces(image_bgr, where)
        clear = [face for face in found if face.is_clear]
        face = choose(found) if choose is not None else largest(clear)
        if face is None or face.square is None:
            return FaceReading(faces=len(clear), others=tuple(clear))
        crop = cropped(image_bgr, face.square)
        quality = _quality(face, crop)
        unread = quality.unread if self._gated else None
        covers = self._cover.of(crop) if self._cover and unread is None else None
        if self._gated and covers is not None and covers.mouth > MAX_MOUTH_COVERED:
            unread = "covered"
        begun = FaceReading(
            box_px=face.box_px,
            faces=len(clear),
            unread=unread,
            score=face.score,
            sharpness=quality.sharpness,
            brightness=quality.brightness,
            contrast=quality.contrast,
            yaw_deg=quality.yaw_deg,
            roll_deg=None if face.landmarks is None else round(face.roll_deg, 1),
            mouth_covered=None if covers is None else covers.mouth,
            eyes_covered=None if covers is None else covers.eyes,
            others=tuple(other for other in clear if other != face),
        )
        if unread is not None:
            return begun
        return replace(begun, rest=partial(self._expressed, begun, crop, neutral))

    def _expressed(self, begun: FaceReading, crop: Image, neutral: Features | None) -> FaceReading:
        distributions, features = self._network.read(crop[np.newaxis], neutral)
        return replace(
            begun,
            expressions=tuple(distributions[0].tolist()),
            features=None if features is None else features[0],
        )

    def read_crops(self, images: Image) -> NDArray[np.float64]:
        """Return the distributions, float64 [N, 7], of cropped grey faces, uint8 [N, 48, 48]."""
        return self._network(images)


def _quality(face: Detection, crop: Image) -> Quality:
    return Quality(
        face.side_px,
        sharpness(crop),
        brightness(crop),
        contrast(crop),
        None if face.landmarks is None else round(face.landmarks.yaw_deg, 1),
    )


def cropped(image_bgr: Image, square: Square) -> Image:
    """Return a face as the networks expect it: upright, framed, grey, uint8 [48, 48].

    What lies beyond the picture repeats its rim.
    """
    view = views.square(square.centre, square.side_px, square.roll_deg, FACE_PX)
    part, view = view.part(image_bgr)
    return view.of(np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8))
