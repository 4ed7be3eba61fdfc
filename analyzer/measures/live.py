"""Whether the face moves more in the track that plays than it does without music, live."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from affetti.analyzer.measures.estimates import withheld
from affetti.analyzer.measures.responses import (
    FaceCourse,
    Quiet,
    face_course,
    moved_since,
    quiet_of,
    quiet_stretches,
)
from affetti.analyzer.measures.stretches import without
from affetti.analyzer.measures.transitions import SILENT, States
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, EXPRESSIONS, FloatArray
from affetti.core.events import FaceEstimated, MusicEstimated, PerceptionSettings
from affetti.core.state import SessionState, Track
from affetti.core.synchrony import late_ns

_EVERY_NS = 2 * NS_PER_S


@dataclass
class Watch:
    """Follows the face from tick to tick, and looks at it every other second.

    States are not smoothed here: that takes the whole session. What moved is measured as in
    `responses`, by the step, and no change is said to last.
    """

    _ticks: dict[int, list[float]] = field(default_factory=dict)  # sums, and their number
    _faces: list[FaceEstimated] = field(default_factory=list)
    _heard_ns: list[int] = field(default_factory=list)
    _looked_ns: int = -_EVERY_NS
    _moved: bool | None = None

    def see(self, estimate: FaceEstimated) -> None:
        """Take in a face estimate."""
        if estimate.expressions is not None:
            self._faces.append(estimate)

    def hear(self, estimate: MusicEstimated) -> None:
        """Take in a music estimate."""
        if estimate.emotions is not None:
            self._heard_ns.append(estimate.t_ns)

    def moved(self, state: SessionState, settings: PerceptionSettings) -> bool | None:
        """Return whether the face has moved more in this track than in the quiet stretches.

        None where no track plays, or where there is too little to compare with.
        """
        track = state.track
        if track is None:
            return None
        if abs(state.now_ns - self._looked_ns) >= _EVERY_NS:
            self._looked_ns = state.now_ns
            self._moved = self._look(track, state, settings)
        return self._moved

    def _look(self, track: Track, state: SessionState, settings: PerceptionSettings) -> bool | None:
        late = late_ns(state.started.synchrony) if state.started else 0
        self._sum_up(settings.fusion_period_ns, late)
        ticks = self._means(state.now_ns // settings.fusion_period_ns + 1)
        face = _course(ticks, settings.fusion_period_ns)
        music = {
            "t_ns": np.array(self._heard_ns, np.int64),
            EMOTIONS[0].value: np.ones(len(self._heard_ns)),
        }
        quiet = quiet_of(face, quiet_stretches(state, settings, music))
        return _moved(track, state, face, quiet)

    def _sum_up(self, tick_ns: int, late_ns: int) -> None:
        for estimate in self._faces:
            tick = max(0, estimate.t_ns - late_ns) // tick_ns
            total = self._ticks.setdefault(tick, [0.0] * (len(EXPRESSIONS) + 1))
            for i, share in enumerate((*(estimate.expressions or ()), 1.0)):
                total[i] += share
        self._faces.clear()

    def _means(self, count: int) -> FloatArray:
        ticks = np.full((count, len(EXPRESSIONS)), np.nan)
        for tick, total in self._ticks.items():
            if 0 <= tick < count:
                ticks[tick] = np.array(total[:-1]) / total[-1]
        return ticks


def _course(ticks: FloatArray, tick_ns: int) -> FaceCourse:
    seen = ~np.isnan(ticks[:, 0])
    states = np.where(seen, 0, SILENT).astype(np.int8)
    return face_course(States(tick_ns / NS_PER_S, EXPRESSIONS, states, ticks), ticks, ())


def _moved(track: Track, state: SessionState, face: FaceCourse, quiet: Quiet) -> bool | None:
    played: Sequence[tuple[int, int]] = [(track.start_ns, state.now_ns + 1)]
    held = [
        *withheld(state, "face"),
        *((p.start_ns, p.end_ns or state.now_ns) for p in track.pauses),
    ]
    first = without(played, held)[:1]
    return moved_since(face, first, quiet)
