"""The pipe to the engine, as the app sees it: commands go out, Textual messages come in."""

import threading
import time
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final

import msgspec
from textual.message import Message

from affetti.core import logbook, system
from affetti.recorder.engine import messages
from affetti.recorder.engine.messages import AnyMessage, Command

_PATIENCE_S: Final = 0.2  # how soon the thread notices that it should end
_AT_ONCE: Final = 1 << 15  # bytes that a pipe which takes anything takes whole


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
        self._posting = threading.Lock()
        self._unheard: deque[AnyMessage | None] = deque()  # posted, not taken in; None: it is gone
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()  # commands for an engine that reads nothing now
        self._sender: threading.Thread | None = None
        self._gone = False

    def start(self) -> None:
        """Begin to listen, if that was not begun before."""
        if self._thread.ident is None and not self._closed.is_set():
            self._pipe = self._given() if callable(self._given) else self._given
            self._thread.start()

    def heard(self) -> None:
        """Take it that the app has the oldest message that was posted: it is not posted again."""
        if self._unheard:
            self._unheard.popleft()

    def post_to(self, post: Callable[[Message], object]) -> None:
        """Post to another app from now on, and first what the one before it has not heard."""
        with self._posting:
            self._post = post
            for said in self._unheard:
                post(_posted(said))

    def send(self, command: Command) -> bool:
        """Send a command, or let it wait for an engine that stands still; False: it is gone.

        Never waits itself.
        """
        self.start()
        if hasattr(command, "sent_ns"):
            command = msgspec.structs.replace(command, sent_ns=time.monotonic_ns())
        data = messages.packed(command)
        with self._changed:
            if self._gone:
                return False
            if not self._waiting and len(data) <= _AT_ONCE and self._takes():
                return self._sent(data)
            self._waiting.append(data)
            self._changed.notify_all()
            if self._sender is None:
                self._sender = threading.Thread(
                    target=self._send_all, name="tell engine", daemon=True
                )
                self._sender.start()
        return True

    def unsent(self, patience_s: float) -> int:
        """Wait until no command waits any more, or patience is over; return how many do."""
        with self._changed:
            self._changed.wait_for(lambda: self._gone or not self._waiting, patience_s)
            return len(self._waiting)

    def close(self) -> None:
        """End the thread; the pipe stays open, for whoever opened it."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _takes(self) -> bool:
        try:
            return system.takes(self._pipe.fileno(), 0)
        except (OSError, ValueError):
            return True  # writing will say

    def _sent(self, data: bytes) -> bool:
        try:
            self._pipe.send_bytes(data)
        except (OSError, ValueError, TypeError):  # the last: it was closed amid writing
            self._gone = True
        return not self._gone

    def _send_all(self) -> None:
        while not self._gone:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                data = self._waiting[0]
            sent = self._sent(data)
            with self._changed:
                if sent:
                    self._waiting.popleft()
                self._changed.notify_all()

    def _listen(self) -> None:
        try:
            while not self._closed.is_set():
                if self._pipe.poll(_PATIENCE_S):
                    self._tell(messages.receive_message(self._pipe))
        except Exception as error:  # whatever it is, nothing more is heard of the engine
            if not isinstance(error, EOFError | OSError):
                logbook.note("not foreseen", error)
            if not self._closed.is_set():
                self._tell(None)

    def _tell(self, said: AnyMessage | None) -> None:
        with self._posting:
            self._unheard.append(said)
            self._post(_posted(said))


def _posted(said: AnyMessage | None) -> Message:
    return EngineGone() if said is None else EngineSaid(said)
