"""Which of the faces in view is the person, from one frame to the next.

The person is the largest face when nobody is followed yet. From then on it is the face that
goes on from where the person was last seen, however large another is and whoever walks by. Near
that place a face may also be seen faintly: a turned or half hidden head is no lost face. Where
the person is not found, nobody else speaks in their place, until they have been gone for a
while.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from affetti.core.clock import NS_PER_S
from affetti.models.face.detection import Detection, largest

MEMORY_NS: Final = 2 * NS_PER_S  # how long a person who is not seen is waited for
# How far a face may move, in widths of itself: at once, and in each second unseen.
_REACH: Final = 0.5
_REACH_PER_S: Final = 1.0
_GROWTH: Final = 2.0  # and how much its width may change


class PersonTrack:
    """Follows one face. A pure function of what it is told, in order."""

    def __init__(self) -> None:
        self._last: Detection | None = None
        self._seen_ns = 0
        self._other = False

    def saw(self, t_ns: int, person: Detection) -> None:
        """Take in where the person was at session time `t_ns`."""
        self._last, self._seen_ns = person, t_ns

    def look_for_other(self) -> None:
        """Follow another face from the next frame on: the next one to the right, in a circle."""
        self._other = True

    def choose(self, t_ns: int, faces: Sequence[Detection]) -> Detection | None:
        """Return the person among the faces in a frame, or None.

        Parameters
        ----------
        t_ns
            Session time of the frame.
        faces
            All detections, faint ones too, in any order.
        """
        if self._last is not None and t_ns - self._seen_ns > MEMORY_NS:
            self._last = None
        clear = [face for face in faces if face.is_clear]
        if self._other and clear:
            self._other = False
            return self._next_of(clear)
        if self._last is None:
            return largest(clear)
        return self._same(faces, self._last, (t_ns - self._seen_ns) / NS_PER_S)

    def _next_of(self, clear: Sequence[Detection]) -> Detection:
        in_row = sorted(clear, key=lambda face: face.centre.real)
        if self._last is None:
            return in_row[0]
        current = min(in_row, key=lambda face: _distance(face, self._last))
        return in_row[(in_row.index(current) + 1) % len(in_row)]

    def _same(
        self, faces: Sequence[Detection], last: Detection, unseen_s: float
    ) -> Detection | None:
        near = [face for face in faces if _goes_on(face, last, unseen_s)]
        return min(near, key=lambda face: _distance(face, last), default=None)


class FaceTracks:
    """Which face is which from one frame to the next, all of them. Pure, like `PersonTrack`."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Detection, int]] = {}  # by id, where and when last
        self._next = 0

    def saw(self, t_ns: int, faces: Iterable[tuple[int, Detection]]) -> None:
        """Take in the faces of a frame with their ids."""
        for face_id, face in faces:
            self._seen[face_id] = face, t_ns
            self._next = max(self._next, face_id + 1)
        self._seen = {i: seen for i, seen in self._seen.items() if t_ns - seen[1] <= MEMORY_NS}

    def forget(self) -> None:
        """Forget every face; ids are not given again."""
        self._seen = {}

    def ids(self, t_ns: int, faces: Sequence[Detection]) -> list[int]:
        """Return an id for each face of a frame: that of the face it goes on from, or a new one.

        The nearest pair is matched first; nothing is remembered of it until `saw` is told.
        """
        pairs = sorted(
            (_distance(face, last), number, face_id)
            for number, face in enumerate(faces)
            for face_id, (last, seen_ns) in self._seen.items()
            if t_ns - seen_ns <= MEMORY_NS and _goes_on(face, last, (t_ns - seen_ns) / NS_PER_S)
        )
        found: dict[int, int] = {}
        for _, number, face_id in pairs:
            if number not in found and face_id not in found.values():
                found[number] = face_id
        fresh = (i for i in range(len(faces)) if i not in found)
        found.update((number, self._next + i) for i, number in enumerate(fresh))
        return [found[number] for number in range(len(faces))]


def _goes_on(face: Detection, last: Detection, unseen_s: float) -> bool:
    reach = last.box_px[2] * (_REACH + _REACH_PER_S * unseen_s)
    grown = abs(math.log(face.box_px[2] / last.box_px[2]))
    return _distance(face, last) <= reach and grown <= math.log(_GROWTH)


def _distance(face: Detection, other: Detection | None) -> float:
    return abs(face.centre - other.centre) if other is not None else 0.0
