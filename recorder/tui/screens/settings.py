"""What the screen looks like, and where things lie."""

import os
from collections.abc import Iterator
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from affetti.core import locations
from affetti.core.language import language, text, word
from affetti.core.settings import Settings
from affetti.recorder.tui.screens.dialog import Dialog
from affetti.recorder.tui.themes import THEMES, remember, remembered_large


class SettingsScreen(Dialog[None]):
    """Themes, which are shown as soon as they are highlighted; and where the rest is set.

    Parameters
    ----------
    settings
        As they were read.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", text("key.keep_theme"), priority=True),
        Binding("l", "large", text("key.large"), tooltip=text("key.large_tip")),
        Binding("escape,f9", "leave_it", text("key.close"), key_display="esc"),
    ]

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._before = ""

    def compose(self) -> ComposeResult:
        """Lay out the themes over what is set elsewhere."""
        with Vertical(classes="dialog"):
            yield Static(text("settings.title"), classes="question")
            yield Static(text("settings.themes"), classes="hint")
            options = [Option(word("theme", theme.name), theme.name) for theme in THEMES]
            yield OptionList(*options, id="themes", markup=False, compact=True)
            yield Static(self._where(), id="where")
            yield Static(text("settings.larger"), classes="explanation")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Begin with the theme that there is."""
        self._before = self.app.theme
        names = [theme.name for theme in THEMES]
        themes = self.query_one(OptionList)
        themes.highlighted = names.index(self._before) if self._before in names else 0
        themes.focus()

    @on(OptionList.OptionHighlighted)
    def _show(self, event: OptionList.OptionHighlighted) -> None:
        self.app.theme = str(event.option_id)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.app.theme = str(event.option_id)
        remember(self.app.theme)
        self.dismiss()

    def action_leave_it(self) -> None:
        """Close, with the theme that there was."""
        self.app.theme = self._before
        self.dismiss()

    async def action_large(self) -> None:
        """Show in large letters, live, or not."""
        await self.run_action("app.large")
        self.query_one("#where", Static).update(self._where())

    def _where(self) -> Table:
        """Say where things lie, and what is set in the file of settings."""
        table = Table.grid(padding=(0, 2))
        for name, value in self._lines():
            table.add_row(Text(text(f"settings.{name}")), Text(value))
        return table

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "recordings", str(self._settings.folder)
        yield "file", str(locations.settings_file() or text("unknown"))
        yield "log", str(locations.log_folder() or text("unknown"))
        yield "language", language()
        yield "letters", text("settings.letters.large" if remembered_large() else "settings.usual")
        yield "kept", word("keep", self._settings.keep)
        if os.environ.get("NO_COLOR"):
            yield "colours", text("settings.no_color")
