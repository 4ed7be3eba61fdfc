"""The recording in large letters: what matters most, to be read from two metres."""

from dataclasses import dataclass
from typing import ClassVar, Final

from rich.text import Text
from textual.widget import Widget

from affetti.analyzer.measures.summary import MIXED_MARGIN
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, EXPRESSIONS, Label, ranked
from affetti.core.language import clock, percent, text, word
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.bars import bar
from affetti.recorder.tui.widgets.large_letters import large
from affetti.recorder.tui.wording import Reading, face_reading, fused_reading, music_reading

_APART: Final = 3  # cells


@dataclass(frozen=True)
class _Line:
    """What one of the three expresses: its words in short, and how probable that is."""

    whose: str
    title: str
    words: str
    label: Label | None
    share: float


@dataclass(frozen=True)
class _Shown:
    time: str = ""
    lines: tuple[_Line, ...] = ()


class Large(Widget):
    """The time, and of face, music and both the strongest word over a bar of double height."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"emotion--{label}" for label in (*EMOTIONS, *EXPRESSIONS)),
        "emotion--quiet",
        "emotion--trough",
    }

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._shown = _Shown()

    def show(self, view: RecordingView) -> None:
        """Show a recording as it is now."""
        readings = (face_reading(view), music_reading(view), fused_reading(view))
        named = (None, view.music_named(), None)
        fused = view.state.fused
        decided = fused.decided_by if fused is not None else "both"
        rows = ("face", "music", decided if decided in ("face", "music") else "fused")
        lines = tuple(map(_line, rows, readings, named))
        shown = _Shown(clock(view.now_ns / NS_PER_S), lines)
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> Text:
        """Draw the time, and the three below one another."""
        lines = self._drawn(self._shown.time, "")
        for each in self._shown.lines:
            lines += self._part(each)
        return Text("\n").join(lines[: max(self.size.height, 1)])

    def _part(self, line: _Line) -> list[Text]:
        quiet = self.get_component_rich_style("emotion--quiet")
        titled = [Text(line.title, quiet, no_wrap=True, overflow="ellipsis")]
        if line.label is None:
            return [*titled, Text(line.words, "bold", no_wrap=True, overflow="ellipsis"), Text("")]
        shares = Text(percent(line.share, brief=True))
        words = self._owned(line.whose, line.words)
        trough = self.get_component_rich_style("emotion--trough")
        style = self.get_component_rich_style(f"emotion--{line.label}") + trough.background_style
        width = max(self.size.width - 6, 1)
        drawn = bar(line.share, width, style, trough)
        return [*titled, *words, Text.assemble(drawn, f" {shares.plain:>5}", no_wrap=True), drawn]

    def _owned(self, whose: str, words: str) -> list[Text]:
        """Return whose it is, quietly, before the word; the word alone where there is no room."""
        quiet = self.get_component_rich_style("emotion--quiet")
        owner, said = large(whose, self.size.width), large(words, self.size.width)
        if owner is None or said is None or len(owner[0]) + len(said[0]) + _APART > self.size.width:
            return self._drawn(words, "bold")
        rows = zip(owner, said, strict=True)
        gap = " " * _APART
        return [
            Text.assemble((who, quiet), gap, (word, "bold"), no_wrap=True) for who, word in rows
        ]

    def _drawn(self, words: str, style: str) -> list[Text]:
        """Return words in large letters; in usual ones where there is no room."""
        found = large(words, self.size.width)
        return [Text(line, style, no_wrap=True) for line in found or [words]]


def _line(row: str, reading: Reading, named: Label | None) -> _Line:
    whose = word("row", row)
    if reading.shares is None:
        return _Line(whose, reading.title, reading.words, None, 0.0)
    label = named or ranked(reading.shares, reading.labels)[0]
    share = reading.shares[list(reading.labels).index(label)]
    close = sum(max(reading.shares) - each < MIXED_MARGIN for each in reading.shares)
    words = text("large.mixed") if close > 1 else word("emotion", label)
    return _Line(whose, f"{reading.title}: {reading.words}", words, label, share)
