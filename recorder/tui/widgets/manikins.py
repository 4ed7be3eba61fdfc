"""Five figures to choose from, drawn in characters: how pleasant something is, or how stirring.

After the self-assessment manikins of Bradley and Lang (1994): the mouth goes from down to up, and
what stirs the figure goes from nothing to waves. They are drawn anew.
"""

from typing import Final

from rich.text import Text
from textual.message import Message
from textual.widget import Widget

COUNT: Final = 5
VALUES: Final = (-1.0, -0.5, 0.0, 0.5, 1.0)

_MOUTHS: Final = ("╭───╮", " ╭─╮ ", " ─── ", " ╰─╯ ", "╰───╯")
_EYES: Final = ("─ ─", "◡ ◡", "• •", "● ●", "◉ ◉")
_WAVES: Final = ("       ", "   ~   ", "  ~~~  ", " ~~~~~ ", "~~~~~~~")


def valence_figure(step: int) -> str:
    """Return a face of five lines, from the most unpleasant (0) to the most pleasant (4)."""
    return "\n".join(("╭───────╮", "│  • •  │", "│       │", f"│ {_MOUTHS[step]} │", "╰───────╯"))


def arousal_figure(step: int) -> str:
    """Return a figure of five lines, from the calmest (0) to the most stirred (4)."""
    return "\n".join(("╭───────╮", f"│  {_EYES[step]}  │", "│  ───  │", f"│{_WAVES[step]}│",
                      "╰───────╯"))  # fmt: skip


FIGURES: Final = {"valence": valence_figure, "arousal": arousal_figure}


class Answer(Widget):
    """One answer among several, chosen by a click; its key stands under it."""

    class Chosen(Message):
        """It was clicked."""

        def __init__(self, value: float) -> None:
            super().__init__()
            self.value = value

    def __init__(self, figure: str, key: str, value: float) -> None:
        super().__init__()
        self.value = value
        self._figure, self._key = figure, key

    def render(self) -> Text:
        """Draw the figure over its key."""
        lines = [*self._figure.split("\n"), self._key] if self._figure else [self._key]
        return Text("\n".join(lines), justify="center")

    def on_click(self) -> None:
        """Choose it."""
        self.post_message(self.Chosen(self.value))
