"""The queue between everything that captures and the one thread that writes."""

import queue
import threading
from typing import Final

from core.clock import SessionClock
from core.events import (
    AudioCaptured,
    Consent,
    ConsentChanged,
    Event,
    FrameCaptured,
    RecordingPaused,
    RecordingResumed,
    storable,
)
from core.settings import MIB

Item = tuple[Event, bytes]
_ROOM_BYTES: Final = 64 * MIB


class Inbox:
    """Takes events from any thread, in order, without ever blocking the one who brings them.

    Frames and sound find room up to a bound on their bytes; everything else always does, being
    small and rare. Nothing that was not consented to, or that comes while the recording is
    paused, gets past the door.

    Parameters
    ----------
    clock
        The session's clock, for the sources.
    consent
        At the beginning; a `ConsentChanged` that is put changes it.
    """

    def __init__(self, clock: SessionClock, consent: Consent) -> None:
        self.clock = clock
        self._consent = consent
        self._paused = False
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._held = 0  # bytes of blobs inside

    def put(self, event: Event, blob: bytes = b"") -> bool:
        """Take in an event; False when there was no room for its blob.

        Texts are made storable here: what a file, a device or a person is called is not always
        text that can be written.
        """
        event = storable(event)
        with self._lock:
            if not self._admits(event):
                return True  # kept out on purpose, which is not a loss
            if blob and self._held + len(blob) > _ROOM_BYTES:
                return False
            self._held += len(blob)
            # Inside the lock, so that nothing slips in behind a pause or a change of consent.
            self._queue.put((event, blob))
        return True

    def get(self, timeout_s: float) -> Item | None:
        """Wait for the next event; None when the inbox was closed.

        Raises
        ------
        queue.Empty
            Nothing came in time.
        """
        item = self._queue.get(timeout=timeout_s)
        if item is not None:
            with self._lock:
                self._held -= len(item[1])
        return item

    def close(self) -> None:
        """Let the reader know, once it has read everything before, that nothing more comes."""
        self._queue.put(None)

    def _admits(self, event: Event) -> bool:
        match event:
            case FrameCaptured():
                return self._consent.video and not self._paused
            case AudioCaptured(stream="room"):
                return self._consent.audio and not self._paused
            case RecordingPaused() | RecordingResumed():
                self._paused = isinstance(event, RecordingPaused)
            case ConsentChanged(consent=consent):
                self._consent = consent
        return True
