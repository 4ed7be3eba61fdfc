"""A person's progress over sessions, as a page: goals, what was counted, expressions, self-reports.

It is shown on the terminal as the same text that is written.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from affetti.analyzer.analysis import analyze
from affetti.analyzer.measures.progress import (
    MIN_COVERAGE,
    MIN_SESSIONS,
    MIN_TO_COMPARE,
    Counted,
    Series,
    Sitting,
    recurring,
    series_of,
    sitting_of,
)
from affetti.analyzer.replay import shown
from affetti.analyzer.report import wording
from affetti.analyzer.report.beside import annotated
from affetti.analyzer.report.blocks import Block, Cell, Page, Pair, Part, Section, Table, Text
from affetti.analyzer.report.counted import unlabelled
from affetti.core.codes import Digest
from affetti.core.custody.keys import DataKey
from affetti.core.custody.standing import Source
from affetti.core.custody.withdrawal import recordings_of
from affetti.core.emotions import EXPRESSIONS
from affetti.core.errors import AffettiError, FileMissing
from affetti.core.events.people import GoalStateChanged
from affetti.core.language import (
    brief_date,
    date,
    decimal,
    language,
    percent,
    text,
    time_of_day,
    word,
)
from affetti.core.people.annotations import CONCLUSION
from affetti.core.people.history import Goal, PersonState
from affetti.core.people.log import person_state
from affetti.core.people.person import checked_code
from affetti.core.recording.names import one_of_each
from affetti.core.recording.session import Session
from affetti.core.streams import ROOM

_SHOWN: Final = 6  # sessions whose values stand side by side; the mean is over all
_HEARD: Final = ("music", "speech", "singing", "other_voice")


@dataclass
class Progress:
    """A person over sessions.

    Attributes
    ----------
    person
        The code.
    sittings
        The sessions in order of time.
    conclusions
        What was concluded, by session.
    known
        What is known of the person beside their recordings.
    unread
        Recordings that could not be read, whose they may be is not known.
    keys
        Of the recordings that it rests on, as they were read; None: it is not encrypted.
    """

    person: str
    sittings: list[Sitting] = field(default_factory=list)
    conclusions: dict[Digest, str] = field(default_factory=dict)
    known: PersonState = field(default_factory=PersonState)
    unread: list[tuple[Path, AffettiError]] = field(default_factory=list)
    keys: dict[Source, DataKey | None] = field(default_factory=dict)


def progress_of(
    person: str, folder: Path, done: Callable[[int, int], None] = lambda done, total: None
) -> Progress:
    """Return a person over the sessions in a folder and below.

    Parameters
    ----------
    person
        The code.
    folder
        Of recordings.
    done
        Called with the sessions read and all there are.

    Raises
    ------
    AffettiError
        There is neither a recording of the person nor a log.
    """
    paths, unread = recordings_of(checked_code(person), [folder])
    paths = one_of_each(paths)
    found = Progress(person, known=person_state(person, folder), unread=unread)
    for i, path in enumerate(paths):
        try:
            with Session.open(path) as session:
                found.sittings.append(sitting_of(analyze(session, shown(session))))
                _take_in(found, session)
        except AffettiError as error:
            found.unread.append((path, error))
        done(i + 1, len(paths))
    if not found.sittings and not found.known.goals:
        raise FileMissing("progress.nothing", person=person, folder=folder)
    found.sittings.sort(key=lambda each: each.wall_clock)
    return found


def _take_in(found: Progress, session: Session) -> None:
    said = [each.text for each in annotated(session) if each.label == CONCLUSION]
    if said:
        found.conclusions[session.session_id] = said[-1]
    found.keys[session.source] = session.key


def page_over(progress: Progress) -> Page:
    """Return the page of a person's progress."""
    sittings = progress.sittings
    person = progress.person
    first, last = (sittings[0], sittings[-1]) if sittings else (None, None)
    day = ""
    if first is not None and last is not None:
        days = date(first.wall_clock), date(last.wall_clock)
        day = days[0] if days[0] == days[1] else text("progress.span", first=days[0], last=days[1])
    return Page(
        language=language(),
        version=version("affetti"),
        subject=f"progress-{person}",
        kicker=text("progress.kicker"),
        person=person,
        day=day,
        title=text("report.title", person=person, date=day),
        facts=_facts(sittings),
        notices=tuple(_notices(progress)),
        altered="",
        sections=tuple(_sections(progress)),
        footer=(text("report.reminder"), text("report.footer")),
        rests_on=tuple(each.session_id for each in sittings),
    )


def _facts(sittings: Sequence[Sitting]) -> tuple[Pair, ...]:
    seen = [each.face.coverage for each in sittings if not math.isnan(each.face.coverage)]
    total_s = sum(each.duration_s for each in sittings)
    return (
        Pair(text("progress.sessions"), str(len(sittings))),
        Pair(text("progress.time"), wording.clock(total_s)),
        Pair(
            text("report.face_seen"),
            text("progress.from_to", low=percent(min(seen)), high=percent(max(seen)))
            if seen
            else wording.UNKNOWN,
        ),
    )


def _notices(progress: Progress) -> Iterator[str]:
    if not any(each.face.said for each in progress.sittings):
        yield text("progress.no_face")
    if len(progress.sittings) < MIN_SESSIONS:
        yield wording.number(len(progress.sittings), "few_sessions")
    if progress.unread:
        yield wording.number(len(progress.unread), "unread_recordings")


def _sections(progress: Progress) -> Iterator[Section]:
    sittings = progress.sittings
    blocks: list[tuple[str, list[Block], Part]] = [
        ("goals", _goals(progress.known), "front"),
        ("sessions", _sessions(progress), "front"),
        ("counted", _counted(sittings), "front"),
        ("tracks", _tracks(sittings), "body"),
        ("reports", _reports(sittings), "body"),
        ("how", [Text(_how(), "caption")], "appendix"),
    ]
    for name, found, part in blocks:
        if found:
            title = text("progress.sessions_of" if name == "sessions" else f"progress.{name}")
            yield Section(name, title, tuple(found), part)


def _how() -> str:
    return text(
        "progress.method", sessions=MIN_SESSIONS, compare=MIN_TO_COMPARE,
        coverage=percent(MIN_COVERAGE),
    )  # fmt: skip


def _goals(known: PersonState) -> list[Block]:
    rows = tuple(
        (
            Cell(goal.words, "given"),
            Cell(word("goal", goal.state)),
            Cell(text("page.since", date=date(goal.since)), small=_history(goal)),
        )
        for goal in known.goals.values()
        if not goal.dropped
    )
    return [Table((), rows, kind="goals")] if rows else []


def _history(goal: Goal) -> str:
    said = [text("progress.set_on", date=date(goal.set_on))]
    said += [
        text("progress.state_on", state=word("goal", entry.state), date=date(entry.written))
        for entry in goal.history
        if isinstance(entry, GoalStateChanged)
    ]
    return "; ".join(said)


def _sessions(progress: Progress) -> list[Block]:
    if not progress.sittings:
        return []
    names = ("day", "length", "seen", "heard", "concluded")
    head = tuple(text(f"progress.{name}") for name in names)
    rows = tuple(
        (
            Cell(date(each.wall_clock)),
            Cell(wording.clock(each.duration_s), "figure"),
            Cell(percent(each.face.coverage), "figure"),
            Cell(percent(each.music.coverage), "figure"),
            Cell(progress.conclusions.get(each.session_id, wording.UNKNOWN), "given"),
        )
        for each in progress.sittings
    )
    return [Table(head, rows, kind="sessions")]


def _counted(sittings: Sequence[Sitting]) -> list[Block]:
    every = dict.fromkeys(name for each in sittings for name in each.rates)
    names = [name for name in every if _is_told(name, sittings)]
    rows = [
        (_name_of(name), [each.rates.get(name, math.nan) for each in sittings]) for name in names
    ]
    return _table(rows, sittings, lambda value: decimal(max(value, 0.0), 2))


def _is_told(name: Counted, sittings: Sequence[Sitting]) -> bool:
    label, form, _ = name
    heard = label in _HEARD and any(each.rates.get(name, 0) > 0 for each in sittings)
    return form != "heard" or heard


def _name_of(name: Counted) -> str:
    label, form, stream = name
    if form != "heard":
        return label or unlabelled(form)
    kind = word("heard", label)
    if stream == ROOM:
        return text("page.counted.in_room", kind=kind)
    return text("page.counted.in_stream", kind=kind, stream=stream)


def _tracks(sittings: Sequence[Sitting]) -> list[Block]:
    """Return what the face expressed in tracks that recur: of each its two strongest words."""
    rows = []
    for title in recurring(sittings):
        series = {
            label: [each.tracks.get((title, label), math.nan) for each in sittings]
            for label in EXPRESSIONS
        }
        strongest = sorted(series, key=lambda label: -series_of(series[label]).mean)[:2]
        rows += [
            (text("progress.of_track", title=title, what=wording.emotion_word(label)),
             series[label])
            for label in strongest
        ]  # fmt: skip
    return _table(rows, sittings, lambda value: percent(min(max(value, 0.0), 1.0)))


def _reports(sittings: Sequence[Sitting]) -> list[Block]:
    names = dict.fromkeys(name for each in sittings for name in each.reports)
    rows = [
        (word("scale", name), [each.reports.get(name, math.nan) for each in sittings])
        for name in names
    ]
    return _table(rows, sittings, lambda value: decimal(value, 1))


def _days(sittings: Sequence[Sitting]) -> list[str]:
    """Return the days of sessions; with the time of day where a day has several."""
    begun = [datetime.fromisoformat(each.wall_clock) for each in sittings]
    days = Counter(each.date() for each in begun)
    return [
        f"{brief_date(each.date())} {time_of_day(each.isoformat())}"
        if days[each.date()] > 1
        else brief_date(each.date())
        for each in begun
    ]


def _table(
    rows: Sequence[tuple[str, list[float]]],
    sittings: Sequence[Sitting],
    shown: Callable[[float], str],
) -> list[Block]:
    """Return measures over sessions: the latest side by side, and what all of them come to."""
    if not rows:
        return []
    latest = sittings[-_SHOWN:]
    head = (
        text("progress.of"),
        *_days(latest),
        text("progress.mean"),
        text("progress.change"),
    )
    made = tuple(_row(name, series_of(values), shown) for name, values in rows)
    return [Table(head, made, kind="series")]


def _row(name: str, series: Series, shown: Callable[[float], str]) -> tuple[Cell, ...]:
    def figure(value: float) -> str:
        return wording.UNKNOWN if math.isnan(value) else shown(value)

    bounds = ""
    if not math.isnan(series.low):
        bounds = text("progress.from_to", low=shown(series.low), high=shown(series.high))
    return (
        Cell(name),
        *(Cell(figure(value), "figure") for value in series.values[-_SHOWN:]),
        Cell(figure(series.mean), "figure", small=bounds),
        Cell(text(f"progress.change.{series.direction}")),
    )
