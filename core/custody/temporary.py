"""Files that get their name only once they are whole: written under another beside it, first.

The other name cannot be foreseen and is never followed, so that nothing which lies there, a link
say, can be written through. What a killed run leaves behind is found by `leftovers`.
"""

import hashlib
import os
import re
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from affetti.core import system

_END: Final = ".writing"
_VARIES: Final = "[0-9a-f]{16}"
_TURN_S: Final = 0.05
FRESH_S: Final = 60.0  # whatever is being written is written to more often


def name_beside(target: Path) -> Path:
    """Return a name for writing `target` that nobody can foresee; open it with mode "x"."""
    return target.with_name(f"{_beginning(target)}{secrets.token_hex(8)}{_END}")


def _beginning(target: Path) -> str:
    """Return how temporary names for `target` begin; short, however long its own name is."""
    return f".affetti-{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]}-"


def leftovers(target: Path) -> list[Path]:
    """Return the temporary files for `target` that a killed run left, links not followed."""
    name_of_ours = re.compile(re.escape(_beginning(target)) + _VARIES + re.escape(_END))
    found = [
        target.with_name(name) for name in os.listdir(target.parent) if name_of_ours.fullmatch(name)
    ]
    return sorted(path for path in found if is_regular(path))


def clear(target: Path) -> None:
    """Remove the temporary files for `target` that a killed run left, and that nobody writes."""
    for left in leftovers(target):
        if not is_being_written(left):
            left.unlink()


def drop(temporary: Path) -> None:
    """Remove a temporary file, if it is there; what keeps it from that must hide no other error.

    A disk that can only be read refuses this even where there is none.
    """
    with suppress(OSError):
        temporary.unlink()


def is_regular(path: Path) -> bool:
    """Whether a file of its own is there, and no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def is_second_name(path: Path, target: Path) -> bool:
    """Whether both are names of one and the same file, and neither is a link to the other."""
    try:
        ours, other = path.lstat(), target.lstat()
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (other.st_dev, other.st_ino)


def is_being_written(path: Path) -> bool:
    """Whether a process holds the file's lock, as HDF5 and `replacing` do while they write."""
    locked = system.lock_state(path)
    if locked is None:  # all that is known then is whether it was written to a moment ago
        return time.time() - path.lstat().st_mtime < FRESH_S
    return not locked


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process after the other do something to a folder.

    The lock leaves nothing in the folder, and ends with whoever holds it.
    """
    try:
        fd = system.open_to_lock(folder)
    except OSError:  # what is to be done there says why
        yield
        return
    try:
        with suppress(OSError):
            while system.lock(fd) is False:
                time.sleep(_TURN_S)
        yield
    finally:
        os.close(fd)


def try_writing(folder: Path) -> None:
    """Write a file without a name into a folder, or where that would be made; it is gone at once.

    So that whoever works long for what goes there is told before. Rights do not say it: of whoever
    may do everything, a disk that can only be read is not asked.

    Raises
    ------
    OSError
        Nothing can be written there.
    """
    places = folder.absolute(), *folder.absolute().parents
    nearest = next(place for place in places if os.path.lexists(place))
    with tempfile.TemporaryFile(dir=nearest):
        pass


@contextmanager
def replacing(target: Path) -> Iterator[int]:
    """Give a descriptor to write `target` anew; it is replaced once all is on the disk.

    Where the block raises, `target` stays as it was.
    """
    clear(target)
    temporary = name_beside(target)
    fd = system.open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            with suppress(OSError):  # a file system without locks
                system.lock(fd)
            yield fd
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, target)
    finally:
        drop(temporary)


def publish(temporary: Path, target: Path) -> None:
    """Move a file to a name, without ever replacing what has that name.

    Raises
    ------
    FileExistsError
        The name is taken, by a link that leads nowhere even.
    """
    try:
        os.link(temporary, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(f"{target} exists already") from None
        temporary.rename(target)
    else:
        temporary.unlink()
    system.sync_folder(target.parent)
