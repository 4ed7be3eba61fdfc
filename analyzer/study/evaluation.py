"""A study evaluated: who is in it, what each pipeline says of each track, and how often rightly."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from affetti.analyzer.batch import Outcome
from affetti.analyzer.measures.estimates import MODALITIES
from affetti.analyzer.study.design import Design
from affetti.analyzer.study.group import Excluded, Rules, grouped
from affetti.analyzer.study.judged import EXPECTED, REFERENCES, Judged, judged
from affetti.analyzer.study.members import Member
from affetti.analyzer.study.published import PUBLISHED, Published
from affetti.analyzer.study.scores import CODES, Figure, Score, scores_of
from affetti.analyzer.tables.evaluation_columns import (
    OF_EMOTION,
    OF_EXCLUDED,
    OF_PAIR,
    OF_PUBLISHED,
    OF_SCORE,
    OF_TRACK,
    table_of,
)
from affetti.analyzer.tables.session_tables import playlist_column
from affetti.analyzer.tables.table import Row, Table
from affetti.core.errors import UsageError
from affetti.core.recording.session import Session

_FILMS: Final = frozenset(
    {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv"}
)


@dataclass(frozen=True)
class Led:
    """A protocol that led sessions of the study.

    Attributes
    ----------
    name, version, sha256
        Which one.
    sessions, steps, done
        How many it led, how many steps were planned in them, and how many done.
    """

    name: str
    version: str
    sha256: str
    sessions: int
    steps: int
    done: int


@dataclass(frozen=True)
class Held:
    """An accuracy that the publication gives, and what the study found beside it.

    `found` is None where nothing was said of any track.
    """

    pipeline: str
    published: Published
    found: Figure | None

    @property
    def inside(self) -> bool:
        """Whether the published figure lies in the interval of what was found."""
        found = self.found
        return found is not None and found.low <= self.published.accuracy <= found.high


@dataclass
class Evaluation:
    """A study that was evaluated.

    Attributes
    ----------
    constructed
        Whether a session of it is nobody's response: imported, of a film, or marked so.
    columns, coverage
        Of tracks that scores are given by, and the share of a track that must be covered.
    members, excluded
        Who is in it, and what is not.
    protocols
        Those that led its sessions.
    rows, scores
        By pipeline every playing of a track; and the scores of all.
    """

    constructed: bool
    columns: tuple[str, ...]
    coverage: float
    members: list[Member] = field(default_factory=list)
    excluded: list[Excluded] = field(default_factory=list)
    protocols: list[Led] = field(default_factory=list)
    rows: dict[str, list[Judged]] = field(default_factory=dict)
    scores: list[Score] = field(default_factory=list)

    @property
    def persons(self) -> int:
        """How many people are in it."""
        return len({member.person for member in self.members})

    @property
    def pipelines(self) -> list[str]:
        """Those that were asked, that of the recordings first."""
        return list(self.rows)

    def scores_for(self, pipeline: str, reference: str, by: str = "") -> list[Score]:
        """Return some scores, in the order of levels and modalities."""
        wanted = (pipeline, reference, by)
        return [s for s in self.scores if (s.pipeline, s.reference, s.by) == wanted]

    def references(self, pipeline: str) -> list[str]:
        """Return what there is to hold against."""
        there = {score.reference for score in self.scores if score.pipeline == pipeline}
        return [reference for reference in REFERENCES if reference in there]

    def held(self) -> list[Held]:
        """Return the published accuracies beside those against what was expected."""
        found = {
            (s.pipeline, s.modality): s.accuracy
            for s in self.scores
            if s.reference == EXPECTED and not s.by and s.tracks
        }
        return [
            Held(pipeline, published, found.get((pipeline, published.modality)))
            for pipeline in self.pipelines
            for published in PUBLISHED
        ]

    def tables(self) -> list[Table]:
        """Return all of it as tables."""
        return [
            table_of("tracks", (*OF_TRACK, *self.columns), self._track_rows()),
            table_of("scores", OF_SCORE, (_score_row(s) for s in self.scores)),
            table_of("emotions", OF_EMOTION, (r for s in self.scores for r in _emotion_rows(s))),
            table_of("confusion", OF_PAIR, (r for s in self.scores for r in _pair_rows(s))),
            table_of("published", OF_PUBLISHED, map(_held_row, self.held())),
            table_of("excluded", OF_EXCLUDED, map(_excluded_row, self.excluded)),
        ]

    def _track_rows(self) -> Iterator[Row]:
        for pipeline, rows in self.rows.items():
            for row in rows:
                lead = [row.session_id, row.session, row.person, row.track, row.title, pipeline]
                truths = [row.truths[reference] for reference in REFERENCES]
                said = [row.said[name] for name in MODALITIES]
                covered = [row.coverages[name] for name in MODALITIES]
                yield [*lead, *truths, *said, *covered, *row.columns.values()]

    def facts(self) -> dict[str, Any]:
        """Return all of it for a machine to read."""
        return {
            "constructed": self.constructed,
            "sessions": len(self.members),
            "persons": self.persons,
            "coverage": self.coverage,
            "by": list(self.columns),
            "pipelines": self.pipelines,
            "protocols": msgspec.to_builtins(self.protocols),
            "left_out": Counter(each.reason for each in self.excluded),
            **{
                table.name: [dict(zip(table.columns, row, strict=True)) for row in table.rows]
                for table in self.tables()
            },
        }


def _lead(score: Score) -> Row:
    return [score.pipeline, score.reference, score.by, score.level, score.modality]


def _of(figure: Figure) -> Row:
    return [figure.value, figure.low, figure.high]


def _score_row(score: Score) -> Row:
    counts = [score.tracks, score.silent, score.persons]
    return [*_lead(score), *counts, *_of(score.accuracy), score.kappa, *_of(score.macro_f1)]


def _emotion_rows(score: Score) -> Iterator[Row]:
    for code, told in score.emotions.items():
        figures = (*_of(told.precision), *_of(told.recall), *_of(told.f1))
        yield [*_lead(score), code, told.tracks, *figures]


def _pair_rows(score: Score) -> Iterator[Row]:
    for i, truth in enumerate(CODES):
        for j, said in enumerate(CODES):
            yield [*_lead(score), truth, said, int(score.confusion[i, j])]


def _held_row(held: Held) -> Row:
    one = held.published
    found = [None, None, None] if held.found is None else _of(held.found)
    lead = [held.pipeline, one.modality, one.place, int(one.held), one.accuracy]
    return [*lead, *found, int(held.inside)]


def _excluded_row(excluded: Excluded) -> Row:
    return [excluded.session_id, excluded.session, excluded.reason]


def evaluated(
    outcomes: Mapping[str, Sequence[Outcome]],
    columns: Sequence[str] = (),
    coverage: float = 0.5,
    *,
    constructed: bool = False,
) -> Evaluation:
    """Return a study evaluated.

    Who did not consent to use in research is left out, and listed.

    Parameters
    ----------
    outcomes
        By pipeline, what became of the analysis of each recording; that of the recordings first.
    columns
        Of tracks, to give scores by.
    coverage
        The share of a track that must have been seen or heard for a modality to count.
    constructed
        Whether its sessions are nobody's responses, whatever they say themselves.

    Raises
    ------
    AffettiError
        No track has one of the columns, or annotations cannot be read.
    """
    names = tuple(dict.fromkeys(playlist_column(name) for name in columns))
    study = Evaluation(constructed, names, coverage)
    for number, (pipeline, found) in enumerate(outcomes.items()):
        group = grouped(found, Design(), Rules(min_coverage=coverage))
        if not number:
            study.members, study.excluded = group.members, group.excluded
            _refuse_unknown(group.members, names)
        folders = {outcome.path: outcome.folder for outcome in found}
        study.rows[pipeline] = [
            row
            for member in group.members
            if (folder := folders[member.path]) is not None
            for row in judged(member, folder, names, coverage)
        ]
        study.scores += scores_of(pipeline, study.rows[pipeline], names)
    _look_at_sessions(study)
    return study


def _refuse_unknown(members: Sequence[Member], names: Sequence[str]) -> None:
    known = {column for member in members for column in member.tracks}
    for name in names if members else ():
        if name not in known:
            raise UsageError("study.no_column", column=name)


def _look_at_sessions(study: Evaluation) -> None:
    """Take in which protocols led the sessions, and whether any of them is constructed."""
    led: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    for member in study.members:
        with Session.open(member.path) as session:
            study.constructed |= _is_constructed(session)
            if (course := session.state.protocol) is not None:
                begun = course.started
                which = (begun.name, begun.version, begun.sha256)
                led.setdefault(which, []).append((len(begun.steps), course.done))
    study.protocols = [
        Led(*which, len(each), sum(steps for steps, _ in each), sum(done for _, done in each))
        for which, each in led.items()
    ]


def _is_constructed(session: Session) -> bool:
    """Whether a session is imported, of a film that stood in for a camera, or marked so."""
    protocol, started = session.state.protocol, session.started
    of_film = Path(started.camera or "").suffix.lower() in _FILMS
    marked = protocol is not None and protocol.started.constructed
    return started.imported is not None or of_film or marked
