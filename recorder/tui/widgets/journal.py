"""What was written down and marked, latest first."""

from rich.text import Text
from textual.widget import Widget

from core.clock import NS_PER_S
from core.events import MarkerAdded, NoteAdded
from core.state import SessionState
from recorder.tui.wording import clock


def entries(state: SessionState) -> list[str]:
    """Return markers and notes with their times, in order of time."""
    both: list[MarkerAdded | NoteAdded] = [*state.markers, *state.notes]
    return [
        f"{clock(entry.t_ns / NS_PER_S):>7}  {_words(entry)}"
        for entry in sorted(both, key=lambda entry: entry.t_ns)
    ]


def _words(entry: MarkerAdded | NoteAdded) -> str:
    return f"▲ {entry.label}" if isinstance(entry, MarkerAdded) else f"“{entry.text}”"


class Journal(Widget):
    """Markers and notes of the recording; shown where there is room for it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.border_title = "Markers and notes"
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
            return Text("none yet", "dim")
        return Text("\n").join(
            Text(line[: self.size.width], no_wrap=True) for line in self._lines[: self.size.height]
        )
