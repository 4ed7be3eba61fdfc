"""The live, crash-safe log: HDF5 files that are readable at every moment of their lives.

While recording, events go into parts `NAME.part001.h5`, `NAME.part002.h5`, … Each holds two
contiguous data sets that are allocated in full and never filled by HDF5: `log`, one record behind
the other as `core.recording.records` packs them, and `index`, one row a record. HDF5 closes the
file before the first event; from then on records are written in place with plain positioned
writes, so no moment exists at which a dying process or machine could leave HDF5's own metadata
half written.

The log speaks for itself and is what is read. The index lets anything that reads HDF5 find a
record; a row is written after its record, and carries a check of its own. After a power failure
it tells of records that the log has lost. `start` has the first record of all a second time, in
each part: without it nobody knows whose the others are.

Of an encrypted recording each part has the block of its key (`core.custody.keys`) twice: in the
attribute `vault`, and where its log begins. The rows of its index tell the numbers of records and
where they lie, and nothing else.
"""

import errno
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core import place, system
from affetti.core.consent import declared, needed
from affetti.core.custody.keys import DataKey
from affetti.core.custody.temporary import drop
from affetti.core.errors import (
    AffettiError,
    DiskFull,
    FileMissing,
    MediaError,
)
from affetti.core.events import SCHEMA_VERSION, Event, SessionStarted, encode, stream_of
from affetti.core.recording.attributes import put_attributes
from affetti.core.recording.durability import Durability
from affetti.core.recording.names import PART_FORMAT, part_path
from affetti.core.recording.pulse import BEAT, Pulse
from affetti.core.recording.records import (
    KIND_BYTES,
    OVERHEAD_BYTES,
    SCOPES_BYTES,
    STREAM_BYTES,
    Envelope,
    Record,
    pack,
    record_of,
    scopes_text,
)
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
_START_BYTES: Final = 64 << 10  # of the first record, kept a second time
_LOCKING_S: Final = 2.0  # that a part is tried to be locked
_TURN_S: Final = 0.005
_ATTEMPTS: Final = 10  # to make a part that nobody takes away
_UNKNOWN_ROOM: Final = 1 << 62  # of a disk that does not say


Inode: TypeAlias = tuple[int, int]

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
        self._fd, at = _held(path, lambda: _create(path, attributes, log_bytes, rows))
        self._log_at, self._index_at, self._pulse_at, self._start_at = at
        self._pulse: Pulse | None = None
        self._inode = inode_of(os.fstat(self._fd))
        try:
            system.reserve(self._fd, os.fstat(self._fd).st_size)
            if key is not None:
                system.write_at(self._fd, key.block, self._log_at)
                self.log_used = len(key.block)
            os.fsync(self._fd)
            system.sync_folder(path.parent)
        except BaseException:
            os.close(self._fd)
            self.discard()
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

    def write_start(self, packed: bytes) -> None:
        """Keep the record that says whose all others are, where damage of the log is not."""
        if self._envelope is not None:
            packed = self._envelope.around(packed)
        if len(packed) <= _START_BYTES:
            system.write_at(self._fd, packed, self._start_at)

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
            if inode_of(self.path.lstat()) == self._inode:
                self.path.unlink()


_Offsets: TypeAlias = tuple[int, int, int, int]


def _held(path: Path, create: Callable[[], _Offsets]) -> tuple[int, _Offsets]:
    """Create a part, and return it open and locked, with what creating it returned.

    Before it is locked, whoever tidies up takes it for what a killed start left: it is made anew.

    Raises
    ------
    OSError
        It cannot be created, or is taken away again and again.
    """
    for _ in range(_ATTEMPTS):
        at = create()
        with suppress(FileNotFoundError):
            fd = system.open_file(path, os.O_RDWR)
            _lock(fd)
            if _is_there(path, fd):
                return fd, at
            os.close(fd)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def _is_there(path: Path, fd: int) -> bool:
    """Whether a name still means an open file; Windows takes none away that is open."""
    try:
        return os.name == "nt" or inode_of(path.lstat()) == inode_of(os.fstat(fd))
    except FileNotFoundError:
        return False


def _lock(fd: int) -> None:
    """Lock a part against a second writer; shared, so that whatever reads HDF5 can look at it.

    Whoever asks whether it is locked holds the lock for that moment, and does not keep it.
    """
    end = time.monotonic() + _LOCKING_S
    while system.lock(fd, shared=True) is False and time.monotonic() < end:
        time.sleep(_TURN_S)


def _row(record: Record, offset: int, length: int) -> NDArray[Any]:
    row = np.array(fields_of(record, offset, length), INDEX_ROW)
    row["row_crc32"] = row_check(row.tobytes())
    return row


def fields_of(record: Record, offset: int, length: int) -> tuple[Any, ...]:
    """Return what a row says of a record, without the row's own check."""
    texts = record.kind.encode(), record.stream.encode(), record.scopes.encode()
    cut = len(record.json)
    return (record.seq, record.t_ns, *texts, offset, cut, length, record.crc32, 0)


def _hidden(record: Record) -> Record:
    """Return what an encrypted log says of a record beside it: its number."""
    return Record(record.seq, 0, "", b"", b"", 0)


def row_check(row: bytes) -> int:
    """Return the check of a row as it is stored, its own bytes of that aside."""
    return zlib.crc32(row[:-4])


def was_closed_here(path: Path, status: os.stat_result) -> bool:
    """Whether this very process wrote a part, and has closed it."""
    return (path, *inode_of(status)) in _ENDED_HERE


def inode_of(status: os.stat_result) -> Inode:
    """Return what tells a file from others, whatever name it has."""
    return status.st_dev, status.st_ino


def _create(path: Path, attributes: dict[str, Any], log_bytes: int, rows: int) -> _Offsets:
    """Create a part; return where its four data sets begin in the file, in bytes."""
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
            ("start", np.dtype(np.uint8), _START_BYTES),
        ):
            kind = h5py.h5t.py_create(dtype, logical=True)
            space = h5py.h5s.create_simple((size,))
            dataset = h5py.h5d.create(file.id, name.encode(), kind, space, plist)
            offsets.append(dataset.get_offset())
    return offsets[0], offsets[1], offsets[2], offsets[3]


@contextmanager
def _created(path: Path) -> Iterator[h5py.File]:
    """Create a file that is removed again if it cannot be completed, on a full disk say."""
    steady = SteadyFile(path)
    try:
        with steady, h5py.File(steady, "w") as file:
            yield file
    except BaseException:
        drop(path)
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
        self._start: bytes | None = None  # the record that says whose all are
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
        if isinstance(event, SessionStarted):
            self._start = packed
            self._current.write_start(packed)
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
            # The first stays open, and locked: whoever had listed the parts before this one ended
            # would find none that is, and seal what is being recorded.
            if part is self._begun[0]:
                part.sync()
            else:
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
            for part in dict.fromkeys((self._begun[0], *self._ended, self._current)):
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
            if place.kind_of(error) == "name":
                raise place.trouble(error, self.target.name) from error
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
        if self._start is not None:
            following.write_start(self._start)

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


def refuse_another(path: Path, inode: Inode) -> None:
    """Raise where a name means another file than the one that was read by it.

    A folder may have been moved away since, and another put in its place. Where a file system gives
    a file a new number, it counts as another: what stays too long can be put away later.

    Raises
    ------
    OSError
        It does, or nothing has that name any more.
    """
    if inode_of(path.lstat()) != inode:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(path))


def remove(parts: Mapping[Path, Inode]) -> None:
    """Remove parts once every record of theirs is known to be sealed.

    Raises
    ------
    OSError
        One cannot be removed, or is not the file any more whose records are known. That stays.
    """
    for path, inode in parts.items():
        with suppress(FileNotFoundError):
            refuse_another(path, inode)
            path.unlink()
    for folder in {path.parent for path in parts}:
        system.sync_folder(folder)
