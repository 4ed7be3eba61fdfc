"""The name under which a playlist is saved."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from affetti.core.language import text
from affetti.recorder.tui.screens.dialog import LineDialog
from affetti.recorder.tui.widgets.line import Line


class SaveScreen(LineDialog):
    """Asks for the name of a playlist."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", text("key.save_playlist"), priority=True),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the line for the name."""
        with Vertical(classes="dialog"):
            yield Static(text("save.title"), classes="question")
            yield Line(placeholder=text("save.name"), max_length=60, compact=True)
            yield Static(text("save.explanation"), classes="explanation")
        yield Footer(show_command_palette=False, compact=True)
