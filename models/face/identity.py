"""Whether a face is the one that was chosen: by how it looks.

A face becomes 128 numbers, its descriptor, and two pictures of one person give descriptors that
lie near each other (the network's card, zoo/face_identity). Within a session the chosen person is
known by a handful of their own descriptors, those who were seen beside them by theirs.

What is kept, and what is not. Descriptors tell a person among thousands, so they live in the
memory of the running perception, are made only while the person consents to the scope `identity`,
and are forgotten when that consent or the one to video ends. No event, no file and no message
holds one. What is recorded are decisions: the `face_id` and the `role` of each face, why one is
not read (`unread`), how far the read face was from the person's descriptors (one number,
`identity_distance`) and, in the estimate, why another is read from there on (`change`).

How a replay makes the same decisions. Descriptors are made again from the stored frames, at the
same moments: when one is due follows from earlier estimates and from the pictures alone. `verify`
goes on from *recorded* estimates; whose descriptor is whose then follows from the recorded roles,
as everything else that is remembered does (`models.face.person`). A replay that takes estimates
from the log without looking at their frames has no descriptors, so it goes by place until one is
made.

The limits were chosen on the Yale Face Database (15 persons; four pictures of one are what is
known of them, their pictures of other looks and lights are asked, and those of everybody else):
within .36 lie 77 % of a person's own and none of the strangers', within .46 98 % and .6 %, within
.60 all and 7 %. Whoever was seen beside the person is told from them by being nearer to
themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.models.face.detection import Detection, Landmarks
from affetti.models.face.views import Image
from affetti.models.manifest import ModelFile, onnx_session

Descriptor: TypeAlias = NDArray[np.float32]

CHIP_PX: Final = 150
# Distances: surely the person, the person if nothing speaks against it, surely another.
NEAR: Final = 0.36
SAME: Final = 0.46
OTHER: Final = 0.60
MARGIN: Final = 0.06  # by which the person must be nearer than someone seen beside them
NEW_LOOK: Final = 0.30  # farther than this from all that is known, a look is worth keeping
MAX_YAW_DEG: Final = 45.0
MIN_WIDTH_PX: Final = 24
_ANCHORS: Final = 4  # first looks that are never given up
_MOST: Final = 16

# dlib's mean face (King 2017) at the points of `Landmarks`, in pixels of the chip.
_MEAN_FACE: Final = np.array([47.8 + 46.6j, 100.3 + 46.6j, 74.0 + 76.6j, 50.4 + 103j, 97.6 + 103j])


class IdentityNetwork:
    """Makes descriptors of faces.

    Parameters
    ----------
    source
        The model, or its name in the manifest.
    """

    def __init__(self, source: str | ModelFile = "face_identity") -> None:
        self._session = onnx_session(source)

    @property
    def gates(self) -> dict[str, tuple[float, ...]]:
        """At which distances a face is the person, may be, or is another."""
        return {"identity_distance": (NEAR, SAME, OTHER)}

    def __call__(self, image_bgr: Image, face: Detection) -> Descriptor | None:
        """Return the descriptor, float32 [128], of a face in a picture, uint8 [H, W, 3].

        None where the face cannot be told from others as it is: it is faint, small, turned too
        far away, or its eyes and mouth were not found.
        """
        if not describable(face) or face.landmarks is None:
            return None
        chip = aligned(image_bgr, face.landmarks)[:, :, ::-1].transpose(2, 0, 1)
        faces = np.ascontiguousarray(chip[np.newaxis], np.float32)
        (descriptors,) = self._session.run(["descriptors"], {"faces": faces})
        return np.asarray(descriptors[0], np.float32)


def describable(face: Detection) -> bool:
    """Return whether a face is seen well enough to be told from others."""
    marks = face.landmarks
    seen = face.is_clear and face.box_px[2] >= MIN_WIDTH_PX
    return seen and marks is not None and abs(marks.yaw_deg) <= MAX_YAW_DEG


def aligned(image_bgr: Image, landmarks: Landmarks) -> Image:
    """Return a face laid as nearly as can be over the mean face, uint8 [150, 150, 3].

    Least squares over shift, turn and scale; what lies beyond the picture repeats its rim.
    """
    points = np.array([landmarks.left_eye, landmarks.right_eye, landmarks.nose,
                       landmarks.left_mouth, landmarks.right_mouth])  # fmt: skip
    aside, target = points - points.mean(), _MEAN_FACE - _MEAN_FACE.mean()
    turn = (aside.conj() @ target) / max((aside.conj() @ aside).real, 1e-9)
    multiple = max(1, round(1 / max(abs(turn), 1 / 16)))  # shrinking happens by area
    turn *= multiple
    shift = multiple * _MEAN_FACE.mean() - turn * points.mean()
    placement = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    size = (CHIP_PX * multiple, CHIP_PX * multiple)
    large = cv2.warpAffine(image_bgr, placement, size, borderMode=cv2.BORDER_REPLICATE)
    chip = cv2.resize(large, (CHIP_PX, CHIP_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(chip, np.uint8)


@dataclass
class Appearance:
    """The looks of one person, or of all who are not: a few descriptors."""

    looks: list[Descriptor] = field(default_factory=list)

    def distance(self, look: Descriptor) -> float:
        """Return how far a descriptor is from the nearest known look; infinite if none is."""
        return min((float(np.linalg.norm(look - each)) for each in self.looks), default=np.inf)

    def learn(self, look: Descriptor) -> None:
        """Keep a look that is unlike those that are known; the first ones are never given up."""
        if self.distance(look) < NEW_LOOK:
            return
        self.looks.append(look)
        if len(self.looks) > _MOST:
            del self.looks[_ANCHORS]


def is_person(distances: Sequence[float]) -> bool | None:
    """Return whether a face is the person, from its latest distances; None where it is doubtful.

    One surely near says so; else the median of three has to be near enough, or far away.
    """
    if min(distances, default=np.inf) <= NEAR:
        return True
    if len(distances) < _LOOKS:
        return None
    middle = float(np.median(distances[-_LOOKS:]))
    return True if middle <= SAME else False if middle > OTHER else None


_LOOKS: Final = 3
