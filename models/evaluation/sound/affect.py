"""The recipe of valence and arousal: two ridge regressions, and the quadrants that follow.

Trained on several sources: a model that is chosen and trained on one does not travel. Clips with
a quadrant alone count as the middle of that quadrant.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.special import ndtr

from affetti.core.emotions import FloatArray
from affetti.core.errors import DataError
from affetti.models.evaluation.sound.clips import Clip, read_clips, read_samples
from affetti.models.evaluation.sound.forest import artist_folds, clip_means
from affetti.models.evaluation.sound.rooms import Signal, anywhere
from affetti.models.evaluation.sound.scores import AROUSED, PLEASANT, Labels
from affetti.models.evaluation.sound.table import Progress, Table
from affetti.models.evaluation.sound.windows import heard_table, outer_table
from affetti.models.sound.musicnn import SharedMusicnn

FRONT: Final = "musicnn_front"
BACK: Final = "musicnn_back"
ALTERED: Final = 2  # every so many clips are altered
PENALTY: Final = 1.0  # of the ridges, beside standardized features
FARTHEST: Final = 5.0
# Mean distance from the middle of the circumplex, by axis, of clips rated as themselves.
MIDDLE: Final = (0.4, 0.5)
DEVIATIONS: Final = np.arange(0.1, 1.51, 0.025)


@dataclass(frozen=True)
class Source:
    """A folder of labelled clips, heard as they are and altered."""

    name: str
    clips: list[Clip]
    clean: Table
    tables: tuple[Table, ...]  # what is trained on, `clean` among it
    scored: Table  # `clean`, and where that was asked for what lies before and after

    @property
    def targets(self) -> FloatArray:
        """Valence and arousal by clip, shape [clips, 2]."""
        return np.array([_target(clip) for clip in self.clips])


def _target(clip: Clip) -> tuple[float, float]:
    valence = MIDDLE[0] if PLEASANT[clip.label] else -MIDDLE[0]
    arousal = MIDDLE[1] if AROUSED[clip.label] else -MIDDLE[1]
    return (
        valence if clip.valence is None else clip.valence,
        arousal if clip.arousal is None else clip.arousal,
    )


def source(
    data: Path, progress: Progress, voices: Path | None = None, *, wholly: bool = False
) -> Source:
    """Hear a folder of clips as they are, and every second one somewhere else.

    Parameters
    ----------
    data
        The folder.
    progress
        Told how far it is.
    voices
        A folder of recordings whose names begin with `speech`, to talk over some of the altered
        clips; None for no talk.
    wholly
        Whether clips are scored by the mean over all their windows, not by the middle one alone.

    Raises
    ------
    AffettiError
        The data cannot be read.
    """
    clips, network = read_clips(data), SharedMusicnn(FRONT, BACK)
    clean = heard_table(data, clips, network, progress)
    talk = read_voices(voices) if voices else Voices("nobody", ())
    elsewhere = (f"elsewhere, {talk.digest}", partial(_elsewhere, talk=talk))
    altered = heard_table(data, clips[::ALTERED], network, progress, elsewhere)
    altered = Table(altered.names, altered.values, altered.clip * ALTERED)
    scored = _joined(clean, outer_table(data, clips, network, progress)) if wholly else clean
    return Source(data.name, clips, clean, (clean, altered), scored)


def _joined(one: Table, other: Table) -> Table:
    if not len(other.clip):
        return one
    values = np.concatenate([one.values, other.values])
    return Table(one.names, values, np.concatenate([one.clip, other.clip]))


@dataclass(frozen=True)
class Voices:
    """Recordings of people who talk."""

    digest: str  # of all of them
    recordings: tuple[tuple[Signal, int], ...]  # mono, and the rate in Hz

    def at(self, rate_hz: int) -> list[Signal]:
        """Return them at a rate."""
        return [soxr.resample(signal, own_hz, rate_hz) for signal, own_hz in self.recordings]


def read_voices(folder: Path) -> Voices:
    """Read the recordings of a folder whose names begin with `speech`.

    Raises
    ------
    AffettiError
        There is none, or one cannot be decoded.
    """
    paths = sorted(folder.glob("speech*"))
    if not paths:
        raise DataError("affect.no_voices", folder=folder)
    read = [read_samples(Clip(path, 0, path.name)) for path in paths]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]
    mono = tuple((samples.mean(axis=1) / 32_768, rate_hz) for samples, rate_hz in read)
    return Voices(digest, mono)


def _elsewhere(signal: Signal, rate_hz: int, random: np.random.Generator, talk: Voices) -> Signal:
    return anywhere(signal, rate_hz, random, talk.at(rate_hz))


@dataclass(frozen=True)
class Ridges:
    """Two linear models of standardized features, and how far ratings lie about them."""

    mean: FloatArray  # [features]
    scale: FloatArray  # [features]
    weights: FloatArray  # [features, 2]
    offset: FloatArray  # [2]
    deviation: FloatArray  # [2]

    def circumplex(self, rows: NDArray[np.float32]) -> FloatArray:
        """Return valence and arousal of windows, shape [n, 2]."""
        return np.clip(_standard(rows, self.mean, self.scale) @ self.weights + self.offset, -1, 1)

    def probabilities(self, rows: NDArray[np.float32]) -> FloatArray:
        """Return the probabilities of the four emotions, shape [n, 4]."""
        return quadrants(self.circumplex(rows), self.deviation)


def quadrants(circumplex: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return how much of two normal distributions lies in each quadrant, shape [n, 4].

    Parameters
    ----------
    circumplex
        Valence and arousal, shape [n, 2].
    deviation
        Of each, shape [2].
    """
    pleasant, aroused = ndtr(circumplex / deviation).T
    sides = [
        (pleasant if p else 1 - pleasant) * (aroused if a else 1 - aroused)
        for p, a in zip(PLEASANT, AROUSED, strict=True)
    ]
    return np.stack(sides, axis=1)


# One source, and which of its clips.
Part: TypeAlias = tuple[Source, Labels]


def everything(sources: Sequence[Source]) -> list[Part]:
    """Return all clips of these sources."""
    return [(each, np.arange(len(each.clips))) for each in sources]


def fit(parts: Sequence[Part]) -> Ridges:
    """Train on some clips of some sources; the deviation is found on what was left out in turn.

    What is left out is a source, where there are several, and else a third of its groups.
    """
    found = ridges(parts)
    return replace(found, deviation=_deviation(left_out(parts)))


def left_out(parts: Sequence[Part]) -> list[tuple[Part, FloatArray]]:
    """Return what is said of the windows of each part by training on the others."""
    return [(test, ridges(train).circumplex(_rows(*test)[0])) for train, test in _left_out(parts)]


def ridges(parts: Sequence[Part]) -> Ridges:
    """Train on some clips of some sources, with a deviation of one."""
    every = [_training(*part) for part in parts]
    rows = np.concatenate([rows for rows, _ in every]).astype(np.float64)
    targets = np.concatenate([targets for _, targets in every])
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    standard = _standard(rows, mean, scale)
    middle, offset = standard.mean(axis=0), targets.mean(axis=0)
    centred = standard - middle
    square = centred.T @ centred / len(rows) + PENALTY * np.eye(rows.shape[1])
    solved = np.linalg.solve(square, centred.T @ (targets - offset) / len(rows))
    return Ridges(mean, scale, solved, offset - middle @ solved, np.ones(2))


def _standard(rows: NDArray[Any], mean: FloatArray, scale: FloatArray) -> FloatArray:
    """Standardize features; what lies farther out than `FARTHEST` deviations lies there."""
    return np.asarray(np.clip((rows - mean) / scale, -FARTHEST, FARTHEST), np.float64)


def _training(each: Source, clips: Labels) -> tuple[NDArray[np.float32], FloatArray]:
    """All windows of some clips, altered ones among them, and their targets."""
    chosen = [(t.values[rows], t.clip[rows]) for t, rows in _windows(each, clips)]
    return (
        np.concatenate([values for values, _ in chosen]),
        each.targets[np.concatenate([clip for _, clip in chosen])],
    )


def _windows(each: Source, clips: Labels) -> Iterator[tuple[Table, NDArray[np.bool_]]]:
    for table in each.tables:
        yield table, np.isin(table.clip, clips)


def _rows(each: Source, clips: Labels) -> tuple[NDArray[np.float32], Labels]:
    """Windows of some clips as they are, and their clips."""
    chosen = np.isin(each.clean.clip, clips)
    return each.clean.values[chosen], each.clean.clip[chosen]


def _left_out(parts: Sequence[Part]) -> Iterator[tuple[list[Part], Part]]:
    """Yield parts to train on, and one to test on, until all were tested on."""
    if len(parts) > 1:
        for i, part in enumerate(parts):
            yield [*parts[:i], *parts[i + 1 :]], part
        return
    ((only, clips),) = parts
    labels = np.array([only.clips[i].label for i in clips])
    for train, test in artist_folds(labels, [only.clips[i] for i in clips], 3):
        yield [(only, clips[train])], (only, clips[test])


def _deviation(outside: Sequence[tuple[Part, FloatArray]]) -> FloatArray:
    """Return the deviations that make the sides of clips which were left out most probable.

    The median over what was left out: one source that is unlike all others does not decide.
    """
    return np.median([_most_probable(part, circumplex) for part, circumplex in outside], axis=0)


def _most_probable(part: Part, circumplex: FloatArray) -> FloatArray:
    each, clips = part
    labels = np.array([each.clips[i].label for i in _rows(each, clips)[1]])
    found = []
    for axis, sides in enumerate((PLEASANT, AROUSED)):
        signed = np.where(sides[labels], 1, -1) * circumplex[:, axis]
        logs = np.log(ndtr(signed[:, None] / DEVIATIONS).clip(1e-6))
        found.append(DEVIATIONS[logs.mean(axis=0).argmax()])
    return np.array(found)


def half_widths(outside: Sequence[tuple[Part, FloatArray]]) -> FloatArray:
    """Return the 90th percentile of how far ratings lie from estimates, shape [2].

    Of clips with ratings, of sources that were left out.
    """
    errors = []
    for (each, clips), circumplex in outside:
        of_clip = _rows(each, clips)[1]
        rated = np.array([each.clips[i].valence is not None for i in of_clip], bool)
        errors.append(np.abs(circumplex - each.targets[of_clip])[rated])
    every = np.concatenate(errors)
    return np.quantile(every, 0.9, axis=0) if len(every) else np.full(2, np.nan)


def clip_probabilities(fitted: Ridges, each: Source) -> FloatArray:
    """Return the probabilities of a source's clips, means of windows, shape [clips, 4]."""
    windows = fitted.probabilities(each.scored.values)
    return clip_means(each.scored.clip, windows, len(each.clips))


def clip_places(fitted: Ridges, each: Source) -> FloatArray:
    """Return the mean valence and arousal of a source's clips, shape [clips, 2]."""
    total = np.zeros((len(each.clips), 2))
    np.add.at(total, each.scored.clip, fitted.circumplex(each.scored.values))
    return total / np.bincount(each.scored.clip, minlength=len(each.clips))[:, None]
