"""What belongs to which consent: the one rule that recording, replay and checks share."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, TypeAlias

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    OF_ITS_STREAM,
    SCOPES,
    AudioCaptured,
    Consent,
    ConsentChanged,
    EmotionFused,
    Event,
    FrameCaptured,
    RecordingPaused,
    RecordingResumed,
    SessionStarted,
    StreamOpened,
    UnknownEvent,
    consent_to,
    stream_of,
)
from affetti.core.streams import Stream

Scopes: TypeAlias = frozenset[str]
Streams: TypeAlias = Mapping[str, Stream]
Ends: TypeAlias = Mapping[str, int]  # how often the consent to a scope has ended

NO_CONSENT: Final = consent_to()
NOTHING: Final[Scopes] = frozenset()
UNDECLARED: Final = "undeclared"  # of a stream that nobody declared; nothing grants it


def needed(event: Event | UnknownEvent, streams: Streams) -> Scopes:
    """Return the scopes that have to be consented to for an event to be kept.

    Playback is not the person's, and neither is what is made of it. Of a fused estimate only
    the face is known here: whether its music was the room's, is known where it is made.

    Parameters
    ----------
    event
        Of any kind; for one of a later version its record's header says it.
    streams
        Those that were declared so far, by name.
    """
    match event:
        case UnknownEvent():
            return NOTHING
        case EmotionFused():
            return frozenset({"video"} if "face" in event.decided_by_all else ())
    scope = event.traits.scope
    if scope == OF_ITS_STREAM:
        stream = streams.get(stream_of(event))
        return frozenset({UNDECLARED}) if stream is None else scopes_of(stream)
    return NOTHING if scope is None else frozenset({scope})


def scopes_of(stream: Stream) -> Scopes:
    """Return the scopes that have to be consented to for a stream to be kept."""
    return NOTHING if stream.scope is None else frozenset({stream.scope})


def allows(consent: Consent, event: Event | UnknownEvent, streams: Streams) -> bool:
    """Return whether an event may be kept under a consent."""
    return consent.grants(*needed(event, streams))


def captures(event: Event | UnknownEvent, streams: Streams) -> bool:
    """Return whether an event holds something of the person, which a pause keeps out."""
    return isinstance(event, Event) and event.traits.blob and bool(needed(event, streams))


def is_picture_or_sound(event: Event | UnknownEvent, streams: Streams) -> bool:
    """Return whether an event holds a picture of the person, or sound of the room."""
    return isinstance(event, FrameCaptured | AudioCaptured) and bool(needed(event, streams))


def declared(event: Event | UnknownEvent) -> dict[str, Stream]:
    """Return the streams that an event declares, by name."""
    match event:
        case SessionStarted(streams=streams):
            return {stream.name: stream for stream in streams}
        case StreamOpened(declaration=stream):
            return {stream.name: stream}
    return {}


def today() -> str:
    """Return the date of a consent that is given or ends now, as ISO 8601 has it."""
    return datetime.now().astimezone().date().isoformat()


def days_from_today(days: int) -> str:
    """Return the date so many days after today, as ISO 8601 has it; the last there is at most."""
    ordinal = datetime.now().astimezone().date().toordinal() + days
    return date.fromordinal(min(ordinal, date.max.toordinal())).isoformat()


class _Hold:
    """The latest stretch of session time in which nothing of a scope was to be kept."""

    def __init__(self) -> None:
        self._start_ns: int | None = None
        self._end_ns: int | None = None
        self._holding = False

    def turn(self, holding: bool, t_ns: int) -> None:
        if holding and not self._holding:
            self._start_ns, self._end_ns = t_ns, None
        elif self._holding and not holding:
            self._end_ns = t_ns
        self._holding = holding

    def contains(self, t_ns: int) -> bool:
        """Return whether something captured then must not be kept, however late it comes."""
        if self._start_ns is None or self._end_ns is None:
            return self._holding
        return self._start_ns <= t_ns < self._end_ns


class ConsentLedger:
    """Consent as events change it, and how often the consent to each scope has ended.

    Estimates are under way when consent ends. One made under fewer ends than there are now was
    made of what must not be used any more, even if consent was given again.
    """

    def __init__(self, consent: Consent = NO_CONSENT, streams: Iterable[Stream] = ()) -> None:
        self.consent = consent
        self.streams: Streams = {stream.name: stream for stream in streams}
        self.ends: Ends = {}
        self._paused = False
        self._holds: dict[str, _Hold] = {}
        self._turn(-NS_PER_S)  # before anything was captured

    def apply(self, event: Event | UnknownEvent) -> None:
        """Take in the next event."""
        match event:
            case SessionStarted(consent=consent):
                self.consent = consent
                self.streams = declared(event)
            case StreamOpened():
                self.streams = {**self.streams, **declared(event)}
            case ConsentChanged(consent=consent):
                self.ends = {
                    scope: self.ends.get(scope, 0) + (not consent.grants(scope))
                    for scope in self._scopes()
                }
                self.consent = consent
            case RecordingPaused() | RecordingResumed():
                self._paused = isinstance(event, RecordingPaused)
            case _:
                return
        self._turn(event.t_ns)

    def needed(self, event: Event | UnknownEvent) -> Scopes:
        """Return the scopes that have to be consented to for an event to be kept."""
        return needed(event, self.streams)

    def admits(self, event: Event | UnknownEvent) -> bool:
        """Return whether an event may be kept: consented to, and not captured in a pause."""
        need = self.needed(event)
        if not self.consent.grants(*need):
            return False
        held = any(self._holds[scope].contains(event.t_ns) for scope in need)
        return not (held and captures(event, self.streams))

    def admits_of(self, need: Scopes, ends: Ends) -> bool:
        """Return whether what needs a consent may be kept, made when there were `ends` ends."""
        lasted = all(ends.get(scope, 0) == self.ends.get(scope, 0) for scope in need)
        return lasted and self.consent.grants(*need)

    def _scopes(self) -> set[str]:
        of_streams = {stream.scope for stream in self.streams.values() if stream.scope}
        return {*SCOPES, *of_streams, *self.consent.scopes}

    def _turn(self, t_ns: int) -> None:
        for scope in self._scopes():
            hold = self._holds.setdefault(scope, _Hold())
            hold.turn(self._paused or not self.consent.grants(scope), t_ns)
