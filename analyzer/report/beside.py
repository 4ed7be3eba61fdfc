"""What a page says that is not in the recording: what was added to it, and the session before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from affetti.analyzer.analysis import Analysis, analyze
from affetti.analyzer.replay import shown
from affetti.analyzer.report.blocks import Picture
from affetti.analyzer.report.portraits import portraits_of
from affetti.core.clock import NS_PER_S
from affetti.core.custody import boxes
from affetti.core.custody.artefacts import ANNOTATIONS
from affetti.core.custody.keys import DataKey
from affetti.core.emotions import EXPRESSIONS
from affetti.core.errors import AffettiError
from affetti.core.events.entries import Retracted, now
from affetti.core.language import text, word
from affetti.core.people import annotations
from affetti.core.people.annotations import CHOSEN, CONCLUSION, Annotation
from affetti.core.people.authors import author_id
from affetti.core.people.history import PersonState, as_of, state_of
from affetti.core.people.index import Listed, indexed, newest_first, scanned
from affetti.core.people.log import read
from affetti.core.recording.session import Session

MOMENTS: Final = 3  # on the first page
GoalState: TypeAlias = Literal["not_yet", "emerging", "achieved"]


@dataclass(frozen=True)
class Aim:
    """A goal as it stood, in the therapist's words; `since` is ISO 8601."""

    words: str
    state: GoalState
    since: str


@dataclass(frozen=True)
class Before:
    """The session before this one of the same person.

    Attributes
    ----------
    analysis
        Of the estimates that its own page rests on.
    path
        The recording.
    key
        What it is encrypted with; None: it is not.
    """

    analysis: Analysis
    path: Path
    key: DataKey | None


@dataclass(frozen=True)
class Beside:
    """What is known of a session beside its recording.

    Attributes
    ----------
    annotations
        What was added afterwards and not taken back, in order of the moments they are of.
    before
        The session before; None where there is none that can be read.
    aims
        The person's goals, as they were then.
    aims_changed
        Whether they are others by now.
    chosen_ns
        The moments for the first page, in order of time.
    by_her
        Whether the therapist chose them.
    pictures
        Of those moments, by their time.
    """

    annotations: tuple[Annotation, ...] = ()
    before: Before | None = None
    aims: tuple[Aim, ...] = ()
    aims_changed: bool = False
    chosen_ns: tuple[int, ...] = ()
    by_her: bool = False
    pictures: Mapping[int, Picture] = field(default_factory=dict)

    @property
    def conclusion(self) -> str:
        """What the therapist concludes; "" where she did not."""
        said = [each.text for each in self.annotations if each.label == CONCLUSION]
        return said[-1] if said else ""


NOTHING: Final = Beside()


def beside(session: Session, analysis: Analysis) -> Beside:
    """Return what is known of a session beside its recording.

    Parameters
    ----------
    session
        The recording, open.
    analysis
        Of it.
    """
    added = annotated(session)
    chosen = sorted({place_ns(each, session) for each in added if each.label == CHOSEN})
    times = tuple(chosen[:MOMENTS]) or clearest(analysis)
    theirs = [
        one
        for one in recordings_in(session.path.parent)
        if one.state == "sealed" and one.person == session.started.person
    ]
    aims, today = _aims(session, until(session, theirs))
    return Beside(
        annotations=added,
        before=_before(session, theirs),
        aims=aims,
        aims_changed=aims != today,
        chosen_ns=times,
        by_her=bool(chosen),
        pictures=portraits_of(session, analysis, times),
    )


def annotated(session: Session) -> tuple[Annotation, ...]:
    """Return the standing annotations of a recording, in order of the moments they are of."""
    path = session.path.with_name(ANNOTATIONS.name(session.path))
    if boxes.found_at(path) is None:
        return ()
    entries = annotations.standing(annotations.read(path))
    ours = [each for each in entries if each.session_id == session.session_id]
    return tuple(sorted(ours, key=lambda each: (place_ns(each, session), each.written)))


def place_ns(annotation: Annotation, session: Session) -> int:
    """Return the moment that an annotation is of, session time."""
    if annotation.start_ns is not None:
        return annotation.start_ns
    by_seq = {m.seq: m.t_ns for m in session.state.moments}
    return by_seq.get(annotation.seq if annotation.seq is not None else -1, 0)


def kind_of(annotation: Annotation) -> str:
    """Return what an annotation is: marker, note, remember, rating, …, or an expression."""
    return "expression" if annotation.label in set(EXPRESSIONS) else annotation.label


def said_of(annotation: Annotation) -> str:
    """Return what an annotation says, in words."""
    rated = ", ".join(
        text("journal.scale", name=name, value=value) for name, value in annotation.values.items()
    )
    label = word("emotion", annotation.label) if kind_of(annotation) == "expression" else ""
    quoted = text("journal.note_added", text=annotation.text) if annotation.text else ""
    return " ".join(filter(None, (label, rated, quoted)))


def conclude(recording: Path, words: str, author: str) -> None:
    """Keep what the therapist concludes of a session, beside the recording.

    What she concluded before is taken back, and stays readable. An empty one only does that.

    Raises
    ------
    AffettiError
        The recording cannot be read.
    OSError
        It cannot be written.
    """
    with Session.open(recording) as session:
        before = [each for each in annotated(session) if each.label == CONCLUSION]
        id, key, end_ns = session.session_id, session.key, session.state.now_ns
    path = recording.with_name(ANNOTATIONS.name(recording))
    entries: list[annotations.AnyEntry] = [
        Retracted(author_id=author_id(author), of_entry_id=each.entry_id) for each in before
    ]
    if words:
        said: dict[str, Any] = {"start_ns": 0, "stop_ns": end_ns, "label": CONCLUSION}
        entries.append(Annotation(author_id=author_id(author), session_id=id, text=words, **said))
    _append(path, entries, key)


def _append(path: Path, entries: list[annotations.AnyEntry], key: DataKey | None) -> None:
    annotations.append_all(path, entries, key)


def clearest(analysis: Analysis) -> tuple[int, ...]:
    """Return the moments of the face's clearest lasting changes, in order of time.

    Clear is what moved it by more than 95 % of the moments without music do, or where these
    were too few, by more than no movement at all.
    """
    face, quiet = analysis.face, analysis.quiet
    least = quiet.step if quiet.enough else 0.0
    steps = [(face.step_at(change.t_s), round(change.t_s * NS_PER_S)) for change in face.changes]
    clear = sorted((step, t_ns) for step, t_ns in steps if step > least)
    return tuple(sorted(t_ns for _, t_ns in clear[-MOMENTS:]))


def _before(session: Session, theirs: list[Listed]) -> Before | None:
    """Return the session of the same person before this one, in the same folder."""
    path = previous(session, theirs)
    if path is None:
        return None
    try:
        with Session.open(path) as opened:
            if opened.started.person != session.started.person:  # the index may say anything
                return None
            return Before(analyze(opened, shown(opened)), path, opened.key)
    except AffettiError:
        return None


def previous(session: Session, theirs: list[Listed]) -> Path | None:
    """Return the recording before one, among those of its person; None: none."""
    began = _moment(session.started.wall_clock)
    earlier = [
        one
        for one in theirs
        if began and (start := _moment(one.wall_clock)) is not None and start < began
    ]
    return newest_first(earlier)[0].path if earlier else None


def until(session: Session, theirs: list[Listed]) -> str:
    """Return up to when what is written of a person tells of a session, ISO 8601 in UTC.

    To the end of its day, where it was held, or until the person's next session began.
    """
    began = _moment(session.started.wall_clock)
    if began is None:
        return now()
    ended = began + timedelta(microseconds=session.state.now_ns // 1000)
    midnight = datetime.combine(ended.date() + timedelta(days=1), time(), ended.tzinfo)
    starts = [start for one in theirs if (start := _moment(one.wall_clock)) and start > began]
    return min([midnight, *starts]).astimezone(UTC).isoformat(timespec="milliseconds")


def _moment(wall_clock: str) -> datetime | None:
    """Return a moment of the wall clock; without an offset it is of this place; None: none."""
    try:
        found = datetime.fromisoformat(wall_clock)
    except ValueError:
        return None
    return found if found.tzinfo else found.astimezone()


def recordings_in(folder: Path) -> list[Listed]:
    """Return what a folder holds, as far as that can be told."""
    try:
        return scanned(folder, remember=False)
    except AffettiError:
        return indexed(folder)


def _aims(session: Session, moment: str) -> tuple[tuple[Aim, ...], tuple[Aim, ...]]:
    """Return the goals that were worked at or reached at a moment, and those that are now."""
    person = session.started.person
    try:
        entries = read(person, session.path.parent)
    except AffettiError:
        return (), ()
    then = as_of(entries, moment, session.session_id)
    return _aims_of(state_of(person, then)), _aims_of(state_of(person, entries))


def _aims_of(known: PersonState) -> tuple[Aim, ...]:
    return tuple(Aim(goal.words, goal.state, goal.since) for goal in known.current_goals)
