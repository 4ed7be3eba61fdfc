"""How well face and music are fused, on pairs that are constructed.

No data set holds a face and a piece of music that were rated together. So each of FER2013's
private faces is put beside a clip by an artist that the music model has not heard: with the same
label, as the published system presumes, and then more and more often with another.

Faces labelled angry, happy, sad or neutral stand for anger, happiness, sadness and relaxation;
faces of fear, surprise and disgust have no one quadrant of their own and are left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import (
    EMOTIONS,
    EXPRESSIONS,
    Expression,
    FloatArray,
    divergence_bits,
    emotions_of_expressions,
)
from affetti.core.errors import DataError
from affetti.core.events import Pipeline
from affetti.models.evaluation.face.accuracy import read_faces
from affetti.models.evaluation.face.data import PRIVATE, find_fer2013, load_fer2013
from affetti.models.evaluation.sound.accuracy import FOLDS, Further, predictor
from affetti.models.evaluation.sound.clips import read_clips
from affetti.models.evaluation.sound.forest import artist_folds
from affetti.models.evaluation.sound.scores import (
    Labels,
    Scores,
    calibration_error,
    intervals,
    scores,
)
from affetti.models.face.reading import ExpressionNetwork
from affetti.models.pipelines import AFFETTI, PAPER

SEED: Final = 0
DISAGREEING: Final = (0.0, 0.1, 0.25, 0.5, 1.0)
# In the order of EMOTIONS.
FACES: Final = (Expression.HAPPY, Expression.SAD, Expression.ANGRY, Expression.NEUTRAL)
RELIABILITIES: Final = np.arange(0.0, 3.01, 0.1)

Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Side:
    """What one side says of examples, and what they are labelled."""

    probabilities: FloatArray  # [n, 4]
    labels: Labels  # [n]


@dataclass(frozen=True)
class Pairs:
    """Faces beside clips."""

    face: FloatArray  # [n, 4]
    music: FloatArray  # [n, 4]
    face_labels: Labels
    music_labels: Labels

    def __len__(self) -> int:
        return len(self.face_labels)

    @property
    def mean(self) -> FloatArray:
        """Late fusion as the product does it."""
        return (self.face + self.music) / 2

    @property
    def agree(self) -> NDArray[np.bool_]:
        """Which pairs have one label."""
        return np.asarray(self.face_labels == self.music_labels)


@dataclass(frozen=True)
class FusionEvaluation:
    """What a pipeline scores on constructed pairs."""

    pipeline: str
    tables: dict[str, Scores]  # of face, music, both and both weighted, on pairs of one label
    bounds: dict[str, dict[str, FloatArray]]
    weights: tuple[float, float]  # of face and music
    disagreeing: list[dict[str, float | None]]

    def as_json(self) -> dict[str, Any]:
        """Return what `affetti models evaluate fusion --json` prints."""
        return {
            "pipeline": self.pipeline,
            "constructed": True,
            "agreeing": {
                name: table.as_json()
                | {"intervals": {n: b.tolist() for n, b in self.bounds[name].items()}}
                for name, table in self.tables.items()
            },
            "weights": {"face": self.weights[0], "music": self.weights[1]},
            "disagreeing": self.disagreeing,
        }

    def as_text(self) -> str:
        """Return the tables as Markdown."""
        lines = ["Constructed pairs of one label.", ""]
        lines += ["| of | emotion | precision | recall | F1 |", "|---|---|---|---|---|"]
        for name, table in self.tables.items():
            for i, emotion in enumerate(EMOTIONS):
                cells = (table.precision[i], table.recall[i], table.f1[i])
                shown = " | ".join(f"{100 * cell:.1f} %" for cell in cells)
                lines.append(f"| {name} | {emotion} | {shown} |")
        lines += ["", "| of | accuracy | 95 % interval | calibration error |", "|---|---|---|---|"]
        for name, table in self.tables.items():
            low, high = 100 * self.bounds[name]["accuracy"]
            lines.append(
                f"| {name} | {100 * table.accuracy:.1f} % | {low:.1f} to {high:.1f} "
                f"| {100 * table.ece:.1f} % |"
            )
        face, music = self.weights
        lines += ["", f"Weights by reliability: face {face:.1f}, music {music:.1f}.", ""]
        heads = list(self.disagreeing[0])
        lines += ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        lines += [
            "| " + " | ".join(_percent(row[head]) for head in heads) + " |"
            for row in self.disagreeing
        ]
        return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def evaluate_fusion(faces: Side, music: Side, pipeline: str, seed: int = SEED) -> FusionEvaluation:
    """Score fusion on pairs of one label, and on pairs of which more and more disagree.

    Parameters
    ----------
    faces, music
        What the pipeline says of either.
    pipeline
        Its name.
    seed
        Of the choice of clips.
    """
    same = pairs_of(faces, music, 0.0, seed)
    weights = reliabilities(same)
    columns = {
        "face": same.face,
        "music": same.music,
        "both": same.mean,
        "both, weighted": _weighted_outside(same),
    }
    labels = same.face_labels
    groups = [str(i) for i in range(len(same))]
    return FusionEvaluation(
        pipeline=pipeline,
        tables={name: scores(labels, column) for name, column in columns.items()},
        bounds={name: intervals(labels, each, groups, 500) for name, each in columns.items()},
        weights=weights,
        disagreeing=[
            _disagreement(pairs_of(faces, music, share, seed), share, weights)
            for share in DISAGREEING
        ],
    )


def pairs_of(faces: Side, music: Side, disagreeing: float, seed: int = SEED) -> Pairs:
    """Put each face beside a clip.

    Parameters
    ----------
    faces, music
        What is said of either.
    disagreeing
        Share of faces that get a clip of another label, which of the three by chance.
    seed
        Of all choices.
    """
    random = np.random.default_rng(seed)
    other = random.random(len(faces.labels)) < disagreeing
    wanted = (faces.labels + other * random.integers(1, 4, len(faces.labels))) % 4
    by_label = [np.flatnonzero(music.labels == label) for label in range(4)]
    if not all(len(found) for found in by_label):
        raise DataError("fusion.label_missing")
    chosen = np.array([random.choice(by_label[label]) for label in wanted])
    return Pairs(faces.probabilities, music.probabilities[chosen], faces.labels, wanted)


def weighted(face: FloatArray, music: FloatArray, weights: tuple[float, float]) -> FloatArray:
    """Multiply the two distributions, each raised to how reliable it is; normalized, [n, 4].

    Source: Genest and Zidek, "Combining probability distributions" (1986), the logarithmic pool.
    """
    logs = weights[0] * np.log(face.clip(1e-6)) + weights[1] * np.log(music.clip(1e-6))
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def reliabilities(pairs: Pairs) -> tuple[float, float]:
    """Return the weights that make the labels of these pairs most probable."""
    rows = np.arange(len(pairs))
    best, least = (1.0, 1.0), np.inf
    for face in RELIABILITIES:
        for music in RELIABILITIES:
            said = weighted(pairs.face, pairs.music, (face, music))[rows, pairs.face_labels]
            loss = -float(np.log(said.clip(1e-9)).mean())
            if loss < least:
                best, least = (float(face), float(music)), loss
    return best


def _weighted_outside(pairs: Pairs) -> FloatArray:
    """Weigh each half of the pairs by what the other half says of reliability."""
    found = np.zeros_like(pairs.face)
    for half in (0, 1):
        test = np.arange(len(pairs)) % 2 == half
        train = Pairs(
            pairs.face[~test], pairs.music[~test],
            pairs.face_labels[~test], pairs.music_labels[~test],
        )  # fmt: skip
        found[test] = weighted(pairs.face[test], pairs.music[test], reliabilities(train))
    return found


def _disagreement(
    pairs: Pairs, share: float, weights: tuple[float, float]
) -> dict[str, float | None]:
    """Return whom the fused label follows, and how well the divergence tells who disagrees."""
    mean = pairs.mean
    named = mean.argmax(axis=1)
    face, music = named == pairs.face_labels, named == pairs.music_labels
    pooled = weighted(pairs.face, pairs.music, weights)
    found: dict[str, float | None] = {
        "disagree": share,
        "fused is the face's label": float(face.mean()),
        "fused is the music's label": float(music.mean()),
        "fused is neither's": float(np.mean(~face & ~music)),
        "face alone": float(np.mean(pairs.face.argmax(axis=1) == pairs.face_labels)),
        "weighted is the face's label": float(np.mean(pooled.argmax(axis=1) == pairs.face_labels)),
        "calibration error for the face": calibration_error(pairs.face_labels, mean),
        "weighted calibration error": calibration_error(pairs.face_labels, pooled),
    }
    return found | {
        "divergence tells (area)": _area(divergence_bits(pairs.face, pairs.music), pairs.agree)
    }


def _area(divergence: FloatArray, agree: NDArray[np.bool_]) -> float | None:
    """Area under the curve: how often a pair that disagrees diverges more than one that agrees."""
    if agree.all() or not agree.any():
        return None
    ranks = np.argsort(np.argsort(divergence)) + 1
    others = ~agree
    above = ranks[others].sum() - others.sum() * (others.sum() + 1) / 2
    return float(above / (others.sum() * agree.sum()))


def faces_of(data: Path, pipeline: Pipeline, progress: Progress, limit: int | None) -> Side:
    """Read FER2013's private faces of four labels.

    Parameters
    ----------
    data
        fer2013.zip, or a folder that holds it.
    pipeline
        Whose network reads them.
    progress
        Told how far it is.
    limit
        How many to read, evenly spread; None for all.

    Raises
    ------
    AffettiError
        The archive cannot be read.
    """
    archive = find_fer2013(data)
    if archive is None:
        raise DataError("fusion.no_fer2013", data=data)
    faces = load_fer2013(archive).ferplus(PRIVATE)
    known = np.array([EXPRESSIONS.index(each) for each in FACES])
    chosen = np.flatnonzero(np.isin(faces.labels, known))
    if limit is not None and limit < len(chosen):
        chosen = chosen[np.linspace(0, len(chosen) - 1, limit).astype(int)]
    network = ExpressionNetwork(pipeline.face_expression)
    expressions = read_faces(network, faces.images[chosen], progress)
    emotion = {int(expression): i for i, expression in enumerate(known)}
    labels = np.array([emotion[int(label)] for label in faces.labels[chosen]])
    return Side(emotions_of_expressions(expressions), labels)


def music_of(data: Path, pipeline: Pipeline, progress: Progress, further: Further) -> Side:
    """Return what is said of clips by training on other artists, once.

    Parameters
    ----------
    data
        A folder of labelled clips.
    pipeline
        Whose recipe is trained.
    progress
        Told how far it is.
    further
        What else it is trained on.

    Raises
    ------
    AffettiError
        The data cannot be read, or there are too few artists.
    """
    clips = read_clips(data)
    labels = np.array([clip.label for clip in clips])
    predict = predictor(data, clips, progress, pipeline.music_emotion, further)
    found = np.zeros((len(clips), len(EMOTIONS)))
    for fold, (train, test) in enumerate(artist_folds(labels, clips, FOLDS)):
        progress(fold, FOLDS, "cross-validation")
        found[test] = predict(train)[test]
    progress(FOLDS, FOLDS, "cross-validation")
    return Side(found, labels)


def evaluate(
    faces: Path,
    music: Path,
    pipeline: str,
    progress: Progress,
    *,
    limit: int | None = None,
    further: Further | None = None,
) -> FusionEvaluation:
    """Read faces and clips by a pipeline, and score what it makes of them together.

    Parameters
    ----------
    faces, music
        fer2013.zip and a folder of labelled clips.
    pipeline
        "affetti" or "paper".
    progress
        Told how far it is.
    limit
        How many faces to read; None for all.
    further
        What else the music model is trained on.

    Raises
    ------
    AffettiError
        Either cannot be read.
    """
    chosen = {"affetti": AFFETTI, "paper": PAPER}[pipeline]
    seen = faces_of(faces, chosen, progress, limit)
    heard = music_of(music, chosen, progress, further or Further())
    return evaluate_fusion(seen, heard, pipeline)
