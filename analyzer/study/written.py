"""Files of a study, written into a folder of its own, and noted beside every recording in it."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from affetti.core.custody import exports
from affetti.core.custody.temporary import replacing, try_writing
from affetti.core.custody.withdrawal import remove
from affetti.core.errors import FileExists
from affetti.core.place import told_as
from affetti.core.recording.session import Session


def refuse_unusable(folder: Path, own: str, message: str) -> None:
    """Raise an error where a folder holds anything and not the file by which ours are known.

    So it does where the folder cannot be written: before hundreds of recordings are read.

    Parameters
    ----------
    own
        The name of that file.
    message
        The id of the error.
    """
    with _told(folder):
        if folder.exists() and any(folder.iterdir()) and not (folder / own).exists():
            raise FileExists(message, folder=folder)
        try_writing(folder)


def _told(folder: Path) -> AbstractContextManager[None]:
    """Say which folder of a study cannot be written, and what to do."""
    return told_as("written.cannot_be_written", "written.disk_full", folder=folder)


def write_study(
    folder: Path, files: Mapping[str, bytes], own: str, recordings: Iterable[Path]
) -> None:
    """Write the files of a study into its folder.

    The file that they are known by comes first, and is noted beside every recording before
    anything is there that tells of it: a run that is broken off can be run again, and leaves
    nothing that nobody knows of. What an earlier run wrote and this one does not is removed: it
    may tell of somebody who was forgotten since.

    Parameters
    ----------
    folder
        Where they go.
    files
        By name, what is in each.
    own
        The one they are known by, JSON with the names of all as `files`.
    recordings
        Whose figures are in them.

    Raises
    ------
    AffettiError
        The folder cannot be written, or the disk is full.
    """
    for name in _earlier(folder / own) - set(files):
        remove(folder / name)
    _write(folder, {own: files[own]})
    _note(recordings, folder / own)
    _write(folder, files)


def _earlier(own: Path) -> set[str]:
    """Return the names of what an earlier run wrote beside a file of its own."""
    try:
        said: Any = msgspec.json.decode(own.read_bytes())
        names = [str(name) for name in said["files"]]
    except (OSError, msgspec.DecodeError, LookupError, TypeError):
        return set()
    # A name with a folder in it, "..", or that of a folder is none of ours.
    plain = {name for name in names if name == Path(name).name}
    return {name for name in plain if (own.parent / name).is_file()}


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    with _told(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, data in files.items():
            with replacing(folder / name) as fd, open(fd, "wb", closefd=False) as file:
                file.write(data)


def _note(recordings: Iterable[Path], target: Path) -> None:
    """Note beside recordings, once, that what `target` stands for has figures of theirs."""
    for path in recordings:
        noted = exports.noted(path)
        if all(each.target != str(target.absolute()) for each in noted):
            with Session.open(path, altered=True) as session:
                exports.note(path, session.key, target.parent.name, target)
