"""A study's tables: who is in it, what each track expressed, and statistics over persons."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from affetti.analyzer.batch import Outcome
from affetti.analyzer.measures.estimates import MODALITIES
from affetti.analyzer.study.design import PERSON, Design, key_of
from affetti.analyzer.study.members import (
    Member,
    around,
    coverage,
    probabilities,
    read_member,
)
from affetti.analyzer.study.statistics import by_person, contrast, described, pairs_of
from affetti.analyzer.tables.columns import COUNTED, Type
from affetti.analyzer.tables.study_columns import COLUMNS, type_in_study
from affetti.analyzer.tables.table import Row, Table
from affetti.core.emotions import EMOTIONS
from affetti.core.errors import UsageError
from affetti.core.events.consent import RESEARCH
from affetti.core.recording.session import Session

Reason = Literal[
    "failed",
    "no_consent",
    "consent_not_stated",
    "not_in_design",
    "no_condition",
    "no_recording",
    "coverage",
]
WHOLE: Final = "(session)"  # in place of a title
RATES: Final = ("rate_per_min", "time_share")
CHANGES: Final = ("before", "during", "after", "change", "after_minus_before")


@dataclass(frozen=True)
class Rules:
    """How a study is summed up.

    Attributes
    ----------
    by
        The column of the design that sessions are grouped by; "" for none.
    window_s
        How long before and after a track are looked at.
    min_coverage
        Of a track by a modality, below which it is left out for that modality.
    """

    by: str = ""
    window_s: float = 30.0
    min_coverage: float = 0.5


@dataclass(frozen=True)
class Excluded:
    """What was left out: a session, or a modality of one of its tracks."""

    session: str
    reason: Reason
    session_id: str = ""
    track: int | None = None
    modality: str = ""
    coverage: float = float("nan")


@dataclass
class Group:
    """A study that was summed up.

    Attributes
    ----------
    members, excluded
        Who is in it, and what is not.
    rules, labels
        How, and the columns of the design.
    """

    rules: Rules
    labels: tuple[str, ...]
    members: list[Member] = field(default_factory=list)
    excluded: list[Excluded] = field(default_factory=list)

    @property
    def levels(self) -> list[str]:
        """The conditions, in order of their names."""
        return sorted({self.level_of(member) for member in self.members})

    def level_of(self, member: Member) -> str:
        """Return the condition of a session."""
        return member.labels.get(self.rules.by, "all") if self.rules.by else "all"

    def tables(self) -> list[Table]:
        """Return all tables."""
        emotions, changes, counts = self._emotions(), self._changes(), self._counts()
        return [
            self._sessions(),
            emotions,
            self._markers(),
            counts,
            changes,
            *self._summaries(emotions, changes, counts),
            self._left_out(),
        ]

    def _table(self, name: str, columns: Sequence[str], rows: Iterator[Row], lead: bool) -> Table:
        first = ("session_id", "session", "person", *self.labels) if lead else ()
        names = (*first, *columns)
        types: dict[str, Type] = {n: type_in_study(n, self.labels) for n in names}
        return Table(name, names, list(rows), types, COLUMNS)

    def _sessions(self) -> Table:
        rows = (
            [*m.lead, m.duration_s, int(m.imported), len(m.tracks.get("track", []))]
            for m in self.members
        )
        return self._table("sessions", ("duration_s", "imported", "tracks"), rows, lead=True)

    @property
    def _playlist(self) -> tuple[str, ...]:
        """Every column that a playlist added to the tables, in any session."""
        found: dict[str, None] = {}
        for member in self.members:
            columns = list(member.tracks)
            at = columns.index("expected_emotion") if "expected_emotion" in columns else None
            found |= dict.fromkeys(() if at is None else columns[at + 1 :])
        return tuple(name for name in found if name not in self.labels)

    def _tracks(self) -> Iterator[tuple[Member, dict[str, Any], Row]]:
        """Yield each track of each session, with what its rows begin with."""
        for member in self.members:
            for track in member.rows_of(member.tracks):
                told = [track[n] for n in ("track", "title", "start_s", "stop_s", "played_s")]
                further = [track.get(n) for n in ("expected_emotion", *self._playlist)]
                yield member, track, [*member.lead, *told, *further]

    @property
    def _of_track(self) -> tuple[str, ...]:
        told = ("track", "title", "start_s", "stop_s", "played_s", "expected_emotion")
        return (*told, *self._playlist)

    def _emotions(self) -> Table:
        """Return a row a session, track, modality and emotion."""

        def rows() -> Iterator[Row]:
            for _, track, lead in self._tracks():
                for modality, emotion, probability in probabilities(track):
                    share = coverage(track, modality)
                    if share >= self.rules.min_coverage and not np.isnan(probability):
                        yield [*lead, modality, emotion, probability, share, track["congruence"]]

        columns = (*self._of_track, "modality", "emotion", "probability", "coverage", "congruence")
        return self._table("track_emotions", columns, rows(), lead=True)

    def _markers(self) -> Table:
        """Return a row a session, track and marker that was set in it."""

        def rows() -> Iterator[Row]:
            for member, track, lead in self._tracks():
                for moment in member.rows_of(member.moments):
                    if moment["kind"] != "marker":
                        continue
                    t_s = moment["t_s"]
                    if track["start_s"] <= t_s < track["stop_s"]:
                        yield [*lead, t_s, t_s - track["start_s"], moment["text"]]

        columns = (*self._of_track, "t_s", "since_start_s", "text")
        return self._table("track_markers", columns, rows(), lead=True)

    def _counts(self) -> Table:
        """Return a row a session, or a track of it, and what was counted in it."""

        def rows() -> Iterator[Row]:
            for member in self.members:
                for count in member.rows_of(member.counts):
                    of_track = count["track"], count["title"] or ""
                    yield [*member.lead, *of_track, *(count[name] for name in COUNTED)]

        return self._table("counts", ("track", "title", *COUNTED), rows(), lead=True)

    def _changes(self) -> Table:
        """Return a row a session, track and emotion, of the face: what changed against what."""

        def rows() -> Iterator[Row]:
            for member, track, lead in self._tracks():
                if not coverage(track, "face") >= self.rules.min_coverage:
                    continue
                found = around(member, track, self.rules.window_s)
                seconds = [found.quiet_s, found.before_s, found.during_s, found.after_s]
                for i, emotion in enumerate(EMOTIONS):
                    quiet, before, during, after = (
                        float(part[i])
                        for part in (found.quiet, found.before, found.during, found.after)
                    )
                    values = [quiet, before, during, after, during - quiet, after - before]
                    yield [*lead, emotion.value, *values, *seconds]

        parts = ("quiet", "before", "during", "after")
        columns = (
            *(*self._of_track, "emotion", *parts, "change", "after_minus_before"),
            *(f"{name}_s" for name in parts),
        )
        return self._table("track_changes", columns, rows(), lead=True)

    def _summaries(self, emotions: Table, changes: Table, counts: Table) -> tuple[Table, Table]:
        """Return the figures of each condition, and the differences between them."""
        # By title, measure and emotion, and then by condition: session, person and value.
        cells: dict[tuple[str, str, str], dict[str, list[tuple[str, str, float]]]] = {}
        for title, measure, emotion, level, who in self._values(emotions, changes, counts):
            cells.setdefault((title, measure, emotion), {}).setdefault(level, []).append(who)

        def figures() -> Iterator[Row]:
            for (title, measure, emotion), found in cells.items():
                for level in self.levels:
                    values = found.get(level, [])
                    told = by_person([(person, value) for _, person, value in values])
                    brief = described(np.array(list(told.values()), np.float64))
                    effect = brief.standardized if measure in _DIFFERENCES else float("nan")
                    sessions = len({session for session, _, v in values if not np.isnan(v)})
                    counts = [sessions, brief.persons, brief.mean, brief.sd, brief.low, brief.high]
                    yield [level, title, measure, emotion, *counts, effect]

        def contrasts() -> Iterator[Row]:
            for (title, measure, emotion), found in cells.items():
                told = {
                    level: by_person([(person, value) for _, person, value in values])
                    for level, values in found.items()
                }
                for first, second in pairs_of(self.levels):
                    c = contrast(told.get(first, {}), told.get(second, {}))
                    row = [c.kind, c.persons, c.difference, c.low, c.high, c.effect]
                    yield [first, second, title, measure, emotion, *row]

        columns = ("condition", "title", "measure", "emotion", "sessions", "persons")
        brief_columns = (*columns, "mean", "sd", "low", "high", "effect")
        of_two = ("first", "second", "title", "measure", "emotion", "kind", "persons")
        of_two_columns = (*of_two, "difference", "low", "high", "effect")
        return (
            self._table("summary", brief_columns, figures(), lead=False),
            self._table("contrasts", of_two_columns, contrasts(), lead=False),
        )

    def _values(
        self, emotions: Table, changes: Table, counts: Table
    ) -> Iterator[tuple[str, str, str, str, tuple[str, str, float]]]:
        """Yield each value with its title, measure, emotion and condition, and whose it is."""
        level_of = {member.session_id: self.level_of(member) for member in self.members}
        for row in _named(emotions):
            who = row["session_id"], row["person"], row["probability"]
            for title in ("all", row["title"]):
                measure = f"probability_{row['modality']}"
                yield title, measure, row["emotion"], level_of[row["session_id"]], who
        for row in _named(changes):
            for title in ("all", row["title"]):
                for measure in CHANGES:
                    value = row["session_id"], row["person"], row[measure]
                    yield title, measure, row["emotion"], level_of[row["session_id"]], value
        for row in _named(counts):
            title = WHOLE if row["track"] is None else row["title"]
            for measure in RATES:
                if row[measure] is not None:
                    value = row["session_id"], row["person"], row[measure]
                    yield title, measure, row["label"], level_of[row["session_id"]], value

    def _left_out(self) -> Table:
        columns = ("session_id", "session", "track", "modality", "coverage", "reason")
        rows = (
            [e.session_id, e.session, e.track, e.modality, e.coverage, e.reason]
            for e in [*self.excluded, *self._uncovered()]
        )
        return self._table("excluded", columns, rows, lead=False)

    def _uncovered(self) -> Iterator[Excluded]:
        for member, track, _ in self._tracks():
            for modality in MODALITIES:
                share = coverage(track, modality)
                if not share >= self.rules.min_coverage:
                    yield Excluded(
                        *(member.name, "coverage", member.session_id, track["track"]),
                        *(modality, share),
                    )


_DIFFERENCES: Final = ("change", "after_minus_before")


def _named(table: Table) -> Iterator[dict[str, Any]]:
    for row in table.rows:
        yield dict(zip(table.columns, row, strict=True))


def grouped(
    outcomes: Sequence[Outcome],
    design: Design,
    rules: Rules,
    done: Callable[[Path], object] = lambda path: None,
) -> Group:
    """Return a study of sessions that were analyzed.

    Parameters
    ----------
    outcomes
        What became of the analysis of each; one that failed is left out.
    design, rules
        Who belongs to what, and how it is summed up.
    done
        Called with each recording once it was read.

    Raises
    ------
    AffettiError
        The column to group by is not in the design, or that means two recordings by one name.
    """
    if rules.by and rules.by not in design.columns:
        raise UsageError("group.no_column", by=rules.by, columns=", ".join(design.columns) or "-")
    refuse_taken(design)
    _refuse_ambiguous([outcome.path for outcome in outcomes], design)
    labels = tuple(name for name in design.columns if name != PERSON)
    group, named = Group(rules, labels), set()
    for outcome in outcomes:
        name = outcome.path.stem
        named.add(key_of(name))
        if outcome.folder is None or outcome.error is not None:
            group.excluded.append(Excluded(name, "failed"))
            continue
        found = _member(outcome, design, labels, rules)
        named.add(found.session_id)
        if isinstance(found, Member):
            group.members.append(found)
        else:
            group.excluded.append(found)
        done(outcome.path)
    missing = [name for name in design.rows or {} if name not in named]
    group.excluded += [Excluded(name, "no_recording") for name in missing]
    return group


def refuse_taken(design: Design) -> None:
    """Refuse a design with a column that the tables have already."""
    bare = (table for table in Group(Rules(), ()).tables() if PERSON in table.columns)
    taken = {column for table in bare for column in table.columns} - {PERSON}
    twice = next((name for name in design.columns if name in taken), None)
    if twice is not None:
        raise UsageError("group.design_taken", name=twice)


def _refuse_ambiguous(paths: Sequence[Path], design: Design) -> None:
    names = Counter(key_of(path.stem) for path in paths)
    twice = next((name for name in design.rows or {} if names[name] > 1), None)
    if twice is not None:
        raise UsageError("group.ambiguous", name=twice)


def _member(
    outcome: Outcome, design: Design, labels: tuple[str, ...], rules: Rules
) -> Member | Excluded:
    name, folder = outcome.path.stem, outcome.folder
    with Session.open(outcome.path) as session:
        info, withdrawn = session.info, session.state.withdrawals
    ended = {scope for each in withdrawn for scope in each.scopes}
    agreed = info.consent.get(RESEARCH, False)
    if not agreed or RESEARCH in ended:
        reason: Reason = "consent_not_stated" if agreed is None else "no_consent"
        return Excluded(name, reason, info.session_id)
    said = design.labels_of(info.session_id, name)
    if said is None or folder is None:
        return Excluded(name, "not_in_design", info.session_id)
    if rules.by and not said.get(rules.by):
        return Excluded(name, "no_condition", info.session_id)
    return read_member(
        folder,
        name,
        {label: said.get(label, "") for label in labels},
        path=outcome.path,
        session_id=info.session_id,
        person=said.get(PERSON) or info.person,
        duration_s=info.duration_s,
        imported=info.imported is not None,
    )
