"""Four bars, one for each emotion, under the words for the strongest and over its reasons."""

from typing import Any, ClassVar, Final

from rich.text import Text
from textual.widget import Widget

from affetti.core.emotions import EMOTIONS, ranked
from affetti.core.events import Emotions
from affetti.core.language import percent, text, word
from affetti.recorder.tui.wording import Reading

_SHARE_WIDTH: Final = 6  # " 100 %"
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def bar(share: float, width: int, style: Any, trough: Any) -> Text:
    """Draw a bar of `share` (0 to 1) of `width` cells, to an eighth of a cell."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    filled = "█" * full + (_EIGHTHS[rest] if rest else "")
    return Text.assemble((filled, style), (" " * (width - len(filled)), trough))


def emotion_width() -> int:
    """Return how many cells the longest name of an emotion takes."""
    return max(len(word("emotion", emotion)) for emotion in EMOTIONS)


class EmotionBars(Widget):
    """What one modality expresses."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"emotion--{emotion}" for emotion in EMOTIONS),
        "emotion--quiet",
        "emotion--trough",
    }

    def __init__(self, title: str, *, id: str) -> None:
        super().__init__(id=id)
        self._reading = Reading(title, "")
        self.border_title = title

    def show(self, reading: Reading) -> None:
        """Show a reading; drawn again only when it differs."""
        if reading != self._reading:
            self._reading = reading
            self.border_title = reading.title
            self.border_subtitle = ", ".join(word("sign", code) for code in reading.reasons)
            self.refresh()

    def render(self) -> Text:
        """Draw the words and the bars."""
        emotions = self._reading.emotions
        quiet = self.get_component_rich_style("emotion--quiet")
        words = Text(self._reading.words, "bold" if emotions else quiet, no_wrap=True)
        words.truncate(self.size.width, overflow="ellipsis")
        return Text("\n").join([words, *self._bars(emotions)])

    def _bars(self, emotions: Emotions | None) -> list[Text]:
        names = emotion_width()
        width = max(1, self.size.width - names - 1 - _SHARE_WIDTH)
        trough = self.get_component_rich_style("emotion--trough")
        quiet = self.get_component_rich_style("emotion--quiet")
        first = ranked(emotions)[0] if emotions else None
        lines = []
        for i, emotion in enumerate(EMOTIONS):
            share = emotions[i] if emotions else 0.0
            style = self.get_component_rich_style(f"emotion--{emotion}") + trough.background_style
            weight = "bold" if emotion is first else quiet
            figure = percent(share, brief=True) if emotions else text("unknown")
            lines.append(
                Text.assemble(
                    (f"{word('emotion', emotion):<{names}} ", weight),
                    bar(share, width, style, trough),
                    (f"{figure:>{_SHARE_WIDTH}}", weight),
                )
            )
        return lines
