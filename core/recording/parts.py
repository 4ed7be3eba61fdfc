"""The live, crash-safe log: HDF5 files that are readable at every moment of their lives.

While recording, events go into parts `NAME.part001.h5`, `NAME.part002.h5`, … Each holds two
contiguous data sets that are allocated in full and never filled by HDF5: `log`, one record behind
the other as `core.recording.records` packs them, and `index`, one row a record. HDF5 closes the
file before the first event; from then on records are written in place with plain positioned
writes, so no moment exists at which a dying process or machine could leave HDF5's own metadata
half written.

The log speaks for itself and is what is read. The index lets anything that reads HDF5 find a
record; a row is written after its record, and carries a check of its own. After a power failure
it tells of records that the log has lost.

Of an encrypted recording each part has the block of its key (`core.custody.keys`) twice: in the
attribute `vault`, and where its log begins. The rows of its index tell the numbers of records and
where they lie, and nothing else.
"""

import errno
import os
import re
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core import system
from affetti.core.consent import declared, needed
from affetti.core.custody import keys
from affetti.core.custody.keys import DataKey
from affetti.core.custody.temporary import FRESH_S
from affetti.core.errors import (
    AffettiError,
    Damaged,
    DiskFull,
    FileMissing,
    MediaError,
    NewerFormat,
    OlderFormat,
    Unsealed,
)
from affetti.core.events import SCHEMA_VERSION, Event, SessionStarted, encode, stream_of
from affetti.core.recording import hdf5
from affetti.core.recording.attributes import bytes_attribute, put_attributes, text_attribute
from affetti.core.recording.durability import Durability
from affetti.core.recording.names import DAMAGE, PART_FORMAT, part_number, part_path, parts_of
from affetti.core.recording.pulse import BEAT, Pulse
from affetti.core.recording.records import (
    HEADER_BYTES,
    KIND_BYTES,
    OVERHEAD_BYTES,
    SCOPES_BYTES,
    STREAM_BYTES,
    Envelope,
    Place,
    Record,
    Scan,
    cipher_of,
    holds_records,
    pack,
    read_record,
    record_of,
    scopes_text,
)
from affetti.core.recording.rows import RowBuffer
from affetti.core.recording.steady import SteadyFile
from affetti.core.settings import MIB, LogSettings
from affetti.core.streams import Stream

FORMAT_VERSION: Final = "3.0"  # of a part; sealed files have a version of their own
ENCRYPTED_VERSION: Final = "3.1"  # of an encrypted one
INDEX_ROW: Final = np.dtype(
    [
        ("seq", "<i8"),
        ("t_ns", "<i8"),
        ("kind", f"S{KIND_BYTES}"),
        ("stream", f"S{STREAM_BYTES}"),
        ("scopes", f"S{SCOPES_BYTES}"),
        ("offset", "<u8"),  # of the record in `log`
        ("json_length", "<u4"),
        ("length", "<u4"),  # of the whole record, header and all; never 0
        ("crc32", "<u4"),  # of the JSON followed by the blob
        ("row_crc32", "<u4"),  # of this row up to here
    ]
)
ROWS_PER_S: Final = 400  # an index holds this many rows for each second of a part
_CLOSING_BYTES: Final = 64 << 10  # kept back in every log for the last words of a session
_CLOSING_ROWS: Final = 64
_READ_BYTES: Final = 256 << 10  # at once
_UNKNOWN_ROOM: Final = 1 << 62  # of a disk that does not say
_FORM_BYTES: Final = 8192  # that are not 0 of what HDF5 and keys need of a part, at most
MAX_RECORDS: Final = 1 << 40  # a number beyond is none that a log gave


_ENDED_HERE: Final[set[tuple[Path, int, int]]] = set()  # parts that this very process has closed


class _Part:
    """One file, open for writing in place and locked against a second writer."""

    def __init__(
        self,
        path: Path,
        attributes: dict[str, Any],
        log_bytes: int,
        rows: int,
        key: DataKey | None = None,
    ) -> None:
        self.path = path
        self._envelope = None if key is None else Envelope(key.key)
        self.begun = time.monotonic()
        self.log_bytes, self.rows = log_bytes, rows
        self.log_used = self.rows_used = 0
        self._log_at, self._index_at, self._pulse_at = _create(path, attributes, log_bytes, rows)
        self._pulse: Pulse | None = None
        self._fd = system.open_file(path, os.O_RDWR)
        self._inode = _inode(os.fstat(self._fd))
        try:
            # Shared, so that whatever reads HDF5 can look at it meanwhile.
            system.lock(self._fd, shared=True)
            system.reserve(self._fd, os.fstat(self._fd).st_size)
            if key is not None:
                system.write_at(self._fd, key.block, self._log_at)
                self.log_used = len(key.block)
            os.fsync(self._fd)
            system.sync_folder(path.parent)
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

    def write(self, record: Record, packed: bytes) -> None:
        if self._envelope is not None:
            packed, record = self._envelope.around(packed), _hidden(record)
        row = _row(record, self.log_used, len(packed)).tobytes()
        system.write_at(self._fd, packed, self._log_at + self.log_used)
        system.write_at(self._fd, row, self._index_at + self.rows_used * INDEX_ROW.itemsize)
        self.log_used += len(packed)
        self.rows_used += 1

    def sync(self) -> None:
        now = time.time()  # where files cannot be locked, this says that the recording goes on
        with suppress(OSError):
            os.utime(self.path, (now, now))
        os.fsync(self._fd)

    def live_by(self, now_ns: Callable[[], int]) -> None:
        self._pulse = Pulse(self.path, self._pulse_at, now_ns)

    def still(self) -> None:
        if self._pulse is not None:
            self._pulse.close()
            self._pulse = None

    def close(self) -> None:
        try:
            os.fsync(self._fd)
        finally:
            os.close(self._fd)
            _ENDED_HERE.add((self.path, *self._inode))

    def discard(self) -> None:
        """Remove the file, if its name still means the one that was created."""
        with suppress(FileNotFoundError):
            if _inode(self.path.lstat()) == self._inode:
                self.path.unlink()


def _row(record: Record, offset: int, length: int) -> NDArray[Any]:
    row = np.array(_fields(record, offset, length), INDEX_ROW)
    row["row_crc32"] = _row_check(row.tobytes())
    return row


def _fields(record: Record, offset: int, length: int) -> tuple[Any, ...]:
    """Return what a row says of a record, without the row's own check."""
    texts = record.kind.encode(), record.stream.encode(), record.scopes.encode()
    cut = len(record.json)
    return (record.seq, record.t_ns, *texts, offset, cut, length, record.crc32, 0)


def _hidden(record: Record) -> Record:
    """Return what an encrypted log says of a record beside it: its number."""
    return Record(record.seq, 0, "", b"", b"", 0)


def _row_check(row: bytes) -> int:
    return zlib.crc32(row[:-4])


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _create(
    path: Path, attributes: dict[str, Any], log_bytes: int, rows: int
) -> tuple[int, int, int]:
    """Create a part; return where its three data sets begin in the file, in bytes."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.CONTIGUOUS)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    with _created(path) as file:
        put_attributes(file, attributes)
        offsets = []
        for name, dtype, size in (
            ("log", np.dtype(np.uint8), log_bytes),
            ("index", INDEX_ROW, rows),
            ("pulse", BEAT, 1),
        ):
            kind = h5py.h5t.py_create(dtype, logical=True)
            space = h5py.h5s.create_simple((size,))
            dataset = h5py.h5d.create(file.id, name.encode(), kind, space, plist)
            offsets.append(dataset.get_offset())
    return offsets[0], offsets[1], offsets[2]


@contextmanager
def _created(path: Path) -> Iterator[h5py.File]:
    """Create a file that is removed again if it cannot be completed, on a full disk say."""
    steady = SteadyFile(path)
    try:
        with steady, h5py.File(steady, "w") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


class PartLog:
    """The log of a running recording. One thread appends; another makes sure of the disk.

    Parameters
    ----------
    target
        The sealed file this recording will become; parts lie beside it.
    session_id
        32 hexadecimal digits, stored in every record, so that different recordings never mix.
    settings
        Length and size of a part, and how often the disk is made sure of.
    key
        What it is encrypted with; None: it is not.

    Raises
    ------
    AffettiError
        The folder cannot be written, or the disk has no room for the first part.
    """

    def __init__(
        self,
        target: Path,
        session_id: str,
        settings: LogSettings | None = None,
        key: DataKey | None = None,
    ) -> None:
        self.target = target
        self._key = key
        self._session_id = session_id
        self._settings = settings or LogSettings()
        self._part = 0
        self._seq = 0
        self._streams: dict[str, Stream] = {}
        self._begun: list[_Part] = []
        self._turning = threading.Lock()
        self._ended: list[_Part] = []  # that nothing more is written to, and are still open
        self._next: _Part | None = None
        self._wants_next = False
        self.bytes_written = 0
        self.disk_full = False  # no room for a further part: the current one is the last
        self._current = self._first()
        self._durability = Durability(self._make_sure, self._settings.sync_s)

    def live_by(self, now_ns: Callable[[], int]) -> None:
        """Say from now on that the recording goes on, by the session clock; once."""
        self._begun[0].live_by(now_ns)

    def append(self, event: Event, blob: bytes = b"") -> Event:
        """Give the event its `seq`, write it, and return it.

        The disk is made sure of it in another thread: within `sync_s`, or at once where it is of
        an urgent kind. A disk that is slow holds up nothing but that; `safe_seq` tells. For the
        start of a session alone this waits.

        Raises
        ------
        AffettiError
            The disk is full. What was written stays; closing events still have room.
        OSError
            It cannot be written, or the disk failed to take what was written before.
        """
        numbered = msgspec.structs.replace(event, seq=self._seq)
        kind, json = type(event).__name__, encode(numbered)
        self._streams |= declared(event)
        scopes = scopes_text(needed(event, self._streams))
        record = record_of(
            self._seq, event.t_ns, kind, json, blob, stream=stream_of(event), scopes=scopes
        )
        packed = pack(self._session_id, record)
        length = len(packed) + (OVERHEAD_BYTES if self._key else 0)
        if length > self._settings.part_mib * MIB // 2:
            raise MediaError("parts.one_mib_not_fit", kind=kind, length=length / MIB)
        self._make_room(length, closing=event.traits.urgent)
        self._current.write(record, packed)
        self._seq += 1
        self.bytes_written += length
        self._durability.count(event.traits.urgent)
        if isinstance(event, SessionStarted):  # without which all that follows is nobody's
            self._durability.wait_for(lambda: self.safe_seq >= numbered.seq)
        self.raise_error()
        return numbered

    def raise_error(self) -> None:
        """Raise what kept the disk from taking what was written, if anything did.

        Raises
        ------
        OSError
            Or whatever it was.
        """
        if self._durability.error is not None:
            raise self._durability.error

    @property
    def safe_seq(self) -> int:
        """The `seq` of the last event up to which all are known to be on the disk; -1: of none."""
        return self._durability.safe - 1

    @property
    def unsafe_s(self) -> float:
        """For how long what was recorded may not be on the disk yet, in seconds; 0: all is."""
        return self._durability.unsafe_s

    def _make_sure(self) -> None:
        """Have the disk take everything appended so far, and reserve what will be needed."""
        with self._turning:
            ended, current, self._ended = self._ended, self._current, []
        for part in ended:
            part.close()
        current.sync()
        if self._wants_next and self._next is None and not self.disk_full:
            self._reserve_next()

    def close(self) -> None:
        """Make sure of everything, and give back what was reserved ahead."""
        with ExitStack() as closing:  # from the last to the first, whatever one of them raises
            closing.callback(self._close_parts)
            closing.callback(self._durability.close)
            closing.callback(self._begun[0].still)
        self.raise_error()
        self._durability.settle()

    def _close_parts(self) -> None:
        with ExitStack() as closing:
            if self._next is not None:
                closing.callback(self._next.discard)
                closing.callback(self._next.close)
                self._next = None
            for part in (self._current, *self._ended):
                closing.callback(part.close)

    def discard(self) -> None:
        """Remove the parts of this very log, once it is closed, and no other file."""
        for part in self._begun:
            part.discard()
        system.sync_folder(self.target.parent)

    def _first(self) -> _Part:
        try:
            self.target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self._begin()
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG):
                raise disk_full(self.target.parent) from error
            raise FileMissing(
                "parts.recordings_cannot_written", parent=self.target.parent, error=error
            ) from error

    def _begin(self) -> _Part:
        self._part += 1
        log_bytes = min(self._settings.part_mib * MIB, _affordable(self.target.parent))
        attributes: dict[str, Any] = {
            "format": PART_FORMAT,
            "format_version": FORMAT_VERSION if self._key is None else ENCRYPTED_VERSION,
            "schema_version": SCHEMA_VERSION,
            "session_id": self._session_id,
            "part": self._part,
        }
        if self._key is not None:
            attributes["vault"] = np.frombuffer(self._key.block, np.uint8)
        path = part_path(self.target, self._part)
        rows = ROWS_PER_S * self._settings.part_s
        part = _Part(path, attributes, log_bytes, rows, self._key)
        self._begun.append(part)
        return part

    def _make_room(self, length: int, closing: bool) -> None:
        age = time.monotonic() - self._current.begun
        if self._current.fullness > 0.5 or age > self._settings.part_s / 2:
            self._want_next()
        full = not self._current.fits(length, closing)
        if full:
            self._want_next()
            self._durability.wait_for(lambda: self._next is not None or self.disk_full)
            self.raise_error()
        elif age < self._settings.part_s:
            return
        if self._next is not None:
            self._turn_over(self._next)
        elif full:
            raise disk_full(self.target.parent)

    def _want_next(self) -> None:
        if not self._wants_next:
            self._wants_next = True
            self._durability.want()

    def _turn_over(self, following: _Part) -> None:
        with self._turning:
            self._ended.append(self._current)
            self._current, self._next, self._wants_next = following, None, False
        following.begun = time.monotonic()

    def _reserve_next(self) -> None:
        try:
            self._next = self._begin()
        except (OSError, RuntimeError, AffettiError):  # h5py reports a full disk as either
            self._part -= 1
            self.disk_full = True


def _affordable(folder: Path) -> int:
    """Return how many bytes a part's log may take: at most a quarter of what is free.

    Sealing needs as much again as the parts hold, so the disk must never be filled by them.
    """
    free = system.free_bytes(folder)
    if free is None:
        return _UNKNOWN_ROOM
    quarter = free // 4
    if quarter < 4 * MIB:
        raise disk_full(folder)
    return quarter


def disk_full(folder: Path) -> AffettiError:
    """Return the error for a disk without room for a recording."""
    return DiskFull("parts.disk_full", folder=folder)


@dataclass(frozen=True)
class Part:
    """What one part holds, without the payloads.

    `rows` are its whole records, `named` the rows of its index that tell of a record.
    """

    path: Path
    log_offset: int
    session_id: str
    schema_version: str
    rows: NDArray[Any]
    named: NDArray[Any]
    whole: bool  # nothing in it was unreadable
    beat: bytes  # of its pulse, as it is stored; empty where it has none
    key: DataKey | None = None  # that it is encrypted with


@dataclass(frozen=True)
class Survey:
    """What the parts of one recording hold, without their payloads in memory.

    `rows` holds the whole records of all parts in order of `seq`, with their lengths before they
    were encrypted, and `part_of` the part of each;
    `named` has a row for each record that is known to have been written.
    """

    session_id: str
    schema_version: str
    parts: tuple[Path, ...]
    whole: tuple[bool, ...]  # whether nothing in a part was unreadable
    rows: NDArray[Any]
    part_of: NDArray[np.int64]
    named: NDArray[Any]
    log_offsets: tuple[int, ...]
    beat: bytes  # of the pulse of the first part; empty where that is not there
    key: DataKey | None = None  # that the recording is encrypted with

    @property
    def damaged_records(self) -> int:
        """How many records are known to have been written before the last, and are not here."""
        top = int(self.named["seq"].max()) + 1 if len(self.named) else 0
        return top - int(((self.rows["seq"] >= 0) & (self.rows["seq"] < top)).sum())

    def records(self, chosen: NDArray[np.bool_] | None = None) -> Iterator[Record]:
        """Yield the whole records, or the chosen of `rows`, in order.

        Raises
        ------
        OSError
            A part cannot be read, or is not what it was when it was surveyed.
        """
        wanted = np.arange(len(self.rows)) if chosen is None else np.flatnonzero(chosen)
        chosen_rows = self.rows[wanted]
        where = zip(
            self.part_of[wanted].tolist(),
            *(chosen_rows[name].tolist() for name in ("offset", "length", "crc32")),
            strict=True,
        )
        cipher, more = (cipher_of(self.key.key), OVERHEAD_BYTES) if self.key else (None, 0)
        with ExitStack() as opened:
            last, file = None, None
            for part, offset, length, crc32 in where:
                if file is None or part != last:
                    opened.close()
                    last, file = (
                        part,
                        opened.enter_context(self.parts[part].open("rb", _READ_BYTES)),
                    )
                at = self.log_offsets[part] + offset
                found = read_record(file, at, at + length + more, cipher)
                if found is None or (found.length - more, found.record.crc32) != (length, crc32):
                    raise OSError(f"{self.parts[part].name} changed while it was read")
                yield found.record


class Heading(NamedTuple):
    """What a record and its part say of the recording."""

    session_id: str
    schema_version: str
    key: DataKey | None


See: TypeAlias = Callable[[Heading, Record], None]


def told_bytes(target: Path) -> int:
    """Return how many bytes the records of the parts of `target` have, by their indexes alone."""
    told = 0
    for path in parts_of(target):
        with _readable(path):
            form = _form(path)
            if form is not None:
                with path.open("rb") as file:
                    told += int(_used(file, form)[0]["length"].sum(dtype=np.int64))
    return told


def refuse_running(target: Path) -> list[Path]:
    """Return the parts of `target`, if there are some, and none of them is being written.

    Raises
    ------
    AffettiError
        It is not so.
    """
    paths = parts_of(target)
    if not paths:
        raise FileMissing("parts.no_parts", target=target)
    for path in paths:
        _refuse_running(path)
    return paths


def survey(target: Path, see: See | None = None) -> Survey:
    """Read what the parts of `target` hold and check every record of them.

    Parameters
    ----------
    see
        Called with each whole record as it is read.

    Raises
    ------
    AffettiError
        There are no parts, they are still being written, one of them cannot be read for now,
        or they are of several recordings or of another version.
    """
    paths = refuse_running(target)
    parts = []
    for path in paths:
        with _readable(path):
            parts.append(_read_part(path, see))
    return _survey_of(parts)


def _survey_of(parts: list[Part]) -> Survey:
    spoken = [part for part in parts if len(part.rows)] or [p for p in parts if p.session_id]
    session_id = spoken[0].session_id if spoken else ""
    for part in spoken:
        if (part.session_id, part.key) != (session_id, spoken[0].key):
            raise Damaged("parts.belongs_another_recording_than", path=part.path.name)
    rows = np.concatenate([part.rows for part in parts])
    part_of = np.repeat(np.arange(len(parts)), [len(part.rows) for part in parts])
    order = np.argsort(rows["seq"], kind="stable")
    rows, part_of = rows[order], part_of[order]
    repeated = np.zeros(len(rows), bool)
    repeated[1:] = rows["seq"][1:] == rows["seq"][:-1]
    whole = [part.whole and part.session_id == session_id for part in parts]
    for part_index in np.unique(part_of[repeated]):
        whole[part_index] = False  # of two records of one number, one is not what it should be
    versions = Counter(part.schema_version for part in parts if part.schema_version)
    return Survey(
        session_id,
        versions.most_common(1)[0][0] if versions else SCHEMA_VERSION,
        tuple(part.path for part in parts),
        tuple(whole),
        rows[~repeated],
        part_of[~repeated],
        _once(np.concatenate([rows, *(part.named for part in parts)])),
        tuple(part.log_offset for part in parts),
        next((part.beat for part in parts if part_number(part.path) == 1), b""),
        next((part.key for part in spoken if part.key is not None), None),
    )


def _once(rows: NDArray[Any]) -> NDArray[Any]:
    """Return the rows in order of `seq`, one for each that a recording can have."""
    rows = rows[(rows["seq"] >= 0) & (rows["seq"] < MAX_RECORDS)]
    return rows[np.unique(rows["seq"], return_index=True)[1]]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what keeps a file from being read, which is not damage, into one clear error."""
    try:
        yield
    except OSError as error:
        raise FileMissing(
            "parts.cannot_read_now", path=path.name, error=error.strerror or error
        ) from error


def _refuse_running(path: Path) -> None:
    with _readable(path):
        locked, found = system.lock_state(path), path.stat()
    if locked or (locked is None and (path, *_inode(found)) in _ENDED_HERE):
        return
    fresh = time.time() - found.st_mtime < FRESH_S
    if fresh:
        id = "parts.being_recorded_right_now" if locked is False else "parts.written_just_now"
        raise Unsealed(id, path=path.name)
    if locked is False:
        raise Unsealed("parts.in_use", path=path.name)


def is_running(path: Path) -> bool:
    """Return whether a part is being recorded right now, or may be."""
    try:
        _refuse_running(path)
    except Unsealed:
        return True
    return False


def are_blank(paths: Iterable[Path]) -> bool:
    """Return whether parts are those of a start that never came to its first event.

    Whatever else they are, nothing was ever written into them.
    """
    try:
        return all(not is_running(path) and _is_blank(path) for path in paths)
    except (OSError, AffettiError):
        return False


def _is_blank(path: Path) -> bool:
    form = _form(path)
    if form is None:  # it broke off while HDF5 made it, which writes behind the log as well
        return not holds_records(path) and _is_hardly_written(path)
    if _block(path, form) is not None:  # whoever has no key knows as well
        with path.open("rb") as file:
            return not _named(file, form)[1] and not holds_records(path)
    if _begins_with_record(path):
        return False
    part = _read_part(path)
    return part.whole and not len(part.rows)


def _is_hardly_written(path: Path) -> bool:
    """Whether there is no more in a file than in a part before its first record."""
    written = 0
    with path.open("rb") as file:
        while written <= _FORM_BYTES and (chunk := file.read(MIB)):
            written += len(chunk) - chunk.count(0)
    return written <= _FORM_BYTES


def _begins_with_record(path: Path) -> bool:
    """Whether a part holds a record where its log begins: most do, and need not be read whole."""
    form = _form(path)
    if form is None:
        return False
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        return (
            read_record(file, form.log_offset, min(form.log_offset + form.log_bytes, size))
            is not None
        )


@dataclass(frozen=True)
class _Form:
    """What HDF5 says of a part."""

    session_id: str
    schema_version: str
    format_version: str
    log_offset: int
    log_bytes: int
    index_offset: int
    rows: int
    pulse_offset: int | None
    block: bytes | None  # of its key


def _read_part(path: Path, see: See | None = None) -> Part:
    """Read a part; without what HDF5 says of it, from the records alone.

    Raises
    ------
    OSError
        It cannot be read for now.
    AffettiError
        It is of another version, or encrypted, and no vault that may read it is open.
    """
    form = _form(path)
    block = _block(path, form)
    key = None if block is None else keys.data_key(block, path.name)
    with path.open("rb", _READ_BYTES) as file:
        size = os.fstat(file.fileno()).st_size
        start = form.log_offset if form else 0
        begin = start + (len(block) if form and block and _begins(file, start, block) else 0)
        stop = min(start + form.log_bytes, size) if form else size
        scan = Scan(file, begin, stop, cipher_of(key.key) if key else None)
        version = form.schema_version if form else ""
        seen = _seen(scan, version, key, see)
        session_id, rows, others = _rows_of(seen, start, form.session_id if form else "")
        named, written = _named(file, form) if form else (np.empty(0, INDEX_ROW), 0)
        beat = _beat(file, form)
    ours = ENCRYPTED_VERSION if key else FORMAT_VERSION
    if form and not len(rows) and written and form.format_version != ours:
        raise _of_another_version(path, form.format_version)
    whole = form is not None and form.session_id == session_id and scan.clean
    whole = whole and not others and len(rows) >= written
    whole = whole and bool(np.isin(named["seq"], rows["seq"]).all())
    return Part(path, start, session_id, version, rows, named, whole, beat, key)


def _seen(
    places: Iterable[Place], version: str, key: DataKey | None, see: See | None
) -> Iterator[Place]:
    heading = Heading("", version, key)
    for place in places:
        if see is not None:
            if heading.session_id != place.session_id:
                heading = heading._replace(session_id=place.session_id)
            see(heading, place.record)
        yield place


def _block(path: Path, form: _Form | None) -> bytes | None:
    """Return the block of a part's key, from its attribute or its log; None where it has none."""
    if form is not None and (form.block is not None or form.format_version == FORMAT_VERSION):
        return form.block
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        at: int | None = form.log_offset if form else Scan(file, 0, size).found(keys.MAGIC)
        while at is not None:
            file.seek(at)
            block = keys.block_at(file.read(keys.MAX_STORED_BYTES))
            if block is not None or form is not None:
                return block
            at = Scan(file, at, size).found(keys.MAGIC)
    return None


def _begins(file: BinaryIO, at: int, block: bytes) -> bool:
    file.seek(at)
    return file.read(len(block)) == block


def _beat(file: BinaryIO, form: _Form | None) -> bytes:
    if form is None or form.pulse_offset is None:
        return b""
    file.seek(form.pulse_offset)
    return file.read(BEAT.itemsize)


def _of_another_version(path: Path, version: str) -> AffettiError:
    later = [int(n) for n in version.split(".")] > [int(n) for n in FORMAT_VERSION.split(".")]
    if later:
        return NewerFormat("parts.recorded_later_affetti_part", path=path.name, version=version)
    return OlderFormat(
        "parts.recorded_affetti_0_1", path=path.name, version=version, ours=FORMAT_VERSION
    )


def _rows_of(places: Iterable[Place], start: int, session_id: str) -> tuple[str, NDArray[Any], int]:
    """Return whose the records of a part are, a row for each, and how many are another's.

    They are whose the first is; `session_id` is what the part says, where it holds none.
    """
    rows, others, whose = RowBuffer(INDEX_ROW), 0, None
    for place in places:
        whose = place.session_id if whose is None else whose
        if place.session_id == whose:
            length = HEADER_BYTES + len(place.record.json) + len(place.record.blob)
            rows.append(*_fields(place.record, place.at - start, length))
        else:
            others += 1
    return session_id if whose is None else whose, rows.array(), others


def _named(file: BinaryIO, form: _Form) -> tuple[NDArray[Any], int]:
    """Return the whole rows of the index, and how many rows were written, torn ones included."""
    rows, written = _used(file, form)
    checks = rows["row_crc32"].tolist()
    data, step = rows.tobytes(), INDEX_ROW.itemsize
    good = [_row_check(data[i * step : (i + 1) * step]) == check for i, check in enumerate(checks)]
    return rows[np.array(good, bool)], written


def _used(file: BinaryIO, form: _Form) -> tuple[NDArray[Any], int]:
    """Return the rows of the index that anything was written to, and the number of the last."""
    file.seek(form.index_offset)
    data = file.read(form.rows * INDEX_ROW.itemsize)
    data = data[: len(data) - len(data) % INDEX_ROW.itemsize]
    used = np.frombuffer(data, np.uint8).reshape(-1, INDEX_ROW.itemsize).any(axis=1)
    last = int(np.flatnonzero(used)[-1]) + 1 if used.any() else 0
    return np.frombuffer(data, INDEX_ROW)[used], last


def _form(path: Path) -> _Form | None:
    """Return what HDF5 says of a part; None where that is damaged.

    Raises
    ------
    OSError
        The file cannot be read for now.
    """
    try:
        with hdf5.to_read(path) as file:
            return _told_form(file)
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # HDF5's own complaints have no number
            raise
        return None
    except DAMAGE:
        return None


def _told_form(file: h5py.File) -> _Form | None:
    log, index, pulse = (_own_dataset(file, name) for name in ("log", "index", "pulse"))
    names = ("session_id", "schema_version", "format_version", "format")
    named = [text_attribute(file, name) for name in names]
    if not all(named) or named.pop() != PART_FORMAT:
        return None
    if not re.fullmatch(r"[0-9]+\.[0-9]+", named[1]):
        return None
    if log is None or index is None or log.dtype != np.uint8 or log.ndim != 1 or index.ndim != 1:
        return None
    return _Form(
        session_id=named[0],
        schema_version=named[1],
        format_version=named[2],
        log_offset=log.id.get_offset(),
        log_bytes=log.shape[0],
        index_offset=index.id.get_offset(),
        rows=index.shape[0] * index.dtype.itemsize // INDEX_ROW.itemsize,
        pulse_offset=None if pulse is None else pulse.id.get_offset(),
        block=keys.block_at(bytes_attribute(file, "vault")),
    )


def _own_dataset(file: h5py.File, name: str) -> h5py.Dataset | None:
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return None
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.id.get_offset() is None:
        return None
    return None if dataset.id.get_create_plist().get_external_count() else dataset


def remove(parts: tuple[Path, ...]) -> None:
    """Remove parts once every record of theirs is known to be sealed."""
    for path in parts:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in parts}:
        system.sync_folder(folder)
