"""The music: its track, how far it is, what it expresses, and what speaks for that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from affetti.core.emotions import EMOTIONS, ranked
from affetti.core.language import clock, text, word
from affetti.core.state import Track
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.bars import bar
from affetti.recorder.tui.wording import Reading, music_reading

_BAR: Final = 20
_STEPS: Final = 8 * _BAR  # as fine as it is drawn


@dataclass(frozen=True)
class _Shown:
    title: str
    reading: Reading
    share: float = 0.0  # of the track that was heard
    times: str = ""
    coming: str = ""


class NowPlaying(Widget):
    """The current track with its progress, and under it what the music expresses and why."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"emotion--{emotion}" for emotion in EMOTIONS),
        "track--progress",
        "track--trough",
        "track--quiet",
    }

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.border_title = text("playing.title")
        self._shown = _Shown("", Reading("", ""))

    def show(self, view: RecordingView) -> None:
        """Show what plays in a recording."""
        shown = _shown(view)
        if shown != self._shown:
            self._shown = shown
            self.border_subtitle = shown.coming
            self.refresh()

    def render(self) -> Text:
        """Draw two lines: the track, and what it expresses."""
        return Text("\n").join([self._track(), self._expressed()])

    def _track(self) -> Text:
        shown, width = self._shown, self.size.width
        title = Text(shown.title, "bold", no_wrap=True)
        if not shown.times:
            title.truncate(width, overflow="ellipsis")
            return title
        length = min(_BAR, max(width // 4, 1))
        title.truncate(width - length - len(shown.times) - 2, overflow="ellipsis", pad=True)
        trough = self.get_component_rich_style("track--trough")
        style = self.get_component_rich_style("track--progress") + trough.background_style
        return Text.assemble(title, " ", bar(shown.share, length, style, trough), f" {shown.times}")

    def _expressed(self) -> Text:
        reading = self._shown.reading
        quiet = self.get_component_rich_style("track--quiet")
        line = Text(no_wrap=True)
        if reading.shares is None:
            line.append(f"{reading.title}: {reading.words}", quiet)
        else:
            first = ranked(reading.shares)[0]
            style = self.get_component_rich_style(f"emotion--{first}")
            said = ", ".join(filter(None, (reading.words, reading.figures)))
            # The frame says as well that it is the music which does.
            for verb in (reading.title, text("express.it")):
                if cell_len(f"{verb} ■ {said}") <= self.size.width:
                    line.append(f"{verb} ")
                    break
            line.append("■ ", style).append(reading.words, "bold")
            figures = f", {reading.figures}"
            if reading.figures and line.cell_len + cell_len(figures) <= self.size.width:
                line.append(figures)
            line.append(_why(reading.reasons, self.size.width - line.cell_len), quiet)
        line.truncate(self.size.width, overflow="ellipsis")
        return line


def _why(reasons: Sequence[str], cells: int) -> str:
    """Return what in the sound spoke for it, the strongest first, as far as there is room."""
    for count in range(len(reasons), 0, -1):
        named = ", ".join(word("sign", code) for code in reasons[:count])
        said = f"  {text('playing.why', reasons=named)}"
        if cell_len(said) <= cells:
            return said
    return ""


def _shown(view: RecordingView) -> _Shown:
    playlist = view.state.started.playlist if view.state.started else ()
    track, reading = view.state.track, music_reading(view)
    if track is None:
        return _Shown(_silence(view, playlist), reading)
    played_s = min(track.played_s(view.recorded_ns), track.duration_s)
    after = view.state.coming
    return _Shown(
        title=_title(track, view.state.order, plays=not (track.paused or view.gone)),
        reading=reading,
        share=round(_STEPS * played_s / max(track.duration_s, 0.001)) / _STEPS,
        times=f"{clock(played_s)} / {clock(track.duration_s)}",
        coming=text("playing.next", title=after) if after else text("playing.last"),
    )


def _title(track: Track, order: list[int], plays: bool) -> str:
    sign = "▶" if plays else text("playing.paused")
    place = order.index(track.number) if track.number in order else track.number
    title = f"{sign} {place + 1}/{len(order)} {text('track.titled', title=track.title)}"
    if track.expected is not None:
        title += text("track.expected", emotion=word("emotion", track.expected))
    return title


def _silence(view: RecordingView, playlist: tuple[str, ...]) -> str:
    if not playlist:
        return text("playing.none")
    if not view.state.tracks:
        return text("playing.soon")
    if view.state.tracks[-1].reason == "stopped":
        return text("playing.stopped" if view.state.protocol is None else "playing.stopped_led")
    return text("playing.over")
