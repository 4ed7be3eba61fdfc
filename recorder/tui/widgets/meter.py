"""A level meter of one line."""

from collections import deque
from typing import ClassVar, Final

from rich.text import Text
from textual.widget import Widget

from affetti.core.language import text
from affetti.recorder.engine.messages import Level
from affetti.recorder.tui.widgets.bars import bar

_FLOOR_DBFS: Final = -60.0
_TOO_LOUD_DBFS: Final = -1.0
_TOO_QUIET_DBFS: Final = -55.0
_FIGURE_WIDTH: Final = 17
_NOTHING_DBFS: Final = -90.0  # an open microphone hears more, even in a quiet room
_SPEECH_DBFS: Final = -45.0  # somebody who speaks across a room is louder
_REMEMBERED: Final = 60  # levels: six seconds
_FEWEST: Final = 15


class LevelMeter(Widget):
    """How loud a stream is: a bar from -60 dBFS to 0, the figure, and a word."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "meter--level",
        "meter--trough",
        "meter--loud",
        "meter--quiet",
    }

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._level: Level | None = None
        self._words = ""

    def show(self, level: Level | None, words: str = "") -> None:
        """Show a level, or words where there is none."""
        if (level, words) != (self._level, self._words):
            self._level, self._words = level, words
            self.refresh()

    def render(self) -> Text:
        """Draw the meter."""
        level = self._level
        if level is None:
            return Text(self._words, self.get_component_rich_style("meter--quiet"), no_wrap=True)
        loud = level.peak_dbfs > _TOO_LOUD_DBFS
        style = self.get_component_rich_style("meter--loud" if loud else "meter--level")
        trough = self.get_component_rich_style("meter--trough")
        share = 1 - level.rms_dbfs / _FLOOR_DBFS
        width = max(1, self.size.width - _FIGURE_WIDTH)
        drawn = bar(share, width, style + trough.background_style, trough)
        return Text.assemble(drawn, f" {text('meter.level', dbfs=level.rms_dbfs)} {_word(level)}")


class Hearing:
    """Whether a microphone hears well, from what it heard in the last seconds."""

    def __init__(self) -> None:
        self._levels: deque[Level] = deque(maxlen=_REMEMBERED)

    def add(self, level: Level) -> None:
        """Take in the latest level."""
        self._levels.append(level)

    @property
    def verdict(self) -> str:
        """What there is to say, as a code: "good", "waiting", or what is wrong."""
        if len(self._levels) < _FEWEST:
            return "waiting"
        loudest = max(level.rms_dbfs for level in self._levels)
        if max(level.peak_dbfs for level in self._levels) > _TOO_LOUD_DBFS:
            return "too_loud"
        if loudest < _NOTHING_DBFS:
            return "nothing"
        return "too_quiet" if loudest < _SPEECH_DBFS else "good"


def _word(level: Level) -> str:
    if level.peak_dbfs > _TOO_LOUD_DBFS:
        return text("meter.too_loud")
    return text("meter.silent") if level.rms_dbfs < _TOO_QUIET_DBFS else ""
