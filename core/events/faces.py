"""Whose face is read, and against what."""

from typing import ClassVar

from affetti.core.events.base import Event, Traits


class BaselineStarted(Event, frozen=True, kw_only=True, tag=True):
    """From here on the person shows a neutral face."""

    traits: ClassVar = Traits(urgent=True, message="baseline_started")


class BaselineRecorded(Event, frozen=True, kw_only=True, tag=True):
    """Up to here, from the latest `BaselineStarted`; later estimates are corrected by it."""

    traits: ClassVar = Traits(urgent=True, message="baseline_recorded")


class PersonChanged(Event, frozen=True, kw_only=True, tag=True):
    """Several faces are in view, and the person is another: the next one to the right."""

    traits: ClassVar = Traits(urgent=True, message="person_changed")
