"""The tables of the music model's card that take longer: how robust it is, and what it needs.

    python -m affetti.models.training.sound.card DIR > tables.md

Everything is scored by cross-validation in which no artist is on both sides.
"""

import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

import numpy as np

from affetti.core.emotions import FloatArray
from affetti.models.evaluation.sound.accuracy import FOLDS, SHUFFLES, ms_per_window, out_of_fold
from affetti.models.evaluation.sound.clips import read_clips
from affetti.models.evaluation.sound.ensemble import MUSICNN, EnsembleRecipe
from affetti.models.evaluation.sound.forest import artist_folds
from affetti.models.evaluation.sound.rooms import CONDITIONS
from affetti.models.evaluation.sound.scores import Labels, reliability, scores
from affetti.models.evaluation.sound.table import Table, feature_table

# Altering and hearing every clip in every way takes long; every third says enough.
EVERY: Final = 3
SHARES: Final = (0.125, 0.25, 0.5, 1.0)
RARE: Final = 20  # genres with fewer clips are not listed


class Card:
    """The tables for one folder of clips.

    Parameters
    ----------
    data
        The folder.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._clips = read_clips(data)
        self._labels = np.array([clip.label for clip in self._clips])
        self._recipe = EnsembleRecipe(data, self._clips, tell)

    def robustness(self) -> str:
        """Return accuracy on altered clips, by models that never heard the artist."""
        some = np.arange(0, len(self._clips), EVERY)
        chosen = [self._clips[i] for i in some]
        altered = {
            name: self._on_all_clips(
                feature_table(self._data, chosen, tell, musicnn=MUSICNN, alteration=(name, alter)),
                some,
            )
            for name, alter in CONDITIONS.items()
        }
        tables = {"as it is": self._recipe.clean, **altered}
        found = {name: np.zeros(len(self._clips)) for name in tables}  # share of shuffles right
        for seed in range(SHUFFLES):
            for train, test in artist_folds(self._labels, self._clips, FOLDS, seed):
                tell(seed, SHUFFLES, "robustness")
                fitted = self._recipe.fit(train)
                for name, table in tables.items():
                    named = self._recipe.probabilities(fitted, table)[test].argmax(axis=1)
                    found[name][test] += (named == self._labels[test]) / SHUFFLES
        lines = ["| the clips are played | accuracy | change |", "|---|---|---|"]
        plain = found["as it is"][some].mean()
        for name, right in found.items():
            accuracy = right[some].mean()
            lines.append(
                f"| {name} | {100 * accuracy:.1f} % | {100 * (accuracy - plain):+.1f} points |"
            )
        return "\n".join(lines)

    def learning_curve(self) -> str:
        """Return accuracy by the share of the training artists that is used."""
        lines = ["| share of the artists trained on | clips | accuracy |", "|---|---|---|"]
        for share in SHARES:
            probabilities = np.zeros((len(self._clips), 4))
            sizes = []
            for train, test in artist_folds(self._labels, self._clips, FOLDS, seed=0):
                fewer = self._fewer(train, share)
                sizes.append(len(fewer))
                probabilities[test] = self._recipe.predict(fewer)[test]
            accuracy = scores(self._labels, probabilities).accuracy
            lines.append(f"| {100 * share:g} % | {np.mean(sizes):.0f} | {100 * accuracy:.1f} % |")
        return "\n".join(lines)

    def genres(self, probabilities: FloatArray) -> str:
        """Return accuracy by genre; a clip may have several.

        Parameters
        ----------
        probabilities
            Out of fold, shape [shuffles, clips, 4].
        """
        right = (probabilities.argmax(axis=2) == self._labels).mean(axis=0)
        by_genre: dict[str, list[float]] = defaultdict(list)
        for clip, share in zip(self._clips, right, strict=True):
            for genre in clip.genres:
                by_genre[genre].append(float(share))
        lines = ["| genre | clips | accuracy |", "|---|---|---|"]
        for genre, shares in sorted(by_genre.items(), key=lambda item: -len(item[1])):
            if len(shares) >= RARE:
                lines.append(f"| {genre} | {len(shares)} | {100 * np.mean(shares):.1f} % |")
        return "\n".join(lines)

    def reliability(self, probabilities: FloatArray) -> str:
        """Return how often the named emotion is right, by how sure the model was."""
        labels = np.tile(self._labels, len(probabilities))
        bins = reliability(labels, probabilities.reshape(-1, 4))
        lines = ["| probability named | mean | right | share of clips |", "|---|---|---|---|"]
        for low, confidence, accuracy, share in bins:
            cells = [f"{100 * value:.1f} %" for value in (confidence, accuracy, share)]
            lines.append(f"| from {low:.1f} | {' | '.join(cells)} |")
        return "\n".join(lines)

    def text(self) -> str:
        """Return all tables as Markdown."""
        probabilities = out_of_fold(self._clips, self._recipe.predict, tell)
        cost = ms_per_window("music_emotion", self._clips[::20])
        parts = {
            "Reliability": self.reliability(probabilities),
            "Robustness": self.robustness(),
            "Learning curve": self.learning_curve(),
            "Genres": self.genres(probabilities),
            "Cost": f"{cost:.0f} ms of processor time for a window of ten seconds.",
        }
        return "\n\n".join(f"### {title}\n\n{table}" for title, table in parts.items())

    def _on_all_clips(self, table: Table, some: Labels) -> Table:
        """Return a table of some clips with its clips numbered as all clips are."""
        return Table(table.names, table.values, some[table.clip])

    def _fewer(self, train: Labels, share: float) -> Labels:
        artists = sorted({self._clips[i].group for i in train})
        np.random.default_rng(0).shuffle(artists)
        kept = set(artists[: round(share * len(artists))])
        return np.array([i for i in train if self._clips[i].group in kept])


def tell(done: int, total: int, what: str) -> None:
    """Write how far it is to standard error."""
    sys.stderr.write(f"\r{what}: {done} of {total}    ")


if __name__ == "__main__":
    sys.stdout.write(Card(Path(sys.argv[1])).text() + "\n")
