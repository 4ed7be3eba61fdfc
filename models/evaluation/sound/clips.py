"""Folders of labelled clips of music, cut into the windows that are heard live.

A folder has a `labels.csv` with the columns `file` and `label` (an emotion), and optionally
`group` (the artist: no artist is ever on both sides of a split), `genres` (separated by "; ")
and `valence` and `arousal` (each -1 to 1).
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from affetti.core.emotions import EMOTIONS
from affetti.core.errors import AffettiError, DataError
from affetti.core.language import text

WINDOW_S: Final = 10
MINIMUM_S: Final = 3

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Clip:
    """One labelled clip."""

    path: Path
    label: int  # index into EMOTIONS
    group: str  # who must stay on one side of a split; the file itself when nothing is known
    genres: tuple[str, ...] = ()
    valence: float | None = None
    arousal: float | None = None


def read_clips(data: Path) -> list[Clip]:
    """Return the clips of a folder in the order of its `labels.csv`.

    Raises
    ------
    AffettiError
        There is no `labels.csv`, it lacks a column, or a row makes no sense.
    """
    rows = labels(data, {"file", "label"})
    return [_clip(data, row, line) for line, row in enumerate(rows, start=2)]


def labels(data: Path, needed: set[str]) -> list[dict[str, str]]:
    """Return the rows of a folder's `labels.csv`, which has at least the columns needed.

    Raises
    ------
    AffettiError
        There is no `labels.csv`, it lacks a column, or it has no rows.
    """
    table = data / "labels.csv"
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            rows = list(reader)
            columns = set(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(text("clips.cannot_read", table=table, error=error)) from error
    missing = needed - columns
    if missing:
        raise _unreadable(text("clips.no_column", table=table, column=min(missing)))
    if not rows:
        raise _unreadable(text("clips.no_rows", table=table))
    return rows


def digest(data: Path) -> str:
    """Return the SHA-256 of a folder's `labels.csv`, by which a model knows what it has seen."""
    return hashlib.sha256((data / "labels.csv").read_bytes()).hexdigest()


def read_samples(clip: Clip) -> tuple[Samples, int]:
    """Decode a clip as `decoded` does."""
    return decoded(clip.path)


def decoded(path: Path) -> tuple[Samples, int]:
    """Decode a file as it would be recorded: int16, shape [n, channels], and its rate in Hz.

    Raises
    ------
    AffettiError
        The file is missing, or is nothing that soundfile can decode.
    """
    try:
        samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise _unreadable(text("clips.cannot_read_2", path=path, error=error)) from error
    return samples, int(rate_hz)


def windows(samples: Samples, rate_hz: int, step_s: int = WINDOW_S) -> Iterator[Samples]:
    """Cut a clip into ten-second windows about `step_s` apart that cover it evenly.

    A clip shorter than that is one window; one shorter than three seconds is none.

    Parameters
    ----------
    samples
        Shape [n, channels].
    rate_hz
        Sampling rate of `samples`.
    step_s
        Distance aimed at between the starts of windows.
    """
    if len(samples) < MINIMUM_S * rate_hz:
        return
    length = min(WINDOW_S * rate_hz, len(samples))
    slack = len(samples) - length
    count = 1 + round(slack / (step_s * rate_hz))
    for start in np.linspace(0, slack, count).astype(int):
        yield samples[start : start + length]


def _clip(data: Path, row: dict[str, str], line: int) -> Clip:
    if row["label"] not in EMOTIONS:
        names = ", ".join(EMOTIONS)
        raise _unreadable(
            text("clips.labels_csv_line_none", line=line, label=row["label"], names=names)
        )
    return Clip(
        path=data / row["file"],
        label=EMOTIONS.index(row["label"]),
        group=row.get("group") or row["file"],
        genres=tuple(filter(None, (row.get("genres") or "").split("; "))),
        valence=_number(row.get("valence"), line),
        arousal=_number(row.get("arousal"), line),
    )


def _number(written: str | None, line: int) -> float | None:
    if not written:
        return None
    try:
        return float(written)
    except ValueError as error:
        raise _unreadable(text("clips.labels_csv_line_no", line=line, text=written)) from error


def _unreadable(message: str) -> AffettiError:
    return DataError("clips.unreadable", what=message)
