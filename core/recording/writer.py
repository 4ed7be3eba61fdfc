"""Writes a sealed file: records in, data sets out."""

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.consent import declared
from affetti.core.events import (
    ESTIMATE_TABLES,
    ESTIMATES,
    AnyEvent,
    AudioCaptured,
    ClockMeasured,
    DeviceRestored,
    Estimate,
    Event,
    FrameCaptured,
    SamplesCaptured,
    SessionRecovered,
    SessionStarted,
    StreamOpened,
    UnknownEvent,
    column_fields,
    columns,
    decode,
    estimate_kind,
)
from affetti.core.recording import layout
from affetti.core.recording.attributes import put_attributes
from affetti.core.recording.integrity import NOTHING_REMOVED, Digests, contents_sha256, log_sha256
from affetti.core.recording.records import Record
from affetti.core.recording.rows import RowBuffer
from affetti.core.recording.signals import split_samples, stretches, times_s
from affetti.core.recording.stored import StoredBytes
from affetti.core.settings import MIB
from affetti.core.streams import SAMPLE_TYPES, STAMP, SourceClock, Stream

_BUFFER_BYTES: Final = MIB  # larger ones cost more: the system gives such memory anew each time
_CHUNK_BYTES: Final = 256 << 10
_PROBES: Final = 4  # pieces of a chunk that tell whether to compress it
_PROBE_BYTES: Final = 2 << 10  # of each
_WORTH_IT: Final = 2 / 3  # of its size, at most, that is left
_NO_FILTER: Final = 0b11  # of the two, bit by bit


class _Rows:
    """Appends to a data set of numbers, [n] or [n, channels], whole chunks at a time.

    What has no filter is `plain`: JPEGs, which do not shrink, and what is small beside them.
    """

    def __init__(
        self,
        group: h5py.Group,
        name: str,
        dtype: np.dtype[Any],
        channels: int = 0,
        *,
        plain: bool = False,
    ) -> None:
        self._dtype, self._shape = dtype, (channels,) if channels else ()
        self._row_bytes = dtype.itemsize * max(channels, 1)
        rows = max(1, _CHUNK_BYTES // self._row_bytes)
        self._chunk_bytes = rows * self._row_bytes
        self._plain = plain
        filters = {} if plain else {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        self.dataset = group.create_dataset(
            name,
            shape=(0, *self._shape),
            maxshape=(None, *self._shape),
            dtype=dtype,
            chunks=(rows, *self._shape),
            **filters,
        )
        self._written = 0  # rows
        self._buffer = bytearray()

    def append(self, data: bytes) -> int:
        """Take in rows; return the number of the first of them."""
        start = self._written + len(self._buffer) // self._row_bytes
        self._buffer += data
        if len(self._buffer) >= _BUFFER_BYTES:
            self._write(len(self._buffer) // self._chunk_bytes * self._chunk_bytes)
        return start

    def finish(self) -> None:
        """Write what waits."""
        self._write(len(self._buffer))

    def _write(self, size: int) -> None:
        rows = np.frombuffer(self._buffer, self._dtype, size // self._dtype.itemsize)
        start, self._written = self._written, self._written + size // self._row_bytes
        self.dataset.resize(self._written, axis=0)
        if size % self._chunk_bytes == 0:
            self._write_chunks(start, memoryview(self._buffer)[:size])
        else:
            self.dataset[start:] = rows.reshape(-1, *self._shape)
        self._buffer = self._buffer[size:]

    def _write_chunks(self, row: int, data: memoryview) -> None:
        """Write whole chunks as they lie in the file: HDF5 would copy each once more."""
        beside = (0,) * len(self._shape)
        for at in range(0, len(data), self._chunk_bytes):
            chunk, left_out = data[at : at + self._chunk_bytes], 0
            if not self._plain:
                chunk, left_out = filtered(chunk, self._dtype.itemsize)
            place = (row + at // self._row_bytes, *beside)
            self.dataset.id.write_direct_chunk(place, chunk, left_out)


def filtered(chunk: memoryview, item_bytes: int) -> tuple[memoryview, int]:
    """Return a chunk as HDF5 has it behind its filters, and which of them were left out.

    Loud sound hardly shrinks, and trying to costs more than all else that sealing does with it: a
    chunk is compressed where pieces of it lose a third and more.
    """
    step = max(1, len(chunk) // item_bytes // _PROBES) * item_bytes
    some = b"".join(chunk[at : at + _PROBE_BYTES] for at in range(0, len(chunk), step))
    if len(_compressed(some, item_bytes)) > _WORTH_IT * len(some):
        return chunk, _NO_FILTER
    return memoryview(_compressed(chunk, item_bytes)), 0


def _compressed(data: bytes | memoryview, item_bytes: int) -> bytes:
    shuffled = np.frombuffer(data, np.uint8).reshape(-1, item_bytes).T
    return zlib.compress(shuffled.tobytes(), 1)


class _Video:
    """Appends to one video stream."""

    def __init__(self, file: h5py.File, stream: Stream) -> None:
        self._group = file.create_group(f"video/{stream.name}")
        self._bytes = _Rows(self._group, "bytes", np.dtype(np.uint8), plain=True)
        put_attributes(self._bytes.dataset, {"encoding": stream.encoding})
        self._frames = RowBuffer(layout.FRAME_ROW)

    def append(self, event: FrameCaptured, record: Record) -> None:
        at = self._bytes.append(record.blob)
        self._frames.append(*_when(record), event.frame, at, len(record.blob))

    def finish(self) -> None:
        self._bytes.finish()
        _write_rows(self._group, "index", self._frames.array())


class _Sound:
    """Appends to one audio stream."""

    def __init__(self, file: h5py.File, stream: Stream) -> None:
        self._group = file.create_group(f"audio/{stream.name}")
        form = stream.form
        self._samples = _Rows(self._group, "samples", np.dtype("<i2"), form.channels)
        put_attributes(
            self._samples.dataset,
            {"rate_hz": form.rate_hz, "channels": form.channels, "units": "int16 full scale"},
        )
        self._blocks = RowBuffer(layout.BLOCK_ROW)
        self._row = 0

    def append(self, event: AudioCaptured, record: Record) -> None:
        self._blocks.append(*_when(record), event.sample, self._row, event.count)
        self._row += event.count
        self._samples.append(record.blob)

    def finish(self) -> None:
        self._samples.finish()
        _write_rows(self._group, "blocks", self._blocks.array())


class _Signal:
    """Appends to one signal."""

    def __init__(self, file: h5py.File, stream: Stream) -> None:
        self.name = stream.name
        self._group = file.create_group(f"signals/{stream.name}")
        dtype = SAMPLE_TYPES.get(stream.encoding, np.dtype(np.uint8))
        columns_ = len(stream.channels) if stream.encoding in SAMPLE_TYPES else 0
        self._is_text = not columns_
        self._samples = _Rows(self._group, "samples", dtype, columns_)
        put_attributes(self._samples.dataset, {"encoding": stream.encoding})
        self._samples.dataset.attrs["rate_hz"] = stream.rate_hz or 0.0  # 0: irregular
        self._stamps = _Rows(self._group, "stamps_s", STAMP)
        self._blocks = RowBuffer(layout.SIGNAL_ROW)
        self._row = self._at = 0
        named = [(each.name.encode(), each.unit.encode()) for each in stream.channels]
        self._group.create_dataset("channels", data=np.array(named, layout.CHANNEL_ROW))

    def append(self, event: SamplesCaptured, record: Record) -> None:
        stamps, values = split_samples(record.blob, event.count)
        where = (self._at, len(values)) if self._is_text else (0, 0)
        self._blocks.append(*_when(record), event.sample, self._row, event.count, *where)
        self._row += event.count
        self._at += len(values)
        self._stamps.append(stamps)
        self._samples.append(values)

    def finish(self, clocks: list[tuple[int, SourceClock]]) -> None:
        self._samples.finish()
        self._stamps.finish()
        blocks = self._blocks.array()
        _write_rows(self._group, "blocks", blocks)
        t_s = times_s(blocks, self._stamps.dataset[:], clocks)
        written = self._group.create_dataset("t_s", data=t_s)
        put_attributes(written, {"units": "seconds of session time"})
        put_attributes(self._stamps.dataset, {"units": "seconds, by the clock of the source"})


def _when(record: Record) -> tuple[int, int, float]:
    return record.seq, record.t_ns, record.t_ns / NS_PER_S


def _write_rows(group: h5py.Group, name: str, rows: NDArray[Any]) -> None:
    written = group.create_dataset(name, data=rows)
    units = (
        "t_ns: nanoseconds of session time; t_s: seconds of session time; "
        "offset, length, blob_length: bytes; others: counts"
    )
    put_attributes(written, {"units": units})


class SealedWriter:
    """Spreads records over the data sets of a sealed file.

    Parameters
    ----------
    file
        Empty, open for writing.
    schema_version
        Of the events.
    removed
        What was removed of the recording; see `integrity`.
    """

    def __init__(
        self,
        file: h5py.File,
        schema_version: str,
        removed: NDArray[Any] = NOTHING_REMOVED,
    ) -> None:
        self._file = file
        self._schema_version = schema_version
        self._removed = removed
        self._started: SessionStarted | None = None
        self._recovered = False
        self._digests = Digests()
        self._index = RowBuffer(layout.EVENT_ROW)
        self._video: dict[str, _Video] = {}
        self._audio: dict[str, _Sound] = {}
        self._signals: dict[str, _Signal] = {}
        self._clocks: list[Event] = []  # what tells when the samples of signals were taken
        self._others: list[tuple[int, bytes]] = []  # blobs of kinds that are not known
        events = file.create_group("events")
        self._json = _Rows(events, "json", np.dtype(np.uint8), plain=True)

    def add(self, record: Record, sealed: NDArray[np.uint8] | None = None) -> None:
        """Take in the next record, and what it was sealed with before, if it was."""
        self.add_event(decode(record.json, self._schema_version), record, sealed)

    def add_event(
        self,
        event: AnyEvent | UnknownEvent,
        record: Record,
        sealed: NDArray[np.uint8] | None = None,
    ) -> None:
        """Take in the next record, whose event is known."""
        self._digests.add(record, sealed)
        start = self._json.append(record.json)
        texts = record.kind.encode(), record.stream.encode(), record.scopes.encode()
        lengths = len(record.json), len(record.blob)
        self._index.append(*_when(record), *texts, start, *lengths, record.crc32)
        match event:
            case SessionStarted() | StreamOpened():
                if isinstance(event, SessionStarted):
                    self._started = event
                for stream in declared(event).values():
                    self._open(stream)
            case FrameCaptured():
                self._video[event.stream].append(event, record)
            case AudioCaptured():
                self._audio[event.stream].append(event, record)
            case SamplesCaptured():
                self._signals[event.stream].append(event, record)
            case ClockMeasured() | DeviceRestored():
                self._clocks.append(event)
            case SessionRecovered():
                self._recovered = True
            case UnknownEvent() if record.blob:
                self._others.append((record.seq, record.blob))

    def _open(self, stream: Stream) -> None:
        match stream.kind:
            case "video":
                self._video[stream.name] = _Video(self._file, stream)
            case "audio":
                self._audio[stream.name] = _Sound(self._file, stream)
            case "samples":
                self._signals[stream.name] = _Signal(self._file, stream)

    def finish(self) -> None:
        """Write all that is left; what the file is, last."""
        self._json.finish()
        index = self._index.array()
        _write_rows(self._file["events"], "index", index)
        for video in self._video.values():
            video.finish()
        for sound in self._audio.values():
            sound.finish()
        for signal in self._signals.values():
            signal.finish(stretches(signal.name, self._clocks))
        if self._others:
            self._write_others()
        self._write_estimates(index)
        digests = self._digests.rows()
        self._file.create_dataset("events/digests", data=digests)
        if len(self._removed):
            self._file.create_dataset("events/removed", data=self._removed)
        whole_log = log_sha256(index["seq"], digests, self._removed)
        put_attributes(self._file, self._attributes() | {"log_sha256": whole_log})
        whole = contents_sha256(self._file)
        put_attributes(self._file, {"contents_sha256": whole, "format": layout.FORMAT})

    def _write_estimates(self, index: NDArray[Any]) -> None:
        """Write the estimates as columns; for an hour, they are too many to be kept until then."""
        written: set[str] = set()
        for kind in ESTIMATES:
            found: dict[str, list[Estimate]] = {}
            for event in self._stored(index[index["kind"] == kind.__name__.encode()]):
                if isinstance(event, Estimate) and type(event) is estimate_kind(event.modality):
                    found.setdefault(event.modality, []).append(event)
            for modality, estimates in found.items():
                self._write_columns(f"estimates/{modality}", kind, estimates)
            written |= found.keys()
        for modality in ESTIMATE_TABLES.keys() - written:
            self._write_columns(f"estimates/{modality}", estimate_kind(modality), [])

    def _stored(self, rows: NDArray[Any]) -> Iterator[AnyEvent | UnknownEvent]:
        """Yield the events of some rows of the index, as they were written."""
        data = StoredBytes(Path(self._file.filename), self._json.dataset)
        for start, length in zip(rows["offset"].tolist(), rows["length"].tolist(), strict=True):
            yield decode(data.read(start, start + length), self._schema_version)

    def _write_others(self) -> None:
        data = np.frombuffer(b"".join(blob for _, blob in self._others), np.uint8)
        self._file.create_dataset("blobs/bytes", data=data)
        ends = np.cumsum([len(blob) for _, blob in self._others]).tolist()
        rows = [
            (seq, end - len(blob), len(blob))
            for (seq, blob), end in zip(self._others, ends, strict=True)
        ]
        _write_rows(self._file["blobs"], "index", np.array(rows, layout.BLOB_ROW))

    def _write_columns(self, group: str, kind: type[Event], rows: Iterable[Event]) -> None:
        fields = column_fields(kind)
        table = columns(kind, rows)
        for name, values in table.items():
            data: Any = values
            if values.dtype == object:
                data = np.array([value.encode() for value in values], "S")
            column = self._file.create_dataset(f"{group}/{name}", data=data)
            if name in fields:  # else it is a measure that a plug-in named
                told = {"units": fields[name].unit, "description": fields[name].description}
                put_attributes(column, told)
        t_s = self._file.create_dataset(f"{group}/t_s", data=table["t_ns"] / NS_PER_S)
        told = {"units": "seconds of session time", "description": "t_ns in seconds"}
        put_attributes(t_s, told)

    def _attributes(self) -> dict[str, Any]:
        started = self._started
        if started is None:
            raise OSError("the log does not say how the session started")
        return {
            "format_version": layout.FORMAT_VERSION,
            "schema_version": self._schema_version,
            "session_id": started.session_id,
            "software_version": started.software_version,
            "recovered": int(self._recovered),
        }
