"""What opens over a screen, and closes once, whatever keys come in one go."""

from textual import on
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Input, OptionList


class Dialog(ModalScreen[ScreenResultType]):
    """A screen over another; closing it when it is not the topmost screen (any more) does nothing.

    Keys that were read together are handled after the first of them has closed the dialog;
    Textual would then close the screen beneath, or what has opened over the dialog.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close with a result, at most once."""
        return super().dismiss(result) if self.app.screen is self else AwaitComplete()

    def settle(self, typed_s: float) -> None:
        """Close before something that was typed at a time is handled, where that came too late.

        Parameters
        ----------
        typed_s
            On the clock of Textual's messages.
        """


class Commands(CommandPalette, Dialog[None]):
    """Textual's list of commands, of which one is run at most."""

    @on(Input.Submitted)
    @on(Button.Pressed)
    @on(OptionList.OptionSelected)
    def choose(self, event: Input.Submitted | Button.Pressed | OptionList.OptionSelected) -> None:
        """Let nothing be chosen from a list that is closed."""
        if self.app.screen is not self:
            event.stop()
            event.prevent_default()
