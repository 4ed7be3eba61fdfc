"""Three lamps: camera, sound and disk, each with a word where something is the matter."""

from typing import ClassVar, Final

from rich.text import Text
from textual.widget import Widget

from affetti.core.language import word
from affetti.recorder.tui.wording import Remark

# A sign says the same without colour.
_SIGNS: Final = {"ok": "●", "warning": "▲", "error": "✖"}
_ABSENT: Final = "○"
_SAID_WIDTH: Final = 24  # what is recorded, and for how long


class Lamps(Widget):
    """The lamps, and in front of them what is being recorded."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"lamp--{severity}" for severity in _SIGNS),
        *(f"remark--{severity}" for severity in _SIGNS),
        "lamp--absent",
    }

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.remarks: tuple[Remark, ...] = ()
        self._lamps: dict[str, Remark | None] = {}
        self._alarmed = False

    @property
    def words(self) -> str:
        """All that is said, in one line."""
        return self.render().plain

    def show(
        self, remarks: list[Remark], lamps: dict[str, Remark | None], *, alarmed: bool = False
    ) -> None:
        """Show remarks, and how each lamp is.

        Parameters
        ----------
        remarks
            What is recorded, and what else is to be known.
        lamps
            By name; None where there is nothing to watch.
        alarmed
            Whether a banner says already what is the matter.
        """
        if (tuple(remarks), lamps, alarmed) != (self.remarks, self._lamps, self._alarmed):
            self.remarks, self._lamps, self._alarmed = tuple(remarks), lamps, alarmed
            self.refresh()

    def render(self) -> Text:
        """Draw the line: what is recorded on the left, the lamps on the right."""
        lamps = self._drawn(words=not self._alarmed)
        if lamps.cell_len > self.size.width - _SAID_WIDTH:
            lamps = self._drawn(words=False)  # the banner has them, or the details
        said = self._said(max(0, self.size.width - lamps.cell_len - 2))
        return Text.assemble(said, "  ", lamps, no_wrap=True)

    def _said(self, room: int) -> Text:
        """Return the remarks that have room, none of them cut but the first."""
        said = Text(no_wrap=True)
        for each in self.remarks:
            words = Text(each.words, self.get_component_rich_style(f"remark--{each.severity}"))
            if said and said.cell_len + 2 + words.cell_len > room:
                break
            said = Text("  ").join([said, words]) if said else words
        said.no_wrap = True
        said.truncate(room, overflow="ellipsis", pad=True)
        return said

    def _drawn(self, words: bool) -> Text:
        return Text("  ").join(self._lamp(*lamp, words) for lamp in self._lamps.items())

    def _lamp(self, name: str, state: Remark | None, words: bool) -> Text:
        title = word("lamp", name)
        if state is None:
            return Text(f"{_ABSENT} {title}", self.get_component_rich_style("lamp--absent"))
        style = self.get_component_rich_style(f"lamp--{state.severity}")
        lamp = Text.assemble((f"{_SIGNS[state.severity]} ", style), title)
        if state.severity != "ok" and words:
            lamp.append(f": {state.words}", style)
        return lamp
