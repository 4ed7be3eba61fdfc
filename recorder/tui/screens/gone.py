"""The engine has ended by itself: what that means, said plainly."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from affetti.core.errors import AffettiError
from affetti.core.language import text
from affetti.recorder.tui.screens.dialog import Dialog


class GoneScreen(Dialog[None]):
    """Says where the recording is and how to bring it back; nothing is left but to leave."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter,escape", "app.leave", text("key.quit"))
    ]

    def __init__(self, error: AffettiError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        """Lay out the message and what to do."""
        with Vertical(classes="dialog -error"):
            yield Static(self._error.message, classes="question", markup=False)
            yield Static(self._error.hint, markup=False)
        yield Footer(show_command_palette=False, compact=True)
