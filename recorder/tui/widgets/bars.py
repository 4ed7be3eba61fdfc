"""Bars, one for each label, under the words for the strongest and over its reasons."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from affetti.core.emotions import EMOTIONS, EXPRESSIONS, Expression, Label, ranked
from affetti.core.language import counted, percent, text, word
from affetti.recorder.tui.wording import Reading

_SHARE_WIDTH: Final = 6  # " 100 %"
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def bar(share: float, width: int, style: Any, trough: Any) -> Text:
    """Draw a bar of `share` (0 to 1) of `width` cells, to an eighth of a cell."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    filled = "█" * full + (_EIGHTHS[rest] if rest else "")
    return Text.assemble((filled, style), (" " * (width - len(filled)), trough))


# From what is pleasant to what is not; where there is no room for seven, the strongest.
FACE_ROWS: Final[tuple[Label, ...]] = (
    Expression.HAPPY,
    Expression.SURPRISE,
    Expression.NEUTRAL,
    Expression.SAD,
    Expression.FEAR,
    Expression.DISGUST,
    Expression.ANGRY,
)


def label_width() -> int:
    """Return how many cells the longest name of anything that is expressed takes."""
    return max(len(word("emotion", label)) for label in (*EMOTIONS, *EXPRESSIONS))


def rows_of(labels: Sequence[Label], shares: Sequence[float] | None, room: int) -> list[Label]:
    """Return the labels that have a row where there is room for so many, in a fixed order.

    Parameters
    ----------
    labels
        What there is.
    shares
        Of each, 0 to 1; None where nothing is known.
    room
        For how many rows; where it is too small, the strongest have one.
    """
    ordered = [label for label in FACE_ROWS if label in labels] or list(labels)
    if shares is None or room >= len(ordered):
        return ordered[: max(room, 1)] if shares is None else ordered
    kept = set(ranked(shares, labels)[: max(room, 1)])
    return [label for label in ordered if label in kept]


class EmotionBars(Widget):
    """What one modality expresses."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"emotion--{label}" for label in (*EMOTIONS, *EXPRESSIONS)),
        "emotion--quiet",
        "emotion--trough",
    }

    def __init__(self, title: str, *, id: str) -> None:
        super().__init__(id=id)
        self._reading = Reading(title, "")
        self.border_title = title
        self._all = False

    def show_all(self, all_rows: bool) -> None:
        """Show each label, where there is hardly room too; or the strongest only."""
        self._all = all_rows
        self._entitle()
        self.refresh()

    def show(self, reading: Reading) -> None:
        """Show a reading; drawn again only when it differs."""
        if reading != self._reading:
            self._reading = reading
            self.border_subtitle = self._subtitle()
            self._entitle()
            self.refresh()

    def _subtitle(self) -> str:
        """Say that the figures are shares of a whole, and what spoke for the strongest."""
        signs = ", ".join(word("sign", code) for code in self._reading.reasons)
        if self._reading.shares is None:
            return signs
        both = " · ".join(filter(None, (text("bars.whole"), signs)))
        return both if cell_len(both) + 4 <= self.size.width else signs

    def on_resize(self) -> None:
        """Name what is shown anew: the title has the words where there is no row for them."""
        self._entitle()
        self.border_subtitle = self._subtitle()

    @property
    def _tight(self) -> bool:
        """Whether every row is needed for a bar."""
        return self._all and self.size.height <= len(self._reading.labels)

    def _entitle(self) -> None:
        """Name whose the bars are, before they are drawn: a title of before would mislead."""
        shown = self._reading
        both = f"{shown.title} {shown.words}"  # of which half would mislead
        fits = self._tight and cell_len(both) < self.size.width
        self.border_title = both if fits else shown.title

    def render(self) -> Text:
        """Draw the words and the bars."""
        if self._tight:
            return Text("\n").join(self._bars(self.size.height))
        quiet = self.get_component_rich_style("emotion--quiet")
        style = "bold" if self._reading.shares else quiet
        words = Text(no_wrap=True).append(self._reading.words, style)
        bars = self._bars(self.size.height - 1)
        rest = self._left_out(self.size.height - 1)
        if rest and words.cell_len + cell_len(rest) <= self.size.width:
            words.append(rest, quiet)
        words.truncate(self.size.width, overflow="ellipsis")
        apart = 2 * len(bars) < self.size.height  # room for a line between them
        return Text("\n\n" if apart else "\n").join([words, *bars])

    def _left_out(self, room: int) -> str:
        """Say that some have no row, or they would pass for what is not read; "" where all have."""
        labels, shares = self._reading.labels, self._reading.shares
        if shares is None:
            return ""
        there = rows_of(labels, shares, room)
        rest = [share for label, share in zip(labels, shares, strict=True) if label not in there]
        if not rest:
            return ""
        return "  " + counted("bars.more", len(rest), share=percent(sum(rest), brief=True))

    def _bars(self, rows: int) -> list[Text]:
        labels, shares = self._reading.labels, self._reading.shares
        names = label_width()
        width = max(1, self.size.width - names - 1 - _SHARE_WIDTH)
        trough = self.get_component_rich_style("emotion--trough")
        quiet = self.get_component_rich_style("emotion--quiet")
        first = ranked(shares, labels)[0] if shares else None
        lines = []
        for label in rows_of(labels, shares, rows):
            share = shares[labels.index(label)] if shares else 0.0
            style = self.get_component_rich_style(f"emotion--{label}") + trough.background_style
            weight = "bold" if label is first else quiet
            figure = percent(share, brief=True) if shares else text("unknown")
            drawn = bar(share, width, style, trough) if shares else Text(" " * width)
            lines.append(
                Text.assemble(
                    (f"{word('emotion', label):<{names}} ", weight),
                    drawn,
                    (f"{figure:>{_SHARE_WIDTH}}", weight),
                )
            )
        return lines
