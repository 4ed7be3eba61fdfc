"""From the estimates of all modalities to fused ones."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from affetti.core.consent import NOTHING, Scopes, declared, needed
from affetti.core.events import (
    ConsentChanged,
    EmotionFused,
    Estimated,
    Event,
    FaceEstimated,
    MusicEstimated,
    PerceptionSettings,
    SessionStarted,
)
from affetti.core.fusion import fuse
from affetti.core.streams import Stream
from affetti.core.synchrony import late_ns
from affetti.models.perception.skips import Lost, nothing_lost


class FusionPerception:
    """From the estimates of any modalities to fused ones, at fixed ticks of session time.

    A tick is closed by the first fact that is `fusion_lateness_ns` later than it. It uses the
    newest estimate of each modality about a moment at or before it, among those that facts
    recorded by then gave rise to; where it was measured how late pictures are, their stamps are
    set right by that. A face stays valid for `face_max_age_ns`, so that a blink of
    the detector is not yet "no face". What consent has ended for is forgotten. A modality takes
    part where the settings say how old an estimate of it may be.

    Parameters
    ----------
    lost
        What a fused estimate rests on that is no longer consented to; it is made anew without.
    """

    def __init__(self, lost: Lost = nothing_lost) -> None:
        self._lost = lost
        self._settings = PerceptionSettings()
        self._newest: dict[str, deque[_Felt]] = {}  # by modality
        self._streams: dict[str, Stream] = {}
        self._tick = 0  # ns, the next one
        self._late_ns = 0  # of pictures, as measured for the devices

    def push(self, event: Event, estimates: Sequence[Event]) -> list[EmotionFused]:
        """Take in the next fact and what perception made of it."""
        if isinstance(event, SessionStarted):
            self._settings = event.perception
            self._tick = self._settings.fusion_period_ns
            self._late_ns = late_ns(event.synchrony)
        self._streams |= declared(event)
        if isinstance(event, ConsentChanged):
            self._keep(lambda need: event.consent.grants(*need))
        for estimate in estimates:
            if isinstance(estimate, FaceEstimated) and estimate.emotions is None:
                continue
            if isinstance(estimate, FaceEstimated | MusicEstimated | Estimated):
                self._newest.setdefault(estimate.modality, deque()).append(estimate)
        fused = []
        lateness_ns = self._settings.fusion_lateness_ns + max(0, self._late_ns)
        while event.t_ns >= self._tick + lateness_ns:
            fused.append(self._close(event))
            self._tick += self._settings.fusion_period_ns
        return fused

    def _close(self, event: Event) -> EmotionFused:
        while True:
            fused, need = self._fuse(self._tick)
            lost = self._lost(event, fused, need)
            if not lost:
                return fused
            self._keep(lost.isdisjoint)

    def _keep(self, allowed: Callable[[Scopes], bool]) -> None:
        """Forget the estimates whose scopes of consent are not allowed."""
        self._newest = {
            name: deque(e for e in estimates if allowed(needed(e, self._streams)))
            for name, estimates in self._newest.items()
        }

    def _fuse(self, tick: int) -> tuple[EmotionFused, Scopes]:
        """Return the fused estimate of a tick, and what has to be consented to for it."""
        newest = {
            name: _newest(estimates, tick + self._late_of(name), max_age_ns)
            for name, estimates in self._newest.items()
            if (max_age_ns := self._settings.max_age_ns(name)) is not None
        }
        there = {name: e for name, e in newest.items() if e is not None and e.emotions is not None}
        need = NOTHING.union(*(needed(estimate, self._streams) for estimate in there.values()))
        return fuse(tick, {name: estimate.emotions for name, estimate in there.items()}), need

    def _late_of(self, modality: str) -> int:
        return self._late_ns if modality == "face" else 0


_Felt: TypeAlias = FaceEstimated | MusicEstimated | Estimated


def _newest(estimates: deque[_Felt], tick: int, max_age_ns: int) -> _Felt | None:
    """Return the newest estimate about `tick` or a little before; forget older ones."""
    while estimates and estimates[0].t_ns <= tick - max_age_ns:
        estimates.popleft()
    before = [estimate for estimate in estimates if estimate.t_ns <= tick]
    return before[-1] if before else None
