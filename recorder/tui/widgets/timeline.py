"""The face over the last minutes: a row for each expression, as high as it is strong."""

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
from rich.text import Text
from textual.widget import Widget

from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EXPRESSIONS
from affetti.core.events import FaceEstimated, MarkerAdded
from affetti.core.language import text, word
from affetti.core.state import Track
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.bars import label_width, rows_of

MINUTES: Final = 5
# Which rows there are before a face was seen: happiness, sadness, anger and neutral.
_COMMON: Final = (1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0)
_EIGHTHS: Final = "▁▂▃▄▅▆▇█"


class Timeline(Widget):
    """What the face expressed over the last five minutes; time runs to the right.

    A column stands for a fixed stretch of session time, so that the picture moves on by whole
    columns and nothing in it flickers.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"emotion--{expression}" for expression in EXPRESSIONS),
        "emotion--quiet",
    }

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.border_title = text("timeline.title", minutes=MINUTES)
        self._columns: list[tuple[float, ...] | None] = []
        self._signs = ""

    def show(self, view: RecordingView) -> None:
        """Show a recording up to its now."""
        width = max(1, self.size.width - label_width() - 1)
        step_ns = MINUTES * 60 * NS_PER_S // width
        last = max(view.now_ns // step_ns, width - 1)  # it fills from the left, then moves on
        first = last - width + 1
        columns = columns_of(view.faces, first, last, step_ns)
        signs = signs_of(view.state.tracks, view.state.markers, first, last, step_ns)
        if (columns, signs) != (self._columns, self._signs):
            self._columns, self._signs = columns, signs
            self.refresh()

    def render(self) -> Text:
        """Draw the rows, and under them where tracks began and markers are."""
        shown = rows_of(EXPRESSIONS, self._means(), self.size.height - 1)
        each = max(1, (self.size.height - 1) // len(shown))
        quiet = self.get_component_rich_style("emotion--quiet")
        lines = []
        names = label_width() + 1
        for expression in shown:
            i = EXPRESSIONS.index(expression)
            style = self.get_component_rich_style(f"emotion--{expression}")
            for row in reversed(range(each)):
                name = word("emotion", expression) if row == 0 else ""
                cells = "".join(_cell(column, i, row, each) for column in self._columns)
                lines.append(Text.assemble((f"{name:<{names}}", quiet), (cells, style)))
        legend = f"{text('timeline.track'):<{names}}"
        lines.append(Text.assemble((legend, quiet), self._signs))
        return Text("\n").join(lines)

    def _means(self) -> list[float]:
        """Return how strong each expression was on the whole, of which the strongest show."""
        there = [column for column in self._columns if column is not None]
        return np.mean(there, axis=0).tolist() if there else list(_COMMON)


def columns_of(
    faces: Sequence[FaceEstimated], first: int, last: int, step_ns: int
) -> list[tuple[float, ...] | None]:
    """Return the mean distribution of each stretch from `first` to `last`, None without any.

    Parameters
    ----------
    faces
        Estimates in the order of time.
    first, last
        Numbers of stretches; stretch n is [n, n + 1) times `step_ns`.
    step_ns
        Length of a stretch.
    """
    sums: dict[int, list[float]] = {}
    for estimate in reversed(faces):
        stretch = estimate.t_ns // step_ns
        if stretch < first:
            break
        if estimate.expressions is not None:
            total = sums.setdefault(stretch, [0.0] * (len(EXPRESSIONS) + 1))
            for i, value in enumerate((*estimate.expressions, 1.0)):
                total[i] += value
    return [
        tuple(value / sums[n][-1] for value in sums[n][:-1]) if n in sums else None
        for n in range(first, last + 1)
    ]


def signs_of(
    tracks: Sequence[Track], markers: Sequence[MarkerAdded], first: int, last: int, step_ns: int
) -> str:
    """Return one sign for each stretch: a track's start, a marker's number, or nothing."""
    signs = [" "] * (last - first + 1)
    places = [("♪", track.start_ns) for track in tracks]
    places += [(f"▲{number}", marker.t_ns) for number, marker in enumerate(markers, 1)]
    for sign, t_ns in places:
        at = t_ns // step_ns - first
        if at >= 0:
            signs[at : at + len(sign)] = sign[: len(signs) - at]
    return "".join(signs)


def _cell(column: tuple[float, ...] | None, emotion: int, row: int, rows: int) -> str:
    if column is None:
        return " "
    eighths = round(column[emotion] * rows * len(_EIGHTHS)) - row * len(_EIGHTHS)
    if eighths <= 0:
        return _EIGHTHS[0] if row == 0 else " "
    return _EIGHTHS[min(eighths, len(_EIGHTHS)) - 1]
