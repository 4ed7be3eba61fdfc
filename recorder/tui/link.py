"""The pipe to the engine, as the app sees it: commands go out, Textual messages come in."""

import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final

from textual.message import Message

from affetti.core import logbook
from affetti.recorder.engine import messages
from affetti.recorder.engine.messages import AnyMessage, Command

_PATIENCE_S: Final = 0.2  # how soon the thread notices that it should end


class EngineSaid(Message):
    """The engine sent a message."""

    def __init__(self, said: AnyMessage) -> None:
        super().__init__()
        self.said = said


class EngineGone(Message):
    """The engine's process has ended, or speaks another language."""


class EngineLink:
    """Reads the pipe in a thread of its own, and posts what it reads.

    Parameters
    ----------
    pipe
        The screen's end, or what starts an engine and gives it.
    post
        Takes messages, from the thread.
    """

    def __init__(
        self, pipe: Connection | Callable[[], Connection], post: Callable[[Message], object]
    ) -> None:
        self._given = pipe
        self._post = post
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="hear engine", daemon=True)

    def start(self) -> None:
        """Begin to listen, if that was not begun before."""
        if self._thread.ident is None and not self._closed.is_set():
            self._pipe = self._given() if callable(self._given) else self._given
            self._thread.start()

    def send(self, command: Command) -> bool:
        """Send a command; False when the engine is gone."""
        self.start()
        try:
            messages.send(self._pipe, command)
        except (OSError, ValueError):
            return False
        return True

    def close(self) -> None:
        """End the thread; the pipe stays open, for whoever opened it."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _listen(self) -> None:
        try:
            while not self._closed.is_set():
                if self._pipe.poll(_PATIENCE_S):
                    self._post(EngineSaid(messages.receive_message(self._pipe)))
        except Exception as error:  # whatever it is, nothing more is heard of the engine
            if not isinstance(error, EOFError | OSError):
                logbook.note("not foreseen", error)
            if not self._closed.is_set():
                self._post(EngineGone())
