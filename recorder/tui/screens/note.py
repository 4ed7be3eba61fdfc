"""A note, typed while the recording goes on."""

import time
from collections.abc import Callable
from typing import ClassVar, Final, Self, TypeAlias

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Footer, Static, TextArea

from affetti.core.language import text
from affetti.recorder.tui.key_order import is_pressed
from affetti.recorder.tui.screens.dialog import Dialog

# A slow machine reads Enter and what was typed after it at once, and a terminal may hand over what
# is pasted as keys: what comes so soon after Enter belongs to a note.
_NEXT_WITHIN_S: Final = 0.2
_ENTER: Final = frozenset({"enter", "ctrl+j"})  # a pasted line may end with either
_OPENS: Final = frozenset("tN")  # a note, on the screens of a recording

Written: TypeAlias = Callable[[str, float], object]


class NoteScreen(Dialog[None]):
    """Asks for a note.

    Enter writes it down. What is typed right behind it is never a command: it begins the next
    note. What is pasted, as far as the terminal says so, keeps its lines within one.

    Parameters
    ----------
    write
        Given the note as soon as it is to be written down, unless it is empty, and how long ago it
        was begun, in s.
    keep
        Given what has been typed so far, at each change, and how long ago it was begun, in s;
        nothing typed where the note is dropped.
    so_far
        With which to begin.
    ended
        Whether the recording has ended meanwhile.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", text("key.write_it_down"), show=True),
        Binding("escape", "drop", text("key.drop_it")),
        Binding("f2", "app.mark", text("key.mark"), tooltip=text("key.mark_this_moment_while")),
    ]

    def __init__(
        self,
        write: Written,
        keep: Written,
        so_far: str = "",
        *,
        ended: bool = False,
    ) -> None:
        super().__init__()
        self._so_far = so_far
        self._ended = ended
        self._write = write
        self._keep = keep
        self.begun_s = time.monotonic()
        self._settling: Timer | None = None  # from Enter until it is known to be the last key
        self._next_until_s = 0.0  # what is typed by then is the next note, on the clock of messages
        self._typed_s = 0.0  # when the last key was, on that clock
        self._line_s: float | None = None  # when the first key of this line was
        self._pressed = False  # whether Enter was pressed, and is no end of a pasted line

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        with Vertical(classes="dialog"):
            yield Static(text("note.title"), classes="question")
            yield _Lines(self, self._so_far)
            yield Static(text("note.ended" if self._ended else "note.explanation"))
        yield Footer(show_command_palette=False, compact=True)

    @property
    def text(self) -> str:
        """What has been typed so far, without blanks around it and at the ends of its lines."""
        typed = "".join(lines.text for lines in self.query(_Lines))
        return "\n".join(line.rstrip() for line in typed.splitlines()).strip()

    @property
    def is_over(self) -> bool:
        """Whether it was written down, and nothing is typed since."""
        return self._settling is not None and not self.text

    def again(self, write: Written, keep: Written) -> Self:
        """Return the same note, to be gone on with after the recording has ended."""
        typed = "".join(lines.text for lines in self.query(_Lines))
        return type(self)(write, keep, typed, ended=True)

    def on_key(self, event: events.Key) -> None:
        """Keep what is typed before the lines have the focus; it stops all that comes after."""
        if event.key in _ENTER:
            event.stop()
            self.enter(event.time)
        elif event.is_printable and event.character and not self.begins(event):
            self.query_one(_Lines).insert(event.character)

    def on_text_area_changed(self) -> None:
        """Have kept what is typed."""
        if self.app.screen is self:
            self._keep(self.text, self._ago_s)

    def on_screen_resume(self) -> None:
        """Close, where something else was opened right behind Enter."""
        if self.is_over:
            self._wait()

    def action_submit(self) -> None:
        """Write the note down."""
        self.enter(Message().time)

    def enter(self, pressed_s: float) -> None:
        """Take an Enter that was pressed at a time, on the clock of Textual's messages.

        The note is written down, and its lines stay open as long as keys that were read with this
        one may follow.
        """
        if self.text:
            line_s = self._typed_s if self._line_s is None else self._line_s
            self._pressed = is_pressed(pressed_s, self._typed_s, line_s)
            self._write(self.text, self._ago_s)
            self.query_one(_Lines).clear()
        self._typed_s, self._line_s = pressed_s, None
        self._next_until_s = pressed_s + _NEXT_WITHIN_S
        self._wait()

    def action_drop(self) -> None:
        """Close without what is typed."""
        self._keep("", self._ago_s)
        self._stop_settling()
        self.dismiss()

    def begins(self, typed: events.Key | events.Paste) -> bool:
        """Take note of what is typed: right behind Enter it begins the next note.

        Returns
        -------
        bool
            Whether it is the key that opens a note, pressed on a machine that reads it late, and
            so no letter of it. In one go with a whole line it is a letter.
        """
        opens = isinstance(typed, events.Key) and typed.character in _OPENS
        begins, self._typed_s = self._settling is not None, typed.time
        if begins:
            self._stop_settling()
            self.begun_s = time.monotonic()
        if begins and opens and self._pressed:
            return True
        if self._line_s is None:
            self._line_s = typed.time
        return False

    def settle(self, typed_s: float) -> None:
        """Close before what was typed too late to be the next note."""
        if self._settling is not None and typed_s > self._next_until_s:
            self._close_by_itself()

    def finish(self) -> None:
        """Close now, if Enter was pressed a moment ago."""
        if self._settling is not None:
            self._close()

    def _wait(self) -> None:
        """Look a little later, behind all keys that were read by then, whether any followed."""
        self._stop_settling()
        self._settling = self.set_timer(
            _NEXT_WITHIN_S, lambda: self.app.call_later(self._close_if_quiet)
        )

    def _close_if_quiet(self) -> None:
        """Close unless more was typed: a slow machine may not have handled, or read, it yet."""
        if self._settling is None:
            return
        typed = self.app.typed  # type: ignore[attr-defined]
        if typed.unread:
            self._next_until_s = max(self._next_until_s, Message().time)
        if Message().time < self._next_until_s or typed.unread or typed.unhandled:
            self._wait()
        else:
            self._close_by_itself()

    def _close_by_itself(self) -> None:
        closes = self.app.screen is self
        self._close()
        if closes:  # what was typed meanwhile came after the note
            self.app.typed.shut(self._next_until_s)  # type: ignore[attr-defined]

    def _close(self) -> None:
        if self.app.screen is self:
            self._stop_settling()
            self.dismiss()

    def _stop_settling(self) -> None:
        if self._settling is not None:
            self._settling.stop()
            self._settling = None

    @property
    def _ago_s(self) -> float:
        return time.monotonic() - self.begun_s


class _Lines(TextArea):
    """The text of a note, which tells its dialog of Enter before it takes the next key."""

    def __init__(self, dialog: NoteScreen, so_far: str) -> None:
        super().__init__(
            so_far, placeholder=text("note.placeholder"), compact=True, highlight_cursor_line=False
        )
        self._dialog = dialog
        self.move_cursor(self.document.end)

    def on_key(self, event: events.Key) -> None:
        if event.key in _ENTER:
            event.stop()
            event.prevent_default()
            self._dialog.enter(event.time)
        elif event.is_printable and self._dialog.begins(event):
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        self._dialog.begins(event)
