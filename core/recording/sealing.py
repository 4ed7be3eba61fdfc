"""From the parts of a live recording to one sealed file, and back from a crash."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from affetti.core import system
from affetti.core.clock import NS_PER_S
from affetti.core.consent import declared
from affetti.core.custody.temporary import (
    is_being_written,
    is_regular,
    is_second_name,
    leftovers,
    name_beside,
    publish,
)
from affetti.core.errors import AffettiError, Damaged, DiskFull, FileExists, FileMissing
from affetti.core.events import (
    ESTIMATE_TABLES,
    AudioCaptured,
    ClockMeasured,
    DeviceRestored,
    Estimate,
    Event,
    FrameCaptured,
    SamplesCaptured,
    SessionEnded,
    SessionRecovered,
    SessionStarted,
    StreamOpened,
    UnknownEvent,
    column_fields,
    columns,
    decode,
    encode,
    estimate_kind,
    major,
)
from affetti.core.language import text
from affetti.core.recording import hdf5, layout, parts
from affetti.core.recording.attributes import put_attributes, text_attribute
from affetti.core.recording.bounds import refuse_endless
from affetti.core.recording.fitness import Fitness
from affetti.core.recording.integrity import Digests, contents_sha256, log_sha256
from affetti.core.recording.losses import Losses, gaps_in, statement
from affetti.core.recording.names import DAMAGE, part_number
from affetti.core.recording.parts import Survey
from affetti.core.recording.records import HEADER_BYTES, Record, record_of
from affetti.core.recording.session import Session
from affetti.core.recording.signals import split_samples, stretches, times_s
from affetti.core.settings import MIB
from affetti.core.state import SessionState
from affetti.core.streams import SAMPLE_TYPES, STAMP, SourceClock, Stream

Progress = Callable[[int, int], None]  # bytes done, bytes in all

# What was captured and not yet written when a process died; 0.13 s at most in fifty kills.
_IN_FLIGHT_S: Final = 0.2
_BUFFER_BYTES: Final = 8 * MIB
_CHUNK_BYTES: Final = 256 << 10


@dataclass(frozen=True)
class SealReport:
    """What became of a recording's parts."""

    path: Path
    recovered: bool
    lost_s: float
    statement: str  # for a person
    whole: bool = True  # nothing is missing but, where it broke off, the end


@dataclass(frozen=True)
class _Plan:
    """What is to be sealed: the fit of the surveyed records, and what is said of the others."""

    found: Survey
    fit: NDArray[np.bool_]
    losses: Losses
    closing: SessionRecovered | None  # None where nothing at all was lost
    state: SessionState  # after the last of them

    @property
    def rows(self) -> NDArray[Any]:
        return self.found.rows[self.fit]

    @property
    def last_words(self) -> Record | None:
        if self.closing is None:
            return None
        kind, json = type(self.closing).__name__, encode(self.closing)
        return record_of(self.closing.seq, self.closing.t_ns, kind, json, b"")


def seal(target: Path, progress: Progress | None = None) -> SealReport:
    """Make one sealed file of the parts of `target`, verify it, and put them away.

    A log with a gap, with anything that could not be read, or without a `SessionEnded`, gets a
    `SessionRecovered` that says what was lost. A part is removed once each of its records
    was read back from the sealed file; one that holds anything else is moved to the folder
    `NAME.unreadable`.

    Parameters
    ----------
    target
        The sealed file to make. It must not exist, unless it is this very recording, sealed
        before a crash could put the parts away.
    progress
        Called with the bytes done and the bytes in all.

    Raises
    ------
    AffettiError
        There is nothing that can be sealed, it is being recorded, a part cannot be read for
        now, the file exists, or the disk is full. The parts stay as they are.
    """
    found = parts.survey(target)
    major(found.schema_version)
    if os.path.lexists(target):
        return _finish_interrupted(target, found)
    plan = _planned(target, found)
    size = int(plan.rows["length"].sum())
    _refuse_without_room(target, size)
    left = _named(_tidied(target))
    _make(target, plan, _Meter(progress, 2 * size))
    said = statement(plan.closing, plan.state) if plan.closing else text("sealing.whole")
    return SealReport(
        target,
        plan.closing is not None,
        plan.closing.lost_s if plan.closing else 0.0,
        said + _put_away(target, found, plan.fit) + left,
        not plan.losses.inside,
    )


def _make(target: Path, plan: _Plan, meter: "_Meter") -> None:
    """Make the sealed file, and read back from it all that was fit."""
    temporary = name_beside(target)
    try:
        _write(temporary, plan, meter)
        with Session.open(temporary) as session:
            _read_back(session, plan, meter)
        publish(temporary, target)
    except (*DAMAGE, AffettiError) as error:
        raise _seal_failed(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _read_back(session: Session, plan: _Plan, meter: "_Meter") -> None:
    """Compare a sealed file with the parts that it was made of.

    Its digest is over the very bytes that came out of the parts, each record compared with its
    check sum there; so that what agrees with both need not be compared with the parts once more.

    Raises
    ------
    AffettiError, OSError
        It is not what was written.
    """
    wanted = _headers(plan)
    for record in session.verified_records():
        meter.add(len(record.json) + len(record.blob) + HEADER_BYTES)
        if _header(record) != next(wanted, None):
            break
    else:
        if next(wanted, None) is None:
            return
    raise OSError("what was written is not what is read back")


def _headers(plan: _Plan) -> Iterator[tuple[Any, ...]]:
    names = ("seq", "t_ns", "kind", "stream", "scopes", "json_length", "length", "crc32")
    yield from zip(*(plan.rows[name].tolist() for name in names), strict=True)
    if plan.last_words is not None:
        yield _header(plan.last_words)


def _header(record: Record) -> tuple[Any, ...]:
    """Return all of a record but its bytes, as the rows of parts have it."""
    texts = record.kind.encode(), record.stream.encode(), record.scopes.encode()
    lengths = len(record.json), HEADER_BYTES + len(record.json) + len(record.blob)
    return (record.seq, record.t_ns, *texts, *lengths, record.crc32)


def _planned(target: Path, found: Survey) -> _Plan:
    """Return what is to be sealed of the parts.

    Raises
    ------
    AffettiError
        Nothing can be.
    """
    fitness = Fitness(found.session_id, found.schema_version)
    fit = _fit(found, fitness)
    if fitness.state.started is None:
        raise _nothing_to_seal(target, found)
    refuse_endless(target, fitness.state)
    losses = _losses(found, fit, fitness)
    whole = losses.end_s is None and not losses.inside
    state = fitness.state
    closing = None if whole else _recovery(found, losses, state)
    return _Plan(found, fit, losses, closing, state)


def _fit(found: Survey, fitness: Fitness) -> NDArray[np.bool_]:
    try:
        return np.fromiter(map(fitness.admits, found.records()), bool, len(found.rows))
    except OSError as error:
        raise FileMissing("sealing.parts_cannot_read_now", error=error) from error


def _nothing_to_seal(target: Path, found: Survey) -> AffettiError:
    if all(found.whole) and not len(found.named):
        return Damaged("sealing.parts_hold_no_event", target=target.name)
    if not len(found.rows):
        return Damaged("sealing.none_parts_can_read", target=target.name)
    return Damaged("sealing.parts_not_say_whose", target=target.name)


def _losses(found: Survey, fit: NDArray[np.bool_], fitness: Fitness) -> Losses:
    rows = found.rows[fit]
    gaps = gaps_in(rows, int(found.named["seq"].max()) + 1)
    ended = isinstance(fitness.last, SessionEnded) and (not gaps or gaps[-1].to_ns is not None)
    numbers = [part_number(path) or 0 for path in found.parts]
    unreadable = [n for n, good in zip(numbers, _readable(found, fit), strict=True) if not good]
    missing = set(range(1, max(numbers))) - set(numbers)
    end_s = None if ended else _end_s(found, fitness.state)
    return Losses(gaps, tuple(sorted(missing)), tuple(unreadable), end_s)


def _readable(found: Survey, good: NDArray[np.bool_]) -> list[bool]:
    """Return of each part whether nothing in it was unreadable and all of its records are good."""
    bad = {int(part) for part in np.unique(found.part_of[~good])}
    return [whole and part not in bad for part, whole in enumerate(found.whole)]


def _end_s(found: Survey, state: SessionState) -> float:
    try:
        began = datetime.fromisoformat(state.started.wall_clock).timestamp()  # type: ignore[union-attr]
    except (ValueError, OverflowError, OSError):
        return _IN_FLIGHT_S
    return max(0.0, found.written_unix_s - began - state.duration_s) + _IN_FLIGHT_S


def _held(session: Session, found: Survey, meter: "_Meter") -> NDArray[np.bool_]:
    """Return which of the surveyed records a sealed file holds, byte for byte.

    Raises
    ------
    AffettiError, OSError
        The sealed file is not what its check sums say, or a part cannot be read.
    """
    held = np.zeros(len(found.rows), bool)
    surveyed = enumerate(found.records())
    i, ours = next(surveyed, (0, None))
    for record in session.verified_records():
        meter.add(len(record.json) + len(record.blob) + HEADER_BYTES)
        while ours is not None and ours.seq < record.seq:
            i, ours = next(surveyed, (0, None))
        if ours is not None and ours == record:
            held[i] = True
    return held


def _put_away(target: Path, found: Survey, held: NDArray[np.bool_]) -> str:
    """Remove the parts whose every record is sealed, and move the others; say which.

    What cannot be put away stays for the next time.
    """
    readable = _readable(found, held)
    try:
        moved = [
            _moved(part, target)
            for part, good in zip(found.parts, readable, strict=True)
            if not good
        ]
        parts.remove(tuple(p for p, good in zip(found.parts, readable, strict=True) if good))
    except OSError as error:
        return " " + text("sealing.not_put_away", error=error.strerror)
    if not moved:
        return ""
    names = ", ".join(path.name for path in moved)
    return " " + text("sealing.kept", folder=moved[0].parent.name, names=names)


def _moved(part: Path, target: Path) -> Path:
    """Move a part to the folder for those that could not be read; nothing is overwritten."""
    folder = _unreadable_folder(target)
    for number in count(1):
        name = part.name if number == 1 else f"{part.stem}-{number}.h5"
        with suppress(FileExistsError):
            publish(part, folder / name)
            break
    system.sync_folder(part.parent)
    return folder / name


def _unreadable_folder(target: Path) -> Path:
    for number in count(1):
        folder = target.with_name(f"{target.stem}.unreadable" + (f"-{number}" * (number > 1)))
        if not os.path.lexists(folder):
            folder.mkdir()
            break
        if folder.is_dir() and not folder.is_symlink():
            break
    return folder


def _tidied(target: Path) -> list[Path]:
    """Remove what a killed sealing of `target` left; return what may be more than that.

    Only a second name of the sealed file itself, and a file that was never completed, are known
    to hold nothing of their own: the parts are there.
    """
    kept = []
    old = target.with_name(f"{target.stem}.sealing")  # as version 0.1.0 called it
    for left in leftovers(target) + ([old] if is_regular(old) else []):
        alone = left.lstat().st_nlink == 1
        if is_second_name(left, target) or (alone and _is_unfinished(left)):
            left.unlink()
        else:
            kept.append(left)
    return kept


def _is_unfinished(path: Path) -> bool:
    """Whether sealing broke off before the file was whole: what it is, is written last."""
    try:
        if is_being_written(path):
            return False
        with hdf5.to_read(path) as file:
            return not text_attribute(file, "format")
    except OSError as error:
        return error.errno is None  # it could be read, and HDF5 finds it broken off
    except (RuntimeError, KeyError, ValueError):
        return True


def _named(kept: list[Path]) -> str:
    names = ", ".join(path.name for path in kept)
    return " " + text("sealing.left_alone", names=names) if kept else ""


class _Meter:
    def __init__(self, progress: Progress | None, total: int, done: int = 0) -> None:
        self._progress, self._total, self._done = progress, total, done
        self._told = 0

    def add(self, size: int) -> None:
        self._done += size
        if self._progress is not None and self._done - self._told >= MIB:
            self._told = self._done
            self._progress(min(self._done, self._total), self._total)


def _refuse_without_room(target: Path, size: int) -> None:
    free = system.free_bytes(target.parent)
    if free is not None and free < size + 4 * MIB:
        raise DiskFull("sealing.disk_no_room_seal", target=target, size=size / MIB)


def _seal_failed(target: Path, error: Exception) -> AffettiError:
    kind = DiskFull if "No space" in str(error) else Damaged
    return kind("sealing.failed", target=target.name, error=error, path=target)


def _finish_interrupted(target: Path, found: Survey) -> SealReport:
    """Put away the parts of a recording that was sealed already; refuse any other."""
    fit = _fit(found, Fitness(found.session_id, found.schema_version))
    try:
        with Session.open(target) as session:
            if session.started.session_id != found.session_id and found.session_id:
                raise FileExists("sealing.another", target=target)
            held = _held(session, found, _Meter(None, 0))
            info = session.info
    except (*DAMAGE, AffettiError) as error:
        raise FileExists("sealing.another", target=target) from error
    lacking = int((fit & ~held).sum())
    if lacking:
        raise FileExists("sealing.lacks", target=target, count=lacking)
    left = _named(_tidied(target))
    moved = _put_away(target, found, held)
    said = text("sealing.already") + moved if moved else text("sealing.already_tidy")
    if info.recovery:
        said += f" {info.recovery}"
    return SealReport(target, info.recovered, info.lost_s, said + left, not moved)


def _write(path: Path, plan: _Plan, meter: _Meter) -> None:
    with hdf5.created(path, libver="earliest") as file:
        writer = _Writer(file, plan)
        for record in plan.found.records(plan.fit):
            writer.add(record)
            meter.add(len(record.json) + len(record.blob) + HEADER_BYTES)
        if plan.last_words is not None:
            writer.add(plan.last_words)
        writer.finish()
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _recovery(found: Survey, losses: Losses, state: SessionState) -> SessionRecovered:
    return losses.event(state.now_ns, int(found.named["seq"].max()) + 1)


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


class _Writer:
    """Spreads records over the data sets of a sealed file."""

    def __init__(self, file: h5py.File, plan: _Plan) -> None:
        self._file = file
        self._found = plan.found
        self._rows = plan.rows
        self.state = SessionState()
        self._digests = Digests()
        self._index: list[tuple[Any, ...]] = []
        self._video: dict[str, _Video] = {}
        self._audio: dict[str, _Sound] = {}
        self._signals: dict[str, _Signal] = {}
        self._clocks: list[Event] = []  # what tells when the samples of signals were taken
        self._others: list[tuple[int, bytes]] = []  # blobs of kinds that are not known
        self._estimates: dict[str, list[Estimate]] = {name: [] for name in ESTIMATE_TABLES}
        last_words = plan.last_words
        json_bytes = int(self._rows["json_length"].sum())
        json_bytes += len(last_words.json) if last_words else 0
        self._json = _Bytes(file.create_dataset("events/json", shape=(json_bytes,), dtype=np.uint8))

    def add(self, record: Record) -> None:
        event = decode(record.json, self._found.schema_version)
        self._digests.add(record)
        start = self._json.append(record.json)
        texts = record.kind.encode(), record.stream.encode(), record.scopes.encode()
        lengths = len(record.json), len(record.blob)
        self._index.append((*_when(record), *texts, start, *lengths, record.crc32))
        self.state.apply(event)
        match event:
            case SessionStarted() | StreamOpened():
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
            case UnknownEvent() if record.blob:
                self._others.append((record.seq, record.blob))
            case Estimate(modality=modality) if type(event) is estimate_kind(modality):
                self._estimates.setdefault(modality, []).append(event)

    def _open(self, stream: Stream) -> None:
        match stream.kind:
            case "video":
                self._video[stream.name] = _Video(self._file, stream, self._size(stream.name))
            case "audio":
                self._audio[stream.name] = _Sound(self._file, stream)
            case "samples":
                self._signals[stream.name] = _Signal(self._file, stream)

    def _size(self, video: str) -> int:
        rows = self._rows
        rows = rows[rows["kind"] == FrameCaptured.__name__.encode()]
        rows = rows[rows["stream"] == video.encode()]
        return int((rows["length"] - rows["json_length"] - HEADER_BYTES).sum())

    def finish(self) -> None:
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
        put_attributes(self._file, self._attributes() | {"log_sha256": log_sha256(digests)})
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
        started = self.state.started
        if started is None:
            raise OSError("the log does not say how the session started")
        return {
            "format_version": layout.FORMAT_VERSION,
            "schema_version": self._found.schema_version,
            "session_id": started.session_id,
            "software_version": started.software_version,
            "recovered": int(self.state.recovered is not None),
        }
