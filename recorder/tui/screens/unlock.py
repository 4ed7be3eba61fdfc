"""The passphrase that opens what is encrypted on this computer."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Input, Static

from affetti.core.language import text
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.widgets.line import Code


class UnlockScreen(Dialog[str]):
    """Asks for a passphrase, which is shown nowhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit_line", text("key.unlock"), priority=True),
        Binding("escape", "dismiss(None)", text("key.close"), key_display="esc"),
    ]

    def compose(self) -> ComposeResult:
        """Lay out the line for the passphrase."""
        with Vertical(classes="dialog"):
            yield Static(text("unlock.title"), classes="question")
            yield Code(password=True, placeholder=text("unlock.passphrase"), compact=True)
            yield Static(text("unlock.explanation"), classes="explanation")
        yield Footer(show_command_palette=False, compact=True)

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
