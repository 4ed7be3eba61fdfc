"""How well a face network of the zoo does on faces with known labels."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import EXPRESSIONS, Expression
from affetti.core.errors import DataError, ModelError
from affetti.models.evaluation.face.data import (
    PRIVATE,
    UNLABELLED,
    Faces,
    find_fer2013,
    load_faces,
    load_fer2013,
)
from affetti.models.face.reading import ExpressionNetwork
from affetti.models.manifest import model

Progress: TypeAlias = Callable[[int, int, str], None]
Interval: TypeAlias = tuple[float, float]

# The expressions that name one of the four emotions each.
FOUR: Final = (Expression.ANGRY, Expression.HAPPY, Expression.SAD, Expression.NEUTRAL)
_FOUR_LABELS: Final = np.array([EXPRESSIONS.index(expression) for expression in FOUR])
_CHUNK: Final = 256
_TIMED_FACES: Final = 200
_ECE_BINS: Final = 15
_RESAMPLES: Final = 10_000


class Accuracy(msgspec.Struct, frozen=True):
    """A share of right answers; the interval is the 95 % bootstrap."""

    n: int
    accuracy: float
    interval: Interval


class FaceScores(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a network scores on one set of faces.

    Seven-class figures take the strongest of the seven expressions. Four-class figures look at
    the faces labelled angry, happy, sad or neutral, and take the strongest of those four.
    """

    n: int
    accuracy7: float
    accuracy7_interval: Interval
    n4: int
    accuracy4: float | None  # None where no face has one of the four labels
    accuracy4_interval: Interval | None
    recall7: dict[str, float | None]  # None where no face has the label
    precision7: dict[str, float | None]  # None where the label was never given
    f1_7: dict[str, float | None]
    balanced_accuracy7: float  # mean recall of the labels that occur
    ece: float  # expected calibration error, 15 bins
    confusion7: list[list[int]]  # rows: label; columns: strongest expression
    ms_per_face: float
    without_copies7: Accuracy | None = None  # without faces that are also in the training set
    without_copies4: Accuracy | None = None


class FaceEvaluation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a network scores on a data set, and what it costs."""

    network: str
    sha256: str
    ms_per_face: float  # median processor time of one face on one thread
    ferplus_private: FaceScores | None = None
    fer2013_private: FaceScores | None = None
    data: FaceScores | None = None
    against_own_neutral: FaceScores | None = None  # the same faces, each person's own neutral known
    without_own_neutral: int | None = None  # faces whose person has no other neutral picture
    left_out: int | None = None  # labelled as none of the seven

    @property
    def sets(self) -> dict[str, FaceScores]:
        """The scores that there are, by the name of the set."""
        names = ("ferplus_private", "fer2013_private", "data", "against_own_neutral")
        found = {name: getattr(self, name) for name in names}
        return {name: scores for name, scores in found.items() if scores is not None}


def evaluate_face(
    data: Path,
    network: str = "face_expression",
    progress: Progress | None = None,
    *,
    persons: bool = False,
) -> FaceEvaluation:
    """Score a network of the zoo, as it is shipped.

    Parameters
    ----------
    data
        fer2013.zip, or a folder that holds it: scores the private test set under FER+'s and
        under FER2013's labels. Otherwise what `load_faces` reads.
    network
        Its name in the manifest.
    progress
        Called with faces done, faces in all, and what is being done.
    persons
        Whether each face is also read against the person's own neutral ones.

    Raises
    ------
    AffettiError
        The data cannot be read, or the model is not the one that the manifest pins.
    """
    reader = ExpressionNetwork(network)
    if persons:
        return _evaluate_persons(reader, load_faces(data, persons=True), network, progress)
    archive = find_fer2013(data)
    if archive is None:
        faces = load_faces(data)
        expressions = read_faces(reader, faces.images, progress)
        ms = _ms_per_face(reader, faces.images)
        found = _evaluation(network, ms, data=scores(expressions, faces, ms))
        return msgspec.structs.replace(found, left_out=faces.left_out or None)
    fer2013 = load_fer2013(archive)
    own, votes = fer2013.fer2013(PRIVATE), fer2013.ferplus(PRIVATE)
    copies = fer2013.copied_from_training(PRIVATE)
    expressions = read_faces(reader, own.images, progress)
    ms = _ms_per_face(reader, own.images)
    return _evaluation(
        network,
        ms,
        ferplus_private=scores(expressions, votes, ms, copies),
        fer2013_private=scores(expressions, own, ms, copies),
    )


def _evaluate_persons(
    reader: ExpressionNetwork, faces: Faces, network: str, progress: Progress | None
) -> FaceEvaluation:
    """Score faces alone, and against the mean of their person's other neutral pictures."""
    if not reader.relative:
        raise ModelError("accuracy.reads_nobody_against_neutral", network=network)
    alone, features = read_features(reader, faces.images, progress)
    references = own_neutral(faces, features)
    known = np.array([reference is not None for reference in references])
    if not known.any():
        raise DataError("accuracy.nobody_neutral_picture_beside")
    against = alone.copy()
    for done, i in enumerate(np.flatnonzero(known), start=1):
        against[i] = reader.read(faces.images[i : i + 1], references[i])[0][0]
        if progress is not None:
            progress(done, int(known.sum()), "reading faces against their own neutral ones")
    ms = _ms_per_face(reader, faces.images)
    found = _evaluation(
        network,
        ms,
        data=scores(alone[known], faces.chosen(known), ms),
        against_own_neutral=scores(against[known], faces.chosen(known), ms),
    )
    unknown, left_out = int((~known).sum()), faces.left_out or None
    return msgspec.structs.replace(found, without_own_neutral=unknown, left_out=left_out)


def own_neutral(faces: Faces, features: NDArray[np.float32]) -> list[NDArray[np.float32] | None]:
    """Return for each face the mean features of its person's other neutral faces, or None.

    Parameters
    ----------
    faces
        With `subjects`.
    features
        float32 [N, 256].
    """
    is_neutral = faces.labels == EXPRESSIONS.index(Expression.NEUTRAL)
    subjects = np.asarray(faces.subjects)
    found: list[NDArray[np.float32] | None] = []
    for i in range(len(faces)):
        others = is_neutral & (subjects == subjects[i])
        others[i] = False  # never the tested one
        found.append(features[others].mean(axis=0) if others.any() else None)
    return found


def _evaluation(network: str, ms: float, **sets: FaceScores) -> FaceEvaluation:
    found = FaceEvaluation(network, model(network).sha256, ms)
    return msgspec.structs.replace(found, **sets)


def read_faces(
    reader: ExpressionNetwork, images: NDArray[np.uint8], progress: Progress | None = None
) -> NDArray[np.float64]:
    """Return the distributions, float64 [N, 7], of uint8 [N, 48, 48], a chunk at a time."""
    parts = []
    for start in range(0, len(images), _CHUNK):
        parts.append(reader(images[start : start + _CHUNK]))
        if progress is not None:
            progress(min(start + _CHUNK, len(images)), len(images), "reading faces")
    return np.concatenate(parts)


def read_features(
    reader: ExpressionNetwork, images: NDArray[np.uint8], progress: Progress | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return the distributions, float64 [N, 7], and the features, float32 [N, 256], of faces."""
    expressions, features = [], []
    for start in range(0, len(images), _CHUNK):
        read, seen = reader.read(images[start : start + _CHUNK])
        expressions.append(read)
        features.append(np.asarray(seen))
        if progress is not None:
            progress(min(start + _CHUNK, len(images)), len(images), "reading faces")
    return np.concatenate(expressions), np.concatenate(features)


def _ms_per_face(reader: ExpressionNetwork, images: NDArray[np.uint8]) -> float:
    times = []
    for face in images[np.arange(_TIMED_FACES) % len(images)]:
        began = time.thread_time()
        reader(face[np.newaxis])
        times.append(time.thread_time() - began)
    return round(float(np.median(times)) * 1000, 3)


def scores(
    expressions: NDArray[np.float64],
    faces: Faces,
    ms_per_face: float,
    copies: NDArray[np.bool_] | None = None,
) -> FaceScores:
    """Score distributions against labels; faces without a label are left out.

    Parameters
    ----------
    expressions
        float64 [N, 7].
    faces
        The N faces they were read from.
    ms_per_face
        What one cost.
    copies
        bool [N]: which faces the network may have been trained on.
    """
    has_label = faces.labels != UNLABELLED
    labels, expressions = faces.labels[has_label], expressions[has_label]
    is_four = np.isin(labels, _FOUR_LABELS)
    right7 = expressions.argmax(axis=1) == labels
    right4 = _FOUR_LABELS[expressions[:, _FOUR_LABELS].argmax(axis=1)] == labels
    all7, all4 = accuracy(right7), accuracy(right4[is_four])
    confusion = confusion_matrix(labels, expressions)
    recall, precision, f1 = per_label(confusion)
    new = None if copies is None else ~copies[has_label]
    return FaceScores(
        n=all7.n,
        accuracy7=all7.accuracy,
        accuracy7_interval=all7.interval,
        n4=all4.n,
        accuracy4=all4.accuracy if all4.n else None,
        accuracy4_interval=all4.interval if all4.n else None,
        recall7=recall,
        precision7=precision,
        f1_7=f1,
        balanced_accuracy7=float(np.mean([r for r in recall.values() if r is not None])),
        ece=calibration_error(expressions, right7),
        confusion7=confusion.tolist(),
        ms_per_face=ms_per_face,
        without_copies7=None if new is None else accuracy(right7[new]),
        without_copies4=None if new is None else accuracy(right4[is_four & new]),
    )


def accuracy(right: NDArray[np.bool_]) -> Accuracy:
    """Return the share of right answers among bool [N], with its 95 % bootstrap interval.

    The answers of a resample are a binomial draw, so no resample needs to be made.
    """
    n = len(right)
    share = float(right.mean()) if n else 0.0
    draws = np.random.default_rng(0).binomial(n, share, _RESAMPLES) / max(n, 1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Accuracy(n, share, (float(low), float(high)))


def confusion_matrix(
    labels: NDArray[np.int64], expressions: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Count faces by label, the row, and strongest expression, the column: int64 [7, 7]."""
    confusion = np.zeros((len(EXPRESSIONS), len(EXPRESSIONS)), np.int64)
    np.add.at(confusion, (labels, expressions.argmax(axis=1)), 1)
    return confusion


def per_label(confusion: NDArray[np.int64]) -> tuple[dict[str, float | None], ...]:
    """Return recall, precision and F1 by expression."""
    right = np.diag(confusion)
    of_label, given = confusion.sum(axis=1), confusion.sum(axis=0)
    return (
        _shares(right, of_label),
        _shares(right, given),
        _shares(2 * right, of_label + given),
    )


def _shares(part: NDArray[np.int64], whole: NDArray[np.int64]) -> dict[str, float | None]:
    return {
        expression.value: float(some / of) if of else None
        for expression, some, of in zip(EXPRESSIONS, part, whole, strict=True)
    }


def calibration_error(expressions: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error of the strongest expression's probability.

    Source: Naeini, Cooper and Hauskrecht (2015), with 15 equally wide bins.
    """
    confidence = expressions.max(axis=1)
    bins = np.minimum((confidence * _ECE_BINS).astype(int), _ECE_BINS - 1)
    gaps = np.bincount(bins, confidence - right, _ECE_BINS)
    return float(np.abs(gaps).sum() / len(right))
