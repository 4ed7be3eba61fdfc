"""Lines to be typed, of which nothing is lost and nothing becomes a command."""

from textual import events
from textual.widgets import Input


class Line(Input):
    """A line that takes all that is pasted; Textual's takes the first line of it."""

    def _on_paste(self, event: events.Paste) -> None:
        lines = (line.strip() for line in event.text.splitlines())
        super()._on_paste(events.Paste(" ".join(filter(None, lines))))
        event.stop()
        event.prevent_default()


class Code(Input):
    """A line for a code or a passphrase.

    An Enter does not end it where a terminal hands it over in one go with letters behind it: they
    would be commands, or answers, to whatever comes next. They are read as more of the line.
    """

    async def action_submit(self) -> None:
        """End the line, unless it goes on."""
        if not self.app.typed.goes_on:  # type: ignore[attr-defined]
            await super().action_submit()
