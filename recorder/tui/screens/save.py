"""The name under which a playlist is saved."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Input, Static

from affetti.core.language import text
from affetti.recorder.tui.screens.dialog import Dialog


class SaveScreen(Dialog[str]):
    """Asks for the name of a playlist."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", text("key.save_playlist")),
        Binding("escape", "dismiss(None)", text("key.close"), key_display="esc"),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the line for the name."""
        with Vertical(classes="dialog"):
            yield Static(text("save.title"), classes="question")
            yield Input(placeholder=text("save.name"), max_length=60, compact=True)
            yield Static(text("save.explanation"), classes="explanation")
        yield Footer(show_command_palette=False, compact=True)

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())
