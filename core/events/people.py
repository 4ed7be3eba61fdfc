"""What is kept of a person over sessions, in a log of their own: see `core.people.log`."""

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from affetti.core.codes import Code, Day, Digest, Given
from affetti.core.events.base import field
from affetti.core.events.consent import VIDEO, Consent
from affetti.core.events.entries import Entry
from affetti.core.events.moments import MarkerKey

__all__ = [
    "GOAL_STATES",
    "ConsentFiled",
    "GoalDropped",
    "GoalReworded",
    "GoalSet",
    "GoalState",
    "GoalStateChanged",
    "MarkersChosen",
    "MusicLabelled",
    "NeutralDescribed",
    "PersonEntry",
    "PlaylistsChosen",
    "ScalesChosen",
]

GoalState: TypeAlias = Literal["not_yet", "emerging", "achieved"]
GOAL_STATES: Final[tuple[GoalState, ...]] = ("not_yet", "emerging", "achieved")


class PersonEntry(Entry, frozen=True, kw_only=True):
    """What all entries of a person's log share.

    Attributes
    ----------
    scope
        Of consent, that what an entry says rests on; None: on none.
    """

    scope: ClassVar[str | None] = None

    person: Annotated[Given, field("the code that recordings name, never a name")]


class GoalSet(PersonEntry, frozen=True, kw_only=True, tag=True):
    """A goal was set; it begins as not yet reached."""

    goal_id: Annotated[Digest, field("of this goal in later entries, 32 hexadecimal digits")]
    words: Annotated[Given, field("the goal in the therapist's words")]


class GoalReworded(PersonEntry, frozen=True, kw_only=True, tag=True):
    """The same goal is said in other words."""

    goal_id: Annotated[Digest, field("which goal")]
    words: Annotated[Given, field("the goal in the therapist's words")]


class GoalStateChanged(PersonEntry, frozen=True, kw_only=True, tag=True):
    """The therapist judged how far a goal is reached."""

    goal_id: Annotated[Digest, field("which goal")]
    state: Annotated[GoalState, field("not yet, emerging or achieved")]
    session_id: Annotated[
        Digest | None, field("the session that this was seen in; none where it was not said")
    ] = None


class GoalDropped(PersonEntry, frozen=True, kw_only=True, tag=True):
    """A goal is no longer worked at; a `Retracted` of this entry takes it up again."""

    goal_id: Annotated[Digest, field("which goal")]
    reason: Annotated[Given, field("in the therapist's words")] = ""


class MarkersChosen(PersonEntry, frozen=True, kw_only=True, tag=True):
    """What is counted of this person, and with which keys; replaces what was chosen before."""

    markers: Annotated[tuple[MarkerKey, ...], field("each with its key")]
    name: Annotated[Given, field("of the set, where it came from one")] = ""


class ScalesChosen(PersonEntry, frozen=True, kw_only=True, tag=True):
    """What this person rates from 0 to 10; replaces what was chosen before."""

    scales: Annotated[tuple[Given, ...], field("in the therapist's words")]
    after_tracks: Annotated[bool, field("whether to ask after each track by itself")] = False


class PlaylistsChosen(PersonEntry, frozen=True, kw_only=True, tag=True):
    """Which saved playlists are this person's; replaces what was chosen before."""

    names: Annotated[tuple[Given, ...], field("of the saved playlists, the usual one first")]


class ConsentFiled(PersonEntry, frozen=True, kw_only=True, tag=True):
    """What the person agreed to, as it is on file; replaces what was filed before."""

    consent: Annotated[Consent, field("scope by scope, each with its date")]
    on: Annotated[Day, field("the date on which it was given or changed")]
    expires: Annotated[
        Day, field("the first date on which it no longer holds; empty where it has none")
    ] = ""
    session_id: Annotated[
        Digest | None, field("the session that it was withdrawn from; none otherwise")
    ] = None


class NeutralDescribed(PersonEntry, frozen=True, kw_only=True, tag=True):
    """What this person's neutral reference was, in the therapist's words."""

    scope: ClassVar[str | None] = VIDEO

    text: Annotated[Given, field("as it was written")]
    session_id: Annotated[
        Digest | None, field("the session of the reference; none where it was not said")
    ] = None


class MusicLabelled(PersonEntry, frozen=True, kw_only=True, tag=True):
    """What a track is for this person; replaces what was said of the track before."""

    sha256: Annotated[Digest, field("of the track's file")]
    title: Annotated[Given, field("as the file or the playlist says")] = ""
    emotion: Annotated[Code, field("one of the four emotions; empty where none was named")] = ""
    text: Annotated[Given, field("in the therapist's words")] = ""
