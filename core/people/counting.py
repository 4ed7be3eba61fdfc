"""The presses of marker keys, as they come: what each is the start or the end of."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from affetti.core.events.moments import END, START, STRETCH, MarkerAdded, MarkerKey

Edge = Literal["start", "end"]


@dataclass(frozen=True)
class Press:
    """What a press of a key adds to the log: a marker with this word, number and edge."""

    label: str
    number: int | None = None
    edge: Edge | None = None


class Counting:
    """Which stretches have begun, and how often each word was marked.

    Parameters
    ----------
    markers
        What is counted, each with its key.

    Attributes
    ----------
    open
        The number of the stretch that has begun, by its word.
    times
        How often each was marked.
    """

    def __init__(self, markers: Iterable[MarkerKey]) -> None:
        self.markers = tuple(markers)
        self.open: dict[str, int] = {}
        self.times = dict.fromkeys((marker.label for marker in self.markers), 0)

    def of_key(self, key: str) -> MarkerKey | None:
        """Return what is counted with a key."""
        return next((marker for marker in self.markers if marker.key == key), None)

    def of_line(self, line: str) -> MarkerKey | None:
        """Return what is counted by its key, or its word."""
        return self.of_key(line) or next((m for m in self.markers if m.label == line), None)

    def press(self, marker: MarkerKey, number: int) -> Press:
        """Take in a press, and return what it adds.

        Parameters
        ----------
        marker
            What was marked.
        number
            For a stretch that begins: one that no marker of the session has.
        """
        begun = self.open.pop(marker.label, None)
        if begun is not None:
            return Press(marker.label, begun, END)
        self.times[marker.label] = self.times.get(marker.label, 0) + 1
        if marker.form != STRETCH:
            return Press(marker.label)
        self.open[marker.label] = number
        return Press(marker.label, number, START)


def fresh_number(markers: Iterable[MarkerAdded]) -> int:
    """Return a number that no marker of a session has."""
    known = list(markers)
    return max([len(known), *(marker.number or 0 for marker in known)], default=0) + 1
