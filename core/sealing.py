"""From the segments of a live recording to one sealed file, and back from a crash."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from core import layout, segments
from core.clock import NS_PER_S, clock_text
from core.errors import AffettiError, ExitCode
from core.events import (
    ESTIMATE_TABLES,
    AudioCaptured,
    Event,
    FrameCaptured,
    SessionEnded,
    SessionRecovered,
    SessionStarted,
    columns,
    decode,
    encode,
)
from core.records import HEADER_BYTES, Record, record_of
from core.segments import Survey
from core.session import Session
from core.settings import MIB
from core.state import SessionState
from core.temporary import (
    is_being_written,
    is_regular,
    is_second_name,
    leftovers,
    name_beside,
    publish,
)

Progress = Callable[[int, int], None]  # bytes done, bytes in all

# What was captured and not yet written when a process died; 0.13 s at most in fifty kills.
_IN_FLIGHT_S: Final = 0.2
_BUFFER_BYTES: Final = 8 * MIB
_AUDIO_CHUNK_BYTES: Final = 256 << 10
_UNITS: Final = {
    "t_ns": "nanoseconds of session time",
    "box_px": "pixels",
    "loudness_dbfs": "dB relative to full scale",
    "tempo_bpm": "beats per minute",
    "entropy_bits": "bits",
    "divergence_bits": "bits",
}


@dataclass(frozen=True)
class SealReport:
    """What became of a recording's segments."""

    path: Path
    recovered: bool
    lost_s: float
    statement: str  # for a person


def seal(target: Path, progress: Progress | None = None) -> SealReport:
    """Make one sealed file of the segments of `target`, verify it, and remove them.

    A log without a `SessionEnded` gets a `SessionRecovered` that says what was lost.

    Parameters
    ----------
    target
        The sealed file to make. It must not exist, unless it is this very recording, sealed
        before a crash could remove the segments.
    progress
        Called with the bytes done and the bytes in all.

    Raises
    ------
    AffettiError
        There is nothing to seal, it is being recorded, the file exists, or the disk is full.
        The segments stay as they are.
    """
    found = segments.survey(target)
    if os.path.lexists(target):
        return _finish_interrupted(target, found)
    if not len(found.rows):
        raise AffettiError(
            f"The segments of {target.name} hold no event: the recording had not begun.",
            "Nothing was lost; you may remove them.",
            ExitCode.DAMAGED,
        )
    size = int(found.rows["length"].sum())
    _refuse_without_room(target, size)
    kept = _tidied(target)
    temporary = name_beside(target)
    try:
        closing = _write(temporary, found, _Meter(progress, 2 * size))
        _verify(temporary, _Meter(progress, 2 * size, size))
        publish(temporary, target)
    except (OSError, RuntimeError) as error:
        raise _seal_failed(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    segments.remove(found.parts, target)
    if closing is None:
        return SealReport(target, False, 0.0, "Sealed; nothing was lost." + _named(kept))
    return SealReport(target, True, closing.lost_s, closing.statement + _named(kept))


def _tidied(target: Path) -> list[Path]:
    """Remove what a killed sealing of `target` left; return what may be more than that.

    Only a second name of the sealed file itself, and a file that was never completed, are known
    to hold nothing of their own: the segments are there.
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
        with h5py.File(path, "r") as file:
            return not layout.text_attribute(file, "format")
    except OSError as error:
        return error.errno is None  # it could be read, and HDF5 finds it broken off
    except (RuntimeError, KeyError, ValueError):
        return True


def _named(kept: list[Path]) -> str:
    names = ", ".join(path.name for path in kept)
    return f" Left alone, as it may hold another recording: {names}." if kept else ""


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
    status = os.statvfs(target.parent)
    if status.f_bavail * status.f_frsize < size + 4 * MIB:
        raise AffettiError(
            f"The disk has no room to seal {target} ({size / MIB:.0f} MiB).",
            f"The recording is safe in its segments. Free some space, then run "
            f"`affetti recover {target}`.",
            ExitCode.DISK_FULL,
        )


def _seal_failed(target: Path, error: Exception) -> AffettiError:
    return AffettiError(
        f"{target.name} could not be sealed: {error}.",
        f"The recording is safe in its segments; run `affetti recover {target}`.",
        ExitCode.DISK_FULL if "No space" in str(error) else ExitCode.DAMAGED,
    )


def _finish_interrupted(target: Path, found: Survey) -> SealReport:
    """Remove segments whose recording was sealed already; refuse anything else that exists."""
    try:
        with Session.open(target) as session:
            same = session.started.session_id == found.session_id
            same = same and len(session) >= len(found.rows)
            if same:
                session.verify_digest()
    except AffettiError:
        same = False
    if not same:
        raise AffettiError(
            f"{target} exists already and is another recording than the segments beside it.",
            "Move the segments to another folder and run `affetti recover` there.",
            ExitCode.FILE_EXISTS,
        )
    kept = _tidied(target)
    segments.remove(found.parts, target)
    statement = "It was sealed already; its segments were removed." + _named(kept)
    return SealReport(target, False, 0.0, statement)


def _write(path: Path, found: Survey, meter: _Meter) -> SessionRecovered | None:
    with h5py.File(path, "x", libver="earliest") as file:
        writer = _Writer(file, found)
        for record in found.records():
            writer.add(record)
            meter.add(len(record.json) + len(record.blob))
        closing = None if writer.state.ended else _recovery(found, writer.state)
        if closing is not None:
            json = encode(closing)
            kind = type(closing).__name__
            writer.add(record_of(closing.seq, closing.t_ns, kind, json, b""))
        writer.finish()
    with path.open("rb") as written:
        os.fsync(written.fileno())
    return closing


def _recovery(found: Survey, state: SessionState) -> SessionRecovered:
    lost_s = 0.0
    if state.started is not None:
        began = datetime.fromisoformat(state.started.wall_clock).timestamp()
        lost_s = max(0.0, found.written_unix_s - began - state.duration_s) + _IN_FLIGHT_S
    return SessionRecovered(
        t_ns=state.now_ns,
        seq=int(found.rows["seq"].max()) + 1,
        lost_s=round(lost_s, 3),
        damaged_records=found.damaged_records,
        statement=_statement(found, state, lost_s),
    )


def _statement(found: Survey, state: SessionState, lost_s: float) -> str:
    last_frame = clock_text(state.last_frame_ns / NS_PER_S)
    kept = [f"{_count(state.frames, 'frame')} to {last_frame}"] if state.frames else []
    for name, stream in state.streams.items():
        seconds = stream.samples / stream.clock.rate_hz
        kept.append(f"{seconds:.1f} s of {name} sound")
    kept.append(f"{_count(len(state.markers), 'marker')} and {_count(len(state.notes), 'note')}")
    lost = f"less than {lost_s:.1f} s at the end, or up to a second where the power failed"
    if found.damaged_records:
        lost += f"; {_count(found.damaged_records, 'record')} inside could not be read"
    return (
        f"The recording broke off at {clock_text(state.duration_s)}. "
        f"Kept: {', '.join(kept)}. Lost: {lost}."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _verify(path: Path, meter: _Meter) -> None:
    with Session.open(path) as session:
        session.verify_digest()
    meter.add(path.stat().st_size)


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


class _Sound:
    """Appends to one audio stream."""

    def __init__(self, group: h5py.Group, rate_hz: int, channels: int) -> None:
        rows = _AUDIO_CHUNK_BYTES // (2 * channels)
        self.samples = group.create_dataset(
            "samples",
            shape=(0, channels),
            maxshape=(None, channels),
            dtype="<i2",
            chunks=(rows, channels),
            compression="gzip",
            compression_opts=1,
            shuffle=True,
        )
        self.samples.attrs.update(rate_hz=rate_hz, channels=channels, units="int16 full scale")
        self.group = group
        self.channels = channels
        self.blocks: list[tuple[int, int, int, int, int]] = []
        self.rows = 0
        self._buffer = bytearray()

    def append(self, event: AudioCaptured, seq: int, blob: bytes) -> None:
        if len(blob) != 2 * self.channels * event.count:
            raise OSError(f"event {seq} has {len(blob)} bytes for {event.count} samples")
        self.blocks.append((seq, event.t_ns, event.sample, self.rows, event.count))
        self.rows += event.count
        self._buffer += blob
        if len(self._buffer) >= _BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        start = self.samples.shape[0]
        self.samples.resize(self.rows, axis=0)
        block = np.frombuffer(self._buffer, "<i2").reshape(-1, self.channels)
        self.samples[start:] = block
        self._buffer = bytearray()

    def finish(self) -> None:
        self._flush()
        blocks = self.group.create_dataset("blocks", data=np.array(self.blocks, layout.BLOCK_ROW))
        blocks.attrs["units"] = "t_ns: nanoseconds of session time; others: samples"


class _Writer:
    """Spreads records over the data sets of a sealed file."""

    def __init__(self, file: h5py.File, found: Survey) -> None:
        self._file = file
        self._found = found
        self.state = SessionState()
        self._digest = hashlib.sha256()
        self._index: list[tuple[int, int, bytes, int, int, int]] = []
        self._frames: list[tuple[int, int, int, int, int]] = []
        self._sounds: dict[str, _Sound] = {}
        self._estimates: dict[type[Event], list[Event]] = {k: [] for k in ESTIMATE_TABLES.values()}
        rows = found.rows
        video = rows[rows["kind"] == FrameCaptured.__name__.encode()]
        jpegs = int((video["length"] - video["json_length"] - HEADER_BYTES).sum())
        ended = SessionEnded.__name__.encode() in rows["kind"]
        # Room for the recovery's own event, which is not among the rows.
        json_bytes = int(rows["json_length"].sum()) + (0 if ended else 4096)
        self._json = self._bytes("events/json", json_bytes)
        self._jpeg = self._bytes("video/jpeg", jpegs) if len(video) else None

    def _bytes(self, name: str, size: int) -> _Bytes:
        return _Bytes(self._file.create_dataset(name, shape=(size,), dtype=np.uint8))

    def add(self, record: Record) -> None:
        event = decode(record.json, self._found.schema_version)
        self._digest.update(record.json)
        self._digest.update(record.blob)
        start = self._json.append(record.json)
        self._index.append(
            (record.seq, record.t_ns, record.kind.encode(), start, len(record.json), record.crc32)
        )
        self.state.apply(event)
        match event:
            case SessionStarted():
                self._open_streams(event)
            case FrameCaptured() if self._jpeg is not None:
                at = self._jpeg.append(record.blob)
                self._frames.append((record.seq, event.t_ns, event.frame, at, len(record.blob)))
            case AudioCaptured():
                self._sounds[event.stream].append(event, record.seq, record.blob)
            case _ if type(event) in self._estimates:
                self._estimates[type(event)].append(event)  # type: ignore[arg-type,index]

    def _open_streams(self, started: SessionStarted) -> None:
        for name, form in started.streams.items():
            if name not in layout.STREAMS or not 1 <= form.channels <= layout.MAX_CHANNELS:
                raise OSError(f"the session names an impossible stream {name!r:.20}")
            group = self._file.create_group(f"audio/{name}")
            self._sounds[name] = _Sound(group, form.rate_hz, form.channels)

    def finish(self) -> None:
        self._json.flush()
        index = self._file.create_dataset(
            "events/index", data=np.array(self._index, layout.EVENT_ROW)
        )
        index.attrs["units"] = "t_ns: nanoseconds of session time; offset, length: bytes"
        if self._jpeg is not None:
            self._jpeg.flush()
            self._jpeg.dataset.attrs["encoding"] = "JPEG"
            frames = np.array(self._frames, layout.FRAME_ROW)
            rows = self._file.create_dataset("video/index", data=frames)
            rows.attrs["units"] = "t_ns: nanoseconds of session time; offset, length: bytes"
        for sound in self._sounds.values():
            sound.finish()
        for name, kind in ESTIMATE_TABLES.items():
            self._write_columns(f"estimates/{name}", kind)
        self._file.attrs.update(self._attributes())

    def _write_columns(self, group: str, kind: type[Event]) -> None:
        for name, values in columns(kind, self._estimates[kind]).items():
            data: Any = values
            if values.dtype == object:
                data = np.array([str(value or "") for value in values], "S")
            column = self._file.create_dataset(f"{group}/{name}", data=data)
            column.attrs["units"] = _UNITS.get(name, "")

    def _attributes(self) -> dict[str, Any]:
        started = self.state.started
        if started is None:
            raise OSError("the log does not say how the session started")
        return {
            "format": layout.FORMAT,
            "format_version": layout.FORMAT_VERSION,
            "schema_version": self._found.schema_version,
            "session_id": started.session_id,
            "software_version": started.software_version,
            "log_sha256": self._digest.hexdigest(),
            "recovered": self.state.recovered is not None,
        }
