"""How far a session has come in the protocol of its study: a fold over events."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from affetti.core.clock import NS_PER_S
from affetti.core.events import ProtocolStarted, Step, StepBegun, StepEnded


class Pause(Protocol):
    """A stretch in which nothing of the person is kept; open while `end_ns` is None."""

    start_ns: int
    end_ns: int | None


@dataclass
class ProtocolCourse:
    """What was planned, and what became of it.

    Attributes
    ----------
    started
        What the protocol planned.
    begun_ns, ended
        When each step began, and how it ended, by its position.
    """

    started: ProtocolStarted
    begun_ns: dict[int, int] = field(default_factory=dict)
    ended: dict[int, StepEnded] = field(default_factory=dict)

    def apply(self, event: StepBegun | StepEnded) -> None:
        """Take in that a step began or is over."""
        if isinstance(event, StepBegun):
            self.begun_ns[event.step] = event.t_ns
        else:
            self.ended[event.step] = event

    @property
    def current(self) -> int | None:
        """The position of the step that goes on now; None between steps, before and after all."""
        running = [step for step in self.begun_ns if step not in self.ended]
        return max(running) if running else None

    @property
    def step(self) -> Step | None:
        """The step that goes on now."""
        at, steps = self.current, self.started.steps
        return steps[at] if at is not None and at < len(steps) else None

    @property
    def over(self) -> bool:
        """Whether every step is over."""
        return len(self.ended) >= len(self.started.steps)

    @property
    def done(self) -> int:
        """How many steps were done."""
        return sum(end.outcome == "done" for end in self.ended.values())

    @property
    def undone(self) -> list[tuple[int, Step, str]]:
        """What was planned and not done: position, step, and why, `not_reached` or `broken_off`."""
        found = []
        for at, step in enumerate(self.started.steps):
            end = self.ended.get(at)
            if end is None:
                found.append((at, step, "broken_off" if at in self.begun_ns else "not_reached"))
            elif end.outcome != "done":
                found.append((at, step, end.outcome))
        return found

    def left_s(self, now_ns: int, pauses: Iterable[Pause] = ()) -> float | None:
        """Return how long the present step goes on, in seconds; None where that is not known.

        Parameters
        ----------
        now_ns
            Session time.
        pauses
            Of the recording: in them no time of a step passes.
        """
        at, step = self.current, self.step
        if at is None or step is None or step.seconds is None:
            return None
        passed_ns = passed_since(self.begun_ns[at], now_ns, pauses)
        return max(0.0, step.seconds - passed_ns / NS_PER_S)


def passed_since(begun_ns: int, now_ns: int, pauses: Iterable[Pause]) -> int:
    """Return how much time passed since a moment, without what was paused, in nanoseconds."""
    paused_ns = sum(
        (now_ns if pause.end_ns is None else pause.end_ns) - max(begun_ns, pause.start_ns)
        for pause in pauses
        if pause.end_ns is None or pause.end_ns > begun_ns
    )
    return now_ns - begun_ns - paused_ns
