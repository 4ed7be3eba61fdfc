"""How well a music model does on clips with known labels."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from affetti.core.emotions import FloatArray, arousal_of, valence_of
from affetti.core.errors import UsageError
from affetti.models import manifest
from affetti.models.evaluation.sound import clips as music_clips
from affetti.models.evaluation.sound.clips import Clip
from affetti.models.evaluation.sound.ensemble import EnsembleRecipe
from affetti.models.evaluation.sound.forest import ForestChoice, PaperRecipe, artist_folds, held_out
from affetti.models.evaluation.sound.scores import (
    Labels,
    Scores,
    intervals,
    scores,
    tables,
)
from affetti.models.evaluation.sound.table import Progress, feature_table
from affetti.models.manifest import ModelFile
from affetti.models.sound.music import MusicReader

FOLDS: Final = 5
SHUFFLES: Final = 3
CROSS_VALIDATED: Final = (
    f"artist-grouped {FOLDS}-fold cross-validation, mean of {SHUFFLES} shuffles"
)
HELD_OUT: Final = "clips by artists that the model was not trained on (30 % of all)"


@dataclass(frozen=True)
class Evaluation:
    """How well a model names the clips of a folder."""

    scores: Scores
    intervals: dict[str, FloatArray]
    ms_per_window: float  # processor time
    statement: str  # what was scored, in words
    spread: dict[str, float]  # standard deviation over shuffles; empty for a single scoring
    circumplex: dict[str, float]  # correlations with labelled valence and arousal

    def as_text(self) -> str:
        """Return the figures for a person to read."""
        heard = f"music was heard in {100 * self.scores.coverage:.1f} % of them"
        head = f"{self.scores.n} clips ({heard}): {self.statement}"
        cost = f"{self.ms_per_window:.1f} ms of processor time per window"
        return f"{head}\n\n{self.as_tables()}\n\n{cost}"

    def as_tables(self) -> str:
        """Return the figures of a model card as Markdown."""
        return tables(self.scores, self.intervals, self.spread)

    def as_json(self) -> dict[str, Any]:
        """Return what `affetti models evaluate music --json` prints."""
        return self.scores.as_json() | {
            **self.circumplex,
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
        Score every clip, even when the folder is the one that the model was trained on.
        Else that folder is scored by what the model did not hear: the artists held out, or
        cross-validation where none were.

    Raises
    ------
    AffettiError
        The data or the model cannot be read.
    """
    clips = music_clips.read_clips(data)
    parameters = _emotion_model(name).parameters
    seen = parameters["trained_on"] == music_clips.digest(data)
    which = np.arange(len(clips))
    statement = "all clips"
    if seen and not everything:
        if parameters["recipe"] != "paper":
            return cross_validate(data, progress, name)
        which, statement = held_out(clips)[1], HELD_OUT
    elif seen:
        statement = "all clips; the model was trained on them, so this is no test"
    reader = MusicReader(name)
    scored = [clips[i] for i in which]
    probabilities = np.zeros((len(scored), 4))
    for done, clip in enumerate(scored):
        progress(done, len(scored), "clips")
        probabilities[done] = _read(reader, clip)
    progress(len(scored), len(scored), "clips")
    return evaluation(scored, probabilities[None], _cost(name, scored), statement)


def cross_validate(data: Path, progress: Progress, name: str = "music_emotion") -> Evaluation:
    """Train a model's recipe again and again, each time scoring artists it has not heard.

    Five folds with no artist on both sides, shuffled three times; everything that is learnt
    from labels is learnt in each fold anew. The grid search of the paper's recipe is not
    repeated: its forest is as large as the shipped one.

    Parameters
    ----------
    data
        A folder of labelled clips.
    progress
        Told how far it is.
    name
        The model's name in the manifest.

    Raises
    ------
    AffettiError
        The data or the model cannot be read, or there are too few artists for five folds.
    """
    clips = music_clips.read_clips(data)
    predict = predictor(data, clips, progress, name)
    probabilities = out_of_fold(clips, predict, progress)
    return evaluation(clips, probabilities, _cost(name, clips), CROSS_VALIDATED)


def _emotion_model(name: str) -> ModelFile:
    found = manifest.model(name)
    if found.task != "music emotion":
        raise UsageError("accuracy.model_another_kind", name=name, task=found.task)
    return found


def _cost(name: str, clips: Sequence[Clip]) -> float:
    """Milliseconds of a window, from about twenty of the clips."""
    return ms_per_window(name, clips[:: max(len(clips) // 20, 1)])


def out_of_fold(
    clips: Sequence[Clip], predict: Callable[[Labels], FloatArray], progress: Progress
) -> FloatArray:
    """Return what is said of each clip by training on other artists, [shuffles, clips, 4].

    Parameters
    ----------
    clips
        All clips.
    predict
        Trains on some clips, given by their indices, and returns the probabilities of all.
    progress
        Told how far it is.
    """
    labels = np.array([clip.label for clip in clips])
    probabilities = np.zeros((SHUFFLES, len(clips), 4))
    for shuffle in range(SHUFFLES):
        folds = artist_folds(labels, clips, FOLDS, seed=shuffle)
        for fold, (train, test) in enumerate(folds):
            progress(shuffle * FOLDS + fold, SHUFFLES * FOLDS, "cross-validation")
            probabilities[shuffle, test] = predict(train)[test]
    progress(SHUFFLES * FOLDS, SHUFFLES * FOLDS, "cross-validation")
    return probabilities


def predictor(
    data: Path, clips: Sequence[Clip], progress: Progress, name: str
) -> Callable[[Labels], FloatArray]:
    """Return a function that trains on some clips and gives the probabilities of all."""
    parameters = _emotion_model(name).parameters
    if parameters["recipe"] == "paper":
        choice = ForestChoice(**parameters["forest"])
        paper = PaperRecipe(feature_table(data, clips, progress), clips, progress)

        def predict_paper(train: Labels) -> FloatArray:
            return paper.probabilities(*paper.fit(train, choice, paper.importance_order(train)))

        return predict_paper
    better = EnsembleRecipe(data, clips, progress)
    return better.predict


def ms_per_window(name: str, clips: Sequence[Clip]) -> float:
    """Return the median processor time of reading a window of these clips on one thread."""
    reader = MusicReader(name)
    reader.warm()
    times = []
    for clip in clips:
        samples, rate_hz = music_clips.read_samples(clip)
        for window in music_clips.windows(samples, rate_hz):
            started = time.thread_time()
            reader.read(window, rate_hz)
            times.append(time.thread_time() - started)
    return 1_000 * float(np.median(times)) if times else 0.0


def _read(reader: MusicReader, clip: Clip) -> FloatArray:
    """Return the mean over the windows in which there was music, zeros when there was none."""
    samples, rate_hz = music_clips.read_samples(clip)
    readings = [reader.read(w, rate_hz).emotions for w in music_clips.windows(samples, rate_hz)]
    heard = [emotions for emotions in readings if emotions is not None]
    return np.mean(heard, axis=0) if heard else np.zeros(4)


def evaluation(
    clips: Sequence[Clip], probabilities: FloatArray, milliseconds: float, statement: str
) -> Evaluation:
    """Score the probabilities of clips.

    Parameters
    ----------
    clips
        The clips.
    probabilities
        Shape [shuffles, clips, 4]: the clips were scored once or more often.
    milliseconds
        What a window cost, processor time.
    statement
        What is scored, in words.
    """
    shuffles = len(probabilities)
    labels = np.array([clip.label for clip in clips])
    every = np.tile(labels, shuffles), probabilities.reshape(-1, 4)
    single = [scores(labels, once) for once in probabilities]
    names = ("accuracy", "macro_f1", "arousal_side", "valence_side", "ece")
    found = {name: [float(getattr(one, name)) for one in single] for name in names}
    pooled = scores(*every)
    means: dict[str, Any] = {name: float(np.mean(found[name])) for name in names}
    return Evaluation(
        scores=replace(pooled, n=len(clips), **means),
        intervals=intervals(*every, [clip.group for clip in clips] * shuffles),
        ms_per_window=milliseconds,
        statement=statement,
        spread={name: float(np.std(values)) for name, values in found.items() if shuffles > 1},
        circumplex=_circumplex(clips, probabilities.mean(axis=0)),
    )


def _circumplex(clips: Sequence[Clip], probabilities: FloatArray) -> dict[str, float]:
    """Return Pearson's correlation with labelled valence and arousal, where clips have them."""
    found = {}
    for axis, along in (("valence", valence_of), ("arousal", arousal_of)):
        labelled = [i for i, clip in enumerate(clips) if getattr(clip, axis) is not None]
        if len(labelled) > 2:
            estimated = along(probabilities[labelled])
            truth = [getattr(clips[i], axis) for i in labelled]
            found[f"{axis}_r"] = float(np.corrcoef(estimated, truth)[0, 1])
    return found
