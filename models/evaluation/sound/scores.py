"""How good are probabilities over the four emotions: figures, intervals, tables."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import EMOTIONS, FloatArray

Labels = NDArray[np.int64]

# Which side of the circumplex each of EMOTIONS lies on.
AROUSED: Final = np.array([True, False, True, False])
PLEASANT: Final = np.array([True, False, False, True])


@dataclass(frozen=True)
class Scores:
    """Figures of one set of clips; the arrays follow EMOTIONS."""

    n: int
    coverage: float  # share of the clips in which music was heard; the others count as wrong
    accuracy: float
    macro_f1: float
    precision: FloatArray  # [4]
    recall: FloatArray  # [4]
    f1: FloatArray  # [4]
    arousal_side: float  # share whose named emotion is as aroused as the label
    valence_side: float  # share whose named emotion is as pleasant as the label
    ece: float
    confusion: Labels  # [4, 4], rows are labels, columns what was named

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that `affetti models evaluate --json` prints."""
        return {
            "n": self.n,
            "coverage": self.coverage,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "arousal_side": self.arousal_side,
            "valence_side": self.valence_side,
            "ece": self.ece,
            "precision": dict(zip(EMOTIONS, self.precision.tolist(), strict=True)),
            "recall": dict(zip(EMOTIONS, self.recall.tolist(), strict=True)),
            "f1": dict(zip(EMOTIONS, self.f1.tolist(), strict=True)),
            "confusion": self.confusion.tolist(),
        }


def scores(labels: Labels, probabilities: FloatArray) -> Scores:
    """Score probabilities against labels.

    Parameters
    ----------
    labels
        Shape [n], indices into EMOTIONS.
    probabilities
        Shape [n, 4]. A row of zeros is a clip in which no music was heard: it counts as wrong.
    """
    named = probabilities.argmax(axis=1)
    heard = probabilities.sum(axis=1) > 0
    confusion = np.zeros((4, 4), np.int64)
    np.add.at(confusion, (labels[heard], named[heard]), 1)
    hits = np.diag(confusion)
    recall = hits / np.maximum(np.bincount(labels, minlength=4), 1)
    precision = hits / np.maximum(confusion.sum(axis=0), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    present = np.bincount(labels, minlength=4) > 0
    return Scores(
        n=len(labels),
        coverage=float(heard.mean()),
        accuracy=float(hits.sum() / len(labels)),
        macro_f1=float(f1[present].mean()),
        precision=precision,
        recall=recall,
        f1=f1,
        arousal_side=float(np.mean(heard & (AROUSED[named] == AROUSED[labels]))),
        valence_side=float(np.mean(heard & (PLEASANT[named] == PLEASANT[labels]))),
        ece=calibration_error(labels, probabilities),
        confusion=confusion,
    )


def calibration_error(labels: Labels, probabilities: FloatArray, bins: int = 10) -> float:
    """Return the expected calibration error of the named emotion, 0 to 1.

    Source: Guo et al., "On calibration of modern neural networks" (2017), ten equal bins.
    """
    error = 0.0
    for _, confidence, accuracy, share in reliability(labels, probabilities, bins):
        error += share * abs(confidence - accuracy)
    return error


def reliability(
    labels: Labels, probabilities: FloatArray, bins: int = 10
) -> list[tuple[float, float, float, float]]:
    """Return, for each bin that is used: its lower edge, mean confidence, accuracy, share."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        (
            b / bins,
            float(confidence[which == b].mean()),
            float(correct[which == b].mean()),
            float(np.mean(which == b)),
        )
        for b in np.unique(which)
    ]


def intervals(
    labels: Labels, probabilities: FloatArray, groups: list[str], draws: int = 2_000
) -> dict[str, FloatArray]:
    """Return 95 % bootstrap intervals of the figures, drawing artists and not clips.

    Clips of one artist resemble each other; drawing clips would make the intervals too narrow.

    Returns
    -------
    By figure: shape [2], or [2, 4] for those by emotion.
    """
    random = np.random.default_rng(0)
    artists, of_artist = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(of_artist == i) for i in range(len(artists))]
    drawn: dict[str, list[Any]] = {name: [] for name in _INTERVALS}
    for _ in range(draws):
        picked = np.concatenate(
            [members[i] for i in random.integers(0, len(artists), len(artists))]
        )
        result = scores(labels[picked], probabilities[picked])
        for name, values in drawn.items():
            values.append(getattr(result, name))
    return {name: np.percentile(values, [2.5, 97.5], axis=0) for name, values in drawn.items()}


_INTERVALS: Final = (
    "accuracy", "macro_f1", "precision", "recall", "f1", "arousal_side", "valence_side", "ece",
)  # fmt: skip


def tables(result: Scores, bounds: dict[str, FloatArray], spread: dict[str, float]) -> str:
    """Return the figures of a model card as Markdown, intervals in brackets."""
    head = ["figure", "value", "95 % interval", *(["spread over shuffles"] if spread else [])]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, label in _HEADLINES:
        low, high = bounds[name]
        cells = [_share(getattr(result, name)), _range(low, high)]
        cells += [_share(spread[name])] if spread else []
        lines.append(f"| {label} | {' | '.join(cells)} |")
    lines += ["", "| emotion | precision | recall | F1 |", "|---|---|---|---|"]
    for i, emotion in enumerate(EMOTIONS):
        cells = [
            f"{_share(getattr(result, name)[i])} ({_range(*bounds[name][:, i])})"
            for name in ("precision", "recall", "f1")
        ]
        lines.append(f"| {emotion} | {' | '.join(cells)} |")
    lines += ["", "| labelled, down; named, across | " + " | ".join(EMOTIONS) + " |"]
    lines.append("|---|---|---|---|---|")
    for i, emotion in enumerate(EMOTIONS):
        lines.append(f"| {emotion} | {' | '.join(map(str, result.confusion[i]))} |")
    return "\n".join(lines)


_HEADLINES: Final = (
    ("accuracy", "accuracy"),
    ("macro_f1", "macro F1"),
    ("arousal_side", "arousal side"),
    ("valence_side", "valence side"),
    ("ece", "expected calibration error"),
)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _range(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f}"
