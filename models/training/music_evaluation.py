"""How well a music model does on clips with known labels."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.emotions import FloatArray
from models import manifest
from models.music import MusicReader
from models.training import music_clips
from models.training.music_clips import Clip
from models.training.music_forest import held_out
from models.training.music_scores import Labels, Scores, intervals, scores, tables
from models.training.music_table import Progress

HELD_OUT: Final = "clips by artists that the model was not trained on (30 % of all)"


@dataclass(frozen=True)
class Evaluation:
    """How well a model names the clips of a folder."""

    scores: Scores
    intervals: dict[str, FloatArray]
    ms_per_window: float  # processor time
    statement: str  # what was scored, in words
    spread: dict[str, float] = field(default_factory=dict)

    def as_text(self) -> str:
        """Return the figures for a person to read."""
        head = f"{self.scores.n} clips: {self.statement}"
        cost = f"{self.ms_per_window:.1f} ms of processor time per window"
        return f"{head}\n\n{tables(self.scores, self.intervals)}\n\n{cost}"

    def as_json(self) -> dict[str, Any]:
        """Return what `affetti models evaluate music --json` prints."""
        return self.scores.as_json() | {
            "ms_per_window": self.ms_per_window,
            "spread": self.spread,
            "intervals": {name: bounds.tolist() for name, bounds in self.intervals.items()},
            "statement": self.statement,
        }


def evaluate_music(
    data: Path, progress: Progress, name: str = "music_emotion", *, everything: bool = False
) -> Evaluation:
    """Score a model of the zoo on a folder of labelled clips, through the code that runs live.

    Parameters
    ----------
    data
        A folder of labelled clips.
    progress
        Told how far it is.
    name
        The model's name in the manifest.
    everything
        Score every clip, even when the folder is the one that the model was trained on;
        else those of the artists that it was not trained on.

    Raises
    ------
    AffettiError
        The data or the model cannot be read.
    """
    clips = music_clips.read_clips(data)
    seen = manifest.model(name).parameters.get("trained_on") == music_clips.digest(data)
    which = np.arange(len(clips))
    statement = "all clips"
    if seen and not everything:
        which, statement = held_out(clips)[1], HELD_OUT
    elif seen:
        statement = "all clips, most of which the model was trained on: this is no test"
    reader = MusicReader(name)
    reader.warm()
    probabilities = np.zeros((len(clips), 4))
    heard = 0
    started = time.process_time()
    for done, index in enumerate(which):
        progress(done, len(which), "clips")
        probabilities[index], count = _read(reader, clips[index])
        heard += count
    progress(len(which), len(which), "clips")
    milliseconds = 1_000 * (time.process_time() - started) / max(heard, 1)
    return evaluation(clips, probabilities, which, milliseconds, statement)


def _read(reader: MusicReader, clip: Clip) -> tuple[FloatArray, int]:
    """Return the mean over the windows in which there was music, and how many there were."""
    samples, rate_hz = music_clips.read_samples(clip)
    readings = [reader.read(w, rate_hz).emotions for w in music_clips.windows(samples, rate_hz)]
    heard = [emotions for emotions in readings if emotions is not None]
    return (np.mean(heard, axis=0) if heard else np.zeros(4)), len(readings)


def evaluation(
    clips: Sequence[Clip],
    probabilities: FloatArray,
    which: Labels,
    milliseconds: float,
    statement: str,
) -> Evaluation:
    """Score the probabilities of some clips.

    Parameters
    ----------
    clips
        All clips.
    probabilities
        Shape [clips, 4].
    which
        Indices of the clips to score.
    milliseconds
        What a window cost, processor time.
    statement
        What is scored, in words.
    """
    labels = np.array([clips[i].label for i in which])
    groups = [clips[i].group for i in which]
    chosen = probabilities[which]
    return Evaluation(
        scores(labels, chosen), intervals(labels, chosen, groups), milliseconds, statement
    )
