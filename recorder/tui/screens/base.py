"""What the three screens share: they hear the engine, and know its link."""

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.screen import Screen

from affetti.core.language import text

if TYPE_CHECKING:  # this much is loaded before there is an engine
    from affetti.recorder.engine.messages import AnyMessage
    from affetti.recorder.tui.link import EngineLink

# A moment to be marked does not wait for a question to be answered or help to be read.
MARK: Final = Binding(
    "m", "app.mark", text("key.mark"), priority=True, tooltip=text("key.mark_and_number")
)


class EngineScreen(Screen[None], inherit_bindings=False):
    """A screen that hears every message of the engine; its keys are its own, not Textual's."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, link: "EngineLink") -> None:
        super().__init__()
        self.link = link

    def hear(self, said: "AnyMessage") -> None:
        """Take in what the engine said, after the recording's view did."""
