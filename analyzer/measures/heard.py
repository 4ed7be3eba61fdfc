"""What kinds of sound were heard, in which stream and when; never whose they were."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.stretches import common, joined, total_ns, within, without
from affetti.core.clock import NS_PER_S
from affetti.core.events import WORD_SEPARATOR, Columns
from affetti.core.heard import KINDS, Kind
from affetti.core.interruptions import Stretch
from affetti.core.state import SessionState

ROOM: Final = "room"
PLAYBACK: Final = "playback"
# A pause for breath does not end a song, nor does one between words end what is said.
JOINED_NS: Final = 2 * NS_PER_S


@dataclass(frozen=True)
class Heard:
    """What was heard in one stream.

    Attributes
    ----------
    stream
        Its name.
    due_s
        How long there was something to listen to: not paused, consented to, and of the playback
        while a track played.
    listened_s
        How long it was listened to.
    seconds
        In how many seconds each kind was heard; several may be in one.
    stretches
        When each kind was heard; pauses up to `JOINED_NS` are joined.
    """

    stream: str
    due_s: float
    listened_s: int
    seconds: Mapping[Kind, int]
    stretches: Mapping[Kind, Sequence[Stretch]]

    def share(self, kind: Kind) -> float:
        """Return in how much of what was listened to a kind was heard, 0 to 1; NaN of nothing."""
        return self.seconds[kind] / self.listened_s if self.listened_s else np.nan

    @property
    def coverage(self) -> float:
        """How much of what was due was listened to, 0 to 1; NaN where nothing was."""
        return min(self.listened_s / self.due_s, 1.0) if self.due_s else np.nan

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Those that were heard, in the order of the vocabulary."""
        return tuple(kind for kind in KINDS if self.seconds[kind])


def heard_of(table: Columns, state: SessionState, stretches: Sequence[Stretch]) -> dict[str, Heard]:
    """Return what was heard in some stretches, by stream, of all that were listened to.

    Parameters
    ----------
    table
        Columns of `HeardEstimated`; may be empty.
    state
        After the last event.
    stretches
        Those that count.
    """
    streams = np.asarray(table.get("stream", np.empty(0, object)), object)
    ends = np.asarray(table.get("t_ns", np.empty(0)), np.int64)
    said = np.asarray(table.get("heard", np.empty(0, object)), object)
    found = {}
    for stream in sorted(set(streams), key=[ROOM, PLAYBACK, *sorted(set(streams))].index):
        due = _due(stream, state, stretches)
        counts = (streams == stream) & within(ends - NS_PER_S, due)
        found[str(stream)] = _heard(str(stream), total_ns(due), ends[counts], said[counts])
    return found


def _due(stream: str, state: SessionState, stretches: Iterable[Stretch]) -> list[Stretch]:
    if stream == PLAYBACK:
        playing = [(t.start_ns, state.now_ns if t.end_ns is None else t.end_ns)
                   for t in state.tracks]  # fmt: skip
        return common(stretches, playing)
    return without(joined(stretches), joined(state.interruptions.withheld(stream, state.now_ns)))


def _heard(stream: str, due_ns: int, ends: NDArray[np.int64], said: NDArray[np.object_]) -> Heard:
    words = [set(str(each).split(WORD_SEPARATOR)) for each in said]
    seconds: dict[Kind, int] = {}
    stretches: dict[Kind, list[Stretch]] = {}
    for kind in KINDS:
        there = [int(end) for end, kinds in zip(ends, words, strict=True) if kind in kinds]
        seconds[kind] = len(there)
        stretches[kind] = _near([(end - NS_PER_S, end) for end in there])
    return Heard(stream, due_ns / NS_PER_S, len(ends), seconds, stretches)


def _near(seconds: list[Stretch]) -> list[Stretch]:
    """Join seconds that lie no farther apart than a pause."""
    found: list[Stretch] = []
    for start, stop in sorted(seconds):
        if found and start - found[-1][1] <= JOINED_NS:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found
