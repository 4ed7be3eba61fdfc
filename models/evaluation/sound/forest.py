"""The paper's random forest: selection by importance, grid search, folds by artist."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedGroupKFold

from affetti.core.emotions import FloatArray
from affetti.core.errors import DataError
from affetti.models.evaluation.sound.clips import Clip
from affetti.models.evaluation.sound.scores import Labels
from affetti.models.evaluation.sound.table import Progress, Table

SEED: Final = 2026
# The grid.
TREES: Final = (100, 200)
DEPTHS: Final = (10, 20, None)
SPLITS: Final = (2, 5, 10)
KEPT: Final = (1.0, 0.5)  # shares of the features, the most important first


@dataclass(frozen=True)
class ForestChoice:
    """What the grid search settled on."""

    n_estimators: int
    max_depth: int | None
    min_samples_split: int
    kept: float  # share of the features


def held_out(clips: Sequence[Clip]) -> tuple[Labels, Labels]:
    """Split clips by artist into 70 % for training and 30 % for validation.

    Returns
    -------
    Indices of the clips on each side.
    """
    folds = list(artist_folds(np.array([clip.label for clip in clips]), clips, 10))
    validation = np.sort(np.concatenate([test for _, test in folds[:3]]))
    return np.setdiff1d(np.arange(len(clips)), validation), validation


def artist_folds(
    labels: Labels, clips: Sequence[Clip], count: int, seed: int = SEED
) -> Iterator[tuple[Labels, Labels]]:
    """Yield folds, as even in emotions as can be, with no artist on both sides.

    Raises
    ------
    AffettiError
        There are fewer artists than folds.
    """
    groups = [clip.group for clip in clips]
    if len(set(groups)) < count:
        raise DataError("forest.artists_too_few_folds", artists=len(set(groups)), count=count)
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    yield from folds.split(labels, labels, groups)


def clip_means(clip: Labels, probabilities: FloatArray, count: int) -> FloatArray:
    """Return each clip's mean over its windows, shape [count, 4]; zeros where it has none."""
    total = np.zeros((count, 4))
    np.add.at(total, clip, probabilities)
    return total / np.maximum(np.bincount(clip, minlength=count), 1)[:, None]


class PaperRecipe:
    """The paper's forest: importance-based selection of features, then a grid search.

    Both look at the training clips alone, by five-fold cross-validation in which no artist is
    on both sides.
    """

    def __init__(self, table: Table, clips: Sequence[Clip], progress: Progress) -> None:
        self._table = table
        self._labels = np.array([clip.label for clip in clips])
        self._clips = clips
        self._progress = progress

    def search(self, train: Labels) -> ForestChoice:
        """Return the smallest forest within one standard error of the best.

        Source: Breiman et al., "Classification and regression trees" (1984), the 1 SE rule.
        """
        choices = [ForestChoice(*values) for values in product(TREES, DEPTHS, SPLITS, KEPT)]
        folds = list(artist_folds(self._labels[train], [self._clips[i] for i in train], 5))
        accuracy = np.zeros((len(choices), len(folds)))
        for j, (fit, test) in enumerate(folds):
            order = self.importance_order(train[fit])
            for i, choice in enumerate(choices):
                self._progress(j * len(choices) + i, accuracy.size, "grid search")
                forest, columns = self.fit(train[fit], choice, order)
                accuracy[i, j] = self.accuracy(forest, columns, train[test])
        self._progress(accuracy.size, accuracy.size, "grid search")
        means = accuracy.mean(axis=1)
        best = means.argmax()
        error = accuracy[best].std(ddof=1) / np.sqrt(len(folds))
        good = [
            choice
            for choice, mean in zip(choices, means, strict=True)
            if mean >= means[best] - error
        ]
        return min(good, key=_size)

    def importance_order(self, train: Labels) -> Labels:
        """Return the columns of the table, the most important for these clips first."""
        forest = self._forest(ForestChoice(100, None, 2, 1.0), train, np.arange(self._width))
        return np.argsort(-forest.feature_importances_, kind="stable")

    def fit(
        self, train: Labels, choice: ForestChoice, order: Labels
    ) -> tuple[RandomForestClassifier, Labels]:
        """Return a forest grown on the windows of these clips, and the columns it reads."""
        columns = np.sort(order[: round(choice.kept * self._width)])
        return self._forest(choice, train, columns), columns

    def accuracy(self, forest: RandomForestClassifier, columns: Labels, test: Labels) -> float:
        """Return the share of these clips that the forest names as they are labelled."""
        probabilities = self.probabilities(forest, columns)[test]
        return float(np.mean(probabilities.argmax(axis=1) == self._labels[test]))

    def probabilities(self, forest: RandomForestClassifier, columns: Labels) -> FloatArray:
        """Return the probabilities of every clip."""
        windows = forest.predict_proba(self._table.values[:, columns])
        return clip_means(self._table.clip, windows, len(self._clips))

    @property
    def _width(self) -> int:
        return len(self._table.names)

    def _forest(
        self, choice: ForestChoice, train: Labels, columns: Labels
    ) -> RandomForestClassifier:
        rows = np.isin(self._table.clip, train)
        forest = RandomForestClassifier(
            choice.n_estimators,
            criterion="gini",
            max_depth=choice.max_depth,
            min_samples_split=choice.min_samples_split,
            random_state=SEED,
        )
        return forest.fit(
            self._table.values[np.ix_(rows, columns)], self._labels[self._table.clip[rows]]
        )


def _size(choice: ForestChoice) -> tuple[float, ...]:
    depth = choice.max_depth or 100
    return choice.n_estimators, choice.kept, depth, -choice.min_samples_split
