"""The live, crash-safe log: HDF5 files that are readable at every moment of their lives.

While recording, events go into segments `NAME.part001.h5`, `NAME.part002.h5`, … Each holds two
contiguous data sets that are allocated in full and never filled by HDF5: `log`, a stream of
record payloads, and `index`, one row a record. HDF5 closes the file before the first event;
from then on records are written in place with plain positioned writes, so no moment exists at
which a dying process or machine could leave HDF5's own metadata half written.

A record's payload is the event's JSON followed by its blob. Its index row is written after it,
and carries a CRC-32 of it: a row counts only if its payload is there.
"""

import errno
import fcntl
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from core.errors import AffettiError, ExitCode
from core.events import SCHEMA_VERSION, URGENT, Event, encode
from core.parts import SEGMENT_FORMAT, part_path, parts_of
from core.settings import MIB, LogSettings
from core.temporary import sync_folder

FORMAT_VERSION: Final = "1.0"
INDEX_ROW: Final = np.dtype(
    [
        ("seq", "<i8"),
        ("t_ns", "<i8"),
        ("kind", "S24"),
        ("offset", "<u8"),  # of the payload in `log`
        ("json_length", "<u4"),
        ("length", "<u4"),  # of the whole payload, never 0
        ("crc32", "<u4"),
    ]
)
ROWS_PER_S: Final = 400  # an index holds this many rows for each second of a segment
_CLOSING_BYTES: Final = 64 << 10  # kept back in every log for the last words of a session
_CLOSING_ROWS: Final = 64


@dataclass(frozen=True, slots=True)
class Record:
    """One event as it is stored."""

    seq: int
    t_ns: int
    kind: str
    json: bytes
    blob: bytes
    crc32: int


class _Segment:
    """One file, open for writing in place and locked against a second writer."""

    def __init__(self, path: Path, attributes: dict[str, Any], log_bytes: int, rows: int) -> None:
        self.path = path
        self.begun = time.monotonic()
        self.log_bytes, self.rows = log_bytes, rows
        self.log_used = self.rows_used = 0
        self._log_at, self._index_at = _create(path, attributes, log_bytes, rows)
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._inode = _inode(os.fstat(self._fd))
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _reserve(self._fd, os.fstat(self._fd).st_size)
            os.fsync(self._fd)
            sync_folder(path.parent)
        except BaseException:
            os.close(self._fd)
            path.unlink(missing_ok=True)
            raise

    def fits(self, length: int, closing: bool) -> bool:
        spare, spare_rows = (0, 0) if closing else (_CLOSING_BYTES, _CLOSING_ROWS)
        return (
            self.log_used + length + spare <= self.log_bytes
            and self.rows_used + spare_rows < self.rows
        )

    @property
    def fullness(self) -> float:
        return max(self.log_used / self.log_bytes, self.rows_used / self.rows)

    def write(self, event: Event, json: bytes, blob: bytes) -> None:
        payload = json + blob if blob else json
        row = np.array(
            (
                event.seq,
                event.t_ns,
                type(event).__name__.encode(),
                self.log_used,
                len(json),
                len(payload),
                zlib.crc32(payload),
            ),
            INDEX_ROW,
        )
        _write_all(self._fd, payload, self._log_at + self.log_used)
        _write_all(self._fd, row.tobytes(), self._index_at + self.rows_used * INDEX_ROW.itemsize)
        self.log_used += len(payload)
        self.rows_used += 1

    def sync(self) -> None:
        os.fsync(self._fd)

    def close(self) -> None:
        os.fsync(self._fd)
        os.close(self._fd)

    def discard(self) -> None:
        """Remove the file, if its name still means the one that was created."""
        with suppress(FileNotFoundError):
            if _inode(self.path.lstat()) == self._inode:
                self.path.unlink()


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _create(path: Path, attributes: dict[str, Any], log_bytes: int, rows: int) -> tuple[int, int]:
    """Create a segment; return where its two data sets begin in the file, in bytes."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.CONTIGUOUS)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    with _created(path) as file:
        file.attrs.update(attributes)
        offsets = []
        for name, dtype, size in (
            ("log", np.dtype(np.uint8), log_bytes),
            ("index", INDEX_ROW, rows),
        ):
            kind = h5py.h5t.py_create(dtype, logical=True)
            space = h5py.h5s.create_simple((size,))
            dataset = h5py.h5d.create(file.id, name.encode(), kind, space, plist)
            offsets.append(dataset.get_offset())
    return offsets[0], offsets[1]


@contextmanager
def _created(path: Path) -> Iterator[h5py.File]:
    """Create a file that is removed again if it cannot be completed, on a full disk say."""
    file = h5py.File(path, "x")
    try:
        with file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _reserve(fd: int, size: int) -> None:
    """Make the file's blocks real, so that no later write can meet a full disk."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)


def _write_all(fd: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written


class SegmentLog:
    """The log of a running recording. One thread owns it.

    Parameters
    ----------
    target
        The sealed file this recording will become; segments lie beside it.
    session_id
        Stored in every segment, so that parts of different recordings never mix.
    settings
        Length and size of a segment, and how often the disk is made sure of.

    Raises
    ------
    AffettiError
        The folder cannot be written, or the disk has no room for the first segment.
    """

    def __init__(self, target: Path, session_id: str, settings: LogSettings | None = None) -> None:
        self.target = target
        self._session_id = session_id
        self._settings = settings or LogSettings()
        self._part = 0
        self._seq = 0
        self._begun: list[_Segment] = []
        self._next: _Segment | None = None
        self._synced = time.monotonic()
        self.bytes_written = 0
        self.disk_full = False  # no room for a further segment: the current one is the last
        self._current = self._first()

    def append(self, event: Event, blob: bytes = b"") -> Event:
        """Give the event its `seq`, write it, and return it.

        Urgent kinds are on the disk when this returns, everything else within `sync_s` of the
        next call of `append` or `sync_when_due`.

        Raises
        ------
        AffettiError
            The disk is full. What was written stays; closing events still have room.
        """
        numbered = msgspec.structs.replace(event, seq=self._seq)
        json = encode(numbered)
        length = len(json) + len(blob)
        if length > self._settings.segment_mib * MIB // 2:
            raise AffettiError(
                f"One {type(event).__name__} of {length / MIB:.0f} MiB does not fit the log.",
                "Choose a smaller picture, or a larger log.segment_mib in the settings.",
                ExitCode.MEDIA,
            )
        self._make_room(length, closing=type(event) in URGENT)
        self._current.write(numbered, json, blob)
        self._seq += 1
        self.bytes_written += length
        if type(event) in URGENT:
            self.sync()
        else:
            self.sync_when_due()
        return numbered

    def sync_when_due(self) -> None:
        """Make sure of the disk if that was last done `sync_s` ago."""
        if time.monotonic() - self._synced >= self._settings.sync_s:
            self.sync()

    def sync(self) -> None:
        """Make sure that everything appended so far is on the disk."""
        self._current.sync()
        self._synced = time.monotonic()

    def close(self) -> None:
        """Make sure of everything, and give back what was reserved ahead."""
        self._current.close()
        if self._next is not None:
            self._next.close()
            self._next.discard()
            self._next = None

    def discard(self) -> None:
        """Remove the segments of this very log, once it is closed, and no other file."""
        for segment in self._begun:
            segment.discard()
        sync_folder(self.target.parent)

    def _first(self) -> _Segment:
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            return self._begin()
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG):
                raise disk_full(self.target.parent) from error
            raise AffettiError(
                f"Recordings cannot be written to {self.target.parent}: {error}.",
                "Choose a folder that exists and that you may write to, on a disk with space.",
                ExitCode.FILE_MISSING,
            ) from error

    def _begin(self) -> _Segment:
        self._part += 1
        log_bytes = min(self._settings.segment_mib * MIB, _affordable(self.target.parent))
        attributes = {
            "format": SEGMENT_FORMAT,
            "format_version": FORMAT_VERSION,
            "schema_version": SCHEMA_VERSION,
            "session_id": self._session_id,
            "part": self._part,
        }
        path = part_path(self.target, self._part)
        rows = ROWS_PER_S * self._settings.segment_s
        segment = _Segment(path, attributes, log_bytes, rows)
        self._begun.append(segment)
        return segment

    def _make_room(self, length: int, closing: bool) -> None:
        age = time.monotonic() - self._current.begun
        halfway = self._current.fullness > 0.5 or age > self._settings.segment_s / 2
        if halfway and self._next is None and not self.disk_full:
            self._reserve_next()
        full = not self._current.fits(length, closing)
        if not full and age < self._settings.segment_s:
            return
        if self._next is None and full and not self.disk_full:
            self._reserve_next()
        if self._next is not None:
            self._current.close()
            self._current, self._next = self._next, None
            self._current.begun = time.monotonic()
        elif full:
            raise disk_full(self.target.parent)

    def _reserve_next(self) -> None:
        try:
            self._next = self._begin()
        except (OSError, RuntimeError, AffettiError):  # h5py reports a full disk as either
            self._part -= 1
            self.disk_full = True


def _affordable(folder: Path) -> int:
    """Return how many bytes a segment's log may take: at most a quarter of what is free.

    Sealing needs as much again as the segments hold, so the disk must never be filled by them.
    """
    status = os.statvfs(folder)
    quarter = status.f_bavail * status.f_frsize // 4
    if quarter < 4 * MIB:
        raise disk_full(folder)
    return quarter


def disk_full(folder: Path) -> AffettiError:
    """Return the error for a disk without room for a recording."""
    return AffettiError(
        f"The disk of {folder} is full.",
        "Free some space, or choose another folder; everything recorded so far is safe.",
        ExitCode.DISK_FULL,
    )


@dataclass(frozen=True)
class Survey:
    """What the segments of one recording hold, without their payloads in memory.

    `rows` holds the intact records of all parts in order; `part_of` the part of each.
    """

    session_id: str
    schema_version: str
    parts: tuple[Path, ...]
    rows: NDArray[Any]
    part_of: NDArray[np.int64]
    log_offsets: tuple[int, ...]
    damaged_records: int
    written_unix_s: float  # when the last of the segments was last written to

    def records(self) -> Iterator[Record]:
        """Yield the intact records in order."""
        for part, (path, offset) in enumerate(zip(self.parts, self.log_offsets, strict=True)):
            with path.open("rb") as file:
                for row in self.rows[self.part_of == part]:
                    file.seek(offset + int(row["offset"]))
                    yield _record(row, file.read(int(row["length"])))


def _record(row: Any, payload: bytes) -> Record:
    cut = int(row["json_length"])
    return Record(
        seq=int(row["seq"]),
        t_ns=int(row["t_ns"]),
        kind=bytes(row["kind"]).decode("ascii", "replace"),
        json=payload[:cut],
        blob=payload[cut:],
        crc32=int(row["crc32"]),
    )


def survey(target: Path) -> Survey:
    """Read what the segments of `target` hold and check every record of them.

    Raises
    ------
    AffettiError
        There are no segments, they are still being written, or none of them can be read.
    """
    paths = parts_of(target)
    if not paths:
        raise AffettiError(
            f"There are no segments of {target}.",
            "Name the recording, or the folder that its .part001.h5 lies in.",
            ExitCode.FILE_MISSING,
        )
    for path in paths:
        _refuse_running(path)
    written = max(path.stat().st_mtime for path in paths)
    session_id = schema = ""
    kept, rows, part_of, offsets, damaged = [], [], [], [], 0
    for path in paths:
        try:
            attributes, index, offset, size = _open_segment(path)
        except (OSError, KeyError, RuntimeError, ValueError):  # h5py's words for damage
            # HDF5's metadata is whole before the first event, so this is a part that was being
            # created when the machine died, and holds nothing.
            continue
        if session_id and attributes["session_id"] != session_id:
            raise AffettiError(
                f"{path.name} belongs to another recording than the parts before it.",
                "Move it to a folder of its own, and run `affetti recover` again.",
                ExitCode.DAMAGED,
            )
        session_id, schema = attributes["session_id"], attributes["schema_version"]
        intact, bad = _intact(path, index, offset, size)
        kept.append(path)
        offsets.append(offset)
        rows.append(intact)
        part_of.append(np.full(len(intact), len(kept) - 1, np.int64))
        damaged += bad
    if not kept:
        raise AffettiError(
            f"None of the segments of {target.name} can be read.",
            "Keep them, and copy them from a backup if there is one.",
            ExitCode.DAMAGED,
        )
    return Survey(
        session_id,
        schema,
        tuple(kept),
        np.concatenate(rows),
        np.concatenate(part_of),
        tuple(offsets),
        damaged,
        written,
    )


def _refuse_running(path: Path) -> None:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            raise AffettiError(
                f"{path.name} is being recorded right now.",
                "Wait until the recording has ended.",
                ExitCode.UNSEALED,
            ) from error


def _open_segment(path: Path) -> tuple[dict[str, str], NDArray[Any], int, int]:
    """Return a segment's attributes, its used index rows, and its log's offset and size.

    Raises
    ------
    OSError
        The file is not a whole segment.
    """
    with h5py.File(path, "r") as file:
        if file.attrs.get("format") != SEGMENT_FORMAT:
            raise OSError(f"{path.name} is not a segment")
        log, index = (_own_dataset(file, name) for name in ("log", "index"))
        if index.dtype != INDEX_ROW or log.dtype != np.uint8 or index.ndim != 1 or log.ndim != 1:
            raise OSError(f"{path.name} has another layout")
        attributes = {name: str(file.attrs[name]) for name in ("session_id", "schema_version")}
        # Rows are written in order and never zero in length: the first zero ends them, but a
        # power loss may leave a hole, so all rows are looked at.
        table = index[:]
        return attributes, table[table["length"] > 0], log.id.get_offset(), log.shape[0]


def _own_dataset(file: h5py.File, name: str) -> h5py.Dataset:
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise OSError(f"{name} is missing")
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.id.get_offset() is None:
        raise OSError(f"{name} is not a contiguous data set")
    if dataset.id.get_create_plist().get_external_count():
        raise OSError(f"{name} lies in another file")
    return dataset


def _intact(path: Path, index: NDArray[Any], offset: int, size: int) -> tuple[NDArray[Any], int]:
    """Return the rows whose payload is whole, in order of `seq`, and how many are not."""
    good = np.zeros(len(index), bool)
    with path.open("rb") as file:
        for i, row in enumerate(index):
            start, length = int(row["offset"]), int(row["length"])
            if start + length > size or row["json_length"] > length:
                continue
            file.seek(offset + start)
            good[i] = zlib.crc32(file.read(length)) == row["crc32"]
    intact = index[good]
    return intact[np.argsort(intact["seq"], kind="stable")], int(len(index) - good.sum())


def remove(parts: tuple[Path, ...], target: Path) -> None:
    """Remove the segments of `target` once their sealed file is known to be whole."""
    for path in {*parts, *parts_of(target)}:
        path.unlink(missing_ok=True)
    sync_folder(target.parent)
