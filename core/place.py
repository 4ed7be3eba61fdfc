"""Trouble of the place where a file lies, which is no damage of the file, and what to do about it.

A share without locks, a stick that was pulled, a folder that may not be written: the operating
system has a number for each. HDF5 hands those numbers on, in words.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from affetti.core.errors import AffettiError, DiskFull, FileMissing
from affetti.core.language import text

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "full": ("ENOSPC", "EDQUOT", "EFBIG"),
    "forbidden": ("EACCES", "EPERM"),
    "read_only": ("EROFS",),
    "locked": ("EAGAIN", "EWOULDBLOCK", "EDEADLK", "EBUSY", "ETXTBSY"),
    "no_locks": ("ENOLCK", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"),
    "unreliable": ("EIO", "EREMOTEIO", "EUCLEAN"),
    "too_many": ("EMFILE", "ENFILE"),
    "gone": ("ENODEV", "ENXIO", "ESTALE", "ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH", "ENOTCONN"),
    "memory": ("ENOMEM",),
    "missing": ("ENOENT", "ENOTDIR"),
    "name": ("ENAMETOOLONG", "ELOOP", "EILSEQ"),
    "folder": ("EISDIR",),
}
KINDS: Final = {
    getattr(errno, name): kind
    for kind, names in _NAMES.items()
    for name in names
    if hasattr(errno, name)
}
_IN_WORDS: Final = re.compile(r"errno = (\d+)")


def number_of(error: BaseException) -> int | None:
    """Return the operating system's number for an error, also where HDF5 tells it in words."""
    said = _IN_WORDS.search(str(error))
    if said is not None:
        return int(said[1])
    return error.errno if isinstance(error, OSError) else None


def kind_of(error: BaseException) -> str | None:
    """Return what kind of trouble an error is; None for one that says nothing of the place."""
    return KINDS.get(number_of(error) or 0)


def is_trouble(error: BaseException) -> bool:
    """Whether an error says something of the place, not of what the file holds."""
    return kind_of(error) is not None


def trouble(error: BaseException, path: Path | str | None = None) -> AffettiError:
    """Return the error for a file that the operating system refused, for whatever reason."""
    kind = kind_of(error) or "other"
    named = path or getattr(error, "filename", None) or text("place.standard_output")
    raised = DiskFull if kind == "full" else FileMissing
    return raised(f"place.{kind}", path=named, error=getattr(error, "strerror", None) or error)


def is_readable_whole(path: Path) -> bool:
    """Whether a path is no pipe and no device, of which reading may never come to an end."""
    try:
        found = os.stat(path).st_mode
    except (OSError, ValueError):
        return True  # whoever opens it says why it cannot be
    return stat.S_ISREG(found) or stat.S_ISDIR(found)


@contextmanager
def told_as(id: str, full: str = "", **named: object) -> Iterator[None]:
    """Turn what the operating system refuses to write into an error of one's own.

    Parameters
    ----------
    id
        Of its words, which take `error` as well.
    full
        Of those where the disk, or what may be used of it, is full; "": the same.
    named
        What the words name.
    """
    try:
        yield
    except OSError as error:
        is_full = kind_of(error) == "full"
        raised = DiskFull if is_full else FileMissing
        told_by = full if is_full and full else id
        raise raised(told_by, **named, error=error.strerror or error) from error


@contextmanager
def told(path: Path | str) -> Iterator[None]:
    """Turn what the operating system refuses into the error that names `path`, and what to do."""
    try:
        yield
    except OSError as error:
        raise trouble(error, path) from error
