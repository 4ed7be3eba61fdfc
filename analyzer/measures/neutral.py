"""What became of the neutral reference: whether it was taken, and if not, why."""

from typing import Final

import numpy as np

from affetti.core.emotions import EXPRESSIONS
from affetti.core.events import Columns
from affetti.core.state import SessionState
from affetti.models.face.reference import TAKEN, Outcome, judged

EYES: Final = ("left_eye_open", "right_eye_open")


def neutral_outcome(state: SessionState, face: Columns) -> Outcome | None:
    """Return what became of the latest neutral reference; None without one, or while it lasts.

    What perception did with it stands in the estimates after it; why it did so is judged anew
    from those in it, as perception judges them.

    Parameters
    ----------
    state
        Of the session.
    face
        Columns of `FaceEstimated`.
    """
    span = state.neutral_reference
    if span is None or span.end_ns is None:
        return None
    t_ns = np.asarray(face.get("t_ns", np.empty(0)), np.int64)
    missing = np.full(len(t_ns), np.nan)
    words = np.column_stack([face.get(name.value, missing) for name in EXPRESSIONS])
    read = ~np.isnan(words[:, 0])
    used = np.asarray(face.get("neutral_reference", missing)) > 0
    inside = read & (t_ns >= span.start_ns) & (t_ns < span.end_ns)
    looked = inside & ~np.isnan(np.asarray(face.get("pitch_deg", missing), np.float64))
    eyes = np.column_stack([face.get(name, missing) for name in EYES])[looked]
    yaw_deg = np.asarray(face.get("yaw_deg", missing), np.float64)[looked]
    outcome = judged(words[inside], eyes[~np.isnan(eyes[:, 0])], yaw_deg)
    # At its very edges perception may have seen a picture more or less.
    if np.any(used & (t_ns >= span.end_ns)):
        return outcome if outcome in TAKEN else "doubtful"
    after = bool(np.any(read & (t_ns >= span.end_ns)))
    return "unsteady" if outcome in TAKEN and after else outcome
