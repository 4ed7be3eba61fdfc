"""A note, typed while the recording goes on."""

import time
from collections.abc import Callable
from typing import ClassVar, Final

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
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", text("key.write_it_down"), show=True),
        Binding("escape", "drop", text("key.drop_it")),
        Binding("f2", "app.mark", text("key.mark"), tooltip=text("key.mark_this_moment_while")),
    ]

    def __init__(self, write: Callable[[str], object], keep: Callable[[str], object]) -> None:
        super().__init__()
        self._write = write
        self._keep = keep
        self.begun_s = time.monotonic()
        self._settling: Timer | None = None  # from Enter until it is known to be the last key
        self._entered_s = 0.0  # when that was, on the clock of Textual's messages

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        with Vertical(classes="dialog"):
            yield Static(text("note.title"), classes="question")
            yield _Lines(self)
            yield Static(text("note.explanation"))
        yield Footer(show_command_palette=False, compact=True)

    @property
    def text(self) -> str:
        """What has been typed so far, without blanks around it and at the ends of its lines."""
        typed = "".join(lines.text for lines in self.query(_Lines))
        return "\n".join(line.rstrip() for line in typed.splitlines()).strip()

    def on_key(self, event: events.Key) -> None:
        """Keep what is typed before the lines have the focus; it stops all that comes after."""
        if event.key in _ENTER:
            event.stop()
            self.action_submit()
        elif event.is_printable and event.character:
            self.go_on()
            self.query_one(_Lines).insert(event.character)

    def on_text_area_changed(self) -> None:
        """Have kept what is typed."""
        if self.app.screen is self:
            self._keep(self.text)

    def action_submit(self) -> None:
        """Close with the note, unless text follows at once."""
        self.go_on()
        self._entered_s = Message().time
        self._settling = self.set_timer(_PASTED_WITHIN_S, self._close)

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

    def finish(self) -> None:
        """Close with the note now, if Enter was pressed a moment ago."""
        if self._settling is not None:
            self._settling.stop()
            self._close()

    def _close(self) -> None:
        self._settling = None
        if self.app.screen is self:
            if self.text:
                self._write(self.text)
            self.dismiss()
            # On a slow machine it closes late, and what was typed meanwhile came after the note.
            self.app.closed(self._entered_s + _PASTED_WITHIN_S)  # type: ignore[attr-defined]


class _Lines(TextArea):
    """The text of a note, which tells its dialog of Enter before it takes the next key."""

    def __init__(self, dialog: NoteScreen) -> None:
        super().__init__(
            placeholder=text("note.placeholder"), compact=True, highlight_cursor_line=False
        )
        self._dialog = dialog

    def on_key(self, event: events.Key) -> None:
        if event.key in _ENTER:
            event.stop()
            event.prevent_default()
            self._dialog.action_submit()
        elif event.is_printable:
            self._dialog.go_on()

    def on_paste(self) -> None:
        self._dialog.go_on()
