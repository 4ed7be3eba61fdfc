"""What a recording without a screen says, on standard error, without waiting for whoever reads it.

A pipe that nobody reads is full one day, and a terminal can be told to stand still (Ctrl+S). What
is to be said then waits, and the recording goes on.
"""

import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from affetti.core import system

_WIDTH: Final = 78
_AT_ONCE: Final = 512  # bytes; what a pipe that takes anything takes whole on every system
_LOOK_S: Final = 0.1
_HURRY_S: Final = 0.5  # for what is still to be said, once the process was told to end


class TerminalLines:
    """Lines that stay, and one that the next one replaces, on standard error.

    A terminal that is gone is no reason to stop recording: what cannot be said is not said.
    """

    def __init__(self) -> None:
        self.interactive = sys.stderr.isatty()
        self._stream = sys.stderr
        self._said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._given_up = threading.Event()
        self._thread: threading.Thread | None = None
        with suppress(OSError, ValueError):
            self._fd = self._stream.fileno()
            self._thread = threading.Thread(target=self._write_all, name="say", daemon=True)
            self._thread.start()

    def say(self, line: str) -> None:
        """Say a line that stays."""
        self._put(f"\r{line:<{_WIDTH}}\n" if self.interactive else f"{line}\n")

    def status(self, line: str) -> None:
        """Say a line that the next one replaces; where others wait still, it is left out."""
        if self._said.empty():
            self._put(f"\r{line[:_WIDTH]:<{_WIDTH}}")

    def close(self, hurried: Callable[[], bool]) -> None:
        """Wait until all is said; when hurried, no longer than a moment.

        Then nothing that this process prints to standard error waits for anybody any more.

        Parameters
        ----------
        hurried
            Whether the process was told to end.
        """
        if self._thread is None:
            return
        self._said.put(None)
        since_s = time.monotonic()
        while self._thread.is_alive():
            self._thread.join(_LOOK_S)
            if hurried() and time.monotonic() - since_s > _HURRY_S:
                self._give_up()

    def _give_up(self) -> None:
        self._given_up.set()
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._fd)

    def _put(self, said: str) -> None:
        if self._thread is None:
            self._write(said)
        else:
            self._said.put(said)

    def _write_all(self) -> None:
        while (said := self._said.get()) is not None:
            for first in range(0, len(said), _AT_ONCE // 4):
                while not system.takes(self._fd, _LOOK_S):
                    if self._given_up.is_set():
                        return
                self._write(said[first : first + _AT_ONCE // 4])

    def _write(self, said: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(said)
            self._stream.flush()
