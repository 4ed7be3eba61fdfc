"""The choice of a device: one that is connected, a file or an address, or none."""

from pathlib import Path
from typing import Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Select

from affetti.core.language import text

Named = tuple[str, str]  # what a person reads, and what the engine is told

OTHER: Final = "\x00other"
NOTHING: Final = "\x00none"


class SourceChoice(Vertical):
    """A list of devices, with a line to type in when what is wanted is not in it.

    Parameters
    ----------
    value
        What is chosen at first: as the engine is told it, None for nothing.
    nothing
        What a person reads for choosing nothing.
    other
        What they read for typing something in; None where that makes no sense.
    suggester
        Completes what is typed.
    """

    class Changed(Message):
        """Another source was chosen."""

        def __init__(self, choice: "SourceChoice", value: str | None) -> None:
            super().__init__()
            self.choice = choice
            self.value = value

        @property
        def control(self) -> "SourceChoice":
            """The choice that was changed."""
            return self.choice

    def __init__(
        self,
        value: str | None,
        *,
        id: str,
        nothing: str,
        other: str | None = None,
        suggester: Suggester | None = None,
    ) -> None:
        super().__init__(id=id)
        self.value = value
        self._nothing = nothing
        self._other = other
        # Until devices are known, the chosen one is taken to be there.
        known = value is not None and not self._can_be_typed()
        self._devices: list[Named] = [(text("setup.looking"), str(value))] if known else []
        self._suggester = suggester

    def compose(self) -> ComposeResult:
        """Lay out the list and the line."""
        yield Select(self._options(), value=self._selected(), allow_blank=False, compact=True)
        yield Input(
            self.value or "" if self._selected() == OTHER else "",
            placeholder=text("setup.path"),
            suggester=self._suggester,
            compact=True,
        )

    def on_mount(self) -> None:
        """Show the line only where it is needed."""
        self._show_line()

    @property
    def has_focus_within(self) -> bool:
        """Whether it is what somebody fills in now."""
        return self.has_pseudo_class("focus-within")

    def choose(self, path: Path | None) -> None:
        """Choose a file; None chooses nothing else."""
        if path is None:
            return
        line = self.query_one(Input)
        line.display = True
        line.value = str(path)
        self._change(str(path))
        with self.prevent(Select.Changed):
            self.query_one(Select).value = OTHER

    def offer(self, devices: list[Named]) -> None:
        """Offer what is connected; what was chosen stays, unless it can no longer be had."""
        self._devices = devices
        values = [value for _, value in devices]
        if self.value is not None and self.value not in values and not self._can_be_typed():
            self._change(values[0] if values else None)
        select: Select[str] = self.query_one(Select)
        with self.prevent(Select.Changed):
            select.set_options(self._options())
            select.value = NOTHING  # a value that stays would keep its old words on the screen
            select.value = self._selected()
        self._show_line()

    def change(self, device: str) -> None:
        """Choose one of the devices that are offered."""
        self._change(device)
        with self.prevent(Select.Changed):
            self.query_one(Select).value = self._selected()

    @on(Select.Changed)
    def _select(self, event: Select.Changed) -> None:
        event.stop()
        if event.value == self._selected():  # told what it was set to
            self._show_line()
            return
        if event.value == OTHER:
            self._change(self.query_one(Input).value or None)
            self.query_one(Input).display = True
            self.query_one(Input).focus()
            return
        self._change(None if event.value == NOTHING else str(event.value))
        self._show_line()

    @on(Input.Changed)
    def _type(self, event: Input.Changed) -> None:
        event.stop()
        if event.input.display:
            self._change(event.value.strip() or None)

    def _change(self, value: str | None) -> None:
        if value != self.value:
            self.value = value
            self.post_message(self.Changed(self, value))

    def _can_be_typed(self) -> bool:
        """Whether the value is a path or an address, not the number or name of a device."""
        return self._other is not None and bool(self.value) and not str(self.value).isdecimal()

    def _options(self) -> list[tuple[Text, str]]:
        typed = [(self._other, OTHER)] if self._other is not None else []
        return [
            (Text(name), value)  # a device's name is never markup
            for name, value in (*self._devices, *typed, (self._nothing, NOTHING))
        ]

    def _selected(self) -> str:
        if self.value in [value for _, value in self._devices]:
            return str(self.value)
        return OTHER if self._can_be_typed() else NOTHING

    def _show_line(self) -> None:
        self.query_one(Input).display = self._selected() == OTHER
