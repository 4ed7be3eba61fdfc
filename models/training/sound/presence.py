"""Telling music from what is none: a linear model on all that is heard in a window."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from affetti.models.evaluation.sound.clips import Clip
from affetti.models.evaluation.sound.ensemble import MUSICNN, STEP_S
from affetti.models.evaluation.sound.rooms import any_room
from affetti.models.evaluation.sound.table import Progress, feature_table
from affetti.models.sound.features import RATE_HZ, Sound, mono, normalized
from affetti.models.sound.music import features_of
from affetti.models.sound.musicnn import Musicnn
from affetti.models.training.sound.sounds import examples

# Music that is missed is worse than talk that is taken for music: it leaves the therapist
# without an estimate.
THRESHOLD: Final = 0.3
FOLDS: Final = 5


class PresenceRecipe:
    """Windows of music and of everything else, and a model that tells them apart.

    Parameters
    ----------
    data
        A folder of clips of music.
    clips
        All its clips.
    progress
        Told how far the features are.
    """

    def __init__(self, data: Path, clips: Sequence[Clip], progress: Progress) -> None:
        clean = feature_table(data, clips, progress, musicnn=MUSICNN, step_s=STEP_S)
        altered = feature_table(
            data, clips, progress, musicnn=MUSICNN, alteration=("in any room", any_room)
        )
        network = Musicnn(MUSICNN)
        others = list(examples())
        heard = []
        for done, other in enumerate(others):
            progress(done, len(others), "features of other sounds")
            samples = (other.signal / np.abs(other.signal).max() * 20_000).astype(np.int16)
            sound = Sound(normalized(mono(samples, RATE_HZ)))
            heard.append(list(features_of(sound, network).values()))
        progress(len(others), len(others), "features of other sounds")
        self.names = clean.names
        self.rows = np.concatenate([clean.values, altered.values, np.array(heard, np.float32)])
        songs = len(clean.values) + len(altered.values)
        self._is_music = np.array([True] * songs + [other.music for other in others])
        self._kinds = ["music"] * len(clean.values) + ["music in a room"] * len(altered.values)
        self._kinds += [other.kind for other in others]
        sources = [clips[i].group for i in (*clean.clip, *altered.clip)]
        sources += [other.source for other in others]
        self._fold = np.array([zlib.crc32(source.encode()) % FOLDS for source in sources])

    def fit(self, rows: NDArray[np.bool_] | slice = slice(None)) -> Any:
        """Return a model trained on some rows; its second class is music."""
        linear = LogisticRegression(C=0.01, max_iter=500, class_weight="balanced")
        model = make_pipeline(StandardScaler(), linear)
        return model.fit(self.rows[rows], self._is_music[rows].astype(np.int64))

    def table(self) -> str:
        """Return what five folds, no artist or voice on both sides, find, as Markdown."""
        music = np.zeros(len(self.rows))
        for fold in range(FOLDS):
            test = self._fold == fold
            music[test] = self.fit(~test).predict_proba(self.rows[test])[:, 1]
        lines = ["| window of | windows | taken for music |", "|---|---|---|"]
        kinds = np.array(self._kinds)
        for kind in dict.fromkeys(self._kinds):
            share = float(np.mean(music[kinds == kind] >= THRESHOLD))
            lines.append(f"| {kind} | {np.sum(kinds == kind)} | {100 * share:.2f} % |")
        return "\n".join(lines)
