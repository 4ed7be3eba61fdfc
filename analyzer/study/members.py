"""The sessions of a study, read back from their analyses, and the rows that they give."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.analyzer.measures.estimates import MODALITIES, ModalityName
from affetti.analyzer.tables.csv_file import read_csv
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import EMOTIONS

MIN_QUIET_S: Final = 5.0  # of the face seen, below which nothing is compared with it

Cells = dict[str, list[Any]]


@dataclass(frozen=True)
class Member:
    """A session that belongs to a study.

    Attributes
    ----------
    name, path, session_id, person
        Of its file without the suffix, where that is, of the session, and a pseudonym.
    labels
        What the design says of it.
    duration_s, imported
        How long it is, and whether it was imported.
    tracks, segments, estimates, moments, counts
        Tables of its analysis, by column; the estimates are those of the face.
    """

    name: str
    path: Path
    session_id: str
    person: str
    labels: dict[str, str]
    duration_s: float
    imported: bool
    tracks: Cells
    segments: Cells
    estimates: Cells
    moments: Cells
    counts: Cells

    @property
    def lead(self) -> list[Any]:
        """What every row of it begins with."""
        return [self.session_id, self.name, self.person, *self.labels.values()]

    @cached_property
    def face(self) -> "_Segments":
        """The segments of the face, as arrays."""
        return _Segments(self)

    @cached_property
    def readings(self) -> "_Readings":
        """What the face expressed moment by moment, as arrays."""
        return _Readings(self)

    def rows_of(self, cells: Cells) -> Iterator[dict[str, Any]]:
        """Yield the rows of a table."""
        for i in range(len(next(iter(cells.values()), []))):
            yield {column: values[i] for column, values in cells.items()}


def read_member(folder: Path, name: str, labels: dict[str, str], **told: Any) -> Member:
    """Return a session by the folder of its analysis, and what is `told` of it otherwise."""
    tracks, segments, moments, counts = (
        read_csv(folder / f"{table}.csv") for table in ("tracks", "segments", "moments", "counts")
    )
    faces = read_csv(folder / "estimates_face.csv")
    return Member(
        name=name,
        labels=labels,
        tracks=tracks,
        segments=segments,
        estimates={column: faces[column] for column in ("t_ns", *EMOTIONS)},
        moments=moments,
        counts=counts,
        **told,
    )


@dataclass(frozen=True)
class Around:
    """What a face expressed without music, and before, during and after a track.

    Each is float64 [4], the mean probability in the order of `EMOTIONS`, NaN where the face was
    not seen, with the seconds that it was.
    """

    quiet: NDArray[np.float64]
    before: NDArray[np.float64]
    during: NDArray[np.float64]
    after: NDArray[np.float64]
    quiet_s: float
    before_s: float
    during_s: float
    after_s: float


def around(member: Member, track: dict[str, Any], window_s: float) -> Around:
    """Return what the face expressed around a track.

    Every estimate counts to where its moment lies, so that `during` is what the track's own table
    says of the face. Before and after are `window_s` seconds, without what lies in another track;
    quiet is what lies in none.

    Parameters
    ----------
    member, track
        The session, and a row of its tracks.
    window_s
        How long before and after are.
    """
    face, start_s, stop_s = member.readings, track["start_s"], track["stop_s"]
    t_s, outside = face.t_s, np.logical_not(face.inside)
    quiet, quiet_s = face.mean(outside)
    before, before_s = face.mean(outside & (t_s >= start_s - window_s) & (t_s < start_s))
    during, during_s = face.mean((t_s >= start_s) & (t_s < stop_s))
    after, after_s = face.mean(outside & (t_s >= stop_s) & (t_s < stop_s + window_s))
    if quiet_s < MIN_QUIET_S:
        quiet = np.full(len(EMOTIONS), np.nan)
    return Around(quiet, before, during, after, quiet_s, before_s, during_s, after_s)


class _Segments:
    """The segments of a session, of its face: where each lies, and what it expressed."""

    def __init__(self, member: Member) -> None:
        rows = [row for row in member.rows_of(member.segments) if row["modality"] == "face"]
        self.number = np.array([row["segment"] for row in rows], np.int64)
        self.middle_s = np.array([(row["start_s"] + row["stop_s"]) / 2 for row in rows])
        self.said = sum(row["said"] or 0 for row in rows)
        self.covered_s = sum(row["covered_s"] or 0.0 for row in rows)
        values = [[_number(row[emotion]) for emotion in EMOTIONS] for row in rows]
        self.shares = np.array(values, np.float64).reshape(len(rows), len(EMOTIONS))


class _Readings:
    """The estimates of a session's face that said something: when, and what it expressed."""

    def __init__(self, member: Member) -> None:
        columns = [[_number(v) for v in member.estimates[emotion]] for emotion in EMOTIONS]
        shares = np.array(columns, np.float64).reshape(len(EMOTIONS), -1).T
        spoken = np.logical_not(np.isnan(shares).any(axis=1))
        t_ns = np.array(member.estimates["t_ns"], np.int64)
        self.t_s, self.shares = t_ns[spoken] / NS_PER_S, shares[spoken]
        self.inside = np.zeros(len(self.t_s), bool)
        for track in member.rows_of(member.tracks):
            self.inside |= (self.t_s >= track["start_s"]) & (self.t_s < track["stop_s"])
        # How long each stands for.
        self._each_s = member.face.covered_s / max(member.face.said, 1)

    def mean(self, chosen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
        """Return the mean of some, and the seconds that they stand for."""
        if not chosen.any():
            return np.full(len(EMOTIONS), np.nan), 0.0
        return self.shares[chosen].mean(axis=0), float(self._each_s * chosen.sum())


def coverage(track: dict[str, Any], modality: ModalityName) -> float:
    """Return how much of a track a modality covers, 0 to 1; NaN where none was due."""
    return _number(track[f"{modality}_coverage"])


def probabilities(track: dict[str, Any]) -> Iterator[tuple[ModalityName, str, float]]:
    """Yield the mean probability of each emotion in a track, by modality."""
    for modality in MODALITIES:
        for emotion in EMOTIONS:
            yield modality, emotion.value, _number(track[f"{modality}_{emotion.value}"])


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
