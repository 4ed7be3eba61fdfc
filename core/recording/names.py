"""Which files are the parts of an unsealed recording: by their names and by what they are.

A part of `NAME.h5` is called `NAME.part001.h5`, `NAME.part002.h5`, … and beyond 999 has more
digits. A name alone proves nothing: a sealed recording, or another program's file, may be called
so too, and is then no part of anything.
"""

import os
import re
from pathlib import Path
from typing import Final

import h5py

from affetti.core.errors import FileMissing
from affetti.core.recording.attributes import text_attribute
from affetti.core.recording.records import holds_records

PART_FORMAT: Final = "affetti-part"
SEALED_FORMAT: Final = "affetti-session"
DAMAGE: Final = (OSError, KeyError, RuntimeError, ValueError, TypeError)  # h5py's words for it
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
        # Without a lock: a part that is being recorded is locked, and its metadata never changes.
        with h5py.File(path, "r", locking=False) as file:
            claimed = text_attribute(file, "format")
            if claimed in (PART_FORMAT, SEALED_FORMAT):
                return bool(claimed == PART_FORMAT)
        return holds_records(path)
    except DAMAGE:
        return True


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
    """Return the recordings in `folder` that still lie in parts, as their sealed paths.

    Raises
    ------
    AffettiError
        The folder cannot be looked through.
    """
    return sorted({target_of(path) for path in _listed(folder) if is_part(path)})


def sealed_in(folder: Path) -> list[Path]:
    """Return every `.h5` file in `folder` that is no part.

    Raises
    ------
    AffettiError
        The folder cannot be looked through.
    """
    return sorted(p for p in _listed(folder) if p.name.endswith(".h5") and not is_part(p))


def _listed(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise FileMissing(
            "names.folder_cannot_read", folder=folder, error=error.strerror
        ) from error
