"""Whether face and music express the same, in words and as a bar."""

from typing import ClassVar, Final

from rich.text import Text
from textual.widget import Widget

from affetti.analyzer.report.wording import index
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.bars import bar
from affetti.recorder.tui.wording import congruence

_WORDS_WIDTH: Final = 41
_FIGURE_WIDTH: Final = 6


class CongruenceLine(Widget):
    """The congruence of face and music: full where they express the same."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "congruence--alike",
        "congruence--trough",
        "congruence--quiet",
    }

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._shown: tuple[str, float | None] = ("", None)

    def show(self, view: RecordingView) -> None:
        """Show how alike they are now."""
        shown = congruence(view)
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> Text:
        """Draw the line; the bar only where there is room for one."""
        words, alike = self._shown
        if alike is None:
            return Text(words, self.get_component_rich_style("congruence--quiet"), no_wrap=True)
        width = self.size.width - _WORDS_WIDTH - _FIGURE_WIDTH
        trough = self.get_component_rich_style("congruence--trough")
        style = self.get_component_rich_style("congruence--alike") + trough.background_style
        drawn = bar(alike, width, style, trough) if width > 4 else Text()
        return Text.assemble(f"{words:<{_WORDS_WIDTH}}", drawn, f"{index(alike):>6}")
