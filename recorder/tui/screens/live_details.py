"""How the recording is doing: every figure that was measured, and none that was not."""

from collections.abc import Callable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from affetti.core.language import text, word
from affetti.recorder.tui.screens.base import MARK
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.wording import Remark


class DetailsScreen(Dialog[None]):
    """Lists camera, sound, disk and estimates, and keeps them up to date.

    Parameters
    ----------
    details
        Asked again every second.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,d,q", "dismiss", text("key.close"), key_display="esc"),
        MARK,
    ]

    def __init__(self, details: Callable[[], dict[str, list[Remark]]]) -> None:
        super().__init__()
        self._details = details

    def compose(self) -> ComposeResult:
        """Lay out the figures."""
        with VerticalScroll(classes="dialog", can_focus=True):
            yield Static(text("details.title"), classes="question")
            yield Static(id="details")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Look once a second: so often there are new figures."""
        self.look()
        self.set_interval(1.0, self.look)

    def look(self) -> None:
        """Show the figures as they are now."""
        table = Table.grid(padding=(0, 2))
        for name, remarks in self._details().items():
            said = Text("\n").join(
                Text(r.words if r.severity == "ok" else f"! {r.words}") for r in remarks
            )
            table.add_row(Text(word("lamp", name), "bold"), said)
        self.query_one("#details", Static).update(
            table if table.row_count else text("health.starting")
        )
