"""The person withdraws their consent to something while the recording goes on."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from affetti.core.language import text
from affetti.recorder.tui.screens.base import MARK
from affetti.recorder.tui.screens.dialog import Dialog

WITHDRAWABLE: Final = ("video", "room", "signals")  # scopes
# In the words in which it was agreed to.
_ASKED_AS: Final = {"video": "setup.video", "room": "setup.audio", "signals": "setup.signals"}


class WithdrawScreen(Dialog[str]):
    """Asks what the person no longer consents to; dismissed with the scope.

    Parameters
    ----------
    scopes
        What they consent to now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(i), f"withdraw({i})", show=False) for i in range(1, len(WITHDRAWABLE) + 1)),
        Binding("enter", "select", text("key.choose"), priority=True),
        Binding("escape,n,q", "dismiss", text("key.no"), key_display="esc"),
        MARK,
    ]

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__()
        self._scopes = [scope for scope in WITHDRAWABLE if scope in scopes]

    def compose(self) -> ComposeResult:
        """Lay out what can be withdrawn."""
        with Vertical(classes="dialog"):
            yield Static(text("withdraw.title"), classes="question")
            yield OptionList(
                *(
                    Option(f"{i}  {text(_ASKED_AS[scope])}", id=scope)
                    for i, scope in enumerate(self._scopes, 1)
                )
            )
            yield Static(
                text("withdraw.explanation" if self._scopes else "withdraw.nothing"),
                classes="explanation",
            )
        yield Footer(show_command_palette=False, compact=True)

    def action_withdraw(self, number: int) -> None:
        """Choose by number."""
        if number <= len(self._scopes):
            self.dismiss(self._scopes[number - 1])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose what is highlighted, or clicked."""
        self.dismiss(event.option.id)
