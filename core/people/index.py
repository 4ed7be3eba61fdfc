"""Which recordings a folder holds, whose and from when: what a list of them shows at once.

The recordings are the truth. An index beside them, an SQLite file, keeps of each what was read of
it last, so that a list need not open hundreds of them; it can be thrown away at any time. What it
says of a recording holds while size and time of change are those that it was read at. What is
read of encrypted ones is kept in a second one, which is encrypted itself; of what cannot be read,
nothing.
"""

import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import astuple, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from affetti.core.custody.artefacts import ENCRYPTED_SUFFIX, INDEX
from affetti.core.custody.temporary import replacing
from affetti.core.errors import AffettiError, VaultClosed

State = Literal["sealed", "unsealed", "running", "locked", "unreadable"]

_VERSION: Final = 1  # of what the file holds; another one is thrown away
_MAX_BYTES: Final = 64 << 20
_NAME: Final = re.compile(r"sub-([A-Za-z0-9]{1,32})_ses-(\d{8}T\d{6})b?")
_FALLBACK_FORMAT: Final = "%Y%m%dT%H%M%S"


@dataclass(frozen=True)
class Stamp:
    """What shows that a file was changed."""

    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Listed:
    """A recording, as a list shows it.

    Attributes
    ----------
    path
        The sealed file, or what will be it.
    state
        Whether it can be opened, and why not.
    person
        The code; "" where it is not known.
    wall_clock
        When it began, ISO 8601; "" where that is not known.
    duration_s
        0 where it is not known.
    tracks
        How often a track was played.
    size
        In bytes, of the file or of its parts.
    problem
        What is told of one that cannot be read.
    """

    path: Path
    state: State
    person: str = ""
    wall_clock: str = ""
    duration_s: float = 0.0
    tracks: int = 0
    size: int = 0
    problem: str = field(default="", compare=False)


@dataclass(frozen=True)
class _Row:
    """What the index keeps of a recording."""

    path: str  # from the folder on
    size: int
    mtime_ns: int
    person: str
    wall_clock: str
    duration_s: float
    tracks: int


_COLUMNS: Final = ", ".join(each.name for each in fields(_Row))
_TABLE: Final = (
    "CREATE TABLE recordings (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, "
    "person TEXT, wall_clock TEXT, duration_s REAL, tracks INTEGER)"
)
_PLACES: Final = ", ".join("?" * len(fields(_Row)))


def indexed(folder: Path) -> list[Listed]:
    """Return what the index knows of a folder, the newest first: at once, and perhaps outdated."""
    rows = _read(folder / INDEX)
    return newest_first(_listed(folder / row.path, row) for row in rows.values())


def scanned(folder: Path, *, remember: bool = True) -> list[Listed]:
    """Return the recordings in a folder and below, the newest first; only new ones are opened.

    The index is brought up to date by the way, where it can be written, unless nothing is to be
    remembered.

    Raises
    ------
    AffettiError
        The folder cannot be looked through.
    """
    from affetti.core.recording.names import (  # noqa: PLC0415  what a list starts without
        sealed_in,
        unsealed_in,
    )

    known, hidden = _read(folder / INDEX), _read_hidden(folder)
    found: list[Listed] = []
    rows: dict[bool, dict[str, _Row]] = {False: {}, True: {}}  # by whether they are encrypted
    for path in sealed_in(folder):
        with suppress(FileNotFoundError):  # removed in the meantime
            listed, row, encrypted = _looked_at(folder, path, known, hidden)
            found.append(listed)
            if row is not None and row.path.isprintable():  # a name may be no text
                rows[encrypted][row.path] = row
    if remember and rows[False] != known:
        _write(folder / INDEX, rows[False].values())
    if remember and rows[True] != hidden:
        _write_hidden(folder, rows[True].values())
    return newest_first([*found, *(_unsealed(target) for target in unsealed_in(folder))])


def newest_first(recordings: Iterable[Listed]) -> list[Listed]:
    """Return recordings in order: what waits to be sealed, and then the newest first."""
    return sorted(recordings, key=lambda one: (one.state == "unsealed", _moment(one)), reverse=True)


@dataclass(frozen=True)
class Person:
    """Somebody of whom there are recordings.

    Attributes
    ----------
    code
        Never a name.
    last
        The latest recording.
    recordings
        How many there are.
    """

    code: str
    last: Listed
    recordings: int


def people(recordings: Iterable[Listed]) -> list[Person]:
    """Return whose recordings these are, who was recorded last first."""
    by_code: dict[str, list[Listed]] = {}
    for one in sorted(recordings, key=_moment, reverse=True):
        if one.person:
            by_code.setdefault(one.person, []).append(one)
    return [Person(code, theirs[0], len(theirs)) for code, theirs in by_code.items()]


def _looked_at(
    folder: Path, path: Path, known: dict[str, _Row], hidden: dict[str, _Row]
) -> tuple[Listed, _Row | None, bool]:
    """Return a recording, what to keep of it if anything, and whether it is encrypted."""
    found = path.stat()
    stamp = Stamp(found.st_size, found.st_mtime_ns)
    for encrypted, rows in ((False, known), (True, hidden)):
        row = rows.get(os.path.relpath(path, folder))
        if row is not None and Stamp(row.size, row.mtime_ns) == stamp:
            return _listed(path, row), row, encrypted
    try:
        row, encrypted = _opened(folder, path, stamp)
    except VaultClosed as error:
        return _named(path, "locked", stamp.size, error.message), None, True
    except AffettiError as error:
        return _named(path, "unreadable", stamp.size, error.message), None, False
    return _listed(path, row), row, encrypted


def _opened(folder: Path, path: Path, stamp: Stamp) -> tuple[_Row, bool]:
    """Return what is read of a recording, and whether it is encrypted."""
    from affetti.core.events import SessionStarted, TrackStarted  # noqa: PLC0415
    from affetti.core.recording.session import Session  # noqa: PLC0415

    with Session.open(path, altered=True) as session:
        events = session.of_kinds(SessionStarted, TrackStarted)
        started = next((e for e in events if isinstance(e, SessionStarted)), None)
        row = _Row(
            os.path.relpath(path, folder),
            stamp.size,
            stamp.mtime_ns,
            started.person if started else "",
            started.wall_clock if started else "",
            session.last_ns / 1e9,
            sum(isinstance(event, TrackStarted) for event in events),
        )
        return row, session.key is not None


def _unsealed(target: Path) -> Listed:
    from affetti.core.recording.names import parts_of  # noqa: PLC0415
    from affetti.core.recording.survey import is_running  # noqa: PLC0415

    parts = parts_of(target)
    running = any(map(is_running, parts))
    size = sum(part.stat().st_size for part in parts)
    return _named(target, "running" if running else "unsealed", size)


def _listed(path: Path, row: _Row) -> Listed:
    return Listed(path, "sealed", row.person, row.wall_clock, row.duration_s, row.tracks, row.size)


def _named(path: Path, state: State, size: int, problem: str = "") -> Listed:
    """Return what a name tells of a recording that cannot be opened."""
    said = _NAME.match(path.name)
    begun = ""
    if said:
        with suppress(ValueError):
            begun = datetime.strptime(said[2], _FALLBACK_FORMAT).astimezone().isoformat()
    return Listed(path, state, said[1] if said else "", begun, size=size, problem=problem)


def _moment(one: Listed) -> tuple[float, str]:
    try:
        return datetime.fromisoformat(one.wall_clock).astimezone(UTC).timestamp(), one.path.name
    except (ValueError, OverflowError):
        return 0.0, one.path.name


def _read(path: Path) -> dict[str, _Row]:
    """Return what an index holds; nothing where there is none, or none of ours."""
    try:
        if not 0 < path.stat().st_size <= _MAX_BYTES:
            return {}
        return _unpacked(path.read_bytes())
    except (OSError, sqlite3.Error, TypeError, ValueError):
        return {}


def _unpacked(data: bytes) -> dict[str, _Row]:
    with closing(sqlite3.connect(":memory:")) as base:
        base.deserialize(data)
        if base.execute("PRAGMA user_version").fetchone() != (_VERSION,):
            return {}
        # Any other table may be one that is computed, without end or without measure.
        made = base.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL").fetchall()
        if made != [(_TABLE,)]:
            return {}
        return {row.path: row for row in _rows(base)}


def _read_hidden(folder: Path) -> dict[str, _Row]:
    """Return what is kept of encrypted recordings, where a vault that may read it is open."""
    place = folder / f"{INDEX}{ENCRYPTED_SUFFIX}"
    if not place.exists():
        return {}
    from affetti.core.recording.box import BoxReader  # noqa: PLC0415  if needed

    try:
        with BoxReader(place) as box:
            return _unpacked(box.read())
    except (AffettiError, OSError, sqlite3.Error, TypeError, ValueError):
        return {}


def _write_hidden(folder: Path, rows: Iterable[_Row]) -> None:
    """Keep what was read of encrypted recordings, encrypted for the vaults that are open here."""
    from affetti.core.custody import boxes, keys  # noqa: PLC0415  if needed

    publics = tuple(keys.held()[1])
    if publics:
        with suppress(OSError):
            boxes.replace(folder / INDEX, _packed(rows), keys.new_key(publics))


def _rows(base: sqlite3.Connection) -> Iterator[_Row]:
    kinds = [each.type for each in fields(_Row)]
    for values in base.execute(f"SELECT {_COLUMNS} FROM recordings"):  # noqa: S608  of our own
        ours = all(type(v) is kind for v, kind in zip(values, kinds, strict=True))
        if ours and not (os.path.isabs(values[0]) or ".." in Path(values[0]).parts):
            yield _Row(*values)


def _write(path: Path, rows: Iterable[_Row]) -> None:
    """Write an index anew, so that no byte of what is gone stays in it."""
    data = _packed(rows)
    with suppress(OSError), replacing(path) as fd, open(fd, "wb", closefd=False) as file:
        file.write(data)  # a cache: where it cannot be kept, all is read again


def _packed(rows: Iterable[_Row]) -> bytes:
    with closing(sqlite3.connect(":memory:")) as base:
        base.execute(_TABLE)
        base.executemany(
            f"INSERT INTO recordings ({_COLUMNS}) VALUES ({_PLACES})",  # noqa: S608
            [astuple(row) for row in rows],
        )
        base.execute(f"PRAGMA user_version = {_VERSION}")
        base.commit()
        return base.serialize()
