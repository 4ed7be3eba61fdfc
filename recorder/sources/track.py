"""A sound file: checked before it is needed, and decoded in blocks of the form that is wanted."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from affetti.core import place
from affetti.core.errors import AffettiError, FileMissing, MediaError
from affetti.core.events import MAX_RATE_HZ, MIN_RATE_HZ, AudioFormat, TrackStarted
from affetti.core.labels import label
from affetti.core.paths import typed
from affetti.core.people import playlist
from affetti.core.people.playlist import PlaylistEntry
from affetti.recorder.sources.sound import Decoded, Found, UndecodableError, blocks, look

SUFFIXES: Final = frozenset(
    {
        ".wav",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".m4a",
        ".aac",
        ".aif",
        ".aiff",
        ".aifc",
        ".au",
    }
    | {".caf"}
)
_STANDARD_HZ: Final = (44_100, 48_000)
# A file that says it is farther off holds something else than music.
_MIN_FILE_HZ: Final = 1_000
_MAX_FILE_HZ: Final = 1_000_000


@dataclass(frozen=True)
class Track:
    """A sound file that was found readable."""

    path: Path
    title: str  # from the playlist or its tags, else the file's name without suffix
    sha256: str  # of the file
    found: Found
    entry: PlaylistEntry  # what a playlist says of it
    identity: tuple[int, ...] = ()  # by which the file system tells it from one that replaces it

    @property
    def duration_s(self) -> float:
        """Its length in seconds."""
        return self.found.samples / self.found.rate_hz

    @property
    def rate_hz(self) -> int:
        """Of the file."""
        return self.found.rate_hz

    @property
    def channels(self) -> int:
        """Of the file."""
        return self.found.channels


def open_track(named: Path | PlaylistEntry) -> Track:
    """Check a sound file and return what is known of it.

    Parameters
    ----------
    named
        The file, or what a playlist says of it; a title there goes before that of its tags.

    Raises
    ------
    AffettiError
        It is missing, nothing can be decoded from it, or its rate is not one of sound: less than
        1,000 or more than 1,000,000 Hz.
    """
    entry = named if isinstance(named, PlaylistEntry) else PlaylistEntry(path=str(named))
    path = typed(entry.path)
    if not place.is_readable_whole(path):
        raise MediaError("track.pipe", path=path)
    try:
        digest, identity = _fingerprint(path)
    except OSError as error:
        raise FileMissing(
            "track.sound_file_cannot_read", path=path, error=error.strerror
        ) from error
    try:
        found = look(path)
    except (UndecodableError, OSError) as error:
        raise _undecodable(path, error) from error
    title = label(entry.title or found.title or path.stem).strip()
    track = Track(path, title, digest, found, entry, identity)
    if not _MIN_FILE_HZ <= track.rate_hz <= _MAX_FILE_HZ:
        raise MediaError(
            "track.sound_file_cannot_used",
            path=path.name,
            rate_hz=track.rate_hz,
            min_hz=_MIN_FILE_HZ,
            max_hz=_MAX_FILE_HZ,
        )
    return track


def told_apart(tracks: list[Track]) -> list[Track]:
    """Return tracks with their folders before titles that several different ones have.

    What a playlist calls them is left as it is.
    """
    held: dict[str, set[str]] = {}
    for track in tracks:
        held.setdefault(track.title, set()).add(track.sha256)
    return [
        track
        if track.entry.title or len(held[track.title]) == 1
        else replace(track, title=label(f"{track.path.absolute().parent.name}/{track.title}"))
        for track in tracks
    ]


def _fingerprint(path: Path) -> tuple[str, tuple[int, ...]]:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest(), _identity(os.fstat(data.fileno()))


def _identity(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _refuse_replaced(track: Track) -> None:
    """Refuse a file that holds something else than when it was checked: its hash is recorded."""
    try:
        if _identity(os.stat(track.path)) == track.identity:
            return
        digest, _ = _fingerprint(track.path)
    except OSError as error:
        raise place.trouble(error, track.path) from error
    if digest != track.sha256:
        raise MediaError("track.replaced", path=track.path.name)


def track_started(track: Track, /, **place: int) -> TrackStarted:
    """Return that a track begins: `t_ns`, its number `track`, and the `sample` of the stream."""
    return TrackStarted(
        **place,
        title=track.title,
        file_name=track.path.name,
        sha256=track.sha256,
        duration_s=track.duration_s,
        expected=track.entry.expected,
        columns=track.entry.columns,
    )


def common_format(tracks: list[Track]) -> AudioFormat:
    """Return the form in which all of `tracks` can be played one after another.

    One or two channels, and the rate that most of the tracks have, so that these are recorded
    as they are. Rates below 44,100 Hz count only when there are no others, and then the
    highest is taken: no track is to sound duller for another's sake. Of two rates that are
    equally frequent it is 44,100 or 48,000 Hz rather than another, and then the higher one.
    Rates outside 8,000 to 192,000 Hz do not count; where all are, it is 44,100 or 48,000 Hz.
    """
    return form_for([(track.rate_hz, track.channels) for track in tracks])


def form_for(found: list[tuple[int, int]]) -> AudioFormat:
    """Return the form in which sound of some rates and numbers of channels can be kept."""
    rates_hz, channels = zip(*found, strict=True)
    return AudioFormat(rate_hz=_stream_rate_hz([*rates_hz]), channels=min(2, max(channels)))


def _stream_rate_hz(rates_hz: list[int]) -> int:
    usable = [rate for rate in rates_hz if MIN_RATE_HZ <= rate <= MAX_RATE_HZ]
    if not usable:
        return _STANDARD_HZ[0] if max(rates_hz) % 11_025 == 0 else _STANDARD_HZ[1]
    counts = Counter(rate for rate in usable if rate >= _STANDARD_HZ[0])
    if not counts:
        return max(usable)
    return max(counts, key=lambda rate: (counts[rate], rate in _STANDARD_HZ, rate))


def decode(
    track: Track, form: AudioFormat, decoded: Decoded | None = None
) -> Iterator[NDArray[np.int16]]:
    """Decode a track from its beginning.

    At the file's own rate the samples of an uncompressed file are those of
    `soundfile.read(path, dtype="int16")`, except that floating-point sound is scaled, and
    clipped where that would wrap. At another rate they are resampled by soxr in high quality.
    Where the channels are more than wanted they are averaged into one; one is doubled for two.

    Parameters
    ----------
    track
        What to decode.
    form
        What is wanted.
    decoded
        Filled in with what became of the file.

    Yields
    ------
    numpy.ndarray
        Shape (samples, channels of `form`), int16.

    Raises
    ------
    AffettiError
        The file cannot be decoded from here on, or is another one than was checked.
    """
    _refuse_replaced(track)
    converter = Converter(form)
    try:
        for block, rate_hz in blocks(track.path, track.found, decoded or Decoded()):
            yield from converter.converted(mixed(block, form.channels), rate_hz)
    except (UndecodableError, OSError) as error:
        raise _undecodable(track.path, error) from error
    yield from converter.rest()


class Converter:
    """Brings sound to a rate; where the rate of what comes changes, it begins anew.

    Parameters
    ----------
    form
        What is wanted.
    """

    def __init__(self, form: AudioFormat) -> None:
        self._form = form
        self._rate_hz = form.rate_hz  # of what came last
        self._resampler: soxr.ResampleStream | None = None

    def converted(self, block: NDArray[np.int16], rate_hz: int) -> Iterator[NDArray[np.int16]]:
        """Yield a block, of the channels wanted, at the rate wanted."""
        if rate_hz != self._rate_hz:
            yield from self.rest()
            self._rate_hz = rate_hz
            if rate_hz != self._form.rate_hz:
                self._resampler = soxr.ResampleStream(
                    rate_hz, self._form.rate_hz, self._form.channels, dtype="int16", quality="HQ"
                )
        yield block if self._resampler is None else self._resampler.resample_chunk(block)

    def rest(self) -> Iterator[NDArray[np.int16]]:
        """Yield what is still on its way; what comes next begins anew."""
        if self._resampler is not None:
            nothing = np.zeros((0, self._form.channels), np.int16)
            yield self._resampler.resample_chunk(nothing, last=True)
            self._resampler = None


def mixed(block: NDArray[np.int16], channels: int) -> NDArray[np.int16]:
    """Return sound, [n, channels], with another number of channels: the mean of all of them."""
    if block.shape[1] > channels:
        block = np.rint(block.mean(axis=1, keepdims=True)).astype(np.int16)
    if block.shape[1] < channels:
        block = np.repeat(block, channels, axis=1)
    return block


def _undecodable(path: Path, error: Exception) -> AffettiError:
    why = error.why if isinstance(error, UndecodableError) else "undecodable"
    id = "sound_file_cannot_decoded" if why == "undecodable" else why
    if path.suffix.lower() in playlist.SUFFIXES:
        id = "playlist"
    return MediaError(f"track.{id}", path=path.name)
