"""A system without what only Unix has, as far as Linux can stand in for it.

In the path of modules it takes away, in every process, what Windows lacks, and gives it what that
has instead: locks of `msvcrt`. What is open can be neither removed nor replaced by its process.
"""

import errno
import fcntl
import os
import select
import signal
import struct
import subprocess  # noqa: F401  it would take the module below for Windows itself
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

with suppress(ImportError):
    import psutil  # noqa: F401  here it is Linux's, which needs what is taken away

GONE: Final[dict[Any, tuple[str, ...]]] = {
    os: (
        *("posix_fallocate", "pwrite", "pread", "fchmod", "O_NOFOLLOW", "O_CLOEXEC", "setsid"),
        *("ttyname", "get_blocking", "setpriority", "SEEK_DATA", "SEEK_HOLE"),
    ),
    select: ("poll",),
    signal: ("SIGHUP", "SIGPIPE", "SIGCONT"),
}
LK_NBLCK: Final = 2
OPEN: Final = Path("/proc/self/fd")


def locking(fd: int, mode: int, count: int) -> None:
    """Lock bytes from the place of an open file: of this opening alone, as Windows has it."""
    begin = os.lseek(fd, 0, os.SEEK_CUR)
    reads = not fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_WRONLY | os.O_RDWR)
    kind = fcntl.F_RDLCK if reads else fcntl.F_WRLCK
    asked = struct.pack("hhqqi4x", kind, os.SEEK_SET, begin, count, 0)
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, asked)
    except OSError as error:
        raise OSError(errno.EACCES, "Permission denied") from error


def is_open(path: Any) -> bool:
    """Whether this process has a file open."""
    try:
        asked = os.lstat(path)
    except OSError:
        return False
    for each in OPEN.iterdir():
        try:
            found = os.stat(each)
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (asked.st_dev, asked.st_ino):
            return True
    return False


def refusing(true: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of `os` that refuses what is open."""

    def careful(*names: Any, **how: Any) -> Any:
        if "dir_fd" not in how and any(is_open(name) for name in names):
            raise PermissionError(errno.EACCES, "It is being used by another process", *names[:1])
        return true(*names, **how)

    return careful


for module, names in GONE.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
for name in ("unlink", "remove", "rename", "replace"):
    setattr(os, name, refusing(getattr(os, name)))
stand_in: Any = types.ModuleType("msvcrt")
stand_in.locking, stand_in.LK_NBLCK = locking, LK_NBLCK
sys.modules["msvcrt"] = stand_in
for name in ("fcntl", "resource", "pwd"):
    sys.modules[name] = None  # type: ignore[assignment]
