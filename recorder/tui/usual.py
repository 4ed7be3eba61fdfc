"""The devices and the music that were chosen here last: of the place, never of a person."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from affetti.core.custody.artefacts import PLAYLISTS, SET_UP
from affetti.core.custody.temporary import replacing
from affetti.core.errors import AffettiError
from affetti.core.locations import remembered_folder
from affetti.core.people.playlist import PlaylistEntry, read_playlist
from affetti.core.settings import Settings
from affetti.recorder.sources.track import open_track

_MAX_BYTES: Final = 4 << 20


class Usual(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording was set up with last; None where nothing was chosen."""

    camera: str | None = None
    camera_name: str = ""  # of a camera with a number, which another may have the next time
    microphone: str | None = None
    speaker: str | None = ""
    volume: int = 100
    playlist: tuple[PlaylistEntry, ...] = ()


def usual() -> Usual | None:
    """Return what was chosen last; None where nothing is remembered."""
    folder = remembered_folder()
    if folder is None:
        return None
    try:
        path = folder / SET_UP
        if path.stat().st_size > _MAX_BYTES:
            return None
        return msgspec.json.decode(path.read_bytes(), type=Usual)
    except (OSError, msgspec.DecodeError, ValueError):
        return None


def remember(usual: Usual) -> None:
    """Keep what was chosen for the next time, where there is a place for it."""
    folder = remembered_folder()
    if folder is None:
        return
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / SET_UP) as fd, open(fd, "wb", closefd=False) as file:
            file.write(msgspec.json.encode(usual))


def remember_named(
    settings: Settings, camera: str | None, microphone: str | None, speaker: str | None
) -> None:
    """Keep for the next time the devices that were named without a screen, and leave the others.

    A film or a track is no device, and is not kept.

    Parameters
    ----------
    settings
        For the devices of whoever never chose any.
    camera, microphone, speaker
        None or "" where none was named.
    """
    before = usual() or Usual(
        camera=settings.camera, microphone=settings.microphone, speaker=settings.speaker
    )
    given = {"camera": camera, "microphone": microphone, "speaker": speaker}
    named = {name: each for name, each in given.items() if each and not os.path.exists(each)}
    if "camera" in named:
        named["camera_name"] = ""
    if named:
        remember(msgspec.structs.replace(before, **named))


def playlists_in(settings: Settings) -> Path:
    """Return the folder where playlists are saved."""
    return settings.folder / PLAYLISTS


def playlist_of(titles: tuple[str, ...], settings: Settings) -> tuple[PlaylistEntry, ...] | None:
    """Return the playlist with these titles: the last one, or one that was saved; None without."""
    for entries in _known(settings):
        with suppress(AffettiError):
            if len(entries) == len(titles) and titles == tuple(
                open_track(entry).title for entry in entries
            ):
                return entries
    return None


def _known(settings: Settings) -> Iterator[tuple[PlaylistEntry, ...]]:
    last = usual()
    if last is not None:
        yield last.playlist
    with suppress(OSError):
        for path in sorted(playlists_in(settings).glob("*.csv")):
            with suppress(AffettiError):
                yield read_playlist(path)
