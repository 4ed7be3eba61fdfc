"""How often what was said of tracks is what is held against: figures, and how sure they are.

Precision, recall, F1, accuracy, kappa and confusion are scikit-learn's. Intervals resample people,
for the tracks of one person are not independent of each other (Efron and Tibshirani 1993).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.estimates import MODALITIES, ModalityName
from affetti.analyzer.study.judged import EXPECTED, Judged, by_reference
from affetti.analyzer.study.statistics import LEVEL, RESAMPLES, SEED
from affetti.core.emotions import EMOTIONS

CODES: Final = tuple(emotion.value for emotion in EMOTIONS)
NAN: Final = float("nan")

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A figure, 0 to 1, with its 95 % interval over people; NaN where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class OfEmotion:
    """How well one emotion is told.

    Attributes
    ----------
    tracks
        How many have it by what is held against.
    precision, recall, f1
        Of it.
    """

    tracks: int
    precision: Figure
    recall: Figure
    f1: Figure


@dataclass(frozen=True)
class Score:
    """How often a modality says what is held against.

    Attributes
    ----------
    pipeline, reference, modality
        Which one says, and what is held against.
    by, level
        The column of tracks and its value, of which tracks alone; "" of all.
    tracks, silent, persons
        How many are compared, of how many nothing was said, and how many people's they are.
    accuracy
        The share that is alike.
    kappa
        Cohen's.
    macro_f1
        The mean over the emotions that are held against or said.
    emotions
        By its code.
    confusion
        int64 [4, 4]: rows what is held against, columns what was said, in the order of `EMOTIONS`.
    """

    pipeline: str
    reference: str
    modality: ModalityName
    by: str
    level: str
    tracks: int
    silent: int
    persons: int
    accuracy: Figure
    kappa: float
    macro_f1: Figure
    emotions: dict[str, OfEmotion]
    confusion: NDArray[np.int64]


def scores_of(pipeline: str, rows: Sequence[Judged], columns: Sequence[str] = ()) -> list[Score]:
    """Return all scores of what a pipeline says.

    Parameters
    ----------
    pipeline
        Its name.
    rows
        Every playing of a track.
    columns
        Of tracks: for each of their values there are scores against what was expected.
    """
    found = []
    for reference, told in by_reference(rows).items():
        found += [_score(_Of(pipeline, reference, name), told) for name in MODALITIES]
    expected = by_reference(rows).get(EXPECTED, [])
    for column in columns:
        for level in sorted({row.columns[column] for row in expected} - {""}):
            told = [row for row in expected if row.columns[column] == level]
            found += [
                _score(_Of(pipeline, EXPECTED, name, column, level), told) for name in MODALITIES
            ]
    return found


class _Of(NamedTuple):
    """Of what a score is."""

    pipeline: str
    reference: str
    modality: ModalityName
    by: str = ""
    level: str = ""


def _score(of: _Of, rows: Sequence[Judged]) -> Score:
    from sklearn import metrics  # noqa: PLC0415  heavy

    told = [row for row in rows if row.said[of.modality] is not None]
    truth = np.array([CODES.index(str(row.truths[of.reference])) for row in told], np.int64)
    said = np.array([CODES.index(str(row.said[of.modality])) for row in told], np.int64)
    whose = np.array([row.person for row in told])
    labels = list(range(len(CODES)))
    confusion = (
        metrics.confusion_matrix(truth, said, labels=labels)
        if told
        else np.zeros((len(CODES), len(CODES)), np.int64)
    )
    whole = _figures(np.asarray(confusion, np.float64)[None])
    drawn = _figures(_resampled(truth, said, whose))
    kinds = {
        code: OfEmotion(
            int(confusion[i].sum()),
            *(_figure(whole[k][0, i], drawn[k][:, i]) for k in ("precision", "recall", "f1")),
        )
        for i, code in enumerate(CODES)
    }
    return Score(
        *of,
        len(told),
        len(rows) - len(told),
        len(set(whose.tolist())),
        _figure(whole["accuracy"][0], drawn["accuracy"]),
        _kappa(truth, said),
        _figure(whole["macro_f1"][0], drawn["macro_f1"]),
        kinds,
        np.asarray(confusion, np.int64),
    )


def _kappa(truth: NDArray[np.int64], said: NDArray[np.int64]) -> float:
    from sklearn import metrics  # noqa: PLC0415  heavy

    one_class = len({*truth.tolist(), *said.tolist()}) < 2
    return NAN if one_class else float(metrics.cohen_kappa_score(truth, said))


def _resampled(
    truth: NDArray[np.int64], said: NDArray[np.int64], whose: NDArray[np.str_]
) -> Floats:
    """Return how often what was said of what, each time people are drawn: float64 [n, 4, 4].

    Of fewer than two people nothing is drawn: [0, 4, 4].
    """
    people, number = np.unique(whose, return_inverse=True)
    if len(people) < 2:
        return np.zeros((0, len(CODES), len(CODES)))
    counts = np.zeros((len(people), len(CODES), len(CODES)))
    np.add.at(counts, (number, truth, said), 1)
    rng = np.random.default_rng(SEED)
    drawn = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), RESAMPLES)
    return np.asarray(np.tensordot(drawn, counts, axes=1), np.float64)


def _figures(tables: Floats) -> dict[str, Floats]:
    """Return scikit-learn's figures of many tables of truth against said, float64 [n, 4, 4].

    It is asked once: the emotions of each table are classes of their own, weighted by how often
    they occur. The accuracy of a table is the mean of its recalls, weighted by their support.
    """
    from sklearn import metrics  # noqa: PLC0415  heavy

    n, k = len(tables), len(CODES)
    if not tables.any():
        none = {name: np.full((n, k), NAN) for name in ("precision", "recall", "f1")}
        return {**none, **{name: np.full(n, NAN) for name in ("accuracy", "macro_f1")}}
    table, truth, said = (axis.ravel() for axis in np.indices((n, k, k)))
    found = metrics.precision_recall_fscore_support(
        table * k + truth,
        table * k + said,
        labels=np.arange(n * k),
        sample_weight=tables.ravel(),
        average=None,
        zero_division=NAN,
    )
    precision, recall, f1, support = (np.asarray(each, np.float64).reshape(n, k) for each in found)
    total, known = support.sum(axis=1), (~np.isnan(f1)).sum(axis=1)
    hits = (np.nan_to_num(recall) * support).sum(axis=1)
    return {
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "accuracy": np.divide(hits, total, out=np.full(n, NAN), where=total > 0),
        "macro_f1": np.divide(np.nansum(f1, axis=1), known, out=np.full(n, NAN), where=known > 0),
    }


def _figure(value: float, drawn: Floats) -> Figure:
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return Figure(float(value), NAN, NAN)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return Figure(float(value), float(low), float(high))
