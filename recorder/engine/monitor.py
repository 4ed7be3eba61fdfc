"""What a screen is told about a recording: small, and only as often as an eye can follow."""

import threading
import time
from collections import deque
from collections.abc import Collection
from typing import Any, Final

import numpy as np

from affetti.core import system
from affetti.core.events import AudioCaptured, Event, FrameCaptured
from affetti.core.state import SessionState
from affetti.recorder.engine import messages
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.recording import Recording

_FLOOR_DBFS: Final = -120.0
_PICTURE_PX: Final = 160  # wide, at most
_RATE_OVER_S: Final = 3.0
_STEADY_AFTER_S: Final = 20.0  # of recording, before the disk's time is said
_DRIFT_OVER_S: Final = 30.0
_MAX_DRIFT_PPM: Final = 1_000.0
_UNSEEN_EVENTS: Final = 20_000  # a screen that hangs for minutes gets the latest of them


class Monitor:
    """Watches events go by, from any thread, and sums them up for a screen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything, before other sources are watched."""
        with self._lock:
            self._events: deque[Event] = deque(maxlen=_UNSEEN_EVENTS)
            self._frame: tuple[FrameCaptured, bytes] | None = None
            self._shown = b""  # of it, the latest that a picture was made of
            self._seen = ""  # the video that is shown: the first
            self._sound: dict[str, bytes] = {}
            self._rates: deque[tuple[float, int]] = deque()
            self._pace = Pace()

    def see(self, event: Event, blob: bytes) -> None:
        """Take in an event."""
        with self._lock:
            if event.seq >= 0:  # not a preview's
                self._events.append(event)
            match event:
                case FrameCaptured():
                    self._seen = self._seen or event.stream
                    if event.stream == self._seen:
                        self._frame = (event, blob)
                case AudioCaptured(stream=stream):
                    self._sound[stream] = blob

    def take_events(self) -> tuple[Any, ...]:
        """Return the events since the last call."""
        with self._lock:
            events = tuple(self._events)
            self._events.clear()
        return events

    def picture(self) -> messages.Picture | None:
        """Return a small copy of the latest frame, if there is one since the last call."""
        with self._lock:
            latest, self._frame = self._frame, None
        if latest is None:
            return None
        event, jpeg = latest
        self._shown = jpeg
        small = _shrunk(jpeg)
        return messages.Picture(small, event.width_px, event.height_px) if small else None

    def take_shown(self) -> bytes:
        """Return the frame, a JPEG, of the latest picture; nothing if it was taken before."""
        shown, self._shown = self._shown, b""
        return shown

    def levels(self) -> list[messages.Level]:
        """Return how loud each stream was in its latest block since the last call."""
        with self._lock:
            latest, self._sound = self._sound, {}
        return [_level(stream, blob) for stream, blob in latest.items()]

    def health(self, recording: Recording, readers: Readers) -> messages.Health:
        """Return how a recording is doing."""
        state = recording.state
        now_s = time.monotonic()
        self._pace.add(now_s, recording.bytes_written, state.paused)
        free = _free_bytes(recording)
        latency = recording.live.face_latency_ms()
        return messages.Health(
            frames_per_s=self._frames_per_s(now_s, recording.frames),
            frames_dropped=state.frames_dropped,
            audio_gaps=sum(sound.gaps for sound in state.audio.values()),
            drift_ppm=drift_ppm(state, recording.sources.cards(recording.plan)),
            disk_s=None if free is None else self._pace.lasts_s(free),
            disk_readable=free is not None,
            unsafe_s=recording.unsafe_s,
            models_ready=readers.all_ready,
            behind_s=recording.live.behind_s(),
            skipped=sum(state.skipped.values()),
            face_latency_p50_ms=latency and latency[0],
            face_latency_p95_ms=latency and latency[1],
        )

    def _frames_per_s(self, now_s: float, frames: int) -> float:
        self._rates.append((now_s, frames))
        while now_s - self._rates[0][0] > _RATE_OVER_S:
            self._rates.popleft()
        then_s, frames_then = self._rates[0]
        return (frames - frames_then) / (now_s - then_s) if now_s > then_s else 0.0


class Pace:
    """How fast a recording grows: the mean over all of it but its pauses.

    A mean over the last seconds says a different thing every second.
    """

    def __init__(self) -> None:
        self._grown_s = 0.0
        self._grown_bytes = 0
        self._before: tuple[float, int, bool] | None = None

    def add(self, now_s: float, size: int, paused: bool) -> None:
        """Take in how large it is now, and whether it is paused."""
        if self._before is not None and not paused and not self._before[2]:
            self._grown_s += now_s - self._before[0]
            self._grown_bytes += size - self._before[1]
        self._before = (now_s, size, paused)

    def lasts_s(self, free_bytes: int) -> float | None:
        """Return how long the disk lasts; sealing needs as much room again as the parts.

        None until that can be said steadily.
        """
        if self._grown_s < _STEADY_AFTER_S or self._grown_bytes <= 0:
            return None
        return max(0.0, free_bytes * self._grown_s / (2 * self._grown_bytes))


def _shrunk(jpeg: bytes) -> bytes | None:
    import cv2  # noqa: PLC0415

    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_COLOR_4)
    if picture is None:
        return None
    height, width = picture.shape[:2]
    if width > _PICTURE_PX:
        size = (_PICTURE_PX, max(1, round(height * _PICTURE_PX / width)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


def _level(stream: str, blob: bytes) -> messages.Level:
    samples = np.frombuffer(blob, "<i2").astype(np.float32) / 32768
    if not len(samples):
        return messages.Level(stream, _FLOOR_DBFS, _FLOOR_DBFS)
    rms, peak = float(np.sqrt(np.mean(samples**2))), float(np.max(np.abs(samples)))
    return messages.Level(stream, _dbfs(rms), _dbfs(peak))


def _dbfs(amplitude: float) -> float:
    return max(_FLOOR_DBFS, 20 * float(np.log10(max(amplitude, 1e-9))))


def drift_ppm(state: SessionState, cards: Collection[str]) -> float | None:
    """Return how much a sound card is slower than the session clock, in parts per million.

    The greater of two. None without a card, and until its clock was looked at for long enough;
    what no crystal does is no drift but a stream that began or stalled.

    Parameters
    ----------
    state
        Of the session.
    cards
        The streams that a sound card counts.
    """
    clocks = [stream.clock for name, stream in state.audio.items() if name in cards]
    measured = [clock.drift_ppm for clock in clocks if clock.span_s >= _DRIFT_OVER_S]
    return max((d for d in measured if abs(d) <= _MAX_DRIFT_PPM), key=abs, default=None)


def _free_bytes(recording: Recording) -> int | None:
    """Return how much room is left; None when the disk does not say."""
    free = system.free_bytes(recording.target.parent)
    return None if free is None else free - recording.bytes_to_seal
