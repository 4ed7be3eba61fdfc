"""What plays next: the playlist, steered by hand, decoded ahead of time.

A `Deck` is pulled by whoever plays it, a sound card's callback or a clock. It answers with
sound and with cues between the sound, so that a track's start and end are known to the sample.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.events import AudioFormat, SoundLoss, TrackEndReason
from affetti.recorder.sources.sound import Decoded
from affetti.recorder.sources.track import Track, decode

AHEAD_S: Final = 2.0  # how much is decoded before it is needed
_LAST_S: Final = 1.0  # that a read is waited for once it is to end
RESTART_S: Final = 3.0  # "previous" goes back to the start of a track that has run longer

Sound: TypeAlias = NDArray[np.int16]  # (samples, channels)


@dataclass(frozen=True)
class Cue:
    """Something that happens between two samples."""

    kind: Literal["start", "pause", "resume", "end", "starved"]
    track: int
    reason: TrackEndReason = "finished"  # of an "end"
    loss: SoundLoss | None = None  # of one that was read to its end


@dataclass(frozen=True)
class _Chunk:
    """A stretch of decoded sound, never empty; or, in its stead, how the track ended."""

    sound: Sound
    end: TrackEndReason | None = None
    loss: SoundLoss | None = None


class _ReadAhead:
    """A thread that decodes the playlist from a track on, a bounded stretch ahead."""

    def __init__(self, tracks: list[Track], form: AudioFormat) -> None:
        self._tracks = tracks
        self._form = form
        self._limit = round(AHEAD_S * form.rate_hz)
        self._changed = threading.Condition()
        self._chunks: deque[_Chunk] = deque()
        self._samples = 0  # in all chunks
        self._errand = 0  # which seek the thread works for
        self._order = [*range(len(tracks))]  # in which they are played, by number
        self._wanted = 0  # the place in that order of what it is to decode next
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)
        self._thread.start()

    def take(self, wait: bool) -> _Chunk | None:
        """Return the next chunk; None when there is none yet, or none any more."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._chunks or self._closed)
            if not self._chunks:
                return None
            chunk = self._chunks.popleft()
            self._samples -= len(chunk.sound)
            self._changed.notify_all()
            return chunk

    @property
    def order(self) -> list[int]:
        """The numbers of the tracks in the order in which they are played."""
        return self._order

    def seek(self, place: int) -> None:
        """Go on with the beginning of the track at a place of the order."""
        with self._changed:
            self._chunks.clear()
            self._samples = 0
            self._errand += 1
            self._wanted = place
            self._changed.notify_all()

    def insert(self, place: int, track: int) -> None:
        """Put a track at a place of the order behind what is taken now."""
        with self._changed:
            self._order.insert(place, track)
            if self._wanted > place:  # what is decoded of another comes later now
                self._keep_until_end()
                self._errand += 1
                self._wanted = place
            self._changed.notify_all()

    def _keep_until_end(self) -> None:
        ends = [i for i, chunk in enumerate(self._chunks) if chunk.end is not None]
        kept = list(self._chunks)[: ends[0] + 1 if ends else 0]
        self._chunks = deque(kept)
        self._samples = sum(len(chunk.sound) for chunk in kept)

    def fill(self, timeout_s: float) -> None:
        """Wait until there is sound to take."""
        with self._changed:
            self._changed.wait_for(lambda: self._chunks or self._closed, timeout_s)

    def close(self) -> None:
        """End the thread; one that waits for a disk that does not answer is left to it."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(_LAST_S)

    def _run(self) -> None:
        try:
            while (errand := self._next_errand()) is not None:
                self._decode(*errand)
        finally:
            with self._changed:  # nobody may wait for a thread that has ended
                self._closed = True
                self._changed.notify_all()

    def _next_errand(self) -> tuple[int, int] | None:
        """Wait for a track to decode; return the errand and the track, or None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted < len(self._order) or self._closed)
            if self._closed:
                return None
            self._wanted += 1
            return self._errand, self._order[self._wanted - 1]

    def _decode(self, errand: int, track: int) -> None:
        end: TrackEndReason = "finished"
        found, decoded = self._tracks[track].found, Decoded()
        try:
            for sound in decode(self._tracks[track], self._form, decoded):
                if len(sound) and not self._offer(errand, _Chunk(sound)):
                    return
        except Exception:  # whatever it is, the next track may be better
            end = "failed"
        silence = np.zeros((0, self._form.channels), np.int16)
        self._offer(errand, _Chunk(silence, end, decoded.loss(found)))

    def _offer(self, errand: int, chunk: _Chunk) -> bool:
        """Add a chunk when there is room; False when it is not wanted any more."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._samples < self._limit or errand != self._errand or self._closed
            )
            if errand != self._errand or self._closed:
                return False
            self._chunks.append(chunk)
            self._samples += len(chunk.sound)
            self._changed.notify_all()
            return True


class Deck:
    """Plays a playlist to whoever pulls.

    One thread pulls. The steering methods may be called from any thread, and take effect at
    the next pull.

    Parameters
    ----------
    tracks
        The playlist, at least one.
    form
        The form of the sound that is pulled.
    held
        Whether it is silent before each track until that is asked for by `play`.
    """

    def __init__(self, tracks: list[Track], form: AudioFormat, *, held: bool = False) -> None:
        self._form = form
        self._ahead = _ReadAhead(tracks, form)
        self._orders: deque[Callable[[], list[Cue]]] = deque()
        self._rest: _Chunk | None = None  # of a chunk, not pulled yet
        self._place = 0  # in the order, of the track that plays or is next
        self._playing = False  # its start was cued and its end was not
        self._paused = False
        self._held = held
        self._stopped = held
        self._starved = False  # decoding has fallen behind
        self._position = 0  # samples of the current track pulled so far
        self.over = False  # the playlist has ended

    def next(self) -> None:
        """Go to the next track; after the last one the playlist is over."""
        self._orders.append(lambda: self._go(self._place + 1))

    def play(self, track: int) -> None:
        """Play a track from its beginning."""
        self._orders.append(lambda: self._play(track))

    def previous(self) -> None:
        """Begin this track again, or the one before it when this one has only just begun."""
        self._orders.append(self._back)

    def pause(self) -> None:
        """Be silent until `resume`."""
        self._orders.append(self._pause)

    def resume(self) -> None:
        """Go on after a pause; after a stop, play the track from its beginning."""
        self._orders.append(self._resume)

    def stop_track(self) -> None:
        """End the track, and be silent until another one is asked for or `resume`."""
        self._orders.append(self._stop)

    def play_next(self, track: int) -> None:
        """Play a track, by its number, after the one that plays; then go on as before."""
        self._orders.append(lambda: self._put_next(track))

    def fill(self, timeout_s: float) -> None:
        """Wait until the first sound was decoded."""
        self._ahead.fill(timeout_s)

    def close(self) -> list[Cue]:
        """End decoding; return the last cue, when a track was playing."""
        self._ahead.close()
        return self._end("stopped")

    def pull(self, count: int, wait: bool) -> Iterator[Cue | Sound]:
        """Yield the next `count` samples, and the cues before, between and after them.

        There are fewer samples only when the playlist ends within them.

        Parameters
        ----------
        count
            How many samples.
        wait
            Whether to wait for sound that is not decoded yet; otherwise there is silence
            instead, and a cue "starved" when that is in the middle of a track.
        """
        while self._orders:
            yield from self._orders.popleft()()
        while count > 0 and not self.over:
            silent = self._paused or self._stopped
            chunk = None if silent else self._next_chunk(wait)
            if chunk is None:
                if self._playing and not silent and not self._starved:
                    self._starved = True
                    yield Cue("starved", self._current)
                yield np.zeros((count, self._form.channels), np.int16)
                return
            self._starved = False
            if not self._playing:
                self._playing, self._position = True, 0
                yield Cue("start", self._current)
            if chunk.end is not None:
                yield from self._go(self._place + 1, chunk.end, chunk.loss)
            else:
                yield self._cut(chunk, count)
                count -= min(count, len(chunk.sound))

    def _next_chunk(self, wait: bool) -> _Chunk | None:
        chunk, self._rest = self._rest, None
        return chunk or self._ahead.take(wait)

    def _cut(self, chunk: _Chunk, count: int) -> Sound:
        if len(chunk.sound) > count:
            self._rest = _Chunk(chunk.sound[count:])
        sound = chunk.sound[:count]
        self._position += len(sound)
        return sound

    @property
    def _current(self) -> int:
        """The number of the track that plays or is next."""
        order = self._ahead.order
        return order[min(self._place, len(order) - 1)]

    def _put_next(self, track: int) -> list[Cue]:
        if not self.over:
            self._ahead.insert(self._place + 1, track)
        return []

    def _go(
        self, place: int, reason: TrackEndReason = "skipped", loss: SoundLoss | None = None
    ) -> list[Cue]:
        cues = self._end(reason, loss)
        self._place = place
        self._stopped = self._held
        self.over = place >= len(self._ahead.order)
        if reason != "finished" and not self.over:
            self._seek(place)
        return cues

    def _seek(self, place: int) -> None:
        self._rest = None
        self._ahead.seek(place)

    def _play(self, track: int) -> list[Cue]:
        waiting = not self._playing and track == self._current
        place = self._ahead.order.index(track)
        cues = [] if waiting else self._go(place)  # where it waits, it is decoded already
        self._stopped = False
        return cues

    def _back(self) -> list[Cue]:
        long = self._playing and self._position > RESTART_S * self._form.rate_hz
        return self._go(self._place if long else max(0, self._place - 1))

    def _pause(self) -> list[Cue]:
        if not self._playing or self._paused:
            return []
        self._paused = True
        return [Cue("pause", self._current)]

    def _resume(self) -> list[Cue]:
        self._stopped = False
        if not self._paused:
            return []
        self._paused = False
        return [Cue("resume", self._current)]

    def _stop(self) -> list[Cue]:
        cues = self._end("stopped")
        self._stopped = True
        self._seek(self._place)
        return cues

    def _end(self, reason: TrackEndReason, loss: SoundLoss | None = None) -> list[Cue]:
        playing, self._playing, self._paused = self._playing, False, False
        return [Cue("end", self._current, reason, loss)] if playing else []
