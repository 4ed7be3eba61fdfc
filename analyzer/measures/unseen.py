"""What could not be seen or heard, when and why; and whose face it was not certain to be."""

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from affetti.analyzer.measures.estimates import unread_codes
from affetti.analyzer.measures.stretches import joined, total_ns
from affetti.core.clock import NS_PER_S
from affetti.core.events import Columns
from affetti.core.state import SessionState

Cause: TypeAlias = Literal[
    "no_consent", "paused", "lost", "several_faces", "other_person", "face_named", "read_face"
]

_BY_ITSELF: Final = ("chosen", "lost", "returned")
_BRIDGED_NS: Final = 2 * NS_PER_S  # two faces that are gone for less are there all the time
_MIN_NS: Final = NS_PER_S  # a second face for less is a slip of the detector


@dataclass(frozen=True)
class Unseen:
    """One stretch, or one moment, of which something is not known.

    Attributes
    ----------
    cause
        Why.
    what
        The scope of consent, the device, whose a face was said to be, or how who is read changed;
        "" otherwise.
    start_s, stop_s
        Session time; the same for a moment.
    """

    cause: Cause
    what: str
    start_s: float
    stop_s: float


def unseen_of(state: SessionState, face: Columns) -> list[Unseen]:
    """Return everything that could not be seen or heard, in order of time.

    Parameters
    ----------
    state
        Of the session.
    face
        Columns of `FaceEstimated`.
    """
    found = [
        _unseen(each.cause, each.what, *each.stretch(state.now_ns)) for each in state.interruptions
    ]
    found += [_unseen("several_faces", "", *stretch) for stretch in crowds(face)]
    found += [_unseen("other_person", "", t, t) for t in state.interruptions.persons_ns]
    found += [
        _unseen("face_named", each.role, each.t_ns, each.t_ns) for each in state.interruptions.named
    ]
    found += [_unseen("read_face", how, t_ns, t_ns) for t_ns, how in changes_of_person(face)]
    return sorted(found, key=lambda each: (each.start_s, each.stop_s))


def changes_of_person(face: Columns) -> list[tuple[int, str]]:
    """Return when perception itself took another face, or none, for the person's, and how.

    The codes are those of `FaceEstimated.change`: lost, returned, and chosen, but for the first
    face of all. What the therapist changed is told as theirs.
    """
    codes = face.get("change", np.empty(0, object))
    found = [
        (int(t_ns), str(code))
        for t_ns, code in zip(face.get("t_ns", ()), codes, strict=False)
        if code in _BY_ITSELF
    ]
    return found[1:] if found and found[0][1] == "chosen" else found


def crowds(face: Columns) -> list[tuple[int, int]]:
    """Return the stretches in which several faces were in view."""
    t_ns, faces = _faces(face)
    several = joined((int(t), int(t) + _BRIDGED_NS) for t in t_ns[faces > 1])
    exact = [(start, stop - _BRIDGED_NS + 1) for start, stop in several]
    return [(start, stop) for start, stop in exact if stop - start > _MIN_NS]


def crowded_share(face: Columns) -> float:
    """Return in which share of the frames with a face there were several; NaN without any."""
    _, faces = _faces(face)
    seen = int((faces > 0).sum())
    return float((faces > 1).sum()) / seen if seen else np.nan


def unread_shares(face: Columns) -> dict[str, float]:
    """Return in which share of the frames with a face nobody was read, by why; the largest first.

    The codes are those of `FaceEstimated.nobody` and of `Face.unread`.
    """
    _, faces = _faces(face)
    codes = Counter(code for code in unread_codes(face) if code)
    seen = max(1, int((faces > 0).sum()))
    return {code: count / seen for code, count in codes.most_common()}


def lost_s(state: SessionState, device: str) -> float:
    """Return for how long a device was gone."""
    gone = [i.stretch(state.now_ns) for i in state.interruptions if i.cause == "lost"
            and i.what == device]  # fmt: skip
    return total_ns(gone) / NS_PER_S


def _faces(face: Columns) -> tuple["np.ndarray[tuple[int], np.dtype[np.int64]]",
                                   "np.ndarray[tuple[int], np.dtype[np.int64]]"]:  # fmt: skip
    t_ns = np.asarray(face.get("t_ns", np.empty(0)), np.int64)
    return t_ns, np.nan_to_num(np.asarray(face.get("faces", np.zeros(len(t_ns))))).astype(np.int64)


def _unseen(cause: Cause, what: str, start_ns: int, stop_ns: int) -> Unseen:
    return Unseen(cause, what, start_ns / NS_PER_S, stop_ns / NS_PER_S)
