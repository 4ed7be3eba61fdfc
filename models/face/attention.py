"""Where faces are looked for next: a pure function of where they were, as estimates say it.

While the person is seen, near every face of the last estimate, which costs little, and for whoever
joins them in the whole picture: each two seconds while they are alone, each second while they are
not. While the person is not seen, everywhere;
while nobody is, every other time for heads as the person's was tilted, and else in turn for heads
that lie or hang.
"""

from collections.abc import Sequence
from typing import Final

from affetti.core.clock import NS_PER_S
from affetti.models.face.detection import ANY_ROLL, Detection, Look

MEMORY_NS: Final = NS_PER_S // 2  # how long a face is looked for near where it was
_PERIOD_NS: Final = NS_PER_S  # how often the whole picture is searched beside several faces
_ALONE_PERIOD_NS: Final = 2 * NS_PER_S  # and beside the person alone
_MAX_NEAR: Final = 4  # more faces than that, and searching everything costs less
_STEP_DEG: Final = 45.0


class Attention:
    """Says where to look. A pure function of what it is told, in order."""

    def __init__(self) -> None:
        self._near: tuple[Detection, ...] = ()
        self._seen_ns: int | None = None  # the last estimate, whatever it saw
        self._roll_deg = 0.0  # of the person, when last seen
        self._missed = 0  # estimates in a row without any face
        self._is_found = False  # whether the person was among those of the last

    def saw(self, t_ns: int, faces: Sequence[Detection], person: Detection | None) -> None:
        """Take in the faces of an estimate, the person's among them or None."""
        self._near, self._seen_ns = tuple(faces), t_ns
        self._missed = 0 if faces else self._missed + 1
        self._is_found = person is not None
        if person is not None:
            self._roll_deg = person.roll_deg

    def look(self, t_ns: int) -> Look:
        """Return where to look in the frame of session time `t_ns`."""
        if self._seen_ns is None:
            return ANY_ROLL
        near = self._near if t_ns - self._seen_ns <= MEMORY_NS else ()
        if len(near) > _MAX_NEAR:
            near = ()
        period_ns = _PERIOD_NS if len(near) > 1 else _ALONE_PERIOD_NS
        again = t_ns // period_ns > self._seen_ns // period_ns
        return Look(near, again or not near or not self._is_found, self._rolls_deg())

    def _rolls_deg(self) -> tuple[float, ...]:
        """Return the tilts of heads that the whole picture is searched for."""
        usual_deg = _STEP_DEG * round(self._roll_deg / _STEP_DEG) % 360
        if self._missed % 2:
            others = ANY_ROLL.rolls_deg[1:]
            return ((usual_deg + others[self._missed // 2 % len(others)]) % 360,)
        return (0.0, usual_deg) if usual_deg else (0.0,)
