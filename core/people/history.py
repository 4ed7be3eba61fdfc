"""What a person's log comes to: their goals and how they went, and what was chosen for them.

A fold over the entries of the log, as `core.state` is one over the events of a session.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from affetti.core.codes import Digest
from affetti.core.consent import today
from affetti.core.events.consent import Consent
from affetti.core.events.entries import Retracted
from affetti.core.events.moments import MarkerKey
from affetti.core.events.people import (
    ConsentFiled,
    GoalDropped,
    GoalReworded,
    GoalSet,
    GoalState,
    GoalStateChanged,
    MarkersChosen,
    MusicLabelled,
    NeutralDescribed,
    PlaylistsChosen,
    ScalesChosen,
)
from affetti.core.people import lines
from affetti.core.people.last_time import LastTime

AnyPersonEntry: TypeAlias = (
    GoalSet
    | GoalReworded
    | GoalStateChanged
    | GoalDropped
    | MarkersChosen
    | ScalesChosen
    | PlaylistsChosen
    | ConsentFiled
    | NeutralDescribed
    | MusicLabelled
    | Retracted
)
GoalEntry: TypeAlias = GoalSet | GoalReworded | GoalStateChanged | GoalDropped


@dataclass(frozen=True)
class Goal:
    """A goal, as it stands.

    Attributes
    ----------
    goal_id
        Of it in the log.
    words
        The goal, in the therapist's words.
    state
        How far it is reached.
    set_on, since
        When it was set, and since when the state holds, ISO 8601.
    history
        The entries that made it what it is, in order.
    dropped
        Whether it is no longer worked at.
    """

    goal_id: Digest
    words: str
    state: GoalState
    set_on: str
    since: str
    history: tuple[GoalEntry, ...]
    dropped: bool = False

    def state_on(self, moment: str) -> GoalState | None:
        """Return the state at a moment, ISO 8601 in UTC; None where it was not set yet."""
        found: GoalState | None = None
        for entry in self.history:
            if entry.written > moment:
                break
            if isinstance(entry, GoalSet):
                found = "not_yet"
            elif isinstance(entry, GoalStateChanged):
                found = entry.state
        return found


@dataclass
class PersonState:
    """What is known of a person beside their recordings.

    Attributes
    ----------
    person
        The code.
    goals
        Every goal, in the order in which they were set, dropped ones among them.
    markers, markers_name
        What is counted, each with its key; and the name of the set that it came from.
    scales, after_tracks
        What the person rates; None where nothing was chosen, and whether after each track.
    playlists
        Names of saved playlists, the usual one first.
    consent
        What is on file; None where nothing is.
    neutral
        What the neutral reference was, in words; None where nobody said.
    labels
        What each track is for this person, by the SHA-256 of its file.
    """

    person: str = ""
    goals: dict[Digest, Goal] = field(default_factory=dict)
    markers: tuple[MarkerKey, ...] = ()
    markers_name: str = ""
    scales: tuple[str, ...] | None = None
    after_tracks: bool = False
    playlists: tuple[str, ...] = ()
    consent: ConsentFiled | None = None
    neutral: NeutralDescribed | None = None
    labels: dict[Digest, MusicLabelled] = field(default_factory=dict)

    @property
    def current_goals(self) -> list[Goal]:
        """The goals that are worked at, or were reached."""
        return [goal for goal in self.goals.values() if not goal.dropped]

    def apply(self, entry: AnyPersonEntry) -> None:
        """Take in an entry; one that takes another back means something to `state_of` alone."""
        match entry:
            case GoalSet() | GoalReworded() | GoalStateChanged() | GoalDropped():
                self._apply_to_goal(entry)
            case MarkersChosen():
                self.markers, self.markers_name = entry.markers, entry.name
            case ScalesChosen():
                self.scales, self.after_tracks = entry.scales, entry.after_tracks
            case PlaylistsChosen(names=names):
                self.playlists = names
            case ConsentFiled():
                self.consent = entry
            case NeutralDescribed():
                self.neutral = entry
            case MusicLabelled(sha256=sha256):
                self.labels.pop(sha256, None)
                if entry.emotion or entry.text:
                    self.labels[sha256] = entry

    def _apply_to_goal(self, entry: GoalEntry) -> None:
        before = self.goals.get(entry.goal_id)
        if isinstance(entry, GoalSet):
            after = _begun(entry)
        elif before is None:  # of a copy of the log that lacks its beginning
            return
        else:
            after = _changed(before, entry)
        self.goals[entry.goal_id] = after


def _begun(entry: GoalSet) -> Goal:
    written = entry.written
    return Goal(entry.goal_id, entry.words, "not_yet", written, written, (entry,))


def _changed(goal: Goal, entry: GoalReworded | GoalStateChanged | GoalDropped) -> Goal:
    words, state, since, dropped = goal.words, goal.state, goal.since, goal.dropped
    match entry:
        case GoalReworded():
            words = entry.words
        case GoalStateChanged():
            state, since = entry.state, entry.written
        case GoalDropped():
            dropped = True
    history = (*goal.history, entry)
    return Goal(goal.goal_id, words, state, goal.set_on, since, history, dropped)


def state_of(person: str, entries: Iterable[AnyPersonEntry]) -> PersonState:
    """Return what the entries of a person's log come to; what was taken back is left out."""
    state = PersonState(person)
    for entry in lines.standing(entries):
        state.apply(entry)
    return state


def as_of(
    entries: Iterable[AnyPersonEntry], moment: str, session_id: Digest | None = None
) -> list[AnyPersonEntry]:
    """Return the entries of a person's log that tell of a moment.

    What was taken back since was wrong then, too; but that a goal which had been dropped is worked
    at again was not so yet.

    Parameters
    ----------
    entries
        In order.
    moment
        ISO 8601 in UTC.
    session_id
        Of a session: what is said to have been seen in it counts whenever it was written.
    """
    known = list(entries)
    dropped = {entry.entry_id for entry in known if isinstance(entry, GoalDropped)}

    def tells(entry: AnyPersonEntry) -> bool:
        if entry.written <= moment:
            return True
        if isinstance(entry, Retracted):
            return entry.of_entry_id not in dropped
        if isinstance(entry, GoalStateChanged) and session_id is not None:
            return entry.session_id == session_id
        return False

    return [entry for entry in known if tells(entry)]


def answers(last: LastTime | None, known: PersonState | None) -> dict[str, bool]:
    """Return what a person's next recording begins with of consent, by scope.

    What is on file and has not expired, and what held at the end of the latest recording: where
    both are known and differ, nobody has answered. Where what is on file has expired, nothing.
    """
    filed = None if known is None else known.consent
    if filed is None:
        return {} if last is None else dict(last.answers)
    holds = consent_now(filed)
    if holds is None:
        return {}
    on_file = {scope: grant.granted for scope, grant in holds.scopes.items()}
    if last is None:
        return on_file
    return {scope: yes for scope, yes in on_file.items() if last.answers.get(scope) is yes}


def consent_now(filed: ConsentFiled | None, on: str = "") -> Consent | None:
    """Return the consent on file that holds on a date, by default today; None where none does."""
    if filed is None or has_expired(filed, on):
        return None
    return filed.consent


def has_expired(filed: ConsentFiled, on: str = "") -> bool:
    """Return whether a consent on file no longer holds on a date, by default today."""
    return bool(filed.expires) and filed.expires <= (on or today())
