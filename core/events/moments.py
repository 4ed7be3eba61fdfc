"""What a person noted of a moment."""

from typing import Annotated, ClassVar

from affetti.core.events.base import Event, Traits, field


class Moment(Event, frozen=True, kw_only=True):
    """What markers, notes and self-reports share; state, journal, tables and report walk them."""


class MarkerAdded(Moment, frozen=True, kw_only=True, tag=True):
    """The therapist marked a moment."""

    traits: ClassVar = Traits(urgent=True, message="marker_added")

    label: Annotated[str, field("the therapist's word for it")]


class NoteAdded(Moment, frozen=True, kw_only=True, tag=True):
    """The therapist wrote something down."""

    traits: ClassVar = Traits(urgent=True, message="note_added")

    text: Annotated[str, field("as it was written")]


class SelfReported(Moment, frozen=True, kw_only=True, tag=True):
    """What the person says of themselves."""

    traits: ClassVar = Traits(urgent=True, message="self_reported")

    emotion: Annotated[str | None, field("in the person's words")] = None
    valence: Annotated[float | None, field("-1 unpleasant to 1 pleasant")] = None
    arousal: Annotated[float | None, field("-1 calm to 1 activated")] = None
    text: Annotated[str, field("whatever else they said")] = ""
