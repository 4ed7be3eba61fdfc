"""The terminal that the screen is drawn on: whether it can show it, and when it is gone."""

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from affetti.core import logbook, system
from affetti.core.errors import UsageError
from affetti.core.terminal import is_terminal, shows

_SIGNS: Final = "│─█▁▄●…"  # of which the screen is made
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
def terminal_of_its_own() -> Iterator[None]:
    """Leave the terminal to the screen: what libraries print to standard error goes to the log.

    Textual draws on `sys.__stderr__`, which becomes a door of its own to the same terminal.
    """
    drawn, printed = sys.__stderr__, sys.stderr
    kept = os.dup(logbook.STDERR)
    terminal = _Drawn(os.fdopen(kept, "wb", buffering=0), "utf-8", "replace", write_through=True)
    sys.__stderr__ = sys.stderr = terminal  # type: ignore[misc]
    try:
        logbook.begin("screen", (logbook.STDERR,))
        yield
    finally:
        logbook.end()
        os.dup2(kept, logbook.STDERR)
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
