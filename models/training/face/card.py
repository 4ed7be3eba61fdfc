"""The figures of a face network's card: `python -m affetti.models.training.face.card DATA NAME`.

A number behind them, 4 say, takes one face in four alone for the tables that take long.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import EXPRESSION_TO_EMOTION, EXPRESSIONS, Expression
from affetti.core.language import text
from affetti.models.evaluation.face.accuracy import (
    Accuracy,
    FaceEvaluation,
    FaceScores,
    accuracy,
    evaluate_face,
    read_faces,
)
from affetti.models.evaluation.face.data import (
    PRIVATE,
    PUBLIC,
    Faces,
    find_fer2013,
    load_fer2013,
    unreadable,
)
from affetti.models.face.detection import DETECTORS, Detector, largest
from affetti.models.face.quality import sharpness as face_sharpness
from affetti.models.face.reading import ExpressionNetwork, cropped
from affetti.models.manifest import model
from affetti.models.training.face.conditions import (
    Face,
    blurred,
    compressed,
    covered,
    exposed,
    lit_from,
    moved,
    shrunk,
)

BEGIN, END = (
    "<!-- figures: written by models/training/face/card.py -->\n",
    "<!-- end of figures -->",
)
_RELIABILITY_BINS: Final = 10
_COVERAGES: Final = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
_BLURS_PX: Final = (0.3, 0.7, 1.0, 1.5, 2.0, 3.0)
_SHARPNESS_EDGES: Final = (0.002, 0.004, 0.008, 0.016, 0.03, 0.06, 0.12)
_SET_IN_PX: Final = 200
_NAMES: Final = {
    "ferplus_private": "FER+ majority",
    "fer2013_private": "FER2013's own",
}
# Other ways to share out an expression: happiness, sadness, anger, relaxation.
MAPPINGS: Final[dict[str, dict[Expression, tuple[float, float, float, float]]]] = {
    "as it is": {},
    "disgust half anger, half sadness": {Expression.DISGUST: (0, 0.5, 0.5, 0)},
    "fear all anger": {Expression.FEAR: (0, 0, 1, 0)},
    "fear all sadness": {Expression.FEAR: (0, 1, 0, 0)},
    "surprise all happiness": {Expression.SURPRISE: (1, 0, 0, 0)},
    "surprise all anger": {Expression.SURPRISE: (0, 0, 1, 0)},
    "surprise a quarter each": {Expression.SURPRISE: (0.25, 0.25, 0.25, 0.25)},
    "neutral half relaxation, half sadness": {Expression.NEUTRAL: (0, 0.5, 0, 0.5)},
    "neutral a quarter each": {Expression.NEUTRAL: (0.25, 0.25, 0.25, 0.25)},
}
CONDITIONS: Final[dict[str, Callable[[Face], Face]]] = {
    "as they are": lambda face: face,
    "turned by 15°": lambda face: moved(face, angle_deg=15),
    "turned by -15°": lambda face: moved(face, angle_deg=-15),
    "half the brightness": lambda face: exposed(face, gain=0.5),
    "a fifth of the brightness": lambda face: exposed(face, gain=0.2),
    "lit from the left": lambda face: lit_from(face, np.pi, 0.6),
    "blurred, sigma 1 pixel": lambda face: blurred(face, 1),
    "blurred, sigma 2 pixels": lambda face: blurred(face, 2),
    "JPEG of quality 40": lambda face: compressed(face, 40),
    "24 pixels wide": lambda face: shrunk(face, 24),
    "16 pixels wide": lambda face: shrunk(face, 16),
    "eyes covered": lambda face: covered(face, 8, 13, 32, 10),
    "mouth covered": lambda face: covered(face, 12, 31, 24, 11),
    "left half covered": lambda face: covered(face, 0, 0, 24, 48),
}


def write_figures(data: Path, network: str, one_in: int = 1) -> None:
    """Score a network of the zoo, and put the figures where its card has the marks for them.

    Raises
    ------
    AffettiError
        The data is not FER2013, or the model is not the one that the manifest pins.
    """
    entry = model(network)
    card = entry.path.parent / entry.card
    before, rest = card.read_text("utf-8").split(BEGIN)
    _, after = rest.split(END)
    card.write_text(f"{before}{BEGIN}\n{figures(data, network, one_in)}\n{END}{after}", "utf-8")


def figures(data: Path, network: str, one_in: int = 1) -> str:
    """Return the tables of a card in Markdown.

    Parameters
    ----------
    one_in
        Robustness, sharpness and framing, which take long, are of one face in so many; their
        titles say so.
    """
    archive = find_fer2013(data)
    if archive is None:
        raise unreadable(data, text("faces.card_made_fer2013_zip"))
    fer2013 = load_fer2013(archive)
    faces = fer2013.ferplus(PRIVATE).labelled
    read = ExpressionNetwork(network)
    expressions = read_faces(read, faces.images)
    evaluation = evaluate_face(data, network)
    some = faces.chosen(np.arange(len(faces.labels)) % one_in == 0)
    which = "FER+ majority" if one_in == 1 else f"FER+ majority, one face in {one_in}"
    sections = {
        "Accuracy": accuracies(evaluation),
        "By expression (FER+ majority)": by_expression(evaluation.sets["ferplus_private"]),
        "Confusion (FER+ majority; rows: label, columns: read as)": confusion(
            evaluation.sets["ferplus_private"]
        ),
        "Ways from seven to four (FER+ votes, public set)": mappings(
            read, fer2013.ferplus(PUBLIC).labelled
        ),
        "Reliability (FER+ majority)": reliability(expressions, faces.labels),
        "Risk and coverage (FER+ majority)": risk_coverage(expressions, faces.labels),
        f"Robustness ({which})": robustness(read, some),
        f"Sharpness ({which}; blurred to several degrees)": sharpness(read, some),
        f"Framing ({which}; set into a larger picture)": framing(read, some),
    }
    return "\n\n".join(f"### {title}\n\n{text}" for title, text in sections.items()) + "\n"


def accuracies(evaluation: FaceEvaluation) -> str:
    """Return accuracy over seven and four classes on each set, with and without copies."""
    rows = []
    for name, scores in evaluation.sets.items():
        seven = Accuracy(scores.n, scores.accuracy7, scores.accuracy7_interval)
        rows.append([_NAMES.get(name, name), "seven", *_accuracy_cells(seven, scores.ece)])
        if scores.accuracy4 is not None and scores.accuracy4_interval is not None:
            four = Accuracy(scores.n4, scores.accuracy4, scores.accuracy4_interval)
            rows.append(["", "four", *_accuracy_cells(four)])
        if scores.without_copies7 is not None and scores.without_copies4 is not None:
            rows.append(["", "seven, without copies", *_accuracy_cells(scores.without_copies7)])
            rows.append(["", "four, without copies", *_accuracy_cells(scores.without_copies4)])
    heads = ["labels", "classes", "faces", "accuracy", "95 % interval", "calibration error"]
    return _table(heads, rows) + f"\n\nOne face on one thread: {evaluation.ms_per_face:.2f} ms."


def _accuracy_cells(found: Accuracy, ece: float | None = None) -> list[str]:
    low, high = found.interval
    error = "" if ece is None else f"{ece:.3f}"
    return [str(found.n), f"{found.accuracy:.1%}", f"{low:.1%} to {high:.1%}", error]


def by_expression(scores: FaceScores) -> str:
    """Return precision, recall and F1 of each expression."""
    faces = np.sum(scores.confusion7, axis=1)
    rows = [
        [
            expression.value,
            str(n),
            *(
                "" if (share := shares[expression.value]) is None else f"{share:.1%}"
                for shares in (scores.precision7, scores.recall7, scores.f1_7)
            ),
        ]
        for expression, n in zip(EXPRESSIONS, faces, strict=True)
    ]
    mean = f"\n\nMean recall: {scores.balanced_accuracy7:.1%}."
    return _table(["expression", "faces", "precision", "recall", "F1"], rows) + mean


def confusion(scores: FaceScores) -> str:
    """Return the confusion matrix, in faces."""
    names = [expression.value for expression in EXPRESSIONS]
    rows = [
        [f"**{name}**", *map(str, row)] for name, row in zip(names, scores.confusion7, strict=True)
    ]
    return _table(["", *names], rows)


def mappings(read: ExpressionNetwork, faces: Faces) -> str:
    """Return how well votes and readings agree on the strongest of four, by how seven become four.

    No face was ever labelled with one of the four, so that none of the ways can be called right
    by a count; this tells which ones can be read reliably, and how many faces they would change.
    """
    readings = read_faces(read, faces.images)
    chosen = (faces.targets @ EXPRESSION_TO_EMOTION).argmax(axis=1)
    rows = []
    for name, replaced in MAPPINGS.items():
        matrix = EXPRESSION_TO_EMOTION.copy()
        for expression, shares in replaced.items():
            matrix[EXPRESSIONS.index(expression)] = shares
        voted = (faces.targets @ matrix).argmax(axis=1)
        agreed = accuracy((readings @ matrix).argmax(axis=1) == voted)
        low, high = agreed.interval
        changed = f"{(voted != chosen).mean():.1%}"
        rows.append([name, f"{agreed.accuracy:.1%}", f"{low:.1%} to {high:.1%}", changed])
    return _table(["seven to four", "agreement", "95 % interval", "faces it changes"], rows)


def reliability(expressions: NDArray[np.float64], labels: NDArray[np.int64]) -> str:
    """Return how often the strongest expression is right, by its probability."""
    confidence, right = expressions.max(axis=1), expressions.argmax(axis=1) == labels
    bins = np.minimum((confidence * _RELIABILITY_BINS).astype(int), _RELIABILITY_BINS - 1)
    rows = []
    for i in np.unique(bins):
        inside = bins == i
        low, high = i / _RELIABILITY_BINS, (i + 1) / _RELIABILITY_BINS
        shares = f"{confidence[inside].mean():.1%}", f"{right[inside].mean():.1%}"
        rows.append([f"{low:.1f} to {high:.1f}", str(inside.sum()), *shares])
    return _table(["probability", "faces", "mean probability", "accuracy"], rows)


def risk_coverage(expressions: NDArray[np.float64], labels: NDArray[np.int64]) -> str:
    """Return the error left when only the surest readings are kept."""
    confidence, right = expressions.max(axis=1), expressions.argmax(axis=1) == labels
    surest = np.argsort(-confidence, kind="stable")
    rows = []
    for coverage in _COVERAGES:
        kept = surest[: round(coverage * len(surest))]
        error = f"{1 - right[kept].mean():.1%}"
        rows.append([f"{coverage:.0%}", f"{confidence[kept[-1]]:.2f}", error])
    return _table(["faces kept", "probability at least", "error"], rows)


def robustness(read: ExpressionNetwork, faces: Faces) -> str:
    """Return accuracy under each of `CONDITIONS`."""
    rows: list[list[str]] = []
    undisturbed = 0.0
    for name, condition in CONDITIONS.items():
        changed = np.stack([condition(face) for face in faces.images])
        found = accuracy(read_faces(read, changed).argmax(axis=1) == faces.labels)
        undisturbed = undisturbed or found.accuracy
        low, high = found.interval
        change = f"{100 * (found.accuracy - undisturbed):+.1f}" if rows else ""
        rows.append([name, f"{found.accuracy:.1%}", f"{low:.1%} to {high:.1%}", change])
    return _table(["faces", "accuracy", "95 % interval", "points"], rows)


def sharpness(read: ExpressionNetwork, faces: Faces) -> str:
    """Return accuracy by the sharpness of a face, over faces blurred to `_BLURS_PX`."""
    found = []
    for sigma in _BLURS_PX:
        images = np.stack([blurred(face, sigma) for face in faces.images])
        right = read_faces(read, images).argmax(axis=1) == faces.labels
        found.append((np.array([face_sharpness(face) for face in images]), right))
    values, right = (np.concatenate(part) for part in zip(*found, strict=True))
    bins = np.digitize(values, _SHARPNESS_EDGES)
    rows = []
    for i in np.unique(bins):
        low, high = ("", *_SHARPNESS_EDGES, "")[i : i + 2]
        few = accuracy(right[bins == i])
        rows.append([f"{low} to {high}".strip(), *_accuracy_cells(few)[:3]])
    return _table(["sharpness", "faces", "accuracy", "95 % interval"], rows)


def framing(read: ExpressionNetwork, faces: Faces) -> str:
    """Return what it costs to find and crop a face in a picture, for each detector.

    Each face is enlarged to `_SET_IN_PX` and set into the middle of 640 x 480 pixels.
    """
    rows = []
    for name in DETECTORS:
        detector = DETECTORS[name](name)
        crops = [_found_again(detector, face) for face in faces.images]
        found = np.array([crop is not None for crop in crops])
        again = np.array([crop for crop in crops if crop is not None], np.uint8)
        shares = [f"{found.mean():.1%}", "", "", ""]
        if found.any():
            before = _accuracy(read, faces.images[found], faces.labels[found])
            after = _accuracy(read, again, faces.labels[found])
            shares[1:] = [f"{before:.1%}", f"{after:.1%}", f"{100 * (after - before):+.1f}"]
        rows.append([name, *shares])
    heads = ["detector", "found", "as FER2013 crops them", "found and cropped", "points"]
    return _table(heads, rows)


def _accuracy(
    read: ExpressionNetwork, images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> float:
    return float((read_faces(read, images).argmax(axis=1) == labels).mean())


def _found_again(detector: Detector, face: Face) -> Face | None:
    large = cv2.resize(face, (_SET_IN_PX, _SET_IN_PX), interpolation=cv2.INTER_CUBIC)
    rims = (480 - _SET_IN_PX) // 2, (640 - _SET_IN_PX) // 2
    grey = cv2.copyMakeBorder(large, rims[0], rims[0], rims[1], rims[1], cv2.BORDER_REPLICATE)
    picture = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    found = largest([face for face in detector.faces(picture) if face.is_clear])
    return cropped(picture, found.square) if found is not None and found.square else None


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    write_figures(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:4]))
