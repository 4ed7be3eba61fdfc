"""What a face showed beside its expression: eyes closed, where they looked, signs with a name.

A look is an estimate whose landmarks were found: about one a second while the face is followed,
up to three while it moves or changes, which therefore counts for more. A blink lasts less than it
takes to be sure of seeing one, so blinks are not counted; eyes cast down count as closed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.stretches import within
from affetti.core.events import WORD_SEPARATOR, Columns
from affetti.core.interruptions import Stretch

MAX_SIGNS: Final = 4
MIN_SHARE: Final = 0.1  # of the looks
GAZES: Final = ("camera", "left", "right")
_EYES_CLOSED: Final = "eyes_closed"


@dataclass(frozen=True)
class Looks:
    """The looks at a face in some stretches of a session.

    Attributes
    ----------
    made
        How many there were.
    eyes_closed
        In which share of them both eyes were closed, or cast down; NaN without a look.
    gazes
        In which share the eyes looked at the camera, and to the left and right of the picture;
        NaN without a look. The rest is in between, or not told.
    signs
        The codes of the most frequent signs with their shares, the most frequent first.
    """

    made: int
    eyes_closed: float
    gazes: dict[str, float]
    signs: tuple[tuple[str, float], ...]


def looks_in(face: Columns, stretches: Sequence[Stretch]) -> Looks:
    """Return what the looks at a face in some stretches showed.

    Parameters
    ----------
    face
        Columns of `FaceEstimated`.
    stretches
        Those that count.
    """
    t_ns = np.asarray(face.get("t_ns", np.empty(0)), np.int64)
    found = ~np.isnan(np.asarray(face.get("pitch_deg", np.full(len(t_ns), np.nan)), np.float64))
    inside = found & within(t_ns, stretches)
    made = int(inside.sum())
    codes = Counter(code for text in _texts(face, "reasons", inside) for code in _codes(text))
    gazes = Counter(_texts(face, "gaze", inside))
    shares = [(code, count / made) for code, count in codes.most_common(MAX_SIGNS)]
    return Looks(
        made=made,
        eyes_closed=codes[_EYES_CLOSED] / made if made else np.nan,
        gazes={gaze: gazes[gaze] / made if made else np.nan for gaze in GAZES},
        signs=tuple((code, share) for code, share in shares if share >= MIN_SHARE),
    )


def _texts(face: Columns, column: str, inside: NDArray[np.bool_]) -> list[str]:
    # A recording made before there were landmarks has none.
    return [text for text in face[column][inside] if isinstance(text, str)] if inside.any() else []


def _codes(text: str) -> list[str]:
    return text.split(WORD_SEPARATOR) if text else []
