"""From sound to music estimates."""

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.consent import Scopes, declared, scopes_of
from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    AudioGap,
    ConsentChanged,
    EstimateSkipped,
    Event,
    MusicEstimated,
    PerceptionSettings,
    SessionStarted,
    StreamOpened,
    TrackEnded,
    TrackStarted,
)
from affetti.core.streams import AUDIO
from affetti.models.perception.skips import Skip, never, skipped
from affetti.models.sound.heard import MUSIC_FROM, level_dbfs, mixed
from affetti.models.sound.music import MusicReading, readable

ReadMusic: TypeAlias = Callable[[NDArray[np.int16], int], MusicReading]
# From a stream and the first and last sample of a window, exclusive, to how probably it is music.
Presence: TypeAlias = Callable[[str, int, int], float | None]


class _Window:
    """The last seconds of one stream, never across a gap or the beginning of a track."""

    def __init__(self, form: AudioFormat, settings: PerceptionSettings) -> None:
        self.form = form
        self.is_readable = readable(form)
        self._length = settings.music_window_s * form.rate_hz
        self._minimum = settings.music_minimum_s * form.rate_hz
        self._blocks: deque[NDArray[np.int16]] = deque()
        self._first = 0  # the first sample that is held
        self._begin = 0  # the first that may be heard
        self._end = 0

    def restart(self, sample: int) -> None:
        self._begin = sample

    def forget(self) -> None:
        self._blocks.clear()
        self._begin = self._end

    def push(self, sample: int, block: NDArray[np.int16]) -> None:
        if sample != self._end:
            self._blocks.clear()
            self._begin = max(self._begin, sample)
        if not self._blocks:
            self._first = sample
        self._blocks.append(block)
        self._end = sample + len(block)
        while self._first + len(self._blocks[0]) < self._end - 2 * self._length:
            self._first += len(self._blocks.popleft())

    def reaches(self, end: int) -> bool:
        """Whether the window that ends before sample `end` is long enough."""
        return end - self._start(end) >= self._minimum

    def _start(self, end: int) -> int:
        return max(self._begin, end - self._length)

    def until(self, end: int) -> tuple[int, NDArray[np.int16]]:
        """Return where the window begins that ends before sample `end`, and its samples."""
        start = self._start(end)
        held = np.concatenate(self._blocks) if len(self._blocks) > 1 else self._blocks[0]
        old = max(0, end - self._length - self._first)  # no later window begins before its end
        self._blocks, self._first = deque([held[old:]]), self._first + old
        return start, self._blocks[0][max(0, start - self._first) : end - self._first]


class MusicPerception:
    """From sound to music estimates, one at each whole second of a stream's samples.

    While a track plays, the playback is what is heard; otherwise the room. Of a stream whose
    form cannot be read (see `models.sound.music.readable`) nothing is estimated.

    Parameters
    ----------
    read
        From int16 [n, channels] and a rate in Hz to a reading.
    skip
        Whether no estimate is made from an event.
    presence
        `HeardPerception.presence`, or a function like it, which is asked when what is heard until
        then is known: what is probably no music is not read. Without it everything is.
    """

    def __init__(
        self, read: ReadMusic, skip: Skip = never, presence: Presence | None = None
    ) -> None:
        self._read = read
        self._skip = skip
        self._presence = presence
        self._settings = PerceptionSettings()
        self._windows: dict[str, _Window] = {}
        self._scopes: dict[str, Scopes] = {}
        self._playing = False

    def push(self, event: Event, blob: bytes = b"") -> list[MusicEstimated | EstimateSkipped]:
        """Take in the next event and its blob; return what it gave rise to."""
        match event:
            case AudioCaptured(stream=stream) if stream in self._windows:  # by far the most
                return self._hear(event, blob, self._windows[stream])
            case SessionStarted():
                self._settings = event.perception
                self._windows = {}
                self._listen_to(event)
            case StreamOpened():
                self._listen_to(event)
            case ConsentChanged(consent=consent):
                for name, window in self._windows.items():
                    if not consent.grants(*self._scopes[name]):
                        window.forget()
            case TrackStarted(sample=sample) if "playback" in self._windows:
                self._playing = True
                self._windows["playback"].restart(sample)
            case TrackEnded():
                self._playing = False
            case AudioGap(stream=stream, sample=sample) if stream in self._windows:
                self._windows[stream].restart(sample)
        return []

    def _listen_to(self, event: SessionStarted | StreamOpened) -> None:
        for name, stream in declared(event).items():
            if stream.kind == AUDIO:
                self._windows[name] = _Window(stream.form, self._settings)
                self._scopes[name] = scopes_of(stream)

    def _hear(
        self, event: AudioCaptured, blob: bytes, window: _Window
    ) -> list[MusicEstimated | EstimateSkipped]:
        if not window.is_readable:
            return []
        block = np.frombuffer(blob, "<i2").reshape(-1, window.form.channels)
        window.push(event.sample, block)
        if event.stream != ("playback" if self._playing else "room"):
            return []
        step = self._settings.music_period_s * window.form.rate_hz
        last = event.sample + len(block)
        ends = range((event.sample // step + 1) * step, last + 1, step)
        heard = [end for end in ends if window.reaches(end)]
        if heard and (reason := self._skip("music", event)):
            return [skipped("music", event, reason)]
        return [self._estimate(event, window, end, *window.until(end)) for end in heard]

    def _estimate(
        self,
        event: AudioCaptured,
        window: _Window,
        end: int,
        start: int,
        samples: NDArray[np.int16],
    ) -> MusicEstimated:
        rate_hz = window.form.rate_hz
        reading, presence = self._reading(event.stream, start, end, samples, rate_hz)
        return MusicEstimated(
            t_ns=event.t_ns + (end - event.sample) * NS_PER_S // rate_hz,
            stream=event.stream,
            start_sample=start,
            end_sample=end,
            emotions=reading.emotions,
            loudness_dbfs=reading.loudness_dbfs,
            tempo_bpm=reading.tempo_bpm,
            presence=presence,
            reasons=reading.reasons,
            valence=reading.valence,
            valence_half_width=reading.valence_half_width,
            arousal=reading.arousal,
            arousal_half_width=reading.arousal_half_width,
        )

    def _reading(
        self, stream: str, start: int, end: int, samples: NDArray[np.int16], rate_hz: int
    ) -> tuple[MusicReading, float | None]:
        """Read a window, unless it is known or must be feared to be no music."""
        if self._presence is None:
            return self._read(samples, rate_hz), None
        presence = self._presence(stream, start, end)
        if presence is None or presence < MUSIC_FROM:
            return MusicReading(None, level_dbfs(mixed(samples)), None), presence
        return self._read(samples, rate_hz), presence
