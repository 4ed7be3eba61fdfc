"""What the parts of a recording hold: the whole records of its log, and what its indexes tell.

The log is what is read; an index only says what is missing from it. Whatever HDF5 can no longer say
of a part, its records say themselves.
"""

import errno
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias

import h5py
import numpy as np
from numpy.typing import NDArray

from affetti.core import system
from affetti.core.custody import keys
from affetti.core.custody.keys import DataKey
from affetti.core.custody.temporary import FRESH_S
from affetti.core.errors import (
    AffettiError,
    Damaged,
    FileMissing,
    NewerFormat,
    OlderFormat,
    Unsealed,
)
from affetti.core.events import SCHEMA_VERSION
from affetti.core.recording import hdf5
from affetti.core.recording.attributes import bytes_attribute, text_attribute
from affetti.core.recording.names import DAMAGE, PART_FORMAT, part_number, parts_of
from affetti.core.recording.parts import (
    ENCRYPTED_VERSION,
    FORMAT_VERSION,
    INDEX_ROW,
    Inode,
    fields_of,
    inode_of,
    row_check,
    was_closed_here,
)
from affetti.core.recording.pulse import BEAT
from affetti.core.recording.records import (
    HEADER_BYTES,
    OVERHEAD_BYTES,
    Place,
    Record,
    Scan,
    cipher_of,
    holds_records,
    read_record,
)
from affetti.core.recording.rows import RowBuffer
from affetti.core.settings import MIB

_READ_BYTES: Final = 256 << 10  # at once
_FORM_BYTES: Final = 8192  # that are not 0 of what HDF5 and keys need of a part, at most
MAX_RECORDS: Final = 1 << 40  # a number beyond is none that a log gave


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
    key: DataKey | None  # that it is encrypted with
    start: NDArray[Any]  # a row of the first record of all, where the part has it a second time
    inode: Inode  # of what has its name


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
    inodes: Mapping[Path, Inode]  # of what has the names of the parts
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
    """Return how many bytes the records of the parts of `target` have, by their indexes alone.

    Only whole rows count, and no part for more than its log can hold: damage must not make a
    recording seem too large for its disk.
    """
    told = 0
    for path in parts_of(target):
        with _readable(path):
            form = _form(path)
            if form is not None:
                with path.open("rb") as file:
                    lengths = _named(file, form)[0]["length"]
                told += min(int(lengths.sum(dtype=np.int64)), form.log_bytes)
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


class Tail:
    """What a part that is still being written holds so far.

    Parameters
    ----------
    path
        The part.
    form
        What HDF5 says of it.

    Attributes
    ----------
    at
        Where in the file the next record will begin.
    session_id
        Whose the records are; empty so far.
    rows
        A row of each, `INDEX_ROW`.
    """

    def __init__(self, path: Path, form: "_Form") -> None:
        self.at = form.log_offset
        self.session_id = ""
        self.rows = RowBuffer(INDEX_ROW)
        self._path = path
        self._form = form
        block = _block(path, form)
        self._key = None if block is None else keys.data_key(block, path.name)
        with path.open("rb") as file:
            self.at += len(block) if block and _begins(file, self.at, block) else 0

    @classmethod
    def of(cls, path: Path) -> "Tail | None":
        """Return the beginning of a part; None where HDF5 cannot read what it is.

        Raises
        ------
        OSError, AffettiError
            It cannot be read, or is encrypted and no vault that may read it is open.
        """
        form = _form(path)
        return None if form is None else cls(path, form)

    def more(self) -> Iterator[tuple[Heading, Record]]:
        """Yield the records that are whole by now and have not been yielded yet.

        One that is of another recording is left to whoever surveys the part when it is whole.

        Raises
        ------
        OSError
            The part cannot be read.
        """
        cipher = cipher_of(self._key.key) if self._key else None
        stop = self._form.log_offset + self._form.log_bytes
        with self._path.open("rb", _READ_BYTES) as file:
            while (place := read_record(file, self.at, stop, cipher)) is not None:
                self.session_id = self.session_id or place.session_id
                if place.session_id != self.session_id:
                    return
                self.rows.append(*_row_of(place, self._form.log_offset))
                self.at += place.length
                yield Heading(place.session_id, self._form.schema_version, self._key), place.record


def survey(
    target: Path, see: See | None = None, tails: Mapping[Path, Tail] = MappingProxyType({})
) -> Survey:
    """Read what the parts of `target` hold and check every record of them.

    Parameters
    ----------
    see
        Called with each whole record as it is read.
    tails
        What of parts was read before, which is not read again and of which `see` is not called.

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
            parts.append(_read_part(path, see, tails.get(path)))
    for path in paths:  # one that was only just being made is locked since
        _refuse_running(path)
    return _survey_of(parts)


def _survey_of(parts: list[Part]) -> Survey:
    spoken = [part for part in parts if len(part.rows)] or [p for p in parts if p.session_id]
    session_id = spoken[0].session_id if spoken else ""
    for part in spoken:
        if (part.session_id, part.key) != (session_id, spoken[0].key):
            raise Damaged("parts.belongs_another_recording_than", path=part.path.name)
    found = _with_start(parts)
    rows = np.concatenate(found)
    part_of = np.repeat(np.arange(len(parts)), list(map(len, found)))
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
        {part.path: part.inode for part in parts},
        next((part.beat for part in parts if part_number(part.path) == 1), b""),
        next((part.key for part in spoken if part.key is not None), None),
    )


def _with_start(parts: list[Part]) -> list[NDArray[Any]]:
    """Return the rows of each part; where the first record of all is in none, with its copy."""
    found = [part.rows for part in parts]
    for i, part in enumerate(parts):
        lacks = not any(np.isin(part.start["seq"], rows["seq"]).any() for rows in found)
        if len(part.start) and lacks:
            found[i] = np.concatenate([part.start, part.rows])
    return found


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
        locked = system.lock_state(path)
    _refuse_locked(path, locked)


def _refuse_locked(path: Path, locked: bool | None) -> None:
    with _readable(path):
        found = path.stat()
    if locked or (locked is None and was_closed_here(path, found)):
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


@contextmanager
def nobody_writing(paths: Iterable[Path]) -> Iterator[bool]:
    """Say whether nobody writes parts; where it is so, nobody begins to while the block runs.

    Whoever has made one, and comes to lock it, waits until then. Where that is not known, or one
    cannot be read, somebody does.
    """
    with ExitStack() as held:
        try:
            for path in paths:
                fd = system.open_file(path, os.O_RDWR)
                held.callback(os.close, fd)
                _refuse_locked(path, system.lock(fd))
        except (OSError, AffettiError):
            yield False
            return
        if os.name == "nt":  # where what is open can be neither removed nor moved
            held.close()
        yield True


def are_blank(paths: Iterable[Path]) -> bool:
    """Return whether parts that nobody writes are of a start that never came to its first event.

    Whatever else they are, nothing was ever written into them.
    """
    return _are_all(_is_blank, paths)


def are_scraps(paths: Iterable[Path]) -> bool:
    """Return whether no record begins in parts, and there is no more in them than a piece of one.

    So the power leaves a recording whose first record the disk had not taken yet.
    """
    return _are_all(_is_scrap, paths)


def _are_all(what: Callable[[Path], bool], paths: Iterable[Path]) -> bool:
    """Return whether all parts are what is asked; not where that is unknown."""
    try:
        return all(map(what, paths))
    except (OSError, AffettiError):
        return False


def _is_scrap(path: Path) -> bool:
    form = _form(path)
    if form is not None and form.format_version not in (FORMAT_VERSION, ENCRYPTED_VERSION):
        return False  # of another version, whose records are not known here
    return not holds_records(path) and _is_hardly_written(path)


def _is_blank(path: Path) -> bool:
    form = _form(path)
    if form is None:  # it broke off while HDF5 made it, which writes behind the log as well
        return _is_scrap(path)
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
    start_offset: int | None
    start_bytes: int
    block: bytes | None  # of its key


def _read_part(path: Path, see: See | None = None, tail: Tail | None = None) -> Part:
    """Read a part from where `tail` ends; without what HDF5 says of it, from the records alone.

    Raises
    ------
    OSError
        It cannot be read for now.
    AffettiError
        It is of another version, or encrypted, and no vault that may read it is open.
    """
    inode = inode_of(path.lstat())  # asked first: what is put in its place from now on is another
    form = _form(path)
    block = _block(path, form)
    key = None if block is None else keys.data_key(block, path.name)
    with path.open("rb", _READ_BYTES) as file:
        size = os.fstat(file.fileno()).st_size
        start = form.log_offset if form else 0
        begin = start + (len(block) if form and block and _begins(file, start, block) else 0)
        stop = min(start + form.log_bytes, size) if form else size
        begin = tail.at if tail else begin
        scan = Scan(file, begin, stop, cipher_of(key.key) if key else None)
        version = form.schema_version if form else ""
        seen = _seen(scan, version, key, see)
        said = form.session_id if form else ""
        session_id, rows, others = _rows_of(seen, start, said, tail)
        named, written = _named(file, form) if form else (np.empty(0, INDEX_ROW), 0)
        beat = _beat(file, form)
        copy = _start_in(file, form, scan, session_id)
    ours = ENCRYPTED_VERSION if key else FORMAT_VERSION
    if form and not len(rows) and written and form.format_version != ours:
        raise _of_another_version(path, form.format_version)
    whole = form is not None and form.session_id == session_id and scan.clean
    whole = whole and not others and len(rows) >= written
    whole = whole and bool(np.isin(named["seq"], rows["seq"]).all())
    return Part(path, start, session_id, version, rows, named, whole, beat, key, copy, inode)


def _start_in(file: BinaryIO, form: _Form | None, scan: Scan, session_id: str) -> NDArray[Any]:
    """Return a row of the copy of a recording's first record, if the part has a whole one."""
    rows = RowBuffer(INDEX_ROW)
    if form is not None and form.start_offset is not None:
        at = form.start_offset
        place = scan.one_at(at, at + form.start_bytes)
        if place is not None and place.session_id == session_id and at > form.log_offset:
            rows.append(*_row_of(place, form.log_offset))
    return rows.array()


def _row_of(place: Place, start: int) -> tuple[Any, ...]:
    length = HEADER_BYTES + len(place.record.json) + len(place.record.blob)
    return fields_of(place.record, place.at - start, length)


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


def _rows_of(
    places: Iterable[Place], start: int, session_id: str, tail: Tail | None
) -> tuple[str, NDArray[Any], int]:
    """Return whose the records of a part are, a row for each, and how many are another's.

    They are whose the first is; `session_id` is what the part says, where it holds none.
    """
    rows, others, whose = tail.rows if tail else RowBuffer(INDEX_ROW), 0, None
    if tail and tail.session_id:
        whose = tail.session_id
    for place in places:
        whose = place.session_id if whose is None else whose
        if place.session_id == whose:
            rows.append(*_row_of(place, start))
        else:
            others += 1
    return session_id if whose is None else whose, rows.array(), others


def _named(file: BinaryIO, form: _Form) -> tuple[NDArray[Any], int]:
    """Return the whole rows of the index, and how many rows were written, torn ones included."""
    rows, written = _used(file, form)
    checks = rows["row_crc32"].tolist()
    data, step = rows.tobytes(), INDEX_ROW.itemsize
    good = [row_check(data[i * step : (i + 1) * step]) == check for i, check in enumerate(checks)]
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
    log, index, pulse, first = (
        _own_dataset(file, name) for name in ("log", "index", "pulse", "start")
    )
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
        start_offset=None if first is None else first.id.get_offset(),
        start_bytes=0 if first is None else first.size * first.dtype.itemsize,
        block=keys.block_at(bytes_attribute(file, "vault")),
    )


def _own_dataset(file: h5py.File, name: str) -> h5py.Dataset | None:
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return None
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.id.get_offset() is None:
        return None
    return None if dataset.id.get_create_plist().get_external_count() else dataset
