"""A question that opens over a screen, answered by a key."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from affetti.core.language import text
from affetti.recorder.tui.screens.base import MARK
from affetti.recorder.tui.screens.dialog import Dialog


class QuestionScreen(Dialog[bool]):
    """Asks one thing; `True` is dismissed for yes.

    Parameters
    ----------
    question, explanation
        In words.
    ends
        Whether yes ends the recording.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,j", "answer(True)", text("key.yes"), key_display=text("key.of_yes")),
        Binding("n,escape", "answer(False)", text("key.no"), key_display="n"),
        MARK,
    ]

    def __init__(self, question: str, explanation: str, *, ends: bool = False) -> None:
        super().__init__()
        self.ends = ends
        self._question = question
        self._explanation = explanation

    def compose(self) -> ComposeResult:
        """Lay out the question over its explanation."""
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            yield Static(self._explanation, markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def action_answer(self, answer: bool) -> None:
        """Close with an answer."""
        self.dismiss(answer)
