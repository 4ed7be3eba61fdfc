"""Whether a face is a living one or a picture of one, by whether anything in it ever moves.

A living face turns a little, speaks, blinks. A picture can be carried about, but nothing moves in
it: laid over its earlier self (shifted, turned, stretched, tilted in depth and brightened as fits
best), it is the same but for the camera's noise. So a face is believed to live once it was seen to
change against itself, and to be a picture when it did not for ten seconds. Until then it is
neither.

On films of five people, faces of 60 to 180 pixels, what is left of a second's change is .01 to .13
in the median, most of a face that speaks, least of one that looks at a screen; on pictures carried
about, tilted in a hand, with noise and compression, .001 to .006. Three of five looks have to say
that it lives: of none of 27 such pictures did one, nor of four over which a shadow went. A bright
reflection that wanders over its glass can pass for life: it did in two of four pictures.

Source of the alignment: Evangelidis and Psarakis, "Parametric image alignment using enhanced
correlation coefficient maximization" (2008), as OpenCV has it.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.models.face.detection import Detection
from affetti.models.face.views import Image

Patch: TypeAlias = NDArray[np.float32]
Warp: TypeAlias = NDArray[np.float32]

PATCH_PX: Final = 48
THUMB_PX: Final = 16
MIN_CHANGE: Final = 0.02  # less is noise
_NOISE: Final = 1.0  # and what changed since a moment ago counts so many times as noise
# So many of the latest looks, so that an alignment that fails now and then is no life.
_CHANGES: Final = 3
_LATEST: Final = 5
LOOK_NS: Final = NS_PER_S // 5
PICTURE_LOOK_NS: Final = NS_PER_S  # a picture is looked at again, but not as often
PICTURE_NS: Final = 10 * NS_PER_S  # what has not moved for so long is a picture
_MIN_PICTURE_LOOKS: Final = 20
_KEPT_NS: Final = 6 * NS_PER_S

_ROWS, _COLUMNS = np.mgrid[:PATCH_PX, :PATCH_PX] - (PATCH_PX - 1) / 2
_FACE: Final = (_COLUMNS / 19) ** 2 + (_ROWS / 22) ** 2 <= 1
_MASK: Final = _FACE.astype(np.uint8)
_STEPS: Final = {cv2.MOTION_AFFINE: 40, cv2.MOTION_HOMOGRAPHY: 25}
_UNTIL: Final = {
    motion: (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, 1e-4)
    for motion, steps in _STEPS.items()
}
_UNLIKE: Final = 1.0
_NEAR_PX: Final = 3.0  # what is coarser is light


def patch(grey: Image, face: Detection) -> Patch:
    """Return a face cut from a grey picture, uint8 [H, W], as float32 [48, 48]."""
    side = 0.55 * (face.box_px[2] + face.box_px[3])
    multiple = max(1, round(side / PATCH_PX))
    scale = PATCH_PX * multiple / side
    shift = (1 + 1j) * PATCH_PX * multiple / 2 - scale * face.centre
    placement = np.array([[scale, 0, shift.real], [0, scale, shift.imag]])
    size = (PATCH_PX * multiple, PATCH_PX * multiple)
    large = cv2.warpAffine(grey, placement, size, borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(large, (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def thumb(image_bgr: Image, face: Detection) -> Patch:
    """Return a face in a picture, uint8 [H, W, 3], as its coarsest features.

    Float32 [16, 16], with mean 0 and norm 1.
    """
    half = 0.275 * (face.box_px[2] + face.box_px[3])
    left, top = (max(0, round(c - half)) for c in (face.centre.real, face.centre.imag))
    right, bottom = (max(1, round(c + half)) for c in (face.centre.real, face.centre.imag))
    step = max(1, round(half / (2 * THUMB_PX)))  # of a large face some pixels will do
    cut = np.ascontiguousarray(image_bgr[top:bottom:step, left:right:step])
    small = cv2.resize(cut, (THUMB_PX, THUMB_PX), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
    plain = grey - grey.mean()
    return np.asarray(plain / max(float(np.linalg.norm(plain)), 1e-6), np.float32)


def likeness(one: Patch, other: Patch) -> float:
    """Return the correlation of two thumbs, -1 to 1."""
    return float((one * other).sum())


def change(before: Patch, now: Patch) -> float:
    """Return what of a face is another once it lies over its earlier self: 0 to about 1.

    One minus the correlation of local contrasts inside an oval.
    """
    one, other = _contrast(before), _contrast(now)
    try:
        warp = _laid(one, other, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE)
    except cv2.error:  # they have nothing in common
        return _UNLIKE
    found = _left(before, now, warp)
    if found < MIN_CHANGE:
        return found
    plane = np.vstack([warp, np.array([[0, 0, 1]], np.float32)])
    try:  # a picture that is held in a hand is tilted in depth as well
        return min(found, _left(before, now, _laid(one, other, plane, cv2.MOTION_HOMOGRAPHY)))
    except cv2.error:
        return found


def _laid(before: Patch, now: Patch, warp: Warp, motion: int) -> Warp:
    """Return how a face lies best over its earlier self, from `warp` on.

    Told by local contrasts, so that light which wanders over a picture moves nothing.
    """
    _, found = cv2.findTransformECC(before, now, warp, motion, _UNTIL[motion], _MASK, 3)
    return np.asarray(found, np.float32)


def _left(before: Patch, now: Patch, warp: Warp) -> float:
    """Return what of a face is another once it is laid over its earlier self so."""
    size = (PATCH_PX, PATCH_PX)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpPerspective if len(warp) == len(warp.T) else cv2.warpAffine
    laid = moved(now, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    one, other = _contrast(before)[_FACE], _contrast(np.asarray(laid, np.float32))[_FACE]
    norm = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return 1 - float((one * other).sum()) / norm if norm else 0.0


def _contrast(face: Patch) -> Patch:
    smooth = cv2.GaussianBlur(face, (0, 0), 1.0)
    aside = smooth - cv2.GaussianBlur(smooth, (0, 0), _NEAR_PX)
    spread = cv2.GaussianBlur(aside * aside, (0, 0), _NEAR_PX)
    return np.asarray(aside / np.sqrt(spread + 4.0), np.float32)  # 4: two grey levels are noise


@dataclass(frozen=True)
class Sight:
    """A face at one moment, as far as its life is concerned."""

    t_ns: int
    patch: Patch | None  # None of one that is known to live
    changed: bool | None = None  # against itself; None where that was not looked at


@dataclass
class Life:
    """What was seen of a face's life so far.

    Attributes
    ----------
    alive
        Whether it was seen to move in itself.
    is_picture
        Whether it is taken for a picture.
    """

    since_ns: int
    alive: bool = False
    is_picture: bool = False
    _looked_ns: int = -(10**12)
    _looks: int = 0
    _changes: deque[bool] = field(default_factory=lambda: deque(maxlen=_LATEST))
    _kept: deque[tuple[int, Patch]] = field(default_factory=deque)  # by when

    def sight(self, t_ns: int, face: Patch) -> Sight:
        """Look at the face; nothing is remembered until `saw` is told."""
        every_ns = PICTURE_LOOK_NS if self.is_picture else LOOK_NS
        if self.alive or not self._kept or t_ns - self._looked_ns < every_ns:
            return Sight(t_ns, face)
        (_, last), (_, oldest) = self._kept[-1], self._kept[0]
        _, middle = self._kept[len(self._kept) // 2]
        # A face that was badly framed once differs from all others: two have to agree.
        moved = min(change(oldest, face), change(middle, face))
        if moved < MIN_CHANGE:
            return Sight(t_ns, face, False)
        noise = change(last, face) if last is not middle else 0.0
        return Sight(t_ns, face, moved >= MIN_CHANGE + _NOISE * min(noise, MIN_CHANGE))

    def saw(self, sight: Sight, *, eyes_closed: bool = False) -> None:
        """Take in what was looked at.

        Parameters
        ----------
        eyes_closed
            Whether the eyes were seen to close, which a picture's never do.
        """
        if sight.changed is not None:
            self._looked_ns = sight.t_ns
            self._looks += 1
            self._changes.append(sight.changed)
        if eyes_closed or sum(self._changes) >= _CHANGES:
            self.moved()
        elif self._looks >= _MIN_PICTURE_LOOKS and sight.t_ns - self.since_ns >= PICTURE_NS:
            self.is_picture = True
        if sight.patch is not None:
            self._kept.append((sight.t_ns, sight.patch))
        while self._kept and self._kept[0][0] < sight.t_ns - _KEPT_NS:
            self._kept.popleft()

    def moved(self) -> None:
        """Take in that it lives."""
        self.alive, self.is_picture = True, False

    def doubt(self, t_ns: int) -> None:
        """Take in that it may be another face from here on, which has to show its life."""
        self.alive, self.since_ns = False, t_ns
        self._looks = 0
        self._changes.clear()
        self._kept.clear()

    def resembles(self, face: Patch) -> bool:
        """Return whether a face is this one, laid over it: for pictures."""
        return bool(self._kept) and change(self._kept[-1][1], face) < MIN_CHANGE
