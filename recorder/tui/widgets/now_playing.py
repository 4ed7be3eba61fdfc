"""The track that plays: its title, how far it is, and what comes next."""

from typing import ClassVar, Final

from rich.text import Text
from textual.widget import Widget

from affetti.core.language import clock, text, word
from affetti.core.state import Track
from affetti.recorder.engine.messages import Level
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.bars import bar

_TIMES_WIDTH: Final = 16


class NowPlaying(Widget):
    """The current track with its progress."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"track--progress", "track--trough", "track--quiet"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.border_title = text("playing.title")
        self._shown: tuple[str, str, float, str] = ("", "", 0.0, "")

    def show(self, view: RecordingView) -> None:
        """Show what plays in a recording."""
        playlist = view.state.started.playlist if view.state.started else ()
        track = view.state.track
        self.border_subtitle = _levels(view.levels)
        if track is None:
            shown = (_silence(view, playlist), "", 0.0, "")
        else:
            shown = _playing(track, playlist, view.now_ns)
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render(self) -> Text:
        """Draw two lines: the title, and the progress."""
        title, coming, share, times = self._shown
        quiet = self.get_component_rich_style("track--quiet")
        first = Text.assemble((title, "bold"), (f"   {coming}" if coming else "", quiet))
        first.truncate(self.size.width, overflow="ellipsis")
        if not times:
            return first
        trough = self.get_component_rich_style("track--trough")
        style = self.get_component_rich_style("track--progress") + trough.background_style
        drawn = bar(share, max(1, self.size.width - _TIMES_WIDTH), style, trough)
        return Text.assemble(first, "\n", drawn, f"{times:>{_TIMES_WIDTH}}")


def _playing(track: Track, playlist: tuple[str, ...], now_ns: int) -> tuple[str, str, float, str]:
    played_s = min(track.played_s(now_ns), track.duration_s)
    sign = text("playing.paused") if track.paused else "▶"
    title = f"{sign} {track.number + 1}/{len(playlist)} {track.title}"
    if track.expected is not None:
        title += text("track.expected", emotion=word("emotion", track.expected))
    after = playlist[track.number + 1 : track.number + 2]
    times = f"{clock(played_s)} / {clock(track.duration_s)}"
    coming = text("playing.next", title=after[0]) if after else text("playing.last")
    return title, coming, played_s / max(track.duration_s, 0.001), times


def _silence(view: RecordingView, playlist: tuple[str, ...]) -> str:
    if not playlist:
        return text("playing.none")
    if not view.state.tracks:
        return text("playing.soon")
    if view.state.tracks[-1].reason == "stopped":
        return text("playing.stopped")
    return text("playing.over")


def _levels(levels: dict[str, Level]) -> str:
    room = levels.get("room")
    return text("playing.room", dbfs=room.rms_dbfs) if room else ""
