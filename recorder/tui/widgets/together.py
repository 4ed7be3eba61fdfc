"""Face and music together in one line: what decided, four small bars, and whether they agree."""

from typing import ClassVar, Final

from rich.text import Text
from textual.widget import Widget

from affetti.core.emotions import EMOTIONS
from affetti.core.language import text, word
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.bars import bar
from affetti.recorder.tui.wording import Together, together

_BAR: Final = 8  # cells, at most
_SEEN: Final = 3  # cells, from which on a bar is as long as it need be


class TogetherLine(Widget):
    """The fused emotions, always in view and never the loudest."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"emotion--{emotion}" for emotion in EMOTIONS),
        "emotion--quiet",
        "emotion--trough",
    }

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._shown = Together("", "", None, "")

    def show(self, view: RecordingView) -> None:
        """Show what both express now."""
        shown = together(view)
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> Text:
        """Draw the line; where there is little room the bars become small before words go."""
        shown = self._shown
        quiet = self.get_component_rich_style("emotion--quiet")
        line = Text.assemble((f"{shown.title}: ", quiet), shown.words, no_wrap=True)
        if shown.alike:
            line.append(f" · {shown.alike}", quiet)
        if shown.shares is None:
            line.truncate(self.size.width, overflow="ellipsis")
            return line
        names = [word("brief", emotion) for emotion in EMOTIONS]
        fixed = sum(len(name) + 2 for name in names) + 1
        aside = Text(f" · {text('live.nobodys')}", quiet)
        least = fixed + _SEEN * len(EMOTIONS) + line.cell_len + aside.cell_len
        if shown.alike and least <= self.size.width:
            line.append_text(aside)
        room = (self.size.width - fixed - line.cell_len) // len(EMOTIONS)
        width = min(max(room, 2), _BAR)
        room = self.size.width - fixed - width * len(EMOTIONS)
        line.truncate(room, overflow="ellipsis", pad=True)
        line.append(" ")
        trough = self.get_component_rich_style("emotion--trough")
        for name, emotion, share in zip(names, EMOTIONS, shown.shares, strict=True):
            style = self.get_component_rich_style(f"emotion--{emotion}") + trough.background_style
            line.append(f" {name} ", quiet)
            line.append(bar(share, width, style, trough))
        return line
