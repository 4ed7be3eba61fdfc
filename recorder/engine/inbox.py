"""The queue between everything that captures and the one thread that writes."""

import queue
import threading
from collections.abc import Sequence
from typing import Final

from affetti.core.clock import SessionClock
from affetti.core.consent import ConsentLedger, Ends, Scopes
from affetti.core.events import Consent, Event, storable
from affetti.core.settings import MIB

Item = tuple[Event, bytes]
_ROOM_BYTES: Final = 64 * MIB


class Inbox:
    """Takes events from any thread, in order, without ever blocking the one who brings them.

    Frames, sound and samples find room up to a bound on their bytes; everything else always does,
    being small and rare. Nothing that was not consented to, or that comes while the recording is
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
        self._ledger = ConsentLedger(consent)
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
            self._ledger.apply(event)
            if not self._ledger.admits(event):
                return True  # kept out on purpose, which is not a loss
            if blob and self._held + len(blob) > _ROOM_BYTES:
                return False
            self._held += len(blob)
            # Inside the lock, so that nothing slips in behind a pause or a change of consent.
            self._queue.put((event, blob))
        return True

    @property
    def ends(self) -> Ends:
        """How often the consent to each scope has ended by now."""
        return self._ledger.ends

    def put_made(self, estimates: Sequence[Event], need: Scopes, ends: Ends) -> bool:
        """Take in all estimates of one event, or none: False when consent ended meanwhile.

        Parameters
        ----------
        estimates
            What was made; nothing, to ask whether it would be taken.
        need
            What has to be consented to for them.
        ends
            The `ConsentLedger.ends` of whoever made them, by then.
        """
        with self._lock:
            if not self._ledger.admits_of(need, ends):
                return False
            for estimate in estimates:
                self._queue.put((storable(estimate), b""))
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
