"""Small questions over a screen: for words, for one of several things, for a key."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from affetti.core.errors import AffettiError
from affetti.core.events import MarkerKey
from affetti.core.language import text
from affetti.recorder.tui.marker_keys import key_of, usable
from affetti.recorder.tui.screens.dialog import Dialog, LineDialog
from affetti.recorder.tui.widgets.line import Line

_CLOSE = Binding("escape", "dismiss(None)", text("key.close"), key_display="esc")


class AskScreen(LineDialog):
    """Asks for a line; dismissed with it, or with None.

    Parameters
    ----------
    question, explanation
        In words.
    said
        What stands there already.
    longest
        In signs.
    """

    def __init__(
        self, question: str, explanation: str = "", said: str = "", longest: int = 300
    ) -> None:
        super().__init__()
        self._question, self._explanation = question, explanation
        self._begins, self._longest = said, longest

    def compose(self) -> ComposeResult:
        """Lay out the line under its question."""
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            yield Line(self._begins, max_length=self._longest, compact=True)
            if self._explanation:
                yield Static(self._explanation, classes="explanation", markup=False)
        yield Footer(show_command_palette=False, compact=True)


class ChooseScreen(Dialog[str]):
    """Asks for one of several things; dismissed with its id, or with None.

    Parameters
    ----------
    question
        In words.
    offered
        Ids, and what each is called.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", text("key.choose"), priority=True),
        _CLOSE,
    ]

    def __init__(self, question: str, offered: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._question, self._offered = question, offered

    def compose(self) -> ComposeResult:
        """Lay out the list under its question."""
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="question", markup=False)
            options = [Option(words, id) for id, words in self._offered]
            yield OptionList(*options, id="offered", markup=False, compact=True)
        yield Footer(show_command_palette=False, compact=True)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(str(event.option_id))


class KeyScreen(Dialog[str]):
    """Asks for a key by its press; one that cannot be is refused with a word.

    Parameters
    ----------
    marker
        What it is for.
    others
        The marker keys that there are beside it.
    """

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE]

    def __init__(self, marker: str, others: Sequence[MarkerKey]) -> None:
        super().__init__()
        self._marker, self._others = marker, others

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical(classes="dialog"):
            asked = text("person.press_the_key", label=self._marker)
            yield Static(asked, classes="question", markup=False)
            yield Static(text("person.which_keys"), id="refusal", classes="explanation")
        yield Footer(show_command_palette=False, compact=True)

    def on_key(self, event: events.Key) -> None:
        """Take the key, where it can be one."""
        if event.key == "escape":
            return
        event.stop()
        event.prevent_default()
        key = key_of(event)
        try:
            usable([*self._others, MarkerKey(self._marker, key)])
        except AffettiError as error:
            refusal = self.query_one("#refusal", Static)
            refusal.add_class("-error")
            refusal.update(f"! {error.message} {error.hint}")
        else:
            self.dismiss(key)
