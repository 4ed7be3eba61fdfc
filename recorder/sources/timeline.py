"""When the pictures of a film are due: its own time stamps, as far as they can be believed."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar


class Stamped(Protocol):
    """Something with a place in the film."""

    @property
    def stamp_ns(self) -> int | None:
        """What the film says, in nanoseconds from its start; None where it says nothing."""
        ...


S = TypeVar("S", bound=Stamped)


def due_times(items: Iterable[S], nominal_ns: int) -> Iterator[tuple[S, int]]:
    """Yield each item with the moment it is due, in nanoseconds from the start of the film.

    Moments rise strictly. A stamp is believed, gaps and all, with three exceptions. One without
    a stamp comes `nominal_ns` after the one before it. So does a single stamp that fits neither
    its predecessor nor its successor, while those two fit each other. From a stamp that goes
    back, as where two films were joined, time goes on `nominal_ns` after the one before, and
    what follows keeps its distance from there.

    Parameters
    ----------
    items
        In the order of presentation; one of them is looked ahead.
    nominal_ns
        How long a picture lasts where nothing else is known.
    """
    line = _Timeline(nominal_ns)
    waiting = iter(items)
    item = next(waiting, None)
    while item is not None:
        following = next(waiting, None)
        yield item, line.due_ns(item.stamp_ns, following.stamp_ns if following else None)
        item = following


class _Timeline:
    def __init__(self, nominal_ns: int) -> None:
        self._nominal_ns = nominal_ns
        self._stamp_ns: int | None = None  # the latest that was believed
        self._due_ns = -1
        self._shift_ns = 0  # from the film's stamps to when pictures are due

    def due_ns(self, stamp_ns: int | None, next_ns: int | None) -> int:
        """Return when the next item is due, given its stamp and that of the one after it."""
        if stamp_ns is None or self._stray(stamp_ns, next_ns):
            self._due_ns = self._between(next_ns)
            return self._due_ns
        if self._stamp_ns is not None and stamp_ns + self._shift_ns <= self._due_ns:
            self._shift_ns = self._due_ns + self._nominal_ns - stamp_ns
        self._stamp_ns = stamp_ns
        self._due_ns = max(0, stamp_ns + self._shift_ns, self._due_ns + 1)
        return self._due_ns

    def _stray(self, stamp_ns: int, next_ns: int | None) -> bool:
        if self._stamp_ns is None or next_ns is None:
            return False
        return self._stamp_ns < next_ns and not self._stamp_ns < stamp_ns < next_ns

    def _between(self, next_ns: int | None) -> int:
        """Return a moment after the latest one, and before the next where that is known."""
        if self._due_ns < 0:
            return 0
        room_ns = self._nominal_ns
        if next_ns is not None and next_ns + self._shift_ns > self._due_ns:
            room_ns = min(room_ns, (next_ns + self._shift_ns - self._due_ns) // 2)
        return self._due_ns + max(1, room_ns)
