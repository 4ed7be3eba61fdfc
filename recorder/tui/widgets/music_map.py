"""The map of a collection: valence to the right, arousal upwards."""

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual.widget import Widget

from affetti.core.language import text
from affetti.recorder.music.fit import Place, place_of
from affetti.recorder.music.piece import Piece

NOW: Final = "◎"
_OTHER: Final = "·"


class MusicMap(Widget):
    """A point for each track, a number for each that is proposed, and where the music is now."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"map--axis", "map--other", "map--proposed", "map--now"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._marks: list[tuple[Place, str, str]] = []

    def show(self, pieces: Sequence[Piece], offered: Sequence[Piece], now: Place | None) -> None:
        """Show a collection, what is proposed of it, and where the music is; None: not known."""
        marks = [(place_of(piece), _OTHER, "other") for piece in pieces]
        marks += [
            (place_of(piece), str(number), "proposed")
            for number, piece in reversed([*enumerate(offered, 1)])
        ]
        marks.append((now, NOW, "now"))
        self._marks = [(place, sign, kind) for place, sign, kind in marks if place is not None]
        self.refresh()

    def render(self) -> Text:
        """Draw the map between the words of its four sides."""
        width, height = self.size.width, self.size.height
        axis = self.get_component_rich_style("map--axis")
        high, low = text("map.livelier"), text("map.calmer")
        inner = max(height - 2, 1)
        cells = [[(" ", axis)] * width for _ in range(inner)]
        for column in range(width):
            cells[_at(0.0, inner)][column] = ("╌", axis)
        for row in cells:
            row[_at(0.0, width)] = ("┊", axis)
        for place, sign, kind in self._marks:
            style = self.get_component_rich_style(f"map--{kind}")
            cells[_at(-place.arousal, inner)][_at(place.valence, width)] = (sign, style)
        sides = f"{text('map.unpleasant')} {low} {text('map.pleasant')}"
        if len(sides) <= width:
            left, right = text("map.unpleasant"), text("map.pleasant")
            low = f"{left}{low:^{width - len(left) - len(right)}}{right}"
        lines = [Text.assemble(*row, no_wrap=True) for row in cells]
        return Text("\n").join(
            [Text(f"{high:^{width}}", axis), *lines, Text(f"{low:^{width}}", axis)]
        )


def _at(value: float, cells: int) -> int:
    """Return the cell for a value between -1 and 1."""
    return round((min(max(value, -1.0), 1.0) + 1) / 2 * (cells - 1))
