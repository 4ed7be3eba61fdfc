"""What a screen is about, in large letters: for those who chose them, above everything else."""

from rich.text import Text
from textual.geometry import Size
from textual.widget import Widget

from affetti.recorder.tui.widgets.large_letters import large


def broken(words: str, width: int) -> list[list[str]]:
    """Return words in large letters, broken where a line is full.

    Parameters
    ----------
    words
        What is said.
    width
        In cells.

    Returns
    -------
    For each line of them its three lines of the terminal; a word that is too long for one is as
    it is, in one line.
    """
    lines: list[list[str]] = []
    begun = ""
    for word in words.split():
        longer = f"{begun} {word}".strip()
        if begun and large(longer, width) is None:
            lines.append(large(begun, width) or [begun])
            longer = word
        begun = longer
    return [*lines, large(begun, width) or [begun]] if begun else lines


class Headline(Widget):
    """A few words in large letters, where large letters were chosen; nothing elsewhere."""

    def __init__(self, *, id: str = "headline") -> None:
        super().__init__(id=id)
        self._words = ""

    def say(self, words: str) -> None:
        """Show other words."""
        if words != self._words:
            self._words = words
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines the words take."""
        return sum(map(len, broken(self._words, width)))

    def render(self) -> Text:
        """Draw the words."""
        width = self.size.width
        centred = self.styles.text_align == "center"
        lines = [each for line in broken(self._words, width) for each in line]
        drawn = (Text(f"{each:^{width}}" if centred else each, "bold") for each in lines)
        return Text("\n", no_wrap=True).join(drawn)
