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
from affetti.models.evaluation.sound import affect
from affetti.models.evaluation.sound import clips as music_clips
from affetti.models.evaluation.sound.clips import Clip
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
LEFT_OUT: Final = "all clips; trained on the other folders alone"
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


@dataclass(frozen=True)
class Further:
    """What a recipe is trained on beside the folder that is scored."""

    also: tuple[Path, ...] = ()  # folders of labelled clips
    voices: Path | None = None  # a folder of people who talk, over some of what is trained on


def evaluate_music(
    data: Path,
    progress: Progress,
    name: str = "music_emotion",
    *,
    everything: bool = False,
    further: Further | None = None,
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
    further
        What else the recipe is trained on in cross-validation.

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
            return cross_validate(data, progress, name, further)
        which, statement = held_out(clips)[1], HELD_OUT
    elif seen:
        statement = "all clips; the model was trained on them, so this is no test"
    reader = MusicReader(name)
    scored = [clips[i] for i in which]
    probabilities, places = np.zeros((len(scored), 4)), np.full((len(scored), 2), np.nan)
    for done, clip in enumerate(scored):
        progress(done, len(scored), "clips")
        probabilities[done], places[done] = _read(reader, clip)
    progress(len(scored), len(scored), "clips")
    found = evaluation(scored, probabilities[None], _cost(name, scored), statement)
    said = not np.isnan(places).all()
    return replace(found, circumplex=_agreement(scored, places)) if said else found


def cross_validate(
    data: Path,
    progress: Progress,
    name: str = "music_emotion",
    further: Further | None = None,
) -> Evaluation:
    """Train a model's recipe again and again, each time scoring artists it has not heard.

    Five folds with no artist on both sides, shuffled three times; everything that is learnt
    from labels is learnt in each fold anew. A clip is scored by the mean over its windows. The
    grid search of the paper's recipe is not repeated: its forest is as large as the shipped one.

    Parameters
    ----------
    data
        A folder of labelled clips.
    progress
        Told how far it is.
    name
        The model's name in the manifest.
    further
        What else the recipe is trained on, in every fold.

    Raises
    ------
    AffettiError
        The data or the model cannot be read, or there are too few artists for five folds.
    """
    clips = music_clips.read_clips(data)
    predict = predictor(data, clips, progress, name, further)
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
    data: Path,
    clips: Sequence[Clip],
    progress: Progress,
    name: str,
    further: Further | None = None,
) -> Callable[[Labels], FloatArray]:
    """Return a function that trains on some clips and gives the probabilities of all."""
    parameters = _emotion_model(name).parameters
    if parameters["recipe"] == "paper":
        choice = ForestChoice(**parameters["forest"])
        paper = PaperRecipe(feature_table(data, clips, progress), clips, progress)

        def predict_paper(train: Labels) -> FloatArray:
            return paper.probabilities(*paper.fit(train, choice, paper.importance_order(train)))

        return predict_paper
    further = further or Further()
    own = affect.source(data, progress, further.voices, wholly=True)
    others = sources_of(further.also, progress, further.voices)

    def predict_affect(train: Labels) -> FloatArray:
        fitted = affect.fit([(own, train), *affect.everything(others)])
        return affect.clip_probabilities(fitted, own)

    return predict_affect


def sources_of(
    folders: Sequence[Path], progress: Progress, voices: Path | None, *, wholly: bool = False
) -> list[affect.Source]:
    """Hear several folders of clips, as `affect.source` does."""
    return [affect.source(folder, progress, voices, wholly=wholly) for folder in folders]


def leave_out(
    folders: Sequence[Path], progress: Progress, voices: Path | None = None
) -> dict[str, Evaluation]:
    """Score each folder by training the recipe of valence and arousal on all the others.

    A clip is scored by the mean over its windows, as `evaluate_music` scores it.

    Parameters
    ----------
    folders
        At least two folders of labelled clips.
    progress
        Told how far it is.
    voices
        A folder of people who talk, over some of what is trained on.

    Returns
    -------
    By name of the folder that was left out.

    Raises
    ------
    AffettiError
        The data cannot be read.
    """
    sources = sources_of(folders, progress, voices, wholly=True)
    found = {}
    for i, (folder, left) in enumerate(zip(folders, sources, strict=True)):
        progress(i, len(sources), "leaving sources out")
        fitted = affect.fit(affect.everything([*sources[:i], *sources[i + 1 :]]))
        found[folder.name] = replace(
            evaluation(left.clips, affect.clip_probabilities(fitted, left)[None], 0.0, LEFT_OUT),
            circumplex=_agreement(left.clips, affect.clip_places(fitted, left)),
        )
    progress(len(sources), len(sources), "leaving sources out")
    return found


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


def _read(reader: MusicReader, clip: Clip) -> tuple[FloatArray, FloatArray]:
    """Return the means over the windows in which there was music: of the four, and of the two.

    Zeros and NaN when there was none, NaN when valence and arousal are not estimated.
    """
    samples, rate_hz = music_clips.read_samples(clip)
    readings = [reader.read(w, rate_hz) for w in music_clips.windows(samples, rate_hz)]
    heard = [reading for reading in readings if reading.emotions is not None]
    if not heard:
        return np.zeros(4), np.full(2, np.nan)
    places = np.array([(r.valence, r.arousal) for r in heard], np.float64)
    emotions = np.array([reading.emotions for reading in heard], np.float64)
    return emotions.mean(axis=0), places.mean(axis=0)


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
    """Compare probabilities with labelled valence and arousal, where nothing else is said."""
    return _agreement(
        clips, np.stack([valence_of(probabilities), arousal_of(probabilities)], axis=1)
    )


def _agreement(clips: Sequence[Clip], places: FloatArray) -> dict[str, float]:
    """Return Pearson's correlation and the concordance with labelled valence and arousal.

    Source: Lin, "A concordance correlation coefficient to evaluate reproducibility" (1989).
    """
    found = {}
    for column, axis in enumerate(("valence", "arousal")):
        values = [getattr(clip, axis) for clip in clips]
        labelled = [
            i for i, value in enumerate(values)
            if value is not None and not np.isnan(places[i, column])
        ]  # fmt: skip
        if len(labelled) > 2:
            said, truth = places[labelled, column], np.array([values[i] for i in labelled])
            covariance = float(np.cov(said, truth, bias=True)[0, 1])
            apart = float(said.mean() - truth.mean()) ** 2
            found[f"{axis}_r"] = covariance / float(said.std() * truth.std() + 1e-12)
            found[f"{axis}_concordance"] = (
                2 * covariance / float(said.var() + truth.var() + apart + 1e-12)
            )
    return found
