"""Whose face is read, and against what."""

from typing import Annotated, ClassVar, Final

from affetti.core.codes import Code
from affetti.core.events.base import Count, Event, Traits, field

PATIENT: Final = "patient"
THERAPIST: Final = "therapist"
OTHER: Final = "other"


class NeutralReferenceStarted(Event, frozen=True, kw_only=True, tag=True):
    """From here on the person shows a neutral face."""

    traits: ClassVar = Traits(urgent=True, message="neutral_reference_started")


class NeutralReferenceRecorded(Event, frozen=True, kw_only=True, tag=True):
    """Up to here, from the latest start; later faces are read against it."""

    traits: ClassVar = Traits(urgent=True, message="neutral_reference_recorded")


class PersonChanged(Event, frozen=True, kw_only=True, tag=True):
    """Several faces are in view, and the person is another: the next one to the right."""

    traits: ClassVar = Traits(urgent=True, message="person_changed")


class FaceNamed(Event, frozen=True, kw_only=True, tag=True):
    """The therapist said whose face one in view is."""

    traits: ClassVar = Traits(urgent=True, message="face_named")

    face_id: Annotated[Count, field("which: as in `Face.face_id`")]
    role: Annotated[Code, field("patient, therapist or other")]
