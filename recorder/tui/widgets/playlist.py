"""The playlist: titles in order, and the keys that change it."""

import os
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import OptionList

from affetti.core import place
from affetti.core.errors import AffettiError, FileMissing
from affetti.core.language import clock, counted, text
from affetti.core.people.playlist import SUFFIXES as PLAYLISTS
from affetti.core.people.playlist import PlaylistEntry, read_playlist
from affetti.recorder.sources.track import SUFFIXES, Track, open_track


def tracks_at(path: Path | PlaylistEntry) -> tuple[list[Track], list[AffettiError]]:
    """Return the track in a file, those of a playlist, or those of a folder by name.

    With them what was left out of a folder.

    Raises
    ------
    AffettiError
        The file cannot be played, or the folder holds no sound file that can be.
    """
    if isinstance(path, PlaylistEntry):
        return [open_track(path)], []
    if path.suffix.lower() in PLAYLISTS:
        return [open_track(entry) for entry in read_playlist(path)], []
    if not os.path.isdir(path):
        return [open_track(path)], []
    with place.told(path):
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise FileMissing("playlist.no_sound_file", path=path)
    tracks, left_out = [], []
    for file in files:
        try:
            tracks.append(open_track(file))
        except AffettiError as error:
            left_out.append(error)
    if not tracks:
        raise left_out[0]
    return tracks, left_out


class Playlist(OptionList):
    """The tracks to be played, in order."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,backspace,x", "remove", text("key.remove_track"), key_display="del"),
        # Brackets need a third hand on many keyboards.
        Binding("shift+up,left_square_bracket", "move(-1)", text("key.earlier"), key_display="⇧↑"),
        Binding("shift+down,right_square_bracket", "move(1)", text("key.later"), key_display="⇧↓"),
    ]

    class Changed(Message):
        """Tracks were added, removed or moved."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, markup=False, compact=True)
        self.tracks: list[Track] = []
        self._dragged: int | None = None  # the place of the track that is held by the mouse
        self._caption()

    def extend(self, tracks: list[Track]) -> None:
        """Add tracks at the end."""
        self.tracks += tracks
        self._rebuild(len(self.tracks) - 1)

    def action_remove(self) -> None:
        """Take the highlighted track out."""
        at = self.highlighted
        if at is not None and self.tracks:
            del self.tracks[at]
            self._rebuild(min(at, len(self.tracks) - 1))

    def action_move(self, by: int) -> None:
        """Move the highlighted track up or down."""
        at = self.highlighted
        if at is None or not 0 <= at + by < len(self.tracks):
            return
        self.tracks[at], self.tracks[at + by] = self.tracks[at + by], self.tracks[at]
        self._rebuild(at + by)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of a track."""
        self._dragged = event.style.meta.get("option")

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the track that is held to where the mouse is."""
        if not event.button:
            self._dragged = None
        at, to = self._dragged, event.style.meta.get("option")
        if at is None or to is None or at == to:
            return
        self.tracks.insert(to, self.tracks.pop(at))
        self._dragged = to
        self._rebuild(to)

    def on_mouse_up(self) -> None:
        """Let the track go."""
        self._dragged = None

    def _rebuild(self, highlighted: int) -> None:
        self.clear_options()
        self.add_options(
            Text(
                f"{number:>2}  {clock(track.duration_s)}  {track.title}",
                no_wrap=True,
                overflow="ellipsis",
            )
            for number, track in enumerate(self.tracks, 1)
        )
        self.highlighted = highlighted if self.tracks else None
        self._caption()
        self.post_message(self.Changed())

    def _caption(self) -> None:
        total = clock(sum(track.duration_s for track in self.tracks))
        tracks = counted("count.track", len(self.tracks))
        message = "playlist.caption" if self.tracks else "playlist.none"
        self.border_title = text(message, tracks=tracks, total=total)
