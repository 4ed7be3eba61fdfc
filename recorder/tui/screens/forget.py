"""Whether a person is to be forgotten: who means it types the code."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Input, Static

from affetti.core.language import counted, text
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.widgets.line import Code


class ForgetScreen(Dialog[bool]):
    """Asks for the code of a person before all their recordings are removed.

    Parameters
    ----------
    code
        Whose.
    recordings
        How many there are.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit_line", text("key.forget"), priority=True),
        Binding("escape", "dismiss(False)", text("key.no"), key_display="esc"),
    ]

    def __init__(self, code: str, recordings: int) -> None:
        super().__init__()
        self._code = code
        self._recordings = recordings

    def compose(self) -> ComposeResult:
        """Lay out the question over the line for the code."""
        with Vertical(classes="dialog -error"):
            asked = "forget.really" if self._recordings else "forget.log_really"
            question = counted(asked, self._recordings, person=self._code)
            yield Static(question, classes="question", markup=False)
            yield Code(placeholder=text("home.type_the_code", person=self._code), compact=True)
            yield Static(text("home.forget_means"), classes="explanation", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        if event.value.strip() == self._code:
            self.dismiss(True)
        else:
            event.input.clear()
