"""A note, typed while the recording goes on."""

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static


class NoteScreen(ModalScreen[str]):
    """Asks for one line; an empty one is no note."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Write it down", show=True),
        Binding("escape", "drop", "Drop it"),
        Binding("f2", "app.mark", "Mark", tooltip="Mark this moment while typing"),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        with Vertical(classes="dialog"):
            yield Static("Note", classes="question")
            yield Input(placeholder="what you saw", compact=True)
            yield Static("It carries the time at which you began it. F2 marks a moment meanwhile.")
        yield Footer(show_command_palette=False, compact=True)

    @property
    def text(self) -> str:
        """What has been typed so far."""
        return " ".join(line.value.strip() for line in self.query(Input))

    def on_key(self, event: events.Key) -> None:
        """Keep what is typed before the line has the focus; it stops all that comes after."""
        if event.is_printable and event.character:
            self.query_one(Input).insert_text_at_cursor(event.character)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Close with the note."""
        self.dismiss(self.text)

    def action_drop(self) -> None:
        """Close without."""
        self.dismiss("")
