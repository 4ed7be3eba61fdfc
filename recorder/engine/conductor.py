"""Leads a session through the protocol of a study, step by step, and notes what is done.

It runs in the engine, with a screen and without one: a screen only shows which step goes on, and
asks the person what the protocol asks.
"""

import threading
from collections.abc import Callable
from typing import Final, Protocol

from affetti.core.clock import NS_PER_S
from affetti.core.codes import Code
from affetti.core.events import (
    Event,
    FaceEstimated,
    ProtocolStarted,
    Step,
    StepBegun,
    StepEnded,
    StepOutcome,
)
from affetti.core.protocol_course import passed_since
from affetti.core.state import SessionState, Track

_GOOD_LOOKS: Final = 5  # faces in a row that are seen well, before the light is good
_MUTE_NS: Final = 2 * NS_PER_S  # after which a track that has not begun never will


class Deck(Protocol):
    """What plays the tracks, each when it is asked for."""

    ended: threading.Event  # set once it plays nothing any more

    def play(self, track: int) -> None:
        """Play a track from its beginning."""

    def next(self) -> None:
        """End the track."""

    def stop_track(self) -> None:
        """End the track once it was played long enough."""


class Conductor:
    """Begins each step when the one before is over.

    Parameters
    ----------
    planned
        What the protocol plans.
    put
        Takes the events that say what is done.
    deck
        Plays the tracks; None where there are none.
    show_neutral, end_neutral
        Begin and end a neutral reference.
    attended
        Whether there is a screen, where the person can be asked; see `expect_answers`.
    """

    def __init__(
        self,
        planned: ProtocolStarted,
        put: Callable[[Event], object],
        deck: Deck | None,
        show_neutral: Callable[[float], None],
        end_neutral: Callable[[], None],
        *,
        attended: bool,
    ) -> None:
        self._steps = planned.steps
        self._put = put
        self._deck = deck
        self._show_neutral = show_neutral
        self._end_neutral = end_neutral
        self._attended = attended
        self._at = -1  # the step that goes on
        self._begun_ns = 0
        self._heard = 0  # tracks and self-reports before it
        self._cut = False  # whether somebody asked to go on
        self._stopped = False  # whether its track was told to end
        self._looks: list[Code] = []  # at the light, the last ones
        self._looked_ns = -1  # what the latest was about

    @property
    def over(self) -> bool:
        """Whether every step is over."""
        return self._at >= len(self._steps)

    def expect_answers(self, expected: bool) -> None:
        """Say, from any thread, whether there is somebody who hands over self-reports."""
        self._attended = expected

    def go_on(self) -> None:
        """End the present step, whatever is left of it."""
        self._cut = True

    def turn(self, state: SessionState, now_ns: int) -> None:
        """End the present step where it is over, and begin the next.

        Parameters
        ----------
        state
            Of the session, as of the last event written.
        now_ns
            Session time.
        """
        if self._at < 0:
            self._begin(0, state, now_ns)
        elif not self.over:
            outcome = self._outcome(self._steps[self._at], state, now_ns)
            if outcome is not None:
                self._end(outcome, now_ns)
                self._begin(self._at + 1, state, now_ns)

    def _begin(self, at: int, state: SessionState, now_ns: int) -> None:
        self._at, self._begun_ns = at, now_ns
        self._cut = self._stopped = False
        self._looks.clear()
        if self.over:
            return
        step = self._steps[at]
        self._put(StepBegun(t_ns=now_ns, step=at, step_kind=step.kind))
        match step.kind:
            case "neutral":
                self._show_neutral(step.seconds or 0.0)
            case "self_report":
                self._heard = len(state.self_reports)
            case "track":
                self._heard = len(state.tracks)
                if self._deck is not None:
                    self._deck.play(step.track or 0)

    def _end(self, outcome: StepOutcome, now_ns: int) -> None:
        step = self._steps[self._at]
        if step.kind == "neutral" and outcome == "skipped":
            self._end_neutral()
        advice = self._looks[-1] if step.kind == "light" and self._looks else ""
        self._put(
            StepEnded(
                t_ns=now_ns, step=self._at, step_kind=step.kind, outcome=outcome, advice=advice
            )
        )

    def _outcome(self, step: Step, state: SessionState, now_ns: int) -> StepOutcome | None:
        """Return how the present step ends now; None where it goes on."""
        match step.kind:
            case "track":
                return self._of_track(step, state, now_ns)
            case "self_report":
                return self._of_self_report(state)
            case "light":
                return self._of_light(step, state, now_ns)
        if self._cut:
            return "skipped"
        return "done" if self._is_over(step, state, now_ns) else None

    def _is_over(self, step: Step, state: SessionState, now_ns: int) -> bool:
        """Whether the time of a step is over; while the recording is paused, none passes."""
        passed_ns = passed_since(self._begun_ns, now_ns, state.pauses)
        return step.seconds is not None and passed_ns >= step.seconds * NS_PER_S

    def _of_track(self, step: Step, state: SessionState, now_ns: int) -> StepOutcome | None:
        if self._deck is None:
            return "failed"
        track = next((t for t in state.tracks[self._heard :] if t.number == step.track), None)
        if self._cut and not self._stopped:
            self._stopped = True
            self._deck.next()
        elif track is not None and not self._stopped and _is_heard(step, track, now_ns):
            self._stopped = True
            self._deck.stop_track()
        if track is None:
            mute = self._deck.ended.is_set() and now_ns - self._begun_ns > _MUTE_NS
            return "failed" if mute else None
        return None if track.end_ns is None else self._end_of(track)

    def _end_of(self, track: Track) -> StepOutcome:
        if self._cut:
            return "skipped"
        return "done" if track.reason == "finished" or self._stopped else "failed"

    def _of_self_report(self, state: SessionState) -> StepOutcome | None:
        if len(state.self_reports) > self._heard:
            return "skipped" if state.self_reports[-1].skipped else "done"
        if not self._attended:
            return "unattended"
        return "skipped" if self._cut else None

    def _of_light(self, step: Step, state: SessionState, now_ns: int) -> StepOutcome | None:
        face = state.face
        if face is not None and face.t_ns > max(self._looked_ns, self._begun_ns):
            self._looked_ns = face.t_ns
            self._looks = [*self._looks, _advice(face)][-_GOOD_LOOKS:]
        if self._looks == ["good"] * _GOOD_LOOKS:
            return "done"
        if self._cut:
            return "skipped"
        return "poor" if self._is_over(step, state, now_ns) else None


def _is_heard(step: Step, track: Track, now_ns: int) -> bool:
    """Whether a track was played for as long as the protocol wants."""
    return step.seconds is not None and track.played_s(now_ns) >= step.seconds


def _advice(face: FaceEstimated) -> Code:
    from affetti.recorder.engine.sight import advice_of  # noqa: PLC0415  OpenCV

    return advice_of(face)
