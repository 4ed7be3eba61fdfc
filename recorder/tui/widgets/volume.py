"""How loud the music is heard, set by key or click."""

from typing import ClassVar, Final

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from affetti.core.language import percent, text
from affetti.recorder.tui.widgets.bars import bar

_STEP: Final = 5
_FIGURE_WIDTH: Final = 7


class Volume(Widget, can_focus=True):
    """A bar from 0 to 100 %."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", f"change({-_STEP})", text("key.softer")),
        Binding("right", f"change({_STEP})", text("key.louder")),
        Binding("enter", "app.focus_next", text("key.next_field"), show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"track--progress", "track--trough"}

    class Changed(Message):
        """Another loudness was chosen, in percent."""

        def __init__(self, value: int) -> None:
            super().__init__()
            self.value = value

    def __init__(self, value: int, *, id: str) -> None:
        super().__init__(id=id)
        self.value = value

    def render(self) -> Text:
        """Draw the bar and the figure."""
        trough = self.get_component_rich_style("track--trough")
        style = self.get_component_rich_style("track--progress") + trough.background_style
        width = max(1, self.size.width - _FIGURE_WIDTH)
        figure = percent(self.value / 100)
        return Text.assemble(bar(self.value / 100, width, style, trough), f" {figure:>5}")

    def action_change(self, by: int) -> None:
        """Be softer or louder."""
        self._set(self.value + by)

    def on_click(self, event: events.Click) -> None:
        """Be as loud as where the pointer is."""
        offset = event.get_content_offset(self)
        width = max(1, self.size.width - _FIGURE_WIDTH)
        if offset is not None and offset.x <= width:
            self._set(round(100 * offset.x / width / _STEP) * _STEP)

    def _set(self, value: int) -> None:
        value = min(max(value, 0), 100)
        if value != self.value:
            self.value = value
            self.refresh()
            self.post_message(self.Changed(value))
