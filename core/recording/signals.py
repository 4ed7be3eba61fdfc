"""Signals: how their samples lie in a blob, and when each was taken."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import ClockMeasured, DeviceRestored, Event, UnknownEvent
from affetti.core.streams import SAMPLE_TYPES, STAMP, TEXT, SourceClock, Stream

_texts: Final = msgspec.json.Decoder(list[list[str]])


def pack_samples(stream: Stream, stamps_s: Any, values: Any) -> bytes:
    """Return samples as the blob of a `SamplesCaptured`.

    Parameters
    ----------
    stream
        Its `encoding` says what the values are.
    stamps_s
        Seconds [n], raw.
    values
        [n, channels]: numbers, or texts.
    """
    stamps = np.asarray(stamps_s, STAMP).tobytes()
    if stream.encoding == TEXT:
        return stamps + msgspec.json.encode([list(row) for row in values])
    data = np.asarray(values, SAMPLE_TYPES[stream.encoding])
    return bytes(stamps + data.reshape(-1, len(stream.channels)).tobytes())


def split_samples(blob: bytes, count: int) -> tuple[bytes, bytes]:
    """Return the bytes of the stamps, and those of the values."""
    cut = count * STAMP.itemsize
    return blob[:cut], blob[cut:]


def holds_samples(stream: Stream, count: int, blob: bytes) -> bool:
    """Return whether a blob holds so many samples of a stream, no more and no less."""
    if count < 0:
        return False
    stamps, values = split_samples(blob, count)
    if len(stamps) != count * STAMP.itemsize:
        return False
    if stream.encoding != TEXT:
        return len(values) == count * len(stream.channels) * SAMPLE_TYPES[stream.encoding].itemsize
    try:
        rows = _texts.decode(values)
    except (msgspec.DecodeError, RecursionError):
        return False
    return len(rows) == count and all(len(row) == len(stream.channels) for row in rows)


def texts_of(values: bytes) -> list[list[str]]:
    """Return the values of a block of text; ValueError where there are none."""
    try:
        return _texts.decode(values)
    except RecursionError as error:
        raise ValueError(str(error)) from error


def stretches(stream: str, events: Iterable[Event | UnknownEvent]) -> list[tuple[int, SourceClock]]:
    """Return the clocks that stamped a signal, each with the `seq` from which it holds.

    A source that was lost and came back may have another clock.
    """
    found = [(0, SourceClock())]
    for event in events:
        match event:
            case ClockMeasured(stream=of) if of == stream:
                found[-1][1].add(event.source_s, event.t_ns)
            case DeviceRestored(stream=of) if of == stream:
                found.append((event.seq, SourceClock()))
    return found


def times_s(
    blocks: NDArray[Any], stamps_s: NDArray[np.float64], clocks: list[tuple[int, SourceClock]]
) -> NDArray[np.float64]:
    """Return the session time of every sample of a signal, in seconds [n].

    Parameters
    ----------
    blocks
        `core.recording.layout.SIGNAL_ROW` [blocks], in order.
    stamps_s
        Raw stamps, seconds [n].
    clocks
        As `stretches` returns them. Where nothing was measured of one, what was known when a
        block was captured holds for it.
    """
    t_s = np.full(len(stamps_s), np.nan)
    begins = np.array([seq for seq, _ in clocks])
    clock_of = np.searchsorted(begins, blocks["seq"], side="right") - 1
    for block, number in zip(blocks, clock_of, strict=True):
        rows = slice(int(block["row"]), int(block["row"] + block["count"]))
        clock, own = clocks[max(number, 0)][1], stamps_s[rows]
        if clock.anchors:
            t_s[rows] = clock.times_s(own)
        elif len(own):
            t_s[rows] = block["t_ns"] / NS_PER_S + (own - own[0])
    return t_s
