"""Which estimates are not made: what is live about the live side, as a function."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from affetti.core.consent import NOTHING, Scopes
from affetti.core.events import (
    ConsentChanged,
    EmotionFused,
    EstimateSkipped,
    Event,
    Modality,
    SkipReason,
)

# Decides whether no estimate is made from an event, and why; True stands for "late".
Skip: TypeAlias = Callable[[Modality, Event], SkipReason | bool]
# From the fact that closes a tick, the fused estimate and what it needs: what of that has ended.
Lost: TypeAlias = Callable[[Event, EmotionFused, Scopes], Scopes]


def never(modality: Modality, event: Event) -> bool:
    """Skip nothing."""
    return False


def nothing_lost(event: Event, fused: EmotionFused, need: Scopes) -> Scopes:
    """Keep every fused estimate as it is."""
    return NOTHING


class RecordedSkips:
    """Skips exactly what the live side of a recording skipped; a `Skip`.

    A fused estimate that was under way when consent ended was made anew without what had ended:
    in the order of the log it stands behind the change of consent, and the fact that closed its
    tick before it.

    Parameters
    ----------
    events
        Of the recording, in order.
    """

    def __init__(self, events: Iterable[object]) -> None:
        self._skipped: dict[tuple[Modality, int], SkipReason] = {}
        self._changes: list[ConsentChanged] = []
        self._fused: dict[int, int] = {}  # the tick to its place in the log
        for event in events:
            match event:
                case EstimateSkipped():
                    self._skipped[event.modality, event.of_seq] = event.reason
                case ConsentChanged():
                    self._changes.append(event)
                case EmotionFused():
                    self._fused[event.t_ns] = event.seq

    def __call__(self, modality: Modality, event: Event) -> SkipReason | bool:
        """Return why no estimate was made, or False where one was."""
        return self._skipped.get((modality, event.seq), False)

    def lost(self, event: Event, fused: EmotionFused, need: Scopes) -> Scopes:
        """Return what had ended by the time a fused estimate was recorded; a `Lost`."""
        recorded = self._fused.get(fused.t_ns, event.seq)
        ended = [c.consent for c in self._changes if event.seq < c.seq < recorded]
        return frozenset(s for s in need if not all(consent.grants(s) for consent in ended))


def recorded_skips(events: Iterable[object]) -> RecordedSkips:
    """Return a function that skips exactly what the live side of a recording skipped."""
    return RecordedSkips(events)


def skipped(modality: Modality, event: Event, reason: SkipReason | bool) -> EstimateSkipped:
    """Return what is recorded in place of an estimate that was not made from `event`."""
    why = "late" if isinstance(reason, bool) else reason
    return EstimateSkipped(t_ns=event.t_ns, modality=modality, of_seq=event.seq, reason=why)
