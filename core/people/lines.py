"""Append-only logs of entries: a JSON object a line, encrypted where there is a key."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from affetti.core.custody import boxes
from affetti.core.custody.keys import DataKey
from affetti.core.errors import Damaged, NewerFormat
from affetti.core.events.entries import Entry, Retracted
from affetti.core.system import private

_T = TypeVar("_T", bound=Entry)
_AT_KIND: Final = "- at `$.kind`"  # where what decodes says that it finds something unknown
_TORN: Final = b" (torn)\n"


def append_all(path: Path, entries: Iterable[Entry], key: DataKey | None = None) -> None:
    """Add entries to a log, and make sure of the disk; a line that a crash tore is closed.

    With a key the log is encrypted, and written anew.

    Raises
    ------
    OSError
        It cannot be written; an encrypted one is then as it was.
    """
    lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
    if not lines:
        return
    if key is not None:
        said = boxes.read(path) if boxes.found_at(path) else b""
        boxes.replace(path, said + lines, key)
        return
    before = path.read_bytes()[-1:] if path.exists() else b""
    torn = before not in (b"", b"\n")
    with open(path, "ab", opener=private) as file:
        file.write(_TORN * torn)
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def decoded(data: bytes, decoder: msgspec.json.Decoder[_T], error_id: str, name: str) -> list[_T]:
    """Return the entries in the bytes of a log; a line that a crash tore is left out.

    Parameters
    ----------
    data
        All of it.
    decoder
        Of an entry.
    error_id, name
        What is said of a whole line that is no entry, and what its file is called there.

    Raises
    ------
    AffettiError
        A whole line is no entry, or one that a later version wrote.
    """
    found = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        if (line + b"\n").endswith(_TORN):
            continue
        try:
            found.append(decoder.decode(line))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            if _is_later(error):
                raise NewerFormat("formats.later", path=name) from error
            raise Damaged(error_id, number=number, path=name, error=error) from error
    return found


def _is_later(error: Exception) -> bool:
    """Whether a line is of a kind that is not known here: kinds are added, and none is dropped."""
    return isinstance(error, msgspec.ValidationError) and str(error).endswith(_AT_KIND)


def standing(entries: Iterable[_T]) -> list[_T]:
    """Return the entries that were not taken back, and that take back none."""
    known = list(entries)
    gone = {entry.of_entry_id for entry in known if isinstance(entry, Retracted)}
    return [e for e in known if not isinstance(e, Retracted) and e.entry_id not in gone]


def merged(*logs: Iterable[_T]) -> list[_T]:
    """Return the entries of several copies of a log, each once, in order of their time.

    Those of one log that were written in the same moment stay in their order.
    """
    by_id = {entry.entry_id: entry for log in logs for entry in log}
    return sorted(by_id.values(), key=lambda entry: entry.written)
