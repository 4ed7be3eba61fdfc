"""What the engine says to its screen, sent by a thread of its own: no screen holds up the engine.

A screen that stands still, on a line that stalls say, reads nothing, and a pipe takes only so
much. What is only for looking at then gives way: of pictures, levels and the like the latest
waits, and of the events that were recorded those that are rare.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import count
from multiprocessing.connection import Connection
from typing import Any, Final

import msgspec

from affetti.core.errors import AffettiError
from affetti.core.events import Estimate, Event
from affetti.recorder.engine import messages
from affetti.recorder.engine.messages import Message

MAX_EVENTS: Final = 20_000  # that wait; some minutes of a recording
_LOOKED_AT: Final = (
    messages.Picture,
    messages.Seen,
    messages.Level,
    messages.Health,
    messages.Safe,
    messages.Sealing,
)
_HURRY_S: Final = 0.5  # for what is still to be said, once the process was told to end
_LOOK_S: Final = 0.05


class Outbox:
    """Messages on their way to a screen, in order, from any thread, without ever waiting.

    Parameters
    ----------
    pipe
        To the screen.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._changed = threading.Condition()
        self._waiting: OrderedDict[Hashable, Message] = OrderedDict()
        self._numbers = count()
        self._events = 0  # among what waits
        self._behind = False  # events were left out, which was not said yet
        self._closed = False
        self._gone = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._send_all, name="tell screen", daemon=True)
        self._thread.start()

    def put(self, message: Message) -> None:
        """Take in a message.

        Raises
        ------
        Exception
            An earlier one could not be sent, for another reason than that the screen is gone.
        """
        with self._changed:
            if self._error is not None:
                raise self._error
            if not (self._gone or self._closed):
                self._add(message)
                self._changed.notify_all()

    def close(self, hurried: Callable[[], bool]) -> None:
        """Wait until all is sent, or the screen is gone; when hurried, no longer than a moment.

        Parameters
        ----------
        hurried
            Whether the process was told to end.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        hurries_s: float | None = None
        while self._thread.is_alive():
            self._thread.join(_LOOK_S)
            if hurries_s is None and hurried():
                hurries_s = time.monotonic()
            if hurries_s is not None and time.monotonic() - hurries_s > _HURRY_S:
                return  # the thread may wait for the pipe for ever, and is a daemon

    def _add(self, message: Message) -> None:
        key = _key(message)
        if key is None:
            key = next(self._numbers)
        self._waiting.pop(key, None)
        self._waiting[key] = message
        self._events += _count(message)
        if self._events > MAX_EVENTS:
            self._leave_out()

    def _leave_out(self) -> None:
        """Let of the events that wait only those that are rare go on waiting."""
        for key, message in list(self._waiting.items()):
            if isinstance(message, messages.Recorded):
                rare = tuple(event for event in message.events if _is_rare(event))
                self._waiting[key] = msgspec.structs.replace(message, events=rare)
                if not rare:
                    del self._waiting[key]
        self._events = sum(map(_count, self._waiting.values()))
        self._behind = True

    def _send_all(self) -> None:
        try:
            while (message := self._next()) is not None:
                messages.send(self._pipe, message)
        except OSError:
            self._gone = True
        except Exception as error:
            self._error = error

    def _next(self) -> Message | None:
        """Wait for what is to be sent next; None when nothing more comes."""
        with self._changed:
            while not (self._waiting or self._closed):
                self._changed.wait()
            if self._behind:
                self._behind = False
                return _problem()
            if not self._waiting:
                return None
            _, message = self._waiting.popitem(last=False)
            self._events -= _count(message)
            return message


def _key(message: Message) -> Hashable:
    """Return what only the latest message of is sent; None for one that is sent in any case."""
    if not isinstance(message, _LOOKED_AT):
        return None
    return type(message), getattr(message, "stream", None)


def _count(message: Message) -> int:
    return len(message.events) if isinstance(message, messages.Recorded) else 0


def _is_rare(event: Event | Any) -> bool:
    return not (event.traits.blob or isinstance(event, Estimate))


def _problem() -> Message:
    error = AffettiError("engine.screen_behind")
    return messages.Problem(error.message, error.hint, int(error.code), fatal=False)
