"""What belongs to which consent: the one rule that recording, replay and checks share."""

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    AudioCaptured,
    Consent,
    ConsentChanged,
    EmotionFused,
    Estimate,
    Event,
    FrameCaptured,
    RecordingPaused,
    RecordingResumed,
    SessionStarted,
    UnknownEvent,
)

NO_CONSENT = Consent(video=False, audio=False)


def needed(event: Event | UnknownEvent) -> Consent:
    """Return what has to be consented to for an event to be kept.

    Playback is not the person's, and neither is what is made of it. Of a fused estimate only
    the face is known here: whether its music was the room's, is known where it is made.
    """
    match event:
        case FrameCaptured() | Estimate(stream="camera"):
            return Consent(video=True, audio=False)
        case EmotionFused() if "face" in event.decided_by_all:
            return Consent(video=True, audio=False)
        case AudioCaptured(stream="room") | Estimate(stream="room"):
            return Consent(video=False, audio=True)
    return NO_CONSENT


def covers(consent: Consent, need: Consent) -> bool:
    """Return whether all that is needed is consented to."""
    return consent.video >= need.video and consent.audio >= need.audio


def allows(consent: Consent, event: Event | UnknownEvent) -> bool:
    """Return whether an event may be kept under a consent."""
    return covers(consent, needed(event))


def captures(event: Event | UnknownEvent) -> bool:
    """Return whether an event holds the person's picture or sound, which a pause keeps out."""
    return isinstance(event, FrameCaptured | AudioCaptured) and needed(event) != NO_CONSENT


class _Hold:
    """The latest stretch of session time in which one kind of capture was not to be kept."""

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
    """Consent as events change it, and how often each part of it has ended.

    Estimates are under way when consent ends. One made under fewer ends than there are now was
    made of what must not be used any more, even if consent was given again.
    """

    def __init__(self, consent: Consent = NO_CONSENT) -> None:
        self.consent = consent
        self.ends = (0, 0)  # of video, of audio
        self._paused = False
        self._video, self._audio = _Hold(), _Hold()
        self._turn(-NS_PER_S)  # before anything was captured

    def apply(self, event: Event | UnknownEvent) -> None:
        """Take in the next event."""
        match event:
            case SessionStarted(consent=consent):
                self.consent = consent
            case ConsentChanged(consent=consent):
                video, audio = self.ends
                self.ends = (video + (not consent.video), audio + (not consent.audio))
                self.consent = consent
            case RecordingPaused() | RecordingResumed():
                self._paused = isinstance(event, RecordingPaused)
            case _:
                return
        self._turn(event.t_ns)

    def admits(self, event: Event | UnknownEvent) -> bool:
        """Return whether an event may be kept: consented to, and not captured in a pause."""
        if not allows(self.consent, event):
            return False
        hold = self._video if isinstance(event, FrameCaptured) else self._audio
        return not captures(event) or not hold.contains(event.t_ns)

    def admits_of(self, need: Consent, ends: tuple[int, int]) -> bool:
        """Return whether what needs a consent may be kept, made when there were `ends` ends."""
        lasted = Consent(video=ends[0] == self.ends[0], audio=ends[1] == self.ends[1])
        return covers(self.consent, need) and covers(lasted, need)

    def _turn(self, t_ns: int) -> None:
        self._video.turn(self._paused or not self.consent.video, t_ns)
        self._audio.turn(self._paused or not self.consent.audio, t_ns)
