"""Playlists: what is to be played, in order, and what each track is expected to express.

A CSV file has a line of headings and a line for each track. `file` is needed: a path, relative
to the folder of the playlist. `title` and `expected`, one of the four emotions, may be there;
every further column (notes, genre, condition, …) goes with its track into the recording and
into all tables that have a track. An M3U file names files alone. A TOML file has a table
`[[track]]` for each, with the same names, and is what a colleague is handed: its paths are relative
where they can be.
"""

import csv
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

import msgspec

from affetti.core import place, toml
from affetti.core.emotions import EMOTIONS
from affetti.core.errors import FileExists, FileMissing, UsageError
from affetti.core.labels import label, lines
from affetti.core.language import text
from affetti.core.letters import decoded, named_separator
from affetti.core.paths import typed
from affetti.core.system import private

SUFFIXES: Final = frozenset({".csv", ".tsv", ".txt", ".m3u", ".m3u8", ".toml"})
_M3U: Final = (".m3u", ".m3u8")
_TOML: Final = ".toml"
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_SEPARATORS: Final = (",", ";", "\t")
_MAX_BYTES: Final = 4 << 20
_MAX_TEXT: Final = 10_000  # signs of one cell


class PlaylistEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One track of a playlist.

    Attributes
    ----------
    path
        The file.
    title
        "" for what the file's own tags say.
    expected
        The emotion that it is expected to express; None where nobody said.
    columns
        Every further column of the playlist, by its heading.
    """

    path: str
    title: str = ""
    expected: str | None = None
    columns: dict[str, str] = {}


def read_playlist(path: Path) -> tuple[PlaylistEntry, ...]:
    """Read a playlist.

    Its letters are those of `core.letters`; cells are separated by commas, semicolons or tabs.

    Raises
    ------
    AffettiError
        It cannot be read, names no track, or a line of it cannot be understood.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise FileMissing(
            "playlist.playlist_cannot_read", path=path, error=error.strerror
        ) from error
    if len(data) > _MAX_BYTES:
        raise _wrong(path, None, text("playlist.wrong.too_long_playlist"))
    suffix = path.suffix.lower()
    read = _m3u if suffix in _M3U else _tables if suffix == _TOML else _table
    entries = tuple(read(path, _text(path, data)))
    if not entries:
        raise _wrong(path, None, text("playlist.wrong.names_no_track"))
    return entries


def write_playlist(folder: Path, name: str, entries: Sequence[PlaylistEntry]) -> Path:
    """Save a playlist as `NAME.csv` in a folder; return where it is.

    Raises
    ------
    AffettiError
        The name is no name of a file, is taken, or the file cannot be written.
    """
    path = folder / f"{name}.csv"
    if path.name != f"{name}.csv" or name.startswith(".") or not name.isprintable():
        raise UsageError("playlist.no_name", name=name)
    headings = tuple(dict.fromkeys(key for entry in entries for key in entry.columns))
    with place.told(path):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with open(path, "x", newline="", encoding="utf-8", opener=private) as file:
                lines = csv.writer(file)
                lines.writerow([*_KNOWN, *headings])
                lines.writerows(_cells(entry, headings) for entry in entries)
        except FileExistsError:
            raise FileExists("person.exists_already", path=path) from None
    return path


def share_playlist(path: Path, entries: Sequence[PlaylistEntry]) -> Path:
    """Write a playlist as a file that can be handed on: TOML, CSV or M3U, by its suffix.

    Paths are relative to its folder, where they can be.

    Raises
    ------
    AffettiError
        The suffix is another, the file is there already, or cannot be written.
    """
    suffix = path.suffix.lower()
    files = [relative(Path(entry.path), path.parent) for entry in entries]
    with StringIO(newline="") as written:
        if suffix in _M3U:
            written.writelines(f"{name}\n" for name in ("#EXTM3U", *files))
        elif suffix == ".csv":
            headings = tuple(dict.fromkeys(key for entry in entries for key in entry.columns))
            rows = csv.writer(written)
            rows.writerow([*_KNOWN, *headings])
            for name, entry in zip(files, entries, strict=True):
                rows.writerow([name, *_cells(entry, headings)[1:]])
        elif suffix == _TOML:
            tables = (toml_of(entry, path.parent) for entry in entries)
            written.write("\n".join(tables))
        else:
            raise UsageError("playlist.no_format", path=path.name)
        write_new(path, written.getvalue())
    return path


def write_new(path: Path, words: str) -> None:
    """Write a text into a file that is not there yet.

    Raises
    ------
    AffettiError
        It is, or it cannot be written.
    """
    with place.told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(path, "x", newline="", encoding="utf-8", opener=private) as file:
                file.write(words)
        except FileExistsError:
            raise FileExists("person.exists_already", path=path) from None


def relative(path: Path, folder: Path) -> str:
    """Return a path as seen from a folder, with slashes; as it is where that cannot be said."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return path.as_posix()


def toml_of(entry: PlaylistEntry, folder: Path, more: Mapping[str, float] = {}) -> str:
    """Return a table `[[track]]` of what a playlist says of a track, seen from a folder."""
    told: dict[str, str | float] = {"file": relative(Path(entry.path), folder)}
    if entry.title:
        told["title"] = entry.title
    told |= {"expected": entry.expected or "", **more, **entry.columns}
    lines = [f"{quoted_key(name)} = {quoted(value)}\n" for name, value in told.items()]
    return "".join(["[[track]]\n", *lines])


def quoted(value: str | float) -> str:
    """Return a text or a number as TOML has it."""
    if not isinstance(value, str):
        return f"{value:.15g}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def quoted_key(name: str) -> str:
    """Return a name as TOML has it in front of a value."""
    return name if _BARE.fullmatch(name) else quoted(name)


def track_of_table(
    path: Path, number: int, table: Mapping[str, Any], reserved: Sequence[str] = ()
) -> PlaylistEntry:
    """Return what a table `[[track]]` says of a track.

    Parameters
    ----------
    path, number
        The file, and which of its tables it is, from 1: for messages, and for relative paths.
    table
        `file`, and what else there is: texts and numbers.
    reserved
        Names that are no columns of the playlist.

    Raises
    ------
    AffettiError
        It names no file, or one that is not there, or holds something else than texts and numbers.
    """
    headings = [name for name in table if name not in reserved]
    values = [table[name] for name in headings]
    if not all(isinstance(value, str | int | float) for value in values):
        raise _wrong(path, number, text("playlist.wrong.no_text"))
    try:
        cells = [value if isinstance(value, str) else str(value) for value in values]
    except ValueError:  # a number of more digits than Python writes
        raise _wrong(path, number, text("playlist.wrong.no_text")) from None
    return _entry(path, number, _headings(path, number, headings), cells)


def _tables(path: Path, written: str) -> Iterator[PlaylistEntry]:
    try:
        said = toml.tables(written)
    except (ValueError, RecursionError) as error:
        raise _wrong(path, None, label(str(error)).rstrip(".")) from error
    tables = said.get("track", [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise _wrong(path, None, text("playlist.wrong.names_no_track"))
    for number, table in enumerate(tables, start=1):
        yield track_of_table(path, number, table)


def _cells(entry: PlaylistEntry, headings: Sequence[str]) -> list[str]:
    columns = [entry.columns.get(heading, "") for heading in headings]
    path = os.path.abspath(entry.path)
    return [path, entry.title, entry.expected or "", *columns]


def _text(path: Path, data: bytes) -> str:
    try:
        return decoded(data)
    except UnicodeDecodeError as error:
        raise _wrong(path, None, text("playlist.wrong.letters")) from error


def _m3u(path: Path, written: str) -> Iterator[PlaylistEntry]:
    for number, line in enumerate(written.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield PlaylistEntry(path=_file(path, number, line.strip()))


def _table(path: Path, written: str) -> Iterator[PlaylistEntry]:
    named, rest = named_separator(written)
    separator = named or _separator(written)
    table = StringIO(rest, newline="")
    lines = csv.reader(table, delimiter=separator, strict=True)
    headings: list[str] = []
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if not headings:
                headings = _headings(path, lines.line_num, cells)
            else:
                yield _entry(path, lines.line_num, headings, cells)
    except csv.Error as error:
        raise _wrong(path, lines.line_num, str(error)) from error


def _separator(written: str) -> str:
    """Return what separates the headings: the sign that is most often among them."""
    first = next((line for line in written.splitlines() if line.strip()), "")
    return max(_SEPARATORS, key=first.count)


def _headings(path: Path, line: int, cells: list[str]) -> list[str]:
    headings = [label(cell).strip() for cell in cells]
    known = [each.lower() if each.lower() in _KNOWN else each for each in headings]
    if "file" not in known:
        raise _wrong(path, line, text("playlist.wrong.no_column_headed_file"))
    twice = next((each for each in known if each and known.count(each) > 1), None)
    if twice is not None:
        raise _wrong(path, line, text("playlist.wrong.two_columns_headed", twice=twice))
    return known


_KNOWN: Final = ("file", "title", "expected")


def _entry(path: Path, line: int, headings: list[str], cells: list[str]) -> PlaylistEntry:
    if len(cells) > len(headings) and any(cell.strip() for cell in cells[len(headings) :]):
        raise _wrong(
            path,
            line,
            text("playlist.wrong.cells_columns", cells=len(cells), headings=len(headings)),
        )
    given = zip(headings, cells, strict=False)
    values = {name: _given(name, cell) for name, cell in given}
    if too_long := next((name for name, value in values.items() if len(value) > _MAX_TEXT), None):
        raise _wrong(
            path, line, text("playlist.wrong.longer_than_signs", too_long=too_long, signs=_MAX_TEXT)
        )
    return PlaylistEntry(
        path=_file(path, line, values.get("file", "")),
        title=values.get("title", ""),
        expected=_expected(path, line, values.get("expected", "")),
        columns={name: values.get(name, "") for name in headings if name and name not in _KNOWN},
    )


def _given(heading: str, cell: str) -> str:
    if heading == "file":
        return cell.strip()
    return (label(cell) if heading == "title" else lines(cell)).strip()


def _expected(path: Path, line: int, word: str) -> str | None:
    if not word:
        return None
    if word.lower() not in [emotion.value for emotion in EMOTIONS]:
        known = ", ".join(EMOTIONS)
        raise _wrong(path, line, text("playlist.wrong.none_emotions", word=word, known=known))
    return word.lower()


def _file(path: Path, line: int, name: str) -> str:
    """Return the file that a line names, from the folder of the playlist on."""
    if not name or "\0" in name:
        raise _wrong(path, line, text("playlist.wrong.names_no_file"))
    file = typed(name, path.parent)
    if not os.path.isfile(file) and "\\" in name:  # as Windows writes it
        file = path.parent / name.replace("\\", "/")
    if not os.path.isfile(file):
        if path.suffix.lower() == _TOML:
            raise FileMissing("playlist.track_no_file", path=path.name, track=line, name=name)
        raise FileMissing("playlist.line_no_file", path=path.name, line=line, name=name)
    return str(file)


def _wrong(path: Path, line: int | None, what: str) -> UsageError:
    if line is None:
        return UsageError("playlist.wrong", path=path.name, what=what)
    if path.suffix.lower() == _TOML:
        return UsageError("playlist.track_wrong", path=path.name, track=line, what=what)
    return UsageError("playlist.line_wrong", path=path.name, line=line, what=what)
