"""A sound file: checked before it is needed, and decoded in blocks of the form that is wanted."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from affetti.core.errors import AffettiError, FileMissing, MediaError
from affetti.core.events import MAX_RATE_HZ, MIN_RATE_HZ, AudioFormat
from affetti.core.labels import label
from affetti.core.paths import typed
from affetti.core.people.playlist import PlaylistEntry

SUFFIXES: Final = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf"}
)
_STANDARD_HZ: Final = (44_100, 48_000)
# A file that says it is farther off holds something else than music.
_MIN_FILE_HZ: Final = 1_000
_MAX_FILE_HZ: Final = 1_000_000
_DECODED_AT_ONCE: Final = 8192  # samples
# libsndfile turns these into int16 without scaling, or wraps what is louder than full scale.
_FLOATING: Final = frozenset({"FLOAT", "DOUBLE", "VORBIS", "OPUS"})


class _Straight(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A sound file that is read straight on.

    `SoundFile.read` seeks to where it already is after every block, which in an MP3 is
    somewhere else, and is heard as a click.
    """

    def seekable(self) -> bool:
        return False


@dataclass(frozen=True)
class Track:
    """A sound file that was found readable."""

    path: Path
    title: str  # from the playlist or its tags, else the file's name without suffix
    sha256: str  # of the file
    rate_hz: int
    channels: int
    samples: int  # in each channel
    entry: PlaylistEntry  # what a playlist says of it

    @property
    def duration_s(self) -> float:
        """Its length in seconds."""
        return self.samples / self.rate_hz


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
    try:
        with path.open("rb") as data:
            digest = hashlib.file_digest(data, "sha256").hexdigest()
    except OSError as error:
        raise FileMissing(
            "track.sound_file_cannot_read", path=path, error=error.strerror
        ) from error
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            title = label(entry.title or (file.title or "").strip() or path.stem).strip()
            track = Track(path, title, digest, file.samplerate, file.channels, file.frames, entry)
            decodable = file.frames > 0 and len(file.read(1)) == 1
    except soundfile.SoundFileError as error:
        raise _undecodable(path) from error
    if not decodable:
        raise _undecodable(path)
    if not _MIN_FILE_HZ <= track.rate_hz <= _MAX_FILE_HZ:
        raise MediaError(
            "track.sound_file_cannot_used",
            path=path.name,
            rate_hz=track.rate_hz,
            min_hz=_MIN_FILE_HZ,
            max_hz=_MAX_FILE_HZ,
        )
    return track


def common_format(tracks: list[Track]) -> AudioFormat:
    """Return the form in which all of `tracks` can be played one after another.

    One or two channels, and the rate that most of the tracks have, so that these are recorded
    as they are. Rates below 44,100 Hz count only when there are no others, and then the
    highest is taken: no track is to sound duller for another's sake. Of two rates that are
    equally frequent it is 44,100 or 48,000 Hz rather than another, and then the higher one.
    Rates outside 8,000 to 192,000 Hz do not count; where all are, it is 44,100 or 48,000 Hz.
    """
    return AudioFormat(
        rate_hz=_stream_rate_hz([track.rate_hz for track in tracks]),
        channels=min(2, max(track.channels for track in tracks)),
    )


def _stream_rate_hz(rates_hz: list[int]) -> int:
    usable = [rate for rate in rates_hz if MIN_RATE_HZ <= rate <= MAX_RATE_HZ]
    if not usable:
        return _STANDARD_HZ[0] if max(rates_hz) % 11_025 == 0 else _STANDARD_HZ[1]
    counts = Counter(rate for rate in usable if rate >= _STANDARD_HZ[0])
    if not counts:
        return max(usable)
    return max(counts, key=lambda rate: (counts[rate], rate in _STANDARD_HZ, rate))


def decode(track: Track, form: AudioFormat) -> Iterator[NDArray[np.int16]]:
    """Decode a track from its beginning.

    At the file's own rate the samples are those of `soundfile.read(path, dtype="int16")`,
    except that floating-point sound is scaled, and clipped where that would wrap. At another
    rate they are resampled by soxr in high quality. Where the channels are more than
    wanted they are averaged into one; one is doubled for two.

    Yields
    ------
    numpy.ndarray
        Shape (samples, channels of `form`), int16.

    Raises
    ------
    AffettiError
        The file cannot be decoded from here on.
    """
    resampler = None
    if track.rate_hz != form.rate_hz:
        resampler = soxr.ResampleStream(
            track.rate_hz, form.rate_hz, form.channels, dtype="int16", quality="HQ"
        )
    try:
        with _Straight(os.fsencode(track.path)) as file:
            while len(block := _read(file)):
                mixed = _mix(block, form.channels)
                yield mixed if resampler is None else resampler.resample_chunk(mixed)
    except soundfile.SoundFileError as error:
        raise _undecodable(track.path) from error
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros((0, form.channels), np.int16), last=True)


def _read(file: soundfile.SoundFile) -> NDArray[np.int16]:
    if file.subtype not in _FLOATING:
        return np.asarray(file.read(_DECODED_AT_ONCE, dtype="int16", always_2d=True))
    block = file.read(_DECODED_AT_ONCE, dtype="float32", always_2d=True)
    scaled: NDArray[np.float32] = np.rint(block * np.float32(32767))
    return scaled.clip(-32768, 32767).astype(np.int16)


def _mix(block: NDArray[np.int16], channels: int) -> NDArray[np.int16]:
    if block.shape[1] > channels:
        block = np.rint(block.mean(axis=1, keepdims=True)).astype(np.int16)
    if block.shape[1] < channels:
        block = np.repeat(block, channels, axis=1)
    return block


def _undecodable(path: Path) -> AffettiError:
    return MediaError("track.sound_file_cannot_decoded", path=path.name)
