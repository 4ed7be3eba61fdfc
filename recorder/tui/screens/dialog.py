"""What opens over a screen, and closes once, whatever keys come in one go."""

from typing import ClassVar

from textual import on
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Input, OptionList

from affetti.core.labels import label
from affetti.core.language import text
from affetti.recorder.tui.widgets.line import Line


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

    # Enter is the screen's own, before that of what it holds, which no footer would show.
    def action_select(self) -> None:
        """Choose what is highlighted in the list."""
        self.query_one(OptionList).action_select()

    async def action_submit_line(self) -> None:
        """Take what was typed into the line."""
        await self.query_one(Input).action_submit()


class LineDialog(Dialog[str]):
    """Asks for one line; dismissed with it, or with None where it was dropped.

    Enter ends it. Where a terminal hands over several lines in one go, a blank stands for the end
    of each: no letter of them is a command.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", text("key.keep_it"), priority=True),
        Binding("escape", "dismiss(None)", text("key.close"), key_display="esc"),
    ]

    def action_submit(self) -> None:
        """Close with the line, unless it goes on."""
        line = self.query_one(Line)
        if self.app.typed.goes_on:  # type: ignore[attr-defined]
            line.insert_text_at_cursor(" ")
        else:
            self.dismiss(label(line.value).strip())


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
