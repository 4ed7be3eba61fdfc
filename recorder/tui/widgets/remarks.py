"""One line of remarks, coloured by how serious they are; a sign says the same without colour."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.widget import Widget

from affetti.recorder.tui.wording import Remark


class RemarkLine(Widget):
    """Remarks side by side, in one line."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"remark--ok", "remark--warning", "remark--error"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.remarks: tuple[Remark, ...] = ()

    def show(self, remarks: Sequence[Remark]) -> None:
        """Show remarks from left to right."""
        if tuple(remarks) != self.remarks:
            self.remarks = tuple(remarks)
            self.refresh()

    def render(self) -> Text:
        """Draw the line, cut off where the screen ends."""
        parts = [
            Text(
                f"{'' if remark.severity == 'ok' else '! '}{remark.words}",
                self.get_component_rich_style(f"remark--{remark.severity}"),
            )
            for remark in self.remarks
        ]
        line = Text("  ", no_wrap=True).join(parts)
        line.truncate(self.size.width, overflow="ellipsis")
        return line
