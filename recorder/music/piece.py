"""A track of a collection, and what it expresses over its length."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from affetti.core.codes import Code
from affetti.core.events import Emotions

EVERY_S: Final = 5  # a window of ten seconds, each so often


class Point(msgspec.Struct, frozen=True, array_like=True):
    """What a window expresses: its end from the track's beginning, valence and arousal, -1 to 1."""

    t_s: float
    valence: float
    arousal: float


class TrackReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a track expresses.

    Attributes
    ----------
    emotions
        The mean of the windows in which there was music; None where there was none.
    valence, arousal
        Likewise, -1 to 1.
    course
        Over its length.
    music_share
        Of the windows, 0 to 1: those in which there was music.
    tempo_bpm
        The median.
    loudness_dbfs
        Of all windows together, 0 for a full-scale square wave.
    reasons
        Codes of what spoke for it most often, at most three.
    """

    emotions: Emotions | None = None
    valence: float | None = None
    arousal: float | None = None
    course: tuple[Point, ...] = ()
    music_share: float = 0.0
    tempo_bpm: float | None = None
    loudness_dbfs: float | None = None
    reasons: tuple[Code, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A track of the collection."""

    path: Path
    title: str
    duration_s: float
    sha256: str
    reading: TrackReading
