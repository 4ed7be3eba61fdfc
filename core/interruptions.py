"""When something was not recorded, and why: a fold over the events of a session.

What is withheld, for want of consent or in a pause, is no failure to see: coverage is counted
without it. A device that is gone is one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from affetti.core.consent import NO_CONSENT, declared
from affetti.core.events import (
    ConsentChanged,
    DeviceLost,
    DeviceRestored,
    Event,
    FaceNamed,
    PersonChanged,
    RecordingPaused,
    RecordingResumed,
    SessionStarted,
    StreamOpened,
    UnknownEvent,
    Withdrawn,
)
from affetti.core.streams import ROOM, VIDEO

Cause: TypeAlias = Literal["no_consent", "paused", "lost"]
Stretch: TypeAlias = tuple[int, int]  # begin and end (exclusive), ns of session time


@dataclass
class Interruption:
    """A stretch in which something was not recorded; open while `end_ns` is None.

    Attributes
    ----------
    cause
        Why.
    what
        The scope of consent, or the device; "" for a pause, which concerns the whole person.
    start_ns, end_ns
        Session time.
    """

    cause: Cause
    what: str
    start_ns: int
    end_ns: int | None = None

    def stretch(self, now_ns: int) -> Stretch:
        """Return its begin and its end, or `now_ns` while it lasts."""
        return self.start_ns, max(self.start_ns, now_ns if self.end_ns is None else self.end_ns)


class Interruptions:
    """All interruptions of a session, in the order in which they began.

    Attributes
    ----------
    all
        Every one.
    persons_ns
        When the person was said to be another of the faces in view.
    named
        Whose a face was said to be.
    """

    def __init__(self) -> None:
        self.all: list[Interruption] = []
        self._consent = NO_CONSENT
        self._scopes = dict.fromkeys((VIDEO, ROOM))
        self.persons_ns: list[int] = []
        self.named: list[FaceNamed] = []

    def __iter__(self) -> Iterator[Interruption]:
        return iter(self.all)

    def apply(self, event: Event | UnknownEvent) -> None:
        """Take in the next event."""
        match event:
            case SessionStarted() | ConsentChanged():
                self._consent = event.consent
                self._heed(event)
            case StreamOpened():
                self._heed(event)
            case RecordingPaused() | RecordingResumed():
                self._turn("paused", "", isinstance(event, RecordingPaused), event.t_ns)
            case DeviceLost(device=device):
                self._turn("lost", device, True, event.t_ns)
            case DeviceRestored(device=device):
                self._restore(device, event)
            case Withdrawn(estimates_stay=False):
                for scope in event.scopes:
                    end_ns = event.t_ns if event.to_ns is None else event.to_ns
                    self.all.append(Interruption("no_consent", scope, event.from_ns, end_ns))
            case PersonChanged():
                self.persons_ns.append(event.t_ns)
            case FaceNamed():
                self.named.append(event)

    def _heed(self, event: SessionStarted | StreamOpened | ConsentChanged) -> None:
        """Turn to what may be recorded from now on of the scopes that this session concerns."""
        self._scopes |= dict.fromkeys(s.scope for s in declared(event).values() if s.scope)
        for scope in self._scopes:
            self._turn("no_consent", scope, not self._consent.grants(scope), event.t_ns)

    def withheld(self, scope: str, now_ns: int) -> list[Stretch]:
        """Return when nothing of a scope was to be recorded: no consent to it, or a pause."""
        return [
            each.stretch(now_ns)
            for each in self.all
            if each.cause == "paused" or (each.cause == "no_consent" and each.what == scope)
        ]

    def unfilmed_ns(self, start_ns: int, stop_ns: int, device: str, scope: str | None) -> int:
        """Return for how long between two moments no picture was taken, on purpose or not."""
        lost = [i.stretch(stop_ns) for i in self.all if (i.cause, i.what) == ("lost", device)]
        missing, done_ns = 0, start_ns
        held = self.withheld(scope, stop_ns) if scope else []
        for start, stop in sorted([*held, *lost]):
            begin, end = max(start, done_ns), min(stop, stop_ns)
            missing += max(0, end - begin)
            done_ns = max(done_ns, end)
        return missing

    def _turn(self, cause: Cause, what: str, begins: bool, t_ns: int) -> None:
        running = self._running(cause, what)
        if begins and running is None:
            self.all.append(Interruption(cause, what, t_ns))
        elif not begins and running is not None:
            running.end_ns = t_ns

    def _restore(self, device: str, event: DeviceRestored) -> None:
        running = self._running("lost", device)
        if running is not None:  # it was gone before that was noticed
            running.start_ns = min(running.start_ns, event.t_ns - event.gap_ns)
        self._turn("lost", device, False, event.t_ns)

    def _running(self, cause: Cause, what: str) -> Interruption | None:
        of_it = [each for each in self.all if (each.cause, each.what) == (cause, what)]
        return of_it[-1] if of_it and of_it[-1].end_ns is None else None
