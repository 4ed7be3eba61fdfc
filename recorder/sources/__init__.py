"""Where frames, sound and signals come from, each source in a thread of its own.

A source registers itself in the entry-point group `affetti.sources`: its name is the prefix of
an address, such as `lsl` in `lsl:NAME`, and it names a `Factory`.

Every source follows the same life: `open` (may fail, with a message for a person), `start`
(from then on it puts events into a `Sink`), `stop` (ends its thread and closes the device).
"""

import threading
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.metadata import entry_points
from typing import Final, Protocol

from affetti.core.clock import SessionClock
from affetti.core.errors import UsageError
from affetti.core.events import AudioFormat, Event
from affetti.core.paths import shown
from affetti.core.settings import Settings
from affetti.core.streams import Stream

GROUP: Final = "affetti.sources"


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

    @property
    def scope(self) -> str | None:
        """What consent it concerns; None for what is not the person's."""
        ...

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What it delivers; known once it is open."""
        ...

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


class Factory(Protocol):
    """Makes a source of what stands behind the prefix of its address; it is not open yet."""

    def __call__(self, name: str, settings: Settings) -> Source:
        """Return the source; AffettiError where the name cannot mean one."""
        ...


def source_at(address: str, settings: Settings) -> Source:
    """Return the source at an address such as `lsl:NAME`; it is not open yet.

    Raises
    ------
    AffettiError
        No source is registered for its prefix, or the name cannot mean one.
    """
    prefix, colon, name = address.partition(":")
    found = entry_points(group=GROUP, name=prefix) if colon else ()
    for entry in found:
        factory: Factory = entry.load()
        return factory(name, settings)
    known = ", ".join(sorted(f"{entry.name}:NAME" for entry in entry_points(group=GROUP)))
    raise UsageError(
        "sources.source_no_kind_can", address=shown(address), known=known or "KIND:NAME"
    )


def stop_all(sources: Iterable[Source]) -> None:
    """Stop every source in order, even when one of them raises; then the error is raised."""
    with ExitStack() as stack:
        for source in reversed(list(sources)):
            stack.callback(source.stop)
