"""Which face is which from one frame to the next.

A face goes on from where it was last seen, and keeps its id for as long as it is followed. Who
of them the person is, is another question (`models.face.person`).
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from affetti.core.clock import NS_PER_S
from affetti.models.face.detection import Detection

MEMORY_NS: Final = 2 * NS_PER_S  # how long a face that is not seen is waited for
# How far a face may move, in widths of itself: at once, and in each second unseen.
_REACH: Final = 0.5
_REACH_PER_S: Final = 1.0
_GROWTH: Final = 2.0  # and how much its width may change


class FaceTracks:
    """Follows all faces. A pure function of what it is told, in order."""

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

    @property
    def followed(self) -> frozenset[int]:
        """The ids of the faces that are followed."""
        return frozenset(self._seen)

    def fresh_after(self, ids: Iterable[int]) -> int:
        """Return an id that was never given, nor is among those about to be."""
        return max((self._next, *(face_id + 1 for face_id in ids)))

    def ids(self, t_ns: int, faces: Sequence[Detection]) -> list[int]:
        """Return an id for each face of a frame: that of the face it goes on from, or a new one.

        The nearest pair is matched first, clear faces before faint ones; nothing is remembered of
        it until `saw` is told.
        """
        pairs = sorted(
            (not face.is_clear, _distance(face, last), number, face_id)
            for number, face in enumerate(faces)
            for face_id, (last, seen_ns) in self._seen.items()
            if t_ns - seen_ns <= MEMORY_NS and _goes_on(face, last, (t_ns - seen_ns) / NS_PER_S)
        )
        found: dict[int, int] = {}
        for _, _, number, face_id in pairs:
            if number not in found and face_id not in found.values():
                found[number] = face_id
        fresh = (i for i in range(len(faces)) if i not in found)
        found.update((number, self._next + i) for i, number in enumerate(fresh))
        return [found[number] for number in range(len(faces))]


def _goes_on(face: Detection, last: Detection, unseen_s: float) -> bool:
    reach = last.box_px[2] * (_REACH + _REACH_PER_S * unseen_s)
    grown = abs(math.log(face.box_px[2] / last.box_px[2]))
    return _distance(face, last) <= reach and grown <= math.log(_GROWTH)


def _distance(face: Detection, other: Detection) -> float:
    return abs(face.centre - other.centre)
