"""What happens in a film and beside it, step by step, each ready to be written at its moment.

A step is a moment in nanoseconds of session time, by which what it writes has happened, and a
function that writes it. Steps of several files are merged by their moments, so that the log has
the order of a live one.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    AudioFormat,
    GapCause,
    SoundLoss,
    TrackEnded,
    TrackEndReason,
)
from affetti.core.streams import PLAYBACK, ROOM
from affetti.recorder.sources import Sink
from affetti.recorder.sources.container import Decoded, Undecoded
from affetti.recorder.sources.film import Holes, in_order
from affetti.recorder.sources.frames import FrameLog
from affetti.recorder.sources.sound import Decoded as Read
from affetti.recorder.sources.soundtrack import Heard, Missing, Soundtrack
from affetti.recorder.sources.stream import BLOCK, StreamLog
from affetti.recorder.sources.timeline import due_times
from affetti.recorder.sources.track import Track, decode, track_started

T = TypeVar("T")

Step: TypeAlias = tuple[int, Callable[[], object]]

_BLOCKS_PER_S: Final = 10  # a device's are shorter, for the sake of who looks on
_AT_ONCE: Final = 2  # pictures: of the largest kind two are 200 MB


class Pictures:
    """The pictures of a film.

    Parameters
    ----------
    items
        What was decoded of it, and what cannot be.
    nominal_ns
        How long a picture lasts where nothing else is known.
    sink, stream, jpeg_quality
        Where they go, of which stream, from 0 to 100.

    Attributes
    ----------
    over_ns
        When the last that was yielded is over.
    """

    def __init__(
        self,
        items: Iterator[Decoded | Undecoded],
        nominal_ns: int,
        sink: Sink,
        stream: str,
        jpeg_quality: int,
    ) -> None:
        self._items = items
        self._nominal_ns = nominal_ns
        self._log = FrameLog(sink, jpeg_quality, stream=stream)
        self.holes = Holes(sink, stream, 0)
        self.over_ns = 0

    def steps(self, stated_end_ns: Callable[[], int | None]) -> Iterator[Step]:
        """Yield a step for each picture, and for each that cannot be decoded.

        The last lasts as long as it is told to, but not beyond the end that the film states.
        """
        due_ns = 0
        for item, due_ns in due_times(in_order(self._items), self._nominal_ns):
            yield due_ns, partial(self._keep, item, due_ns)
            lasts_ns = item.duration_ns if isinstance(item, Decoded) else None
            self.over_ns = due_ns + (lasts_ns or self._nominal_ns)
        end_ns = stated_end_ns()
        if end_ns is not None and due_ns < end_ns:
            self.over_ns = min(self.over_ns, end_ns)
        yield self.over_ns, partial(self.holes.close, self.over_ns)

    def _keep(self, item: Decoded | Undecoded, due_ns: int) -> None:
        if isinstance(item, Undecoded):
            self.holes.widen(due_ns)
        else:
            self.holes.close(due_ns)
            self._log.keep(item.picture, due_ns)


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield items while the next of them is made in a thread; close it before what they are of."""
    with ThreadPoolExecutor(1, "read ahead") as reader:
        coming = reader.submit(_some, items)
        while found := coming.result():
            coming = reader.submit(_some, items)
            yield from found


def _some(items: Iterator[T]) -> list[T]:
    return list(islice(items, _AT_ONCE))


def soundtrack_steps(sound: Soundtrack, sink: Sink) -> Iterator[Step]:
    """Yield a step for each block of the sound of a film, as that of the room."""
    log = StreamLog(ROOM, sound.form, sink)
    for item in _joined(sound.items(), sound.form):
        if isinstance(item, Missing):
            cause: GapCause = "undecodable" if item.undecodable else "unknown"
            yield item.t_ns, partial(log.gap, item.samples, cause, item.t_ns)
        else:
            end_ns = item.t_ns + log.duration_ns(len(item.samples))
            yield end_ns, partial(log.keep, item.samples, item.t_ns)


class SoundFile:
    """A file of sound beside a film, as that of the room.

    Parameters
    ----------
    track, form
        The file, and the form of the stream.
    start_ns
        When its first sample is heard; what lies before the film's start is left out.
    """

    def __init__(self, track: Track, form: AudioFormat, start_ns: int) -> None:
        self._track, self._form, self._start_ns = track, form, start_ns
        self.over_ns = 0

    def steps(self, sink: Sink) -> Iterator[Step]:
        """Yield a step for each block."""
        log, read = StreamLog(ROOM, self._form, sink), Read()
        before = max(0, -self._start_ns * self._form.rate_hz // NS_PER_S)
        heard = 0
        for block in _blocks(self._track, self._form, read):
            kept = block[max(0, before - heard) :]
            t_ns = self._at_ns(heard + len(block) - len(kept))
            heard += len(block)
            self.over_ns = self._at_ns(heard)
            if len(kept):
                yield self.over_ns, partial(log.keep, kept, t_ns)
        loss = read.loss(self._track.found)
        if loss is not None:
            stated = round((loss.stated_s or loss.decoded_s) * self._form.rate_hz)
            missing = max(0, stated - heard)
            yield self.over_ns, partial(log.gap, missing, "undecodable", self.over_ns)

    def _at_ns(self, sample: int) -> int:
        return max(0, self._start_ns + sample * NS_PER_S // self._form.rate_hz)


class Music:
    """Tracks that were heard one after another, as the stream of what was played.

    Parameters
    ----------
    tracks, form
        In their order, and the form of the stream.
    start_ns
        When the first begins.
    sink
        Where they go.
    """

    def __init__(
        self, tracks: Sequence[Track], form: AudioFormat, start_ns: int, sink: Sink
    ) -> None:
        self._tracks, self._form, self._start_ns, self._sink = tracks, form, start_ns, sink
        self._log = StreamLog(PLAYBACK, form, sink)
        self._playing: int | None = None

    def steps(self) -> Iterator[Step]:
        """Yield a step for each block, and for each beginning and end."""
        sample = 0
        for number, track in enumerate(self._tracks):
            read = Read()
            yield self._at_ns(sample), partial(self._begin, number)
            for block in _blocks(track, self._form, read):
                t_ns = self._at_ns(sample)
                sample += len(block)
                yield self._at_ns(sample), partial(self._log.keep, block, t_ns)
            yield self._at_ns(sample), partial(self._end, "finished", read.loss(track.found))

    def stop(self) -> None:
        """End the track that plays, if any: nothing of the film is left."""
        if self._playing is not None:
            self._end("stopped", None)

    def _begin(self, number: int) -> None:
        self._playing = number
        self._sink.put(track_started(self._tracks[number], **self._place(number)))

    def _end(self, reason: TrackEndReason, loss: SoundLoss | None) -> None:
        place = self._place(self._playing or 0)
        self._sink.put(TrackEnded(**place, reason=reason, loss=loss))
        self._playing = None

    def _place(self, number: int) -> dict[str, int]:
        sample = self._log.sample
        return {"t_ns": self._at_ns(sample), "track": number, "sample": sample}

    def _at_ns(self, sample: int) -> int:
        return self._start_ns + sample * NS_PER_S // self._form.rate_hz


def _joined(items: Iterator[Heard | Missing], form: AudioFormat) -> Iterator[Heard | Missing]:
    """Join blocks that follow on each other without a gap, up to a length that is soon read."""
    held: list[Heard] = []
    for item in items:
        if held and not _follows(held, item, form):
            yield _one(held)
            held = []
        if isinstance(item, Heard):
            held.append(item)
        else:
            yield item
    if held:
        yield _one(held)


def _follows(held: list[Heard], item: Heard | Missing, form: AudioFormat) -> bool:
    count = sum(len(each.samples) for each in held)
    due_ns = held[0].t_ns + count * NS_PER_S // form.rate_hz
    short = count < form.rate_hz // _BLOCKS_PER_S
    return isinstance(item, Heard) and short and abs(item.t_ns - due_ns) <= 1


def _one(held: list[Heard]) -> Heard:
    return Heard(np.concatenate([each.samples for each in held]), held[0].t_ns)


def _blocks(track: Track, form: AudioFormat, read: Read) -> Iterator[NDArray[np.int16]]:
    length = max(BLOCK, form.rate_hz // _BLOCKS_PER_S)
    held = np.empty((0, form.channels), np.int16)
    for chunk in decode(track, form, read):
        held = np.concatenate([held, chunk])
        for first in range(0, len(held) - length + 1, length):
            yield held[first : first + length]
        held = held[len(held) - len(held) % length :]
    if len(held):
        yield held


def beside(steps: Iterator[Step], music: Iterator[Step]) -> Iterator[Step]:
    """Yield steps, and of the music what has happened by then."""
    ahead = next(music, None)
    for step in steps:
        while ahead is not None and ahead[0] <= step[0]:
            yield ahead
            ahead = next(music, None)
        yield step
