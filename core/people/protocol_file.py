"""Writes a protocol as a TOML file with comments, to begin a study with or to hand on."""

import secrets
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from textwrap import wrap
from typing import Final

import msgspec

from affetti.core.emotions import EMOTIONS
from affetti.core.events import SCOPES
from affetti.core.labels import label
from affetti.core.language import text
from affetti.core.people.playlist import (
    PlaylistEntry,
    quoted,
    read_playlist,
    toml_of,
    write_new,
)
from affetti.core.people.protocol import MAX_TRACKS, Protocol, Silence, read_protocol

FILE_NAME: Final = "protocol.toml"
SOUNDS: Final = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aiff"})
_WIDTH: Final = 98  # signs of a comment
_EXAMPLE: Final = ("file", "title", "expected", "genre", "play_s")


def write_protocol(protocol: Protocol, folder: Path) -> Path:
    """Write a protocol as `protocol.toml` into a folder; return where it is.

    Raises
    ------
    AffettiError
        There is one already, or it cannot be written.
    """
    path = folder / FILE_NAME
    write_new(path, "\n".join(_lines(protocol, path.parent)) + "\n")
    return path


def _lines(protocol: Protocol, folder: Path) -> Iterator[str]:
    silence, asked, report = protocol.silence, protocol.self_report, protocol.report
    yield from _said("head")
    yield from ("", f"name = {quoted(protocol.name)}", f"version = {quoted(protocol.version)}")
    yield from _setting("order", quoted(protocol.order))
    yield from _setting("seed", str(protocol.seed or 0))
    yield from _setting("light", quoted(protocol.light_s), "light_s")
    yield from _setting("neutral", quoted(protocol.neutral_s or 0.0), "neutral_s")
    yield from _setting("consent", _list(protocol.consent), scopes=", ".join(SCOPES))
    yield from _setting("pipeline", quoted(protocol.pipeline))
    yield from _setting("constructed", str(protocol.constructed).lower())
    yield from ("", "[silence]", *_said("silence"))
    for name in ("before_s", "between_s", "after_s"):
        yield f"{name} = {quoted(getattr(silence, name))}"
    yield from ("", "[self_report]", *_said("self_report"))
    yield from (f"when = {_list(asked.when)}", f"scales = {_list(asked.scales)}")
    yield from ("", "[report]", *_said("report"), f"by = {_list(report.by)}")
    yield f"coverage = {quoted(report.coverage)}"
    yield f"pipelines = {_list(report.pipelines)}"
    yield from ("", *_said("tracks", most=MAX_TRACKS, emotions=", ".join(EMOTIONS)))
    for entry, play_s in zip(protocol.tracks, protocol.play_s, strict=True):
        more = {} if play_s is None else {"play_s": play_s}
        yield from ("", *toml_of(entry, folder, more).splitlines())
    if not protocol.tracks:
        yield from ("#", "# [[track]]", *(f"# {name} = …" for name in _EXAMPLE))


def _setting(comment: str, value: str, name: str = "", **values: object) -> Iterator[str]:
    yield from ("", *_said(comment, **values), f"{name or comment} = {value}")


def _said(what: str, **values: object) -> list[str]:
    words = " ".join(text(f"protocol.about.{what}", **values).splitlines())
    return [f"# {line}" for line in wrap(words, _WIDTH, break_long_words=False)]


def _list(words: Iterable[str]) -> str:
    return f"[{', '.join(map(quoted, words))}]"


def new_protocol(
    folder: Path, name: str | None = None, playlist: Path | None = None, like: Path | None = None
) -> Protocol:
    """Return a protocol to begin a study with.

    Parameters
    ----------
    folder
        Where it will lie; sound files in it and below are its tracks where nothing else is.
    name
        Of the study; None: that of `like`, or the folder's.
    playlist
        Its tracks.
    like
        A protocol that it takes all else from.

    Raises
    ------
    AffettiError
        Playlist or protocol cannot be read.
    """
    begun = Protocol(name="") if like is None else read_protocol(like)
    if playlist is not None:
        tracks = read_playlist(playlist)
    else:
        tracks = begun.tracks or tuple(_sounds_in(folder))
    kept = begun.play_s if tracks == begun.tracks else (None,) * len(tracks)
    return msgspec.structs.replace(
        begun,
        name=label(name or begun.name or folder.absolute().name).strip(),
        tracks=tracks[:MAX_TRACKS],
        play_s=kept[:MAX_TRACKS],
        seed=secrets.randbelow(1 << 31) if begun.seed is None else begun.seed,
        silence=begun.silence if like is not None else Silence(before_s=30, between_s=20),
    )


def _sounds_in(folder: Path) -> Iterator[PlaylistEntry]:
    found = (
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SOUNDS and path.is_file()
    )
    for path in islice(found, MAX_TRACKS):
        yield PlaylistEntry(path=str(path))
