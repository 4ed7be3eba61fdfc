"""Where frames and sound come from: devices, files and addresses, each in a thread of its own.

Every source follows the same life: `open` (may fail, with a message for a person), `start`
(from then on it puts events into a `Sink`), `stop` (ends its thread and closes the device).
"""

import threading
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Protocol

from affetti.core.clock import SessionClock
from affetti.core.events import AudioFormat, Event


class Sink(Protocol):
    """Where sources put what they capture. Never blocks; safe to call from any thread."""

    clock: SessionClock

    def put(self, event: Event, blob: bytes = b"") -> bool:
        """Take in an event; False when there was no room for it.

        A source counts what found no room and says so with a later `FramesDropped` or
        `AudioGap`. Those, and everything else without a blob, always find room.
        """
        ...


class Source(Protocol):
    """A camera, a microphone, a player, or a file that stands in for one."""

    finite: bool  # whether it has an end: a file or a playlist, not a live device
    ended: threading.Event  # set when a file or a playlist is over, never by a live device

    def open(self) -> None:
        """Open the device or file; AffettiError when that cannot be done."""
        ...

    def start(self, sink: Sink) -> None:
        """Begin to capture into `sink`."""
        ...

    def stop(self) -> None:
        """End the thread and close the device. May be called twice, and without a start."""
        ...


class AudioSource(Source, Protocol):
    """A source of sound."""

    format: AudioFormat  # known once it is open


def stop_all(sources: Iterable[Source]) -> None:
    """Stop every source in order, even when one of them raises; then the error is raised."""
    with ExitStack() as stack:
        for source in reversed(list(sources)):
            stack.callback(source.stop)
