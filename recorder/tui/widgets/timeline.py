"""The session so far: tracks as bands, and face, music and both together as rows under them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Final

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS, EXPRESSIONS, Label
from affetti.core.events import MarkerAdded
from affetti.core.language import clock, text, word
from affetti.core.state import Track
from affetti.recorder.tui.seconds import Seconds
from affetti.recorder.tui.view import RecordingView

ROWS: Final = ("face", "music", "fused")
UNSEEN: Final = "░"
_EIGHTHS: Final = "▁▂▃▄▅▆▇█"
# How long a column may be; the first with which the session fits is taken.
_STEPS_S: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600)
_LABEL_EVERY: Final = 12  # columns between two times, at least
_ABBREVIATED: Final = 3
_FINEST: Final = 32
_SAMPLE: Final = "■"  # of a colour, before its name
_GAP: Final = 2
_BEGINS: Final = "▏"  # before the title of a track
_APART: Final = " · "  # in the frame
_FRAMED: Final = 4  # cells of the frame beside what it says
_AT_CURSOR: Final = Style(reverse=True)
_BOLD: Final = Style(bold=True)


@dataclass(frozen=True)
class Band:
    """A track in the chart: columns from `first` up to `stop`."""

    title: str
    first: int
    stop: int


@dataclass(frozen=True)
class Row:
    """What one modality expressed: in each column the strongest, None where nothing was said."""

    strongest: tuple[Label | None, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, seconds: Seconds, step_s: int, width: int) -> "Row":
        """Return the row of so many columns from the beginning."""
        means = seconds.means(step_s, width)
        seen = ~np.isnan(means[:, 0])
        first = np.where(seen[:, np.newaxis], means, 0.0).argmax(axis=1)
        found = zip(first.tolist(), seen.tolist(), strict=True)
        labels = tuple(seconds.labels[i] if there else None for i, there in found)
        # Finer than it can be drawn is not told apart: nothing need be drawn anew.
        shares = np.round(np.nan_to_num(means.max(axis=1)) * _FINEST) / _FINEST
        return cls(labels, tuple(shares.tolist()))

    @property
    def named(self) -> set[Label]:
        """What is named somewhere in the row."""
        written = self.written()
        return {label for at, label in enumerate(self.strongest) if label and at in written}

    def written(self) -> dict[int, str]:
        """Return the signs of the names of what stays the strongest for long enough."""
        signs: dict[int, str] = {}
        begin = 0
        for at in range(1, len(self.strongest) + 1):
            if at < len(self.strongest) and self.strongest[at] == self.strongest[begin]:
                continue
            label, room = self.strongest[begin], at - begin
            # Behind its first column, whose colour and height then say that it names a bar.
            if label is not None and room > _ABBREVIATED + 1:
                name = word("emotion", label)
                name = name if len(name) + 1 < room else name[:_ABBREVIATED]
                signs.update({begin + i: sign for i, sign in enumerate(name, 1)})
            begin = at
        return signs


@dataclass(frozen=True)
class _Shown:
    """What is drawn, in columns."""

    step_s: int = 1
    now: int = 0  # the column of now
    rows: tuple[Row, ...] = ()
    bands: tuple[Band, ...] = ()
    marks: tuple[tuple[int, str], ...] = ()
    cursor: int | None = None


@dataclass(frozen=True)
class Chart:
    """What is drawn: a session up to `now_ns`, with a cursor or without."""

    tracks: Sequence[Track]
    markers: Sequence[MarkerAdded]
    seconds: Mapping[str, Seconds]
    now_ns: int
    cursor_ns: int | None = None


def step_of(now_ns: int, width: int) -> int:
    """Return how many seconds a column stands for, where so many are to hold a session."""
    needed_s = now_ns / NS_PER_S / max(width, 1)
    return next((step for step in _STEPS_S if step > needed_s), _STEPS_S[-1])


def bands_of(tracks: Sequence[Track], now_ns: int, step_s: int, width: int) -> list[Band]:
    """Return where each playing of a track lies."""
    step_ns = step_s * NS_PER_S
    found = []
    for track in tracks:
        end_ns = now_ns if track.end_ns is None else track.end_ns
        first, stop = track.start_ns // step_ns, -(-end_ns // step_ns)
        if first < width:
            found.append(Band(track.title, first, min(max(stop, first + 1), width)))
    return found


def marks_of(markers: Sequence[MarkerAdded], step_s: int, width: int) -> dict[int, str]:
    """Return the sign of each column with a marker, and the signs behind it for its number."""
    signs: dict[int, str] = {}
    for place, marker in enumerate(markers, 1):
        at = marker.t_ns // (step_s * NS_PER_S)
        number = place if marker.number is None else marker.number
        for i, sign in enumerate(f"▲{number}"):
            if at + i < width:
                signs[at + i] = sign
    return signs


def times_of(step_s: int, width: int, taken: Collection[int] = ()) -> str:
    """Return a line of times of the session, each beginning where it stands for.

    One that lies on a column that is taken, or touches one, is left out: half of a time misleads.
    """
    every = next(n for n in range(_LABEL_EVERY, 10 * _LABEL_EVERY) if n * step_s % 10 == 0)
    line = ""
    for at in range(0, width, every):
        label = f"╵{clock(at * step_s)}"
        there = range(at, at + len(label) + 1)
        if at + len(label) <= width and not any(column in taken for column in there):
            line = f"{line:<{at}}{label}"
    return f"{line:<{width}}"


class Timeline(Widget):
    """What face, music and both together expressed from the beginning up to now.

    In each row a column is as high as the strongest is probable, in its colour; where it stays
    for long enough its name is written. Hatching says that nothing was seen, or heard; in the row
    of both, that one of them was not there.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"emotion--{label}" for label in (*EMOTIONS, *EXPRESSIONS)),
        "emotion--quiet",
        "timeline--band",
        "timeline--other-band",
        "timeline--mark",
    }

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.border_title = text("timeline.title")
        self._looked: object = None  # what was looked at last
        self._shown = _Shown()
        self._strips: list[Strip] = []
        self._drawn_as: tuple[_Shown, Size] | None = None

    def on_resize(self) -> None:
        """Say in the frame what there is room for; what hatching means comes first."""
        said = text("timeline.title").split(_APART)
        while len(said) > 1 and cell_len(_APART.join(said)) > self.size.width - _FRAMED:
            del said[-2]
        self.border_title = _APART.join(said)

    class Sought(Message):
        """A moment was clicked."""

        def __init__(self, t_ns: int) -> None:
            super().__init__()
            self.t_ns = t_ns

    def show(self, view: RecordingView) -> None:
        """Show a recording up to its now."""
        state = view.state
        self.draw(Chart(state.tracks, state.markers, view.seconds, view.now_ns))

    def draw(self, chart: Chart) -> None:
        """Show a chart; drawn again only when a second has passed, or something was added."""
        width = self._width
        step_s = step_of(chart.now_ns, width)
        cursor = None if chart.cursor_ns is None else chart.cursor_ns // (step_s * NS_PER_S)
        second = chart.now_ns // NS_PER_S
        looked = (width, second, len(chart.markers), len(chart.tracks), cursor)
        if looked == self._looked:
            return
        self._looked = looked
        shown = _Shown(
            step_s,
            chart.now_ns // (step_s * NS_PER_S),
            tuple(Row.of(chart.seconds[name], step_s, width) for name in ROWS),
            tuple(bands_of(chart.tracks, chart.now_ns, step_s, width)),
            tuple(marks_of(chart.markers, step_s, width).items()),
            cursor,
        )
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Seek what is clicked."""
        self._seek(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Seek what is dragged over."""
        if event.button:
            self._seek(event)

    def _seek(self, event: events.MouseEvent) -> None:
        offset = event.get_content_offset(self)
        column = -1 if offset is None else offset.x - self._names
        if 0 <= column <= min(self._shown.now, self._width - 1):
            self.post_message(self.Sought(column * self._shown.step_s * NS_PER_S))

    @property
    def _names(self) -> int:
        """How many cells the names of rows take."""
        return max(len(word("row", name)) for name in ROWS) + 1

    @property
    def _width(self) -> int:
        return max(1, self.size.width - self._names)

    def render_line(self, y: int) -> Strip:
        """Return one line of the chart."""
        drawn_as = (self._shown, self.size)
        if drawn_as != self._drawn_as:
            self._drawn_as = drawn_as
            width, style = self.size.width, self.rich_style
            lines = [line.adjust_cell_length(width, style) for line in self._drawn()]
            room = max(0, self.size.height - len(lines))
            self._strips = [*lines, *[Strip.blank(width, style)] * room]
        return self._strips[y]

    def notify_style_update(self) -> None:
        """Draw it anew in other colours."""
        super().notify_style_update()
        self._drawn_as = None

    def _drawn(self) -> list[Strip]:
        """Draw the bands, the rows and the times."""
        each = max(1, (self.size.height - 2) // len(ROWS))
        lines = [self._band_line()]
        for name, row in zip(ROWS, self._shown.rows, strict=False):
            lines += self._row_lines(name, row, each)
        return [*lines, self._time_line()]

    def _time_line(self) -> Strip:
        quiet = self.get_component_rich_style("emotion--quiet")
        mark = self.get_component_rich_style("timeline--mark")
        marks = dict(self._shown.marks)
        if self._shown.cursor is not None:
            marks[self._shown.cursor] = "┃"
        named = self._legend(marks)
        times = times_of(self._shown.step_s, self._width, {*marks, *named})
        cells = [
            named.get(at, (marks.get(at, sign), mark if at in marks else quiet))
            for at, sign in enumerate(times)
        ]
        return _strip([(" " * self._names, quiet), *cells])

    def _legend(self, taken: Collection[int]) -> dict[int, tuple[str, Style]]:
        """Say what the colours mean that no word in the chart names: its stretch was too short."""
        rows = [row.strongest[: self._shown.now + 1] for row in self._shown.rows]
        there = dict.fromkeys(label for row in rows for label in row if label is not None)
        named = {word("emotion", label) for row in self._shown.rows for label in row.named}
        unnamed = {word("emotion", label): label for label in there}
        cells: list[tuple[str, Style]] = []
        for name, label in unnamed.items():
            if name not in named:
                cells.append((_SAMPLE, self._style_of(label)))
                cells += [(sign, self.rich_style) for sign in f" = {name}  "]
        first = self._width - len(cells) + _GAP
        if not cells or first <= 0 or any(at >= first for at in taken):
            return {}
        return dict(enumerate(cells[:-_GAP], first))

    def _band_line(self) -> Strip:
        quiet = self.get_component_rich_style("emotion--quiet")
        runs = [(f"{word('row', 'tracks'):<{self._names}}", quiet)]
        at = 0
        for i, band in enumerate(self._shown.bands):
            style = self.get_component_rich_style(
                "timeline--band" if i % 2 == 0 else "timeline--other-band"
            )
            first = max(band.first, at)
            room = band.stop - first
            # Where one begins shows, in whatever colours.
            title = f"{_BEGINS}{text('track.titled', title=band.title)}"
            if cell_len(title) > room:
                title = f"{set_cell_size(title, room - 1)}…" if room > 0 else ""
            runs += [(" " * (first - at), quiet), (set_cell_size(title, max(room, 0)), style)]
            at = max(band.stop, at)
        return _strip(runs)

    def _row_lines(self, name: str, shown: Row, each: int) -> list[Strip]:
        quiet = self.get_component_rich_style("emotion--quiet")
        styles = {label: self._style_of(label) for label in set(shown.strongest) if label}
        written = shown.written()
        lines = []
        for row in reversed(range(each)):
            title = word("row", name) if row == each - 1 else ""
            cells = [(f"{title:<{self._names}}", quiet)]
            for at, label in enumerate(shown.strongest):
                cell = (UNSEEN if at <= self._shown.now else " ", quiet)
                if at <= self._shown.now and label is not None:
                    cell = (_height(shown.shares[at], row, each), styles[label])
                    if row == 0 and at in written:
                        cell = (
                            written[at],
                            self.rich_style + _BOLD,
                        )  # a hue is too faint for words
                if at == self._shown.cursor:
                    cell = (cell[0], cell[1] + _AT_CURSOR)
                cells.append(cell)
            lines.append(_strip(cells))
        return lines

    def _style_of(self, label: Label) -> Style:
        return self.get_component_rich_style(f"emotion--{label}")


def _strip(cells: Iterable[tuple[str, Style]]) -> Strip:
    """Return a line; what has one style is one piece of it."""
    runs = groupby(cells, key=lambda cell: cell[1])
    return Strip([Segment("".join(sign for sign, _ in run), style) for style, run in runs])


def _height(share: float, row: int, rows: int) -> str:
    eighths = round(share * rows * len(_EIGHTHS)) - row * len(_EIGHTHS)
    if eighths <= 0:
        return _EIGHTHS[0] if row == 0 else " "
    return _EIGHTHS[min(eighths, len(_EIGHTHS)) - 1]
