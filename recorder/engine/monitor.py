"""What a screen is told about a recording: small, and only as often as an eye can follow."""

import os
import threading
import time
from collections import deque
from typing import Any, Final, Literal

import numpy as np

from affetti.core.clock import NS_PER_S
from affetti.core.events import AudioCaptured, Event, FrameCaptured
from affetti.core.state import SessionState
from affetti.recorder.engine import messages
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.recording import Recording

_FLOOR_DBFS: Final = -120.0
_PICTURE_PX: Final = 160  # wide, at most
_RATE_OVER_S: Final = 3.0
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
            self._sound: dict[str, bytes] = {}
            self._rates: deque[tuple[float, int, int]] = deque()

    def see(self, event: Event, blob: bytes) -> None:
        """Take in an event."""
        with self._lock:
            if event.seq >= 0:  # not a preview's
                self._events.append(event)
            match event:
                case FrameCaptured():
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
        small = _shrunk(jpeg)
        return messages.Picture(small, event.width_px, event.height_px) if small else None

    def levels(self) -> list[messages.Level]:
        """Return how loud each stream was in its latest block since the last call."""
        with self._lock:
            latest, self._sound = self._sound, {}
        return [_level(stream, blob) for stream, blob in latest.items()]  # type: ignore[arg-type]

    def health(self, recording: Recording, readers: Readers) -> messages.Health:
        """Return how a recording is doing."""
        state = recording.state
        frames_per_s, bytes_per_s = self._rate(state.frames, recording.bytes_written)
        latency = recording.live.face_latency_ms()
        return messages.Health(
            frames_per_s=frames_per_s,
            frames_dropped=state.frames_dropped,
            audio_gaps=sum(stream.gaps for stream in state.streams.values()),
            drift_ppm=_drift_ppm(state),
            disk_s=_disk_s(recording, bytes_per_s),
            models_ready=readers.all_ready,
            behind_s=recording.live.behind_s(),
            skipped=sum(state.skipped.values()),
            face_latency_p50_ms=latency and latency[0],
            face_latency_p95_ms=latency and latency[1],
        )

    def _rate(self, frames: int, size: int) -> tuple[float, float]:
        now = time.monotonic()
        self._rates.append((now, frames, size))
        while now - self._rates[0][0] > _RATE_OVER_S:
            self._rates.popleft()
        then, frames_then, size_then = self._rates[0]
        span = now - then
        if span <= 0:
            return 0.0, 0.0
        return (frames - frames_then) / span, (size - size_then) / span


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


def _level(stream: Literal["room", "playback"], blob: bytes) -> messages.Level:
    samples = np.frombuffer(blob, "<i2").astype(np.float32) / 32768
    if not len(samples):
        return messages.Level(stream, _FLOOR_DBFS, _FLOOR_DBFS)
    rms, peak = float(np.sqrt(np.mean(samples**2))), float(np.max(np.abs(samples)))
    return messages.Level(stream, _dbfs(rms), _dbfs(peak))


def _dbfs(amplitude: float) -> float:
    return max(_FLOOR_DBFS, 20 * float(np.log10(max(amplitude, 1e-9))))


def _drift_ppm(state: SessionState) -> float | None:
    measured = [s.clock.drift_ppm for s in state.streams.values() if s.clock.anchors > 1]
    return max(measured, key=abs) if measured else None


def _disk_s(recording: Recording, bytes_per_s: float) -> float | None:
    """Return how long the disk lasts; sealing needs as much room again as the segments.

    None when the disk does not say how much room there is.
    """
    try:
        status = os.statvfs(recording.target.parent)
    except OSError:
        return None
    free = status.f_bavail * status.f_frsize - recording.bytes_written
    return max(0.0, free / (2 * bytes_per_s)) if bytes_per_s > 0 else float(NS_PER_S)
