"""Files of a study, written into a folder of its own, and noted beside every recording in it."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from affetti.analyzer.provenance import not_written
from affetti.core.custody import exports
from affetti.core.custody.temporary import replacing
from affetti.core.errors import FileExists
from affetti.core.recording.session import Session


def refuse_foreign(folder: Path, own: str, message: str) -> None:
    """Raise an error where a folder holds anything and not the file by which ours are known.

    Parameters
    ----------
    own
        The name of that file.
    message
        The id of the error.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / own).exists():
        raise FileExists(message, folder=folder)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, each whole or not at all.

    Raises
    ------
    AffettiError
        The folder cannot be written, or the disk is full.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, data in files.items():
            with replacing(folder / name) as fd, open(fd, "wb", closefd=False) as file:
                file.write(data)
    except OSError as error:
        raise not_written(folder, error) from error


def note(recordings: Iterable[Path], target: Path) -> None:
    """Note beside recordings, once, that what `target` stands for has figures of theirs."""
    for path in recordings:
        noted = exports.noted(path)
        if all(each.target != str(target.absolute()) for each in noted):
            with Session.open(path, altered=True) as session:
                exports.note(path, session.key, target.parent.name, target)
