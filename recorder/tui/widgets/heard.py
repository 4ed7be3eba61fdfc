"""What is heard, in the room and in the playback; never whose it is."""

from rich.text import Text
from textual.widget import Widget

from affetti.core.language import text


class Heard(Widget):
    """A line for each of them."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.border_title = text("live.heard.title")
        self._lines: tuple[str, ...] = ()

    def show(self, lines: tuple[str, ...]) -> None:
        """Show what is heard now."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render(self) -> Text:
        """Draw the lines."""
        return Text("\n".join(self._lines), no_wrap=True, overflow="ellipsis")
