"""A sink that keeps everything, for looking at what a source put into it."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import SessionClock
from affetti.core.events import AudioCaptured, Event, StreamName

E = TypeVar("E", bound=Event)


class RecordingSink:
    """Collects events and blobs; `full` makes it refuse blobs."""

    def __init__(self) -> None:
        self.clock = SessionClock()
        self.items: list[tuple[Event, bytes]] = []
        self.arrived_ns: list[int] = []
        self.full = False
        self._lock = threading.Lock()

    def put(self, event: Event, blob: bytes = b"") -> bool:
        with self._lock:
            if blob and self.full:
                return False
            self.items.append((event, blob))
            self.arrived_ns.append(self.clock.now_ns())
            return True

    @property
    def events(self) -> list[Event]:
        return [event for event, _ in self.items]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def samples(self, stream: StreamName, channels: int) -> NDArray[np.int16]:
        """Return the stream's samples, after a check that its sample index is gapless."""
        blobs, sample = [], 0
        for event, blob in self.items:
            if isinstance(event, AudioCaptured) and event.stream == stream:
                assert event.sample == sample
                assert len(blob) == event.count * channels * 2
                sample += event.count
                blobs.append(blob)
        return np.frombuffer(b"".join(blobs), "<i2").reshape(-1, channels)


def wait_for(condition: Callable[[], object], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
