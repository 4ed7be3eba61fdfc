"""Whose face is read, and against what."""

from typing import ClassVar

from affetti.core.events.base import Event, Traits


class NeutralReferenceStarted(Event, frozen=True, kw_only=True, tag=True):
    """From here on the person shows a neutral face."""

    traits: ClassVar = Traits(urgent=True, message="neutral_reference_started")


class NeutralReferenceRecorded(Event, frozen=True, kw_only=True, tag=True):
    """Up to here, from the latest start; later faces are read against it."""

    traits: ClassVar = Traits(urgent=True, message="neutral_reference_recorded")


class PersonChanged(Event, frozen=True, kw_only=True, tag=True):
    """Several faces are in view, and the person is another: the next one to the right."""

    traits: ClassVar = Traits(urgent=True, message="person_changed")
