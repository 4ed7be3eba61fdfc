"""The terminal that the screen is drawn on: whether it can show it, and when it is gone."""

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from affetti.core import logbook, system
from affetti.core.errors import UsageError
from affetti.core.terminal import is_terminal, shows

_SIGNS: Final = "│─█▁▄●…"  # of which the screen is made
_PIECE: Final = 256  # bytes; what a terminal that takes anything takes whole
_MANY: Final = 1 << 16
_PATIENCE_S: Final = 0.2  # how soon the watch notices that it should end


def refuse_unfit() -> None:
    """Refuse a place where the screen cannot be drawn or typed into.

    Raises
    ------
    AffettiError
        Standard input or error is no terminal, or the locale lacks the signs of the screen.
    """
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise UsageError("session.screen_needs_terminal")
    if not shows(sys.stderr, _SIGNS):
        raise UsageError("session.screen_needs_utf_8", encoding=sys.stderr.encoding)


class _Door(io.RawIOBase):
    """A way to a terminal that waits while it takes nothing, but not once that is given up.

    A line that stalls, and Ctrl+S, let a terminal take nothing; whoever writes would then wait in
    the system, where no signal reaches them.
    """

    def __init__(self, fd: int, given_up: threading.Event) -> None:
        super().__init__()
        self._fd = fd
        self._given_up = given_up
        self._stuck = False
        # One of our own never waits, and says how much it took.
        self._at_once = _PIECE if system.waits(fd) else _MANY

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        while view and self._takes():
            with suppress(BlockingIOError):
                view = view[os.write(self._fd, view[: self._at_once]) :]
        return len(data)

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()

    def _takes(self) -> bool:
        """Wait until the terminal takes something; False once that is given up."""
        while not self._stuck:
            if system.takes(self._fd, _PATIENCE_S):
                return True
            self._stuck = self._given_up.is_set()
        return system.takes(self._fd, 0)


class _Drawn(io.TextIOWrapper):
    """What is drawn. A terminal that is gone takes nothing, and nobody has to be told."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            super().flush()


@contextmanager
def terminal_of_its_own() -> Iterator[Callable[[], None]]:
    """Leave the terminal to the screen: what libraries print to standard error goes to the log.

    Textual draws on `sys.__stderr__`, which becomes a door of its own to the same terminal. What
    this yields is called when the screen is to end: from then on no terminal is waited for.
    """
    drawn, printed = sys.__stderr__, sys.stderr
    kept, given_up = os.dup(logbook.STDERR), threading.Event()
    fd = system.terminal_again(kept)
    door = _Door(os.dup(kept) if fd is None else fd, given_up)
    terminal = _Drawn(door, "utf-8", "replace", write_through=True)  # type: ignore[arg-type]
    sys.__stderr__ = sys.stderr = terminal  # type: ignore[misc]
    try:
        logbook.begin("screen", (logbook.STDERR,))
        yield given_up.set
    finally:
        logbook.end()
        os.dup2(kept, logbook.STDERR)
        os.close(kept)
        sys.__stderr__, sys.stderr = drawn, printed  # type: ignore[misc]
        terminal.close()


@contextmanager
def watched(gone: Callable[[], object]) -> Iterator[None]:
    """Call `gone`, from another thread, when the terminal that is typed into is gone.

    Nothing else says so where the signal for it, SIGHUP, is ignored.
    """
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(gone, over), name="watch terminal", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(gone: Callable[[], object], over: threading.Event) -> None:
    hung_up: bool | None = False
    while hung_up is not None and not over.is_set():
        hung_up = system.has_hung_up(sys.stdin.fileno(), _PATIENCE_S)
        if hung_up:
            gone()
            over.wait(_PATIENCE_S)
