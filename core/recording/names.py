"""Which files are the parts of an unsealed recording: by their names and by what they are.

A part of `NAME.h5` is called `NAME.part001.h5`, `NAME.part002.h5`, … and beyond 999 has more
digits. A name alone proves nothing: a sealed recording, or another program's file, may be called
so too, and is then no part of anything.
"""

import os
import re
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import Final

from affetti.core.custody.artefacts import RECORDED
from affetti.core.errors import AffettiError, FileMissing
from affetti.core.recording import hdf5
from affetti.core.recording.attributes import text_attribute
from affetti.core.recording.box import is_box
from affetti.core.recording.records import holds_records

PART_FORMAT: Final = "affetti-part"
SEALED_FORMAT: Final = "affetti-session"
DAMAGE: Final = (OSError, KeyError, RuntimeError, ValueError, TypeError)  # h5py's words for it
_DERIVED: Final = re.compile(r"\.(analysis|unreadable(-\d+)?)\Z")
_SYSTEMS_OWN: Final = frozenset({"lost+found", "System Volume Information", "$RECYCLE.BIN"})
_NAME: Final = re.compile(r"(?P<stem>.+)\.part(?P<number>[0-9]{3}|[1-9][0-9]{3,})\.h5", re.DOTALL)


def part_path(target: Path, part: int) -> Path:
    """Return the path of a part of the recording that will become `target`."""
    return target.with_name(f"{target.stem}.part{part:03d}.h5")


def part_number(path: Path) -> int | None:
    """Return the number in a name like that of a part; None where it is no such name."""
    found = _NAME.fullmatch(path.name)
    return int(found["number"]) if found else None


def target_of(part: Path) -> Path:
    """Return the sealed path of the recording that a part's name names."""
    found = _NAME.fullmatch(part.name)
    return part.with_name(f"{found['stem']}.h5") if found else part


def is_part(path: Path) -> bool:
    """Whether a file is a part by its name and by what it is.

    A file that HDF5 cannot open counts as one: it may be a damaged part.
    """
    if part_number(path) is None or not os.path.isfile(path):
        return False
    try:
        if is_box(path):
            return False  # a part is never one: its records are what is encrypted
        with hdf5.to_read(path) as file:
            claimed = text_attribute(file, "format")
            if claimed in (PART_FORMAT, SEALED_FORMAT):
                return bool(claimed == PART_FORMAT)
        return holds_records(path)
    except DAMAGE:
        return True


def are_of_one_session(path: Path, other: Path) -> bool:
    """Whether two files say of themselves that they are of the same session."""
    try:
        with hdf5.to_read(path) as ours, hdf5.to_read(other) as theirs:
            said = [text_attribute(file, "session_id") for file in (ours, theirs)]
    except (*DAMAGE, AffettiError):
        return False
    return bool(said[0]) and said[0] == said[1]


def named_like_parts(target: Path) -> list[Path]:
    """Return what bears the name of a part of `target`, whatever it is, in order of number."""
    alike = [path for path in _listed(target.parent) if target_of(path) == target != path]
    return sorted(alike, key=lambda path: part_number(path) or 0)


def parts_of(target: Path) -> list[Path]:
    """Return the parts that exist for `target`, in order of number.

    Raises
    ------
    AffettiError
        The folder cannot be looked through.
    """
    return [path for path in named_like_parts(target) if is_part(path)]


def unsealed_in(folder: Path) -> list[Path]:
    """Return the recordings in `folder` and below that lie in parts still, as their sealed paths.

    Raises
    ------
    AffettiError
        The folder cannot be looked through.
    """
    return sorted({target_of(path) for path in _walked(folder) if is_part(path)})


def sealed_in(folder: Path) -> list[Path]:
    """Return every HDF5 file in `folder` and below, `sub-P07/ses-1` say, that is no part.

    Raises
    ------
    AffettiError
        A folder cannot be looked through.
    """
    return sorted(path for path in _alike_in(folder) if os.path.isfile(path) and not is_part(path))


def lost_in(folder: Path) -> list[Path]:
    """Return every link in `folder` and below that is named like a recording and leads nowhere.

    Raises
    ------
    AffettiError
        A folder cannot be looked through.
    """
    return sorted(
        path for path in _alike_in(folder) if os.path.islink(path) and not os.path.exists(path)
    )


def _alike_in(folder: Path) -> Iterator[Path]:
    """Yield what is named like a recording in `folder` and below, whatever it is."""
    return (path for path in _walked(folder) if path.suffix.lower() in RECORDED)


def folders_in(folder: Path) -> list[Path]:
    """Return a folder and all below it in which recordings are looked for.

    Raises
    ------
    AffettiError
        One of them cannot be looked through.
    """
    return [folder, *sorted(path for path in _walked(folder) if os.path.isdir(path))]


def one_of_each(paths: Iterable[Path]) -> list[Path]:
    """Return files without those that are an earlier one by another name, in their order."""
    return list({_identity(path): path for path in reversed(list(paths))}.values())[::-1]


def named(paths: Iterable[Path], inside: Callable[[Path], list[Path]]) -> list[Path]:
    """Return files as they are, and of folders what is `inside`, each file once.

    A file that is named twice, by whatever spelling, is one.
    """
    return one_of_each(
        found for path in paths for found in (inside(path) if os.path.isdir(path) else [path])
    )


def files_below(folder: Path, suffixes: Container[str]) -> list[Path]:
    """Return the files with some suffixes, in any case, in a folder and below; nothing hidden.

    A folder that cannot be looked through is passed over.
    """
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        seen = (Path(where, name) for name in names if not name.startswith("."))
        found += [path for path in seen if path.suffix.lower() in suffixes]
    return sorted(found)


def _identity(path: Path) -> object:
    """Return what two names of one file have in common, whether it is there or not."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return os.path.realpath(path)
    return (found.st_dev, found.st_ino) if found.st_ino else os.path.realpath(path)


def _walked(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder and below, without what is hidden, derived, or the system's."""
    for path in _listed(folder):
        if path.name.startswith(".") or path.name in _SYSTEMS_OWN:
            continue
        yield path
        inner = os.path.isdir(path) and not os.path.islink(path)
        if inner and not _DERIVED.search(path.name):
            yield from _walked(path)


def _listed(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise FileMissing(
            "names.folder_cannot_read", folder=folder, error=error.strerror
        ) from error
