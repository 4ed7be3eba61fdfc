"""Whether the face responded to a track: changed more than it does without music.

A face changes without music, too. How much and how often is measured in the *quiet stretches* of
the same session: no track plays, no music is heard in the room, nothing is withheld, and nobody
was asked for a neutral face. Without `MIN_QUIET_S` of a face in them no response is claimed.

The *step* at a moment is the total variation distance between the mean distribution of the
`STEP_S` seconds before it and that of the `STEP_S` after it: the share of the expression that
moved, 0 to 1. A *response* is a lasting change of the face's smoothed state whose step is greater
than 95 % of the steps in the quiet stretches, in a track in which lasting changes are more frequent
than there. It is looked for from onset to the first interruption, and never across one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.estimates import Estimates, withheld
from affetti.analyzer.measures.segments import segments_of
from affetti.analyzer.measures.stretches import common, joined, within, without
from affetti.analyzer.measures.transitions import SILENT, Change, States
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, FloatArray
from affetti.core.events import Columns, PerceptionSettings
from affetti.core.interruptions import Stretch
from affetti.core.state import SessionState

MIN_QUIET_S: Final = 30.0
STEP_S: Final = 3.0
MIN_STEP: Final = 0.05  # less is no movement, however still the face was before
_QUANTILE: Final = 0.95
_MIN_SAID: Final = 0.5  # of the ticks on each side of a step

# Why no response is claimed.
Absence: TypeAlias = Literal["no_quiet", "no_change", "not_more"]


@dataclass(frozen=True)
class FaceCourse:
    """The face over a session, tick by tick.

    Attributes
    ----------
    tick_ns
        Length of a tick.
    states
        Its smoothed states.
    steps
        float64 [n], the step at the beginning of each tick; NaN where it is not known.
    changes
        Those that lasted.
    """

    tick_ns: int
    states: States
    steps: FloatArray
    changes: Sequence[Change]

    def seen_s(self, stretches: Sequence[Stretch]) -> float:
        """Return for how long there was a state in some stretches."""
        inside = within(self._begins, stretches) & (self.states.states != SILENT)
        return float(inside.sum()) * self.tick_ns / NS_PER_S

    def changes_in(self, stretches: Sequence[Stretch]) -> list[Change]:
        """Return the lasting changes in some stretches."""
        return [c for c in self.changes if within(np.array([_ns(c.t_s)]), stretches)[0]]

    def steps_in(self, stretches: Sequence[Stretch]) -> FloatArray:
        """Return the steps whose both sides lie within one of some stretches."""
        margin = round(STEP_S * NS_PER_S)
        inner = [(start + margin, stop - margin + 1) for start, stop in stretches]
        steps = self.steps[within(self._begins, [s for s in inner if s[0] < s[1]])]
        return steps[~np.isnan(steps)]

    def step_at(self, t_s: float) -> float:
        """Return the step at a moment; NaN where it is not known."""
        tick = _ns(t_s) // self.tick_ns
        return float(self.steps[tick]) if 0 <= tick < len(self.steps) else np.nan

    @property
    def _begins(self) -> NDArray[np.int64]:
        return np.arange(len(self.steps), dtype=np.int64) * self.tick_ns


def face_course(states: States, ticks: FloatArray, changes: Sequence[Change]) -> FaceCourse:
    """Return the face over a session.

    Parameters
    ----------
    states
        Its smoothed states, one a tick.
    ticks
        float64 [n, 7], the mean distribution of each tick; NaN where nothing was said.
    changes
        Of the states, those that lasted.
    """
    tick_ns = round(states.tick_s * NS_PER_S)
    return FaceCourse(tick_ns, states, steps_of(ticks, round(STEP_S / states.tick_s)), changes)


def ticks_of(estimates: Estimates, settings: PerceptionSettings, end_ns: int) -> FloatArray:
    """Return the mean distribution of each tick of a session, float64 [n, k]."""
    return segments_of(estimates, settings.fusion_period_ns, end_ns).shares


def steps_of(ticks: FloatArray, width: int) -> FloatArray:
    """Return the step at the beginning of each tick, float64 [n], 0 to 1.

    Parameters
    ----------
    ticks
        float64 [n, k], distributions; NaN where nothing was said.
    width
        How many ticks each side has; where under half of them said something, the step is NaN.
    """
    said = ~np.isnan(ticks[:, 0])
    sums = np.vstack((np.zeros(ticks.shape[1]), np.where(said[:, np.newaxis], ticks, 0).cumsum(0)))
    counts = np.concatenate(([0], said.cumsum()))
    at = np.arange(len(ticks))
    means, known = [], np.ones(len(ticks), bool)
    for side in ((at - width, at), (at, at + width)):
        start, stop = np.clip(side, 0, len(ticks))
        count = counts[stop] - counts[start]
        known &= count >= _MIN_SAID * width
        means.append((sums[stop] - sums[start]) / np.maximum(count, 1)[:, np.newaxis])
    steps = 0.5 * np.abs(means[1] - means[0]).sum(axis=1)
    return np.where(known, steps, np.nan)


@dataclass(frozen=True)
class Quiet:
    """The face without music.

    Attributes
    ----------
    seen_s
        For how long it was seen in the quiet stretches.
    changes
        How many lasting changes it showed there.
    step
        The step that 95 % of the moments there do not exceed, and at least `MIN_STEP`; NaN where
        none is known.
    """

    seen_s: float
    changes: int
    step: float

    @property
    def enough(self) -> bool:
        """Whether there was enough of it to compare with."""
        return self.seen_s >= MIN_QUIET_S and not np.isnan(self.step)

    @property
    def per_min(self) -> float:
        """Lasting changes a minute; NaN where the face was never seen."""
        return 60 * self.changes / self.seen_s if self.seen_s else np.nan


def quiet_stretches(state: SessionState, settings: PerceptionSettings, music: Columns
                    ) -> list[Stretch]:  # fmt: skip
    """Return when it was quiet: no track, no music in the room, nothing withheld, nothing asked."""
    tracks = [(t.start_ns, state.now_ns if t.end_ns is None else t.end_ns) for t in state.tracks]
    heard = np.asarray(music.get("t_ns", np.empty(0)), np.int64)
    said = ~np.isnan(np.asarray(music.get(EMOTIONS[0].value, np.empty(0)), np.float64))
    window_ns = settings.music_window_s * NS_PER_S
    sounding = joined((int(t) - window_ns, int(t)) for t in heard[said])
    asked = [
        (span.start_ns, state.now_ns if span.end_ns is None else span.end_ns)
        for span in (state.neutral_reference,)
        if span is not None
    ]
    taken = [*tracks, *sounding, *asked, *withheld(state, "face")]
    return without([(0, state.now_ns)], joined(taken))


def quiet_of(face: FaceCourse, stretches: Sequence[Stretch]) -> Quiet:
    """Measure the face in the quiet stretches."""
    steps = face.steps_in(stretches)
    step = max(float(np.quantile(steps, _QUANTILE)), MIN_STEP) if len(steps) else np.nan
    return Quiet(face.seen_s(stretches), len(face.changes_in(stretches)), step)


@dataclass(frozen=True)
class Response:
    """What the face did in a track, beside what it does without music.

    Attributes
    ----------
    change
        The response; None where none is claimed.
    absence
        Why not; None where one is.
    seen_s, changes
        For how long the face was seen in the track, and how many lasting changes it showed.
    step
        Of the response; NaN without one.
    """

    change: Change | None
    absence: Absence | None
    seen_s: float
    changes: int
    step: float = np.nan

    @property
    def per_min(self) -> float:
        """Lasting changes a minute; NaN where the face was never seen."""
        return 60 * self.changes / self.seen_s if self.seen_s else np.nan


def response_of(face: FaceCourse, heard: Sequence[Stretch], quiet: Quiet) -> Response:
    """Return the response of the face to a track, or why none is claimed.

    Parameters
    ----------
    face
        Over the session.
    heard
        When the track was heard and the face not withheld, in order.
    quiet
        The face without music.
    """
    changes, seen_s = face.changes_in(heard), face.seen_s(heard)
    onset, until = heard[0] if heard else (0, 0)
    first = [c for c in face.changes_in([(onset, until)]) if _ns(c.t_s) > onset]
    absence: Absence = "no_change" if not changes else "not_more" if quiet.enough else "no_quiet"
    often = seen_s > 0 and 60 * len(changes) / seen_s > quiet.per_min
    for change in first if quiet.enough and often else ():
        step = face.step_at(change.t_s)
        if step > quiet.step:
            return Response(change, None, seen_s, len(changes), step)
    return Response(None, absence, seen_s, len(changes))


def moved_since(face: FaceCourse, stretches: Sequence[Stretch], quiet: Quiet) -> bool | None:
    """Return whether the face has moved more than in the quiet stretches; None if unknown.

    For a track that still plays, where no change can be said to have lasted yet.
    """
    if not quiet.enough:
        return None
    begins = np.arange(len(face.steps), dtype=np.int64) * face.tick_ns
    steps = face.steps[within(begins, common(stretches, stretches))]
    known = steps[~np.isnan(steps)]
    return bool((known > quiet.step).any()) if len(known) else None


def _ns(t_s: float) -> int:
    return round(t_s * NS_PER_S)
