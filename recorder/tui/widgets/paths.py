"""Completes paths while they are typed, and takes those that are dropped into the terminal."""

from pathlib import Path

from textual import events
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from affetti.core.paths import dropped, is_address


class Dropped(Message):
    """Files were dragged into the terminal."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__()
        self.paths = paths


class DropInput(Input):
    """A line for a path, which gives away what is dropped on it."""

    def _on_paste(self, event: events.Paste) -> None:
        paths = [] if self.value else dropped(event.text)
        if not paths:
            super()._on_paste(event)
            return
        event.stop()
        event.prevent_default()
        self.post_message(Dropped(paths))


class PathSuggester(Suggester):
    """Suggests the first file or folder whose path begins as typed."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return a longer path, or None when nothing begins like that."""
        if not value or is_address(value):
            return None
        folder, _, begun = value.rpartition("/")
        try:
            names = sorted(
                entry.name + "/" * entry.is_dir()
                for entry in Path(f"{folder}/" if "/" in value else ".").expanduser().iterdir()
                if entry.name.startswith(begun) and (begun or not entry.name.startswith("."))
            )
        except (OSError, ValueError, RuntimeError):  # no folder, no path, nobody's home
            return None
        return f"{value.removesuffix(begun) if begun else value}{names[0]}" if names else None
