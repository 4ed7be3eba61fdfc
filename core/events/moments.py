"""What a person noted of a moment.

A new kind of moment is one declaration here, and its words in the catalogue of `core.language`:
`moment.NOUN`, what it is called, and `journal.ID`, what is said of one (`core.journal`).
"""

from typing import Annotated, ClassVar

from affetti.core.codes import Given
from affetti.core.events.base import Event, Real, Traits, field


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


class MarkerAdded(Moment, frozen=True, kw_only=True, tag=True):
    """The therapist marked a moment."""

    traits: ClassVar = Traits(urgent=True, message="marker_added")
    noun: ClassVar[str] = "marker"
    words_field: ClassVar[str] = "label"

    label: Annotated[Given, field("the therapist's word for it")]


class NoteAdded(Moment, frozen=True, kw_only=True, tag=True):
    """The therapist wrote something down."""

    traits: ClassVar = Traits(urgent=True, message="note_added")
    noun: ClassVar[str] = "note"

    text: Annotated[Given, field("as it was written")]


class SelfReported(Moment, frozen=True, kw_only=True, tag=True):
    """What the person says of themselves."""

    traits: ClassVar = Traits(urgent=True, message="self_reported")
    noun: ClassVar[str] = "self-report"

    emotion: Annotated[Given | None, field("in the person's words")] = None
    valence: Annotated[Real | None, field("-1 unpleasant to 1 pleasant")] = None
    arousal: Annotated[Real | None, field("-1 calm to 1 activated")] = None
    text: Annotated[Given, field("whatever else they said")] = ""
