"""What the person agreed to, scope by scope, each with its date."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Final

import msgspec

from affetti.core.codes import Code, Day
from affetti.core.events.base import Event, Traits, field

VIDEO: Final = "video"  # frames of the face, and every estimate made from them
ROOM: Final = "room"  # the room's sound, and every estimate made from it
SIGNALS: Final = "signals"  # whatever is measured on the body
IDENTITY: Final = "identity"  # what tells the face from other faces
PICTURES_IN_REPORTS: Final = "pictures_in_reports"
RESEARCH: Final = "research"
USES: Final = (PICTURES_IN_REPORTS, RESEARCH)  # of what is kept: no record rests on them
SCOPES: Final = (VIDEO, ROOM, SIGNALS, IDENTITY, PICTURES_IN_REPORTS, RESEARCH)


class Grant(msgspec.Struct, frozen=True):
    """Whether something is consented to, and since when.

    Of a film that is imported without a word on consent, what is in it is kept on the word of
    whoever imports it: granted, and not stated.
    """

    granted: bool
    since: Day = ""  # ISO 8601 date; "" where it is not known
    stated: bool = True


class Consent(msgspec.Struct, frozen=True):
    """What the person agreed to; a scope that is not named was never granted.

    What is not consented to is never written.
    """

    scopes: dict[Code, Grant] = msgspec.field(default_factory=dict)

    def grants(self, *scopes: str) -> bool:
        """Return whether all of the scopes are granted."""
        return all(scope in self.scopes and self.scopes[scope].granted for scope in scopes)

    @property
    def granted(self) -> tuple[str, ...]:
        """The scopes that are, known ones first."""
        named = sorted(self.scopes, key=lambda s: SCOPES.index(s) if s in SCOPES else len(SCOPES))
        return tuple(scope for scope in named if self.scopes[scope].granted)

    @property
    def stated(self) -> bool:
        """Whether somebody said what the person agreed to."""
        return all(grant.stated for grant in self.scopes.values())

    def changed(
        self, *, granted: Iterable[str] = (), ended: Iterable[str] = (), since: str = ""
    ) -> "Consent":
        """Return what holds once some scopes were granted and others ended, `since` a date."""
        scopes = dict(self.scopes)
        scopes.update({scope: Grant(True, since) for scope in granted})
        scopes.update({scope: Grant(False, since) for scope in ended})
        return Consent(scopes)


def consent_to(*scopes: str, since: str = "") -> Consent:
    """Return the consent to some scopes and to nothing else, given on a date."""
    named = dict.fromkeys((*SCOPES, *scopes))
    return Consent({scope: Grant(scope in scopes, since) for scope in named})


def unstated(*scopes: str) -> Consent:
    """Return the consent of which nothing is known, and under which some scopes are kept."""
    return Consent({scope: Grant(scope in scopes, stated=False) for scope in SCOPES})


class ConsentChanged(Event, frozen=True, kw_only=True, tag=True):
    """The person changed their mind; from here on `consent` holds."""

    traits: ClassVar = Traits(urgent=True, message="consent_changed")

    consent: Annotated[Consent, field("what holds from here on")]
