"""The estimates of one modality, and when they were due.

What was withheld, for want of consent or in a pause, was not due. A face that is turned away,
a silence, a camera that was lost: each lowers coverage, and none is filled with a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.stretches import common, joined, within, without
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, EXPRESSIONS, FloatArray, Label
from affetti.core.events import Columns, PerceptionSettings
from affetti.core.interruptions import Stretch
from affetti.core.state import SessionState
from affetti.core.synchrony import late_ns

ModalityName: TypeAlias = Literal["face", "music", "fused"]
MODALITIES: Final[tuple[ModalityName, ...]] = ("face", "music", "fused")
# A face is said to express one of seven, neutral among them; music, and both, one of four.
LABELS: Final[dict[ModalityName, tuple[Label, ...]]] = {
    "face": EXPRESSIONS,
    "music": EMOTIONS,
    "fused": EMOTIONS,
}

# Of what is heard, valence and arousal are estimated as themselves.
AXES: Final = ("valence", "arousal")

IntArray: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Estimates:
    """The estimates of one modality, in order of the moment they are about.

    Attributes
    ----------
    t_ns
        int64 [n].
    emotions
        float64 [n, 4], in the order of `EMOTIONS`; NaN where an estimate says nothing.
    expected_ns
        int64 [m], when perception was due to speak, what was withheld taken out.
    period_ns
        How far apart that is.
    expressions
        float64 [n, 7], in the order of `EXPRESSIONS`, of a face: those are what it is said to
        express. None of everything else.
    circumplex
        float64 [n, 2], valence and arousal, -1 to 1, of music; NaN where they were not estimated.
        None of everything else.
    unread
        object [n], why a face that was there is not read, a code; "" where none was there, or one
        was read. None of everything else.
    """

    t_ns: IntArray
    emotions: FloatArray
    expected_ns: IntArray
    period_ns: int
    expressions: FloatArray | None = None
    circumplex: FloatArray | None = None
    unread: NDArray[np.object_] | None = None

    @property
    def labels(self) -> tuple[Label, ...]:
        """What this modality is said to express."""
        return EMOTIONS if self.expressions is None else EXPRESSIONS

    @property
    def shares(self) -> FloatArray:
        """float64 [n, k], the probability of each of the labels."""
        return self.emotions if self.expressions is None else self.expressions

    def places(self) -> FloatArray:
        """Return valence and arousal, float64 [n, 2]; NaN where nothing estimated them."""
        nowhere = np.full((len(self.t_ns), len(AXES)), np.nan)
        return nowhere if self.circumplex is None else self.circumplex

    @property
    def said(self) -> NDArray[np.bool_]:
        """Bool [n], which estimates say something."""
        return ~np.isnan(self.emotions[:, 0])


def estimates_of(
    table: Columns,
    expected_ns: IntArray,
    period_ns: int,
    labels: tuple[Label, ...] = EMOTIONS,
) -> Estimates:
    """Return the rows of a table of estimates as `Estimates`.

    Parameters
    ----------
    table
        Columns of face, music or fused estimates; may be empty.
    expected_ns, period_ns
        When they were due.
    labels
        What they say is expressed, see `LABELS`.
    """
    t_ns = np.asarray(table.get("t_ns", np.empty(0)), np.int64)
    order = np.argsort(t_ns, kind="stable")
    missing = np.full(len(t_ns), np.nan)

    def shares(names: tuple[Label, ...]) -> FloatArray:
        columns = np.column_stack([table.get(name, missing) for name in names])
        return np.asarray(columns[order], np.float64)

    expressions = shares(EXPRESSIONS) if labels == EXPRESSIONS else None
    circumplex = (
        np.column_stack([table[axis][order] for axis in AXES]) if AXES[0] in table else None
    )
    unread = None if expressions is None else unread_codes(table)[order]
    return Estimates(
        t_ns[order], shares(EMOTIONS), expected_ns, period_ns, expressions, circumplex, unread
    )


def unread_codes(face: Columns) -> NDArray[np.object_]:
    """Return why a face that was there was not read, object [n]: a code, or "".

    The codes are those of `FaceEstimated.nobody` and of `Face.unread`.

    Parameters
    ----------
    face
        Columns of `FaceEstimated`; may be empty.
    """
    blank = np.full(len(face.get("t_ns", ())), "", object)
    why = zip(face.get("nobody", blank), face.get("unread", blank), strict=True)
    return np.array([str(nobody or unread or "") for nobody, unread in why], object)


def synchronous(tables: Mapping[str, Columns], state: SessionState) -> dict[str, Columns]:
    """Return tables of estimates with the moments of the face in the time of the sound.

    What was measured of how late pictures are is taken from their stamps; where nothing was,
    these stay as they are.
    """
    late = late_ns(state.started.synchrony) if state.started else 0
    face = tables.get("face", {})
    if not late or "t_ns" not in face:
        return dict(tables)
    t_ns = np.maximum(np.asarray(face["t_ns"], np.int64) - late, 0)
    return {**tables, "face": {**face, "t_ns": t_ns}}


def period_ns(settings: PerceptionSettings, modality: ModalityName) -> int:
    """Return how far apart the estimates of a modality are due."""
    return {
        "face": settings.face_period_ns,
        "music": settings.music_period_s * NS_PER_S,
        "fused": settings.fusion_period_ns,
    }[modality]


def expected_ns(
    state: SessionState, settings: PerceptionSettings, modality: ModalityName
) -> IntArray:
    """Return the moments at which a modality was due to speak, int64 [n].

    From the beginning to the end of the session, whether or not there was a camera or music;
    what was withheld is taken out: see `withheld`.
    """
    period = period_ns(settings, modality)
    # A face may be read at once; a window of music or a tick has to have passed.
    first = 0 if modality == "face" else period
    pictures_ns = max(0, late_ns(state.started.synchrony)) if state.started else 0
    late = settings.fusion_lateness_ns + pictures_ns if modality == "fused" else 0
    due = np.arange(first, max(state.now_ns - late, 0), period, dtype=np.int64)
    return due[~within(due, withheld(state, modality))]


def withheld(state: SessionState, modality: ModalityName) -> list[Stretch]:
    """Return when a modality had nothing to speak of: no consent to it, or a pause.

    A track that plays is heard all the same, and both together speak while one of them can.
    """
    face = joined(state.interruptions.withheld("video", state.now_ns))
    if modality == "face":
        return face
    tracks = [(t.start_ns, state.now_ns if t.end_ns is None else t.end_ns) for t in state.tracks]
    music = without(joined(state.interruptions.withheld("room", state.now_ns)), tracks)
    return music if modality == "music" else common(face, music)
