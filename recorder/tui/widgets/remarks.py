"""Remarks, coloured by how serious they are; a sign says the same without colour."""

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual.widget import Widget

from affetti.recorder.tui.wording import Remark

ROWS: Final = 3  # at most: what is the matter, and what to do


class RemarkLine(Widget):
    """Remarks side by side, in one line; what is wrong has more, where it needs them."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"remark--ok", "remark--warning", "remark--error"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.remarks: tuple[Remark, ...] = ()

    def show(self, remarks: Sequence[Remark]) -> None:
        """Show remarks from left to right."""
        if tuple(remarks) != self.remarks:
            self.remarks = tuple(remarks)
            self.refresh(layout=True)

    def render(self) -> Text:
        """Draw the line, cut off where the screen ends unless something is wrong."""
        parts = [
            Text(
                f"{'' if remark.severity == 'ok' else '! '}{remark.words}",
                self.get_component_rich_style(f"remark--{remark.severity}"),
            )
            for remark in self.remarks
        ]
        fine = all(remark.severity == "ok" for remark in self.remarks)
        line = Text("  ", no_wrap=fine).join(parts)
        if fine:
            line.truncate(self.size.width, overflow="ellipsis")
        return line
