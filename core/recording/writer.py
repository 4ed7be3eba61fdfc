"""Writes a sealed file: records in, data sets out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.consent import declared
from affetti.core.events import (
    ESTIMATE_TABLES,
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
from affetti.core.recording.signals import split_samples, stretches, times_s
from affetti.core.settings import MIB
from affetti.core.streams import SAMPLE_TYPES, STAMP, SourceClock, Stream

_BUFFER_BYTES: Final = MIB  # larger ones cost more: the system gives such memory anew each time
_CHUNK_BYTES: Final = 256 << 10


@dataclass(frozen=True)
class Sizes:
    """How many bytes all records have: their JSON together, and the frames of each video."""

    json: int
    videos: Mapping[str, int]


@dataclass
class _Bytes:
    """Appends to a one-dimensional data set of known size through a buffer."""

    dataset: h5py.Dataset
    at: int = 0  # bytes handed over
    _buffer: bytearray = field(default_factory=bytearray)

    def append(self, data: bytes) -> int:
        start = self.at
        self._buffer += data
        self.at += len(data)
        if len(self._buffer) >= _BUFFER_BYTES:
            self.flush()
        return start

    def flush(self) -> None:
        if self._buffer:
            start = self.at - len(self._buffer)
            self.dataset[start : self.at] = np.frombuffer(self._buffer, np.uint8)
            self._buffer = bytearray()


class _Rows:
    """Appends to a data set of numbers, [n] or [n, channels], through a buffer."""

    def __init__(self, group: h5py.Group, name: str, dtype: np.dtype[Any], channels: int) -> None:
        self._dtype, self._shape = dtype, (channels,) if channels else ()
        row_bytes = dtype.itemsize * max(channels, 1)
        self.dataset = group.create_dataset(
            name,
            shape=(0, *self._shape),
            maxshape=(None, *self._shape),
            dtype=dtype,
            chunks=(max(1, _CHUNK_BYTES // row_bytes), *self._shape),
            compression="gzip",
            compression_opts=1,
            shuffle=True,
        )
        self._buffer = bytearray()

    def append(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        rows = np.frombuffer(self._buffer, self._dtype).reshape(-1, *self._shape)
        start = self.dataset.shape[0]
        self.dataset.resize(start + len(rows), axis=0)
        self.dataset[start:] = rows
        self._buffer = bytearray()


class _Video:
    """Appends to one video stream."""

    def __init__(self, file: h5py.File, stream: Stream, size: int) -> None:
        self._group = file.create_group(f"video/{stream.name}")
        self._bytes = _Bytes(self._group.create_dataset("bytes", shape=(size,), dtype=np.uint8))
        put_attributes(self._bytes.dataset, {"encoding": stream.encoding})
        self._frames: list[tuple[Any, ...]] = []

    def append(self, event: FrameCaptured, record: Record) -> None:
        at = self._bytes.append(record.blob)
        self._frames.append((*_when(record), event.frame, at, len(record.blob)))

    def finish(self) -> None:
        self._bytes.flush()
        _write_rows(self._group, "index", self._frames, layout.FRAME_ROW)


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
        self._blocks: list[tuple[Any, ...]] = []
        self._row = 0

    def append(self, event: AudioCaptured, record: Record) -> None:
        self._blocks.append((*_when(record), event.sample, self._row, event.count))
        self._row += event.count
        self._samples.append(record.blob)

    def finish(self) -> None:
        self._samples.flush()
        _write_rows(self._group, "blocks", self._blocks, layout.BLOCK_ROW)


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
        self._stamps = _Rows(self._group, "stamps_s", STAMP, 0)
        self._blocks: list[tuple[Any, ...]] = []
        self._row = self._at = 0
        named = [(each.name.encode(), each.unit.encode()) for each in stream.channels]
        self._group.create_dataset("channels", data=np.array(named, layout.CHANNEL_ROW))

    def append(self, event: SamplesCaptured, record: Record) -> None:
        stamps, values = split_samples(record.blob, event.count)
        where = (self._at, len(values)) if self._is_text else (0, 0)
        self._blocks.append((*_when(record), event.sample, self._row, event.count, *where))
        self._row += event.count
        self._at += len(values)
        self._stamps.append(stamps)
        self._samples.append(values)

    def finish(self, clocks: list[tuple[int, SourceClock]]) -> None:
        self._samples.flush()
        self._stamps.flush()
        _write_rows(self._group, "blocks", self._blocks, layout.SIGNAL_ROW)
        blocks = np.array(self._blocks, layout.SIGNAL_ROW)
        t_s = times_s(blocks, self._stamps.dataset[:], clocks)
        written = self._group.create_dataset("t_s", data=t_s)
        put_attributes(written, {"units": "seconds of session time"})
        put_attributes(self._stamps.dataset, {"units": "seconds, by the clock of the source"})


def _when(record: Record) -> tuple[int, int, float]:
    return record.seq, record.t_ns, record.t_ns / NS_PER_S


def _write_rows(
    group: h5py.Group, name: str, rows: list[tuple[Any, ...]], dtype: np.dtype[Any]
) -> None:
    written = group.create_dataset(name, data=np.array(rows, dtype))
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
    sizes
        How many bytes will come.
    removed
        What was removed of the recording; see `integrity`.
    """

    def __init__(
        self,
        file: h5py.File,
        schema_version: str,
        sizes: Sizes,
        removed: NDArray[Any] = NOTHING_REMOVED,
    ) -> None:
        self._file = file
        self._schema_version = schema_version
        self._sizes = sizes
        self._removed = removed
        self._started: SessionStarted | None = None
        self._recovered = False
        self._digests = Digests()
        self._index: list[tuple[Any, ...]] = []
        self._video: dict[str, _Video] = {}
        self._audio: dict[str, _Sound] = {}
        self._signals: dict[str, _Signal] = {}
        self._clocks: list[Event] = []  # what tells when the samples of signals were taken
        self._others: list[tuple[int, bytes]] = []  # blobs of kinds that are not known
        self._estimates: dict[str, list[Estimate]] = {name: [] for name in ESTIMATE_TABLES}
        self._json = _Bytes(file.create_dataset("events/json", shape=(sizes.json,), dtype=np.uint8))

    def add(self, record: Record, sealed: NDArray[np.uint8] | None = None) -> None:
        """Take in the next record, and what it was sealed with before, if it was."""
        event = decode(record.json, self._schema_version)
        self._digests.add(record, sealed)
        start = self._json.append(record.json)
        texts = record.kind.encode(), record.stream.encode(), record.scopes.encode()
        lengths = len(record.json), len(record.blob)
        self._index.append((*_when(record), *texts, start, *lengths, record.crc32))
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
            case Estimate(modality=modality) if type(event) is estimate_kind(modality):
                self._estimates.setdefault(modality, []).append(event)

    def _open(self, stream: Stream) -> None:
        match stream.kind:
            case "video":
                size = self._sizes.videos.get(stream.name, 0)
                self._video[stream.name] = _Video(self._file, stream, size)
            case "audio":
                self._audio[stream.name] = _Sound(self._file, stream)
            case "samples":
                self._signals[stream.name] = _Signal(self._file, stream)

    def finish(self) -> None:
        """Write all that is left; what the file is, last."""
        self._json.flush()
        _write_rows(self._file["events"], "index", self._index, layout.EVENT_ROW)
        for video in self._video.values():
            video.finish()
        for sound in self._audio.values():
            sound.finish()
        for signal in self._signals.values():
            signal.finish(stretches(signal.name, self._clocks))
        if self._others:
            self._write_others()
        for modality, estimates in self._estimates.items():
            self._write_columns(f"estimates/{modality}", estimate_kind(modality), estimates)
        digests = self._digests.rows()
        self._file.create_dataset("events/digests", data=digests)
        if len(self._removed):
            self._file.create_dataset("events/removed", data=self._removed)
        seqs = np.array([row[0] for row in self._index], np.int64)
        whole_log = log_sha256(seqs, digests, self._removed)
        put_attributes(self._file, self._attributes() | {"log_sha256": whole_log})
        whole = contents_sha256(self._file)
        put_attributes(self._file, {"contents_sha256": whole, "format": layout.FORMAT})

    def _write_others(self) -> None:
        data = np.frombuffer(b"".join(blob for _, blob in self._others), np.uint8)
        self._file.create_dataset("blobs/bytes", data=data)
        ends = np.cumsum([len(blob) for _, blob in self._others]).tolist()
        rows = [
            (seq, end - len(blob), len(blob))
            for (seq, blob), end in zip(self._others, ends, strict=True)
        ]
        _write_rows(self._file["blobs"], "index", rows, layout.BLOB_ROW)

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
