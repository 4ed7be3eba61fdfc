"""Files can wait: for the moment they are due, and for room in the log."""

import threading
import time
from typing import Final

from affetti.core.clock import NS_PER_S
from affetti.core.events import Event
from affetti.recorder.sources import Sink

FILE_PATIENCE_S: Final = 2.0  # how long a file waits for room; a device cannot
_RETRY_S: Final = 0.01


def begin_ns(given_ns: int | None, sink: Sink) -> int:
    """Return the session time at which a file begins: the one given, or now."""
    return sink.clock.now_ns() if given_ns is None else given_ns


def wait_until(t_ns: int, sink: Sink, stopping: threading.Event) -> bool:
    """Wait for a session time; False when the source was stopped meanwhile."""
    return not stopping.wait(max(0, t_ns - sink.clock.now_ns()) / NS_PER_S)


def put_patiently(sink: Sink, event: Event, blob: bytes, patience_s: float) -> bool:
    """Put an event, trying again for a while when there is no room; whether it was taken."""
    deadline = time.monotonic() + patience_s
    while not sink.put(event, blob):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_RETRY_S)
    return True
