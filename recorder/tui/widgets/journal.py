"""What was written down and marked, latest first."""

from textwrap import wrap
from typing import Final

from rich.text import Text
from textual.widget import Widget

from affetti.core.clock import NS_PER_S
from affetti.core.journal import sentence
from affetti.core.language import clock, text
from affetti.core.state import SessionState

_TIME_WIDTH: Final = 9


def entries(state: SessionState) -> list[str]:
    """Return what was noted of moments with their times, in order of time."""
    return [
        f"{clock(moment.t_ns / NS_PER_S):<{_TIME_WIDTH}}{sentence(moment)}"
        for moment in sorted(state.moments, key=lambda moment: moment.t_ns)
    ]


class Journal(Widget):
    """Markers and notes of the recording; shown where there is room for it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.border_title = text("moments.title")
        self._lines: list[str] = []

    def show(self, state: SessionState) -> None:
        """Show those of a recording."""
        lines = entries(state)[::-1]
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render(self) -> Text:
        """Draw as many as there is room for."""
        if not self._lines:
            return Text(text("moments.none"), "dim")
        indent = " " * _TIME_WIDTH
        width = max(2 * _TIME_WIDTH, self.size.width)
        wrapped = [
            part for line in self._lines for part in wrap(line, width, subsequent_indent=indent)
        ]
        return Text("\n".join(wrapped[: self.size.height]), no_wrap=True)
