"""What lies beside an encrypted recording: written encrypted, and read as if it were not.

`NAME.report.html` of an encrypted recording is `NAME.report.html.vault`, an encrypted file
(`core.recording.box`) with the data key of the recording.
"""

import os
from pathlib import Path
from typing import Final

from affetti.core.custody.artefacts import ENCRYPTED_SUFFIX
from affetti.core.custody.keys import DataKey
from affetti.core.custody.temporary import (
    drop,
    is_being_written,
    leftovers,
    name_beside,
    replacing,
)
from affetti.core.errors import FileMissing
from affetti.core.place import is_readable_whole
from affetti.core.recording.box import BoxReader, BoxWriter, is_box
from affetti.core.system import private, sync_folder

_CHUNK_BYTES: Final = 4 << 20


def stored_at(path: Path, key: DataKey | None) -> Path:
    """Return where a file lies: its own place, or, encrypted, beside that."""
    return path if key is None else path.with_name(path.name + ENCRYPTED_SUFFIX)


def found_at(path: Path) -> Path | None:
    """Return where a file lies, encrypted or not; None: nowhere."""
    encrypted = path.with_name(path.name + ENCRYPTED_SUFFIX)
    return next((each for each in (encrypted, path) if each.exists()), None)


def write(path: Path, data: bytes, key: DataKey | None) -> Path:
    """Write a new file, encrypted where there is a key; return where it lies.

    Raises
    ------
    OSError
        It cannot be written, or an encrypted one is there.
    """
    place = stored_at(path, key)
    _write(place, data, key)
    return place


def replace(path: Path, data: bytes, key: DataKey | None) -> Path:
    """Write a file anew, once all of it is on the disk; return where it lies.

    Raises
    ------
    OSError
        It cannot be written; then what was there stays.
    """
    place = stored_at(path, key)
    if key is None:
        with replacing(place) as fd, open(fd, "wb", closefd=False) as file:
            file.write(data)
        return place
    for left in leftovers(place):
        if not is_being_written(left):
            left.unlink()
    temporary = name_beside(place)
    try:
        _write(temporary, data, key)
        os.replace(temporary, place)
        sync_folder(place.parent)
    finally:
        drop(temporary)
    return place


def _write(place: Path, data: bytes, key: DataKey | None) -> None:
    if key is not None:
        with BoxWriter(place, key) as box:
            box.write(data)
        return
    with open(place, "xb", opener=private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def discard(path: Path) -> None:
    """Remove a file that is written anew, encrypted or not."""
    for place in (path, path.with_name(path.name + ENCRYPTED_SUFFIX)):
        place.unlink(missing_ok=True)


def read(path: Path) -> bytes:
    """Return what is in a file, encrypted or not, by the name that it has where it is not.

    Raises
    ------
    AffettiError
        It is not there or was altered, or no vault that may read it is open.
    OSError
        It cannot be read.
    """
    place = found_at(path)
    if place is None or not is_readable_whole(place):
        raise FileMissing("vault.no_file", path=path)
    if not is_box(place):
        return place.read_bytes()
    with BoxReader(place) as box:
        return box.read()


def copy_plain(path: Path, target: Path) -> None:
    """Write what an encrypted file holds into a new one that is not encrypted.

    Raises
    ------
    AffettiError
        It is no encrypted file, was altered, or no vault that may read it is open.
    OSError
        It cannot be read, or the target is there or cannot be written.
    """
    with BoxReader(path) as box, open(target, "xb", opener=private) as file:
        try:
            while chunk := box.read(min(_CHUNK_BYTES, len(box) - box.tell())):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            target.unlink()
            raise
