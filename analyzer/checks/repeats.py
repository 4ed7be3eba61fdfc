"""What the tables of a file repeat of its events: whether it is the same."""

import zlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    AnyEvent,
    AudioCaptured,
    FrameCaptured,
    SamplesCaptured,
    UnknownEvent,
)
from affetti.core.recording.records import Record
from affetti.core.recording.session import Session

_EVENTS: Final = "events/index"


class Repeats:
    """The rows that the events of a recording give, as they are read one after the other."""

    def __init__(self) -> None:
        self._rows: defaultdict[str, list[tuple[int, ...]]] = defaultdict(list)

    def see(self, record: Record, event: AnyEvent | UnknownEvent) -> None:
        """Take in the next record, and its event."""
        crc32 = zlib.crc32(record.blob, zlib.crc32(record.json))
        when, size = (record.seq, record.t_ns), len(record.blob)
        self._rows[_EVENTS].append((*when, len(record.json), size, crc32))
        match event:
            case FrameCaptured():
                self._rows[f"video/{event.stream}/index"].append((*when, event.frame, size))
            case AudioCaptured():
                row = (*when, event.sample, event.count)
                self._rows[f"audio/{event.stream}/blocks"].append(row)
            case SamplesCaptured():
                row = (*when, event.sample, event.count)
                self._rows[f"signals/{event.stream}/blocks"].append(row)

    def untrue(self, session: Session) -> Iterator[str]:
        """Yield the names of the tables that say anything else."""
        for name, (table, columns) in _tables(session).items():
            told = np.array(self._rows[name], np.int64).reshape(-1, len(columns))
            if not _same(table, columns, told):
                yield name


def _tables(session: Session) -> dict[str, tuple[NDArray[Any], tuple[str, ...]]]:
    """Return each table by its name, with the columns that are compared."""
    block = ("seq", "t_ns", "sample", "count")
    frame = ("seq", "t_ns", "frame", "length")
    sounds = {name: session.audio(name).blocks for name in session.state.audio}
    return {
        _EVENTS: (session.index, ("seq", "t_ns", "length", "blob_length", "crc32")),
        **{f"video/{n}/index": (each.rows, frame) for n, each in session.video.items()},
        **{f"audio/{n}/blocks": (blocks, block) for n, blocks in sounds.items()},
        **{f"signals/{n}/blocks": (each.blocks, block) for n, each in session.signals.items()},
    }


def _same(table: NDArray[Any], columns: tuple[str, ...], told: NDArray[np.int64]) -> bool:
    stored = [np.asarray(table[name], np.int64) for name in columns]
    if len(told) != len(table) or not np.array_equal(np.stack(stored, axis=1), told):
        return False
    return bool(np.array_equal(table["t_s"], told[:, 1] / NS_PER_S))
