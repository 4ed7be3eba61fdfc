"""A line to be typed, of which nothing is lost."""

from textual import events
from textual.widgets import Input


class Line(Input):
    """A line that takes all that is pasted; Textual's takes the first line of it."""

    def _on_paste(self, event: events.Paste) -> None:
        lines = (line.strip() for line in event.text.splitlines())
        super()._on_paste(events.Paste(" ".join(filter(None, lines))))
        event.stop()
        event.prevent_default()
