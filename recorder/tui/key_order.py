"""What is typed, in the order in which it came, however late it is read and handled.

Textual hands every key to whatever is open when it takes it from its queue. Where several came in
one go, the second would reach a dialog that the first is about to close, or the screen on which the
first is about to open one: letters of a note would be commands, or lost. So each waits until the
one before was handled, by whatever it was handed to and by all that follows from that.
"""

import sys
from collections import deque
from typing import TYPE_CHECKING, Final

from textual import events
from textual.message import Message
from textual.timer import Timer

from affetti.core import system
from affetti.recorder.tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from affetti.recorder.tui.app import AffettiApp

# They mean the same, whatever is open.
ALWAYS_MEANT: Final = frozenset({"m", "f2", "ctrl+c"})
# A key becomes a message (a text was entered), and that a change of screens.
_ROUNDS: Final = 3
_PATIENCE_S: Final = 1.0  # with what handles a key, before the next one is handed over
BURST_S: Final = 0.05  # between keys that a terminal hands over in one go
LINE_S: Final = 0.5  # who types needs this long for a line, which a terminal hands over at once


def is_pressed(enter_s: float, typed_s: float, line_s: float) -> bool:
    """Return whether an Enter was pressed, and is no end of a line that was handed over in one go.

    It came by itself, or behind a line that somebody took the time to type: of such a line a busy
    machine may read the end, Enter and the next key at once.

    Parameters
    ----------
    enter_s, typed_s, line_s
        When Enter came, the key before it, and the first key of the line, on one clock, in s.
    """
    return enter_s - typed_s > BURST_S or enter_s - line_s > LINE_S


class Handled(Message):
    """Goes the way that a key went, behind it; what it reaches has handled the key."""

    def __init__(self, number: int, rounds: int) -> None:
        super().__init__()
        self.number = number
        self.rounds = rounds


class KeyOrder:
    """Hands over what was typed, one by one.

    Parameters
    ----------
    app
        Handles a key, and tells what became of its screens.
    """

    def __init__(self, app: "AffettiApp") -> None:
        self._app = app
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._under_way: events.Key | events.Paste | None = None
        self._number = 0  # of what was sent behind the key that is under way
        self._impatient: Timer | None = None
        self._shut_s = 0.0  # until when keys meant something that closed by itself
        self._changed_by, self._changed_s = "", 0.0  # the key that changed screens, and when
        self._line_s, self._typed_s = 0.0, 0.0  # when a line was begun, and the last key of it
        self._line_over = True

    @property
    def unhandled(self) -> bool:
        """Whether something was read that is not handled yet."""
        return self._under_way is not None or bool(self._waiting)

    @property
    def unread(self) -> bool:
        """Whether something was typed that is not read yet."""
        typed = None if self._app.is_headless else sys.__stdin__
        return typed is not None and system.has_input(typed.fileno())

    @property
    def followed(self) -> bool:
        """Whether a letter, a digit or a sign was read already behind the key under way."""
        behind = next(iter(self._waiting), None)
        return isinstance(behind, events.Key) and behind.is_printable

    @property
    def goes_on(self) -> bool:
        """Whether the key under way, an Enter, stands within what was handed over in one go.

        Many a terminal hands over what is pasted as keys.
        """
        enter = self._under_way
        if not self.followed or not isinstance(enter, events.Key):
            return False
        at_once = self._waiting[0].time - enter.time <= BURST_S
        return at_once and not is_pressed(enter.time, self._typed_s, self._line_s)

    async def take(self, typed: events.Key | events.Paste) -> None:
        """Take in what was typed, in the order of reading."""
        self._waiting.append(typed)
        if self._under_way is None:
            await self._hand_over()
        elif self._impatient is None:
            self._impatient = self._app.set_timer(_PATIENCE_S, self._wait_no_longer)

    def is_meant(self, key: events.Key) -> bool:
        """Tell whether a key was meant for what is open now.

        It was not where it was pressed before something closed by itself, or is the repetition of
        a key that closed something, by a finger that stayed on it.
        """
        repeated = key.key == self._changed_by and key.time <= self._changed_s
        return key.key in ALWAYS_MEANT or not (key.time <= self._shut_s or repeated)

    def changed(self, *, closed: bool = False) -> None:
        """Take note that another screen is the topmost now."""
        now_s, typed = Message().time, self._under_way
        if isinstance(typed, events.Key):
            self._changed_by, self._changed_s = typed.key, now_s
            self._follow(_ROUNDS)
        elif closed:
            self._shut_s = now_s

    def shut(self, at_s: float) -> None:
        """Take it that what opened or closed by itself did so at a time: later keys mean it."""
        self._shut_s = at_s

    async def handled(self, behind: Handled) -> None:
        """Go on with the next key, once all that follows from the last one was done."""
        if self._under_way is None or behind.number != self._number:
            return
        if behind.rounds > 1:
            self._follow(behind.rounds - 1)
        else:
            await self._hand_over()

    async def _hand_over(self) -> None:
        self._under_way = None
        while self._waiting and self._under_way is None:
            typed = self._waiting.popleft()
            self._settle(typed)
            if isinstance(typed, events.Paste) or self.is_meant(typed):
                self._under_way = typed
                handled = await self._app.handle(typed)
                self._keep_time(typed)
                if handled:
                    self._follow(_ROUNDS)
                else:
                    self._under_way = None
        if self._under_way is None and self._impatient is not None:
            self._impatient.stop()
            self._impatient = None

    def _keep_time(self, typed: events.Key | events.Paste) -> None:
        """Take note of when a line was begun, and when its last key was typed.

        Both stay known while the key that ended the line is under way.
        """
        if isinstance(typed, events.Key) and not typed.is_printable:
            self._line_over = True
            return
        if self._line_over:
            self._line_s, self._line_over = typed.time, False
        self._typed_s = typed.time

    def _settle(self, typed: events.Key | events.Paste) -> None:
        for screen in self._app.screen_stack[-1:]:
            if isinstance(screen, Dialog):
                screen.settle(typed.time)

    def _follow(self, rounds: int) -> None:
        """Send something behind the key; the app itself passes it on where nobody is left."""
        self._number += 1
        behind = Handled(self._number, rounds)
        top = self._app.screen_stack[-1:]  # empty while the app is being closed
        way = next((screen.focused or screen for screen in top), self._app)
        if not way.post_message(behind):
            self._app.post_message(behind)

    async def _wait_no_longer(self) -> None:
        self._impatient = None
        if self._under_way is not None:
            await self._hand_over()
