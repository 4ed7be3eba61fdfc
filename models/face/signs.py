"""What can be seen of a face without reading its expression: eyes, gaze, and signs with a name.

Measured on the landmarks with the head's pose taken out, in centimetres of the canonical face.
Some signs hold of any face. Others hold only against how the same person looks at rest, as a
neutral reference showed it: one person's raised brows are where another's always are.

An upper lip is raised only against the person at rest as well: some upper lips are short. Never
said are mouth corners down, nose wrinkled and cheeks raised: the points do not show them.

The limits were chosen on 8,000 labelled faces of the expression network's training sets (one
neutral face in fifty has wider eyes than `EYES_WIDE`; one in ten has its lips apart), on the Yale
faces, of which several neutral pictures a person say how far a face at rest is measured
differently in another light, and on pictures and films that were looked at.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EXPRESSIONS, Expression, FloatArray
from affetti.core.events.estimates import Expressions, EyesOpen, Face, FaceShape, Gaze
from affetti.models.face.covers import MAX_EYES_COVERED, MAX_MOUTH_COVERED
from affetti.models.face.landmarks import MIN_PRESENCE, LandmarkNetwork
from affetti.models.face.pose import CanonicalFace, HeadPose
from affetti.models.face.views import Image
from affetti.models.manifest import ModelFile, model

# How often a face that is followed is looked at, in session time: one that has changed since, and
# one that has not; and when its tilt is forgotten.
LOOK_PERIOD_NS: Final = 350_000_000  # every fourth estimate
REST_PERIOD_NS: Final = 950_000_000  # every tenth
TILT_AGE_NS: Final = 3 * NS_PER_S // 2
MIN_FACE_PX: Final = 40  # a smaller face has no lids to measure

EYES_CLOSED: Final = 0.13  # of the eye's width
EYES_WIDE: Final = 0.41
MOUTH_OPEN: Final = 0.12  # of the mouth's width
WIDE_MOUTH_CM: Final = 5.8
MIN_HAPPY: Final = 0.5
# Against the person at rest.
BROWS_CM: Final = 0.3
SLANT_CM: Final = 0.2
LIP_CM: Final = 0.3
NARROWED: Final = 0.7
MAX_APART_DEG: Final = 15.0  # so far may the head be turned from how it was at rest
MIN_AT_REST: Final = 5  # looks

GAZE_CAMERA_DEG: Final = 12.0
GAZE_ASIDE_DEG: Final = 17.0
_MAX_GAZE_PITCH_DEG: Final = 20.0
_MAX_GAZE_YAW_DEG: Final = 40.0
_EYE_RADIUS: Final = 0.46  # in widths of the eye: about 12 mm of 26

# Points of an eye: outer corner, inner corner, then pairs of the upper and the lower lid; the
# picture's left eye, and the right.
_EYES: Final = (
    (33, 133, (159, 145), (158, 153), (160, 144)),
    (263, 362, (386, 374), (385, 380), (387, 373)),
)
_IRISES: Final = (468, 473)
_CORNERS: Final = (33, 133, 362, 263)  # of the eyes, from left to right
_BROWS: Final = (105, 66, 107, 334, 296, 336)
_INNER_BROWS: Final = (107, 336, 55, 285)
_OUTER_BROWS: Final = (70, 300, 46, 276)
_MOUTH_CORNERS: Final = (61, 291)
_INNER_LIPS: Final = ((13, 14), (82, 87), (312, 317))
_NOSE_BASE: Final = 2
_UPPER_LIP: Final = 0

Reasons: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class FaceSigns:
    """What the landmarks show of one face.

    Attributes
    ----------
    presence
        How certain the network is that it looks at a face; below `MIN_PRESENCE` it shows
        nothing else.
    pose
        How the head is turned.
    eyes_open
        How far the picture's left eye and its right are open, in widths of the eye.
    gaze_deg
        Where the eyes look, about: positive towards the picture's right; None where they are
        closed or the head is turned too far.
    shape
        `core.events.estimates.FaceShape`.
    """

    presence: float
    pose: HeadPose | None = None
    eyes_open: EyesOpen | None = None
    gaze_deg: float | None = None
    shape: FaceShape | None = None

    @property
    def gaze(self) -> Gaze | None:
        """Which way the eyes look, from the camera's point of view; None where in between."""
        if self.gaze_deg is None:
            return None
        if abs(self.gaze_deg) <= GAZE_CAMERA_DEG:
            return "camera"
        if abs(self.gaze_deg) < GAZE_ASIDE_DEG:
            return None
        return "left" if self.gaze_deg < 0 else "right"


class SignReader:
    """Looks at faces: the same picture always shows the same signs.

    Parameters
    ----------
    source
        The landmark network, or its name in the manifest.

    Raises
    ------
    AffettiError
        The model is unknown, missing, or not the file that the manifest pins.
    """

    def __init__(self, source: str | ModelFile = "face_landmarks") -> None:
        found = model(source) if isinstance(source, str) else source
        self._network = LandmarkNetwork(found)
        self._canonical = CanonicalFace(found.parameters["canonical_face"])

    @property
    def gates(self) -> dict[str, tuple[float, ...]]:
        """At which values of an estimate's fields a code is given or not."""
        limits = GAZE_CAMERA_DEG, GAZE_ASIDE_DEG
        return {"gaze_deg": (*limits, *(-limit for limit in limits))}

    def look(
        self,
        image_bgr: Image,
        box_px: tuple[int, int, int, int],
        roll_deg: float = 0.0,
        *,
        known: bool = False,
    ) -> FaceSigns:
        """Return what the face in a box shows; parameters as `LandmarkNetwork.find` takes them."""
        found = self._network.find(image_bgr, box_px, roll_deg, known=known)
        presence = round(found.presence, 4)
        if presence < MIN_PRESENCE:
            return FaceSigns(presence)
        pose, points = self._canonical.laid_over(found.points)
        eyes = eyes_open(points)
        gaze = None if are_closed(eyes) else gaze_deg(points, pose)
        return FaceSigns(presence, pose, eyes, gaze, shape_of(points))


def eyes_open(points: FloatArray) -> EyesOpen:
    """Return how far apart the lids of both eyes are, in widths of the eye.

    Parameters
    ----------
    points
        float64 [478, 3], landmarks without the head's pose.
    """
    left, right = (
        round(_mean_distance(points, lids) / _distance(points, outer, inner), 3)
        for outer, inner, *lids in _EYES
    )
    return left, right


def are_closed(eyes: EyesOpen) -> bool:
    """Return whether both eyes are closed, or cast down, which looks the same."""
    return sum(eyes) / 2 <= EYES_CLOSED


def gaze_deg(points: FloatArray, pose: HeadPose) -> float | None:
    """Return about where the eyes look, to the picture's right positive; see `FaceSigns`.

    The irises' way from the middle of the eyes, as the turn of a ball, and the head's yaw.
    """
    turned_far = abs(pose.yaw_deg) > _MAX_GAZE_YAW_DEG or abs(pose.pitch_deg) > _MAX_GAZE_PITCH_DEG
    if turned_far:
        return None
    eyes = zip((_CORNERS[:2], _CORNERS[2:]), _IRISES, strict=True)
    aside = np.mean([_aside(points, corners, iris) for corners, iris in eyes])
    turn = math.asin(max(-1.0, min(1.0, float(aside) / _EYE_RADIUS)))
    return round(pose.yaw_deg + math.degrees(turn), 1)


def _aside(points: FloatArray, corners: Sequence[int], iris: int) -> float:
    """Return how far an iris is right of the middle of its eye, in widths of the eye."""
    left, right = (points[corner, :2] for corner in corners)
    across = right - left
    return float((points[iris, :2] - (left + right) / 2) @ across / (across @ across))


def shape_of(points: FloatArray) -> FaceShape:
    """Return the measures that signs are read off, in their order.

    Parameters
    ----------
    points
        float64 [478, 3], landmarks without the head's pose.
    """
    mouth_cm = _distance(points, *_MOUTH_CORNERS)
    inner = _height(points, _INNER_BROWS) - _height(points, (133, 362))
    outer = _height(points, _OUTER_BROWS) - _height(points, (33, 263))
    return (
        round(_height(points, _BROWS) - _height(points, _CORNERS), 3),
        round(inner - outer, 3),
        round(mouth_cm, 3),
        round(_mean_distance(points, _INNER_LIPS) / mouth_cm, 3),
        round(float(points[_NOSE_BASE, 1] - points[_UPPER_LIP, 1]), 3),
    )


def _distance(points: FloatArray, a: int, b: int) -> float:
    return float(np.linalg.norm(points[a, :2] - points[b, :2]))


def _mean_distance(points: FloatArray, pairs: Sequence[tuple[int, int]]) -> float:
    return float(np.mean([_distance(points, *pair) for pair in pairs]))


def _height(points: FloatArray, numbers: Sequence[int]) -> float:
    return float(points[list(numbers), 1].mean())


def uncovered(
    signs: FaceSigns, mouth_covered: float | None, eyes_covered: float | None
) -> FaceSigns:
    """Return signs without those of covered parts: landmarks are found there all the same."""
    shape = signs.shape if (mouth_covered or 0.0) <= MAX_MOUTH_COVERED else None
    if (eyes_covered or 0.0) <= MAX_EYES_COVERED:
        return replace(signs, shape=shape)
    return replace(signs, shape=shape, eyes_open=None, gaze_deg=None)


def recorded_signs(face: Face) -> FaceSigns:
    """Return the signs as an estimate keeps them: later ones follow from these."""
    if face.pitch_deg is None or face.yaw_deg is None or face.roll_deg is None:
        return FaceSigns(face.landmarks or 0.0)
    pose = HeadPose(face.pitch_deg, face.yaw_deg, face.roll_deg)
    return FaceSigns(face.landmarks or 0.0, pose, face.eyes_open, face.gaze_deg, face.shape)


@dataclass(frozen=True)
class AtRest:
    """How a person's face is measured when it is neutral.

    Attributes
    ----------
    shape, eyes_open
        Medians over the neutral reference.
    pitch_deg, yaw_deg
        How the head was turned; against a face turned otherwise nothing is compared.
    """

    shape: FaceShape
    eyes_open: EyesOpen
    pitch_deg: float
    yaw_deg: float

    @classmethod
    def of(cls, looks: Sequence[FaceSigns]) -> "AtRest | None":
        """Return what looks at a neutral face have in common; None where they are too few."""
        rows = [
            (*each.shape, *each.eyes_open, each.pose.pitch_deg, each.pose.yaw_deg)
            for each in looks
            if each.shape is not None and each.eyes_open is not None and each.pose is not None
        ]
        if len(rows) < MIN_AT_REST:
            return None
        brows, slant, mouth, gap, lip, left, right, pitch, yaw = np.median(rows, axis=0).tolist()
        return cls((brows, slant, mouth, gap, lip), (left, right), pitch, yaw)

    def compares_with(self, pose: HeadPose) -> bool:
        """Return whether a head is turned about as it was at rest."""
        apart = abs(pose.pitch_deg - self.pitch_deg), abs(pose.yaw_deg - self.yaw_deg)
        return max(apart) <= MAX_APART_DEG


def reasons_of(
    signs: FaceSigns, expressions: Expressions | None = None, rest: AtRest | None = None
) -> Reasons:
    """Return the codes of the signs that hold, those of brows and mouth first.

    Parameters
    ----------
    signs
        Of the face.
    expressions
        What the network reads in it: only in a happy face is a wide mouth a smile.
    rest
        The person at rest, where there is a neutral reference.
    """
    happy = expressions is not None and expressions[_HAPPY] >= MIN_HAPPY
    is_comparable = rest is not None and signs.pose is not None and rest.compares_with(signs.pose)
    found: dict[str, bool] = {}
    if signs.shape is not None:
        found |= _of_mouth(signs.shape, happy)
        found |= _of_shape(signs.shape, rest) if rest is not None and is_comparable else {}
    if signs.eyes_open is not None:
        found |= _of_eyes(signs.eyes_open)
        found |= _of_lids(signs.eyes_open, rest) if rest is not None and is_comparable else {}
    return tuple(code for code, holds in found.items() if holds)


_HAPPY: Final = EXPRESSIONS.index(Expression.HAPPY)


def _of_mouth(shape: FaceShape, happy: bool) -> dict[str, bool]:
    _, _, mouth_cm, mouth_open, _ = shape
    return {
        "smiling": happy and mouth_cm >= WIDE_MOUTH_CM,
        "mouth_open": mouth_open >= MOUTH_OPEN,
    }


def _of_eyes(eyes: EyesOpen) -> dict[str, bool]:
    return {"eyes_wide": sum(eyes) / 2 >= EYES_WIDE, "eyes_closed": are_closed(eyes)}


def _of_shape(shape: FaceShape, rest: AtRest) -> dict[str, bool]:
    moved = [now - before for now, before in zip(shape, rest.shape, strict=True)]
    brows_cm, slant_cm, _, _, lip_cm = moved
    raised = brows_cm >= BROWS_CM
    return {
        # A smile raises it too.
        "upper_lip_raised": lip_cm <= -LIP_CM and shape[2] < WIDE_MOUTH_CM,
        "brows_lowered": brows_cm <= -BROWS_CM,
        "brows_raised": raised,
        "inner_brows_slanted": slant_cm >= SLANT_CM and not raised,
    }


def _of_lids(eyes: EyesOpen, rest: AtRest) -> dict[str, bool]:
    narrow = sum(eyes) <= NARROWED * sum(rest.eyes_open)
    return {"eyes_narrowed": narrow and not are_closed(eyes)}
