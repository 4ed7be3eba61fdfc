"""What is written of a moment afterwards: a note, a rating, one thing to remember."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from affetti.core.language import text
from affetti.recorder.tui.screens.dialog import LineDialog
from affetti.recorder.tui.widgets.line import Line


class EntryScreen(LineDialog):
    """Asks for one line; dismissed with it, or with None where it was dropped.

    Parameters
    ----------
    title, explanation
        In words.
    before
        What it says so far.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", text("key.write_it_down"), priority=True),
        Binding("escape", "dismiss", text("key.drop_it")),
    ]

    def __init__(self, title: str, explanation: str, before: str = "") -> None:
        super().__init__()
        self._title, self._explanation, self._before = title, explanation, before

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        with Vertical(classes="dialog"):
            yield Static(self._titled, classes="question", markup=False)
            yield Line(self._before, id="entry", compact=True, select_on_focus=False)
            yield Static(self._explanation, classes="explanation", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    @property
    def _titled(self) -> str:
        return self._title[:1].upper() + self._title[1:]


def rating_of(line: str) -> dict[str, float] | None:
    """Return what a line such as "calm 7" rates, from 0 to 10; None where it is no rating."""
    name, _, number = line.rpartition(" ")
    try:
        value = float(number.replace(",", "."))
    except ValueError:
        return None
    return {name.strip(): value} if name.strip() and 0 <= value <= 10 else None
