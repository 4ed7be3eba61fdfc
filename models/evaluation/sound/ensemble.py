"""The better recipe: a forest and a linear model that hear the paper's features and more.

Both are trained on the windows of the clips as they are and on those of three copies of each clip:
one played in some room, one in a bad one, one transposed. The two models are about equally often
right; the mean of them is right a little more often, and moves more smoothly from one window to
the next than a forest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from affetti.core.emotions import FloatArray
from affetti.models.evaluation.sound.clips import Clip
from affetti.models.evaluation.sound.forest import SEED, artist_folds, clip_means
from affetti.models.evaluation.sound.rooms import Signal, any_room, bad_room, pitch
from affetti.models.evaluation.sound.scores import Labels
from affetti.models.evaluation.sound.table import Progress, Table, feature_table
from affetti.models.sound.music import sharpened

MUSICNN: Final = "musicnn_msd"
STEP_S: Final = 5
KEPT: Final = 256  # features, the most important first
MAX_SEMITONES: Final = 3.0
EXPONENTS: Final = np.arange(1.0, 3.01, 0.1)


def transposed(signal: Signal, rate_hz: int, random: np.random.Generator) -> Signal:
    """Raise or lower the pitch by up to `MAX_SEMITONES`, keeping the tempo."""
    return pitch(signal, rate_hz, random, random.uniform(-MAX_SEMITONES, MAX_SEMITONES))


# A copy of each clip is made by each of these.
ALTERATIONS: Final = {
    "in any room": any_room,
    "in a bad room": bad_room,
    f"transposed by up to {MAX_SEMITONES:g} semitones": transposed,
}


@dataclass(frozen=True)
class Fitted:
    """An ensemble, the columns of the table it reads, and how its answers are sharpened."""

    model: VotingClassifier
    columns: Labels
    exponent: float

    def probabilities(self, rows: NDArray[np.float32]) -> FloatArray:
        """Return the probabilities of windows, rows of the table: shape [n, 4]."""
        return sharpened(self.model.predict_proba(rows[:, self.columns]), self.exponent)


class EnsembleRecipe:
    """Trains the ensemble on some of the clips of a folder.

    Parameters
    ----------
    data
        The folder.
    clips
        All its clips.
    progress
        Told how far the features are.
    """

    def __init__(self, data: Path, clips: Sequence[Clip], progress: Progress) -> None:
        self.clean = feature_table(data, clips, progress, musicnn=MUSICNN, step_s=STEP_S)
        altered = (
            feature_table(data, clips, progress, musicnn=MUSICNN, alteration=room)
            for room in ALTERATIONS.items()
        )
        self._tables = (self.clean, *altered)
        self._clips = clips
        self._labels = np.array([clip.label for clip in clips])

    def fit(self, train: Labels) -> Fitted:
        """Train on these clips alone; the sharpening is chosen by folds by artist among them."""
        model, columns = self._fit(train)
        return Fitted(model, columns, self._exponent(train))

    def probabilities(self, fitted: Fitted, table: Table) -> FloatArray:
        """Return the probabilities of every clip that has windows in the table, [clips, 4]."""
        return clip_means(table.clip, fitted.probabilities(table.values), len(self._clips))

    def predict(self, train: Labels) -> FloatArray:
        """Train on these clips; return the probabilities of every clip, as it is, [clips, 4]."""
        return self.probabilities(self.fit(train), self.clean)

    def _fit(self, train: Labels) -> tuple[VotingClassifier, Labels]:
        parts = [(t.values[rows], t.clip[rows]) for t, rows in self._rows(train)]
        values = np.concatenate([part for part, _ in parts])
        labels = self._labels[np.concatenate([clip for _, clip in parts])]
        scout = ExtraTreesClassifier(60, min_samples_leaf=5, random_state=SEED)
        importance = scout.fit(values, labels).feature_importances_
        columns = np.sort(np.argsort(-importance, kind="stable")[:KEPT])
        return ensemble().fit(values[:, columns], labels), columns

    def _rows(self, train: Labels) -> Iterator[tuple[Table, NDArray[np.bool_]]]:
        for table in self._tables:
            yield table, np.isin(table.clip, train)

    def _exponent(self, train: Labels) -> float:
        """Return the exponent with the least log loss on artists that were not trained on."""
        labels = self._labels[train]
        losses = np.zeros(len(EXPONENTS))
        for fit, test in artist_folds(labels, [self._clips[i] for i in train], 3):
            model, columns = self._fit(train[fit])
            rows = np.isin(self.clean.clip, train[test])
            windows = model.predict_proba(self.clean.values[np.ix_(rows, columns)])
            for i, exponent in enumerate(EXPONENTS):
                means = clip_means(
                    self.clean.clip[rows], sharpened(windows, exponent), len(self._clips)
                )
                chosen = means[train[test], labels[test]]
                losses[i] -= np.log(np.maximum(chosen, 1e-6)).sum()
        return round(float(EXPONENTS[losses.argmin()]), 1)


def ensemble() -> Any:
    """Return the untrained model: the mean of a linear model's and a forest's probabilities."""
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.002, max_iter=500))
    forest = ExtraTreesClassifier(
        100, criterion="gini", min_samples_leaf=5, bootstrap=True, random_state=SEED
    )
    return VotingClassifier(
        [("linear", linear), ("forest", forest)], voting="soft", flatten_transform=False
    )
