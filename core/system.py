"""What operating systems do each in their own way: the only place that asks which one this is.

Locks, room on a disk, writing in place, signals. Each function has an answer for Linux, for
macOS and for Windows; where a system has nothing of the kind, it says what it does instead.
"""

import ctypes
import errno
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final


def _module(name: str) -> Any:
    """Return a module that only some systems have; None elsewhere."""
    try:
        return import_module(name)
    except ImportError:
        return None


_UNIX: Final = _module("fcntl")
_WINDOWS: Final = _module("msvcrt")
_HELD: Final = frozenset({errno.EAGAIN, errno.EACCES, errno.EDEADLK})
_NO_LOCKS: Final = frozenset(
    getattr(errno, name)
    for name in ("ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL", "EBADF")
    if hasattr(errno, name)
)
# Not handed on to other processes, no link followed, and on Windows every byte as it is.
_OPENING: Final = sum(
    getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NOINHERIT", "O_BINARY")
)
_NICE: Final = 10
_PR_SET_DUMPABLE: Final = 4
_ANSWER_TURN_S: Final = 0.1
_LOCKED_AT: Final = 1 << 40  # the byte that stands for the file: Windows lets nobody read it

# Which one it is; "" where it is none of the three.
NAME: Final = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform, "")

KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows ends a process at once by both
HANG_UP: Final[Any] = getattr(signal, "SIGHUP", None)  # of a terminal; None: there is no such
ENDINGS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP")
    if hasattr(signal, name)
)


def end_as_by_hand() -> None:
    """Let a signal that ends this process do so as Ctrl+C does: what is half written is removed.

    So does a terminal that is closed; one that is to be outlived (`nohup`) is. Whoever has to do
    something else when told to end says so afterwards.
    """
    with suppress(ValueError):  # only the first thread may
        for number in filter(None, (signal.SIGTERM, HANG_UP)):
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)


def leave_ending_to_parent() -> None:
    """Let a process heed neither Ctrl+C nor a terminal that closes: who started it ends it."""
    for number in filter(None, (signal.SIGINT, HANG_UP)):
        signal.signal(number, signal.SIG_IGN)


def open_file(path: Path, flags: int, mode: int = 0o666) -> int:
    """Open a file by itself, never a link to one; return its descriptor."""
    return os.open(path, flags | _OPENING, mode)


def to_read(path: str, flags: int) -> int:
    """Open a file for `open(path, opener=to_read)`; a pipe that nobody writes to is empty.

    Where somebody does, as a shell for `<(command)`, it is waited for.
    """
    fd = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if hasattr(os, "set_blocking"):
        os.set_blocking(fd, True)
    return fd


def lock(fd: int, *, shared: bool = False) -> bool | None:
    """Lock an open file without waiting; closing it ends that.

    Returns
    -------
    bool or None
        False where another process holds it; None where files cannot be locked, on a share say.

    Raises
    ------
    OSError
        The file or its disk has another trouble.
    """
    try:
        _lock(fd, shared)
    except OSError as error:
        if error.errno in _HELD:
            return False
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def lock_state(path: Path) -> bool | None:
    """Return whether nobody holds a file's lock; None where files cannot be locked.

    Raises
    ------
    OSError
        The file cannot be opened.
    """
    try:
        fd = open_file(path, os.O_RDWR)  # a share locks for writing only what is open for it
    except OSError:
        fd = open_file(path, os.O_RDONLY)
    try:
        return lock(fd)
    finally:
        os.close(fd)


def open_to_lock(folder: Path) -> int:
    """Open what stands for a folder in its lock; return the descriptor.

    Windows opens no folder as a file: there it is an empty file of the user's temporary folder,
    named by a digest, which stays.

    Raises
    ------
    OSError
        It cannot be opened.
    """
    if _UNIX is not None:
        return open_file(folder, os.O_RDONLY)
    import hashlib  # noqa: PLC0415  on Windows alone
    import tempfile  # noqa: PLC0415

    place = os.path.normcase(os.path.realpath(folder, strict=True))
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()
    name = f"affetti-{digest[:32]}.lock"
    return open_file(Path(tempfile.gettempdir()) / name, os.O_RDWR | os.O_CREAT, 0o600)


def _lock(fd: int, shared: bool) -> None:
    if _UNIX is not None:
        _UNIX.flock(fd, (_UNIX.LOCK_SH if shared else _UNIX.LOCK_EX) | _UNIX.LOCK_NB)
    elif _WINDOWS is not None:  # which knows no shared locks
        at = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _LOCKED_AT, os.SEEK_SET)
        try:
            _WINDOWS.locking(fd, _WINDOWS.LK_NBLCK, 1)
        finally:
            os.lseek(fd, at, os.SEEK_SET)
    else:
        raise OSError(errno.ENOSYS, "no locks")


def reserve(fd: int, size: int) -> None:
    """Make a file's blocks real, so that no later write can meet a full disk.

    Only Linux promises that; elsewhere the room is only known to be there now.
    """
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(fd, 0, size)
        except OSError as error:
            if error.errno not in _NO_LOCKS:  # a file system that cannot
                raise


def write_at(fd: int, data: bytes | memoryview, at: int) -> None:
    """Write all of `data` at a place in an open file."""
    view = memoryview(data)
    while view:
        if hasattr(os, "pwrite"):
            written = os.pwrite(fd, view, at)
        else:
            os.lseek(fd, at, os.SEEK_SET)
            written = os.write(fd, view)
        view, at = view[written:], at + written


def read_at(fd: int, size: int, at: int) -> bytes:
    """Read from a place in an open file."""
    if hasattr(os, "pread"):
        return os.pread(fd, size, at)
    os.lseek(fd, at, os.SEEK_SET)
    return os.read(fd, size)


def asleep_ns() -> int:
    """Return for how long the machine has slept since it was started; 0 where nothing tells."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    if boot is None:
        return 0
    return max(0, time.clock_gettime_ns(boot) - time.monotonic_ns())


def boot_id() -> bytes:
    """Return what names this start of the machine, 16 bytes; zeros where nothing does."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        return bytes.fromhex(text.strip().replace("-", ""))
    except (OSError, ValueError):
        return bytes(16)


def free_bytes(folder: Path) -> int | None:
    """Return how much room there is for us on a folder's disk; None where it does not say."""
    try:
        room = shutil.disk_usage(folder)
    except OSError:
        return None
    return room.free if room.total else None


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk; Windows sees to that by itself."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def answer(
    command: Sequence[str],
    patience_s: float,
    *,
    heed_code: bool = True,
    given_up: Callable[[], bool] = lambda: False,
) -> str | None:
    """Return what a program prints; None where it is not there, fails, or takes too long.

    On Windows no window opens for it. With `heed_code` one that ends with another code than 0 has
    failed, whatever it printed. It takes too long as well when it is `given_up`.
    """
    import subprocess  # noqa: PLC0415  few commands ask a program, and all load this module

    try:
        asked = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    with asked:
        end_s = time.monotonic() + patience_s
        while True:
            try:
                said, _ = asked.communicate(timeout=_ANSWER_TURN_S)
                break
            except subprocess.TimeoutExpired:
                if given_up() or time.monotonic() > end_s:
                    asked.kill()
                    _close(asked)
                    return None
            except BaseException:
                asked.kill()
                raise
    return said if asked.returncode == 0 or not heed_code else None


def _close(asked: Any) -> None:
    """Read no more of a program that was killed: others that it started may hold its pipes."""
    for pipe in (asked.stdout, asked.stderr):
        with suppress(OSError):
            pipe.close()


def language() -> str:
    """Return the language that the system is set to, as it calls it: "de_DE.UTF-8", "de-DE".

    What the environment names comes first, as programs of a terminal have it: `LC_ALL`,
    `LC_MESSAGES`, `LANG`. Where it names none, macOS and Windows are asked for the language of
    their own words; "" where nothing says one.
    """
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return os.environ[name]
    if NAME == "macos":
        preferred = answer(["defaults", "read", "-g", "AppleLanguages"], patience_s=1.0) or ""
        return preferred.strip("()\n ").partition(",")[0].strip('" \n')
    if NAME == "windows":
        from locale import windows_locale  # noqa: PLC0415  only Windows has a use for it

        kernel = vars(ctypes)["windll"].kernel32
        return windows_locale.get(kernel.GetUserDefaultUILanguage(), "")
    return ""


def tell_to_end(process_id: int) -> bool:
    """Tell a process of ours to end in its own time, even one that was halted.

    False where no signal says so: on Windows each of them ends a process at once, amid its work.
    """
    if os.name == "nt":
        return False
    with suppress(ProcessLookupError):
        os.kill(process_id, signal.SIGTERM)
    wake(process_id)
    return True


def wake(process_id: int) -> None:
    """Let a process of ours go on that was halted; Windows has no signal that halts one."""
    go_on = getattr(signal, "SIGCONT", None)
    if go_on is not None:
        with suppress(ProcessLookupError):
            os.kill(process_id, go_on)


def yield_to_others(process_id: int) -> None:
    """Let every other process go before one, where a system can be asked for that."""
    with suppress(OSError, AttributeError):  # Windows has no such call
        os.setpriority(os.PRIO_PROCESS, process_id, _NICE)


def private(path: str, flags: int) -> int:
    """Open a file that, where it is made, nobody but its owner may read: an `opener`.

    A link in its place is not followed.
    """
    more = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, flags | more, stat.S_IRUSR | stat.S_IWUSR)


def keep_private(fd: int) -> None:
    """Let nobody but its owner read an open file; on Windows its folder sees to that."""
    if hasattr(os, "fchmod"):
        os.fchmod(fd, stat.S_IRUSR | stat.S_IWUSR)


def leave_terminal() -> None:
    """Let no key that is pressed in a terminal, and no end of it, reach this process."""
    if hasattr(os, "setsid"):
        os.setsid()
    for name in ("SIGINT", "SIGBREAK", "SIGHUP", "SIGPIPE"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def has_hung_up(fd: int, patience_s: float) -> bool | None:
    """Wait until a terminal is gone, or patience is; None where nothing says so.

    Windows ends a program whose window is closed by itself.
    """
    if not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(fd, select.POLLHUP)  # errors are always told
    return bool(poll.poll(patience_s * 1000))


def terminal_again(fd: int) -> int | None:
    """Open a terminal once more, so that writing to it never waits; None where that cannot be.

    The descriptor that is there is shared with whoever started us, and is left as it is.
    """
    if not hasattr(os, "ttyname"):
        return None
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None


def waits(fd: int) -> bool:
    """Tell whether writing to a terminal may wait; True where nothing tells: on Windows."""
    try:
        return os.get_blocking(fd)
    except (AttributeError, OSError):
        return True


def takes(fd: int, patience_s: float) -> bool:
    """Wait until something written to a pipe or a terminal need not wait for whoever reads it.

    True at once where nothing tells: on Windows.
    """
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(fd, select.POLLOUT)  # errors are always told, and a write shows them
    return bool(poll.poll(patience_s * 1000))


def has_input(fd: int) -> bool:
    """Tell whether something was typed into a terminal that nobody has read yet.

    False where nothing tells: on Windows.
    """
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return any(told & select.POLLIN for _, told in poll.poll(0))


def forbid_core_dumps() -> None:
    """Let no crash of this process write its memory to a disk: pictures of a person are in it.

    On Linux a limit of 0 is not heeded where dumps are handed to a program, so that the process
    is made one that cannot be dumped. Windows makes none unless it is told to.
    """
    limits = _module("resource")
    with suppress(ValueError, OSError):
        if limits is not None:
            limits.setrlimit(limits.RLIMIT_CORE, (0, 0))
        if NAME == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def show(path: Path) -> bool:
    """Let the system show a file with the program that it has for it; False where it has none."""
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606  a file of ours
        return True
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    try:
        return subprocess.run([opener, path], stdin=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False
