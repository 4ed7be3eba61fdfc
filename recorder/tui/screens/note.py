"""A note, typed while the recording goes on."""

import time
from collections.abc import Callable
from typing import ClassVar, Final, Self

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Footer, Static, TextArea

from affetti.core.language import text
from affetti.recorder.tui.screens.dialog import Dialog

# A terminal may hand over what is pasted as keys. Nobody types on so soon after Enter.
_PASTED_WITHIN_S: Final = 0.2
_ENTER: Final = frozenset({"enter", "ctrl+j"})  # a pasted line may end with either


class NoteScreen(Dialog[None]):
    """Asks for a note.

    Enter writes it down. Where more text follows at once, Enter was part of what is pasted, and
    begins a new line.

    Parameters
    ----------
    write
        Given the note as soon as it is to be written down, unless it is empty.
    keep
        Given what has been typed so far, at each change; nothing where the note is dropped.
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
        write: Callable[[str], object],
        keep: Callable[[str], object],
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
        self._pasted_until_s = 0.0  # what is typed by then goes on, on the clock of messages

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

    def again(self, write: Callable[[str], object], keep: Callable[[str], object]) -> Self:
        """Return the same note, to be gone on with after the recording has ended."""
        typed = "".join(lines.text for lines in self.query(_Lines))
        return type(self)(write, keep, typed, ended=True)

    def on_key(self, event: events.Key) -> None:
        """Keep what is typed before the lines have the focus; it stops all that comes after."""
        if event.key in _ENTER:
            event.stop()
            self.enter(event.time)
        elif event.is_printable and event.character:
            self.go_on()
            self.query_one(_Lines).insert(event.character)

    def on_text_area_changed(self) -> None:
        """Have kept what is typed."""
        if self.app.screen is self:
            self._keep(self.text)

    def action_submit(self) -> None:
        """Close with the note, unless text follows at once."""
        self.enter(Message().time)

    def enter(self, pressed_s: float) -> None:
        """Take an Enter that was pressed at a time, on the clock of Textual's messages."""
        self.go_on()
        self._pasted_until_s = pressed_s + _PASTED_WITHIN_S
        self._wait()

    def action_drop(self) -> None:
        """Close without, unless it was to be written down a moment ago."""
        if self._settling is not None:
            self._close()
        else:
            self._keep("")
            self.dismiss()

    def go_on(self) -> None:
        """Begin a new line if Enter was pressed a moment ago: it was not the end."""
        if self._settling is not None:
            self._settling.stop()
            self._settling = None
            self.query_one(_Lines).insert("\n")

    def settle(self, typed_s: float) -> None:
        """Close with the note before what was typed later than text that is pasted would be."""
        if self._settling is not None and typed_s > self._pasted_until_s:
            self._close_by_itself()

    def finish(self) -> None:
        """Close with the note now, if Enter was pressed a moment ago."""
        if self._settling is not None:
            self._close()

    def _wait(self) -> None:
        """Look a little later, behind all keys that were read by then, whether any followed."""
        self._settling = self.set_timer(
            _PASTED_WITHIN_S, lambda: self.app.call_later(self._close_if_quiet)
        )

    def _close_if_quiet(self) -> None:
        """Close unless more was typed: a slow machine may not have handled, or read, it yet."""
        if self._settling is None:
            return
        typed = self.app.typed  # type: ignore[attr-defined]
        if typed.unread:
            self._pasted_until_s = max(self._pasted_until_s, Message().time)
        if Message().time < self._pasted_until_s or typed.unread or typed.unhandled:
            self._settling.stop()
            self._wait()
        else:
            self._close_by_itself()

    def _close_by_itself(self) -> None:
        closes = self.app.screen is self
        self._close()
        if closes:  # what was typed meanwhile came after the note
            self.app.typed.shut(self._pasted_until_s)  # type: ignore[attr-defined]

    def _close(self) -> None:
        if self._settling is not None:
            self._settling.stop()
            self._settling = None
        if self.app.screen is self:
            if self.text:
                self._write(self.text)
            self.dismiss()


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
        elif event.is_printable:
            self._dialog.go_on()

    def on_paste(self) -> None:
        self._dialog.go_on()
