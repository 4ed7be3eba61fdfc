"""Each playing of a track in a study: what was expected, said and rated of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from affetti.analyzer.measures.estimates import MODALITIES, ModalityName
from affetti.analyzer.study.members import Member, coverage, probabilities
from affetti.analyzer.tables.csv_file import read_csv
from affetti.core.clock import NS_PER_S
from affetti.core.custody import boxes
from affetti.core.custody.artefacts import ANNOTATIONS
from affetti.core.emotions import EMOTIONS, EXPRESSION_TO_EMOTION, EXPRESSIONS, FloatArray
from affetti.core.language import word
from affetti.core.people import annotations

EXPECTED: Final = "expected"
SELF_REPORT: Final = "self_report"
RATERS: Final = "raters"
REFERENCES: Final = (EXPECTED, SELF_REPORT, RATERS)
_CODES: Final = tuple(emotion.value for emotion in EMOTIONS)
_SEVEN: Final = tuple(expression.value for expression in EXPRESSIONS)
# By valence and arousal, whether each is above nought: the quadrants of Russell's circumplex.
_QUADRANTS: Final = {
    (True, True): "happiness",
    (False, False): "sadness",
    (False, True): "anger",
    (True, False): "relaxation",
}


@dataclass(frozen=True)
class Judged:
    """One playing of a track.

    Attributes
    ----------
    session_id, session, person
        Whose, and of which recording.
    track, title
        Its position in the playlist of the session, and what it is called.
    columns
        What the playlist says of it further.
    truths
        By `REFERENCES`, the emotion that is held against; None where nobody said.
    said
        By modality, the emotion with the highest mean probability; None where less of the track
        was seen or heard than counts.
    coverages
        By modality, how much was, 0 to 1; NaN where nothing was due.
    """

    session_id: str
    session: str
    person: str
    track: int
    title: str
    columns: Mapping[str, str]
    truths: Mapping[str, str | None]
    said: Mapping[ModalityName, str | None]
    coverages: Mapping[ModalityName, float]


def judged(member: Member, folder: Path, columns: Sequence[str], least: float) -> list[Judged]:
    """Return every playing of a session.

    Parameters
    ----------
    member, folder
        The session, and the folder of its analysis.
    columns
        Of the playlist, that are kept.
    least
        The share of a track that must have been seen or heard for a modality to count.

    Raises
    ------
    AffettiError
        Its annotations cannot be read.
    """
    reports = list(member.rows_of(read_csv(folder / "self_reports.csv")))
    labels = _labels(member)
    found = []
    for row in member.rows_of(member.tracks):
        truths = {
            EXPECTED: _expected(row),
            SELF_REPORT: _reported(row, reports),
            RATERS: _rated(row, labels),
        }
        found.append(_judged(member, row, truths, columns, least))
    return found


def _expected(row: dict[str, Any]) -> str | None:
    expected = row.get("expected_emotion")
    return expected if expected in _CODES else None


def _judged(
    member: Member,
    row: dict[str, Any],
    truths: Mapping[str, str | None],
    columns: Sequence[str],
    least: float,
) -> Judged:
    coverages = {name: coverage(row, name) for name in MODALITIES}
    return Judged(
        member.session_id,
        member.name,
        member.person,
        row["track"],
        row["title"] or "",
        {name: row.get(name) or "" for name in columns},
        truths,
        {name: _said(row, name, coverages[name] >= least) for name in MODALITIES},
        coverages,
    )


def _said(row: dict[str, Any], modality: ModalityName, counts: bool) -> str | None:
    means = [mean for name, _, mean in probabilities(row) if name == modality]
    if not counts or np.isnan(means).any():
        return None
    return _CODES[int(np.argmax(means))]


def _reported(row: dict[str, Any], reports: Sequence[dict[str, Any]]) -> str | None:
    """Return what the person said of a track: their last word on it that names an emotion."""
    of_it = [r for r in reports if r["track"] == row["track"] and r["t_s"] >= row["start_s"]]
    named = [emotion for r in of_it if (emotion := emotion_of(r)) is not None]
    return named[-1] if named else None


def emotion_of(report: Mapping[str, Any]) -> str | None:
    """Return which of the four emotions a self-report names.

    The word, where it is that of one of them; else the quadrant of the circumplex that valence and
    arousal lie in (Russell 1980); None where it names none.
    """
    said = str(report.get("emotion") or "").strip().casefold()
    for code in _CODES:
        if said in (code, word("emotion", code).casefold()):
            return code
    valence, arousal = report.get("valence"), report.get("arousal")
    return _QUADRANTS[valence > 0, arousal > 0] if valence and arousal else None


def _labels(member: Member) -> list[annotations.Annotation]:
    """Return what raters labelled of a session: stretches with one of the emotions."""
    log = member.path.with_name(ANNOTATIONS.name(member.path))
    if boxes.found_at(log) is None:
        return []
    return [
        each
        for each in annotations.standing(annotations.read(log))
        if each.session_id == member.session_id
        and each.start_ns is not None
        and each.label in (*_SEVEN, *_CODES)
    ]


def _rated(row: dict[str, Any], labels: Sequence[annotations.Annotation]) -> str | None:
    """Return the emotion that raters' labels have for most of their time in a track."""
    times: FloatArray = np.zeros(len(_CODES))
    for each in labels:
        start_s, stop_s = (each.start_ns or 0) / NS_PER_S, (each.stop_ns or 0) / NS_PER_S
        inside_s = min(stop_s, row["stop_s"]) - max(start_s, row["start_s"])
        if inside_s > 0:
            times += inside_s * _weights(each.label)
    return _CODES[int(np.argmax(times))] if times.any() else None


def _weights(label: str) -> FloatArray:
    if label in _SEVEN:
        return np.asarray(EXPRESSION_TO_EMOTION[_SEVEN.index(label)])
    return np.asarray(np.eye(len(_CODES))[_CODES.index(label)])


def by_reference(rows: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Return the playings of which something is held against, by what that is."""
    found: dict[str, list[Judged]] = defaultdict(list)
    for row in rows:
        for reference in REFERENCES:
            if row.truths[reference] is not None:
                found[reference].append(row)
    return {name: found[name] for name in REFERENCES if name in found}
