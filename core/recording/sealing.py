"""From the segments of a live recording to one sealed file, and back from a crash."""

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from affetti.core.custody.temporary import (
    is_being_written,
    is_regular,
    is_second_name,
    leftovers,
    name_beside,
    publish,
    sync_folder,
)
from affetti.core.errors import AffettiError, Damaged, DiskFull, FileExists, FileMissing
from affetti.core.events import (
    ESTIMATE_TABLES,
    AudioCaptured,
    Estimate,
    Event,
    FrameCaptured,
    SessionEnded,
    SessionRecovered,
    SessionStarted,
    column_fields,
    columns,
    decode,
    encode,
    estimate_kind,
    major,
)
from affetti.core.recording import layout, parts
from affetti.core.recording.fitness import Fitness
from affetti.core.recording.losses import Losses, gaps_in
from affetti.core.recording.names import DAMAGE, part_number
from affetti.core.recording.parts import Survey
from affetti.core.recording.records import HEADER_BYTES, Record, record_of
from affetti.core.recording.session import Session
from affetti.core.settings import MIB
from affetti.core.state import SessionState

Progress = Callable[[int, int], None]  # bytes done, bytes in all

# What was captured and not yet written when a process died; 0.13 s at most in fifty kills.
_IN_FLIGHT_S: Final = 0.2
_BUFFER_BYTES: Final = 8 * MIB
_AUDIO_CHUNK_BYTES: Final = 256 << 10
_ALREADY: Final = "It was sealed already; its segments were removed."


@dataclass(frozen=True)
class SealReport:
    """What became of a recording's segments."""

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
    """Make one sealed file of the segments of `target`, verify it, and put them away.

    A log with a gap, with anything that could not be read, or without a `SessionEnded`, gets a
    `SessionRecovered` that says what was lost. A segment is removed once each of its records
    was read back from the sealed file; one that holds anything else is moved to the folder
    `NAME.unreadable`.

    Parameters
    ----------
    target
        The sealed file to make. It must not exist, unless it is this very recording, sealed
        before a crash could put the segments away.
    progress
        Called with the bytes done and the bytes in all.

    Raises
    ------
    AffettiError
        There is nothing that can be sealed, it is being recorded, a segment cannot be read for
        now, the file exists, or the disk is full. The segments stay as they are.
    """
    found = parts.survey(target)
    major(found.schema_version)
    if os.path.lexists(target):
        return _finish_interrupted(target, found)
    plan = _planned(target, found)
    size = int(plan.rows["length"].sum())
    _refuse_without_room(target, size)
    left = _named(_tidied(target))
    held = _sealed(target, plan, _Meter(progress, 2 * size))
    said = plan.closing.statement if plan.closing else "Sealed; nothing was lost."
    return SealReport(
        target,
        plan.closing is not None,
        plan.closing.lost_s if plan.closing else 0.0,
        said + _put_away(target, found, held) + left,
        not plan.losses.inside,
    )


def _sealed(target: Path, plan: _Plan, meter: "_Meter") -> NDArray[np.bool_]:
    """Make the sealed file; return which of the surveyed records were read back from it."""
    temporary = name_beside(target)
    try:
        _write(temporary, plan, meter)
        with Session.open(temporary) as session:
            held = _held(session, plan.found, meter)
        if not held[plan.fit].all():
            raise OSError("what was written is not what is read back")
        publish(temporary, target)
    except (*DAMAGE, AffettiError) as error:
        raise _seal_failed(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return held


def _planned(target: Path, found: Survey) -> _Plan:
    """Return what is to be sealed of the segments.

    Raises
    ------
    AffettiError
        Nothing can be.
    """
    fitness = Fitness(found.session_id, found.schema_version)
    fit = _fit(found, fitness)
    if fitness.state.started is None:
        raise _nothing_to_seal(target, found)
    losses = _losses(found, fit, fitness)
    whole = losses.end_s is None and not losses.inside
    return _Plan(found, fit, losses, None if whole else _recovery(found, losses, fitness.state))


def _fit(found: Survey, fitness: Fitness) -> NDArray[np.bool_]:
    try:
        return np.fromiter(map(fitness.admits, found.records()), bool, len(found.rows))
    except OSError as error:
        raise FileMissing(
            f"The segments cannot be read for now: {error}.",
            "Nothing was changed. Try again.",
        ) from error


def _nothing_to_seal(target: Path, found: Survey) -> AffettiError:
    if all(found.whole) and not len(found.named):
        return Damaged(
            f"The segments of {target.name} hold no event: the recording had not begun.",
            "Nothing was lost; you may remove them.",
        )
    if not len(found.rows):
        return Damaged(
            f"None of the segments of {target.name} can be read.",
            "Nothing was changed. Keep them, and copy them from a backup if there is one.",
        )
    return Damaged(
        f"The segments of {target.name} do not say whose recording they are: "
        "its first event is missing or cannot be read.",
        "Nothing was changed. Put the first segment back beside them, from a backup say, and "
        "run `affetti recover` again.",
    )


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
        The sealed file is not what its check sums say, or a segment cannot be read.
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
    """Remove the segments whose every record is sealed, and move the others; say which.

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
        return f" Not every segment could be put away ({error.strerror}); recover it once more."
    if not moved:
        return ""
    names = ", ".join(path.name for path in moved)
    return f" Kept in {moved[0].parent.name}, as it holds what is not sealed: {names}."


def _moved(part: Path, target: Path) -> Path:
    """Move a segment to the folder for those that could not be read; nothing is overwritten."""
    folder = _unreadable_folder(target)
    for number in count(1):
        name = part.name if number == 1 else f"{part.stem}-{number}.h5"
        with suppress(FileExistsError):
            publish(part, folder / name)
            break
    sync_folder(part.parent)
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
        raise DiskFull(
            f"The disk has no room to seal {target} ({size / MIB:.0f} MiB).",
            f"The recording is safe in its segments. Free some space, then run "
            f"`affetti recover {target}`.",
        )


def _seal_failed(target: Path, error: Exception) -> AffettiError:
    kind = DiskFull if "No space" in str(error) else Damaged
    return kind(
        f"{target.name} could not be sealed: {error}.",
        f"The recording stays in its segments; run `affetti recover {target}`.",
    )


def _finish_interrupted(target: Path, found: Survey) -> SealReport:
    """Put away the segments of a recording that was sealed already; refuse any other."""
    fit = _fit(found, Fitness(found.session_id, found.schema_version))
    try:
        with Session.open(target) as session:
            if session.started.session_id != found.session_id and found.session_id:
                raise _exists(target, "is another recording than the segments beside it")
            held = _held(session, found, _Meter(None, 0))
            info = session.info
    except (*DAMAGE, AffettiError) as error:
        raise _exists(target, "is another recording than the segments beside it") from error
    lacking = int((fit & ~held).sum())
    if lacking:
        raise _exists(target, f"lacks {lacking} of the events in the segments beside it")
    left = _named(_tidied(target))
    moved = _put_away(target, found, held)
    said = f"It was sealed already.{moved}" if moved else _ALREADY
    if info.recovery:
        said += f" {info.recovery}"
    return SealReport(target, info.recovered, info.lost_s, said + left, not moved)


def _exists(target: Path, what: str) -> AffettiError:
    return FileExists(
        f"{target} exists already and {what}.",
        "Nothing was changed. Move the segments to another folder and run `affetti recover` there.",
    )


def _write(path: Path, plan: _Plan, meter: _Meter) -> None:
    with h5py.File(path, "x", libver="earliest") as file:
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
    return SessionRecovered(
        t_ns=state.now_ns,
        seq=int(found.named["seq"].max()) + 1,
        lost_s=round(losses.lost_s, 3),
        damaged_records=losses.records,
        statement=losses.statement(state),
    )


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

    def __init__(self, file: h5py.File, plan: _Plan) -> None:
        self._file = file
        self._found = plan.found
        self.state = SessionState()
        self._digest = hashlib.sha256()
        self._index: list[tuple[int, int, bytes, int, int, int]] = []
        self._frames: list[tuple[int, int, int, int, int]] = []
        self._sounds: dict[str, _Sound] = {}
        self._estimates: dict[str, list[Estimate]] = {name: [] for name in ESTIMATE_TABLES}
        rows = plan.rows
        video = rows[rows["kind"] == FrameCaptured.__name__.encode()]
        jpegs = int((video["length"] - video["json_length"] - HEADER_BYTES).sum())
        last_words = plan.last_words
        json_bytes = int(rows["json_length"].sum()) + (len(last_words.json) if last_words else 0)
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
            case Estimate(modality=modality) if type(event) is estimate_kind(modality):
                self._estimates.setdefault(modality, []).append(event)

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
        for modality, estimates in self._estimates.items():
            self._write_columns(f"estimates/{modality}", estimate_kind(modality), estimates)
        self._file.attrs.update(self._attributes())

    def _write_columns(self, group: str, kind: type[Event], rows: Iterable[Event]) -> None:
        fields = column_fields(kind)
        for name, values in columns(kind, rows).items():
            data: Any = values
            if values.dtype == object:
                data = np.array([value.encode() for value in values], "S")
            column = self._file.create_dataset(f"{group}/{name}", data=data)
            if name in fields:  # else it is a measure that a plug-in named
                column.attrs["units"] = fields[name].unit
                column.attrs["description"] = fields[name].description

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
