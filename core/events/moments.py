"""What a person noted of a moment.

A new kind of moment is one declaration here, and its words in the catalogue of `core.language`:
`moment.NOUN`, what it is called, and `journal.ID`, what is said of one (`core.journal`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import msgspec

from affetti.core.codes import Code, Digest, Given, Name
from affetti.core.events.base import Count, Event, Real, Traits, field

START: Final = "start"  # edges of a marked stretch
END: Final = "end"
BEFORE, BETWEEN, AFTER = "before", "between", "after"  # occasions of a self-report
Form: TypeAlias = Literal["press", "stretch"]
PRESS: Final = "press"
STRETCH: Final = "stretch"


class Moment(Event, frozen=True, kw_only=True):
    """What markers, notes and self-reports share; state, journal, tables and report walk them.

    Attributes
    ----------
    noun
        What a kind is called in tables.
    words_field
        The field that holds what was written or spoken.
    """

    noun: ClassVar[str]
    words_field: ClassVar[str] = "text"

    @property
    def words(self) -> str:
        """What was written or spoken; "" where nothing was."""
        return str(getattr(self, self.words_field, ""))


class MarkerAdded(Moment, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """The therapist, or another program, marked a moment, or the start or end of a stretch.

    Start and end of a stretch have one number.
    """

    traits: ClassVar = Traits(urgent=True, message="marker_added")
    noun: ClassVar[str] = "marker"
    words_field: ClassVar[str] = "label"

    label: Annotated[Given, field("the therapist's word for it")] = ""
    number: Annotated[Count | None, field("its number in the session, from 1")] = None
    edge: Annotated[Code | None, field("of a stretch: start or end")] = None
    stream: Annotated[Name | None, field("of another program that it came from")] = None


class MarkerKey(msgspec.Struct, frozen=True):
    """Something that is counted, and the key for it: a press, or one for start and one for end."""

    label: Annotated[Given, field("the therapist's word for it")]
    key: Annotated[Given, field("the sign it types, such as g or 1, or its name, such as pageup")]
    form: Annotated[
        Form, field("press: each counts; stretch: one press is the start, the next the end")
    ] = "press"


class NoteAdded(Moment, frozen=True, kw_only=True, tag=True):
    """The therapist wrote something down."""

    traits: ClassVar = Traits(urgent=True, message="note_added")
    noun: ClassVar[str] = "note"

    text: Annotated[Given, field("as it was written")]


class SelfReported(Moment, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """What the person says of themselves; `skipped` where they were asked and said nothing."""

    traits: ClassVar = Traits(urgent=True, message="self_reported")
    noun: ClassVar[str] = "self-report"

    emotion: Annotated[Given | None, field("in the person's words")] = None
    valence: Annotated[Real | None, field("-1 unpleasant to 1 pleasant")] = None
    arousal: Annotated[Real | None, field("-1 calm to 1 activated")] = None
    text: Annotated[Given, field("whatever else they said")] = ""
    occasion: Annotated[
        Code, field("when they were asked: before, between or after the tracks")
    ] = ""
    track: Annotated[Count | None, field("the track heard last, from 0")] = None
    scales: Annotated[
        dict[Given, Real], field("0 to 10, by the therapist's words for what it is of")
    ] = msgspec.field(default_factory=dict)
    skipped: Annotated[bool, field("whether nothing was answered")] = False
    answered_s: Annotated[Real | None, field("from the question to the answer", "seconds")] = None


class MusicProposed(Moment, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Tracks of the user's collection were proposed, and one was chosen, or none.

    One that was chosen while music plays comes after the track that plays, with a number behind
    those of the playlist.
    """

    traits: ClassVar = Traits(urgent=True, message="music_proposed")
    noun: ClassVar[str] = "proposal"
    words_field: ClassVar[str] = "title"

    direction: Annotated[Code, field("where to: calmer, livelier, nearer or farther")]
    proposed: Annotated[tuple[Given, ...], field("titles, what fits best first")] = ()
    proposed_sha256: Annotated[tuple[Digest, ...], field("of the files proposed")] = ()
    title: Annotated[Given, field("of the one that was chosen")] = ""
    chosen_sha256: Annotated[Digest | None, field("of the file that was chosen")] = None
    chosen_track: Annotated[Count | None, field("its number in the playlist, from 0")] = None
    from_valence: Annotated[Real | None, field("where the music was, -1 to 1")] = None
    from_arousal: Annotated[Real | None, field("where the music was, -1 to 1")] = None


@dataclass(frozen=True)
class MarkedStretch:
    """A stretch that was marked at both ends; one that has not ended has no `end_ns`."""

    start_ns: int
    end_ns: int | None = None
    number: int | None = None
    label: str = ""


def marked_stretches(moments: Iterable[Moment]) -> list[MarkedStretch]:
    """Return the stretches between markers that say where one starts and ends."""
    open_: dict[int | None, MarkedStretch] = {}
    found = []
    for moment in moments:
        if not isinstance(moment, MarkerAdded):
            continue
        if moment.edge == START:
            open_[moment.number] = MarkedStretch(moment.t_ns, None, moment.number, moment.label)
        elif moment.edge == END and moment.number in open_:
            begun = open_.pop(moment.number)
            found.append(MarkedStretch(begun.start_ns, moment.t_ns, begun.number, begun.label))
    return [*found, *open_.values()]
